{# One row, also where nothing was loaded. Days are counted back from the last day of history, not
   from today: a load that has stopped does not make content unused. #}
with history as (
    select
        min(ran_on) as history_from,
        max(ran_on) as history_to,
        count(distinct ran_on) as days_with_history,
        min(case when audience = 'schedule' then ran_on end) as scheduled_from,
        sum(queries) as queries
    from {{ ref('looker_query_usage_daily') }}
)

select
    history_from,
    history_to,
    coalesce({{ dbt.datediff('history_from', 'history_to', 'day') }} + 1, 0) as history_days,
    days_with_history,
    coalesce({{ dbt.datediff('history_from', 'history_to', 'day') }} + 1 >= {{ var('looker_unused_after_days') | int }}
        and days_with_history * 10 > {{ dbt.datediff('history_from', 'history_to', 'day') }}, false)
        as is_enough,
    scheduled_from,
    cast(coalesce(queries, 0) as {{ dbt.type_bigint() }}) as queries,
    {{ tap_looker.days_before('history_to', 14) }} as after_14d,
    {{ tap_looker.days_before('history_to', 30) }} as after_30d,
    {{ tap_looker.days_before('history_to', 90) }} as after_90d,
    {{ tap_looker.days_before('history_to', var('looker_unused_after_days')) }} as after_unused
from history
