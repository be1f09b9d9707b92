"""One run of the tap: what its streams share, what becomes of those that fail, and its end."""

from __future__ import annotations

import logging
import os
import signal
import threading
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from singer_sdk.singerlib import StateMessage
from singer_sdk.singerlib.encoding.base import SingerMessageType

from tap_looker import access, permissions, stdout
from tap_looker.errors import (
    DeniedError,
    IncompleteError,
    Interrupted,
    LookerError,
    OutputError,
    TokenError,
    in_words,
    listed,
)
from tap_looker.looker.calls import READER
from tap_looker.looker.client import LookerClient
from tap_looker.looker.session import Connection
from tap_looker.looker.threads import Cancelled, Prefetcher
from tap_looker.progress import Progress, counted, progress_for
from tap_looker.redaction import redact
from tap_looker.resources.extraction import Extraction
from tap_looker.resources.resource import is_older
from tap_looker.resources.rest_streams import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import FrameType

    from tap_looker.looker.response import Row

logger = logging.getLogger("tap-looker")

T = TypeVar("T")

GRACE = 5.0  # seconds that an interrupted run may take to end by itself
BILLED_AS = {"non_query": "admin call", "db_query": "query call", "login": "login"}
COSTLY = "Streams whose calls grow with the size of the instance"


class RunStream(Protocol):
    """What a run needs to know of a stream."""

    name: str
    permission: str
    status: str
    since: str
    cost_per: str
    is_read_alone: bool
    ABORT_AT_RECORD_COUNT: int | None

    def check(self) -> None:
        """Raise what is wrong with what is asked of the stream."""

    def plan(self, extraction: Extraction) -> None:
        """Say what the stream will read."""

    def pages(self, extraction: Extraction) -> Iterator[list[Row]]:
        """The rows of the stream. Runs on a thread of its own."""


@dataclass(frozen=True)
class _Failure:
    """What became of a stream that could not be read whole."""

    message: str
    is_denied: bool
    is_of_all: bool


class MessageWriter(Protocol):
    """Writes Singer messages to standard output."""

    last_type: SingerMessageType | None

    def write_message(self, message: Any) -> None:
        """Write one line, now or soon."""

    def flush(self) -> None:
        """Write what waits."""


class Run:
    """What the streams of one run share.

    Args:
        config: The settings, normalised.
        user_agent: How the tap names itself to Looker.
        selected: Gives the selected streams.
        writer: Writes Singer messages.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        user_agent: str,
        selected: Callable[[], Sequence[RunStream]],
        writer: MessageWriter,
    ) -> None:
        self.config = config
        self.writer = writer
        self._user_agent = user_agent
        self._selected = selected
        self._stop = threading.Event()
        self._signal = 0
        self._is_active = False
        self._unreadable: dict[str, LookerError] = {}
        self._failures: dict[str, _Failure] = {}
        self._told: set[str] = set()
        self._withheld: dict[str, list[str]] = {}

    @cached_property
    def client(self) -> LookerClient:
        """The one client of the run; from here on its secrets are redacted from the log."""
        certificate = self.config["client_cert"]
        client = LookerClient(
            self.config["api_host_url"],
            self.config["client_id"],
            self.config["client_secret"],
            concurrency=self.config["concurrency"],
            timeout=self.config["request_timeout"],
            connection=Connection(
                self._user_agent,
                self.config["http_headers"],
                self.config["ca_bundle"],
                (certificate, self.config["client_cert_key"] or certificate)
                if certificate
                else None,
            ),
            max_calls=self.config.get("max_calls"),
            max_retry_time=self.config["max_retry_time"],
            stop=self._stop,
        )
        redact(client.secrets)
        return client

    @cached_property
    def extraction(self) -> Extraction:
        """What the selected streams read."""
        extraction = Extraction(
            self.client,
            page_size=self.config["page_size"],
            include_deleted=self.config["include_deleted"],
            folder_ids=self.config["folder_ids"],
            models=self.config["models"],
            exclude_models=self.config["exclude_models"],
            exclude_explores=self.config["exclude_explores"],
        )
        for stream in self._selected():
            try:
                stream.check()
                stream.plan(extraction)
            except LookerError as error:
                self._unreadable[stream.name] = error
        permissions.plan(extraction, more_fields=self.config["emit_activate_version_messages"])
        return extraction

    @cached_property
    def progress(self) -> Progress:
        """What the run says while it goes on."""
        writer = self.writer
        return progress_for(
            len(self._selected()),
            self.client.calls.by_reader,
            lambda: getattr(writer, "record_count", 0),
        )

    @cached_property
    def _prefetcher(self) -> Prefetcher[list[Row]]:
        streams = self._selected()
        extraction = self.extraction
        is_trial = any(stream.ABORT_AT_RECORD_COUNT is not None for stream in streams)
        return Prefetcher(
            {
                stream.name: partial(_raises, self._unreadable[stream.name])
                if stream.name in self._unreadable
                else partial(_reading, stream, extraction)
                for stream in streams
            },
            ahead=0 if is_trial else 2 * self.config["concurrency"],
            stop=self._stop,
            alone=[stream.name for stream in streams if stream.is_read_alone],
        )

    # For the streams

    @property
    def is_active(self) -> bool:
        """A whole run is under way, in which a stream may fail without ending it."""
        return self._is_active

    def open(self, name: str) -> Iterator[list[Row]]:
        """The pages of a stream, fetched ahead together with those of the streams after it."""
        return self._prefetcher.open(name)

    def check_interrupt(self) -> None:
        """Called between two messages, the only place where a run may end early.

        Raises:
            Interrupted: A signal asked for it.
        """
        if self._stop.is_set():
            raise Interrupted(self._signal)

    def stream_failed(self, name: str, error: Exception) -> None:
        """Note that a stream could not be read whole; outside a whole run, raise."""
        if isinstance(error, Cancelled):
            raise Interrupted(self._signal) from None
        if not self._is_active:
            raise error
        failure = in_words(error)
        # Not the error itself: its traceback would keep alive what the stream held.
        self._failures[name] = _Failure(
            failure.message,
            is_denied=isinstance(failure, DeniedError),
            is_of_all=isinstance(failure, TokenError),
        )
        logger.debug("%s failed.", name, exc_info=error)

    def stream_ended(self, name: str) -> None:
        """Note what came of a stream, in a whole run."""
        if not self._is_active:
            return
        note = failure = ""
        if name in self._failures:
            failure = self._tell(name)
        elif skipped := self.extraction.skipped.get(name):
            note = f"{skipped} skipped"
        self.progress.end(note, failure)

    def has_failed(self, name: str) -> bool:
        """Whether a stream could not be read whole."""
        return name in self._failures

    def sees_all(self, sources: Iterable[str]) -> bool:
        """Whether the API key's user is known to get all rows of these resources."""
        return permissions.sees_all(sources, self._permissions)

    @cached_property
    def _permissions(self) -> set[str] | None:
        return self._in_background(partial(permissions.permissions_in_run, self.extraction))

    def withhold_version(self, name: str, reason: str) -> None:
        """Note why no ACTIVATE_VERSION is sent of a stream that has not failed."""
        self._withheld.setdefault(reason, []).append(name)

    # From start to end

    def sync(self, sync_all: Callable[[], None], state: Mapping[str, Any]) -> None:
        """Sync all selected streams, whatever becomes of each.

        Args:
            sync_all: Of the SDK.
            state: Of the tap, which moves meanwhile.

        Raises:
            IncompleteError: Some could not be read whole; the others were.
            Interrupted: A signal ended the run.
            LoginError: There was no login.
        """
        self._is_active = True
        try:
            self.extraction  # noqa: B018  # what does not fit shows before the login
            if len(self._unreadable) < len(self._selected()):
                self._in_background(self.client.login)
            self._announce_cost()
            self.progress.start()
            sync_all()
            self._end_with_state(state)
            self.writer.flush()
        except (Interrupted, Cancelled):
            try:
                self.writer.write_message(StateMessage(value=dict(state)))
            except (BrokenPipeError, OutputError):
                stdout.drop()
            raise Interrupted(self._signal) from None
        except BrokenPipeError:
            stdout.drop()
            raise LookerError(
                "The target has stopped reading, or never started: see its own messages."
            ) from None
        finally:
            self.progress.close(self._closing())
            failed = self._summarise()
            self.close()
        for failure in self._failures.values():
            if failure.is_of_all:
                raise TokenError(failure.message)
        if failed:
            count = len(self._selected()) - len(self._failures) + len(failed)
            raise IncompleteError(
                f"{len(failed)} of {count} streams could not be read completely (see above): "
                f"{listed(failed)}."
            )

    def close(self) -> None:
        """Read nothing more, log out, and say what the run cost."""
        self._prefetcher.close()
        self.extraction.close()
        for name, count in self.extraction.skipped.items():
            logger.warning("%s: %d item(s) skipped, see the warnings above.", name, count)
        self.client.close()
        calls = self.client.calls.by_billing
        logger.info(
            "Cost: %s.",
            ", ".join(
                f"{calls[billing]} {what}{'' if calls[billing] == 1 else 's'}"
                for billing, what in BILLED_AS.items()
            ),
        )

    def log_out(self) -> None:
        """End the session of the API, if there is one."""
        if "client" in vars(self):
            self.client.close()

    def _end_with_state(self, state: Mapping[str, Any]) -> None:
        """The SDK writes a state that has not changed only once, before the records.

        Targets pass on the last one that comes after them, and some none that came before.
        """
        if self.writer.last_type not in (None, SingerMessageType.STATE):
            self.writer.write_message(StateMessage(value=dict(state)))

    def _announce_cost(self) -> None:
        """Say beforehand which streams cost more calls the more there is."""
        costly = [
            f"{stream.name} (1 call per {stream.cost_per})"
            for stream in self._selected()
            if stream.cost_per and stream.name in BY_NAME
        ]
        if costly:
            logger.info("%s: %s.", COSTLY, ", ".join(costly))

    def _in_background(self, call: Callable[[], T]) -> T:
        """Run a call that may take long where a signal can end the wait for it."""
        (result,) = Prefetcher({"": lambda: iter((call(),))}, 1, self._stop).open("")
        return result

    def _closing(self) -> Iterator[str]:
        """What the run has read, and of which streams the key may have seen a part only."""
        yield self.progress.summary()
        permitted = permissions.known_permissions(self.extraction)
        if permitted is None or "administer" in permitted:
            return
        names = [stream.name for stream in self._selected() if stream.name not in self._failures]
        partial = [name for name in names if not permissions.sees_all_of(name, permitted)]
        if partial:
            yield (
                f"The API key's user is not an admin. These may hold only what that user sees: "
                f"{listed(partial)}."
            )

    def _summarise(self) -> list[str]:
        """The last lines of a run that left something out; which streams failed."""
        for reason, names in self._withheld.items():
            logger.warning("No ACTIVATE_VERSION for %s: %s", listed(names, len(names)), reason)
        for name in self._failures:
            if name not in self._told:
                self._tell(name)
        return [name for name, one in self._failures.items() if not self._is_skipped(one)]

    def _tell(self, name: str) -> str:
        """Say once why a stream could not be read whole; the table has the answer, in a word."""
        self._told.add(name)
        failure = self._failures[name]
        if failure.is_of_all:  # one error of all streams, told at the end
            return "failed"
        message = failure.message
        if failure.is_denied:
            message += f" {self._why_denied(name)}"
        if name == self.progress.current and self.progress.written:
            message += f" It had written {counted(self.progress.written, 'record')}."
        if self._is_skipped(failure):
            logger.warning("Skipped %s: %s", name, message)
            return "skipped"
        logger.error("Failed %s: %s", name, message)
        return "failed"

    def _is_skipped(self, failure: _Failure) -> bool:
        return failure.is_denied and self.config["on_denied"] == "skip"

    def _why_denied(self, name: str) -> str:
        """Looker says 404 both to a missing permission and to what a release does not have."""
        stream = next(one for one in self._selected() if one.name == name)
        release = self._release
        if is_older(release, stream.since):
            return (
                f"This Looker ({release}) may not have it: it is documented from release "
                f"{stream.since} on."
            )
        kind = "" if stream.status == "stable" else f", {stream.status} in the API"
        return (
            f"Either the API key's user may not read it ({stream.permission}), or this instance, "
            f"release {release or 'unknown'}, does not have it{kind}."
        )

    @cached_property
    def _release(self) -> str:
        return "" if self._stop.is_set() else access.release_of(self.client)

    # Signals

    def handle_signals(self) -> None:
        """Take SIGINT and SIGTERM over from the SDK, which would exit with 0."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, self._handle_signal)

    def _handle_signal(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """End soon: at the next whole line, or in a few seconds at any rate."""
        if self._stop.is_set():
            os._exit(128 + signum)
        if not self._is_active:
            raise SystemExit(128 + signum)
        self._signal = signum
        self._stop.set()
        timer = threading.Timer(GRACE, self._give_up)
        timer.daemon = True
        timer.start()

    def _give_up(self) -> None:
        """The main thread hangs in a write to a target that does not read."""
        self.client.close()
        os._exit(128 + self._signal)


def _reading(stream: RunStream, extraction: Extraction) -> Iterator[list[Row]]:
    """The pages of a stream; runs on the thread that reads it, whose calls count for it."""
    READER.set(stream.name)
    return stream.pages(extraction)


def _raises(error: Exception) -> Iterator[Any]:
    raise error
    yield
