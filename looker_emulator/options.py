"""What kind of Looker an emulator is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass
class Options:
    """What kind of Looker this is. Each field is an option of `Emulator`."""

    latency_ms: float = 0
    login_latency_ms: float = 0
    token_lifetime: float = 3600
    #: Send `Link` and `X-Total-Count` where a limit is given.
    total_count_header: bool = True
    #: Of these, send `Link` alone.
    link_alone: bool = False
    #: The official document gives `/dashboard_elements/search` no limit; instances take one.
    honour_limit_on_elements: bool = True
    #: Never more rows in an answer than this, whatever the limit.
    page_cap: int | None = None
    ignore_offset: bool = False
    #: Query parameters that do not narrow any list.
    ignored_filters: tuple[str, ...] = ()
    #: Paths below /api/4.0, by their beginnings, that the API key may not read.
    denied: tuple[str, ...] = ()
    #: Globs of paths below /api/4.0 that this release does not have.
    missing: tuple[str, ...] = ()
    #: Explores (`model::explore`) that do not compile: not found, or the status given here.
    broken_explores: Mapping[str, int] | tuple[str, ...] = ()
    #: Answer bad credentials with a page instead of JSON.
    html_404: bool = False
    #: The zone of the instance, for queries that name none.
    timezone: str = "America/Los_Angeles"
    #: When it is for the data that queries read; None is always the same moment.
    now: datetime | None = None
    #: Rows of history in System Activity; None is what fits the scale.
    activity_rows: int | None = None
    #: How many more rows of history and events there are before each query.
    activity_arrivals: int = 0
    #: Fields of System Activity that this release does not have.
    activity_missing_fields: tuple[str, ...] = ()
    #: The API key may not `see_system_activity`.
    activity_denied: bool = False
    #: Where the JSON of rows has line breaks: `lines`, `compact` or `pretty`.
    json_style: str = "lines"
    #: Never more rows of a query than this, whatever its limit, and without a word.
    row_cap: int | None = None
    #: Whether the API key may ask for all rows (`limit=-1`).
    download_without_limit: bool = True
    #: What a query with fields that do not exist is refused with; some say 400.
    refused_fields_status: int = 422
    #: Numbers that a double cannot hold come as strings.
    decimals_as_text: bool = False
    #: Cells of a pivot lie in an object by the pivoted field, and not directly by its values.
    pivots_by_field: bool = False
    #: Rows of totals and subtotals come after the others in every format.
    totals_in_rows: bool = False
    #: How many looks at a query task find it unfinished, and for how long it is.
    task_polls: int = 0
    task_seconds: float = 0
