{# What the roles permit; sets of everything hold what there is, listed or not. #}
select distinct roles.id as role_id, permissions.permission
from {{ ref('stg_looker__roles') }} as roles
join {{ ref('stg_looker__permission_set_permissions') }} as permissions
    on permissions.permission_set_id = roles.permission_set_id
union {{ tap_looker.distinct() }}
select roles.id, permissions.permission
from {{ ref('stg_looker__roles') }} as roles
join {{ ref('stg_looker__permission_sets') }} as sets
    on sets.id = roles.permission_set_id and sets.all_access
cross join {{ ref('stg_looker__permissions') }} as permissions
