"""The tables of System Activity that show the instance's people and content.

Ids are numbers, even where the API uses slugs; the rows are those that the API shows.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from looker_emulator.queries.warehouse import Table, from_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from looker_emulator.instance.collections import Collections
    from looker_emulator.instance.values import Row


def content_tables(instance: Collections, before: Callable[[int], str]) -> dict[str, Table]:
    """The tables of people and content.

    Args:
        instance: Has them.
        before: A time before the recorded year begins.
    """
    number, text, yes = "BIGINT", "VARCHAR", "BOOLEAN"
    content = {
        "n": number,
        "id": number,
        "title": text,
        "description": text,
        "user_id": number,
        "folder_id": number,
        "deleted": yes,
        "deleted_at": "TIMESTAMP",
        "deleter_id": number,
        "created": "TIMESTAMP",
        "link": text,
    }
    queries = {query["slug"]: 5000 + n for n, query in enumerate(instance.queries)}
    return {
        "sa_user": from_rows(
            "sa_user",
            {
                "n": number,
                "id": number,
                "name": text,
                "email": text,
                "home_folder_id": number,
                "is_disabled": yes,
                "created": "TIMESTAMP",
                "timezone": text,
                "dev_branch_name": text,
                "external_id": text,
                **dict.fromkeys(_FACTS, yes),
            },
            lambda: [_user(*row, instance, before) for row in enumerate(instance.users)],
        ),
        "sa_query": from_rows(
            "sa_query",
            {"n": number, "id": number, "limit": number, "total": yes, "created": "TIMESTAMP"}
            | dict.fromkeys(_QUERY_TEXTS, text),
            lambda: [_query(*row, before) for row in enumerate(instance.queries)],
        ),
        "sa_look": from_rows(
            "sa_look",
            content
            | {"query_id": number, "last_updater_id": number, "updated": "TIMESTAMP"}
            | {"public": yes, "is_run_on_load": yes, "public_slug": text},
            lambda: [_look(*row, queries, before) for row in enumerate(instance.looks)],
        ),
        "sa_dashboard": from_rows(
            "sa_dashboard",
            content
            | dict.fromkeys(("hidden", "run_on_load", "show_title", "show_filters_bar"), yes)
            | {"query_timezone": text, "refresh_interval": text},
            lambda: [_dashboard(*row, before) for row in enumerate(instance.dashboards)],
        ),
        "sa_tile": from_rows(
            "sa_tile",
            {"dashboard_id": number, "result_maker_id": text},
            lambda: [
                {
                    "dashboard_id": _number(tile["dashboard_id"]),
                    "result_maker_id": tile["result_maker_id"],
                }
                for tile in instance.dashboard_elements
                if tile["result_maker_id"]
            ],
        ),
        "sa_folder": from_rows(
            "sa_folder",
            {"id": number, "parent_id": number, "creator_id": number}
            | {"name": text, "external_id": text}
            | dict.fromkeys(_FOLDER_KINDS, yes)
            | {"created": "TIMESTAMP", "deleted": "TIMESTAMP"},
            lambda: [
                _folder(n, folder, before)
                for n, folder in enumerate(instance.folders)
                if folder["id"].isdigit()  # that of LookML dashboards is in no table
            ],
        ),
        "sa_db_connection": from_rows(
            "sa_db_connection",
            dict.fromkeys(("id", "user_id", "max_connections", "pool_timeout"), number)
            | dict.fromkeys(_CONNECTION_TEXTS, text)
            | dict.fromkeys(("ssl", "verify_ssl", "uses_tns", "sql_runner_precache_tables"), yes)
            | dict.fromkeys(("created", "last_regen_at", "last_reap_at"), "TIMESTAMP"),
            lambda: [_connection(*row) for row in enumerate(instance.connections, 1)],
        ),
        "sa_merge_query": from_rows(
            "sa_merge_query",
            {"id": number, "column_limit": number, "total": yes, "created": "TIMESTAMP"}
            | dict.fromkeys(("hash", "dynamic_fields", "sorts", "formatted_pivots"), text),
            lambda: [_merged(*row, before) for row in enumerate(instance.merge_queries)],
        ),
        "sa_merge_query_source_query": from_rows(
            "sa_merge_query_source_query",
            dict.fromkeys(("id", "merge_query_id", "query_id", "rank"), number)
            | {"name": text, "merge_fields": text},
            lambda: [
                {
                    "id": 900 + 10 * n + rank,
                    "merge_query_id": 700 + n,
                    "query_id": queries[source["query_slug"]],
                    "rank": rank,
                    "name": source["name"],
                    "merge_fields": _as_text(source["merge_fields"]),
                }
                for n, merged in enumerate(instance.merge_queries)
                for rank, source in enumerate(merged["source_queries"])
            ],
        ),
        "sa_scheduled_plan": from_rows(
            "sa_scheduled_plan",
            {
                "n": number,
                "id": number,
                "user_id": number,
                "look_id": number,
                "dashboard_id": number,
                "lookml_dashboard_id": text,
                "title": text,
                "cron_schedule": text,
                "timezone": text,
                **dict.fromkeys(_PLAN_FLAGS, yes),
                "created": "TIMESTAMP",
            },
            lambda: [_plan(*row) for row in enumerate(instance.scheduled_plans)],
        ),
        "sa_role": from_rows(
            "sa_role",
            {"id": number, "name": text, "permission_set_id": number, "model_set_id": number}
            | {"built_in": yes, "embed": yes},
            lambda: [
                {
                    **_named(role),
                    "permission_set_id": int(role["permission_set"]["id"]),
                    "model_set_id": int(role["model_set"]["id"]),
                    "built_in": role["permission_set"]["built_in"],
                    "embed": False,
                }
                for role in instance.roles
            ],
        ),
        "sa_model_set": from_rows(
            "sa_model_set",
            {"id": number, "name": text},
            lambda: [_named(each) for each in instance.model_sets],
        ),
        "sa_permission_set": from_rows(
            "sa_permission_set",
            {"id": number, "name": text},
            lambda: [_named(each) for each in instance.permission_sets],
        ),
        "sa_group": from_rows(
            "sa_group",
            {"id": number, "name": text, "external_group_id": text}
            | dict.fromkeys(_GROUP_KINDS, yes),
            lambda: [
                {
                    **_named(each),
                    "external_group_id": each["external_group_id"] or f"cn={each['name']}",
                    **{kind: each[kind] for kind in _GROUP_KINDS},
                }
                for each in instance.groups
            ],
        ),
        "sa_user_role": _memberships("sa_user_role", "role", instance),
        "sa_group_user": _memberships("sa_group_user", "group", instance),
    }


def _memberships(name: str, kind: str, instance: Collections) -> Table:
    """Pairs of users and their roles or groups."""
    return from_rows(
        name,
        {"user_id": "BIGINT", f"{kind}_id": "BIGINT"},
        lambda: [
            {"user_id": int(user["id"]), f"{kind}_id": int(member)}
            for user in instance.users
            for member in user[f"{kind}_ids"]
        ],
    )


def _named(row: Row) -> Row:
    return {"id": int(row["id"]), "name": row["name"]}


_FACTS = (
    "is_admin", "is_developer", "is_explorer", "is_viewer", "is_content_saver", "is_embed",
    "is_looker_employee", "has_ui_credentials", "has_api_credentials",
)  # fmt: skip


def _user(n: int, user: Row, instance: Collections, before: Callable[[int], str]) -> Row:
    may = {
        one
        for role in instance.roles
        if role["id"] in user["role_ids"]
        for one in role["permission_set"]["permissions"]
    }
    embed = user["credentials_embed"]
    logins = ("email", "google", "ldap", "oidc", "saml")
    return {
        "n": n,
        "id": int(user["id"]),
        "name": user["display_name"],
        "email": user["email"],
        "home_folder_id": int(user["home_folder_id"]),
        "is_disabled": user["is_disabled"],
        "created": before(n),
        "timezone": "Europe/Zurich" if n % 3 else None,
        "dev_branch_name": f"dev-user-{user['id']}" if "develop" in may else None,
        "external_id": embed[0]["external_user_id"] if embed else None,
        "is_admin": "administer" in may,
        "is_developer": "develop" in may,
        "is_explorer": "explore" in may,
        "is_viewer": "access_data" in may,
        "is_content_saver": "save_content" in may,
        "is_embed": bool(embed),
        "is_looker_employee": False,
        "has_ui_credentials": any(user[f"credentials_{login}"] for login in logins),
        "has_api_credentials": bool(user["credentials_api3"]),
    }


_QUERY_TEXTS = (
    "slug", "model", "view", "fields", "formatted_fields", "fill_fields", "filters",
    "filter_expression", "pivots", "formatted_pivots", "sorts", "column_limit", "dynamic_fields",
    "client_id", "link", "row_total", "query_timezone", "hash",
)  # fmt: skip


def _query(n: int, query: Row, before: Callable[[int], str]) -> Row:
    fields, pivots = _as_text(query["fields"]), _as_text(query["pivots"])
    return {
        "n": n,
        "id": 5000 + n,
        "created": before(n),
        "slug": query["slug"],
        "model": query["model"],
        "view": query["view"],
        "fields": fields,
        "formatted_fields": fields and fields.replace(",", ", "),
        "fill_fields": _as_text(query["fill_fields"]),
        "filters": _as_text(query["filters"]),
        "filter_expression": query["filter_expression"],
        "pivots": pivots,
        "formatted_pivots": pivots and pivots.replace(",", ", "),
        "sorts": _as_text(query["sorts"]),
        "limit": None if query["limit"] is None else int(query["limit"]),
        "column_limit": query["column_limit"],
        "dynamic_fields": query["dynamic_fields"],
        "client_id": query["client_id"],
        "link": query["url"],
        "total": query["total"],
        "row_total": query["row_total"] or ("right" if n % 9 == 0 else None),
        "query_timezone": query["query_timezone"] or ("Europe/Zurich" if n % 7 == 0 else None),
        "hash": f"{n:032x}",
    }


def _as_text(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _content(n: int, row: Row, before: Callable[[int], str]) -> Row:
    return {
        "n": n,
        "id": int(row["id"]),
        "title": row["title"],
        "description": row["description"],
        "user_id": _number(row["user_id"]),
        "folder_id": _number(row["folder_id"]),
        "deleted": row["deleted"],
        "deleted_at": _time(row["deleted_at"]),
        "deleter_id": _number(row["deleter_id"]),
        "created": before(n),
        "link": row["url"],
    }


def _look(n: int, look: Row, queries: dict[str, int], before: Callable[[int], str]) -> Row:
    return _content(n, look, before) | {
        "query_id": queries.get(look["query_id"]),
        "last_updater_id": _number(look["last_updater_id"]),
        "updated": _time(look["updated_at"]),
        "public": look["public"],
        "is_run_on_load": look["is_run_on_load"],
        "public_slug": look["public_slug"],
    }


def _dashboard(n: int, dashboard: Row, before: Callable[[int], str]) -> Row:
    return _content(n, dashboard, before) | {
        "hidden": dashboard["hidden"],
        "run_on_load": dashboard["load_configuration"] is None,
        "show_title": dashboard["show_title"],
        "show_filters_bar": dashboard["show_filters_bar"],
        "query_timezone": dashboard["query_timezone"],
        "refresh_interval": dashboard["refresh_interval"],
    }


_FOLDER_KINDS = (
    "is_personal", "is_personal_descendant", "is_shared_root", "is_users_root", "is_embed",
    "is_embed_shared_root", "is_embed_users_root",
)  # fmt: skip


def _folder(n: int, folder: Row, before: Callable[[int], str]) -> Row:
    return {
        "id": _number(folder["id"]),
        "parent_id": _number(folder["parent_id"]),
        "creator_id": _number(folder["creator_id"]),
        "name": folder["name"],
        "external_id": folder["external_id"] or (f"embed-{n}" if n % 8 == 7 else None),
        **{kind: folder[kind] for kind in _FOLDER_KINDS},
        "created": before(n),
        "deleted": before(0) if n % 9 == 8 else None,
    }


_CONNECTION_TEXTS = (
    "name", "dialect", "host", "port", "database", "schema", "tmp_db_name", "db_timezone",
    "query_timezone", "maintenance_cron", "max_billing_gigabytes", "user_attribute_fields",
)  # fmt: skip


def _connection(n: int, connection: Row) -> Row:
    def epoch(name: str) -> str | None:
        value = connection[name]
        return f"{datetime.fromtimestamp(int(value), UTC):%Y-%m-%d %H:%M:%S}" if value else None

    fields = connection["user_attribute_fields"]
    return {
        "id": n,
        "user_id": _number(connection["user_id"]),
        "created": _time(connection["created_at"]),
        "last_regen_at": epoch("last_regen_at"),
        "last_reap_at": epoch("last_reap_at"),
        "max_connections": connection["max_connections"],
        "pool_timeout": connection["pool_timeout"],
        **{name: connection[name] for name in ("ssl", "verify_ssl", "sql_runner_precache_tables")},
        "uses_tns": bool(connection["uses_tns"]),
        **{name: connection[name] for name in _CONNECTION_TEXTS},
        "dialect": connection["dialect_name"],
        "user_attribute_fields": ",".join(fields) if fields else None,
    }


def _merged(n: int, merged: Row, before: Callable[[int], str]) -> Row:
    return {
        "id": 700 + n,
        "column_limit": int(merged["column_limit"]),
        "total": merged["total"],
        "created": before(n),
        "hash": f"{n:032x}",
        "dynamic_fields": merged["dynamic_fields"],
        "sorts": _as_text(merged["sorts"]),
        "formatted_pivots": _as_text(merged["pivots"]),
    }


_GROUP_KINDS = ("externally_managed", "include_by_default", "can_add_to_content_metadata")
_PLAN_FLAGS = (
    "enabled", "run_once", "run_as_recipient", "send_all_results", "include_links",
    "require_results", "require_no_results", "require_change",
)  # fmt: skip


def _plan(n: int, plan: Row) -> Row:
    return {
        "n": n,
        "id": int(plan["id"]),
        "user_id": int(plan["user_id"]),
        "look_id": _number(plan["look_id"]),
        "dashboard_id": _number(plan["dashboard_id"]),
        "lookml_dashboard_id": plan["lookml_dashboard_id"],
        "title": plan["title"],
        "cron_schedule": plan["crontab"],
        "timezone": plan["timezone"],
        **{flag: plan[flag] for flag in _PLAN_FLAGS},
        "created": plan["created_at"][:19],
    }


def _number(identifier: str | None) -> int | None:
    return int(identifier) if identifier and identifier.isdigit() else None


def _time(moment: str | None) -> str | None:
    return moment[:19] if moment else None
