{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('board_items', ['id'], {
    'id': 'text',
    'board_section_id': 'text',
    'dashboard_id': 'text',
    'look_id': 'text',
    'lookml_dashboard_id': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'board_items') }}
