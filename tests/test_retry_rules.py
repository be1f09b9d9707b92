"""The rules of retries, on a clock that stands: what is tried again, how often and after what."""

from __future__ import annotations

import threading

import pytest

from tap_looker.errors import RequestError, TimedOutError
from tap_looker.looker import retry
from tap_looker.looker.retry import RetriableError, Tries, lasts
from tap_looker.looker.throttle import RequestSlots

PATIENCE = 1_000.0


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    moment = [5_000.0]
    monkeypatch.setattr(retry.time, "monotonic", lambda: moment[0])
    return moment


@pytest.fixture(autouse=True)
def spreads(monkeypatch):
    """Between which bounds waits were drawn; the upper one is taken."""
    found = []
    monkeypatch.setattr(
        retry.random, "uniform", lambda low, high: (found.append((low, high)), high)[1]
    )
    return found


@pytest.fixture
def slots():
    return RequestSlots(8, threading.Event())


def failure(status=502, **options):
    return RetriableError(RequestError(f"HTTP {status}.", status), **options)


def silence():
    return RetriableError(TimedOutError("No answer."))


def waits(tries, *failures):
    return [tries.wait_after(one) for one in failures]


def refused(act, problem):
    """What is said in the end."""
    cause = ValueError("cause")
    problem.__cause__ = cause
    with pytest.raises(RequestError) as refusal:
        act(problem)
    assert refusal.value is problem.error
    assert refusal.value.__cause__ is cause
    return str(refusal.value)


# ------------------------------------------------------------------------------------ what it is


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        *((RequestError("", status), True) for status in (408, 502, 504, 520, 522, 524)),
        *((RequestError("", status), False) for status in (None, 400, 429, 500, 503, 519, 525)),
        (TimedOutError(""), True),
    ],
)
def test_what_may_be_the_fault_of_what_was_asked_for(error, expected):
    assert lasts(error) is expected


def test_a_failure_that_may_pass_knows_what_it_is_if_it_does_not():
    plain = failure(429)
    assert (str(plain), plain.error.status) == ("HTTP 429.", 429)
    assert (plain.retries, plain.after, plain.is_stale_token) == (None, None, False)
    told = failure(500, retries=3, after=1.5, is_stale_token=True)
    assert (told.retries, told.after, told.is_stale_token) == (3, 1.5, True)


def test_what_is_slow_and_what_is_meant_for_all():
    assert (silence().is_slow, silence().is_for_all) == (True, False)
    assert (failure(502).is_slow, failure(502).is_for_all) == (False, False)
    assert failure(429).is_for_all
    assert failure(503).is_for_all


# --------------------------------------------------------------------------------------- how often


def test_a_token_may_be_refused_once():
    tries = Tries(None, PATIENCE)
    tries.token_refused(failure(401))
    assert refused(tries.token_refused, failure(401)) == "HTTP 401."


def test_tokens_may_be_refused_more_often_where_others_log_in_too():
    tries = Tries(None, PATIENCE)
    for _ in range(retry.MAX_REFUSALS - 1):
        tries.token_refused(failure(401, is_stale_token=True))
    tries.token_refused(failure(401))
    assert refused(tries.token_refused, failure(401, is_stale_token=True)) == "HTTP 401."


def test_what_is_counted_is_tried_again_so_often(slots):
    tries = Tries(slots, PATIENCE)
    waits(tries, failure(), failure(500, retries=2), failure(), failure(500, retries=2))
    assert refused(tries.wait_after, failure(500, retries=2)) == "HTTP 500."
    assert refused(Tries(slots, PATIENCE).wait_after, failure(retries=0)) == "HTTP 502."


def test_what_only_takes_time_is_tried_without_a_number(slots):
    assert len(waits(Tries(slots, PATIENCE), *(failure() for _ in range(2_000)))) == 2_000
    assert len(waits(Tries(slots, PATIENCE), *(silence() for _ in range(50)))) == 50


def test_what_took_too_long_is_not_repeated_where_it_would_again(slots):
    tries = Tries(slots, PATIENCE, repeat_slow=False)
    waits(tries, failure(), failure(500))
    assert refused(tries.wait_after, silence()) == "No answer."


def test_faults_are_not_repeated_where_they_are_there_to_stay(slots):
    tries = Tries(slots, PATIENCE, repeat_faults=False)
    waits(tries, failure(501), silence())
    assert refused(tries.wait_after, failure(500)) == "HTTP 500."


def test_one_item_among_many_is_given_up_soon(slots):
    tries = Tries(slots, PATIENCE, is_brief=True)
    waits(tries, failure(429), failure(503), failure(429), failure(504))
    assert refused(tries.wait_after, failure(502)) == "HTTP 502."
    assert refused(Tries(slots, PATIENCE, is_brief=True).wait_after, silence()) == "No answer."
    tries = Tries(slots, PATIENCE, is_brief=True)
    waits(tries, failure(500, retries=2), failure(500, retries=2))
    assert refused(tries.wait_after, failure(500, retries=2)) == "HTTP 500."


def test_an_address_where_nobody_answers_is_given_up_soon(slots):
    tries = Tries(slots, PATIENCE, is_first_contact=True)
    waits(tries, failure(503), failure(502), failure(503), failure(None), failure(None))
    assert refused(tries.wait_after, failure(None)) == "HTTP None."


# ---------------------------------------------------------------------------------- for how long


def test_a_failure_may_pass_until_patience_ends(slots, clock):
    tries = Tries(slots, 60)
    tries.wait_after(failure())
    slots.progress()  # of others, which does not count
    clock[0] += 59.75
    assert waits(tries, failure()) == [0.25], "one more try before the end"
    clock[0] += 0.25
    assert refused(tries.wait_after, failure()) == (
        "HTTP 502. It did not pass within max_retry_time (60 s)."
    )


def test_who_has_to_queue_has_patience_anew_whenever_another_succeeds(slots, clock):
    tries = Tries(slots, 60)
    for _ in range(5):
        tries.wait_after(failure(429))
        clock[0] += 59
        slots.progress()
    tries.wait_after(failure(429))
    clock[0] += 60
    assert "max_retry_time (60 s)" in refused(tries.wait_after, failure(429))


def test_without_patience_nothing_is_tried_again(slots):
    assert refused(Tries(slots, 0).wait_after, failure()) == (
        "HTTP 502. It did not pass within max_retry_time (0 s)."
    )


@pytest.mark.parametrize("status", [429, 502])
def test_when_nothing_has_succeeded_for_all_of_it_the_next_is_tried_again_once(
    slots, clock, status
):
    slots.failing_since(clock[0])
    clock[0] += 60
    tries = Tries(slots, 60)
    assert waits(tries, failure(status)) == [1]
    assert "max_retry_time" in refused(tries.wait_after, failure(status))


def test_a_wait_beyond_patience_is_an_error_that_says_so(slots):
    assert refused(Tries(slots, 60.5).wait_after, failure(429, after=1_234.0)) == (
        "HTTP 429. It asks to wait for 1,234 s (Retry-After), longer than max_retry_time (60.5 s)."
    )
    assert waits(Tries(slots, 60), failure(429, after=60)) == [60]


# ------------------------------------------------------------------------------- after which wait


def test_waits_double_up_to_a_bound_and_are_spread(slots, spreads):
    found = waits(Tries(slots, PATIENCE), *(failure() for _ in range(8)))
    assert found == [1, 2, 4, 8, 16, 32, 60, 60]
    assert spreads == [(wait / 2, wait) for wait in found]


def test_what_looker_asks_for_is_waited_and_more_where_it_was_not_enough(slots, spreads):
    assert waits(Tries(slots, PATIENCE), *(failure(429, after=5) for _ in range(6))) == [
        5, 5, 10, 20, 40, 60,
    ]  # fmt: skip
    assert spreads == [(0, 0), (2.5, 5), (5, 10), (10, 20), (20, 40), (30, 60)]
    zero = waits(Tries(slots, PATIENCE), *(failure(429, after=0) for _ in range(4)))
    assert zero == [0, 1, 2, 4]
    assert waits(Tries(slots, PATIENCE), failure(429, after=90), failure(429, after=90)) == [90, 90]


def test_what_looker_asks_for_is_waited_even_at_the_end_of_patience(slots, clock):
    tries = Tries(slots, 60)
    tries.wait_after(failure(after=5))
    clock[0] += 59
    assert waits(tries, failure(after=5)) == [5]


def test_others_pause_the_longer_the_longer_nothing_succeeds(slots, clock):
    tries, pauses = Tries(slots, PATIENCE), []
    clock[0] += 1
    for step in range(6):
        if step == 3:
            slots.progress()
        clock[0] += 1
        tries.wait_after(failure(429))
        pauses.append(tries.pause_after(failure(429)))
    assert pauses == [1, 2, 4, 1, 2, 4]
    assert tries.pause_after(failure(429, after=7)) == 7
    assert tries.pause_after(failure(429, after=0)) == 0
