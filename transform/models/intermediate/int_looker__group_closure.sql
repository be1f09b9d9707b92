{# Every group that members of a group are in by nesting, itself included. #}
{# Level by level, as not every warehouse lets a recursive query drop what it has found before. #}
{% set levels = 12 %}
with level_0 as (
    select id as group_id, id as ancestor_id from {{ ref('stg_looker__groups') }}
    union {{ tap_looker.distinct() }}
    select group_id, group_id as ancestor_id from {{ ref('stg_looker__user_groups') }}
),

{% for level in range(1, levels + 1) %}
level_{{ level }} as (
    select distinct below.group_id, parents.parent_group_id as ancestor_id
    from level_{{ level - 1 }} as below
    join {{ ref('stg_looker__group_parents') }} as parents
        on parents.group_id = below.ancestor_id
),

{% endfor %}
found as (
    {% for level in range(levels + 1) %}
    select group_id, ancestor_id, {{ level }} as depth from level_{{ level }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select group_id, ancestor_id, min(depth) as depth
from found
group by group_id, ancestor_id
