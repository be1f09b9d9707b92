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
    p.lookml_dashboard_id AS lookml_dashboard_id
FROM (SELECT i, i > {last} - 4 AS running FROM generate_series(0, {last}) AS s(i))
LEFT JOIN (SELECT * EXCLUDE (created) FROM sa_scheduled_plan) AS p
    ON p.n = dice(i, 53, (SELECT count(*) FROM sa_scheduled_plan))
ORDER BY i
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
    md5('tid' || i // 5) AS tid
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
    CASE WHEN i < {last} THEN 'done' ELSE 'building' END AS status
FROM generate_series(0, {last}) AS s(i)
ORDER BY i
"""

METRICS = """
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
    dice(i, 101, 9000) / 1000 AS seconds_until_first_data_received,
    CASE WHEN dice(i, 102, 15) > 0 THEN dice(i, 103, 90000) / 1000 END AS total_runtime,
    dice(i, 104, 20) AS query_count
FROM generate_series(0, {last}) AS s(i)
LEFT JOIN (SELECT n, id FROM sa_dashboard) AS d
    ON d.n = dice(i, 105, (SELECT count(*) FROM sa_dashboard))
ORDER BY i
"""

FIELD_USAGE = """
SELECT model, view AS explore, field, CAST(count(*) * 7 AS BIGINT) AS times_used
FROM (SELECT model, view, unnest(from_json(fields, '["VARCHAR"]')) AS field FROM sa_query)
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
        AS last_accessed
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
    CAST(NULL AS TIMESTAMP) AS last_api_login
FROM sa_user
"""
