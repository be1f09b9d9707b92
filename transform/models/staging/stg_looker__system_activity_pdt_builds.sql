{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('system_activity_pdt_builds', ['pdt_builds_tid', 'pdt_builds_connection', 'pdt_builds_model_name', 'pdt_builds_view_name'], {
    'pdt_builds_tid': 'text',
    'pdt_builds_connection': 'text',
    'pdt_builds_model_name': 'text',
    'pdt_builds_view_name': 'text',
    'pdt_builds_start_time': 'time',
    'pdt_builds_end_time': 'time',
    'pdt_builds_elapsed_seconds': 'number',
    'pdt_builds_status': 'text',
    'pdt_builds_build_result': 'text',
    'pdt_builds_build_reason': 'text',
    'pdt_builds_dev_build': 'boolean',
}) }}
-- depends_on: {{ builtins.source('looker', 'system_activity_pdt_builds') }}
