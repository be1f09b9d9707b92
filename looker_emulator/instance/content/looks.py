"""Looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.values import HOST, Row, can, moment, pick, slug

if TYPE_CHECKING:
    from looker_emulator.instance.content.queries import Queries

TOPICS = [
    "Revenue by store",
    "Open orders",
    "Würzige Kräuter",
    "Returns 📦",
    "Late shipments",
    "New customers",
    "植物の売上",
    "Basket size",
    "Staff planning",
    "Supplier scorecard",
    "Weather & sales",
    "Gift cards",
]


def deletion(number: int, *, deleted: bool, users: list[Row]) -> Row:
    """The properties that say whether a look or dashboard is in the trash."""
    return {
        "deleted": deleted,
        "deleted_at": moment(420, number * 61) if deleted else None,
        "deleter_id": pick(users, number)["id"] if deleted else None,
    }


def certification(number: int, owner: Row) -> Row | None:
    """The certification of one in six looks or dashboards."""
    if number % 6 != 1:
        return None
    return {
        "certification_status": "certified",
        "ui_status": "certified",
        "user_name": owner["display_name"],
        "notes": "Reconciled with the ledger",
        "updated_at": moment(430, number),
    }


def look(number: int, users: list[Row], homes: list[Row], queries: Queries) -> Row:
    """A look with its query (component LookWithQuery)."""
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
        "certification_metadata": certification(number, owner),
        "content_favorite_id": str(number + 500) if number % 8 == 1 else None,
        "created_at": moment(30 + number % 300, number * 37),
        **deletion(number, deleted=number % 9 == 4, users=users),
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
