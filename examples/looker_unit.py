#!/usr/bin/env python3
"""Run units of work: groups of streams of one Looker instance, each a process `tap | target`.

The environment has the settings of tap and target (TAP_LOOKER_…, TARGET_POSTGRES_…), and

  UNIT_STATES   folder of states, a file per instance and group; without it, no state is kept
  UNIT_TAP      command of the tap (default: tap-looker --config=ENV)
  UNIT_TARGET   command of the target (default: target-postgres --config=ENV)
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

GROUPS = {
    # What Looker has now, read in full each time.
    "content": "default",
    "lookml": "explores,explore_fields,explore_joins,explore_access_filters",
    # The same of System Activity, and which queries ran, of which each window would repeat some.
    "usage": (
        "system_activity_queries,system_activity_query_fields,system_activity_content_usage,"
        "system_activity_field_usage,system_activity_user_facts"
    ),
    # What happened in System Activity: one row for each event, at its time.
    "activity": (
        "system_activity_history,system_activity_query_metrics,system_activity_events,"
        "system_activity_event_attributes,system_activity_scheduled_jobs,"
        "system_activity_scheduled_job_stages,system_activity_pdt_event_log,"
        "system_activity_pdt_builds,system_activity_sql_queries,"
        "system_activity_dashboard_performance,system_activity_api_usage_hourly"
    ),
}
"""Which streams a unit reads. Each is in one group, and those made of one another share it."""
WINDOWED = ("activity",)
ENDING_WITH_THIS = ["setpriv", "--pdeathsig", "TERM"]
"""Where Linux has this option, the tap does not outlive this process, even if that is killed."""


def run(
    group: str,
    window: tuple[str, str] | None = None,
    environment: Mapping[str, str] = os.environ,
    log: int | None = None,
) -> int:
    """Run a unit; the exit code, of the target or else of the tap.

    Args:
        group: Of `GROUPS`.
        window: Back-fill from a time up to another, which is out (both ISO 8601, alike, in UTC): no
            state is read or written. None for what is new since the last run.
        environment: Of both processes.
        log: File descriptor that takes what both log; stderr by default.

    Raises:
        ValueError: The window is none, or the group cannot be read in windows.
        FileNotFoundError: The tap or the target is not installed.
    """
    settings = {**environment, "TAP_LOOKER_SELECT": GROUPS[group]}
    state = None
    if window and group not in WINDOWED:
        raise ValueError(f"{group} cannot be back-filled: Looker only knows how it is now")
    if window and not "" < window[0] < window[1]:
        raise ValueError(f"{window[0] or 'nothing'} to {window[1] or 'nothing'} is no window")
    tap = _command("UNIT_TAP", "tap-looker --config=ENV", environment)
    if _works([*ENDING_WITH_THIS, "true"]):
        tap = ENDING_WITH_THIS + tap
    target = _command("UNIT_TARGET", "target-postgres --config=ENV", environment)
    if window:
        settings["TAP_LOOKER_START_DATE"], settings["TAP_LOOKER_END_DATE"] = window
    elif states := environment.get("UNIT_STATES"):
        address = environment.get("TAP_LOOKER_API_HOST_URL", "").partition("://")[2]
        instance = environment.get("TAP_LOOKER_INSTANCE") or address or "looker"
        state = Path(states, f"{re.sub(r'[^A-Za-z0-9._-]+', '_', instance)}-{group}.json")
        state.parent.mkdir(parents=True, exist_ok=True)
        state.touch()
        tap += ["--state", str(state)]
    # A lock that flock has passed on is held until both have ended, hence close_fds.
    both = {"env": settings, "stdout": subprocess.PIPE, "stderr": log, "close_fds": False}
    source = subprocess.Popen(tap, **both)
    with source, subprocess.Popen(target, stdin=source.stdout, **both) as sink:
        source.stdout.close()  # so that the tap notices if the target ends
        try:
            _keep(sink.stdout, state)
        except BaseException:  # stopped from outside: load what has been read, and keep that state
            source.terminate()
            _keep(sink.stdout, state)
            raise
        if sink.wait():
            source.terminate()
    code = sink.returncode or source.returncode
    return code if code >= 0 else 128 - code


def _command(name: str, default: str, environment: Mapping[str, str]) -> list[str]:
    command = shlex.split(environment.get(name, default))
    if not shutil.which(command[0], path=environment.get("PATH")):
        raise FileNotFoundError(f"{command[0]} is not on the PATH: install it, or set {name}.")
    return command


def _works(command: list[str]) -> bool:
    try:
        return not subprocess.run(command, capture_output=True, check=False).returncode
    except OSError:
        return False


def _is_state(line: bytes) -> bool:
    """Some targets print more than states, and a line may have been cut."""
    try:
        found = json.loads(line)
    except ValueError:
        return False
    return isinstance(found, dict) and "bookmarks" in found


def _keep(lines: IO[bytes], state: Path | None) -> None:
    """Keep each state as soon as the target prints it, for it has loaded what that covers."""
    for line in lines:
        if state and line.endswith(b"\n") and _is_state(line):
            new = state.with_suffix(f".{os.getpid()}.new")
            new.write_bytes(line)
            new.replace(state)


def main() -> int:
    """Run the units of the command line, one after the other; the exit code of the last to fail."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "groups", nargs="+", choices=GROUPS, metavar="GROUP", help=", ".join(GROUPS)
    )
    parser.add_argument("--window", nargs=2, metavar=("START", "END"), help="back-fill")
    options = parser.parse_args()
    if options.window and not set(options.groups) <= set(WINDOWED):
        parser.error(f"only {', '.join(WINDOWED)} can be back-filled")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    window = tuple(options.window) if options.window else None
    try:
        failures = [code for group in options.groups if (code := run(group, window))]
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    return failures[-1] if failures else 0


if __name__ == "__main__":
    sys.exit(main())
