"""The fields of a query as typed columns: LookML types, and what Looker sends for each.

Facts about types: the OpenAPI document (``LookmlModelExploreField``) and Looker's documentation of
dimension, filter and measure types.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from tap_looker.errors import BadResponseError
from tap_looker.looker.threads import closed_at_end
from tap_looker.values import BOOLEANS, MisfitError, Misfits, digest, to_integer, to_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from tap_looker.looker.response import Row

    Convert = Callable[[Any], Any]

NOTHING = frozenset({type(None)})
MAX_NAME = 63  # bytes
MARK = 8  # characters of a digest that tell apart two names with the same beginning


@dataclass(frozen=True)
class Column:
    """A field of a query as a column of its records.

    Attributes:
        field: Its name in LookML: ``history.created_time``.
        name: Its name in the records: ``history_created_time``.
        schema: JSON Schema of its values, which may be null.
        convert: Makes such a value of Looker's, or raises :class:`MisfitError`.
        passthrough_types: Types of values that need not be converted.
    """

    field: str
    name: str
    schema: Mapping[str, Any]
    convert: Convert
    passthrough_types: frozenset[type] = NOTHING


@dataclass(frozen=True)
class Key:
    """A field that rows are sorted by.

    Attributes:
        field: Its name in LookML.
        kind: Of its values: one of the values of :data:`KINDS`.
        nullable: Its values may be null.
    """

    field: str
    kind: str
    nullable: bool = True

    @property
    def is_number(self) -> bool:
        """Its values are numbers."""
        return self.kind in ("integer", "number", "id")


def column_name(field: str) -> str:
    """The name of a field's column: ``history.created_time`` → ``history_created_time``.

    Names longer than :data:`MAX_NAME` are shortened: Postgres would cut them off, and a target then
    look for their column in vain.
    """
    name = re.sub(r"\W", "_", field)
    encoded = name.encode()
    if len(encoded) <= MAX_NAME:
        return name
    mark = digest([field])[:MARK]
    return f"{encoded[: MAX_NAME - MARK - 1].decode(errors='ignore')}_{mark}"


def column(field: str, lookml_type: str, *, description: str = "", zone: tzinfo = UTC) -> Column:
    """A column from the LookML type of its field.

    Args:
        field: The field's name.
        lookml_type: As explore metadata gives it: ``number``, ``yesno``, ``date_time``, …
        description: For the schema.
        zone: Of the times that Looker sends, which have none of their own.
    """
    kind = KINDS.get(lookml_type, "text")
    schema: dict[str, Any] = {"type": [_JSON_TYPES.get(kind, "string"), "null"]}
    if kind in ("date", "date-time"):
        schema["format"] = kind
    if description:
        schema["description"] = description
    convert = _time_in(zone) if kind == "date-time" else _CONVERTERS[kind]
    return Column(
        field, column_name(field), schema, convert, NOTHING | _RIGHT_TYPES.get(kind, set())
    )


def kind_of_schema(schema: Mapping[str, Any]) -> str:
    """The kind of values that a schema, as :func:`column` makes it, admits."""
    types = schema.get("type", "string")
    types = [types] if isinstance(types, str) else types
    by_type = {json_type: kind for kind, json_type in _JSON_TYPES.items()}
    return schema.get("format") or next((by_type[one] for one in types if one in by_type), "text")


def column_of_schema(field: str, schema: Mapping[str, Any], zone: tzinfo = UTC) -> Column:
    """A column as a catalog describes it, for a run that asks for no metadata again."""
    kind = kind_of_schema(schema)
    convert = _time_in(zone) if kind == "date-time" else _CONVERTERS[kind]
    return Column(
        field, column_name(field), schema, convert, NOTHING | _RIGHT_TYPES.get(kind, set())
    )


def collisions(columns: Iterable[Column]) -> list[str]:
    """What is wrong where two fields would share a column."""
    by_name: dict[str, list[str]] = {}
    for one in columns:
        by_name.setdefault(one.name, []).append(one.field)
    return [
        f"fields {' and '.join(fields)} would both become column {name}"
        for name, fields in by_name.items()
        if len(fields) > 1
    ]


def records(
    columns: Sequence[Column], rows: Iterable[Row], misfits: Misfits | None = None
) -> Iterator[Row]:
    """Typed records of rows, with the columns' names; null where a value does not fit its type.

    Looker leaves out of its rows, and says nothing, what an instance does not have or a user may
    not see: that is null too.

    Args:
        columns: In the order of the records.
        rows: As Looker sends them.
        misfits: Takes note of what does not fit.

    Raises:
        RequestError: A field that cannot do without it has no value, or all fields are missing.
    """
    misfits = Misfits() if misfits is None else misfits
    plan = [(one.field, one.name, one.passthrough_types, one.convert) for one in columns]
    with closed_at_end(rows) as iterator:
        yield from _records(columns, plan, iterator, misfits)


def _records(
    columns: Sequence[Column],
    plan: Sequence[tuple[Any, ...]],
    rows: Iterator[Row],
    misfits: Misfits,
) -> Iterator[Row]:
    schemas = {one.field: one.schema for one in columns}
    for row in rows:
        record = {}
        for field, name, passthrough_types, convert in plan:
            try:
                value = row[field]
                record[name] = value if type(value) in passthrough_types else convert(value)
            except KeyError:
                if row.keys().isdisjoint(schemas):
                    raise BadResponseError(
                        "The answer has none of the fields that were asked for."
                    ) from None
                misfits.add_absent(field)
                record[name] = None
            except MisfitError:
                misfits.add(field, schemas[field], value, row)
                record[name] = None
        yield record


_ENCODER = msgspec.json.Encoder(decimal_format="number")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _json_text(value)


def _id(value: Any) -> str:
    kind = type(value)
    return value if kind is str else str(value if kind is int else to_integer(value))


def _json_text(value: Any) -> str:
    return _ENCODER.encode(value).decode()


_TRUTH: dict[type, dict[Any, bool]] = {str: BOOLEANS, int: {0: False, 1: True}}


def _boolean(value: Any) -> bool:
    try:
        return _TRUTH[type(value)][value]
    except KeyError:
        raise MisfitError from None


_DAY = r"(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))"
_CLOCK = r"((?:[01]\d|2[0-3]):[0-5]\d)(:[0-5]\d(?:\.\d+)?)?"
DATE = re.compile(_DAY, re.ASCII)
_TIME = re.compile(rf"{_DAY}[ T]{_CLOCK}(Z|[+-]\d\d:?\d\d| UTC)?", re.ASCII)
_MIDNIGHT = re.compile(r"[ T]00:00(?::00(?:\.0+)?)?(?:Z|[+-]00:?00| UTC)?", re.ASCII)


def _date(value: Any) -> str:
    """A date, also one that is written as its midnight; another time of day would be lost."""
    found = DATE.match(value) if isinstance(value, str) else None
    if not found or not (len(value) == found.end() or _MIDNIGHT.fullmatch(value, found.end())):
        raise MisfitError
    _check_day(found[0])
    return found[0]


def _day_alone(value: Any) -> str:
    if not isinstance(value, str) or not DATE.fullmatch(value):
        raise MisfitError
    return value


@lru_cache(10_000)  # a result has few days, and many times of each
def _check_day(day: str) -> None:
    try:
        date.fromisoformat(day)
    except ValueError:
        raise MisfitError from None


def _time_in(zone: tzinfo) -> Convert:
    """Times of a zone as RFC 3339 in UTC."""
    is_utc = zone is UTC

    def convert(value: Any) -> str:
        found = _TIME.fullmatch(value) if isinstance(value, str) else None
        if not found:
            return convert(f"{_day_alone(value)} 00:00:00")
        day, minute, second, offset = found.groups()
        second = second or ":00"
        if is_utc and offset in (None, "Z", " UTC"):
            _check_day(day)
            return f"{day}T{minute}{second}Z"
        whole, _, fraction = second.partition(".")
        sign = "+00:00" if offset in ("Z", " UTC") else offset or ""
        if sign and ":" not in sign:
            sign = f"{sign[:3]}:{sign[3:]}"
        try:
            moment = datetime.fromisoformat(f"{day}T{minute}{whole}{sign}")
            moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
            utc = moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise MisfitError from None
        # Not strftime: it does not pad a year to four digits everywhere.
        shown = utc.replace(tzinfo=None).isoformat()
        return f"{shown}.{fraction:0<6}Z" if fraction else f"{shown}Z"

    return convert


KINDS = {
    "string": "text",
    "zipcode": "text",
    "tier": "text",
    "bin": "text",
    "location": "text",
    "list": "text",
    "number": "number",
    "int": "integer",
    "integer": "integer",
    "id": "id",
    "distance": "number",
    "duration": "number",
    "yesno": "boolean",
    "boolean": "boolean",
    "date": "date",
    "time": "date-time",
    "count": "integer",
    "count_distinct": "integer",
    "sum": "number",
    "sum_distinct": "number",
    "average": "number",
    "average_distinct": "number",
    "median": "number",
    "median_distinct": "number",
    "percentile": "number",
    "percentile_distinct": "number",
    "percent_of_previous": "number",
    "percent_of_total": "number",
    "running_total": "number",
    "period_over_period": "number",
    "min": "number",
    "max": "number",
    **{
        f"duration_{unit}": "number"
        for unit in ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
    },
    "date_date": "date",
    "date_week": "date",
    "date_time": "date-time",
    "date_second": "date-time",
    "date_millisecond": "date-time",
    "date_microsecond": "date-time",
    "date_year": "integer",
    "date_month_num": "integer",
    "date_day_of_month": "integer",
    "date_day_of_year": "integer",
    "date_day_of_week_index": "integer",
    "date_hour_of_day": "integer",
    "date_week_of_year": "integer",
    "date_fiscal_month_num": "integer",
}
"""What a LookML type is in JSON; a type that is not here is text, so that nothing is lost.

An ``id`` is of our own making: a number in LookML, and text in the records, as the REST API has it.
"""
_RIGHT_TYPES: dict[str, set[type]] = {
    "text": {str},
    "id": {str},
    "number": {int, Decimal},
    "integer": {int},
    "boolean": {bool},
}
_JSON_TYPES = {"number": "number", "integer": "integer", "boolean": "boolean"}
_CONVERTERS: dict[str, Convert] = {
    "text": _text,
    "id": _id,
    "number": to_number,
    "integer": to_integer,
    "boolean": _boolean,
    "date": _date,
}
