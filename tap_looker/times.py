"""Times as Looker writes them: ISO 8601, and Unix seconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

_WHOLE = re.compile(r"-?\d{1,15}", re.ASCII)
_NAMED_UTC = re.compile(r"\s*(?:UTC|GMT)$")  # "2024-05-22 07:30:53 UTC", as Ruby writes it


def parse_time(text: str) -> datetime:
    """A time with a zone; without an offset it is in UTC.

    Raises:
        ValueError: It is not ISO 8601.
    """
    moment = datetime.fromisoformat(_NAMED_UTC.sub("Z", text.strip().upper()))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def from_unix(value: Any) -> Any:
    """Unix seconds as the text of a time in UTC; what is something else stays as it is."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    try:
        return datetime.fromtimestamp(value, UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        return value
