"""Ordered, bounded overlap of work on threads.

Work overlaps in two ways, and both keep their order and a bound on what waits in memory:
:func:`ordered_map` runs calls of one iterable at the same time, and :class:`Prefetcher` runs
iterables that come later while an earlier one is being consumed. :class:`ReplayableIterator` lets
several of them read one iterable.

All threads are daemons: a `concurrent.futures` executor would be joined when the interpreter
ends, and a request that hangs would hold it up.
"""

from __future__ import annotations

import queue
import tempfile
import threading
import traceback
from collections import deque
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
R = TypeVar("R")

POLL_SECONDS = 0.1  # seconds between looks at the stop flag while something is awaited
MAX_WAITING = 2  # items of a lane that may wait for their consumer

_thread = threading.local()


@contextmanager
def closed_at_end(items: Iterable[T]) -> Iterator[Iterator[T]]:
    """An iterator that is closed when its consumer ends, however it ends.

    A generator that is suspended inside ``with`` holds what it holds (a slot, a connection) as long
    as anybody refers to it, and the traceback of its consumer's error does.
    """
    iterator = iter(items)
    try:
        yield iterator
    finally:
        close = getattr(iterator, "close", None)
        if close:
            close()


def let_go(error: BaseException | None) -> None:
    """Release what the frames of an error hold: it may be kept, and logged with its traceback."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:  # an error can be its own cause
        seen.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


class Cancelled(Exception):  # noqa: N818
    """The stop flag was set while something was awaited."""


class DaemonThreadPool:
    """A pool of threads, started as they are needed."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._tasks: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._started = 0

    def submit(self, call: Callable[[], R]) -> Future[R]:
        """Run a call on one of the threads, in the context of the caller (`contextvars`)."""
        future: Future[R] = Future()
        call = partial(copy_context().run, call)
        with self._lock:
            self._tasks.put((future, call))
            if self._idle >= self._tasks.qsize() or self._started == self.size:
                return future
            self._started += 1
        threading.Thread(target=self._work, daemon=True).start()
        return future

    def _work(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            future, call = self._tasks.get()
            with self._lock:
                self._idle -= 1
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:  # noqa: BLE001
                    future.set_exception(error)
            del future, call


def ordered_map(
    workers: DaemonThreadPool,
    call: Callable[[T], R],
    items: Iterable[T],
    most: Callable[[], int] | None = None,
) -> Iterator[tuple[T, Future[R]]]:
    """Call with every item, several at a time, and give the outcomes in the items' order.

    As many calls are under way or waiting as there are workers; a quarter of it in a lane that
    nobody waits for yet. `most` can make them fewer, at least one.
    """
    waiting: deque[tuple[T, Future[R]]] = deque()

    def is_full() -> bool:
        window = _window(workers.size)
        return len(waiting) >= (max(1, min(window, most())) if most else window)

    try:
        for item in items:
            while is_full():
                yield _done(waiting.popleft())
            waiting.append((item, workers.submit(lambda item=item: call(item))))  # type: ignore[misc]
        while waiting:
            yield _done(waiting.popleft())
    finally:
        for _, future in waiting:
            future.cancel()


def _done(pair: tuple[T, Future[R]]) -> tuple[T, Future[R]]:
    pair[1].exception()  # waits, and raises nothing
    return pair


def _window(size: int) -> int:
    lane = getattr(_thread, "lane", None)
    return size if lane is None or lane.awaited else max(2, size // 4)


class ReadAhead(Generic[T]):
    """An iterable that a thread of its own reads ahead of its consumer.

    Iterating raises what the iterable raised, and :class:`Cancelled` when ``stop`` is set.

    Args:
        make: Makes the iterable, on that thread.
        stop: Ends all waits.
        when_read: Called on that thread when there is no more to read.
    """

    def __init__(
        self,
        make: Callable[[], Iterable[T]],
        stop: threading.Event,
        when_read: Callable[[], None] = lambda: None,
    ) -> None:
        self.awaited = False
        self._is_read = False
        self._when_read = when_read
        self._closed = threading.Event()
        self._stop = stop
        self._queue: queue.Queue[tuple[bool, Any]] = queue.Queue(MAX_WAITING)
        threading.Thread(target=self._read, args=(make,), daemon=True).start()

    def _read(self, make: Callable[[], Iterable[T]]) -> None:
        _thread.lane = self
        last: BaseException = StopIteration()
        items: Any = None
        try:
            items = iter(make())
            for item in items:
                if not self._put((True, item)):
                    break
        except BaseException as error:  # noqa: BLE001
            last = error
        if hasattr(items, "close"):
            items.close()
        let_go(last)
        self._put((False, last))
        self._is_read = True
        self._when_read()

    @property
    def held(self) -> int:
        """How many items wait, and one more while it may be read; the mark of the end is none."""
        return max(0, self._queue.qsize() + (-1 if self._is_read else 1))

    def _put(self, item: tuple[bool, Any]) -> bool:
        while not (self._closed.is_set() or self._stop.is_set()):
            try:
                self._queue.put(item, timeout=POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def __iter__(self) -> Iterator[T]:
        self.awaited = True
        try:
            while True:
                is_item, item = self._get()
                if is_item:
                    yield item
                elif isinstance(item, StopIteration):
                    return
                else:
                    raise item
        finally:
            self.close()

    def _get(self) -> tuple[bool, Any]:
        while True:
            if self._stop.is_set():
                raise Cancelled
            try:
                return self._queue.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue

    def close(self) -> None:
        """Read no further; what is under way is left to end by itself."""
        self._closed.set()


class Prefetcher(Generic[T]):
    """Iterables that are consumed one after the other, and read ahead meanwhile.

    Args:
        makers: What makes each iterable, by name, in the order they will be consumed.
        ahead: No further iterable is begun while this many items wait or are being read.
        stop: Ends all waits.
        alone: Names of those that are not read before their turn: they hold on to something while
            they wait for their consumer.
    """

    def __init__(
        self,
        makers: dict[str, Callable[[], Iterable[T]]],
        ahead: int,
        stop: threading.Event,
        alone: Iterable[str] = (),
    ) -> None:
        self._alone = {name: makers[name] for name in alone}
        self._coming = {name: make for name, make in makers.items() if name not in self._alone}
        self._ahead = ahead
        self._stop = stop
        self._lock = threading.Lock()
        self._lanes: dict[str, ReadAhead[T]] = {}

    def open(self, name: str) -> Iterator[T]:
        """The items of one iterable; those after it are started too."""
        with self._lock:
            if name not in self._lanes:
                self._start(name, self._alone if name in self._alone else self._coming)
            lane = self._lanes[name]
        self._start_more()
        try:
            for item in lane:
                self._start_more()
                yield item
        finally:
            lane.close()
            with self._lock:
                del self._lanes[name]

    def _start(self, name: str, makers: dict[str, Callable[[], Iterable[T]]]) -> None:
        self._lanes[name] = ReadAhead(makers[name], self._stop, self._start_more)
        del makers[name]

    def _start_more(self) -> None:
        with self._lock:
            while self._coming and not self._stop.is_set() and self._held() < self._ahead:
                self._start(next(iter(self._coming)), self._coming)

    def _held(self) -> int:
        return sum(lane.held for lane in self._lanes.values())

    def close(self) -> None:
        """Read nothing ahead any more."""
        with self._lock:
            self._coming.clear()
            for lane in self._lanes.values():
                lane.close()


class ReplayableIterator(Generic[T]):
    """An iterable that several threads read, each from its start, and that is read once.

    What the first reader gets is kept in a temporary file for the others: memory does not grow.
    An error is raised to every reader, at its place.

    Args:
        source: Items that JSON can hold.
        readers: How many will read it; for one alone nothing is kept.
    """

    def __init__(self, source: Iterator[T], readers: int) -> None:
        self._source = source
        self._keep = readers > 1
        self._lock = threading.Lock()
        self._ends = [0]
        self._outcome: BaseException | None = None
        self._file: Any = None

    def read(self, decode: Callable[[bytes], T] = msgspec.json.decode) -> Iterator[T]:
        """All items.

        Args:
            decode: What makes an item of its JSON. It may leave out what this reader does not want;
                what nobody had read before comes whole all the same.
        """
        position = 0
        while True:
            with self._lock:
                if position + 1 < len(self._ends):
                    item = decode(self._load(position))
                elif self._outcome is None:
                    try:
                        item = next(self._source)
                        self._store(item)
                    except BaseException as error:  # noqa: BLE001
                        self._outcome = error
                        continue
                else:
                    if isinstance(self._outcome, StopIteration):
                        return
                    raise self._outcome
            position += 1
            yield item

    def close(self) -> None:
        """Drop what was kept, unless somebody still reads."""
        if self._lock.acquire(blocking=False):
            try:
                if self._file:
                    self._file.close()
            finally:
                self._lock.release()

    def _store(self, item: T) -> None:
        if not self._keep:
            self._ends.append(0)
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._file.seek(self._ends[-1])
        self._ends.append(self._ends[-1] + self._file.write(msgspec.json.encode(item)))

    def _load(self, position: int) -> bytes:
        start, end = self._ends[position : position + 2]
        self._file.seek(start)
        item: bytes = self._file.read(end - start)
        return item
