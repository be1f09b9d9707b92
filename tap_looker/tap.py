"""TapLooker: the streams that exist, the client they share, and the end of a run."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar

import click
from dotenv import find_dotenv
from singer_sdk import Stream, Tap
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.singerlib import StateMessage
from singer_sdk.singerlib.encoding.base import SingerMessageType

from tap_looker import settings
from tap_looker.access import as_dict, as_text, report
from tap_looker.activity import ACTIVITIES
from tap_looker.client import LookerClient
from tap_looker.errors import (
    DeniedError,
    IncompleteError,
    Interrupted,
    LookerError,
    SettingsError,
)
from tap_looker.files import JsonFile
from tap_looker.hiding import hide
from tap_looker.prefetch import Lanes, Stopped
from tap_looker.resources import RESOURCES
from tap_looker.sources import Sources
from tap_looker.streams import ActivityStream, ResourceStream, mistakes_in, own_streams
from tap_looker.writer import Writer

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from tap_looker.client import Row
    from tap_looker.streams.base import LookerStream

GRACE = 5.0  # seconds that an interrupted run may take to end by itself
BILLED_AS = {"non_query": "admin call", "db_query": "query call", "login": "login"}


class TapLooker(Tap):
    """Singer tap for Looker: users, content, LookML and queries of an instance, from API 4.0."""

    name = "tap-looker"
    config_jsonschema: ClassVar[dict[str, Any]] = settings.SCHEMA
    message_writer_class = Writer
    message_writer: Writer
    # Not BATCH, which ignores deselection, nor ACTIVATE_VERSION, which the SDK sends before the
    # records: a target would delete what a failing stream did not read.
    capabilities: ClassVar[list[Any]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._stop = threading.Event()
        self._signal = 0
        self._syncing = False
        self._failures: dict[str, Exception] = {}
        self._mistakes: list[str] = []
        super().__init__(*args, **kwargs)

    # Settings

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805
        cls.append_builtin_config(cls.config_jsonschema)
        return settings.from_environment(
            cls.config_jsonschema, cls._env_var_prefix, find_dotenv(usecwd=True)
        )

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        self.append_builtin_config(self.config_jsonschema)
        errors = settings.prepare(self._config, self.config_jsonschema)
        self._config_errors = errors
        if not errors:
            self._mistakes = errors = mistakes_in(self._config)
        if errors and raise_errors:
            raise SettingsError(errors)
        return errors

    # What the streams of a run share

    @cached_property
    def client(self) -> LookerClient:
        """The one client of the run; from here on no log line shows its secrets."""
        client = LookerClient(
            self.config["api_host_url"],
            self.config["client_id"],
            self.config["client_secret"],
            concurrency=self.config["concurrency"],
            timeout=self.config["request_timeout"],
            user_agent=self.config["user_agent"] or f"{self.name}/{self.plugin_version}",
            ca_bundle=self.config["ca_bundle"],
            max_calls=self.config.get("max_calls"),
            stop=self._stop,
        )
        hide(client.secrets)
        return client

    @cached_property
    def sources(self) -> Sources:
        """What the selected streams read."""
        sources = Sources(
            self.client,
            page_size=self.config["page_size"],
            include_deleted=self.config["include_deleted"],
            folder_ids=self.config["folder_ids"],
            models=self.config["models"],
        )
        for stream in self._selected_streams():
            stream.plan(sources)
        return sources

    @cached_property
    def _lanes(self) -> Lanes[list[Row]]:
        streams = self._selected_streams()
        trial = any(stream.ABORT_AT_RECORD_COUNT is not None for stream in streams)
        return Lanes(
            {stream.name: partial(stream.pages, self.sources) for stream in streams},
            ahead=0 if trial else 2 * self.config["concurrency"],
            stop=self._stop,
            alone=[stream.name for stream in streams if stream.alone],
        )

    def _selected_streams(self) -> list[LookerStream]:
        return [stream for stream in self.streams.values() if stream.selected]  # type: ignore[misc]

    def open(self, stream: LookerStream) -> Iterator[list[Row]]:
        """The pages of a stream, fetched ahead together with those of the streams after it."""
        return self._lanes.open(stream.name)

    # Streams

    def discover_streams(self) -> Sequence[Stream]:
        """Every resource of the table, System Activity, and what the settings add."""
        streams: dict[str, Stream] = {
            **{one.name: ResourceStream(self, one) for one in RESOURCES},
            **{one.name: ActivityStream(self, one) for one in ACTIVITIES},
        }
        if any(self.config.get(setting) for setting in ("looks", "queries", "system_activity")):
            if self._config_errors:
                raise SettingsError(self._config_errors)
            own, mistakes = own_streams(self)
            self._mistakes = [*self._mistakes, *mistakes]
            streams |= {stream.name: stream for stream in own}
        return list(streams.values())

    def run_discovery(self) -> str:
        """Print the catalog, unless the settings ask for what the instance does not have.

        Raises:
            SettingsError: All that is wrong with them.
        """
        try:
            self.streams  # noqa: B018
            if self._mistakes:
                raise SettingsError(self._mistakes)
            return super().run_discovery()
        finally:
            if "client" in vars(self):
                self.client.close()

    @classmethod
    def print_about(cls, output_format: str | None = None) -> None:
        """Explain the settings too, which the SDK's plain format only names."""
        super().print_about(output_format or "markdown")

    def write_schemas(self) -> None:  # type: ignore[misc]
        """Write the SCHEMA of every stream (``--test=schema``), and ask Looker for nothing."""
        for stream in self.streams.values():
            stream.selected = True
            Stream._write_schema_message(stream)  # noqa: SLF001

    # The command

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The SDK's command, with an option of our own."""
        command = super().get_singer_command()
        for option in command.params:
            if option.name in ("config", "catalog", "state"):
                option.type = JsonFile()
        command.params.append(
            click.Option(
                ["--access"],
                is_flag=False,
                flag_value="text",
                default=None,
                type=click.Choice(["text", "json"]),
                help="Tell what the API key may read and what a run would cost, and read nothing.",
            )
        )
        return command

    @classmethod
    def invoke(cls, *, access: str | None = None, **options: Any) -> None:
        """Run the command.

        Args:
            access: Print the access report in this format, in place of a run.
            options: Those of the SDK's command.
        """
        if access is None:
            super().invoke(**options)
            return
        config, catalog = options["config"], options["catalog"]
        tap = cls(
            config=config.config,
            parse_env_config=config.parse_env,
            catalog=json.load(catalog) if catalog else None,
        )
        tap.print_access(access)

    def print_access(self, output_format: str) -> None:
        """Print what the API key may read, and what a run of the selected streams would cost.

        Args:
            output_format: ``text`` or ``json``.
        """
        try:
            found = report(
                self.client,
                {stream.name for stream in self._selected_streams()},
                self.sources.wanted,
                page_size=self.config["page_size"],
                include_deleted=self.config["include_deleted"],
            )
        finally:
            self.client.close()
        as_json = output_format == "json"
        print(json.dumps(as_dict(found), indent=2) if as_json else as_text(found))  # noqa: T201

    def run_connection_test(self) -> bool:  # type: ignore[misc]
        """Read one record of every stream (``--test``), and log out.

        Raises:
            LookerError: The first stream that cannot be read.
        """
        try:
            return super().run_connection_test()
        finally:
            self.message_writer.flush()
            self._lanes.close()
            self.sources.close()
            self.client.close()

    # A run and its end

    def sync_all(self) -> None:  # type: ignore[misc]
        """Sync all selected streams, whatever becomes of each.

        Raises:
            IncompleteError: Some could not be read whole; the others were.
            Interrupted: A signal ended the run.
            LoginError: There was no login.
        """
        self._syncing = True
        try:
            self.sources  # noqa: B018  # a catalog that does not fit shows before the login
            self._in_background(self.client.login)
            self._announce_cost()
            super().sync_all()
            self._end_with_state()
            self.message_writer.flush()
        except (Interrupted, Stopped):
            try:
                self._state_writer.write_state(self.state)
            except BrokenPipeError:
                _drop_output()
            raise Interrupted(self._signal) from None
        except BrokenPipeError:
            _drop_output()
            raise LookerError("The target has stopped reading: see its own messages.") from None
        finally:
            failed = self._sum_up()
            self._close()
        if failed:
            read = len(self._selected_streams()) - len(self._failures)
            raise IncompleteError(
                f"{failed} stream(s) could not be read whole, {read} were: see the lines above."
            )

    def _end_with_state(self) -> None:
        """The SDK writes a state that has not changed only once, before the records.

        Targets pass on the last one that comes after them, and some none that came before.
        """
        if self.message_writer.last_type not in (None, SingerMessageType.STATE):
            self.message_writer.write_message(StateMessage(value=self.state))

    def _announce_cost(self) -> None:
        """Say beforehand which streams cost more calls the more there is."""
        costly = [
            f"{stream.name} (1 call per {stream.per})"
            for stream in self._selected_streams()
            if stream.per
        ]
        if costly:
            self.logger.info("Streams that are asked for one by one: %s.", ", ".join(costly))

    def _in_background(self, call: Any) -> None:
        """Run a call that may take long where a signal can end the wait for it."""
        for _ in Lanes({"": lambda: iter((call(),))}, 1, self._stop).open(""):
            pass

    def check_interrupt(self) -> None:
        """Called between two messages, the only place where a run may end early.

        Raises:
            Interrupted: A signal asked for it.
        """
        if self._stop.is_set():
            raise Interrupted(self._signal)

    def stream_failed(self, stream: LookerStream, error: Exception) -> None:
        """Note that a stream could not be read whole; outside a whole run, raise."""
        if isinstance(error, Stopped):
            raise Interrupted(self._signal) from None
        if not self._syncing:
            raise error
        if isinstance(error, RecursionError):
            error = LookerError("An answer is nested too deep.")
        self._failures[stream.name] = error
        expected = isinstance(error, LookerError)
        self.logger.warning(
            "%s could not be read whole; going on with the other streams.",
            stream.name,
            exc_info=error if not expected or self.logger.isEnabledFor(logging.DEBUG) else None,
        )

    def has_failed(self, stream: LookerStream) -> bool:
        """Whether the stream could not be read whole."""
        return stream.name in self._failures

    def _sum_up(self) -> int:
        """The last lines of a run that left something out; how many streams failed."""
        failed = 0
        for name, error in self._failures.items():
            message = error.message if isinstance(error, LookerError) else repr(error)
            denied = isinstance(error, DeniedError)
            if denied:
                message += f" {self._why_denied(name)}"
            if denied and self.config["on_denied"] == "skip":
                self.logger.warning("Skipped %s: %s", name, message)
            else:
                failed += 1
                self.logger.error("Failed %s: %s", name, message)
        return failed

    def _why_denied(self, name: str) -> str:
        """Looker says 404 to a lack of permission, and to what a release does not have."""
        stream: LookerStream = self.streams[name]  # type: ignore[assignment]
        kind = "" if stream.status == "stable" else f", {stream.status} in the API"
        return (
            f"Either the API key's user may not read it ({stream.permission}), or this instance, "
            f"release {self._release}, does not have it{kind}."
        )

    @cached_property
    def _release(self) -> str:
        if self._stop.is_set():
            return "unknown"
        try:
            versions = self.client.get("/versions", activity="none").data
            return str(versions["looker_release_version"])
        except (LookerError, LookupError, TypeError, Stopped):
            return "unknown"

    def _close(self) -> None:
        self._lanes.close()
        self.sources.close()
        skipped: Counter[str] = self.sources.skipped
        for name, count in skipped.items():
            self.logger.warning("%s: %d item(s) skipped, see the warnings above.", name, count)
        self.client.close()
        calls = self.client.calls
        self.logger.info(
            "Cost: %s.",
            ", ".join(
                f"{calls[activity]} {what}{'' if calls[activity] == 1 else 's'}"
                for activity, what in BILLED_AS.items()
            ),
        )

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """End soon: at the next whole line, or in a few seconds at any rate."""
        if self._stop.is_set():
            os._exit(128 + signum)
        if not self._syncing:
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


def _drop_output() -> None:
    """What still waits in the buffer has nowhere to go: the interpreter must not try at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
