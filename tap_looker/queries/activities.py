"""The table of System Activity: one row per stream.

Explores and fields of the LookML model ``system__activity``, as Looker documents it and as copies
of its LookML and queries on it in public repositories show. Role, group and permission fields are
only where they are the rows themselves: elsewhere they would multiply them. An instance that lacks
a field is asked without it. What a field holds is said in ``activity_fields``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MODEL = "system__activity"
PREFIX = "system_activity_"
PERMISSION = "needs see_system_activity, or the Admin role"
QUERIES, QUERY_FIELDS = f"{PREFIX}queries", f"{PREFIX}query_fields"
ROW_KEY, ROW_TIME = "row_key", "row_time"
"""Columns of an explore whose fields are not published; computed from what the instance has."""
_REST_ID = re.compile(
    r"(?:user|look|dashboard|folders|space|group|role|permission_set|model_set|scheduled_plan)\.id"
    r"|\w+\.(?:user_id|sudo_user_id|creator_id|deleter_id|last_updater_id|look_id|dashboard_id"
    r"|folder_id|space_id|group_id|role_id|permission_set_id|model_set_id|scheduled_plan_id)"
    r"|folders\.parent_id"
)


def is_rest_id(field: str) -> bool:
    """Whether a field is an id that the REST API has too, as text."""
    return bool(_REST_ID.fullmatch(field))


@dataclass(frozen=True, kw_only=True)
class Activity:
    """An explore of System Activity and what is read of it.

    Attributes:
        name: Of the stream.
        row: What one row is.
        explore: In LookML (``view`` of a query body).
        integers, ids, numbers, booleans, dates, times, texts: Its fields by kind, space separated;
            ids are numbers in LookML and text in the REST API and in the records.
        keys: Fields of the primary key; texts of it that are null become "".
        replication: Field of the bookmark: an id that grows, or a time; "" for a snapshot.
        time: Field that ``start_date`` and ``end_date`` bound.
        days: How many days before a bookmark that is a time are read again.
        is_joined: The key is of a joined view: the explore also has rows without it.
        moves_at_end: The rows do not come in the order of the bookmark.
        is_discovered: Its fields are read from the metadata of the instance's explore.
        successor: The stream that newer releases fill in its place.
        default: Selected unless told otherwise.
    """

    name: str
    explore: str
    keys: str
    row: str = ""
    integers: str = ""
    ids: str = ""
    numbers: str = ""
    booleans: str = ""
    dates: str = ""
    times: str = ""
    texts: str = ""
    replication: str = ""
    time: str = ""
    days: int = 2
    is_joined: bool = False
    moves_at_end: bool = False
    is_discovered: bool = False
    successor: str = ""
    default: bool = False

    @property
    def kinds(self) -> dict[str, str]:
        """The fields in their order of kinds, and the kind of each."""
        by_kind = {
            "integer": self.integers,
            "id": self.ids,
            "number": self.numbers,
            "yesno": self.booleans,
            "date_date": self.dates,
            "date_time": self.times,
            "string": self.texts,
        }
        return {field: kind for kind, fields in by_kind.items() for field in fields.split()}


def _fields(view: str, names: str) -> str:
    """Fields of one view."""
    return " ".join(f"{view}.{name}" for name in names.split())


# fmt: off
ACTIVITIES = (
    Activity(name="system_activity_history", row="a query that ran", explore="history",
             keys="history.id", replication="history.id", time="history.created_time",
             integers="history.id query.id sql_query.id",
             ids="look.id user.id",
             numbers="history.runtime",
             booleans=_fields("history", "is_single_query rebuild_pdts cache cache_only "
                                         "force_production generate_links server_table_calcs "
                                         "apply_formatting apply_vis"),
             times="history.created_time history.completed_time",
             texts=_fields("history", "slug status source issuer_source result_source "
                                      "result_format message title connection_name connection_id "
                                      "dialect workspace_id dashboard_id real_dash_id "
                                      "dashboard_session result_maker_id cache_key render_key")
                   + " query.slug query.client_id query.model query.view node.id"),
    # Old queries run again, so that no id tells what is new; the last day they ran does.
    Activity(name=QUERIES, row="a query, of those that ran", explore="history",
             keys="query.id", is_joined=True, moves_at_end=True,
             replication="history.most_recent_query_date", time="history.created_time",
             integers="query.id query.limit",
             booleans="query.total",
             dates="history.most_recent_query_date",
             times="query.created_time",
             texts=_fields("query", "slug client_id model view fields formatted_fields fill_fields "
                                    "pivots formatted_pivots filters filter_expression sorts "
                                    "dynamic_fields column_limit row_total query_timezone "
                                    "hash")),
    Activity(name=QUERY_FIELDS, row="a field that such a query uses, and where in it",
             explore="history", keys="query.id place field", moves_at_end=True,
             replication="history.most_recent_query_date", time="history.created_time",
             integers="query.id", booleans="is_custom",
             dates="history.most_recent_query_date",
             texts="query.slug query.model query.view place field"),
    Activity(name="system_activity_query_metrics", row="a query that ran",
             explore="query_metrics", keys="query_metrics.id", replication="query_metrics.id",
             time="history.created_time", integers="query_metrics.id history.id query.id",
             numbers=_fields("query_metrics", "async_processing queued project_init "
                             "model_init_computed model_init_cache explore_init "
                             "marshalled_cache_load prepare per_user_throttler acquire_connection "
                             "connection_held cache_load pdt execute_main_query "
                             "execute_fill_min_query execute_fill_max_query "
                             "execute_fill_pivot_min_query execute_fill_pivot_max_query "
                             "execute_totals_query execute_row_totals_query "
                             "execute_grand_totals_query load_main_query_in_memory "
                             "load_fill_min_query_in_memory load_fill_max_query_in_memory "
                             "load_fill_pivot_min_query_in_memory "
                             "load_fill_pivot_max_query_in_memory load_totals_query_in_memory "
                             "load_row_totals_query_in_memory load_grand_totals_query_in_memory "
                             "load_process_and_stream_main_query post_processing "
                             "stream_to_cache"),
             times="history.created_time",
             texts="history.slug query_metrics.query_task_id query.slug"),
    Activity(name="system_activity_events", row="an event", explore="event", keys="event.id",
             replication="event.id", time="event.created_time",
             integers="event.id", ids="event.user_id event.sudo_user_id",
             booleans="event.is_api_call event.is_admin event.is_looker_employee",
             times="event.created_time", texts="event.name event.category"),
    Activity(name="system_activity_event_attributes", row="an attribute of an event",
             explore="event_attribute",
             keys="event_attribute.id", replication="event_attribute.id",
             time="event.created_time", integers="event_attribute.id event.id",
             times="event.created_time",
             texts="event_attribute.name event_attribute.value event.name"),
    Activity(name="system_activity_scheduled_jobs", row="a run of a schedule",
             explore="scheduled_plan", is_joined=True,
             keys="scheduled_job.id", replication="scheduled_job.id",
             time="scheduled_job.created_time",
             integers="scheduled_job.id scheduled_job.query_id",
             ids="scheduled_plan.id user.id scheduled_job.user_id scheduled_job.look_id "
                 "scheduled_job.dashboard_id",
             booleans=_fields("scheduled_job", "run_once run_as_recipient send_all_results "
                                               "row_limit_reached include_links require_results "
                                               "require_no_results require_change"),
             times="scheduled_job.created_time scheduled_job.finalized_time",
             texts=_fields("scheduled_job", "status status_detail name cron_schedule timezone "
                                            "datagroup lookml_dashboard_id filters_string")),
    Activity(name="system_activity_scheduled_job_stages", row="a stage of a run of a schedule",
             explore="scheduled_plan", is_joined=True,
             keys="scheduled_job_stage.id", replication="scheduled_job_stage.id",
             time="scheduled_job_stage.started_time",
             integers="scheduled_job_stage.id scheduled_job_stage.scheduled_job_id",
             numbers="scheduled_job_stage.runtime",
             times="scheduled_job_stage.started_time scheduled_job_stage.completed_time",
             texts="scheduled_job_stage.stage"),
    Activity(name="system_activity_pdt_event_log",
             row="an event of a persistent derived table (PDT)", explore="pdt_event_log",
             keys="pdt_event_log.id", replication="pdt_event_log.id",
             time="pdt_event_log.created_time",
             integers="pdt_event_log.id pdt_event_log.sequence",
             times="pdt_event_log.created_time",
             texts=_fields("pdt_event_log", "action action_data connection model_name view_name "
                                            "table_name tid hash")),
    Activity(name="system_activity_pdt_builds", row="a build of a PDT", explore="pdt_builds",
             keys="pdt_builds.tid pdt_builds.connection pdt_builds.model_name "
                  "pdt_builds.view_name",
             replication="pdt_builds.start_time",
             time="pdt_builds.start_time", numbers="pdt_builds.elapsed_seconds",
             booleans="pdt_builds.dev_build",
             times="pdt_builds.start_time pdt_builds.end_time",
             texts=_fields("pdt_builds", "tid connection model_name view_name status build_result "
                                         "build_reason context workspace")),
    Activity(name="system_activity_sql_queries", row="a query of SQL Runner",
             explore="sql_query", keys="sql_query.id",
             replication="sql_query.last_run_time", time="sql_query.last_run_time",
             integers="sql_query.id sql_query.run_count", ids="sql_query.user_id",
             numbers="sql_query.last_runtime", times="sql_query.last_run_time",
             texts="sql_query.slug sql_query.sql sql_query.connection_id sql_query.hash"),
    Activity(name="system_activity_dashboard_performance", row="a run of a dashboard",
             explore="dashboard_performance",
             keys="dashboard_performance.dashboard_run_session "
                  "dashboard_performance.dashboard_page_session",
             replication="dashboard_performance.first_event_at_date",
             time="dashboard_performance.first_event_at_date",
             integers="dashboard_history_stats.total_queries",
             numbers="dashboard_history_stats.total_runtime dashboard_history_stats.min_runtime "
                     "dashboard_history_stats.max_runtime "
                     + _fields("dashboard_page_event_stats",
                               "seconds_until_controller_initialized "
                               "seconds_until_metadata_loaded seconds_until_dom_content_loaded ")
                     + " " + _fields("dashboard_performance",
                                     "seconds_until_dashboard_run_start "
                                     "seconds_until_first_data_received "
                                     "seconds_until_last_data_received "
                                     "seconds_until_first_tile_finished_rendering "
                                     "seconds_until_last_tile_finished_rendering"),
             dates="dashboard_performance.first_event_at_date",
             times="dashboard_performance.first_event_at_time "
                   "dashboard_performance.last_event_at_time",
             texts="dashboard_performance.dashboard_run_session "
                   "dashboard_performance.dashboard_page_session dashboard_performance.dash_id "
                   "dashboard_history_stats.dashboard_id"),
    Activity(name="system_activity_api_usage",
             row="a day and an endpoint, before release 25.16", explore="api_usage",
             successor="system_activity_api_usage_hourly",
             keys="api_usage.created_date api_usage.endpoint",
             replication="api_usage.created_date", time="api_usage.created_date",
             integers="api_usage.total_usage", dates="api_usage.created_date",
             texts="api_usage.endpoint"),
    Activity(name="system_activity_api_usage_hourly",
             row="an hour and an endpoint", explore="api_usage_hourly",
             is_discovered=True, keys=ROW_KEY, replication=ROW_TIME,
             texts=ROW_KEY, times=ROW_TIME),
    Activity(name="system_activity_concurrency", row="queries at once on a connection",
             explore="concurrency",
             is_discovered=True, keys=ROW_KEY, replication=ROW_TIME,
             texts=ROW_KEY, times=ROW_TIME),
    Activity(name="system_activity_scheduled_plan_oauth_events",
             row="what the instance has of schedules whose owners log in to a database by OAuth",
             explore="scheduled_plan_oauth_events", is_discovered=True, keys=ROW_KEY,
             texts=ROW_KEY),
    Activity(name="system_activity_field_usage", row="a field of an explore that is used",
             explore="field_usage",
             keys="field_usage.model field_usage.explore field_usage.field",
             integers="field_usage.times_used",
             texts="field_usage.model field_usage.explore field_usage.field field_usage.view"),
    Activity(name="system_activity_content_usage", row="a look or dashboard",
             explore="content_usage",
             keys="content_usage.content_type content_usage.content_id",
             integers=_fields("content_usage", "other_total api_total embed_total favorites_total "
                                               "schedule_total public_count prefetch_count "
                                               "days_since_last_accessed"),
             dates="content_usage.last_accessed_date",
             times="content_usage.last_accessed_time",
             texts="content_usage.content_type content_usage.content_id "
                   "content_usage.content_title"),
    Activity(name="system_activity_user_facts", row="a user", explore="user", keys="user.id",
             integers="user_facts.active_ui_sessions user_facts.active_api_sessions",
             ids="user.id",
             booleans="user.is_disabled "
                      + _fields("user_facts", "is_admin is_developer is_explorer is_viewer "
                                              "is_content_saver is_embed is_looker_employee "
                                              "has_ui_credentials has_api_credentials"),
             dates="user.created_date user_facts.last_ui_login_date "
                   "user_facts.last_api_login_date history.most_recent_query_date",
             times="user_facts.last_ui_login_time user_facts.last_api_login_time",
             texts="user.name user.email user.timezone user.dev_branch_name "
                   "user_facts.last_ui_login_credential_type user_facts.external_id"),
    Activity(name="system_activity_look", row="a look", explore="look", keys="look.id",
             integers="query.id",
             ids="look.id look.user_id look.last_updater_id look.deleter_id folders.id",
             booleans="look.public look.is_run_on_load",
             times="look.created_time look.updated_time look.deleted_time",
             texts="look.title look.description look.public_slug query.slug query.model "
                   "query.view"),
    Activity(name="system_activity_dashboard", row="a user-defined dashboard",
             explore="dashboard", keys="dashboard.id", is_joined=True,
             ids="dashboard.id dashboard.user_id dashboard.deleter_id folders.id",
             booleans=_fields("dashboard", "hidden run_on_load show_title show_filters_bar"),
             times="dashboard.created_time dashboard.deleted_time",
             texts="dashboard.title dashboard.description dashboard.query_timezone "
                   "dashboard.refresh_interval"),
    Activity(name="system_activity_merge_query", row="a source query of merged results",
             explore="merge_query", keys="merge_query_source_query.id", is_joined=True,
             integers="merge_query_source_query.id merge_query.id merge_query_source_query.rank "
                      "merge_query.column_limit query.id",
             booleans="merge_query.total", times="merge_query.created_time",
             texts="merge_query_source_query.name merge_query_source_query.merge_fields "
                   "merge_query.hash merge_query.dynamic_fields merge_query.sorts "
                   "merge_query.formatted_pivots query.slug query.model query.view"),
    Activity(name="system_activity_db_connection", row="a database connection",
             explore="db_connection", keys="db_connection.id",
             integers="db_connection.id db_connection.max_connections db_connection.pool_timeout",
             ids="db_connection.user_id",
             booleans=_fields("db_connection", "ssl verify_ssl uses_tns "
                                               "sql_runner_precache_tables"),
             times=_fields("db_connection", "created_time last_regen_at_time last_reap_at_time"),
             texts=_fields("db_connection", "name dialect host port database schema tmp_db_name "
                                            "db_timezone query_timezone maintenance_cron "
                                            "max_billing_gigabytes user_attribute_fields")),
    Activity(name="system_activity_folders", row="a folder", explore="folders",
             keys="folders.id", ids="folders.id folders.parent_id folders.creator_id",
             booleans=_fields("folders", "is_personal is_personal_descendant is_shared_root "
                                         "is_users_root is_embed is_embed_shared_root "
                                         "is_embed_users_root"),
             times="folders.created_time folders.deleted_time",
             texts="folders.name folders.external_id"),
    Activity(name="system_activity_group", row="a group", explore="group", keys="group.id",
             ids="group.id",
             booleans="group.externally_managed group.include_by_default "
                      "group.can_add_to_content_metadata",
             texts="group.name group.external_group_id"),
    Activity(name="system_activity_role", row="a role", explore="role", keys="role.id",
             ids="role.id permission_set.id model_set.id",
             booleans="role.built_in role.embed",
             texts="role.name permission_set.name model_set.name"),
)
# fmt: on
