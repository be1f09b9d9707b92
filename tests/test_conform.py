"""Rows are made to fit their schema: what is kept, what is converted, and what is reported."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tap_looker.streams.conform import compiled

MISFIT, UNKNOWN = "misfit", "unknown"
MISFITS = object()  # null, and reported


def shaped(schema, value):
    """A record with one property, and what was reported of it."""
    reported = []
    shape = compiled(
        {"type": "object", "properties": {"p": schema}},
        frozenset({"silent", "p.quiet"}),
        lambda path: reported.append((UNKNOWN, path)),
        lambda path, _, value: reported.append((MISFIT, path)) if value != "" else None,
    )
    return shape(value), reported


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        ("string", "a", "a"),
        ("string", "", ""),
        ("string", 38, "38"),
        ("string", True, "true"),
        ("string", 1.5, "1.5"),
        ("string", {"a": [1]}, '{"a":[1]}'),
        ("integer", 5, 5),
        ("integer", "5", 5),
        ("integer", 5.0, 5),
        ("integer", 5.5, MISFITS),
        ("integer", "5.0", 5),
        ("integer", "5.5", MISFITS),
        ("integer", "five", MISFITS),
        ("integer", "00501", MISFITS),
        ("integer", "1_000", MISFITS),
        ("integer", " 5 ", MISFITS),
        ("integer", "5\n", MISFITS),
        ("integer", "+5", MISFITS),
        ("integer", "1e5", MISFITS),
        ("integer", "0x10", MISFITS),
        ("integer", "١٢", MISFITS),
        ("integer", "9" * 5_000, MISFITS),
        ("integer", True, MISFITS),
        ("integer", [5], MISFITS),
        ("number", 1.5, 1.5),
        ("number", 1, 1),
        ("number", "1.5", Decimal("1.5")),
        ("number", "12345678901234567.123456789", Decimal("12345678901234567.123456789")),
        ("number", "-0.10", Decimal("-0.10")),
        ("number", "1e5", MISFITS),
        ("number", "1_000.5", MISFITS),
        ("number", " 1.5", MISFITS),
        ("number", ".5", MISFITS),
        ("number", "5.", MISFITS),
        ("number", "NaN", MISFITS),
        ("number", "-Infinity", MISFITS),
        ("number", "1,5", MISFITS),
        ("number", True, MISFITS),
        ("number", {}, MISFITS),
        ("boolean", True, True),
        ("boolean", "false", False),
        ("boolean", "true", True),
        ("boolean", "yes", True),
        ("boolean", "No", False),
        ("boolean", 1, MISFITS),
        ("boolean", "YES", MISFITS),
        ("object", {"a": 1}, {"a": 1}),
        ("object", [1], MISFITS),
        ("object", "a", MISFITS),
        ("array", [1, "a", None], [1, "a", None]),
        ("array", "a", MISFITS),
        ("array", {}, MISFITS),
    ],
)
def test_a_value_fits_or_is_brought_to_its_type_or_is_reported(kind, value, wanted):
    record, reported = shaped({"type": [kind, "null"]}, {"p": value})
    misfit = wanted is MISFITS
    assert record == {"p": None if misfit else wanted}
    assert misfit or type(record["p"]) is type(wanted)
    assert reported == ([(MISFIT, "p")] if misfit else [])


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("2026-02-28T23:59:59.123+00:00", "2026-02-28T23:59:59.123+00:00"),
        ("2026-02-28T23:59:59Z", "2026-02-28T23:59:59Z"),
        ("2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("2026-02-28 23:59:59", "2026-02-28T23:59:59+00:00"),
        ("2026-02-29T00:00:00Z", MISFITS),
        ("2026-02-28 23:59:59.123456789", "2026-02-28T23:59:59.123456789+00:00"),
        ("2026-02-28 23:59:59.123456789-07:00", "2026-03-01T06:59:59.123456789+00:00"),
        ("2026-02-28T23:59:59-07:00", "2026-03-01T06:59:59+00:00"),
        ("2026-03-01T01:59:59.500+05:30", "2026-02-28T20:29:59.500+00:00"),
        ("2026-02-28 23:59:59 -0700", "2026-03-01T06:59:59+00:00"),
        ("2026-02-28 23:59:59 UTC", "2026-02-28T23:59:59+00:00"),
        ("0001-01-01T00:00:00+02:00", MISFITS),
        ("9999-12-31T23:59:59-02:00", MISFITS),
        ("2026-02-28", "2026-02-28T00:00:00+00:00"),
        ("2026-02-28T24:00:00Z", MISFITS),
        ("2026-02-28 24:00:00", MISFITS),
        ("0000-00-00", MISFITS),
        ("0000-00-00T00:00:00Z", MISFITS),
        ("10000-01-01T00:00:00Z", MISFITS),
        ("n/a", MISFITS),
        ("yesterday", MISFITS),
        (1_700_000_000, MISFITS),
    ],
)
def test_times(value, wanted):
    record, reported = shaped({"type": ["string", "null"], "format": "date-time"}, {"p": value})
    assert record == {"p": None if wanted is MISFITS else wanted}
    assert reported == ([(MISFIT, "p")] if wanted is MISFITS else [])


@pytest.mark.parametrize("kind", ["integer", "number", "boolean", "object", "array"])
def test_an_empty_text_is_null_and_nothing_to_report(kind):
    assert shaped({"type": [kind, "null"]}, {"p": ""}) == ({"p": None}, [])
    time = {"type": ["string", "null"], "format": "date-time"}
    assert shaped(time, {"p": ""}) == ({"p": None}, [])


@pytest.mark.parametrize("kind", ["string", "integer", "number", "boolean", "object", "array"])
def test_null_stays_and_what_is_absent_stays_absent(kind):
    assert shaped({"type": [kind, "null"]}, {"p": None}) == ({"p": None}, [])
    assert shaped({"type": [kind, "null"]}, {}) == ({}, [])


def test_objects_and_lists_inside():
    inner = {"type": ["object", "null"], "properties": {"id": {"type": ["string", "null"]}}}
    assert shaped(inner, {"p": {"id": 3, "new": 1, "quiet": 1, "silent": 1}}) == (
        {"p": {"id": "3"}},
        [(UNKNOWN, "p.new")],
    )
    listed = {"type": ["array", "null"], "items": inner}
    assert shaped(listed, {"p": [{"id": "3"}, None, "x"], "silent": 1, "other": 1}) == (
        {"p": [{"id": "3"}, None, None]},
        [(MISFIT, "p"), (UNKNOWN, "other")],
    )
