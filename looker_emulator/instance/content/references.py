"""How other objects refer to looks and dashboards."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections
    from looker_emulator.instance.values import Row


def not_deleted(instance: Collections) -> list[Row]:
    """Looks and dashboards, including LookML ones, that are not in the trash."""
    return [row for row in instance.looks + instance.all_dashboards if not row["deleted"]]


def reference(content: Row) -> Row:
    """The three properties that refer to content."""
    look, lookml = "query_id" in content, "::" in content["id"]
    return {
        "look_id": content["id"] if look else None,
        "dashboard_id": None if look or lookml else content["id"],
        "lookml_dashboard_id": content["id"] if lookml else None,
    }
