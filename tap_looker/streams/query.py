"""The rows of a look, a saved query or a query from the settings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tap_looker.errors import LookerError, RequestError, TimedOutError
from tap_looker.queries import filters, keyset
from tap_looker.queries.columns import column, column_name, records
from tap_looker.queries.definitions import UNLIMITED, DefinitionError, zone_named
from tap_looker.queries.execute import run_query, run_query_task, without_totals
from tap_looker.queries.resolve import Resolver, data_cells, from_catalog
from tap_looker.streams.incremental import IncrementalStream, in_batches, schema_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from singer_sdk import Tap

    from tap_looker.looker.client import LookerClient
    from tap_looker.looker.response import Row
    from tap_looker.queries.columns import Column
    from tap_looker.queries.definitions import Definition
    from tap_looker.queries.resolve import Result
    from tap_looker.resources.extraction import Extraction
    from tap_looker.run import Run

COLUMN_LIMIT = 50  # Looker's own, where a query has none
REFUSED = frozenset({400, 403, 422})  # what Looker may answer to a limit of -1


class QueryStream(IncrementalStream):
    """The result of one query, every row of it.

    Args:
        tap: Its tap.
        run: What it shares with the other streams.
        definition: An entry of the settings.
        result: What the instance says of it; or else
        entry: what the catalog does.
    """

    permission = "access to the model of the query, and to the look"
    cost_per = "run of the query"

    def __init__(
        self,
        tap: Tap,
        run: Run,
        definition: Definition,
        *,
        result: Result | None = None,
        entry: Any = None,
    ) -> None:
        self.definition = definition
        self._result = result
        if result:
            schema = schema_of(result.columns, definition.keys)
            keys = [column_name(field) for field in result.keys]
        else:
            schema, keys = entry.schema.to_dict(), list(entry.key_properties or [])
            _declare(schema["properties"], definition.types)
        super().__init__(tap, run, name=definition.name, keys=keys, schema=schema)
        if definition.replication_key:
            self.replication_key = column_name(definition.replication_key)

    def pages(self, extraction: Extraction) -> Iterator[list[Row]]:
        """Typed records; in the order of the key where the query has one to go by."""
        try:
            yield from in_batches(self._records(extraction.client))
        except RequestError as error:
            if not isinstance(error, TimedOutError) or self.definition.run == "task":
                raise
            raise TimedOutError(
                f"{error.message} For a query that takes long, set run: task in "
                f"{self.definition.where}.",
                error.status,
            ) from error

    def _records(self, client: LookerClient) -> Iterator[Row]:
        result = self._result or self._from_catalog(client)
        needed = (*result.keys, result.replication_key)
        kept = [
            one
            for one in result.columns
            if self.mask["properties", one.name] or one.field in needed
        ]
        pivots = result.query.get("pivots") or []
        sorts = {sort.split()[0] for sort in result.query.get("sorts") or []}
        # Looker calculates with the others, and without a dimension it would merge rows.
        asked = [
            one
            for one in result.columns
            if one in kept or one.field in sorts or result.calculated or pivots
        ]
        own = set(result.query.get("fields") or [])
        query = {
            **result.query,
            **self._bounds(result),
            "fields": [
                *(one.field for one in asked if one.field in own),
                *pivots,
            ],
        }
        rows = self._limited(client, query, result)
        return records(kept, self._watched(rows, query, asked) if pivots else rows)

    def _from_catalog(self, client: LookerClient) -> Result:
        resolver = Resolver(client)
        try:
            query, zone = resolver.query(self.definition)
            return from_catalog(
                self.definition,
                query,
                zone,
                self.schema["properties"],
                self.primary_keys,
                lambda: resolver.metadata(query),
            )
        except DefinitionError as error:
            raise LookerError(f"Setting {self.definition.where}: {error}.") from error

    def _limited(
        self, client: LookerClient, query: Mapping[str, Any], result: Result
    ) -> Iterator[Row]:
        """All rows, or as many as the settings allow."""
        run_once = partial(
            run_query_task if self.definition.run == "task" else run_query,
            client,
            calculate=result.calculated,
            repeat_slow=False,
        )

        def run(body: Mapping[str, Any]) -> Iterator[Row]:
            return without_totals(run_once(body), body, result.metadata)

        limit = self._limit(query)
        if limit != UNLIMITED:
            sorts = {"sorts": [part.field for part in result.order]} if result.order else {}
            asked = {**query, **sorts} if self.is_sorted else {**sorts, **query}
            count = 0
            for row in keyset.read_once(run, {**asked, "limit": str(limit)}):
                count += 1
                yield row
            if count in keyset.CUTS and count < limit:
                self.logger.warning(
                    "%s has exactly %d rows, where Looker is known to cut a result without a word: "
                    "there may be more.",
                    self.name,
                    count,
                )
            if count >= limit:
                self.logger.warning(
                    "%s has %d rows, as many as its limit: there may be more.", self.name, count
                )
            return
        if self._bookmark is not None:
            keyset.check_order(result.order[:1], result.metadata)
        came = False
        try:
            for row in keyset.read_all(run, query, result.order, result.metadata):
                came = True
                yield row
        except RequestError as error:
            if came or error.status not in REFUSED:
                raise
            if not result.order:
                raise RequestError(
                    f"{error.message} Every row of it was asked for; if Looker refuses that to "
                    f"this query or this key, set limit in {self.definition.where}.",
                    error.status,
                ) from error
            page_size = self.config["activity_page_size"]
            try:
                yield from keyset.read_in_pages(
                    run,
                    query,
                    result.order,
                    limit=page_size,
                    metadata=result.metadata,
                )
            except RequestError as second:
                raise (error if second.status == error.status else second) from error

    def _limit(self, query: Mapping[str, Any]) -> int:
        """Most rows: as the settings say, or else the query, if it has calculations."""
        saved = str(query.get("limit") or "")
        if self.definition.limit == UNLIMITED and saved.isdecimal():
            return int(saved) or UNLIMITED
        return self.definition.limit

    def _watched(
        self, rows: Iterator[Row], query: Mapping[str, Any], columns: Iterable[Column]
    ) -> Iterator[Row]:
        """The rows of a query with pivots; with a warning where Looker may have cut these."""
        pivoted = [one.field for one in columns if "object" in one.schema["type"]]
        most = int(query.get("column_limit") or COLUMN_LIMIT)
        seen: set[tuple[str, ...]] = set()
        for row in rows:
            if len(seen) < most:
                for field in pivoted:
                    if isinstance(cells := row.get(field), dict):
                        seen.update(_paths(data_cells(cells)))
            yield row
        if len(seen) >= most:
            self.logger.warning(
                "%s has %d pivot values, as many as its column limit: there may be more.",
                self.name,
                most,
            )

    def _bounds(self, result: Result) -> dict[str, Any]:
        """What keeps an incremental run to what is new, added to the query's own filters."""
        if not self.is_sorted or not result.order:
            return {}
        key = result.order[0]
        start = self._bookmark if self._bookmark is not None else self.config.get("start_date")
        end = self.config.get("end_date")
        given = dict(result.query.get("filters") or {})
        expressions = [result.query.get("filter_expression")]
        if key.kind in ("date", "date-time"):
            zone = zone_named(str(result.query["query_timezone"]))
            bounds = filters.time_range(key.field, start, end, zone=zone)
            if key.field in given:
                expressions += filters.comparisons(
                    key,
                    filters.local_time(start, zone, is_start=True) if start else None,
                    filters.local_time(end, zone) if end else None,
                )
            else:
                given |= bounds
        elif self._bookmark is not None:
            expressions += filters.comparisons(key, self._bookmark, None)
        expression = " AND ".join(f"({one})" for one in expressions if one)
        return {"filters": given} | ({"filter_expression": expression} if expression else {})


def _paths(cells: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The pivot values in a pivoted field, which some instances nest by field."""
    for key, cell in cells.items():
        if isinstance(cell, dict):
            yield from ((key, *path) for path in _paths(cell))
        else:
            yield (key,)


def _declare(properties: dict[str, Any], types: Mapping[str, str]) -> None:
    """Give columns of a catalog the types that the settings say, which may be newer."""
    for field, kind in types.items():
        name = column_name(field)
        known = properties.get(name, {}).get("type", "object")
        if "object" in known:
            continue  # which is said to be a mistake when the query is known
        made = dict(column(field, kind, description=properties[name].get("description", "")).schema)
        properties[name] = {**made, "type": made["type"] if "null" in known else made["type"][0]}
