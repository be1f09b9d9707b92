{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('content_metadata_access', ['id'], {
    'id': 'text',
    'content_metadata_id': 'text',
    'permission_type': 'text',
    'group_id': 'text',
    'user_id': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'content_metadata_access') }}
