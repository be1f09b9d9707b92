"""The explores of the models, with their fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from looker_emulator.instance.values import Row, pick

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

# ---------------------------------------------------------------------------------------- explores


def explore(instance: Collections, model: str, name: str) -> Row | None:
    """An explore with its fields (component LookmlModelExplore)."""
    for within in instance.lookml_models:
        for number, found in enumerate(within["explores"]):
            if (within["name"], found["name"]) == (model, name):
                return _explore(number, within, found)
    return None


def _explore(number: int, model: Row, found: Row) -> Row:
    subject = found["name"].partition("_")[0]
    view = f"{subject}.view.lkml"
    connection = model["allowed_db_connection_names"][0]
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
        "connection_name": connection,
        "dialect_name": _DIALECTS[connection],
        "null_sort_treatment": "low",
        "files": [f"{model['name']}.model.lkml", view],
        "source_file": f"{model['name']}.model.lkml",
        "project_name": model["project_name"],
        "model_name": model["name"],
        "view_name": subject,
        "hidden": found["hidden"],
        "sql_table_name": _TABLES.get(subject, _QUOTED[connection].format(f"greenhouse.{subject}")),
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


_DIALECTS = {"warehouse": "postgres", "lake": "bigquery_standard_sql"}
_QUOTED = {"warehouse": "{}", "lake": "`{}`"}
_TABLES = {
    "baskets": None,
    "customers": None,
    "reviews": None,
    "returns": "{% if _user_attributes['market'] == 'eu' %}greenhouse_eu.returns"
    "{% else %}greenhouse.returns{% endif %}",
    "shipments": "greenhouse.shipments AS shipments",
    "visits": "@{warehouse_schema}.visits",
}
"""Views whose tables are not named after them, without Liquid; derived tables have no name."""

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
    # Null in real bodies, although the API document says otherwise.
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
        # In real bodies, but not in the API document.
        "can_turtle": False,
        "is_turtle": False,
        **properties,
    }
