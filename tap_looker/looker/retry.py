"""What is tried again, after which wait, and how many requests may be in flight.

::

no answer, a body that breaks off     MAX_RETRIES times
429, 502, 503, 504                    MAX_RETRIES times; 429 and 503 pause all threads
500, 200 with a web page              MAX_FAULT_RETRIES times
401                                   once, after a new login; more often if others log in, too
anything else                         not at all
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tap_looker.errors import TimedOutError
from tap_looker.looker.concurrency import POLL_SECONDS, Cancelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_looker.errors import RequestError

MAX_RETRIES = 5
MAX_FAULT_RETRIES = 2  # of 500 and unreadable bodies, which are often there to stay
RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
PAUSING_STATUSES = frozenset({429, 503})
MAX_BACKOFF = 30.0  # seconds
MAX_RETRY_AFTER = 600.0  # seconds; if Looker asks for more, the request has failed


class RetriableError(Exception):
    """A failure that may pass.

    Attributes:
        error: What it is if it does not.
        retries: How often the request may be tried again.
        after: Seconds to wait, where Looker says so.
        is_stale_token: A token was refused that another thread has seen refused before.
    """

    def __init__(
        self,
        error: RequestError,
        *,
        retries: int = MAX_RETRIES,
        after: float | None = None,
        is_stale_token: bool = False,
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.retries = retries
        self.after = after
        self.is_stale_token = is_stale_token

    @property
    def is_slow(self) -> bool:
        """The request took too long, and may take as long again."""
        return isinstance(self.error, TimedOutError)


class RequestSlots:
    """How many requests may be in flight, and the pauses that all of them keep.

    Args:
        size: The most requests at once.
        stop: Ends all waits.
    """

    def __init__(self, size: int, stop: threading.Event) -> None:
        self._stop = stop
        self._slots = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._paused_until = 0.0

    @contextmanager
    def slot(self) -> Iterator[None]:
        """A turn, outside of pauses: a pause begins before the slot of its request is free."""
        while True:
            self.wait()
            while not self._slots.acquire(timeout=POLL_SECONDS):
                if self._stop.is_set():
                    raise Cancelled
            try:
                if time.monotonic() < self._paused_until:
                    continue
                yield
            except RetriableError as failure:
                if failure.after and failure.after <= MAX_RETRY_AFTER:
                    self._pause_all(failure.error.status, failure.after)
                raise
            finally:
                self._slots.release()
            return

    def pause(self, status: int | None, seconds: float) -> None:
        """Wait before a request is tried again; all wait if the status speaks to all."""
        until = time.monotonic() + seconds
        if not self._pause_all(status, seconds):
            self.wait(until)

    def _pause_all(self, status: int | None, seconds: float) -> bool:
        if status not in PAUSING_STATUSES:
            return False
        with self._lock:
            self._paused_until = max(self._paused_until, time.monotonic() + seconds)
        return True

    def wait(self, until: float = 0.0) -> None:
        """Wait for a time on the monotonic clock and for the end of the pause.

        Raises:
            Cancelled: The run was asked to end.
        """
        while (left := max(until, self._paused_until) - time.monotonic()) > 0:
            if self._stop.wait(min(left, POLL_SECONDS * 10)):
                raise Cancelled
