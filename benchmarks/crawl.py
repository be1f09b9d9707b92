"""A whole instance, by the tap and by other extractors, side by side."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import tap
from benchmarks.instance import instance
from benchmarks.measure import ProgramFailedError, median, run, scratch, table
from benchmarks.peers import PEERS, SDK_SCRIPT
from benchmarks.peers.base import Job, Place, UnavailableError, singer_records
from benchmarks.peers.singer_io import OURS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.instance import Instance
    from benchmarks.measure import Run
    from benchmarks.peers.base import Peer

DEFAULT = "tap-looker, default streams"
LIKE_SINGER_IO = "tap-looker, singer-io's streams"


def crawl(*, tiny: bool = False, repeat: int = 1, peers: Iterable[str] | None = None) -> Any:
    """Measure.

    Args:
        tiny: A small instance, and of the peers only the script, in this environment.
        repeat: How often the tap and the script run; the median counts.
        peers: Keys of those to measure; by default all.
    """
    scale, latency = ("small", 2.0) if tiny else ("medium", 50.0)
    chosen = [SDK_SCRIPT] if tiny else [one for one in PEERS if not peers or one.key in peers]
    rows: list[dict[str, Any]] = []
    notes: dict[str, list[str]] = {}
    with instance(scale, latency_ms=latency, tls=not tiny) as looker:
        selections = {
            DEFAULT: None,
            LIKE_SINGER_IO: {one for each in OURS.values() for one in each},
        }
        for name, selected in selections.items():
            job = Job(tap.command(looker, selected=selected), singer_records)
            rows.append(_measured(name, job, looker, latency, repeat))
        for peer in chosen:
            try:
                job = _job(peer, looker, here=tiny)
                rows.append(_measured(peer.name, job, looker, latency, 1))
                notes[peer.name] = list(job.notes)
            except (UnavailableError, ProgramFailedError, subprocess.CalledProcessError) as error:
                notes[peer.name] = [f"not measured: {_reason(error)}"]
    for row in rows:
        for short, ours in zip(("default", "same"), rows, strict=False):
            row[f"times_{short}"] = round(row["wall_s"] / ours["wall_s"], 2)
    return {
        "scale": scale,
        "latency_ms": latency,
        "tls": looker.ca is not None,
        "runs": rows,
        "notes": notes,
    }


def _job(peer: Peer, looker: Instance, *, here: bool) -> Job:
    """How to run a peer, in its own environment or in that of this process."""
    if peer.https and looker.ca is None:
        raise UnavailableError("it speaks https only, and there is no openssl for a certificate")
    programs = Path(sys.executable).parent if here else peer.install()
    folder = scratch() / peer.key
    folder.mkdir(exist_ok=True)
    return peer.prepare(Place(programs, folder, looker))


def _reason(error: Exception) -> str:
    """The first line of an error, and the last of what a program said."""
    text = str(error)
    if isinstance(error, subprocess.CalledProcessError):
        text = f"{Path(error.cmd[0]).name} ended with {error.returncode}:\n"
        text += (error.stderr or b"").decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(dict.fromkeys([lines[0], lines[-1][:300]])) if lines else repr(error)


def _measured(name: str, job: Job, looker: Instance, latency: float, repeat: int) -> dict[str, Any]:
    print(f"Running {name} …", file=sys.stderr, flush=True)
    output = scratch() / "output.txt"
    environment = dict(job.environment)

    def once() -> Run:
        looker.reset()
        return run(job.command, output=output, environment=environment)

    found = median(once, repeat)
    cost = looker.cost()
    records = Counter(job.records(output))
    waits = cost["calls"] * latency / 1000 / max(cost["in_flight"], 1)
    return {
        "name": name,
        **found.figures(),
        **cost,
        "records": records.total(),
        "distinct_records": len(records),
        "streams": len({stream for stream, _ in records}),
        "floor_s": round(waits + found.cpu, 3),
        "times_floor": round(found.wall / (waits + found.cpu), 2),
    }


COLUMNS = {
    "": "name",
    "wall s": "wall_s",
    "CPU s": "cpu_s",
    "MB": "peak_memory_mb",
    "calls": "calls",
    "admin": "admin",
    "query": "query",
    "free": "free",
    "failed": "failed",
    "at once": "in_flight",
    "streams": "streams",
    "records": "records",
    "distinct": "distinct_records",
    "floor s": "floor_s",
    "÷ floor": "times_floor",
    "÷ default": "times_default",
    "÷ singer-io's": "times_same",
}


def shown(found: Any) -> str:
    """The table, and what it should be read with."""
    title = f"Crawl: emulator of size {found['scale']}, {found['latency_ms']:g} ms latency"
    lines = [
        table(title, COLUMNS, found["runs"]),
        "Floor: calls times latency ÷ requests at once, and CPU. The last two columns: wall time",
        "in multiples of the tap's, with its default streams and with those that singer-io's has.",
    ]
    lines += [f"{name}: {note}." for name, notes in found["notes"].items() for note in notes]
    return "\n".join(lines)
