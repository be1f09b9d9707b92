"""What all streams share: they read ahead, and they fail alone."""

from __future__ import annotations

import abc
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from singer_sdk.exceptions import AbortedSyncFailedException, AbortedSyncPausedException
from singer_sdk.helpers._util import utc_now
from singer_sdk.singerlib import RecordMessage

from tap_looker.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_looker.client import Row
    from tap_looker.sources import Fields, Sources
    from tap_looker.tap import TapLooker

PASSED_ON = (
    Interrupted,
    BrokenPipeError,
    AbortedSyncFailedException,
    AbortedSyncPausedException,
)


class LookerStream(Stream, abc.ABC):
    """A stream of pages of rows, fetched on other threads and written on this one.

    Attributes:
        permission: What the API key's user needs to read all of it, in words.
        status: Of the endpoint: ``stable``, ``beta`` or ``alpha``.
        per: What it costs a call each; "" where the number of calls does not grow with it.
        alone: Not read ahead while another stream is being written.
    """

    _tap: TapLooker

    permission: str
    status = "stable"
    per = ""
    alone = False

    def __init__(
        self, tap: TapLooker, *, name: str, keys: Sequence[str], schema: dict[str, Any]
    ) -> None:
        super().__init__(tap, name=name, schema=schema)
        self.primary_keys = keys
        self._pages: Iterator[list[Row]] = iter(())
        self._extracted = utc_now()

    @abc.abstractmethod
    def plan(self, sources: Sources) -> None:
        """Say what this stream will read: :meth:`Sources.want`."""

    @abc.abstractmethod
    def pages(self, sources: Sources) -> Iterator[list[Row]]:
        """The rows as Looker sent them. Runs on a thread of its own: fetches, emits nothing."""

    def selected_fields(self, *, all_named: bool) -> Fields | None:
        """The properties to ask for; None when that is all of them.

        Args:
            all_named: Name them even so.
        """
        fields = self._selected(self.schema["properties"], ())
        complete = _tree(self.schema["properties"])
        return fields if all_named or fields != complete else None

    def _selected(self, properties: dict[str, Any], breadcrumb: tuple[str, ...]) -> Fields:
        fields: Fields = {}
        for name, schema in properties.items():
            crumb = (*breadcrumb, "properties", name)
            if not self.mask[crumb]:
                continue
            below = schema.get("properties")
            chosen = self._selected(below, crumb) if below else None
            fields[name] = None if chosen == _tree(below or {}) else chosen
        return fields

    def shaped(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Records of rows; here, where the rows are records already, as they are."""
        return rows

    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:  # noqa: ARG002
        """Records in the order of their pages."""
        for record in self.shaped(self._rows()):
            self._tap.check_interrupt()
            yield record
        self._tap.check_interrupt()

    def _rows(self) -> Iterator[Row]:
        for page in self._pages:
            self._extracted = utc_now()
            page.reverse()
            while page:  # whoever else still knows the page, its rows are gone with their records
                yield page.pop()
            self._tap.message_writer.flush()

    def _process_record(
        self, record: Row, child_context: Any = None, partition_context: Any = None
    ) -> None:
        """Nothing: there are no child streams and no partitions, which the SDK does this for."""

    def _generate_record_messages(self, record: Row) -> Generator[RecordMessage, None, None]:
        """As the SDK's, less what is done: records hold what is selected, with the right types."""
        for stream_map in self.stream_maps:
            mapped = stream_map.transform(record)
            if mapped is not None:
                yield RecordMessage(
                    stream=stream_map.stream_alias, record=mapped, time_extracted=self._extracted
                )

    def _write_schema_message(self) -> None:
        """Write the SCHEMA once a first answer is there: a failure must not look like emptiness.

        A target that overwrites drops its table when it sees a SCHEMA.
        """
        pages = self._tap.open(self)
        try:
            first = next(pages, None)
        except Exception as error:  # noqa: BLE001
            self._pages = _raises(error)
            return
        self._pages = _chained(first, pages)
        super()._write_schema_message()

    def _sync_records(
        self, context: Any = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        """Sync, and keep the other streams going if this one cannot be read."""
        try:
            yield from super()._sync_records(context, write_messages=write_messages)
        except PASSED_ON:
            raise
        except Exception as error:  # noqa: BLE001
            self._tap.stream_failed(self, error)
            self._write_state_message()  # of an incremental stream: up to what was written
        finally:
            pages, self._pages = self._pages, iter(())
            if isinstance(pages, Generator):
                pages.close()  # what is read ahead for nobody would hold on to its connection

    def get_batch_config(self, config: Any) -> None:  # noqa: ARG002
        """None: the SDK's BATCH messages ignore deselection and stream maps."""
        return

    @property
    def emit_activate_version_messages(self) -> bool:
        """No: the SDK sends them first, and a target would delete what a failure did not read."""
        return False

    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """Promote no bookmark of a stream that was not read whole."""
        if not self._tap.has_failed(self):
            super().finalize_state_progress_markers(state)


def _tree(properties: dict[str, Any]) -> Fields:
    return dict.fromkeys(properties)


def _raises(error: Exception) -> Iterator[Any]:
    raise error
    yield


def _chained(first: list[Row] | None, rest: Iterator[list[Row]]) -> Iterator[list[Row]]:
    if first is not None:
        yield first
        del first
        yield from rest
