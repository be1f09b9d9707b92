{# written by scripts/generate_transform.py #}
{{ tap_looker.stage('system_activity_dashboard_performance', ['dashboard_performance_dashboard_run_session', 'dashboard_performance_dashboard_page_session'], {
    'dashboard_performance_dashboard_run_session': 'text',
    'dashboard_performance_dashboard_page_session': 'text',
    'dashboard_performance_dash_id': 'text',
    'dashboard_history_stats_dashboard_id': 'text',
    'dashboard_performance_first_event_at_time': 'time',
    'dashboard_performance_seconds_until_last_data_received': 'number',
    'dashboard_performance_seconds_until_last_tile_finished_6971d3a4': 'number',
}) }}
-- depends_on: {{ builtins.source('looker', 'system_activity_dashboard_performance') }}
