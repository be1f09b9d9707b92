# ruff: noqa: SIM905 - a list of words reads best as words
"""What an instance runs on: connections and their tables, configuration, what is running now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from looker_emulator.delivery import public
from looker_emulator.lookml import SUBJECTS
from looker_emulator.values import HOST, Row, can, moment, pick, slug

if TYPE_CHECKING:
    from looker_emulator.instance import Instance

# ------------------------------------------------------------------------------------- connections

_DIALECTS = {"postgres": "PostgreSQL 9.5+", "bigquery_standard_sql": "Google BigQuery Standard SQL"}


def connections(instance: Instance) -> list[Row]:
    """Connections; the cache of Looker itself has less to say than the others."""
    admin = instance.me[0]["id"]
    return [
        _connection(0, "warehouse", "postgres", admin),
        _connection(1, "lake", "bigquery_standard_sql", admin),
        _connection(2, "looker_cache", "postgres", ""),
    ]


def _connection(number: int, name: str, dialect: str, user: str) -> Row:
    lake, internal = number == 1, number == 2
    return {
        "can": can(number, "update", "test", "cost_estimate", "run_sql_queries", "explore"),
        "name": name,
        "dialect": {
            "name": dialect,
            "label": _DIALECTS[dialect],
            "supports_cost_estimate": True,
            "cost_estimate_style": "configurable",
            "persistent_table_indexes": "explicit",
            "persistent_table_sortkeys": "",
            "persistent_table_distkey": "",
            "supports_streaming": True,
            "automatically_run_sql_runner_snippets": True,
            "connection_tests": ["connect", "kill", "query", "tmp_db"],
            "supports_inducer": False,
            "supports_multiple_databases": lake,
            "supports_persistent_derived_tables": True,
            "has_ssl_support": True,
        },
        "snippets": [{"name": "processes", "label": "Processes", "sql": "SELECT 1"}],
        "pdts_enabled": not internal,
        "named_driver_version_requested": None,
        "named_driver_version_actual": None,
        "host": None if internal else f"{name}.greenhouse.example",
        "port": "443" if lake else "5432",
        "username": None if lake else "looker",
        "has_password": not lake,
        "uses_oauth": False,
        "uses_key_pair_auth": False,
        "uses_instance_oauth": False,
        "uses_service_auth": lake,
        "database": "greenhouse",
        "db_timezone": None if number else "UTC",
        "query_timezone": None if number else "Europe/Zurich",
        "schema": None if lake else "public",
        "max_connections": 5 + number * 5,
        "max_queries": None,
        "max_queries_per_user": None,
        # A number, whatever the document says.
        "max_billing_gigabytes": 250 if lake else None,
        "ssl": True,
        "verify_ssl": False,
        "tmp_db_name": None if internal else "looker_scratch",
        "tmp_db_host": None,
        "jdbc_additional_params": "",
        "pool_timeout": 120,
        "dialect_name": dialect,
        "supports_data_studio_link": lake,
        "created_at": "" if internal else moment(number),
        "user_id": user,
        "example": False,
        "user_db_credentials": False,
        "user_attribute_fields": ["schema"] if number == 0 else [],
        "maintenance_cron": None if internal else "*/5 * * * *",
        "last_regen_at": "" if internal else str(1_717_000_000 + number),
        "last_reap_at": "" if internal else str(1_717_000_060 + number),
        "sql_runner_precache_tables": True,
        "sql_writing_with_info_schema": False,
        "after_connect_statements": "",
        "pdt_context_override": {**_OVERRIDE, "host": f"{name}-build.greenhouse.example"}
        if number == 0
        else None,
        "managed": internal,
        "custom_local_port": None,
        "tunnel_id": "looker-tunnel-1" if number == 0 else "",
        "uses_tns": None,
        "pdt_concurrency": 1,
        "disable_context_comment": False,
        "oauth_application_id": "1" if lake else None,
        "always_retry_failed_builds": None,
        "uses_application_default_credentials": False,
        "impersonated_service_account": None,
        "cost_estimate_enabled": lake,
        "pdt_api_control_enabled": number == 0,
        "connection_pooling": False,
        "default_bq_connection": lake,
        "bq_storage_project_id": "greenhouse-example" if lake else None,
        "bq_roles_verified": lake or None,
        "p4sa_name": None,
        "query_holding_disabled": False,
        "service_name": None,
    }


_OVERRIDE: Row = {
    "context": "pdt",
    "has_password": True,
    **dict.fromkeys(
        (
            "pdt_host port pdt_port username pdt_username database pdt_database schema pdt_schema "
            "jdbc_additional_params pdt_jdbc_additional_params after_connect_statements "
            "pdt_after_connect_statements pdt_service_name"
        ).split()
    ),
}

_FEATURES = (
    "cost_estimate column_search persistent_table_indexes persistent_derived_tables turtles "
    "percentile distinct_percentile stable_views milliseconds microseconds subtotals location "
    "timezone"
).split()


def connection_features(connection: Row) -> Row:
    """What the dialect of a connection can do."""
    multiple = connection["dialect"]["supports_multiple_databases"]
    return {
        "dialect_name": connection["dialect_name"],
        "multiple_databases": multiple,
        **{name: bool(position % 4) for position, name in enumerate(_FEATURES)},
        "connection_pooling": not multiple,
    }


def connection_databases(connection: Row) -> list[str]:
    """The databases, which are plain words; none where the dialect knows only one at a time."""
    if not connection["dialect"]["supports_multiple_databases"]:
        return []
    return ["greenhouse-example", "public-weather"]


def connection_schemas(connection: Row) -> list[Row]:
    """The schemas of a connection."""
    names = ("public", "looker_scratch", "größen") if connection["name"] != "lake" else ("raw",)
    return [{"name": name, "is_default": name in ("public", "raw")} for name in names]


_COLUMNS = (
    ("id", "bigint", "number"),
    ("created", "timestamp with time zone", "date_time"),
    ("status", "character varying", "string"),
    ("amount", "numeric", "number"),
    ("is_express", "boolean", "yesno"),
    ("store_id", "bigint", "number"),
)


def connection_tables(connection: Row, schema: str | None) -> list[Row]:
    """The tables of one schema, or of the default one, below an object for the schema."""
    return [
        {
            "name": each["name"],
            "is_default": each["is_default"],
            "tables": [
                {
                    "name": table,
                    "sql_escaped_name": table,
                    "schema_name": each["name"],
                    "rows": None if number % 3 == 2 else number * 1_000_003,
                    "external": None,
                    "snippets": [_snippet(f"{each['name']}.{table}")],
                }
                for number, table in enumerate(_tables(each["name"]))
            ],
            "table_limit_hit": False,
        }
        for each in _named(connection, schema)
    ]


def connection_columns(connection: Row, schema: str | None) -> list[Row]:
    """The columns of one schema, or of the default one, below an object for each table."""
    return [
        {
            "name": table,
            "sql_escaped_name": table,
            "schema_name": each["name"],
            "columns": [
                {
                    "name": name,
                    "sql_escaped_name": name,
                    "schema_name": each["name"],
                    "data_type_database": kind,
                    "data_type": kind.partition(" ")[0],
                    "data_type_looker": looker,
                    "description": "Netto, in Rappen" if name == "amount" else None,
                    "column_size": 255 if looker == "string" else None,
                    "snippets": [_snippet(f"{each['name']}.{table}")],
                }
                for name, kind, looker in _COLUMNS
            ],
        }
        for each in _named(connection, schema)
        for table in _tables(each["name"])
    ]


def _named(connection: Row, schema: str | None) -> list[Row]:
    return [
        each
        for each in connection_schemas(connection)
        if (each["name"] == schema if schema else each["is_default"])
    ]


def _tables(schema: str) -> list[str]:
    if schema == "looker_scratch":
        return []
    return SUBJECTS if schema in ("public", "raw") else ["töpfe", "stores"]


def _snippet(table: str) -> Row:
    return {"name": "show_ten", "label": "Show ten rows", "sql": f"TABLE {table} LIMIT 10"}


_OPTIONS = (
    "additional_params after_connect_statements analytical_view_dataset auth cost_estimate "
    "disabled disable_context_comment host instance_name key_pair_authentication "
    "max_billing_gigabytes oauth_credentials pdts_for_oauth port project_name schema "
    "service_account_credentials ssl timezone tmp_table tns username username_required "
    "supports_connection_pooling"
).split()


def dialect_info(_: Instance) -> list[Row]:
    """The dialects that this release knows."""
    return [
        {
            "can": {"show": True},
            "default_max_connections": "30",
            "default_port": port,
            "default_max_queries": None,
            "default_max_queries_per_user": None,
            "installed": name != "oracle",
            "label": label,
            "label_for_database_equivalent": "Project" if port is None else "Database",
            "label_for_schema_equivalent": "Dataset" if port is None else "Schema",
            "name": name,
            "supported_driver_name": None if number else "org.postgresql.Driver",
            "supported_driver_versions": [
                {"name": "postgres_42_7", "display_name": "PostgreSQL 42.7"}
            ]
            if number == 0
            else [],
            "supported_options": {
                option: (number + position) % 3 > 0 for position, option in enumerate(_OPTIONS)
            },
        }
        for number, (name, label, port) in enumerate(
            (
                *((name, label, pick(("5432", None), n)) for n, (name, label) in _NUMBERED),
                ("oracle", "Oracle", "1521"),
            )
        )
    ]


_NUMBERED = tuple(enumerate(_DIALECTS.items()))


def ssh_servers(_: Instance) -> list[Row]:
    """The servers that tunnels end at."""
    return [
        {
            "ssh_server_id": "looker-ssh-1",
            "ssh_server_name": "Bastion",
            "ssh_server_host": "bastion.greenhouse.example",
            "ssh_server_port": 22,
            "ssh_server_user": "looker",
            "finger_print": "16:27:ac:a5:76:28",
            "sha_finger_print": "SHA256:Zm9vYmFy",
            "public_key": "ssh-ed25519 AAAAC3Nz looker",
            "status": "ok",
        }
    ]


def ssh_tunnels(instance: Instance) -> list[Row]:
    """The tunnels to databases."""
    server = instance.ssh_servers[0]
    shared = {name: server[name] for name in server if name.startswith("ssh_server_")}
    return [
        {
            "tunnel_id": f"looker-tunnel-{number + 1}",
            **shared,
            "last_attempt": moment(505, number * 60),
            "local_host_port": 9900 + number,
            "database_host": host,
            "database_port": 5432,
            "status": "connected" if number == 0 else "Connection refused",
        }
        for number, host in enumerate(("warehouse.greenhouse.example", "old.greenhouse.example"))
    ]


def running_queries(instance: Instance) -> list[Row]:
    """What is running now: of an explore, of a look, and of the SQL Runner."""
    look = instance.looks[0]
    rows = []
    for number in range(3):
        query = look["query"] if number == 1 else instance.queries[number]
        runner = number == 2
        rows.append(
            {
                "can": can(number, "destroy"),
                "id": str(9001 + number),
                "user": public(pick(instance.users, number)),
                "query": None if runner else query,
                "sql_query": None,
                "look": {
                    name: look[name]
                    for name in (
                        "can content_metadata_id id title user_id certification_metadata".split()
                    )
                }
                if number == 1
                else None,
                "created_at": moment(507, number)[:19] + "Z",
                "completed_at": None,
                "query_id": None if runner else query["id"],
                "source": ("explore", "look", "sqlrunner")[number],
                "node_id": "1",
                "slug": slug("running", number),
                "query_task_id": slug("task", number).lower(),
                "cache_key": slug("cache", number).lower(),
                "connection_name": "warehouse",
                "dialect": "postgres",
                "connection_id": "warehouse",
                "message": None,
                "status": "running",
                "runtime": None if number == 0 else 12.75,
                "sql": "SELECT 1",
                "sql_interface_sql": None,
            }
        )
    return rows


# ------------------------------------------------------------------------------------ applications


def oauth_client_apps(instance: Instance) -> list[Row]:
    """Applications that people may log in to Looker from."""
    return [
        {
            "can": can(number, "update", "destroy"),
            "client_guid": guid,
            "redirect_uri": f"https://{guid}.greenhouse.example/callback",
            "display_name": guid.replace(".", " ").title(),
            "description": "" if number else "For the tablets in the stores",
            "enabled": number == 0,
            "group_id": None if number else instance.groups[1]["id"],
            "tokens_invalid_before": moment(100 + number),
            "activated_users": [public(user) for user in instance.users[: 2 - 2 * number]],
        }
        for number, guid in enumerate(("store.tablet", "planner"))
    ]


def external_oauth_applications(_: Instance) -> list[Row]:
    """Applications of data warehouses that Looker logs in to (beta)."""
    return [
        {
            "can": can(1, "update"),
            "id": "1",
            "name": "Lake",
            "client_id": slug("external", 1),
            "tenant_id": None,
            "dialect_name": "bigquery_standard_sql",
            "bi_directional_data_access": None,
            "created_at": moment(90),
        }
    ]


def workspaces(instance: Instance) -> list[Row]:
    """The two workspaces that everybody has."""
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


def setting(_: Instance) -> list[Row]:
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


def session_config(_: Instance) -> list[Row]:
    """How long people stay logged in."""
    return [
        {
            "can": {"show": True, "update": True},
            "allow_persistent_sessions": True,
            "session_minutes": 43_200,
            "unlimited_sessions_per_user": True,
            "use_inactivity_based_logout": False,
            "track_session_location": True,
        }
    ]


def password_config(_: Instance) -> list[Row]:
    """What passwords have to look like."""
    return [
        {
            "can": {"show": True, "update": True},
            "min_length": 12,
            "require_numeric": True,
            "require_upperlower": True,
            "require_special": False,
            "expiration_enabled": False,
            "expiration_duration_days": None,
            "policy_enabled_at": None,
        }
    ]


_HIERARCHY = ("parent_group_ids", "role_ids", "roles")


def _federated(instance: Instance, name: str, **properties: Any) -> Row:
    """What the three ways of logging in elsewhere have in common."""
    return {
        "can": {"show": True, "update": True},
        "alternate_email_login_allowed": True,
        "auth_requires_role": False,
        "default_new_user_groups": [
            {name: group[name] for name in group if name not in _HIERARCHY}
            for group in instance.groups[:1]
        ],
        "default_new_user_roles": instance.roles[-1:],
        "set_roles_from_groups": False,
        "modified_at": moment(300),
        "modified_by": instance.me[0]["display_name"],
        "user_attribute_map_email": "email",
        "user_attribute_map_first_name": "givenName",
        "user_attribute_map_last_name": "sn",
        "allow_normal_group_membership": True,
        "allow_roles_from_normal_groups": True,
        "allow_direct_roles": True,
        "url": f"{HOST}/api/4.0/{name}",
        **properties,
    }


def _mapped(instance: Instance, *, url: str | None) -> Row:
    """Groups and attributes of elsewhere, and what they are here."""
    group = instance.groups[1]
    here: dict[str, list[Row]] = {"groups": [], "user_attributes": []}
    here["groups"].append(
        {
            "id": "1",
            "looker_group_id": group["id"],
            "looker_group_name": group["name"],
            "name": "okta-finance",
            "roles": instance.roles[1:2],
        }
    )
    here["user_attributes"].append(
        {"name": "Region", "required": False, "user_attributes": instance.user_attributes[6:7]}
    )
    if url:
        for rows in here.values():
            rows[0]["url"] = url
    return here


def saml_config(instance: Instance) -> list[Row]:
    """SAML, which is what this instance uses."""
    url = f"{HOST}/api/4.0/saml_config"
    return [
        _federated(
            instance,
            "saml_config",
            enabled=True,
            idp_cert="MIIC8DCCAdigAwIBAgIQ",
            idp_cert_multi={"signing": ["MIIC8DCCAdigAwIBAgIQ"]},
            multi_certs_supported=True,
            idp_url="https://idp.example/sso/saml",
            idp_issuer="https://idp.example/exk1",
            idp_audience=None,
            allowed_clock_drift=None,
            new_user_migration_types="email",
            test_slug=None,
            groups_attribute="groups",
            **_mapped(instance, url=url),
            groups_with_role_ids=[],
            user_attributes_with_ids=[],
            groups_finder_type="grouped_attribute_values",
            groups_member_value=None,
            bypass_login_page=False,
        )
    ]


def oidc_config(instance: Instance) -> list[Row]:
    """OpenID Connect, which is off."""
    return [
        _federated(
            instance,
            "oidc_config",
            enabled=False,
            audience=None,
            authorization_endpoint=None,
            **_mapped(instance, url=None),
            groups_attribute=None,
            groups_with_role_ids=[],
            identifier=None,
            issuer=None,
            new_user_migration_types="",
            scopes=["openid", "email"],
            test_slug=None,
            token_endpoint=None,
            user_attributes_with_ids=[],
            userinfo_endpoint=None,
        )
    ]


def ldap_config(instance: Instance) -> list[Row]:
    """LDAP, which is off and of which little was ever filled in."""
    empty = (
        "auth_username connection_host groups_base_dn groups_finder_type groups_member_attribute "
        "groups_objectclasses groups_user_attribute user_attribute_map_ldap_id user_bind_base_dn "
        "user_custom_filter user_id_attribute_names user_objectclass"
    )
    return [
        _federated(
            instance,
            "ldap_config",
            **dict.fromkeys(empty.split()),
            connection_port="389",
            connection_tls=False,
            connection_tls_no_verify=False,
            enabled=False,
            force_no_page=False,
            groups=[],
            groups_with_role_ids=[],
            has_auth_password=False,
            merge_new_users_by_email=False,
            user_attributes=[],
            user_attributes_with_ids=[],
        )
    ]


def support_access_allowlist(_: Instance) -> list[Row]:
    """The people of Looker's support who may look inside."""
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


def legacy_features(_: Instance) -> list[Row]:
    """Behaviour of old releases that can be kept for a while."""
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


def locales(_: Instance) -> list[Row]:
    """The languages that Looker speaks."""
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


def timezones(_: Instance) -> list[Row]:
    """The zones that a query can be asked in; the database's own has no name."""
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
