{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('query_fields', ['query_id', 'place', 'field'], {
    'query_id': 'text',
    'place': 'text',
    'field': 'text',
    'model': 'text',
    'explore': 'text',
    'is_custom': 'boolean',
}) }}
-- depends_on: {{ builtins.source('looker', 'query_fields') }}
