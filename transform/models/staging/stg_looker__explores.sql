{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('explores', ['id'], {
    'id': 'text',
    'model_name': 'text',
    'name': 'text',
    'view_name': 'text',
    'sql_table_name': 'text',
    'connection_name': 'text',
    'hidden': 'boolean',
}) }}
-- depends_on: {{ builtins.source('looker', 'explores') }}
