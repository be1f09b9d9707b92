{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('explore_fields', ['explore_id', 'name'], {
    'explore_id': 'text',
    'name': 'text',
    'view': 'text',
    'original_view': 'text',
    'label': 'text',
    'type': 'text',
    'category': 'text',
    'measure': 'boolean',
    'hidden': 'boolean',
    'sql': 'text',
    'suggest_dimension': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'explore_fields') }}
