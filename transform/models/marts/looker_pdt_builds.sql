{# Builds that development mode caused are counted apart: they are nobody's production. #}
with builds as (
    select
        pdt_builds_connection as connection_name,
        pdt_builds_model_name as model_name,
        pdt_builds_view_name as view_name,
        pdt_builds_start_time as started_at,
        pdt_builds_elapsed_seconds as seconds,
        pdt_builds_status as status,
        coalesce(pdt_builds_dev_build, false) as is_dev,
        case
            when lower(pdt_builds_build_result) in ('failure', 'error', 'failed')
                or lower(pdt_builds_status) like '%error%' then true
            else false
        end as is_failure,
        row_number() over (
            partition by pdt_builds_connection, pdt_builds_model_name, pdt_builds_view_name
            order by pdt_builds_start_time desc, pdt_builds_tid
        ) as place
    from {{ ref('stg_looker__system_activity_pdt_builds') }}
)

select
    {{ tap_looker.key_of(['connection_name', 'model_name', 'view_name']) }} as pdt_key,
    connection_name,
    model_name,
    view_name,
    count(*) as builds,
    cast(sum(case when is_dev then 1 else 0 end) as {{ dbt.type_bigint() }}) as builds_in_development,
    cast(sum(case when is_failure then 1 else 0 end) as {{ dbt.type_bigint() }}) as failures,
    avg(seconds) as average_seconds,
    max(seconds) as longest_seconds,
    sum(seconds) as total_seconds,
    max(case when place = 1 then status end) as last_status,
    max(case when is_failure then started_at end) as last_failure_at,
    max(started_at) as last_build_at,
    min(started_at) as builds_from
from builds
group by connection_name, model_name, view_name
