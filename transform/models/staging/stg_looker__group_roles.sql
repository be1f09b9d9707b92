{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('group_roles', ['group_id', 'role_id'], {
    'group_id': 'text',
    'role_id': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'group_roles') }}
