{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('current_user', ['id'], {
    'id': 'text',
    'display_name': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'current_user') }}
