"""Who sees what and what reads what, small enough for a page that answers it for everything.

A user's rights in a folder are those of the folder that it inherits from: folders that share them
share one list. So does content that reads the same tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_looker_report.tables import lacking

if TYPE_CHECKING:
    from collections.abc import Collection

    from tap_looker_report.models import Marts, Row

ROLES = (
    *("users", "user_roles", "roles", "permission_sets", "permission_set_permissions"),
    *("model_sets", "model_set_models"),
)
FOLDERS = ("users", "folders", "content_metadata", "content_metadata_access")
GROUPS = ("groups", "user_groups", "group_roles", "group_parents", "lookml_models", "permissions")
MOST_GRANTS = 3_000_000
"""User and folder: what takes more memory than a laptop has to spare."""
MOST_PATHS = 1_000_000
"""From content through an explore to a table: more would be a page of tens of megabytes."""


class _Places(dict[Any, int]):
    """Values in the order in which they were first asked for."""

    def __missing__(self, value: Any) -> int:
        self[value] = len(self)
        return self[value]


def contents(marts: Marts) -> list[Row]:
    """Dashboards and looks outside the trash, all of them: what questions are about."""
    return marts.rows(
        "SELECT content_key, content_type, content_id, substr(title, 1, 200) AS title, folder_id, "
        "verdict <> 'not_listed' AS is_listed FROM {content_usage} WHERE verdict <> 'deleted' "
        "ORDER BY title, content_type, content_id"
    )


def lineage(marts: Marts, content: list[Row]) -> dict[str, Any]:
    """What content reads, as lists of numbers that are places.

    ::

        explores  names, model::explore
        tables    names
        sets      lists of tables
        reads     of each of ``content``: [explore, set, explore, …]
        pathsCut  0, or how many paths there are here if there are more
    """
    rows = marts.rows(
        "SELECT DISTINCT content_key, model_name || '::' || explore_name AS explore, table_name "
        f"FROM {{lineage}} WHERE model_name IS NOT NULL ORDER BY 1, 2, 3 LIMIT {MOST_PATHS + 1}"
    )
    explores, tables, sets = _Places(), _Places(), _Places()
    found: dict[str, dict[int, list[int]]] = {}
    for row in rows[:MOST_PATHS]:
        read = found.setdefault(row["content_key"], {}).setdefault(explores[row["explore"]], [])
        if row["table_name"] is not None:
            read.append(tables[row["table_name"]])
    reads = [
        [
            number
            for explore, read in found.get(row["content_key"], {}).items()
            for number in (explore, sets[tuple(read)])
        ]
        for row in content
    ]
    return {
        "explores": list(explores),
        "tables": list(tables),
        "sets": [list(one) for one in sets],
        "reads": reads,
        "pathsCut": MOST_PATHS if len(rows) > MOST_PATHS else 0,
    }


def data(marts: Marts, landed: Collection[str], content: list[Row]) -> dict[str, Any]:
    """Users, and their rights in folders and models, as lists of numbers that are places.

    ::

        users     {id, name, email, disabled, admin}, each a list
        grants    what grants something, in words
        folders   [id, path, place in lists, place of the deciding path in paths or None]
        lists     [user, 1 to edit or 0 to view, grant, user, …]
        models    names
        groups    lists of models
        sets      lists of permissions
        rights    of each user: [group of models, set, grant, group, …]
        content   place of its folder in folders or None, of each of :func:`contents`
    """
    users = marts.rows(
        "SELECT user_id, user_name, user_email, is_disabled, permission_level "
        "FROM {user_activity} "
        "ORDER BY user_name, user_id"
    )
    place_of = {row["user_id"]: place for place, row in enumerate(users)}
    grants, paths = _Places(), _Places()
    has_roles = not lacking(ROLES, landed)
    has_folders = not lacking(FOLDERS, landed) and (
        marts.one("SELECT count(*) AS count FROM {folder_access}")["count"] <= MOST_GRANTS
    )
    folders, lists = _folders(marts, place_of, grants, paths) if has_folders else ([], [])
    rights = _rights(marts, place_of, grants) if has_roles else {}
    folder_at = {folder[0]: place for place, folder in enumerate(folders)}
    return {
        "hasRoles": has_roles,
        "hasFolders": has_folders,
        "users": {
            "id": [row["user_id"] for row in users],
            "name": [row["user_name"] for row in users],
            "email": [row["user_email"] for row in users],
            "disabled": [int(bool(row["is_disabled"])) for row in users],
            "admin": [int(has_roles and row["permission_level"] == "admin") for row in users],
        },
        "grants": list(grants),
        "paths": list(paths),
        "folders": folders,
        "lists": lists,
        **{name: rights.get(name, []) for name in ("models", "groups", "sets", "rights")},
        "content": [folder_at.get(row["folder_id"]) for row in content],
    }


def _folders(
    marts: Marts, place_of: dict[str, int], grants: _Places, paths: _Places
) -> tuple[list[list[Any]], list[list[int]]]:
    by_folder: dict[str, list[Row]] = {}
    for row in marts.rows(
        "SELECT user_id, folder_id, level, granted_by, decided_by_folder_path "
        "FROM {folder_access} ORDER BY folder_id, user_id"
    ):
        by_folder.setdefault(row["folder_id"], []).append(row)
    lists = _Places()
    folders: list[list[Any]] = []
    for folder in marts.rows("SELECT id, path FROM {stg_folders} ORDER BY path, id"):
        rows = by_folder.get(folder["id"], [])
        entries = tuple(
            number
            for row in rows
            if row["user_id"] in place_of
            for number in (
                place_of[row["user_id"]],
                int(row["level"] == "edit"),
                grants[row["granted_by"]],
            )
        )
        decided = next((path for row in rows if (path := row["decided_by_folder_path"])), None)
        decided_at = None if decided is None else paths[decided]
        folders.append([folder["id"], folder["path"], lists[entries], decided_at])
    return folders, [list(entries) for entries in lists]


def _rights(marts: Marts, place_of: dict[str, int], grants: _Places) -> dict[str, list[Any]]:
    models, groups, sets = _Places(), _Places(), _Places()
    of_user: list[dict[tuple[int, int], list[int]]] = [{} for _ in place_of]
    for row in marts.rows(
        "SELECT user_id, model_name, granted_by, "
        "string_agg(permission, ',' ORDER BY permission) AS permissions "
        "FROM {access} GROUP BY user_id, model_name, granted_by "
        "ORDER BY user_id, model_name, granted_by"
    ):
        if row["user_id"] in place_of:
            what = sets[row["permissions"]], grants[row["granted_by"]]
            mine = of_user[place_of[row["user_id"]]].setdefault(what, [])
            mine.append(models[row["model_name"]])
    return {
        "rights": [
            [number for what, those in mine.items() for number in (groups[tuple(those)], *what)]
            for mine in of_user
        ],
        "models": list(models),
        "groups": [list(group) for group in groups],
        "sets": [one.split(",") for one in sets],
    }
