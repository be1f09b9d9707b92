{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('permission_sets', ['id'], {
    'id': 'text',
    'name': 'text',
    'all_access': 'boolean',
}) }}
-- depends_on: {{ builtins.source('looker', 'permission_sets') }}
