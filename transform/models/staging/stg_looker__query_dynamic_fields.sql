{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('query_dynamic_fields', ['query_id', 'name'], {
    'query_id': 'text',
    'name': 'text',
    'kind': 'text',
    'label': 'text',
    'expression': 'text',
    'based_on': 'text',
    'type': 'text',
    'filters': 'text',
    'calculation_type': 'text',
    'args': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'query_dynamic_fields') }}
