"""The tables of the page, as data: which columns of which mart, and which streams these rest on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tap_looker_report.models import Marts

HISTORY = "system_activity_history"
API_USAGE = "system_activity_api_usage_hourly|system_activity_api_usage"
LEVELS = ("user_roles", "roles", "permission_sets", "permission_set_permissions")
TEXT, NUMBER, SECONDS, SHARE, DAY, YES, VERDICT, CODE = (
    "text",
    "number",
    "seconds",
    "share",
    "day",
    "yes",
    "verdict",
    "code",
)
"""Kinds of columns: how the page shows, sorts and exports them."""
MOST_ROWS = 20_000
"""Of a table: more of them would make a page that nobody can open."""


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        name: In the statement.
        label: Its heading.
        kind: One of the kinds above.
        needs: Streams without which it would be empty or, worse, zero: it is left out.
    """

    name: str
    label: str
    kind: str = TEXT
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class View:
    """Rows of a table that a sentence counts.

    Attributes:
        name: Its id in the page.
        label: What they are.
        where: The condition, in SQL.
        needs: Streams without which they are not known.
    """

    name: str
    label: str
    where: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        name: Its id in the page.
        caption: What it lists.
        columns: From left to right.
        source: The statement from FROM on, whose rows come in the order of the page.
        needs: Streams without which there is no table.
        helps: Streams without which its verdicts or names are less sure.
        empty: What it means that it has no rows.
        views: Some of its rows, which links select.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    source: str
    needs: tuple[str, ...]
    helps: tuple[str, ...] = ()
    empty: str = "There are none."
    views: tuple[View, ...] = ()

    def shown(self, landed: Collection[str]) -> list[Column]:
        """The columns that are known of."""
        return [column for column in self.columns if not lacking(column.needs, landed)]

    def missing(self, landed: Collection[str]) -> list[str]:
        """Streams that would add something."""
        wanted = [*self.helps, *(need for column in self.columns for need in column.needs)]
        return lacking(dict.fromkeys(wanted), landed)

    def data(self, marts: Marts, landed: Collection[str]) -> dict[str, Any]:
        """What the page needs: its columns, and values column by column.

        A column whose texts repeat has each of them once, and their places.
        """
        columns = self.shown(landed)
        views = [view for view in self.views if not lacking(view.needs, landed)]
        names = ", ".join(
            [
                *(column.name for column in columns),
                *(f"CASE WHEN {one.where} THEN 1 END AS {one.name}" for one in views),
            ]
        )
        rows = marts.rows(f"SELECT {names} {self.source} LIMIT {MOST_ROWS + 1}")
        is_cut = len(rows) > MOST_ROWS
        rows = rows[:MOST_ROWS]
        return {
            "caption": self.caption,
            "empty": self.empty,
            "cut": MOST_ROWS if is_cut else 0,
            "columns": [
                {
                    "name": (name := column.name.rpartition(" ")[2]),
                    "label": column.label,
                    "kind": column.kind,
                    **packed([row[name] for row in rows]),
                }
                for column in columns
            ],
            "views": [
                {
                    "name": view.name,
                    "label": view.label,
                    "rows": [place for place, row in enumerate(rows) if row[view.name]],
                }
                for view in views
            ],
        }


def packed(values: list[Any]) -> dict[str, Any]:
    """Values of a column, without repeating long ones."""
    values = [round(one, 3) if isinstance(one, float) else one for one in values]
    texts = [one for one in values if isinstance(one, str)]
    distinct = list(dict.fromkeys(texts))
    if len(texts) < len([one for one in values if one is not None]) or (
        len(distinct) * 3 > len(texts)
    ):
        return {"values": values}
    place = {text: number for number, text in enumerate(distinct)}
    return {"texts": distinct, "values": [None if one is None else place[one] for one in values]}


def lacking(needs: Iterable[str], landed: Collection[str]) -> list[str]:
    """The streams that are not there, of those that are needed; of ``one|other`` either will do."""
    return [
        need.partition("|")[0]
        for need in needs
        if not any(one in landed for one in need.split("|"))
    ]


def _day(name: str) -> str:
    return f"cast({name} as date) as {name}"


CONTENT = Table(
    "content",
    "Dashboards and looks",
    (
        Column("title", "Title"),
        Column("verdict", "Verdict", VERDICT),
        Column("reason", "Why"),
        Column("content_type", "Kind"),
        Column("runs_90d", "Runs, 90 days", NUMBER, (HISTORY,)),
        Column("users_90d", "Users, 90 days", NUMBER, (HISTORY,)),
        Column("last_used_on", "Last run", DAY, (HISTORY,)),
        Column("folder_path", "Folder", needs=("folders",)),
        Column("owner_name", "Owner", needs=("users",)),
        Column("is_owner_disabled", "Owner disabled", YES, ("users",)),
        Column("runs_14d", "Runs, 14 days", NUMBER, (HISTORY,)),
        Column("views", "Views ever", NUMBER),
        Column(_day("last_viewed_at"), "Last viewed", DAY),
        Column("schedules_enabled", "Schedules on", NUMBER, ("scheduled_plans",)),
        Column("alerts_enabled", "Alerts on", NUMBER, ("alerts", "dashboard_elements")),
        Column("favorites", "Favorites", NUMBER),
        Column("boards", "Boards", NUMBER, ("boards", "board_sections", "board_items")),
        Column(_day("created_at"), "Created", DAY),
        Column("content_id", "Id", CODE),
    ),
    "FROM {content_usage} ORDER BY CASE verdict WHEN 'unused' THEN 0 WHEN 'linked' THEN 1 "
    "WHEN 'delivered' THEN 2 WHEN 'on_dashboard' THEN 3 WHEN 'unknown' THEN 4 "
    "WHEN 'deleted' THEN 9 ELSE 5 END, coalesce(runs_90d, 0), content_type, title, content_id",
    needs=("dashboards|looks",),
    helps=(
        HISTORY,
        "dashboards",
        "looks",
        "scheduled_plans",
        "alerts",
        "content_favorites",
        "lookml_dashboards",
        "dashboard_element_queries",
    ),
    views=(
        View(
            "content_of_disabled",
            "Of disabled users, outside the trash",
            "is_owner_disabled AND verdict NOT IN ('deleted', 'not_listed')",
            ("users",),
        ),
    ),
)
PEOPLE = Table(
    "people",
    "Users and their activity",
    (
        Column("coalesce(user_name, user_email, user_id) as user_name", "Name"),
        Column("verdict", "Verdict", VERDICT),
        Column("kind", "Kind"),
        Column("permission_level", "Level", needs=LEVELS),
        Column(_day("last_login_at"), "Last login", DAY),
        Column("days_since_last_login", "Days since", NUMBER),
        Column("last_query_on", "Last query", DAY, (HISTORY,)),
        Column("queries_90d", "Queries, 90 days", NUMBER, (HISTORY,)),
        Column("active_days_90d", "Active days, 90 days", NUMBER, (HISTORY,)),
        Column("content_owned", "Content owned", NUMBER, ("dashboards", "looks")),
        Column("user_email", "Email"),
        Column("roles", "Roles", needs=("user_roles", "roles")),
        Column("login_methods", "Ways to log in", needs=("user_credentials",)),
        Column("api_keys", "API keys", NUMBER, ("user_credentials",)),
        Column("lockouts", "Lockouts", NUMBER, ("user_login_lockouts",)),
        Column("user_id", "Id", CODE),
    ),
    "FROM {user_activity} ORDER BY CASE verdict WHEN 'never_logged_in' THEN 0 WHEN 'inactive' THEN "
    "1 WHEN 'unknown' THEN 2 WHEN 'active' THEN 3 ELSE 4 END, user_name, user_id",
    needs=("users",),
    helps=(
        HISTORY,
        "user_credentials",
        "system_activity_user_facts",
        "group_roles",
        "user_groups",
        "group_parents",
        "groups",
    ),
)
PERFORMANCE = Table(
    "performance",
    "Query times of explores, dashboards, looks and connections",
    (
        Column("subject_title", "What"),
        Column("subject_type", "Kind"),
        Column("queries", "Queries", NUMBER),
        Column("users", "Users", NUMBER),
        Column("average_seconds", "Average", SECONDS),
        Column("longest_seconds", "Longest", SECONDS),
        Column("total_seconds", "Together", SECONDS),
        Column("slow_queries", "Slow queries", NUMBER),
        Column("errors", "Errors", NUMBER),
        Column("share_of_errors", "Failed", SHARE),
        Column("share_from_cache", "From cache", SHARE),
        Column("share_waiting", "Waiting", SHARE, ("system_activity_query_metrics",)),
        Column(
            "seconds_until_rendered",
            "Until drawn",
            SECONDS,
            ("system_activity_dashboard_performance",),
        ),
        Column("subject_id", "Id", CODE),
    ),
    "FROM {performance} ORDER BY total_seconds DESC NULLS LAST, subject_key",
    needs=(HISTORY,),
    helps=("dashboards", "looks"),
    empty="No query ran in the last 90 days of history.",
    views=(
        View(
            "explores_slow",
            "Explores with slow queries",
            "subject_type = 'explore' AND slow_queries > 0",
        ),
    ),
)
PDTS = Table(
    "pdts",
    "Persistent derived tables",
    (
        Column("view_name", "View"),
        Column("model_name", "Model"),
        Column("connection_name", "Connection"),
        Column("builds", "Builds", NUMBER),
        Column("failures", "Failures", NUMBER),
        Column("average_seconds", "Average", SECONDS),
        Column("longest_seconds", "Longest", SECONDS),
        Column("total_seconds", "Together", SECONDS),
        Column("builds_in_development", "In development", NUMBER),
        Column("last_status", "Last status"),
        Column("last_build_at", "Last build (UTC)"),
        Column("last_failure_at", "Last failure (UTC)"),
    ),
    "FROM {pdt_builds} ORDER BY failures DESC, total_seconds DESC NULLS LAST, pdt_key",
    needs=("system_activity_pdt_builds",),
    empty="No build was recorded.",
    views=(View("pdts_failing", "With failures", "failures > 0"),),
)
SCHEDULES = Table(
    "schedules",
    "Schedules",
    (
        Column("title", "Schedule"),
        Column("verdict", "Verdict", VERDICT),
        Column("failures", "Failures", NUMBER, ("system_activity_scheduled_jobs",)),
        Column("runs", "Runs", NUMBER, ("system_activity_scheduled_jobs",)),
        Column("last_run_at", "Last run (UTC)"),
        Column("last_run_status", "Last status"),
        Column("content_title", "Delivers"),
        Column("content_type", "Kind"),
        Column("owner_name", "Owner", needs=("users",)),
        Column("last_run_detail", "Looker says", needs=("system_activity_scheduled_jobs",)),
        Column("last_failure_at", "Last failure (UTC)", needs=("system_activity_scheduled_jobs",)),
        Column("runs_cut_at_row_limit", "Cut runs", NUMBER, ("system_activity_scheduled_jobs",)),
        Column("destinations", "Destinations", NUMBER, ("scheduled_plan_destinations",)),
        Column("external_addresses", "Outside", NUMBER, ("scheduled_plan_destinations", "users")),
        Column("crontab", "Cron", CODE),
        Column("datagroup", "Datagroup"),
        Column("folder_path", "Folder", needs=("folders",)),
        Column("scheduled_plan_id", "Id", CODE),
    ),
    "FROM {schedules} ORDER BY CASE verdict WHEN 'failing' THEN 0 WHEN 'owner_disabled' THEN 1 "
    "WHEN 'content_deleted' THEN 2 WHEN 'never_run' THEN 3 WHEN 'ok' THEN 4 ELSE 5 END, "
    "coalesce(failures, 0) DESC, title, scheduled_plan_id",
    needs=("scheduled_plans",),
    helps=("dashboards", "looks"),
    views=(
        View(
            "schedules_that_failed",
            "On, with failures",
            "is_enabled AND failures > 0",
            ("system_activity_scheduled_jobs",),
        ),
        View(
            "schedules_outside",
            "On, to addresses outside",
            "is_enabled AND external_addresses > 0",
            ("scheduled_plan_destinations", "users"),
        ),
    ),
)
ALERTS = Table(
    "alerts",
    "Alerts",
    (
        Column("title", "Alert"),
        Column("state", "State", VERDICT),
        Column("dashboard", "Dashboard", needs=("dashboard_elements", "dashboards")),
        Column("owner", "Owner", needs=("users",)),
        Column("is_owner_disabled", "Owner disabled", YES, ("users",)),
        Column("disabled_reason", "Why it is off"),
        Column("cron", "Cron", CODE),
        Column("id", "Id", CODE),
    ),
    "FROM (SELECT alerts.id, coalesce(alerts.custom_title, tiles.title, 'Alert ' || alerts.id) AS "
    "title, CASE WHEN coalesce(alerts.is_disabled, false) THEN 'off' ELSE 'on' END AS state, "
    "coalesce(content.title, alerts.lookml_dashboard_id, tiles.dashboard_id) AS dashboard, "
    "users.display_name AS owner, users.is_disabled AS is_owner_disabled, alerts.disabled_reason, "
    "alerts.cron FROM {stg_alerts} AS alerts "
    "LEFT JOIN {stg_dashboard_elements} AS tiles ON tiles.id = alerts.dashboard_element_id "
    "LEFT JOIN {content_usage} AS content ON content.content_key = CASE WHEN "
    "alerts.lookml_dashboard_id IS NULL THEN 'dashboard|' || tiles.dashboard_id ELSE "
    "'lookml_dashboard|' || alerts.lookml_dashboard_id END "
    "LEFT JOIN {stg_users} AS users ON users.id = alerts.owner_id) AS alerts "
    "ORDER BY state, is_owner_disabled DESC, title, id",
    needs=("alerts",),
)
EXPLORES = Table(
    "explores",
    "Explores",
    (
        Column("explore_name", "Explore", CODE),
        Column("model_name", "Model", CODE),
        Column("verdict", "Verdict", VERDICT),
        Column("reason", "Why"),
        Column("is_hidden", "Hidden", YES),
        Column("queries_90d", "Queries, 90 days", NUMBER, (HISTORY,)),
        Column("users_90d", "Users, 90 days", NUMBER, (HISTORY,)),
        Column("last_run_on", "Last query", DAY, (HISTORY,)),
        Column("dashboards", "Dashboards", NUMBER, ("dashboard_element_queries", "query_fields")),
        Column("looks", "Looks", NUMBER, ("looks", "query_fields")),
        Column("fields", "Fields", NUMBER, ("explore_fields",)),
        Column("fields_unused", "Unused fields", NUMBER, ("explore_fields", HISTORY)),
        Column("joins", "Joins", NUMBER, ("explore_joins",)),
        Column("joins_unused", "Unused joins", NUMBER, ("explore_joins", "explore_fields")),
        Column("project_name", "Project"),
    ),
    "FROM {explore_usage} ORDER BY CASE verdict WHEN 'unused' THEN 0 WHEN 'only_in_content' THEN 1 "
    "WHEN 'unknown' THEN 2 ELSE 3 END, coalesce(queries_90d, 0), model_name, explore_name",
    needs=("lookml_model_explores",),
    helps=(HISTORY, "dashboard_element_queries", "query_fields"),
)
FIELDS = Table(
    "fields",
    "Fields of explores",
    (
        Column("field", "Field", CODE),
        Column("explore_name", "Explore", CODE),
        Column("model_name", "Model", CODE),
        Column("verdict", "Verdict", VERDICT),
        Column("category", "Category"),
        Column("type", "Type"),
        Column("is_hidden", "Hidden", YES),
        Column("is_custom", "Custom", YES),
        Column("dashboards", "Dashboards", NUMBER, ("dashboard_element_queries", "query_fields")),
        Column("looks", "Looks", NUMBER, ("looks", "query_fields")),
        Column("queries_90d", "Queries, 90 days", NUMBER, ("system_activity_query_fields",)),
        Column("users_90d", "Users, 90 days", NUMBER, ("system_activity_query_fields",)),
        Column("last_run_on", "Last query", DAY, ("system_activity_query_fields",)),
        Column("times_used", "Looker's count", NUMBER, ("system_activity_field_usage",)),
    ),
    "FROM {field_usage} ORDER BY CASE verdict WHEN 'unused' THEN 0 WHEN 'used_before' THEN 1 "
    "WHEN 'only_in_lookml' THEN 2 WHEN 'unknown' THEN 3 ELSE 4 END, "
    "model_name, explore_name, field",
    needs=("explore_fields",),
    helps=(
        HISTORY,
        "system_activity_query_fields",
        "query_fields",
        "dashboard_element_queries",
        "explore_joins",
        "explore_access_filters",
    ),
)
CUSTOM = Table(
    "custom",
    "Custom fields and table calculations that queries define",
    (
        Column("label", "Label"),
        Column("kind", "Kind"),
        Column("coalesce(expression, args) as expression", "Expression", CODE),
        Column("based_on", "Based on", CODE),
        Column("type", "Type"),
        Column("explore_name", "Explore", CODE),
        Column("model_name", "Model", CODE),
        Column("queries", "Queries", NUMBER),
        Column("dashboards", "Dashboards", NUMBER, ("dashboard_element_queries",)),
        Column("looks", "Looks", NUMBER, ("looks",)),
        Column("names", "Names", NUMBER),
    ),
    "FROM {custom_fields} ORDER BY queries DESC, dashboards DESC, custom_field_key",
    needs=("query_dynamic_fields", "queries"),
    empty="No query defines fields of its own.",
)
ENDPOINTS = Table(
    "endpoints",
    "Calls of the instance's API by endpoint",
    (
        Column("endpoint", "Endpoint", CODE),
        Column("calls", "Calls", NUMBER),
        Column("per_day", "Calls per day", NUMBER),
        Column("first_on", "From", DAY),
        Column("last_on", "To", DAY),
    ),
    "FROM (SELECT endpoint, sum(calls) AS calls, sum(calls) * 1.0 / count(DISTINCT called_on) AS "
    "per_day, min(called_on) AS first_on, max(called_on) AS last_on FROM {api_cost} GROUP BY "
    "endpoint) AS endpoints ORDER BY calls DESC, endpoint",
    needs=(API_USAGE,),
)
DAYS = Table(
    "days",
    "Queries by day",
    (
        Column("ran_on", "Day", DAY),
        Column("people", "By people", NUMBER),
        Column("embed", "Embedded", NUMBER),
        Column("api", "By API", NUMBER),
        Column("schedule", "By schedules", NUMBER),
        Column("by_looker", "By Looker itself", NUMBER),
        Column("tap", "By this key", NUMBER),
        Column("users", "Active people", NUMBER),
        Column("errors", "Failed", NUMBER),
        Column("from_cache", "From cache", NUMBER),
    ),
    "FROM (SELECT ran_on, "
    + ", ".join(
        f"sum(CASE WHEN audience = '{audience}' THEN queries ELSE 0 END) AS {name}"
        for audience, name in {
            "people": "people",
            "embed": "embed",
            "api": "api",
            "schedule": "schedule",
            "system": "by_looker",
            "tap": "tap",
        }.items()
    )
    + ", count(DISTINCT CASE WHEN audience IN ('people', 'embed') THEN user_id END) AS users, "
    "sum(errors) AS errors, sum(from_cache) AS from_cache FROM {query_usage_daily} "
    "GROUP BY ran_on) AS days ORDER BY ran_on",
    needs=(HISTORY,),
    helps=("users", "system_activity_user_facts", "current_user"),
)
CALLS = Table(
    "calls",
    "Calls of the instance's API by day",
    (Column("called_on", "Day", DAY), Column("calls", "Calls", NUMBER)),
    "FROM (SELECT called_on, sum(calls) AS calls FROM {api_cost} GROUP BY called_on) AS days "
    "ORDER BY called_on",
    needs=(API_USAGE,),
)
LINEAGE = Table(
    "lineage",
    "From content to tables",
    (
        Column("content_title", "Dashboard or look"),
        Column("content_type", "Kind"),
        Column("tiles", "Tiles", NUMBER),
        Column("explore", "Explore", CODE),
        Column("view_name", "View", CODE),
        Column("table_name", "Table", CODE),
        Column("connection_name", "Connection", CODE),
        Column("table_known_from", "Known from"),
        Column("folder_path", "Folder", needs=("folders",)),
        Column("content_id", "Id", CODE),
    ),
    "FROM (SELECT content_type, content_id, content_title, folder_path, model_name || '::' || "
    "explore_name AS explore, view_name, table_name, connection_name, "
    "min(table_known_from) AS table_known_from, "
    "nullif(count(DISTINCT dashboard_element_id), 0) AS tiles "
    "FROM {lineage} WHERE model_name IS NOT NULL "
    "GROUP BY content_type, content_id, content_title, folder_path, model_name, explore_name, "
    "view_name, table_name, connection_name) AS paths "
    "ORDER BY content_title, content_type, content_id, explore, view_name, table_name",
    needs=("dashboard_element_queries|looks", "queries", "query_fields"),
    helps=(
        "dashboards",
        "looks",
        "explores",
        "explore_fields",
        "explore_joins",
        "explore_tables",
        "merge_query_sources",
    ),
)
TABLES = (
    CONTENT,
    DAYS,
    PEOPLE,
    PERFORMANCE,
    PDTS,
    SCHEDULES,
    ALERTS,
    EXPLORES,
    FIELDS,
    CUSTOM,
    LINEAGE,
    CALLS,
    ENDPOINTS,
)
WHERE = {view.name: view.where for table in TABLES for view in table.views}
"""Conditions of the views, by name: what is counted is what a link shows."""
