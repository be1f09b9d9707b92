"""The LookML model of System Activity, `system__activity`.

Explores and fields come from Looker's documentation and public copies of the model. Ids are
numbers, even where the API uses slugs: the API's id of a query is `query.slug`, not `query.id`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.queries.explores import Explore, Join, View, dimension, measure, time, view

if TYPE_CHECKING:
    from looker_emulator.instance.values import Row

MODEL = "system__activity"

_HISTORY = view(
    "history",
    "sa_history",
    number="id runtime look_id query_id sql_query_id user_id node_id",
    string=(
        "slug status source issuer_source result_source result_format message connection_name "
        "dialect workspace_id dashboard_id real_dash_id dashboard_session cache_key render_key"
    ),
    yesno="cache is_single_query rebuild_pdts",
    time="created completed",
).with_fields(
    measure("history", "query_run_count", "count"),
    measure("history", "count", "count"),
    measure("history", "average_runtime", "average", '"history"."runtime"'),
    measure("history", "total_runtime", "sum", '"history"."runtime"'),
    measure("history", "most_recent_query_date", "date", '"history"."created"'),
    measure("history", "most_recent_run_at_time", "time", '"history"."created"'),
)
_QUERY = view(
    "query",
    "sa_query",
    number="id",
    string=(
        "slug model view fields formatted_fields filters filter_expression formatted_pivots "
        "sorts limit column_limit dynamic_fields client_id link"
    ),
    time="created",
).with_fields(measure("query", "count", "count_distinct", '"query"."id"'))
_USER = view(
    "user",
    "sa_user",
    number="id home_folder_id",
    string="name email",
    yesno="is_disabled is_looker_employee",
    time="created",
).with_fields(measure("user", "count", "count_distinct", '"user"."id"'))
_USER_FACTS = view(
    "user_facts",
    "sa_user_facts",
    key="user_id",
    number="user_id",
    string="last_ui_login_credential_type",
    yesno="is_looker_employee",
    time="last_ui_login last_api_login",
)
_LOOK = view(
    "look",
    "sa_look",
    number="id user_id folder_id",
    string="title",
    yesno="deleted",
    time="created",
)
_DASHBOARD = view(
    "dashboard",
    "sa_dashboard",
    number="id user_id folder_id",
    string="title link",
    yesno="deleted",
    time="created",
)
_NODE = view("node", "sa_node", number="id", string="hostname version")
_SQL_QUERY = view(
    "sql_query",
    "sa_sql_query",
    number="id run_count user_id",
    string="slug sql connection_name",
    time="created last_run",
)
_EVENT = view(
    "event",
    "sa_event",
    number="id user_id sudo_user_id",
    string="name category",
    yesno="is_api_call is_admin is_looker_employee",
    time="created",
).with_fields(measure("event", "count", "count"))
_EVENT_ATTRIBUTE = view(
    "event_attribute", "sa_event_attribute", number="id event_id", string="name value"
)
_SCHEDULED_PLAN = view(
    "scheduled_plan",
    "sa_scheduled_plan",
    number="id user_id",
    string="title cron_schedule",
    yesno="enabled run_once",
    time="created",
)
_SCHEDULED_JOB = view(
    "scheduled_job",
    "sa_scheduled_job",
    number="id scheduled_plan_id user_id look_id dashboard_id",
    string="status status_detail name cron_schedule lookml_dashboard_id",
    time="created finalized",
).with_fields(measure("scheduled_job", "count", "count"))
_PDT_EVENT_LOG = view(
    "pdt_event_log",
    "sa_pdt_event_log",
    number="id",
    string="action action_data connection model_name view_name table_name tid",
    time="created",
)
_PDT_BUILDS = view(
    "pdt_builds",
    "sa_pdt_builds",
    key="tid",
    number="elapsed_seconds",
    string="tid connection model_name view_name status",
    time="start end",
)
_QUERY_METRICS = view(
    "query_metrics",
    "sa_query_metrics",
    number="id model_init prepare main_query async_processing stream_to_cache row_count",
    string="query_task_id",
)
_API_USAGE = view(
    "api_usage", "sa_api_usage", key="", string="endpoint", time="created"
).with_fields(measure("api_usage", "total_usage", "sum", '"api_usage"."usage"'))
_FIELD_USAGE = view(
    "field_usage", "sa_field_usage", key="", number="times_used", string="model explore field"
)
_CONTENT_USAGE = view(
    "content_usage",
    "sa_content_usage",
    key="",
    number="other_total api_total embed_total favorites_total schedule_total",
    string="content_id content_type content_title",
    time="last_accessed",
)
_DASHBOARD_PERFORMANCE = view(
    "dashboard_performance",
    "sa_dashboard_performance",
    key="dashboard_run_session",
    number="seconds_until_first_data_received",
    string="dashboard_run_session dashboard_page_session dash_id",
).with_fields(*time("dashboard_performance", "first_event_at"))
_DASHBOARD_HISTORY_STATS = View(
    "dashboard_history_stats",
    "sa_dashboard_performance",
    (
        dimension("dashboard_history_stats", "total_runtime", "number"),
        dimension("dashboard_history_stats", "query_count", "number"),
    ),
)
_ROLE = view("role", "sa_role", number="id", string="name")
_PERMISSION_SET = view("permission_set", "sa_permission_set", number="id", string="name")
_GROUP = view("group", "sa_group", number="id", string="name")


def _to(joined: View, through: str, *after: str) -> Join:
    """The join of a view to the row that has its id."""
    return Join(joined, f'"{joined.name}"."id" = "{through}"."{joined.name}_id"', after)


def _people(through: str) -> tuple[Join, ...]:
    """Users with their roles and groups, which multiply rows."""
    user = '"user"."id"'
    memberships = (
        Join(
            View("user_role", "sa_user_role", ()),
            f'"user_role"."user_id" = {user}',
            ("user",),
            relationship="many_to_many",
        ),
        _to(_ROLE, "user_role", "user_role"),
        Join(
            _PERMISSION_SET,
            '"permission_set"."id" = "role"."permission_set_id"',
            ("user_role", "role"),
        ),
        Join(
            View("group_user", "sa_group_user", ()),
            f'"group_user"."user_id" = {user}',
            ("user",),
            relationship="many_to_many",
        ),
        _to(_GROUP, "group_user", "group_user"),
    )
    facts = Join(_USER_FACTS, f'"user_facts"."user_id" = {user}', ("user",))
    if through == "user":
        return facts, *memberships
    return _to(_USER, through), facts, *memberships


_HISTORY_JOINS = (
    _to(_QUERY, "history"),
    _to(_LOOK, "history"),
    Join(_DASHBOARD, 'CAST("dashboard"."id" AS VARCHAR) = "history"."dashboard_id"'),
    _to(_SQL_QUERY, "history"),
    _to(_NODE, "history"),
    *_people("history"),
)


def _explores() -> tuple[Explore, ...]:
    known: tuple[tuple[View, tuple[Join, ...]], ...] = (
        (_HISTORY, _HISTORY_JOINS),
        (_EVENT, _people("event")),
        (_EVENT_ATTRIBUTE, (_to(_EVENT, "event_attribute"), *_after("event", _people("event")))),
        (_PDT_EVENT_LOG, ()),
        (_PDT_BUILDS, ()),
        (
            _QUERY_METRICS,
            (
                Join(_HISTORY, '"query_metrics"."query_task_id" = "history"."slug"'),
                *_after("history", (_to(_QUERY, "history"), _to(_USER, "history"))),
            ),
        ),
        (_API_USAGE, ()),
        (_FIELD_USAGE, ()),
        (_CONTENT_USAGE, ()),
        (
            _DASHBOARD_PERFORMANCE,
            (
                Join(
                    _DASHBOARD_HISTORY_STATS,
                    '"dashboard_history_stats"."dashboard_run_session" = '
                    '"dashboard_performance"."dashboard_run_session"',
                ),
            ),
        ),
        (_SQL_QUERY, _people("sql_query")),
        (
            _USER,
            (
                *_people("user"),
                Join(_HISTORY, '"history"."user_id" = "user"."id"', relationship="many_to_many"),
            ),
        ),
        (_LOOK, _people("look")),
        (_DASHBOARD, _people("dashboard")),
        (_ROLE, ()),
        (_GROUP, ()),
    )
    plain = tuple(
        Explore(MODEL, base.name, base, joins, connection="looker__internal")
        for base, joins in known
    )
    # The explore named after scheduled plans has a row for each of their jobs.
    jobs = Explore(
        MODEL,
        "scheduled_plan",
        _SCHEDULED_JOB,
        (
            _to(_SCHEDULED_PLAN, "scheduled_job"),
            _to(_LOOK, "scheduled_job"),
            _to(_DASHBOARD, "scheduled_job"),
            *_people("scheduled_job"),
        ),
        connection="looker__internal",
    )
    return (*plain, jobs)


def _after(first: str, joins: tuple[Join, ...]) -> tuple[Join, ...]:
    return tuple(
        Join(join.view, join.on, (first, *join.after), relationship=join.relationship)
        for join in joins
    )


EXPLORES = {explore.name: explore for explore in _explores()}


def model_row() -> Row:
    """The model as `GET /lookml_models?include_internal=true` shows it."""
    return {
        "can": {"index": True, "show": True, "explore": True},
        "allowed_db_connection_names": ["looker__internal"],
        "explores": [
            {
                "name": name,
                "description": None,
                "label": name.replace("_", " ").title(),
                "hidden": False,
                "group_label": "System Activity",
                "can": {"index": True, "show": True},
                "frequent": False,
            }
            for name in EXPLORES
        ],
        "has_content": True,
        "label": "System Activity",
        "name": MODEL,
        "project_name": MODEL,
        "unlimited_db_connections": False,
    }
