{# The models of roles; the set of all models holds those there are, listed or not. #}
select distinct roles.id as role_id, models.model_name
from {{ ref('stg_looker__roles') }} as roles
join {{ ref('stg_looker__model_set_models') }} as models
    on models.model_set_id = roles.model_set_id
union {{ tap_looker.distinct() }}
select roles.id, models.name
from {{ ref('stg_looker__roles') }} as roles
join {{ ref('stg_looker__model_sets') }} as sets
    on sets.id = roles.model_set_id and sets.all_access
cross join {{ ref('stg_looker__lookml_models') }} as models
