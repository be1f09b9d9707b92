"""Favorites and weekly view counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.content.dashboards import DASHBOARD_BASE
from looker_emulator.instance.content.references import not_deleted, reference
from looker_emulator.instance.values import Row, can, moment, pick

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

_LOOK_BASIC = ("can", "content_metadata_id", "id", "title", "user_id", "certification_metadata")


# ------------------------------------------------------------------------------ favourites, views


def content_favorites(instance: Collections) -> list[Row]:
    """Favorites. The content itself has the ids of those of the API key's user."""
    me = instance.me[0]["id"]
    made = [
        _favorite(row["content_favorite_id"], me, row)
        for row in instance.looks + instance.all_dashboards
        if row["content_favorite_id"]
    ]
    content = not_deleted(instance)
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
    pointed = reference(content or {"id": "", "query_id": None})
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


def content_views(instance: Collections) -> list[Row]:
    """View counts per week and user or group. LookML dashboards are not counted."""
    seen = [row for row in instance.looks + instance.dashboards if row["view_count"]]
    rows = []
    for number, (content, week) in enumerate(
        (row, week) for row in seen for week in range(1 + row["view_count"] % 3)
    ):
        pointed = reference(content)
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
