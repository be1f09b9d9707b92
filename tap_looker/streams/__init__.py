"""The streams: one class for each behaviour."""

from __future__ import annotations

from tap_looker.streams.activity import ActivityStream
from tap_looker.streams.own import mistakes_in, own_streams
from tap_looker.streams.resource import ResourceStream

__all__ = ["ActivityStream", "ResourceStream", "mistakes_in", "own_streams"]
