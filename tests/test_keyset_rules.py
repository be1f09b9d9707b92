"""The rules of reading along a key, on runs in memory: which pages are asked for, and what is
refused; and of keys that repeat or are null.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from tap_looker.errors import BadResponseError, CutResultError, TruncatedError
from tap_looker.queries import key_check, keyset_paging
from tap_looker.queries.columns import Key
from tap_looker.queries.filters import after_key
from tap_looker.queries.keyset_paging import read_all, read_in_pages, read_once

ORDER = "The rows are not in the requested order."
ONE_SECOND = (
    "The rows take more than one page, and the result cannot be continued: more rows than fit on a"
    " page have times within one second."
)
BREAK = ...
QUERY = {"model": "m", "filters": {"z": "1"}}


class Runs:
    """Runs of one query: each gives the next answer, of tuples of a key's values."""

    def __init__(self, *answers, fields="abc"):
        self.answers, self.fields = list(answers), fields
        self.queries, self.open = [], 0

    def __call__(self, query):
        self.queries.append(query)
        self.open += 1
        try:
            for one in self.answers[len(self.queries) - 1]:
                if one is BREAK:
                    raise TruncatedError("broken off")
                values = one if isinstance(one, tuple) else (one,)
                yield dict(zip(self.fields, values, strict=False))
        finally:
            self.open -= 1

    @property
    def bounds(self):
        """What was asked for beside the query itself."""
        return [
            {
                name: value
                for name, value in query.items()
                if name not in ("sorts", "limit", "model")
            }
            for query in self.queries
        ]


def key_of(*kinds, nullable=True):
    return [Key(field, kind, nullable=nullable) for field, kind in zip("abc", kinds, strict=False)]


NUMBER = key_of("integer", nullable=False)
TEXT = key_of("text")


def plain(*fields):
    return lambda: {field: {"type": "string"} for field in fields or "abc"}


def read(runs, key, limit, query=QUERY, metadata=None, **options):
    found = read_in_pages(runs, query, key, limit=limit, metadata=metadata or plain(), **options)
    values = [tuple(row.values()) for row in found]
    assert not runs.open
    assert len(runs.queries) == len(runs.answers)
    return [one[0] if len(one) == 1 else one for one in values]


def refused(runs, key, limit, **options):
    with pytest.raises(CutResultError) as refusal:
        read(runs, key, limit, **options)
    return str(refusal.value)


# --------------------------------------------------------------------------- what can be continued


@pytest.mark.parametrize(
    ("field", "is_sorted"),
    [
        ({"type": "string"}, True),
        ({"type": "zipcode"}, True),
        ({"type": "location"}, True),
        ({"type": "date_date"}, True),
        ({"type": "date_day_of_week"}, False),
        ({"type": "date_month_name"}, False),
        ({"type": "tier"}, False),
        ({"type": "my_date_date"}, False),
        ({"type": None}, False),
        ({}, False),
        ({"type": "string", "enumerations": None, "sql_case": [], "dynamic": False}, True),
        ({"type": "string", "enumerations": [{}]}, False),
        ({"type": "string", "sql_case": [{}]}, False),
        ({"type": "string", "requires_refresh_on_sort": True}, False),
        ({"type": "date_date", "dynamic": True}, False),
    ],
)
def test_a_text_is_sorted_by_its_text_unless_looker_ranks_it(field, is_sorted):
    assert keyset_paging.sorts_as_text(field) is is_sorted


def test_fields_that_are_ranked_or_unknown_are_refused_by_name():
    metadata = plain("a")
    keyset_paging.check_order(TEXT, metadata)
    with pytest.raises(CutResultError) as refusal:
        keyset_paging.check_order(key_of("text", "text", "text"), metadata)
    assert str(refusal.value) == (
        "The result may have been cut short and cannot be continued: Looker may not sort b, c"
        " alphabetically. Set limit to the maximum number of rows it can have, or primary_keys to"
        " fields that are sorted by value."
    )


@pytest.mark.parametrize("kind", ["integer", "number", "date", "date-time", "boolean"])
def test_values_other_than_texts_need_no_metadata(kind):
    keyset_paging.check_order(key_of(kind), lambda: pytest.fail("a call that nobody needs"))


def test_metadata_is_asked_for_once_and_only_when_there_may_be_more():
    calls = []

    def metadata():
        calls.append(1)
        return plain()()

    read(Runs(["x", "y"]), TEXT, 3, metadata=metadata)
    assert calls == []
    read(Runs(["u", "v"], ["v", "w"], ["w"]), TEXT, 2, metadata=metadata)
    assert calls == [1]


def test_what_may_be_cut_and_is_ranked_is_refused_after_its_rows():
    found = read_in_pages(Runs(["x", "y"]), QUERY, TEXT, limit=2)
    assert [next(found)["a"], next(found)["a"]] == ["x", "y"]
    with pytest.raises(CutResultError, match="may not sort a alphabetically"):
        next(found)


# ------------------------------------------------------------------------------------------- pages


def test_the_first_page_is_the_query_itself_in_the_order_of_the_key():
    runs = Runs([(1, "x")])
    read(runs, key_of("integer", "text"), 7)
    assert runs.queries == [{**QUERY, "sorts": ["a", "b"], "limit": "7"}]
    assert QUERY == {"model": "m", "filters": {"z": "1"}}


def test_the_next_page_begins_behind_the_last_row():
    runs = Runs([1, 2, 5], [7, 8, 9], [])
    assert read(runs, NUMBER, 3) == [1, 2, 5, 7, 8, 9]
    assert runs.bounds == [
        {"filters": {"z": "1", **more}} for more in ({}, {"a": ">5"}, {"a": ">9"})
    ]
    assert {query["limit"] for query in runs.queries} == {"3"}


@pytest.mark.parametrize("after", [0, 5])
def test_reading_starts_behind_what_is_known(after):
    runs = Runs([6, 7])
    assert read(runs, NUMBER, 3, after=after) == [6, 7]
    assert runs.bounds == [{"filters": {"z": "1", "a": f">{after}"}}]


def test_nulls_behind_what_is_known_sort_last():
    runs = Runs([None, None], [None], fields="a")
    with pytest.raises(CutResultError, match="share"):
        read(runs, key_of("integer"), 2, after=5)
    runs = Runs([6, None], [None])
    assert read(runs, key_of("integer"), 2, after=5) == [6, None]
    assert runs.bounds[0]["filter_expression"] == "((${a} > 5 OR is_null(${a})))"
    assert runs.bounds[1]["filter_expression"] == "(is_null(${a}))"
    runs = Runs([None], [None])
    assert refused(runs, key_of("integer"), 1, after=5) == ONE_SECOND
    assert runs.bounds[1]["filter_expression"] == "(is_null(${a}))"


@pytest.mark.parametrize(
    ("limit", "count", "is_last"),
    [
        (7, 6, True), (7, 7, False), (499, 498, True), (499, 499, False), (500, 499, True),
        (500, 500, False), (50_000, 499, True), (50_000, 500, False), (50_000, 4_000, False),
        (-1, 499, True), (-1, 500, False), (-1, 501, True), (-1, 5_000, False), (-1, 0, True),
    ],
)  # fmt: skip
def test_a_page_is_the_last_where_no_instance_is_known_to_cut(limit, count, is_last):
    runs = Runs(range(count), *([] if is_last else [[count]]))
    assert read(runs, NUMBER, limit) == list(range(count + (not is_last)))


def test_a_page_that_repeats_the_last_row_gives_it_once():
    runs = Runs(["x", "y"], ["y", "z"], ["z"])
    assert read(runs, TEXT, 2) == ["x", "y", "z"]
    assert runs.bounds[1]["filter_expression"] == '((${a} >= "y" OR is_null(${a})))'


def test_rows_that_share_their_key_cannot_be_continued():
    runs = Runs([("x", 1), ("y", 2), ("y", 2)])
    assert refused(runs, key_of("text", "integer"), 3) == (
        "The rows take more than one page, and the result cannot be continued: some share their key"
        " (a, b)."
    )
    whole = [("x", 1), ("y", 2), ("y", 2)]
    assert read(Runs(whole), key_of("text", "integer"), 4) == whole


def test_a_page_without_a_row_that_is_new_cannot_be_continued():
    assert refused(Runs(["x"], ["x"]), TEXT, 1) == ONE_SECOND


NULLS = [
    ([(1, "x", 1)], "---", "VVV"),
    ([(None, "x", 1)], "N--", "-VV"),
    ([(None, "x", 1), (1, None, 1)], "NN-", "V-V"),
    ([(1, None, 1), (1, "x", None)], "-NN", "VV-"),
    ([(1, "x", None), (1, "x", 2)], "--N", "VVV"),
    ([(1, "x", None), (1, "y", 2)], "---", "VVV"),
    ([(1, None, None), (2, "y", None)], "--N", "VV-"),
    ([(None, None, None), (None, None, 4), (None, "x", 4)], "NN-", "-VV"),
]


@pytest.mark.parametrize(("rows", "nulls", "values"), NULLS)
def test_whether_nulls_come_first_shows_under_the_same_leading_values(rows, nulls, values):
    key = key_of("integer", "text", "integer")
    runs = Runs(rows, [])
    read(runs, key, len(rows))
    flags = [one == "N" for one in nulls], [one == "V" for one in values]
    assert runs.queries[1] == {**runs.queries[0], **after_key(QUERY, key, rows[-1], *flags)}


# ------------------------------------------------------------------------------------------- order


@pytest.mark.parametrize("values", [[5, 9, 7], [2, 1], [1, Decimal("0.5")], [9, 10, 9], [5, "5"]])
def test_numbers_that_do_not_rise_are_an_error_at_once(values):
    found = read_in_pages(Runs(values), QUERY, NUMBER, limit=50)
    assert [next(found)["a"] for _ in values[:-1]] == values[:-1]
    with pytest.raises(CutResultError) as refusal:
        next(found)
    assert str(refusal.value) == ORDER


@pytest.mark.parametrize(
    ("kinds", "rows"),
    [
        (["date"], ["2026-01-02", "2026-01-01"]),
        (["date-time"], ["2026-01-01 00:00:02", "2026-01-01 00:00:01"]),
        (["date-time"], ["2026-01-01 00:00:02", "2026-01-01 00:00:01", "2026-01-01 00:00:03"]),
        (["integer", "text"], [(2, "x"), (1, "y")]),
        (["text", "integer"], [("x", 2), ("x", 1)]),
        (["text", "integer"], [("x", 10), ("x", 9)]),
    ],
)
def test_rows_that_fall_are_an_error_where_the_result_must_be_continued(kinds, rows):
    assert refused(Runs(rows), key_of(*kinds), len(rows)) == ORDER
    assert read(Runs(rows), key_of(*kinds), len(rows) + 1) == rows
    with pytest.raises(TruncatedError):
        read(Runs([*rows, BREAK]), key_of(*kinds), 9)


@pytest.mark.parametrize(
    ("kinds", "rows"),
    [
        (["text"], ["b", "B", "a"]),
        (["integer"], [9, 10, None]),
        (["integer"], [None, 9, 10]),
        (["date"], [None, "2026-01-01", "2026-01-02"]),
        (["integer", "integer"], [(1, 5), (2, 1)]),
        (["text", "integer"], [("b", 5), ("a", 1)]),
        (["number"], [1, "much"]),
    ],
)
def test_texts_nulls_and_what_is_no_number_may_come_in_any_order(kinds, rows):
    runs = Runs(rows, rows[-1:])
    assert read(runs, key_of(*kinds), len(rows)) == rows


def test_a_page_that_comes_back_to_its_first_row_is_out_of_order():
    assert refused(Runs(["x", "y", "x"]), TEXT, 9) == ORDER
    assert refused(Runs(["w", "x"], ["x", "y", "x"]), TEXT, 2) == ORDER
    assert refused(Runs(["x", "y"], ["x", "y"]), TEXT, 2) == ORDER, "the same page for ever"


# --------------------------------------------------------------------------- fractions of a second


def at(*seconds):
    return [f"2026-01-01 00:00:{second}" for second in seconds]


TIME = key_of("date-time")


def test_a_page_begins_with_the_second_of_the_last_row_and_repeats_none():
    first, second = at("01", "02.1", "02.2"), at("02.1", "02.2", "02.3", "03")
    runs = Runs(first, second, at("03"))
    assert read(runs, TIME, 3) == at("01", "02.1", "02.2", "02.3", "03")
    assert "date_time(2026, 1, 1, 0, 0, 2)" in runs.bounds[1]["filter_expression"]


def test_a_text_with_a_dot_has_no_fraction_of_a_second():
    runs = Runs(["v1.0", "v1.1"], ["v1.2"])
    assert read(runs, TEXT, 2) == ["v1.0", "v1.1", "v1.2"]


def test_a_last_row_that_is_gone_hides_none_behind_it():
    runs = Runs(at("01", "02.1", "02.2"), at("02.1", "02.3", "02.4"), at("02.3", "02.4"))
    assert read(runs, TIME, 3) == at("01", "02.1", "02.2", "02.3", "02.4")


def test_more_rows_within_a_second_than_fit_on_a_page_are_an_error():
    assert refused(Runs(at("02.1", "02.2"), at("02.1", "02.2")), TIME, 2) == ONE_SECOND


def test_a_last_row_that_is_gone_and_shared_its_time_with_others_is_an_error():
    """Which of the rows with that time are new cannot be told by texts."""
    key = key_of("date-time", "text")
    (time, later) = at("02.5", "03")
    rows = [(time, "k"), (time, "m")]
    runs = Runs(rows, [(time, "k"), (time, "m"), (time, "z")], [(time, "z")])
    assert read(runs, key, 2) == [*rows, (time, "z")]
    assert refused(Runs(rows, [(time, "k"), (time, "z")]), key, 2) == ORDER
    runs = Runs(rows, [(time, "k"), (later, "a"), (later, "b")], [(later, "b")])
    assert read(runs, key, 2) == [*rows, (later, "a"), (later, "b")]


def test_a_null_says_nothing_of_where_a_page_is():
    key = key_of("date-time", "integer")
    (time,) = at("02.5")
    rows = [(time, None), (time, 3)]
    assert refused(Runs(rows, [(time, None), (time, 2)]), key, 2) == ORDER
    assert read(Runs(rows, [(time, 2), (time, 4)], [(time, 4)]), key, 2) == [*rows, (time, 4)]


# ------------------------------------------------------------------------------ runs that break off


@pytest.mark.parametrize("limit", [7, -1])
def test_a_run_that_breaks_off_goes_on_behind_its_last_row(limit):
    runs = Runs([BREAK], [BREAK], [BREAK], [1, BREAK], [BREAK], [BREAK], [2, BREAK], [3])
    assert read(runs, NUMBER, limit) == [1, 2, 3]
    assert [one["filters"].get("a") for one in runs.bounds] == [None] * 4 + [">1"] * 3 + [">2"]


def test_a_run_that_breaks_off_in_vain_is_an_error_after_so_many():
    runs = Runs(*[[BREAK]] * keyset_paging.MAX_BREAKS)
    with pytest.raises(TruncatedError):
        read(runs, NUMBER, 7)
    assert len(runs.queries) == keyset_paging.MAX_BREAKS == 4


def test_a_run_that_breaks_off_is_continued_only_along_a_key_that_can_be():
    with pytest.raises(CutResultError, match="alphabetically"):
        read(Runs(["x", BREAK]), TEXT, 7, metadata=dict)
    assert read(Runs([BREAK], ["x"]), TEXT, 7, metadata=dict) == ["x"], "nothing came"
    with pytest.raises(TruncatedError):
        read(Runs(["x", "x", BREAK]), TEXT, 7)


def test_a_repeated_row_is_no_progress():
    runs = Runs(["x", BREAK], *[["x", BREAK]] * 3)
    with pytest.raises(TruncatedError):
        read(runs, TEXT, 7)


@pytest.mark.parametrize("limit", [7, -1])
def test_a_reader_that_stops_closes_the_run(limit):
    runs = Runs([1, 2, 3])
    found = read_in_pages(runs, QUERY, NUMBER, limit=limit)
    next(found)
    assert runs.open == 1
    found.close()
    assert runs.open == 0


# ----------------------------------------------------------------------------------- without a key


def test_a_run_is_repeated_only_as_long_as_no_row_came():
    runs = Runs([BREAK], [BREAK], [BREAK], [1, 2])
    assert [row["a"] for row in read_once(runs, QUERY)] == [1, 2]
    assert runs.queries == [QUERY] * 4
    runs = Runs(*[[BREAK]] * 9)
    with pytest.raises(TruncatedError):
        list(read_once(runs, QUERY))
    assert len(runs.queries) == keyset_paging.MAX_BREAKS
    runs = Runs([BREAK], [1, BREAK], [1])
    found = read_once(runs, QUERY)
    assert next(found) == {"a": 1}
    with pytest.raises(TruncatedError):
        next(found)


@pytest.mark.parametrize("count", [500, 5_000])
def test_a_whole_result_that_may_have_been_cut_is_an_error_without_a_key(count):
    runs = Runs(range(count))
    found = read_all(runs, QUERY, [])
    assert [next(found)["a"] for _ in range(count)] == list(range(count))
    with pytest.raises(CutResultError) as refusal:
        next(found)
    assert str(refusal.value) == (
        f"The result has exactly {count} rows, a number at which Looker is known to cut results"
        " silently, and no key to continue from: set limit to the maximum number of rows it can"
        " have."
    )
    assert runs.queries == [{**QUERY, "limit": "-1"}]
    assert len(list(read_all(Runs(range(count + 1)), QUERY, []))) == count + 1


def test_a_whole_result_that_may_have_been_cut_goes_on_along_its_key():
    texts = [f"{number:03}" for number in range(500)]
    runs = Runs(texts, ["499", "x"])
    assert [row["a"] for row in read_all(runs, QUERY, TEXT, plain())] == [*texts, "x"]
    assert {query["limit"] for query in runs.queries} == {"-1"}
    with pytest.raises(CutResultError, match="alphabetically"):
        list(read_all(Runs(texts), QUERY, TEXT))


# ------------------------------------------------------------------------------------ keys checked


def checked(rows, key=("a", "b"), *, in_order):
    counts = []
    records = [dict(zip("abc", row, strict=False)) for row in rows]
    found = key_check.check_keys(
        records, key, in_order=in_order, where="queries[3]", report=counts.append
    )
    assert list(found) == records
    return counts


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize(
    ("rows", "counts"),
    [
        ([], []),
        ([(1, 1), (1, 2), (2, 1)], []),
        ([(1, 1), (1, 1)], [1]),
        ([(1, 1), (1, 1), (1, 1), (1, 2), (1, 2)], [3]),
    ],
)
def test_rows_that_repeat_a_key_are_counted(rows, counts, in_order):
    assert checked(rows, in_order=in_order) == counts


def test_rows_that_repeat_a_key_later_are_counted_as_far_as_keys_are_remembered(monkeypatch):
    rows = [(1, 1), (2, 1), (3, 1), (1, 1), (2, 1), (3, 1)]
    assert checked(rows, in_order=False) == [3]
    assert checked(rows, in_order=True) == []
    monkeypatch.setattr(key_check, "MAX_REMEMBERED", 2)
    assert checked(rows, in_order=False) == [2]


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize(("row", "name"), [((None, 1), "a"), ((1, None), "b")])
def test_a_null_in_a_key_is_an_error_that_names_it(row, name, in_order):
    with pytest.raises(BadResponseError) as refusal:
        checked([(0, 0), row], in_order=in_order)
    assert str(refusal.value) == (
        f"The primary key field {name} is null in a row: set primary_keys in queries[3] to fields"
        " that are never null, or to [] for none."
    )
