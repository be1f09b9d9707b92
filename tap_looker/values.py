"""Values and their types: what fits, what is brought to its type, and what becomes of the rest.

A value is brought to its type where nothing is lost by it. What its type has no place for becomes
null, and is reported once for each field.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_looker.errors import BadResponseError, listed, printable

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Mapping

    Row = Mapping[str, Any]

MAX_DIGITS = 4_300  # of a number: those that Python turns into an int
MAX_NAMED = 30  # fields that are named in warnings
MAX_SHOWN = 60  # characters of a value
MAX_KEY_PARTS = 3

WORDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date",
    "date-time": "a time",
    "object": "an object",
    "array": "a list",
}
"""What belongs in a column, by the format or the type in its schema."""
BOOLEANS = {"Yes": True, "No": False, "yes": True, "no": False, "true": True, "false": False}
_PLAIN = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)


class MisfitError(ValueError):
    """A value that is not of its type."""


def to_number(value: Any) -> Any:
    """A number as it is, or from a text that is one as databases send exact decimals.

    Other texts stay out, although they could be read as numbers: of ``00501``, ``1_000`` and
    ``1e5`` something would be lost.

    Raises:
        MisfitError: It is not one.
    """
    kind = type(value)
    if kind is int or kind is Decimal or (kind is float and math.isfinite(value)):
        return value
    if kind is str and len(value) <= MAX_DIGITS and _PLAIN.fullmatch(value):
        return Decimal(value) if "." in value else int(value)
    raise MisfitError


def to_integer(value: Any) -> int:
    """A whole number, whatever it is written as.

    Raises:
        MisfitError: It is not one.
    """
    number = to_number(value)
    if isinstance(number, int):
        return number
    if isinstance(number, Decimal) and number.adjusted() > MAX_DIGITS:
        raise MisfitError  # it would fill the memory
    whole = int(number)
    if whole != number:
        raise MisfitError
    return whole


def digest(values: Iterable[Any]) -> str:
    """A short text that other values have only by a chance that does not matter."""
    text = json.dumps(list(values), default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def to_boolean(value: Any) -> bool:
    """A truth value, or one of the words that stand for one.

    Raises:
        MisfitError: It is not one.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in BOOLEANS:
        return BOOLEANS[value]
    raise MisfitError


@dataclass
class _Found:
    """What did not fit in one field: how often, and the first."""

    what: str
    example: str
    count: int = 0


@dataclass
class Misfits:
    """What did not fit in the rows of one stream, to be told at its end.

    Attributes:
        stream: Its name.
        keys: Fields that tell a row from the others.
        needed: Fields that cannot do without a value: those of the key and the bookmark.
        fails: A misfit is an error.
        place: Entry of the settings that may say otherwise what a field holds; or "".
    """

    stream: str = ""
    keys: tuple[str, ...] = ()
    needed: frozenset[str] = frozenset()
    fails: bool = False
    place: str = ""
    _found: dict[str, _Found] = field(default_factory=dict)
    _absent: dict[str, None] = field(default_factory=dict)

    def add(self, name: str, schema: Mapping[str, Any], value: Any, row: Row) -> None:
        """Note a value that a field has no place for; an empty text is no value.

        Raises:
            BadResponseError: The field needs one, or the settings want to know.
        """
        if value == "":
            return
        found = self._found.get(name)
        if found is None:
            what = WORDS.get(_kind(schema), "text")
            found = _Found(what, f"{shown(value)}{self._of(row)}")
            if self.fails or name in self.needed:
                raise BadResponseError(self._refusal(name, found))
            self._found[name] = found
        found.count += 1

    def add_absent(self, name: str) -> None:
        """Note a field that was asked for and is not in the rows.

        Raises:
            BadResponseError: The field needs a value.
        """
        if name in self.needed:
            raise BadResponseError(
                f"The answer has no field {name}, which is part of the key or the bookmark: this "
                "instance has no such field, or this key may not see it."
            )
        self._absent[name] = None

    def warn(self, logger: logging.Logger) -> None:
        """Tell what was found: one line for each field."""
        if absent := list(self._absent):
            logger.warning(
                "%s: this instance has no %s, or this key may not see %s; null in the records.",
                self.stream,
                listed(absent),
                "them" if absent[1:] else "it",
            )
        for name, found in list(self._found.items())[:MAX_NAMED]:
            logger.warning(
                "%s: %s is null in %d place%s, where Looker sent something other than %s, such as "
                "%s.%s",
                self.stream,
                printable(name),
                found.count,
                "" if found.count == 1 else "s",
                found.what,
                found.example,
                self._remedy(name),
            )
        if (more := len(self._found) - MAX_NAMED) > 0:
            logger.warning("%s: the same goes for %d more fields.", self.stream, more)

    def _refusal(self, name: str, found: _Found) -> str:
        why = ""
        if name in self.needed:
            why = " It is part of the key or the bookmark, which cannot be null."
        elif self.fails:
            why = " To make it null instead, set on_misfit to warn."
        return (
            f"Field {printable(name)} holds {found.example}, which is not {found.what}.{why}"
            f"{self._remedy(name)}"
        )

    def _remedy(self, name: str) -> str:
        if not self.place:
            return ""
        types = json.dumps({printable(name): "string"}, ensure_ascii=False)
        return f' To keep it as text, add "types": {types} to {self.place}.'

    def _of(self, row: Row) -> str:
        """Which row it is, by its key."""
        parts = [f"{key} {shown(row.get(key))}" for key in self.keys[:MAX_KEY_PARTS]]
        return f" ({', '.join(parts)})" if parts else ""


def _kind(schema: Mapping[str, Any]) -> str:
    types = schema.get("type", "string")
    names = [types] if isinstance(types, str) else [one for one in types if one != "null"]
    return str(schema.get("format") or (names or ["string"])[0])


def shown(value: Any) -> str:
    """A value in a line of ours: as JSON, printable, and not too long."""
    try:
        text = (
            str(value)
            if isinstance(value, Decimal)
            else json.dumps(value, ensure_ascii=False, default=str)
        )
    except RecursionError:
        text = "something nested deeply"
    return printable(text, MAX_SHOWN)
