"""The long tail: collections that are made when somebody reads them for the first time."""

from __future__ import annotations

from functools import cached_property

from looker_emulator import access, curation, delivery, development, machinery


class LongTail:
    """One list of rows for each kind of thing, as the other collections of `Instance` are.

    What belongs to a row of another collection is a dictionary from the id of that row to a list.
    """

    # Content
    boards = cached_property(curation.boards)
    board_sections = cached_property(curation.board_sections)
    board_items = cached_property(curation.board_items)
    primary_homepage_sections = cached_property(curation.primary_homepage_sections)
    content_metadata = cached_property(curation.content_metadata)
    content_metadata_accesses = cached_property(curation.content_metadata_accesses)
    content_favorites = cached_property(curation.content_favorites)
    content_views = cached_property(curation.content_views)
    content_validation = cached_property(curation.content_validation)
    themes = cached_property(curation.themes)
    color_collections = cached_property(curation.color_collections)
    agents = cached_property(curation.agents)
    conversations = cached_property(curation.conversations)
    artifacts = cached_property(curation.artifacts)
    artifact_namespaces = cached_property(curation.artifact_namespaces)
    # Delivery
    alerts = cached_property(delivery.alerts)
    alert_notifications = cached_property(delivery.alert_notifications)
    scheduled_plans = cached_property(delivery.scheduled_plans)
    integration_hubs = cached_property(delivery.integration_hubs)
    integrations = cached_property(delivery.integrations)
    # Access
    permissions = cached_property(access.permissions)
    user_attributes = cached_property(access.user_attributes)
    user_attribute_group_values = cached_property(access.user_attribute_group_values)
    user_sessions = cached_property(access.user_sessions)
    credentials_email = cached_property(access.credentials_email)
    user_login_lockouts = cached_property(access.user_login_lockouts)
    # LookML
    datagroups = cached_property(development.datagroups)
    projects = cached_property(development.projects)
    project_files = cached_property(development.project_files)
    project_manifests = cached_property(development.project_manifests)
    project_validations = cached_property(development.project_validations)
    git_branches = cached_property(development.git_branches)
    lookml_tests = cached_property(development.lookml_tests)
    # Platform
    connections = cached_property(machinery.connections)
    dialect_info = cached_property(machinery.dialect_info)
    ssh_servers = cached_property(machinery.ssh_servers)
    ssh_tunnels = cached_property(machinery.ssh_tunnels)
    running_queries = cached_property(machinery.running_queries)
    oauth_client_apps = cached_property(machinery.oauth_client_apps)
    external_oauth_applications = cached_property(machinery.external_oauth_applications)
    workspaces = cached_property(machinery.workspaces)
    setting = cached_property(machinery.setting)
    session_config = cached_property(machinery.session_config)
    password_config = cached_property(machinery.password_config)
    saml_config = cached_property(machinery.saml_config)
    oidc_config = cached_property(machinery.oidc_config)
    ldap_config = cached_property(machinery.ldap_config)
    support_access_allowlist = cached_property(machinery.support_access_allowlist)
    legacy_features = cached_property(machinery.legacy_features)
    locales = cached_property(machinery.locales)
    timezones = cached_property(machinery.timezones)
