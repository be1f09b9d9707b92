"""The table of REST resources: one row per stream, the page to read first.

A row holds values only. Paths, keys, paging and permissions are facts of Looker API 4.0 (its
OpenAPI document, release 26.12); what a row does is in :mod:`tap_looker.sources`, and the few
that no row can describe are in :mod:`tap_looker.readers`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ADMIN = ("administer",)
DEVELOP = ("develop",)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A collection of API 4.0 and how to read it.

    In ``path`` and ``params``, ``{names}`` stand for ``columns``, and ``{host}`` for the instance.

    Attributes:
        name: Name of the stream and of its schema file.
        model: Class of ``looker_sdk.sdk.api40.models`` the schema is generated from.
        path: Path below ``/api/4.0``; "" where the rows are ``inside`` those of another.
        keys: Primary key.
        params: Query parameters that are always sent.
        paged: The endpoint takes ``limit`` and ``offset``.
        sorts: Column the pages are sorted by; "" where the endpoint takes no ``sorts``.
        may_ignore_limit: ``limit`` and ``offset`` work in production but are not in the document.
        fallback: A list to pick LookML dashboards from, where an instance refuses ``path``.
        trash: Deleted rows are kept and come with ``deleted=true``, in a second pass.
        single: The endpoint answers with one object.
        scalar: The endpoint lists plain values; the column they go to.
        each: Resources with one call for each of their rows, or for each combination of the
            ``columns`` in it.
        columns: What a call or a row takes from the row it belongs to: column → field there, with
            a dot through a list (``explores.name``). A column of the key is put on the record.
        unless: Field of the row above that, when true, leaves it out.
        together: How many of the rows above a call is for, their one column, which is not of the
            key, separated by commas.
        inside: Resource whose rows hold these in lists: no calls of their own.
        at: Lists that hold the rows, inside each object of the answer (or of ``inside``).
        carry: What such a row takes from the object around it: column → field there.
        fills: Columns with a fixed pattern, for what an answer does not say of itself.
        selects: The endpoint takes ``fields``.
        omit: Properties that are too heavy to ask for: not in the schema, and left out of the
            answer with ``fields=``.
        only: The properties that count where the rest is another stream's.
        nested: Lists inside a row, and the path that gives each by itself where an answer lacks
            it although it was asked for.
        keep: Those of ``nested`` that belong to the record itself.
        needs: Permissions of the API key's user, any one of which shows the whole of it; none where
            Looker shows every user what that user may see.
        without: What a user without them gets; "" where Looker denies it.
        activity: How Looker bills the calls: ``non_query`` (admin), ``db_query`` or ``none``.
        default: Selected unless told otherwise: what is cheap, and there on every instance.
        status: Of the endpoint: ``stable``, ``beta`` or ``alpha``.
        per: What one call buys, where that is neither a page nor everything.
    """

    name: str
    model: str
    path: str = ""
    keys: tuple[str, ...] = ("id",)
    params: Mapping[str, str] = field(default_factory=dict)
    paged: bool = False
    sorts: str = "id"
    may_ignore_limit: bool = False
    fallback: str = ""
    trash: bool = False
    single: bool = False
    scalar: str = ""
    each: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    unless: str = ""
    together: int = 1
    inside: str = ""
    at: tuple[str, ...] = ()
    carry: Mapping[str, str] = field(default_factory=dict)
    fills: Mapping[str, str] = field(default_factory=dict)
    selects: bool = True
    omit: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    nested: Mapping[str, str] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    without: str = ""
    activity: str = "non_query"
    default: bool = True
    status: str = "stable"
    per: str = ""

    @property
    def permission(self) -> str:
        """What the API key's user needs to read it, in words."""
        if not self.needs:
            return f"any user gets {self.without or 'what that user may see'}"
        needs = " or ".join(self.needs).replace("administer", "the Admin role")
        return f"needs {needs}; without it {self.without}" if self.without else f"needs {needs}"

    @property
    def adds(self) -> tuple[str, ...]:
        """Properties of the record that Looker's rows do not have."""
        added = [*self.columns, *self.carry, *self.fills]
        if self.scalar:
            added.append(self.scalar)
        return tuple(name for name in added if name in {*self.keys, *self.carry, self.scalar})


# One row, one stream: kept as a table by hand.
# fmt: off
CONTENT = (
    Resource(name="folders", path="/folders/search", model="Folder", paged=True,
             omit=("dashboards", "looks")),
    Resource(name="looks", path="/looks/search", model="Look", paged=True, trash=True),
    Resource(name="dashboards", path="/dashboards/search", model="Dashboard", paged=True,
             trash=True, omit=("dashboard_elements", "dashboard_filters", "dashboard_layouts"),
             nested={"dashboard_filters": "/dashboards/{id}/dashboard_filters",
                     "dashboard_layouts": "/dashboards/{id}/dashboard_layouts"}),
    Resource(name="dashboard_elements", path="/dashboard_elements/search",
             model="DashboardElement", paged=True, sorts="dashboard_id", trash=True,
             may_ignore_limit=True),
    Resource(name="dashboard_filters", inside="dashboards", at=("dashboard_filters",),
             model="DashboardFilter"),
    Resource(name="dashboard_layouts", inside="dashboards", at=("dashboard_layouts",),
             model="DashboardLayout"),
    Resource(name="lookml_dashboards", path="/dashboards/lookml/search", model="Dashboard",
             paged=True, fallback="/dashboards",
             nested={"dashboard_elements": "/dashboards/{id}/dashboard_elements"},
             keep=("dashboard_elements",)),
    # Without a path: see the reader of that name in tap_looker.readers.
    Resource(name="queries", model="Query", per="folder with a look whose query is on no tile"),
    Resource(name="merge_queries", path="/merge_queries/{merge_query_id}", model="MergeQuery",
             single=True, each=("dashboard_elements",),
             columns={"merge_query_id": "merge_result_id"}, activity="db_query", default=False,
             per="merged query"),
    Resource(name="scheduled_plans", path="/scheduled_plans", model="ScheduledPlan",
             params={"all_users": "true"}, activity="db_query",
             needs=("see_schedules",), without="the user's own plans"),
    Resource(name="alerts", path="/alerts/search", model="Alert", paged=True, sorts="",
             params={"all_owners": "true"}, needs=ADMIN),
    Resource(name="alert_notifications", path="/alert_notifications", model="AlertNotifications",
             keys=("notification_id",), paged=True, sorts="", default=False,
             without="the own notifications of the last 7 days", selects=False),
    Resource(name="boards", path="/boards/search", model="Board", paged=True),
    Resource(name="board_sections", path="/board_sections", model="BoardSection"),
    Resource(name="board_items", path="/board_items", model="BoardItem"),
    Resource(name="content_metadata", model="ContentMeta", default=False, per="folder"),
    Resource(name="content_metadata_access", path="/content_metadata_access",
             model="ContentMetaGroupUser", each=("content_metadata",),
             params={"content_metadata_id": "{content_metadata_id}"},
             columns={"content_metadata_id": "id"}, unless="inherits", default=False,
             per="item with access of its own"),
    Resource(name="content_favorites", path="/content_favorite/search", model="ContentFavorite",
             paged=True, each=("users",), params={"user_id": "{user_id}"},
             columns={"user_id": "id"}, unless="is_disabled", together=100, needs=ADMIN,
             default=False, omit=("look", "dashboard", "lookml_dashboard"), per="100 users"),
    Resource(name="content_views", path="/content_view/search", model="ContentView", paged=True,
             needs=ADMIN, default=False),
    Resource(name="themes", path="/themes", model="Theme"),
    Resource(name="color_collections", path="/color_collections", model="ColorCollection",
             needs=ADMIN),
    Resource(name="primary_homepage_sections", path="/primary_homepage_sections",
             model="HomepageSection"),
    Resource(name="content_validation", path="/content_validation", model="ContentValidatorError",
             single=True, at=("content_with_errors",), needs=DEVELOP, default=False,
             per="validation of all content, which takes minutes"),
)

ACCESS = (
    Resource(name="users", path="/users/search", model="User", paged=True, needs=ADMIN,
             without="names",
             nested={"credentials_api3": "/users/{id}/credentials_api3"}),
    Resource(name="current_user", path="/user", model="User", single=True),
    Resource(name="groups", path="/groups/search/with_hierarchy", model="GroupHierarchy",
             paged=True),
    Resource(name="group_users", path="/groups/{group_id}/users", model="User", paged=True,
             each=("groups",), columns={"group_id": "id"}, keys=("group_id", "id"), only=("id",),
             default=False, per="group"),
    Resource(name="roles", path="/roles/search", model="Role", paged=True, needs=ADMIN),
    Resource(name="role_groups", path="/roles/{role_id}/groups", model="Group", each=("roles",),
             columns={"role_id": "id"}, keys=("role_id", "id"), only=("id",), needs=ADMIN,
             default=False, per="role"),
    Resource(name="role_users", path="/roles/{role_id}/users", model="User", each=("roles",),
             params={"direct_association_only": "true"}, columns={"role_id": "id"},
             keys=("role_id", "id"), only=("id",), needs=ADMIN, default=False, per="role"),
    Resource(name="permission_sets", path="/permission_sets/search", model="PermissionSet",
             paged=True, needs=ADMIN),
    Resource(name="model_sets", path="/model_sets/search", model="ModelSet", paged=True,
             needs=ADMIN),
    Resource(name="permissions", path="/permissions", model="Permission", keys=("permission",),
             selects=False),
    Resource(name="user_attributes", path="/user_attributes", model="UserAttribute",
             params={"sorts": "name"}),
    Resource(name="user_attribute_values", path="/users/{user_id}/attribute_values",
             model="UserAttributeWithValue", each=("users",), params={"include_unset": "false"},
             columns={"user_id": "id"}, keys=("user_id", "user_attribute_id"), needs=ADMIN,
             default=False, per="user"),
    Resource(name="user_attribute_group_values",
             path="/user_attributes/{user_attribute_id}/group_values",
             model="UserAttributeGroupValue", each=("user_attributes",),
             columns={"user_attribute_id": "id"}, default=False, per="user attribute",
             without="the groups that user may see"),
    Resource(name="user_sessions", path="/users/{user_id}/sessions", model="Session",
             each=("users",), columns={"user_id": "id"}, unless="is_disabled",
             keys=("user_id", "id"), needs=ADMIN, default=False, per="user"),
    Resource(name="user_credentials_api3", inside="users", at=("credentials_api3",),
             carry={"user_id": "id"}, model="CredentialsApi3", keys=("user_id", "id"),
             needs=ADMIN, default=False),
    Resource(name="credentials_email", path="/credentials_email/search",
             model="CredentialsEmailSearch", keys=("user_id",), paged=True, sorts="user_id",
             needs=ADMIN, default=False),
    Resource(name="user_login_lockouts", path="/user_login_lockouts/search",
             model="UserLoginLockout", keys=("key",), paged=True, sorts="", needs=ADMIN),
)

LOOKML = (
    Resource(name="lookml_models", path="/lookml_models", model="LookmlModel", keys=("name",),
             paged=True, sorts=""),
    Resource(name="explores", path="/lookml_models/{lookml_model_name}/explores/{explore_name}",
             model="LookmlModelExplore", single=True, each=("lookml_models",), omit=("fields",),
             columns={"lookml_model_name": "name", "explore_name": "explores.name"},
             fills={"id": "{lookml_model_name}::{explore_name}"}, default=False, per="explore"),
    Resource(name="explore_fields", inside="explores", model="LookmlModelExploreField",
             at=("fields.dimensions", "fields.measures", "fields.filters", "fields.parameters"),
             carry={"explore_id": "id"}, keys=("explore_id", "name"), default=False,
             per="explore"),
    Resource(name="datagroups", path="/datagroups", model="Datagroup", selects=False),
    Resource(name="projects", path="/projects", model="Project", needs=DEVELOP),
    Resource(name="project_files", path="/projects/{project_id}/files", model="ProjectFile",
             each=("projects",), columns={"project_id": "id"}, keys=("project_id", "id"),
             needs=("develop", "see_lookml"), default=False, per="project"),
    Resource(name="project_manifests", path="/projects/{project_id}/manifest", model="Manifest",
             single=True, each=("projects",), columns={"project_id": "id"}, keys=("project_id",),
             needs=DEVELOP, default=False, per="project", selects=False),
    Resource(name="project_validation", path="/projects/{project_id}/validate",
             model="ProjectValidationCache", single=True, each=("projects",),
             columns={"project_id": "id"}, keys=("project_id",), needs=DEVELOP,
             default=False, per="project"),
    Resource(name="git_branches", path="/projects/{project_id}/git_branches", model="GitBranch",
             each=("projects",), columns={"project_id": "id"}, keys=("project_id", "name"),
             needs=DEVELOP, default=False, per="project", selects=False),
    Resource(name="lookml_tests", path="/projects/{project_id}/lookml_tests", model="LookmlTest",
             each=("projects",), columns={"project_id": "id"},
             keys=("project_id", "model_name", "name"), needs=DEVELOP, default=False,
             per="project", selects=False),
)

CONNECTION = {"connection_name": "name"}
CONNECTION_SCHEMA = {"connection_name": "connection_name", "schema_name": "name"}

PLATFORM = (
    Resource(name="versions", path="/versions", model="ApiVersion", single=True,
             keys=("looker_release_version",), activity="none"),
    Resource(name="workspaces", path="/workspaces", model="Workspace", selects=False),
    Resource(name="connections", path="/connections", model="DBConnection", keys=("name",),
             needs=("administer", "manage_connections"), without="fewer fields"),
    Resource(name="connection_features", path="/connections/{connection_name}/features",
             model="ConnectionFeatures", single=True, each=("connections",), columns=CONNECTION,
             keys=("connection_name",), default=False, per="connection"),
    Resource(name="connection_databases", path="/connections/{connection_name}/databases",
             model="", scalar="database", each=("connections",), columns=CONNECTION,
             keys=("connection_name", "database"), needs=DEVELOP, activity="db_query",
             default=False, per="connection", selects=False),
    Resource(name="connection_schemas", path="/connections/{connection_name}/schemas",
             model="Schema", params={"cache": "true"}, each=("connections",), columns=CONNECTION,
             keys=("connection_name", "name"), needs=DEVELOP, default=False,
             per="connection"),
    Resource(name="connection_tables", path="/connections/{connection_name}/tables",
             model="SchemaTable", params={"schema_name": "{schema_name}", "cache": "true"},
             each=("connection_schemas",), columns=CONNECTION_SCHEMA, at=("tables",),
             keys=("connection_name", "schema_name", "name"), needs=DEVELOP, default=False,
             per="database schema"),
    Resource(name="connection_columns", path="/connections/{connection_name}/columns",
             model="SchemaColumn", params={"schema_name": "{schema_name}", "cache": "true"},
             each=("connection_schemas",), columns=CONNECTION_SCHEMA, at=("columns",),
             carry={"table_name": "name"},
             keys=("connection_name", "schema_name", "table_name", "name"), needs=DEVELOP,
             default=False, per="database schema"),
    Resource(name="integration_hubs", path="/integration_hubs", model="IntegrationHub",
             needs=ADMIN),
    Resource(name="integrations", path="/integrations", model="Integration"),
    Resource(name="oauth_client_apps", path="/oauth_client_apps", model="OauthClientApp",
             keys=("client_guid",), without="the apps that user may see"),
    Resource(name="external_oauth_applications", path="/external_oauth_applications",
             model="ExternalOauthApplication", needs=ADMIN, default=False, status="beta",
             selects=False),
    Resource(name="ssh_servers", path="/ssh_servers", model="SshServer", keys=("ssh_server_id",),
             needs=ADMIN, default=False),
    Resource(name="ssh_tunnels", path="/ssh_tunnels", model="SshTunnel", keys=("tunnel_id",),
             needs=ADMIN, default=False),
    Resource(name="running_queries", path="/running_queries", model="RunningQueries",
             needs=("see_queries",), without="the user's own queries", activity="db_query",
             default=False, selects=False),
    Resource(name="instance_settings", path="/setting", model="Setting", single=True,
             keys=("host",), fills={"host": "{host}"}, needs=ADMIN, default=False),
    Resource(name="session_config", path="/session_config", model="SessionConfig", single=True,
             keys=("host",), fills={"host": "{host}"}, needs=ADMIN, default=False, selects=False),
    Resource(name="password_config", path="/password_config", model="PasswordConfig", single=True,
             keys=("host",), fills={"host": "{host}"}, needs=ADMIN, default=False, selects=False),
    Resource(name="saml_config", path="/saml_config", model="SamlConfig", single=True,
             keys=("host",), fills={"host": "{host}"}, needs=ADMIN, default=False, selects=False),
    Resource(name="oidc_config", path="/oidc_config", model="OIDCConfig", single=True,
             keys=("host",), fills={"host": "{host}"}, needs=ADMIN, default=False, selects=False),
    Resource(name="ldap_config", path="/ldap_config", model="LDAPConfig", single=True,
             keys=("host",), fills={"host": "{host}"}, needs=ADMIN, default=False, selects=False),
    Resource(name="support_access_allowlist", path="/support_access/allowlist",
             model="SupportAccessAllowlistEntry", needs=ADMIN, default=False),
    Resource(name="legacy_features", path="/legacy_features", model="LegacyFeature",
             needs=ADMIN, default=False, selects=False),
    Resource(name="dialect_info", path="/dialect_info", model="DialectInfo", keys=("name",)),
    Resource(name="locales", path="/locales", model="Locale", keys=("code",), selects=False),
    Resource(name="timezones", path="/timezones", model="Timezone", keys=("value",), selects=False),
)

PREVIEW = (
    Resource(name="agents", path="/agents/search", model="Agent", paged=True, trash=True,
             default=False, status="beta"),
    Resource(name="conversations", path="/conversations/search", model="Conversation", paged=True,
             without="the own conversations", default=False,
             status="beta", omit=("messages",)),
    Resource(name="conversation_messages", path="/conversations/{conversation_id}/messages",
             model="ConversationMessage", each=("conversations",),
             columns={"conversation_id": "id"}, keys=("conversation_id", "id"),
             without="the own conversations", activity="db_query",
             default=False, status="beta", per="conversation"),
    Resource(name="artifact_namespaces", path="/artifact/namespaces", model="ArtifactNamespace",
             keys=("namespace",), paged=True, sorts="", default=False, status="alpha",
             without="nothing, but for extensions made by Looker"),
    Resource(name="artifacts", path="/artifact/{namespace}/search", model="Artifact", paged=True,
             sorts="", each=("artifact_namespaces",), columns={"namespace": "namespace"},
             keys=("namespace", "key"), default=False, status="alpha", per="namespace",
             without="nothing, but for extensions made by Looker"),
)

# fmt: on

RESOURCES = CONTENT + ACCESS + LOOKML + PLATFORM + PREVIEW
BY_NAME = {resource.name: resource for resource in RESOURCES}
