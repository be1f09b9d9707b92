"""The command ``tap-looker``: its options, the files they name, and errors in one line each."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING, Any

import click
from click.exceptions import Exit
from singer_sdk.about import AboutInfo, MarkdownFormatter
from singer_sdk.plugin_base import SingerCommand

from tap_looker import files, progress, stdout
from tap_looker.access import as_dict, as_text, report
from tap_looker.errors import LookerError, in_words
from tap_looker.streams import is_catalog

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_looker.run import Run

logger = logging.getLogger("tap-looker")

OPTIONS_OF_FILES = ("config", "catalog", "state")
SELECT = "--select"
ENVIRONMENT = "ENV"


class Command(SingerCommand):
    """The SDK's command, which ends with the message of an error in place of a traceback."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command on any console."""
        stdout.accept_all_letters()
        progress.quieten()
        return super().main(*args, **kwargs)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the arguments; some options do their work already here."""
        with _errors_shown(), stdout.writing():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _errors_shown():
            return super().invoke(ctx)


class _Shown(click.ClickException):
    """An error as click ends a command with it."""

    def __init__(self, error: LookerError) -> None:
        super().__init__(error.message)
        self.exit_code = error.exit_code  # type: ignore[misc]

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002
        """Log the message; the traceback where the log level asks for it."""
        for line in self.message.splitlines():
            logger.error("%s", line)
        logger.debug("What led to it:", exc_info=self.__cause__)


@contextmanager
def _errors_shown() -> Iterator[None]:
    try:
        yield
    except (click.ClickException, click.Abort, Exit, BrokenPipeError):
        raise
    except Exception as error:
        raise _Shown(in_words(error)) from error


def command(of_sdk: click.Command) -> Command:
    """The SDK's command, with checked files and an option of our own."""
    for option in of_sdk.params:
        if option.name in OPTIONS_OF_FILES:
            option.type = JsonFile()
        if option.name == "test":
            option.type = click.Choice(["all", "schema", "disabled"])
    listing = click.Option(
        ["--list", "list_streams"],
        is_flag=True,
        help="List all streams, what they cost, and which of them are selected.",
    )
    select = click.Option(
        [SELECT],
        metavar="PATTERNS",
        help="Streams to read without a catalog, such as 'users,dash*' or 'default,explores'.",
        is_eager=True,
        expose_value=False,
        callback=_select,
    )
    access = click.Option(
        ["--access"],
        is_flag=False,
        flag_value="text",
        default=None,
        type=click.Choice(["text", "json"]),
        help="Show what the API key may read and what a run would cost, without reading any data.",
    )
    return Command(
        name=of_sdk.name,
        callback=of_sdk.callback,
        params=[*of_sdk.params, listing, select, access],
        help=of_sdk.help,
        context_settings=of_sdk.context_settings,
        logger=logger,
    )


def _select(ctx: click.Context, param: click.Option, value: str | None) -> None:  # noqa: ARG001
    """Keep the option for whichever callback makes the tap."""
    if value is not None:
        options_of(ctx)[SELECT] = value


def options_of(ctx: click.Context) -> dict[str, Any]:
    """Options that stand for a setting, and count more than files and the environment."""
    options: dict[str, Any] = ctx.meta.setdefault("tap_looker.options", {})
    return options


class Markdown(MarkdownFormatter, format_name="markdown"):
    """``--about --format=markdown`` with the options of settings that are lists of objects."""

    def format_about(self, about_info: AboutInfo) -> str:
        """The SDK shows the properties of an object, and not those of a list's items."""
        properties = {
            name: {
                **{key: items[key] for key in ("properties", "required") if key in items},
                **of,
            }
            for name, of in about_info.settings["properties"].items()
            for items in [of.get("items", {})]
        }
        settings = {**about_info.settings, "properties": properties}
        return super().format_about(replace(about_info, settings=settings))


def told(streams: Iterable[str], records: Mapping[str, int]) -> str:
    """What a trial has read, in words.

    Args:
        streams: The streams that were tried.
        records: How many records they have written, by the names that these were given.
    """
    count = sum(records.values())
    text = f"{count} record{'' if count == 1 else 's'} of {', '.join(records) or 'no stream'}"
    empty = [name for name in streams if name not in records]
    return f"{text}; none of {', '.join(empty)}" if empty else text


def print_access(run: Run, selected: set[str], output_format: str) -> None:
    """Print what the API key may read, and what a run of the selected streams would cost.

    Args:
        run: With its settings and its client.
        selected: Names of streams.
        output_format: ``text`` or ``json``.
    """
    try:
        found = report(
            run.client,
            selected,
            run.extraction.wanted,
            page_size=run.config["page_size"],
            include_deleted=run.config["include_deleted"],
        )
    finally:
        run.log_out()
    stdout.say(json.dumps(as_dict(found), indent=2) if output_format == "json" else as_text(found))


@dataclass
class Config:
    """What the options ``--config`` give, as the SDK asks for it.

    Attributes:
        files: The settings of all files; a later file counts more.
        parse_env: Read those of the environment too.
        options: Options that stand for a setting: some are read after this one.
    """

    files: dict[str, Any] = field(default_factory=dict)
    parse_env: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> dict[str, Any]:
        """The settings of the files, and options by their names."""
        return {**self.files, **self.options}

    @classmethod
    def of(cls, ctx: click.Context, values: Iterable[Any]) -> Config:
        """Of the values of the option, as :class:`JsonFile` has read them."""
        found = cls(options=options_of(ctx))
        for value in values:
            if value == ENVIRONMENT:
                found.parse_env = True
            else:
                found.files |= value
        return found


class JsonFile(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A file of an option, read and checked."""

    name = "filename"

    def convert(self, value: Any, param: click.Parameter | None, ctx: Any) -> Any:  # noqa: ARG002
        """What is in the file.

        Raises:
            LookerError: It cannot be read, or is not what the option takes.
        """
        option = param.name if param else ""
        what = f"--{option} {value}"
        if option == "config":
            return value if value == ENVIRONMENT else files.read_object(what, value)
        found = (files.read_last_object if option == "state" else files.read_object)(what, value)
        if option == "catalog" and not is_catalog(found):
            raise LookerError(f"{what} is not a catalog (expected the output of --discover).")
        if option == "state" and not _is_state(found):
            raise LookerError(
                f"{what} is not a state (expected what a target prints: the value of the "
                'last STATE message of a run, with "bookmarks").'
            )
        return found


def _is_state(found: Mapping[str, Any]) -> bool:
    bookmarks = found.get("bookmarks") if found else {}
    return isinstance(bookmarks, dict) and all(isinstance(one, dict) for one in bookmarks.values())
