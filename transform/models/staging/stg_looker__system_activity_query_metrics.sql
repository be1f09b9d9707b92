{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('system_activity_query_metrics', ['query_metrics_id'], {
    'query_metrics_id': 'integer',
    'history_id': 'integer',
    'query_metrics_queued': 'number',
    'query_metrics_per_user_throttler': 'number',
    'query_metrics_acquire_connection': 'number',
    'query_metrics_execute_main_query': 'number',
    'query_metrics_pdt': 'number',
}) }}
-- depends_on: {{ builtins.source('looker', 'system_activity_query_metrics') }}
