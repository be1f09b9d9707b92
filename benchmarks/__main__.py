"""`python -m benchmarks [crawl|growth|rows|startup|throttled|all] [--tiny] [--json FILE]`.

How long the tap takes, what it costs and what it needs, beside other extractors. Each benchmark
prints a table.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import Any

from benchmarks import shown
from benchmarks.crawl import crawl
from benchmarks.growth import growth
from benchmarks.measure import machine
from benchmarks.peers import PEERS
from benchmarks.rows import rows
from benchmarks.startup import TIMES, startup
from benchmarks.throttled import throttled

BENCHMARKS = ("startup", "crawl", "growth", "rows", "throttled")


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser("benchmarks", description=__doc__)
    parser.add_argument("which", nargs="?", default="all", choices=[*BENCHMARKS, "all"])
    parser.add_argument("--tiny", action="store_true", help="only to see that they work")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--repeat", type=int, help="runs of the tap; the median counts")
    parser.add_argument(
        "--peer",
        action="append",
        choices=[peer.key for peer in PEERS],
        help="crawl beside this one only; may be given more than once",
    )
    options = parser.parse_args()
    found: dict[str, Any] = {}
    content = {
        "machine": machine(),
        "command": shlex.join(["python3", "dev.py", "bench", *sys.argv[1:]]),
        "benchmarks": found,
    }
    repeat = options.repeat or (1 if options.tiny else 3)
    for name in BENCHMARKS if options.which == "all" else (options.which,):
        if name == "startup":
            found[name] = startup(tiny=options.tiny, repeat=options.repeat or TIMES)
        elif name == "crawl":
            found[name] = crawl(tiny=options.tiny, repeat=repeat, peers=options.peer)
        elif name == "growth":
            found[name] = growth(tiny=options.tiny, repeat=repeat)
        elif name == "throttled":
            found[name] = throttled(tiny=options.tiny)
        else:
            found[name] = rows(tiny=options.tiny)
    print(shown(content))
    if options.json:
        options.json.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
