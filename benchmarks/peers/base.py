"""What a peer is, and the environment of its own that it runs in."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from benchmarks.measure import BENCH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from benchmarks.instance import Instance

BIN = "Scripts" if os.name == "nt" else "bin"
PYTHONS = tuple(range(10, 15))


class UnavailableError(Exception):
    """A peer cannot run here, and why."""


@dataclass(frozen=True)
class Job:
    """How to run a peer.

    Attributes:
        command: The program and its arguments.
        environment: Variables that it needs.
        notes: What was set so that it runs at all.
        records: From the file with its standard output: stream and identity of each record.
    """

    command: list[str | Path]
    records: Callable[[Path], Iterable[tuple[str, str]]]
    environment: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where a peer runs: its executables, a folder for its files, and the instance it reads."""

    bin: Path
    folder: Path
    instance: Instance

    def write(self, name: str, content: Any) -> Path:
        """A file of JSON."""
        path = self.folder / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def lacking(self, paths: Mapping[str, str]) -> list[str]:
        """The streams whose endpoint the emulator does not have, of streams by their path."""
        return [stream for stream, path in paths.items() if not self._has(path)]

    def _has(self, path: str) -> bool:
        api = f"{self.instance.url}/api/4.0"
        key = f"client_id={self.instance.client_id}&client_secret={self.instance.client_secret}"
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        with urlopen(Request(f"{api}/login", key.encode(), form)) as answer:  # noqa: S310
            token = json.load(answer)["access_token"]
        asked = Request(f"{api}{path}", headers={"Authorization": f"token {token}"})  # noqa: S310
        try:
            with urlopen(asked):  # noqa: S310
                return True
        except HTTPError as error:
            return error.code != 404  # noqa: PLR2004


@dataclass(frozen=True)
class Peer:
    """An extractor.

    Attributes:
        key: Name of its environment's folder.
        name: In tables.
        package: What pip installs.
        pythons: Minor releases of Python 3 that it runs on.
        https: It speaks nothing else.
        prepare: Its settings written, how to run it.
    """

    key: str
    name: str
    package: str
    prepare: Callable[[Place], Job]
    pythons: tuple[int, ...] = PYTHONS
    https: bool = False

    def install(self) -> Path:
        """Its environment, made if need be; the folder of its executables.

        Raises:
            UnavailableError: There is no Python for it, or pip could not install it.
        """
        known = interpreters()
        own = sys.version_info.minor
        fitting = [minor for minor in (own, *sorted(known, reverse=True)) if minor in self.pythons]
        found = next((known[minor] for minor in fitting if minor in known), None)
        if found is None:
            wanted = ", ".join(f"3.{minor}" for minor in self.pythons)
            raise UnavailableError(f"it needs Python {wanted}, and none was found")
        BENCH.mkdir(exist_ok=True)
        (BENCH / ".gitignore").write_text("*\n")
        folder = BENCH / self.key
        stamp = folder / "made-from"
        recipe = hashlib.sha256(f"{found} {self.package}".encode()).hexdigest()
        if not stamp.exists() or stamp.read_text() != recipe:
            print(f"Installing {self.package} …", file=sys.stderr, flush=True)
            shutil.rmtree(folder, ignore_errors=True)
            _must([found, "-m", "venv", "--without-pip", str(folder)])
            python = str(folder / BIN / "python")
            pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
            _must([*pip, "install", "--quiet", "--root-user-action=ignore", self.package])
            stamp.write_text(recipe)
        return folder / BIN


def _must(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        why = [line for line in lines if line.lower().startswith("error")] or lines[-1:]
        raise UnavailableError(f"it cannot be installed: {' '.join(why[:2])}")


@cache
def interpreters() -> dict[int, str]:
    """Pythons of this machine by minor release: this one, those in PATH, of pyenv and of uv."""
    candidates = [sys.executable]
    candidates += filter(None, (shutil.which(f"python3.{minor}") for minor in PYTHONS))
    home = Path.home()
    for folder in (home / ".pyenv" / "versions", home / ".local" / "share" / "uv" / "python"):
        candidates += [str(path) for path in sorted(folder.glob("*/bin/python3"), reverse=True)]
    found: dict[int, str] = {}
    say = "import sys; print(*sys.version_info[:2])"
    for candidate in candidates:
        done = subprocess.run(
            [candidate, "-c", say], capture_output=True, text=True, check=False, cwd=home
        )
        version = done.stdout.split()
        if done.returncode == 0 and len(version) == 2 and version[0] == "3":  # noqa: PLR2004
            found.setdefault(int(version[1]), candidate)
    return found


def identity(record: Any, keys: Iterable[str] | None) -> str:
    """What makes a record the same as another: its key, or all of it where it has none."""
    values = [record.get(key) for key in keys or ()]
    return json.dumps(values if values and None not in values else record, sort_keys=True)


def singer_records(output: Path) -> Iterator[tuple[str, str]]:
    """Those of Singer messages."""
    keys: dict[str, list[str]] = {}
    with output.open(encoding="utf-8") as lines:
        for line in lines:
            message = json.loads(line)
            if message["type"] == "SCHEMA":
                keys[message["stream"]] = message["key_properties"]
            elif message["type"] == "RECORD":
                stream = message["stream"]
                yield stream, identity(message["record"], keys.get(stream))
