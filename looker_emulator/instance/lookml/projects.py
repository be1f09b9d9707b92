"""LookML projects: files, manifests, validation, branches and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from looker_emulator.instance.lookml.models import EPOCH, SUBJECTS
from looker_emulator.instance.values import Row, can, pick, slug

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

# ---------------------------------------------------------------------------------------- projects


def projects(_: Collections) -> list[Row]:
    """The project of all models, one that it imports, and one without git."""
    return [
        {
            "can": can(number, "update", "validate", "show_manifest"),
            "id": name,
            "name": name,
            "uses_git": git,
            "is_git_dev_locked": False,
            "git_remote_url": f"git@git.example:greenhouse/{name}.git" if git else None,
            "git_username": "" if git else None,
            "git_production_branch_name": "main",
            "use_git_cookie_auth": False,
            "git_username_user_attribute": None,
            "git_password_user_attribute": None,
            "git_service_name": "github" if git else "bare",
            "git_application_server_http_port": None,
            "git_application_server_http_scheme": None,
            "pull_request_mode": "recommended" if number == 0 else "off",
            "validation_required": number == 0,
            "git_release_mgmt_enabled": False,
            "allow_warnings": True,
            "is_example": number == 2,
            "has_production_counterpart": True,
            "dependency_status": "lock_optional" if number == 0 else "install_none",
        }
        for number, (name, git) in enumerate(
            (("greenhouse", True), ("seed_library", True), ("sandkasten", False))
        )
    ]


def project_files(instance: Collections) -> dict[str, list[Row]]:
    """The files of each project."""
    models = [model["name"] for model in instance.lookml_models]
    names = {
        "greenhouse": [
            "manifest.lkml",
            *(f"{model}.model.lkml" for model in models),
            *(f"views/{subject}.view.lkml" for subject in SUBJECTS),
            "dashboards/overview.dashboard.lookml",
            "README.md",
        ],
        "seed_library": ["manifest.lkml", "views/seeds.view.lkml", "maps/cantons.topojson"],
        "sandkasten": ["sand/größe.view.lkml"],
    }
    return {
        project["id"]: [
            _file(number, name) for number, name in enumerate(names.get(project["id"], []))
        ]
        for project in instance.projects
    }


def _file(number: int, path: str) -> Row:
    title = path.rpartition("/")[2]
    parts = title.split(".")
    return {
        "can": {"show": True},
        "id": path,
        "path": path,
        "title": title,
        "type": parts[1] if len(parts) > 2 else "manifest" if number == 0 else "other",
        "extension": f".{parts[-1]}",
        "mime_type": "application/json" if parts[-1] == "topojson" else "text/x-lookml",
        "editable": number % 5 != 4,
        "git_status": {"action": None, "conflict": False, "revertable": False, "text": None}
        if number % 3
        else None,
    }


def project_manifests(instance: Collections) -> dict[str, list[Row]]:
    """The manifest of each project; one is empty because the project has none."""
    imports = [
        {"name": "seed_library", "url": None, "ref": None, "is_remote": False},
        {
            "name": "calendar",
            "url": "https://git.example/public/calendar.git",
            "ref": slug("commit", 4).lower(),
            "is_remote": True,
        },
    ]
    return {
        project["id"]: [
            {
                "can": {"show": True},
                "name": None if number == 2 else project["name"],
                "imports": imports if number == 0 else [],
                "localization_settings": {
                    "default_locale": "en",
                    "localization_level": "permissive",
                }
                if number == 0
                else None,
            }
        ]
        for number, project in enumerate(instance.projects)
    }


def repository_credentials(instance: Collections) -> dict[str, list[Row]]:
    """The git repositories that each project needs: its own, and those that it imports."""
    return {
        project["id"]: [
            {
                "can": can(number, "update"),
                "id": slug(f"repository of {project['id']}", number),
                "root_project_id": project["id"],
                "remote_url": url,
                "git_username": "greenhouse-bot" if url.startswith("https") else None,
                "ssh_public_key": None if url.startswith("https") else "ssh-rsa AAAAB3Nz looker",
                "is_configured": number == 0,
            }
            for number, url in enumerate(
                [project["git_remote_url"], "https://git.example/public/calendar.git"]
                if project["uses_git"]
                else []
            )
        ]
        for project in instance.projects
    }


def project_validations(instance: Collections) -> dict[str, list[Row]]:
    """The last result of the LookML validator, for the projects that were validated."""
    last = instance.lookml_models[-1]["name"]
    return {
        project["id"]: [
            {
                "errors": [_error(line, last) for line in (3, 17)] if number == 0 else [],
                "project_digest": slug("digest", number),
                "models_not_validated": [
                    {"name": last, "project_file_id": f"{last}.model.lkml"},
                ]
                if number == 0
                else [],
                "computation_time": 1.25,
                "stale": number == 0,
            }
        ]
        for number, project in enumerate(instance.projects)
        if project["uses_git"]
    }


def _error(line: int, model: str) -> Row:
    return {
        "code": "unknown_field",
        "severity": pick(("fatal", "warning"), line),
        "kind": "reference",
        "message": 'Unknown or inaccessible field "stores.district"',
        "field_name": "stores.district",
        "file_path": "views/stores.view.lkml",
        "line_number": line,
        "model_id": model,
        "explore": None,
        "help_url": "https://greenhouse.looker.example/help",
        "params": {"field": "stores.district", "line": line},
        "sanitized_message": "Unknown or inaccessible field",
    }


def git_branches(instance: Collections) -> dict[str, list[Row]]:
    """The branches of each project: production, and two of developers."""
    return {
        project["id"]: [
            {
                "can": {"show": True},
                "name": name,
                "remote": "origin" if number != 2 else None,
                "remote_name": name if number != 2 else None,
                "error": None,
                "message": None if number else "Zweig ist aktuell",
                "owner_name": owner,
                "readonly": number != 1,
                "personal": number == 1,
                "is_local": True,
                "is_remote": number != 2,
                "is_production": number == 0,
                "ahead_count": number,
                "behind_count": 0 if number == 0 else None,
                "commit_at": EPOCH + number * 3600,
                "ref": slug("ref", number).lower(),
                "remote_ref": slug("ref", number).lower() if number != 2 else None,
            }
            for number, (name, owner) in enumerate(
                (("main", None), ("dev-ada-x7b2", "Ada Okafor"), ("fix/größe", "Björn"))
            )
        ]
        if project["uses_git"]
        else []
        for project in instance.projects
    }


def lookml_tests(instance: Collections) -> dict[str, list[Row]]:
    """The data tests of each project. Names repeat across models."""
    tests: dict[str, list[Row]] = {project["id"]: [] for project in instance.projects}
    for model in instance.lookml_models:
        for number, each in enumerate(model["explores"][:3]):
            subject = each["name"].partition("_")[0]
            tests[model["project_name"]].append(
                {
                    "can": {"run": True},
                    "model_name": model["name"],
                    "name": "ids_are_unique" if number == 0 else f"{each['name']}_has_rows",
                    "explore_name": each["name"],
                    "query_url_params": f"fields={quote(f'{subject}.id,{subject}.count')}&limit=1",
                    "file": f"{model['name']}.model.lkml",
                    "line": None if number == 2 else 40 + number,
                }
            )
    return tests
