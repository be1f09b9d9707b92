{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('alerts', ['id'], {
    'id': 'text',
    'cron': 'text',
    'dashboard_element_id': 'text',
    'is_disabled': 'boolean',
    'disabled_reason': 'text',
    'lookml_dashboard_id': 'text',
    'lookml_link_id': 'text',
    'owner_id': 'text',
    'custom_title': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'alerts') }}
