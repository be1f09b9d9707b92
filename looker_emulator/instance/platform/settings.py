# ruff: noqa: SIM905 - a list of words reads best as words
"""Settings of the instance, versions, workspaces, locales and time zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.values import HOST, Row, moment, pick

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections


def versions(_: Collections) -> list[Row]:
    """The release of Looker and the versions of its API."""
    return [
        {
            "looker_release_version": "26.22.9",
            "current_version": {
                "version": "4.0",
                "full_version": "4.0.26.22",
                "status": "current",
                "swagger_url": f"{HOST}/api/4.0/swagger.json",
            },
            "supported_versions": [
                {
                    "version": "4.0",
                    "full_version": "4.0.26.22",
                    "status": "current",
                    "swagger_url": f"{HOST}/api/4.0/swagger.json",
                }
            ],
            "api_server_url": HOST,
            "web_server_url": "https://greenhouse.looker.example",
        }
    ]


def session(_: Collections) -> list[Row]:
    """The session of the API key."""
    return [
        {
            "can": {"view": True, "update": True},
            "workspace_id": "production",
            "sudo_user_id": None,
        }
    ]


def workspaces(instance: Collections) -> list[Row]:
    """The two workspaces of every user."""
    return [
        {"can": {"show": True}, "id": "production", "projects": instance.projects},
        {"can": {"show": True}, "id": "dev", "projects": None},
    ]


# ----------------------------------------------------------------------------------- configuration

_MCP_TOOLS = (
    "add_dashboard_element add_dashboard_filter create_project_file delete_project_file dev_mode "
    "generate_embed_url get_connection_databases get_connection_schemas "
    "get_connection_table_columns get_connection_tables get_connections get_dashboards "
    "get_dimensions get_explores get_filters get_looks get_measures get_models get_parameters "
    "get_project_file get_project_files get_projects health_analyze health_pulse health_vacuum "
    "make_dashboard make_look query query_sql query_url run_dashboard run_look "
    "update_project_file validate_project get_project_directories create_project_directory "
    "delete_project_directory get_lookml_tests run_lookml_tests create_view_from_table"
).split()


def setting(_: Collections) -> list[Row]:
    """The settings of the instance."""
    return [
        {
            "instance_config": {
                "feature_flags": {"local_time": True, "performant_field_picker": False},
                "license_features": {"embed": False, "alerting": True},
            },
            "extension_framework_enabled": True,
            "extension_load_url_enabled": False,
            "marketplace_auto_install_enabled": False,
            "marketplace_automation": {
                "install_enabled": True,
                "update_looker_enabled": True,
                "update_third_party_enabled": False,
            },
            "marketplace_enabled": True,
            "marketplace_site": "us",
            "marketplace_terms_accepted": True,
            "privatelabel_configuration": {
                "logo_url": None,
                "favicon_url": None,
                "default_title": "Gewächshaus",
                "show_help_menu": True,
                "show_docs": True,
                "show_email_sub_options": True,
                "allow_looker_mentions": True,
                "allow_looker_links": True,
                "custom_welcome_email_advanced": False,
                "setup_mentions": True,
                "alerts_logo": True,
                "alerts_links": True,
                "folders_mentions": True,
            },
            "custom_welcome_email": {
                "enabled": False,
                "content": None,
                "subject": "Willkommen",
                "header": None,
            },
            "onboarding_enabled": False,
            "timezone": "Europe/Zurich",
            "allow_user_timezones": True,
            "data_connector_default_enabled": True,
            "host_url": "https://greenhouse.looker.example",
            "email_domain_allowlist": ["greenhouse.example"],
            "embed_cookieless_v2": False,
            "embed_enabled": False,
            "embed_config": {
                "domain_allowlist": [],
                "alert_url_allowlist": [],
                "alert_url_param_owner": None,
                "alert_url_label": None,
                "sso_auth_enabled": False,
                "embed_cookieless_v2": False,
                "embed_content_navigation": False,
                "embed_content_management": False,
                "strict_sameorigin_for_login": True,
                "look_filters": False,
                "hide_look_navigation": False,
                "permissions": {"see_user_dashboards": True},
                "embed_enabled": False,
            },
            "login_notification_enabled": True,
            "login_notification_text": "Nur für Mitarbeitende",
            "dashboard_auto_refresh_restriction": True,
            "dashboard_auto_refresh_minimum_interval": "15 minutes",
            "managed_certificate_uri": [],
            "content_certification_documentation_link": None,
            "revoke_certification_on_edits": False,
            "automated_mfa_enabled": False,
            "is_content_certification_enabled": True,
            "auto_certify_lookml_content": False,
            "ca_agent_observability": False,
            "embed_vis_modernization_default": False,
            "mcp_tools": {
                "enable_all": False,
                **{
                    name: {
                        "enabled": number % 2 == 0,
                        "description": None if number else "Put a tile on a dashboard",
                        "category": name.partition("_")[0],
                        "access_level": "read" if name.startswith("get") else "write",
                    }
                    for number, name in enumerate(_MCP_TOOLS)
                },
            },
        }
    ]


def support_access_allowlist(_: Collections) -> list[Row]:
    """Members of Looker's support who have access."""
    return [
        {
            "id": str(number + 1),
            "email": f"helper{number}@looker.example",
            "full_name": pick(("Hélène Support", None), number),
            "reason": "Ticket 4711",
            "created_date": moment(460 + number),
        }
        for number in range(2)
    ]


def legacy_features(_: Collections) -> list[Row]:
    """Behavior of old releases that can be re-enabled temporarily."""
    return [
        {
            "can": {"update": True},
            "id": name,
            "name": name.replace("_", " ").title(),
            "description": None if number else "Blends as they were before 23.4",
            "enabled_locally": number == 1,
            "enabled": number == 1,
            "disallowed_as_of_version": "27.2" if number else None,
            "disable_on_upgrade_to_version": None,
            "end_of_life_version": "27.8",
            "documentation_url": None,
            "approximate_disable_date": moment(1300) if number else None,
            "approximate_end_of_life_date": moment(1700),
            "has_disabled_on_upgrade": False,
        }
        for number, name in enumerate(("legacy_blends", "old_link_html", "count_as_zero"))
    ]


def locales(_: Collections) -> list[Row]:
    """The languages that Looker supports."""
    return [
        {"code": code, "native_name": native, "english_name": english}
        for code, native, english in (
            ("en", "English", "English"),
            ("de_DE", "Deutsch", "German"),
            ("fr_FR", "Français", "French"),
            ("ja_JP", "日本語", "Japanese"),
            ("pt_BR", "Português (Brasil)", "Portuguese (Brazil)"),
            ("xx", None, None),
        )
    ]


def timezones(_: Collections) -> list[Row]:
    """The time zones that queries can use."""
    return [
        {"value": value, "label": label, "group": group}
        for value, label, group in (
            ("UTC", "UTC", "UTC"),
            ("Europe/Zurich", "(GMT+01:00) Europe - Zurich", "Europe"),
            ("America/Sao_Paulo", "(GMT-03:00) America - Sao Paulo", "America"),
            ("Asia/Tokyo", "(GMT+09:00) Asia - Tokyo", "Asia"),
            ("Asia/Kathmandu", "(GMT+05:45) Asia - Kathmandu", None),
        )
    ]
