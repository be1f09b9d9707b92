"""Which streams are read where no catalog says so: patterns of their names."""

from __future__ import annotations

import difflib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tap_looker.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection

DEFAULT = "default"
"""Stands for what is selected without patterns."""


def matching(patterns: str, names: Collection[str], default: Collection[str]) -> set[str]:
    """The streams that patterns select; a later pattern counts more than an earlier one.

    ::

        users,dash*          these alone
        default,explores     the default selection, and one more
        !alerts              the default selection without one

    Args:
        patterns: Separated by commas. ``*`` stands for any text, ``!`` leaves out.
        names: Of all streams.
        default: Of those that are selected without patterns.

    Raises:
        SettingsError: A pattern matches no stream.
    """
    parts = [part for one in patterns.split(",") if (part := one.strip())]
    chosen = set(default) if not parts or parts[0].startswith("!") else set()
    unmatched = []
    for part in parts:
        pattern = part.removeprefix("!").strip()
        if pattern == DEFAULT:
            found = set(default)
        else:
            found = {name for name in names if fnmatchcase(name, pattern)}
        if not found:
            unmatched.append(_unmatched(pattern, names))
        chosen = chosen - found if part.startswith("!") else chosen | found
    if unmatched:
        raise SettingsError(unmatched)
    return chosen


def _unmatched(pattern: str, names: Collection[str]) -> str:
    close = difflib.get_close_matches(pattern, names, 1)
    hint = f"; did you mean {close[0]}?" if close else " (--discover lists them)."
    return f"Setting select: there is no stream {pattern}{hint}"
