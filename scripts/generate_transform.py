"""Write the dbt models that give the streams' columns their names and types, and describe them.

    python scripts/generate_transform.py            write transform/models/staging
    python scripts/generate_transform.py --check    write nothing; exit 1 if a file is out of step

Columns, types, keys and descriptions are those of the tap's catalog.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the streams of this checkout, installed or not

from tap_looker.tap import TapLooker  # noqa: E402

FOLDER = ROOT / "transform" / "models" / "staging"
SA = "system_activity_"

#: The columns that marts are made of, besides keys.
COLUMNS = {
    "alerts": "cron dashboard_element_id is_disabled disabled_reason lookml_dashboard_id "
    "lookml_link_id owner_id custom_title",
    "board_items": "board_section_id dashboard_id look_id lookml_dashboard_id",
    "board_sections": "board_id deleted_at",
    "boards": "title deleted_at",
    "content_favorites": "user_id look_id dashboard_id lookml_dashboard_id",
    "content_metadata": "name content_type folder_id inherits inheriting_id",
    "content_metadata_access": "content_metadata_id permission_type group_id user_id",
    "current_user": "display_name",
    "dashboard_element_queries": "query_id look_id merge_query_id sql_query_id "
    "dashboard_element_title deleted",
    "dashboard_elements": "dashboard_id look_id title type deleted",
    "dashboards": "title folder_id user_id created_at updated_at last_viewed_at last_accessed_at "
    "view_count favorite_count deleted deleted_at hidden",
    "explore_access_filters": "model_name explore_name field user_attribute",
    "explore_fields": "view original_view label type category measure hidden sql suggest_dimension",
    "explore_joins": "model_name explore_name from sql_on foreign_key sql_foreign_key "
    "sql_table_name",
    "explore_tables": "model_name explore_name connection_name",
    "explores": "model_name name view_name sql_table_name connection_name hidden",
    "folders": "name parent_id path content_metadata_id creator_id is_personal "
    "is_personal_descendant",
    "group_parents": "",
    "group_roles": "",
    "groups": "name user_count externally_managed",
    "lookml_dashboards": "title folder_id last_viewed_at last_accessed_at view_count "
    "favorite_count deleted hidden",
    "lookml_models": "label project_name",
    "lookml_model_explores": "model_name name label hidden project_name",
    "looks": "title folder_id user_id query_id created_at updated_at last_viewed_at "
    "last_accessed_at view_count favorite_count deleted deleted_at public",
    "merge_query_sources": "query_id name",
    "model_set_models": "",
    "model_sets": "name all_access",
    "permission_set_permissions": "",
    "permission_sets": "name all_access",
    "permissions": "",
    "queries": "model view",
    "query_dynamic_fields": "kind label expression based_on type filters calculation_type args",
    "query_fields": "model explore is_custom",
    "roles": "name permission_set_id model_set_id",
    "scheduled_plan_destinations": "type address format looker_recipient",
    "scheduled_plans": "name title user_id enabled look_id dashboard_id lookml_dashboard_id "
    "query_id crontab datagroup run_once created_at next_run_at last_run_at last_run_status",
    "user_credentials": "email created_at logged_in_at is_disabled",
    "user_groups": "",
    "user_login_lockouts": "user_id lockout_at fail_count",
    "user_roles": "",
    "users": "display_name email is_disabled is_service_account is_embed_user "
    "verified_looker_employee last_login_at",
    f"{SA}api_usage": "api_usage_total_usage",
    f"{SA}api_usage_hourly": "row_time",
    f"{SA}dashboard_performance": "dashboard_performance_dash_id "
    "dashboard_history_stats_dashboard_id dashboard_performance_first_event_at_time "
    "dashboard_performance_seconds_until_last_data_received "
    "dashboard_performance_seconds_until_last_tile_finished_6971d3a4",
    f"{SA}events": "event_user_id event_name event_category event_created_time event_is_api_call",
    f"{SA}field_usage": "field_usage_times_used field_usage_view",
    f"{SA}history": "history_created_time history_source history_status history_runtime "
    "history_result_source history_message history_dashboard_id history_real_dash_id "
    "history_dashboard_session history_workspace_id history_connection_name look_id user_id "
    "query_id query_slug query_model query_view",
    f"{SA}pdt_builds": "pdt_builds_start_time pdt_builds_end_time pdt_builds_elapsed_seconds "
    "pdt_builds_status pdt_builds_build_result pdt_builds_build_reason pdt_builds_dev_build",
    f"{SA}query_fields": "query_slug query_model query_view is_custom",
    f"{SA}query_metrics": "history_id query_metrics_queued query_metrics_per_user_throttler "
    "query_metrics_acquire_connection query_metrics_execute_main_query query_metrics_pdt",
    f"{SA}scheduled_jobs": "scheduled_plan_id scheduled_job_created_time "
    "scheduled_job_finalized_time scheduled_job_status scheduled_job_status_detail "
    "scheduled_job_user_id scheduled_job_look_id scheduled_job_dashboard_id "
    "scheduled_job_lookml_dashboard_id scheduled_job_run_once scheduled_job_row_limit_reached "
    "scheduled_job_name",
    f"{SA}user_facts": "user_facts_is_admin user_facts_is_developer user_facts_is_explorer "
    "user_facts_is_viewer user_facts_is_embed user_facts_last_ui_login_time "
    "user_facts_last_api_login_time user_facts_last_ui_login_credential_type",
}

#: Columns that an instance has or has not: the tap finds them in the explore's metadata.
FOUND = {
    f"{SA}api_usage_hourly": {
        "api_usage_hourly_total_usage": ("integer", "Number of calls."),
        "api_usage_endpoint_verb": ("string", "HTTP method of the endpoint."),
        "api_usage_endpoint_path": ("string", "Path of the endpoint."),
    }
}
TYPES = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}
FORMATS = {"date-time": "time", "date": "date"}
HEAD = "written by scripts/generate_transform.py"


def main() -> int:
    """Write the files, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    wanted = files(catalog())
    for path in sorted({*FOLDER.glob("*"), *wanted}):
        text = wanted.get(path)
        if path.exists() and path.read_text("utf-8") == text:
            continue
        if check:
            print(f"{path.relative_to(ROOT)} is out of step: python3 dev.py fix")
            return 1
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 0


def catalog() -> dict[str, dict[str, Any]]:
    """Entries of the tap's catalog by stream."""
    tap = TapLooker(config={"api_host_url": "https://x", "client_id": "x", "client_secret": "x"})
    return {entry["tap_stream_id"]: entry for entry in tap.catalog_dict["streams"]}


def files(entries: dict[str, dict[str, Any]]) -> dict[Path, str]:
    """The text of each file."""
    models, sources = [], []
    texts = {}
    for stream in COLUMNS:
        keys = list(entries[stream]["key_properties"])
        columns = columns_of(stream, entries[stream])
        texts[FOLDER / f"stg_looker__{stream}.sql"] = model(stream, keys, columns)
        models.append(properties(stream, keys, columns))
        sources.append(f"      - name: {stream}\n        description: The stream {stream}.\n")
    texts[FOLDER / "_sources.yml"] = (
        f"# {HEAD}\nversion: 2\nsources:\n"
        "  - name: looker\n"
        "    description: What tap-looker loaded. No table has to be there.\n"
        "    database: \"{{ var('looker_database', none) or target.database }}\"\n"
        "    schema: \"{{ var('looker_schema', 'looker') }}\"\n"
        "    tables:\n" + "".join(sources)
    )
    texts[FOLDER / "_staging.yml"] = f"# {HEAD}\nversion: 2\nmodels:\n" + "".join(models)
    return texts


def columns_of(stream: str, entry: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """The kind and the description of each column."""
    known = entry["schema"]["properties"]
    names = [*entry["key_properties"], *COLUMNS[stream].split()]
    found = {}
    for name in dict.fromkeys(names):
        schema = known[name]
        declared = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        (kind,) = {one for one in declared if one != "null"}
        kind = FORMATS.get(schema.get("format", ""), TYPES[kind])
        found[name] = kind, schema.get("description") or f"As Looker has it: {name}."
    for name, (kind, description) in FOUND.get(stream, {}).items():
        found[name] = TYPES[kind], description
    return found


def model(stream: str, keys: list[str], columns: dict[str, tuple[str, str]]) -> str:
    """SQL of one stream: a call of the macro that reads it, wherever it is."""
    listed = "".join(f"    '{name}': '{kind}',\n" for name, (kind, _) in columns.items())
    return (
        f"{{# {HEAD} #}}\n{{{{ tap_looker.stage('{stream}', {keys!r}, {{\n{listed}}}) }}}}\n"
        f"-- depends_on: {{{{ builtins.source('looker', '{stream}') }}}}\n"
    )


def properties(stream: str, keys: list[str], columns: dict[str, tuple[str, str]]) -> str:
    """Description and tests of one model."""
    text = f"  - name: stg_looker__{stream}\n    description: Rows of the stream {stream}.\n"
    if len(keys) > 1:
        text += (
            "    data_tests:\n      - tap_looker.unique_together:\n"
            f"          arguments:\n            columns: [{', '.join(map(renamed, keys))}]\n"
        )
    text += "    columns:\n"
    for name, (_, description) in columns.items():
        words = " ".join(description.split()).replace("\\", "\\\\").replace('"', '\\"')
        words = words.replace("{{", "{ {").replace("{%", "{ %")
        text += f'      - name: {renamed(name)}\n        description: "{words}"\n'
        if name in keys:
            tests = "unique, not_null" if len(keys) == 1 else "not_null"
            text += f"        data_tests: [{tests}]\n"
    return text


def renamed(column: str) -> str:
    """Names that SQL reserves get another: only `explore_joins.from` is one of these."""
    return {"from": "from_view"}.get(column, column)


if __name__ == "__main__":
    sys.exit(main())
