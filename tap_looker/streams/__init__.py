"""The streams: one class for each behaviour, and how their records become Singer messages."""

from __future__ import annotations

from tap_looker.streams.configured import configured_streams, mistakes_in
from tap_looker.streams.maps import mistakes_in_maps, unmatched
from tap_looker.streams.resource import ResourceStream
from tap_looker.streams.system_activity import SystemActivityStream
from tap_looker.streams.writer import CountingWriter, Writer

__all__ = [
    "CountingWriter",
    "ResourceStream",
    "SystemActivityStream",
    "Writer",
    "configured_streams",
    "mistakes_in",
    "mistakes_in_maps",
    "unmatched",
]
