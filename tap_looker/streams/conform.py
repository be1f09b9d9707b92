"""From the rows that Looker sends to records that their JSON Schema admits.

A schema is compiled once into functions. Unknown properties are left out, values are brought to
their type where nothing is lost by it (``38`` → ``"38"``, ``"5"`` → ``5``), and what does not fit
becomes null and is reported. Nulls stay.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from tap_looker.times import parse_time
from tap_looker.values import MisfitError, to_boolean, to_integer, to_number

if TYPE_CHECKING:
    from collections.abc import Callable

    OnUnknown = Callable[[str], Any]
    """Takes a property's path."""
    OnMisfit = Callable[[str, dict[str, Any], Any], None]
    """Takes a property's path, its schema, and the value."""
    Convert = Callable[[Any], Any]
    Fit = tuple[type | None, Convert]
    """The type of values that fit as they are, as null does, and what makes others fit."""

_TIME = r"T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|\+00:00)"
_RFC3339 = re.compile(r"(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])" + _TIME, re.ASCII)
_LATE_IN_MONTH = re.compile(r"\d{4}-\d\d-\d\d" + _TIME, re.ASCII)
_FRACTION = re.compile(r"[.,](\d+)", re.ASCII)
_LAST_HOUR = re.compile(r"(?<=[Tt ])24", re.ASCII)


def compiled(
    schema: dict[str, Any], left_out: frozenset[str], unknown: OnUnknown, misfit: OnMisfit
) -> Convert:
    """A function that turns one row of Looker into one record.

    Args:
        schema: JSON Schema of the record, an object.
        left_out: Names, or paths of names, that are expected and never emitted: not reported.
        unknown: Called for a property that the schema does not have.
        misfit: Called for a value that is not of its type.
    """
    return _Compiler(left_out, unknown, misfit).of_object(schema, "")


class _Compiler:
    def __init__(self, left_out: frozenset[str], unknown: OnUnknown, misfit: OnMisfit) -> None:
        self._left_out = left_out
        self._unknown = unknown
        self._misfit = misfit

    def _fit(self, schema: dict[str, Any], path: str) -> Fit:
        types = schema.get("type", [])
        kinds = {types} if isinstance(types, str) else set(types)
        kinds.discard("null")
        if kinds == {"object"} and "properties" in schema:
            return None, self.of_object(schema, path)
        if kinds == {"array"}:
            return None, self._of_array(schema, path)
        if len(kinds) == 1:
            is_time = schema.get("format") == "date-time"
            fitting, to_type = (None, _time) if is_time else _SCALARS[kinds.pop()]
            return fitting, self._checked(to_type, schema, path)
        return None, lambda value: value

    def of_object(self, schema: dict[str, Any], path: str) -> Convert:
        left_out, unknown, misfit = self._left_out, self._unknown, self._misfit
        properties = {
            name: self._fit(child, f"{path}.{name}" if path else name)
            for name, child in schema["properties"].items()
        }

        def convert(value: Any) -> Any:
            if not isinstance(value, dict):
                misfit(path, schema, value)
                return None
            record = {}
            for name, item in value.items():
                if name in properties:
                    fitting, to_fit = properties[name]
                    fits = item is None or type(item) is fitting
                    record[name] = item if fits else to_fit(item)
                elif name not in left_out:
                    full = f"{path}.{name}" if path else name
                    if full not in left_out:
                        unknown(full)
            return record

        return convert

    def _of_array(self, schema: dict[str, Any], path: str) -> Convert:
        misfit = self._misfit
        fitting, to_fit = self._fit(schema.get("items", {}), path)

        def convert(value: Any) -> Any:
            if not isinstance(value, list):
                misfit(path, schema, value)
                return None
            return [one if one is None or type(one) is fitting else to_fit(one) for one in value]

        return convert

    def _checked(self, to_type: Convert, schema: dict[str, Any], path: str) -> Convert:
        misfit = self._misfit

        def convert(value: Any) -> Any:
            try:
                return to_type(value)
            except (TypeError, ValueError, RecursionError):
                misfit(path, schema, value)
                return None

        return convert


def _string(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _time(value: Any) -> str:
    """A time in UTC, as RFC 3339 has it: some targets drop any other offset."""
    if not isinstance(value, str):
        raise MisfitError
    if _RFC3339.fullmatch(value):
        return value
    if _LATE_IN_MONTH.fullmatch(value):
        datetime.fromisoformat(value[:19])
        return value
    # Python knows no more than microseconds, and some of its versions an hour 24.
    fraction = _FRACTION.search(value)
    if _LAST_HOUR.search(value):
        raise MisfitError
    try:
        text = parse_time(_FRACTION.sub("", value)).astimezone(UTC).isoformat()
    except OverflowError:
        raise MisfitError from None
    return f"{text[:19]}.{fraction[1]}{text[19:]}" if fraction else text


def _mapping(value: Any) -> Any:  # noqa: ARG001
    raise MisfitError


_SCALARS: dict[str, Fit] = {
    "string": (str, _string),
    "integer": (int, to_integer),
    "number": (float, to_number),
    "boolean": (bool, to_boolean),
    "object": (dict, _mapping),
}
