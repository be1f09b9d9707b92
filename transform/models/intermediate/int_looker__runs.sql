with history as (
    select
        *,
        -- The source is a word of Looker's database or the label of it, by release.
        lower(replace(coalesce(history_source, ''), ' ', '_')) as source
    from {{ ref('stg_looker__system_activity_history') }}
),

users as (
    select id, is_embed_user from {{ ref('stg_looker__users') }}
),

facts as (
    select user_id, user_facts_is_embed from {{ ref('stg_looker__system_activity_user_facts') }}
),

tap as (
    select id from {{ ref('stg_looker__current_user') }}
)

select
    history.history_id,
    history.history_created_time as ran_at,
    cast(history.history_created_time as date) as ran_on,
    history.source,
    case
        when tap.id is not null
            and (history.source like 'api%' or history.query_model = 'system__activity')
            then 'tap'
        when history.source like 'scheduled%' then 'schedule'
        when history.source like 'alert%'
            or history.source like 'render%'
            or history.source like 'regenerat%'
            or history.source like '%prefetch%'
            then 'system'
        when history.source like '%embed%'
            or history.source in ('private_url', 'public_url')
            or users.is_embed_user
            or facts.user_facts_is_embed
            then 'embed'
        when history.source like 'api%' then 'api'
        else 'people'
    end as audience,
    history.user_id,
    coalesce(nullif(history.history_dashboard_id, ''), nullif(history.history_real_dash_id, ''))
        as dashboard_id,
    nullif(history.look_id, '') as look_id,
    history.query_id,
    history.query_slug,
    history.query_model as model_name,
    history.query_view as explore_name,
    history.history_status as status,
    history.history_message as message,
    history.history_runtime as seconds,
    history.history_connection_name as connection_name,
    history.history_workspace_id as workspace,
    nullif(history.history_dashboard_session, '') as dashboard_session,
    case
        when history.history_result_source is null then null
        when {{ tap_looker.holds('lower(history.history_result_source)', "'cache'") }} then true
        else false
    end as is_from_cache
from history
left join users on users.id = history.user_id
left join facts on facts.user_id = history.user_id
left join tap on tap.id = history.user_id
