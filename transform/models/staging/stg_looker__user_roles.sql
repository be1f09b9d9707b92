{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('user_roles', ['user_id', 'role_id'], {
    'user_id': 'text',
    'role_id': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'user_roles') }}
