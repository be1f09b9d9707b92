{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('alert_destinations', ['alert_id', 'position'], {
    'alert_id': 'text',
    'position': 'integer',
    'destination_type': 'text',
    'email_address': 'text',
}) }}
-- depends_on: {{ builtins.source('looker', 'alert_destinations') }}
