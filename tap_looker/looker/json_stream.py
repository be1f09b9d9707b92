"""The items of a long JSON list, decoded while it arrives. Knows nothing of Looker."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import ijson
import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 1 << 16  # bytes that are decoded together
MAX_PIECE = 1 << 20  # bytes without the end of an object
MAX_CUTS_TRIED = 20
MAX_DEPTH = 200  # levels of nesting in an item
MAX_DIGITS = 4_300  # of a number: those that Python turns into an int

_BETWEEN = re.compile(rb"\s*,\s*(?=\{)")
_DIGIT = re.compile(rb"[0-9]")
_TOO_MANY_DIGITS = re.compile(rb"(?<![0-9])[0-9]{%d}" % (MAX_DIGITS + 1))
_DECODER = msgspec.json.Decoder()
_EXACT_DECODER = msgspec.json.Decoder(float_hook=Decimal)


class Readable(Protocol):
    """What has bytes to give: a binary file."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


class BadListError(ValueError):
    """A list that is cut, or no JSON."""


class OutsizeError(ValueError):
    """An item that is whole, and more than can be read."""


def items(source: Readable, *, exact: bool = False) -> Iterator[Any]:
    """The items of a JSON list, some at a time; memory does not grow with it.

    It is decoded in pieces, each up to where one object ends and the next begins. That may be
    inside of a string or of a nested list, but then the piece is no JSON, and the next one is tried
    with more. What cannot be decoded so goes to a parser that takes any JSON, and is slower.

    Args:
        source: The list's text, from its bracket on.
        exact: Numbers with a point or an exponent are decimals; otherwise floats.

    Raises:
        BadListError: The list does not end, or is no JSON.
        OutsizeError: An item is nested too deep, or a number too long.
    """
    decoder = _EXACT_DECODER if exact else _DECODER
    rest = b""
    while not rest and (more := source.read(PIECE)):
        rest = more.lstrip()
    rest = rest[1:]
    while True:
        piece, after = _cut(rest, decoder)
        if piece is not None:
            yield from piece
            rest = after
            if len(rest) < PIECE:
                more = source.read(PIECE)
                if not more:
                    break
                rest += more
            continue
        more = source.read(PIECE) if len(rest) < MAX_PIECE else b""
        if not more:
            break
        rest += more
    try:
        yield from _parsed(_Rest(b"[" + rest, source), exact=exact)
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise BadListError(str(error).partition("\n")[0]) from error


def _cut(text: bytes, decoder: msgspec.json.Decoder[Any]) -> tuple[list[Any] | None, bytes]:
    """The whole objects that a text begins with, and what is after them; None if there are none."""
    end = len(text)
    for _ in range(MAX_CUTS_TRIED):
        end = text.rfind(b"}", 0, end)
        if end < 0:
            break
        between = _BETWEEN.match(text, end + 1)
        if between:
            try:
                return decoder.decode(b"[" + text[: end + 1] + b"]"), text[between.end() :]
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
    return None, text


class _Rest:
    """What was read ahead, and then what comes; for a parser that breaks on an endless number."""

    def __init__(self, taken: bytes, source: Readable) -> None:
        self._taken = taken
        self._source = source
        self._digits = b""

    def read(self, size: int) -> bytes:
        taken, self._taken = self._taken[:size], self._taken[size:]
        chunk = taken or self._source.read(size)
        text = self._digits + chunk
        # One byte in so many tells that there is no such number, and is quick to look at.
        if _DIGIT.search(text[::MAX_DIGITS]) and _TOO_MANY_DIGITS.search(text):
            message = f"a number of more than {MAX_DIGITS:,} digits"
            raise OutsizeError(message)
        self._digits = text[-MAX_DIGITS:]
        return chunk


def _parsed(source: _Rest, *, exact: bool) -> Iterator[Any]:
    depth, builder = 0, ijson.ObjectBuilder()
    for event, value in ijson.basic_parse(source, use_float=not exact):
        depth += event in ("start_map", "start_array")
        depth -= event in ("end_map", "end_array")
        if depth > MAX_DEPTH:
            message = f"an item nested more than {MAX_DEPTH} levels deep"
            raise OutsizeError(message)
        if depth and (depth > 1 or event != "start_array"):  # not the list itself
            builder.event(event, value)
            if depth == 1:
                yield builder.value
                builder = ijson.ObjectBuilder()
