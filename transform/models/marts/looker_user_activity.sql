with evidence as (
    select * from {{ ref('looker_evidence') }}
),

users as (
    select * from {{ ref('stg_looker__users') }}
),

facts as (
    select * from {{ ref('stg_looker__system_activity_user_facts') }}
),

credentials as (
    select
        user_id,
        min(created_at) as first_credentials_at,
        max(logged_in_at) as last_login_at,
        sum(case when type = 'api3' then 1 else 0 end) as api_keys,
        sum(case when type not in ('api3', 'totp') then 1 else 0 end) as ways_to_log_in
    from {{ ref('stg_looker__user_credentials') }}
    where not coalesce(is_disabled, false)
    group by user_id
),

kinds_of_credentials as (
    select distinct user_id, type
    from {{ ref('stg_looker__user_credentials') }}
    where not coalesce(is_disabled, false)
),

methods as (
    select user_id, {{ dbt.listagg('type', "', '", 'order by type') }} as login_methods
    from kinds_of_credentials
    group by user_id
),

last_method as (
    select user_id, type
    from (
        select user_id, type, row_number() over (
            partition by user_id order by logged_in_at desc, type
        ) as place
        from {{ ref('stg_looker__user_credentials') }}
        where logged_in_at is not null
    ) as ordered
    where place = 1
),

names_of_roles as (
    select distinct user_id, role_name from {{ ref('int_looker__user_roles') }}
),

roles as (
    select user_id, {{ dbt.listagg('role_name', "', '", 'order by role_name') }} as roles
    from names_of_roles
    group by user_id
),

levels as (
    select
        roles.user_id,
        max(case permissions.permission
            when 'administer' then 4
            when 'develop' then 3
            when 'explore' then 2
            when 'access_data' then 1
            else 0 end) as level
    from {{ ref('int_looker__user_roles') }} as roles
    join {{ ref('int_looker__role_permissions') }} as permissions
        on permissions.role_id = roles.role_id
    group by roles.user_id
),

logins as (
    select
        event_user_id as user_id,
        count(*) as logins,
        sum(case when coalesce(event_is_api_call, false) then 1 else 0 end) as api_logins,
        max(event_created_time) as last_login_at
    from {{ ref('stg_looker__system_activity_events') }}
    where event_name = 'login'
    group by event_user_id
),

events as (
    select min(event_created_time) as events_from, max(event_created_time) as events_to
    from {{ ref('stg_looker__system_activity_events') }}
),

ran as (
    select
        daily.user_id,
        max(daily.ran_on) as last_query_on,
        {% for days in [30, 90] %}
        sum(case when daily.ran_on > evidence.after_{{ days }}d then daily.queries else 0 end)
            as queries_{{ days }}d,
        count(distinct case when daily.ran_on > evidence.after_{{ days }}d then daily.ran_on end)
            as active_days_{{ days }}d{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('looker_query_usage_daily') }} as daily
    cross join evidence
    -- What a schedule or Looker itself runs in a user's name is not the user's doing.
    where daily.audience not in ('schedule', 'system', 'tap')
    group by daily.user_id
),

lockouts as (
    select user_id, count(*) as lockouts
    from {{ ref('stg_looker__user_login_lockouts') }}
    where user_id is not null
    group by user_id
),

content as (
    select owner_id as user_id, count(*) as content
    from {{ ref('int_looker__content') }}
    where not is_deleted and owner_id is not null
    group by owner_id
),

known as (
    select
        users.id as user_id,
        users.display_name as user_name,
        users.email as user_email,
        case
            when users.verified_looker_employee then 'looker_support'
            when users.is_service_account then 'service_account'
            when users.is_embed_user or facts.user_facts_is_embed then 'embed'
            when credentials.api_keys > 0 and credentials.ways_to_log_in = 0 then 'api_only'
            else 'person'
        end as kind,
        coalesce(users.is_disabled, false) as is_disabled,
        tap.id is not null as is_user_of_tap,
        credentials.first_credentials_at,
        methods.login_methods,
        cast(coalesce(credentials.api_keys, 0) as {{ dbt.type_bigint() }}) as api_keys,
        coalesce(last_method.type, facts.user_facts_last_ui_login_credential_type)
            as last_login_method,
        greatest(
            coalesce(users.last_login_at, {{ tap_looker.long_ago() }}),
            coalesce(credentials.last_login_at, {{ tap_looker.long_ago() }}),
            coalesce(facts.user_facts_last_ui_login_time, {{ tap_looker.long_ago() }}),
            coalesce(logins.last_login_at, {{ tap_looker.long_ago() }})
        ) as last_login_or_long_ago,
        facts.user_facts_last_api_login_time as last_api_login_at,
        case when events.events_to is not null then coalesce(logins.logins, 0) end as logins,
        case when events.events_to is not null
            then cast(coalesce(logins.api_logins, 0) as {{ dbt.type_bigint() }}) end
            as api_logins,
        events.events_from as logins_from,
        ran.last_query_on,
        {{- tap_looker.counts_of('ran', ['queries_30d', 'queries_90d', 'active_days_30d', 'active_days_90d']) }},
        roles.roles,
        case
            when levels.level = 4 or (levels.level is null and facts.user_facts_is_admin)
                then 'admin'
            when levels.level = 3 or (levels.level is null and facts.user_facts_is_developer)
                then 'developer'
            when levels.level = 2 or (levels.level is null and facts.user_facts_is_explorer)
                then 'explorer'
            when levels.level = 1 or (levels.level is null and facts.user_facts_is_viewer)
                then 'viewer'
            else 'none'
        end as permission_level,
        coalesce(content.content, 0) as content_owned,
        coalesce(lockouts.lockouts, 0) as lockouts,
        methods.login_methods is not null or facts.user_id is not null as are_logins_known,
        coalesce(evidence.history_to, current_date) as as_of,
        evidence.history_from,
        evidence.history_to,
        evidence.history_days,
        evidence.is_enough,
        {{ tap_looker.days_before('coalesce(evidence.history_to, current_date)', var('looker_unused_after_days')) }}
            as period_from
    from users
    cross join evidence
    cross join events
    left join facts on facts.user_id = users.id
    left join {{ ref('stg_looker__current_user') }} as tap on tap.id = users.id
    left join credentials on credentials.user_id = users.id
    left join methods on methods.user_id = users.id
    left join last_method on last_method.user_id = users.id
    left join logins on logins.user_id = users.id
    left join ran on ran.user_id = users.id
    left join roles on roles.user_id = users.id
    left join levels on levels.user_id = users.id
    left join lockouts on lockouts.user_id = users.id
    left join content on content.user_id = users.id
),

dated as (
    select
        *,
        case when last_login_or_long_ago > {{ tap_looker.long_ago() }}
            then last_login_or_long_ago end as last_login_at
    from known
)

select
    user_id,
    user_name,
    user_email,
    kind,
    is_disabled,
    is_user_of_tap,
    permission_level,
    roles,
    first_credentials_at,
    login_methods,
    api_keys,
    last_login_at,
    last_login_method,
    last_api_login_at,
    {{ dbt.datediff('cast(last_login_at as date)', 'as_of', 'day') }} as days_since_last_login,
    logins,
    api_logins,
    logins_from,
    last_query_on,
    queries_30d,
    queries_90d,
    active_days_30d,
    active_days_90d,
    content_owned,
    lockouts,
    case
        when is_disabled then 'disabled'
        when last_query_on > period_from
            or cast(last_login_at as date) > period_from
            or cast(last_api_login_at as date) > period_from
            then 'active'
        when not are_logins_known and not is_enough then 'unknown'
        when last_login_at is null and last_api_login_at is null and last_query_on is null
            then 'never_logged_in'
        else 'inactive'
    end as verdict,
    history_from as evidence_from,
    history_to as evidence_to,
    history_days as evidence_days
from dated
