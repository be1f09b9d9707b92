{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('user_groups', ['user_id', 'group_id'], {
    'user_id': 'text',
    'group_id': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'user_groups') }}
