"""Content metadata: who may see folders, looks, dashboards, boards and agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from looker_emulator.instance.values import Row, can, pick

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

# ----------------------------------------------------------------------------------------- access


def content_metadata(instance: Collections) -> list[Row]:
    """Content metadata; most objects inherit access from the folder they are in."""
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


def content_metadata_accesses(instance: Collections) -> list[Row]:
    """Access rules of the objects that do not inherit them."""
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
