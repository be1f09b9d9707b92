"""Base class of streams that read query results in key order."""

from __future__ import annotations

import hashlib
import json
import math
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL

from tap_looker.errors import CutResultError, LookerError
from tap_looker.looker.threads import closed_at_end
from tap_looker.streams import instances
from tap_looker.streams.base import LookerStream
from tap_looker.streams.catalog import mistakes_in_replication

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_looker.looker.response import Row
    from tap_looker.queries.columns import Column
    from tap_looker.resources.extraction import Extraction

MAX_BATCH = 500  # rows that are handed on together
MAX_WAIT = 0.25  # seconds that a row waits for others


class IncrementalStream(LookerStream):
    """Rows that come in the order of their key, so that a run can be resumed from its bookmark.

    A bookmark belongs to one field of one query on one host: the state notes both beside it, and
    one that belongs to another is not taken.

    Attributes:
        moves_at_end: Rows come in another order than that of the bookmark, which therefore moves
            when all have been written.
    """

    is_read_alone = True  # an answer is held open while its rows are written
    moves_at_end = False
    check_sorted = False  # of the SDK, which takes 10:00:00Z for later than 10:00:00.5Z
    _bookmark: Any = None
    _bookmark_column: str | None = None  # of what moves the bookmark, if anything does
    _state_before: Mapping[str, Any]
    _latest: Any = None
    _latest_place: Any = None

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
        if not self.is_sorted:
            return
        self._bookmark_column = self.replication_key
        self._state_before = dict(self.stream_state)
        key = self._state_before.get("replication_key")
        if key is not None and key != self.replication_key:
            self._drop_bookmark(f"another field ({key})")
        self._bookmark = self.stream_state.get("replication_key_value")
        self._check_bookmark()

    def check_scope(self, host: str, query: Any) -> None:
        """Make sure that the bookmark belongs to this query on this host; drop it otherwise.

        Runs on the thread that fetches, while the other one waits for the first row.

        Args:
            host: Of the instance.
            query: What is asked of it, as JSON can hold it.
        """
        if not self.is_sorted:
            return
        text = msgspec.json.encode(query, order="sorted")
        scope = {"looker_host": host, "looker_query": hashlib.sha256(text).hexdigest()[:16]}
        known = self._state_before
        if known.get(instances.COLUMN) != self.instance and known:
            self._drop_bookmark(instances.other(known.get(instances.COLUMN)))
        elif known.get("looker_host", host) != host:
            self._drop_bookmark(f"another instance ({known['looker_host']})")
        elif known.get("looker_query", scope["looker_query"]) != scope["looker_query"]:
            self._drop_bookmark("another query of that name")
        if self.instance:
            scope[instances.COLUMN] = self.instance
        self.stream_state.update(scope)

    def _drop_bookmark(self, owner: str) -> None:
        if self._state_before.get("replication_key_value") is not None:
            self.logger.warning(
                "The bookmark of %s in the state belongs to %s: reading from the start.",
                self.name,
                owner,
            )
        self.stream_state.clear()
        self._bookmark, self._state_before = None, {}

    def _check_bookmark(self) -> None:
        types = self.schema["properties"].get(self.replication_key, {}).get("type", [])
        is_number = not {"integer", "number"}.isdisjoint(
            [types] if isinstance(types, str) else types
        )
        fits = isinstance(self._bookmark, (int, float, Decimal) if is_number else str)
        fits = fits and not isinstance(self._bookmark, bool)
        fits = fits and (not is_number or math.isfinite(self._bookmark))
        if self._bookmark is not None and not fits:
            shown = json.dumps(self._bookmark, default=str, ensure_ascii=False)
            raise LookerError(
                f"The bookmark of {self.name} in the state, {shown}, is not of the type"
                f" of {self.replication_key}: correct it, or take it out to read from the start."
            )

    def restart(self, newest: Any) -> None:
        """Drop a bookmark that lies beyond everything that the instance has.

        Runs on the thread that fetches, while the other one waits for the first row.
        """
        self.logger.warning(
            "The bookmark of %s (%s) is beyond the newest row of this instance (%s), as after a"
            " migration: reading from the start.",
            self.name,
            self._bookmark,
            newest,
        )
        self._bookmark = None
        self.stream_state.pop("replication_key_value", None)

    def moves_bookmark(self, record: Row) -> bool:
        """Rows behind the bookmark that are read again do not move it back.

        Raises:
            CutResultError: The rows do not come in order: what lies behind the bookmark would not
                be known.
        """
        value = record.get(self._bookmark_column) if self._bookmark_column else None
        if value is None:
            return False
        place = _comparable(value)
        if self._latest is None or place >= self._latest_place:
            self._latest, self._latest_place = value, place
        elif not self.moves_at_end:
            raise CutResultError("The rows are not in the requested order.")
        if self.moves_at_end:
            return False
        return self._bookmark is None or place > _comparable(self._bookmark)

    def get_records(self, context: Any) -> Iterator[Row]:
        """Records in the order of their pages; the bookmark that moves at the end does so here."""
        yield from super().get_records(context)
        if self.moves_at_end and self._latest is not None:
            known = [one for one in (self._latest, self._bookmark) if one is not None]
            newest = max(known, key=_comparable)
            self.stream_state.update(
                {"replication_key": self.replication_key, "replication_key_value": newest}
            )

    def sync_failed(self, error: Exception) -> None:
        """Keep the other streams going, and of a stream in disorder the bookmark it began with."""
        if self._bookmark_column and isinstance(error, CutResultError):
            self.stream_state.clear()
            self.stream_state.update(self._state_before)
        super().sync_failed(error)

    def warn_of_repeated_keys(self, where: str, count: int) -> None:
        """Say that some rows share their key, and how to give them another.

        Args:
            where: In the settings.
            count: How many rows, at least.
        """
        self.logger.warning(
            "%s: %d row(s) or more share their primary key (%s) with another, and targets keep only"
            " one of each: set primary_keys in %s to fields that are unique%s.",
            self.name,
            count,
            ", ".join(self.primary_keys),
            where,
            "" if where == "system_activity" else ", or to [] for none",
        )

    def get_replication_key_signpost(self, context: Any = None) -> None:  # noqa: ARG002
        """None: rows come in order, and a bookmark is never later than the last of them."""
        return


def _comparable(value: Any) -> Any:
    """Times with and without fractions of a second, and numbers, in their order."""
    return value.removesuffix("Z") if isinstance(value, str) else value


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
        with closed_at_end(rows) as iterator:
            for row in iterator:
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
