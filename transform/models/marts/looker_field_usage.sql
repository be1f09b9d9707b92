with evidence as (
    select * from {{ ref('looker_evidence') }}
),

catalogue as (
    select
        explores.model_name,
        explores.name as explore_name,
        fields.name as field,
        fields.explore_id,
        fields.view as view_name,
        fields.label,
        fields.type,
        fields.category,
        coalesce(fields.hidden, false) as is_hidden
    from {{ ref('stg_looker__explore_fields') }} as fields
    join {{ ref('stg_looker__explores') }} as explores on explores.id = fields.explore_id
),

in_content as (
    select
        fields.model as model_name,
        fields.explore as explore_name,
        fields.field,
        max(case when fields.is_custom then 1 else 0 end) as is_custom,
        count(distinct case when content.content_type <> 'look' then content.content_id end)
            as dashboards,
        count(distinct case when content.content_type = 'look' then content.content_id end)
            as looks,
        {% for kind, places in [
            ('selected', "('field', 'pivot', 'fill', 'subtotal')"), ('filter', "('filter')"),
            ('sort', "('sort')"), ('calculation', "('calculation', 'custom_field')")
        ] %}
        max(case when fields.place in {{ places }} then 1 else 0 end) as {{ kind }}_in_content
        {{- ',' if not loop.last }}
        {% endfor %}
    from {{ ref('stg_looker__query_fields') }} as fields
    join {{ ref('int_looker__content_queries') }} as content
        on content.query_id = fields.query_id and not content.is_deleted
    group by 1, 2, 3
),

places as (
    select
        query_id,
        query_model as model_name,
        query_view as explore_name,
        field,
        max(case when is_custom then 1 else 0 end) as is_custom,
        {% for kind, places in [
            ('selected', "('field', 'pivot', 'fill', 'subtotal')"), ('filter', "('filter')"),
            ('sort', "('sort')"), ('calculation', "('calculation', 'custom_field')")
        ] %}
        max(case when place in {{ places }} then 1 else 0 end) as is_{{ kind }}
        {{- ',' if not loop.last }}
        {% endfor %}
    from {{ ref('stg_looker__system_activity_query_fields') }}
    group by query_id, query_model, query_view, field
),

ran as (
    select
        places.model_name,
        places.explore_name,
        places.field,
        max(places.is_custom) as is_custom,
        {% for days in [14, 30, 90] %}
        sum(case when daily.ran_on > evidence.after_{{ days }}d then daily.queries else 0 end)
            as queries_{{ days }}d,
        count(distinct case when daily.ran_on > evidence.after_{{ days }}d then daily.user_id end)
            as users_{{ days }}d,
        {% endfor %}
        sum(daily.queries) as queries,
        {% for kind in ['selected', 'filter', 'sort', 'calculation'] %}
        sum(case when places.is_{{ kind }} = 1 then daily.queries else 0 end)
            as queries_{{ kind }},
        sum(case when places.is_{{ kind }} = 1 and daily.ran_on > evidence.after_unused
            then daily.queries else 0 end) as {{ kind }}_in_period,
        {% endfor %}
        max(daily.ran_on) as last_run_on
    from places
    join {{ ref('looker_query_usage_daily') }} as daily
        on daily.query_id = places.query_id and daily.audience <> 'tap'
    cross join evidence
    group by places.model_name, places.explore_name, places.field
),

in_lookml as (
    select
        explore_id,
        field,
        {% for place in ['join', 'access_filter', 'field'] %}
        max(case when place = '{{ place }}' then 1 else 0 end) as in_{{ place }}
        {{- ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_looker__field_uses') }}
    group by explore_id, field
),

looker as (
    select
        field_usage_model as model_name,
        field_usage_explore as explore_name,
        field_usage_field as field,
        field_usage_times_used as times_used
    from {{ ref('stg_looker__system_activity_field_usage') }}
),

names as (
    select model_name, explore_name, field from catalogue
    union {{ tap_looker.distinct() }}
    select model_name, explore_name, field from in_content
    union {{ tap_looker.distinct() }}
    select model_name, explore_name, field from ran
    union {{ tap_looker.distinct() }}
    select model_name, explore_name, field from looker
),

known as (
    select
        names.model_name,
        names.explore_name,
        names.field,
        catalogue.view_name,
        catalogue.label,
        catalogue.type,
        catalogue.category,
        catalogue.is_hidden,
        catalogue.field is not null as is_in_explore,
        coalesce(in_content.is_custom, 0) + coalesce(ran.is_custom, 0) > 0 as is_custom,
        coalesce(in_content.dashboards, 0) as dashboards,
        coalesce(in_content.looks, 0) as looks,
        coalesce(in_content.selected_in_content, 0) as selected_in_content,
        coalesce(ran.selected_in_period, 0) as selected_in_period,
        {{- tap_looker.counts_of('ran', ['queries_14d', 'queries_30d', 'queries_90d', 'users_14d',
            'users_30d', 'users_90d', 'queries', 'queries_selected', 'queries_filter',
            'queries_sort', 'queries_calculation']) }},
        ran.last_run_on,
        {% for kind in ['filter', 'sort', 'calculation'] %}
        coalesce(in_content.{{ kind }}_in_content, 0) = 1 or coalesce(ran.{{ kind }}_in_period, 0) > 0
            as is_used_in_{{ kind }},
        {% endfor %}
        {% for place in ['join', 'access_filter', 'field'] %}
        coalesce(in_lookml.in_{{ place }}, 0) = 1 as is_used_by_{{ place }},
        {% endfor %}
        looker.times_used,
        evidence.history_from,
        evidence.history_to,
        evidence.history_days,
        evidence.days_in_period,
        evidence.is_enough,
        -- Without the fields of queries that ran, nothing is known of what they used.
        case when (select count(*) from places) = 0 then 0 else evidence.history_days end
            as days_of_fields
    from names
    cross join evidence
    left join catalogue
        on catalogue.model_name = names.model_name
        and catalogue.explore_name = names.explore_name
        and catalogue.field = names.field
    left join in_content
        on in_content.model_name = names.model_name
        and in_content.explore_name = names.explore_name
        and in_content.field = names.field
    left join ran
        on ran.model_name = names.model_name
        and ran.explore_name = names.explore_name
        and ran.field = names.field
    left join looker
        on looker.model_name = names.model_name
        and looker.explore_name = names.explore_name
        and looker.field = names.field
    left join in_lookml
        on in_lookml.explore_id = catalogue.explore_id and in_lookml.field = catalogue.field
),

judged as (
    select
        *,
        case
            when selected_in_content = 1 or selected_in_period > 0 then 'used'
            when is_used_in_filter or is_used_in_sort or is_used_in_calculation
                then 'only_in_filters_sorts_or_calculations'
            when is_used_by_join or is_used_by_access_filter or is_used_by_field
                then 'only_in_lookml'
            when times_used > 0 then 'used_before'
            when days_of_fields = 0 or not is_enough then 'unknown'
            else 'unused'
        end as verdict
    from known
)

select
    {{ tap_looker.key_of(['model_name', 'explore_name', 'field']) }} as field_key,
    model_name,
    explore_name,
    field,
    view_name,
    label,
    type,
    category,
    is_hidden,
    is_in_explore,
    is_custom,
    dashboards,
    looks,
    {% for days in [14, 30, 90] %}
    queries_{{ days }}d,
    users_{{ days }}d,
    {% endfor %}
    queries,
    queries_selected,
    queries_filter,
    queries_sort,
    queries_calculation,
    last_run_on,
    is_used_in_filter,
    is_used_in_sort,
    is_used_in_calculation,
    is_used_by_join,
    is_used_by_access_filter,
    is_used_by_field,
    times_used,
    verdict,
    case verdict
        when 'used' then 'In ' || {{ tap_looker.counted('dashboards', 'dashboard') }} || ', '
            || {{ tap_looker.counted('looks', 'look') }} || ' and '
            || {{ tap_looker.counted('coalesce(queries, 0)', 'query', 'queries') }} || ' that ran'
        when 'only_in_filters_sorts_or_calculations'
            then 'Never shown, but used in filters, sorts or calculations'
        when 'only_in_lookml' then 'In no query seen, but other LookML refers to it'
        when 'used_before' then 'In no query seen, but Looker has counted '
            || {{ tap_looker.counted('times_used', 'use') }} || ' before'
        when 'unknown' then 'In no content; '
            || case when days_of_fields = 0 then 'which fields queries used was not loaded'
                else {{ tap_looker.short_history('history_days') }} end
        else 'In no content, and in no query that ran in the period'
    end
    || {{ tap_looker.period("days_of_fields > 0") }} as reason,
    history_from as evidence_from,
    history_to as evidence_to,
    days_of_fields as evidence_days
from judged
