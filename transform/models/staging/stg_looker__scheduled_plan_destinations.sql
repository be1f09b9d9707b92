{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('scheduled_plan_destinations', ['scheduled_plan_id', 'id'], {
    'scheduled_plan_id': 'text',
    'id': 'text',
    'type': 'text',
    'address': 'text',
    'format': 'text',
    'looker_recipient': 'boolean',
}) }}
-- depends_on: {{ builtins.source('looker', 'scheduled_plan_destinations') }}
