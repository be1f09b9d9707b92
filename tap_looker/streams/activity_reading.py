"""One query on System Activity, run once however many streams are made of its rows."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from tap_looker import settings
from tap_looker.errors import QueryError, TruncatedError
from tap_looker.looker.threads import ReplayableIterator
from tap_looker.queries import filters, keyset_paging
from tap_looker.queries.activities import MODEL
from tap_looker.queries.columns import KINDS, Key
from tap_looker.queries.execute import run_query
from tap_looker.queries.explores import explore_fields
from tap_looker.queries.resolve import without_missing
from tap_looker.streams.incremental import in_batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_looker.looker.client import LookerClient
    from tap_looker.looker.response import Row
    from tap_looker.queries.activities import Activity
    from tap_looker.values import Misfits


def reading_again(client: LookerClient) -> Callable[[Mapping[str, Any]], Iterator[Row]]:
    """Run a query; what Looker says went wrong in a 200 may pass, and is read again."""
    failures = 0

    def run(query: Mapping[str, Any]) -> Iterator[Row]:
        nonlocal failures
        try:
            yield from run_query(client, query)
        except QueryError as error:
            failures += 1
            if failures == keyset_paging.MAX_BREAKS:
                raise
            raise TruncatedError(error.message) from error

    return run


class Reader(Protocol):
    """What a reading needs to know of a stream."""

    @property
    def is_sorted(self) -> bool:
        """Whether the stream goes on from a bookmark."""

    @property
    def bookmark(self) -> Any:
        """Where its last run ended; None for the start."""

    def asked(self) -> list[str]:
        """The fields that it asks for."""


class Reading:
    """A query, and the selected streams that are made of its rows.

    Attributes:
        readers: The streams.
        order: What rows are sorted by: a key of them.
        time: Field that ``start_date`` and ``end_date`` bound, or a bookmark that is a time.
        known: The fields of the explore, where its metadata has been asked for.
    """

    def __init__(
        self,
        activity: Activity,
        config: Mapping[str, Any],
        order: Sequence[Key],
        *,
        by_id: bool,
    ) -> None:
        self.readers: list[Reader] = []
        self.order = list(order)
        self.time = activity.time
        self.known: Mapping[str, Row] | None = None
        self._activity = activity
        self._config = config
        self._by_id = by_id
        self._lock = threading.Lock()
        self._shared: ReplayableIterator[list[Row]] | None = None
        self._open = 0

    @classmethod
    def of(cls, activity: Activity, config: Mapping[str, Any]) -> Reading:
        """The reading of a row of the table."""
        kinds = {field: KINDS[kind] for field, kind in activity.kinds.items()}
        first = [] if activity.moves_at_end else [activity.replication]
        order = dict.fromkeys(filter(None, [*first, *activity.keys.split()]))
        return cls(
            activity,
            config,
            [Key(field, kinds[field], nullable=False) for field in order],
            by_id=kinds.get(activity.replication) == "integer",
        )

    def rows(self, client: LookerClient, misfits: Misfits) -> Iterator[Row]:
        """The rows, for one of the readers; those of all others are the same.

        Args:
            client: Runs the query, unless another reader has.
            misfits: Takes note of fields that there are not.

        Raises:
            RequestError: They cannot be read.
        """
        if len(self.readers) == 1:
            yield from self._all(client, misfits)
            return
        with self._lock:
            if self._shared is None:
                batches = in_batches(self._all(client, misfits))
                self._shared = ReplayableIterator(batches, len(self.readers))
                self._open = len(self.readers)
        try:
            for batch in self._shared.read():
                yield from batch
        finally:
            with self._lock:
                self._open -= 1
                if not self._open:
                    self._shared.close()

    def _all(self, client: LookerClient, misfits: Misfits) -> Iterator[Row]:
        fields = list(dict.fromkeys(field for one in self.readers for field in one.asked()))

        def metadata() -> Mapping[str, Row]:
            if self.known is None:
                self.known = explore_fields(client, MODEL, self._activity.explore)
            return self.known

        return without_missing(partial(self._run, client, metadata), fields, metadata, misfits)

    def _run(
        self, client: LookerClient, metadata: keyset_paging.Metadata, fields: Sequence[str]
    ) -> Iterator[Row]:
        start, days, after = self._place()
        activity, end = self._activity, self._config.get("end_date")
        bounds = filters.time_range(self.time, start, end, days=days) if self.time else {}
        if activity.is_joined:
            bounds.setdefault(activity.keys.split()[0], filters.NOT_NULL)
        query = {
            "model": MODEL,
            "view": activity.explore,
            "fields": list(fields),
            "filters": bounds,
            "query_timezone": "UTC",
        }
        return keyset_paging.read_in_pages(
            reading_again(client),
            query,
            self.order,
            limit=self._config["activity_page_size"],
            after=after,
            metadata=metadata,
        )

    def _place(self) -> tuple[Any, int, int | None]:
        """From which time on to read, how many days earlier, and behind which id."""
        if not all(reader.is_sorted for reader in self.readers):
            return None, 0, None
        bookmarks = [reader.bookmark for reader in self.readers]
        if None in bookmarks:
            return settings.start_date(self._config), 0, None
        first = min(bookmarks)
        if self._by_id:
            return None, 0, first - self._config["activity_lookback"] - 1
        return first, self._activity.days, None
