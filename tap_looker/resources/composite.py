"""The few resources whose rows are gathered from several places."""

from __future__ import annotations

import itertools
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tap_looker.errors import BadResponseError, RequestError, listed
from tap_looker.looker.response import segment
from tap_looker.resources.fields import value_at
from tap_looker.resources.kinds import Composite, Search
from tap_looker.resources.resource import Range, concerns_item

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_looker.looker.response import Row
    from tap_looker.resources.fields import Fields
    from tap_looker.resources.resource import Counts, Reading, Resource

logger = logging.getLogger("tap-looker")

CARRIES_QUERIES = {
    "query_id": None,
    "query": None,
    "look": {"query_id": None, "query": None},
    "result_maker": {"query_id": None, "query": None},
}
"""Where a tile holds queries (DashboardElement of the OpenAPI document)."""

TILE_QUERY_IDS = ("query_id", "look.query_id", "result_maker.query_id")

WITH_QUERIES: dict[str, Fields] = {
    "dashboard_elements": {"id": None, "dashboard_id": None, **CARRIES_QUERIES},
    "lookml_dashboards": {"id": None, "dashboard_elements": CARRIES_QUERIES},
    "looks": dict.fromkeys(("id", "folder_id", "query_id", "deleted")),
}
"""What :func:`_queries` looks at."""
SOURCES: Fields = {"id": None, "source_queries": {"query_id": None, "query_slug": None}}
"""What it looks at of merged queries."""


def _want_queries(reading: Reading) -> None:
    reading.want("dashboard_elements", WITH_QUERIES["dashboard_elements"])
    reading.want(
        "lookml_dashboards", WITH_QUERIES["lookml_dashboards"], lists=["dashboard_elements"]
    )
    reading.want("looks", WITH_QUERIES["looks"], trash=False)
    reading.want_beside("merge_queries", SOURCES)


def _queries(reading: Reading) -> Iterator[list[Row]]:
    """The distinct queries of tiles, looks and merged queries, as the bodies of these carry them.

    Tiles come with their queries; looks do in ``GET /folders/{id}/looks``, one call for each
    folder that holds a look whose query no tile has. Only a query that is named but does not come
    with its body is asked for by itself (``GET /queries/{id}``, billed as a query). So are those of
    merged queries that are on no tile, where merged queries, a call each themselves, are read.
    """
    seen: set[str] = set()
    bare: dict[str, None] = {}
    silent = 0  # tiles and looks that say nothing of a query; those without one say null

    def distinct(holders: list[Row]) -> list[Row]:
        nonlocal silent
        queries = []
        for holder in holders:
            silent += isinstance(holder, dict) and holder.keys().isdisjoint(CARRIES_QUERIES)
            for query in _carried(holder, bare):
                if query["id"] not in seen:
                    seen.add(query["id"])
                    queries.append(query)
        holders.clear()  # the rest of them need not wait with the queries
        return queries

    def looks_of(folder: str) -> list[Row]:
        path = f"/folders/{segment(folder)}/looks"
        return reading.client.get_list(path, {"fields": "id,query_id,query"}, ("id",))

    def query_of(slug: str) -> list[Row]:
        return reading.client.get_list(f"/queries/{segment(slug)}", {}, ("id",), billing="db_query")

    for page in reading.read("dashboard_elements", WITH_QUERIES["dashboard_elements"]):
        yield distinct(page)
    for tiles in _tiles_of_lookml(reading):
        yield distinct(tiles)
    pages = reading.read("looks", WITH_QUERIES["looks"])
    lacking = [
        look
        for look in itertools.chain.from_iterable(pages)
        if not look.get("deleted") and str(look.get("query_id")) not in seen
    ]
    bare |= dict.fromkeys(_texts(lacking, "query_id"))  # for what a folder does not show
    silent += sum("query_id" not in look and look.get("folder_id") is None for look in lacking)
    for _, looks in reading.each("queries", looks_of, dict.fromkeys(_texts(lacking, "folder_id"))):
        yield distinct(looks)
    bare |= dict.fromkeys(_merged(reading))
    for _, queries in reading.each(
        "queries", query_of, [slug for slug in bare if slug not in seen], came=bool(seen)
    ):
        yield distinct([{"query": query} for query in queries])
    _tell_of(reading, silent, came=bool(seen))


def _tell_of(reading: Reading, silent: int, *, came: bool) -> None:
    if silent and not came:
        raise BadResponseError(f"None of the {silent:,} tiles and looks says which query it shows.")
    if silent:
        reading.skip("queries", "tiles or looks that do not say which query they show.", silent)


def _tiles_of_lookml(reading: Reading) -> Iterator[list[Row]]:
    for page in reading.read("lookml_dashboards", WITH_QUERIES["lookml_dashboards"]):
        for dashboard in page:
            tiles = dashboard.get("dashboard_elements")
            if isinstance(tiles, list):
                yield tiles
            else:  # it was asked for, and refused
                reading.skip("queries", f"{dashboard.get('id')} has no dashboard_elements.")


def _merged(reading: Reading) -> Iterator[str]:
    """Ids of the queries that are merged, if somebody else reads the merged queries.

    That somebody tells what is wrong with these.
    """
    is_read = "merge_queries" in reading.wanted
    try:
        for page in reading.read("merge_queries", SOURCES) if is_read else ():
            for merge in page:
                sources = merge.get("source_queries")
                for source in sources if isinstance(sources, list) else []:
                    given = [value_at(source, name) for name in ("query_id", "query_slug")]
                    yield from [str(one) for one in given if one is not None][:1]
    except RequestError as error:
        reading.skip("queries", f"without those of merged queries: {error.message}")


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


def _want_metadata(reading: Reading) -> None:
    for name in HAVE_METADATA:
        reading.want(name, OF_METADATA, trash=False)


def _content_metadata(reading: Reading) -> Iterator[list[Row]]:
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
        return reading.client.get_list("/content_metadata", {"parent_id": metadata}, ("id",))

    def one(metadata: str) -> list[Row]:
        return reading.client.get_list(f"/content_metadata/{segment(metadata)}", {}, ("id",))

    known: dict[str, dict[str, None]] = {}
    silent: dict[str, int] = {}
    for name in HAVE_METADATA:
        pages = reading.read(name, {**OF_METADATA, "deleted": None})
        rows = [row for page in pages for row in page if not row.get("deleted")]
        known[name] = dict.fromkeys(_texts(rows, "content_metadata_id"))
        silent[name] = sum("content_metadata_id" not in row for row in rows)
    lacking = [name for name in HAVE_METADATA if silent[name]]
    if lacking and not any(known.values()):
        raise BadResponseError(f"No row of {listed(lacking)} has content_metadata_id.")
    for name in lacking:
        reading.skip("content_metadata", f"{name} without content_metadata_id.", silent[name])
    for _, rows in reading.each("content_metadata", inside, known["folders"]):
        yield fresh(rows)
    alone = [metadata for ids in known.values() for metadata in ids if metadata not in seen]
    for _, rows in reading.each("content_metadata", one, dict.fromkeys(alone), came=bool(seen)):
        yield fresh(rows)


def _calls_of_queries(counts: Counts) -> Range | None:
    """One for each folder with a look whose query is on no tile."""
    folders = counts.distinct("looks", ["folder_id"])
    looks = counts.values("looks", ["folder_id", "query_id"])
    tiles = [counts.values("dashboard_elements", [path]) for path in TILE_QUERY_IDS]
    if looks is None or None in tiles:
        return folders and Range(0, folders.most)
    on_tiles = {query for found in tiles for (query,) in found or ()}
    homes = {folder for folder, query in looks if query not in on_tiles}
    return Range(len(homes), len(homes))


def _calls_of_metadata(counts: Counts) -> Range | None:
    """One for each folder, and for what is in none: the roots, boards and LookML dashboards."""
    folders, inside = (
        counts.distinct("folders", paths)
        for paths in (["content_metadata_id"], ["content_metadata_id", "parent_id"])
    )
    outside = [counts.of(name) for name in ("boards", "lookml_dashboards")]
    if folders is None or inside is None or None in outside:
        return None
    roots = folders.most - inside.least
    return Range(folders.least, folders.most + roots + sum(filter(None, outside)))


def _rows_of_metadata(counts: Counts) -> Range | None:
    found = [counts.of(name) for name in HAVE_METADATA]
    return None if None in found else Range(0, sum(filter(None, found)))


QUERIES = Composite(
    _want_queries,
    _queries,
    "tiles, `/folders/{folder_id}/looks`",
    _calls_of_queries,
    {"looks": ("folder_id", "query_id"), "dashboard_elements": TILE_QUERY_IDS},
)
CONTENT_METADATA = Composite(
    _want_metadata,
    _content_metadata,
    "`/content_metadata`",
    _calls_of_metadata,
    {**dict.fromkeys(HAVE_METADATA, ()), "folders": ("content_metadata_id", "parent_id")},
    _rows_of_metadata,
)


@dataclass(frozen=True)
class LookmlDashboards(Search):
    """Dashboards written in LookML, or where an instance refuses that search, the next best.

    The document gives the search another answer than instances send (one DashboardLookml), and some
    refuse it. ``GET /dashboards`` lists both kinds of dashboard; those of LookML have ``::`` in
    their id.
    """

    nested_lists: ClassVar[Mapping[str, str]] = {  # type: ignore[misc]
        "dashboard_elements": "/dashboards/{id}/dashboard_elements"
    }
    own_lists: ClassVar[tuple[str, ...]] = ("dashboard_elements",)

    def _once(self, reading: Reading, resource: Resource) -> Iterator[list[Row]]:
        came = False
        try:
            for page in super()._once(reading, resource):
                came = True
                yield page
        except RequestError as error:
            if came or not concerns_item(error):
                raise
            logger.warning("%s Reading GET /dashboards in its place.", error.message)
            rows = reading.client.get_list("/dashboards", {"fields": "id"}, resource.keys)
            ids = sorted(str(row.get("id")) for row in rows if "::" in str(row.get("id")))
            params = self._params(reading, resource, {})

            def one(id_: str) -> list[Row]:
                path = f"/dashboards/{segment(id_)}"
                return reading.client.get_list(path, params, resource.keys)

            for _, found in reading.each(resource.name, one, ids):
                yield found
