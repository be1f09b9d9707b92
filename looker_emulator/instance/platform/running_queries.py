# ruff: noqa: SIM905 - a list of words reads best as words
"""Queries that are running right now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.access.users import public_user
from looker_emulator.instance.values import Row, can, moment, pick, slug

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections


def running_queries(instance: Collections) -> list[Row]:
    """One query from an explore, one from a look, and one from the SQL Runner."""
    look = instance.looks[0]
    rows = []
    for number in range(3):
        query = look["query"] if number == 1 else instance.queries[number]
        runner = number == 2
        rows.append(
            {
                "can": can(number, "destroy"),
                "id": str(9001 + number),
                "user": public_user(pick(instance.users, number)),
                "query": None if runner else query,
                "sql_query": None,
                "look": {
                    name: look[name]
                    for name in (
                        "can content_metadata_id id title user_id certification_metadata".split()
                    )
                }
                if number == 1
                else None,
                "created_at": moment(507, number)[:19] + "Z",
                "completed_at": None,
                "query_id": None if runner else query["id"],
                "source": ("explore", "look", "sqlrunner")[number],
                "node_id": "1",
                "slug": slug("running", number),
                "query_task_id": slug("task", number).lower(),
                "cache_key": slug("cache", number).lower(),
                "connection_name": "warehouse",
                "dialect": "postgres",
                "connection_id": "warehouse",
                "message": None,
                "status": "running",
                "runtime": None if number == 0 else 12.75,
                "sql": "SELECT 1",
                "sql_interface_sql": None,
            }
        )
    return rows
