{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('system_activity_query_fields', ['query_id', 'place', 'field'], {
    'query_id': 'integer',
    'place': 'text',
    'field': 'text',
    'query_slug': 'text',
    'query_model': 'text',
    'query_view': 'text',
    'is_custom': 'boolean',
}) }}
-- depends_on: {{ builtins.source('looker', 'system_activity_query_fields') }}
