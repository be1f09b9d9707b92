"""Base class of streams that read query results in key order."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL

from tap_looker.errors import LookerError
from tap_looker.streams.base import LookerStream
from tap_looker.streams.catalog import mistakes_in_replication

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_looker.looker.response import Row
    from tap_looker.queries.columns import Column
    from tap_looker.resources.extraction import Extraction

MAX_BATCH = 500  # rows that are handed on together
MAX_WAIT = 0.25  # seconds that a row waits for others


class IncrementalStream(LookerStream):
    """Rows that come in the order of their key, so that a run can be resumed from its bookmark."""

    is_read_alone = True  # an answer is held open while its rows are written
    _bookmark: Any = None
    _moves_bookmark = False

    @property
    def is_sorted(self) -> bool:
        """Whether the bookmark may move with each row."""
        return self.replication_method == REPLICATION_INCREMENTAL

    def mistakes_in_replication(self, own_key: str | None, selected: list[str]) -> list[str]:
        """Rows come in the order of one key, whatever a catalog asks for."""
        method, key = self.forced_replication_method, self.replication_key
        if key is not None and key != own_key and method != REPLICATION_FULL_TABLE:
            by = f"only {own_key} can" if own_key else "its setting must name it"
            return [f"{key} cannot be the replication key: {by}"]
        own = [*selected, own_key or ""]  # which is read in any case
        return [*mistakes_in_replication(self.schema, own, key, method)]

    def plan(self, extraction: Extraction) -> None:  # noqa: ARG002
        """Take the bookmark before anything moves it."""
        self._moves_bookmark = self.is_sorted  # which is too slow to ask for with each row
        if self.is_sorted:
            self._bookmark = self.stream_state.get("replication_key_value")
            self._check_bookmark()

    def _check_bookmark(self) -> None:
        of = self.stream_state.get("replication_key")
        if self._bookmark is not None and of not in (None, self.replication_key):
            raise LookerError(
                f"The bookmark of {self.name} in the state is of {of}, not of"
                f" {self.replication_key}: take it out to read from the start."
            )
        types = self.schema["properties"].get(self.replication_key, {}).get("type", [])
        is_number = not {"integer", "number"}.isdisjoint(
            [types] if isinstance(types, str) else types
        )
        fits = isinstance(self._bookmark, (int, float, Decimal) if is_number else str)
        fits = fits and not isinstance(self._bookmark, bool)
        if self._bookmark is not None and not fits:
            shown = json.dumps(self._bookmark, default=str, ensure_ascii=False)
            raise LookerError(
                f"The bookmark of {self.name} in the state, {shown}, is not of the type"
                f" of {self.replication_key}: correct it, or take it out to read from the start."
            )

    def moves_bookmark(self, record: Row) -> bool:
        """Rows behind the bookmark that are read again do not move it back."""
        if not self._moves_bookmark:
            return False
        value = record.get(self.replication_key) if self.replication_key else None
        return value is not None and (self._bookmark is None or value > self._bookmark)

    def get_replication_key_signpost(self, context: Any = None) -> None:  # noqa: ARG002
        """None: rows come in order, and a bookmark is never later than the last of them."""
        return


def schema_of(columns: Iterable[Column], never_null: Sequence[str] = ()) -> dict[str, Any]:
    """The schema of records with some columns; those of the fields named are never null."""
    properties = {
        one.name: {**one.schema, "type": one.schema["type"][0]}
        if one.field in never_null
        else dict(one.schema)
        for one in columns
    }
    return {"type": "object", "properties": properties}


def in_batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows in lists: the first by itself, so that it can leave at once, then more and more.

    An error comes after the rows before it.
    """
    batch: list[Row] = []
    size, due = 1, 0.0
    try:
        for row in rows:
            batch.append(row)
            if len(batch) >= size or time.monotonic() > due:
                yield batch
                batch, size = [], min(size * 2, MAX_BATCH)
                due = time.monotonic() + MAX_WAIT
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch
