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

METRICS = (
    "acquire_connection async_processing cache_load connection_held execute_fill_max_query "
    "execute_fill_min_query execute_fill_pivot_max_query execute_fill_pivot_min_query "
    "execute_grand_totals_query execute_main_query execute_row_totals_query execute_totals_query "
    "explore_init load_fill_max_query_in_memory load_fill_min_query_in_memory "
    "load_fill_pivot_max_query_in_memory load_fill_pivot_min_query_in_memory "
    "load_grand_totals_query_in_memory load_main_query_in_memory "
    "load_process_and_stream_main_query load_row_totals_query_in_memory "
    "load_totals_query_in_memory marshalled_cache_load model_init_cache model_init_computed pdt "
    "per_user_throttler post_processing prepare project_init queued stream_to_cache"
)
"""How long each step of a query took, in seconds."""

_HISTORY = view(
    "history",
    "sa_history",
    number="id runtime look_id query_id sql_query_id user_id node_id",
    string=(
        "slug status source issuer_source result_source result_format message title "
        "connection_name connection_id dialect workspace_id dashboard_id real_dash_id "
        "dashboard_session result_maker_id cache_key render_key"
    ),
    yesno=(
        "cache cache_only is_single_query rebuild_pdts force_production generate_links "
        "server_table_calcs apply_formatting apply_vis"
    ),
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
    number="id limit",
    string=(
        "slug model view fields formatted_fields fill_fields filters filter_expression pivots "
        "formatted_pivots sorts column_limit dynamic_fields client_id link row_total "
        "query_timezone hash"
    ),
    yesno="total",
    time="created",
).with_fields(measure("query", "count", "count_distinct", '"query"."id"'))
_USER = view(
    "user",
    "sa_user",
    number="id home_folder_id",
    string="name email timezone dev_branch_name",
    yesno="is_disabled is_looker_employee",
    time="created",
).with_fields(measure("user", "count", "count_distinct", '"user"."id"'))
_USER_FACTS = view(
    "user_facts",
    "sa_user_facts",
    key="user_id",
    number="user_id active_ui_sessions active_api_sessions",
    string="last_ui_login_credential_type external_id",
    yesno=(
        "is_admin is_developer is_explorer is_viewer is_content_saver is_embed "
        "is_looker_employee has_ui_credentials has_api_credentials"
    ),
    time="last_ui_login last_api_login",
)
_LOOK = view(
    "look",
    "sa_look",
    number="id user_id folder_id query_id last_updater_id deleter_id",
    string="title description public_slug",
    yesno="deleted public is_run_on_load",
    time="created updated",
).with_fields(*time("look", "deleted", sql='"look"."deleted_at"'))
_DASHBOARD = view(
    "dashboard",
    "sa_dashboard",
    number="id user_id folder_id deleter_id",
    string="title link description query_timezone refresh_interval",
    yesno="deleted hidden run_on_load show_title show_filters_bar",
    time="created",
).with_fields(*time("dashboard", "deleted", sql='"dashboard"."deleted_at"'))
_FOLDERS = view(
    "folders",
    "sa_folder",
    number="id parent_id creator_id",
    string="name external_id",
    yesno=(
        "is_personal is_personal_descendant is_shared_root is_users_root is_embed "
        "is_embed_shared_root is_embed_users_root"
    ),
    time="created deleted",
)
_NODE = view("node", "sa_node", number="id", string="hostname version")
_SQL_QUERY = view(
    "sql_query",
    "sa_sql_query",
    number="id run_count last_runtime user_id",
    string="slug sql connection_name connection_id hash",
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
    number="id scheduled_plan_id user_id look_id dashboard_id query_id",
    string=(
        "status status_detail name cron_schedule timezone datagroup lookml_dashboard_id "
        "filters_string"
    ),
    yesno=(
        "run_once run_as_recipient send_all_results row_limit_reached include_links "
        "require_results require_no_results require_change"
    ),
    time="created finalized",
).with_fields(measure("scheduled_job", "count", "count"))
_SCHEDULED_JOB_STAGE = view(
    "scheduled_job_stage",
    "sa_scheduled_job_stage",
    number="id scheduled_job_id runtime",
    string="stage",
    time="started completed",
)
_PDT_EVENT_LOG = view(
    "pdt_event_log",
    "sa_pdt_event_log",
    number="id sequence",
    string="action action_data connection model_name view_name table_name tid hash",
    time="created",
)
_PDT_BUILDS = view(
    "pdt_builds",
    "sa_pdt_builds",
    key="tid",
    number="elapsed_seconds",
    string=(
        "tid connection model_name view_name status build_result build_reason context workspace"
    ),
    yesno="dev_build",
    time="start end",
)
_QUERY_METRICS = view(
    "query_metrics",
    "sa_query_metrics",
    number=f"id {METRICS}",
    string="query_task_id",
)
_API_USAGE = view(
    "api_usage", "sa_api_usage", key="", string="endpoint", time="created"
).with_fields(measure("api_usage", "total_usage", "sum", '"api_usage"."usage"'))
_FIELD_USAGE = view(
    "field_usage", "sa_field_usage", key="", number="times_used", string="model explore field view"
)
_CONTENT_USAGE = view(
    "content_usage",
    "sa_content_usage",
    key="",
    number=(
        "other_total api_total embed_total favorites_total schedule_total public_count "
        "prefetch_count days_since_last_accessed"
    ),
    string="content_id content_type content_title",
    time="last_accessed",
)
_DASHBOARD_PERFORMANCE = view(
    "dashboard_performance",
    "sa_dashboard_performance",
    key="dashboard_run_session",
    number=(
        "seconds_until_dashboard_run_start seconds_until_first_data_received "
        "seconds_until_last_data_received seconds_until_first_tile_finished_rendering "
        "seconds_until_last_tile_finished_rendering"
    ),
    string="dashboard_run_session dashboard_page_session dash_id",
    time="first_event_at last_event_at",
)
_DASHBOARD_PAGE_EVENT_STATS = view(
    "dashboard_page_event_stats",
    "sa_dashboard_page_event_stats",
    key="",
    number=(
        "seconds_until_controller_initialized seconds_until_metadata_loaded "
        "seconds_until_dom_content_loaded"
    ),
)
_DASHBOARD_HISTORY_STATS = View(
    "dashboard_history_stats",
    "sa_dashboard_performance",
    (
        dimension("dashboard_history_stats", "total_runtime", "number"),
        dimension("dashboard_history_stats", "min_runtime", "number"),
        dimension("dashboard_history_stats", "max_runtime", "number"),
        dimension("dashboard_history_stats", "total_queries", "number"),
        dimension("dashboard_history_stats", "dashboard_id", "string"),
    ),
)
_API_CLIENT = View(
    "query_api_client_context",
    "sa_history",
    (
        dimension(
            "query_api_client_context", "name", "string", '"query_api_client_context"."client_name"'
        ),
    ),
)
_ROLE = view("role", "sa_role", number="id", string="name", yesno="built_in embed")
_PERMISSION_SET = view("permission_set", "sa_permission_set", number="id", string="name")
_MODEL_SET = view("model_set", "sa_model_set", number="id", string="name")
_GROUP = view(
    "group",
    "sa_group",
    number="id",
    string="name external_group_id",
    yesno="externally_managed include_by_default can_add_to_content_metadata",
)
_MERGE_QUERY = view(
    "merge_query",
    "sa_merge_query",
    number="id column_limit",
    string="hash dynamic_fields sorts formatted_pivots",
    yesno="total",
    time="created",
)
_MERGE_QUERY_SOURCE_QUERY = view(
    "merge_query_source_query",
    "sa_merge_query_source_query",
    number="id merge_query_id query_id rank",
    string="name merge_fields",
)
_DB_CONNECTION = view(
    "db_connection",
    "sa_db_connection",
    number="id user_id max_connections pool_timeout",
    string=(
        "name dialect host port database schema tmp_db_name db_timezone query_timezone "
        "maintenance_cron max_billing_gigabytes user_attribute_fields"
    ),
    yesno="ssl verify_ssl uses_tns sql_runner_precache_tables",
    time="created last_regen_at last_reap_at",
)

# The fields of the next explores are not published: their names are made up, so that whoever reads
# them has to ask for the metadata.
_API_USAGE_HOURLY = view(
    "api_usage_hourly",
    "sa_api_usage_hourly",
    key="",
    string="client_name",
    number="status_code",
).with_fields(
    *time("api_usage_hourly", "created", ("raw", "hour", "date", "month")),
    measure("api_usage_hourly", "total_usage", "sum", '"api_usage_hourly"."usage"'),
    measure("api_usage_hourly", "average_latency", "average", '"api_usage_hourly"."latency"'),
    measure("api_usage_hourly", "last_call", "time", '"api_usage_hourly"."created"'),
)
_API_USAGE_ENDPOINT = view(
    "api_usage_endpoint", "sa_api_usage_endpoint", number="id", string="verb path"
)
_CONCURRENCY = view(
    "concurrency",
    "sa_concurrency",
    key="pk",
    string="pk",
    number="fraction running",
    time="started",
)
_OAUTH_EVENTS = view(
    "scheduled_plan_oauth_events",
    "sa_scheduled_plan_oauth_event",
    key="",
    number="scheduled_plan_id",
    string="connection_name outcome",
)


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
        Join(_MODEL_SET, '"model_set"."id" = "role"."model_set_id"', ("user_role", "role")),
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
    Join(_API_CLIENT, '"query_api_client_context"."id" = "history"."id"'),
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
                Join(
                    _DASHBOARD_PAGE_EVENT_STATS,
                    '"dashboard_page_event_stats"."dashboard_page_session" = '
                    '"dashboard_performance"."dashboard_page_session"',
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
        (_LOOK, (_to(_QUERY, "look"), _in_folder("look"), *_people("look"))),
        (_DASHBOARD, (_in_folder("dashboard"), *_people("dashboard"))),
        (_FOLDERS, ()),
        (
            _ROLE,
            (
                _to(_PERMISSION_SET, "role"),
                Join(_MODEL_SET, '"model_set"."id" = "role"."model_set_id"'),
            ),
        ),
        (_GROUP, ()),
        (_DB_CONNECTION, (_to(_USER, "db_connection"),)),
        (
            _MERGE_QUERY,
            (
                Join(
                    _MERGE_QUERY_SOURCE_QUERY,
                    '"merge_query_source_query"."merge_query_id" = "merge_query"."id"',
                    relationship="one_to_many",
                ),
                Join(
                    _QUERY,
                    '"query"."id" = "merge_query_source_query"."query_id"',
                    ("merge_query_source_query",),
                    relationship="many_to_many",
                ),
            ),
        ),
        (
            _API_USAGE_HOURLY,
            (
                Join(
                    _API_USAGE_ENDPOINT,
                    '"api_usage_endpoint"."id" = "api_usage_hourly"."endpoint_id"',
                ),
            ),
        ),
        (_CONCURRENCY, (_to(_DB_CONNECTION, "concurrency"),)),
        (_OAUTH_EVENTS, ()),
    )
    plain = tuple(
        Explore(MODEL, base.name, base, joins, connection="looker__internal")
        for base, joins in known
    )
    # A plan without jobs is a row too, and so is a job without stages.
    jobs = Explore(
        MODEL,
        "scheduled_plan",
        _SCHEDULED_PLAN,
        (
            Join(
                _SCHEDULED_JOB,
                '"scheduled_job"."scheduled_plan_id" = "scheduled_plan"."id"',
                relationship="one_to_many",
            ),
            Join(
                _SCHEDULED_JOB_STAGE,
                '"scheduled_job_stage"."scheduled_job_id" = "scheduled_job"."id"',
                ("scheduled_job",),
                relationship="one_to_many",
            ),
            _to(_LOOK, "scheduled_plan"),
            _to(_DASHBOARD, "scheduled_plan"),
            *_people("scheduled_plan"),
        ),
        connection="looker__internal",
    )
    return (*plain, jobs)


def _in_folder(through: str) -> Join:
    return Join(_FOLDERS, f'"folders"."id" = "{through}"."folder_id"')


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
