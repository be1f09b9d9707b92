{# All calls of the instance's API, not only the tap's. Which are billed as what, Looker does not say. #}
with calls as (
    select
        cast(row_time as date) as called_on,
        coalesce(api_usage_endpoint_verb || ' ', '') || api_usage_endpoint_path as endpoint,
        'hourly' as source,
        api_usage_hourly_total_usage as calls
    from {{ ref('stg_looker__system_activity_api_usage_hourly') }}
    union all
    -- Up to release 25.16; where both have a day, the newer explore counts.
    select
        api_usage_created_date,
        api_usage_endpoint,
        'daily',
        api_usage_total_usage
    from {{ ref('stg_looker__system_activity_api_usage') }}
    where api_usage_created_date < coalesce(
        (select min(cast(row_time as date))
            from {{ ref('stg_looker__system_activity_api_usage_hourly') }}),
        cast('9999-01-01' as date)
    )
)

select
    {{ tap_looker.key_of(['called_on', 'endpoint', 'source']) }} as call_key,
    called_on,
    endpoint,
    source,
    cast(sum(calls) as {{ dbt.type_bigint() }}) as calls
from calls
group by called_on, endpoint, source
