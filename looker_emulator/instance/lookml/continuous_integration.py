"""Continuous integration of LookML projects: suites of checks, and their runs (beta)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.lookml.models import SUBJECTS
from looker_emulator.instance.values import HOST, Row, can, moment, pick, slug

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

RUNS = 12  # of a suite
_STATUSES = ("passed", "failed", "passed", "errored", "cancelled")


def ci_suites(instance: Collections) -> dict[str, list[Row]]:
    """The suites of each project: those without git have none."""
    return {
        project["id"]: [
            _suite(instance, project, number) for number in range(3 if project["uses_git"] else 0)
        ]
        for project in instance.projects
    }


def _suite(instance: Collections, project: Row, number: int) -> Row:
    models = [model for model in instance.lookml_models if model["project_name"] == project["id"]]
    explores = [f"{model['name']}/{each['name']}" for model in models for each in model["explores"]]
    scheduled = number == 1
    return {
        "can": can(number, "update", "destroy"),
        "id": slug(f"suite of {project['id']}", number),
        "name": pick(("Pull requests", "Nächtlich", "dbt"), number),
        "project_id": project["id"],
        "created_at": moment(300 + number),
        "updated_at": moment(400 + number),
        "schedule_trigger_is_enabled": scheduled,
        "schedule_trigger_crontab": "0 3 * * *" if scheduled else None,
        "schedule_trigger_timezone": "Europe/Zurich" if scheduled else None,
        "alerting_enabled": scheduled,
        "alert_email_addresses": ["garten@greenhouse.example"] if scheduled else [],
        "alert_on_failed_status": scheduled,
        "alert_on_error_status": scheduled,
        "alert_on_passed_status": False,
        "alert_on_cancelled_status": False,
        "change_request_trigger_is_enabled": number == 0,
        "change_request_trigger_hook_id": "hook-1" if number == 0 else None,
        "change_request_trigger_target_branch": "main" if number == 0 else None,
        "guid": slug("suite guid", number),
        "dbt_cloud_trigger_is_enabled": number == 2,
        "dbt_cloud_trigger_job_id": 7_000_042 if number == 2 else None,
        "dbt_cloud_trigger_user_attribute_id": "7" if number == 2 else None,
        "dbt_cloud_webhook_id": "wh-1" if number == 2 else None,
        "has_webhook_secret": True,
        "assert_validator_config_is_enabled": number == 1,
        "assert_validator_config_concurrency": 4,
        "assert_validator_config_selectors": explores[:2],
        "assert_validator_config_exclusions": [],
        "content_validator_config_is_enabled": True,
        "content_validator_config_exclude_personal": True,
        "content_validator_config_incremental": number == 0,
        "content_validator_config_exclude_folders": [],
        "content_validator_config_include_folders": ["1"],
        "content_validator_config_selectors": ["*/*"],
        "content_validator_config_exclusions": [],
        "lookml_validator_config_is_enabled": True,
        "lookml_validator_config_severity": "warning",
        "lookml_validator_config_timeout": 5,
        "style_validator_config_is_enabled": False,
        "style_validator_config_incremental": False,
        "sql_validator_config_is_enabled": True,
        "sql_validator_config_fail_fast": False,
        "sql_validator_config_incremental": number == 0,
        "sql_validator_config_ignore_hidden": True,
        "sql_validator_config_query_concurrency": 5,
        "sql_validator_config_chunk_size": 500,
        "sql_validator_config_selectors": ["*/*"],
        "sql_validator_config_exclusions": explores[-1:],
        "upstream_trigger_is_enabled": False,
        "upstream_projects": [],
    }


def ci_runs(instance: Collections) -> dict[str, list[Row]]:
    """The runs of each project's suites: more than a page of them where there are models."""
    return {
        project["id"]: [
            _run(instance, suite, number)
            for suite in instance.ci_suites[project["id"]]
            for number in range(RUNS * 4 if project["id"] == "greenhouse" else RUNS)
        ]
        for project in instance.projects
    }


def _run(instance: Collections, suite: Row, number: int) -> Row:
    status = pick(_STATUSES, number)
    user = pick(instance.users, number * 3)
    by_hand = number % 3 == 0
    project = suite["project_id"]
    repository = f"https://git.example/greenhouse/{project}"
    return {
        "can": can(number),
        "id": slug(f"run of {suite['id']}", number),
        "ci_suite_id": suite["id"],
        "project_id": project,
        "status": status,
        "title": f"{suite['name']} {number}",
        "trigger_type": "manual" if by_hand else pick(("schedule", "change_request"), number),
        "user_id": int(user["id"]) if by_hand else None,
        "triggered_by_name": user["display_name"] if by_hand else None,
        "execution_id": slug("execution", number),
        "result": None if status == "cancelled" else _result(instance, status, number),
        "change_request_number": None if by_hand else number + 1,
        "change_request_url": None if by_hand else f"{repository}/pull/{number + 1}",
        "change_request_name": None if by_hand else "Größen",
        "change_request_commits_url": None
        if by_hand
        else f"{repository}/pull/{number + 1}/commits",
        "git_service_name": "github",
        "git_commit_ref": slug("ref", number).lower(),
        "git_branch_name": "main" if by_hand else "fix/größe",
        "git_repository_name": project,
        "git_target_branch_name": "main",
        "git_status_url": None,
        "git_target_url": None,
        "dbt_cloud_git_branch_name": None,
        "dbt_cloud_git_commit_ref": None,
        "dbt_cloud_git_repository_name": None,
        "created_at": moment(420 + number // 4, number),
        "started_at": moment(420 + number // 4, number + 10),
        "finished_at": None if status == "cancelled" else moment(420 + number // 4, number + 90),
        "retries": number % 2,
        "assigned_ci_user_id": int(pick(instance.users, 2)["id"]),
        "assigned_ci_user_at": moment(420 + number // 4, number + 5),
        "crashed_check_count": 0,
        "run_url": f"{HOST}/projects/{project}/ci/runs/{number}",
        "user_attributes": [{"id": 7, "name": "region", "value": "Süd"}] if number % 4 else [],
        "project_imports": {"seed_library": slug("commit", 4).lower()} if number % 4 else {},
    }


def _result(instance: Collections, status: str, number: int) -> Row:
    model = pick([model for model in instance.lookml_models if model["explores"]], number)
    explore = pick(model["explores"], number)["name"]
    failed = status == "failed"
    generic = {
        "type": "internal",
        "title": "Internal error",
        "detail": "The check could not be run.",
        "status": "500",
        "instance": None,
    }
    error = {
        "type": "sql",
        "title": "SQL error",
        "detail": None,
        "status": None,
        "instance": None,
        "model": model["name"],
        "explore": explore,
        "message": "column not found",
        "explore_url": None,
        "lookml_url": None,
        "dimension": f"{SUBJECTS[0]}.district",
        "line_number": "17",
    }
    return {
        "sql_result": {
            "name": "sql",
            "incremental": False,
            "status": status,
            "tested": [
                {
                    "model": model["name"],
                    "explore": explore,
                    "status": status,
                    "skip_reason": None,
                    "error_count": int(failed),
                    "errors": [{"sql_error": error, "generic_error": None}] if failed else [],
                }
            ],
        },
        "sql_error": None,
        "assert_result": None,
        "assert_error": None,
        "content_result": None,
        "content_error": None,
        "lookml_result": {"name": "lookml", "status": status, "error_count": 0, "errors": []},
        "lookml_error": None,
        "style_result": None,
        "style_error": None,
        "generic_error": generic if status == "errored" else None,
    }
