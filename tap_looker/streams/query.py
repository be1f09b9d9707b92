"""The rows of a look, a saved query or a query from the settings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tap_looker.errors import CutResultError, LookerError, RequestError, TimedOutError
from tap_looker.queries import filters, keyset_paging
from tap_looker.queries.columns import column, column_name, records
from tap_looker.queries.definitions import UNLIMITED, DefinitionError, zone_named
from tap_looker.queries.execute import run_query, run_query_task, without_totals
from tap_looker.queries.key_check import check_keys
from tap_looker.queries.resolve import (
    Resolver,
    check_continued,
    cut_of_all_rows,
    data_cells,
    from_catalog,
    said_of_all_rows,
    without_missing,
)
from tap_looker.streams import instances
from tap_looker.streams.incremental import IncrementalStream, in_batches, schema_of
from tap_looker.values import to_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from singer_sdk import Tap

    from tap_looker.looker.client import LookerClient
    from tap_looker.looker.response import Row
    from tap_looker.queries.columns import Column
    from tap_looker.queries.definitions import Definition
    from tap_looker.queries.resolve import Result
    from tap_looker.resources.extraction import Extraction
    from tap_looker.run import Run
    from tap_looker.values import Misfits

LIMITED = "their limit may keep rows out."
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
    _reached_limit = False

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
            schema = schema_of(result.columns, result.keys)
            keys = [column_name(field) for field in result.keys]
        else:
            schema, keys = entry.schema.to_dict(), list(entry.key_properties or [])
            if tap.config.get("instance"):
                schema["properties"] = instances.without_column(schema["properties"])
            _declare(schema["properties"], definition.types)
        super().__init__(tap, run, name=definition.name, keys=keys, schema=schema)
        if definition.replication_key:
            self.replication_key = column_name(definition.replication_key)

    def plan(self, extraction: Extraction) -> None:
        """Say once that rows have no key, unless that was asked for."""
        super().plan(extraction)
        if not self.primary_keys and self.definition.keys is None:
            self.logger.warning(
                "%s has no primary key, because none of its fields are known to be unique and "
                "never null: targets append its rows. Set primary_keys in %s, or [] to keep it "
                "that way.",
                self.name,
                self.definition.where,
            )

    def why_partial(self, extraction: Extraction) -> str:  # noqa: ARG002
        """A limit of the settings, or one that the result has reached."""
        is_limited = self.definition.limit != UNLIMITED or self._reached_limit
        return LIMITED if is_limited else ""

    def pages(self, extraction: Extraction) -> Iterator[list[Row]]:
        """Typed records; in the order of the key where the query has one to go by."""
        result = self._result or self._from_catalog(extraction.client)
        misfits = self.misfits(result.keys, [result.replication_key], place=self.definition.where)
        try:
            self.check_scope(extraction.host, dict(result.query))
            came = False
            for batch in in_batches(self._records(extraction.client, result, misfits)):
                came = True
                yield batch
            if not came and self._is_beyond(extraction.client, result):
                yield from in_batches(self._records(extraction.client, result, misfits))
        except CutResultError as error:
            if measures := said_of_all_rows(result):
                raise cut_of_all_rows(measures) from error
            raise
        except TimedOutError as error:
            if self.definition.run == "task":
                raise
            raise TimedOutError(
                f"{error.message} If the query takes long, set run: task in "
                f"{self.definition.where}.",
                error.status,
            ) from error
        finally:
            misfits.warn(self.logger)

    def _is_beyond(self, client: LookerClient, result: Result) -> bool:
        """Whether no row came because the bookmark, a number, is beyond the newest of them."""
        key = result.order[0] if result.order else None
        if self._bookmark is None or key is None or not key.is_number:
            return False
        newest = {**result.query, "fields": [key.field], "sorts": [f"{key.field} desc"]}
        rows = list(keyset_paging.read_once(partial(run_query, client), {**newest, "limit": "1"}))
        value = to_number(rows[0].get(key.field)) if rows else None
        if value is None or value >= self._bookmark:
            return False
        self.restart(value)
        return True

    def _records(self, client: LookerClient, result: Result, misfits: Misfits) -> Iterator[Row]:
        needed = (*result.keys, result.replication_key)
        kept = [
            one
            for one in result.columns
            if self.mask["properties", one.name] or one.field in needed
        ]
        pivots = result.query.get("pivots") or []
        sorts = {_sorted_by(sort): sort for sort in result.query.get("sorts") or [] if sort}
        # Looker calculates with the others, and without a dimension it would merge rows.
        asked = [
            one
            for one in result.columns
            if one in kept or one.field in sorts or result.calculated or pivots
        ]
        own = set(result.query.get("fields") or [])
        wanted = [one.field for one in asked if one.field in own]
        query = {**result.query, **self._bounds(result)}

        def run(fields: Sequence[str]) -> Iterator[Row]:
            left_out = set(wanted).difference(fields)
            body = {**query, "fields": [*fields, *pivots]}
            if left_out.intersection(sorts):
                body["sorts"] = [sort for name, sort in sorts.items() if name not in left_out]
            rows = self._limited(client, body, result)
            return self._watched(rows, body, asked) if pivots else rows

        found = records(kept, without_missing(run, wanted, result.metadata, misfits), misfits)
        if not result.keys:
            return found
        return check_keys(
            found,
            [column_name(field) for field in result.keys],
            in_order=[part.field for part in result.order] == list(result.keys)
            and self._limit(result.query) == UNLIMITED,  # else the query's own sorts may come first
            where=self.definition.where,
            report=partial(self.warn_of_repeated_keys, self.definition.where),
        )

    def _from_catalog(self, client: LookerClient) -> Result:
        resolver = Resolver(client)
        try:
            query, zone = resolver.query(self.definition)
            return from_catalog(
                self.definition,
                query,
                zone,
                self.own_properties,
                self.primary_keys,
                lambda: resolver.explore(query),
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
            check_continued(result, query, body)
            return without_totals(run_once(body), body, result.metadata)

        limit = self._limit(query)
        if limit != UNLIMITED:
            sorts = {"sorts": [part.field for part in result.order]} if result.order else {}
            asked = {**query, **sorts} if self.is_sorted else {**sorts, **query}
            count = 0
            for row in keyset_paging.read_once(run, {**asked, "limit": str(limit)}):
                count += 1
                yield row
            self._reached_limit = count >= limit or count in keyset_paging.CUTS
            if count in keyset_paging.CUTS and count < limit:
                self.logger.warning(
                    "%s has exactly %d rows, a number at which Looker is known to cut results "
                    "silently: there may be more.",
                    self.name,
                    count,
                )
            if count >= limit:
                self.logger.warning(
                    "%s has %d rows, as many as its limit: there may be more.", self.name, count
                )
            return
        if self._bookmark is not None:
            keyset_paging.check_order(result.order[:1], result.metadata)
        came = False
        try:
            for row in keyset_paging.read_all(run, query, result.order, result.metadata):
                came = True
                yield row
        except RequestError as error:
            if came or error.status not in REFUSED:
                raise
            if not result.order:
                raise RequestError(
                    f"{error.message} All rows were requested; if Looker does not allow that for "
                    f"this query or key, set limit in {self.definition.where}.",
                    error.status,
                ) from error
            page_size = self.config["activity_page_size"]
            try:
                yield from keyset_paging.read_in_pages(
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
                    filters.bound(key.field, start, zone, is_start=True) if start else None,
                    filters.bound(key.field, end, zone) if end else None,
                )
            else:
                given |= bounds
        elif self._bookmark is not None:
            expressions += filters.comparisons(key, self._bookmark, None)
        expression = " AND ".join(f"({one})" for one in expressions if one)
        return {"filters": given} | ({"filter_expression": expression} if expression else {})


def _sorted_by(sort: Any) -> str:
    """The field of a sort, which may say ``desc`` after it."""
    return str(sort).split()[0]


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
