{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('explore_tables', ['explore_id', 'view_name', 'source', 'table_name'], {
    'explore_id': 'text',
    'view_name': 'text',
    'source': 'text',
    'table_name': 'text',
    'model_name': 'text',
    'explore_name': 'text',
    'connection_name': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'explore_tables') }}
