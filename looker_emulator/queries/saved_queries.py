"""Saved queries: those of the content, and those that clients create."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from looker_emulator.instance.values import HOST, Row, slug
from looker_emulator.queries.errors import Refused

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

WRITABLE: dict[str, Any] = {
    "model": None,
    "view": None,
    "fields": None,
    "pivots": None,
    "fill_fields": None,
    "filters": None,
    "filter_expression": None,
    "sorts": None,
    "limit": None,
    "column_limit": None,
    "total": None,
    "row_total": None,
    "subtotals": None,
    "vis_config": None,
    "filter_config": None,
    "visible_ui_sections": None,
    "dynamic_fields": None,
    "query_timezone": None,
}
"""The writable properties of a query (component `WriteQuery`), except its client id."""


def query_row(query: Row) -> Row:
    """A query with all its properties. The slug depends only on its content."""
    content = {name: query.get(name) for name in WRITABLE}
    if content["limit"] is not None:
        content["limit"] = str(content["limit"])
    text = msgspec.json.encode(content).decode()
    identifier = slug(f"query {text}", 0)
    client_id = query.get("client_id") or slug(f"client {text}", 0)
    fields = quote(",".join(content["fields"] or ()), safe=".,")
    url = f"/explore/{content['model']}/{content['view']}?fields={fields}"
    return {
        "can": {"run": True, "see_results": True, "explore": True, "download": True},
        "id": identifier,
        "slug": identifier,
        **content,
        "client_id": client_id,
        "share_url": f"{HOST}/x/{client_id}",
        "expanded_share_url": f"{HOST}{url}&origin=share-expanded",
        "url": url,
        "has_table_calculations": "table_calculation" in (content["dynamic_fields"] or ""),
    }


class SavedQueries:
    """The queries and looks of an instance, by their ids."""

    def __init__(self, instance: Collections) -> None:
        self._instance = instance

    def query(self, identifier: str) -> Row:
        """The query with this id, which is a slug."""
        for row in self._instance.queries:
            if row["id"] == identifier:
                return row
        raise Refused(404, "Not found")

    def look(self, identifier: str) -> Row:
        """The look with this id."""
        for row in self._instance.looks:
            if row["id"] == identifier:
                return row
        raise Refused(404, "Not found")

    def create(self, given: Row) -> Row:
        """A new query, or an identical one that exists."""
        row = query_row(given)
        for known in self._instance.queries:
            if known["id"] == row["id"]:
                return known
        self._instance.queries.append(row)
        return row
