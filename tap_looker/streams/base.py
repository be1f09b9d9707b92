"""What all streams share: they read ahead, and they fail alone."""

from __future__ import annotations

import abc
from collections.abc import Generator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import SingerSDKError
from singer_sdk.mapper import RemoveRecordTransform
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, Metadata

from tap_looker.errors import LookerError
from tap_looker.streams import activate_version, instances, maps
from tap_looker.streams.catalog import chosen, mistakes_in_keys, mistakes_in_replication
from tap_looker.streams.sdk import SdkStream
from tap_looker.values import Misfits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk import Tap
    from singer_sdk.mapper import StreamMap
    from singer_sdk.singerlib import Catalog, MetadataMapping

    from tap_looker.looker.response import Row
    from tap_looker.resources.extraction import Extraction
    from tap_looker.resources.fields import Fields
    from tap_looker.run import Run


class LookerStream(SdkStream):
    """A stream of pages of rows, fetched on other threads and written on this one.

    Attributes:
        permission: What the API key's user needs to read all of it, in words.
        status: Of the endpoint: ``stable``, ``beta``, ``alpha`` or ``deprecated``.
        since: First release that is known to have it; "" where all do.
        cost_per: What it costs a call each; "" where the number of calls does not grow with it.
        is_read_alone: Not read ahead while another stream is being written.
    """

    permission: str
    status = "stable"
    since = ""
    cost_per = ""
    is_read_alone = False

    def __init__(
        self, tap: Tap, run: Run, *, name: str, keys: Sequence[str], schema: dict[str, Any]
    ) -> None:
        self.instance: str | None = tap.config.get("instance")
        if self.instance:
            schema = instances.with_column(schema)
        super().__init__(tap, name=name, schema=schema)
        self.primary_keys = self._key(keys)
        self._run = run
        self._pages: Iterator[list[Row]] | None = None
        self._maps: list[StreamMap] | None = None
        self._mistakes: list[str] = []

    @abc.abstractmethod
    def plan(self, extraction: Extraction) -> None:
        """Say what this stream will read: :meth:`Extraction.want`."""

    @abc.abstractmethod
    def pages(self, extraction: Extraction) -> Iterator[list[Row]]:
        """The rows as Looker sent them. Runs on a thread of its own: fetches, emits nothing."""

    def records(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Records of rows; here, where the rows are records already, as they are."""
        return rows

    def why_partial(self, extraction: Extraction) -> str:  # noqa: ARG002
        """Why its rows may not be all that there are, in words; "" where they are."""
        return ""

    def sources(self, extraction: Extraction) -> set[str]:  # noqa: ARG002
        """The resources of whose rows a user may see a part, and so of this stream."""
        return set()

    def misfits(self, keys: Iterable[str], needed: Iterable[str] = (), place: str = "") -> Misfits:
        """What takes note of values that do not fit.

        Args:
            keys: Fields of the primary key, as Looker names them.
            needed: Others that must have a value.
            place: Entry of the settings that may say otherwise what a field holds.
        """
        keys = tuple(keys)
        return Misfits(
            stream=self.name,
            keys=keys,
            needed=frozenset(filter(None, [*keys, *needed])),
            fails=self.config.get("on_misfit") == "fail",
            place=place,
        )

    # What a catalog says

    @property
    def effective_schema(self) -> dict[str, Any]:
        """Its own: a catalog may leave it out."""
        return self.schema

    @property
    def metadata(self) -> MetadataMapping:
        """The SDK's; the column that names the instance cannot be left out."""
        metadata = super().metadata
        if self.instance:
            metadata[instances.CRUMB].inclusion = Metadata.InclusionType.AUTOMATIC
        return metadata

    def _key(self, keys: Sequence[str]) -> list[str]:
        return instances.with_key(keys) if self.instance else list(keys)

    def apply_catalog(self, catalog: Catalog) -> None:
        """Take over selection, keys and replication, and note what is wrong with them."""
        own_key, own_keys = self.replication_key, list(self.primary_keys)
        super().apply_catalog(catalog)
        entry = catalog.get_stream(self.name)
        if entry is None:
            return
        root = entry.metadata.root
        given = (root.table_key_properties, entry.key_properties)
        keys = chosen(own_keys, (None if one is None else self._key(one) for one in given))
        self.primary_keys = own_keys if keys is None else keys
        if not self.instance and instances.COLUMN in self.primary_keys:
            self._mistakes.append(instances.UNNAMED)
        self.replication_key = chosen(own_key, (root.replication_key, entry.replication_key))
        method = entry.replication_method and entry.replication_method.upper()
        self.forced_replication_method = method
        self._mistakes += self._tap.catalog_mistakes.get(self.name, ())  # type: ignore[attr-defined]
        if self._mistakes or not self.selected:
            return
        selected = [name for name in self.schema["properties"] if self.mask["properties", name]]
        self._mistakes += [
            *mistakes_in_keys(self.schema, selected, self.primary_keys),
            *self.mistakes_in_replication(own_key, selected),
        ]
        if self._mistakes:
            self.replication_key = self.forced_replication_method = None

    def mistakes_in_replication(
        self,
        own_key: str | None,  # noqa: ARG002
        selected: list[str],
    ) -> list[str]:
        """What is wrong with the replication that a catalog asks for.

        Args:
            own_key: The replication key that the stream has without a catalog.
            selected: Its selected properties.
        """
        method = self.forced_replication_method
        return [*mistakes_in_replication(self.schema, selected, self.replication_key, method)]

    def check(self) -> None:
        """Whether it can be read as the catalog wants it.

        Raises:
            LookerError: It cannot.
        """
        if self._mistakes:
            raise LookerError(f"In the catalog: {'; '.join(self._mistakes)}.")

    # Selection

    @property
    def own_properties(self) -> dict[str, Any]:
        """The properties that come from Looker."""
        properties: dict[str, Any] = self.schema["properties"]
        return instances.without_column(properties) if self.instance else properties

    def selected_fields(self, *, all_named: bool) -> Fields | None:
        """The properties to ask for; None when that is all of them.

        Args:
            all_named: Name them even so.
        """
        properties = self.own_properties
        fields = self._selected(properties, ())
        complete = dict.fromkeys(properties)
        return fields if all_named or fields != complete else None

    def _selected(self, properties: dict[str, Any], breadcrumb: tuple[str, ...]) -> Fields:
        fields: Fields = {}
        for name, schema in properties.items():
            crumb = (*breadcrumb, "properties", name)
            if not self.mask[crumb]:
                continue
            below = schema.get("properties")
            chosen = self._selected(below, crumb) if below else None
            fields[name] = None if chosen == dict.fromkeys(below or {}) else chosen
        return fields

    @property
    def stream_maps(self) -> list[StreamMap]:
        """The maps of the settings, made of the selected properties when they are first needed.

        Raises:
            SettingsError: A map does not fit the stream.
        """
        if self._maps is None:
            schema = self.selected_schema(self.schema, ())
            self._maps = maps.make_maps(self._tap.mapper, self.name, schema, self.primary_keys)
        return self._maps

    @property
    def tables(self) -> set[str]:
        """The names by which targets know the stream."""
        return {
            one.stream_alias
            for one in self.stream_maps
            if not isinstance(one, RemoveRecordTransform)
        }

    def in_same_tables(self) -> list[str]:
        """The other streams of the run that stream maps give the same name."""
        tables = self.tables
        return [
            other.name
            for other in self._tap.selected_streams()  # type: ignore[attr-defined]
            if other is not self and not tables.isdisjoint(other.tables)
        ]

    def map_failed(self, position: int, record: Row, error: Exception) -> LookerError:
        """What is wrong with one of the stream's maps, which does not do on a record."""
        of_settings = self.config.get("stream_maps") or {}
        one = self.stream_maps[position]
        return maps.failure(of_settings, self.name, position, one, record, error)

    def selected_schema(
        self, schema: dict[str, Any], breadcrumb: tuple[str, ...]
    ) -> dict[str, Any]:
        """A schema without the properties that are not selected."""
        if "properties" not in schema:
            return schema
        crumbs = {name: (*breadcrumb, "properties", name) for name in schema["properties"]}
        properties = {
            name: self.selected_schema(schema["properties"][name], crumb)
            for name, crumb in crumbs.items()
            if self.mask[crumb]
        }
        return {**schema, "properties": properties}

    # Syncing

    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:  # noqa: ARG002
        """Records in the order of their pages."""
        named = {instances.COLUMN: self.instance} if self.instance else None
        for record in self.records(self._rows()):
            self._run.check_interrupt()
            yield {**named, **record} if named else record
        self._run.check_interrupt()

    def _rows(self) -> Iterator[Row]:
        for page in self._pages or self._run.open(self.name):
            self.time_extracted = datetime.now(UTC)
            page.reverse()
            while page:  # whoever else still knows the page, its rows are gone with their records
                yield page.pop()
            self._run.writer.flush()
            if self.replication_key:
                self._run.progress.position = self.stream_state.get("replication_key_value")

    def has_first_answer(self) -> bool:
        """Wait for it: a target that overwrites drops its table when it sees a SCHEMA.

        Outside a run nothing is asked for, and the SCHEMA is written.
        """
        if not self._run.is_active:
            return True
        self._run.progress.begin(self.name)
        pages = self._run.open(self.name)
        try:
            first = next(pages, None)
        except Exception as error:  # noqa: BLE001
            self.will_fail(error)
            return False
        self._pages = _chained(first, pages)
        if self.instance:
            self.stream_state[instances.COLUMN] = self.instance
        self._begin_version()
        return True

    def _begin_version(self) -> None:
        is_wanted = self.config["emit_activate_version_messages"]
        if is_wanted and self.replication_method == REPLICATION_FULL_TABLE:
            state = self.stream_state
            state["version"] = self.begin_version(state.get("version"))

    def sync_succeeded(self) -> None:
        """Let targets delete what is gone, where nothing else can be missing."""
        if self.version is None:
            return
        if reason := self._why_withheld():
            self._run.withhold_version(self.name, reason)
        else:
            self.activate_version()

    def _why_withheld(self) -> str:
        extraction = self._run.extraction

        def sees_all() -> bool:
            sources = self.sources(extraction)
            return not sources or self._run.sees_all(sources)

        return activate_version.why_withheld(
            why_partial=self.why_partial(extraction),
            in_same_tables=self.in_same_tables(),
            has_instance=bool(self.instance),
            sees_all=sees_all,
            allowed=self.config[activate_version.ANYWAY],
        )

    def will_fail(self, error: Exception) -> None:
        """Fail when the records are asked for."""
        self._pages = _raises(error)

    def sync_failed(self, error: Exception) -> None:
        """Keep the other streams going."""
        if isinstance(error, SingerSDKError):
            error = LookerError(f"{str(error).rstrip('.')}.")
        self._run.stream_failed(self.name, error)

    def sync_ended(self) -> None:
        """Read nothing ahead for nobody: it would hold on to its connection."""
        pages, self._pages = self._pages, None
        if isinstance(pages, Generator):
            pages.close()
        self._run.stream_ended(self.name)

    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """Promote no bookmark of a stream that was not read whole."""
        if not self._run.has_failed(self.name):
            super().finalize_state_progress_markers(state)

    # What the SDK would do, and streams here do not

    def generate_child_contexts(self, record: Row, context: Any) -> Iterable[Any]:  # noqa: ARG002
        """None: there are no child streams."""
        return ()

    def get_batch_config(self, config: Any) -> None:  # noqa: ARG002
        """None: the SDK's BATCH messages ignore deselection and stream maps."""
        return

    @property
    def emit_activate_version_messages(self) -> bool:
        """Not by the SDK, which sends them first: a target would delete what a failure leaves out.

        See :meth:`sync_succeeded`.
        """
        return False


def _raises(error: Exception) -> Iterator[Any]:
    raise error
    yield


def _chained(first: list[Row] | None, rest: Iterator[list[Row]]) -> Iterator[list[Row]]:
    if first is not None:
        yield first
        del first
        yield from rest
