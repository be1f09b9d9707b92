"""The numbers in the page's sentences: from the marts, and None where a stream is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_looker_report.tables import API_USAGE, HISTORY, LEVELS, LINEAGE, WHERE, lacking

if TYPE_CHECKING:
    from collections.abc import Collection

    from tap_looker_report.models import Marts, Row

ENOUGH = 10
"""Queries from which on an average says something."""
OFTEN = 3
"""Queries that define the same field from which on it is worth LookML."""
MOST_BARS = 12
"""Of a plot."""

_CONTENT = "count(CASE WHEN verdict NOT IN ('deleted', 'not_listed')"
STATEMENTS: dict[tuple[str, ...], str] = {
    ("dashboards|lookml_dashboards",): f"""
        SELECT {_CONTENT} AND content_type <> 'look' THEN 1 END) AS dashboards
        FROM {{content_usage}}""",
    ("looks",): f"""
        SELECT {_CONTENT} AND content_type = 'look' THEN 1 END) AS looks
        FROM {{content_usage}}""",
    ("dashboards|looks",): f"""
        SELECT
            {_CONTENT} THEN 1 END) AS content,
            count(CASE WHEN verdict = 'deleted' THEN 1 END) AS content_in_trash,
            count(CASE WHEN verdict = 'kept' THEN 1 END) AS content_kept
        FROM {{content_usage}}""",
    ("dashboards|looks", "users"): f"""
        SELECT count(*) AS content_of_disabled
        FROM {{content_usage}} WHERE {WHERE["content_of_disabled"]}""",
    ("dashboards|looks", HISTORY): """
        SELECT
            count(CASE WHEN verdict = 'used' THEN 1 END) AS content_used,
            count(CASE WHEN verdict = 'unused' THEN 1 END) AS content_unused,
            count(CASE WHEN verdict = 'linked' THEN 1 END) AS content_linked,
            count(CASE WHEN verdict = 'delivered' THEN 1 END) AS content_delivered,
            count(CASE WHEN verdict = 'on_dashboard' THEN 1 END) AS content_on_dashboard,
            count(CASE WHEN verdict = 'new' THEN 1 END) AS content_new,
            count(CASE WHEN verdict = 'unknown' THEN 1 END) AS content_unknown,
            count(CASE WHEN verdict = 'not_listed' THEN 1 END) AS content_not_listed
        FROM {content_usage}""",
    ("users",): """
        SELECT
            count(*) AS users,
            count(CASE WHEN is_disabled THEN 1 END) AS users_disabled,
            count(CASE WHEN verdict = 'active' THEN 1 END) AS users_active,
            count(CASE WHEN verdict = 'inactive' THEN 1 END) AS users_inactive,
            count(CASE WHEN verdict = 'never_logged_in' THEN 1 END) AS users_never,
            count(CASE WHEN verdict = 'unknown' THEN 1 END) AS users_unknown,
            count(CASE WHEN kind = 'embed' THEN 1 END) AS users_embed,
            count(CASE WHEN kind IN ('service_account', 'api_only') THEN 1 END) AS users_machines
        FROM {user_activity}""",
    ("users", *LEVELS): """
        SELECT count(*) AS admins FROM {user_activity}
        WHERE permission_level = 'admin' AND NOT is_disabled""",
    (HISTORY,): """
        SELECT
            sum(queries) AS queries,
            sum(errors) AS errors,
            sum(from_cache) AS from_cache,
            sum(CASE WHEN audience = 'embed' THEN queries ELSE 0 END) AS queries_embed,
            sum(CASE WHEN audience = 'schedule' THEN queries ELSE 0 END) AS queries_schedule,
            sum(CASE WHEN audience = 'api' THEN queries ELSE 0 END) AS queries_api,
            count(DISTINCT CASE WHEN audience IN ('people', 'embed') THEN user_id END) AS people
        FROM {query_usage_daily} AS daily
        CROSS JOIN (SELECT after_90d FROM {evidence}) AS evidence
        WHERE audience <> 'tap' AND ran_on > after_90d""",
    (HISTORY, ""): f"""
        SELECT
            sum(CASE WHEN {WHERE["explores_slow"]} THEN slow_queries END) AS slow_queries,
            count(CASE WHEN {WHERE["explores_slow"]} THEN 1 END) AS explores_slow,
            sum(total_seconds) / 3600 AS hours
        FROM {{performance}} WHERE subject_type = 'explore'""",
    ("scheduled_plans",): """
        SELECT
            count(*) AS schedules,
            count(CASE WHEN is_enabled THEN 1 END) AS schedules_enabled,
            count(CASE WHEN verdict = 'failing' THEN 1 END) AS schedules_failing,
            count(CASE WHEN verdict = 'never_run' THEN 1 END) AS schedules_never
        FROM {schedules}""",
    ("scheduled_plans", "users"): """
        SELECT count(CASE WHEN verdict = 'owner_disabled' THEN 1 END) AS schedules_of_disabled
        FROM {schedules}""",
    ("scheduled_plans", "dashboards", "looks"): """
        SELECT count(CASE WHEN verdict = 'content_deleted' THEN 1 END) AS schedules_of_deleted
        FROM {schedules}""",
    ("scheduled_plans", "system_activity_scheduled_jobs"): f"""
        SELECT
            sum(runs) AS deliveries,
            sum(failures) AS deliveries_failed,
            count(CASE WHEN {WHERE["schedules_that_failed"]} THEN 1 END) AS schedules_that_failed,
            sum(CASE WHEN {WHERE["schedules_that_failed"]} THEN runs END) AS deliveries_of_these,
            sum(CASE WHEN {WHERE["schedules_that_failed"]} THEN failures END)
                AS deliveries_of_these_failed,
            count(CASE WHEN runs_cut_at_row_limit > 0 AND is_enabled THEN 1 END) AS schedules_cut
        FROM {{schedules}}""",
    ("scheduled_plans", "scheduled_plan_destinations", "users"): f"""
        SELECT count(*) AS schedules_outside
        FROM {{schedules}} WHERE {WHERE["schedules_outside"]}""",
    ("alerts",): """
        SELECT
            count(CASE WHEN NOT coalesce(is_disabled, false) THEN 1 END) AS alerts,
            count(CASE WHEN is_disabled THEN 1 END) AS alerts_off
        FROM {stg_alerts}""",
    ("lookml_model_explores",): """
        SELECT
            count(CASE WHEN is_in_lookml THEN 1 END) AS explores,
            count(DISTINCT CASE WHEN is_in_lookml THEN model_name END) AS models
        FROM {explore_usage}""",
    ("lookml_model_explores", HISTORY): """
        SELECT
            count(CASE WHEN verdict = 'unused' THEN 1 END) AS explores_unused,
            count(CASE WHEN verdict = 'only_in_content' THEN 1 END) AS explores_only_in_content
        FROM {explore_usage}""",
    ("lookml_model_explores", "explore_joins", "explore_fields", HISTORY): """
        SELECT sum(joins) AS joins, sum(joins_unused) AS joins_unused FROM {explore_usage}""",
    ("explore_fields",): """
        SELECT
            count(CASE WHEN is_in_explore THEN 1 END) AS fields
        FROM {field_usage}""",
    ("explore_fields", HISTORY, "system_activity_query_fields|query_fields"): """
        SELECT
            count(CASE WHEN verdict = 'unused' THEN 1 END) AS fields_unused,
            count(CASE WHEN verdict = 'only_in_lookml' THEN 1 END) AS fields_only_in_lookml,
            count(CASE WHEN verdict = 'only_in_filters_sorts_or_calculations' THEN 1 END)
                AS fields_only_filtered,
            count(CASE WHEN verdict = 'used' AND is_in_explore THEN 1 END) AS fields_used
        FROM {field_usage}""",
    ("query_dynamic_fields", "queries"): f"""
        SELECT
            count(*) AS custom,
            count(CASE WHEN queries >= {OFTEN} THEN 1 END) AS custom_often
        FROM {{custom_fields}}""",
    ("system_activity_pdt_builds",): f"""
        SELECT
            count(*) AS pdts,
            count(CASE WHEN {WHERE["pdts_failing"]} THEN 1 END) AS pdts_failing,
            sum(builds) AS builds,
            sum(failures) AS builds_failed
        FROM {{pdt_builds}}""",
    LINEAGE.needs: """
        SELECT
            count(DISTINCT table_name) AS tables,
            count(DISTINCT CASE WHEN table_name IS NOT NULL THEN content_key END)
                AS content_with_tables,
            count(DISTINCT content_key) AS content_with_queries
        FROM {lineage}""",
    (API_USAGE,): """
        SELECT sum(calls) AS calls, count(DISTINCT called_on) AS call_days,
            min(called_on) AS calls_from, max(called_on) AS calls_to
        FROM {api_cost}""",
}  # fmt: skip
"""By the streams without which it makes no sense to ask."""
NAMED: dict[str, tuple[tuple[str, ...], str]] = {
    "slowest": (
        (HISTORY,),
        "SELECT subject_id, average_seconds, queries FROM {performance} WHERE subject_type = "
        f"'explore' AND queries >= {ENOUGH} AND average_seconds IS NOT NULL "
        "ORDER BY average_seconds DESC, subject_id LIMIT 1",
    ),
    "busiest": (
        (HISTORY, "dashboards|looks"),
        "SELECT title, content_type, runs_90d, users_90d FROM {content_usage} WHERE runs_90d > 0 "
        "ORDER BY runs_90d DESC, content_key LIMIT 1",
    ),
    "worst_pdt": (
        ("system_activity_pdt_builds",),
        "SELECT view_name, connection_name, failures, builds FROM {pdt_builds} "
        f"WHERE {WHERE['pdts_failing']} ORDER BY failures DESC, pdt_key LIMIT 1",
    ),
    "worst_schedule": (
        ("scheduled_plans", "system_activity_scheduled_jobs"),
        "SELECT title, failures, runs FROM {schedules} "
        f"WHERE {WHERE['schedules_that_failed']} ORDER BY failures DESC, scheduled_plan_id LIMIT 1",
    ),
    "reader": (
        ("current_user", "users", *LEVELS),
        "SELECT user_name FROM {user_activity} WHERE is_user_of_tap "
        "AND permission_level <> 'admin' ORDER BY user_id LIMIT 1",
    ),
    "top_endpoint": (
        (API_USAGE,),
        "SELECT endpoint, sum(calls) AS calls FROM {api_cost} GROUP BY endpoint "
        "ORDER BY sum(calls) DESC, endpoint LIMIT 1",
    ),
}
"""One row each, of what stands out; None if there is none."""


def read(marts: Marts, landed: Collection[str]) -> Row:
    """All figures by their names."""
    found: Row = dict(marts.one("SELECT * FROM {evidence}"))
    if not found["history_to"]:  # what has no rows says nothing of use
        landed = set(landed) - {HISTORY}
    found["period"] = min(found["history_days"], 90)
    for needs, statement in STATEMENTS.items():
        row = marts.one(statement)
        is_known = not lacking([one for one in needs if one], landed)
        found |= {name: _known(name, value) if is_known else None for name, value in row.items()}
    for name, (needs, statement) in NAMED.items():
        rows = [] if lacking(needs, landed) else marts.rows(statement)
        found[name] = rows[0] if rows else None
    return found


def _known(name: str, value: Any) -> Any:
    """A sum of nothing is zero; the first day of nothing is no day."""
    return 0 if value is None and not name.endswith(("_from", "_to")) else value


def counts(marts: Marts, streams: Collection[str]) -> dict[str, int]:
    """How many rows there are of each stream, one per key."""
    union = " UNION ALL ".join(
        f"SELECT '{one}' AS stream, count(*) AS count FROM {{stg_{one}}}" for one in streams
    )
    return {row["stream"]: row["count"] for row in marts.rows(union)} if union else {}


PLOTS: dict[str, tuple[tuple[str, ...], str]] = {
    "verdicts": (
        ("dashboards|looks",),
        "SELECT verdict, count(*) AS count FROM {content_usage} GROUP BY verdict ORDER BY 1",
    ),
    "busiest": (
        (HISTORY, "dashboards|looks"),
        "SELECT content_id, substr(title, 1, 200) AS title, runs_90d FROM {content_usage} "
        f"WHERE runs_90d > 0 ORDER BY runs_90d DESC, content_key LIMIT {MOST_BARS}",
    ),
    "slowest": (
        (HISTORY,),
        "SELECT subject_id, average_seconds FROM {performance} WHERE subject_type = 'explore' "
        f"AND queries >= {ENOUGH} AND average_seconds IS NOT NULL "
        f"ORDER BY average_seconds DESC, subject_id LIMIT {MOST_BARS}",
    ),
    "levels": (
        ("users", *LEVELS),
        "SELECT permission_level AS level, verdict, count(*) AS users FROM {user_activity} "
        "WHERE NOT is_disabled GROUP BY permission_level, verdict ORDER BY 1, 2",
    ),
}
"""Of all rows: a table may hold a part of them."""


def plots(marts: Marts, landed: Collection[str]) -> dict[str, list[Row]]:
    """The rows that plots show, besides those of days."""
    return {
        name: [] if lacking(needs, landed) else marts.rows(statement)
        for name, (needs, statement) in PLOTS.items()
    }
