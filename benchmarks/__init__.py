"""How fast the tap is, what it costs, and beside what: `python -m benchmarks`."""

from __future__ import annotations

from typing import Any

from benchmarks import crawl, growth, rows, startup, throttled


def shown(content: Any) -> str:
    """The figures of a run as text: where they were measured, and a table for each benchmark."""
    here = content["machine"]
    found = content["benchmarks"]
    lines = [f"{here['cpu']}, {here['cores']} cores, Python {here['python']}, {here['date']}", ""]
    for module in (startup, crawl, growth, rows, throttled):
        name = module.__name__.rpartition(".")[2]
        if name in found:
            lines += [module.shown(found[name]).rstrip(), ""]
    return "\n".join(lines).rstrip()
