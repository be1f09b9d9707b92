# ruff: noqa: SIM905 - a list of words reads best as words
"""Folders, looks and dashboards with their tiles, filters and layouts."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from looker_emulator.people import TEAMS
from looker_emulator.values import HOST, Row, can, moment, pick, slug

if TYPE_CHECKING:
    from looker_emulator.instance import Instance, Size
    from looker_emulator.lookml import Queries

DASHBOARD_BASE = (
    "can content_favorite_id content_metadata_id description hidden id model query_timezone "
    "readonly refresh_interval refresh_interval_to_i folder title user_id slug preferred_viewer "
    "certification_metadata"
).split()
"""The properties of a dashboard as `all_dashboards` abbreviates it (component DashboardBase)."""

TOPICS = (
    "Revenue by store|Open orders|Würzige Kräuter|Returns 📦|Late shipments|New customers|"
    "植物の売上|Basket size|Staff planning|Supplier scorecard|Weather & sales|Gift cards"
).split("|")


def add_content(instance: Instance, size: Size, queries: Queries) -> None:
    """Fill in folders and everything in them; people and models must be there."""
    bases = _folders(instance, size.folders)
    homes = [base for base in bases if base["parent_id"] != "2" and base["id"] not in _ROOTS]
    homes += [base for base in bases if base["is_personal"]][: max(len(homes) // 3, 2)]
    instance.looks = [_look(number, instance.users, homes, queries) for number in range(size.looks)]
    tiles = _Tiles(instance, queries)
    for number in range(size.dashboards):
        identifier = str(number + 1 + number // 6)
        # One dashboard has just been created and is still empty.
        elements = tiles.make(identifier, 0 if number == 7 else 2 + number * 5 % 9)
        instance.dashboards.append(
            _dashboard(identifier, number, instance.users, pick(homes, number * 5), elements)
        )
    instance.dashboard_elements = tiles.rows
    lookml_folder = next(base for base in bases if base["id"] == "lookml")
    instance.lookml_dashboards = [
        _lookml_dashboard(number, instance, lookml_folder, queries)
        for number in range(size.lookml_dashboards)
    ]
    instance.folders = _filled(instance, bases)


# ---------------------------------------------------------------------------------------- folders

_ROOTS = ("1", "2", "3", "4", "lookml")


def _folders(instance: Instance, count: int) -> list[Row]:
    """Folders without what is in them (component FolderBase)."""
    folders = [
        _folder("1", "Shared", None, is_shared_root=True),
        _folder("2", "Users", None, is_users_root=True),
        _folder("3", "Embed Groups", None, is_embed=True, is_embed_shared_root=True),
        _folder("4", "Embed Users", None, is_embed=True, is_embed_users_root=True),
        _folder("lookml", "LookML Dashboards", None),
    ]
    for number in range(count):
        parent = "1" if number < 4 else str(5 + (number - 4) // 2)
        name = f"{pick(TEAMS, number)} {number // len(TEAMS) or ''}".strip()
        owner = pick(instance.users, number * 3)["id"]
        folders.append(_folder(str(5 + number), name, parent, creator_id=owner))
    for number, user in enumerate(instance.users):
        if user["credentials_embed"] or user["is_service_account"]:
            continue
        identifier = str(5 + count + number)
        user["home_folder_id"] = user["personal_folder_id"] = identifier
        folders.append(
            _folder(
                identifier,
                user["display_name"],
                "2",
                creator_id=user["id"],
                is_personal=True,
                is_personal_descendant=True,
            )
        )
    children = defaultdict(int)
    for folder in folders:
        children[folder["parent_id"]] += 1
    for folder in folders:
        folder["child_count"] = children[folder["id"]]
    return folders


def _folder(identifier: str, name: str, parent: str | None, **properties: Any) -> Row:
    number = int(identifier) if identifier.isdigit() else 0
    return {
        "name": name,
        "parent_id": parent,
        "id": identifier,
        "content_metadata_id": str(number + 10_000) if number else None,
        "created_at": moment(number, 30) if number > 4 else None,
        "creator_id": None,
        "child_count": 0,
        "external_id": None,
        "is_embed": False,
        "is_embed_shared_root": False,
        "is_embed_users_root": False,
        "is_personal": False,
        "is_personal_descendant": False,
        "is_shared_root": False,
        "is_users_root": False,
        "can": can(number, "create", "update", "destroy", "move_content", "edit_content"),
        **properties,
    }


def _filled(instance: Instance, bases: list[Row]) -> list[Row]:
    """Folders with the abbreviated looks and dashboards that are in them (component Folder)."""
    dashboards: dict[str, list[Row]] = defaultdict(list)
    shown_on: dict[str, list[Row]] = defaultdict(list)
    for dashboard in instance.dashboards + instance.lookml_dashboards:
        if not dashboard["deleted"]:
            base = {name: dashboard[name] for name in DASHBOARD_BASE}
            dashboards[dashboard["folder_id"]].append(base)
            for look in {tile["look_id"] for tile in dashboard["dashboard_elements"]} - {None}:
                shown_on[look].append(base)
    looks: dict[str, list[Row]] = defaultdict(list)
    for look in instance.looks:
        if not look["deleted"]:
            shown = {name: look[name] for name in look if name not in ("query", "url")}
            looks[look["folder_id"]].append({**shown, "dashboards": shown_on[look["id"]]})
    return [
        {**base, "dashboards": dashboards[base["id"]], "looks": looks[base["id"]]} for base in bases
    ]


# ------------------------------------------------------------------------------------------ looks


def _deletion(number: int, *, deleted: bool, users: list[Row]) -> Row:
    return {
        "deleted": deleted,
        "deleted_at": moment(420, number * 61) if deleted else None,
        "deleter_id": pick(users, number)["id"] if deleted else None,
    }


def _certification(number: int, owner: Row) -> Row | None:
    if number % 6 != 1:
        return None
    return {
        "certification_status": "certified",
        "ui_status": "certified",
        "user_name": owner["display_name"],
        "notes": "Reconciled with the ledger",
        "updated_at": moment(430, number),
    }


def _look(number: int, users: list[Row], homes: list[Row], queries: Queries) -> Row:
    identifier = str(number + 1 + number // 10)
    owner = pick(users, number * 3)
    folder = pick(homes, number)
    query = queries.used(number) if number % 5 == 4 else queries.new()
    viewed = number % 7 != 3
    public = number % 11 == 2
    public_slug = slug("public look", number) if public else None
    return {
        "can": can(number, "update", "destroy", "move", "copy", "recover", "explore", "schedule"),
        "content_metadata_id": str(number + 20_000),
        "id": identifier,
        "title": f"{pick(TOPICS, number)} {number // len(TOPICS) or ''}".strip(),
        "user_id": owner["id"],
        "certification_metadata": _certification(number, owner),
        "content_favorite_id": str(number + 500) if number % 8 == 1 else None,
        "created_at": moment(30 + number % 300, number * 37),
        **_deletion(number, deleted=number % 9 == 4, users=users),
        "description": pick(
            (None, "", "Asked for by the board, “every Monday”.\nDo not move."), number
        ),
        "embed_url": f"{HOST}/embed/looks/{identifier}",
        "excel_file_url": f"{HOST}/looks/{public_slug}.xlsx" if public else None,
        "favorite_count": number % 4,
        "google_spreadsheet_formula": (
            f'=ImportXML("{HOST}/looks/{public_slug}.html", "//tr")' if public else None
        ),
        "image_embed_url": f"{HOST}/looks/{public_slug}.png" if public else None,
        "is_run_on_load": number % 5 != 0,
        "last_accessed_at": moment(500, number * 53) if viewed else None,
        "last_updater_id": pick(users, number * 7)["id"] if number % 3 else None,
        "last_viewed_at": moment(499, number * 53) if viewed else None,
        "model": {"id": query["model"], "label": query["model"].replace("_", " ").title()},
        "public": public,
        "public_slug": public_slug,
        "public_url": f"{HOST}/looks/{public_slug}" if public else None,
        "query_id": query["id"],
        "short_url": f"/looks/{identifier}",
        "folder": folder,
        "folder_id": folder["id"],
        "updated_at": moment(400 + number % 60, number * 41),
        "user_name": owner["display_name"],
        "view_count": number * 13 % 400 if viewed else 0,
        "usage_count": number * 17 % 90 if viewed else 0,
        "is_owner_disabled": owner["is_disabled"],
        "query": query,
        "url": f"/looks/{identifier}",
    }


# ------------------------------------------------------------------------------------- dashboards


def _dashboard(
    identifier: str, number: int, users: list[Row], folder: Row, elements: list[Row]
) -> Row:
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
        "certification_metadata": _certification(number, owner),
        "alert_sync_with_dashboard_filter_enabled": False,
        "chat_enabled": False,
        "background_color": "#fafaf7" if number % 9 == 1 else None,
        "created_at": moment(40 + number % 300, number * 29),
        "crossfilter_enabled": number % 2 == 0,
        "dashboard_elements": elements,
        "dashboard_filters": _filters(identifier, number * 7 % 4),
        "dashboard_layouts": [_layout(identifier, title, elements)],
        **_deletion(number, deleted=number % 8 == 5, users=users),
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


def _lookml_dashboard(number: int, instance: Instance, folder: Row, queries: Queries) -> Row:
    model = pick(instance.lookml_models[:-1], number)
    name = f"{pick(('overview', 'operations', 'targets'), number)}_{number + 1}"
    identifier = f"{model['name']}::{name}"
    title = name.replace("_", " ").title()
    elements = [
        _vis(
            f"{identifier}::tile_{position}",
            identifier,
            f"{title} {position}",
            queries.new() if position else queries.used(number),
            position,
        )
        for position in range(3 + number % 3)
    ]
    return {
        **_dashboard(identifier, number, instance.users, folder, elements),
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
        **_deletion(number, deleted=False, users=instance.users),
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


# ------------------------------------------------------------------------------------------ tiles


class _Tiles:
    """The tiles of the user-defined dashboards, numbered through."""

    def __init__(self, instance: Instance, queries: Queries) -> None:
        self.rows: list[Row] = []
        self._instance = instance
        self._queries = queries
        self._looks = [look for look in instance.looks if not look["deleted"]]

    def make(self, dashboard_id: str, count: int) -> list[Row]:
        """As many tiles, and one more in thirty that has been taken off the dashboard again."""
        made = [self._tile(dashboard_id) for _ in range(count)]
        if count and len(self.rows) % 30 < count:
            self._instance.removed_elements.add(self._tile(dashboard_id)["id"])
        return made

    def _tile(self, dashboard_id: str) -> Row:
        number = len(self.rows)
        identifier = str(number + 1 + number // 15)
        title = pick(TOPICS, number * 7)
        kind = number % 12
        if kind == 0:
            row = _text(identifier, dashboard_id, number)
        elif kind in (1, 2):
            row = _look_tile(identifier, dashboard_id, pick(self._looks, number // 3), number)
        elif kind == 3:
            row = self._merged(identifier, dashboard_id, title, number)
        else:
            query = self._queries.used(number) if kind % 3 == 2 else self._queries.new()
            row = _vis(identifier, dashboard_id, title, query, number)
            if kind == 4:
                # Its query stands in the result maker alone.
                row |= {"query": None, "query_id": None}
        self.rows.append(row)
        return row

    def _merged(self, identifier: str, dashboard_id: str, title: str, number: int) -> Row:
        merge = _merge_query(number, [self._queries.used(number), self._queries.used(number + 1)])
        self._instance.merge_queries.append(merge)
        row = _element(identifier, dashboard_id, number)
        return row | {
            "title": title,
            "merge_result_id": merge["id"],
            "result_maker_id": merge["result_maker_id"],
            "result_maker": _result_maker(merge["result_maker_id"], None, merge["id"]),
        }


def _element(identifier: str, dashboard_id: str, number: int) -> Row:
    """What all tiles have in common; the kinds of tiles say what is different."""
    return {
        "can": can(number, "update", "destroy", "explore", "see_drill_overlay"),
        "body_text": None,
        "body_text_as_html": None,
        "dashboard_id": dashboard_id,
        "dashboard_layout_id": slug(f"layout {dashboard_id}", 0)[:10],
        "edit_uri": f"/dashboards/{dashboard_id}",
        "id": identifier,
        "look": None,
        "look_id": None,
        "lookml_link_id": None,
        "merge_result_id": None,
        "note_display": None,
        "note_state": None,
        "note_text": None,
        "note_text_as_html": None,
        "query": None,
        "query_id": None,
        "filter_id": None,
        "refresh_interval": None,
        "refresh_interval_to_i": None,
        "result_maker": None,
        "result_maker_id": None,
        "subtitle_text": None,
        "title": None,
        "title_hidden": False,
        "title_text": None,
        "type": "vis",
        "alert_count": number % 5 if number % 7 == 0 else 0,
        "rich_content_json": None,
        "title_text_as_html": None,
        "subtitle_text_as_html": None,
        "extension_id": None,
        "aria_description": None,
        "certification_metadata": None,
    }


def _text(identifier: str, dashboard_id: str, number: int) -> Row:
    return _element(identifier, dashboard_id, number) | {
        "type": "text",
        "alert_count": 0,
        "title_text": "Lies mich 🌱",
        "title_text_as_html": "Lies mich 🌱",
        "subtitle_text": "",
        "subtitle_text_as_html": "",
        "body_text": "*All figures* without tax & shipping",
        "body_text_as_html": "<p><em>All figures</em> without tax &amp; shipping</p>",
        "rich_content_json": '{"value":[{"type":"p","children":[{"text":"…"}]}]}'
        if number % 24
        else None,
    }


def _look_tile(identifier: str, dashboard_id: str, look: Row, number: int) -> Row:
    result_maker_id = str(number + 3000)
    return _element(identifier, dashboard_id, number) | {
        "title": look["title"],
        "look": look,
        "look_id": look["id"],
        "result_maker_id": result_maker_id,
        "result_maker": _result_maker(result_maker_id, look["query"], None),
    }


def _vis(identifier: str, dashboard_id: str, title: str, query: Row, number: int) -> Row:
    result_maker_id = str(number + 3000)
    noted = number % 5 == 0
    return _element(identifier, dashboard_id, number) | {
        "title": title,
        "note_display": "hover" if noted else None,
        "note_state": "collapsed" if noted else None,
        "note_text": "Net of returns" if noted else None,
        "note_text_as_html": "Net of returns" if noted else None,
        "subtitle_text": "Year to date" if number % 6 == 5 else None,
        "subtitle_text_as_html": "Year to date" if number % 6 == 5 else None,
        "aria_description": "A column for each week" if number % 8 == 6 else None,
        "query": query,
        "query_id": query["id"],
        "refresh_interval": "1 hour" if number % 10 == 6 else None,
        "refresh_interval_to_i": 3600 if number % 10 == 6 else None,
        "result_maker_id": result_maker_id,
        "result_maker": _result_maker(result_maker_id, query, None),
    }


def _result_maker(identifier: str, query: Row | None, merge_result_id: str | None) -> Row:
    return {
        "id": identifier,
        "dynamic_fields": query["dynamic_fields"] if query else None,
        "filterables": [
            {
                "model": query["model"],
                "view": query["view"],
                "name": None,
                "listen": [{"dashboard_filter_name": "Date", "field": query["fields"][0]}],
            }
        ]
        if query
        else [],
        "sorts": query["sorts"] if query else [],
        "merge_result_id": merge_result_id,
        "total": bool(query and query["total"]),
        "query_id": query["id"] if query else None,
        "sql_query_id": None,
        "query": query,
        "vis_config": query["vis_config"] if query else {"type": "table"},
    }


def _merge_query(number: int, sources: list[Row]) -> Row:
    return {
        "can": {},
        "column_limit": "50",
        "dynamic_fields": None,
        "id": slug("merge", number),
        "pivots": [],
        "result_maker_id": str(number + 3000),
        "sorts": [],
        "source_queries": [
            {
                "merge_fields": [
                    {
                        "field_name": sources[0]["fields"][0],
                        "source_field_name": source["fields"][0],
                    }
                ],
                "name": f"{source['model']} {source['view']}",
                "query_id": source["id"],
                "query_slug": source["slug"],
            }
            for source in sources
        ],
        "total": False,
        "limit": None,
        "vis_config": {"type": "table"},
    }
