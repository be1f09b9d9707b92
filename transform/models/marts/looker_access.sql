{# A role gives its permissions on its own models alone, so both come from one role. #}
with granted as (
    select
        users.user_id,
        models.model_name,
        permissions.permission,
        'role ' || users.role_name || ' (' || users.path || ')' as granted_by,
        users.paths,
        row_number() over (
            partition by users.user_id, models.model_name, permissions.permission
            order by case when users.path = 'directly' then 0 else 1 end, users.role_name,
                users.role_id
        ) as place
    from {{ ref('int_looker__user_roles') }} as users
    join {{ ref('int_looker__role_models') }} as models on models.role_id = users.role_id
    join {{ ref('int_looker__role_permissions') }} as permissions
        on permissions.role_id = users.role_id
),

counted as (
    select user_id, model_name, permission, cast(sum(paths) as {{ dbt.type_bigint() }}) as grants
    from granted
    group by user_id, model_name, permission
)

select
    {{ tap_looker.key_of(['granted.user_id', 'granted.model_name', 'granted.permission']) }}
        as access_key,
    granted.user_id,
    users.display_name as user_name,
    users.email as user_email,
    users.is_disabled as is_user_disabled,
    granted.model_name,
    granted.permission,
    granted.granted_by,
    counted.grants
from granted
join counted
    on counted.user_id = granted.user_id
    and counted.model_name = granted.model_name
    and counted.permission = granted.permission
left join {{ ref('stg_looker__users') }} as users on users.id = granted.user_id
where granted.place = 1
