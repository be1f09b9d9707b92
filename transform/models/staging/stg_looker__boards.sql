{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('boards', ['id'], {
    'id': 'text',
    'title': 'text',
    'deleted_at': 'time',
}) }}
-- depends_on: {{ builtins.source('looker', 'boards') }}
