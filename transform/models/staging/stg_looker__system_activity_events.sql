{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('system_activity_events', ['event_id'], {
    'event_id': 'integer',
    'event_user_id': 'text',
    'event_name': 'text',
    'event_category': 'text',
    'event_created_time': 'time',
    'event_is_api_call': 'boolean',
}) }}
-- depends_on: {{ builtins.source('looker', 'system_activity_events') }}
