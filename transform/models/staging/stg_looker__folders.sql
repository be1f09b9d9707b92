{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('folders', ['id'], {
    'id': 'text',
    'name': 'text',
    'parent_id': 'text',
    'path': 'text',
    'content_metadata_id': 'text',
    'creator_id': 'text',
    'is_personal': 'boolean',
    'is_personal_descendant': 'boolean',
}) }}
-- depends_on: {{ builtins.source('looker', 'folders') }}
