{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('content_metadata', ['id'], {
    'id': 'text',
    'name': 'text',
    'content_type': 'text',
    'folder_id': 'text',
    'inherits': 'boolean',
    'inheriting_id': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'content_metadata') }}
