{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('users', ['id'], {
    'id': 'text',
    'display_name': 'text',
    'email': 'text',
    'is_disabled': 'boolean',
    'is_service_account': 'boolean',
    'is_embed_user': 'boolean',
    'verified_looker_employee': 'boolean',
    'last_login_at': 'time',
}) }}
-- depends_on: {{ builtins.source('looker', 'users') }}
