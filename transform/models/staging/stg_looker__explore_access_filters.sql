{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('explore_access_filters', ['explore_id', 'position'], {
    'explore_id': 'text',
    'position': 'integer',
    'model_name': 'text',
    'explore_name': 'text',
    'field': 'text',
    'user_attribute': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'explore_access_filters') }}
