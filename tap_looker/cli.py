"""The command ``tap-looker``: its options, the files they name, and errors in one line each."""

from __future__ import annotations

import io
import json
import logging
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
from singer_sdk.about import AboutInfo, MarkdownFormatter
from singer_sdk.plugin_base import SingerCommand

from tap_looker.access import as_dict, as_text, report
from tap_looker.errors import LookerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_looker.run import Run

logger = logging.getLogger("tap-looker")

OPTIONS_OF_FILES = ("config", "catalog", "state")


class Command(SingerCommand):
    """The SDK's command, which ends with the message of an error in place of a traceback."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the arguments; some options do their work already here."""
        with _errors_shown():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _errors_shown():
            return super().invoke(ctx)


class _Shown(click.ClickException):
    """An error as click ends a command with it."""

    def __init__(self, error: LookerError) -> None:
        super().__init__(error.message)
        self.error = error
        self.exit_code = error.exit_code  # type: ignore[misc]

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002
        """Log the message, with a traceback only where the log level asks for it."""
        trace = self.error if logger.isEnabledFor(logging.DEBUG) else None
        for line in self.message.splitlines():
            logger.error("%s", line, exc_info=trace)


@contextmanager
def _errors_shown() -> Iterator[None]:
    try:
        yield
    except LookerError as error:
        raise _Shown(error) from error


def command(of_sdk: click.Command) -> Command:
    """The SDK's command, with checked files and an option of our own."""
    for option in of_sdk.params:
        if option.name in OPTIONS_OF_FILES:
            option.type = JsonFile()
    access = click.Option(
        ["--access"],
        is_flag=False,
        flag_value="text",
        default=None,
        type=click.Choice(["text", "json"]),
        help="Tell what the API key may read and what a run would cost, and read nothing.",
    )
    return Command(
        name=of_sdk.name,
        callback=of_sdk.callback,
        params=[*of_sdk.params, access],
        help=of_sdk.help,
        context_settings=of_sdk.context_settings,
        logger=logger,
    )


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
    print(json.dumps(as_dict(found), indent=2) if output_format == "json" else as_text(found))  # noqa: T201


class JsonFile(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A file for an option of the SDK, which reads what is checked here."""

    name = "filename"

    def convert(self, value: Any, param: click.Parameter | None, ctx: Any) -> Any:  # noqa: ARG002
        """The text of the file, as a file.

        Raises:
            LookerError: It cannot be read, or is not what the option takes.
        """
        option = param.name if param else ""
        if option == "config":
            if value != "ENV":
                _read(option, value)
            return value
        found = _read(option, value)
        if option == "catalog" and not _is_catalog(found):
            raise LookerError(
                f"--catalog {value}: is not a catalog (expected the output of --discover)."
            )
        if option == "state" and not _is_state(found):
            raise LookerError(
                f"--state {value}: is not a state (expected what a target prints: the value of the "
                'last STATE message of a run, with "bookmarks").'
            )
        return io.StringIO(json.dumps(found))


def _read(option: str, path: str) -> Mapping[str, Any]:
    what = f"--{option} {path}"
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise LookerError(f"{what}: cannot be read ({error.strerror}).") from None
    except (ValueError, RecursionError) as error:
        place = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise LookerError(f"{what}: is not valid JSON{place}.") from None
    if not isinstance(found, dict):
        raise LookerError(f"{what}: must hold a JSON object.")
    return found


def _is_catalog(found: Mapping[str, Any]) -> bool:
    streams = found.get("streams")
    return isinstance(streams, list) and all(
        isinstance(one, dict)
        and isinstance(one.get("tap_stream_id"), str)
        and isinstance(one.get("schema", {}), dict)
        and isinstance(metadata := one.get("metadata", []), list)
        and all(isinstance(item, dict) for item in metadata)
        for one in streams
    )


def _is_state(found: Mapping[str, Any]) -> bool:
    bookmarks = found.get("bookmarks") if found else {}
    return isinstance(bookmarks, dict) and all(isinstance(one, dict) for one in bookmarks.values())
