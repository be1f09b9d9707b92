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
import textwrap
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the rows of this checkout, installed or not

import benchmarks  # noqa: E402
import hub  # noqa: E402
from hub import settings  # noqa: E402
from tap_looker.queries.activities import (  # noqa: E402
    ACTIVITIES,
    QUERIES,
    QUERY_FIELDS,
    Activity,
)
from tap_looker.queries.columns import column_name  # noqa: E402
from tap_looker.resources import costs  # noqa: E402
from tap_looker.resources.flat import Flat  # noqa: E402
from tap_looker.resources.kinds import Composite  # noqa: E402
from tap_looker.resources.table import GROUPS, RESOURCES  # noqa: E402
from tap_looker.tap import TapLooker  # noqa: E402
from targets.table import TARGETS  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tap_looker.resources.resource import Resource

FILES = (
    "README.md",
    "docs/streams.md",
    "docs/results.md",
    "docs/usage.md",
    "docs/warehouses.md",
    "docs/benchmarks.md",
    "meltano.yml",
    ".env.example",
)
SCHEMAS = ROOT / "tap_looker" / "schemas"
FIGURES = ROOT / "benchmarks" / "figures.json"
FINDINGS = ROOT / "targets" / "findings.json"


#: Reserved in Postgres (appendix C of its manual); other databases reserve most of these too.
RESERVED = """
    all analyse analyze and any array as asc asymmetric both case cast check collate column
    constraint create current_catalog current_date current_role current_time current_timestamp
    current_user default deferrable desc distinct do else end except false fetch for foreign from
    grant group having in initially intersect into lateral leading limit localtime localtimestamp
    not null offset on only or order placing primary references returning select session_user some
    symmetric table then to trailing true union unique user using variadic when where window
    with
"""

#: JSON's types in a table.
TYPES = {"string": "text", "integer": "whole number", "object": "object", "array": "list"}


class DocsError(Exception):
    """Something that the rules here do not cover; somebody has to decide."""


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
        rows.append((f"`{name}`", default, of["description"] + secret))
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


def stream_summary() -> list[str]:
    """The names of the streams by group."""
    groups = {**GROUPS, "System Activity": ACTIVITIES}
    rows = [
        (title, names(rows, default=True), names(rows, default=False))
        for title, rows in groups.items()
    ]
    return table(("", "Selected by default", "When selected"), rows)


def names(rows: Iterable[Resource | Activity], *, default: bool) -> str:
    """Streams that are selected by default, or those that are not."""
    return ", ".join(f"`{row.name}`" for row in rows if row.default == default)


def stream_table(rows: Iterable[Resource]) -> list[str]:
    """One line for each stream of a group."""
    return table(
        ("Stream", "Endpoint", "Key", "Calls", "Needs", "Default"),
        [
            (
                f"`{row.name}`" + maturity(row),
                endpoint(row),
                ", ".join(f"`{key}`" for key in row.keys),
                cost(row),
                needs(row),
                "yes" if row.default else "",
            )
            for row in rows
        ],
    )


def maturity(row: Resource) -> str:
    """What is not so of every stream: the status of its endpoint, and since when Looker has it."""
    since = f"since {row.since}" if row.since else ""
    noted = ", ".join(filter(None, ["" if row.status == "stable" else row.status, since]))
    return f" ({noted})" if noted else ""


def activity_table() -> list[str]:
    """One line for each explore of System Activity."""
    return table(
        ("Stream", "One row per", "Explore", "Key", "Bookmark", "Default"),
        [
            (
                f"`{row.name}`",
                row.row,
                f"inside `{QUERIES}`" if row.name == QUERY_FIELDS else f"`{row.explore}`",
                ", ".join(f"`{column_name(key)}`" for key in row.keys.split()),
                f"`{column_name(row.replication)}`" if row.replication else "",
                "yes" if row.default else "",
            )
            for row in ACTIVITIES
        ],
    )


def endpoint(row: Resource) -> str:
    """Where the rows come from."""
    source = row.source
    if isinstance(source, Flat):
        return "inside " + ", ".join(f"`{name}`" for name in source.reads())
    return source.places if isinstance(source, Composite) else f"`{source.path}`"


def cost(row: Resource) -> str:
    """How many calls a stream costs."""
    return costs.in_words(row, settings()["page_size"]["default"], "`{}`".format)


def needs(row: Resource) -> str:
    """What the API key's user needs, and what happens without."""
    permissions = " or ".join(
        "Admin role" if need == "administer" else f"`{need}`" for need in row.access.permissions
    )
    if permissions and row.access.otherwise:
        return f"{permissions}, else {row.access.otherwise}"
    return permissions or (f"shows {row.access.otherwise}" if row.access.otherwise else "")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table in Markdown."""
    return [
        "| " + " | ".join(cells).rstrip() + " |" for cells in (head, ["---"] * len(head), *rows)
    ]


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


def reserved_words() -> list[str]:
    """Columns that need quotes in SQL, by stream."""
    streams = {
        row.name: json.loads((SCHEMAS / f"{row.name}.json").read_text(encoding="utf-8"))
        for row in RESOURCES
    }
    found = [
        f"`{stream}.{column}`"
        for stream, schema in sorted(streams.items())
        for column in schema["properties"]
        if column in RESERVED.split()
    ]
    text = f"{', '.join(found[:-1])} and {found[-1]}."
    return textwrap.wrap(text, width=98, break_long_words=False, break_on_hyphens=False)


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
    "stream summary": stream_summary,
    "reserved words": reserved_words,
    "targets": targets_table,
    "figures": figures,
    "benchmarks": benchmark_tables,
    "System Activity": activity_table,
    **{title: partial(stream_table, rows) for title, rows in GROUPS.items()},
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
