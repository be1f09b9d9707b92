{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('merge_query_sources', ['merge_query_id', 'position'], {
    'merge_query_id': 'text',
    'position': 'integer',
    'query_id': 'text',
    'name': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'merge_query_sources') }}
