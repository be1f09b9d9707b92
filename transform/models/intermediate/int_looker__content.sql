with content as (
    select
        'dashboard' as content_type, id as content_id, title, folder_id, user_id, created_at,
        updated_at, last_viewed_at, last_accessed_at, view_count, favorite_count, deleted,
        deleted_at, hidden, cast(null as {{ dbt.type_string() }}) as query_id
    from {{ ref('stg_looker__dashboards') }}
    -- The list of dashboards may hold those of LookML too, which have a stream of their own.
    where not {{ tap_looker.holds('id', "'::'") }}
    union all
    select
        'lookml_dashboard', id, title, folder_id, cast(null as {{ dbt.type_string() }}),
        cast(null as {{ dbt.type_timestamp() }}), cast(null as {{ dbt.type_timestamp() }}),
        last_viewed_at, last_accessed_at, view_count, favorite_count, deleted,
        cast(null as {{ dbt.type_timestamp() }}), hidden, cast(null as {{ dbt.type_string() }})
    from {{ ref('stg_looker__lookml_dashboards') }}
    union all
    select
        'look', id, title, folder_id, user_id, created_at, updated_at, last_viewed_at,
        last_accessed_at, view_count, favorite_count, deleted, deleted_at,
        cast(null as {{ dbt.type_boolean() }}), query_id
    from {{ ref('stg_looker__looks') }}
)

select
    {{ tap_looker.key_of(['content.content_type', 'content.content_id']) }} as content_key,
    content.content_type,
    content.content_id,
    content.title,
    content.folder_id,
    folders.path as folder_path,
    coalesce(folders.is_personal, false) or coalesce(folders.is_personal_descendant, false)
        as is_in_personal_folder,
    content.user_id as owner_id,
    users.display_name as owner_name,
    users.is_disabled as is_owner_disabled,
    content.created_at,
    content.updated_at,
    content.last_viewed_at,
    content.last_accessed_at,
    content.view_count,
    content.favorite_count,
    coalesce(content.deleted, false) as is_deleted,
    content.deleted_at,
    coalesce(content.hidden, false) as is_hidden,
    content.query_id
from content
left join {{ ref('stg_looker__folders') }} as folders on folders.id = content.folder_id
left join {{ ref('stg_looker__users') }} as users on users.id = content.user_id
