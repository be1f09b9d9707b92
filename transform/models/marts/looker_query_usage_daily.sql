{{ config(materialized='incremental', unique_key='usage_key', on_schema_change='append_new_columns') }}
{# As looker_content_usage_daily, for queries: fields and explores are counted from here. #}
with counted as (
    select
        {{ tap_looker.key_of(['ran_on', 'query_id', 'model_name', 'explore_name', 'user_id', 'source']) }}
            as usage_key,
        ran_on,
        query_id,
        model_name,
        explore_name,
        user_id,
        source,
        max(audience) as audience,
        count(*) as queries,
        cast(sum(case when status = 'error' then 1 else 0 end) as {{ dbt.type_bigint() }}) as errors,
        cast(sum(case when is_from_cache then 1 else 0 end) as {{ dbt.type_bigint() }}) as from_cache,
        coalesce(sum(seconds), 0) as seconds
    from {{ ref('int_looker__runs') }}
    where ran_on is not null
    group by ran_on, query_id, model_name, explore_name, user_id, source
)

select
    counted.usage_key,
    counted.ran_on,
    counted.query_id,
    counted.model_name,
    counted.explore_name,
    counted.user_id,
    counted.source,
    counted.audience,
    {{- tap_looker.counted_or_kept(['queries', 'errors', 'from_cache', 'seconds']) }}
