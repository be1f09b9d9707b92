"""The one parser of ISO 8601 times."""

from __future__ import annotations

from datetime import UTC, datetime


def parse_time(text: str) -> datetime:
    """A time with a zone; without an offset it is in UTC.

    Raises:
        ValueError: It is not ISO 8601.
    """
    moment = datetime.fromisoformat(text.strip().upper())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
