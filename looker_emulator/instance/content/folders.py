"""Folders, and the looks and dashboards in them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from looker_emulator.instance.access.roles import TEAMS
from looker_emulator.instance.content.dashboards import DASHBOARD_BASE
from looker_emulator.instance.values import Row, can, moment, pick

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

# ---------------------------------------------------------------------------------------- folders

ROOTS = ("1", "2", "3", "4", "lookml")


def folders(instance: Collections, count: int) -> list[Row]:
    """Folders without their content (component FolderBase)."""
    made = [
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
        made.append(_folder(str(5 + number), name, parent, creator_id=owner))
    for number, user in enumerate(instance.users):
        if user["credentials_embed"] or user["is_service_account"]:
            continue
        identifier = str(5 + count + number)
        user["home_folder_id"] = user["personal_folder_id"] = identifier
        made.append(
            _folder(
                identifier,
                user["display_name"],
                "2",
                creator_id=user["id"],
                is_personal=True,
                is_personal_descendant=True,
            )
        )
    children: dict[str | None, int] = defaultdict(int)
    for folder in made:
        children[folder["parent_id"]] += 1
    for folder in made:
        folder["child_count"] = children[folder["id"]]
    return made


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


def filled(instance: Collections, bases: list[Row]) -> list[Row]:
    """Folders with their abbreviated looks and dashboards (component Folder)."""
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
