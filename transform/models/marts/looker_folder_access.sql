{# The levels that count for a folder are its own, or those of the folder it inherits from. #}
with folders as (
    select
        folders.id as folder_id,
        folders.path as folder_path,
        metadata.id as content_metadata_id,
        case when coalesce(metadata.inherits, false)
            then coalesce(metadata.inheriting_id, metadata.id) else metadata.id end
            as deciding_metadata_id
    from {{ ref('stg_looker__folders') }} as folders
    join {{ ref('stg_looker__content_metadata') }} as metadata
        on metadata.id = folders.content_metadata_id
),

deciding as (
    select
        folders.*,
        decisive.path as decided_by_folder_path
    from folders
    left join {{ ref('stg_looker__folders') }} as decisive
        on decisive.content_metadata_id = folders.deciding_metadata_id
),

granted as (
    select
        deciding.folder_id,
        deciding.folder_path,
        access.user_id,
        access.permission_type,
        'directly' as path,
        0 as distance,
        deciding.decided_by_folder_path
    from deciding
    join {{ ref('stg_looker__content_metadata_access') }} as access
        on access.content_metadata_id = deciding.deciding_metadata_id
    where access.user_id is not null
    union all
    select
        deciding.folder_id,
        deciding.folder_path,
        members.user_id,
        access.permission_type,
        members.path,
        1 + members.depth,
        deciding.decided_by_folder_path
    from deciding
    join {{ ref('stg_looker__content_metadata_access') }} as access
        on access.content_metadata_id = deciding.deciding_metadata_id
    join {{ ref('int_looker__user_groups') }} as members on members.group_id = access.group_id
    union all
    select
        deciding.folder_id,
        deciding.folder_path,
        admins.user_id,
        'edit',
        'admin: role ' || admins.role_name || ' (' || admins.path || ')',
        100,
        cast(null as {{ dbt.type_string() }})
    from deciding
    cross join {{ ref('int_looker__user_roles') }} as admins
    join {{ ref('int_looker__role_permissions') }} as permissions
        on permissions.role_id = admins.role_id and permissions.permission = 'administer'
),

best as (
    select
        *,
        row_number() over (
            partition by user_id, folder_id
            order by case when permission_type = 'edit' then 0 else 1 end, distance, path
        ) as place,
        count(*) over (partition by user_id, folder_id) as grants
    from granted
)

select
    {{ tap_looker.key_of(['best.user_id', 'best.folder_id']) }} as access_key,
    best.user_id,
    users.display_name as user_name,
    users.email as user_email,
    users.is_disabled as is_user_disabled,
    best.folder_id,
    best.folder_path,
    best.permission_type as level,
    best.path as granted_by,
    best.decided_by_folder_path,
    best.grants
from best
left join {{ ref('stg_looker__users') }} as users on users.id = best.user_id
where best.place = 1
