"""Looker's filter expressions, as far as extractors use them, translated to SQL conditions.

The language of an expression depends on the field: numbers, dates, strings and yesno each have
their own (Looker's documentation, "Looker filter expressions"). What is not understood is refused:
a guess would give a wrong result that nobody notices.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

NOTHING = "false"
"""A valid filter that matches no row, as a wrong null filter does."""


class InvalidFilter(Exception):  # noqa: N818 - about the request, not an error of the emulator
    """An expression that is invalid in the field's language, or not supported."""


def condition(language: str, sql: str, text: str, *, now: datetime) -> str | None:
    """The condition, or None for an empty filter, which matches any value.

    Args:
        language: `number`, `date`, `string` or `yesno`; `none` for fields that take no filter.
        sql: What is filtered. For dates, the time in the query's zone, not a part of it.
        text: The filter expression.
        now: The current time in the query's zone, for relative expressions.
    """
    text = text.strip()
    if not text:
        return None
    if language == "number":
        return _numbers(sql, text)
    if language == "date":
        return _any([_date(sql, part, now) for part in _listed(text)])
    if language == "string":
        return _strings(sql, text)
    if language == "yesno":
        return _yesno(sql, text)
    raise InvalidFilter(text)


def quoted(text: str) -> str:
    """An SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _any(conditions: list[str]) -> str:
    return "(" + " OR ".join(conditions) + ")"


def _all(conditions: list[str]) -> str:
    return "(" + " AND ".join(conditions) + ")"


def _listed(text: str) -> list[str]:
    """Split at commas, except those in quotes, in brackets and after a caret."""
    parts = re.findall(r'(?:"[^"]*"|[\[(][^\])]*[\])]|\^.|[^,])+', text, re.DOTALL)
    return [part.strip() for part in parts if part.strip()]


def _yesno(sql: str, text: str) -> str:
    words = {"yes": sql, "true": sql, "no": f"NOT {sql}", "false": f"NOT {sql}"}
    if text.lower() not in words:
        raise InvalidFilter(text)
    return f"({words[text.lower()]})"


# ---------------------------------------------------------------------------------------- numbers

_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_COMPARED = re.compile(rf"(>=|<=|<>|!=|>|<|=)?\s*({_NUMBER})")
_INTERVAL = re.compile(
    rf"([\[(])\s*({_NUMBER}|-?inf)?\s*,\s*({_NUMBER}|inf)?\s*([\])])", re.IGNORECASE
)
_FROM_TO = re.compile(rf"({_NUMBER})\s+to\s+({_NUMBER})", re.IGNORECASE)


def _numbers(sql: str, text: str) -> str:
    either, neither = [], []
    for part in _listed(text):
        for choice in re.split(r"\s+or\s+", part, flags=re.IGNORECASE):
            joined = re.split(r"\s+and\s+", choice, flags=re.IGNORECASE)
            terms = [_number(sql, term.strip()) for term in joined]
            excludes = all(re.match(r"not\b|<>|!=", term.strip(), re.IGNORECASE) for term in joined)
            (neither if excludes else either).append(_all(terms))
    return _all([*([_any(either)] if either else []), *neither])


def _number(sql: str, text: str) -> str:
    negated = re.match(r"not\s+", text, re.IGNORECASE)
    term = text[negated.end() :] if negated else text
    if term.upper() == "NULL":
        return f"{sql} IS {'NOT ' if negated else ''}NULL"
    if term.upper() == "-NULL":
        return NOTHING
    if found := _COMPARED.fullmatch(term):
        operator, number = found.groups()
        positive = f"{sql} {(operator or '=').replace('!=', '<>')} {number}"
    elif found := _FROM_TO.fullmatch(term):
        positive = f"{sql} BETWEEN {found[1]} AND {found[2]}"
    elif found := _INTERVAL.fullmatch(term):
        positive = _interval(sql, *found.groups())
    else:
        raise InvalidFilter(text)
    # A null is not that number either.
    return f"({sql} IS NULL OR NOT ({positive}))" if negated else f"({positive})"


def _interval(sql: str, left: str, low: str | None, high: str | None, right: str) -> str:
    bounds = []
    if low and "inf" not in low.lower():
        bounds.append(f"{sql} {'>=' if left == '[' else '>'} {low}")
    if high and "inf" not in high.lower():
        bounds.append(f"{sql} {'<=' if right == ']' else '<'} {high}")
    return _all(bounds) if bounds else f"{sql} IS NOT NULL"


# ------------------------------------------------------------------------------------------ dates

_DATE = r"\d{4}(?:[-/]\d{1,2}(?:[-/]\d{1,2}(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?)?)?"
_UNITS = "second|minute|hour|day|week|month|quarter|year"
_RELATIVE = re.compile(rf"(?:last\s+)?(\d+)\s+({_UNITS})s?(\s+ago)?", re.IGNORECASE)
_NAMED = re.compile(r"(this|last)\s+(day|week|month|quarter|year)|today|yesterday", re.IGNORECASE)


def _date(sql: str, text: str, now: datetime) -> str:
    if text.upper() in ("NULL", "NOT NULL"):
        return f"{sql} IS {text.upper()}"
    if text.upper() == "-NULL":
        return NOTHING
    if found := re.fullmatch(rf"(after|before)\s+({_DATE})", text, re.IGNORECASE):
        operator = ">=" if found[1].lower() == "after" else "<"
        return f"{sql} {operator} {_literal(_moments(found[2])[0])}"
    if found := re.fullmatch(rf"({_DATE})\s+to\s+({_DATE})", text, re.IGNORECASE):
        return _between(sql, _moments(found[1])[0], _moments(found[2])[0])
    if re.fullmatch(_DATE, text):
        return _between(sql, *_moments(text))
    if found := _RELATIVE.fullmatch(text):
        return _relative(sql, int(found[1]), found[2].lower(), now, ago=bool(found[3]))
    if found := _NAMED.fullmatch(text):
        unit = (found[2] or "day").lower()
        begin = f"date_trunc('{unit}', {_literal(now)})"
        if text.lower().startswith(("last", "yesterday")):
            return f"({sql} >= {begin} - INTERVAL 1 {unit} AND {sql} < {begin})"
        return f"({sql} >= {begin} AND {sql} < {begin} + INTERVAL 1 {unit})"
    raise InvalidFilter(text)


def _relative(sql: str, count: int, unit: str, now: datetime, *, ago: bool) -> str:
    # "3 days" are today and the two days before; "3 days ago" is one day.
    begin = f"date_trunc('{unit}', {_literal(now)})"
    if ago:
        first = f"{begin} - INTERVAL {count} {unit}"
        return f"({sql} >= {first} AND {sql} < {first} + INTERVAL 1 {unit})"
    return (
        f"({sql} >= {begin} - INTERVAL {count - 1} {unit} AND {sql} < {begin} + INTERVAL 1 {unit})"
    )


def _between(sql: str, begin: datetime, end: datetime) -> str:
    return f"({sql} >= {_literal(begin)} AND {sql} < {_literal(end)})"


def _literal(moment: datetime) -> str:
    return f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S}'"


def _moments(text: str) -> tuple[datetime, datetime]:
    """Begin and end of the year, month, day, minute or second that a date names."""
    parts = [int(number) for number in re.findall(r"\d+", text)]
    try:
        begin = datetime(*(parts + [1] * (3 - len(parts))))  # noqa: DTZ001 - of the query's zone
        if len(parts) == 1:
            return begin, begin.replace(year=begin.year + 1)
        if len(parts) == 2:
            return begin, (begin + timedelta(days=31)).replace(day=1)
    except (ValueError, OverflowError):
        raise InvalidFilter(text) from None
    length = {3: timedelta(days=1), 5: timedelta(minutes=1), 6: timedelta(seconds=1)}[len(parts)]
    return begin, begin + length


# ---------------------------------------------------------------------------------------- strings


def _strings(sql: str, text: str) -> str:
    wanted, unwanted = [], []
    for part in _listed(text):
        negated = part.startswith("-")
        word = part[1:] if negated else part
        if word.upper() == "NULL":
            test = f"{sql} IS NULL"
        elif word.upper() == "EMPTY":
            test = f"({sql} IS NULL OR {sql} = '')"
        else:
            test = _like(sql, word)
        if not negated:
            wanted.append(test)
        elif "NULL" in (word.upper(), test.rpartition(" ")[2]) or word.upper() == "EMPTY":
            unwanted.append(f"NOT {test}")
        else:
            unwanted.append(f"({sql} IS NULL OR NOT {test})")
    return _all([*([_any(wanted)] if wanted else []), *unwanted])


def _like(sql: str, text: str) -> str:
    """`%` and `_` are wildcards, except after a caret or in quotes."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        return f"({sql} = {quoted(text[1:-1])})"
    pattern, plain = [], []
    wild = escaped = False
    for char in text:
        if char == "^" and not escaped:
            escaped = True
            continue
        wildcard = char in "%_" and not escaped
        wild |= wildcard
        pattern.append(char if wildcard or char not in "%_\\" else f"\\{char}")
        plain.append(char)
        escaped = False
    if not wild:
        return f"({sql} = {quoted(''.join(plain))})"
    return f"({sql} LIKE {quoted(''.join(pattern))} ESCAPE '\\')"
