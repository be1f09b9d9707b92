{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('model_set_models', ['model_set_id', 'model_name'], {
    'model_set_id': 'text',
    'model_name': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'model_set_models') }}
