{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('group_parents', ['group_id', 'parent_group_id'], {
    'group_id': 'text',
    'parent_group_id': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'group_parents') }}
