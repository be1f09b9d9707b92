"""A row of the table of System Activity at work."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from tap_looker.errors import BadResponseError
from tap_looker.looker.threads import closed_at_end
from tap_looker.queries import keyset_paging
from tap_looker.queries.activities import (
    ACTIVITIES,
    MODEL,
    PERMISSION,
    QUERIES,
    QUERY_FIELDS,
    ROW_KEY,
    ROW_TIME,
    is_rest_id,
)
from tap_looker.queries.activity_fields import description
from tap_looker.queries.columns import KINDS, Key, collisions, column, column_name, records
from tap_looker.queries.explores import FINEST_FIRST, read_explore
from tap_looker.queries.key_check import check_keys
from tap_looker.streams.activity_reading import Reading, reading_again
from tap_looker.streams.incremental import IncrementalStream, in_batches, schema_of
from tap_looker.used_fields import own_fields, used_fields
from tap_looker.values import digest, to_integer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Tap

    from tap_looker.looker.client import LookerClient
    from tap_looker.looker.response import Row
    from tap_looker.queries.activities import Activity
    from tap_looker.queries.explores import Explore
    from tap_looker.resources.extraction import Extraction
    from tap_looker.run import Run
    from tap_looker.values import Misfits

HOUR = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d")
LOGS = {one.explore for one in ACTIVITIES if one.time}
FORGOTTEN = "Looker keeps only the latest of their rows."


class SystemActivityStream(IncrementalStream):
    """An explore of System Activity, read in pages along its key.

    A bookmark is an id where the explore has one that grows, for the times of System Activity are
    in the instance's own zone. Rows change until they finish: those shortly behind the bookmark
    are read again, and it is not lowered by them.
    """

    permission = PERMISSION
    cost_per = "page of rows"

    def __init__(
        self, tap: Tap, run: Run, activity: Activity, reading: Reading | None = None
    ) -> None:
        self.activity = activity
        self.selected_by_default = activity.default
        self.moves_at_end = activity.moves_at_end
        self._columns = {
            field: column(field, kind, description=description(field))
            for field, kind in activity.kinds.items()
        }
        self._key_fields = activity.keys.split()
        self._is_by_id = KINDS.get(activity.kinds.get(activity.replication, "")) == "integer"
        self._came = False
        super().__init__(
            tap,
            run,
            name=activity.name,
            keys=[column_name(field) for field in self._key_fields],
            schema=schema_of(self._columns.values(), self._key_fields),
        )
        if activity.replication:
            self.replication_key = column_name(activity.replication)
        self.reading = reading or Reading.of(activity, self.config)

    @property
    def bookmark(self) -> Any:
        """Where the last run ended; None for the start."""
        return self._bookmark

    def plan(self, extraction: Extraction) -> None:
        """Take part in the reading, which may be of several streams."""
        super().plan(extraction)
        self.reading.readers.append(self)

    def why_partial(self, extraction: Extraction) -> str:  # noqa: ARG002
        """Looker forgets old rows of its logs, which a warehouse is to keep."""
        activity = self.activity
        is_log = activity.replication or activity.is_discovered or activity.explore in LOGS
        return FORGOTTEN if is_log else ""

    def pages(self, extraction: Extraction) -> Iterator[list[Row]]:
        """Typed records, in the order of the key."""
        self.check_scope(extraction.host, f"{MODEL}::{self.activity.explore}")
        yield from self._pages_from_bookmark(extraction)
        if not self._came and self.activity.successor and not self.config.get("end_date"):
            self.logger.warning(
                "%s has no rows: newer releases of Looker have them in %s.",
                self.name,
                self.activity.successor,
            )
        if self._came or self._bookmark is None or not self._is_by_id:
            return
        newest = self._newest(extraction.client)
        if newest is not None and newest < self._bookmark:
            self.restart(newest)
            yield from self._pages_from_bookmark(extraction)

    def _newest(self, client: LookerClient) -> int | None:
        """The greatest id that the instance has."""
        field = self.activity.replication
        query = {
            "model": MODEL,
            "view": self.activity.explore,
            "fields": [field],
            "sorts": [f"{field} desc"],
            "limit": "1",
        }
        rows = list(keyset_paging.read_once(reading_again(client), query))
        value = rows[0].get(field) if rows else None
        return None if value is None else to_integer(value)

    def _pages_from_bookmark(self, extraction: Extraction) -> Iterator[list[Row]]:
        columns = [of for field, of in self._columns.items() if self._is_read(field)]
        misfits = self.misfits(self._key_fields, self._needed())
        try:
            found = records(columns, self.raw_rows(extraction.client, misfits), misfits)
            for batch in in_batches(self._checked(self._with_keys(found))):
                self._came = True
                yield batch
        finally:
            misfits.warn(self.logger)

    def _checked(self, found: Iterator[Row]) -> Iterator[Row]:
        """The records; that some share their key, as where a join repeats them, is said."""
        return check_keys(
            found,
            [column_name(field) for field in self._key_fields],
            in_order=[part.field for part in self.reading.order] == self._key_fields,
            where="system_activity",
            report=partial(self.warn_of_repeated_keys, "system_activity"),
        )

    def _needed(self) -> list[str]:
        """Fields that cannot do without a value, besides the key."""
        return [] if self.moves_at_end else [self.activity.replication]

    def _is_read(self, field: str) -> bool:
        selected: bool = self.mask["properties", column_name(field)]
        return selected or field in (*self._key_fields, self.activity.replication)

    def asked(self) -> list[str]:
        """The fields that are asked for."""
        return [field for field in self._columns if self._is_read(field)]

    def raw_rows(self, client: LookerClient, misfits: Misfits) -> Iterator[Row]:
        """Rows with the fields of the columns."""
        return self.reading.rows(client, misfits)

    def _with_keys(self, found: Iterator[Row]) -> Iterator[Row]:
        """No key is null: where Looker groups by a text that is, it is empty.

        Raises:
            BadResponseError: A row has no id.
        """
        kinds = {
            column_name(field): KINDS[self.activity.kinds[field]] for field in self._key_fields
        }
        with closed_at_end(found) as rows:
            for record in rows:
                for name, kind in kinds.items():
                    if record[name] is None:
                        if kind != "text":
                            raise BadResponseError(f"A row lacks its key ({name}).")
                        record[name] = ""
                yield record


class QueryFieldsStream(SystemActivityStream):
    """The fields that queries use: made of the rows of the queries, without a call of its own."""

    cost_per = ""
    parts = (
        ("fields", ("query.fields", "query.formatted_fields")),
        ("pivots", ("query.pivots", "query.formatted_pivots")),
        ("fill_fields", ("query.fill_fields",)),
        ("filters", ("query.filters",)),
        ("filter_expression", ("query.filter_expression",)),
        ("sorts", ("query.sorts",)),
        ("dynamic_fields", ("query.dynamic_fields",)),
    )
    """Parts of a query, and the fields of System Activity that may hold each."""

    def asked(self) -> list[str]:
        """The fields of the query that the rows are made of."""
        own = [field for field in super().asked() if "." in field]
        return [*own, *(field for _, fields in self.parts for field in fields)]

    def _checked(self, found: Iterator[Row]) -> Iterator[Row]:
        return found  # the queries are checked, and of each a field comes once in a place

    def raw_rows(self, client: LookerClient, misfits: Misfits) -> Iterator[Row]:
        """A row for each place of each field that a query uses."""
        own = [field for field in super().asked() if "." in field]
        with closed_at_end(super().raw_rows(client, misfits)) as rows:
            for row in rows:
                query = {}
                for part, fields in self.parts:
                    if row.keys().isdisjoint(fields):
                        misfits.add_absent(fields[0])
                    values = [row.get(field) for field in fields]
                    query[part] = next((value for value in values if value is not None), None)
                of_query = {field: row[field] for field in own if field in row}
                custom = own_fields(query)
                for place, field in used_fields(query):
                    is_custom = field in custom
                    yield {**of_query, "place": place, "field": field, "is_custom": is_custom}


class DiscoveredStream(SystemActivityStream):
    """An explore whose fields are not published: they are those of the instance's metadata.

    It is asked for when the stream is read, before its SCHEMA is written. Rows have every dimension
    that does not repeat them, and measures that are numbers. The key is made of the primary key, or
    else of all dimensions.
    """

    def pages(self, extraction: Extraction) -> Iterator[list[Row]]:
        """Typed records; the columns are known when the first of them are."""
        self._discover(extraction.client)
        yield from super().pages(extraction)

    def _discover(self, client: LookerClient) -> None:
        """Runs on the thread that fetches, while the other one waits for the first row."""
        explore = read_explore(client, MODEL, self.activity.explore)
        dimensions = [one for one in explore.every_dimension() if _may_be_sorted_by(explore, one)]
        if not dimensions:
            raise BadResponseError(f"{MODEL}::{self.activity.explore} has no dimensions.")
        types = {
            name: "id" if is_rest_id(name) else str(of.get("type"))
            for name, of in explore.fields.items()
        }
        found = {
            name: column(name, types[name], description=str(of.get("description") or ""))
            for name in (*dimensions, *explore.numbers())
            for of in (explore.fields[name],)
        }
        if mistakes := collisions(found.values()):
            raise BadResponseError(f"{MODEL}::{self.activity.explore}: {'; '.join(mistakes)}.")
        self._columns |= found
        self.schema["properties"] |= schema_of(found.values())["properties"]
        self._maps = None  # made before there were these columns
        times = [one for one in dimensions if types[one] in FINEST_FIRST and explore.is_base(one)]
        self._time = next((name for name in times if "created" in name), (times or [""])[0])
        self._parts = explore.trusted_key({"fields": dimensions}, dimensions) or dimensions
        first = [self._time] if self._time and self.is_sorted else []
        order = dict.fromkeys([*first, *self._parts])
        self.reading.order = [
            Key(name, "date-time" if name == self._time else KINDS.get(types[name], "text"))
            for name in order
        ]
        self.reading.time = self._time
        self.reading.known = explore.fields

    def asked(self) -> list[str]:
        """All that there is: without a dimension, rows would merge."""
        return [field for field in self._columns if "." in field]

    def _checked(self, found: Iterator[Row]) -> Iterator[Row]:
        return found  # Looker groups by the dimensions that the key is made of

    def _needed(self) -> list[str]:
        return []

    def raw_rows(self, client: LookerClient, misfits: Misfits) -> Iterator[Row]:
        """Rows with what is computed of them."""
        with closed_at_end(super().raw_rows(client, misfits)) as rows:
            for row in rows:
                time = row.get(self._time)
                if isinstance(time, str) and HOUR.fullmatch(time):
                    time += ":00"
                key = digest([row.get(part) for part in self._parts])
                yield {**row, ROW_KEY: key, ROW_TIME: time}


def _may_be_sorted_by(explore: Explore, field: str) -> bool:
    """Not what is sorted by rank, such as tiers, which follow from other fields."""
    of = explore.fields[field]
    return KINDS.get(str(of.get("type")), "text") != "text" or keyset_paging.sorts_as_text(of)


def activity_streams(tap: Tap, run: Run) -> Iterator[SystemActivityStream]:
    """The streams of the table."""
    readings: dict[str, Reading] = {}
    for activity in ACTIVITIES:
        if activity.name == QUERY_FIELDS:
            yield QueryFieldsStream(tap, run, activity, readings[QUERIES])
            continue
        kind = DiscoveredStream if activity.is_discovered else SystemActivityStream
        stream = kind(tap, run, activity)
        readings[activity.name] = stream.reading
        yield stream
