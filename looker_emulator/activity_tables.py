# ruff: noqa: S608 - names of tables and numbers, all of this module
"""The tables of System Activity: a year of use, by the users and of the content that there are.

They are made in SQL from numbers alone, when they are first asked for. Rows come in the order of
their ids, which have gaps; the last ones are not finished yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from looker_emulator.warehouse import Table, from_rows, from_sql

if TYPE_CHECKING:
    import duckdb

    from looker_emulator.instance import Instance
    from looker_emulator.values import Row

NOW = datetime(2026, 6, 30, 21, 15, tzinfo=UTC)
"""When it is in an emulator that is not told: the end of the year of use."""
LENGTH = timedelta(days=365)

ROWS = {"small": 2_000, "medium": 50_000, "large": 1_000_000}
"""Rows of history for each size of instance; other tables are in proportion."""


@dataclass(frozen=True)
class Year:
    """A year that ends now, and how many rows of history it has."""

    rows: int
    now: datetime = NOW

    def born(self, rows: int | None = None) -> str:
        """When row `i` was: evenly over the year; what comes after it, a second later each."""
        rows = rows or self.rows
        step = int(LENGTH.total_seconds() * 1_000_000) // rows
        end = int(self.now.timestamp() * 1_000_000)
        # A little out of the order of ids, as the clocks of several nodes make it.
        before = f"({rows} - i) * {step} + dice(i, 3, 20000) * 1000"
        return (
            f"make_timestamp({end} + CASE WHEN i < {rows} THEN -({before}) "
            f"ELSE (i - {rows}) * 1000000 END)"
        )

    def before(self, n: int) -> str:
        """Some time before it begins."""
        moment = self.now - LENGTH - timedelta(days=n % 900, minutes=n * 7 % 1440)
        return f"{moment:%Y-%m-%d %H:%M:%S}"


# -------------------------------------------------------------------------------------- the tables


def tables(year: Year, instance: Instance) -> dict[str, Table]:
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
        ("sa_node", _NODES),
        ("sa_query_metrics", _METRICS, "sa_history"),
        ("sa_api_usage", _API_USAGE.format(noon=noon, days=LENGTH.days)),
        ("sa_field_usage", _FIELD_USAGE, "sa_query"),
        ("sa_content_usage", _CONTENT_USAGE.format(now=end), *content),
        ("sa_user_facts", _USER_FACTS.format(now=end), "sa_user"),
    )
    parts = (
        ("sa_scheduled_job", _JOBS, 10, "sa_scheduled_plan"),
        ("sa_pdt_event_log", _PDT_EVENTS, 5),
        ("sa_pdt_builds", _BUILDS, 20),
        ("sa_sql_query", _SQL_QUERIES, 40, "sa_user"),
        ("sa_dashboard_performance", _PERFORMANCE, 20, "sa_dashboard"),
    )
    return (
        _of_instance(instance, year)
        | {table[0]: _created(*table) for table in made}
        | {table[0]: part(*table) for table in parts}
    )


def _created(name: str, select: str, *needs: str) -> Table:
    return from_sql(f"CREATE TABLE {name} AS {select}", *needs)


_NODES = """
SELECT i AS id, 'node-' || i AS hostname, '26.12.14' AS version FROM generate_series(1, 3) AS s(i)
"""

# Ids have gaps: one is missing after every seventh row, five after every hundredth.
_HISTORY_ID = "40001 + i + i // 7 + i // 100 * 5"
_EVENT_ID = "70001 + i + i // 9"

_HISTORY = """
SELECT
    CAST({id} AS BIGINT) AS id,
    md5('history' || i) AS slug,
    {born} AS created,
    CASE WHEN NOT running THEN created + to_milliseconds(dice(i, 4, 90000)) END AS completed,
    CASE WHEN running THEN 'running'
        ELSE choice(['complete','complete','complete','complete','error','killed',
            'cache_only_miss'], i, 5) END AS status,
    choice(['dashboard','explore','look','scheduled_task','api4','merge_query','sql_runner'], i, 6)
        AS source,
    CASE WHEN source = 'api4' THEN 'API 4' WHEN source = 'scheduled_task' THEN 'Scheduled Task'
        ELSE 'Web UI' END AS issuer_source,
    CASE WHEN NOT running THEN choice(['query','cache','query'], i, 7) END AS result_source,
    choice(['json_detail','json','csv','inline_json','xlsx'], i, 8) AS result_format,
    CASE WHEN NOT running THEN dice(i, 4, 90000) / 1000 END AS runtime,
    CASE WHEN status = 'error' THEN choice([
        'SQL Error: column "x" does not exist', 'Abfrage abgebrochen: zu groß',
        E'line 1\\nline 2\\ttab \\\\ backslash', '在庫 🪴'], i, 9) END AS message,
    'warehouse' AS connection_name,
    choice(['bigquery_standard_sql','snowflake'], i, 10) AS dialect,
    choice(['production','production','production','dev'], i, 11) AS workspace_id,
    CASE WHEN source = 'dashboard' THEN
        CASE WHEN dice(i, 12, 9) = 0 THEN 'storefront::overview_1'
        ELSE CAST(d.id AS VARCHAR) END END AS dashboard_id,
    CASE WHEN source = 'dashboard' THEN CAST(d.id AS VARCHAR) END AS real_dash_id,
    CASE WHEN source = 'dashboard' THEN md5('session' || i // 6) END AS dashboard_session,
    dice(i, 13, 3) > 0 AS is_single_query,
    dice(i, 14, 50) = 0 AS rebuild_pdts,
    result_source IS NOT DISTINCT FROM 'cache' AS cache,
    md5('cache' || dice(i, 15, 5000)) AS cache_key,
    CASE WHEN source = 'scheduled_task' THEN md5('render' || i) END AS render_key,
    CASE WHEN source = 'look' THEN l.id END AS look_id,
    CASE WHEN source <> 'sql_runner' THEN q.id END AS query_id,
    CASE WHEN source = 'sql_runner' THEN 300 + dice(i, 16, 20) END AS sql_query_id,
    u.id AS user_id,
    1 + dice(i, 17, 3) AS node_id
FROM (
    SELECT i, {running} AS running FROM generate_series({first}, {last}) AS s(i)
)
LEFT JOIN (SELECT n, id FROM sa_user) AS u
    ON u.n = dice(i, 18, (SELECT count(*) FROM sa_user))
LEFT JOIN (SELECT n, id FROM sa_query) AS q
    ON q.n = dice(i, 19, (SELECT count(*) FROM sa_query))
LEFT JOIN (SELECT n, id FROM sa_look) AS l
    ON l.n = dice(i, 20, (SELECT count(*) FROM sa_look))
LEFT JOIN (SELECT n, id FROM sa_dashboard) AS d
    ON d.n = dice(i, 21, (SELECT count(*) FROM sa_dashboard))
ORDER BY i
"""

_EVENT = """
SELECT
    CAST({id} AS BIGINT) AS id,
    {born} AS created,
    choice(['login','run_query','save_look','create_dashboard','logout','update_user',
        'download_query_results','delete_look'], i, 31) AS name,
    choice(['user','query','content','system'], i, 32) AS category,
    u.id AS user_id,
    CASE WHEN dice(i, 33, 40) = 0 THEN 1 END AS sudo_user_id,
    dice(i, 34, 4) = 0 AS is_api_call,
    dice(i, 35, 5) = 0 AS is_admin,
    false AS is_looker_employee
FROM generate_series({first}, {last}) AS s(i)
LEFT JOIN (SELECT n, id FROM sa_user) AS u
    ON u.n = dice(i, 36, (SELECT count(*) FROM sa_user))
ORDER BY i
"""

_ATTRIBUTES = """
SELECT
    CAST(90001 + 2 * i + k + i // 11 AS BIGINT) AS id,
    CAST({event} AS BIGINT) AS event_id,
    choice(['look_id','dashboard_id','query_id','user_agent','folder_id'], 2 * i + k, 41) AS name,
    CASE WHEN dice(2 * i + k, 42, 12) > 0
        THEN choice(['17','Mozilla/5.0 "x"','storefront::overview_1','ü'], 2 * i + k, 43) END
        AS value
FROM generate_series({first}, {last}) AS s(i), (VALUES (0), (1)) AS two(k)
ORDER BY i, k
"""


def history(year: Year, first: int, end: int) -> str:
    """Rows of history, the last of which are not finished."""
    return _HISTORY.format(
        id=_HISTORY_ID,
        born=year.born(),
        running=f"i >= {end} - 30 AND dice(i, 1, 3) = 0",
        first=first,
        last=end - 1,
    )


def events(year: Year, first: int, end: int) -> str:
    """Rows of events."""
    return _EVENT.format(id=_EVENT_ID, born=year.born(), first=first, last=end - 1)


def attributes(first: int, end: int) -> str:
    """Two rows for each event."""
    return _ATTRIBUTES.format(event=_EVENT_ID, first=first, last=end - 1)


def insert_late(
    cursor: duckdb.DuckDBPyConnection, table: str, year: Year, first: int, count: int
) -> None:
    """Rows with the highest of the ids that were left out."""
    reach = 20 * count + 200
    free = cursor.execute(f"""
        SELECT id FROM (
            SELECT unnest(range(highest - {reach}, highest)) AS id
            FROM (SELECT max(id) AS highest FROM {table})
        ) ANTI JOIN {table} USING (id) ORDER BY id DESC LIMIT {count}""").fetchall()
    ids = sorted(identifier for (identifier,) in free)
    select = _TEMPLATES[table].format(
        id=f"{ids}[1 + i - {first}]",
        born=year.born(),
        running="false",
        first=first,
        last=first + count - 1,
    )
    cursor.execute(f"INSERT INTO {table} {select}")


_TEMPLATES = {"sa_history": _HISTORY, "sa_event": _EVENT}

_JOBS = """
SELECT
    CAST(8001 + i + i // 6 AS BIGINT) AS id,
    {born} AS created,
    CASE WHEN running THEN NULL ELSE created + to_seconds(5 + dice(i, 51, 300)) END AS finalized,
    CASE WHEN running THEN 'in_progress' WHEN dice(i, 52, 9) = 0 THEN 'failure'
        ELSE 'success' END AS status,
    CASE WHEN status = 'failure' THEN 'Rendering timed out; "PDF"' END AS status_detail,
    p.title AS name,
    p.cron_schedule AS cron_schedule,
    p.id AS scheduled_plan_id,
    p.user_id AS user_id,
    p.look_id AS look_id,
    p.dashboard_id AS dashboard_id,
    p.lookml_dashboard_id AS lookml_dashboard_id
FROM (SELECT i, i > {last} - 4 AS running FROM generate_series(0, {last}) AS s(i))
LEFT JOIN (SELECT * EXCLUDE (created) FROM sa_scheduled_plan) AS p
    ON p.n = dice(i, 53, (SELECT count(*) FROM sa_scheduled_plan))
ORDER BY i
"""

_PDT_EVENTS = """
SELECT
    CAST(501 + i + i // 13 AS BIGINT) AS id,
    {born} AS created,
    choice(['create begin','create complete','drop','reap','regen check'], i, 61) AS action,
    CASE WHEN dice(i, 62, 3) > 0 THEN 'SELECT * FROM "raw"' END AS action_data,
    'warehouse' AS connection,
    'storefront' AS model_name,
    choice(['user_facts','order_facts','daily_stock'], i, 63) AS view_name,
    'looker_pdt.' || md5('table' || i // 40) AS table_name,
    md5('tid' || i // 5) AS tid
FROM generate_series(0, {last}) AS s(i)
ORDER BY i
"""

_BUILDS = """
SELECT
    md5('build' || i) AS tid,
    choice(['warehouse','looker_cache'], i, 71) AS connection,
    'storefront' AS model_name,
    choice(['user_facts','order_facts','daily_stock'], i, 72) AS view_name,
    {born} AS start,
    CASE WHEN i < {last} THEN start + to_milliseconds(dice(i, 73, 600000)) END AS end,
    CASE WHEN i < {last} THEN dice(i, 73, 600000) / 1000 END AS elapsed_seconds,
    CASE WHEN i < {last} THEN 'done' ELSE 'building' END AS status
FROM generate_series(0, {last}) AS s(i)
ORDER BY i
"""

_METRICS = """
SELECT
    id + 11 AS id,
    slug AS query_task_id,
    dice(id, 81, 900) / 1000 AS model_init,
    dice(id, 82, 900) / 1000 AS prepare,
    runtime AS main_query,
    dice(id, 83, 900) / 1000 AS async_processing,
    dice(id, 84, 900) / 1000 AS stream_to_cache,
    dice(id, 85, 5000) AS row_count
FROM sa_history
WHERE query_id IS NOT NULL
ORDER BY id
"""

_API_USAGE = """
SELECT
    CAST({noon} + to_days(CAST(day AS INT)) AS TIMESTAMP)
        AS created,
    endpoint,
    1 + dice(day, length(endpoint), 400) AS usage
FROM generate_series(0, {days}) AS s(day),
    (SELECT unnest(['run_inline_query','all_dashboards','search_users','login','create_query_task',
        'run_look','dashboard']) AS endpoint)
ORDER BY day, endpoint
"""

_SQL_QUERIES = """
SELECT
    CAST(300 + i + i // 21 AS BIGINT) AS id,
    md5('sql' || i) AS slug,
    'SELECT ' || i || ' -- "quoted"' AS sql,
    'warehouse' AS connection_name,
    {born} AS created,
    CASE WHEN dice(i, 91, 8) > 0 THEN created + to_minutes(dice(i, 92, 60)) END AS last_run,
    dice(i, 93, 40) AS run_count,
    u.id AS user_id
FROM generate_series(0, {last}) AS s(i)
LEFT JOIN (SELECT n, id FROM sa_user) AS u
    ON u.n = dice(i, 94, (SELECT count(*) FROM sa_user))
ORDER BY i
"""

_PERFORMANCE = """
SELECT
    md5('run' || i) AS dashboard_run_session,
    md5('page' || i // 2) AS dashboard_page_session,
    CAST(d.id AS VARCHAR) AS dash_id,
    {born} AS first_event_at,
    dice(i, 101, 9000) / 1000 AS seconds_until_first_data_received,
    CASE WHEN dice(i, 102, 15) > 0 THEN dice(i, 103, 90000) / 1000 END AS total_runtime,
    dice(i, 104, 20) AS query_count
FROM generate_series(0, {last}) AS s(i)
LEFT JOIN (SELECT n, id FROM sa_dashboard) AS d
    ON d.n = dice(i, 105, (SELECT count(*) FROM sa_dashboard))
ORDER BY i
"""

_FIELD_USAGE = """
SELECT model, view AS explore, field, CAST(count(*) * 7 AS BIGINT) AS times_used
FROM (SELECT model, view, unnest(from_json(fields, '["VARCHAR"]')) AS field FROM sa_query)
GROUP BY ALL ORDER BY ALL
"""

_CONTENT_USAGE = """
SELECT
    CAST(id AS VARCHAR) AS content_id, kind AS content_type, title AS content_title,
    dice(id, 111, 500) AS other_total, dice(id, 112, 90) AS api_total,
    dice(id, 113, 20) AS embed_total, dice(id, 114, 5) AS favorites_total,
    dice(id, 115, 9) AS schedule_total,
    CASE WHEN dice(id, 116, 6) > 0
        THEN {now} - to_hours(dice(id, 117, 4000)) END
        AS last_accessed
FROM (
    SELECT id, title, 'look' AS kind FROM sa_look
    UNION ALL SELECT id, title, 'dashboard' FROM sa_dashboard
)
"""

_USER_FACTS = """
SELECT
    id AS user_id,
    is_looker_employee,
    CASE WHEN dice(id, 121, 5) > 0 THEN choice(['email','saml'], id, 122) END
        AS last_ui_login_credential_type,
    CASE WHEN last_ui_login_credential_type IS NOT NULL
        THEN {now} - to_minutes(dice(id, 123, 60000)) END
        AS last_ui_login,
    CAST(NULL AS TIMESTAMP) AS last_api_login
FROM sa_user
"""


# ------------------------------------------------------------------------- tables of the instance


def _of_instance(instance: Instance, year: Year) -> dict[str, Table]:
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


def _memberships(name: str, kind: str, instance: Instance) -> Table:
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
