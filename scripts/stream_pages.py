"""What the pages of the streams say as facts: tables by group, and a block for each stream.

The pages themselves, ``docs/streams/*.md``, are written by hand: a heading for each stream, a
sentence on what a row is, and questions with their SQL. Between them, `section` puts the endpoint,
key, cost, permission and columns of the stream.
"""

from __future__ import annotations

import re
import textwrap
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_looker.queries.activities import ACTIVITIES, QUERIES, QUERY_FIELDS, Activity
from tap_looker.queries.columns import column_name
from tap_looker.resources import cost_words
from tap_looker.resources.flat import Flat
from tap_looker.resources.kinds import Composite
from tap_looker.resources.rest_streams import GROUPS, RESOURCES
from tap_looker.tap import TapLooker

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tap_looker.resources.resource import Resource

#: Every group of streams, and the page that describes them.
PAGES = {
    "Content": "content",
    "People and access": "access",
    "LookML": "lookml",
    "Platform": "platform",
    "Beta and alpha": "beta",
    "System Activity": "system-activity",
}
STREAMS: dict[str, Sequence[Resource | Activity]] = {**GROUPS, "System Activity": ACTIVITIES}

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

#: JSON's types, and formats of text, in a table.
TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
    "array": "list",
    "date-time": "time",
    "date": "date",
}
SHOWN = 12  # properties of an object that a table names
ENOUGH, MORE = 2, 3  # questions below a stream, and links to others where there are fewer


class Question(NamedTuple):
    """A question that a page answers in SQL."""

    page: Path
    stream: str  # that it stands under
    heading: str
    sql: str

    def link(self, folder: str = "") -> str:
        """A link to it, from another page of the streams or from one that has them in a folder."""
        anchor = re.sub(r"[^\w -]", "", self.heading.lower()).replace(" ", "-")
        return f"[{self.heading}]({folder}{self.page.name}#{anchor})"


def questions(docs: Path) -> list[Question]:
    """The questions of all pages of streams: each a heading, and the SQL below it."""
    found = []
    for page in sorted((docs / "streams").glob("*.md")):
        stream = heading = ""
        for level, title, sql in re.findall(
            r"^(##+) ([^\n]*)$|^```sql\n(.*?)^```",
            page.read_text("utf-8"),
            re.DOTALL | re.MULTILINE,
        ):
            if sql:
                found.append(Question(page, stream, heading, sql))
            else:
                heading = title
                stream = title if level == "##" else stream
    return found


def streams_of(sql: str) -> set[str]:
    """The streams that a statement reads."""
    named = set(re.findall(r"\b(?:from|join)\s+\"?(\w+)", sql))
    return named & {row.name for rows in STREAMS.values() for row in rows}


# ------------------------------------------------------------------------------------- the index


def summary() -> list[str]:
    """How many streams each group has."""
    rows = []
    for title, streams in STREAMS.items():
        default = sum(row.default for row in streams)
        link = f"[{title}](docs/streams/{PAGES[title]}.md)"
        rows.append((link, EXAMPLES[title], str(default or "none"), str(len(streams) - default)))
    return table(("Streams", "Such as", "Read by default", "When selected"), rows)


#: What people look for in each group.
EXAMPLES = {
    "Content": "`dashboards`, `looks`, `query_fields`, `scheduled_plans`",
    "People and access": "`users`, `user_roles`, `groups`, `permission_set_permissions`",
    "LookML": "`lookml_models`, `explores`, `explore_fields`, `explore_tables`",
    "Platform": "`connections`, `integrations`, `instance_settings`",
    "Beta and alpha": "`agents`, `conversations`, `content_summary`",
    "System Activity": "`system_activity_history`, `system_activity_pdt_builds`",
}


def permissions() -> list[str]:
    """What each permission shows that others do not."""
    opens: dict[str, list[str]] = {}
    for row in RESOURCES:
        otherwise = f" (else {row.access.otherwise})" if row.access.otherwise else ""
        for need in row.access.permissions:
            if need != "administer" or row.access.permissions == ("administer",):
                opens.setdefault(need, []).append(f"`{row.name}`{otherwise}")
    admin = opens.pop("administer")
    rows = [(f"`{need}`", ", ".join(names)) for need, names in sorted(opens.items())]
    rows.append(("`see_system_activity`", "all of System Activity"))
    rows.append(("only the Admin role", ", ".join(admin)))
    return table(("Permission", "Streams"), rows)


def index(title: str, docs: Path) -> list[str]:
    """One line for each stream of a group."""
    page = PAGES[title]
    text = (docs / "streams" / f"{page}.md").read_text("utf-8")
    rows = [
        (
            f"[`{row.name}`](streams/{page}.md#{row.name})",
            one_row_per(text, row.name),
            *(
                (f"`{column_name(row.replication)}`" if row.replication else "",)
                if isinstance(row, Activity)
                else (cost(row), needs(row), "yes" if row.default else "")
            ),
        )
        for row in STREAMS[title]
    ]
    more = ("Calls", "Needs", "Default") if title in GROUPS else ("Bookmark",)
    return table(("Stream", "One row per", *more), rows)


def question_index(docs: Path) -> list[str]:
    """A link to each question, by group, and the streams to select for it."""
    default = {row.name for rows in STREAMS.values() for row in rows if row.default}
    asked = questions(docs)
    lines: list[str] = []
    for title, page in PAGES.items():
        found = []
        for one in (one for one in asked if one.page.stem == page):
            more = [f"`{name}`" for name in sorted(streams_of(one.sql) - default)]
            found.append(f"- {one.link('streams/')}" + (f" {', '.join(more)}" if more else ""))
        lines += ["", f"**{title}**", "", *found] if found else []
    return lines[1:]


def one_row_per(text: str, stream: str) -> str:
    """What a page says first of a stream."""
    found = re.search(rf"^## {stream}\n\nOne row per (.+?)\.\s", text, re.MULTILINE | re.DOTALL)
    return " ".join(found[1].split()) if found else ""


# ------------------------------------------------------------------------------- a stream's block


def section(row: Resource | Activity, docs: Path) -> list[str]:
    """What the page says of a stream besides what is written by hand."""
    facts = of_activity(row) if isinstance(row, Activity) else of_resource(row)
    return [
        *table(list(facts), [list(facts.values())]),
        "",
        *columns(row.name),
        *asked_elsewhere(row.name, docs),
    ]


def of_resource(row: Resource) -> dict[str, str]:
    """The facts of a REST stream."""
    facts = {
        "Endpoint": endpoint(row),
        "Key": ", ".join(f"`{key}`" for key in row.keys),
        "Calls": cost(row),
        "Needs": needs(row) or "any user",
        "Selected by default": "yes" if row.default else "no",
    }
    if row.since:
        facts["Since"] = f"Looker {row.since}"
    if row.status != "stable":
        facts["Status"] = row.status
    return facts


def of_activity(row: Activity) -> dict[str, str]:
    """The facts of an explore of System Activity."""
    return {
        "Explore": f"inside `{QUERIES}`" if row.name == QUERY_FIELDS else f"`{row.explore}`",
        "Key": ", ".join(f"`{column_name(key)}`" for key in row.keys.split()),
        "Replication": f"incremental, by `{column_name(row.replication)}`"
        if row.replication
        else "full table",
    }


def columns(stream: str) -> list[str]:
    """The columns of a stream, folded."""
    entry = catalog()[stream]
    properties = entry["schema"]["properties"]
    rows = [
        (f"`{name}`" + (" (key)" if name in entry["key_properties"] else ""), *meaning(of))
        for name, of in properties.items()
    ]
    count = f"{len(rows)} columns" if len(rows) > 1 else "1 column"
    return [
        "<details markdown>",
        f"<summary>{count}</summary>",
        "",
        *table(("Column", "Type", "What it is"), rows),
        "",
        "</details>",
    ]


def meaning(schema: dict[str, Any]) -> tuple[str, str]:
    """The type of a column and what it holds."""
    text = " ".join(schema.get("description", "").split())
    inner = schema.get("items", schema).get("properties", {})
    if inner:
        named = ", ".join(f"`{name}`" for name in list(inner)[:SHOWN])
        more = f" and {len(inner) - SHOWN} more" if len(inner) > SHOWN else ""
        if text and not text.endswith((".", "?", "!")):
            text += "."
        text = f"{text} Has {named}{more}.".strip()
    return type_of(schema), text.replace("|", "\\|")


def type_of(schema: dict[str, Any]) -> str:
    """The type of a column, for people."""
    declared = schema.get("type", "string")
    kinds = [declared] if isinstance(declared, str) else declared
    kind = next(one for one in kinds if one != "null")
    if kind == "array":
        of = type_of(schema["items"]) if "items" in schema else ""
        return f"list of {of}s" if of == "object" else f"list of {of}" if of else "list"
    return TYPES[schema.get("format") if schema.get("format") in TYPES else kind]


def asked_elsewhere(stream: str, docs: Path) -> list[str]:
    """Links to a few more questions that a stream helps to answer, if it has not enough itself."""
    asked = [one for one in questions(docs) if stream in streams_of(one.sql)]
    others = [one.link() for one in asked if one.stream != stream]
    if not others or len(asked) - len(others) >= ENOUGH:
        return []
    return ["", "Also used in: " + " · ".join(others[:MORE])]


@cache
def catalog() -> dict[str, dict[str, Any]]:
    """Entries of the tap's catalog by stream."""
    tap = TapLooker(config={"api_host_url": "https://x", "client_id": "x", "client_secret": "x"})
    return {entry["tap_stream_id"]: entry for entry in tap.catalog_dict["streams"]}


# ------------------------------------------------------------------------------------- in words


def endpoint(row: Resource) -> str:
    """Where the rows come from."""
    source = row.source
    if isinstance(source, Flat):
        return "inside " + ", ".join(f"`{name}`" for name in source.reads())
    return source.places if isinstance(source, Composite) else f"`{source.path}`"


def cost(row: Resource) -> str:
    """How many calls a stream costs."""
    page_size = TapLooker.config_jsonschema["properties"]["page_size"]["default"]
    return cost_words.of(row, page_size, "`{}`".format)


def needs(row: Resource) -> str:
    """What the API key's user needs, and what happens without."""
    permissions = " or ".join(
        "Admin role" if need == "administer" else f"`{need}`" for need in row.access.permissions
    )
    if permissions and row.access.otherwise:
        return f"{permissions}, else {row.access.otherwise}"
    return permissions or (f"shows {row.access.otherwise}" if row.access.otherwise else "")


def reserved_words() -> list[str]:
    """Columns that need quotes in SQL, by stream."""
    found = [
        f"`{stream}.{column}`"
        for stream, entry in sorted(catalog().items())
        for column in entry["schema"]["properties"]
        if column in RESERVED.split()
    ]
    text = f"{', '.join(found[:-1])} and {found[-1]}."
    return textwrap.wrap(text, width=98, break_long_words=False, break_on_hyphens=False)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table in Markdown."""
    return [
        "| " + " | ".join(cells).rstrip() + " |" for cells in (head, ["---"] * len(head), *rows)
    ]
