"""The same crawl of instances that grow: what grows with them, and how much."""

from __future__ import annotations

from typing import Any

from benchmarks import tap
from benchmarks.instance import instance
from benchmarks.measure import median, run, table

FACTORS = (1, 10, 100)
LATENCIES = (0.0, 50.0)


def growth(*, tiny: bool = False, repeat: int = 1) -> Any:
    """Measure.

    Args:
        tiny: Two small sizes, without latency.
        repeat: How often each runs; the median counts.
    """
    rows: list[dict[str, Any]] = []
    for latency in LATENCIES[:1] if tiny else LATENCIES:
        first: dict[str, Any] = {}
        for factor in (0.5, 1) if tiny else FACTORS:
            with instance(factor, latency_ms=latency) as looker:

                def once(looker: Any = looker) -> Any:
                    looker.reset()
                    return run(tap.command(looker))

                found = median(once, repeat)
                row = {
                    "factor": factor,
                    "latency_ms": latency,
                    **found.figures(),
                    **looker.cost(),
                }
            first = first or row
            for name in ("records", "calls", "wall_s", "cpu_s", "peak_memory_mb"):
                row[f"{name}_growth"] = round(row[name] / first[name], 2)
            rows.append(row)
    return {"runs": rows}


COLUMNS = {
    "size": "factor",
    "latency ms": "latency_ms",
    "records": "records",
    "calls": "calls",
    "wall s": "wall_s",
    "CPU s": "cpu_s",
    "MB": "peak_memory_mb",
    "x records": "records_growth",
    "x calls": "calls_growth",
    "x wall": "wall_s_growth",
    "x CPU": "cpu_s_growth",
    "x MB": "peak_memory_mb_growth",
}


def shown(found: Any) -> str:
    """The table."""
    return table("Growth: default streams; size 1 is the emulator's small", COLUMNS, found["runs"])
