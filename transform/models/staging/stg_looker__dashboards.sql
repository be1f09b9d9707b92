{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('dashboards', ['id'], {
    'id': 'text',
    'title': 'text',
    'folder_id': 'text',
    'user_id': 'text',
    'created_at': 'time',
    'updated_at': 'time',
    'last_viewed_at': 'time',
    'last_accessed_at': 'time',
    'view_count': 'integer',
    'favorite_count': 'integer',
    'deleted': 'boolean',
    'deleted_at': 'time',
    'hidden': 'boolean',
}) }}
-- depends_on: {{ builtins.source('looker', 'dashboards') }}
