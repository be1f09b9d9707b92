{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('dashboard_elements', ['id'], {
    'id': 'text',
    'dashboard_id': 'text',
    'look_id': 'text',
    'title': 'text',
    'type': 'text',
    'deleted': 'boolean',
}) }}
-- depends_on: {{ builtins.source('looker', 'dashboard_elements') }}
