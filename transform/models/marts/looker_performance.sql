{# What takes long, of the last 90 days of history; the tap's own queries left out. #}
with evidence as (
    select * from {{ ref('looker_evidence') }}
),

metrics as (
    select
        history_id,
        sum(coalesce(query_metrics_queued, 0) + coalesce(query_metrics_per_user_throttler, 0)
            + coalesce(query_metrics_acquire_connection, 0)) as seconds_waiting,
        sum(coalesce(query_metrics_execute_main_query, 0)) as seconds_in_database,
        sum(coalesce(query_metrics_pdt, 0)) as seconds_building_pdts
    from {{ ref('stg_looker__system_activity_query_metrics') }}
    group by history_id
),

runs as (
    select
        runs.*,
        metrics.history_id is not null as is_measured,
        metrics.seconds_waiting,
        metrics.seconds_in_database,
        metrics.seconds_building_pdts
    from {{ ref('int_looker__runs') }} as runs
    cross join evidence
    left join metrics on metrics.history_id = runs.history_id
    where runs.ran_on > evidence.after_90d and runs.audience <> 'tap'
),

subjects as (
    select 'explore' as subject_type, model_name || '::' || explore_name as subject_id, runs.*
    from runs
    where explore_name is not null
    union all
    select
        case when {{ tap_looker.holds('dashboard_id', "'::'") }} then 'lookml_dashboard'
            else 'dashboard' end,
        dashboard_id, runs.*
    from runs
    where dashboard_id is not null
    union all
    select 'look', look_id, runs.*
    from runs
    where look_id is not null
    union all
    select 'connection', connection_name, runs.*
    from runs
    where connection_name is not null
),

counted as (
    select
        subject_type,
        subject_id,
        count(*) as queries,
        count(distinct user_id) as users,
        avg(seconds) as average_seconds,
        max(seconds) as longest_seconds,
        sum(seconds) as total_seconds,
        sum(case when seconds > {{ var('looker_slow_seconds') | int }} then 1 else 0 end)
            as slow_queries,
        sum(case when status = 'error' then 1 else 0 end) as errors,
        sum(case when status = 'killed' then 1 else 0 end) as killed,
        -- Of those of which it is known: a query that failed has no source of its result.
        sum(case when is_from_cache then 1 else 0 end) as from_cache,
        count(is_from_cache) as results,
        sum(case when is_measured then 1 else 0 end) as measured,
        sum(case when is_measured then seconds end) as measured_seconds,
        sum(seconds_waiting) as seconds_waiting,
        sum(seconds_in_database) as seconds_in_database,
        sum(seconds_building_pdts) as seconds_building_pdts
    from subjects
    group by subject_type, subject_id
),

rendered as (
    select
        coalesce(dashboard_history_stats_dashboard_id, dashboard_performance_dash_id)
            as dashboard_id,
        count(*) as page_loads,
        avg(dashboard_performance_seconds_until_last_data_received) as seconds_until_data,
        avg(dashboard_performance_seconds_until_last_tile_finished_6971d3a4)
            as seconds_until_rendered
    from {{ ref('stg_looker__system_activity_dashboard_performance') }}
    cross join evidence
    where cast(dashboard_performance_first_event_at_time as date) > evidence.after_90d
    group by 1
)

select
    {{ tap_looker.key_of(['counted.subject_type', 'counted.subject_id']) }} as subject_key,
    counted.subject_type,
    counted.subject_id,
    coalesce(content.title, counted.subject_id) as subject_title,
    counted.queries,
    counted.users,
    counted.average_seconds,
    counted.longest_seconds,
    counted.total_seconds,
    cast(counted.slow_queries as {{ dbt.type_bigint() }}) as slow_queries,
    cast(counted.errors as {{ dbt.type_bigint() }}) as errors,
    cast(counted.killed as {{ dbt.type_bigint() }}) as killed,
    counted.errors * 1.0 / counted.queries as share_of_errors,
    counted.from_cache * 1.0 / nullif(counted.results, 0) as share_from_cache,
    counted.seconds_waiting / nullif(counted.measured_seconds, 0) as share_waiting,
    cast(counted.measured as {{ dbt.type_bigint() }}) as queries_measured,
    counted.seconds_waiting,
    counted.seconds_in_database,
    counted.seconds_building_pdts,
    rendered.page_loads,
    rendered.seconds_until_data,
    rendered.seconds_until_rendered,
    case when evidence.history_from > evidence.after_90d then evidence.history_from
        else cast({{ dbt.dateadd('day', 1, 'evidence.after_90d') }} as date) end
        as evidence_from,
    evidence.history_to as evidence_to
from counted
cross join evidence
left join {{ ref('int_looker__content') }} as content
    on content.content_type = counted.subject_type and content.content_id = counted.subject_id
left join rendered
    on counted.subject_type in ('dashboard', 'lookml_dashboard')
    and rendered.dashboard_id = counted.subject_id
