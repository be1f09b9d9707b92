"""Which streams there are, and which are read where no catalog says so."""

from __future__ import annotations

import difflib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tap_looker.errors import SettingsError
from tap_looker.queries.activities import PREFIX, QUERIES, QUERY_FIELDS
from tap_looker.resources import costs
from tap_looker.resources.table import BY_NAME, GROUPS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

DEFAULT = "default"
"""Stands for what is selected without patterns."""
ACTIVITY, OWN = "System Activity", "Of the settings"
PER_QUERY = "1 query call per page of rows"
EXPLAINED = """Selected streams are marked with *. Choose others with --select; --access shows
what your key may read and what that costs. Calls are admin calls unless stated otherwise."""


def matching(patterns: Sequence[str], names: Collection[str], default: Collection[str]) -> set[str]:
    """The streams that patterns select; a later pattern counts more than an earlier one.

    ::

        users, dash*         these alone
        default, explores    the default selection, and one more
        !alerts              the default selection without one

    Args:
        patterns: ``*`` stands for any text, ``!`` leaves out.
        names: Of all streams.
        default: Of those that are selected without patterns.

    Raises:
        SettingsError: A pattern matches no stream.
    """
    chosen = set(default) if not patterns or patterns[0].startswith("!") else set()
    unmatched = []
    for part in patterns:
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


def as_text(streams: Iterable[str], selected: Collection[str], page_size: int) -> str:
    """All streams with what they cost, by the groups of the documentation.

    Args:
        streams: Their names.
        selected: Those that a run reads.
        page_size: Rows per page.
    """
    group_of = {row.name: title for title, rows in GROUPS.items() for row in rows}
    groups: dict[str, list[str]] = {title: [] for title in (*GROUPS, ACTIVITY, OWN)}
    for name in streams:
        other = ACTIVITY if name.startswith(PREFIX) else OWN
        groups[group_of.get(name, other)].append(name)
    width = max(map(len, streams), default=0)
    lines = [f"  {'Stream':{width}}  Calls"]
    for title, names in groups.items():
        lines += ["", title] if names else []
        for name in names:
            calls = f"none besides {QUERIES}" if name == QUERY_FIELDS else PER_QUERY
            if name in BY_NAME:
                calls = costs.in_words(BY_NAME[name], page_size)
            lines.append(f"{'*' if name in selected else ' '} {name:{width}}  {calls}")
    return "\n".join([*lines, "", EXPLAINED])


def _unmatched(pattern: str, names: Collection[str]) -> str:
    close = difflib.get_close_matches(pattern, names, 1)
    hint = f"; did you mean {close[0]}?" if close else " (--discover lists them)."
    return f"Setting select: there is no stream {pattern}{hint}"
