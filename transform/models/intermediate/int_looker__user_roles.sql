{# The roles of users, and how each is granted: directly, or by a group. #}
with granted as (
    select user_id, role_id, 'directly' as path, 0 as place
    from {{ ref('stg_looker__user_roles') }}
    union all
    select members.user_id, roles.role_id, members.path, 1 + members.depth
    from {{ ref('int_looker__user_groups') }} as members
    join {{ ref('stg_looker__group_roles') }} as roles on roles.group_id = members.group_id
),

ordered as (
    select
        *,
        row_number() over (partition by user_id, role_id order by place, path) as rank_of_path,
        count(*) over (partition by user_id, role_id) as paths
    from granted
)

select
    ordered.user_id,
    ordered.role_id,
    coalesce(roles.name, ordered.role_id) as role_name,
    roles.permission_set_id,
    roles.model_set_id,
    ordered.path,
    ordered.paths
from ordered
left join {{ ref('stg_looker__roles') }} as roles on roles.id = ordered.role_id
where ordered.rank_of_path = 1
