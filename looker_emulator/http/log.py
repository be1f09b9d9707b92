"""The log of calls, and how many were served at once."""

from __future__ import annotations

import time
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from looker_emulator.http.request import Call


class CallLog:
    """Every call in order of arrival."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.in_flight = self.max_in_flight = 0

    def count(self, path: str | None = None, method: str | None = None) -> int:
        """The number of calls, optionally for a glob of paths and a method."""
        return sum(
            fnmatchcase(call.path, path or "*") and method in (None, call.method)
            for call in list(self.calls)
        )

    def reset(self) -> None:
        """Forget the calls so far, and how many were served at once."""
        self.calls.clear()
        self.max_in_flight = self.in_flight

    @contextmanager
    def recorded(self, call: Call) -> Iterator[None]:
        """Record a call while it is served."""
        self.calls.append(call)
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            yield
        finally:
            self.in_flight -= 1
            call.ended = time.monotonic()
