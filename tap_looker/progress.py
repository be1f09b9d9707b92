"""What a run says while it goes on: lines in a log, or a live line and a table on a terminal.

Nothing of it goes to standard output, which belongs to the target.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rich.console import Console
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

logger = logging.getLogger("tap-looker")

LOG_LEVELS, LOG_CONFIG = ("TAP_LOOKER_LOGLEVEL", "LOGLEVEL"), "SINGER_SDK_LOG_CONFIG"
"""Environment variables by which a user says what the log holds; the SDK's own."""
ROUTINE = ("Skipping deselected stream", "Skipping parse of env var settings", "METRIC")
MAX_POSITION = 40  # characters


@dataclass
class Result:
    """What came of one stream.

    Attributes:
        stream: Its name.
        records: How many it wrote.
        calls: How many requests were sent while it was being read; what several streams share
            counts for the first of them.
        seconds: From its turn to its end.
        note: What is missing of it; "" for nothing.
        failure: What became of it, if it could not be read to its end: failed or skipped; else "".
    """

    stream: str
    records: int = 0
    calls: int = 0
    seconds: float = 0.0
    note: str = ""
    failure: str = ""


class Progress:
    """One line in the log for each stream.

    Args:
        total: How many streams there are.
        calls: How many requests were sent so far, by stream.
        records: How many records were written so far.
    """

    def __init__(self, total: int, calls: Mapping[str, int], records: Callable[[], int]) -> None:
        self._total = total
        self._calls = calls
        self._records = records
        self._before = 0
        self._began = self._turn = time.monotonic()
        self.results: dict[str, Result] = {}
        self.current = ""
        self.position: Any = None

    def start(self) -> None:
        """The run begins."""

    def begin(self, stream: str) -> None:
        """A stream's turn has come."""
        self.current, self.position = stream, None
        self.results[stream] = Result(stream)
        self._before = self._records()
        self._turn = time.monotonic()

    @property
    def written(self) -> int:
        """How many records of the current stream were written."""
        return self._records() - self._before

    def end(self, note: str = "", failure: str = "") -> None:
        """The current stream has ended.

        Args:
            note: What is missing of it.
            failure: What became of it instead, which the log has told already.
        """
        result = self.results[self.current]
        result.seconds = time.monotonic() - self._turn
        result.records = self.written
        result.calls = self._calls.get(self.current, 0)
        result.note, result.failure = note, failure
        if not result.failure:
            self.report(result)

    def report(self, result: Result) -> None:
        """Say what came of a stream."""
        logger.info(
            "%s: %s, %s, %.1f s%s",
            result.stream,
            counted(result.records, "record"),
            counted(result.calls, "call"),
            result.seconds,
            f"; {result.note}" if result.note else "",
        )

    def close(self, closing: Iterable[str]) -> None:
        """The run has ended.

        Args:
            closing: Lines that sum it up.
        """
        for line in closing:
            logger.info("%s", line)

    def summary(self) -> str:
        """All streams in one line."""
        records = self._records()
        seconds = time.monotonic() - self._began
        streams = counted(len(self.results), "stream")
        return f"{streams}, {counted(records, 'record')} in {seconds:.1f} s."


class TerminalProgress(Progress):
    """A live line while the run goes on, and a table of all streams at its end."""

    def __init__(self, console: Console, *of_all: Any) -> None:
        super().__init__(*of_all)
        self._console = console
        self._live: Live | None = None
        self._redirected: list[logging.StreamHandler[Any]] = []

    def start(self) -> None:
        """Show the line, and have the log's lines printed above it."""
        from rich.live import Live  # noqa: PLC0415  # costs time where there is no terminal

        self._live = Live(
            console=self._console,
            get_renderable=self._line,
            refresh_per_second=4,
            transient=True,
            redirect_stdout=False,
        )
        plain = sys.stderr
        self._live.start()
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream is plain:
                handler.setStream(sys.stderr)
                self._redirected.append(handler)

    def report(self, result: Result) -> None:
        """Nothing: the table will say it."""

    def close(self, closing: Iterable[str]) -> None:
        """Show the table in place of the line."""
        if self._live:
            self._live.stop()
        for handler in self._redirected:
            handler.setStream(sys.stderr)
        self._console.print(self._table())
        for line in closing:
            self._console.print(line, markup=False, highlight=False)

    def _line(self) -> Text:
        from rich.text import Text  # noqa: PLC0415

        done = sum(one.stream != self.current for one in self.results.values())
        parts = [
            self.current,
            f"{done} of {counted(self._total, 'stream')}",
            counted(self._records(), "record"),
            counted(sum(self._calls.values()) - self._calls.get("", 0), "call"),
            f"{time.monotonic() - self._began:.0f} s",
        ]
        if self.position is not None:
            parts.insert(1, f"up to {str(self.position)[:MAX_POSITION]}")
        return Text(" · ".join(filter(None, parts)), no_wrap=True)

    def _table(self) -> Table:
        from rich.box import SIMPLE  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        table = Table(box=SIMPLE, pad_edge=False)
        table.add_column("Stream", no_wrap=True)
        for name in ("Records", "Calls", "Seconds"):
            table.add_column(name, justify="right", no_wrap=True)
        if any(one.note or one.failure for one in self.results.values()):
            table.add_column("What is missing")
        for one in self.results.values():
            figures = (f"{one.records:,}", f"{one.calls:,}", f"{one.seconds:.1f}")
            text, style = (one.failure, "red") if one.failure else (one.note, "yellow")
            note = (Text(text, style),) if text else ()
            table.add_row(one.stream, *figures, *note)
        return table


def counted(number: int, what: str) -> str:
    """A number of things, in words."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def log_is_configured() -> bool:
    """Whether the user has said what the log holds. Meltano always sets a log configuration."""
    names = LOG_LEVELS if "MELTANO_PROJECT_ROOT" in os.environ else (*LOG_LEVELS, LOG_CONFIG)
    return any(os.environ.get(name) for name in names)


def quieten() -> None:
    """Leave out the routine lines of the SDK, of which a run writes hundreds."""
    if log_is_configured():
        return
    for name in ("singer_sdk.metrics", logger.name):
        logging.getLogger(name).addFilter(_is_worth_a_line)


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    return record.levelno > logging.INFO or not str(record.msg).startswith(ROUTINE)


def progress_for(total: int, calls: Mapping[str, int], records: Callable[[], int]) -> Progress:
    """A live line on a terminal; lines in the log elsewhere, and where the user configures it."""
    if not log_is_configured() and sys.stderr is not None and sys.stderr.isatty():
        from rich.console import Console  # noqa: PLC0415

        console = Console(stderr=True)
        if console.is_terminal and not console.is_dumb_terminal:
            return TerminalProgress(console, total, calls, records)
    return Progress(total, calls, records)
