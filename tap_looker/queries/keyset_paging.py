"""Reading a result to its end: in pages along a key, for queries have no offset.

A page goes on after the last key of the one before. That is sound only where Looker sorts the key
in the order in which it compares it; :func:`check_order` is the one rule for that.
"""

from __future__ import annotations

import itertools
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from tap_looker.errors import CutResultError, TruncatedError
from tap_looker.looker.threads import closed_at_end
from tap_looker.queries.filters import after_key
from tap_looker.values import MisfitError, to_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_looker.looker.response import Row
    from tap_looker.queries.columns import Key

    RunQuery = Callable[[Mapping[str, Any]], Iterator[Row]]
    """Runs a query body once."""
    Metadata = Callable[[], Mapping[str, Row]]
    """Asks for the fields of an explore (``LookmlModelExploreField``), by name."""

CUTS = frozenset({500, 5_000, 50_000, 100_000})
"""Numbers of rows at which instances are known to cut a result that has no limit."""
MIN_CUT = 500  # rows: no instance is known to cut an answer of its own accord below this
MAX_BREAKS = 4  # how often in a row a query may break off without a row in between
SORTED_AS_TEXT = frozenset({"string", "zipcode", "location"})
SORTED_BY_RANK = frozenset({"date_day_of_week", "date_month_name"})


def check_order(key: Iterable[Key], metadata: Metadata) -> None:
    """Refuse to continue a result along a key that Looker does not sort as it compares it.

    Numbers and times sort by their values. Texts may not: tiers, ``case`` values, names of days
    and months, and fields with an ``order_by_field`` sort by rank, and a filter for greater texts
    would miss rows. Metadata is asked for only where the key holds a text.

    Raises:
        CutResultError: The order is another one, or unknown.
        RequestError: The metadata cannot be read.
    """
    texts = [part.field for part in key if part.kind == "text"]
    if not texts:
        return
    known = metadata()
    ranked = [field for field in texts if not sorts_as_text(known.get(field, {}))]
    if ranked:
        raise CutResultError(
            "The result may have been cut short and cannot be continued: Looker may not sort "
            f"{', '.join(ranked)} alphabetically. Set limit to the maximum number of rows it can "
            "have, or primary_keys to fields that are sorted by value."
        )


def sorts_as_text(field: Row) -> bool:
    """Whether a text field is sorted by its text, as its ``LookmlModelExploreField`` has it."""
    kind = str(field.get("type"))
    if kind not in SORTED_AS_TEXT and (not kind.startswith("date_") or kind in SORTED_BY_RANK):
        return False
    signs = ("enumerations", "sql_case", "requires_refresh_on_sort", "dynamic")
    return not any(field.get(sign) for sign in signs)


def read_in_pages(
    run: RunQuery,
    query: Mapping[str, Any],
    key: Sequence[Key],
    *,
    limit: int,
    after: int | None = None,
    metadata: Metadata = dict,
) -> Iterator[Row]:
    """All rows of a query, in the order of a key, over as many runs as it takes.

    An instance may cut a page below the limit that was asked for, so only one that is shorter than
    any known cut ends the list. A run that breaks off goes on where it broke.

    Args:
        run: Runs a query body once.
        query: The body, with the key among its fields.
        key: What makes a row unique.
        limit: Rows per page; -1 for all at once, continued only where they may have been cut.
        after: For a key of one whole number: start behind this.
        metadata: For :func:`check_order`, when a page may have been cut.

    Raises:
        CutResultError: There may be more rows, and no way to continue.
        RequestError: A page was refused, or broke off again and again.
    """
    place = _Place(key, after)
    fields = [part.field for part in key]
    may_continue = cache(partial(check_order, key, metadata))
    breaks = 0
    while True:
        length, is_new = 0, False
        try:
            with closed_at_end(run(place.next_page(query, limit))) as rows:
                for row in rows:
                    length += 1
                    if place.advance([row.get(field) for field in fields], is_first=length == 1):
                        breaks, is_new = 0, True
                        yield row
        except TruncatedError:
            breaks += 1
            if breaks >= MAX_BREAKS or not (place.is_unique and place.is_ascending):
                raise
            if place.last is not None:
                may_continue()
            continue
        place.check_page()
        if (length not in CUTS) if limit < 0 else (length < min(limit, MIN_CUT)):
            return
        place.check_continuation(is_new=is_new)
        may_continue()


class _Place:
    """Where in the order of a key the reading is.

    Whether nulls sort first or last is the database's choice. It shows while rows pass: nulls that
    sort first have been seen before the first value under the same leading fields.
    """

    def __init__(self, key: Sequence[Key], after: int | None) -> None:
        self._key = key
        self.last: list[Any] | None = None if after is None else [after]
        self._first: list[Any] | None = None
        self._had_null = [False] * len(key)
        self._had_value = [after is not None] * len(key)
        self._is_catching_up = self._has_passed_unsure = False
        self.is_unique = True
        self.is_ascending = True

    def next_page(self, query: Mapping[str, Any], limit: int) -> dict[str, Any]:
        """The body for what comes after the place."""
        body = {**query, "sorts": [part.field for part in self._key], "limit": str(limit)}
        if self.last is None:
            return body
        # Looker's expressions have no fractions of seconds: the page begins earlier.
        self._is_catching_up = any(
            part.kind == "date-time" and "." in str(value)
            for part, value in zip(self._key, self.last, strict=True)
        )
        return body | after_key(query, self._key, self.last, self._had_null, self._had_value)

    def advance(self, values: list[Any], *, is_first: bool) -> bool:
        """Go to a row; whether it is a new one, and not the one that a page repeats.

        Raises:
            CutResultError: The rows are not in the requested order.
        """
        if self._is_catching_up:
            self._is_catching_up = not self._is_past(values)
            if self._is_catching_up or values == self.last:
                return False
            self.last = values
            return True
        if values == self.last:
            if is_first:  # where a page cannot start behind a row, it starts at it
                self._first = values
                return False
            self.is_unique = False
        elif values == self._first:
            raise _not_in_order()
        else:
            self._note(values)
        if is_first:
            self._first = values
        self.last = values
        return True

    def _is_past(self, values: list[Any]) -> bool:
        """Whether a row is the last one read, or surely comes after it."""
        for part, before, value in zip(self._key, self.last or (), values, strict=True):
            if value != before:
                is_sure = part.kind != "text" and None not in (before, value)
                self._has_passed_unsure |= not is_sure
                return is_sure and _may_follow(part, before, value)
        return True

    def _note(self, values: list[Any]) -> None:
        """Note nulls and the direction, in the first field that differs and those after it."""
        last = self.last
        is_same = last is not None
        for position, part in enumerate(self._key):
            value = values[position]
            before = last[position] if last else None
            if is_same and value == before:
                continue
            if not is_same:
                self._had_null[position] = self._had_value[position] = False
            elif not _may_follow(part, before, value):
                if len(self._key) == 1 and part.is_number:
                    raise _not_in_order()
                self.is_ascending = False
            if value is None:
                self._had_null[position] = True
            else:
                self._had_value[position] = True
            is_same = False

    def check_page(self) -> None:
        """Make sure that a page has come past the row before it.

        Raises:
            CutResultError: It has not, and may hold rows that are new all the same.
        """
        if self._is_catching_up and self._has_passed_unsure:
            raise _not_in_order()

    def check_continuation(self, *, is_new: bool) -> None:
        """Make sure that a page can go on from here.

        Args:
            is_new: The last page had rows that came for the first time.

        Raises:
            CutResultError: It cannot.
        """
        if not is_new:
            raise CutResultError(
                "The rows take more than one page, and the result cannot be continued: more rows "
                "than fit on a page have times within one second."
            )
        if not self.is_unique:
            fields = ", ".join(part.field for part in self._key)
            raise CutResultError(
                "The rows take more than one page, and the result cannot be continued: some share "
                f"their key ({fields})."
            )
        if not self.is_ascending:
            raise _not_in_order()


def _not_in_order() -> CutResultError:
    return CutResultError("The rows are not in the requested order.")


def _may_follow(part: Key, before: Any, after: Any) -> bool:
    """Whether a value may come after another, as far as that can be told.

    Collations of texts and the place of nulls are the database's own.
    """
    if part.kind == "text" or before is None or after is None:
        return True
    if type(before) is int is type(after):
        return before < after
    try:
        if part.is_number:
            return bool(to_number(before) < to_number(after))
        return str(before) < str(after)
    except MisfitError:
        return True  # who reads the row says what is wrong with it


def read_once(run: RunQuery, query: Mapping[str, Any]) -> Iterator[Row]:
    """The rows of one run, repeated only as long as no row came.

    Raises:
        RequestError: It was refused, or broke off.
    """
    for attempt in itertools.count(1):
        came = False
        try:
            with closed_at_end(run(query)) as rows:
                for row in rows:
                    came = True
                    yield row
        except TruncatedError:
            if came or attempt == MAX_BREAKS:
                raise
            continue
        return


def read_all(
    run: RunQuery, query: Mapping[str, Any], key: Sequence[Key], metadata: Metadata = dict
) -> Iterator[Row]:
    """Every row of a query, without a limit.

    Raises:
        CutResultError: It may have been cut, and cannot be continued.
        RequestError: It was refused, or broke off.
    """
    if key:
        yield from read_in_pages(run, query, key, limit=-1, metadata=metadata)
        return
    count = 0
    with closed_at_end(read_once(run, {**query, "limit": "-1"})) as rows:
        for row in rows:
            count += 1
            yield row
    if count in CUTS:
        raise CutResultError(
            f"The result has exactly {count} rows, a number at which Looker is known to cut "
            "results silently, and no key to continue from: set limit to the maximum number of "
            "rows it can have."
        )
