"""The tiles of dashboards: text, looks, queries and merged queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.content.looks import TOPICS
from looker_emulator.instance.values import Row, can, pick, slug

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections
    from looker_emulator.instance.content.queries import Queries

# ------------------------------------------------------------------------------------------ tiles


class Tiles:
    """The tiles of all user-defined dashboards, numbered consecutively."""

    def __init__(self, instance: Collections, queries: Queries) -> None:
        self.rows: list[Row] = []
        self._instance = instance
        self._queries = queries
        self._looks = [look for look in instance.looks if not look["deleted"]]

    def make(self, dashboard_id: str, count: int) -> list[Row]:
        """Make tiles; one in thirty is made in addition and then removed from the dashboard."""
        made = [self._tile(dashboard_id) for _ in range(count)]
        if count and len(self.rows) % 30 < count:
            self._instance.removed_elements.add(self._tile(dashboard_id)["id"])
        return made

    def _tile(self, dashboard_id: str) -> Row:
        number = len(self.rows)
        identifier = str(number + 1 + number // 15)
        title = pick(TOPICS, number * 7)
        kind = number % 12
        if kind == 0:
            row = _text(identifier, dashboard_id, number)
        elif kind in (1, 2):
            row = _look_tile(identifier, dashboard_id, pick(self._looks, number // 3), number)
        elif kind == 3:
            row = self._merged(identifier, dashboard_id, title, number)
        else:
            query = self._queries.used(number) if kind % 3 == 2 else self._queries.new()
            row = visualization(identifier, dashboard_id, title, query, number)
            if kind == 4:
                # Only its result maker has the query.
                row |= {"query": None, "query_id": None}
        self.rows.append(row)
        return row

    def _merged(self, identifier: str, dashboard_id: str, title: str, number: int) -> Row:
        merge = _merge_query(number, [self._queries.used(number), self._queries.used(number + 1)])
        self._instance.merge_queries.append(merge)
        row = _element(identifier, dashboard_id, number)
        return row | {
            "title": title,
            "merge_result_id": merge["id"],
            "result_maker_id": merge["result_maker_id"],
            "result_maker": _result_maker(merge["result_maker_id"], None, merge["id"]),
        }


def _element(identifier: str, dashboard_id: str, number: int) -> Row:
    """The properties of every tile; each kind of tile overrides some."""
    return {
        "can": can(number, "update", "destroy", "explore", "see_drill_overlay"),
        "body_text": None,
        "body_text_as_html": None,
        "dashboard_id": dashboard_id,
        "dashboard_layout_id": slug(f"layout {dashboard_id}", 0)[:10],
        "edit_uri": f"/dashboards/{dashboard_id}",
        "id": identifier,
        "look": None,
        "look_id": None,
        "lookml_link_id": None,
        "merge_result_id": None,
        "note_display": None,
        "note_state": None,
        "note_text": None,
        "note_text_as_html": None,
        "query": None,
        "query_id": None,
        "filter_id": None,
        "refresh_interval": None,
        "refresh_interval_to_i": None,
        "result_maker": None,
        "result_maker_id": None,
        "subtitle_text": None,
        "title": None,
        "title_hidden": False,
        "title_text": None,
        "type": "vis",
        "alert_count": number % 5 if number % 7 == 0 else 0,
        "rich_content_json": None,
        "title_text_as_html": None,
        "subtitle_text_as_html": None,
        "extension_id": None,
        "aria_description": None,
        "certification_metadata": None,
    }


def _text(identifier: str, dashboard_id: str, number: int) -> Row:
    return _element(identifier, dashboard_id, number) | {
        "type": "text",
        "alert_count": 0,
        "title_text": "Lies mich 🌱",
        "title_text_as_html": "Lies mich 🌱",
        "subtitle_text": "",
        "subtitle_text_as_html": "",
        "body_text": "*All figures* without tax & shipping",
        "body_text_as_html": "<p><em>All figures</em> without tax &amp; shipping</p>",
        "rich_content_json": '{"value":[{"type":"p","children":[{"text":"…"}]}]}'
        if number % 24
        else None,
    }


def _look_tile(identifier: str, dashboard_id: str, look: Row, number: int) -> Row:
    result_maker_id = str(number + 3000)
    return _element(identifier, dashboard_id, number) | {
        "title": look["title"],
        "look": look,
        "look_id": look["id"],
        "result_maker_id": result_maker_id,
        "result_maker": _result_maker(result_maker_id, look["query"], None),
    }


def visualization(identifier: str, dashboard_id: str, title: str, query: Row, number: int) -> Row:
    """A tile that shows the result of a query."""
    result_maker_id = str(number + 3000)
    noted = number % 5 == 0
    return _element(identifier, dashboard_id, number) | {
        "title": title,
        "note_display": "hover" if noted else None,
        "note_state": "collapsed" if noted else None,
        "note_text": "Net of returns" if noted else None,
        "note_text_as_html": "Net of returns" if noted else None,
        "subtitle_text": "Year to date" if number % 6 == 5 else None,
        "subtitle_text_as_html": "Year to date" if number % 6 == 5 else None,
        "aria_description": "A column for each week" if number % 8 == 6 else None,
        "query": query,
        "query_id": query["id"],
        "refresh_interval": "1 hour" if number % 10 == 6 else None,
        "refresh_interval_to_i": 3600 if number % 10 == 6 else None,
        "result_maker_id": result_maker_id,
        "result_maker": _result_maker(result_maker_id, query, None),
    }


def _result_maker(identifier: str, query: Row | None, merge_result_id: str | None) -> Row:
    return {
        "id": identifier,
        "dynamic_fields": query["dynamic_fields"] if query else None,
        "filterables": [
            {
                "model": query["model"],
                "view": query["view"],
                "name": None,
                "listen": [{"dashboard_filter_name": "Date", "field": query["fields"][0]}],
            }
        ]
        if query
        else [],
        "sorts": query["sorts"] if query else [],
        "merge_result_id": merge_result_id,
        "total": bool(query and query["total"]),
        "query_id": query["id"] if query else None,
        "sql_query_id": None,
        "query": query,
        "vis_config": query["vis_config"] if query else {"type": "table"},
    }


def _merge_query(number: int, sources: list[Row]) -> Row:
    return {
        "can": {},
        "column_limit": "50",
        "dynamic_fields": None,
        "id": slug("merge", number),
        "pivots": [],
        "result_maker_id": str(number + 3000),
        "sorts": [],
        "source_queries": [
            {
                "merge_fields": [
                    {
                        "field_name": sources[0]["fields"][0],
                        "source_field_name": source["fields"][0],
                    }
                ],
                "name": f"{source['model']} {source['view']}",
                "query_id": source["id"],
                "query_slug": source["slug"],
            }
            for source in sources
        ],
        "total": False,
        "limit": None,
        "vis_config": {"type": "table"},
    }
