"""What is tried again, how often and after which wait.

::

no answer, a body that breaks off     for max_retry_time
408, 429, 502, 503, 504, 520 to 524   for max_retry_time; 429 and 503 pause all threads, and fewer
                                      requests are in flight at once from then on
200 with broken JSON                  MAX_BODY_RETRIES times
500, 200 with a web page              MAX_FAULT_RETRIES times
401                                   once, after a new login; more often if others log in, too
anything else                         not at all

Of one item among many (an explore, the sessions of a user), a time-out or a gateway's error may be
the item's own fault, and is tried again MAX_ITEM_RETRIES times.

The time runs from the first failure, and for 429 and 503 only while no request succeeds: who has to
queue has not failed. Once nothing has succeeded for all of it, a further request is tried again
just once: an instance that is gone does not keep every stream waiting in turn.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from tap_looker.errors import TimedOutError

if TYPE_CHECKING:
    from tap_looker.errors import RequestError
    from tap_looker.looker.throttle import RequestSlots

MAX_RETRY_TIME = 600.0  # seconds
MAX_REFUSALS = 5  # of tokens of one request, while others log in too
MAX_BODY_RETRIES = 5  # of answers that are no JSON
MAX_FAULT_RETRIES = 2  # of 500 and web pages, which are often there to stay
TIMEOUT_STATUSES = frozenset({408, 504, 524})
PASSING_STATUSES = frozenset({408, 429, 502, 503, 504, *range(520, 525)})
PAUSING_STATUSES = frozenset({429, 503})
LASTING_STATUSES = PASSING_STATUSES - PAUSING_STATUSES
MAX_ITEM_RETRIES = 1  # of what may be the fault of one item among many
FIRST_BACKOFF = 1.0  # seconds; each wait is up to twice as long as the one before
MAX_BACKOFF = 60.0  # seconds


def lasts(error: RequestError) -> bool:
    """It was tried again in vain, and may be the fault of what was asked for."""
    return isinstance(error, TimedOutError) or error.status in LASTING_STATUSES


class RetriableError(Exception):
    """A failure that may pass.

    Attributes:
        error: What it is if it does not.
        retries: How often the request may be tried again; None where only time counts.
        after: Seconds to wait, where Looker says so.
        is_stale_token: A token was refused that another thread has seen refused before.
    """

    def __init__(
        self,
        error: RequestError,
        *,
        retries: int | None = None,
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

    @property
    def is_for_all(self) -> bool:
        """Looker wants less of everything, and not only of this request."""
        return self.error.status in PAUSING_STATUSES


class Tries:
    """What has become of one request so far, and how long it goes on.

    Args:
        slots: Know how the others fare.
        patience: Seconds.
        is_first_contact: There may be no Looker at all.
        is_brief: What lasts may be the fault of what is asked for, and is given up soon.
        repeat_slow: Ask again after a time-out.
        repeat_faults: Ask again after a 500.
    """

    def __init__(
        self,
        slots: RequestSlots,
        patience: float,
        *,
        is_first_contact: bool = False,
        is_brief: bool = False,
        repeat_slow: bool = True,
        repeat_faults: bool = True,
    ) -> None:
        self._slots = slots
        self._patience = patience
        self._is_first_contact = is_first_contact
        self._is_brief = is_brief
        self._repeat_slow = repeat_slow
        self._repeat_faults = repeat_faults
        self._logins = self._refusals = 0
        self._first = self._last = 0.0
        self._count = self._counted = 0
        self._vain = 0

    def token_refused(self, problem: RetriableError) -> None:
        """Note that a token was refused.

        Raises:
            RequestError: There is to be no next one.
        """
        self._refusals += 1
        self._logins += not problem.is_stale_token
        if self._logins > 1 or self._refusals > MAX_REFUSALS:
            raise problem.error from problem.__cause__

    def wait_after(self, problem: RetriableError) -> float:
        """Seconds to wait before the next one.

        Raises:
            RequestError: There is to be no next one.
        """
        is_fault = problem.error.status == 500  # noqa: PLR2004
        if (problem.is_slow and not self._repeat_slow) or (is_fault and not self._repeat_faults):
            raise problem.error from problem.__cause__
        now = time.monotonic()
        self._vain = 1 if self._slots.has_progressed_since(self._last) else self._vain + 1
        self._first = self._first or now
        self._last = now
        self._count += 1
        retries = problem.retries
        if self._is_brief and lasts(problem.error):
            retries = MAX_ITEM_RETRIES if problem.error.status else 0
        if self._is_first_contact and problem.error.status is None:
            retries = MAX_FAULT_RETRIES
        if retries is not None:
            self._counted += 1
            if self._counted > retries:
                raise problem.error from problem.__cause__
        return self._wait(problem, now)

    def pause_after(self, problem: RetriableError) -> float:
        """Seconds for which all others had better wait, too; to be called after `wait_after`."""
        return _backoff(self._vain) if problem.after is None else problem.after

    def _wait(self, problem: RetriableError, now: float) -> float:
        since = self._slots.failing_since(now)
        if not problem.is_for_all:
            since = min(since, self._first)
        left = since + self._patience - now
        after = problem.after or 0.0
        why = ""
        if after > self._patience:
            why = f"It asks to wait for {after:,.0f} s (Retry-After), longer than max_retry_time"
        elif left <= 0 and (self._count > 1 or not self._patience):
            why = "It did not pass within max_retry_time"
        if why:
            problem.error.message += f" {why} ({self._patience:g} s)."
            raise problem.error from problem.__cause__
        if problem.after is None:
            wait = _backoff(self._count)
        else:  # what Looker asks for, and more where that was not enough
            wait = _backoff(self._count - 1, max(after, FIRST_BACKOFF))
        return max(after, min(wait, left) if left > 0 else wait)


def _backoff(count: int, first: float | None = None) -> float:
    longest = (FIRST_BACKOFF if first is None else first) * 2.0 ** min(count - 1, 30)
    longest = min(MAX_BACKOFF, longest) if count else 0
    return random.uniform(longest / 2, longest)  # noqa: S311
