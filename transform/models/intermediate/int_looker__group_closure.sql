{# Every group that members of a group are in by nesting, itself included. #}
with recursive closure(group_id, ancestor_id, depth) as (
    select group_id, group_id, 0
    from (
        select id as group_id from {{ ref('stg_looker__groups') }}
        union
        select group_id from {{ ref('stg_looker__user_groups') }}
    ) as known
    union
    select closure.group_id, parents.parent_group_id, closure.depth + 1
    from closure
    join {{ ref('stg_looker__group_parents') }} as parents
        on parents.group_id = closure.ancestor_id
    where closure.depth < 20
)

select group_id, ancestor_id, min(depth) as depth
from closure
group by group_id, ancestor_id
