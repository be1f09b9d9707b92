{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('explore_joins', ['explore_id', 'name'], {
    'explore_id': 'text',
    'name': 'text',
    'model_name': 'text',
    'explore_name': 'text',
    'from': 'text',
    'sql_on': 'text',
    'foreign_key': 'text',
    'sql_foreign_key': 'text',
    'sql_table_name': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'explore_joins') }}
