"""The resources that no row of the table can describe: their rows come from several places."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_looker.client import segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_looker.client import Row
    from tap_looker.sources import Fields, Sources


class Reader(NamedTuple):
    """What it wants of other sources, and its rows."""

    wants: Callable[[Sources], None]
    pages: Callable[[Sources], Iterator[list[Row]]]


CARRIES_QUERIES = {
    "query_id": None,
    "query": None,
    "look": {"query_id": None, "query": None},
    "result_maker": {"query_id": None, "query": None},
}
"""Where a tile holds queries (DashboardElement of the OpenAPI document)."""


WITH_QUERIES: dict[str, Fields] = {
    "dashboard_elements": {"id": None, "dashboard_id": None, **CARRIES_QUERIES},
    "lookml_dashboards": {"id": None, "dashboard_elements": CARRIES_QUERIES},
    "looks": dict.fromkeys(("id", "folder_id", "query_id", "deleted")),
}
"""What :func:`_queries` looks at."""


def _want_queries(sources: Sources) -> None:
    sources.want("dashboard_elements", WITH_QUERIES["dashboard_elements"])
    sources.want(
        "lookml_dashboards", WITH_QUERIES["lookml_dashboards"], lists=["dashboard_elements"]
    )
    sources.want("looks", WITH_QUERIES["looks"], trash=False)


def _queries(sources: Sources) -> Iterator[list[Row]]:
    """The distinct queries of tiles and looks, as the bodies of these carry them.

    Tiles come with their queries; looks do in ``GET /folders/{id}/looks``, one call for each
    folder that holds a look whose query no tile has. Only a query that is named but does not come
    with its body is asked for by itself (``GET /queries/{id}``, billed as a query).
    """
    seen: set[str] = set()
    bare: dict[str, None] = {}

    def distinct(holders: list[Row]) -> list[Row]:
        queries = []
        for holder in holders:
            for query in _carried(holder, bare):
                if query["id"] not in seen:
                    seen.add(query["id"])
                    queries.append(query)
        holders.clear()  # the rest of them need not wait with the queries
        return queries

    def looks_of(folder: str) -> list[Row]:
        path = f"/folders/{segment(folder)}/looks"
        return sources.client.rows(path, {"fields": "id,query_id,query"}, ("id",))

    def query_of(slug: str) -> list[Row]:
        return sources.client.rows(f"/queries/{segment(slug)}", {}, ("id",), activity="db_query")

    for page in sources.read("dashboard_elements", WITH_QUERIES["dashboard_elements"]):
        yield distinct(page)
    for page in sources.read("lookml_dashboards", WITH_QUERIES["lookml_dashboards"]):
        for dashboard in page:
            tiles = dashboard.get("dashboard_elements")
            yield distinct(tiles if isinstance(tiles, list) else [])
    pages = sources.read("looks", WITH_QUERIES["looks"])
    lacking = [
        look
        for look in itertools.chain.from_iterable(pages)
        if not look.get("deleted") and str(look.get("query_id")) not in seen
    ]
    bare |= dict.fromkeys(_texts(lacking, "query_id"))  # for what a folder does not show
    for _, looks in sources.each("queries", looks_of, dict.fromkeys(_texts(lacking, "folder_id"))):
        yield distinct(looks)
    for _, queries in sources.each(
        "queries", query_of, [slug for slug in bare if slug not in seen], came=bool(seen)
    ):
        yield distinct([{"query": query} for query in queries])


def _texts(rows: list[Row], name: str) -> list[str]:
    return [str(row[name]) for row in rows if row.get(name) is not None]


def _carried(holder: Any, bare: dict[str, None]) -> Iterator[Row]:
    """Queries inside a tile or a look; the ids of those that came without a body go to `bare`."""
    if not isinstance(holder, dict):
        return
    query = holder.get("query")
    if isinstance(query, dict) and query.get("id") is not None:
        query["id"] = str(query["id"])
        yield query
    elif holder.get("query_id") is not None:
        bare[str(holder["query_id"])] = None
    for name in ("look", "result_maker"):
        yield from _carried(holder.get(name), bare)


OF_METADATA = {"id": None, "content_metadata_id": None}
HAVE_METADATA = ("folders", "boards", "looks", "dashboards", "lookml_dashboards")


def _want_metadata(sources: Sources) -> None:
    for name in HAVE_METADATA:
        sources.want(name, OF_METADATA, trash=False)


def _content_metadata(sources: Sources) -> Iterator[list[Row]]:
    """Metadata of folders, boards, looks and dashboards, mostly by the folder they are in.

    ``GET /content_metadata?parent_id=`` gives what is directly in a folder in one call; what no
    folder holds (the roots, boards) is asked for by itself.
    """
    seen: set[str] = set()

    def fresh(rows: list[Row]) -> list[Row]:
        unseen = []
        for row in rows:
            if str(row.get("id")) not in seen:
                seen.add(str(row.get("id")))
                unseen.append(row)
        return unseen

    def inside(metadata: str) -> list[Row]:
        return sources.client.rows("/content_metadata", {"parent_id": metadata}, ("id",))

    def one(metadata: str) -> list[Row]:
        return sources.client.rows(f"/content_metadata/{segment(metadata)}", {}, ("id",))

    known: dict[str, dict[str, None]] = {
        name: {
            str(row["content_metadata_id"]): None
            for page in sources.read(name, {**OF_METADATA, "deleted": None})
            for row in page
            if row.get("content_metadata_id") is not None and not row.get("deleted")
        }
        for name in HAVE_METADATA
    }
    for _, rows in sources.each("content_metadata", inside, known["folders"]):
        yield fresh(rows)
    alone = [metadata for ids in known.values() for metadata in ids if metadata not in seen]
    for _, rows in sources.each("content_metadata", one, dict.fromkeys(alone), came=bool(seen)):
        yield fresh(rows)


READERS = {
    "queries": Reader(_want_queries, _queries),
    "content_metadata": Reader(_want_metadata, _content_metadata),
}
