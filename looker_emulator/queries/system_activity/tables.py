# ruff: noqa: S608 - names of tables and numbers, all of this module
"""The tables of System Activity: a year in which the users used the content of the instance.

They are made in SQL when they are first needed. Rows are in the order of their ids, which have
gaps. The last rows are not finished yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from looker_emulator.queries.system_activity import statements
from looker_emulator.queries.warehouse import Table, from_rows, from_sql

if TYPE_CHECKING:
    import duckdb

    from looker_emulator.instance.collections import Collections
    from looker_emulator.instance.values import Row

NOW = datetime(2026, 6, 30, 21, 15, tzinfo=UTC)
"""The default for the current time: the end of the recorded year."""
LENGTH = timedelta(days=365)

ROWS = {"small": 2_000, "medium": 50_000, "large": 1_000_000}
"""Rows of history for each size of instance; other tables are proportional."""


@dataclass(frozen=True)
class Year:
    """A year that ends now, and its number of rows of history."""

    rows: int
    now: datetime = NOW

    def born(self, rows: int | None = None) -> str:
        """SQL for the time of row `i`: spread over the year, then a second apart."""
        rows = rows or self.rows
        step = int(LENGTH.total_seconds() * 1_000_000) // rows
        end = int(self.now.timestamp() * 1_000_000)
        # Slightly out of the order of ids, because several nodes have different clocks.
        before = f"({rows} - i) * {step} + dice(i, 3, 20000) * 1000"
        return (
            f"make_timestamp({end} + CASE WHEN i < {rows} THEN -({before}) "
            f"ELSE (i - {rows}) * 1000000 END)"
        )

    def before(self, n: int) -> str:
        """A time before the year begins."""
        moment = self.now - LENGTH - timedelta(days=n % 900, minutes=n * 7 % 1440)
        return f"{moment:%Y-%m-%d %H:%M:%S}"


# -------------------------------------------------------------------------------------- the tables


def tables(year: Year, instance: Collections) -> dict[str, Table]:
    """How the tables are made."""
    rows = year.rows

    def part(name: str, template: str, divisor: int, *needs: str) -> Table:
        count = max(rows // divisor, 20)
        return _created(name, template.format(last=count - 1, born=year.born(count)), *needs)

    end = f"TIMESTAMP '{year.now:%Y-%m-%d %H:%M:%S}'"
    noon = f"TIMESTAMP '{year.now - LENGTH:%Y-%m-%d} 12:00:00'"
    content = ("sa_look", "sa_dashboard")
    made = (
        ("sa_history", history(year, 0, rows), "sa_user", "sa_query", *content),
        ("sa_event", events(year, 0, rows), "sa_user"),
        ("sa_event_attribute", attributes(0, rows), "sa_event"),
        ("sa_node", statements.NODES),
        ("sa_query_metrics", statements.METRICS, "sa_history"),
        ("sa_api_usage", statements.API_USAGE.format(noon=noon, days=LENGTH.days)),
        ("sa_field_usage", statements.FIELD_USAGE, "sa_query"),
        ("sa_content_usage", statements.CONTENT_USAGE.format(now=end), *content),
        ("sa_user_facts", statements.USER_FACTS.format(now=end), "sa_user"),
    )
    parts = (
        ("sa_scheduled_job", statements.JOBS, 10, "sa_scheduled_plan"),
        ("sa_pdt_event_log", statements.PDT_EVENTS, 5),
        ("sa_pdt_builds", statements.BUILDS, 20),
        ("sa_sql_query", statements.SQL_QUERIES, 40, "sa_user"),
        ("sa_dashboard_performance", statements.PERFORMANCE, 20, "sa_dashboard"),
    )
    return (
        _of_instance(instance, year)
        | {table[0]: _created(*table) for table in made}
        | {table[0]: part(*table) for table in parts}
    )


def _created(name: str, select: str, *needs: str) -> Table:
    return from_sql(f"CREATE TABLE {name} AS {select}", *needs)


def history(year: Year, first: int, end: int) -> str:
    """SQL for rows of history, the last of which are not finished."""
    return statements.HISTORY.format(
        id=statements.HISTORY_ID,
        born=year.born(),
        running=f"i >= {end} - 30 AND dice(i, 1, 3) = 0",
        first=first,
        last=end - 1,
    )


def events(year: Year, first: int, end: int) -> str:
    """SQL for rows of events."""
    return statements.EVENT.format(
        id=statements.EVENT_ID, born=year.born(), first=first, last=end - 1
    )


def attributes(first: int, end: int) -> str:
    """SQL for the attributes of events, two for each."""
    return statements.ATTRIBUTES.format(event=statements.EVENT_ID, first=first, last=end - 1)


def insert_late(
    cursor: duckdb.DuckDBPyConnection, table: str, year: Year, first: int, count: int
) -> None:
    """Insert rows with the highest of the unused ids."""
    reach = 20 * count + 200
    free = cursor.execute(f"""
        SELECT id FROM (
            SELECT unnest(range(highest - {reach}, highest)) AS id
            FROM (SELECT max(id) AS highest FROM {table})
        ) ANTI JOIN {table} USING (id) ORDER BY id DESC LIMIT {count}""").fetchall()
    ids = sorted(identifier for (identifier,) in free)
    select = statements.TEMPLATES[table].format(
        id=f"{ids}[1 + i - {first}]",
        born=year.born(),
        running="false",
        first=first,
        last=first + count - 1,
    )
    cursor.execute(f"INSERT INTO {table} {select}")


# ------------------------------------------------------------------------- tables of the instance


def _of_instance(instance: Collections, year: Year) -> dict[str, Table]:
    number, text, yes = "BIGINT", "VARCHAR", "BOOLEAN"
    content = {
        "n": number,
        "id": number,
        "title": text,
        "user_id": number,
        "folder_id": number,
        "deleted": yes,
        "created": "TIMESTAMP",
        "link": text,
    }
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
                "is_looker_employee": yes,
                "created": "TIMESTAMP",
            },
            lambda: [_user(*row, year) for row in enumerate(instance.users)],
        ),
        "sa_query": from_rows(
            "sa_query",
            {"n": number, "id": number, "created": "TIMESTAMP"} | dict.fromkeys(_QUERY_TEXTS, text),
            lambda: [_query(*row, year) for row in enumerate(instance.queries)],
        ),
        "sa_look": from_rows(
            "sa_look", content, lambda: [_content(*row, year) for row in enumerate(instance.looks)]
        ),
        "sa_dashboard": from_rows(
            "sa_dashboard",
            content,
            lambda: [_content(*row, year) for row in enumerate(instance.dashboards)],
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
                "enabled": yes,
                "run_once": yes,
                "created": "TIMESTAMP",
            },
            lambda: [_plan(*row) for row in enumerate(instance.scheduled_plans)],
        ),
        "sa_role": from_rows(
            "sa_role",
            {"id": number, "name": text, "permission_set_id": number},
            lambda: [
                {**_named(role), "permission_set_id": int(role["permission_set"]["id"])}
                for role in instance.roles
            ],
        ),
        "sa_permission_set": from_rows(
            "sa_permission_set",
            {"id": number, "name": text},
            lambda: [_named(each) for each in instance.permission_sets],
        ),
        "sa_group": from_rows(
            "sa_group",
            {"id": number, "name": text},
            lambda: [_named(each) for each in instance.groups],
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


def _user(n: int, user: Row, year: Year) -> Row:
    return {
        "n": n,
        "id": int(user["id"]),
        "name": user["display_name"],
        "email": user["email"],
        "home_folder_id": int(user["home_folder_id"]),
        "is_disabled": user["is_disabled"],
        "is_looker_employee": False,
        "created": year.before(n),
    }


_QUERY_TEXTS = (
    "slug", "model", "view", "fields", "formatted_fields", "filters", "filter_expression",
    "formatted_pivots", "sorts", "limit", "column_limit", "dynamic_fields", "client_id", "link",
)  # fmt: skip


def _query(n: int, query: Row, year: Year) -> Row:
    fields, filters, sorts = query["fields"], query["filters"], query["sorts"]
    return {
        "n": n,
        "id": 5000 + n,
        "created": year.before(n),
        "slug": query["slug"],
        "model": query["model"],
        "view": query["view"],
        "fields": _as_text(fields),
        "formatted_fields": "\n".join(fields or ()),
        "filters": _as_text(filters),
        "filter_expression": query["filter_expression"],
        "formatted_pivots": "\n".join(query["pivots"] or ()),
        "sorts": _as_text(sorts),
        "limit": query["limit"],
        "column_limit": query["column_limit"],
        "dynamic_fields": query["dynamic_fields"],
        "client_id": query["client_id"],
        "link": query["url"],
    }


def _as_text(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _content(n: int, row: Row, year: Year) -> Row:
    return {
        "n": n,
        "id": int(row["id"]),
        "title": row["title"],
        "user_id": _number(row["user_id"]),
        "folder_id": _number(row["folder_id"]),
        "deleted": row["deleted"],
        "created": year.before(n),
        "link": row["url"],
    }


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
        "enabled": plan["enabled"],
        "run_once": plan["run_once"],
        "created": plan["created_at"][:19],
    }


def _number(identifier: str | None) -> int | None:
    return int(identifier) if identifier and identifier.isdigit() else None
