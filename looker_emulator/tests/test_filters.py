"""Filter expressions and table calculations as SQL."""

from __future__ import annotations

from datetime import datetime

import pytest

from looker_emulator.queries.expressions import InvalidExpression, translated
from looker_emulator.queries.filters import InvalidFilter, condition

NOW = datetime(2026, 6, 30, 14, 15)  # noqa: DTZ001 - of the query's zone


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("5", [5]),
        (">=100", [100, 150, 200, 300, 500]),
        (">100", [150, 200, 300, 500]),
        ("< 5", [1]),
        ("[1, 150)", [1, 5, 100]),
        ("(1, inf)", [5, 100, 150, 200, 300, 500]),
        (">=100 AND <=200", [100, 150, 200]),
        ("1, 5, >=300", [1, 5, 300, 500]),
        ("1 OR 5", [1, 5]),
        ("100 to 200", [100, 150, 200]),
        ("NOT 5", [1, 100, 150, 200, 300, 500, None]),
        ("NOT 5, NOT 1", [100, 150, 200, 300, 500, None]),
        ("<> 500, NOT NULL", [1, 5, 100, 150, 200, 300]),
        ("NOT NULL", [1, 5, 100, 150, 200, 300, 500]),
        ("NULL", [None]),
        ("NULL, 1", [1, None]),
        ("-NULL", []),
    ],
)
def test_filters_on_numbers(emulator, text, matches):
    test = condition("number", "n", text, now=NOW)
    numbers = "(VALUES (1),(5),(100),(150),(200),(300),(500),(NULL)) AS t(n)"
    found = emulator.sql(f"SELECT n FROM {numbers} WHERE {test} ORDER BY n NULLS LAST")
    assert [n for (n,) in found] == matches


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("after 2026-06-29 00:00:00", "CDEFG"),
        ("before 2026-06-29 00:00:00", "AB"),
        ("2026-06-01 to 2026-06-30", "BCD"),
        ("2026-06-29", "CD"),
        ("2026-06", "BCDEFG"),
        ("2025", "A"),
        ("2025, 2026-06-29", "ACD"),
        ("2026-06-30 14:15", "F"),
        ("1 day", "EFG"),
        ("2 days", "CDEFG"),
        ("1 day ago", "CD"),
        ("last 2 days", "CDEFG"),
        ("1 month", "BCDEFG"),
        ("today", "EFG"),
        ("yesterday", "CD"),
        ("this month", "BCDEFG"),
        ("last year", "A"),
        ("NULL", "H"),
        ("NOT NULL", "ABCDEFG"),
        ("-NULL", ""),
    ],
)
def test_filters_on_dates(emulator, text, matches):
    test = condition("date", "d", text, now=NOW)
    dates = """(VALUES
        ('A', TIMESTAMP '2025-03-01 00:00:00'), ('B', TIMESTAMP '2026-06-01 00:00:00'),
        ('C', TIMESTAMP '2026-06-29 00:00:00'), ('D', TIMESTAMP '2026-06-29 23:59:59'),
        ('E', TIMESTAMP '2026-06-30 00:00:00'), ('F', TIMESTAMP '2026-06-30 14:15:30'),
        ('G', TIMESTAMP '2026-06-30 23:59:59'), ('H', NULL)) AS t(name, d)"""
    found = emulator.sql(f"SELECT name FROM {dates} WHERE {test} ORDER BY name")
    assert "".join(name for (name,) in found) == matches


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("abc", ["abc"]),
        ("abc,a_c", ["a_c", "abc"]),
        ("a^_c", ["a_c"]),
        ("%b%", ["abc", "b,c"]),
        ('"b,c"', ["b,c"]),
        ("b^,c", ["b,c"]),
        ("100^%", ["100%"]),
        ("-abc", ["", "100%", "NOT NULL", "a_c", "b,c", None]),
        ("-%c%,-EMPTY", ["100%", "NOT NULL"]),
        ("-NULL", ["", "100%", "NOT NULL", "a_c", "abc", "b,c"]),
        ("NULL", [None]),
        ("EMPTY", ["", None]),
        # The null filter of numbers and dates is a word among strings.
        ("NOT NULL", ["NOT NULL"]),
    ],
)
def test_filters_on_strings(emulator, text, matches):
    test = condition("string", "s", text, now=NOW)
    strings = "(VALUES ('abc'),('a_c'),('b,c'),('100%'),(''),('NOT NULL'),(NULL)) AS t(s)"
    found = emulator.sql(f"SELECT s FROM {strings} WHERE {test} ORDER BY s NULLS LAST")
    assert [s for (s,) in found] == matches


def test_filters_that_are_not_understood(api):
    for language, text in [
        ("number", "abc"),
        ("number", "1; DROP TABLE x"),
        ("date", "next week sometime"),
        ("date", "2026-13-45"),
        ("date", "after 2026-01-01T00:00:00Z"),
        ("yesno", "perhaps"),
        ("none", "x"),
    ]:
        with pytest.raises(InvalidFilter):
            condition(language, "x", text, now=NOW)
    assert condition("string", "x", "  ", now=NOW) is None
    refused = api.run("history", "history.id", filters={"history.id": "many"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "history.id"


def test_expressions():
    assert translated("${a.b} > 5 AND not yes", lambda _: "c0") == "c0 > 5 AND NOT true"
    assert translated("${x} / sum(${x})", lambda _: "c", over_rows=True) == "c / sum ( c ) OVER ()"
    assert translated('if(${x} != "it\'s", 1, 2)', lambda _: "c") == "if ( c <> 'it''s' , 1 , 2 )"
    for wrong in ("", "pivot_index(1)", "${x} ; 1", "(1", "sum(${x})"):
        with pytest.raises(InvalidExpression):
            translated(wrong, lambda _: "c")
