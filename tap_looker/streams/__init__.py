"""The streams: one class for each behaviour, and how their records become Singer messages."""

from __future__ import annotations

from tap_looker.streams.catalog import CheckedCatalog, check_catalog, is_catalog, unknown_properties
from tap_looker.streams.configured import (
    configured_names,
    configured_streams,
    entries_of,
    own_entries,
)
from tap_looker.streams.maps import mistakes_in_maps, unmatched
from tap_looker.streams.rest import ResourceStream
from tap_looker.streams.system_activity import SystemActivityStream, activity_streams
from tap_looker.streams.writer import CountingWriter, Writer

__all__ = [
    "CheckedCatalog",
    "CountingWriter",
    "ResourceStream",
    "SystemActivityStream",
    "Writer",
    "activity_streams",
    "check_catalog",
    "configured_names",
    "configured_streams",
    "entries_of",
    "is_catalog",
    "mistakes_in_maps",
    "own_entries",
    "unknown_properties",
    "unmatched",
]
