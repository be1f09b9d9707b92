{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('dashboard_element_queries', ['dashboard_id', 'dashboard_element_id', 'via'], {
    'dashboard_id': 'text',
    'dashboard_element_id': 'text',
    'via': 'text',
    'query_id': 'text',
    'look_id': 'text',
    'merge_query_id': 'text',
    'sql_query_id': 'text',
    'dashboard_element_title': 'text',
    'deleted': 'boolean',
}) }}
-- depends_on: {{ builtins.source('looker', 'dashboard_element_queries') }}
