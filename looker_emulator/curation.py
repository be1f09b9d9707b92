"""What people make of content: boards, favourites, views, themes, and who may see what."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from looker_emulator.content import DASHBOARD_BASE
from looker_emulator.values import Row, can, moment, pick, slug

if TYPE_CHECKING:
    from looker_emulator.instance import Instance

_LOOK_BASIC = ("can", "content_metadata_id", "id", "title", "user_id", "certification_metadata")


def alive(instance: Instance) -> list[Row]:
    """Looks and dashboards of both kinds that nobody has thrown away."""
    return [row for row in instance.looks + instance.all_dashboards if not row["deleted"]]


def pointer(content: Row) -> Row:
    """The three properties with which other objects point to content."""
    look, lookml = "query_id" in content, "::" in content["id"]
    return {
        "look_id": content["id"] if look else None,
        "dashboard_id": None if look or lookml else content["id"],
        "lookml_dashboard_id": content["id"] if lookml else None,
    }


# ----------------------------------------------------------------------------------------- boards

_BOARDS = ("Monday meeting", "Für neue Kolleginnen", "Board of directors", "店舗", "Peak season 🎄")


def boards(instance: Instance) -> list[Row]:
    """Boards with their sections, and these with their items."""
    content = alive(instance)
    users = [user for user in instance.users if not user["is_disabled"]]
    sections, items = itertools.count(1), itertools.count(1)
    made = []
    for number in range(4 + len(instance.dashboards) // 10):
        identifier = str(number + 1 + number // 5)
        inside = [
            _section(next(sections), identifier, content, items) for _ in range(number * 2 % 4)
        ]
        made.append(
            {
                "can": can(number, "update", "destroy"),
                "content_metadata_id": str(number + 70_000),
                "created_at": moment(120 + number, number * 71),
                "deleted_at": None,
                "description": pick(("What we look at together", None, ""), number),
                "board_sections": inside,
                "id": identifier,
                "section_order": [section["id"] for section in inside],
                "title": f"{pick(_BOARDS, number)} {number // len(_BOARDS) or ''}".strip(),
                "updated_at": moment(430 + number % 60, number * 73),
                "user_id": pick(users, number * 3)["id"],
                "primary_homepage": number == 1,
            }
        )
    return made


def _section(number: int, board: str, content: list[Row], ids: itertools.count[int]) -> Row:
    identifier = str(number)
    items = [
        _item(next(ids), identifier, order, pick(content, number * 5 + order * 11))
        for order in range(number % 5)
    ]
    order = [item["id"] for item in items]
    return {
        "can": can(number, "update", "destroy"),
        "created_at": moment(121 + number % 300, number * 79),
        "deleted_at": None,
        "description": pick((None, "In this order, please"), number),
        "board_id": board,
        "board_items": items,
        "id": identifier,
        "item_order": order,
        "visible_item_order": order[:],
        "title": pick(("Every day", "Once a week", "À lire"), number),
        "updated_at": moment(431 + number % 60, number * 83),
    }


def _item(number: int, section: str, order: int, content: Row) -> Row:
    link = number % 9 == 5
    titled = link or number % 6 == 2
    pointed = pointer(content)
    return {
        "can": can(number, "update", "destroy"),
        "content_created_by": None if link else content["user_name"],
        "content_favorite_id": None if link else content["content_favorite_id"],
        "content_metadata_id": None if link else content["content_metadata_id"],
        "content_updated_at": None if link else content["updated_at"],
        "custom_description": "Outside of Looker" if link else None,
        "custom_title": "Opening hours" if titled else None,
        "custom_url": "https://greenhouse.example/hours" if link else None,
        **(dict.fromkeys(pointed) if link else pointed),
        "description": None if link else content["description"],
        "favorite_count": None if link else content["favorite_count"],
        "board_section_id": section,
        "id": str(number),
        "image_url": None,
        "location": None if link else content["folder"]["name"],
        "order": order,
        "title": "Opening hours" if titled else content["title"],
        "url": "https://greenhouse.example/hours" if link else content["url"],
        "use_custom_description": link,
        "use_custom_title": titled,
        "use_custom_url": link,
        "view_count": None if link else content["view_count"],
        "custom_image_url": None,
        "use_custom_image": False,
    }


def board_sections(instance: Instance) -> list[Row]:
    """The sections of all boards."""
    return [section for board in instance.boards for section in board["board_sections"]]


def board_items(instance: Instance) -> list[Row]:
    """The items of all sections."""
    return [item for section in instance.board_sections for item in section["board_items"]]


def primary_homepage_sections(instance: Instance) -> list[Row]:
    """The sections of the board that is everybody's homepage, in other words."""
    return [
        {
            "can": section["can"],
            "created_at": section["created_at"],
            "deleted_at": None,
            "detail_url": f"/boards/{board['id']}",
            "homepage_id": board["id"],
            "homepage_items": [_homepage_item(item, section) for item in section["board_items"]],
            "id": section["id"],
            "is_header": position == 0,
            "item_order": section["item_order"],
            "title": section["title"],
            "updated_at": section["updated_at"],
            "description": section["description"],
            "visible_item_order": section["visible_item_order"],
        }
        for board in instance.boards
        if board["primary_homepage"]
        for position, section in enumerate(board["board_sections"])
    ]


def _homepage_item(item: Row, section: Row) -> Row:
    shared = {name: value for name, value in item.items() if name != "board_section_id"}
    return {**shared, "homepage_section_id": section["id"], "section_fetch_time": 0.125}


# ----------------------------------------------------------------------------------------- access


def content_metadata(instance: Instance) -> list[Row]:
    """Who sees a thing is settled here: by what it is in, unless it says otherwise."""
    of_folder: dict[str | None, str | None] = {
        folder["id"]: folder["content_metadata_id"] for folder in instance.folders
    }
    made: dict[str | None, Row] = {}

    def add(content: Row, kind: str, parent: str | None, **properties: Any) -> None:
        number = len(made)
        alone = parent is None or number % 9 == 6
        identifier = content["content_metadata_id"]
        made[identifier] = {
            "can": can(number, "update"),
            "id": identifier,
            "name": content.get("title") or content.get("name"),
            "parent_id": parent,
            "dashboard_id": None,
            "look_id": None,
            "folder_id": None,
            "homepage_id": None,
            "agent_id": None,
            "content_type": kind,
            "inherits": not alone,
            "inheriting_id": identifier if alone else made[parent]["inheriting_id"],
            "slug": content.get("slug"),
            **properties,
        }

    for folder in instance.folders:
        if folder["content_metadata_id"] is not None:
            add(folder, "folder", of_folder.get(folder["parent_id"]), folder_id=folder["id"])
    for look in instance.looks:
        add(look, "look", of_folder[look["folder_id"]], look_id=look["id"])
    for board in instance.dashboards:
        add(board, "dashboard", of_folder[board["folder_id"]], dashboard_id=board["id"])
    for board in instance.lookml_dashboards:
        add(board, "dashboard", None, slug=board["id"])
    for board in instance.boards:
        add(board, "homepage", None, homepage_id=board["id"])
    for agent in instance.agents:
        add(agent, "agent", None, agent_id=agent["id"])
    return list(made.values())


def content_metadata_accesses(instance: Instance) -> list[Row]:
    """The rows of the things that do not inherit."""
    users = [user["id"] for user in instance.users]
    groups = [group["id"] for group in instance.groups]
    alone = [row["id"] for row in instance.content_metadata if not row["inherits"]]
    given: list[tuple[str, str, str | None, str | None]] = []
    for number, identifier in enumerate(alone):
        given.append((identifier, "edit", pick(groups, number * 3), None))
        if number % 2:
            given.append((identifier, "view", None, pick(users, number * 7)))
    return [
        {
            "can": can(number, "update", "destroy"),
            "id": str(number + 1),
            "content_metadata_id": identifier,
            "permission_type": permission,
            "group_id": group,
            "user_id": user,
        }
        for number, (identifier, permission, group, user) in enumerate(given)
    ]


# ------------------------------------------------------------------------------ favourites, views


def content_favorites(instance: Instance) -> list[Row]:
    """Favourites: those of the API key's user have their ids from the content itself."""
    me = instance.me[0]["id"]
    made = [
        _favorite(row["content_favorite_id"], me, row)
        for row in instance.looks + instance.all_dashboards
        if row["content_favorite_id"]
    ]
    content = alive(instance)
    others = [user for user in instance.users[1:] if not user["is_disabled"]]
    for number, user in enumerate(others):
        for position in range(number * 3 % 4):
            identifier = str(100_000 + number * 4 + position)
            made.append(_favorite(identifier, user["id"], pick(content, number * 5 + position)))
        if number % 5 == 2:
            board = pick(instance.boards, number)
            made.append(_favorite(str(100_003 + number * 4), user["id"], None, board))
    return made


def _favorite(identifier: str, user: str, content: Row | None, board: Row | None = None) -> Row:
    pointed = pointer(content or {"id": "", "query_id": None})
    base = {name: content[name] for name in DASHBOARD_BASE if name in content} if content else None
    return {
        "id": identifier,
        "user_id": user,
        "content_metadata_id": (content or board or {})["content_metadata_id"],
        **{name: value or None for name, value in pointed.items()},
        "look": {name: content[name] for name in _LOOK_BASIC}
        if content and pointed["look_id"]
        else None,
        "dashboard": base if pointed["dashboard_id"] else None,
        "board_id": board["id"] if board else None,
        "lookml_dashboard": base if pointed["lookml_dashboard_id"] else None,
    }


def content_views(instance: Instance) -> list[Row]:
    """How often whom a thing was shown to, week by week; LookML dashboards are not counted."""
    seen = [row for row in instance.looks + instance.dashboards if row["view_count"]]
    rows = []
    for number, (content, week) in enumerate(
        (row, week) for row in seen for week in range(1 + row["view_count"] % 3)
    ):
        pointed = pointer(content)
        rows.append(
            {
                "can": can(number),
                "id": str(number + 1),
                "look_id": pointed["look_id"],
                "dashboard_id": pointed["dashboard_id"],
                "title": content["title"],
                "content_metadata_id": content["content_metadata_id"],
                "user_id": pick(instance.users, number * 3)["id"] if number % 4 else None,
                "group_id": None if number % 4 else pick(instance.groups, number)["id"],
                "view_count": content["view_count"] // (week + 1),
                "favorite_count": content["favorite_count"],
                "last_viewed_at": content["last_viewed_at"],
                "start_of_week_date": moment(490 - 7 * week)[:10],
            }
        )
    return rows


# ------------------------------------------------------------------------------------- appearance


def themes(_: Instance) -> list[Row]:
    """The theme that Looker brings, and those of this instance."""
    made = []
    for number, name in enumerate(("Looker", "greenhouse", "winter_sale")):
        passing = number == 2
        made.append(
            {
                "can": can(number, "update", "destroy"),
                "begin_at": moment(300) if passing else None,
                "end_at": moment(330) if passing else None,
                "id": str(number + 1),
                "name": name,
                "settings": {
                    **_THEME,
                    "background_color": ("#f6f8fa", "#f6f8f4", "#eef3fb")[number],
                    "base_font_size": None if number else "14px",
                    "color_collection_id": ("looker", "greenhouse", "greenhouse")[number],
                    "font_source": "https://fonts.greenhouse.example/sans.css" if number else None,
                },
            }
        )
    return made


_COLORS = (
    "font_color info_button_color primary_button_color text_tile_text_color tile_background_color "
    "text_tile_background_color tile_text_color title_color warn_button_color"
)
_SHOWN = (
    "show_filters_bar show_title tile_shadow show_last_updated_indicator show_reload_data_icon "
    "show_dashboard_menu show_filters_toggle show_dashboard_header center_dashboard_title "
    "show_explore_header show_explore_title show_explore_last_run show_explore_timezone "
    "show_explore_run_stop_button show_explore_actions_button show_look_header show_look_title "
    "show_look_last_run show_look_timezone show_look_run_stop_button show_look_actions_button"
)
_THEME: Row = {
    **dict.fromkeys(_COLORS.split(), "#2e7d32"),
    **dict.fromkeys(_SHOWN.split(), True),
    "font_family": "Open Sans, Helvetica, sans-serif",
    "tile_title_alignment": "left",
    "dashboard_title_font_size": "24px",
    "tile_title_font_size": "14px",
    "box_shadow": "none",
    "page_margin_top": "16px",
    "page_margin_bottom": "16px",
    "page_margin_sides": "24px",
    "column_gap_size": "8px",
    "row_gap_size": "8px",
    "border_radius": "4px",
}


def color_collections(_: Instance) -> list[Row]:
    """Palettes; one of the stops is not a whole number, whatever the document says."""
    return [
        {
            "id": name,
            "label": name.title(),
            "categoricalPalettes": [
                {
                    "id": f"{name}-categorical-0",
                    "label": "Beet & border",
                    "type": "Categorical",
                    "colors": ["#2e7d32", "#8d6e63", "#f9a825", "#6a1b9a"],
                }
            ],
            "sequentialPalettes": [_stops(f"{name}-sequential-0", None, "Sequential", 0, 100)],
            "divergingPalettes": [
                _stops(f"{name}-diverging-0", "Kühl & warm", "Diverging", 0, 50, 100),
                _stops(f"{name}-diverging-1", None, "Diverging", 0, 33.3, 100),
            ],
        }
        for name in ("looker", "greenhouse")
    ]


def _stops(identifier: str, label: str | None, kind: str, *offsets: float) -> Row:
    colors = ("#1565c0", "#fafafa", "#c62828")
    return {
        "id": identifier,
        "label": label,
        "type": kind,
        "stops": [
            {"color": color, "offset": offset}
            for color, offset in zip(colors, offsets, strict=False)
        ],
    }


# ------------------------------------------------------------------------------------- validation


def content_validation(instance: Instance) -> list[Row]:
    """The one answer of the content validator: what points to fields that are gone."""
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


# ----------------------------------------------------------------------------------------- agents


def agents(instance: Instance) -> list[Row]:
    """Conversational agents (beta); some are in the trash."""
    explores = [
        {"model": model["name"], "explore": explore["name"]}
        for model in instance.lookml_models
        for explore in model["explores"]
    ]
    made = []
    for number in range(4 + len(instance.users) // 20):
        owner = pick(instance.users, number * 3)
        made.append(
            {
                "can": can(number, "update", "destroy"),
                "id": str(number + 1),
                "created_by_user_id": owner["id"],
                "created_by_name": owner["display_name"],
                "created_by_first_name": owner["first_name"],
                "created_by_last_name": owner["last_name"],
                "created_by_avatar_url": owner["avatar_url"],
                "name": f"{pick(('Stock clerk', 'Gärtner', 'Season planner'), number)} {number}",
                "description": "" if number % 2 else "Knows where things stand",
                "category": pick(("conversation", None), number),
                "sources": [pick(explores, number), pick(explores, number * 5 + 1)],
                "has_inaccessible_source": number % 3 == 2,
                "golden_queries": [],
                "golden_query_ids": [number * 2 + 1] if number % 2 else [],
                "context": {"instructions": "Answer in one sentence.\nNo emoji."},
                "deleted": number % 4 == 3,
                # A date by the document, and a moment in recorded bodies.
                "created_at": moment(440 + number, number)[:10],
                "updated_at": moment(470 + number % 20, number)[:10],
                "content_metadata_id": str(number + 80_000),
                "code_interpreter": number % 2 == 0,
                "studio_agent_id": slug("agent", number) if number % 3 == 1 else None,
                "workflow_params": None,
            }
        )
    return made


def conversations(instance: Instance) -> list[Row]:
    """The conversations of the API key's user, with their messages."""
    me = instance.me[0]["id"]
    made = []
    for number in range(6):
        agent = None if number == 4 else pick(instance.agents, number)
        identifier = slug("conversation", number)
        made.append(
            {
                "can": can(number, "update", "destroy"),
                "id": identifier,
                "name": pick(("Basil in May", "Wie viele Töpfe?"), number),
                "category": None,
                "sources": agent["sources"] if agent else [],
                "user_id": me,
                "agent_id": agent["id"] if agent else None,
                "deleted": False,
                "created_at": moment(480 + number)[:10],
                "updated_at": moment(485 + number)[:10],
                "messages": [_message(identifier, order) for order in range(number % 4)],
                "conversation_agent": agent,
                "missing_agent": agent is None,
                "studio_conversation_id": None,
            }
        )
    return made


def _message(conversation: str, order: int) -> Row:
    asked = order % 2 == 0
    text = "How much basil was sold in May?" if asked else "1,204 pots of basil."
    return {
        "can": can(order),
        # Unique within the conversation.
        "id": str(order + 1),
        "message": {
            "timestamp": moment(480, order * 11),
            "userMessage" if asked else "systemMessage": {"text": {"parts": [text]}},
            "conversation": conversation,
            "tokens": 17,
        },
        "type": "user" if asked else "system",
        "order": order,
    }


# -------------------------------------------------------------------------------------- artifacts


def artifacts(instance: Instance) -> list[Row]:
    """Keys and values that extensions keep (alpha)."""
    rows = []
    for number in range(9):
        value = '{"pinned":["Größe"],"columns":3}' if number % 2 else "{}"
        author = pick(instance.users, number)["id"]
        rows.append(
            {
                "key": f"{pick(('layout', 'note/of the day', 'seen'), number)}:{number // 3}",
                "value": value,
                "content_type": pick(("application/json", None), number),
                "version": number % 5 + 1,
                "namespace": pick(("greenhouse::planner", "notes"), number // 3),
                "created_at": moment(200 + number),
                "updated_at": moment(400 + number),
                "value_size": len(value.encode()),
                "created_by_userid": author,
                "updated_by_userid": author,
            }
        )
    return rows


def artifact_namespaces(instance: Instance) -> list[Row]:
    """The namespaces that artifacts are in."""
    names = [artifact["namespace"] for artifact in instance.artifacts]
    return [{"namespace": name, "count": names.count(name)} for name in dict.fromkeys(names)]
