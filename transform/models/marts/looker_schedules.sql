{% set is_newer = 'plans.last_run_status is not null
    and cast(plans.last_run_at as date) > cast(finished.created_at as date)' %}
with evidence as (
    select * from {{ ref('looker_evidence') }}
),

jobs as (
    select
        scheduled_plan_id,
        scheduled_job_created_time as created_at,
        lower(scheduled_job_status) as status,
        scheduled_job_status_detail as detail,
        scheduled_job_row_limit_reached as is_cut,
        row_number() over (
            partition by scheduled_plan_id order by scheduled_job_created_time desc, scheduled_job_id desc
        ) as place
    from {{ ref('stg_looker__system_activity_scheduled_jobs') }}
),

counted as (
    select
        scheduled_plan_id,
        count(*) as runs,
        sum(case when status in ('failure', 'error', 'failed') then 1 else 0 end) as failures,
        sum(case when is_cut then 1 else 0 end) as runs_cut_at_row_limit,
        min(created_at) as runs_from,
        max(created_at) as last_job_at,
        max(case when status in ('failure', 'error', 'failed') then created_at end)
            as last_failure_at
    from jobs
    group by scheduled_plan_id
),

finished as (
    -- The last run that has ended: one that is under way says nothing yet.
    select scheduled_plan_id, status, detail, created_at
    from (
        select *, row_number() over (partition by scheduled_plan_id order by place) as nth
        from jobs
        where status not in ('in_progress', 'running', 'pending', 'queued')
    ) as ended
    where nth = 1
),

domains as (
    select distinct {{ dbt.split_part('lower(email)', "'@'", 2) }} as domain
    from {{ ref('stg_looker__users') }}
    where email is not null and not coalesce(is_disabled, false)
),

destinations as (
    select
        destinations.scheduled_plan_id,
        count(*) as destinations,
        sum(case when destinations.type <> 'email' then 1 else 0 end) as destinations_not_email,
        sum(case
            when destinations.type = 'email' and destinations.address is not null
                and {{ dbt.split_part('lower(destinations.address)', "'@'", 2) }}
                {%- if var('looker_internal_domains', none) %}
                not in {{ tap_looker.values_of('looker_internal_domains') }}
                {%- else %}
                not in (select domain from domains where domain is not null)
                {%- endif %}
            then 1 else 0 end) as external_addresses
    from {{ ref('stg_looker__scheduled_plan_destinations') }} as destinations
    group by destinations.scheduled_plan_id
),

known as (
    select
        plans.id as scheduled_plan_id,
        coalesce(plans.title, plans.name) as title,
        content.content_type,
        content.content_id,
        details.title as content_title,
        details.folder_path,
        details.is_deleted as is_content_deleted,
        details.content_id is not null as is_content_listed,
        plans.user_id as owner_id,
        users.display_name as owner_name,
        users.is_disabled as is_owner_disabled,
        coalesce(plans.enabled, false) as is_enabled,
        coalesce(plans.run_once, false) as is_once,
        plans.crontab,
        plans.datagroup,
        plans.created_at,
        plans.next_run_at,
        content.last_run_at,
        -- Looker forgets the runs of schedules after 7 days: what is left may be an earlier one.
        lower(case when {{ is_newer }} then plans.last_run_status
            else coalesce(finished.status, plans.last_run_status) end) as last_run_status,
        case when {{ is_newer }} then null else finished.detail end as last_run_detail,
        coalesce(destinations.destinations, 0) as destinations,
        cast(coalesce(destinations.destinations_not_email, 0) as {{ dbt.type_bigint() }}) as destinations_not_email,
        cast(coalesce(destinations.external_addresses, 0) as {{ dbt.type_bigint() }}) as external_addresses,
        counted.runs,
        cast(counted.failures as {{ dbt.type_bigint() }}) as failures,
        counted.last_failure_at,
        cast(counted.runs_cut_at_row_limit as {{ dbt.type_bigint() }}) as runs_cut_at_row_limit,
        counted.runs_from
    from {{ ref('stg_looker__scheduled_plans') }} as plans
    join {{ ref('int_looker__scheduled_content') }} as content
        on content.scheduled_plan_id = plans.id
    left join {{ ref('int_looker__content') }} as details
        on details.content_type = content.content_type
        and details.content_id = content.content_id
    left join {{ ref('stg_looker__users') }} as users on users.id = plans.user_id
    left join finished on finished.scheduled_plan_id = plans.id
    left join counted on counted.scheduled_plan_id = plans.id
    left join destinations on destinations.scheduled_plan_id = plans.id
)

select
    known.*,
    case
        when not is_enabled then 'disabled'
        when is_owner_disabled then 'owner_disabled'
        when is_content_deleted then 'content_deleted'
        when last_run_status in ('failure', 'error', 'failed') then 'failing'
        when last_run_at is null then 'never_run'
        else 'ok'
    end as verdict
from known
