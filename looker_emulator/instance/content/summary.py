"""The content that the API key's user may see, with what that user has done with it (alpha)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.content.references import not_deleted
from looker_emulator.instance.values import Row, can

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections


def content_summary(instance: Collections) -> list[Row]:
    """Looks and dashboards, with the counts that these have themselves."""
    me = instance.me[0]["id"]
    names = {user["id"]: user["display_name"] for user in instance.users}
    scheduled = {
        plan[f"{kind}_id"]
        for plan in instance.scheduled_plans
        for kind in ("look", "dashboard")
        if plan["user_id"] == me and plan[f"{kind}_id"]
    }
    made = []
    for number, row in enumerate(not_deleted(instance)):
        is_look = "query_id" in row
        if "::" in row["id"]:
            continue
        made.append(
            {
                "can": can(number),
                "id": str(number + 1),
                "content_type": "look" if is_look else "dashboard",
                "content_id": row["id"],
                "content_slug": row.get("slug"),
                "content_url": f"/{'looks' if is_look else 'dashboards'}/{row['id']}",
                "title": row["title"],
                "description": row["description"],
                "last_viewed_at": row["last_viewed_at"],
                "user_id": row["user_id"],
                "user_full_name": names.get(row["user_id"]),
                "is_scheduled": row["id"] in scheduled,
                "favorite_count": row["favorite_count"],
                "view_count": row["view_count"],
                "favorite_id": row["content_favorite_id"],
                "weighted_score": (row["view_count"] or 0) / 7,
                "group_weighted_score": None,
                "suggestion_score": 0.5 if number % 2 else None,
                "preferred_viewer": None if is_look else "dashboards-next",
                "certification_metadata": row.get("certification_metadata"),
            }
        )
    return made
