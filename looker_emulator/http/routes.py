"""The table of routes: every operation of API 4.0 that the emulator answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from looker_emulator.http import query_handlers, row_handlers, session_handlers
from looker_emulator.http.routing import Route
from looker_emulator.http.row_handlers import Rows, below, every, inside, kept, named, of
from looker_emulator.instance.content.dashboards import DASHBOARD_BASE
from looker_emulator.instance.platform import connections

if TYPE_CHECKING:
    from looker_emulator.http.routing import Handler
    from looker_emulator.http.row_handlers import Source


def _list(path: str, source: str | Source, filters: str = "", **options: Any) -> Route:
    """A list of rows: of a collection, or those that a function finds."""
    source = every(source) if isinstance(source, str) else source
    rows = Rows(source, filters=tuple(filters.split()), **options)
    return Route("GET", path, rows, cached=True)


def _search(path: str, source: str | Source, filters: str = "", **options: Any) -> Route:
    """A list that takes limit, offset and sorts."""
    return _list(path, source, filters, paged=True, sorts=True, **options)


def _one(path: str, source: str | Source, **options: Any) -> Route:
    """One object."""
    return _list(path, source, one=True, **options)


def _query(method: str, path: str, handler: Handler) -> Route:
    """An operation that may wait for the database."""
    return Route(method, path, handler, in_thread=True)


_USER_FILTERS = (
    "id first_name last_name full_name email is_disabled embed_user verified_looker_employee "
    "group_id can_manage_api3_creds is_service_account"
)
_GROUP_FILTERS = "id name external_group_id externally_managed"
_CONTENT_FILTERS = (
    "id title description content_favorite_id folder_id user_id view_count last_viewed_at"
)
_SET_FILTERS = "id name all_access built_in"
_HIERARCHY = frozenset({"parent_group_ids", "role_ids"})
_WITH_ROLES = _HIERARCHY | {"roles"}
_IN_FOLDER = frozenset({"dashboards", "looks"})
_OF_DETAILED_LOOK = frozenset({"query", "url"})

ROUTES = (
    Route("POST", "/login", session_handlers.login, public=True, deniable=False),
    Route("DELETE", "/logout", session_handlers.logout, deniable=False),
    # Content
    _list("/folders", "folders", hides=_IN_FOLDER),
    _search(
        "/folders/search", "folders", "id name parent_id creator_id is_shared_root is_users_root"
    ),
    _one("/folders/{folder_id}", named("folders")),
    _list("/folders/{folder_id}/ancestors", of("folders", row_handlers.ancestors)),
    _search("/folders/{folder_id}/children", below("folders", "folders", "parent_id")),
    _list("/folders/{folder_id}/looks", below("folders", "looks", "folder_id")),
    _list("/folders/{folder_id}/dashboards", below("folders", "all_dashboards", "folder_id")),
    _list("/looks", "looks", trash="looks", hides=_OF_DETAILED_LOOK),
    _search(
        "/looks/search",
        "looks",
        f"{_CONTENT_FILTERS} query_id deleted",
        trash="looks",
        hides=_OF_DETAILED_LOOK,
    ),
    _one("/looks/{look_id}", named("looks")),
    _list("/dashboards", "all_dashboards", trash="dashboards", shows=frozenset(DASHBOARD_BASE)),
    _search(
        "/dashboards/search",
        "dashboards",
        f"{_CONTENT_FILTERS} slug content_metadata_id deleted",
        trash="dashboards",
    ),
    _search(
        "/dashboards/lookml/search", "lookml_dashboards", "folder_id title content_favorite_id"
    ),
    _one("/dashboards/{dashboard_id}", named("all_dashboards", "id", "slug")),
    _list(
        "/dashboards/{dashboard_id}/dashboard_elements",
        inside("all_dashboards", "dashboard_elements", "id", "slug"),
    ),
    _list(
        "/dashboards/{dashboard_id}/dashboard_filters",
        inside("all_dashboards", "dashboard_filters", "id", "slug"),
    ),
    _list(
        "/dashboards/{dashboard_id}/dashboard_layouts",
        inside("all_dashboards", "dashboard_layouts", "id", "slug"),
    ),
    _list(
        "/dashboard_layouts/{dashboard_layout_id}/dashboard_layout_components",
        inside("dashboard_layouts", "dashboard_layout_components"),
    ),
    _search(
        "/dashboard_elements/search",
        "dashboard_elements",
        "dashboard_id look_id title deleted",
        trash="dashboard_elements",
        undocumented_limit=True,
    ),
    _one("/dashboard_elements/{dashboard_element_id}", named("dashboard_elements")),
    _one("/queries/{query_id}", named("queries")),
    _one("/queries/slug/{slug}", named("queries", "slug")),
    _one("/merge_queries/{merge_query_id}", named("merge_queries")),
    _list("/scheduled_plans", row_handlers.scheduled_plans, "user_id"),
    _list("/alerts/search", row_handlers.alerts, paged=True),
    _list("/alert_notifications", "alert_notifications", paged=True),
    _list("/boards", "boards"),
    _search("/boards/search", "boards", "title created_at creator_id"),
    _list("/board_sections", "board_sections", sorts=True),
    _list("/board_items", "board_items", "board_section_id", sorts=True),
    _list("/primary_homepage_sections", "primary_homepage_sections"),
    _list("/content_metadata", "content_metadata", "parent_id", needs=("parent_id",)),
    _one("/content_metadata/{content_metadata_id}", named("content_metadata")),
    _list(
        "/content_metadata_access",
        "content_metadata_accesses",
        "content_metadata_id",
        needs=("content_metadata_id",),
    ),
    _search(
        "/content_favorite/search",
        row_handlers.favorites,
        "id user_id content_metadata_id dashboard_id look_id board_id lookml_dashboard_id",
    ),
    _search(
        "/content_view/search",
        "content_views",
        "view_count group_id look_id dashboard_id content_metadata_id start_of_week_date user_id",
    ),
    _search("/content_summary", "content_summary"),
    _one("/content_validation", "content_validation"),
    _list("/themes", "themes"),
    _list("/color_collections", "color_collections"),
    _one("/color_collections/active", "active_color_collections"),
    # Access
    _one("/user", "me"),
    _search("/users", "users"),
    _search("/users/search", "users", _USER_FILTERS),
    _one("/users/{user_id}", named("users")),
    _list("/users/{user_id}/attribute_values", of("users", row_handlers.attribute_values_of)),
    _list("/users/{user_id}/sessions", of("users", row_handlers.sessions)),
    _list("/users/{user_id}/credentials_api3", inside("users", "credentials_api3")),
    _list("/users/{user_id}/roles", of("users", row_handlers.roles_of)),
    _search("/groups", "groups", hides=_WITH_ROLES),
    _search("/groups/search", "groups", _GROUP_FILTERS, hides=_WITH_ROLES),
    _search("/groups/search/with_roles", "groups", _GROUP_FILTERS, hides=_HIERARCHY),
    _search("/groups/search/with_hierarchy", "groups", _GROUP_FILTERS, hides=frozenset({"roles"})),
    _one("/groups/{group_id}", named("groups"), hides=_WITH_ROLES),
    _search("/groups/{group_id}/users", of("groups", row_handlers.members)),
    _list("/groups/{group_id}/groups", of("groups", row_handlers.groups_in), hides=_WITH_ROLES),
    _list("/roles", "roles"),
    _search("/roles/search", "roles", "id name model_set_ids permission_set_ids"),
    _search(
        "/roles/search/with_user_count", row_handlers.roles_with_user_count, "id name built_in"
    ),
    _one("/roles/{role_id}", named("roles")),
    _list("/roles/{role_id}/groups", of("roles", row_handlers.groups_with), hides=_WITH_ROLES),
    _list("/roles/{role_id}/users", of("roles", row_handlers.users_with)),
    _list("/permission_sets", "permission_sets"),
    _search("/permission_sets/search", "permission_sets", _SET_FILTERS),
    _one("/permission_sets/{permission_set_id}", named("permission_sets")),
    _list("/model_sets", "model_sets"),
    _search("/model_sets/search", "model_sets", _SET_FILTERS),
    _one("/model_sets/{model_set_id}", named("model_sets")),
    _list("/permissions", "permissions"),
    _list("/user_attributes", "user_attributes", sorts=True),
    _list(
        "/user_attributes/{user_attribute_id}/group_values",
        kept("user_attributes", "user_attribute_group_values"),
    ),
    _search("/credentials_email/search", "credentials_email", "id email"),
    _list("/user_login_lockouts", "user_login_lockouts"),
    _search(
        "/user_login_lockouts/search", "user_login_lockouts", "auth_type full_name email remote_id"
    ),
    # LookML
    _list("/lookml_models", row_handlers.lookml_models, paged=True),
    _one("/lookml_models/{lookml_model_name}", named("lookml_models", "name")),
    _one("/lookml_models/{lookml_model_name}/explores/{explore_name}", row_handlers.explore),
    _one("/derived_table/graph/model/{model}", row_handlers.derived_tables),
    _list("/datagroups", "datagroups"),
    _list("/projects", "projects"),
    _list("/projects/{project_id}/files", kept("projects", "project_files")),
    _one("/projects/{project_id}/manifest", kept("projects", "project_manifests")),
    _one("/projects/{project_id}/validate", of("projects", row_handlers.validation)),
    _list("/projects/{project_id}/git_branches", kept("projects", "git_branches")),
    _list("/projects/{project_id}/lookml_tests", kept("projects", "lookml_tests")),
    _list("/projects/{root_project_id}/credentials", kept("projects", "repository_credentials")),
    _list(
        "/projects/{project_id}/continuous_integration/suites",
        kept("projects", "ci_suites"),
        paged=True,
        largest_page=100,
    ),
    _search(
        "/projects/{project_id}/continuous_integration/runs/search",
        kept("projects", "ci_runs"),
        "suite_id status user_id trigger_type",
        largest_page=100,
    ),
    # Platform
    Route("GET", "/versions", Rows(every("versions"), one=True), cached=True, public=True),
    _one("/session", "session"),
    _list("/workspaces", "workspaces"),
    _list("/connections", "connections"),
    _one(
        "/connections/{connection_name}/features",
        of("connections", lambda _, row: [connections.connection_features(row)], "name"),
    ),
    _list(
        "/connections/{connection_name}/databases",
        of("connections", lambda _, row: connections.connection_databases(row), "name"),
    ),
    _list(
        "/connections/{connection_name}/schemas",
        of("connections", lambda _, row: connections.connection_schemas(row), "name"),
    ),
    _list(
        "/connections/{connection_name}/tables",
        of(
            "connections",
            lambda request, row: connections.connection_tables(
                row, request.query.get("schema_name")
            ),
            "name",
        ),
    ),
    _list(
        "/connections/{connection_name}/columns",
        of(
            "connections",
            lambda request, row: connections.connection_columns(
                row, request.query.get("schema_name")
            ),
            "name",
        ),
    ),
    _list("/user_db_connections", "user_db_connections"),
    _list("/dialect_info", "dialect_info"),
    _list("/integration_hubs", "integration_hubs"),
    _list("/integrations", "integrations"),
    _list("/oauth_client_apps", "oauth_client_apps"),
    _list("/external_oauth_applications", "external_oauth_applications"),
    _list("/ssh_servers", "ssh_servers"),
    _list("/ssh_tunnels", "ssh_tunnels"),
    _list("/running_queries", "running_queries"),
    _one("/setting", "setting"),
    _one("/session_config", "session_config"),
    _one("/password_config", "password_config"),
    _one("/saml_config", "saml_config"),
    _one("/oidc_config", "oidc_config"),
    _one("/ldap_config", "ldap_config"),
    _one("/workforce_config", "workforce_config"),
    _list("/support_access/allowlist", "support_access_allowlist"),
    _one("/support_access/status", "support_access_status"),
    _one("/smtp_status", "smtp_status"),
    _one("/digest_emails_enabled", "digest_emails"),
    _one("/custom_welcome_email", "custom_welcome_email"),
    _one("/whitelabel_configuration", "whitelabel_configuration"),
    _one("/internal_help_resources_enabled", "internal_help_resources"),
    _one("/internal_help_resources_content", "internal_help_resources_content"),
    _one("/mobile/settings", "mobile_settings"),
    _one("/cloud_storage", "cloud_storage"),
    _one("/public_egress_ip_addresses", "public_egress_ip_addresses"),
    _list("/legacy_features", "legacy_features"),
    _list("/locales", "locales"),
    _list("/timezones", "timezones"),
    # Preview
    _search(
        "/agents/search",
        "agents",
        "id name description created_by_user_id category deleted",
        trash="agents",
    ),
    _one("/agents/lookml/{agent_id}", kept("agents", "agent_lookml")),
    _search(
        "/conversations/search",
        "conversations",
        "id name agent_id category deleted",
        trash="conversations",
    ),
    _list("/conversations/{conversation_id}/messages", inside("conversations", "messages")),
    _list(
        "/conversations/{conversation_id}/messages/{user_message_id}/responses",
        row_handlers.responses,
    ),
    _one("/artifact/usage", "artifact_usage"),
    _list("/artifact/namespaces", "artifact_namespaces", paged=True),
    _list("/artifact/{namespace}/search", row_handlers.artifacts, "key", paged=True),
    # Queries that run
    _query("POST", "/queries", query_handlers.create_query),
    _query("POST", "/queries/run/{result_format}", query_handlers.run_inline),
    _query("GET", "/queries/{query_id}/run/{result_format}", query_handlers.run_saved),
    _query("GET", "/looks/{look_id}/run/{result_format}", query_handlers.run_look),
    _query("POST", "/query_tasks", query_handlers.create_task),
    _query("GET", "/query_tasks/{query_task_id}", query_handlers.get_task),
    _query("GET", "/query_tasks/{query_task_id}/results", query_handlers.get_task_results),
    _query("DELETE", "/running_queries/{query_task_id}", query_handlers.cancel_task),
)
