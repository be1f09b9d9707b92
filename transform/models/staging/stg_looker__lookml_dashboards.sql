{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('lookml_dashboards', ['id'], {
    'id': 'text',
    'title': 'text',
    'folder_id': 'text',
    'last_viewed_at': 'time',
    'last_accessed_at': 'time',
    'view_count': 'integer',
    'favorite_count': 'integer',
    'deleted': 'boolean',
    'hidden': 'boolean',
}) }}
-- depends_on: {{ builtins.source('looker', 'lookml_dashboards') }}
