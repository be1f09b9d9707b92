"""What is asked for item by item: some may be refused, all of them may not.

One item that Looker has no answer for (gone since, not compiling, denied, too slow to answer) is
left out. Where the first few are refused alike, a few from the rest are tried, from all over it;
when none of them is answered either, the others are not asked for.
"""

from __future__ import annotations

import itertools
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tap_looker.errors import RequestError
from tap_looker.looker.concurrency import closed_at_end, ordered_map
from tap_looker.looker.retry import lasts
from tap_looker.resources.resource import ITEM_STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    from tap_looker.looker.client import LookerClient

T = TypeVar("T")

FEW = 5  # refusals of the same kind, without an answer


@dataclass(frozen=True)
class _Refused:
    """What an item gets in place of an answer."""

    error: RequestError

    @property
    def kind(self) -> tuple[type, int | None]:
        return type(self.error), self.error.status


class _Items(Generic[T]):
    """Items that are taken one by one, or what is left of them at once."""

    def __init__(self, items: Iterable[T]) -> None:
        self._left = iter(items)

    def __iter__(self) -> Iterator[T]:
        while True:
            try:
                item = next(self._left)
            except StopIteration:
                return
            yield item

    def left(self) -> list[T]:
        """Those that nobody has taken yet; they can still be taken."""
        left = list(self._left)
        self._left = iter(left)
        return left


def answers(
    client: LookerClient,
    call: Callable[[T], Any],
    items: Iterable[T],
    *,
    skip: Callable[[RequestError, int], None],
    came: bool = False,
    split: Callable[[T], list[T]] = lambda _: [],
) -> Iterator[tuple[T, Any]]:
    """The answers for items, several at a time, in the order of the items.

    Args:
        client: Of the instance.
        call: Asks for one.
        items: May be long, and slow to come.
        skip: Is told why some are left out, and how many.
        came: Others of their kind have come in another way: these are left out if all are refused.
        split: The parts of an item that are asked for in its place when it is refused.

    Raises:
        RequestError: Not one of the items could be read, or Looker could not be reached.
    """
    source = _Items(items)
    answered = threading.Event()
    tried: dict[int, Future[Any]] = {}
    refused: list[_Refused] = []

    def ask(item: T) -> Any:
        if id(item) in tried:
            return tried[id(item)].result()
        try:
            answer = _with_patience(client, call, item)
        except RequestError as error:
            if error.status in ITEM_STATUSES:
                return _Refused(error)
            raise
        if not isinstance(answer, _Refused):
            answered.set()
        return answer

    def alike() -> int:
        return max(Counter(one.kind for one in refused).values(), default=0)

    def most() -> int:
        return sys.maxsize if answered.is_set() else FEW - alike()

    def is_any_answered(left: list[T]) -> bool:
        """Tries a few, from all over; what comes of it is kept."""
        step = max(1, len(left) // FEW)
        few = [split(item)[:1] or [item] for item in left[step - 1 :: step][:FEW]]
        for item, future in ordered_map(client.workers, ask, itertools.chain(*few)):
            future.result()
            tried[id(item)] = future
        return answered.is_set()

    with closed_at_end(_outcomes(client, ask, source, split, most)) as outcomes:
        for item, outcome in outcomes:
            if not isinstance(outcome, _Refused):
                came = True
            else:
                refused.append(outcome)
            if answered.is_set():
                for one in refused:
                    skip(one.error, 1)
                refused.clear()
            elif alike() >= FEW and (left := source.left()) and not is_any_answered(left):
                others = sum(len(split(one)) or 1 for one in left)
                error = refused[-1].error
                error.message += (
                    f" It was the same for each that was tried of {len(refused) + others}, and the "
                    "others were not asked for."
                )
                if not came:
                    raise error
                skip(error, len(refused) + others)
                return
            if not isinstance(outcome, _Refused):
                yield item, outcome
    if refused and not came:
        raise refused[-1].error
    for one in refused:
        skip(one.error, 1)


def _outcomes(
    client: LookerClient,
    ask: Callable[[T], Any],
    items: Iterable[T],
    split: Callable[[T], list[T]],
    most: Callable[[], int],
) -> Iterator[tuple[T, Any]]:
    for item, future in ordered_map(client.workers, ask, items, most):
        outcome = future.result()
        if isinstance(outcome, _Refused) and (parts := split(item)):
            yield from _outcomes(client, ask, parts, lambda _: [], most)
        else:
            yield item, outcome


def _with_patience(client: LookerClient, call: Callable[[T], Any], item: T) -> Any:
    """The answer for an item; one that takes too long is asked for again if Looker is there."""
    try:
        with client.briefly():
            return call(item)
    except RequestError as error:
        if not lasts(error):
            raise
    client.await_answer()
    try:
        with client.briefly():
            return call(item)
    except RequestError as error:
        if not lasts(error):
            raise
        return _Refused(error)
