# ruff: noqa: S608 - names of tables and numbers, all of this module
"""The tables of System Activity: a year in which the users used the content of the instance.

They are made in SQL when they are first needed. Rows are in the order of their ids, which have
gaps. The last rows are not finished yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from looker_emulator.queries.system_activity import statements
from looker_emulator.queries.system_activity.content import content_tables
from looker_emulator.queries.system_activity.model import METRICS
from looker_emulator.queries.warehouse import Table, from_sql

if TYPE_CHECKING:
    import duckdb

    from looker_emulator.instance.collections import Collections

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
        ("sa_history", history(year, 0, rows), "sa_user", "sa_query", "sa_tile", *content),
        ("sa_event", events(year, 0, rows), "sa_user"),
        ("sa_event_attribute", attributes(0, rows), "sa_event"),
        ("sa_node", statements.NODES),
        ("sa_query_metrics", statements.METRICS.format(metrics=_metrics()), "sa_history"),
        ("sa_scheduled_job_stage", statements.STAGES, "sa_scheduled_job"),
        ("sa_dashboard_page_event_stats", statements.PAGES, "sa_dashboard_performance"),
        ("sa_api_usage_endpoint", statements.ENDPOINTS),
        (
            "sa_api_usage_hourly",
            statements.HOURLY.format(end=end, hours=max(rows // 20, 48)),
            "sa_api_usage_endpoint",
        ),
        ("sa_scheduled_plan_oauth_event", statements.OAUTH_EVENTS, "sa_scheduled_plan"),
        ("sa_api_usage", statements.API_USAGE.format(noon=noon, days=LENGTH.days)),
        ("sa_field_usage", statements.FIELD_USAGE, "sa_query"),
        ("sa_content_usage", statements.CONTENT_USAGE.format(now=end), *content),
        ("sa_user_facts", statements.USER_FACTS.format(now=end), "sa_user"),
    )
    parts = (
        ("sa_scheduled_job", statements.JOBS, 10, "sa_scheduled_plan", "sa_look"),
        ("sa_concurrency", statements.CONCURRENCY, 40),
        ("sa_pdt_event_log", statements.PDT_EVENTS, 5),
        ("sa_pdt_builds", statements.BUILDS, 20),
        ("sa_sql_query", statements.SQL_QUERIES, 40, "sa_user"),
        ("sa_dashboard_performance", statements.PERFORMANCE, 20, "sa_dashboard"),
    )
    return (
        content_tables(instance, year.before)
        | {table[0]: _created(*table) for table in made}
        | {table[0]: part(*table) for table in parts}
    )


def _metrics() -> str:
    """SQL for how long each step of a query took: mostly a part of its whole time."""
    known = {"async_processing": "runtime", "execute_main_query": "runtime * 0.6"}
    return ",\n    ".join(
        f"{known.get(name, f'dice(id, {salt}, 900) / 1000')} AS {name}"
        for salt, name in enumerate(METRICS.split(), 200)
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
