{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('user_credentials', ['user_id', 'type', 'credential_id'], {
    'user_id': 'text',
    'type': 'text',
    'credential_id': 'text',
    'email': 'text',
    'created_at': 'time',
    'logged_in_at': 'time',
    'is_disabled': 'boolean',
}) }}
-- depends_on: {{ builtins.source('looker', 'user_credentials') }}
