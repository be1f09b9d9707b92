"""How many requests a run has sent, of which kind and for whom, and how many it may send."""

from __future__ import annotations

import threading
from collections import Counter
from contextvars import ContextVar

from tap_looker.errors import BudgetError

BILLED = ("non_query", "db_query")
READER: ContextVar[str] = ContextVar("reader", default="")
"""For which stream requests are sent."""


class CallCounter:
    """Counts requests, and refuses those beyond a limit.

    Attributes:
        by_billing: How many were sent, by billing (``x-looker-activity-type`` in the OpenAPI
            document): ``non_query``, ``db_query``, ``none``; and ``login``.
        by_reader: The same, by :data:`READER`.

    Args:
        limit: The most that are billed; None for no limit.
    """

    def __init__(self, limit: int | None) -> None:
        self.by_billing: Counter[str] = Counter()
        self.by_reader: Counter[str] = Counter()
        self._limit = limit
        self._lock = threading.Lock()

    def add(self, what: str, billing: str) -> None:
        """Count a request that is about to be sent.

        Args:
            what: Method and path.
            billing: How Looker bills it.

        Raises:
            BudgetError: It would be one too many.
        """
        with self._lock:
            billed = sum(self.by_billing[kind] for kind in BILLED)
            if self._limit is not None and billing in BILLED and billed >= self._limit:
                raise BudgetError(
                    f"{what}: max_calls ({self._limit}) is used up. Raise it or select fewer "
                    "streams; --access tells what they cost."
                )
            self.by_billing[billing] += 1
            self.by_reader[READER.get()] += 1

    def take_back(self, billing: str) -> None:
        """It was not sent after all."""
        with self._lock:
            self.by_billing[billing] -= 1
            self.by_reader[READER.get()] -= 1
