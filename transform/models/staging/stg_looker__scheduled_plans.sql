{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('scheduled_plans', ['id'], {
    'id': 'text',
    'name': 'text',
    'title': 'text',
    'user_id': 'text',
    'enabled': 'boolean',
    'look_id': 'text',
    'dashboard_id': 'text',
    'lookml_dashboard_id': 'text',
    'query_id': 'text',
    'crontab': 'text',
    'datagroup': 'text',
    'run_once': 'boolean',
    'created_at': 'time',
    'next_run_at': 'time',
    'last_run_at': 'time',
    'last_run_status': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'scheduled_plans') }}
