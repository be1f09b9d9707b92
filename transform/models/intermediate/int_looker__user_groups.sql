{# The groups that users are in, and through which group of theirs: the nearest. #}
with memberships as (
    select
        members.user_id,
        closure.ancestor_id as group_id,
        members.group_id as through_group_id,
        closure.depth,
        row_number() over (
            partition by members.user_id, closure.ancestor_id
            order by closure.depth, members.group_id
        ) as place
    from {{ ref('stg_looker__user_groups') }} as members
    join {{ ref('int_looker__group_closure') }} as closure
        on closure.group_id = members.group_id
)

select
    memberships.user_id,
    memberships.group_id,
    coalesce(granting.name, memberships.group_id) as group_name,
    memberships.through_group_id,
    memberships.depth,
    case
        when memberships.depth = 0
            then 'group ' || coalesce(granting.name, memberships.group_id)
        else 'group ' || coalesce(granting.name, memberships.group_id) || ', by way of '
            || coalesce(nearest.name, memberships.through_group_id)
    end as path
from memberships
left join {{ ref('stg_looker__groups') }} as granting on granting.id = memberships.group_id
left join {{ ref('stg_looker__groups') }} as nearest on nearest.id = memberships.through_group_id
where memberships.place = 1
