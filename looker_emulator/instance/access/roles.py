# ruff: noqa: SIM905 - a list of words reads best as words
"""Permissions, permission sets, model sets, roles and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.values import API, Row, can, pick

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

TEAMS = (
    "Finance Merchandising Logistics Marketing Stores Support Produkt-Größen Data Wholesale Returns"
).split()

PERMISSIONS = (
    "access_data see_lookml_dashboards see_looks see_user_dashboards explore "
    "create_table_calculations save_content download_with_limit schedule_look_emails "
    "create_alerts follow_alerts send_to_integration see_sql see_lookml develop deploy "
    "use_sql_runner clear_cache_refresh manage_spaces manage_models see_queries see_logs "
    "see_users sudo see_schedules see_pdts see_datagroups see_system_activity administer"
).split()


def permission_sets() -> list[Row]:
    """Named sets of permissions; one is built in."""
    names = {
        "Admin": PERMISSIONS,
        "Developer": PERMISSIONS[:17],
        "User": PERMISSIONS[:10],
        "Viewer": PERMISSIONS[:4],
        "Förderer & Partner": ["see_looks", "see_user_dashboards"],
    }
    return [
        {
            "built_in": name == "Admin",
            "id": str(number),
            "all_access": name == "Admin",
            "name": name,
            "permissions": list(permissions),
            "url": f"{API}/permission_sets/{number}",
            "can": can(number, "update"),
        }
        for number, (name, permissions) in enumerate(names.items(), 1)
    ]


def model_sets(models: list[str]) -> list[Row]:
    """Named sets of models; one contains all of them."""
    members = {"All": models} | {name.title(): [name] for name in models[:8]}
    return [
        {
            "built_in": name == "All",
            "id": str(number),
            "all_access": name == "All",
            "models": list(allowed),
            "name": name,
            "url": f"{API}/model_sets/{number}",
            "can": can(number, "update"),
        }
        for number, (name, allowed) in enumerate(members.items(), 1)
    ]


def roles(instance: Collections, count: int) -> list[Row]:
    """Roles, each with a permission set and a model set."""
    names = ["Admin", "Developer", "User", "Viewer", "Partner"]
    names += [
        f"{pick(TEAMS, number)} analyst {number // len(TEAMS) + 1}" for number in range(count)
    ]
    return [
        {
            # "1" was deleted, as on any instance that has been used for a while.
            "id": str(number + 2),
            "name": names[number],
            "permission_set": instance.permission_sets[min(number, 4)],
            "model_set": pick(instance.model_sets, 0 if number < 2 else number),
            "internal": False,
            "url": f"{API}/roles/{number + 2}",
            "users_url": f"{API}/roles/{number + 2}/users",
            "can": can(number, "update"),
        }
        for number in range(count)
    ]


def groups(instance: Collections, count: int) -> list[Row]:
    """Groups with their parents and roles; members are counted later."""
    groups: list[Row] = []
    for number in range(count):
        team = pick(TEAMS, number - 1)
        roles = [] if number % 4 == 3 else [pick(instance.roles, number + 2)]
        # The first group contains everybody; the others are nested, and one has two parents.
        parents = sorted({(number - 1) // 2, number // 3} - {0, number}) if number > 3 else []
        groups.append(
            {
                "can_add_to_content_metadata": number > 0,
                "external_group_id": f"okta-{team.lower()}" if number % 5 == 2 else None,
                "id": str(number + 1),
                "name": f"{team} {number // len(TEAMS) or ''}".strip() if number else "All Users",
                "user_count": 0,
                "externally_managed": number % 5 == 2,
                "include_by_default": number == 0,
                "contains_current_user": number == 0,
                "can": can(number, "create", "update", "delete", "edit_in_ui"),
                "parent_group_ids": [str(parent + 1) for parent in parents],
                "role_ids": [role["id"] for role in roles],
                "roles": roles,
            }
        )
    return groups


def permissions(_: Collections) -> list[Row]:
    """Every permission; most depend on another one."""
    return [
        {
            "can": {"show": True},
            "permission": name,
            "parent": None if number < 2 or name == "administer" else PERMISSIONS[number // 4],
            "description": f"May {name.replace('_', ' ')}" if number % 3 else None,
        }
        for number, name in enumerate(PERMISSIONS)
    ]
