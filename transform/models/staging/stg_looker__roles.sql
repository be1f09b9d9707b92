{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('roles', ['id'], {
    'id': 'text',
    'name': 'text',
    'permission_set_id': 'text',
    'model_set_id': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'roles') }}
