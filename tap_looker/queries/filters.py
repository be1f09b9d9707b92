"""Filters in Looker's own languages: filter expressions and Looker expressions.

Facts: Looker's documentation of filter expressions, and of its functions and operators.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_looker.queries.columns import DATE
from tap_looker.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo

    from tap_looker.queries.columns import Key

NOT_NULL = "NOT NULL"
"""A filter on numbers and times; on texts it would mean something else."""
_WHOLE = {
    "date": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
}
"""Timeframes with which the names of fields end, and how long each is."""


def expression(value: Any) -> str:
    """A filter of the settings as a filter expression.

    A text is one already. A list holds values as they are, any of which may match.

    Raises:
        ValueError: It cannot be one; says what it must be.
    """
    if isinstance(value, str):
        return value
    if value == []:
        raise ValueError("must not be an empty list: leave the filter out")
    if isinstance(value, list):
        return ",".join(_literally(one) if isinstance(one, str) else _plain(one) for one in value)
    return _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        raise ValueError('must not be null: leave the filter out, or write "NULL" or "-NULL"')
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, (int, float, Decimal)) and (number := Decimal(str(value))).is_finite():
        return format(number, "f")
    raise ValueError("must be text, a number, true or false, or a list of these")


def _literally(text: str) -> str:
    """A value in a list of Looker's filter expressions for strings.

    A caret takes the meaning from a character; but not from a word, a space at an end or a
    backslash, where quotes do.
    """
    if not text:
        raise ValueError('holds an empty text: write the filter expression "EMPTY" instead')
    is_word = re.fullmatch(r"null|empty|not(\s.*)?", text, re.IGNORECASE | re.DOTALL)
    if is_word or text != text.strip() or "\\" in text:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return re.sub(r'^-|[\^"%_,]', r"^\g<0>", text)


def time_range(
    field: str, start: Any, end: Any, *, days: int = 0, zone: tzinfo = UTC
) -> dict[str, str]:
    """A filter on a time, in Looker's filter expressions: from a start, up to an end.

    Looker compares the time that a day or an hour is made of, so a bound in the middle of one would
    divide what is counted in it: see :func:`bound`.

    Args:
        field: LookML name.
        start: ISO 8601, or None for no bound.
        end: The same; it is out itself.
        days: How much earlier to start.
        zone: In which the query runs.
    """

    def written(text: Any, back: int = 0, *, is_start: bool = False) -> str:
        shown = bound(field, str(text), zone, is_start=is_start) - timedelta(days=back)
        return shown.strftime("%Y-%m-%d %H:%M:%S")

    if start and end:
        return {field: f"{written(start, days, is_start=True)} to {written(end)}"}
    if start:
        return {field: f"after {written(start, days, is_start=True)}"}
    return {field: f"before {written(end)}"} if end else {}


def comparisons(key: Key, start: Any, end: Any) -> list[str]:
    """Looker expressions for values from a start up to an end, which is out; None for no bound."""
    field = f"${{{key.field}}}"
    return [
        f"{field} {sign} {literal(key, value)}"
        for sign, value in ((">=", start), ("<", end))
        if value is not None
    ]


def bound(field: str, text: str, zone: tzinfo, *, is_start: bool = False) -> datetime:
    """A time as the zone's clocks show it, or the start of the day, hour or minute it falls in.

    Where rows are counted by the day, as with a field like ``orders.created_date``, each belongs to
    one of two adjacent windows, and is whole.

    Args:
        field: LookML name.
        text: ISO 8601, in UTC where it has no offset.
        zone: Of the query.
        is_start: Of what is read: see :func:`local_time`.
    """
    shown, timeframe = local_time(text, zone, is_start=is_start), field.rpartition("_")[2]
    since = shown - datetime.min  # noqa: DTZ901 - of the same clocks
    return shown - since % _WHOLE.get(timeframe, datetime.resolution)


def local_time(text: str, zone: tzinfo, *, is_start: bool = False) -> datetime:
    """An ISO time as the zone's clocks show it; a date is one of the zone already.

    Args:
        text: ISO 8601, in UTC where it has no offset.
        zone: Of the query.
        is_start: Of what is read: in an hour that the clocks show twice, an hour earlier.
    """
    if DATE.fullmatch(text):
        return datetime.fromisoformat(text)
    shown = parse_time(text).astimezone(zone)
    if is_start and shown.replace(fold=0).utcoffset() != shown.replace(fold=1).utcoffset():
        shown -= timedelta(hours=1)
    return shown.replace(tzinfo=None)


def after_key(
    query: Mapping[str, Any],
    key: Sequence[Key],
    last: Sequence[Any],
    had_null: Sequence[bool],
    had_value: Sequence[bool],
) -> dict[str, Any]:
    """Filters of a query for the rows after a key, or from it on: a page then repeats a row.

    Args:
        query: Whose filters stay.
        key: What the rows are sorted by.
        last: Values of the key in the last row.
        had_null: For each field, whether a null came under the same leading values.
        had_value: The same for values.
    """
    filters = dict(query.get("filters") or {})
    only = key[0]
    is_free = filters.get(only.field) in (None, "", NOT_NULL)  # what is greater is not null
    if len(key) == 1 and only.is_number and not only.nullable and is_free:
        return {"filters": {**filters, only.field: f">{literal(only, last[0])}"}}
    ways = []
    is_one_number = len(key) == 1 and only.is_number and last[0] is not None
    for position, part in enumerate(key):
        is_last = position == len(key) - 1
        beyond = _beyond(
            part,
            last[position],
            had_null=had_null[position],
            had_value=had_value[position],
            inclusive=is_last and not is_one_number,
        )
        if beyond:
            same = [_equal(one, value) for one, value in zip(key[:position], last, strict=False)]
            ways.append(f"({' AND '.join([*same, beyond])})")
    expression = " OR ".join(ways)
    given = query.get("filter_expression")
    return {"filter_expression": f"({given}) AND ({expression})" if given else expression}


def _beyond(part: Key, value: Any, *, had_null: bool, had_value: bool, inclusive: bool) -> str:
    """What comes after a value in one field; "" for nothing."""
    field = f"${{{part.field}}}"
    is_null = f"is_null({field})"
    if value is not None:
        greater = f"{field} {'>=' if inclusive else '>'} {literal(part, value)}"
        # Nulls that sort first have come by now; those that sort last have not.
        return greater if had_null or not part.nullable else f"({greater} OR {is_null})"
    if had_value:  # nulls sort last
        return is_null if inclusive else ""
    return f"({is_null} OR NOT {is_null})" if inclusive else f"NOT {is_null}"


def _equal(part: Key, value: Any) -> str:
    field = f"${{{part.field}}}"
    return f"is_null({field})" if value is None else f"{field} = {literal(part, value)}"


def literal(part: Key, value: Any) -> str:
    """A value that is not null in Looker's expression language."""
    if part.kind in ("date", "date-time"):
        moment = datetime.fromisoformat(str(value))
        parts = [moment.year, moment.month, moment.day]
        if part.kind == "date":
            return f"date({', '.join(map(str, parts))})"
        parts += [moment.hour, moment.minute, moment.second]
        return f"date_time({', '.join(map(str, parts))})"
    if part.is_number:
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if part.kind == "boolean":
        return str(value).lower()
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
