{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('system_activity_queries', ['query_id'], {
    'query_id': 'integer',
    'query_slug': 'text',
    'query_model': 'text',
    'query_view': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'system_activity_queries') }}
