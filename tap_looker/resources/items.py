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

from tap_looker.errors import RequestError, UnusableItemError
from tap_looker.looker.retry import lasts
from tap_looker.looker.threads import closed_at_end, ordered_map
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
    asking = _Asking(client, call, items, split)
    with closed_at_end(asking.outcomes(asking.sources[0])) as outcomes:
        for item, outcome in outcomes:
            if isinstance(outcome, _Refused):
                asking.refused.append(outcome)
            else:
                came = True
            if asking.answered.is_set():
                for one in asking.refused:
                    skip(one.error, 1)
                asking.refused.clear()
            elif left := asking.in_vain():
                count = len(asking.refused) + left
                error = asking.refused[-1].error
                error.message += (
                    f" It was the same for each that was tried of {count:,}, and the others were "
                    "not asked for."
                )
                if not came:
                    raise error
                skip(error, count)
                return
            if not isinstance(outcome, _Refused):
                yield item, outcome
    if asking.refused and not came:
        raise asking.refused[-1].error
    for one in asking.refused:
        skip(one.error, 1)


class _Asking(Generic[T]):
    """The calls for items, and what is known of them so far.

    Attributes:
        sources: The items, and the parts of those that were refused.
        answered: Set once there is an answer, whether or not it is its turn.
        refused: Those before the first answer.
    """

    def __init__(
        self,
        client: LookerClient,
        call: Callable[[T], Any],
        items: Iterable[T],
        split: Callable[[T], list[T]],
    ) -> None:
        self.sources = [_Items(items)]
        self.answered = threading.Event()
        self.refused: list[_Refused] = []
        self._client = client
        self._call = call
        self._split = split
        self._tried: dict[int, tuple[T, Future[Any]]] = {}

    def outcomes(self, source: _Items[T]) -> Iterator[tuple[T, Any]]:
        """Answers and refusals, in the order of the items."""
        for item, future in ordered_map(self._client.workers, self._ask, source, self._most):
            outcome = future.result()
            parts = self._split(item) if isinstance(outcome, _Refused) else []
            if not parts:
                yield item, outcome
                continue
            self.sources.append(_Items(parts))
            yield from self.outcomes(self.sources[-1])
            self.sources.pop()

    def in_vain(self) -> int:
        """How many items are left that need not be asked for; tries some of them."""
        if self._alike() < FEW:
            return 0
        left = [item for source in self.sources for item in source.left()]
        step = max(1, len(left) // FEW)
        few = [self._split(item)[:1] or [item] for item in left[step - 1 :: step][:FEW]]
        for item, future in ordered_map(self._client.workers, self._ask, itertools.chain(*few)):
            future.result()
            self._tried[id(item)] = item, future  # the item too: no other may get its id
        if self.answered.is_set():
            return 0
        return sum(len(self._split(item)) or 1 for item in left)

    def _ask(self, item: T) -> Any:
        if id(item) in self._tried:
            return self._tried[id(item)][1].result()
        try:
            answer = _with_patience(self._client, self._call, item)
        except RequestError as error:
            if error.status in ITEM_STATUSES or isinstance(error, UnusableItemError):
                return _Refused(error)
            raise
        if not isinstance(answer, _Refused):
            self.answered.set()
        return answer

    def _alike(self) -> int:
        return max(Counter(one.kind for one in self.refused).values(), default=0)

    def _most(self) -> int:
        return sys.maxsize if self.answered.is_set() else FEW - self._alike()


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
