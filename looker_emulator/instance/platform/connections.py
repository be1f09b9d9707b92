# ruff: noqa: SIM905 - a list of words reads best as words
"""Database connections with their schemas, tables and columns, and SSH tunnels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.lookml.models import SUBJECTS
from looker_emulator.instance.values import Row, can, moment, pick

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

# ------------------------------------------------------------------------------------- connections

DIALECTS = {"postgres": "PostgreSQL 9.5+", "bigquery_standard_sql": "Google BigQuery Standard SQL"}


def connections(instance: Collections) -> list[Row]:
    """Connections. Looker's own cache lacks some properties of the others."""
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
            "label": DIALECTS[dialect],
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
        # A number, although the API document says otherwise.
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
    """The features of a connection's dialect."""
    multiple = connection["dialect"]["supports_multiple_databases"]
    return {
        "dialect_name": connection["dialect_name"],
        "multiple_databases": multiple,
        **{name: bool(position % 4) for position, name in enumerate(_FEATURES)},
        "connection_pooling": not multiple,
    }


def connection_databases(connection: Row) -> list[str]:
    """The databases as plain strings; none where the dialect supports only one."""
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
    """The tables of a schema, by default of the default one, nested in the schema."""
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
    """The columns of a schema, by default of the default one, nested in their tables."""
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


def user_db_connections(instance: Collections) -> list[Row]:
    """Connections that users have made for themselves. Of some ids, answers have numbers."""
    return [
        {
            "can": can(number, "update", "destroy"),
            "id": str(number + 1),
            "name": f"user_{user['id']}_sheets",
            "label": pick(("Blätter", None), number),
            "user_id": int(user["id"]),
            "dialect": "bigquery_standard_sql",
            "auth_type": pick(("oauth", "service_account"), number),
            "host": None,
            "port": None,
            "database": "greenhouse-sandbox",
            "schema": "blätter",
            "jdbc_additional_params": None,
            "oauth_application_id": None if number % 2 else 3,
            "enabled": number != 2,
            "created_at": moment(430 + number),
            "updated_at": moment(440 + number),
        }
        for number, user in enumerate(instance.users[1:8:3])
    ]


def ssh_servers(_: Collections) -> list[Row]:
    """SSH servers."""
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


def ssh_tunnels(instance: Collections) -> list[Row]:
    """SSH tunnels to databases."""
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
