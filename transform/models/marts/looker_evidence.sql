{# One row, also where nothing was loaded. Days are counted back from the last day of history, not
   from today: a load that has stopped does not make content unused. #}
{% set unused_after = var('looker_unused_after_days') | int %}
with history as (
    select
        min(ran_on) as history_from,
        max(ran_on) as history_to,
        count(distinct ran_on) as days_with_history,
        min(case when audience = 'schedule' then ran_on end) as scheduled_from,
        sum(queries) as queries
    from {{ ref('looker_query_usage_daily') }}
),

dated as (
    select
        history.*,
        coalesce({{ dbt.datediff('history_from', 'history_to', 'day') }} + 1, 0) as history_days,
        {{ tap_looker.days_before('history_to', 14) }} as after_14d,
        {{ tap_looker.days_before('history_to', 30) }} as after_30d,
        {{ tap_looker.days_before('history_to', 90) }} as after_90d,
        {{ tap_looker.days_before('history_to', unused_after) }} as after_unused
    from history
),

period as (
    select count(distinct daily.ran_on) as days_in_period
    from {{ ref('looker_query_usage_daily') }} as daily
    cross join dated
    where daily.ran_on > dated.after_unused
)

select
    history_from,
    history_to,
    history_days,
    days_with_history,
    days_in_period,
    history_days >= {{ unused_after }} and days_in_period * 10 >= {{ unused_after }} as is_enough,
    scheduled_from,
    cast(coalesce(queries, 0) as {{ dbt.type_bigint() }}) as queries,
    after_14d,
    after_30d,
    after_90d,
    after_unused
from dated
cross join period
