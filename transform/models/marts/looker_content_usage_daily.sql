{{ config(materialized='incremental', unique_key='usage_key', on_schema_change='append_new_columns') }}
{#
  Looker forgets history: after 90 days, or 7 for deliveries. What has been counted stays, and a day
  that Looker has begun to forget keeps the higher count.
#}
with runs as (
    select
        case when {{ tap_looker.holds('dashboard_id', "'::'") }} then 'lookml_dashboard'
            else 'dashboard' end as content_type,
        dashboard_id as content_id,
        coalesce(dashboard_session, cast(history_id as {{ dbt.type_string() }})) as run,
        ran_on, source, audience, user_id, status, seconds
    from {{ ref('int_looker__runs') }}
    where dashboard_id is not null
    union all
    select
        'look', look_id, cast(history_id as {{ dbt.type_string() }}),
        ran_on, source, audience, user_id, status, seconds
    from {{ ref('int_looker__runs') }}
    where look_id is not null
),

counted as (
    select
        {{ tap_looker.key_of(['ran_on', 'content_type', 'content_id', 'user_id', 'source']) }}
            as usage_key,
        ran_on,
        content_type,
        content_id,
        user_id,
        source,
        max(audience) as audience,
        count(distinct run) as runs,
        count(*) as queries,
        cast(sum(case when status = 'error' then 1 else 0 end) as {{ dbt.type_bigint() }}) as errors,
        coalesce(sum(seconds), 0) as seconds
    from runs
    where ran_on is not null
    group by ran_on, content_type, content_id, user_id, source
)

select
    counted.usage_key,
    counted.ran_on,
    counted.content_type,
    counted.content_id,
    counted.user_id,
    counted.source,
    counted.audience,
    {{- tap_looker.counted_or_kept(['runs', 'queries', 'errors', 'seconds']) }}
