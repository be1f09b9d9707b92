"""Options: the ways in which Looker instances differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass
class Options:
    """What kind of Looker this is. Each field is an argument of `Emulator`."""

    latency_ms: float = 0
    login_latency_ms: float = 0
    #: Answer 429 to requests above this number at once, optionally with `Retry-After`.
    in_flight_limit: int | None = None
    in_flight_retry_after: int | None = None
    token_lifetime: float = 3600
    #: Send `Link` and `X-Total-Count` where a limit is given.
    total_count_header: bool = True
    #: Of these, send only `Link`.
    link_alone: bool = False
    #: Apply a limit that the API document lacks (`/dashboard_elements/search`).
    honour_limit_on_elements: bool = True
    #: Maximum rows in an answer, whatever the limit.
    page_cap: int | None = None
    ignore_offset: bool = False
    #: Filters that have no effect.
    ignored_filters: tuple[str, ...] = ()
    #: Filters that take one value, and of a list of them only the first.
    single_filters: tuple[str, ...] = ()
    #: Prefixes of paths below /api/4.0 that the API key may not read.
    denied: tuple[str, ...] = ()
    #: Globs of paths below /api/4.0 that this release lacks.
    missing: tuple[str, ...] = ()
    #: Refuse names in `fields` that rows do not have; what instances do is not documented.
    strict_fields: bool = False
    #: Explores (`model::explore`) that do not compile: 404, or the status given here.
    broken_explores: Mapping[str, int] | tuple[str, ...] = ()
    #: Answer wrong credentials with a page instead of JSON.
    html_404: bool = False
    #: Time zone of queries that do not name one.
    timezone: str = "America/Los_Angeles"
    #: The current time for queries and their data; None is always the same time.
    now: datetime | None = None
    #: Rows of history in System Activity; None fits the scale.
    activity_rows: int | None = None
    #: Rows of history and events that are added before each query.
    activity_arrivals: int = 0
    #: Fields of System Activity that this release lacks.
    activity_missing_fields: tuple[str, ...] = ()
    #: The API key lacks the permission `see_system_activity`.
    activity_denied: bool = False
    #: Line breaks in the JSON of rows: `lines`, `compact` or `pretty`.
    json_style: str = "lines"
    #: Maximum rows of a query, whatever its limit; the cut is silent.
    row_cap: int | None = None
    #: Whether the API key may ask for all rows (`limit=-1`).
    download_without_limit: bool = True
    #: Status for queries with unknown fields; some instances use 400.
    refused_fields_status: int = 422
    #: Send numbers that a double cannot represent as strings.
    decimals_as_text: bool = False
    #: Nest the cells of a pivot in an object named after the pivoted field.
    pivots_by_field: bool = False
    #: Append the rows of totals and subtotals to the others.
    totals_in_rows: bool = False
    #: How often a query task is polled before it completes, and its minimum duration.
    task_polls: int = 0
    task_seconds: float = 0
