"""Write what the documentation says of streams, settings and figures, from what has them.

    python scripts/generate_docs.py            write the files of FILES and WHOLE
    python scripts/generate_docs.py --check    write nothing; exit 1 if a file is out of step

Of FILES, only what stands between two comments, ``begin NAME`` and ``end NAME``, is written; each
NAME is one of ``BLOCKS``. All else in these files is written by hand.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]  # this checkout, installed or not

import stream_pages  # noqa: E402
from stream_pages import STREAMS, table  # noqa: E402

import benchmarks  # noqa: E402
import hub  # noqa: E402
from hub import settings  # noqa: E402
from tap_looker.tap import TapLooker  # noqa: E402
from targets.table import TARGETS  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FILES = (
    "README.md",
    "docs/credentials.md",
    "docs/settings.md",
    "docs/streams.md",
    *(f"docs/streams/{page}.md" for page in stream_pages.PAGES.values()),
    "docs/results.md",
    "docs/usage.md",
    "docs/warehouses.md",
    "docs/benchmarks.md",
    "meltano.yml",
    ".env.example",
)
FIGURES = ROOT / "benchmarks" / "figures.json"
FINDINGS = ROOT / "targets" / "findings.json"


#: JSON's types in a table.
TYPES = {"string": "text", "integer": "whole number", "object": "object", "array": "list"}


def variables() -> list[str]:
    """A line of a .env file for each setting; those that need not be set are commented out."""
    required = TapLooker.config_jsonschema["required"]
    lines = []
    for name, of in settings().items():
        mark = "" if name in required else "# "
        lines.append(f"{mark}TAP_LOOKER_{name.upper()}={shown(of.get('default', ''))}")
    return lines


def shown(default: Any) -> str:
    """A default as text."""
    return default if isinstance(default, str) else json.dumps(default)


def settings_table() -> list[str]:
    """One line for each setting."""
    required = TapLooker.config_jsonschema["required"]
    rows = []
    for name, of in settings().items():
        default = "required" if name in required else ""
        if of.get("default") not in (None, [], {}):
            default = f"`{shown(of['default'])}`"
        secret = " Secret." if of.get("secret") else ""
        text = re.sub(r"docs/(\w+\.md)", r"[\1](\1)", of["description"])
        rows.append((f"`{name}`", default, text + secret))
    return table(("Setting", "Default", "What it is"), rows)


def options_table(setting: str, *, of_both: bool | None = None) -> list[str]:
    """One line for each option of an entry of a setting.

    Args:
        setting: A list of objects.
        of_both: Only those that looks and queries have in common, or only the others.
    """
    items = {name: settings()[name]["items"] for name in (setting, "looks", "queries")}
    common = items["looks"]["properties"].keys() & items["queries"]["properties"].keys()
    required = items[setting]["required"]
    rows = [
        (
            f"`{name}`",
            type_of(of) + (", required" if name in required and of_both is None else ""),
            of["description"],
        )
        for name, of in items[setting]["properties"].items()
        if of_both in (None, name in common)
    ]
    return table(("Option", "Type", "What it is"), rows)


def type_of(option: dict[str, Any]) -> str:
    """The type of an option, for people."""
    if "enum" in option:
        return " or ".join(f"`{value}`" for value in option["enum"])
    types = option["type"] if isinstance(option["type"], list) else [option["type"]]
    named = {name: TYPES[name] for name in types if name != "null"}
    if "array" in named:
        of = type_of(option["items"])
        named["array"] = f"list of {of}s" if of == "object" else f"list of {of}"
    return " or ".join(named.values())


def targets_table() -> list[str]:
    """What each target made of three loads."""
    content = json.loads(FINDINGS.read_text(encoding="utf-8"))
    rows = []
    for target in TARGETS:
        found = content[target.key]
        package, _, version = target.packages[0].partition("==")
        wrong = [
            f"{kind}: {of['values']} in {of['columns']} columns"
            for kind, of in found["wrong"].items()
        ]
        again = "appends" if found["rows_twice"] else "the same rows"
        gone = "marked" if found["marks"] else "deleted"
        stale = f"{found['stale_rows']} rows in {found['stale_streams']} streams stay"
        rows.append(
            (
                f"`{package}` {version}",
                target.setting,
                f"{found['lost_rows']} of {found['rows']:,}",
                f"{'; '.join(wrong) or 'none'} (of {found['values']:,})",
                again,
                stale if found["stale_rows"] else gone,
            )
        )
    head = ("Target", "Settings", "Lost rows", "Changed values", "Second load", "Gone in Looker")
    return table(head, rows)


def times(factor: float) -> str:
    """A multiple, with as many digits as mean something."""
    return f"{factor:.{0 if factor >= 10 else 1}f} times"  # noqa: PLR2004


def figures() -> list[str]:
    """How the tap compares with other extractors, and where that was measured."""
    content = json.loads(FIGURES.read_text(encoding="utf-8"))
    here, crawl = content["machine"], content["benchmarks"]["crawl"]
    rows = [
        (
            run["name"],
            times(run["times_default"]) if number else f"{run['wall_s']:.1f} s",
            f"{run['admin'] + run['query']:,}",
            f"{run['distinct_records']:,}",
        )
        for number, run in enumerate(crawl["runs"])
    ]
    return [
        *table(("", "Time", "Billed calls", "Records"), rows),
        "",
        f"Measured on {here['cpu']}, {here['cores']} cores, Python {here['python']}, "
        f"{here['date']}, with {crawl['latency_ms']:g} ms of latency.",
    ]


def benchmark_tables() -> list[str]:
    """The figures of all benchmarks."""
    content = json.loads(FIGURES.read_text(encoding="utf-8"))
    return ["```", *benchmarks.shown(content).splitlines(), "```"]


BLOCKS: dict[str, Callable[[], list[str]]] = {
    "settings": settings_table,
    "extractor": hub.of_project,
    "variables": variables,
    "options of looks and queries": partial(options_table, "queries", of_both=True),
    "options of queries": partial(options_table, "queries", of_both=False),
    "options of system_activity": partial(options_table, "system_activity"),
    "stream summary": stream_pages.summary,
    "permissions": stream_pages.permissions,
    "questions": lambda: stream_pages.question_index(ROOT / "docs"),
    "reserved words": stream_pages.reserved_words,
    "targets": targets_table,
    "figures": figures,
    "benchmarks": benchmark_tables,
    **{title: lambda title=title: stream_pages.index(title, ROOT / "docs") for title in STREAMS},
    **{
        f"stream {row.name}": lambda row=row: stream_pages.section(row, ROOT / "docs")
        for rows in STREAMS.values()
        for row in rows
    },
}

WHOLE: dict[str, Callable[[], list[str]]] = {
    "hub/lookout.yml": hub.of_hub,
    "tap-looker.yml": hub.of_reference,
}


def wanted(name: str) -> str:
    """What a file should hold."""
    if name in WHOLE:
        lines = ["# Written by scripts/generate_docs.py.", *WHOLE[name]()]
        return "\n".join(lines) + "\n"
    return written((ROOT / name).read_text(encoding="utf-8"))


def written(text: str) -> str:
    """A file's text with its blocks rewritten."""

    def block(found: re.Match[str]) -> str:
        lines = BLOCKS[found["name"]]()
        if found["margin"] == "<!--":  # Markdown wants an empty line around a table
            lines = ["", *lines, ""]
        return "\n".join([found["begin"], *lines, found["end"]])

    return re.sub(
        r"^(?P<begin> *(?P<margin><!--|#) begin (?P<name>[^:\n]+):.*)\n(?:.*\n)*?"
        r"(?P<end> *(?P=margin) end (?P=name)(?: -->)?)$",
        block,
        text,
        flags=re.MULTILINE,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or with ``--check`` compare them; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    check = parser.parse_args(arguments).check
    wrong = 0
    for name in (*FILES, *WHOLE):
        path = ROOT / name
        text = wanted(name)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        wrong += 1
        if not check:
            path.write_text(text, encoding="utf-8", newline="\n")
        print(f"{name} {'differs' if check else 'written'}")
    if check and wrong:
        print("Run scripts/generate_docs.py, and look at the diff.")
    return int(check and wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
