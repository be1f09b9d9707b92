"""The items of a long JSON list, decoded while it arrives. Knows nothing of Looker."""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation
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
_NO_NUMBER = rb"(?<!\w)-?(?:NaN|Infinity|\d++(?:\.\d++)?[eE][+-]?\d{15,})(?!\w)"
"""What some write for a number, and JSON or the decimals of Python have no place for."""
_ODD = re.compile(_NO_NUMBER)
_STRING_OR_ODD = re.compile(rb'"(?:[^"\\]|\\.)*+(?:(")|(\\?)\Z)|' + _NO_NUMBER, re.DOTALL)
_HALF_A_WORD = re.compile(rb"[\w.+-]{1,40}\Z")


def float_or_text(text: str) -> Any:
    """A float; the text where it would be out of range."""
    number = float(text)
    return number if math.isfinite(number) else text


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

    NaN and Infinity, which databases have and JSON has not, come as texts.

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
    found = _whole(text, decoder)
    if found is None and _ODD.search(text):
        text = Quoter().feed(text, is_last=True)
        found = _whole(text, decoder)
    return found or (None, text)


def _whole(text: bytes, decoder: msgspec.json.Decoder[Any]) -> tuple[list[Any], bytes] | None:
    end = len(text)
    for _ in range(MAX_CUTS_TRIED):
        end = text.rfind(b"}", 0, end)
        if end < 0:
            break
        between = _BETWEEN.match(text, end + 1)
        if between:
            try:
                return decoder.decode(b"[" + text[: end + 1] + b"]"), text[between.end() :]
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidOperation):
                continue
    return None


class Quoter:
    """Makes texts of what is no number in a JSON that comes in pieces: NaN, Infinity."""

    def __init__(self) -> None:
        self._held = b""
        self._is_inside = False

    def feed(self, piece: bytes, *, is_last: bool) -> bytes:
        """What can be told of the text so far, with quotes around what is no number."""
        opening = b'"' if self._is_inside else b""
        text = opening + self._held + piece
        self._held, self._is_inside = b"", False
        quoted = _STRING_OR_ODD.sub(self._quoted, text)[len(opening) :]
        if is_last:
            quoted, self._held = quoted + self._held, b""  # given once, or there would be no end
        elif not self._is_inside and (half := _HALF_A_WORD.search(quoted)):
            self._held = half[0]
            quoted = quoted[: half.start()]
        return quoted

    def _quoted(self, found: re.Match[bytes]) -> bytes:
        text = found[0]
        if text[:1] != b'"':
            return b'"' + text + b'"'
        if found[1] is None:  # it goes on in the next piece, perhaps in the middle of an escape
            self._is_inside, self._held = True, found[2]
            return text[: len(text) - len(found[2])]
        return text


class _Rest:
    """What was read ahead, and then what comes; for a parser that breaks on an endless number."""

    def __init__(self, taken: bytes, source: Readable) -> None:
        self._taken = taken
        self._source = source
        self._digits = b""
        self._quoter = Quoter()

    def read(self, size: int) -> bytes:
        while True:
            taken, self._taken = self._taken[:size], self._taken[size:]
            chunk = taken or self._source.read(size)
            self._check_digits(chunk)
            quoted = self._quoter.feed(chunk, is_last=not chunk)
            if quoted or not chunk:
                return quoted

    def _check_digits(self, chunk: bytes) -> None:
        text = self._digits + chunk
        # One byte in so many tells that there is no such number, and is quick to look at.
        if _DIGIT.search(text[::MAX_DIGITS]) and _TOO_MANY_DIGITS.search(text):
            message = f"a number of more than {MAX_DIGITS:,} digits"
            raise OutsizeError(message)
        self._digits = text[-MAX_DIGITS:]


def _parsed(source: _Rest, *, exact: bool) -> Iterator[Any]:
    depth, builder = 0, ijson.ObjectBuilder()
    # Floats are made here, for ijson has no place for those that are out of range.
    for event, value in ijson.basic_parse(source, use_float=False):
        if not exact and type(value) is Decimal:
            value = float_or_text(str(value))  # noqa: PLW2901
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
