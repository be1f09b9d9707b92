"""Deletions: when targets may delete what a stream no longer holds, and why they may not.

On ACTIVATE_VERSION, targets delete the rows of a table that have another version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_looker.errors import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

ANYWAY = "activate_version_anyway"
OTHER_INSTANCES = (
    "targets would delete the rows of all other instances in the same table. If each instance has "
    f"its own tables, set {ANYWAY} to instance."
)
PARTIAL_ACCESS = (
    "the API key's user might not see all of their rows (see --access), and targets would delete "
    f"those that are missing. If that is wanted, set {ANYWAY} to partial_access."
)


def why_withheld(
    *,
    why_partial: str,
    in_same_tables: list[str],
    has_instance: bool,
    sees_all: Callable[[], bool],
    allowed: Collection[str],
) -> str:
    """Why targets may delete nothing of a stream that was read to its end; "" if they may.

    Args:
        why_partial: Why its rows may not be all that there are; "" where they are.
        in_same_tables: Other streams that have the same name in the target.
        has_instance: Other instances may have rows in the same table.
        sees_all: Whether the key's user sees all rows; asked only if nothing else decides, since
            it may cost a call.
        allowed: What the setting ``activate_version_anyway`` names.
    """
    if why_partial:
        return why_partial
    if in_same_tables:
        return f"stream maps give {listed(in_same_tables)} the same name."
    if has_instance and "instance" not in allowed:
        return OTHER_INSTANCES
    return "" if "partial_access" in allowed or sees_all() else PARTIAL_ACCESS
