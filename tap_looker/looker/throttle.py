"""How many requests may be in flight, and the pauses that all of them keep.

Additive increase, multiplicative decrease: the number falls when Looker turns requests away, and
grows back while they succeed.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque

from tap_looker.looker.threads import POLL_SECONDS, Cancelled

DECREASE = 0.75  # of the requests in flight, when one is turned away
PROBE_SECONDS = 10.0  # until one more is tried than was turned away
MAX_PROBE_SECONDS = 600.0
PROBES_PER_PAUSE = 10  # a pause may cost a tenth of the time between two such trials
SPREAD = 0.25  # seconds over which requests start after a pause
IDLE_SECONDS = 1.0  # an answer that is not read for so long keeps nobody else waiting


class Turn:
    """A request that is in flight."""

    def __init__(self, slots: RequestSlots, number: int, others: list[Turn]) -> None:
        self._slots = slots
        self.number = number
        #: Those that were in flight when it began, for as long as it is itself.
        self.others = others
        self.was_refused = False
        self.read_at: float | None = None

    def read(self) -> None:
        """Something of a long answer has been read."""
        self.read_at = time.monotonic()
        self._slots.progress()

    def succeeded(self) -> None:
        """It was answered."""
        self._slots.succeeded(self)

    def refused(self, pause: float) -> None:
        """It was turned away, and all are to pause.

        To be called while it is in flight: its place is not free before the pause begins.
        """
        self._slots.refused(self, pause)

    def end(self) -> None:
        """It is in flight no more."""
        self._slots.end(self)


class RequestSlots:
    """How many requests may be in flight, and the pauses that all of them keep.

    At most `size`, and fewer when Looker turns requests away: as many then as were not turned away
    at the same time. After that the number grows by one each time as many have succeeded, up to
    where requests were turned away; and beyond it one at a time, the more seldom the more of these
    trials fail. Who waits for a turn gets it in the order of coming.

    Args:
        size: The most requests at once.
        stop: Ends all waits.
    """

    def __init__(self, size: int, stop: threading.Event) -> None:
        self._stop = stop
        self._size = size
        self._lock = threading.Lock()
        self._queue: deque[threading.Event] = deque()
        self._in_flight: set[Turn] = set()
        self._count = 0
        self._limit = float(size)
        self._too_many = size + 1
        self._proofs = 0
        self._fall = 0  # the last turn that began before the number fell
        self._turned_away: list[Turn] = []
        self._probe_at = 0.0
        self._probe_wait = PROBE_SECONDS
        self._paused_until = 0.0
        self._next_start = 0.0
        self._is_after_pause = False
        self._to_spread = 0
        self._progress_at = 0.0
        self._failing_since: float | None = None

    @property
    def limit(self) -> int:
        """How many may be in flight for now."""
        return int(self._limit)

    def take(self) -> Turn:
        """Wait for a turn, outside of pauses.

        Raises:
            Cancelled: The run was asked to end.
        """
        called = threading.Event()
        with self._lock:
            self._queue.append(called)
        try:
            while True:
                called.clear()
                with self._lock:
                    wait = self._until_start(called)
                    if wait is None:
                        return self._begin()
                if self._stop.is_set():
                    raise Cancelled
                called.wait(min(wait, POLL_SECONDS))
        finally:
            with self._lock:
                self._queue.remove(called)
                self._call_next()

    def take_none(self) -> Turn:
        """What a request gets that happens within the turn of another: it keeps the pauses.

        Raises:
            Cancelled: The run was asked to end.
        """
        self.wait()
        return Turn(self, 0, [])

    def _until_start(self, called: threading.Event) -> float | None:
        """Seconds after which to look again; None if it is its turn."""
        if self._queue[0] is not called:
            return POLL_SECONDS
        now = time.monotonic()
        start = max(self._paused_until, self._next_start)
        if now < start:
            return start - now
        idle = sum(
            turn.read_at is not None and now - turn.read_at > IDLE_SECONDS
            for turn in self._in_flight
        )
        taken = len(self._in_flight)
        if taken < self._size and taken - idle < self.limit:
            return None
        return POLL_SECONDS

    def _begin(self) -> Turn:
        if self._is_after_pause:
            self._is_after_pause, self._to_spread = False, self.limit
        if self._to_spread > 1:
            self._to_spread -= 1
            gap = random.uniform(0, 2 * SPREAD / self.limit)  # noqa: S311
            self._next_start = time.monotonic() + gap
        self._count += 1
        turn = Turn(self, self._count, list(self._in_flight))
        self._in_flight.add(turn)
        return turn

    def _call_next(self) -> None:
        if self._queue:
            self._queue[0].set()

    def end(self, turn: Turn) -> None:
        """See :meth:`Turn.end`."""
        with self._lock:
            self._in_flight.discard(turn)
            if not turn.was_refused:
                turn.others = []
            self._call_next()

    def succeeded(self, turn: Turn) -> None:
        """See :meth:`Turn.succeeded`."""
        self.progress()
        with self._lock:
            now = time.monotonic()
            at_once = 1 + sum(not other.was_refused for other in turn.others)
            if turn.number > self._fall and at_once >= self._too_many:
                self._proofs += 1
                if self._proofs >= self._too_many:
                    self._too_many, self._proofs = at_once + 1, 0
                    self._probe_wait = max(PROBE_SECONDS / 10, self._probe_wait / 2)
                    self._probe_at = now + self._probe_wait
            if len(self._in_flight) >= self.limit:
                most = self._too_many - (now < self._probe_at)
                grown = min(self._limit + 1 / self._limit, most, self._size)
                self._limit = max(self._limit, grown)

    def refused(self, turn: Turn, pause: float) -> None:
        """See :meth:`Turn.refused`."""
        self.pause(pause)
        if not turn.number:
            return
        with self._lock:
            turn.was_refused = True
            if turn.number > self._fall:
                self._fall = self._count  # what is in flight now makes it fall no further
                for one in self._turned_away:
                    one.others = []
                self._turned_away.clear()
                self._limit = max(1.0, self._limit * DECREASE)
                self._probe_at = time.monotonic() + max(self._probe_wait, PROBES_PER_PAUSE * pause)
                self._probe_wait = min(2 * self._probe_wait, MAX_PROBE_SECONDS)
            self._turned_away.append(turn)
            accepted = max(
                sum(not other.was_refused for other in one.others) for one in self._turned_away
            )
            self._limit = max(1.0, min(self._limit, accepted))
            if accepted:  # where everything is turned away, the number is not to blame
                self._too_many, self._proofs = accepted + 1, 0

    def progress(self) -> None:
        """Looker has given something."""
        self._progress_at = time.monotonic()
        self._failing_since = None

    def failing_since(self, moment: float) -> float:
        """When the first failure was after which nothing has succeeded; at the latest `moment`."""
        with self._lock:
            if self._failing_since is None:
                self._failing_since = moment
            return self._failing_since

    def has_progressed_since(self, moment: float) -> bool:
        """Whether Looker has given something since then."""
        return self._progress_at >= moment

    def pause(self, seconds: float) -> None:
        """Have all requests wait before they start, and start one after the other then."""
        with self._lock:
            until = time.monotonic() + seconds
            if until > self._paused_until:
                self._paused_until = until
                self._is_after_pause = True

    def wait(self, until: float = 0.0) -> None:
        """Wait for a time on the monotonic clock and for the end of the pause.

        Raises:
            Cancelled: The run was asked to end.
        """
        while (left := max(until, self._paused_until) - time.monotonic()) > 0:
            if self._stop.wait(min(left, POLL_SECONDS * 10)):
                raise Cancelled
