"""The rows of a look, a saved query or a query of the user's own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tap_looker import rows
from tap_looker.errors import LookerError, RequestError
from tap_looker.results import (
    UNLIMITED,
    DefinitionError,
    Resolver,
    catalogued,
    zone_named,
)
from tap_looker.streams.rows import RowsStream, schema_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_looker.client import LookerClient, Row
    from tap_looker.results import Definition, Result
    from tap_looker.sources import Sources
    from tap_looker.tap import TapLooker

REFUSED = frozenset({400, 403, 422})  # what Looker may answer to a limit of -1
TIMED_OUT = frozenset({408, 504, 524})


class ResultStream(RowsStream):
    """The result of one query, every row of it.

    Args:
        tap: Its tap.
        definition: An entry of the settings.
        result: What the instance says of it; or else
        entry: what the catalog does.
    """

    permission = "access to the model of the query, and to the look"
    per = "run of the query"

    def __init__(
        self,
        tap: TapLooker,
        definition: Definition,
        *,
        result: Result | None = None,
        entry: Any = None,
    ) -> None:
        self.definition = definition
        self._result = result
        if result:
            schema = schema_of(result.columns, definition.keys)
            keys = [rows.column_name(field) for field in result.keys]
        else:
            schema, keys = entry.schema.to_dict(), list(entry.key_properties or [])
        super().__init__(tap, name=definition.name, keys=keys, schema=schema)
        if definition.replication_key:
            self.replication_key = rows.column_name(definition.replication_key)

    def pages(self, sources: Sources) -> Iterator[list[Row]]:
        """Typed records; in the order of the key where the query has one to go by."""
        try:
            yield from rows.batched(self._records(sources.client))
        except RequestError as error:
            slow = error.status in TIMED_OUT or "in time" in error.message
            if not slow or self.definition.run == "task":
                raise
            raise RequestError(
                f"{error.message} For a query that takes long there is run: task "
                f"({self.definition.where}).",
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
        sorts = {str(sort).split()[0] for sort in result.query.get("sorts") or [] if sort}
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
        return rows.records(kept, self._limited(client, query, result))

    def _from_catalog(self, client: LookerClient) -> Result:
        resolver = Resolver(client)
        try:
            query, zone = resolver.query(self.definition)
            return catalogued(
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
        run = partial(
            rows.run_task if self.definition.run == "task" else rows.run,
            client,
            calculate=result.calculated,
            repeat_slow=False,
        )
        limit = self.definition.limit
        if limit != UNLIMITED:
            sorts = {"sorts": [part.field for part in result.order]} if result.order else {}
            asked = {**query, **sorts} if self.is_sorted else {**sorts, **query}
            count = 0
            for row in rows.once(run, {**asked, "limit": str(limit)}):
                count += 1
                yield row
            if count in rows.CUTS and count < limit:
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
            rows.check_order(result.order[:1], result.metadata)
        came = False
        try:
            for row in rows.whole(run, client, query, result.order, result.metadata):
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
                yield from rows.pages(
                    client,
                    query,
                    result.order,
                    limit=page_size,
                    run=run,
                    metadata=result.metadata,
                )
            except RequestError as second:
                raise (error if second.status == error.status else second) from error

    def _bounds(self, result: Result) -> dict[str, Any]:
        """What keeps an incremental run to what is new, added to the query's own filters."""
        if not self.is_sorted or not result.order:
            return {}
        key = result.order[0]
        start = self._bookmark if self._bookmark is not None else self.config.get("start_date")
        end = self.config.get("end_date")
        filters = dict(result.query.get("filters") or {})
        expressions = [result.query.get("filter_expression")]
        if key.kind in ("date", "date-time"):
            zone = zone_named(str(result.query["query_timezone"]))
            bounds = rows.between(key.field, start, end, zone=zone)
            if key.field in filters:
                expressions += rows.bounds(
                    key,
                    rows.clock(start, zone, is_start=True) if start else None,
                    rows.clock(end, zone) if end else None,
                )
            else:
                filters |= bounds
        elif self._bookmark is not None:
            expressions += rows.bounds(key, self._bookmark, None)
        expression = " AND ".join(f"({one})" for one in expressions if one)
        return {"filters": filters} | ({"filter_expression": expression} if expression else {})
