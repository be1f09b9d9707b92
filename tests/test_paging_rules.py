"""The rules of paging, on lists in memory: which offsets are asked for, and when reading ends."""

from __future__ import annotations

import pytest

from tap_looker.errors import RequestError
from tap_looker.looker.offset_paging import (
    STALE_PAGES,
    STEPS_BACK,
    _may_be_a_cut,
    identity,
    overlap,
    pages,
)

WHAT = "GET /things"
MOVES = f"{WHAT}: the list keeps changing while it is read."


def rows_of(names):
    return [None if name is None else {"id": name, "group": name[0]} for name in names]


class Things:
    """A list of names that is asked for in pages.

    Args:
        names: What it has; a row that cannot be read is None.
        size: ``limit`` of the pages.
        total: How many rows it says that it has.
        scripted: Answers that calls get in place of the list's own, by the number of the call.
    """

    def __init__(self, names, size, *, total=None, cap=None, scripted=()):
        self.names, self.size, self.total = list(names), size, total
        self.cap = cap or size
        self.scripted = dict(scripted)
        self.offsets, self.limits = [], []

    def fetch(self, offset):
        self.offsets.append(offset)
        own = self.names[offset : offset + min(self.size, self.cap)]
        return rows_of(self.scripted.get(len(self.offsets), own)), self.total

    def fetch_more(self, limit):
        self.limits.append(limit)
        return rows_of(self.names[:limit])

    def read(self, *, sorts="id", seen=None, may_ignore_limit=False, **options):
        found = pages(
            self.fetch, what=WHAT, keys=("id",), size=self.size, sorts=sorts,
            seen=set() if seen is None else seen, may_ignore_limit=may_ignore_limit, **options,
        )  # fmt: skip
        return [[row["id"] for row in page] for page in found]

    def read_all(self, **options):
        return [name for page in self.read(**options) for name in page]


def refused(things, **options):
    with pytest.raises(RequestError) as refusal:
        things.read(**options)
    return str(refusal.value)


# ------------------------------------------------------------------------------- where pages begin


@pytest.mark.parametrize(
    ("names", "offsets"),
    [
        ("", [0]),
        ("a", [0]),
        ("abc", [0]),
        ("abcd", [0, 3]),
        ("abcde", [0, 3]),
        ("abcdefg", [0, 3, 6]),
        ("abcdefgh", [0, 3, 6]),
    ],
)
def test_a_page_begins_with_the_last_row_of_the_one_before(names, offsets):
    things = Things(names, 4)
    assert things.read_all() == [*names]
    assert things.offsets == offsets


def test_rows_that_sort_alike_are_repeated_as_a_group():
    things = Things(["a1", "b1", "c1", "c2", "c3", "d1"], 4)
    assert things.read(sorts="group") == [["a1", "b1", "c1", "c2"], ["c3", "d1"], []]
    assert things.offsets == [0, 2, 5]


@pytest.mark.parametrize(
    ("groups", "count"),
    [
        ("", 0), ("a", 0), ("aa", 1), ("ab", 1), ("abc", 1), ("abcc", 2), ("abbb", 1), ("aaaa", 1),
        ("abbcc", 2), ("abccc", 1), ("aaabbb", 3), ("abba", 1), ("a-", 1), ("ab--", 1), ("a-a", 1),
    ],
)  # fmt: skip
def test_as_many_rows_are_repeated_as_sort_like_the_last_up_to_half_a_page(groups, count):
    rows = [None if one == "-" else {"group": one} for one in groups]
    assert overlap(rows, "group") == count
    assert overlap(rows, "") == min(count, 1), "nothing is known of the order"


def test_a_column_that_is_null_sorts_alike_and_one_that_is_missing_says_nothing():
    assert overlap([{"n": 1}, {"n": 2}, {"n": None}, {"n": None}], "n") == 2
    assert overlap([{"n": 1}, {"n": 2}, {"n": None}, {}], "n") == 1


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"a": 1, "b": "x"}, ("1", "x")),
        ({"a": "1", "b": "x", "c": 0}, ("1", "x")),
        ({"a": 0, "b": ""}, ("0", "")),
        ({"a": 1, "b": None}, None),
        ({"b": "x"}, None),
    ],
)
def test_a_row_is_known_by_the_text_of_its_whole_key(row, name):
    assert identity(row, ("a", "b")) == name


# --------------------------------------------------------------------------------- when it is over


def test_a_total_is_believed_where_pages_are_cut_below_the_limit():
    things = Things("abcdefghij", 5, total=10, cap=3)
    assert things.read_all() == [*"abcdefghij"]
    assert things.offsets == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("total", [9, 12])
def test_a_total_that_is_too_high_costs_one_call(total):
    things = Things("abcdefghi", 4, total=total)
    assert things.read_all() == [*"abcdefghi"]
    assert things.offsets == [0, 3, 6, *([8] if total > 9 else [])]


def test_a_total_that_is_too_low_ends_nothing():
    assert Things("abcdefghi", 4, total=2).read_all() == [*"abcdefghi"]


def test_a_page_beyond_the_limit_is_the_whole_list_only_where_nothing_follows():
    things = Things("abc", 2, scripted={1: "abc"})
    assert things.read() == [["a", "b", "c"], []]
    assert things.offsets == [0, 2], "it may be a page of another size"
    things = Things("abc", 2, scripted={1: "abc"})
    assert things.read(may_ignore_limit=True) == [["a", "b", "c"]]
    assert things.offsets == [0]


@pytest.mark.parametrize(
    ("length", "size", "may_be"),
    [
        (10, 500, True), (25, 500, True), (30, 500, True), (75, 500, True), (7, 500, False),
        (12, 500, False), (501, 500, True), (499, 500, False), (13, 13, False), (13, 12, True),
    ],
)  # fmt: skip
def test_a_round_number_of_rows_may_be_all_that_an_instance_gives(length, size, may_be):
    assert _may_be_a_cut(length, size) is may_be


@pytest.mark.parametrize(
    ("count", "cap", "total", "offsets"),
    [
        (25, 10, None, [0, 9, 18]),
        (10, 10, None, [0, 9]),
        (9, 10, None, [0]),
        (7, 7, None, [0]),
        (10, 10, 10, [0]),
        (25, 10, 25, [0, 9, 18]),
    ],
)
def test_where_pages_may_be_cut_one_more_is_asked_for(count, cap, total, offsets):
    things = Things("abcdefghijklmnopqrstuvwxyz"[:count], 100, cap=cap, total=total)
    assert things.read_all() == things.names
    assert things.offsets == offsets


@pytest.mark.parametrize(
    ("names", "totals", "told"),
    [
        ("abcde", [9, 9, 9], [(5, 9)]),
        ("abcde", [6, 9, 9], [(5, 6)]),
        ("abcde", [9, 5, 9], []),
        ("abcde", [5, 5, 5], []),
        ("abcde", [None, None, None], []),
        ("", [3], [(0, 3)]),
        ("", [None], []),
        (["a", None, "c"], [4, 4], [(3, 4)]),
        (["a", None, "c"], [3], []),
    ],
)
def test_a_list_that_is_said_to_be_longer_all_along_is_told_of(names, totals, told):
    """What it has gained meanwhile need not be read, and what is left out is known of."""
    things, found, coming = Things(names, 4), [], iter(totals)
    fetch = things.fetch
    things.fetch = lambda offset: (fetch(offset)[0], next(coming))
    things.read_all(fell_short=lambda *numbers: found.append(numbers))
    assert found == told


def test_a_page_with_gaps_is_the_last_only_when_the_total_says_so():
    """One that was read around what cannot be read is as long as it could be read."""
    gap = ["a", None, "c"]
    things = Things("", 2, total=5, scripted={1: gap, 2: "cde", 3: "e"})
    assert things.read() == [["a", "c"], ["d", "e"]]
    assert things.offsets == [0, 2]
    things = Things("", 4, total=4, scripted={1: ["a", None, "c", "d"]})
    assert things.read() == [["a", "c", "d"]]
    assert things.offsets == [0]


def test_a_page_that_begins_with_a_gap_does_not_meet_the_one_before():
    """Whatever other gaps there were."""
    things = Things(["a", None, "c", "d", "e", "f"], 3, total=6, scripted={2: [None, "d", "e"]})
    assert things.read() == [["a", "c"], [], ["d", "e"], ["f"]]
    assert things.offsets == [0, 2, 1, 0, 2, 4]


@pytest.mark.parametrize(("total", "told"), [(None, []), (4, []), (5, [(4, 5)])])
def test_rows_without_a_key_come_out_end_nothing_and_count_once(total, told):
    rows, found = [{"id": "a"}, {"n": 1}, {"n": 2}, {"id": "d"}], []
    read = pages(
        lambda offset: (rows[offset : offset + 2], total),
        what=WHAT, keys=("id",), size=2, sorts="", seen=set(), may_ignore_limit=False,
        fell_short=lambda *numbers: found.append(numbers),
    )  # fmt: skip
    came = [row for page in read for row in page]
    assert [row for row in rows if row in came] == rows
    assert found == told


def test_a_list_of_nothing_is_empty_whatever_it_says_of_its_length():
    things = Things("", 4, total=5)
    assert things.read_all() == []
    assert things.offsets == [0]


def test_keys_that_came_before_are_left_out_and_those_that_come_are_added():
    seen = {("a",), ("d",)}
    assert Things("abcd", 3).read(seen=seen) == [["b", "c"], []]
    assert seen == {("a",), ("b",), ("c",), ("d",)}


# -------------------------------------------------------------------------------- pages that repeat


@pytest.mark.parametrize("may_ignore_limit", [True, False])
def test_a_full_page_that_repeats_is_an_error(may_ignore_limit):
    """Where the limit may be ignored, too, unless it is all that was read and all there is."""
    repeats = f"{WHAT}: the page at offset 3 repeats the one before."
    things = Things("abcde", 4, scripted={2: "abcd"})
    options = {"may_ignore_limit": may_ignore_limit, "fetch_more": things.fetch_more}
    assert refused(things, **options) == repeats
    assert things.limits == ([5] if may_ignore_limit else [])
    things = Things("abcde", 4, total=5, scripted={2: "abcd"})
    assert refused(things, may_ignore_limit=may_ignore_limit) == repeats
    things = Things("abcd", 4, scripted={2: "defg", 3: "defg"})
    assert refused(things, may_ignore_limit=may_ignore_limit).startswith(f"{WHAT}: the page at off")


@pytest.mark.parametrize("total", [None, 4, 3])
def test_a_full_page_that_repeats_is_the_whole_list_where_its_limit_may_be_ignored(total):
    things = Things("abcd", 4, total=total, scripted={2: "abcd"})
    assert things.read(may_ignore_limit=True, fetch_more=things.fetch_more) == [[*"abcd"]]
    assert things.limits == ([5] if total is None else [])
    assert things.offsets == [0, 3]
    things = Things("abcd", 4, total=total, scripted={2: "abcd"})
    assert things.read(may_ignore_limit=True) == [[*"abcd"]]


def test_a_longer_page_that_repeats_is_the_whole_list_and_otherwise_an_error():
    things = Things("", 2, scripted={1: "abc", 2: "abc"})
    assert things.read(fetch_more=things.fetch_more) == [[*"abc"]]
    assert (things.offsets, things.limits) == ([0, 2], [])
    repeats = f"{WHAT}: the page at offset 2 repeats the one before."
    assert refused(Things("", 2, total=4, scripted={1: "abc", 2: "abc"})) == repeats
    assert "at offset 5 rep" in refused(Things("", 2, scripted={1: "abc", 2: "cdef", 3: "cdef"}))


@pytest.mark.parametrize("total", [4, 25])
def test_a_short_page_that_repeats_is_an_error_where_the_list_says_to_be_longer(total):
    """Pages are cut below the limit, and their offsets ignored."""
    things = Things("", 10, total=total, scripted=dict.fromkeys(range(1, 9), "abc"))
    if total == 4:
        assert things.read() == [[*"abc"], []], "it has become shorter"
    else:
        assert refused(things) == f"{WHAT}: the page at offset 2 repeats the one before."
    assert things.offsets == [0, 2]


# -------------------------------------------------------------------------------- lists that move


def test_where_rows_were_deleted_reading_steps_back_twice_as_far_each_time():
    """It goes on from there, and a few pages without a row that is new are no error."""
    letters = "abcdefghijklmnopqrstuvwxyz0123"
    things = Things(letters, 5, scripted=dict.fromkeys((7, 8, 9), "32"))
    assert things.read_all() == [*letters]
    assert things.offsets == [0, 4, 8, 12, 16, 20, 24, 22, 18, 10, 14, 18, 22, 26]


def test_a_step_back_ends_at_the_start():
    things = Things("abcdefghi", 5, scripted={2: "ih", 3: ""})
    assert things.read_all() == [*"abcdefghi"]
    assert things.offsets == [0, 4, 2, 0, 4, 8]


def test_a_page_may_come_again_after_a_step_back():
    names = ["a1", "b1", "c1", "d1", "d2", "d3", "e1", "e2", "e3", "f1", "f2"]
    things = Things(names, 6, scripted={3: ""})
    assert things.read_all(sorts="group") == things.names
    assert things.offsets == [0, 3, 6, 3, 6]


def test_a_list_that_keeps_changing_is_an_error_after_so_many_steps():
    fresh = ([f"{call}{place}" for place in "abcd"] for call in range(1_000))
    things = Things("", 4, scripted=zip(range(1, 1_000), fresh, strict=False))
    assert refused(things) == MOVES
    assert len(things.offsets) == 2 * STEPS_BACK + 1


def test_pages_without_a_row_that_is_new_are_an_error_after_so_many():
    turned = {call: "abcd" if call % 2 else "bcda" for call in range(1, 100)}
    things = Things("", 4, scripted=turned)
    assert refused(things) == MOVES
    assert len(things.offsets) == 1 + STALE_PAGES + 1
