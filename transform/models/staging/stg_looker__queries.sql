{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('queries', ['id'], {
    'id': 'text',
    'model': 'text',
    'view': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'queries') }}
