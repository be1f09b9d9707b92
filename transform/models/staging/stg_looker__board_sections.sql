{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('board_sections', ['id'], {
    'id': 'text',
    'board_id': 'text',
    'deleted_at': 'time',
}) }}
-- depends_on: {{ builtins.source('looker', 'board_sections') }}
