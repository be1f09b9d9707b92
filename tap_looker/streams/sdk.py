"""Every private joint of the SDK that the streams hang on, in one place.

``tests/test_sdk_joints.py`` names each of them, so that a new SDK fails there first. The SDK writes
a stream's SCHEMA before it asks for anything, ends the whole run on the first error, and shapes
and copies each record; none of that is open to public hooks.
"""

from __future__ import annotations

import abc
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from singer_sdk.exceptions import AbortedSyncFailedException, AbortedSyncPausedException
from singer_sdk.singerlib import RecordMessage

from tap_looker.errors import Interrupted, OutputError
from tap_looker.progress import log_is_configured

if TYPE_CHECKING:
    from collections.abc import Generator

    from tap_looker.looker.response import Row

ENDS_THE_RUN = (
    Interrupted,
    BrokenPipeError,
    OutputError,
    AbortedSyncFailedException,
    AbortedSyncPausedException,
)
MAX_VERSION = 2**63 - 1  # of a bigint
SAID_OTHERWISE = "An unhandled error occurred while syncing"
"""What the SDK logs as an error at the record limit of a trial too, and for a broken pipe."""


class SdkStream(Stream, abc.ABC):
    """A stream with hooks where the SDK has none."""

    time_extracted: datetime = datetime.now(UTC)
    _stream_version: int | None = None

    @abc.abstractmethod
    def has_first_answer(self) -> bool:
        """Wait for the first answer; whether there is one, so that the SCHEMA may be written."""

    @abc.abstractmethod
    def will_fail(self, error: Exception) -> None:
        """Raise this when the records are asked for."""

    @abc.abstractmethod
    def map_failed(self, position: int, record: Row, error: Exception) -> Exception:
        """What to raise where the map at this position fails on a record."""

    @abc.abstractmethod
    def sync_failed(self, error: Exception) -> None:
        """Take note that the stream could not be read whole; raise to end the run."""

    @abc.abstractmethod
    def sync_succeeded(self) -> None:
        """The last record of the stream has been written."""

    @abc.abstractmethod
    def sync_ended(self) -> None:
        """Let go of what the stream holds; called whatever became of it."""

    @property
    def version(self) -> int | None:
        """Of the table that the records make up; None where they are added to another."""
        return self._stream_version

    def begin_version(self, earlier: Any) -> int:
        """Give the records a version: the milliseconds of the run's start, or more.

        Args:
            earlier: The version of the last run, if there was one.
        """
        is_known = isinstance(earlier, int) and 0 < earlier < MAX_VERSION
        self._stream_version = max(self._tap.initialized_at, earlier + 1 if is_known else 0)
        return self._stream_version

    def activate_version(self) -> None:
        """Say that the table is whole: what has another version is gone."""
        if self._stream_version is not None:
            self._write_activate_version_message(self._stream_version)

    def moves_bookmark(self, record: Row) -> bool:
        """Whether the bookmark goes to this record."""
        key = self.replication_key
        return key is not None and record.get(key) is not None

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """As the SDK's, but no error of each exception that ends a stream: they are told of."""
        if message.startswith(SAID_OTHERWISE) or (
            message.startswith("Beginning ") and not log_is_configured()
        ):
            level = logging.DEBUG
        super().log(message, *args, level=level, **kwargs)

    def _write_schema_message(self) -> None:
        if not self.has_first_answer():
            return
        try:
            super()._write_schema_message()
        except ENDS_THE_RUN:
            raise
        except Exception as error:  # noqa: BLE001
            self.will_fail(error)

    def _sync_records(
        self, context: Any = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        try:
            yield from super()._sync_records(context, write_messages=write_messages)
            self.sync_succeeded()
        except ENDS_THE_RUN:
            raise
        except Exception as error:  # noqa: BLE001
            self.sync_failed(error)
            self._write_state_message()  # of an incremental stream: up to what was written
        finally:
            self.sync_ended()

    def _generate_record_messages(self, record: Row) -> Generator[RecordMessage, None, None]:
        """As the SDK's, without the work that records come with done: selection and types."""
        for position, stream_map in enumerate(self.stream_maps):
            try:
                mapped = stream_map.transform(record)
            except Exception as error:
                raise self.map_failed(position, record, error) from error
            if mapped is not None:
                yield RecordMessage(
                    stream=stream_map.stream_alias,
                    record=mapped,
                    version=self._stream_version,
                    time_extracted=self.time_extracted,
                )

    def _increment_stream_state(self, latest_record: Row, *, context: Any = None) -> None:
        if self.moves_bookmark(latest_record):
            super()._increment_stream_state(latest_record, context=context)

    def _write_starting_replication_value(self, context: Any) -> None:
        """Nothing: the SDK would take ``start_date`` for a first id."""
