"""The pages of one list, asked for as they are wanted, or several at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_looker.errors import RequestError
from tap_looker.looker.detour import FAULT, Detour
from tap_looker.looker.response import as_rows
from tap_looker.looker.threads import ordered_map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future

    from tap_looker.looker.response import ApiResponse, Row
    from tap_looker.looker.threads import DaemonThreadPool


class Pages:
    """The pages of one list, by their offset: what :func:`paging.pages` takes for `fetch`.

    Pages are asked for at the same time only when Looker's ``X-Total-Count`` tells how many there
    are: one that may not exist is a call that somebody pays for.

    Args:
        get: Asks for one, as :meth:`LookerClient.get` does.
        workers: Threads for those that are asked for at the same time.
        path: Below ``/api/4.0``.
        query: Query parameters but ``offset``.
        keys: Primary key of a row.
        size: ``limit``.
        ahead: Pages may be asked for at the same time.
        billing: How Looker bills the calls.
        skip: Is told why some rows are left out, and how many.
        goes_around: A row is left out for which any page that holds it fails.
    """

    def __init__(
        self,
        get: Callable[..., ApiResponse],
        workers: DaemonThreadPool,
        path: str,
        query: Mapping[str, Any],
        *,
        keys: tuple[str, ...],
        size: int,
        ahead: bool,
        billing: str,
        skip: Callable[[str, int], None] | None,
        goes_around: bool,
    ) -> None:
        self._get_answer = get
        self._workers = workers
        self._path = path
        self._query = query
        self._keys = keys
        self._size = size
        self._asks_ahead = ahead
        self._billing = billing
        self._ahead: Iterator[tuple[int, Future[ApiResponse]]] = iter(())
        self._skip = skip
        self._detour = None
        if skip and goes_around:
            self._detour = Detour(self._some, lambda why: skip(why, 1), keys)

    def __call__(self, offset: int) -> tuple[list[Row | None], int | None]:
        """A page, and how many rows the list has, where that is known."""
        try:
            answer = self._answer(offset)
        except RequestError as error:
            self._ahead = iter(())
            if self._detour is None or error.status != FAULT:
                raise
            return self._detour.page(offset, self._size, error)
        rows: list[Row | None] = [*as_rows(answer.data, self._keys, self._path)]
        is_full = len(rows) == self._size  # or it is not known where the next page begins
        if not offset and is_full and self._asks_ahead and answer.total is not None:
            coming = range(self._size - 1, answer.total - 1, self._size - 1)
            self._ahead = ordered_map(self._workers, self._get, coming)
        if answer.total is None and answer.has_next:
            return rows, offset + len(rows) + 1  # a page may be shorter than was asked for
        if answer.total is None and answer.has_next is False and len(rows) < self._size:
            return rows, offset + len(rows)
        return rows, answer.total

    def first(self, limit: int) -> list[Row]:
        """The first page, of so many rows."""
        return as_rows(self._get(0, limit).data, self._keys, self._path)

    def fell_short(self, count: int, total: int) -> None:
        """Tell that fewer rows came than there are, as Looker counts them."""
        why = f"GET {self._path}: Looker reports {total:,} rows (X-Total-Count) and sent {count:,}."
        if self._skip:
            self._skip(why, total - count)

    def _answer(self, offset: int) -> ApiResponse:
        guess, future = next(self._ahead, (None, None)) if offset else (None, None)
        if future is not None and guess == offset:
            return future.result()
        self._ahead = iter(())
        return self._get(offset)

    def _get(self, offset: int, limit: int = 0, *, repeat_faults: bool = True) -> ApiResponse:
        asked = {**self._query, "limit": limit or self._size, "offset": offset}
        return self._get_answer(self._path, asked, self._billing, repeat_faults=repeat_faults)

    def _some(self, offset: int, limit: int, *, repeat_faults: bool) -> tuple[list[Row], bool]:
        """Rows, and whether they are the last."""
        answer = self._get(offset, limit, repeat_faults=repeat_faults)
        rows = as_rows(answer.data, self._keys, self._path)
        if answer.total is not None:
            return rows, answer.total <= offset + len(rows)
        return rows, len(rows) < limit and not answer.has_next
