"""Lists that come in pages: whole, each row once, however they move while they are read."""

from __future__ import annotations

import threading

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import selecting

from looker_emulator import Emulator, Fault
from tap_looker.errors import RequestError
from tap_looker.looker.client import LookerClient
from tap_looker.looker.response import ApiResponse

PAGED = ("dashboard_elements", "dashboards", "groups", "lookml_models", "looks", "users")


# -------------------------------------------------------------------------- against the emulator


@pytest.mark.parametrize("page_cap", [None, 4], ids=["", "capped"])
@pytest.mark.parametrize("told", ["total", "link", ""], ids=["total", "link", "no total"])
@pytest.mark.parametrize("page_size", [1, 2, 3, 7, 25, 26])
def test_pagination_reads_the_whole_list(runner_of, clean, page_size, told, page_cap):
    """25 users: one of the sizes is exactly theirs. A cap is seen by the headers alone."""
    if page_cap and not told:
        page_size = min(page_size, page_cap)
    headers = {"total_count_header": bool(told), "link_alone": told == "link"}
    with Emulator(page_cap=page_cap, **headers) as emulator:
        run = runner_of(emulator)(page_size=page_size, catalog=selecting(*PAGED)).succeeded()
    for name in PAGED:
        assert sorted(run.ids(name)) == sorted(clean.ids(name)), name


@pytest.mark.parametrize("total", [True, False], ids=["total", "no total"])
def test_pagination_keeps_the_order_of_the_list(runner_of, clean, total):
    with Emulator(total_count_header=total) as emulator:
        run = runner_of(emulator)(page_size=3, catalog=selecting("users", "groups"))
    assert run.records["users"] == clean.records["users"]
    assert run.records["groups"] == clean.records["groups"]


def test_a_short_page_is_the_last(run, emulator):
    run(catalog=selecting("users"), page_size=26).succeeded()
    assert emulator.count("/users/search") == 1


def test_without_a_total_no_page_is_read_before_it_is_known_to_exist(runner_of):
    with Emulator(total_count_header=False, latency_ms=20) as emulator:
        runner_of(emulator)(catalog=selecting("users"), page_size=7).succeeded()
        assert emulator.max_in_flight == 1
        assert emulator.count("/users/search") == 4 + 1


def test_with_a_total_pages_are_read_at_the_same_time(runner_of):
    with Emulator(latency_ms=50) as emulator:
        runner_of(emulator)(catalog=selecting("users"), page_size=4, concurrency=4).succeeded()
        assert emulator.max_in_flight == 4


def test_a_page_that_repeats_is_an_error(run, emulator):
    emulator.add_fault(Fault("repeat_page", "/users/search", times=None))
    result = run(catalog=selecting("users", "roles"), page_size=10)
    assert result.exit_code == 1
    assert any("repeats" in error for error in result.errors)
    assert result.ids("roles")


def test_an_instance_that_ignores_offsets_is_an_error_and_no_loop(runner_of):
    with Emulator(ignore_offset=True, total_count_header=False) as emulator:
        result = runner_of(emulator)(catalog=selecting("users"), page_size=10)
        assert result.exit_code == 1
        assert emulator.count("/users/search") <= 2


@pytest.mark.parametrize("page_size", [3, 500])
def test_tiles_come_whole_where_their_search_takes_no_limit(runner_of, clean, page_size):
    with Emulator(honour_limit_on_elements=False) as emulator:
        run = runner_of(emulator)(page_size=page_size).succeeded()
        assert sorted(run.ids("dashboard_elements")) == sorted(clean.ids("dashboard_elements"))
        assert emulator.count("/dashboard_elements/search") == 2


def test_a_list_exactly_as_long_as_the_limit_that_is_ignored(runner_of, clean):
    with Emulator(honour_limit_on_elements=False) as emulator:
        instance = emulator.instance
        size = len(instance.dashboard_elements) - len(instance.trash("dashboard_elements"))
        run = runner_of(emulator)(page_size=size).succeeded()
    assert sorted(run.ids("dashboard_elements")) == sorted(clean.ids("dashboard_elements"))


@pytest.fixture
def between_calls(monkeypatch):
    """Something to do right before the n-th call for a path."""
    get, lock, seen = LookerClient.get, threading.Lock(), []
    hooks = {}

    def hooked(self, path, *arguments, **keywords):
        with lock:
            seen.append(path)
            hook = hooks.get((path, seen.count(path)))
        if hook:
            hook()
        return get(self, path, *arguments, **keywords)

    monkeypatch.setattr(LookerClient, "get", hooked)
    return hooks


@pytest.mark.parametrize("total", [True, False], ids=["total", "no total"])
@pytest.mark.parametrize("call", [2, 3, 4])
@pytest.mark.parametrize("change", ["deleted", "inserted"])
def test_a_list_that_moves_while_it_is_read(runner_of, clean, between_calls, total, call, change):
    with Emulator(total_count_header=total) as emulator:
        users = emulator.instance.users
        gone = users[1]["id"]

        def move():
            if change == "deleted":
                del users[1]
            else:
                users.insert(0, {**users[0], "id": "0"})

        between_calls["/users/search", call] = move
        run = runner_of(emulator)(catalog=selecting("users"), page_size=7, concurrency=2)
    ids = run.succeeded().ids("users")
    assert len(set(ids)) == len(ids)
    assert set(ids) >= set(clean.ids("users")) - {gone}
    assert set(ids) <= {"0", *clean.ids("users")}


def test_many_rows_deleted_at_once_are_noticed(runner_of, clean, between_calls):
    """The next page is beyond the end of the list then: empty, and not the end."""
    with Emulator(total_count_header=False) as emulator:
        users = emulator.instance.users
        gone = {user["id"] for user in users[:15]}
        between_calls["/users/search", 3] = lambda: users.__delitem__(slice(15))
        run = runner_of(emulator)(catalog=selecting("users"), page_size=10)
    if run.exit_code == 0:
        assert set(run.ids("users")) >= set(clean.ids("users")) - gone


# ------------------------------------------------------------------------------ against any list


class MovingList:
    """An endpoint whose list changes between two calls."""

    def __init__(self, length, *, total, changes=()):
        self.rows = [{"id": str(number)} for number in range(length)]
        self.survivors = {row["id"] for row in self.rows}
        self.total = total
        self.changes = dict(changes)
        self.calls = self.inserted = 0
        self.lock = threading.Lock()

    def get(self, _path, params, _activity, **_):
        with self.lock:
            self.calls += 1
            for place in self.changes.get(self.calls, ()):
                self.change(place)
            start = int(params["offset"])
            rows = self.rows[start : start + int(params["limit"])]
            return ApiResponse([dict(row) for row in rows], len(self.rows) if self.total else None)

    def change(self, place):
        """Insert a row before the one at this place; -1 deletes the first, -2 the second."""
        if place >= 0:
            self.inserted += 1
            self.rows.insert(place, {"id": f"new {self.inserted}"})
        elif self.rows:
            gone = self.rows.pop(min(-place, len(self.rows)) - 1)
            self.survivors.discard(gone["id"])

    def read(self, size):
        """The ids that come out of reading it page by page."""
        client = LookerClient("http://127.0.0.1:1", "id", "secret", concurrency=2)
        client.get = self.get
        pages = client.iter_pages("/things", {}, keys=("id",), size=size, sorts="id")
        return [row["id"] for page in pages for row in page]


lengths = st.integers(0, 40)
places = st.integers(-40, 40)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(length=lengths, size=st.integers(1, 45), total=st.booleans())
@example(length=9, size=1, total=False)
@example(length=9, size=1, total=True)
def test_pagination_of_a_list_at_rest_is_whole_and_in_order(length, size, total):
    things = MovingList(length, total=total)
    assert things.read(size) == [row["id"] for row in things.rows]


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(
    length=lengths,
    size=st.integers(1, 9),
    total=st.booleans(),
    changes=st.dictionaries(st.integers(2, 12), st.lists(places, max_size=8), max_size=6),
)
@example(length=10, size=3, total=False, changes={5: [-1, -1]})
@example(length=10, size=3, total=False, changes={3: [-1] * 7})
def test_pagination_of_a_moving_list_is_whole_or_an_error(length, size, total, changes):
    things = MovingList(length, total=total, changes=changes)
    try:
        ids = things.read(size)
    except RequestError:
        return
    assert len(set(ids)) == len(ids)
    assert set(ids) >= things.survivors


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    length=lengths,
    size=st.integers(3, 9),
    total=st.booleans(),
    call=st.integers(2, 12),
    place=places,
)
@example(length=12, size=3, total=False, call=3, place=-1)
def test_one_row_more_or_less_is_no_error(length, size, total, call, place):
    things = MovingList(length, total=total, changes={call: [place]})
    ids = things.read(size)
    assert len(set(ids)) == len(ids)
    assert set(ids) >= things.survivors


@pytest.mark.parametrize("change", [[0] * 10, [-1]], ids=["growing", "shrinking"])
def test_a_list_that_never_rests_is_an_error_in_the_end(change):
    changes = dict.fromkeys(range(2, 1000), change)
    things = MovingList(2000, total=False, changes=changes)
    with pytest.raises(RequestError):
        things.read(10)


class OddList(MovingList):
    """A list of an instance with its own idea of a page.

    Args:
        least: Rows that it gives at least.
        most: Rows that it gives at most.
        counts: What it says that it has.
        in_pages: Whether it looks at ``offset``.
    """

    def __init__(self, length, *, least=0, most=10_000, counts=None, in_pages=True):
        super().__init__(length, total=False)
        self.least, self.most, self.counts, self.in_pages = least, most, counts, in_pages
        self.short = []

    def get(self, _path, params, _activity, **_):
        self.calls += 1
        start = int(params["offset"]) if self.in_pages else 0
        limit = min(max(int(params["limit"]), self.least), self.most)
        return ApiResponse([dict(row) for row in self.rows[start : start + limit]], self.counts)

    def read(self, size):
        client = LookerClient("http://127.0.0.1:1", "id", "secret", concurrency=2)
        client.get = self.get
        pages = client.iter_pages(
            "/things",
            {},
            keys=("id",),
            size=size,
            sorts="id",
            skip=lambda why, count: self.short.append((why, count)),
        )
        return [row["id"] for page in pages for row in page]


@pytest.mark.parametrize("counts", [None, 250], ids=["", "total"])
@pytest.mark.parametrize("least", [41, 100, 249])
def test_a_page_longer_than_was_asked_for_need_not_be_the_whole_list(least, counts):
    things = OddList(250, least=least, counts=counts)
    assert things.read(20) == [row["id"] for row in things.rows]
    assert not things.short


def test_a_list_that_knows_no_pages_costs_one_call_more_to_be_sure():
    things = OddList(250, least=1000, in_pages=False)
    assert things.read(20) == [row["id"] for row in things.rows]
    assert things.calls == 2


@pytest.mark.parametrize("most", [20, 25, 50, 100])
def test_a_page_of_a_round_length_may_be_cut(most):
    """An instance's own maximum, of which it says nothing."""
    things = OddList(260, most=most)
    assert things.read(200) == [row["id"] for row in things.rows]


def test_a_short_page_of_another_length_is_the_last():
    things = OddList(101)
    assert things.read(200) == [row["id"] for row in things.rows]
    assert things.calls == 1


def test_fewer_rows_than_are_counted_are_said():
    """As of a list that is in another order for each page."""
    things = OddList(50, counts=53)
    assert things.read(20) == [row["id"] for row in things.rows]
    ((why, count),) = things.short
    assert count == 3
    assert "/things" in why
    assert "53" in why


def test_keys_that_came_before_are_left_out():
    things = MovingList(5, total=False)
    client = LookerClient("http://127.0.0.1:1", "id", "secret")
    client.get = things.get
    seen = {("1",), ("3",)}
    pages = client.iter_pages("/things", {}, keys=("id",), size=2, sorts="id", seen=seen)
    assert [row["id"] for page in pages for row in page] == ["0", "2", "4"]
    assert len(seen) == 5
