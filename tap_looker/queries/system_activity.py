"""The table of System Activity: one row per stream.

Explores and fields of the LookML model ``system__activity``, as Looker documents it and as copies
of its LookML show. Role, group and permission fields are in none: they would multiply the rows.
An instance that lacks a field is asked without it.
"""

from __future__ import annotations

from dataclasses import dataclass

MODEL = "system__activity"
PREFIX = "system_activity_"
PERMISSION = "needs see_system_activity, or the Admin role"


@dataclass(frozen=True, kw_only=True)
class Activity:
    """An explore of System Activity and what is read of it.

    Attributes:
        name: Of the stream.
        explore: In LookML (``view`` of a query body).
        integers, numbers, booleans, dates, times, texts: Its fields by kind, space separated.
        keys: Fields of the primary key; texts of it that are null become "".
        replication: Field of the bookmark: an id that grows, or a time; "" for a snapshot.
        time: Field that ``start_date`` and ``end_date`` bound.
        days: How many days before a bookmark that is a time are read again.
        default: Selected unless told otherwise.
    """

    name: str
    explore: str
    keys: str
    integers: str = ""
    numbers: str = ""
    booleans: str = ""
    dates: str = ""
    times: str = ""
    texts: str = ""
    replication: str = ""
    time: str = ""
    days: int = 2
    default: bool = False

    @property
    def kinds(self) -> dict[str, str]:
        """The fields in their order of kinds, and the kind of each."""
        by_kind = {
            "integer": self.integers,
            "number": self.numbers,
            "yesno": self.booleans,
            "date_date": self.dates,
            "date_time": self.times,
            "string": self.texts,
        }
        return {field: kind for kind, fields in by_kind.items() for field in fields.split()}


# fmt: off
ACTIVITIES = (
    Activity(name="system_activity_history", explore="history", keys="history.id",
             replication="history.id", time="history.created_time",
             integers="history.id query.id look.id user.id sql_query.id",
             numbers="history.runtime",
             booleans="history.is_single_query history.rebuild_pdts",
             times="history.created_time history.completed_time",
             texts="history.slug history.status history.source history.issuer_source "
                   "history.result_source history.result_format history.message "
                   "history.connection_name history.dialect history.workspace_id "
                   "history.dashboard_id history.real_dash_id history.dashboard_session "
                   "history.cache_key history.render_key query.slug query.model query.view "
                   "node.id"),
    Activity(name="system_activity_events", explore="event", keys="event.id",
             replication="event.id", time="event.created_time",
             integers="event.id event.user_id event.sudo_user_id",
             booleans="event.is_api_call event.is_admin event.is_looker_employee",
             times="event.created_time", texts="event.name event.category"),
    Activity(name="system_activity_event_attributes", explore="event_attribute",
             keys="event_attribute.id", replication="event_attribute.id",
             time="event.created_time", integers="event_attribute.id event.id",
             times="event.created_time",
             texts="event_attribute.name event_attribute.value event.name"),
    Activity(name="system_activity_scheduled_jobs", explore="scheduled_plan",
             keys="scheduled_job.id", replication="scheduled_job.id",
             time="scheduled_job.created_time",
             integers="scheduled_job.id scheduled_plan.id user.id",
             times="scheduled_job.created_time scheduled_job.finalized_time",
             texts="scheduled_job.status scheduled_job.status_detail scheduled_job.name "
                   "scheduled_job.cron_schedule"),
    Activity(name="system_activity_pdt_event_log", explore="pdt_event_log",
             keys="pdt_event_log.id", replication="pdt_event_log.id",
             time="pdt_event_log.created_time", integers="pdt_event_log.id",
             times="pdt_event_log.created_time",
             texts="pdt_event_log.action pdt_event_log.action_data pdt_event_log.connection "
                   "pdt_event_log.model_name pdt_event_log.view_name pdt_event_log.table_name "
                   "pdt_event_log.tid"),
    Activity(name="system_activity_query_metrics", explore="query_metrics",
             keys="query_metrics.id", replication="query_metrics.id",
             time="history.created_time", integers="query_metrics.id history.id",
             times="history.created_time", texts="history.slug"),
    Activity(name="system_activity_pdt_builds", explore="pdt_builds",
             keys="pdt_builds.tid pdt_builds.connection pdt_builds.model_name "
                  "pdt_builds.view_name",
             replication="pdt_builds.start_time",
             time="pdt_builds.start_time", numbers="pdt_builds.elapsed_seconds",
             times="pdt_builds.start_time pdt_builds.end_time",
             texts="pdt_builds.tid pdt_builds.connection pdt_builds.model_name "
                   "pdt_builds.view_name"),
    Activity(name="system_activity_api_usage", explore="api_usage",
             keys="api_usage.created_date api_usage.endpoint",
             replication="api_usage.created_date", time="api_usage.created_date",
             integers="api_usage.total_usage", dates="api_usage.created_date",
             texts="api_usage.endpoint"),
    Activity(name="system_activity_dashboard_performance", explore="dashboard_performance",
             keys="dashboard_performance.dashboard_run_session "
                  "dashboard_performance.dashboard_page_session",
             replication="dashboard_performance.first_event_at_date",
             time="dashboard_performance.first_event_at_date",
             numbers="dashboard_history_stats.total_runtime",
             dates="dashboard_performance.first_event_at_date",
             texts="dashboard_performance.dashboard_run_session "
                   "dashboard_performance.dashboard_page_session dashboard_performance.dash_id"),
    Activity(name="system_activity_sql_queries", explore="sql_query", keys="sql_query.id",
             replication="sql_query.last_run_time", time="sql_query.last_run_time",
             integers="sql_query.id sql_query.user_id", times="sql_query.last_run_time",
             texts="sql_query.slug"),
    Activity(name="system_activity_field_usage", explore="field_usage",
             keys="field_usage.model field_usage.explore field_usage.field",
             integers="field_usage.times_used",
             texts="field_usage.model field_usage.explore field_usage.field"),
    Activity(name="system_activity_content_usage", explore="content_usage",
             keys="content_usage.content_type content_usage.content_id",
             integers="content_usage.other_total content_usage.api_total "
                      "content_usage.embed_total content_usage.favorites_total "
                      "content_usage.schedule_total",
             dates="content_usage.last_accessed_date",
             texts="content_usage.content_type content_usage.content_id "
                   "content_usage.content_title"),
    Activity(name="system_activity_user_facts", explore="user", keys="user.id",
             integers="user.id",
             dates="user.created_date user_facts.last_ui_login_date history.most_recent_query_date",
             texts="user_facts.last_ui_login_credential_type"),
)
# fmt: on
