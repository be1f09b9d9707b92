with evidence as (
    select * from {{ ref('looker_evidence') }}
),

catalogue as (
    select model_name, name as explore_name, id as explore_id, project_name, label,
        coalesce(hidden, false) as is_hidden
    from {{ ref('stg_looker__lookml_model_explores') }}
),

in_content as (
    select
        queries.model as model_name,
        queries.view as explore_name,
        count(distinct case when content.content_type <> 'look' then content.content_id end)
            as dashboards,
        count(distinct case when content.content_type = 'look' then content.content_id end)
            as looks
    from {{ ref('int_looker__content_queries') }} as content
    join {{ ref('stg_looker__queries') }} as queries on queries.id = content.query_id
    where not content.is_deleted
    group by 1, 2
),

ran as (
    select
        daily.model_name,
        daily.explore_name,
        {% for days in [14, 30, 90] %}
        sum(case when daily.ran_on > evidence.after_{{ days }}d then daily.queries else 0 end)
            as queries_{{ days }}d,
        count(distinct case when daily.ran_on > evidence.after_{{ days }}d then daily.user_id end)
            as users_{{ days }}d,
        {% endfor %}
        {% for audience in ['people', 'embed', 'api', 'schedule'] %}
        sum(case when daily.audience = '{{ audience }}' then daily.queries else 0 end)
            as queries_{{ audience }},
        {% endfor %}
        sum(daily.queries) as queries,
        max(daily.ran_on) as last_run_on
    from {{ ref('looker_query_usage_daily') }} as daily
    cross join evidence
    where daily.audience <> 'tap' and daily.explore_name is not null
    group by daily.model_name, daily.explore_name
),

fields as (
    select
        model_name,
        explore_name,
        count(*) as fields,
        sum(case when verdict in ('unused', 'used_before') then 1 else 0 end) as fields_unused,
        sum(case when is_hidden then 1 else 0 end) as fields_hidden
    from {{ ref('looker_field_usage') }}
    where is_in_explore
    group by model_name, explore_name
),

used_views as (
    select distinct model_name, explore_name, view_name
    from {{ ref('looker_field_usage') }}
    where is_in_explore and verdict not in ('unused', 'used_before', 'only_in_lookml')
),

joins as (
    select
        joins.model_name,
        joins.explore_name,
        count(*) as joins,
        -- A join is not needed if no field of its view is used and no other join goes by it.
        sum(case when used_views.view_name is null and not exists (
            select 1 from {{ ref('stg_looker__explore_joins') }} as others
            where others.explore_id = joins.explore_id
                and others.name <> joins.name
                and {{ tap_looker.holds("coalesce(others.sql_on, '')", "'${' || joins.name || '.'") }}
        ) then 1 else 0 end) as joins_unused
    from {{ ref('stg_looker__explore_joins') }} as joins
    left join used_views
        on used_views.model_name = joins.model_name
        and used_views.explore_name = joins.explore_name
        and used_views.view_name = joins.name
    group by joins.model_name, joins.explore_name
),

names as (
    select model_name, explore_name from catalogue
    union {{ tap_looker.distinct() }}
    select model_name, explore_name from in_content
    union {{ tap_looker.distinct() }}
    select model_name, explore_name from ran
),

known as (
    select
        names.model_name,
        names.explore_name,
        catalogue.project_name,
        catalogue.label,
        catalogue.is_hidden,
        catalogue.explore_id is not null as is_in_lookml,
        coalesce(in_content.dashboards, 0) as dashboards,
        coalesce(in_content.looks, 0) as looks,
        {{- tap_looker.counts_of('ran', ['queries_14d', 'users_14d', 'queries_30d', 'users_30d',
            'queries_90d', 'users_90d', 'queries_people', 'queries_embed', 'queries_api',
            'queries_schedule', 'queries']) }},
        ran.last_run_on,
        fields.fields,
        cast(fields.fields_unused as {{ dbt.type_bigint() }}) as fields_unused,
        cast(fields.fields_hidden as {{ dbt.type_bigint() }}) as fields_hidden,
        case when fields.fields is not null then coalesce(joins.joins, 0) end as joins,
        case when fields.fields is not null then cast(coalesce(joins.joins_unused, 0) as {{ dbt.type_bigint() }}) end
            as joins_unused,
        evidence.history_from,
        evidence.history_to,
        evidence.history_days,
        evidence.days_in_period,
        evidence.is_enough,
        evidence.after_unused as period_from
    from names
    cross join evidence
    left join catalogue
        on catalogue.model_name = names.model_name
        and catalogue.explore_name = names.explore_name
    left join in_content
        on in_content.model_name = names.model_name
        and in_content.explore_name = names.explore_name
    left join ran
        on ran.model_name = names.model_name and ran.explore_name = names.explore_name
    left join fields
        on fields.model_name = names.model_name and fields.explore_name = names.explore_name
    left join joins
        on joins.model_name = names.model_name and joins.explore_name = names.explore_name
),

judged as (
    select
        *,
        case
            when queries > 0 and not is_in_lookml then 'not_listed'
            when last_run_on > period_from then 'used'
            when dashboards + looks > 0 then 'only_in_content'
            when not is_enough then 'unknown'
            else 'unused'
        end as verdict
    from known
)

select
    {{ tap_looker.key_of(['model_name', 'explore_name']) }} as explore_key,
    model_name,
    explore_name,
    project_name,
    label,
    is_hidden,
    is_in_lookml,
    dashboards,
    looks,
    queries_14d,
    users_14d,
    queries_30d,
    users_30d,
    queries_90d,
    users_90d,
    queries,
    queries_people,
    queries_embed,
    queries_api,
    queries_schedule,
    last_run_on,
    fields,
    fields_unused,
    fields_hidden,
    joins,
    joins_unused,
    verdict,
    case verdict
        when 'not_listed' then 'Queries on it ran, but no model has it: deleted, or not visible'
        when 'used' then 'Last queried on ' || {{ tap_looker.text('last_run_on') }}
        when 'only_in_content' then 'No query on it ran, but it is in '
            || {{ tap_looker.counted('dashboards', 'dashboard') }} || ' and '
            || {{ tap_looker.counted('looks', 'look') }}
        when 'unknown' then 'No query seen, but ' || {{ tap_looker.short_history('history_days') }}
        else case when last_run_on is null then 'No query on it ran'
            else 'Last queried on ' || {{ tap_looker.text('last_run_on') }} end
            || ', and no content has it'
    end
    || case when is_hidden then '; hidden' else '' end
    || {{ tap_looker.period("history_days > 0") }} as reason,
    history_from as evidence_from,
    history_to as evidence_to,
    history_days as evidence_days
from judged
