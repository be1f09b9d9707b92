{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('system_activity_history', ['history_id'], {
    'history_id': 'integer',
    'history_created_time': 'time',
    'history_source': 'text',
    'history_status': 'text',
    'history_runtime': 'number',
    'history_result_source': 'text',
    'history_message': 'text',
    'history_dashboard_id': 'text',
    'history_real_dash_id': 'text',
    'history_dashboard_session': 'text',
    'history_workspace_id': 'text',
    'history_connection_name': 'text',
    'look_id': 'text',
    'user_id': 'text',
    'query_id': 'integer',
    'query_slug': 'text',
    'query_model': 'text',
    'query_view': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'system_activity_history') }}
