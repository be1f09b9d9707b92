"""The collections of an instance, declared for the modules that make their rows.

`Instance` fills them. It imports those modules, so they cannot import it.
"""

from __future__ import annotations

from looker_emulator.instance.values import Row

RowsById = dict[str, list[Row]]
"""Rows by the id of the row in another collection that they belong to."""


class Collections:
    """One list of rows for each kind of object. Rows have all their properties.

    `looks` have their query, `groups` their hierarchy and roles, `folders` what is in them,
    `dashboards` their tiles. LookML dashboards are kept separately, as in Looker's database.
    """

    # Content
    folders: list[Row]
    looks: list[Row]
    dashboards: list[Row]
    dashboard_elements: list[Row]
    lookml_dashboards: list[Row]
    queries: list[Row]
    merge_queries: list[Row]
    #: Ids of tiles that were removed from a dashboard: tiles have no property for this.
    removed_elements: set[str]
    scheduled_plans: list[Row]
    alerts: list[Row]
    alert_notifications: list[Row]
    boards: list[Row]
    board_sections: list[Row]
    board_items: list[Row]
    primary_homepage_sections: list[Row]
    content_metadata: list[Row]
    content_metadata_accesses: list[Row]
    content_favorites: list[Row]
    content_views: list[Row]
    content_summary: list[Row]
    content_validation: list[Row]
    themes: list[Row]
    color_collections: list[Row]
    active_color_collections: list[Row]
    # Access
    users: list[Row]
    groups: list[Row]
    roles: list[Row]
    permission_sets: list[Row]
    model_sets: list[Row]
    permissions: list[Row]
    user_attributes: list[Row]
    user_attribute_group_values: RowsById
    user_sessions: RowsById
    credentials_email: list[Row]
    user_login_lockouts: list[Row]
    # LookML
    lookml_models: list[Row]
    datagroups: list[Row]
    projects: list[Row]
    project_files: RowsById
    project_manifests: RowsById
    repository_credentials: RowsById
    project_validations: RowsById
    git_branches: RowsById
    lookml_tests: RowsById
    ci_suites: RowsById
    ci_runs: RowsById
    # Platform
    versions: list[Row]
    session: list[Row]
    workspaces: list[Row]
    connections: list[Row]
    user_db_connections: list[Row]
    dialect_info: list[Row]
    ssh_servers: list[Row]
    ssh_tunnels: list[Row]
    running_queries: list[Row]
    integration_hubs: list[Row]
    integrations: list[Row]
    oauth_client_apps: list[Row]
    external_oauth_applications: list[Row]
    setting: list[Row]
    session_config: list[Row]
    password_config: list[Row]
    saml_config: list[Row]
    oidc_config: list[Row]
    ldap_config: list[Row]
    workforce_config: list[Row]
    support_access_status: list[Row]
    smtp_status: list[Row]
    digest_emails: list[Row]
    custom_welcome_email: list[Row]
    whitelabel_configuration: list[Row]
    internal_help_resources: list[Row]
    internal_help_resources_content: list[Row]
    mobile_settings: list[Row]
    cloud_storage: list[Row]
    public_egress_ip_addresses: list[Row]
    support_access_allowlist: list[Row]
    legacy_features: list[Row]
    locales: list[Row]
    timezones: list[Row]
    # Preview
    agents: list[Row]
    agent_lookml: RowsById
    conversations: list[Row]
    artifacts: list[Row]
    artifact_namespaces: list[Row]
    artifact_usage: list[Row]

    @property
    def me(self) -> list[Row]:
        """The user the API key belongs to."""
        return self.users[:1]

    @property
    def all_dashboards(self) -> list[Row]:
        """User-defined and LookML dashboards."""
        return self.dashboards + self.lookml_dashboards

    @property
    def dashboard_layouts(self) -> list[Row]:
        """The layouts of user-defined dashboards."""
        return [layout for row in self.dashboards for layout in row["dashboard_layouts"]]

    def trash(self, collection: str) -> set[str]:
        """Ids of the rows that only `deleted=true` shows."""
        if collection != "dashboard_elements":
            return {row["id"] for row in getattr(self, collection) if row.get("deleted")}
        trashed = self.trash("dashboards")
        return self.removed_elements | {
            tile["id"] for tile in self.dashboard_elements if tile["dashboard_id"] in trashed
        }
