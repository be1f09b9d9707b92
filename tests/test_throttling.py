"""A server that limits what is in flight costs time, and never a stream."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from support import STREAMS, selecting

from looker_emulator import Emulator, Fault
from tap_looker.errors import RequestError, TimedOutError
from tap_looker.looker import retry, throttle
from tap_looker.looker.client import LookerClient
from tap_looker.looker.retry import RetriableError, Tries
from tap_looker.looker.threads import Cancelled
from tap_looker.looker.throttle import RequestSlots

USERS = "/users/search"
CATALOG = (*STREAMS, "explores", "user_sessions")
PATIENCE = 10.0  # seconds until a test that hangs has failed


def refusal(after=None):
    return RetriableError(RequestError("HTTP 429.", 429), after=after)


def client_of(emulator, **options):
    return LookerClient(emulator.url, emulator.client_id, emulator.client_secret, **options)


# ---------------------------------------------------------------------------------- in whole runs


@pytest.fixture(scope="module")
def unlimited(tmp_path_factory):
    from support import Runner  # noqa: PLC0415

    with Emulator() as emulator:
        folder = tmp_path_factory.mktemp("unlimited")
        return Runner(emulator, folder)(catalog=selecting(*CATALOG), page_size=10).succeeded()


@pytest.mark.parametrize("retry_after", [None, 1])
@pytest.mark.parametrize("concurrency", [8, 64])
@pytest.mark.parametrize("limit", [1, 2, 4])
def test_nothing_is_lost(runner_of, unlimited, monkeypatch, limit, concurrency, retry_after):
    monkeypatch.setattr(retry, "FIRST_BACKOFF", 0.1)
    with Emulator(
        latency_ms=5, in_flight_limit=limit, in_flight_retry_after=retry_after
    ) as emulator:
        run = runner_of(emulator)(
            catalog=selecting(*CATALOG), concurrency=concurrency, page_size=10
        ).succeeded()
        assert run.records == unlimited.records
        turned_away = sum(call.status == 429 for call in emulator.calls)
        assert 0 < turned_away < concurrency + 20
        served = [call for call in emulator.calls if call.status != 429]
        assert len(served) > 70


def test_a_server_that_answers_late_that_it_is_busy(monkeypatch):
    """Those that are turned away come back among those that are not."""
    monkeypatch.setattr(retry, "FIRST_BACKOFF", 0.02)
    slots, lock = RequestSlots(32, threading.Event()), threading.Lock()
    serving = most = 0

    def ask(_):
        nonlocal serving, most
        tries = Tries(slots, 600)
        for number in range(1000):
            turn = slots.take()
            try:
                with lock:
                    welcome = serving < 4
                    serving += welcome
                    most = max(most, serving)
                time.sleep(0.01)
                if welcome:
                    with lock:
                        serving -= 1
                    turn.succeeded()
                    return number
                problem = refusal()
                turn.refused(min(tries.wait_after(problem), tries.pause_after(problem)))
            finally:
                turn.end()
        raise AssertionError("never served")

    started = time.monotonic()
    with ThreadPoolExecutor(32) as pool:
        refused = sum(pool.map(ask, range(600)))
    assert time.monotonic() - started < 1.5 * 600 * 0.01 / 4 + 3
    assert most == 4
    assert refused < 100


# ------------------------------------------------------------------------ how many are in flight


def fly(slots, number):
    return [slots.take() for _ in range(number)]


def turn_away(turns):
    for turn in turns:
        turn.refused(0)


def land(turns):
    for turn in turns:
        turn.succeeded()
        turn.end()


@pytest.fixture
def slots(monkeypatch):
    monkeypatch.setattr(throttle, "SPREAD", 0.0)
    return RequestSlots(8, threading.Event())


def test_as_many_are_left_as_were_not_turned_away(slots):
    turns = fly(slots, 8)
    turn_away(turns[3:])
    assert slots.limit == 3


def test_one_that_is_turned_away_among_many(slots):
    turns = fly(slots, 8)
    turn_away(turns[7:])
    assert slots.limit == 6
    land(turns)
    for _ in range(10):
        land(fly(slots, slots.limit))
    assert slots.limit == 7, "back to where it was turned away, and no further"


def test_one_more_is_tried_after_a_while_and_the_more_seldom_the_more_fail(slots, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(retry.time, "monotonic", lambda: now[0])
    turn_away(fly(slots, 8)[4:])
    assert slots.limit == 4
    waits = []
    for _ in range(4):
        slots._in_flight.clear()
        start = now[0]
        while slots.limit < 5:
            now[0] += 0.1
            land(fly(slots, slots.limit))
        waits.append(now[0] - start)
        turns = fly(slots, 5)
        turn_away(turns[4:])
        land(turns[:4])
    assert waits[0] >= throttle.PROBE_SECONDS
    assert all(later > 1.5 * earlier for earlier, later in pairwise(waits))


def test_it_grows_back_to_all_when_nothing_is_turned_away_any_more(slots, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(retry.time, "monotonic", lambda: now[0])
    turns = fly(slots, 8)
    turn_away(turns[2:])
    assert slots.limit == 2
    land(turns)
    for _ in range(600):
        now[0] += 0.1
        land(fly(slots, slots.limit))
    assert slots.limit == 8


def test_after_a_pause_requests_start_one_after_the_other(monkeypatch):
    monkeypatch.setattr(throttle, "SPREAD", 0.4)
    slots, starts = RequestSlots(8, threading.Event()), []
    slots.pause(0.2)
    begun = time.monotonic()

    def start(_):
        slots.take()
        starts.append(time.monotonic() - begun)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(start, range(8)))
    assert min(starts) >= 0.2
    assert max(starts) - min(starts) > 0.1


def test_never_more_than_asked_for(slots):
    fly(slots, 8)
    late = threading.Thread(target=slots.take, daemon=True)
    late.start()
    late.join(0.3)
    assert late.is_alive()


# --------------------------------------------------------------------------------- long answers


def test_an_answer_that_is_read_keeps_its_turn(slots, monkeypatch):
    monkeypatch.setattr(throttle, "IDLE_SECONDS", 60)
    (answer, *others) = fly(slots, 3)
    answer.read()
    turn_away(others)
    for turn in others:
        turn.end()
    assert slots.limit == 1
    late = threading.Thread(target=slots.take, daemon=True)
    late.start()
    late.join(0.3)
    assert late.is_alive()
    answer.end()
    late.join(PATIENCE)
    assert not late.is_alive()


def test_a_request_that_an_answer_waits_for_is_made(monkeypatch):
    """Fewer may be in flight than are being read already: none of them waits for itself."""
    monkeypatch.setattr(throttle, "IDLE_SECONDS", 0.2)
    query = {"model": "thelook", "view": "orders", "fields": ["orders.count"], "limit": 10}
    with Emulator() as emulator:
        emulator.add_fault(Fault("status", "/versions", status=429, retry_after=0, times=3))
        client = client_of(emulator, concurrency=4)
        options = {"params": {}, "body": query}
        with (
            client.stream("POST", "/queries/run/json", **options) as first,
            client.stream("POST", "/queries/run/json", **options) as second,
        ):
            first.peek()
            second.peek()
            started = time.monotonic()
            monkeypatch.setattr(retry, "FIRST_BACKOFF", 0.01)
            assert client.get("/versions").data
            assert time.monotonic() - started < PATIENCE


# ------------------------------------------------------------------------------------- patience


def given_up(tries, failure, meanwhile=lambda: None):
    """What is said when a request that always fails has failed for too long."""
    for _ in range(50):
        try:
            tries.wait_after(failure())
        except RequestError as error:
            return error.message
        time.sleep(0.01)
        meanwhile()
    raise AssertionError("never")


def test_who_has_to_queue_has_not_failed(slots):
    tries = Tries(slots, 0.05)
    for _ in range(20):
        tries.wait_after(refusal())
        time.sleep(0.01)
        slots.progress()
    assert "max_retry_time" in given_up(tries, refusal)


def test_what_is_not_the_fault_of_the_others_counts_whatever_they_do(slots):
    tries = Tries(slots, 0.05)
    bad_gateway = given_up(
        tries, lambda: RetriableError(RequestError("HTTP 502.", 502)), meanwhile=slots.progress
    )
    assert "max_retry_time" in bad_gateway


def test_one_that_is_always_turned_away_waits_longer_and_the_others_do_not(slots):
    tries = Tries(slots, 3600)
    for _ in range(6):
        slots.progress()
        wait = tries.wait_after(refusal())
        pause = tries.pause_after(refusal())
    assert 16 <= wait <= 32
    assert pause <= 1


def test_waits_grow_up_to_a_bound(slots, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(retry.time, "monotonic", lambda: now[0])
    tries, waits = Tries(slots, 3600), []
    for _ in range(12):
        waits.append(tries.wait_after(RetriableError(TimedOutError("HTTP 504.", 504))))
        now[0] += waits[-1]
    assert 0.5 <= waits[0] <= 1
    assert 16 <= waits[5] <= 32
    assert 30 <= min(waits[7:]) <= max(waits) <= 60


def test_a_retry_after_of_nothing_is_no_invitation_to_ask_for_ever(slots):
    tries = Tries(slots, 3600)
    waits = [tries.wait_after(refusal(after=0)) for _ in range(6)]
    assert waits[0] == 0
    assert waits[5] >= 8


@pytest.mark.parametrize("status", [429, 503, 502, 504])
def test_the_end_of_patience_is_a_time(run, emulator, monkeypatch, status):
    monkeypatch.setattr(retry, "FIRST_BACKOFF", 0.02)
    emulator.add_fault(Fault("status", USERS, status=status, times=None))
    started = time.monotonic()
    result = run(catalog=selecting("users"), max_retry_time=0.6)
    assert 0.5 < time.monotonic() - started < 5
    assert result.exit_code == 1
    assert f"HTTP {status}" in result.errors[0]
    assert "max_retry_time (0.6 s)" in result.errors[0]


def test_settings_with_a_fraction_come_from_a_file_too(run):
    run(catalog=selecting("users"), request_timeout=1.5, max_retry_time=0.5).succeeded()


def test_no_patience_at_all(run, emulator):
    emulator.add_fault(Fault("status", USERS, status=503))
    assert run(catalog=selecting("users"), max_retry_time=0).exit_code == 1
    assert emulator.count(USERS) == 1


def test_a_longer_retry_after_fails_at_once_and_says_so(run, emulator):
    emulator.add_fault(Fault("status", USERS, status=429, retry_after=90, times=None))
    started = time.monotonic()
    result = run(catalog=selecting("users"), max_retry_time=60)
    assert time.monotonic() - started < 5
    assert "90 s (Retry-After), longer than max_retry_time (60 s)" in result.errors[0]
    assert emulator.count(USERS) == 1


def test_an_instance_that_is_gone_does_not_keep_every_stream_waiting(run, emulator, monkeypatch):
    monkeypatch.setattr(retry, "FIRST_BACKOFF", 0.02)
    emulator.add_fault(Fault("status", "*", method="GET", status=503, times=None))
    started = time.monotonic()
    result = run(concurrency=1, max_retry_time=1)
    assert 0.9 < time.monotonic() - started < 5, "once, and not for each of 11 streams"
    assert result.exit_code == 1
    assert result.records == {}


@pytest.mark.usefixtures("_quick_retries")
def test_maintenance_at_the_login_is_waited_for(run, emulator):
    emulator.add_fault(
        Fault("status", "/login", status=503, times=8, html="<title>Maintenance</title>")
    )
    run(catalog=selecting("users"), max_retry_time=60).succeeded()
    assert emulator.count("/login") == 9


# ------------------------------------------------------------------------------------- the end


@pytest.mark.parametrize("paused", [True, False])
def test_waits_for_a_turn_end_when_the_run_does(paused):
    stop = threading.Event()
    slots = RequestSlots(1, stop)
    if paused:
        slots.pause(600)
    else:
        slots.take()
    outcome = []

    def wait():
        try:
            slots.take()
        except Cancelled:
            outcome.append("cancelled")

    threads = [threading.Thread(target=wait) for _ in range(8)]
    for thread in threads:
        thread.start()
    stop.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert outcome == ["cancelled"] * 8


def test_turns_are_given_in_the_order_of_coming():
    slots, order = RequestSlots(1, threading.Event()), []
    first = slots.take()

    def wait(number):
        turn = slots.take()
        order.append(number)
        turn.end()

    threads = []
    for number in range(8):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        while len(slots._queue) <= number:
            time.sleep(0.001)
    first.end()
    for thread in threads:
        thread.join(PATIENCE)
    assert order == list(range(8))


def test_turns_leave_nothing_behind(slots):
    for _ in range(50):
        turns = fly(slots, slots.limit)
        turn_away(turns[-1:])
        land(turns)
    assert not slots._in_flight
    assert len(slots._turned_away) == 1
