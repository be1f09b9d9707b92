"""The read endpoints of the long tail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from looker_emulator.http.answers import MESSAGES, Answer, Instead, error
from looker_emulator.http.listing import boolean
from looker_emulator.http.routes import Route, every, named
from looker_emulator.instance.access.user_attributes import attribute_values
from looker_emulator.instance.lookml.model_explores import explore
from looker_emulator.instance.platform import connections

if TYPE_CHECKING:
    from collections.abc import Callable

    from looker_emulator.http.routes import Rows, Source
    from looker_emulator.instance import Instance
    from looker_emulator.instance.values import Row

    Params = dict[str, str]

EXPLORE = "/lookml_models/{lookml_model_name}/explores/{explore_name}"
_HIERARCHY = frozenset({"parent_group_ids", "role_ids", "roles"})


def _paged(path: str, collection: str, *filters: str, **options: Any) -> Route:
    options.setdefault("sorts", True)
    return Route(path, every(collection), paged=True, filters=filters, **options)


def _one(path: str, source: str | Source, **options: Any) -> Route:
    return Route(path, every(source) if isinstance(source, str) else source, one=True, **options)


def _of(parents: str, rows_of: Callable[[Instance, Row, Params], Rows], key: str = "id") -> Source:
    """What belongs to the row that the path names, by a function of that row."""
    parent = named(parents, key)

    def rows(instance: Instance, params: Params) -> Rows:
        (name, wanted), *asked = params.items()
        owner = parent(instance, {name: wanted})
        return None if owner is None else rows_of(instance, owner[0], dict(asked))

    return rows


def _kept(parents: str, collection: str) -> Source:
    """What a dictionary of the instance holds for the row that the path names."""
    return _of(parents, lambda instance, owner, _: getattr(instance, collection).get(owner["id"]))


def _flag(params: Params, name: str, *, default: bool) -> bool:
    return boolean(name, params[name]) if params.get(name) else default


def _broken_for_disabled(user: Row) -> None:
    """Some operations fail for disabled users, and always have."""
    if user["is_disabled"]:
        raise Instead(error(500, MESSAGES[500]))


# ----------------------------------------------------------------------------------------- sources


def _alerts(instance: Instance, params: Params) -> Rows:
    if _flag(params, "all_owners", default=False):
        return instance.alerts
    return _own(instance, instance.alerts, "owner_id")


def _plans(instance: Instance, params: Params) -> Rows:
    if _flag(params, "all_users", default=False) or params.get("user_id"):
        return instance.scheduled_plans
    return _own(instance, instance.scheduled_plans, "user_id")


def _own(instance: Instance, rows: list[Row], owner: str) -> list[Row]:
    return [row for row in rows if row[owner] == instance.me[0]["id"]]


def _favorites(instance: Instance, params: Params) -> Rows:
    wanted = params.get("user_id", "").split(",")
    for user in instance.users:
        if user["id"] in wanted:
            _broken_for_disabled(user)
    return instance.content_favorites


def _sessions(instance: Instance, user: Row, _: Params) -> Rows:
    _broken_for_disabled(user)
    return instance.user_sessions[user["id"]]


def _values(instance: Instance, user: Row, params: Params) -> Rows:
    unset = _flag(params, "include_unset", default=False)
    return attribute_values(instance, user, include_unset=unset)


def _roles_of(instance: Instance, user: Row, params: Params) -> Rows:
    direct = _flag(params, "direct_association_only", default=False)
    return [
        role
        for role in instance.roles
        if role["id"] in user["role_ids"] or (not direct and _through_group(instance, user, role))
    ]


def _holders(instance: Instance, role: Row, params: Params) -> Rows:
    direct = _flag(params, "direct_association_only", default=False)
    return [
        user
        for user in instance.users
        if role["id"] in user["role_ids"] or (not direct and _through_group(instance, user, role))
    ]


def _through_group(instance: Instance, user: Row, role: Row) -> bool:
    return any(
        role["id"] in group["role_ids"]
        for group in instance.groups
        if group["id"] in user["group_ids"]
    )


def _validation(instance: Instance, project: Row, _: Params) -> Rows:
    """The last validation; 204 where there has been none."""
    if project["id"] not in instance.project_validations:
        raise Instead(Answer(204, b"", None))
    rows: Rows = instance.project_validations[project["id"]]
    return rows


def _explore(instance: Instance, params: Params) -> Rows:
    found = explore(instance, *params.values())
    return [found] if found else None


_features = _of("connections", lambda _, row, __: [connections.connection_features(row)], "name")
_databases = _of("connections", lambda _, row, __: connections.connection_databases(row), "name")  # type: ignore[arg-type,return-value]
_schemas = _of("connections", lambda _, row, __: connections.connection_schemas(row), "name")
_tables = _of(
    "connections",
    lambda _, row, params: connections.connection_tables(row, params.get("schema_name")),
    "name",
)
_columns = _of(
    "connections",
    lambda _, row, params: connections.connection_columns(row, params.get("schema_name")),
    "name",
)


# ----------------------------------------------------------------------------------------- routes

ROUTES = (
    # Content
    Route("/alerts/search", _alerts, paged=True, reads=("all_owners",)),
    _paged("/alert_notifications", "alert_notifications", sorts=False),
    _paged("/boards/search", "boards", "title", "created_at", "creator_id"),
    Route("/boards", every("boards")),
    Route("/board_sections", every("board_sections"), sorts=True),
    Route("/board_items", every("board_items"), sorts=True, filters=("board_section_id",)),
    Route("/primary_homepage_sections", every("primary_homepage_sections")),
    Route(
        "/content_metadata",
        every("content_metadata"),
        needs=("parent_id",),
        filters=("parent_id",),
    ),
    _one("/content_metadata/{content_metadata_id}", named("content_metadata")),
    Route(
        "/content_metadata_access",
        every("content_metadata_accesses"),
        needs=("content_metadata_id",),
        filters=("content_metadata_id",),
    ),
    Route(
        "/content_favorite/search",
        _favorites,
        paged=True,
        sorts=True,
        reads=("user_id",),
        filters=(
            "id",
            "user_id",
            "content_metadata_id",
            "dashboard_id",
            "look_id",
            "board_id",
            "lookml_dashboard_id",
        ),
    ),
    _paged(
        "/content_view/search",
        "content_views",
        "view_count",
        "group_id",
        "look_id",
        "dashboard_id",
        "content_metadata_id",
        "start_of_week_date",
        "user_id",
    ),
    _one("/content_validation", "content_validation"),
    Route("/scheduled_plans", _plans, reads=("all_users", "user_id"), filters=("user_id",)),
    Route("/themes", every("themes")),
    Route("/color_collections", every("color_collections")),
    # People
    Route("/permissions", every("permissions")),
    Route("/user_attributes", every("user_attributes"), sorts=True),
    Route(
        "/user_attributes/{user_attribute_id}/group_values",
        _kept("user_attributes", "user_attribute_group_values"),
    ),
    Route(
        "/users/{user_id}/attribute_values",
        _of("users", _values),
        reads=("include_unset",),
        filters=(),
    ),
    Route("/users/{user_id}/sessions", _of("users", _sessions)),
    Route(
        "/users/{user_id}/credentials_api3",
        _of("users", lambda _, user, __: user["credentials_api3"]),
    ),
    Route("/users/{user_id}/roles", _of("users", _roles_of), reads=("direct_association_only",)),
    _paged("/credentials_email/search", "credentials_email", "id", "email"),
    _paged(
        "/user_login_lockouts/search",
        "user_login_lockouts",
        "auth_type",
        "full_name",
        "email",
        "remote_id",
    ),
    Route(
        "/groups/{group_id}/users",
        _of(
            "groups",
            lambda instance, group, _: [
                user for user in instance.users if group["id"] in user["group_ids"]
            ],
        ),
        paged=True,
        sorts=True,
    ),
    Route(
        "/roles/{role_id}/groups",
        _of(
            "roles",
            lambda instance, role, _: [
                group for group in instance.groups if role["id"] in group["role_ids"]
            ],
        ),
        hides=_HIERARCHY,
    ),
    Route("/roles/{role_id}/users", _of("roles", _holders), reads=("direct_association_only",)),
    # LookML
    _one(EXPLORE, _explore),
    Route("/datagroups", every("datagroups")),
    Route("/projects", every("projects")),
    Route("/projects/{project_id}/files", _kept("projects", "project_files")),
    _one("/projects/{project_id}/manifest", _kept("projects", "project_manifests")),
    _one("/projects/{project_id}/validate", _of("projects", _validation)),
    Route("/projects/{project_id}/git_branches", _kept("projects", "git_branches")),
    Route("/projects/{project_id}/lookml_tests", _kept("projects", "lookml_tests")),
    # Platform
    Route("/connections", every("connections")),
    _one("/connections/{connection_name}/features", _features),
    Route("/connections/{connection_name}/databases", _databases),
    Route("/connections/{connection_name}/schemas", _schemas),
    Route("/connections/{connection_name}/tables", _tables, reads=("schema_name",)),
    Route("/connections/{connection_name}/columns", _columns, reads=("schema_name",)),
    Route("/dialect_info", every("dialect_info")),
    Route("/integration_hubs", every("integration_hubs")),
    Route("/integrations", every("integrations")),
    Route("/oauth_client_apps", every("oauth_client_apps")),
    Route("/external_oauth_applications", every("external_oauth_applications")),
    Route("/ssh_servers", every("ssh_servers")),
    Route("/ssh_tunnels", every("ssh_tunnels")),
    Route("/running_queries", every("running_queries")),
    Route("/workspaces", every("workspaces")),
    _one("/setting", "setting"),
    _one("/session_config", "session_config"),
    _one("/password_config", "password_config"),
    _one("/saml_config", "saml_config"),
    _one("/oidc_config", "oidc_config"),
    _one("/ldap_config", "ldap_config"),
    Route("/support_access/allowlist", every("support_access_allowlist")),
    Route("/legacy_features", every("legacy_features")),
    Route("/locales", every("locales")),
    Route("/timezones", every("timezones")),
    # Beta and alpha
    _paged(
        "/agents/search",
        "agents",
        "id",
        "name",
        "description",
        "created_by_user_id",
        "category",
        "deleted",
        trash="agents",
    ),
    _paged(
        "/conversations/search",
        "conversations",
        "id",
        "name",
        "agent_id",
        "category",
        "deleted",
        trash="conversations",
    ),
    Route(
        "/conversations/{conversation_id}/messages",
        _of("conversations", lambda _, row, __: row["messages"]),
    ),
    _paged("/artifact/namespaces", "artifact_namespaces", sorts=False),
    Route(
        "/artifact/{namespace}/search",
        lambda instance, params: [
            row for row in instance.artifacts if row["namespace"] == params["namespace"]
        ],
        paged=True,
        filters=("key",),
    ),
)
