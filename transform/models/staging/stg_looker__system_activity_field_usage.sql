{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('system_activity_field_usage', ['field_usage_model', 'field_usage_explore', 'field_usage_field'], {
    'field_usage_model': 'text',
    'field_usage_explore': 'text',
    'field_usage_field': 'text',
    'field_usage_times_used': 'integer',
    'field_usage_view': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'system_activity_field_usage') }}
