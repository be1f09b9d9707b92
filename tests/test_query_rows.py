"""The room for rows: parsed however they come, typed without loss, read on without a gap."""

from __future__ import annotations

import itertools
import json
import logging
import re
import threading
import time
import tracemalloc
from contextlib import contextmanager, suppress
from datetime import UTC
from decimal import Decimal
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import ended_within

from looker_emulator.queries.explores import FRAMES
from looker_emulator.queries.explores import Field as EmulatorField
from looker_emulator.queries.expressions import translated
from looker_emulator.queries.filters import condition
from tap_looker.errors import BadResponseError, QueryError, RequestError, TruncatedError
from tap_looker.looker import json_stream
from tap_looker.looker.response import Body
from tap_looker.queries import columns, execute, filters, keyset_paging
from tap_looker.queries.columns import Key
from tap_looker.streams import incremental
from tap_looker.streams.incremental import in_batches
from tap_looker.values import MisfitError, Misfits

SOON = 5.0  # seconds
ZURICH, LOS_ANGELES = ZoneInfo("Europe/Zurich"), ZoneInfo("America/Los_Angeles")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SQL_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


class Wire:
    """What urllib3 gives of a response: some bytes at a time."""

    def __init__(self, text, sizes=(1 << 16,)):
        self.left, self.sizes = text, itertools.cycle(sizes)
        self.read = 0

    def read1(self, size, *, decode_content):
        assert decode_content
        size = min(size, next(self.sizes))
        piece, self.left = self.left[:size], self.left[size:]
        self.read += len(piece)
        return piece


def body(text, sizes=(1 << 16,)):
    return Body(SimpleNamespace(raw=Wire(text, sizes)), threading.Event(), patience=60)


def parsed(text, sizes=(1 << 16,)):
    """The rows that came, and the error after them or None."""
    found = []
    try:
        for row in execute.parse_rows(body(text, sizes), "POST /x"):
            found.append(row)  # noqa: PERF402
    except RequestError as error:
        return found, error
    return found, None


# ----------------------------------------------------------------------------------------- parsing

NUMBERS = st.one_of(
    st.integers(-(10**40), 10**40),
    st.decimals(allow_nan=False, allow_infinity=False, places=10),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, min_size=1, max_size=3)
    ),
    max_leaves=6,
)
ROWS = st.lists(st.dictionaries(st.sampled_from(["a.id", "a.b", "c", "}"]), VALUES), max_size=6)


class Exact(json.JSONEncoder):
    """JSON with decimals as numbers, digit by digit."""

    def iterencode(self, value, _one_shot=False):  # noqa: FBT002
        if isinstance(value, Decimal):
            yield format(value, "f")
        elif isinstance(value, dict):
            yield "{"
            for number, (name, inner) in enumerate(value.items()):
                yield f"{self.item_separator if number else ''}{json.dumps(name)}"
                yield self.key_separator
                yield from self.iterencode(inner)
            yield "}"
        elif isinstance(value, list):
            yield "["
            for number, inner in enumerate(value):
                yield self.item_separator if number else ""
                yield from self.iterencode(inner)
            yield "]"
        else:
            yield json.dumps(value, ensure_ascii=self.ensure_ascii)

    def encode(self, value):
        return "".join(self.iterencode(value))


SEPARATORS = [(",", ":"), (",\n", ": "), (" ,\r\n\t ", " :\n"), ("\n\n,", ":")]


@settings(max_examples=100, deadline=None)
@given(
    ROWS,
    st.sampled_from(SEPARATORS),
    st.booleans(),
    st.lists(st.integers(1, 40), min_size=1, max_size=5),
    st.sampled_from(["", " ", "\n\n\t"]),
)
def test_rows_come_out_as_they_are_whatever_the_breaks(found, separators, ascii_only, sizes, space):
    text = Exact(separators=separators, ensure_ascii=ascii_only).encode(found)
    came, error = parsed((space + text + space).encode(), sizes)
    assert error is None
    assert came == found
    assert repr(came) == repr(found), "types too: 1 is not 1.0, 0.10 is not 0.1"


@pytest.mark.parametrize("indent", [None, 0, 2, "\t"])
def test_many_rows_in_many_pieces(indent):
    found = [
        {"id": number, "text": '},{"id": 0}, {' * (number % 5), "in": [{"a": 1}, {"b": [{}]}]}
        for number in range(5_000)
    ]
    text = json.dumps(found, indent=indent).encode()
    assert parsed(text) == (found, None)
    assert parsed(text, [997]) == (found, None)


def test_numbers_stay_exact():
    text = b'[{"n":12345678901234567890123456789012345678.0123456789},{"n":0.10},{"n":1}]'
    (first, second, third), error = parsed(text)
    assert error is None
    assert str(first["n"]) == "12345678901234567890123456789012345678.0123456789"
    assert str(second["n"]) == "0.10"
    assert third["n"] == 1
    many = [{"n": 2**63 + number, "m": -(2**70)} for number in range(3)]
    assert parsed(json.dumps(many).encode()) == (many, None)


ODD_NUMBERS = [
    (b"NaN", "NaN"),
    (b"Infinity", "Infinity"),
    (b"-Infinity", "-Infinity"),
    (b"1e9999999999999999999999", "1e9999999999999999999999"),
]


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("size", [1, 3, 17, 1 << 16])
@pytest.mark.parametrize(("sent", "came"), ODD_NUMBERS)
def test_what_is_no_number_in_json_comes_as_a_text(sent, came, size, exact):
    """In the quick parser, and in the one that takes over: after half a character, for one."""
    text = b'{"a":1,"b":%s,"c":["x",%s , {"d":%s}],"t":"NaN \\" , Infinity,\\\\"}' % ((sent,) * 3)
    row = {"a": 1, "b": came, "c": ["x", came, {"d": came}], "t": 'NaN " , Infinity,\\'}
    for rows, wanted in (
        ([text, text], [row, row]),
        ([b'{"a":"\\ud800"}', text, text], [{"a": "?"}, row, row]),
    ):
        wire = body(b"[" + b",\n".join(rows) + b"]", [size])
        assert list(json_stream.items(wire, exact=exact)) == wanted


def test_a_float_out_of_range_is_a_text_where_numbers_are_floats():
    found = list(json_stream.items(body(b'[{"a":1e400},{"a":-1e400},{"a":1e40}]')))
    assert found == [{"a": "1E+400"}, {"a": "-1E+400"}, {"a": 1e40}]


def test_half_a_character_costs_no_row():
    """JSON can hold what no UTF-8 can; the other rows, and this one's other fields, are good."""
    found, error = parsed(b'[{"a":1},{"a":2,"b":"\\ud800!"},{"a":3}]')
    assert error is None
    assert [row["a"] for row in found] == [1, 2, 3]


@pytest.mark.parametrize("text", [b"[]", b" [ ] ", b"[\n]\n", b"\n\n[\r\n\t]"])
@pytest.mark.parametrize("size", [1, 100])
def test_no_rows(text, size):
    assert parsed(text, [size]) == ([], None)


WHOLE = (
    '[{"a.id":1,"a.note":"x},{\\"y"},\n{"a.id":2,"a.in":[{"b":[1.50,null]},{}]},'
    ' {"a.id":3,"a.note":"Grüße 🪴\\u00e9\\\\"} ]\n'
).encode()
GOOD = json.loads(WHOLE)


@pytest.mark.parametrize("size", [1, 7, 1 << 16])
def test_a_body_that_is_cut_anywhere_is_an_error_after_the_rows_before(size):
    for end in range(len(WHOLE.rstrip())):
        with ended_within(SOON):
            found, error = parsed(WHOLE[:end], [size])
        assert isinstance(error, TruncatedError), end
        assert found == GOOD[: len(found)], end
    assert parsed(WHOLE, [size]) == (GOOD, None)


def test_a_long_body_that_is_cut_is_an_error_after_the_rows_before():
    good = [{"id": number, "note": f"}},{{ {number}"} for number in range(10_000)]
    text = json.dumps(good).encode()
    for share in range(1, 40):
        found, error = parsed(text[: len(text) * share // 40])
        assert isinstance(error, TruncatedError)
        assert found == good[: len(found)]
        assert len(found) > 10_000 * share // 40 - 100


@pytest.mark.parametrize(
    "after",
    [b"x", b"]", b",", b'{"a":9}', b'[{"a":9}]', b'\n{"message":"too late"}', b"<html></html>"],
)
def test_what_follows_the_list_is_an_error_after_the_rows(after):
    found, error = parsed(WHOLE + after)
    assert found == GOOD
    assert isinstance(error, TruncatedError)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" \n ",
        b"null",
        b'"rows"',
        b"17",
        b"<!DOCTYPE html><title>Sign in</title>",
        b"[",
        b"{",
        b'[{"a":1},]',
        b'[,{"a":1}]',
        b'[{"a":1} {"a":2}]',
        b'[{"a":nan}]',
        b'[{"a":01}]',
        b"[{'a':1}]",
        b'[{"a":"\xff"}]',
        b'[{"a":1}}',
    ],
)
@pytest.mark.parametrize("size", [1, 100])
def test_what_is_no_list_of_rows_is_asked_for_again(text, size):
    found, error = parsed(text, [size])
    assert isinstance(error, TruncatedError)
    assert found in ([], [{"a": 1}])
    assert "\n" not in error.message


@pytest.mark.parametrize("text", [b"[1]", b"[null]", b'[["a"]]', b'["a","b"]', b"[[],[]]"])
def test_a_list_of_something_else_is_an_error_for_good(text):
    found, error = parsed(text)
    assert found == []
    assert isinstance(error, BadResponseError)
    assert not isinstance(error, TruncatedError), "not to be asked for again"
    assert "no rows" in error.message


@pytest.mark.parametrize(
    "text",
    [
        '{"looker_error": "Access\\n denied"}',
        '{"message": "Access denied", "documentation_url": "https://x"}',
        '{"message": "Access denied"}',
        '[{"looker_error": "Access denied"}]',
        '[{"looker_error": {"message": "Access denied", "fatal": true}}]',
        '[{"a":1},{"looker_error": "Access denied"},{"a":2}]',
        '[{"message": "Access denied", "documentation_url": "https://x"}]',
        # As `json_detail` says it.
        '{"status":"error","errors":[{"message":"Access denied","fatal":true}],"data":[]}',
        '{"status":"error","errors":[{"message":"The database failed to run the query.",'
        '"message_details":"Access denied"}],"data":[]}',
    ],
)
def test_lookers_own_words_for_what_went_wrong(text):
    found, error = parsed(text.encode())
    assert found == ([{"a": 1}] if '"a":1' in text else [])
    assert isinstance(error, QueryError), "not to be asked for again"
    assert "Access denied" in error.message
    assert "'" not in error.message, "Python's way to write an object"
    assert "\n" not in error.message


def test_an_object_in_place_of_rows_is_an_error():
    assert "object" in parsed(b'{"a": 1}')[1].message
    assert isinstance(parsed(b'{"a": ')[1], TruncatedError)


NESTINGS = {
    "lists": ("[", "]"),
    "objects": ('{"b":', "}"),
    "both": ('[{"b":', "}]"),
    "without an end": ("[", ""),
}


@pytest.mark.parametrize("others", [0, 1])
@pytest.mark.parametrize("kind", NESTINGS)
@pytest.mark.parametrize("depth", [50, 3_000])
def test_deep_nesting_neither_crashes_nor_fills_the_memory(depth, kind, others):
    begin, end = NESTINGS[kind]
    text = f'[{{"a":{begin * depth}1{end * depth}}}{",{}" * others}]'.encode()
    tracemalloc.start()
    found, error = parsed(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    if error is None:
        assert len(found) == 1 + others
    else:
        assert found == []
        assert depth > 1_000 or not end, "nesting of some depth is data"
    assert peak < 10_000_000, f"for a body of {len(text)} bytes"


def test_the_first_row_leaves_before_the_last_byte_arrives():
    found = [{"id": number, "note": "x" * 100} for number in range(2_000)]
    wire = Wire(json.dumps(found).encode(), [1_000])
    rows_of = execute.parse_rows(Body(SimpleNamespace(raw=wire), threading.Event(), 60), "POST /x")
    assert next(rows_of) == found[0]
    assert wire.read <= 5_000
    assert list(rows_of) == found[1:]


def test_a_slow_consumer_is_no_timeout():
    found = [{"id": number, "note": "x" * 100} for number in range(2_000)]
    wire = Wire(json.dumps(found).encode(), [1_000])
    answer = Body(SimpleNamespace(raw=wire), threading.Event(), patience=0.02)
    came = []
    for row in execute.parse_rows(answer, "POST /x"):
        came.append(row)
        if row["id"] < 20:  # some of them the last of what has arrived
            time.sleep(0.03)
    assert came == found


def test_memory_does_not_grow_with_the_body():
    count = 60_000
    line = json.dumps({"id": 12345, "note": "x" * 100, "n": 1.5}).encode()
    lines = itertools.chain([b"[" + line], itertools.repeat(b",\n" + line, count - 1), [b"]", b""])
    wire = SimpleNamespace(read1=lambda size, **_: b"".join(itertools.islice(lines, size // 200)))
    tracemalloc.start()
    answer = Body(SimpleNamespace(raw=wire), threading.Event(), 60)
    came = sum(1 for _ in execute.parse_rows(answer, "POST /x"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert came == count
    assert peak < 5_000_000


# ------------------------------------------------------------------------------------------- types


def converted(lookml_type, value, zone=UTC):
    one = columns.column("a.b", lookml_type, zone=zone)
    (record,) = columns.records([one], [{"a.b": value}])
    return record["a_b"]


TYPES = {
    "string": (["string", "null"], None),
    "zipcode": (["string", "null"], None),
    "tier": (["string", "null"], None),
    "location": (["string", "null"], None),
    "list": (["string", "null"], None),
    "number": (["number", "null"], None),
    "distance": (["number", "null"], None),
    "duration_day": (["number", "null"], None),
    "yesno": (["boolean", "null"], None),
    "date_date": (["string", "null"], "date"),
    "date_week": (["string", "null"], "date"),
    "date": (["string", "null"], "date"),
    "date_time": (["string", "null"], "date-time"),
    "date_second": (["string", "null"], "date-time"),
    "date_millisecond": (["string", "null"], "date-time"),
    "date_microsecond": (["string", "null"], "date-time"),
    "time": (["string", "null"], "date-time"),
    "date_hour": (["string", "null"], None),
    "date_month": (["string", "null"], None),
    "date_quarter": (["string", "null"], None),
    "date_time_of_day": (["string", "null"], None),
    "date_day_of_week": (["string", "null"], None),
    "date_month_name": (["string", "null"], None),
    "date_year": (["integer", "null"], None),
    "date_hour_of_day": (["integer", "null"], None),
    "date_day_of_month": (["integer", "null"], None),
    "count": (["integer", "null"], None),
    "count_distinct": (["integer", "null"], None),
    "sum": (["number", "null"], None),
    "average": (["number", "null"], None),
    "median": (["number", "null"], None),
    "percentile": (["number", "null"], None),
    "min": (["number", "null"], None),
    "max": (["number", "null"], None),
    "a type of tomorrow": (["string", "null"], None),
}


@pytest.mark.parametrize("lookml_type", TYPES)
def test_the_schema_of_each_type(lookml_type):
    types, form = TYPES[lookml_type]
    schema = dict(columns.column("a.b", lookml_type, description="What it is").schema)
    assert schema.pop("description") == "What it is"
    assert schema == {"type": types} | ({"format": form} if form else {})
    # A catalog says the same of it as the metadata.
    assert columns.column_of_schema("a.b", {**schema, "description": "x"}).convert is not None
    assert columns.kind_of_schema(schema) == columns.KINDS.get(lookml_type, "text")


def test_every_type_of_the_emulator_has_a_kind_that_holds_it():
    """Every timeframe, with what a warehouse made of a moment and Looker would write."""
    moment = "TIMESTAMP '2026-03-04 05:06:07.123456'"
    for name, frame in FRAMES.items():
        field = EmulatorField(f"a.b_{name}", frame.type, moment, frame=name)
        ((value,),) = duckdb.sql(f"SELECT {field.render(field.value('UTC'))}").fetchall()
        came = converted(frame.type, value)
        kind = columns.KINDS.get(frame.type, "text")
        if kind == "integer":
            assert came == value
        elif kind == "date-time":
            assert came == value.replace(" ", "T") + "Z"
        else:
            assert came == str(value)


FITS = [
    ("string", "x", "x"),
    ("string", "", ""),
    ("string", 5, "5"),
    ("string", Decimal("0.10"), "0.10"),
    ("string", True, "true"),
    ("string", ["a", 1, None], '["a",1,null]'),
    ("string", {"a": Decimal("1.50")}, '{"a":1.50}'),
    ("zipcode", "08001", "08001"),
    ("number", 5, 5),
    ("number", Decimal("0.10"), Decimal("0.10")),
    ("number", "12.50", Decimal("12.50")),
    ("number", "9007199254740993", 9007199254740993),
    ("number", "-0.50", Decimal("-0.50")),
    ("number", "0", 0),
    ("number", "", None),
    ("count", 7, 7),
    ("count", "7", 7),
    ("count", Decimal("7.0"), 7),
    ("count", "7.0", 7),
    ("count", "", None),
    ("date_year", "2026", 2026),
    ("yesno", "Yes", True),
    ("yesno", "No", False),
    ("yesno", "yes", True),
    ("yesno", "false", False),
    ("yesno", "", None),
    ("yesno", True, True),
    ("yesno", 0, False),
    ("date_date", "2026-01-31", "2026-01-31"),
    ("date_date", "2026-01-31 00:00:00", "2026-01-31"),
    ("date_date", "2026-01-31T00:00:00.000Z", "2026-01-31"),
    ("date_date", "", None),
    ("date_time", "", None),
    ("date_week", "2026-01-26", "2026-01-26"),
    ("date_time", "2026-01-31 23:59:59", "2026-01-31T23:59:59Z"),
    ("date_time", "2026-01-31T23:59:59", "2026-01-31T23:59:59Z"),
    ("date_time", "2026-01-31 23:59", "2026-01-31T23:59:00Z"),
    ("date_time", "2026-01-31", "2026-01-31T00:00:00Z"),
    ("date_time", "2026-01-31 23:59:59.123456", "2026-01-31T23:59:59.123456Z"),
    ("date_time", "2026-01-31 23:59:59 UTC", "2026-01-31T23:59:59Z"),
    ("date_time", "2026-01-31T23:59:59Z", "2026-01-31T23:59:59Z"),
    ("date_time", "2026-01-31T23:59:59+05:30", "2026-01-31T18:29:59Z"),
    ("date_time", "2026-01-31T23:59:59-0500", "2026-02-01T04:59:59Z"),
    ("date_time", "9999-12-31 23:59:59", "9999-12-31T23:59:59Z"),
]


@pytest.mark.parametrize(("lookml_type", "value", "expected"), FITS)
def test_values_that_fit(lookml_type, value, expected):
    came = converted(lookml_type, value)
    assert came == expected
    assert type(came) is type(expected)
    assert converted(lookml_type, None) is None


MISFITS = [
    ("number", "about 5"),
    ("number", "NaN"),
    ("number", "1,234"),
    ("number", "Infinity"),
    ("number", "n/a"),
    ("number", "00501"),
    ("number", "1_000"),
    ("number", " 5 "),
    ("number", "5\n"),
    ("number", "1e5"),
    ("number", "+5"),
    ("number", ".5"),
    ("number", "5."),
    ("number", "١٢"),
    ("number", "９"),  # noqa: RUF001
    ("number", "9" * 5_000),
    ("count", Decimal("1e999999999")),
    ("count", "0x10"),
    ("yesno", "YES"),
    ("date_date", "2026-01-31 13:00:00"),
    ("date_date", "2026-01-31T00:00:00+05:00"),
    ("date_date", "0000-00-00"),
    ("date_date", "10000-01-01"),
    ("date_time", "10000-01-01"),
    ("date_time", "2026-01-31 24:00:00"),
    ("date_time", "24:00:00"),
    ("number", True),
    ("number", [1]),
    ("count", Decimal("1.5")),
    ("count", "x"),
    ("yesno", "Perhaps"),
    ("yesno", 2),
    ("yesno", {"a": 1}),
    ("date_date", "yesterday"),
    ("date_date", "2026-02-30"),
    ("date_date", "2026-W05-1"),
    ("date_date", "0000-00-00 00:00:00"),
    ("date_date", 20260131),
    ("date_time", "soon"),
    ("date_time", "2026-02-30 25:61:00"),
    ("date_time", "2026-02-30 25:61:00.5"),
    ("date_time", "20260131T123456.789"),
    ("date_time", "2026-W05-1T12:34:56"),
    ("date_time", 1767225600),
]


@pytest.mark.parametrize(("lookml_type", "value"), MISFITS)
def test_values_that_do_not_fit_are_null_and_reported(lookml_type, value, caplog):
    two = [columns.column("a.id", "number"), columns.column("a.b", lookml_type)]
    rows = [{"a.id": number, "a.b": value} for number in (7, 8)]
    misfits = Misfits(stream="orders", keys=("a.id",), place="queries[0]")
    found = list(columns.records(two, rows, misfits))
    assert found == [{"a_id": 7, "a_b": None}, {"a_id": 8, "a_b": None}]
    misfits.warn(logging.getLogger("tap-looker"))
    (line,) = caplog.messages
    assert line.startswith(
        "orders: a.b is null in 2 places, where Looker sent something other than"
    )
    assert "(a.id 7)" in line
    assert '"types": {"a.b": "string"} to queries[0]' in line
    assert len(line) < 300
    assert line.isprintable()


@pytest.mark.parametrize("options", [{"needed": frozenset({"a.b"})}, {"fails": True}])
def test_a_misfit_in_a_key_or_on_demand_is_an_error(options):
    one = columns.column("a.b", "number")
    misfits = Misfits(keys=("a.id",), place="looks[2]", **options)
    with pytest.raises(RequestError) as caught:
        list(columns.records([one], [{"a.b": "", "a.id": 1}, {"a.b": "n/a", "a.id": 5}], misfits))
    assert 'Field a.b holds "n/a" (a.id 5), which is not a number.' in caught.value.message
    assert '"types": {"a.b": "string"} to looks[2]' in caught.value.message
    assert ("on_misfit" in caught.value.message) == ("fails" in options)


@pytest.mark.parametrize(
    ("value", "zone", "expected"),
    [
        ("2026-01-31 23:59:59", ZURICH, "2026-01-31T22:59:59Z"),
        ("2026-07-01 00:30:00", ZURICH, "2026-06-30T22:30:00Z"),
        ("2026-01-31 23:59:59", LOS_ANGELES, "2026-02-01T07:59:59Z"),
        ("2026-01-31 23:59:59.123", ZURICH, "2026-01-31T22:59:59.123000Z"),
        # One that Looker marks itself.
        ("2026-01-31T23:59:59Z", LOS_ANGELES, "2026-01-31T23:59:59Z"),
        # Twice that night, and never that night.
        ("2025-10-26 02:30:00", ZURICH, "2025-10-26T00:30:00Z"),
        ("2026-03-29 02:30:00", ZURICH, "2026-03-29T01:30:00Z"),
    ],
)
def test_times_of_a_zone_are_resolved_to_utc(value, zone, expected):
    assert converted("date_time", value, zone) == expected


@pytest.mark.parametrize(
    ("value", "zone"), [("9999-12-31 23:59:59", LOS_ANGELES), ("0001-01-01 00:00:00", ZURICH)]
)
def test_the_first_and_the_last_time_of_the_calendar(value, zone):
    """Warehouses write "for ever" so; in UTC it is outside the calendar."""
    assert converted("date_time", value, zone) is None


LIKE_A_TIME = st.from_regex(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?", fullmatch=True)


@given(
    st.one_of(st.text(max_size=30), LIKE_A_TIME),
    st.sampled_from(["date_time", "date_date", "number", "count", "yesno"]),
    st.sampled_from([UTC, ZURICH]),
)
def test_any_text_is_a_value_of_the_type_or_a_misfit(text, lookml_type, zone):
    value = converted(lookml_type, text, zone)
    json_type = columns.column("a.b", lookml_type).schema["type"][0]
    types = {"string": str, "number": (int, Decimal), "integer": int, "boolean": bool}
    assert value is None or isinstance(value, types[json_type])


def test_records_have_the_columns_in_their_order():
    two = [columns.column("a.b_c", "string"), columns.column("a.d", "yesno")]
    found = list(columns.records(two, [{"a.d": "No", "x": 1, "a.b_c": "y"}]))
    assert [list(record.items()) for record in found] == [[("a_b_c", "y"), ("a_d", False)]]


def test_a_field_that_is_not_in_the_rows_is_null_and_named_once(caplog):
    three = [columns.column(name, "string") for name in ("a.b", "a.c", "a.d")]
    misfits = Misfits(stream="orders")
    rows = [{"a.b": "x"}, {"a.b": "y"}]
    assert list(columns.records(three, rows, misfits)) == [
        {"a_b": "x", "a_c": None, "a_d": None},
        {"a_b": "y", "a_c": None, "a_d": None},
    ]
    misfits.warn(logging.getLogger("tap-looker"))
    (line,) = caplog.messages
    assert line.startswith("orders: this instance has no a.c, a.d, or this key may not see them")


def test_a_key_that_is_not_in_the_rows_is_an_error_and_so_are_rows_of_nothing():
    two = [columns.column(name, "string") for name in ("a.b", "a.d")]
    with pytest.raises(RequestError, match=r"no field a\.d"):
        list(columns.records(two, [{"a.b": "y"}], Misfits(needed=frozenset({"a.d"}))))
    with pytest.raises(RequestError, match="none of the fields"):
        list(columns.records(two, [{"a.b": "y", "a.d": "z"}, {}]))


def test_collisions_of_names():
    three = [columns.column(name, "string") for name in ("a.b_c", "a_b.c", "d.e")]
    (mistake,) = columns.collisions(three)
    assert "a.b_c" in mistake
    assert "a_b.c" in mistake
    assert "a_b_c" in mistake
    assert columns.collisions(three[1:]) == []


# ------------------------------------------------------------------------------------- expressions


def read_back(expression):
    """The text in a comparison with a field, as the emulator's parser reads it."""
    sql = translated(expression, lambda _: "c")
    begin = "c = '"
    assert sql.startswith(begin)
    assert sql.endswith("'")
    return sql[len(begin) : -1].replace("''", "'")


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
@example('"')
@example("\\")
@example('\\"')
@example("ends in \\")
@example('" OR ${a.b} = "')
@example("line\nbreak\r\t\\n")
@example("it's ${a.b} 100% _ ^ 植物 🪴")
def test_the_text_of_an_expression_is_read_back_as_it_was(text):
    literal = filters.literal(Key("a.b", "text"), text)
    assert read_back(f"${{a.b}} = {literal}") == text
    # And nothing of it leaks into what comes after.
    two = f"(${{a.b}} = {literal}) AND (${{a.b}} = {literal})"
    assert translated(two, lambda _: "c").count("AND") == 1 + 2 * text.count("AND")


@given(
    st.one_of(
        st.integers(-(10**30), 10**30),
        st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12),
    )
)
@example(Decimal("1E-7"))
@example(Decimal("1E+5"))
@example(Decimal("-0.00000001"))
def test_the_number_of_an_expression_is_read_back_as_it_was(number):
    """Looker's expressions know no exponents."""
    literal = filters.literal(Key("a.b", "number"), number)
    sql = translated(f"${{a.b}} = {literal}", lambda _: "c")
    assert Decimal(sql.removeprefix("c = ").replace(" ", "")) == number


def test_other_values_in_expressions():
    assert filters.literal(Key("a.b", "date"), "2026-01-31") == "date(2026, 1, 31)"
    time_of = filters.literal(Key("a.b", "date-time"), "2026-01-31 05:06:07")
    assert time_of == "date_time(2026, 1, 31, 5, 6, 7)"
    assert filters.literal(Key("a.b", "boolean"), "Yes") == "yes"
    assert filters.literal(Key("a.b", "boolean"), "No") == "no"


# ------------------------------------------------------------------------------------------- pages


DATABASE = duckdb.connect()
DATABASE.execute("CREATE MACRO is_null(value) AS value IS NULL")


class Table:
    """Runs queries as an instance does: filters, sorts, limits, and cuts below them.

    `breaks` are the numbers of rows after which the first runs break off.
    """

    def __init__(self, found, key, *, cap=None, breaks=(), nulls="LAST"):
        self.found, self.key, self.cap, self.nulls = list(found), key, cap, nulls
        self.breaks = iter(breaks)
        self.queries = []

    def __call__(self, query):
        self.queries.append(query)
        chosen = self.chosen(query)
        assert query["sorts"] == list(self.key)
        limit = int(query["limit"])
        if limit >= 0:
            chosen = chosen[:limit]
        left = next(self.breaks, None)
        for row in chosen[: self.cap]:
            if left == 0:
                break
            left = None if left is None else left - 1
            yield row
        if left is not None:
            raise TruncatedError("broken off")

    def chosen(self, query):
        if not self.found:
            return []
        names = list(self.found[0])
        types = {
            name: "BIGINT" if any(isinstance(row[name], int) for row in self.found) else "VARCHAR"
            for name in names
        }
        columns = ", ".join(f'unnest(?::{types[name]}[]) AS "{name}"' for name in names)
        tests = [
            condition("number", f'"{name}"', text, now=None)
            for name, text in (query.get("filters") or {}).items()
        ]
        if query.get("filter_expression"):
            tests.append(translated(query["filter_expression"], lambda name: f'"{name}"'))
        where = " AND ".join(f"({test})" for test in tests) or "true"
        order = ", ".join(f'"{name}" NULLS {self.nulls}' for name in self.key)
        found = DATABASE.execute(
            f"SELECT * FROM (SELECT {columns}) WHERE {where} ORDER BY {order}",  # noqa: S608
            [[row[name] for row in self.found] for name in names],
        ).fetchall()
        return [dict(zip(names, row, strict=True)) for row in found]


def ids(count):
    return [{"a.id": number + number // 7} for number in range(1, count + 1)]


NUMBER_KEY = [Key("a.id", "integer", nullable=False)]


def plain_texts():
    """Metadata of fields that are sorted by their text."""
    return {field: {"type": "string"} for field in ("s", "t", "a.id")}


def all_pages(table, key, limit, after=None, query=None):
    return list(
        keyset_paging.read_in_pages(
            table, query or {}, key, limit=limit, after=after, metadata=plain_texts
        )
    )


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 13, 14, 15, 50])
def test_pages_along_a_number(count):
    table = Table(ids(count), ["a.id"])
    assert all_pages(table, NUMBER_KEY, 7) == ids(count)
    assert len(table.queries) == count // 7 + 1
    assert all("offset" not in query and query["limit"] == "7" for query in table.queries)
    assert table.queries[0].get("filters") is None
    assert [query["filters"]["a.id"] for query in table.queries[1:]] == [
        f">{ids(count)[7 * page - 1]['a.id']}" for page in range(1, count // 7 + 1)
    ]


@pytest.mark.parametrize(
    ("count", "cap", "runs"),
    [(1_200, 500, 3), (1_000, 500, 3), (999, 500, 2), (499, 500, 1), (500, 500, 2), (800, None, 2)],
)
def test_a_page_below_500_rows_is_the_last(count, cap, runs):
    table = Table(ids(count), ["a.id"], cap=cap)
    assert all_pages(table, NUMBER_KEY, 50_000) == ids(count)
    assert len(table.queries) == runs


@pytest.mark.parametrize(
    ("count", "cap", "runs"), [(1_200, 500, 3), (1_000, 500, 3), (1_200, None, 1), (499, None, 1)]
)
def test_without_a_limit_only_what_may_be_cut_is_read_on(count, cap, runs):
    table = Table(ids(count), ["a.id"], cap=cap)
    assert all_pages(table, NUMBER_KEY, -1) == ids(count)
    assert len(table.queries) == runs
    assert {query["limit"] for query in table.queries} == {"-1"}


def test_pages_begin_behind_what_is_known_and_keep_other_filters():
    table = Table(ids(30), ["a.id"])
    table.found = [{**row, "a.n": 1} for row in table.found]
    query = {"filters": {"a.n": "1"}, "model": "m"}
    found = all_pages(table, NUMBER_KEY, 10, after=8, query=query)
    assert [row["a.id"] for row in found] == [row["a.id"] for row in ids(30) if row["a.id"] > 8]
    assert query == {"filters": {"a.n": "1"}, "model": "m"}, "not to be changed"
    assert all(query["filters"]["a.n"] == "1" for query in table.queries)
    # A filter on the key itself goes on beside ours.
    table = Table(ids(30), ["a.id"])
    found = all_pages(table, NUMBER_KEY, 5, query={"filters": {"a.id": "<20"}})
    assert [row["a.id"] for row in found] == [row["a.id"] for row in ids(30) if row["a.id"] < 20]


@pytest.mark.parametrize("breaks", [(0,), (3,), (7,), (0, 0, 0), (2, 0, 0, 2, 0, 0, 1)])
@pytest.mark.parametrize("limit", [7, -1])
def test_a_page_that_breaks_off_goes_on_where_it_broke(breaks, limit):
    table = Table(ids(20), ["a.id"], breaks=breaks)
    assert all_pages(table, NUMBER_KEY, limit) == ids(20)


def test_a_page_that_breaks_off_again_and_again_is_an_error():
    table = Table(ids(20), ["a.id"], breaks=[3, *[0] * 50])
    rows_of = keyset_paging.read_in_pages(table, {}, NUMBER_KEY, limit=7)
    assert list(itertools.islice(rows_of, 3)) == ids(3)
    with pytest.raises(TruncatedError):
        next(rows_of)
    assert len(table.queries) == keyset_paging.MAX_BREAKS


def test_rows_out_of_their_order_are_an_error():
    for wrong in ([5, 9, 7], [5, 6, 5]):
        with pytest.raises(RequestError, match="order"):
            all_pages(lambda _, ids=wrong: ({"a.id": one} for one in ids), NUMBER_KEY, 2)
    with pytest.raises(RequestError, match="order"):  # the same page for ever
        all_pages(lambda _: iter(ids(7)), NUMBER_KEY, 7)
    same = [{"s": "a"}, {"s": "b"}, {"s": "c"}]
    with pytest.raises(RequestError, match="order"):
        all_pages(lambda _: iter(same), [Key("s", "text")], 3)


TWO = [Key("s", "text"), Key("t", "text")]


@settings(max_examples=60, deadline=None)
@given(
    st.sets(
        st.tuples(st.sampled_from(["", "a", "b", 'q"', "\\", "ü", "a\n", "植"]), SQL_TEXT),
        max_size=25,
    ),
    st.integers(3, 9),
    st.lists(st.integers(0, 4), max_size=3),
)
def test_pages_along_two_texts(pairs, limit, breaks):
    table = Table([{"s": s, "t": t} for s, t in pairs], ["s", "t"], breaks=breaks)
    found = all_pages(table, TWO, limit)
    assert len(found) == len(pairs)
    assert {(row["s"], row["t"]) for row in found} == pairs
    assert all("filters" not in query or not query["filters"] for query in table.queries)


@settings(max_examples=30, deadline=None)
@given(
    st.sets(st.tuples(st.integers(-3, 3), SQL_TEXT, st.integers(0, 3)), min_size=1, max_size=25),
    st.integers(4, 9),
)
def test_pages_along_three_fields(triples, limit):
    key = [Key("n", "integer"), Key("s", "text"), Key("m", "number")]
    table = Table([dict(zip("nsm", one, strict=True)) for one in triples], ["n", "s", "m"])
    found = all_pages(table, key, limit, query={"filter_expression": "${n} < 3 OR ${m} > 1"})
    expected = {one for one in triples if one[0] < 3 or one[2] > 1}
    assert len(found) == len(expected)
    assert {tuple(row.values()) for row in found} == expected


class Moving(Table):
    """Between two pages something happens."""

    def __init__(self, *arguments, between, **options):
        super().__init__(*arguments, **options)
        self.between = between

    def __call__(self, query):
        if self.queries:
            self.between(self)
        yield from super().__call__(query)


@pytest.mark.parametrize("limit", [-1, 500, 50_000])
def test_a_row_that_moves_away_between_two_pages_hides_no_others(limit):
    """It was the last of its page; the next page cannot begin with it."""
    found = [{"s": f"{number:05}"} for number in range(1_700)]

    def between(table):
        table.found = [row for row in table.found if row["s"] != "00499"]

    table = Moving(found, ["s"], cap=500, between=between)
    came = all_pages(table, [Key("s", "text")], limit)
    assert {row["s"] for row in came} == {row["s"] for row in found}


def test_a_key_that_is_not_unique_hides_no_rows():
    """Every row or an error: the key may have been given by somebody who was wrong."""
    found = [{"s": "a", "n": 1}, {"s": "a", "n": 2}, {"s": "b", "n": 3}, {"s": "b", "n": 4}]
    with suppress(RequestError):
        came = all_pages(lambda _: iter(found), [Key("s", "text")], -1)
        assert came == found
    table = Table([{"s": f"{n // 3:03}", "n": n} for n in range(40)], ["s"])
    with suppress(RequestError):
        assert len(all_pages(table, [Key("s", "text")], 5)) == 40


@settings(max_examples=150, deadline=None)
@given(
    st.sets(
        st.tuples(
            st.one_of(st.none(), st.integers(0, 2)),
            st.one_of(st.none(), st.sampled_from(["", "a", "b"])),
            st.one_of(st.none(), st.integers(0, 2)),
        ),
        max_size=30,
    ),
    st.integers(3, 7),
    st.sampled_from(["FIRST", "LAST"]),
    st.lists(st.integers(0, 4), max_size=3),
)
def test_pagination_past_nulls_loses_no_row_whether_they_sort_first_or_last(
    triples, limit, nulls, breaks
):
    key = [Key("n", "integer"), Key("s", "text"), Key("m", "number")]
    found = [dict(zip("nsm", one, strict=True)) for one in triples]
    came = all_pages(Table(found, ["n", "s", "m"], nulls=nulls, breaks=breaks), key, limit)
    assert len(came) == len(found)
    assert {tuple(row.values()) for row in came} == triples


@pytest.mark.parametrize("nulls", ["FIRST", "LAST"])
@pytest.mark.parametrize("kind", ["integer", "text"])
@pytest.mark.parametrize("cap", [500, 700])
def test_pagination_along_a_single_nullable_field(nulls, kind, cap):
    values = [*range(1_200)] if kind == "integer" else [f"{number:05}" for number in range(1_200)]
    found = [{"s": value} for value in [*values, None]]
    came = all_pages(Table(found, ["s"], cap=cap, nulls=nulls), [Key("s", kind)], 50_000)
    assert sorted(map(repr, came)) == sorted(map(repr, found))


def test_pagination_along_times_with_fractions_of_seconds():
    """Looker's expressions have none: a page begins earlier, and repeats no row of the last."""
    times = [f"2026-01-01 00:00:{second:02}.{tenth}00" for second in range(9) for tenth in range(9)]
    table = Table([{"s": time} for time in times], ["s"])
    table.chosen = lambda query: [
        {"s": time}
        for time in times
        if not query.get("filter_expression") or time[:19] >= _second_in(query)
    ]
    came = all_pages(table, [Key("s", "date-time")], 12)
    assert [row["s"] for row in came] == times
    with pytest.raises(RequestError, match="within one second"):
        all_pages(table, [Key("s", "date-time")], 8)


def _second_in(query):
    numbers = re.search(r"date_time\(([^)]*)\)", query["filter_expression"])[1].split(", ")
    year, *others = (int(number) for number in numbers)
    return "{:04}-{:02}-{:02} {:02}:{:02}:{:02}".format(year, *others)


def test_once_begins_again_only_as_long_as_no_row_came():
    table = Table(ids(5), ["a.id"], breaks=[0, 0])
    table.key = ["a.id"]
    query = {"sorts": ["a.id"], "limit": "10"}
    assert list(keyset_paging.read_once(table, query)) == ids(5)
    assert len(table.queries) == 3
    table = Table(ids(5), ["a.id"], breaks=[2])
    rows_of = keyset_paging.read_once(table, query)
    assert [next(rows_of), next(rows_of)] == ids(2)
    with pytest.raises(TruncatedError):
        next(rows_of)
    assert len(table.queries) == 1


@pytest.mark.parametrize("count", [500, 5_000])
def test_a_whole_result_of_suspicious_length_is_an_error_without_a_key(count):
    def run(query):
        assert query["limit"] == "-1"
        return iter(ids(count))

    rows_of = keyset_paging.read_all(run, {}, [])
    assert list(itertools.islice(rows_of, count)) == ids(count)
    with pytest.raises(RequestError, match=f"exactly {count} rows"):
        next(rows_of)
    assert len(list(keyset_paging.read_all(lambda _: iter(ids(count - 1)), {}, []))) == count - 1


# ------------------------------------------------------------------------------------------ bounds


def test_bounds_of_times():
    between = filters.time_range
    start, end = "2026-01-01T00:00:00Z", "2026-02-01"
    assert between("a.t", None, None) == {}
    assert between("a.t", start, None) == {"a.t": "after 2026-01-01 00:00:00"}
    assert between("a.t", None, end) == {"a.t": "before 2026-02-01 00:00:00"}
    assert between("a.t", start, end) == {"a.t": "2026-01-01 00:00:00 to 2026-02-01 00:00:00"}
    assert between("a.t", start, None, days=2) == {"a.t": "after 2025-12-30 00:00:00"}
    assert between("a.t", start, None, zone=ZURICH) == {"a.t": "after 2026-01-01 01:00:00"}
    assert between("a.t", "2026-01-01T05:00:00.5+02:00", None) == {
        "a.t": "after 2026-01-01 03:00:00"
    }
    assert str(filters.local_time("2026-07-01T00:00:00Z", ZURICH)) == "2026-07-01 02:00:00"
    assert between("a.t_date", "2026-01-01T05:30:40Z", "2026-01-03T05:30:40Z") == {
        "a.t_date": "2026-01-01 00:00:00 to 2026-01-03 00:00:00"
    }
    assert between("a.t_hour", "2026-01-01T05:30:40Z", None) == {
        "a.t_hour": "after 2026-01-01 05:00:00"
    }
    assert between("a.t_minute", None, "2026-01-01T05:30:40Z") == {
        "a.t_minute": "before 2026-01-01 05:30:00"
    }
    assert between("a.t_date", "2026-01-01T23:30:00Z", None, zone=ZURICH) == {
        "a.t_date": "after 2026-01-02 00:00:00"
    }
    key = Key("a.t", "date-time")
    (bound,) = filters.comparisons(key, "2026-07-01 02:00:00", None)
    assert bound == "${a.t} >= date_time(2026, 7, 1, 2, 0, 0)"
    assert filters.comparisons(Key("a.n", "number"), 5, 9) == ["${a.n} >= 5", "${a.n} < 9"]


# ----------------------------------------------------------------------------------------- batches


@contextmanager
def within(seconds):
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < seconds


def test_the_first_row_leaves_at_once():
    def slowly():
        yield {"n": 0}
        pytest.fail("the first row has to leave before")

    with within(1):
        assert next(in_batches(slowly())) == [{"n": 0}]


def test_batches_grow_and_keep_order():
    batches = list(in_batches({"n": number} for number in range(5_000)))
    assert [row["n"] for batch in batches for row in batch] == list(range(5_000))
    assert [len(batch) for batch in batches[:4]] == [1, 2, 4, 8]
    assert max(map(len, batches)) == incremental.MAX_BATCH
    assert list(in_batches(iter(()))) == []


def test_a_row_waits_for_others_only_for_so_long(monkeypatch):
    monkeypatch.setattr(incremental, "MAX_WAIT", -1.0)
    assert [len(batch) for batch in in_batches({"n": n} for n in range(50))] == [1] * 50


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100])
def test_rows_before_an_error_come_before_it(count):
    def broken():
        yield from ({"n": number} for number in range(count))
        raise TruncatedError("broken off")

    batches, came = in_batches(broken()), []

    def read():
        for batch in batches:
            came.extend(batch)

    with pytest.raises(TruncatedError):
        read()
    assert [row["n"] for row in came] == list(range(count))


def test_misfits_are_no_request_errors_by_themselves():
    with pytest.raises(MisfitError):
        columns.column("a.b", "number").convert("x")
