with listed as (
    select * from {{ ref('int_looker__content') }}
),

gone as (
    -- What ran and is in no list, if there is a list: of one that was not loaded nothing is known.
    select distinct daily.content_type, daily.content_id
    from {{ ref('looker_content_usage_daily') }} as daily
    left join listed
        on listed.content_type = daily.content_type and listed.content_id = daily.content_id
    where listed.content_id is null
        and daily.content_type in (select content_type from listed)
),

content as (
    select
        listed.*,
        true as is_listed
    from listed
    union all
    select
        {{ tap_looker.key_of(['content_type', 'content_id']) }},
        content_type,
        content_id,
        {% for kind in ['string', 'string', 'string', 'boolean', 'string', 'string', 'boolean',
            'timestamp', 'timestamp', 'timestamp', 'timestamp', 'bigint', 'bigint', 'boolean',
            'timestamp', 'boolean', 'string'] -%}
        cast(null as {{ dbt['type_' ~ kind]() }}),
        {% endfor -%}
        false
    from gone
),

evidence as (
    select * from {{ ref('looker_evidence') }}
),

used as (
    select
        daily.content_type,
        daily.content_id,
        max(daily.ran_on) as last_run_on,
        max(case when daily.audience in ('people', 'embed', 'api') then daily.ran_on end)
            as last_used_on,
        {% for days in [14, 30, 90] %}
        sum(case when daily.audience in ('people', 'embed', 'api')
            and daily.ran_on > evidence.after_{{ days }}d then daily.runs else 0 end)
            as runs_{{ days }}d,
        count(distinct case when daily.audience in ('people', 'embed', 'api')
            and daily.ran_on > evidence.after_{{ days }}d then daily.user_id end)
            as users_{{ days }}d,
        {% endfor %}
        {% for audience in ['people', 'embed', 'api', 'schedule', 'system', 'tap'] %}
        sum(case when daily.audience = '{{ audience }}'
            and daily.ran_on > evidence.after_90d then daily.runs else 0 end)
            as runs_{{ audience }}_90d,
        {% endfor %}
        sum(case when daily.audience in ('people', 'embed', 'api')
            and daily.ran_on > evidence.after_unused then daily.runs else 0 end) as runs_in_period
    from {{ ref('looker_content_usage_daily') }} as daily
    cross join evidence
    group by daily.content_type, daily.content_id
),

schedules as (
    select
        content_type,
        content_id,
        count(*) as schedules,
        sum(case when is_enabled then 1 else 0 end) as schedules_enabled,
        max(last_run_at) as last_scheduled_run_at
    from {{ ref('int_looker__scheduled_content') }}
    group by content_type, content_id
),

alerts as (
    select
        case when alerts.lookml_dashboard_id is not null then 'lookml_dashboard'
            else 'dashboard' end as content_type,
        coalesce(alerts.lookml_dashboard_id, tiles.dashboard_id) as content_id,
        count(*) as alerts_enabled
    from {{ ref('stg_looker__alerts') }} as alerts
    left join {{ ref('stg_looker__dashboard_elements') }} as tiles
        on tiles.id = alerts.dashboard_element_id
    where not coalesce(alerts.is_disabled, false)
    group by 1, 2
),

favorites as (
    select
        case when look_id is not null then 'look'
            when lookml_dashboard_id is not null then 'lookml_dashboard'
            else 'dashboard' end as content_type,
        coalesce(look_id, lookml_dashboard_id, dashboard_id) as content_id,
        count(*) as favorites
    from {{ ref('stg_looker__content_favorites') }}
    group by 1, 2
),

boards as (
    select
        case when items.look_id is not null then 'look'
            when items.lookml_dashboard_id is not null then 'lookml_dashboard'
            else 'dashboard' end as content_type,
        coalesce(items.look_id, items.lookml_dashboard_id, items.dashboard_id) as content_id,
        count(distinct sections.board_id) as boards
    from {{ ref('stg_looker__board_items') }} as items
    join {{ ref('stg_looker__board_sections') }} as sections
        on sections.id = items.board_section_id and sections.deleted_at is null
    join {{ ref('stg_looker__boards') }} as boards
        on boards.id = sections.board_id and boards.deleted_at is null
    group by 1, 2
),

on_dashboards as (
    select
        tiles.look_id as content_id,
        count(distinct tiles.dashboard_id) as dashboards
    from {{ ref('stg_looker__dashboard_element_queries') }} as tiles
    join listed as dashboards
        on dashboards.content_id = tiles.dashboard_id
        and dashboards.content_type in ('dashboard', 'lookml_dashboard')
        and not coalesce(dashboards.is_deleted, false)
    where tiles.look_id is not null and not coalesce(tiles.deleted, false)
    group by tiles.look_id
),

earlier_views as (
    -- The newest count that is at least so old; views since are the difference.
    select
        snapshots.content_type,
        snapshots.content_id,
        {% for days in [14, 30, 90] %}
        max(case when snapshots.snapshot_on <= {{ tap_looker.days_before('current_date', days) }}
            then snapshots.view_count end) as views_until_{{ days }}d{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('looker_content_snapshots') }} as snapshots
    group by snapshots.content_type, snapshots.content_id
),

known as (
    select
        content.*,
        evidence.history_from,
        evidence.history_to,
        evidence.history_days,
        evidence.days_in_period,
        evidence.is_enough,
        evidence.after_unused,
        used.last_run_on,
        used.last_used_on,
        {{- tap_looker.counts_of('used', ['runs_14d', 'runs_30d', 'runs_90d', 'users_14d', 'users_30d', 'users_90d',
            'runs_people_90d', 'runs_embed_90d', 'runs_api_90d', 'runs_schedule_90d',
            'runs_system_90d', 'runs_tap_90d', 'runs_in_period']) }},
        {% for days in [14, 30, 90] %}
        content.view_count - earlier_views.views_until_{{ days }}d as views_{{ days }}d,
        {% endfor %}
        coalesce(schedules.schedules, 0) as schedules,
        cast(coalesce(schedules.schedules_enabled, 0) as {{ dbt.type_bigint() }}) as schedules_enabled,
        schedules.last_scheduled_run_at,
        coalesce(alerts.alerts_enabled, 0) as alerts_enabled,
        greatest(coalesce(favorites.favorites, 0), coalesce(content.favorite_count, 0))
            as favorites,
        coalesce(boards.boards, 0) as boards,
        coalesce(on_dashboards.dashboards, 0) as dashboards,
        cast({{ dbt.dateadd(
            'day', -(var('looker_unused_after_days') | int),
            'coalesce(evidence.history_to, current_date)') }} as date) as period_from
    from content
    cross join evidence
    left join used
        on used.content_type = content.content_type and used.content_id = content.content_id
    left join schedules
        on schedules.content_type = content.content_type
        and schedules.content_id = content.content_id
    left join alerts
        on alerts.content_type = content.content_type and alerts.content_id = content.content_id
    left join favorites
        on favorites.content_type = content.content_type
        and favorites.content_id = content.content_id
    left join boards
        on boards.content_type = content.content_type and boards.content_id = content.content_id
    left join on_dashboards
        on on_dashboards.content_id = content.content_id and content.content_type = 'look'
    left join earlier_views
        on earlier_views.content_type = content.content_type
        and earlier_views.content_id = content.content_id
),

judged as (
    select
        *,
        case
            when not is_listed then 'not_listed'
            when is_deleted then 'deleted'
            when runs_in_period > 0
                or cast(last_viewed_at as date) > period_from
                or cast(last_accessed_at as date) > period_from
                then 'used'
            when lower(content_type || '/' || content_id) in {{ tap_looker.values_of('looker_keep') }}
                then 'kept'
            when schedules_enabled > 0 or alerts_enabled > 0 then 'delivered'
            when dashboards > 0 then 'on_dashboard'
            when cast(created_at as date) > period_from then 'new'
            when not is_enough then 'unknown'
            when favorites > 0 or boards > 0 then 'linked'
            else 'unused'
        end as verdict
    from known
)

select
    content_key,
    content_type,
    content_id,
    title,
    folder_id,
    folder_path,
    is_in_personal_folder,
    owner_id,
    owner_name,
    is_owner_disabled,
    is_listed,
    is_deleted,
    is_hidden,
    created_at,
    updated_at,
    deleted_at,
    view_count as views,
    views_14d,
    views_30d,
    views_90d,
    last_viewed_at,
    last_accessed_at,
    last_run_on,
    last_used_on,
    runs_14d,
    runs_30d,
    runs_90d,
    users_14d,
    users_30d,
    users_90d,
    runs_people_90d,
    runs_embed_90d,
    runs_api_90d,
    runs_schedule_90d,
    runs_system_90d,
    runs_tap_90d,
    schedules,
    schedules_enabled,
    last_scheduled_run_at,
    alerts_enabled,
    favorites,
    boards,
    dashboards,
    verdict,
    case verdict
        when 'deleted' then 'In the trash'
            || coalesce(' since ' || {{ tap_looker.text('cast(deleted_at as date)') }}, '')
        when 'not_listed'
            then 'It ran, but Looker does not list it: deleted, or hidden from the user of the key'
        when 'kept' then 'On the list of what to keep'
        when 'used' then
            case when runs_in_period > 0
                then 'Last run on ' || {{ tap_looker.text('last_used_on') }}
                else 'Last opened on ' || {{ tap_looker.text(
                    'cast(coalesce(last_viewed_at, last_accessed_at) as date)') }}
            end
        when 'delivered' then 'Nobody opened it, but it is delivered: '
            || {{ tap_looker.counted('schedules_enabled', 'schedule') }} || ', '
            || {{ tap_looker.counted('alerts_enabled', 'alert') }}
        when 'on_dashboard' then 'Nobody opened it, but it is on '
            || {{ tap_looker.counted('dashboards', 'dashboard') }}
        when 'new' then 'Not used yet: created on '
            || {{ tap_looker.text('cast(created_at as date)') }}
        when 'unknown' then
            case when history_days = 0 then 'No history of queries was loaded'
                else 'No use seen, but ' || {{ tap_looker.short_history('history_days') }} end
        when 'linked' then 'Not used, but linked: ' || {{ tap_looker.counted('favorites', 'favorite') }} || ', '
            || {{ tap_looker.counted('boards', 'board') }}
        else 'Nobody ran or opened it'
            || case when is_owner_disabled then '; its owner is disabled' else '' end
    end
    || {{ tap_looker.period("history_days > 0 and verdict not in ('deleted', 'kept')") }} as reason,
    history_from as evidence_from,
    history_to as evidence_to,
    history_days as evidence_days
from judged
