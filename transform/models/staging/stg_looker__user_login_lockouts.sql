{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('user_login_lockouts', ['key'], {
    'key': 'text',
    'user_id': 'text',
    'lockout_at': 'time',
    'fail_count': 'integer',
}) }}
-- depends_on: {{ builtins.source('looker', 'user_login_lockouts') }}
