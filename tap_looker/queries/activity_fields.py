"""What fields of System Activity hold, for the schemas: units, and what they join with.

From the descriptions in public copies of the LookML and from Looker's documentation of System
Activity; units of ``query_metrics`` as in Looker's health check dashboards. Fields whose names say
it all have no entry.
"""

from __future__ import annotations

from tap_looker.queries.activities import QUERIES, ROW_KEY, ROW_TIME, is_rest_id

_NUMBER = "Looker's number of the query, which is no id of the REST API"
_SECONDS = "in seconds"

DESCRIPTIONS = {
    "query.id": f"{_NUMBER}: join it with query_id of {QUERIES}, and query_slug with queries.id.",
    "query.slug": "Slug of the query: id in the stream queries, and query_id in other REST streams "
    "(since Looker 25.2).",
    "query.client_id": "Short id of the query, as in its URL: client_id in the stream queries.",
    "query.view": "Explore of the query.",
    "query.fields": "Fields of the query, as JSON text or separated by commas.",
    "query.pivots": "Fields that the query pivots by, as JSON text or separated by commas.",
    "query.fill_fields": "Fields with dimension fill, as JSON text or separated by commas.",
    "query.filters": "Filters by field, as JSON text.",
    "query.sorts": "Fields that the query sorts by, as JSON text or separated by commas.",
    "query.dynamic_fields": "Custom fields and table calculations, as JSON text.",
    "query.limit": "Row limit; -1 is none.",
    "query.query_timezone": "Time zone of the query; null for the default.",
    "query.hash": "Made from the generated SQL.",
    "history.most_recent_query_date": "Last day the query ran, in the period that was read.",
    "history.slug": "Id of the query task: query_metrics_query_task_id in "
    "system_activity_query_metrics.",
    "history.runtime": f"Time that the query took, {_SECONDS}.",
    "history.is_single_query": "Whether it is one query, and not a query that merges others.",
    "history.source": "Where the query came from: a dashboard, an explore, a schedule, the API, …",
    "history.issuer_source": "The source in a few groups: API, system, user or other.",
    "history.result_source": "Whether the result came from the database or a cache.",
    "history.cache": "Whether Looker was to try the cache.",
    "history.cache_only": "Whether a stale cache was to be used, as on instant dashboards.",
    "history.dashboard_id": "Joins with dashboards.id; of a LookML dashboard, with "
    "lookml_dashboards.id.",
    "history.real_dash_id": "Id of the dashboard, user-defined or LookML.",
    "history.result_maker_id": "Joins with dashboard_elements.result_maker_id.",
    "history.connection_name": "Joins with connections.name.",
    "history.workspace_id": "production or dev.",
    "event_attribute.value": "Value of the attribute, whatever its type, as text.",
    "event.sudo_user_id": "User who acted as another: joins with users.id.",
    "scheduled_job.query_id": f"{_NUMBER}.",
    "scheduled_job.lookml_dashboard_id": "Joins with lookml_dashboards.id.",
    "scheduled_job.filters_string": "Filters as in the URL of the content.",
    "scheduled_job.run_once": "Whether it was sent by hand.",
    "scheduled_job_stage.runtime": f"Time that the stage took, {_SECONDS}.",
    "scheduled_job_stage.scheduled_job_id": "Joins with scheduled_job_id of "
    "system_activity_scheduled_jobs.",
    "pdt_event_log.sequence": "Place among the events of one transaction (tid).",
    "pdt_event_log.connection": "Joins with connections.name.",
    "pdt_builds.elapsed_seconds": f"Time that the build took, {_SECONDS}.",
    "pdt_builds.status": "Such as done, in process, or the error.",
    "pdt_builds.dev_build": "Whether a query in development mode caused it.",
    "pdt_builds.connection": "Joins with connections.name.",
    "sql_query.last_runtime": f"Time that the last run took, {_SECONDS}.",
    "sql_query.connection_id": "Joins with connections.name.",
    "dashboard_history_stats.total_runtime": f"Time that its queries took together, {_SECONDS}.",
    "dashboard_history_stats.min_runtime": f"Time of its fastest query, {_SECONDS}.",
    "dashboard_history_stats.max_runtime": f"Time of its slowest query, {_SECONDS}.",
    "dashboard_history_stats.total_queries": "Number of its queries.",
    "dashboard_history_stats.dashboard_id": "Joins with dashboards.id; of a LookML dashboard, with "
    "lookml_dashboards.id.",
    "dashboard_performance.dashboard_run_session": "Joins with history_dashboard_session of "
    "system_activity_history.",
    "api_usage.total_usage": "Number of calls.",
    "field_usage.view": "View of the field, under its name in the explore.",
    "content_usage.content_id": "Joins with looks.id, dashboards.id or lookml_dashboards.id, by "
    "content_usage_content_type.",
    "content_usage.other_total": "Number of views in Looker itself.",
    "content_usage.public_count": "Number of views by public URL.",
    "content_usage.prefetch_count": "Number of times it was prefetched for a schedule.",
    "user_facts.is_developer": "Whether the user may develop in a model.",
    "user_facts.is_explorer": "Whether the user may explore a model.",
    "user_facts.is_viewer": "Whether the user may see data of a model.",
    "user_facts.is_content_saver": "Whether the user may save content in a model.",
    "user_facts.is_embed": "Whether it is a user of signed embedding.",
    "user_facts.last_ui_login_credential_type": "How the user last logged in to Looker itself.",
    "merge_query.dynamic_fields": "Table calculations, as JSON text.",
    "merge_query_source_query.rank": "Place among the source queries.",
    "merge_query_source_query.merge_fields": "Fields that the results are merged by.",
    "db_connection.name": "Joins with connections.name.",
    "db_connection.pool_timeout": "How long a query waits for a connection, in seconds.",
    "field": "Field of the explore, or a custom field or table calculation of the query.",
    "place": "field, pivot, fill, filter, sort, calculation (inside a table calculation) or "
    "custom_field (inside a custom field).",
    "is_custom": "Whether the query itself defines the field.",
    ROW_KEY: "Computed: tells the row from all others.",
    ROW_TIME: "Computed: the time of the row, as exact as the instance has it.",
}
"""What fields hold, by their names in LookML."""
_METRICS = {
    "async_processing": "Processing by an asynchronous worker, as a whole",
    "queued": "Waiting for an asynchronous worker",
    "project_init": "Initialising the LookML project",
    "model_init_computed": "Initialising the model, computed",
    "model_init_cache": "Initialising the model, from a cache",
    "explore_init": "Initialising the explore",
    "marshalled_cache_load": "Loading what was initialised from a cache",
    "prepare": "Preparing the query and its SQL",
    "per_user_throttler": "Waiting because the user ran too many queries at once",
    "acquire_connection": "Getting a connection to the database",
    "connection_held": "Holding the connection to the database",
    "cache_load": "Loading the result from the cache",
    "pdt": "Building derived tables",
    "execute_main_query": "Running the main query on the database",
    "load_main_query_in_memory": "Loading the result of the main query into memory",
    "load_process_and_stream_main_query": "Loading, processing and streaming the main query",
    "post_processing": "Processing the result",
    "stream_to_cache": "Writing the result to the cache",
}
_TARGETS = {
    "user": "users",
    "look": "looks",
    "dashboard": "dashboards",
    "folders": "folders",
    "folder": "folders",
    "space": "folders",
    "group": "groups",
    "role": "roles",
    "permission_set": "permission_sets",
    "model_set": "model_sets",
    "scheduled_plan": "scheduled_plans",
    "parent": "folders",
}


def description(field: str) -> str:
    """What a field holds; "" where its name says it."""
    if field in DESCRIPTIONS:
        return DESCRIPTIONS[field]
    view, _, name = field.partition(".")
    if is_rest_id(field):
        thing = view if name == "id" else name.removesuffix("_id")
        return f"Joins with {_TARGETS.get(thing, 'users')}.id."  # creators, updaters, deleters
    if view == "query_metrics" and (name in _METRICS or name.startswith(("execute_", "load_"))):
        what = _METRICS.get(name)
        return f"{what or name.replace('_', ' ').capitalize()}, {_SECONDS}."
    if name.startswith("seconds_until_"):
        return f"Since the page was opened, {_SECONDS}."
    return ""
