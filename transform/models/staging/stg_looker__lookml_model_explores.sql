{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('lookml_model_explores', ['id'], {
    'id': 'text',
    'model_name': 'text',
    'name': 'text',
    'label': 'text',
    'hidden': 'boolean',
    'project_name': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'lookml_model_explores') }}
