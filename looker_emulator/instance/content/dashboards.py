# ruff: noqa: SIM905 - a list of words reads best as words
"""User-defined and LookML dashboards with their filters and layouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.content.looks import TOPICS, certification, deletion
from looker_emulator.instance.content.tiles import visualization
from looker_emulator.instance.values import Row, can, moment, pick, slug

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections
    from looker_emulator.instance.content.queries import Queries

DASHBOARD_BASE = (
    "can content_favorite_id content_metadata_id description hidden id model query_timezone "
    "readonly refresh_interval refresh_interval_to_i folder title user_id slug preferred_viewer "
    "certification_metadata"
).split()
"""The properties of an abbreviated dashboard (component DashboardBase)."""


def dashboard(
    identifier: str, number: int, users: list[Row], folder: Row, elements: list[Row]
) -> Row:
    """A user-defined dashboard with tiles, filters and layout."""
    owner = pick(users, number * 4)
    updater = pick(users, number * 7)
    viewed = number % 6 != 2
    title = f"{pick(TOPICS, number * 5)} dashboard {number // len(TOPICS) or ''}".strip()
    return {
        "can": can(number, "update", "destroy", "move", "copy", "run", "download", "schedule"),
        "content_favorite_id": str(number + 50_000) if number % 5 == 1 else None,
        "content_metadata_id": str(number + 40_000),
        "description": pick((None, "Für die Filialleitung", ""), number),
        "hidden": number % 13 == 6,
        "id": identifier,
        "model": None,
        "query_timezone": pick((None, "Europe/Zurich"), number),
        "readonly": False,
        "refresh_interval": "15 minutes" if number % 10 == 3 else None,
        "refresh_interval_to_i": 900 if number % 10 == 3 else None,
        "folder": folder,
        "title": title,
        "user_id": owner["id"],
        "slug": slug("dashboard", number),
        "preferred_viewer": "dashboards-next",
        "certification_metadata": certification(number, owner),
        "alert_sync_with_dashboard_filter_enabled": False,
        "chat_enabled": False,
        "background_color": "#fafaf7" if number % 9 == 1 else None,
        "created_at": moment(40 + number % 300, number * 29),
        "crossfilter_enabled": number % 2 == 0,
        "dashboard_elements": elements,
        "dashboard_filters": _filters(identifier, number * 7 % 4),
        "dashboard_layouts": [_layout(identifier, title, elements)],
        **deletion(number, deleted=number % 8 == 5, users=users),
        "edit_uri": f"/dashboards/{identifier}",
        "enable_viz_full_screen": True,
        "favorite_count": number % 3,
        "filters_bar_collapsed": False,
        "filters_location_top": True,
        "last_accessed_at": moment(510, number * 59) if viewed else None,
        "last_viewed_at": moment(509, number * 59) if viewed else None,
        "updated_at": moment(410 + number % 60, number * 43),
        "last_updater_id": updater["id"],
        "last_updater_name": updater["display_name"],
        "user_name": owner["display_name"],
        "load_configuration": "cache_run",
        "lookml_link_id": None,
        "show_filters_bar": True,
        "show_title": True,
        "folder_id": folder["id"],
        "text_tile_text_color": None,
        "tile_background_color": "#ffffff" if number % 9 == 1 else None,
        "tile_text_color": None,
        "title_color": "#1b5e20" if number % 9 == 1 else None,
        "view_count": number * 11 % 700 if viewed else 0,
        "appearance": None if number % 3 else _APPEARANCE,
        "usage_count": number * 19 % 200 if viewed else 0,
        "is_owner_disabled": owner["is_disabled"],
        "url": f"/dashboards/{identifier}",
        "preserve_desktop_layout": False,
        "download_settings": None if number % 4 else _DOWNLOAD_SETTINGS,
    }


def lookml_dashboard(number: int, instance: Collections, folder: Row, queries: Queries) -> Row:
    """A LookML dashboard: it is read-only, and its id is `model::name`."""
    model = pick(instance.lookml_models[:-1], number)
    name = f"{pick(('overview', 'operations', 'targets'), number)}_{number + 1}"
    identifier = f"{model['name']}::{name}"
    title = name.replace("_", " ").title()
    elements = [
        visualization(
            f"{identifier}::tile_{position}",
            identifier,
            f"{title} {position}",
            queries.new() if position else queries.used(number),
            position,
        )
        for position in range(3 + number % 3)
    ]
    return {
        **dashboard(identifier, number, instance.users, folder, elements),
        "can": can(number, "run", "download", "schedule", "copy"),
        "content_favorite_id": str(number + 60_000) if number % 5 == 1 else None,
        "content_metadata_id": str(number + 60_000),
        "model": {"id": model["name"], "label": model["label"]},
        "readonly": True,
        "title": title,
        "user_id": None,
        "slug": None,
        "certification_metadata": None,
        "created_at": None,
        "dashboard_layouts": [_layout(identifier, title, elements)],
        **deletion(number, deleted=False, users=instance.users),
        "edit_uri": f"/projects/greenhouse/files/{model['name']}/{name}.dashboard.lookml",
        "updated_at": None,
        "last_updater_id": None,
        "last_updater_name": None,
        "user_name": None,
        "lookml_link_id": identifier,
        "is_owner_disabled": False,
    }


_APPEARANCE: Row = {
    "page_side_margins": 24,
    "page_background_color": "#f6f8f4",
    "tile_title_alignment": "left",
    "tile_space_between": 10,
    "tile_background_color": "#ffffff",
    "tile_shadow": True,
    "key_color": "#2e7d32",
    "modern_vis2026": False,
}
_DOWNLOAD_SETTINGS: Row = {
    "format_option": "csv",
    "value_options": "formatted",
    "result_options": "all",
    "limit_options": "custom",
    "rows_limit": 5000,
    "columns_limit": 50,
}


def _filters(dashboard_id: str, count: int) -> list[Row]:
    return [
        {
            "can": can(number, "update", "destroy"),
            "id": slug(f"filter {dashboard_id}", number)[:12],
            "dashboard_id": dashboard_id,
            "name": ("Date", "Store", "Größe")[number],
            "title": ("Date", "Store", "Größe")[number],
            "type": ("date_filter", "field_filter", "string_filter")[number],
            "default_value": ("30 days", "", "S,M,L")[number],
            "model": "storefront" if number == 1 else None,
            "explore": "orders" if number == 1 else None,
            "dimension": "stores.city" if number == 1 else None,
            "field": {"name": "stores.city", "type": "string", "suggestions": ["Zürich", 7]}
            if number == 1
            else None,
            "row": number,
            "listens_to_filters": ["Date"] if number == 1 else [],
            "allow_multiple_values": True,
            "required": number == 0,
            "ui_config": {"type": "relative_timeframes", "display": "inline", "options": []}
            if number == 0
            else None,
        }
        for number in range(count)
    ]


def _layout(dashboard_id: str, title: str, elements: list[Row]) -> Row:
    identifier = slug(f"layout {dashboard_id}", 0)[:10]
    return {
        "can": can(len(elements), "update", "destroy"),
        "id": identifier,
        "dashboard_id": dashboard_id,
        "type": "newspaper",
        "active": True,
        "column_width": None,
        "width": None,
        "deleted": False,
        "dashboard_title": title,
        "dashboard_layout_components": [
            _component(identifier, element, position) for position, element in enumerate(elements)
        ],
        "label": "",
        "description": None,
        "order": 0,
        "lookml_link_id": None,
    }


def _component(layout_id: str, element: Row, position: int) -> Row:
    return {
        "can": {},
        "id": f"{layout_id}{position}",
        "dashboard_layout_id": layout_id,
        "dashboard_element_id": element["id"],
        "row": position // 2 * 6,
        "column": position % 2 * 12,
        "width": 12,
        "height": 6,
        "deleted": False,
        "element_title": element["title"],
        "element_title_hidden": False,
        "vis_type": element["type"],
        "granular_row": None,
        "granular_column": None,
        "granular_width": None,
        "granular_height": None,
    }
