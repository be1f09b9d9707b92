"""The rules of the way around rows that cannot be read, on a list in memory."""

from __future__ import annotations

import pytest

from tap_looker.errors import RequestError
from tap_looker.looker.detour import MAX_ROWS, PROBES, Detour

WHOLE = RequestError("The page failed.", 500)


class Things:
    """A list of ids from 0 on, some of which make every page with them fail."""

    def __init__(self, count, *bad, status=500, keys=("id",)):
        self.count, self.bad, self.status = count, bad, status
        self.calls, self.skipped = [], []
        self.detour = Detour(self.get, self.skipped.append, keys)

    def get(self, offset, limit, *, repeat_faults):
        self.calls.append((offset, limit, repeat_faults))
        if any(offset <= place < offset + limit for place in self.bad):
            raise RequestError(f"HTTP {self.status}.", self.status)
        places = range(offset, min(offset + limit, self.count))
        return [{"id": place, "n": place * 2} for place in places], offset + limit >= self.count

    def page(self, offset, size):
        rows, total = self.detour.page(offset, size, WHOLE)
        return [row and row["id"] for row in rows], total


def test_a_row_is_left_out_and_those_around_it_are_read():
    things = Things(20, 5)
    assert things.page(0, 8) == ([0, 1, 2, 3, 4, None, 6, 7], 9), "it goes on"
    assert things.skipped == ["HTTP 500. It is the row at offset 5, after id 4."]


def test_a_fault_is_repeated_only_for_a_single_row():
    things = Things(20, 5)
    things.page(0, 8)
    assert things.calls == [
        (0, 1, False), (0, 8, False), (0, 4, False), (4, 4, False), (4, 2, False),
        (4, 1, True), (5, 1, True), (6, 2, False),
    ]  # fmt: skip
    things = Things(20, 2)
    assert things.page(0, 5)[0] == [0, 1, None, 3, 4]
    assert things.calls[1:] == [
        (0, 5, False), (0, 2, False), (2, 3, False), (2, 1, True), (3, 2, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("count", "bad", "offset", "size", "rows", "total"),
    [
        (6, [1], 0, 8, [0, None, 2, 3, 4, 5], 6),
        (5, [1], 0, 8, [0, None, 2, 3, 4], 5),
        (4, [1], 0, 8, [0, None, 2, 3], 4),
        (3, [1], 0, 8, [0, None, 2], 3),
        (9, [5, 6], 4, 4, [4, None, None, 7], 9),
        (8, [5], 4, 4, [4, None, 6, 7], 8),
    ],
)
def test_the_end_of_the_list_is_known(count, bad, offset, size, rows, total):
    assert Things(count, *bad).page(offset, size) == (rows, total)


def test_a_page_ends_with_a_row_that_can_be_read():
    things = Things(9, 3, 4, 5)
    assert things.page(0, 4) == ([0, 1, 2, None, None, None, 6], 8)
    assert [line[-28:] for line in things.skipped] == [
        f"row at offset {place}, after id 2." for place in (3, 4, 5)
    ]


def test_the_last_row_of_a_list_may_be_one_that_cannot_be_read():
    things = Things(4, 3)
    assert things.page(0, 4) == ([0, 1, 2, None], 4)
    assert len(things.skipped) == 1


def test_where_no_row_came_before_only_the_offset_is_told():
    things = Things(9, 0)
    assert things.page(0, 4) == ([None, 1, 2, 3], 5)
    assert things.skipped == ["HTTP 500. It is the row at offset 0."]
    assert things.calls[:2] == [(0, 1, False), (1, 1, False)]


@pytest.mark.parametrize(
    ("keys", "where"), [(("id", "n"), "after id 4 8."), (("none",), "offset 5.")]
)
def test_the_row_before_is_named_by_its_whole_key(keys, where):
    things = Things(20, 5, keys=keys)
    things.page(0, 8)
    assert things.skipped[0].endswith(where)


def test_what_fails_no_more_is_read_as_far_as_it_comes():
    """Pages may be shorter than was asked for: behind such a one there would be a hole."""
    things = Things(20)
    get = things.get

    def capped(offset, limit, *, repeat_faults):
        if limit == 8:
            raise RequestError("HTTP 500.", 500)
        return get(offset, min(limit, 3), repeat_faults=repeat_faults)

    things.detour = Detour(capped, things.skipped.append, ("id",))
    assert things.page(0, 8) == ([0, 1, 2], 4)
    assert not things.skipped


def test_a_row_on_two_pages_is_told_of_once():
    things = Things(20, 3)
    things.page(0, 5)
    things.page(2, 5)
    assert len(things.skipped) == 1


def test_a_list_that_is_broken_as_a_whole_fails_as_it_did():
    things = Things(500, *range(500))
    with pytest.raises(RequestError) as refusal:
        things.page(7, 400)
    assert refusal.value is WHOLE
    assert things.calls == [(7 + place, 1, False) for place in PROBES]
    with pytest.raises(RequestError) as refusal:
        Things(3).page(7, 4)
    assert refusal.value is WHOLE, "there is no row to read"


def test_another_failure_meanwhile_is_the_lists():
    things = Things(20, 5, status=403)
    assert things.page(0, 5) == ([0, 1, 2, 3, 4], 6)
    for offset, size in ((5, 2), (4, 3)):
        with pytest.raises(RequestError) as refusal:
            things.page(offset, size)
        assert refusal.value.status == 403


def test_so_many_rows_may_be_left_out_and_no_more():
    many = range(1, MAX_ROWS + 1)
    things = Things(40, *many)
    assert things.page(0, 20)[0] == [0, *[None] * MAX_ROWS, *range(MAX_ROWS + 1, 20)]
    with pytest.raises(RequestError) as refusal:
        Things(40, *many, 18).page(0, 20)
    assert str(refusal.value) == "HTTP 500. More than 10 rows of this list cannot be read."
