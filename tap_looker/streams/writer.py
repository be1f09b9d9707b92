"""Singer messages on standard output."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.singerlib.encoding.base import SingerMessageType

from tap_looker import stdout

if TYPE_CHECKING:
    from singer_sdk.singerlib.encoding.simple import Message

MAX_BUFFERED = 1 << 16  # bytes


class Writer(MsgSpecWriter):
    """The SDK's quick writer, but records leave together, in whole lines.

    They wait for the end of their page or the next message of another kind. Only for the main
    thread: the SDK encodes into one buffer.
    """

    def __init__(self) -> None:
        self._waiting = bytearray()
        #: How many records were written.
        self.record_count = 0
        #: Of the message that was written last.
        self.last_type: SingerMessageType | None = None

    def write_message(self, message: Message) -> None:
        """Write one line, now or soon."""
        self._waiting += self.format_message(message)
        self.last_type = message.type
        is_record = message.type is SingerMessageType.RECORD
        self.record_count += is_record
        if not is_record or len(self._waiting) > MAX_BUFFERED:
            self.flush()

    def flush(self) -> None:
        """Let go of what waits."""
        lines, self._waiting = self._waiting, bytearray()
        stdout.write(lines)


class CountingWriter(Writer):
    """Counts what it writes, too."""

    def __init__(self) -> None:
        super().__init__()
        #: Records by stream.
        self.records: Counter[str] = Counter()

    def write_message(self, message: Message) -> None:
        """Write one line, and count it if it is a record."""
        super().write_message(message)
        if message.type is SingerMessageType.RECORD:
            self.records[message.stream] += 1  # type: ignore[attr-defined]
