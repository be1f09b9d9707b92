with plans as (
    select
        id,
        case
            when look_id is not null then 'look'
            when lookml_dashboard_id is not null then 'lookml_dashboard'
            when dashboard_id is not null then 'dashboard'
            when query_id is not null then 'query'
        end as content_type,
        coalesce(look_id, lookml_dashboard_id, dashboard_id, query_id) as content_id,
        coalesce(enabled, false) as is_enabled,
        last_run_at
    from {{ ref('stg_looker__scheduled_plans') }}
),

jobs as (
    select scheduled_plan_id, max(scheduled_job_created_time) as last_job_at
    from {{ ref('stg_looker__system_activity_scheduled_jobs') }}
    group by scheduled_plan_id
)

select
    plans.id as scheduled_plan_id,
    plans.content_type,
    plans.content_id,
    plans.is_enabled,
    case when jobs.last_job_at is null or plans.last_run_at >= jobs.last_job_at
        then plans.last_run_at else jobs.last_job_at end as last_run_at
from plans
left join jobs on jobs.scheduled_plan_id = plans.id
