{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('groups', ['id'], {
    'id': 'text',
    'name': 'text',
    'user_count': 'integer',
    'externally_managed': 'boolean',
}) }}
-- depends_on: {{ builtins.source('looker', 'groups') }}
