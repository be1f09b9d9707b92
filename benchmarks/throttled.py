"""All streams of an instance that turns away what comes while a few requests are being served."""

from __future__ import annotations

import sys
from typing import Any

from benchmarks import tap
from benchmarks.instance import instance
from benchmarks.measure import run, scratch, table

LIMITS = range(1, 9)
CONCURRENCIES = (8, 64)
RETRY_AFTER = (None, 1)
LATENCY = 50.0
SCHEMA = (b'{"type":"SCHEMA"', b'{"type": "SCHEMA"')


class _All:
    """Selects every stream."""

    def __contains__(self, _: object) -> bool:
        return True


def throttled(*, tiny: bool = False) -> Any:
    """Measure.

    Args:
        tiny: One limit, and next to no latency.
    """
    latency = 2.0 if tiny else LATENCY
    rows: list[dict[str, Any]] = []
    whole = 0
    for limit in (None, *((2,) if tiny else LIMITS)):
        for after in RETRY_AFTER if limit and not tiny else RETRY_AFTER[:1]:
            for concurrency in CONCURRENCIES if limit else CONCURRENCIES[:1]:
                found = _measured(limit, after, concurrency, latency)
                whole = whole or found["records"]
                found["lost"] = whole - found["records"]
                rows.append(found)
    return {"latency_ms": latency, "runs": rows}


def _measured(
    limit: int | None, after: int | None, concurrency: int, latency: float
) -> dict[str, Any]:
    print(f"Running with a limit of {limit}, Retry-After {after} …", file=sys.stderr, flush=True)
    output = scratch() / "throttled.txt"
    with instance("small", latency_ms=latency, in_flight_limit=limit, retry_after=after) as looker:
        command = tap.command(looker, selected=_All(), concurrency=concurrency)
        looker.reset()
        done = run(command, output=output)
        cost = looker.cost()
    floor = cost["served"] * latency / 1000 / min(limit or concurrency, concurrency)
    return {
        "limit": limit,
        "retry_after": after,
        "concurrency": concurrency,
        **done.figures(),
        **cost,
        "streams": _streams(output.read_bytes()),
        "floor_s": round(floor, 3),
        "beyond_s": round(done.wall - 1.5 * floor, 3),
    }


def _streams(output: bytes) -> int:
    return sum(line[:20].startswith(SCHEMA) for line in output.splitlines())


COLUMNS = {
    "limit": "limit",
    "Retry-After": "retry_after",
    "concurrency": "concurrency",
    "calls": "calls",
    "turned away": "turned_away",
    "streams": "streams",
    "records lost": "lost",
    "wall s": "wall_s",
    "CPU s": "cpu_s",
    "floor s": "floor_s",
    "beyond": "beyond_s",
}


def shown(found: Any) -> str:
    """The table, and how to read it."""
    title = f"Throttled: all streams, small, {found['latency_ms']:g} ms latency"
    lines = [
        table(title, COLUMNS, found["runs"]),
        "Limit: more requests at once get a 429. Floor: calls that were answered times latency ÷",
        "limit. Beyond: seconds over 1.5 times the floor.",
    ]
    return "\n".join(lines)
