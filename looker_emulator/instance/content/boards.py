"""Boards with their sections and items."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from looker_emulator.instance.content.references import not_deleted, reference
from looker_emulator.instance.values import Row, can, moment, pick

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

# ----------------------------------------------------------------------------------------- boards

_BOARDS = ("Monday meeting", "Für neue Kolleginnen", "Board of directors", "店舗", "Peak season 🎄")


def boards(instance: Collections) -> list[Row]:
    """Boards with their sections and items."""
    content = not_deleted(instance)
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
    pointed = reference(content)
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


def board_sections(instance: Collections) -> list[Row]:
    """The sections of all boards."""
    return [section for board in instance.boards for section in board["board_sections"]]


def board_items(instance: Collections) -> list[Row]:
    """The items of all sections."""
    return [item for section in instance.board_sections for item in section["board_items"]]


def primary_homepage_sections(instance: Collections) -> list[Row]:
    """The sections of the homepage, which is a board, in another shape."""
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
