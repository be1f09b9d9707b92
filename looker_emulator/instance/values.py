"""Helpers that derive slugs, times and `can` maps from numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
Row = dict[str, Any]

# Objects have the internal address of the instance in their `url`.
HOST = "https://localhost:19999"
API = f"{HOST}/api/4.0"

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DAY_ONE = datetime(2023, 1, 9, 7, 30, tzinfo=UTC)


def slug(kind: str, number: int) -> str:
    """22 characters in base 62, like the slugs and client ids of queries and dashboards."""
    rest = int.from_bytes(blake2b(f"{kind} {number}".encode(), digest_size=17).digest(), "big")
    digits = []
    for _ in range(22):
        rest, digit = divmod(rest, 62)
        digits.append(_BASE62[digit])
    return "".join(digits)


def moment(days: int, seconds: int = 0) -> str:
    """A time as Looker writes it: `2024-05-16T02:18:31.000+00:00`."""
    return (_DAY_ONE + timedelta(days=days, seconds=seconds)).isoformat(timespec="milliseconds")


def pick(choices: Sequence[T], number: int) -> T:
    """One of the choices, in turn."""
    return choices[number % len(choices)]


def can(number: int, *abilities: str) -> dict[str, bool]:
    """A `can` map. Its keys vary from row to row, as in real bodies."""
    granted = {"show": True, "index": True}
    for position, ability in enumerate(abilities):
        if (number + position) % 4 or not position:
            granted[ability] = (number + position) % 5 != 3
    return granted
