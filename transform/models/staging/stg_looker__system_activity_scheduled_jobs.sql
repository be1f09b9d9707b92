{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('system_activity_scheduled_jobs', ['scheduled_job_id'], {
    'scheduled_job_id': 'integer',
    'scheduled_plan_id': 'text',
    'scheduled_job_created_time': 'time',
    'scheduled_job_finalized_time': 'time',
    'scheduled_job_status': 'text',
    'scheduled_job_status_detail': 'text',
    'scheduled_job_user_id': 'text',
    'scheduled_job_look_id': 'text',
    'scheduled_job_dashboard_id': 'text',
    'scheduled_job_lookml_dashboard_id': 'text',
    'scheduled_job_run_once': 'boolean',
    'scheduled_job_row_limit_reached': 'boolean',
    'scheduled_job_name': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'system_activity_scheduled_jobs') }}
