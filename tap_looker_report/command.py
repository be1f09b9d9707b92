"""The command's options, and what happens from rows to page."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import click

from tap_looker import files
from tap_looker.errors import LookerError, in_words, listed, printable
from tap_looker_report import extract, models, page, sources

if TYPE_CHECKING:
    from types import FrameType

KEPT = re.compile(r"(dashboard|look|lookml_dashboard)/(\S.*)")
LINK = re.compile(r"https?://[^/]+(?:/embed)?/(dashboard|look)s/([^?#]+)")
EPILOG = """SOURCE is a folder of files that a target wrote (JSONL or Parquet), a DuckDB file, or
the URL or connection string of a Postgres database; 'postgresql://' takes the PG* variables of
libpq. With --config, the rows are read from Looker first."""


class Terminal:
    """Messages on standard error: a line that changes, and lines that stay."""

    def __init__(self) -> None:
        self._is_live = sys.stderr.isatty()
        self._shown = ""
        self._one_at_a_time = threading.Lock()  # dbt and the tap are heard on threads

    def say(self, text: str) -> None:
        """A line that stays."""
        with self._one_at_a_time:
            self._wipe()
            click.echo(text, err=True)

    def show(self, text: str) -> None:
        """How far it is: over the line before, and where there is no terminal, not at all."""
        if self._is_live:
            with self._one_at_a_time:
                self._wipe()
                self._shown = text[: shutil.get_terminal_size().columns - 1]
                click.echo(self._shown, err=True, nl=False)

    def _wipe(self) -> None:
        if self._shown:
            click.echo("\r" + " " * len(self._shown) + "\r", err=True, nl=False)
            self._shown = ""

    close = _wipe


@click.command(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("source", required=False)
@click.option(
    "--config",
    "configs",
    multiple=True,
    metavar="FILE",
    help="Read from Looker, with this configuration file of the tap; ENV for the environment.",
)
@click.option(
    "-o", "--output", default="report.html", show_default=True, metavar="FILE", help="The page."
)
@click.option("--schema", metavar="NAME", help="Schema of the tables, in a database.")
@click.option(
    "--select",
    metavar="PATTERNS",
    help="With --config: streams to read, as of the tap; '!explores' leaves one out of those that "
    "the report can use.",
)
@click.option(
    "--max-calls",
    type=click.IntRange(min=1),
    metavar="N",
    help="With --config: make no more API calls than this.",
)
@click.option(
    "--keep",
    metavar="FOLDER",
    help="Keep the files that were read from Looker, and the models (looker.duckdb).",
)
@click.option(
    "--keep-list",
    metavar="FILE",
    help="Content that is never called unused: a line each, dashboard/12, look/7 or its URL.",
)
@click.option("--instance", metavar="NAME", help="Which one, if several share the tables.")
@click.option(
    "--internal-domain",
    "domains",
    multiple=True,
    metavar="DOMAIN",
    help="A domain of yours: deliveries to others are outside. Default: those of the users.",
)
@click.option(
    "--unused-after-days",
    type=click.IntRange(1, 3650),
    default=90,
    show_default=True,
    help="Days without use that make content, fields and explores unused.",
)
@click.option(
    "--slow-seconds",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    help="From how many seconds on a query is slow.",
)
@click.option("--title", metavar="TEXT", help="Heading of the page.")
@click.option(
    "--looker-url", metavar="URL", help="Address of the instance, for links to its content."
)
def report(**options: Any) -> None:
    """Write a page about a Looker instance: what is used, who sees what, what is slow or fails."""
    terminal = Terminal()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        is_whole = _report(terminal, **options)
    except KeyboardInterrupt:
        terminal.close()
        _fail("Interrupted: no page was written.", 130)
    except click.ClickException:
        raise
    except Exception as error:
        terminal.close()
        if os.environ.get("TAP_LOOKER_LOGLEVEL", "").upper() == "DEBUG":
            raise
        _fail(_in_words(error))
    if not is_whole:
        _fail("Some streams could not be read completely, see above; the page leaves them out.")


def _in_words(error: Exception) -> str:
    """One line, whatever it is."""
    if isinstance(error, LookerError | OSError | MemoryError):
        return in_words(error).message
    return (
        f"The report itself failed ({type(error).__name__}). This is a bug: please report it with "
        "what TAP_LOOKER_LOGLEVEL=DEBUG shows."
    )


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    raise KeyboardInterrupt


def _fail(message: str, exit_code: int = 1) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(exit_code)


def _report(
    terminal: Terminal,
    *,
    source: str | None,
    configs: tuple[str, ...],
    output: str,
    schema: str | None,
    select: str | None,
    max_calls: int | None,
    keep: str | None,
    keep_list: str | None,
    instance: str | None,
    domains: tuple[str, ...],
    unused_after_days: int,
    slow_seconds: int,
    title: str | None,
    looker_url: str | None,
) -> bool:
    """From rows to page.

    Returns:
        Whether all was read that should be.

    Raises:
        LookerError: There is no page.
    """
    if bool(source) == bool(configs):
        raise click.UsageError("Give a SOURCE, or --config to read from Looker; see --help.")
    path = Path(output).expanduser()
    if path.is_dir():
        raise LookerError(f"-o {output} is a folder: give the name of a file in it.")
    if not path.resolve().parent.is_dir():
        raise LookerError(f"-o {output}: there is no folder {path.parent}.")
    if looker_url and not urlsplit(looker_url).scheme.startswith("http"):
        raise LookerError(f"--looker-url {printable(looker_url)} is not like https://….")
    kept = read_keep_list(keep_list) if keep_list else []
    kept_in = _kept_folder(keep)
    began = time.monotonic()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="looker-report-")))
        streams = sources.streams_of(models.package())
        read = extract.Extraction()
        if source:
            found = sources.find(source, schema, streams, scratch)
        else:
            folder = kept_in or scratch / "files"
            folder.mkdir(exist_ok=True)
            read = extract.extract(
                configs,
                _selection(select, streams),
                folder,
                scratch,
                max_calls=max_calls,
                say=terminal.say,
                show=terminal.show,
            )
            found = replace(sources.of_folder(folder, streams, scratch), what="Looker")
        stack.callback(found.clean)
        instance = _chosen(instance, found.instances)
        terminal.show("Models: preparing …")
        variables = {
            "looker_unused_after_days": unused_after_days,
            "looker_slow_seconds": slow_seconds,
            "looker_keep": kept,
            "looker_internal_domains": list(domains),
            "looker_instance": instance,
        }
        models.build(found, variables, scratch, terminal.show)
        marts = models.Marts(found)
        stack.callback(marts.close)
        _warn_of_unknown(kept, marts, terminal)
        terminal.show("Writing the page …")
        address = (looker_url or "").rstrip("/") or (_address(configs) if configs else "")
        subject = page.Subject(
            title=title or _title(address, instance),
            what=found.what,
            made_at=datetime.now(UTC),
            read_at=found.read_at,
            missed=read.missed,
            cost=read.cost,
            reader=read.reader,
            partial=read.partial,
            unused_after_days=unused_after_days,
            slow_seconds=slow_seconds,
            kept=kept,
            looker_url=address,
        )
        html = page.render(marts, subject, streams)
        page.write(html, path)
        if kept_in and "path" in found.output:
            marts.close()
            shutil.copy(found.output["path"], kept_in / "looker.duckdb")
    terminal.close()
    size = len(html.encode()) / 1_000_000
    terminal.say(f"{output}: {size:.1f} MB, in {time.monotonic() - began:.0f} s.")
    return read.is_whole


def _chosen(instance: str | None, instances: list[str]) -> str | None:
    """The instance that the page is about: ids of several must not be mixed."""
    if instance and instances and instance not in instances:
        raise LookerError(f"--instance {instance}: there are rows of {listed(instances)} only.")
    if not instance and len(instances) > 1:
        raise LookerError(
            f"The rows are of several instances: choose one with --instance ({listed(instances)})."
        )
    return instance or next(iter(instances), None)


def _selection(select: str | None, streams: list[str]) -> str:
    if select and not select.strip().startswith("!"):
        return select
    return ",".join([*streams, *([select] if select else [])])


def _kept_folder(keep: str | None) -> Path | None:
    if not keep:
        return None
    folder = Path(keep).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise LookerError(f"--keep {keep} is not empty: give a new folder.")
    return folder


def read_keep_list(name: str) -> list[str]:
    """The content that a file names, as ``dashboard/12``.

    Raises:
        LookerError: It cannot be read, or a line names no content.
    """
    kept = []
    for place, line in enumerate(files.read_text(f"--keep-list {name}", name).splitlines(), 1):
        text = line.partition(" #")[0].strip()
        if not text or text.startswith("#"):
            continue
        link, plain = LINK.match(text), KEPT.fullmatch(text)
        if link:
            kind, content = link[1], link[2].rstrip("/").replace("%3A%3A", "::")
            kept.append(f"{'lookml_dashboard' if '::' in content else kind}/{content}")
        elif plain:
            kept.append(f"{plain[1]}/{plain[2]}")
        else:
            raise LookerError(
                f"--keep-list {name}, line {place}: {printable(text)} is not like dashboard/12, "
                "look/7, lookml_dashboard/model::name or a URL of one of these."
            )
    return list(dict.fromkeys(kept))


def _warn_of_unknown(kept: list[str], marts: models.Marts, terminal: Terminal) -> None:
    rows = marts.rows("SELECT content_type, content_id FROM {content_usage}") if kept else []
    known = {f"{row['content_type']}/{row['content_id']}".lower() for row in rows}
    unknown = [one for one in kept if one.lower() not in known]
    if unknown:
        terminal.say(
            f"The list of what to keep names content that is not there: {listed(unknown)}."
        )


def _address(configs: tuple[str, ...]) -> str:
    """The address of the instance, not of its API; "" where only the environment has it."""
    named = [files.read_object(f"--config {one}", one) for one in configs if one != "ENV"]
    address = next((text for one in reversed(named) if (text := one.get("api_host_url"))), "")
    parts = urlsplit(str(address))
    return f"{parts.scheme}://{parts.hostname}" if parts.scheme and parts.hostname else ""


def _title(address: str, instance: str | None) -> str:
    host = urlsplit(address).hostname if address else None
    return f"Looker at {instance or host}" if instance or host else "Looker"
