"""Straight from Looker: the tap, run into a folder of files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import msgspec

from tap_looker.errors import LookerError, listed
from tap_looker.run import COSTLY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

TAP = (sys.executable, "-m", "tap_looker")
NOISE = re.compile(r"\d+ of \d+ streams could not")
"""What the tap says once more at its end."""
BUDGET = re.compile(r"max_calls \(\d+\) is used up.*")
LINE = re.compile(r"^\S+ \S+ \| (?P<level>[A-Z]+) +\| \S+ +\| (?P<text>.*)$")
MISSED = re.compile(r"(Skipped|Failed) (?P<stream>\w+): (?P<why>.*)")
ADMIN, QUERY = "non_query", "db_query"
MAX_LINE = 400
MOST_NAMED = 20
SPENT = "The calls that --max-calls allows were used up."
QUIET = ("Cost: ", COSTLY, "tap-looker v")
WITH = {
    "on_denied": "skip",  # what is denied is named in the report
    "stream_maps": {},
    "flattening_enabled": False,
    "emit_activate_version_messages": False,
    "start_date": None,  # as far back as Looker keeps its history
}
"""Settings of the tap that a report needs, whatever else its configuration is for."""


@dataclass
class Extraction:
    """What a run of the tap gave.

    Attributes:
        missed: Why a stream is not there, by its name: it was denied, or it broke off.
        is_whole: No stream broke off.
        cost: What it cost, in the tap's words.
        reader: The key's user, if that is not known to be an admin.
        partial: Streams of which that user may see only a part.
        calls: The number of API calls, besides logins.
    """

    missed: dict[str, str] = field(default_factory=dict)
    is_whole: bool = True
    cost: str = ""
    reader: str = ""
    partial: list[str] = field(default_factory=list)

    @property
    def calls(self) -> int:
        """API calls that were made, logins left out."""
        numbers = re.findall(r"(\d+) (?:admin|query) call", self.cost)
        return sum(map(int, numbers))


def extract(
    configs: Sequence[str],
    select: str,
    folder: Path,
    scratch: Path,
    *,
    max_calls: int | None,
    say: Callable[[str], None],
    show: Callable[[str], None],
) -> Extraction:
    """Read the streams into files, one for each.

    Args:
        configs: Values of the tap's option ``--config``.
        select: The streams, as the tap's option ``--select`` takes them.
        folder: For the files.
        scratch: For the settings of this run.
        max_calls: API calls that it may make.
        say: Told what stays on the terminal.
        show: Told how far it is.

    Raises:
        LookerError: Nothing could be read, or it would cost more than it may.
    """
    overrides = scratch / "tap.json"
    options = [part for config in (*configs, str(overrides)) for part in ("--config", config)]
    options += ["--select", select]
    # Finding out what it costs takes calls too, which are not those of the run.
    told = _announce(options, _settle(WITH, overrides), max_calls, say)
    settings = {**WITH, **({} if max_calls is None else {"max_calls": max_calls})}
    found = Extraction()
    if not told["is_admin"]:
        found.reader = told["user"]
        found.partial = [one["stream"] for one in told["streams"] if _is_partial(one)]
    show("Looker: reading …")
    tap = subprocess.Popen(
        [*TAP, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_settle(settings, overrides),
    )
    with tap:
        if tap.stdout is None or tap.stderr is None:  # never so: both are pipes
            raise LookerError("The tap has no output.")
        errors: list[str] = []
        listening = threading.Thread(
            target=_listen, args=(tap.stderr, found, errors, say, show), daemon=True
        )
        listening.start()
        try:
            write(tap.stdout, folder)
        except BaseException:
            tap.terminate()
            raise
        finally:
            listening.join()
    if tap.returncode and not found.missed:
        raise LookerError(errors[-1] if errors else "The tap failed, and did not say why.")
    for stream in found.missed:  # part of a stream would give wrong numbers
        (folder / f"{stream}.jsonl").unlink(missing_ok=True)
    for why, streams in _by_reason(found.missed).items():
        say(f"Left out: {listed(streams, MOST_NAMED)}. {why}")
    if not any(file.stat().st_size for file in folder.glob("*.jsonl")):
        raise LookerError("Nothing could be read: there is no page.")
    return found


def _by_reason(missed: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for stream, why in missed.items():
        found.setdefault(why[:MAX_LINE], []).append(stream)
    return found


def _settle(settings: Mapping[str, Any], file: Path) -> dict[str, str]:
    """Write settings to a file, and give the environment: where it is read, it counts more."""
    file.write_text(json.dumps(settings), "utf-8")
    named = {f"TAP_LOOKER_{name.upper()}": _in_environment(of) for name, of in settings.items()}
    return {**os.environ, **named}


def _in_environment(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _announce(
    options: list[str],
    environment: dict[str, str],
    max_calls: int | None,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Say what the run will cost; all that the tap's ``--access=json`` tells.

    Raises:
        LookerError: There is no access, or it would cost more than it may.
    """
    asked = subprocess.run(
        [*TAP, *options, "--access=json"],
        capture_output=True,
        env=environment,
        check=False,
    )
    if asked.returncode:
        lines = map(_parsed, asked.stderr.decode(errors="replace").splitlines())
        errors = [text for level, text in lines if level in ("ERROR", "CRITICAL")]
        raise LookerError("\n".join(errors) or "The tap could not say what the key may read.")
    told: dict[str, Any] = json.loads(asked.stdout)
    least, most = told["calls_at_least"], told["calls"]
    read = [one for one in told["streams"] if one["selected"]]
    denied = [one["stream"] for one in read if one["access"] == "none"]
    more = ", or more" if told["is_estimate"] else ""
    say(
        f"Reading {len(read) - len(denied)} streams of {told['user']} will cost about "
        f"{_range(least[ADMIN], most[ADMIN])} admin calls and "
        f"{_range(least[QUERY], most[QUERY])} query calls{more}, and 2 logins."
    )
    if denied:
        say(
            f"By its permissions, the key may not read {listed(denied, MOST_NAMED)}: the page says "
            "what is missing."
        )
    if not told["is_admin"]:
        say(
            f"{told['user']} is not known to be an admin: the page covers only what that user may "
            "see."
        )
    total = least[ADMIN] + least[QUERY]
    if max_calls is not None and total > max_calls:
        raise LookerError(
            f"The report would take {total:,} API calls at least, more than --max-calls "
            f"{max_calls:,}: raise that, or read less with --select '!explores,!content_metadata*'."
        )
    return told


def _is_partial(stream: Mapping[str, Any]) -> bool:
    return bool(stream["selected"]) and stream["access"] == "part"


def _range(least: int, most: int) -> str:
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _parsed(line: str) -> tuple[str, str]:
    match = LINE.match(line)
    return (match["level"], match["text"]) if match else ("", line.strip())


def _listen(
    stderr: IO[bytes],
    found: Extraction,
    errors: list[str],
    say: Callable[[str], None],
    show: Callable[[str], None],
) -> None:
    """Follow the tap's log, which is on its own thread so that no pipe fills up."""
    for raw in stderr:
        level, text = _parsed(raw.decode(errors="replace").rstrip("\n"))
        missed = MISSED.match(text)
        if missed:
            spent = BUDGET.search(missed["why"])
            found.missed[missed["stream"]] = SPENT if spent else missed["why"]
            found.is_whole &= text.startswith("Skipped")
        if text.startswith("Cost: "):
            found.cost = text.removeprefix("Cost: ").rstrip(".")
        if level in ("ERROR", "CRITICAL"):
            errors.append(text)
        if level == "INFO" and not text.startswith(QUIET):
            show(f"Looker: {text[:MAX_LINE]}")
        elif level not in ("", "INFO") and not missed and not NOISE.match(text):
            say(text[:MAX_LINE])


class _Head(msgspec.Struct):
    type: str
    stream: str = ""
    record: msgspec.Raw = msgspec.Raw(b"")


def write(messages: IO[bytes], folder: Path) -> None:
    """Write the records of Singer messages as target-jsonl does: a file for each stream.

    A stream without rows has an empty file, which is not the same as none.

    Raises:
        LookerError: The disk is full.
    """
    decoder = msgspec.json.Decoder(_Head)
    files: dict[str, IO[bytes]] = {}
    try:
        for line in messages:
            message = decoder.decode(line)
            if message.type not in ("RECORD", "SCHEMA"):
                continue
            if message.stream not in files:
                files[message.stream] = (folder / f"{message.stream}.jsonl").open("wb")
            if message.type == "RECORD":
                files[message.stream].write(bytes(message.record) + b"\n")
    except OSError as error:
        raise LookerError(f"{folder} cannot be written: {error.strerror}.") from None
    finally:
        for file in files.values():
            file.close()
