"""TapLooker: settings, streams and capabilities."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, ClassVar

from dotenv import find_dotenv
from singer_sdk import Stream, Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.singerlib import Catalog

from tap_looker import cli, selection, settings, stdout
from tap_looker.errors import LookerError, SettingsError, listed
from tap_looker.queries.definitions import SETTINGS
from tap_looker.resources.rest_streams import RESOURCES
from tap_looker.run import Run
from tap_looker.settings_schema import CREDENTIALS, SCHEMA
from tap_looker.streams import (
    CheckedCatalog,
    CountingWriter,
    ResourceStream,
    Writer,
    activity_streams,
    check_catalog,
    configured_names,
    configured_streams,
    entries_of,
    instances,
    mistakes_in_maps,
    own_entries,
    unknown_properties,
    unmatched,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import click

    from tap_looker.streams.base import LookerStream


ENVIRONMENT_PREFIX = "TAP_LOOKER_"


class TapLooker(Tap):
    """Singer tap for Looker: users, content, LookML and queries of an instance, from API 4.0."""

    name = "tap-looker"
    package_name = "lookout-tap-looker"
    config_jsonschema: ClassVar[dict[str, Any]] = SCHEMA
    message_writer_class = Writer
    # Not BATCH, which ignores deselection.
    capabilities: ClassVar[list[Any]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        TapCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(
        self,
        *,
        config: Mapping[str, Any] | None = None,
        parse_env_config: bool = False,
        validate_config: bool = True,
        message_writer: Writer | None = None,
        catalog: Any = None,
        **options: Any,
    ) -> None:
        self.append_builtin_config(self.config_jsonschema)
        found = dict(config or {})
        environment = (self.config_jsonschema, ENVIRONMENT_PREFIX, find_dotenv(usecwd=True))
        selected = found.pop(cli.SELECT, None)
        if parse_env_config:
            found |= settings.from_environment(*environment)
        if selected is not None:
            found["select"] = selected
        self.config_errors = settings.prepare(found, self.config_jsonschema)
        is_complete = all(found.get(name) for name in CREDENTIALS)
        if not validate_config and (wrong := self.config_errors[not is_complete :]):
            raise SettingsError(wrong)  # --list and --discover do without credentials alone
        if not parse_env_config and not is_complete:
            self.config_errors += settings.not_read(*environment)
        self._entries, self._mistakes = own_entries({} if self.config_errors else found)
        if validate_config:
            mistakes = self.config_errors or [
                *self._mistakes,
                *mistakes_in_maps(found.get("stream_maps") or {}),
            ]
            if mistakes:
                raise SettingsError(mistakes)
        writer = message_writer or Writer()
        self._discovers = False
        self.run = Run(
            found,
            found.get("user_agent") or f"{self.name}/{self.plugin_version}",
            self.selected_streams,
            writer,
        )
        if isinstance(catalog, Mapping) and not isinstance(catalog, Catalog):
            self._checked = check_catalog(catalog)
        else:
            self._checked = CheckedCatalog(catalog)
        # All of it was checked above, with messages that name the setting and hide its value.
        self.config_jsonschema = {}  # type: ignore[misc]
        super().__init__(
            config=found,
            parse_env_config=False,
            validate_config=False,
            message_writer=writer,
            catalog=self._checked.catalog,
            **options,
        )
        self.run.handle_signals()

    def setup_mapper(self) -> None:
        """Make no stream maps yet: the SDK's fail for streams that are not selected.

        Raises:
            SettingsError: Flattening lacks its depth.
        """
        try:
            super(Tap, self).setup_mapper()
        except ConfigValidationError as error:
            raise SettingsError([f"Setting {mistake}." for mistake in error.errors]) from None

    @property
    def catalog_mistakes(self) -> Mapping[str, Sequence[str]]:
        """What is wrong with the entries of the catalog, by stream."""
        return self._checked.mistakes

    def warn_of_unknown(self) -> None:
        """Say what the catalog and the state name, and what does not exist."""
        warn = self.logger.warning
        added: dict[str, str] = {}
        if self.input_catalog is not None:
            if self.config.get("select"):
                warn("The setting select is ignored: the catalog says which streams are read.")
            entries = self.input_catalog
            added = {
                name: where
                for name, where in configured_names(self._entries).items()
                if name not in entries
            }
            unknown = [
                name
                for name, entry in entries.items()
                if name not in self.streams and entry.metadata.resolve_selection()[()]
            ]
            properties = [
                one
                for stream in self.selected_streams()
                if stream.name in entries and stream.name not in self.catalog_mistakes
                for one in unknown_properties(entries[stream.name], stream.schema)
            ]
            if self._checked.contradicted:
                warn(
                    'The catalog has "selected" inside and outside of metadata, and they '
                    "differ. The one outside counts: %s.",
                    listed(self._checked.contradicted),
                )
            if unknown:
                warn("The catalog selects streams that do not exist: %s.", listed(unknown))
            if added:
                warn(
                    "Streams in the settings are missing from the catalog and are not read: %s. "
                    "Run --discover again.",
                    listed(f"{name} ({where})" for name, where in added.items()),
                )
            if properties:
                warn("The catalog names properties that do not exist: %s.", listed(properties))
        known = self.state.get("bookmarks", {}).values()
        named = {str(one[instances.COLUMN]) for one in known if instances.COLUMN in one}
        for other in sorted(named - {self.config.get("instance")}):
            warn("The state was written for another instance (%s).", other)
        bookmarks = self.state.get("bookmarks", {}).keys() - self.streams.keys() - added.keys()
        if bookmarks:
            warn(
                "The state has bookmarks of streams that do not exist: %s.",
                listed(sorted(bookmarks)),
            )

    def check_selection(self) -> None:
        """A run that reads nothing was hardly wanted.

        Raises:
            LookerError: No stream is selected.
        """
        if not self.selected_streams():
            if self.input_catalog is None:
                raise LookerError("Setting select leaves no stream to read.")
            raise LookerError(
                'The catalog selects no stream that exists: put "selected": true into the metadata '
                "of those to read, where breadcrumb is []."
            )

    def check_stream_maps(self, streams: Iterable[Stream]) -> None:
        """Make the maps of these streams.

        Raises:
            SettingsError: All that is wrong with them.
        """
        unknown = unmatched(self.config.get("stream_maps") or {}, self.streams)
        if unknown:
            self.logger.warning("stream_maps names streams that do not exist: %s.", listed(unknown))
        errors: list[str] = []
        for stream in streams:
            try:
                stream.stream_maps  # noqa: B018
            except SettingsError as error:
                errors += error.errors
        if errors:
            raise SettingsError(errors)

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over bookmarks, without what other taps and runs that broke off leave in them."""
        super().load_state(state)
        for bookmark in self.state.get("bookmarks", {}).values():
            for name in ("partitions", "progress_markers", "replication_key_signpost"):
                bookmark.pop(name, None)

    def selected_streams(self) -> list[LookerStream]:
        """The streams that a run reads, in their order."""
        return [stream for stream in self.streams.values() if stream.selected]  # type: ignore[misc]

    def discover_streams(self) -> Sequence[Stream]:
        """Every resource of the table, System Activity, and what the settings add."""
        self.run.handle_signals()
        streams: dict[str, Stream] = {
            **{one.name: ResourceStream(self, self.run, one) for one in RESOURCES},
            **{one.name: one for one in activity_streams(self, self.run)},
        }
        has_own = any(self.config.get(setting) for setting in SETTINGS)
        if has_own and self.config_errors:
            raise SettingsError(self.config_errors)
        chosen = self._chosen(streams)
        if has_own:
            wanted = self._entries  # those that are not cost calls, and may be broken
            if chosen is not None and not self._discovers:
                wanted = entries_of(wanted, chosen)
            own, mistakes = configured_streams(self, self.run, wanted)
            self._mistakes = [*self._mistakes, *mistakes]
            streams |= {stream.name: stream for stream in own}
        for stream in streams.values():
            if chosen is not None:
                stream.selected_by_default = stream.name in chosen
        return list(streams.values())

    def _chosen(self, streams: Mapping[str, Stream]) -> set[str] | None:
        """The streams that the setting select names; None without it.

        Raises:
            SettingsError: It names what does not exist.
        """
        patterns = self.config.get("select")
        if not patterns:
            return None
        own = configured_names(self._entries)
        default = [stream.name for stream in streams.values() if stream.selected_by_default]
        return selection.matching(patterns, [*streams, *own], [*default, *own])

    def run_discovery(self) -> str:
        """Print the catalog, unless the settings ask for what the instance does not have.

        Raises:
            SettingsError: All that is wrong with them.
        """
        self._discovers = True
        try:
            self.streams  # noqa: B018
            if self._mistakes:
                raise SettingsError(self._mistakes)
            catalog = self.catalog_json_text
            stdout.say(catalog)
            return catalog
        finally:
            self.run.log_out()

    @classmethod
    def print_about(cls, output_format: str | None = None) -> None:
        """Explain the settings too, which the SDK's plain format only names."""
        with redirect_stdout(io.StringIO()) as printed:
            super().print_about(output_format or "markdown")
        stdout.say(printed.getvalue().removesuffix("\n"))

    @classmethod
    def cb_config(
        cls,
        ctx: click.Context,
        param: click.Option,  # noqa: ARG003
        value: tuple[Any, ...],
    ) -> Any:
        """``--config``: files that were read, and ``ENV``."""
        return cli.Config.of(ctx, value)

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The SDK's command, with an option and errors of our own."""
        return cli.command(super().get_singer_command())

    @classmethod
    def invoke(
        cls, *, access: str | None = None, list_streams: bool = False, **options: Any
    ) -> None:
        """Run the command.

        Args:
            list_streams: List the streams, in place of a run.
            access: Print the access report in this format, in place of a run.
            options: Those of the SDK's command.
        """
        if options.get("about"):
            super().invoke(**options)
        if list_streams:
            cls._list(**options)
            return
        cls.print_version(print_fn=cls.logger.info)
        tap = cls.from_options(**options)
        tap.warn_of_unknown()
        if access:
            cli.print_access(tap.run, {stream.name for stream in tap.selected_streams()}, access)
        else:
            tap.check_selection()
            tap.check_stream_maps(tap.selected_streams())
            tap.run.sync(tap.sync_all, tap.state)

    @classmethod
    def _list(cls, **options: Any) -> None:
        tap = cls.from_options(**options, validate_config=False)
        selected = {stream.name for stream in tap.selected_streams()}
        page_size = tap.config.get("page_size") or SCHEMA["properties"]["page_size"]["default"]
        stdout.say(selection.as_text(tap.streams, selected, page_size))
        tap.run.log_out()

    @classmethod
    def cb_test(
        cls,
        ctx: click.Context,
        param: click.Option,  # noqa: ARG003
        value: str,
    ) -> None:
        """``--test``: read one record of every stream, or write every SCHEMA; then log out.

        Raises:
            LookerError: The first stream that cannot be read.
        """
        if value == "disabled":
            return
        writer = CountingWriter()
        tap = cls.from_options(ctx.params.get("config"), message_writer=writer)
        try:
            if tap.config.get("select"):  # else all: the SDK selects what there is
                for name in tap.streams.keys() - {one.name for one in tap.selected_streams()}:
                    del tap.streams[name]
            for stream in tap.streams.values():
                stream.selected = True
            tap.check_stream_maps(tap.streams.values())
            if value == "schema":
                tap.write_schemas()
            else:
                tap.run_connection_test()
                writer.flush()
        finally:
            if value == "schema":
                tap.run.log_out()
            else:
                tap.run.close()
        if value == "all":
            names = [one.stream_alias for own in tap.streams.values() for one in own.stream_maps]
            cls.logger.info("Test passed: %s.", cli.told(names, writer.records))
        ctx.exit()

    @classmethod
    def from_options(
        cls,
        config: Any = None,
        catalog: Any = None,
        state: Any = None,
        message_writer: Writer | None = None,
        *,
        validate_config: bool = True,
        **_: Any,
    ) -> TapLooker:
        """A tap from the values of the command's options."""
        return cls(
            validate_config=validate_config,
            config=config.config if config else {},
            parse_env_config=bool(config and config.parse_env),
            catalog=catalog,
            state=state,
            message_writer=message_writer,
        )
