{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('system_activity_user_facts', ['user_id'], {
    'user_id': 'text',
    'user_facts_is_admin': 'boolean',
    'user_facts_is_developer': 'boolean',
    'user_facts_is_explorer': 'boolean',
    'user_facts_is_viewer': 'boolean',
    'user_facts_is_embed': 'boolean',
    'user_facts_last_ui_login_time': 'time',
    'user_facts_last_api_login_time': 'time',
    'user_facts_last_ui_login_credential_type': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'system_activity_user_facts') }}
