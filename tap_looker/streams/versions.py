"""When a target may delete what a run has not read: never where it may still exist.

A target that acts on ACTIVATE_VERSION deletes the rows of a table that have another version than
the message. It is sent after the last record of a stream that was read whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_looker.errors import listed

if TYPE_CHECKING:
    from tap_looker.run import Run
    from tap_looker.streams.base import LookerStream

ANYWAY = "activate_version_anyway"


def why_withheld(stream: LookerStream, run: Run) -> str:
    """Why no ACTIVATE_VERSION may be sent of a stream that was read to its end.

    Returns:
        A sentence; "" where it may.
    """
    reason = stream.why_partial(run.extraction)
    if not reason and (others := stream.in_same_tables()):
        reason = f"stream maps give {listed(others)} the same name."
    allowed = run.config[ANYWAY]
    if not reason and stream.instance and "instance" not in allowed:
        reason = (
            "targets would delete the rows of all other instances in the same table. If each "
            f"instance has its own tables, set {ANYWAY} to instance."
        )
    if not reason and "partial_access" not in allowed:
        sources = stream.sources(run.extraction)
        if sources and not run.sees_all(sources):
            reason = (
                "the API key's user may not see all of their rows (see --access), and targets "
                "would delete those that are missing. If that is wanted, set "
                f"{ANYWAY} to partial_access."
            )
    return reason
