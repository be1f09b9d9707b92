{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('system_activity_api_usage', ['api_usage_created_date', 'api_usage_endpoint'], {
    'api_usage_created_date': 'date',
    'api_usage_endpoint': 'text',
    'api_usage_total_usage': 'integer',
}) }}
-- depends_on: {{ builtins.source('looker', 'system_activity_api_usage') }}
