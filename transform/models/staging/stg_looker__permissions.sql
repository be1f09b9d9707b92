{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('permissions', ['permission'], {
    'permission': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'permissions') }}
