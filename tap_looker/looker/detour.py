"""Lists in which Looker cannot render a row: any page that holds it is an HTTP 500.

The rows around it are read in smaller and smaller pages, until it is alone and left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from tap_looker.errors import RequestError
from tap_looker.looker.offset_paging import identity

if TYPE_CHECKING:
    from collections.abc import Callable

    Row = dict[str, Any]

    class Get(Protocol):
        """Gives rows from an offset on, and whether they are the last."""

        def __call__(
            self, offset: int, limit: int, *, repeat_faults: bool
        ) -> tuple[list[Row], bool]:
            """With retries after a 500 or without."""


FAULT = 500
MAX_ROWS = 10  # of one list that are left out; more are the list's fault
PROBES = (0, 1, 2, 4, 16, 64)  # rows from the start of a page on: if none comes, none will


class Detour:
    """The way around rows of one list.

    Args:
        get: Reads rows.
        skip: Is told of each row that is left out.
        keys: Primary key of a row, for messages.
    """

    def __init__(self, get: Get, skip: Callable[[str], None], keys: tuple[str, ...]) -> None:
        self._get = get
        self._skip = skip
        self._keys = keys
        self._bad: dict[int, str] = {}
        self._told: set[int] = set()

    def page(self, offset: int, size: int, error: RequestError) -> tuple[list[Row | None], int]:
        """A page that failed as a whole; None stands for a row that cannot be read.

        It may be longer than asked for, so that it ends with a row that can be read.

        Args:
            offset: Where it begins.
            size: How many rows it holds.
            error: How it failed.

        Returns:
            The rows, and how many the list has up to their end; one more if it goes on.

        Raises:
            RequestError: The list is broken as a whole, or too many rows are.
        """
        if not self._is_any_readable(offset):
            raise error
        rows, is_last = self._read(offset, size)
        while rows and rows[-1] is None and not is_last:
            more, is_last = self._read(offset + len(rows), 1)
            rows += more
        for place, row in enumerate(rows):
            if row is None and offset + place not in self._told:
                self._told.add(offset + place)
                self._skip(f"{self._bad[offset + place]} {self._where(rows, offset, place)}")
        return rows, offset + len(rows) + (not is_last)

    def _is_any_readable(self, offset: int) -> bool:
        for place in PROBES:
            try:
                rows, _ = self._get(offset + place, 1, repeat_faults=False)
            except RequestError as error:
                if error.status != FAULT:
                    raise
            else:
                return bool(rows)  # none: the list has ended
        return False

    def _read(self, offset: int, limit: int) -> tuple[list[Row | None], bool]:
        try:
            found, is_last = self._get(offset, limit, repeat_faults=limit == 1)
            return list(found), is_last
        except RequestError as error:
            if error.status != FAULT:
                raise
            if limit == 1:
                self._bad[offset] = error.message
                if len(self._bad) > MAX_ROWS:
                    error.message += f" More than {MAX_ROWS} rows of this list cannot be read."
                    raise
                return [None], False
        half = limit // 2
        rows, is_last = self._read(offset, half)
        if is_last or len(rows) < half:
            return rows, is_last
        more, is_last = self._read(offset + half, limit - half)
        return rows + more, is_last

    def _where(self, rows: list[Row | None], offset: int, place: int) -> str:
        """Where a row is, for somebody who looks for it."""
        before = next((row for row in reversed(rows[:place]) if row is not None), None)
        key = identity(before, self._keys) if before else None
        after = f", after {self._keys[0]} {' '.join(key)}" if key else ""
        return f"It is the row at offset {offset + place}{after}."
