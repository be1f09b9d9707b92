"""Runs of the tap: in this process, where that is quick, or in one of its own."""

from __future__ import annotations

import io
import json
import logging
import re
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tap_looker.tap import TapLooker

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from looker_emulator import Emulator
    from looker_emulator.instance import Instance

COMMAND = str(Path(sys.executable).with_name("tap-looker"))
DEADLINE = 60.0  # seconds, against hanging: nothing here takes a tenth of it

STREAMS = (
    "dashboard_elements",
    "dashboards",
    "folders",
    "groups",
    "lookml_dashboards",
    "lookml_models",
    "looks",
    "queries",
    "roles",
    "users",
    "versions",
)
"""What is selected where a test does not say: people, content and LookML."""


@dataclass
class Run:
    """What a run of the tap left behind."""

    exit_code: int
    stdout: str
    stderr: str

    @cached_property
    def messages(self) -> list[dict[str, Any]]:
        """The Singer messages; that all of stdout is whole lines of JSON is checked here."""
        assert not self.stdout or self.stdout.endswith("\n")
        return [json.loads(line) for line in self.stdout.splitlines()]

    @cached_property
    def records(self) -> dict[str, list[dict[str, Any]]]:
        """The records by stream, in their order."""
        records = defaultdict(list)
        for message in self.messages:
            if message["type"] == "RECORD":
                records[message["stream"]].append(message["record"])
        return dict(records)

    @cached_property
    def schemas(self) -> dict[str, dict[str, Any]]:
        """The SCHEMA messages by stream; that no stream has two is checked here."""
        found = [message for message in self.messages if message["type"] == "SCHEMA"]
        schemas = {message["stream"]: message for message in found}
        assert len(schemas) == len(found)
        return schemas

    @property
    def states(self) -> list[dict[str, Any]]:
        """The values of the STATE messages."""
        return [message["value"] for message in self.messages if message["type"] == "STATE"]

    def ids(self, stream: str) -> list[str]:
        """The keys of a stream's records, of streams whose key is one property."""
        (key,) = keys_of(stream)
        return [record[key] for record in self.records.get(stream, [])]

    def log(self, level: str) -> list[str]:
        """The messages of one log level."""
        pattern = rf"^\S+ \S+ \| {level} +\| [^|]+\| (.*)$"
        return re.findall(pattern, self.stderr, re.MULTILINE)

    @property
    def errors(self) -> list[str]:
        """What the run said went wrong."""
        return self.log("ERROR")

    @property
    def warnings(self) -> list[str]:
        """What the run warned of."""
        return self.log("WARNING")

    def succeeded(self) -> Run:
        """The run, if it was a success."""
        assert self.exit_code == 0, self.stderr
        assert not self.errors
        return self


def run_cli(*arguments: str) -> Run:
    """The tap's command within this process."""
    stdout, stderr = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with _loggers_kept(), signals_kept(), redirect_stdout(stdout), redirect_stderr(stderr):
        try:
            TapLooker.cli.main(arguments, prog_name="tap-looker")
        except SystemExit as end:
            exit_code = end.code
    stdout.flush()
    return Run(exit_code or 0, stdout.buffer.getvalue().decode(), stderr.getvalue())


@contextmanager
def _loggers_kept() -> Iterator[None]:
    """The command adds a handler to the root logger each time."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers, root.level = handlers, level
        root.setLevel(level)


@contextmanager
def signals_kept() -> Iterator[None]:
    """A tap takes SIGINT and SIGTERM for itself, and gives them back to nobody."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in kept.items():
                signal.signal(number, handler)


def settings_of(emulator: Emulator, **settings: Any) -> dict[str, Any]:
    """The configuration for an emulator, and what else is set."""
    return {
        "api_host_url": emulator.url,
        "client_id": emulator.client_id,
        "client_secret": emulator.client_secret,
        **settings,
    }


@dataclass
class Runner:
    """Runs the tap against one emulator; its files go to a folder of their own."""

    emulator: Emulator
    folder: Path

    def arguments(self, catalog: Any = None, state: Any = None, **settings: Any) -> list[str]:
        """The command line for a run, with the files that it names written.

        Args:
            catalog: A catalog; by default one that selects `STREAMS`.
            state: A state to go on from.
            settings: Of the tap, besides the address and the API key.
        """
        files = {
            "config": settings_of(self.emulator, **settings),
            "catalog": catalog or selecting(*STREAMS),
            "state": state,
        }
        arguments = []
        for name, content in files.items():
            if content is not None:
                path = self.folder / f"{name}.json"
                path.write_text(json.dumps(content), encoding="utf-8")
                arguments += [f"--{name}", str(path)]
        return arguments

    def __call__(self, *options: str, **settings: Any) -> Run:
        """Run within this process."""
        return run_cli(*self.arguments(**settings), *options)

    def start(self, **settings: Any) -> subprocess.Popen[bytes]:
        """Start a process of its own."""
        return subprocess.Popen(
            [COMMAND, *self.arguments(**settings)],
            bufsize=0,  # what a test does not read is left for `finished`
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def process(self, **settings: Any) -> Run:
        """Run in a process of its own, to the end."""
        return finished(self.start(**settings))


def finished(
    process: subprocess.Popen[bytes], begin: bytes = b"", timeout: float = DEADLINE
) -> Run:
    """The run of a process, once it has ended by itself.

    Args:
        process: As started by `Runner.start`.
        begin: What of its output has been read already.
        timeout: Seconds until a run that hangs is ended, and is an error.
    """
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Run(process.returncode, (begin + stdout).decode(), stderr.decode())


@cache
def catalog() -> dict[str, Any]:
    """What `--discover` prints; not to be changed."""
    return json.loads(run_cli("--discover").stdout)


@cache
def entries() -> dict[str, dict[str, Any]]:
    """The catalog's entries by stream; not to be changed."""
    return {entry["tap_stream_id"]: entry for entry in catalog()["streams"]}


def keys_of(stream: str) -> list[str]:
    """The primary key of a stream."""
    return entries()[stream]["key_properties"]


def selecting(
    *names: str,
    only: Mapping[str, set[str]] | None = None,
    without: Mapping[str, set[str]] | None = None,
    among: Collection[str] = STREAMS,
) -> dict[str, Any]:
    """A catalog in which these streams alone are selected.

    Args:
        names: Streams.
        only: The only selected properties of some streams, as `a` or `a.b`.
        without: Properties of some streams that are not selected.
        among: The streams that are in the catalog at all, besides those.
    """
    only, without = only or {}, without or {}
    selected = {*names, *only, *without}
    listed = [entry for name, entry in entries().items() if name in {*selected, *among}]
    chosen = msgspec.json.decode(msgspec.json.encode(listed))  # a quick copy
    for entry in chosen:
        name = entry["tap_stream_id"]
        for metadata in entry["metadata"]:
            path = ".".join(metadata["breadcrumb"][1::2])
            fields = metadata["metadata"]
            if not path:
                fields["selected"] = name in selected
            elif name in only and fields.get("inclusion") != "automatic":
                fields["selected"] = path in only[name]
            elif path in without.get(name, ()):
                fields["selected"] = False
    return {"streams": chosen}


def queries_of_tiles(instance: Instance, dashboards: Collection[str] | None = None) -> set[str]:
    """Ids of the queries that come with tiles: of all dashboards, or of LookML's and of these."""
    tiles = [
        tile
        for tile in instance.dashboard_elements
        if dashboards is None or tile["dashboard_id"] in dashboards
    ]
    tiles += [tile for row in instance.lookml_dashboards for tile in row["dashboard_elements"]]
    return {
        holder["query"]["id"]
        for tile in tiles
        for holder in (tile, tile.get("look"), tile.get("result_maker"))
        if holder and holder.get("query")
    }


def homes_of_looks(instance: Instance, without: Collection[str] = ()) -> set[str]:
    """The folders with looks, leaving out looks with one of these queries."""
    return {
        look["folder_id"]
        for look in instance.looks
        if not look["deleted"] and look["query_id"] not in without
    }


def without_times(stdout: str) -> str:
    """Output without what differs between two runs over the same data."""
    return re.sub(r'"time_extracted":"[^"]*"', '"time_extracted":""', stdout)


class Hung(BaseException):
    """A run did not come to an end: no `except Exception` may take it for one."""


@contextmanager
def ended_within(seconds: float):
    """Break off what takes longer, where the system can: with a traceback of where it hangs."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def ring(*_):
        raise Hung(f"no end within {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
