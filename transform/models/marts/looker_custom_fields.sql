{# Custom fields and table calculations that several queries define alike are worth LookML. #}
with defined as (
    select
        fields.query_id,
        queries.model as model_name,
        queries.view as explore_name,
        fields.kind,
        coalesce(fields.expression, '') as expression,
        coalesce(fields.based_on, '') as based_on,
        coalesce(fields.type, '') as type,
        coalesce(fields.filters, '') as filters,
        coalesce(fields.calculation_type, '') as calculation_type,
        coalesce(fields.args, '') as args,
        fields.name,
        fields.label
    from {{ ref('stg_looker__query_dynamic_fields') }} as fields
    join {{ ref('stg_looker__queries') }} as queries on queries.id = fields.query_id
),

placed as (
    select
        defined.*,
        content.content_type,
        content.content_id
    from defined
    left join {{ ref('int_looker__content_queries') }} as content
        on content.query_id = defined.query_id and not content.is_deleted
)

select
    {{ tap_looker.key_of(['model_name', 'explore_name', 'kind', 'expression', 'based_on', 'type', 'filters',
        'calculation_type', 'args']) }}
        as custom_field_key,
    model_name,
    explore_name,
    kind,
    nullif(expression, '') as expression,
    nullif(based_on, '') as based_on,
    nullif(type, '') as type,
    nullif(filters, '') as filters,
    nullif(calculation_type, '') as calculation_type,
    nullif(args, '') as args,
    min(name) as name,
    min(label) as label,
    count(distinct name) as names,
    count(distinct query_id) as queries,
    count(distinct case when content_type <> 'look' then content_id end) as dashboards,
    count(distinct case when content_type = 'look' then content_id end) as looks
from placed
group by model_name, explore_name, kind, expression, based_on, type, filters, calculation_type,
    args
