{# Which fields the LookML itself uses: in joins, access filters and other fields. #}
with fields as (
    select explore_id, name, view, sql from {{ ref('stg_looker__explore_fields') }}
),

referring as (
    select explore_id, name, view, sql
    from (
        select explore_id, name, view, replace(sql, '${TABLE}', '') as sql
        from fields
    ) as without_tables
    where {{ tap_looker.holds('sql', "'${'") }}
),

joins as (
    select
        explore_id,
        coalesce(sql_on, '') || ' ' || coalesce(sql_foreign_key, '')
            || case when foreign_key is not null then ' ${' || foreign_key || '}' else '' end
            as sql
    from {{ ref('stg_looker__explore_joins') }}
)

select distinct fields.explore_id, fields.name as field, 'join' as place
from fields
join joins
    on joins.explore_id = fields.explore_id
    and {{ tap_looker.holds('joins.sql', "'${' || fields.name || '}'") }}
union all
select distinct explore_id, field, 'access_filter'
from {{ ref('stg_looker__explore_access_filters') }}
where field is not null
union all
select distinct fields.explore_id, fields.name, 'field'
from fields
join referring as others
    on others.explore_id = fields.explore_id
    and others.name <> fields.name
    and (
        {{ tap_looker.holds('others.sql', "'${' || fields.name || '}'") }}
        -- Within its view, a field is named without it.
        or (
            others.view = fields.view
            and {{ tap_looker.holds('others.sql', "'${' || replace(fields.name, fields.view || '.', '') || '}'") }}
        )
    )
