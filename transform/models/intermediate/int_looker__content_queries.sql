{# Which queries content is made of. A query may be there several times: under another tile. #}
with tiles as (
    select
        content.content_type,
        content.content_id,
        tiles.dashboard_element_id,
        tiles.dashboard_element_title,
        tiles.via,
        tiles.look_id,
        tiles.merge_query_id,
        coalesce(tiles.query_id, looks.query_id, sources.query_id) as query_id,
        content.is_deleted or coalesce(tiles.deleted, false) as is_deleted
    from {{ ref('stg_looker__dashboard_element_queries') }} as tiles
    join {{ ref('int_looker__content') }} as content
        on content.content_id = tiles.dashboard_id
        and content.content_type in ('dashboard', 'lookml_dashboard')
    left join {{ ref('stg_looker__looks') }} as looks on looks.id = tiles.look_id
    left join {{ ref('stg_looker__merge_query_sources') }} as sources
        on sources.merge_query_id = tiles.merge_query_id
)

select
    content_type, content_id, dashboard_element_id, dashboard_element_title, via, look_id,
    merge_query_id, query_id, is_deleted
from tiles
where query_id is not null
union all
select
    content_type, content_id, cast(null as {{ dbt.type_string() }}),
    cast(null as {{ dbt.type_string() }}), 'look', content_id,
    cast(null as {{ dbt.type_string() }}), query_id, is_deleted
from {{ ref('int_looker__content') }}
where query_id is not null
