"""What the streams share whose records are the rows of a query."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL

from tap_looker.errors import LookerError
from tap_looker.streams.base import LookerStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_looker.client import Row
    from tap_looker.rows import Column
    from tap_looker.sources import Sources


class RowsStream(LookerStream):
    """Rows that come in the order of their key, so that a run can be resumed from its bookmark."""

    alone = True  # an answer is held open while its rows are written
    _bookmark: Any = None
    _moves_bookmark = False

    @property
    def is_sorted(self) -> bool:
        """Whether the bookmark may move with each row."""
        return self.replication_method == REPLICATION_INCREMENTAL

    def plan(self, sources: Sources) -> None:  # noqa: ARG002
        """Take the bookmark before anything moves it."""
        self._moves_bookmark = self.is_sorted  # which is too slow to ask for with each row
        if self.is_sorted:
            self._bookmark = self.stream_state.get("replication_key_value")
            self._check_bookmark()

    def _check_bookmark(self) -> None:
        types = self.schema["properties"].get(self.replication_key, {}).get("type", [])
        is_number = not {"integer", "number"}.isdisjoint(
            [types] if isinstance(types, str) else types
        )
        fits = isinstance(self._bookmark, (int, float, Decimal) if is_number else str)
        if self._bookmark is not None and not fits:
            raise LookerError(
                f"The bookmark of {self.name} in the state, {self._bookmark!r}, is not of the type"
                f" of {self.replication_key}: correct it, or take it out to read from the start."
            )

    def _increment_stream_state(self, latest_record: Row, *, context: Any = None) -> None:
        """Move the bookmark, but not back to the rows behind it that are read again."""
        if not self._moves_bookmark:
            return
        if self.replication_key:
            value = latest_record.get(self.replication_key)
            if value is None or (self._bookmark is not None and value <= self._bookmark):
                return
        super()._increment_stream_state(latest_record, context=context)

    def get_replication_key_signpost(self, context: Any = None) -> None:  # noqa: ARG002
        """None: rows come in order, and a bookmark is never later than the last of them."""
        return

    def _write_starting_replication_value(self, context: Any) -> None:
        """Nothing: the SDK would take ``start_date`` for a first id."""


def schema_of(columns: Iterable[Column], never_null: Sequence[str] = ()) -> dict[str, Any]:
    """The schema of records with some columns; those of the fields named are never null."""
    properties = {
        one.name: {**one.schema, "type": one.schema["type"][0]}
        if one.field in never_null
        else dict(one.schema)
        for one in columns
    }
    return {"type": "object", "properties": properties}
