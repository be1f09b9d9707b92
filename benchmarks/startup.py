"""How long the tap takes before it does anything."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from typing import Any

from benchmarks import tap
from benchmarks.instance import instance
from benchmarks.measure import median, run, table, variables

TOP = 10
TIMES = 5
_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)")


def startup(*, tiny: bool = False, repeat: int = TIMES) -> Any:
    """Measure.

    Args:
        tiny: Each once.
        repeat: How often each runs; the median counts.
    """
    python = sys.executable
    rows: list[dict[str, Any]] = []
    with instance("small") as looker:
        commands = {
            "python -c pass": [python, "-c", "pass"],
            "import singer_sdk": [python, "-c", "import singer_sdk"],
            "import tap_looker.tap": [python, "-c", "import tap_looker.tap"],
            "--about": [tap.TAP, "--about"],
            "--discover": [tap.TAP, "--discover"],
            "a run of one small stream": tap.command(looker, selected=("versions",)),
        }
        for name, command in commands.items():
            found = median(lambda command=command: run(command), 1 if tiny else repeat)
            rows.append({"name": name, **found.figures()})
    for row in rows:
        row["beyond_python_s"] = round(row["wall_s"] - rows[0]["wall_s"], 3)
    packages = min(
        (_import_times() for _ in range(1 if tiny else repeat)), key=lambda one: one[-1]["self_ms"]
    )
    return {"runs": rows, "imports": packages}


COLUMNS = {
    "": "name",
    "wall s": "wall_s",
    "beyond Python's own": "beyond_python_s",
    "CPU s": "cpu_s",
    "MB": "peak_memory_mb",
}


def shown(found: Any) -> str:
    """The tables."""
    title = "Import of tap_looker.tap: milliseconds in the modules of each package"
    packages = {"package": "package", "ms": "self_ms"}
    return "\n".join(
        [table("Start-up", COLUMNS, found["runs"]), table(title, packages, found["imports"])]
    )


def _import_times() -> list[dict[str, Any]]:
    """The packages whose modules take longest to import, by themselves."""
    command = [sys.executable, "-X", "importtime", "-c", "import tap_looker.tap"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=variables())
    packages: Counter[str] = Counter()
    for own, _, _, module in _LINE.findall(done.stderr):
        packages[module.partition(".")[0]] += int(own)
    total = {"package": "all", "self_ms": round(packages.total() / 1000, 1)}
    top = packages.most_common(TOP)
    return [{"package": name, "self_ms": round(us / 1000, 1)} for name, us in top] + [total]
