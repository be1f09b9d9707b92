"""Overlap keeps its order and its bounds, and ends when it is told to."""

from __future__ import annotations

import json
import threading
import time
from itertools import count, islice

import pytest

from tap_looker.looker.threads import (
    MAX_WAITING,
    Cancelled,
    DaemonThreadPool,
    Prefetcher,
    ReadAhead,
    ReplayableIterator,
    ordered_map,
)
from tap_looker.resources import fields

PATIENCE = 10.0  # seconds until a test that hangs has failed


def until(condition):
    """Wait for what other threads will have done soon."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def settled(value):
    """A number that other threads count up, once it has stopped growing."""
    last, since = value(), time.monotonic()
    while time.monotonic() - since < 0.3:
        time.sleep(0.01)
        if value() != last:
            last, since = value(), time.monotonic()
    return last


class Calls:
    """Calls that say they have begun, and go on when they are let."""

    def __init__(self):
        self.begun = []
        self.now = self.most = 0
        self.lock = threading.Lock()
        self.gate = threading.Event()

    def __call__(self, item):
        with self.lock:
            self.begun.append(item)
            self.now += 1
            self.most = max(self.most, self.now)
        assert self.gate.wait(PATIENCE)
        with self.lock:
            self.now -= 1
        return item * 10


@pytest.fixture
def stop():
    stop = threading.Event()
    yield stop
    stop.set()


# --------------------------------------------------------------------------------- DaemonThreadPool


def test_the_thread_pool_runs_as_many_calls_at_once_as_there_are():
    workers, calls = DaemonThreadPool(3), Calls()
    futures = [workers.submit(lambda n=n: calls(n)) for n in range(10)]
    until(lambda: len(calls.begun) == 3)
    assert settled(lambda: len(calls.begun)) == 3
    calls.gate.set()
    assert [future.result(PATIENCE) for future in futures] == [n * 10 for n in range(10)]
    assert calls.most == 3


def test_the_thread_pool_starts_no_thread_that_is_not_needed():
    workers = DaemonThreadPool(8)
    names = set()
    for _ in range(20):
        workers.submit(lambda: names.add(threading.get_ident())).result(PATIENCE)
        until(lambda: workers._idle == workers._started)
    assert len(names) == 1


def test_the_thread_pool_outlives_errors():
    workers = DaemonThreadPool(1)

    def fail():
        raise SystemExit(3)

    assert isinstance(workers.submit(fail).exception(PATIENCE), SystemExit)
    assert workers.submit(lambda: 7).result(PATIENCE) == 7


def test_the_thread_pool_does_not_hold_up_the_end_of_the_process():
    workers = DaemonThreadPool(1)
    daemon = workers.submit(lambda: threading.current_thread().daemon)
    assert daemon.result(PATIENCE) is True


# -------------------------------------------------------------------------------------- ordered_map


def test_ordered_map_keeps_the_order_whoever_is_first():
    workers, done = DaemonThreadPool(4), [threading.Event() for _ in range(4)]

    def call(n):
        if n + 1 < len(done):
            assert done[n + 1].wait(PATIENCE)  # the last one is the first to be ready
        done[n].set()
        return n * 10

    outcomes = [(n, future.result()) for n, future in ordered_map(workers, call, range(4))]
    assert outcomes == [(0, 0), (1, 10), (2, 20), (3, 30)]


def test_ordered_map_takes_no_more_items_than_may_wait():
    workers, calls, taken = DaemonThreadPool(3), Calls(), []
    calls.gate.set()
    outcomes = ordered_map(workers, calls, (taken.append(n) or n for n in count()))
    assert taken == []
    for n in range(20):
        assert next(outcomes)[1].result() == n * 10
        assert len(taken) <= n + 1 + 3
        assert len(calls.begun) <= len(taken)
    outcomes.close()
    assert len(taken) <= 20 + 3
    assert calls.most <= 3


def test_ordered_map_gives_errors_at_their_place():
    def call(n):
        if n == 2:
            raise ValueError(n)
        return n

    outcomes = list(ordered_map(DaemonThreadPool(2), call, range(5)))
    assert [n for n, _ in outcomes] == [0, 1, 2, 3, 4]
    assert [str(future.exception()) for _, future in outcomes] == [
        "None",
        "None",
        "2",
        "None",
        "None",
    ]


def test_ordered_map_closed_early_runs_nothing_more():
    workers, calls = DaemonThreadPool(1), Calls()
    busy = workers.submit(lambda: calls.gate.wait(PATIENCE))
    outcomes = ordered_map(DaemonThreadPool(2), lambda n: n, range(100))
    assert next(outcomes)[0] == 0
    outcomes.close()
    assert list(outcomes) == []

    # What was handed in and has not begun is taken back.
    ran = []
    outcomes = ordered_map(workers, ran.append, range(100))
    reader = threading.Thread(target=lambda: next(outcomes, None))
    reader.start()
    until(lambda: workers._tasks.qsize() == 1)
    calls.gate.set()
    reader.join(PATIENCE)
    outcomes.close()
    assert busy.result(PATIENCE)
    assert workers.submit(lambda: "idle again").result(PATIENCE) == "idle again"
    assert len(ran) <= 2


def test_ordered_map_passes_on_what_its_items_raise():
    def items():
        yield 1
        raise LookupError

    with pytest.raises(LookupError):
        list(ordered_map(DaemonThreadPool(1), lambda n: n, items()))


# ---------------------------------------------------------------------------- ReadAhead, Prefetcher


def test_a_read_ahead_reads_ahead_so_far_and_no_further(stop):
    read = []
    lane = ReadAhead(lambda: (read.append(n) or n for n in count()), stop)
    until(lambda: len(read) > MAX_WAITING)
    assert settled(lambda: len(read)) == MAX_WAITING + 1, "those that wait, and one in the hand"
    assert list(islice(lane, 5)) == [0, 1, 2, 3, 4]
    lane.close()


def test_a_read_ahead_raises_what_its_iterable_raised_after_what_came_before(stop):
    def items():
        yield 1
        yield 2
        raise ValueError("three")

    lane = iter(ReadAhead(items, stop))
    assert [next(lane), next(lane)] == [1, 2]
    with pytest.raises(ValueError, match="three"):
        next(lane)


def test_a_read_ahead_whose_iterable_cannot_be_made_raises_that(stop):
    def make():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        list(ReadAhead(make, stop))


def test_a_read_ahead_that_is_closed_closes_its_iterable(stop):
    closed = threading.Event()

    def items():
        try:
            yield from count()
        finally:
            closed.set()

    lane = ReadAhead(items, stop)
    assert next(iter(lane)) == 0
    lane.close()
    assert closed.wait(PATIENCE)


def never():
    threading.Event().wait()
    yield


@pytest.mark.parametrize("make", [never, count])
def test_a_stop_ends_the_wait_for_a_read_ahead(make):
    stop = threading.Event()
    lane = iter(ReadAhead(make, stop))
    threading.Timer(0.05, stop.set).start()
    with pytest.raises(Cancelled):
        for _ in lane:
            pass


def many_lanes(stop, items_of, *, ahead):
    """Six lanes, their names, and the names of those that have begun."""
    begun = []

    def maker(name):
        def make():
            begun.append(name)
            return items_of(name)

        return make

    names = [f"lane {n}" for n in range(6)]
    return Prefetcher({name: maker(name) for name in names}, ahead=ahead, stop=stop), names, begun


def test_prefetched_iterables_come_in_the_order_they_are_opened_and_begin_before(stop):
    gate, found = threading.Event(), []

    def items_of(name):
        assert gate.wait(PATIENCE)
        return iter([name, name])

    lanes, names, begun = many_lanes(stop, items_of, ahead=3)
    assert begun == []
    reader = threading.Thread(target=lambda: found.extend(lanes.open(names[0])))
    reader.start()
    until(lambda: len(begun) == 3)
    assert settled(lambda: len(begun)) == 3
    assert sorted(begun) == names[:3]
    gate.set()
    reader.join(PATIENCE)
    for name in names[1:]:
        found.extend(lanes.open(name))
    assert found == [name for name in names for _ in range(2)]
    assert sorted(begun) == names


def test_prefetched_iterables_that_hold_little_let_others_begin(stop):
    """While the first is waited for."""
    gate = threading.Event()

    def items_of(name):
        if name == "lane 0":
            assert gate.wait(PATIENCE)
        if name == "lane 2":
            time.sleep(0.05)
        return iter([] if name in ("lane 1", "lane 2") else [name])

    lanes, names, begun = many_lanes(stop, items_of, ahead=3)
    first = threading.Thread(target=lambda: list(lanes.open(names[0])))
    first.start()
    # The first is being read, two have nothing, and one item each of two more is enough.
    until(lambda: len(begun) == 5)
    assert settled(lambda: len(begun)) == 5
    gate.set()
    first.join(PATIENCE)
    assert list(lanes.open(names[5])) == [names[5]]


def test_one_prefetched_iterable_that_fails_leaves_the_others_alone(stop):
    def fail():
        raise ValueError

    lanes = Prefetcher({"a": lambda: [1], "b": fail, "c": lambda: [3]}, ahead=2, stop=stop)
    assert list(lanes.open("a")) == [1]
    with pytest.raises(ValueError):  # noqa: PT011 - it has no message
        list(lanes.open("b"))
    assert list(lanes.open("c")) == [3]


def test_a_read_ahead_that_is_passed_over_holds_nothing_up(stop):
    lanes = Prefetcher({"a": lambda: [1], "b": count, "c": lambda: [3]}, ahead=1, stop=stop)
    assert list(lanes.open("c")) == [3]
    assert list(lanes.open("a")) == [1]
    assert next(lanes.open("b")) == 0


def test_prefetched_iterables_that_are_closed_read_no_further(stop):
    read = []
    lanes = Prefetcher(
        {"a": lambda: [0], "b": lambda: (read.append(n) or n for n in count())}, ahead=2, stop=stop
    )
    assert list(lanes.open("a")) == [0]
    until(lambda: len(read) > MAX_WAITING)
    lanes.close()
    assert settled(lambda: len(read)) == MAX_WAITING + 1


def test_a_read_ahead_nobody_waits_for_yet_takes_few_of_the_workers(stop):
    workers, calls = DaemonThreadPool(8), Calls()
    lanes = Prefetcher(
        {
            "first": lambda: iter([1]),
            "later": lambda: (
                future.result() for _, future in ordered_map(workers, calls, count())
            ),
        },
        ahead=2,
        stop=stop,
    )
    assert next(lanes.open("first")) == 1
    until(lambda: calls.begun)
    assert settled(lambda: len(calls.begun)) == 2
    calls.gate.set()
    later = lanes.open("later")
    assert [next(later) for _ in range(30)] == [n * 10 for n in range(30)]
    later.close()
    stop.set()


# ------------------------------------------------------------------------------- ReplayableIterator


def test_a_replayable_iterator_is_read_once_and_gives_each_reader_all():
    read = []
    source = (read.append(n) or {"n": n, "text": "ü"} for n in range(5))
    shared = ReplayableIterator(source, readers=2)
    first, second = shared.read(), shared.read()
    wanted = [{"n": n, "text": "ü"} for n in range(5)]
    assert next(first) == wanted[0]
    assert list(second) == wanted
    assert list(first) == wanted[1:]
    assert read == [0, 1, 2, 3, 4]


def test_what_one_reader_does_to_an_item_is_not_seen_by_another():
    shared = ReplayableIterator(iter([{"id": 1}]), readers=2)
    for item in shared.read():
        item["id"] = "changed"
    assert list(shared.read()) == [{"id": 1}]


def test_who_comes_later_decodes_what_it_wants():
    shared = ReplayableIterator(iter([["a", "b"], ["c"]]), readers=2)
    first = shared.read(len)
    assert next(first) == ["a", "b"], "it came from nowhere that could decode it"
    assert list(shared.read(len)) == [len(b'["a","b"]'), ["c"]]
    assert list(first) == [len(b'["c"]')]


def test_of_the_rows_of_a_page_some_fields_are_decoded():
    page = b'[{"id": 1, "name": "x", "folder": {"id": 2, "name": null}}, {"id": null}]'
    assert fields.decoder({"id": None, "folder": {"id": None}})(page) == [
        {"id": 1, "folder": {"id": 2, "name": None}},
        {"id": None},
    ]
    assert fields.decoder(None)(page) == json.loads(page)


def test_what_cannot_be_kept_is_missed_by_nobody_in_silence():
    shared = ReplayableIterator(iter([[1], [object()], [3]]), readers=2)
    for reader in (shared.read(), shared.read()):
        assert next(reader) == [1]
        with pytest.raises(TypeError):
            next(reader)


def test_a_replayable_iterator_raises_to_every_reader_at_the_place():
    def source():
        yield [1]
        yield [2]
        raise ValueError("three")

    shared = ReplayableIterator(source(), readers=2)
    for reader in (shared.read(), shared.read()):
        assert [next(reader), next(reader)] == [[1], [2]]
        with pytest.raises(ValueError, match="three"):
            next(reader)


def test_readers_on_many_threads_get_the_same():
    shared = ReplayableIterator(iter([[n] * n for n in range(200)]), readers=8)
    outcomes = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(list(shared.read()))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert outcomes == [[[n] * n for n in range(200)]] * 8
