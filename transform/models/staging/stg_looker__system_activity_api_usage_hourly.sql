{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('system_activity_api_usage_hourly', ['row_key'], {
    'row_key': 'text',
    'row_time': 'time',
    'api_usage_hourly_total_usage': 'integer',
    'api_usage_endpoint_verb': 'text',
    'api_usage_endpoint_path': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'system_activity_api_usage_hourly') }}
