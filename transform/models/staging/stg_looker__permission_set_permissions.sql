{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('permission_set_permissions', ['permission_set_id', 'permission'], {
    'permission_set_id': 'text',
    'permission': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'permission_set_permissions') }}
