"""Lists that are paged with ``limit`` and ``offset``, and that may move while they are read.

Knows nothing of HTTP. Limits and maxima of Looker's lists are not documented: a page may be longer
than was asked for, and is the whole list, or shorter, because the instance gives no more at once.
Where the answer says nothing of what follows, and either may be so, one page more is asked for.

Looker promises nothing for a list that changes between two pages. Here,
pages overlap: each begins with the last row of the one before (or with the last group of rows that
sort alike). While it does, nothing was missed. When it does not, rows before it were deleted, and
reading steps back until it meets what it has read. So every row that is there throughout comes out
exactly once, or the reading fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_looker.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Row = dict[str, Any]
    Fetch = Callable[[int], tuple[list[Row | None], int | None]]
    """Rows from an offset on, and how many the whole list has, where Looker says so. None stands
    for a row that cannot be read."""

STEPS_BACK = 12  # in one reading; each goes twice as far as the one before
STALE_PAGES = 3  # in a row, without a row that is new
ROUND = (10, 25)  # what a number of rows is a multiple of that an instance may have as a maximum


def pages(
    fetch: Fetch,
    *,
    what: str,
    keys: tuple[str, ...],
    size: int,
    sorts: str,
    seen: set[Any],
    may_ignore_limit: bool,
    fetch_more: Callable[[int], list[Row]] = lambda _: [],
    fell_short: Callable[[int, int], None] = lambda *_: None,
) -> Iterator[list[Row]]:
    """A list, page by page; every row once, by its key.

    Ends on a page that meets the one before and is not full, unless there may be more all the same.

    Args:
        fetch: Gives a page, of `size` rows where there are as many.
        what: It is, for messages: ``GET /users/search``.
        keys: Primary key of a row.
        size: ``limit``, 2 or more.
        sorts: Column the list is sorted by, or "".
        seen: Keys of rows that are left out; those that come out are added.
        fetch_more: Gives the first page, of at most so many rows.
        may_ignore_limit: The list may be no paged one: a page that is longer or that repeats is the
            whole, and no error.
        fell_short: Called at the end with the number of rows that came and the number that the list
            is said to have, where that is greater.

    Raises:
        RequestError: A page repeats the one before, or the list moves too fast.
    """
    offset = steps = stale = 0
    read: set[Any] = set()
    before: list[Any] = []
    nameless: set[int] = set()
    totals: list[int] = []
    while True:
        rows, total = fetch(offset)
        totals += [] if total is None else [total]
        names = [None if row is None else identity(row, keys) for row in rows]
        has_gaps = None in rows
        says_more = total is not None and total > offset + len(rows)
        meets = bool(rows) and rows[0] is not None and (names[0] is None or names[0] in read)
        if offset and not meets:
            steps += 1
            if steps > STEPS_BACK:
                raise RequestError(f"{what}: the list keeps changing while it is read.")
            offset, before = max(0, offset - size // 2 * 2**steps // 2), []
            continue
        if offset and names == before and (len(names) >= size or says_more):
            # All there is, or a page however far the offset: one row more would tell.
            is_longer = len(names) > size
            whole = (may_ignore_limit or is_longer) and read == set(names)
            whole = whole and (total or 0) <= len(names)
            if whole and (is_longer or total is not None or len(fetch_more(size + 1)) <= size):
                return
            raise RequestError(f"{what}: the page at offset {offset} repeats the one before.")
        fresh = not read.issuperset(names)
        stale = 0 if fresh else stale + 1
        read.update(names)
        nameless.update(offset + n for n, name in enumerate(names) if name is None)
        before = names
        unseen = []
        for row, name in zip(rows, names, strict=True):
            if row is not None and (name is None or name not in seen):
                seen.add(name)
                unseen.append(row)
        more = says_more
        if not has_gaps:
            more = len(rows) == size or (fresh and says_more)
            is_told = total is not None or (may_ignore_limit and len(rows) > size)
            more = more or (fresh and not is_told and _may_be_a_cut(len(rows), size))
        is_last = not rows or not more
        offset += len(rows) - overlap(rows, sorts)
        del rows  # they need not be in memory while the next page is awaited
        yield unseen
        if is_last:
            count = len(read - {None}) + len(nameless)  # those that are left out are known of
            fewest = min(totals, default=0)  # what the list has gained meanwhile need not be read
            if count < fewest:
                fell_short(count, fewest)
            return
        if stale > STALE_PAGES:
            raise RequestError(f"{what}: the list keeps changing while it is read.")


def _may_be_a_cut(length: int, size: int) -> bool:
    """Whether a page of so many rows may be as many as an instance gives, whatever the limit."""
    return length > size or any(length % step == 0 for step in ROUND)


def identity(row: Row, keys: tuple[str, ...]) -> Any:
    """The primary key of a row, comparable across answers; None when a part is missing."""
    values = tuple(str(row[key]) for key in keys if row.get(key) is not None)
    return values if len(values) == len(keys) else None


def overlap(rows: list[Row | None], sorts: str) -> int:
    """How many rows the next page repeats: those that sort like the last one.

    Where rows sort alike, their order may change from page to page.
    """
    if len(rows) < 2:  # noqa: PLR2004
        return 0
    values = [None if row is None else row.get(sorts) for row in rows]
    alike = next((n for n, value in enumerate(reversed(values)) if value != values[-1]), len(rows))
    return alike if sorts in (rows[-1] or ()) and alike <= len(rows) // 2 else 1
