"""LookML as developers see it: explores with their fields, projects and their files, datagroups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from looker_emulator.lookml import SUBJECTS
from looker_emulator.values import Row, can, pick, slug

if TYPE_CHECKING:
    from looker_emulator.instance import Instance

_EPOCH = 1_717_000_000


# ---------------------------------------------------------------------------------------- explores


def explore(instance: Instance, model: str, name: str) -> Row | None:
    """An explore with everything in it (component LookmlModelExplore)."""
    for within in instance.lookml_models:
        for number, found in enumerate(within["explores"]):
            if (within["name"], found["name"]) == (model, name):
                return _explore(number, within, found)
    return None


def _explore(number: int, model: Row, found: Row) -> Row:
    subject = found["name"].partition("_")[0]
    view = f"{subject}.view.lkml"
    return {
        "id": f"{model['name']}::{found['name']}",
        "name": found["name"],
        "description": found["description"],
        "label": found["label"],
        "title": found["label"],
        "scopes": sorted({subject, "stores"}),
        "can_total": True,
        "can_develop": True,
        "can_see_lookml": True,
        "lookml_link": f"/projects/{model['project_name']}/files/{model['name']}.model.lkml",
        "can_save": True,
        "can_explain": True,
        "can_pivot_in_db": False,
        "can_subtotal": True,
        "has_timezone_support": True,
        "self_service_explore_data": None,
        "supports_cost_estimate": number % 3 == 0,
        "connection_name": "warehouse",
        "dialect_name": "postgres",
        "null_sort_treatment": "low",
        "files": [f"{model['name']}.model.lkml", view],
        "source_file": f"{model['name']}.model.lkml",
        "project_name": model["project_name"],
        "model_name": model["name"],
        "view_name": subject,
        "hidden": found["hidden"],
        "sql_table_name": f"greenhouse.{subject}",
        "access_filter_fields": ["stores.city"] if number % 4 == 1 else [],
        "access_filters": [{"field": "stores.city", "user_attribute": "region"}]
        if number % 4 == 1
        else [],
        "aliases": [{"name": f"{subject}_old", "value": found["name"]}] if number % 5 == 3 else [],
        "always_filter": [{"name": f"{subject}.created_date", "value": "90 days"}]
        if number % 5 == 2
        else None,
        "conditionally_filter": [],
        "index_fields": [f"{subject}.id"],
        "sets": [{"name": "ALL_FIELDS", "value": [f"{subject}.count", f"{subject}.status"]}],
        "tags": ["core"] if number % 6 == 0 else [],
        # One of the fields does not compile; the rest of the explore works.
        "errors": [
            {
                "message": 'Unknown or inaccessible field "stores.district"',
                "details": pick(("stores.district", 3, {"line": 12}), number),
                "error_pos": f"{view}:12",
                "field_error": True,
            }
        ]
        if number % 5 == 4
        else None,
        "fields": _fields(number, model, found["name"], subject),
        "joins": []
        if subject == "stores"
        else [
            {
                "name": "stores",
                "dependent_fields": [f"{subject}.store_id", "stores.id"],
                "fields": None,
                "foreign_key": None,
                "from": None,
                "outer_only": None,
                "relationship": "many_to_one",
                "required_joins": [],
                "sql_foreign_key": None,
                "sql_on": f"${{{subject}.store_id}} = ${{stores.id}}",
                "sql_table_name": None,
                "type": "left_outer",
                "view_label": "Filialen",
            }
        ],
        "group_label": found["group_label"],
        "supported_measure_types": [
            {"dimension_type": "string", "measure_types": ["count_distinct", "list"]},
            {"dimension_type": "number", "measure_types": ["sum", "average", "min", "max"]},
        ],
        "always_join": [],
    }


_FRAMES = ("raw", "time", "date", "week", "month", "quarter", "year", "day_of_week")


def _fields(number: int, model: Row, explore_name: str, subject: str) -> Row:
    def field(category: str, name: str, kind: str, **properties: Any) -> Row:
        return _field(model, explore_name, name, kind, category, properties)

    dimensions = [
        field("dimension", f"{subject}.id", "number", primary_key=True, is_numeric=True),
        *(_timeframe(model, explore_name, subject, frame) for frame in _FRAMES[: 3 + number % 6]),
        field(
            "dimension",
            f"{subject}.status",
            "string",
            drill_fields=[f"{subject}.id", "stores.city"],
            enumerations=[{"label": text.title(), "value": text} for text in _STATUSES],
            has_allowed_values=True,
            has_drills_metadata=True,
            sql_case=[
                {"value": text, "condition": f"${{TABLE}}.state = {code}"}
                for code, text in enumerate(_STATUSES)
            ],
            suggestions=list(_STATUSES),
            synonyms=["state", "Zustand"],
        ),
    ]
    more = [
        field("dimension", f"{subject}.is_express", "yesno"),
        field("dimension", f"{subject}.weight_tier", "tier", fill_style="enumeration"),
        field("dimension", f"{subject}.amount", "number", is_numeric=True, value_format="0.00"),
        field("dimension", f"{subject}.store_id", "number", is_numeric=True, hidden=True),
        field("dimension", f"{subject}.gibberish", "string", error="Could not find column"),
    ]
    dimensions += more[: 1 + number % 5]
    if subject != "stores":
        dimensions.append(field("dimension", "stores.id", "number", is_numeric=True, hidden=True))
    dimensions += [
        field(
            "dimension",
            "stores.city",
            "string",
            links=[{"label": "Karte", "url": "https://maps.example/{{ value }}", "icon_url": None}],
            user_attribute_filter_types=["advanced_filter_string"],
        ),
        field("dimension", "stores.region", "string", map_layer=_MAP, tags=["geo"]),
        field("dimension", "stores.place", "location", can_filter=False),
    ][: 1 + number % 3]
    measures = [
        field(
            "measure", f"{subject}.count", "count", is_numeric=True, drill_fields=["stores.city"]
        ),
        field(
            "measure",
            f"{subject}.total_amount",
            "sum",
            is_numeric=True,
            value_format='"CHF" #,##0.00',
            filters=[{"field": f"{subject}.status", "condition": "-cancelled"}],
        ),
        field("measure", f"{subject}.first_created", "date", align="left"),
        field(
            "measure",
            f"{subject}.count_last_year",
            "period_over_period",
            is_numeric=True,
            period_over_period_params={
                "based_on": f"{subject}.count",
                "based_on_time": f"{subject}.created_date",
                "period": "year",
                "kind": "previous",
                "value_to_date": False,
            },
        ),
    ]
    return {
        "dimensions": dimensions,
        "measures": measures[: 1 + number % 4],
        "filters": [field("filter", f"{subject}.period", "date", default_filter_value="7 days")]
        if number % 3 == 1
        else [],
        "parameters": [
            field(
                "parameter",
                f"{subject}.grain",
                "unquoted",
                enumerations=[
                    {"label": "Pro Tag", "value": "day"},
                    {"label": "Jeder siebte", "value": 7},
                ],
                has_allowed_values=True,
            )
        ]
        if number % 2 == 0
        else [],
    }


_STATUSES = ("open", "shipped", "cancelled", "fraud")
_MAP: Row = {
    "url": "/map_layers/swiss_cantons",
    "name": "swiss_cantons",
    "feature_key": "cantons",
    "property_key": "id",
    "property_label_key": "name",
    "projection": "mercator",
    # Null in real bodies, whatever the document says.
    "format": None,
    "extents_json_url": None,
    "max_zoom_level": 12,
    "min_zoom_level": None,
}
_INTERVALS = {
    "time": ("second", 1),
    "date": ("day", 1),
    "week": ("day", 7),
    "month": ("month", 1),
    "quarter": ("month", 3),
    "year": ("year", 1),
}


def _timeframe(model: Row, explore_name: str, subject: str, frame: str) -> Row:
    interval = _INTERVALS.get(frame)
    properties = {
        "can_time_filter": True,
        "convert_tz": True,
        "datatype": "timestamp",
        "dimension_group": f"{subject}.created",
        "field_group_label": "Created Date",
        "field_group_variant": frame.replace("_", " ").title(),
        "fill_style": "range" if interval else None,
        "hidden": frame == "raw",
        "is_timeframe": True,
        "is_numeric": frame == "year",
        "time_interval": {"name": interval[0], "count": interval[1]} if interval else None,
    }
    name = f"{subject}.created_{frame}"
    return _field(model, explore_name, name, f"date_{frame}", "dimension", properties)


def _field(
    model: Row, explore_name: str, name: str, kind: str, category: str, properties: Row
) -> Row:
    """One field (component LookmlModelExploreField)."""
    view, _, short = name.partition(".")
    label = short.replace("_", " ").title()
    view_label = "Filialen" if view == "stores" else view.title()
    file = f"{view}.view.lkml"
    numeric = properties.get("is_numeric", False)
    column = f"${{TABLE}}.{short}" if category == "dimension" else None
    return {
        "align": "right" if numeric else "left",
        "available_custom_timeframes": [],
        "timeframe_labels": {},
        "can_filter": True,
        "category": category,
        "default_filter_value": None,
        "description": f"{label} of the {view}" if len(name) % 3 else None,
        "dimension_group": None,
        "drill_fields": [],
        "enumerations": None,
        "error": None,
        "field_group_label": None,
        "field_group_variant": label,
        "fill_style": None,
        "fiscal_month_offset": 1,
        "has_allowed_values": False,
        "has_drills_metadata": False,
        "hidden": False,
        "is_filter": category == "filter",
        "is_fiscal": False,
        "is_numeric": False,
        "is_timeframe": False,
        "can_time_filter": False,
        "time_interval": None,
        "label": f"{view_label} {label}",
        "label_from_parameter": None,
        "label_short": label,
        "lookml_link": f"/projects/{model['project_name']}/files/{file}?line={len(name)}",
        "links": None,
        "map_layer": None,
        "measure": category == "measure",
        "name": name,
        "strict_value_format": False,
        "parameter": category == "parameter",
        "period_over_period_params": None,
        "permanent": None,
        "primary_key": False,
        "project_name": model["project_name"],
        "requires_refresh_on_sort": False,
        "scope": view,
        "sortable": True,
        "source_file": file,
        "source_file_path": f"{model['project_name']}/{file}",
        "sql": column,
        "sql_case": None,
        "filters": None,
        "suggest_dimension": name,
        "suggest_explore": explore_name,
        "suggestable": kind == "string",
        "suggestions": None,
        "synonyms": [],
        "tags": [],
        "type": kind,
        "user_attribute_filter_types": ["number" if numeric else "string"],
        "value_format": None,
        "value_format_name": None,
        "view": view,
        "view_label": view_label,
        "dynamic": False,
        "week_start_day": "monday",
        "times_used": len(name) % 9,
        "original_view": view,
        "datatype": None,
        "convert_tz": None,
        # Not in the official document, but in real bodies.
        "can_turtle": False,
        "is_turtle": False,
        **properties,
    }


def datagroups(instance: Instance) -> list[Row]:
    """Caching policies; their times are seconds since 1970."""
    return [
        {
            "can": can(number, "update"),
            "created_at": _EPOCH - 8_640_000 + number,
            "id": str(number + 1),
            "model_name": model["name"],
            "name": "nightly" if number % 2 == 0 else "hourly",
            "stale_before": _EPOCH + number * 60 if number % 3 == 2 else None,
            "trigger_check_at": _EPOCH + number * 300,
            "trigger_error": "Connection refused" if number % 3 == 1 else None,
            "trigger_value": None if number % 3 == 1 else "2024-05-29",
            "triggered_at": None if number % 3 == 1 else _EPOCH + number,
        }
        for number, model in enumerate(instance.lookml_models)
    ]


# ---------------------------------------------------------------------------------------- projects


def projects(_: Instance) -> list[Row]:
    """The project of all models, one it imports, and one without git."""
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


def project_files(instance: Instance) -> dict[str, list[Row]]:
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


def project_manifests(instance: Instance) -> dict[str, list[Row]]:
    """The manifest of each project; one has none, and answers with an empty one."""
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


def project_validations(instance: Instance) -> dict[str, list[Row]]:
    """What the LookML validator last said, of the projects that it has been asked about."""
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


def git_branches(instance: Instance) -> dict[str, list[Row]]:
    """The branches of each project: production, and those of two developers."""
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
                "commit_at": _EPOCH + number * 3600,
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


def lookml_tests(instance: Instance) -> dict[str, list[Row]]:
    """The data tests of each project, two of which have the same name in different models."""
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
