"""Runs a program by itself and measures it: time, CPU, memory, and the records it writes."""

from __future__ import annotations

import atexit
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

BENCH = Path(__file__).resolve().parent.parent / ".bench"
"""The environments of others: made once."""

RECORD = (b'{"type":"RECORD"', b'{"type": "RECORD"')
TIMEOUT = 3600.0  # seconds
LONGEST_LOOK = 0.02  # seconds between looks at the memory of a process
CHUNK = 1 << 20


@cache
def scratch() -> Path:
    """A folder for the files of this process; it goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="benchmarks-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@dataclass(frozen=True)
class Run:
    """What a program took.

    Attributes:
        wall: Seconds from its start to its end.
        cpu: Seconds of processor, its own and its children's.
        memory: Highest resident memory, in bytes.
        first_record: Seconds from its start to its first record; None without one.
        records: Lines that are RECORD messages.
        log: The end of what it said on standard error.
    """

    exit_code: int
    wall: float
    cpu: float
    memory: int
    first_record: float | None
    records: int
    log: str

    def figures(self) -> dict[str, Any]:
        """For the JSON."""
        return {
            "wall_s": round(self.wall, 3),
            "cpu_s": round(self.cpu, 3),
            "peak_memory_mb": round(self.memory / 2**20, 1),
            "first_record_s": self.first_record and round(self.first_record, 3),
            "records": self.records,
        }


class ProgramFailedError(RuntimeError):
    """A program ended with another code than 0."""


def run(
    command: Sequence[str | Path],
    *,
    output: Path | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    check: bool = True,
) -> Run:
    """Run a program to its end.

    Args:
        command: Program and arguments.
        output: File for its standard output; by default it is counted and dropped.
        environment: Variables besides those of this process.
        folder: Where it runs.
        check: Its failure is an error.

    Raises:
        ProgramFailedError: It failed.
    """
    log = scratch() / "log.txt"
    with log.open("wb") as errors:
        started = time.monotonic()
        process = subprocess.Popen(
            [str(part) for part in command],
            bufsize=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=variables(environment),
            cwd=folder,
        )
        memory = _Memory(process.pid)
        timer = threading.Timer(TIMEOUT, process.kill)
        timer.daemon = True
        timer.start()
        records, first = _count(process.stdout, output, started)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    done = Run(
        exit_code=process.returncode,
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        memory=memory.highest() or usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        first_record=first,
        records=records,
        log=log.read_bytes()[-3000:].decode("utf-8", "replace"),
    )
    if check and done.exit_code:
        name = Path(command[0]).name
        raise ProgramFailedError(f"{name} ended with {done.exit_code}:\n{done.log.strip()}")
    return done


def median(measure: Callable[[], Run], times: int) -> Run:
    """The run in the middle of several, by time."""
    runs = sorted((measure() for _ in range(times)), key=lambda one: one.wall)
    return runs[(times - 1) // 2]


def variables(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of this process, but for those that would change what is measured, and more."""
    settings = ("TAP_LOOKER_", "LOOKERSDK_", "CASTOR_", "PYTHON", "REQUESTS_CA_BUNDLE")
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(settings) and not name.lower().endswith("_proxy")
    }
    return {**kept, **(more or {})}


def _count(pipe: IO[bytes] | None, output: Path | None, started: float) -> tuple[int, float | None]:
    """Records in what a program prints, and when the first one came."""
    if pipe is None:
        return 0, None
    records, first, rest = 0, None, b""
    with (output or Path(os.devnull)).open("wb") as file:
        while chunk := pipe.read(CHUNK):
            if output:
                file.write(chunk)
            # A line that is not whole yet is counted with the next chunk.
            whole, newline, begun = (rest + chunk).rpartition(b"\n")
            rest = begun
            found = sum(
                whole.count(b"\n" + start) + whole.startswith(start) for start in RECORD if newline
            )
            if found and first is None:
                first = time.monotonic() - started
            records += found
    return records, first


class _Memory:
    """The highest resident memory of a process, where the system tells it while it runs.

    `getrusage` tells it too, but on Linux a child begins with what its parent had.
    """

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._highest = 0
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        with suppress(OSError, IndexError):  # the process has ended, or there is no such system
            pause = 0.001
            while True:
                line = self._status.read_text().partition("VmHWM:")[2]
                self._highest = max(self._highest, int(line.split()[0]) * 1024)
                time.sleep(pause)
                pause = min(pause * 1.5, LONGEST_LOOK)

    def highest(self) -> int:
        """In bytes; 0 where it is not known."""
        self._thread.join(1)
        return self._highest


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def _cpu() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def table(title: str, columns: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> str:
    """A table as plain text, words to the left, numbers to the right, of some figures by name."""
    written = [[_written(row[name]) for name in columns.values()] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(columns, *written, strict=True)]
    numbers = [
        all(cell[:1].isdigit() or cell in ("", "-") for cell in cells)
        for cells in zip(*written, strict=True)
    ] or [False] * len(columns)

    def line(cells: Sequence[str]) -> str:
        parts = (
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(cells, widths, numbers, strict=True)
        )
        return "  ".join(parts).rstrip()

    ruler = "  ".join("-" * width for width in widths)
    return "\n".join([title, "", line(list(columns)), ruler, *map(line, written), ""])


def _written(cell: Any) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        places = 2 if cell < 10 else 1 if cell < 1000 else 0  # noqa: PLR2004
        return f"{cell:,.{places}f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
