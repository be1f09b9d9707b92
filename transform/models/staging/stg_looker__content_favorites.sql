{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('content_favorites', ['id'], {
    'id': 'text',
    'user_id': 'text',
    'look_id': 'text',
    'dashboard_id': 'text',
    'lookml_dashboard_id': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'content_favorites') }}
