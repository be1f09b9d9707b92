"""A row of the table of System Activity at work."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tap_looker import settings
from tap_looker.errors import BadResponseError, QueryError, TruncatedError
from tap_looker.looker.concurrency import closed_at_end
from tap_looker.queries import filters, keyset
from tap_looker.queries.columns import KINDS, Key, column, column_name, records
from tap_looker.queries.execute import run_query
from tap_looker.queries.explores import explore_fields
from tap_looker.queries.resolve import without_missing
from tap_looker.queries.system_activity import ACTIVITIES, MODEL, PERMISSION
from tap_looker.streams.incremental import IncrementalStream, in_batches, schema_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from singer_sdk import Tap

    from tap_looker.looker.client import LookerClient
    from tap_looker.looker.response import Row
    from tap_looker.queries.system_activity import Activity
    from tap_looker.resources.extraction import Extraction
    from tap_looker.run import Run

LOGS = {one.explore for one in ACTIVITIES if one.time}
FORGOTTEN = "Looker keeps only the latest of their rows."


def _reading_again(client: LookerClient) -> Callable[[Mapping[str, Any]], Iterator[Row]]:
    """Run a query; what Looker says went wrong in a 200 may pass, and is read again."""
    failures = 0

    def run(query: Mapping[str, Any]) -> Iterator[Row]:
        nonlocal failures
        try:
            yield from run_query(client, query)
        except QueryError as error:
            failures += 1
            if failures == keyset.MAX_BREAKS:
                raise
            raise TruncatedError(error.message) from error

    return run


class SystemActivityStream(IncrementalStream):
    """An explore of System Activity, read in pages along its key.

    A bookmark is an id where the explore has one that grows, for the times of System Activity are
    in the instance's own zone. Rows change until they finish: those shortly behind the bookmark
    are read again, and it is not lowered by them.
    """

    permission = PERMISSION
    cost_per = "page of rows"

    def __init__(self, tap: Tap, run: Run, activity: Activity) -> None:
        self.activity = activity
        self.selected_by_default = activity.default
        self._columns = {field: column(field, kind) for field, kind in activity.kinds.items()}
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

    def why_partial(self, extraction: Extraction) -> str:  # noqa: ARG002
        """Looker forgets old rows of its logs, which a warehouse is to keep."""
        is_log = self.activity.replication or self.activity.explore in LOGS
        return FORGOTTEN if is_log else ""

    def pages(self, extraction: Extraction) -> Iterator[list[Row]]:
        """Typed records, in the order of the key."""
        self.check_scope(extraction.host, f"{MODEL}::{self.activity.explore}")
        yield from self._pages_from_bookmark(extraction)
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
        rows = list(keyset.read_once(_reading_again(client), query))
        value = rows[0].get(field) if rows else None
        return value if isinstance(value, int) else None

    def _pages_from_bookmark(self, extraction: Extraction) -> Iterator[list[Row]]:
        fields = [field for field in self._columns if self._is_read(field)]
        misfits = self.misfits(self._key_fields, [self.activity.replication])
        rows = without_missing(
            partial(self._rows_of, extraction.client),
            fields,
            partial(explore_fields, extraction.client, MODEL, self.activity.explore),
            misfits,
        )
        try:
            found = records([self._columns[field] for field in fields], rows, misfits)
            for batch in in_batches(self._with_keys(found)):
                self._came = True
                yield batch
        finally:
            misfits.warn(self.logger)

    def _is_read(self, field: str) -> bool:
        selected: bool = self.mask["properties", column_name(field)]
        return selected or field in (*self._key_fields, self.activity.replication)

    def _rows_of(self, client: LookerClient, fields: Sequence[str]) -> Iterator[Row]:
        activity = self.activity
        kinds = {field: KINDS[kind] for field, kind in activity.kinds.items()}
        order = dict.fromkeys(filter(None, [activity.replication, *self._key_fields]))
        by_id = self._is_by_id
        goes_on = self._bookmark is not None
        start = None
        if self.is_sorted and not (by_id and goes_on):
            start = self._bookmark or settings.start_date(self.config)
        query = {
            "model": MODEL,
            "view": activity.explore,
            "fields": list(fields),
            "filters": filters.time_range(
                activity.time,
                start,
                self.config.get("end_date"),
                days=activity.days if goes_on else 0,
            )
            if activity.time
            else {},
            "query_timezone": "UTC",
        }
        key = [Key(field, kinds[field], nullable=False) for field in order]
        return keyset.read_in_pages(
            _reading_again(client),
            query,
            key,
            limit=self.config["activity_page_size"],
            after=self._bookmark - self.config["activity_lookback"] - 1
            if by_id and goes_on
            else None,
            metadata=partial(explore_fields, client, MODEL, activity.explore),
        )

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
