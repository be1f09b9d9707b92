"""Whether a warehouse holds what the tap wrote: every row, and every value of it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from targets.table import DELETED

if TYPE_CHECKING:
    from targets.table import Row, Tables

TRUTH = {"true": True, "false": False}


@dataclass
class Output:
    """What a run of the tap wrote.

    Attributes:
        schemas: By stream.
        keys: Primary keys by stream.
        rows: By stream; of those that share a key the last.
        full: The streams that make up their whole table.
    """

    schemas: dict[str, Row] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)
    rows: dict[str, dict[Any, Row]] = field(default_factory=dict)
    full: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, lines: str) -> Output:
        """Of the Singer messages on standard output."""
        output = cls()
        for line in lines.splitlines():
            message = json.loads(line, parse_float=Decimal)
            name = message.get("stream")
            if message["type"] == "SCHEMA":
                output.schemas[name] = message["schema"]["properties"]
                output.keys[name] = message["key_properties"]
                output.rows[name] = {}
            elif message["type"] == "RECORD":
                record = message["record"]
                output.rows[name][output.key(name, record)] = record
            elif message["type"] == "ACTIVATE_VERSION":
                output.full.add(name)
        return output

    def key(self, stream: str, row: Row) -> tuple[Any, ...]:
        """The primary key of a row, of the tap or read back."""
        schemas = self.schemas[stream]
        return tuple(normal(found(row, name), schemas[name]) for name in self.keys[stream])


def found(row: Row, column: str) -> Any:
    """A value of a row that was read back; some targets write all names in lower case."""
    return row[column] if column in row else row.get(column.lower())


def normal(value: Any, schema: Row) -> Any:
    """A value as its schema means it, whatever a target has made of it."""
    if value is None:
        return None
    kinds = schema.get("type", ())
    types = {kinds} if isinstance(kinds, str) else set(kinds)
    if schema.get("format") == "date-time":
        return _moment(value)
    if types & {"object", "array"}:
        return _plain(_parsed(value))
    if types & {"integer", "number"}:
        return _number(value)
    if "boolean" in types and isinstance(value, str):
        return TRUTH.get(value.lower(), value)
    return value


def _moment(value: Any) -> Any:
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _number(value: Any) -> Any:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return value


def _parsed(value: Any) -> Any:
    """JSON that a target keeps as text, also item by item."""
    if isinstance(value, list):
        return [_parsed(item) if _is_json(item) else item for item in value]
    return json.loads(value) if _is_json(value) else value


def _is_json(value: Any) -> bool:
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return False
    try:
        json.loads(value)
    except ValueError:
        return False
    return True


def _plain(value: Any) -> Any:
    """Nested values with all numbers alike; times in them stay text."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Decimal(str(value))
    return value


def live(rows: list[Row]) -> list[Row]:
    """The rows that are not marked as deleted."""
    return [row for row in rows if not row.get(DELETED)]


def missing(output: Output, tables: Tables) -> int:
    """How many rows of the tap are not there."""
    return sum(
        len(rows.keys() - {output.key(name, row) for row in tables.get(name, [])})
        for name, rows in output.rows.items()
    )


def stale(output: Output, tables: Tables) -> tuple[int, int]:
    """How many rows are there and not in the tap's output, and in how many streams."""
    left = [
        {output.key(name, row) for row in live(tables.get(name, []))} - rows.keys()
        for name, rows in output.rows.items()
        if name in output.full
    ]
    return sum(map(len, left)), sum(map(bool, left))


def wrong(output: Output, tables: Tables) -> Counter[tuple[str, str]]:
    """How many values differ, by column and by what became of them."""
    differing: Counter[tuple[str, str]] = Counter()
    for name, rows in output.rows.items():
        schemas = output.schemas[name]
        for row in tables.get(name, []):
            expected = rows.get(output.key(name, row))
            for column, value in (expected or {}).items():
                became = found(row, column)
                if normal(value, schemas[column]) != normal(became, schemas[column]):
                    differing[f"{name}.{column}", _kind(value, became, schemas[column])] += 1
    return differing


def _kind(value: Any, became: Any, schema: Row) -> str:
    if value == "" and became is None:
        return '`""` is null'
    if became is None:
        return "null"
    if schema.get("format") == "date-time":
        return "another time"
    if isinstance(value, (dict, list)):
        return "not JSON"
    is_number = isinstance(value, (Decimal, int)) and not isinstance(value, bool)
    return "rounded" if is_number else "changed"
