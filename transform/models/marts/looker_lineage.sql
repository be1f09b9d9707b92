{# From content down to the tables of the database. Views are those whose fields a query uses, and
   the one that its explore starts from; views that only join two others are not told. #}
with queries as (
    select id as query_id, model as model_name, view as explore_name
    from {{ ref('stg_looker__queries') }}
),

explores as (
    select id as explore_id, model_name, name as explore_name, view_name, sql_table_name,
        connection_name
    from {{ ref('stg_looker__explores') }}
),

fields as (
    select
        fields.query_id,
        fields.model as model_name,
        fields.explore as explore_name,
        coalesce(known.view, {{ dbt.split_part('fields.field', "'.'", 1) }}) as view_name
    from {{ ref('stg_looker__query_fields') }} as fields
    left join explores
        on explores.model_name = fields.model and explores.explore_name = fields.explore
    left join {{ ref('stg_looker__explore_fields') }} as known
        on known.explore_id = explores.explore_id and known.name = fields.field
    where not coalesce(fields.is_custom, false)
        and {{ tap_looker.holds('fields.field', "'.'") }}
),

views as (
    select query_id, view_name, count(*) as fields
    from fields
    group by query_id, view_name
    union all
    select queries.query_id, explores.view_name, 0
    from queries
    join explores
        on explores.model_name = queries.model_name
        and explores.explore_name = queries.explore_name
    where explores.view_name is not null
),

views_of_queries as (
    select query_id, view_name, cast(sum(fields) as {{ dbt.type_bigint() }}) as fields
    from views
    group by query_id, view_name
),

generated as (
    select distinct explore_id, view_name
    from {{ ref('stg_looker__explore_tables') }}
    where source = 'generated_sql'
),

tables as (
    -- Where SQL that Looker made is known, it says what constants and Liquid in LookML stand for.
    select known.explore_id, known.view_name, known.table_name, min(known.source) as source
    from {{ ref('stg_looker__explore_tables') }} as known
    left join generated
        on generated.explore_id = known.explore_id and generated.view_name = known.view_name
    where known.source <> 'sql_table_name' or generated.explore_id is null
    group by known.explore_id, known.view_name, known.table_name
),

declared as (
    select explore_id, view_name, sql_table_name as table_name
    from explores
    where sql_table_name is not null
    union {{ tap_looker.distinct() }}
    select explore_id, name, sql_table_name
    from {{ ref('stg_looker__explore_joins') }}
    where sql_table_name is not null
),

tables_of_views as (
    select explore_id, view_name, table_name, source from tables
    union all
    select declared.explore_id, declared.view_name, declared.table_name, 'sql_table_name'
    from declared
    where not exists (
        select 1 from tables
        where tables.explore_id = declared.explore_id
            and tables.view_name = declared.view_name
    )
),

found as (
    select distinct
        details.content_key,
        content.content_type,
        content.content_id,
        details.title as content_title,
        details.folder_path,
        content.dashboard_element_id,
        content.dashboard_element_title,
        content.via,
        content.query_id,
        queries.model_name,
        queries.explore_name,
        views.view_name,
        views.fields,
        tables_of_views.table_name,
        tables_of_views.source as table_known_from,
        explores.connection_name
    from {{ ref('int_looker__content_queries') }} as content
    join {{ ref('int_looker__content') }} as details
        on details.content_type = content.content_type
        and details.content_id = content.content_id
    left join queries on queries.query_id = content.query_id
    left join explores
        on explores.model_name = queries.model_name
        and explores.explore_name = queries.explore_name
    left join views_of_queries as views on views.query_id = content.query_id
    left join tables_of_views
        on tables_of_views.explore_id = explores.explore_id
        and tables_of_views.view_name = views.view_name
    where not content.is_deleted
)

select
    {{ tap_looker.key_of(['content_type', 'content_id', 'dashboard_element_id', 'via', 'query_id',
        'view_name', 'table_name', 'table_known_from']) }} as lineage_key,
    *
from found
