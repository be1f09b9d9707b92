"""An instance: what is made at the start, and what is made when it is first read."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import cached_property

from looker_emulator.instance.access.roles import (
    groups,
    model_sets,
    permission_sets,
    permissions,
    roles,
)
from looker_emulator.instance.access.sessions import (
    credentials_email,
    user_login_lockouts,
    user_sessions,
)
from looker_emulator.instance.access.user_attributes import (
    user_attribute_group_values,
    user_attributes,
)
from looker_emulator.instance.access.users import user
from looker_emulator.instance.collections import Collections
from looker_emulator.instance.content.alerts import alert_notifications, alerts
from looker_emulator.instance.content.boards import (
    board_items,
    board_sections,
    boards,
    primary_homepage_sections,
)
from looker_emulator.instance.content.content_metadata import (
    content_metadata,
    content_metadata_accesses,
)
from looker_emulator.instance.content.dashboards import dashboard, lookml_dashboard
from looker_emulator.instance.content.favorites import content_favorites, content_views
from looker_emulator.instance.content.folders import ROOTS, filled, folders
from looker_emulator.instance.content.looks import look
from looker_emulator.instance.content.queries import Queries
from looker_emulator.instance.content.scheduled_plans import scheduled_plans
from looker_emulator.instance.content.summary import content_summary
from looker_emulator.instance.content.themes import (
    active_color_collections,
    color_collections,
    themes,
)
from looker_emulator.instance.content.tiles import Tiles
from looker_emulator.instance.content.validation import content_validation
from looker_emulator.instance.lookml.continuous_integration import ci_runs, ci_suites
from looker_emulator.instance.lookml.models import datagroups, models
from looker_emulator.instance.lookml.projects import (
    git_branches,
    lookml_tests,
    project_files,
    project_manifests,
    project_validations,
    projects,
    repository_credentials,
)
from looker_emulator.instance.platform.administration import (
    cloud_storage,
    custom_welcome_email,
    digest_emails,
    internal_help_resources,
    internal_help_resources_content,
    mobile_settings,
    public_egress_ip_addresses,
    smtp_status,
    support_access_status,
    whitelabel_configuration,
)
from looker_emulator.instance.platform.authentication import (
    ldap_config,
    oidc_config,
    password_config,
    saml_config,
    session_config,
    workforce_config,
)
from looker_emulator.instance.platform.connections import (
    connections,
    ssh_servers,
    ssh_tunnels,
    user_db_connections,
)
from looker_emulator.instance.platform.dialects import dialect_info
from looker_emulator.instance.platform.integrations import (
    external_oauth_applications,
    integration_hubs,
    integrations,
    oauth_client_apps,
)
from looker_emulator.instance.platform.running_queries import running_queries
from looker_emulator.instance.platform.settings import (
    legacy_features,
    locales,
    session,
    setting,
    support_access_allowlist,
    timezones,
    versions,
    workspaces,
)
from looker_emulator.instance.preview import (
    agent_lookml,
    agents,
    artifact_namespaces,
    artifact_usage,
    artifacts,
    conversations,
)
from looker_emulator.instance.values import Row, pick


@dataclass(frozen=True)
class Size:
    """How many of each object an instance holds; there are about six tiles per dashboard."""

    users: int
    groups: int
    roles: int
    folders: int
    looks: int
    dashboards: int
    lookml_dashboards: int
    models: int
    explores: int

    def times(self, factor: float) -> Size:
        """The same instance, larger or smaller."""
        return Size(*(max(round(count * factor), 3) for count in astuple(self)))


SIZES = {
    "small": Size(25, 8, 5, 12, 25, 20, 4, 3, 12),
    "medium": Size(200, 20, 9, 40, 200, 300, 12, 6, 100),
    "large": Size(2000, 60, 15, 200, 2000, 3000, 60, 25, 1000),
}


class Instance(Collections):
    """A whole instance. Its content is derived from numbers and so is the same in every process.

    Rows share rows: the query of a tile is the same dict as in `queries`.
    """

    def __init__(self, scale: str | float = "small") -> None:
        size = SIZES[scale] if isinstance(scale, str) else SIZES["small"].times(scale)
        self.lookml_models = models(size.models, size.explores)
        self._add_people(size)
        self._add_content(size)

    def _add_people(self, size: Size) -> None:
        self.permission_sets = permission_sets()
        self.model_sets = model_sets([model["name"] for model in self.lookml_models])
        self.roles = roles(self, size.roles)
        self.groups = groups(self, size.groups)
        self.users = [user(number, self) for number in range(size.users)]
        for group in self.groups:
            group["user_count"] = sum(group["id"] in member["group_ids"] for member in self.users)

    def _add_content(self, size: Size) -> None:
        made = Queries(self)
        self.queries = made.rows
        bases = folders(self, size.folders)
        homes = [base for base in bases if base["parent_id"] != "2" and base["id"] not in ROOTS]
        homes += [base for base in bases if base["is_personal"]][: max(len(homes) // 3, 2)]
        self.looks = [look(number, self.users, homes, made) for number in range(size.looks)]
        self.merge_queries: list[Row] = []
        self.removed_elements: set[str] = set()
        elements = Tiles(self, made)
        self.dashboards = [
            self._dashboard(number, homes, elements) for number in range(size.dashboards)
        ]
        self.dashboard_elements = elements.rows
        lookml_folder = next(base for base in bases if base["id"] == "lookml")
        self.lookml_dashboards = [
            lookml_dashboard(number, self, lookml_folder, made)
            for number in range(size.lookml_dashboards)
        ]
        self.folders = filled(self, bases)

    def _dashboard(self, number: int, homes: list[Row], elements: Tiles) -> Row:
        identifier = str(number + 1 + number // 6)
        # One dashboard has just been created and is still empty.
        made = elements.make(identifier, 0 if number == 7 else 2 + number * 5 % 9)
        return dashboard(identifier, number, self.users, pick(homes, number * 5), made)

    # Content
    scheduled_plans = cached_property(scheduled_plans)
    alerts = cached_property(alerts)
    alert_notifications = cached_property(alert_notifications)
    boards = cached_property(boards)
    board_sections = cached_property(board_sections)
    board_items = cached_property(board_items)
    primary_homepage_sections = cached_property(primary_homepage_sections)
    content_metadata = cached_property(content_metadata)
    content_metadata_accesses = cached_property(content_metadata_accesses)
    content_favorites = cached_property(content_favorites)
    content_views = cached_property(content_views)
    content_summary = cached_property(content_summary)
    content_validation = cached_property(content_validation)
    themes = cached_property(themes)
    color_collections = cached_property(color_collections)
    active_color_collections = cached_property(active_color_collections)
    # Access
    permissions = cached_property(permissions)
    user_attributes = cached_property(user_attributes)
    user_attribute_group_values = cached_property(user_attribute_group_values)
    user_sessions = cached_property(user_sessions)
    credentials_email = cached_property(credentials_email)
    user_login_lockouts = cached_property(user_login_lockouts)
    # LookML
    datagroups = cached_property(datagroups)
    projects = cached_property(projects)
    project_files = cached_property(project_files)
    project_manifests = cached_property(project_manifests)
    repository_credentials = cached_property(repository_credentials)
    project_validations = cached_property(project_validations)
    git_branches = cached_property(git_branches)
    lookml_tests = cached_property(lookml_tests)
    ci_suites = cached_property(ci_suites)
    ci_runs = cached_property(ci_runs)
    # Platform
    versions = cached_property(versions)
    session = cached_property(session)
    workspaces = cached_property(workspaces)
    connections = cached_property(connections)
    user_db_connections = cached_property(user_db_connections)
    dialect_info = cached_property(dialect_info)
    ssh_servers = cached_property(ssh_servers)
    ssh_tunnels = cached_property(ssh_tunnels)
    running_queries = cached_property(running_queries)
    integration_hubs = cached_property(integration_hubs)
    integrations = cached_property(integrations)
    oauth_client_apps = cached_property(oauth_client_apps)
    external_oauth_applications = cached_property(external_oauth_applications)
    setting = cached_property(setting)
    session_config = cached_property(session_config)
    password_config = cached_property(password_config)
    saml_config = cached_property(saml_config)
    oidc_config = cached_property(oidc_config)
    ldap_config = cached_property(ldap_config)
    workforce_config = cached_property(workforce_config)
    support_access_status = cached_property(support_access_status)
    smtp_status = cached_property(smtp_status)
    digest_emails = cached_property(digest_emails)
    custom_welcome_email = cached_property(custom_welcome_email)
    whitelabel_configuration = cached_property(whitelabel_configuration)
    internal_help_resources = cached_property(internal_help_resources)
    internal_help_resources_content = cached_property(internal_help_resources_content)
    mobile_settings = cached_property(mobile_settings)
    cloud_storage = cached_property(cloud_storage)
    public_egress_ip_addresses = cached_property(public_egress_ip_addresses)
    support_access_allowlist = cached_property(support_access_allowlist)
    legacy_features = cached_property(legacy_features)
    locales = cached_property(locales)
    timezones = cached_property(timezones)
    # Preview
    agents = cached_property(agents)
    agent_lookml = cached_property(agent_lookml)
    conversations = cached_property(conversations)
    artifacts = cached_property(artifacts)
    artifact_namespaces = cached_property(artifact_namespaces)
    artifact_usage = cached_property(artifact_usage)
