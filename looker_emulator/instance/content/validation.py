"""The result of the content validator."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections
    from looker_emulator.instance.values import Row

# ------------------------------------------------------------------------------------- validation


def content_validation(instance: Collections) -> list[Row]:
    """The errors found: content that uses fields that no longer exist."""
    errors: list[Row] = []

    def add(kind: str, what: Row, query: Row) -> None:
        kinds = dict.fromkeys(_VALIDATED)
        field = query["fields"][0]
        error = {
            "message": f'Unknown field "{field}".',
            "field_name": field,
            "model_name": query["model"],
            "explore_name": query["view"],
            "removable": True,
        }
        errors.append({**kinds, kind: what, "errors": [error], "id": str(len(errors))})

    for look in [look for look in instance.looks if not look["deleted"]][::6]:
        place = {name: look["folder"][name] for name in ("name", "id")}
        add("look", {**_only(look, "id title short_url"), "folder": place}, look["query"])
    gone = instance.trash("dashboard_elements")
    tiles = [row for row in instance.dashboard_elements if row["query"] and row["id"] not in gone]
    boards_by_id = {board["id"]: board for board in instance.dashboards}
    for tile in tiles[::15]:
        board = boards_by_id[tile["dashboard_id"]]
        place = {name: board["folder"][name] for name in ("name", "id")}
        add("dashboard_element", _only(tile, _TILE), tile["query"])
        errors[-1]["dashboard"] = {**_only(board, "description id title url"), "folder": place}
    for alert in instance.alerts[::20]:
        query = next(row for row in instance.queries if row["id"] == alert["query_id"])
        add("alert", _only(alert, _ALERT), query)
    for plan in instance.scheduled_plans[::20]:
        add("scheduled_plan", _only(plan, "name look_id id"), instance.queries[0])
    board = instance.lookml_dashboards[0]
    tile = board["dashboard_elements"][0]
    add(
        "lookml_dashboard_element",
        {"lookml_link_id": tile["id"], "title": tile["title"]},
        tile["query"],
    )
    errors[-1]["lookml_dashboard"] = {**_only(board, "id title"), "space_id": board["folder_id"]}
    return [
        {
            "content_with_errors": errors,
            "computation_time": 41.5,
            "total_looks_validated": len(instance.looks),
            "total_dashboard_elements_validated": len(instance.dashboard_elements),
            "total_dashboard_filters_validated": 12,
            "total_scheduled_plans_validated": len(instance.scheduled_plans),
            "total_alerts_validated": len(instance.alerts),
            "total_explores_validated": sum(
                len(model["explores"]) for model in instance.lookml_models
            ),
        }
    ]


_VALIDATED = (
    "look",
    "dashboard",
    "dashboard_element",
    "dashboard_filter",
    "scheduled_plan",
    "alert",
    "lookml_dashboard",
    "lookml_dashboard_element",
)
_TILE = (
    "body_text dashboard_id id look_id note_display note_state note_text note_text_as_html "
    "query_id filter_id subtitle_text title title_hidden title_text type rich_content_json "
    "extension_id aria_description"
)
_ALERT = (
    "id lookml_dashboard_id lookml_link_id custom_url_base custom_url_params custom_url_label "
    "show_custom_url custom_title"
)


def _only(row: Row, names: str) -> Row:
    return {name: row[name] for name in names.split()}
