"""The SQL that makes the tables of System Activity."""

NODES = """
SELECT i AS id, 'node-' || i AS hostname, '26.22.9' AS version FROM generate_series(1, 3) AS s(i)
"""

# Ids have gaps: one is missing after every seventh row, five after every hundredth.
HISTORY_ID = "40001 + i + i // 7 + i // 100 * 5"
EVENT_ID = "70001 + i + i // 9"

HISTORY = """
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
    CASE WHEN source = 'look' THEN l.title END AS title,
    'warehouse' AS connection_name,
    'warehouse' AS connection_id,
    CASE WHEN source = 'api4' THEN choice(['Power BI','Connected Sheets'], i, 22) END
        AS client_name,
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
    status = 'cache_only_miss' AS cache_only,
    source = 'scheduled_task' AS force_production,
    source IN ('dashboard', 'explore', 'look') AS generate_links,
    dice(i, 23, 6) = 0 AS server_table_calcs,
    dice(i, 24, 2) = 0 AS apply_formatting,
    dice(i, 25, 3) = 0 AS apply_vis,
    CASE WHEN source = 'dashboard' THEN t.result_maker_id END AS result_maker_id,
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
LEFT JOIN (SELECT n, id, title FROM sa_look) AS l
    ON l.n = dice(i, 20, (SELECT count(*) FROM sa_look))
LEFT JOIN (SELECT n, id FROM sa_dashboard) AS d
    ON d.n = dice(i, 21, (SELECT count(*) FROM sa_dashboard))
LEFT JOIN (
    SELECT dashboard_id, any_value(result_maker_id) AS result_maker_id FROM sa_tile GROUP BY 1
) AS t ON t.dashboard_id = d.id
ORDER BY i
"""

EVENT = """
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

ATTRIBUTES = """
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


TEMPLATES = {"sa_history": HISTORY, "sa_event": EVENT}

JOBS = """
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
    p.lookml_dashboard_id AS lookml_dashboard_id,
    q.id AS query_id,
    p.timezone AS timezone,
    CASE WHEN dice(i, 54, 4) = 0 THEN 'storefront_default_datagroup' END AS datagroup,
    CASE WHEN dice(i, 55, 3) = 0 THEN '?Status=complete' END AS filters_string,
    p.run_once AS run_once,
    p.run_as_recipient AS run_as_recipient,
    p.send_all_results AS send_all_results,
    dice(i, 56, 12) = 0 AS row_limit_reached,
    p.include_links AS include_links,
    p.require_results AS require_results,
    p.require_no_results AS require_no_results,
    p.require_change AS require_change
FROM (SELECT i, i > {last} - 4 AS running FROM generate_series(0, {last}) AS s(i))
LEFT JOIN (SELECT * EXCLUDE (created) FROM sa_scheduled_plan) AS p
    ON p.n = dice(i, 53, (SELECT count(*) - 1 FROM sa_scheduled_plan))  -- the last has never run
LEFT JOIN (SELECT id, query_id FROM sa_look) AS q ON q.id = p.look_id
ORDER BY i
"""

STAGES = """
SELECT
    CAST(20001 + row_number() OVER (ORDER BY j.id, k) * 3 AS BIGINT) AS id,
    j.id AS scheduled_job_id,
    ['enqueued for execute', 'execute', 'enqueued for delivery', 'deliver'][k] AS stage,
    j.created + to_seconds(k) AS started,
    CASE WHEN j.finalized IS NOT NULL THEN started + to_milliseconds(dice(j.id, k, 60000)) END
        AS completed,
    CASE WHEN j.finalized IS NOT NULL THEN dice(j.id, k, 60000) / 1000 END AS runtime
FROM sa_scheduled_job AS j, generate_series(1, 4) AS s(k)
ORDER BY 1
"""

PDT_EVENTS = """
SELECT
    CAST(501 + i + i // 13 AS BIGINT) AS id,
    {born} AS created,
    choice(['create begin','create complete','drop','reap','regen check'], i, 61) AS action,
    CASE WHEN dice(i, 62, 3) > 0 THEN 'SELECT * FROM "raw"' END AS action_data,
    'warehouse' AS connection,
    'storefront' AS model_name,
    choice(['user_facts','order_facts','daily_stock'], i, 63) AS view_name,
    'looker_pdt.' || md5('table' || i // 40) AS table_name,
    md5('tid' || i // 5) AS tid,
    1 + i % 5 AS sequence,
    md5('hash' || i // 40) AS hash
FROM generate_series(0, {last}) AS s(i)
ORDER BY i
"""

BUILDS = """
SELECT
    md5('build' || i) AS tid,
    choice(['warehouse','looker_cache'], i, 71) AS connection,
    'storefront' AS model_name,
    choice(['user_facts','order_facts','daily_stock'], i, 72) AS view_name,
    {born} AS start,
    CASE WHEN i < {last} THEN start + to_milliseconds(dice(i, 73, 600000)) END AS end,
    CASE WHEN i < {last} THEN dice(i, 73, 600000) / 1000 END AS elapsed_seconds,
    CASE WHEN i = {last} THEN 'in process' WHEN dice(i, 74, 9) = 0 THEN 'create sql error'
        ELSE 'done' END AS status,
    CASE status WHEN 'done' THEN 'success' WHEN 'in process' THEN NULL ELSE 'failure' END
        AS build_result,
    choice(['datagroup trigger','user request','dev mode'], i, 75) AS build_reason,
    build_reason = 'dev mode' AS dev_build,
    CASE WHEN dev_build THEN 'dev-user-' || dice(i, 76, 9) ELSE 'prod' END AS context,
    context AS workspace
FROM generate_series(0, {last}) AS s(i)
ORDER BY i
"""

METRICS = """
SELECT
    id + 11 AS id,
    slug AS query_task_id,
    {metrics}
FROM sa_history
WHERE query_id IS NOT NULL
ORDER BY id
"""

API_USAGE = """
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

SQL_QUERIES = """
SELECT
    CAST(300 + i + i // 21 AS BIGINT) AS id,
    md5('sql' || i) AS slug,
    'SELECT ' || i || ' -- "quoted"' AS sql,
    'warehouse' AS connection_name,
    'warehouse' AS connection_id,
    md5('text' || i) AS hash,
    CASE WHEN dice(i, 91, 8) > 0 THEN dice(i, 95, 90000) / 1000 END AS last_runtime,
    {born} AS created,
    CASE WHEN dice(i, 91, 8) > 0 THEN created + to_minutes(dice(i, 92, 60)) END AS last_run,
    dice(i, 93, 40) AS run_count,
    u.id AS user_id
FROM generate_series(0, {last}) AS s(i)
LEFT JOIN (SELECT n, id FROM sa_user) AS u
    ON u.n = dice(i, 94, (SELECT count(*) FROM sa_user))
ORDER BY i
"""

PERFORMANCE = """
SELECT
    md5('run' || i) AS dashboard_run_session,
    md5('page' || i // 2) AS dashboard_page_session,
    CAST(d.id AS VARCHAR) AS dash_id,
    {born} AS first_event_at,
    first_event_at + to_seconds(dice(i, 106, 90)) AS last_event_at,
    dice(i, 107, 900) / 1000 AS seconds_until_dashboard_run_start,
    1 + dice(i, 101, 9000) / 1000 AS seconds_until_first_data_received,
    10 + dice(i, 101, 9000) / 1000 AS seconds_until_last_data_received,
    1.5 + dice(i, 101, 9000) / 1000 AS seconds_until_first_tile_finished_rendering,
    11 + dice(i, 101, 9000) / 1000 AS seconds_until_last_tile_finished_rendering,
    CASE WHEN dice(i, 102, 15) > 0 THEN dice(i, 103, 90000) / 1000 END AS total_runtime,
    total_runtime / 9 AS min_runtime,
    total_runtime / 2 AS max_runtime,
    1 + dice(i, 104, 20) AS total_queries,
    dash_id AS dashboard_id
FROM generate_series(0, {last}) AS s(i)
LEFT JOIN (SELECT n, id FROM sa_dashboard) AS d
    ON d.n = dice(i, 105, (SELECT count(*) FROM sa_dashboard))
ORDER BY i
"""

PAGES = """
SELECT
    dashboard_page_session,
    dice(i, 108, 900) / 1000 AS seconds_until_controller_initialized,
    dice(i, 109, 900) / 1000 AS seconds_until_metadata_loaded,
    dice(i, 110, 900) / 1000 AS seconds_until_dom_content_loaded
FROM (
    SELECT dashboard_page_session, row_number() OVER (ORDER BY dashboard_page_session) AS i
    FROM (SELECT DISTINCT dashboard_page_session FROM sa_dashboard_performance)
)
"""

FIELD_USAGE = """
SELECT model, explore, field,
    CASE WHEN field LIKE '%.%' THEN split_part(field, '.', 1) ELSE 'N/A: Custom Field' END AS view,
    CAST(count(*) * 7 AS BIGINT) AS times_used
FROM (
    SELECT model, view AS explore, unnest(from_json(fields, '["VARCHAR"]')) AS field FROM sa_query
)
GROUP BY ALL ORDER BY ALL
"""

CONTENT_USAGE = """
SELECT
    CAST(id AS VARCHAR) AS content_id, kind AS content_type, title AS content_title,
    dice(id, 111, 500) AS other_total, dice(id, 112, 90) AS api_total,
    dice(id, 113, 20) AS embed_total, dice(id, 114, 5) AS favorites_total,
    dice(id, 115, 9) AS schedule_total,
    CASE WHEN dice(id, 116, 6) > 0
        THEN {now} - to_hours(dice(id, 117, 4000)) END
        AS last_accessed,
    dice(id, 118, 3) AS public_count,
    dice(id, 119, 12) AS prefetch_count,
    date_diff('day', last_accessed, {now}) AS days_since_last_accessed
FROM (
    SELECT id, title, 'look' AS kind FROM sa_look
    UNION ALL SELECT id, title, 'dashboard' FROM sa_dashboard
)
"""

USER_FACTS = """
SELECT
    id AS user_id,
    is_looker_employee,
    CASE WHEN dice(id, 121, 5) > 0 THEN choice(['email','saml'], id, 122) END
        AS last_ui_login_credential_type,
    CASE WHEN last_ui_login_credential_type IS NOT NULL
        THEN {now} - to_minutes(dice(id, 123, 60000)) END
        AS last_ui_login,
    CASE WHEN has_api_credentials THEN {now} - to_minutes(dice(id, 124, 60000)) END
        AS last_api_login,
    is_admin, is_developer, is_explorer, is_viewer, is_content_saver, is_embed,
    has_ui_credentials, has_api_credentials, external_id,
    CASE WHEN is_disabled THEN 0 ELSE dice(id, 125, 3) END AS active_ui_sessions,
    CASE WHEN has_api_credentials THEN dice(id, 126, 4) ELSE 0 END AS active_api_sessions
FROM sa_user
"""

HOURLY = """
SELECT
    {end} - to_hours(CAST({hours} - h AS INT)) AS created,
    e.id AS endpoint_id,
    choice(['Python SDK','Power BI',NULL], h + e.id, 131) AS client_name,
    choice([200,200,200,404,429], h + e.id, 132) AS status_code,
    1 + dice(h, e.id, 400) AS usage,
    dice(h, 133, 900) / 1000 AS latency
FROM generate_series(1, {hours}) AS s(h), sa_api_usage_endpoint AS e
ORDER BY h, e.id
"""

ENDPOINTS = """
SELECT n AS id, split_part(call, ' ', 1) AS verb, split_part(call, ' ', 2) AS path
FROM (SELECT unnest(range(1, 4)) AS n, unnest(['POST /queries/run/json','GET /dashboards',
    'GET /users/search']) AS call)
"""

CONCURRENCY = """
SELECT
    md5('interval' || i) AS pk,
    {born} AS started,
    dice(i, 141, 1000) / 1000 AS fraction,
    dice(i, 142, 20) AS running,
    1 AS db_connection_id
FROM generate_series(0, {last}) AS s(i)
ORDER BY i
"""

OAUTH_EVENTS = """
SELECT id AS scheduled_plan_id, 'warehouse' AS connection_name,
    choice(['valid','expired'], id, 151) AS outcome
FROM sa_scheduled_plan
"""
