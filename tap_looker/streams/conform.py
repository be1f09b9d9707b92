"""From the rows that Looker sends to records that their JSON Schema admits.

A schema is compiled once into functions. Unknown properties are left out, values are brought to
their type where nothing is lost by it (``38`` → ``"38"``, ``"5"`` → ``5``), an empty string that
stands for no time becomes null, and what does not fit becomes null and is reported. Nulls stay.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from tap_looker.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable

    Report = Callable[[str, str], None]
    Convert = Callable[[Any], Any]
    Fit = tuple[type | None, Convert]
    """The type of values that fit as they are, as null does, and what makes others fit."""

UNKNOWN, MISFIT = "unknown", "misfit"

_TIME = r"T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)"
_RFC3339 = re.compile(r"(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])" + _TIME, re.ASCII)
_LATE_IN_MONTH = re.compile(r"\d{4}-\d\d-\d\d" + _TIME, re.ASCII)


def compiled(schema: dict[str, Any], left_out: frozenset[str], report: Report) -> Convert:
    """A function that turns one row of Looker into one record.

    Args:
        schema: JSON Schema of the record, an object.
        left_out: Names, or paths of names, that are expected and never emitted: not reported.
        report: Called with a kind (:data:`UNKNOWN`, :data:`MISFIT`) and a property's path.
    """
    return _object(schema, "", left_out, report)


def _fit(schema: dict[str, Any], path: str, left_out: frozenset[str], report: Report) -> Fit:
    types = schema.get("type", [])
    kinds = {types} if isinstance(types, str) else set(types)
    kinds.discard("null")
    if kinds == {"object"} and "properties" in schema:
        return None, _object(schema, path, left_out, report)
    if kinds == {"array"}:
        return None, _array(schema, path, left_out, report)
    if len(kinds) == 1:
        is_time = schema.get("format") == "date-time"
        fitting, to_type = (None, _time) if is_time else _SCALARS[kinds.pop()]
        return fitting, _checked(to_type, path, report)
    return None, lambda value: value


def _object(schema: dict[str, Any], path: str, left_out: frozenset[str], report: Report) -> Convert:
    properties = {
        name: _fit(child, f"{path}.{name}" if path else name, left_out, report)
        for name, child in schema["properties"].items()
    }

    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            report(MISFIT, path)
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
                    report(UNKNOWN, full)
        return record

    return convert


def _array(schema: dict[str, Any], path: str, left_out: frozenset[str], report: Report) -> Convert:
    fitting, to_fit = _fit(schema.get("items", {}), path, left_out, report)

    def convert(value: Any) -> Any:
        if not isinstance(value, list):
            report(MISFIT, path)
            return None
        return [one if one is None or type(one) is fitting else to_fit(one) for one in value]

    return convert


def _checked(to_type: Convert, path: str, report: Report) -> Convert:
    def convert(value: Any) -> Any:
        try:
            return to_type(value)
        except (TypeError, ValueError, OverflowError, RecursionError):
            report(MISFIT, path)
            return None

    return convert


def _string(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _time(value: Any) -> str | None:
    if not isinstance(value, str):
        raise TypeError
    if not value or _RFC3339.fullmatch(value):
        return value or None
    if _LATE_IN_MONTH.fullmatch(value):
        datetime.fromisoformat(value[:19])
        return value
    return parse_time(value).isoformat()


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    number = int(value)
    if isinstance(value, float) and number != value:
        raise ValueError
    return number


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    return value if isinstance(value, int) else float(value)


def _boolean(value: Any) -> bool:
    if value in ("true", "false"):
        return bool(value == "true")
    raise ValueError


def _mapping(value: Any) -> Any:  # noqa: ARG001
    raise TypeError


_SCALARS: dict[str, Fit] = {
    "string": (str, _string),
    "integer": (int, _integer),
    "number": (float, _number),
    "boolean": (bool, _boolean),
    "object": (dict, _mapping),
}
