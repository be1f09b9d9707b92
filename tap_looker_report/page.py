"""The page: figures, tables and plots in one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from tap_looker_report import access, figures
from tap_looker_report.models import HERE
from tap_looker_report.tables import CODE, NUMBER, TABLES, TEXT, lacking, packed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tap_looker_report.models import Marts

ASSETS, VENDOR = HERE / "assets", HERE / "vendor"
LIBRARIES = ("d3", "plot", "datatables.net", "datatables.net-buttons")
SCRIPT_ENDS = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028",
               "\u2029": "\\u2029"}  # fmt: skip
"""What could end a script or a line of it, as JSON may write it instead."""
MOST_LETTERS = 120  # of a name in a sentence
SECTIONS = {
    "overview": "Overview",
    "content": "Content",
    "usage": "Use over time",
    "people": "People",
    "access": "Who sees what",
    "performance": "Performance",
    "schedules": "Schedules and alerts",
    "lookml": "LookML",
    "lineage": "Lineage",
    "cost": "What reading costs",
    "basis": "What this rests on",
}
ACCESS = tuple(dict.fromkeys((*access.ROLES, *access.FOLDERS, *access.GROUPS)))


@dataclass(frozen=True)
class Subject:
    """What a report is about, besides the rows.

    Attributes:
        title: Heading of the page.
        what: Where the rows were.
        made_at: When the page is made.
        read_at: When each stream that is there was read, if known.
        missed: Why a stream is not there, if known.
        cost: What reading it cost, in the tap's words; "" if it was there already.
        reader: The user of the API key that read it, if not known to be an admin; "" otherwise.
        partial: Streams of which that user may see only a part, if known.
        unused_after_days: Days without use that make something unused.
        slow_seconds: From how many seconds on a query is slow.
        kept: Content that was taken out of the verdicts.
        looker_url: Address of the instance, for links; "" without.
    """

    title: str
    what: str
    made_at: datetime
    read_at: Mapping[str, datetime | None]
    missed: Mapping[str, str] = field(default_factory=dict)
    cost: str = ""
    reader: str = ""
    partial: Sequence[str] = ()
    unused_after_days: int = 90
    slow_seconds: int = 30
    kept: Sequence[str] = ()
    looker_url: str = ""


def render(marts: Marts, subject: Subject, streams: Sequence[str]) -> str:
    """The page as HTML.

    Args:
        marts: The models.
        subject: What they are about.
        streams: Those that the models read.
    """
    landed = subject.read_at.keys()
    tables = {
        table.name: table.data(marts, landed)
        for table in TABLES
        if not lacking(table.needs, landed)
    }
    tables["streams"] = _streams(marts, subject, streams)
    content = access.contents(marts)
    data = {
        "tables": tables,
        "contents": [
            {"name": name, **packed([row[name] for row in content])}
            for name in ("content_type", "content_id", "title", "is_listed")
        ],
        "access": access.data(marts, landed, content) if "users" in landed else None,
        "lineage": access.lineage(marts, content) if "lineage" in tables else None,
        **figures.plots(marts, landed),
        "looker": subject.looker_url,
    }
    scripts = [(VENDOR / f"{name}.js").read_text("utf-8") for name in LIBRARIES]
    scripts.append((ASSETS / "report.js").read_text("utf-8"))
    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.FileSystemLoader(ASSETS),
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "number": number,
        "percent": percent,
        "seconds": seconds,
        "day": day,
        "named": named,
        "things": things,
    }
    html: str = environment.get_template("report.html.j2").render(
        f=figures.read(marts, landed),
        subject=subject,
        landed=landed,
        streams=streams,
        tables=tables,
        missing=_missing(landed),
        uses=_uses(landed),
        sections=SECTIONS.items(),
        lacking=lambda *needs: lacking(needs, landed),
        last_read=max((time for time in subject.read_at.values() if time), default=None),
        style=Markup((ASSETS / "report.css").read_text("utf-8")),  # noqa: S704  # our own file
        scripts=[Markup(script) for script in scripts],  # noqa: S704  # so are these
        hashes=" ".join(f"'sha256-{_checksum(script)}'" for script in scripts),
        data=Markup(as_json(data)),  # noqa: S704  # escaped for where it stands
    )
    return html.lstrip()


def _streams(marts: Marts, subject: Subject, streams: Sequence[str]) -> dict[str, Any]:
    """What the page rests on, as a table of it."""
    counts = figures.counts(marts, sorted(subject.read_at))
    read_at = {name: f"{time:%Y-%m-%d %H:%M}" for name, time in subject.read_at.items() if time}
    why = {
        name: subject.missed.get(name, "" if name in subject.read_at else "not loaded")
        for name in streams
    }
    columns = {
        ("stream", "Stream", CODE): list(streams),
        ("rows", "Rows", NUMBER): [counts.get(name) for name in streams],
        ("read_at", "Read (UTC)", TEXT): [read_at.get(name) for name in streams],
        ("why", "Why it is not there", TEXT): [why[name] for name in streams],
    }
    if not any(why.values()):
        del columns["why", "Why it is not there", TEXT]
    return {
        "caption": "Streams",
        "columns": [
            {"name": name, "label": label, "kind": kind, "values": values}
            for (name, label, kind), values in columns.items()
        ],
    }


def _missing(landed: Any) -> dict[str, list[str]]:
    """What would add to a table and is not there, by the table's name."""
    found = {table.name: table.missing(landed) for table in TABLES}
    found["access"] = lacking(ACCESS, landed)
    return found


def _uses(landed: Any) -> dict[str, list[str]]:
    """The streams that a table is made of, of those that are there, by its name."""
    found = {}
    for table in TABLES:
        needs = [*table.needs, *table.helps, *(one for of in table.columns for one in of.needs)]
        names = [name for need in needs for name in need.split("|")]
        found[table.name] = [name for name in dict.fromkeys(names) if name in landed]
    return {**found, "access": [name for name in ACCESS if name in landed]}


def _checksum(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def as_json(data: Any) -> str:
    """JSON that can stand in a script of a page, whatever texts it holds."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for letter, escaped in SCRIPT_ENDS.items():
        text = text.replace(letter, escaped)
    # Half a pair of surrogates is no text that a file can hold.
    return text.encode("utf-8", "replace").decode()


def write(html: str, path: Path) -> None:
    """Write the page, whole or not at all; where a link is, to what it leads to."""
    path = path.resolve()
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_text(html, "utf-8", newline="\n")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


# What sentences are made of


def number(value: float | None) -> str:
    """A number as people read it."""
    return "–" if value is None else f"{value:,.0f}"


def percent(part: float, whole: float) -> str:
    """A share. What is small is not nothing, and what is nearly all is not all."""
    if not whole:
        return "–"
    share = 100 * part / whole
    if 0 < share < 1:
        return "less than 1%"
    if 99 < share < 100:  # noqa: PLR2004
        return "more than 99%"
    return f"{share:.0f}%"


def seconds(value: float | None) -> str:
    """A time, in the unit that fits."""
    if value is None:
        return "–"
    if value >= 5400:  # noqa: PLR2004  # an hour and a half
        return f"{value / 3600:,.0f} hours"
    if value >= 100:  # noqa: PLR2004
        return f"{value / 60:.0f} minutes"
    return f"{value:.1f} seconds"


def day(value: str | datetime | date | None) -> str:
    """A day as people write it."""
    if value is None:
        return "an unknown day"
    on = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return f"{on.day} {on:%B %Y}"


def named(text: str | None, kind: str = "") -> Markup:
    """A name that somebody else chose, which does not turn the sentence around it."""
    name = " ".join((text or "without a name").replace("\0", "\ufffd").split())
    short = name if len(name) <= MOST_LETTERS else f"{name[:MOST_LETTERS]}…"
    found = Markup('<bdi class="name">{}</bdi>').format(short)
    return Markup("{} ({})").format(found, kind) if kind else found


def things(count: float | None, one: str, many: str = "") -> str:
    """A number of things."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"
