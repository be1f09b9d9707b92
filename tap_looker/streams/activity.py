"""A row of the table of System Activity at work."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tap_looker import rows, settings
from tap_looker.activity import MODEL, PERMISSION
from tap_looker.errors import RequestError
from tap_looker.streams.rows import RowsStream, schema_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_looker.activity import Activity
    from tap_looker.client import LookerClient, Row
    from tap_looker.sources import Sources
    from tap_looker.tap import TapLooker

REFUSED = frozenset({400, 404, 422})  # what Looker answers to a field that it does not know


def _reading_again(client: LookerClient) -> Callable[[Mapping[str, Any]], Iterator[Row]]:
    """As :func:`rows.run`; what Looker says went wrong in a 200 may pass, and is read again."""
    said = 0

    def run(query: Mapping[str, Any]) -> Iterator[Row]:
        nonlocal said
        try:
            yield from rows.run(client, query)
        except rows.BrokenOffError:
            raise
        except RequestError as error:
            said += 1
            if error.status != 200 or said == rows.BREAKS:  # noqa: PLR2004
                raise
            raise rows.BrokenOffError(error.message, error.status) from error

    return run


class ActivityStream(RowsStream):
    """An explore of System Activity, read in pages along its key.

    A bookmark is an id where the explore has one that grows, for the times of System Activity are
    in the instance's own zone. Rows change until they finish: those shortly behind the bookmark
    are read again, and it is not lowered by them.
    """

    permission = PERMISSION
    per = "page of rows"

    def __init__(self, tap: TapLooker, activity: Activity) -> None:
        self.activity = activity
        self.selected_by_default = activity.default
        self._columns = {field: rows.column(field, kind) for field, kind in activity.kinds.items()}
        self._key_fields = activity.keys.split()
        super().__init__(
            tap,
            name=activity.name,
            keys=[rows.column_name(field) for field in self._key_fields],
            schema=schema_of(self._columns.values(), self._key_fields),
        )
        if activity.replication:
            self.replication_key = rows.column_name(activity.replication)

    def pages(self, sources: Sources) -> Iterator[list[Row]]:
        """Typed records, in the order of the key."""
        fields = [field for field in self._columns if self._is_read(field)]
        came = False
        try:
            for batch in rows.batched(self._records(sources.client, fields)):
                came = True
                yield batch
        except RequestError as error:
            if came or error.status not in REFUSED:
                raise
            fields = self._known(sources.client, fields, error)
            yield from rows.batched(self._records(sources.client, fields))

    def _is_read(self, field: str) -> bool:
        selected: bool = self.mask["properties", rows.column_name(field)]
        return selected or field in (*self._key_fields, self.activity.replication)

    def _known(self, client: LookerClient, fields: Sequence[str], error: RequestError) -> list[str]:
        """The fields that this instance has: one that it lacks makes it refuse the whole query.

        Raises:
            RequestError: That is not why, or it lacks the key.
        """
        known = rows.explore_fields(client, MODEL, self.activity.explore)
        missing = [field for field in fields if field not in known]
        if not missing or {*self._key_fields, self.activity.replication}.intersection(missing):
            raise error
        self.logger.warning(
            "This instance has no %s: left out of %s.", ", ".join(missing), self.name
        )
        return [field for field in fields if field in known]

    def _records(self, client: LookerClient, fields: Sequence[str]) -> Iterator[Row]:
        activity = self.activity
        kinds = {field: rows.KINDS[kind] for field, kind in activity.kinds.items()}
        order = dict.fromkeys(filter(None, [activity.replication, *self._key_fields]))
        by_id = kinds.get(activity.replication) == "integer"
        goes_on = self._bookmark is not None
        start = None
        if self.is_sorted and not (by_id and goes_on):
            start = self._bookmark or settings.start_date(self.config)
        query = {
            "model": MODEL,
            "view": activity.explore,
            "fields": list(fields),
            "filters": rows.between(
                activity.time,
                start,
                self.config.get("end_date"),
                days=activity.days if goes_on else 0,
            )
            if activity.time
            else {},
            "query_timezone": "UTC",
        }
        key = [rows.Key(field, kinds[field]) for field in order]
        found = rows.pages(
            client,
            query,
            key,
            limit=self.config["activity_page_size"],
            after=self._bookmark - self.config["activity_lookback"] - 1
            if by_id and goes_on
            else None,
            run=_reading_again(client),
            metadata=partial(rows.explore_fields, client, MODEL, activity.explore),
        )
        return rows.records([self._columns[field] for field in fields], found)
