{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('lookml_models', ['name'], {
    'name': 'text',
    'label': 'text',
    'project_name': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'lookml_models') }}
