"""Primary keys, checked while rows pass: a target merges rows that share one."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from tap_looker.errors import BadResponseError
from tap_looker.looker.threads import closed_at_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tap_looker.looker.response import Row

MAX_REMEMBERED = 100_000  # keys of rows that do not come in the order of their key


def check_keys(
    records: Iterable[Row],
    key: Sequence[str],
    *,
    in_order: bool,
    where: str,
    report: Callable[[int], None],
) -> Iterator[Row]:
    """Records as they are.

    Args:
        records: To check.
        key: Columns of the primary key.
        in_order: Rows that share a key follow one another.
        where: Place in the settings that can change the key.
        report: Called at the end with the number of records that repeat a key, at least, if any.

    Raises:
        BadResponseError: A part of a key is null, which no database takes.
    """
    repeated = 0
    previous: object = None
    seen: set[object] = set()
    pick = itemgetter(*key)
    is_single = len(key) == 1
    with closed_at_end(records) as rows:
        for record in rows:
            values = pick(record)
            if values is None or (not is_single and None in values):
                name = next(name for name in key if record[name] is None)
                raise BadResponseError(
                    f"The primary key field {name} is null in a row: set"
                    f" primary_keys in {where} to fields that are never null, or to [] for none."
                )
            if in_order:
                repeated += values == previous
                previous = values
            elif values in seen:
                repeated += 1
            elif len(seen) < MAX_REMEMBERED:
                seen.add(values)
            yield record
    if repeated:
        report(repeated)
