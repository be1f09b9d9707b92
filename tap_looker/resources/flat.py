"""Rows that are inside the rows of other resources, or made of them: no call of their own.

::

    Nested    a list inside the rows of another resource: its objects, or its plain values
    Derived   what a function makes of the rows of other resources
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from string import Formatter
from typing import TYPE_CHECKING, Any, Protocol

from tap_looker.errors import DeniedError, listed
from tap_looker.looker.offset_paging import identity
from tap_looker.resources.fields import tree, value_at
from tap_looker.resources.resource import Column, Range, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_looker.looker.response import Row
    from tap_looker.resources.fields import Fields
    from tap_looker.resources.resource import Counts, Reading, Resource

    class Lacks(Protocol):
        """Called with the name of what a row lacks and rows should have been made of."""

        def __call__(self, what: str, *, is_absent: bool = True) -> None:
            """Or of what it has, but not as it should be."""


MOST_NAMED = 5


class Flat(Source):
    """What both kinds have in common."""

    def reads(self) -> Mapping[str, Fields]:
        """The resources whose rows it looks at, and what of them."""
        raise NotImplementedError

    def wanted_lists(self, name: str) -> frozenset[str]:  # noqa: ARG002
        """Lists in the rows of a resource that have to be asked for one by one if need be."""
        return frozenset()

    def rows_of(self, row: Row, lacks: Lacks) -> Iterator[Row]:
        """The rows that a row of another resource gives."""
        raise NotImplementedError

    def plan(self, reading: Reading) -> None:
        """Read the others first."""
        for name, fields in self.reads().items():
            reading.want(name, fields, lists=self.wanted_lists(name))

    def pages(self, reading: Reading, resource: Resource) -> Iterator[list[Row]]:
        """The rows, each key once for a row of the others; what lacks its list is counted."""
        came = False
        for name, fields in self.reads().items():
            lacking = _Lacking(name)
            for page in reading.read(name, fields):
                rows = list(self._distinct(page, resource.keys, lacking))
                if not (came or rows):
                    self._check(reading, name)
                page.clear()
                if rows:
                    came = True
                    yield rows
            if lacking.is_all and not came:
                raise DeniedError(
                    f"None of the {lacking.total} rows of {name} has {lacking.names}, of which "
                    f"{resource.name} is made."
                )
            if lacking.count:
                self._check(reading, name)
                reading.skip(resource.name, lacking.why(), lacking.count)

    def _distinct(self, page: list[Row], keys: tuple[str, ...], lacking: _Lacking) -> Iterator[Row]:
        for row in page:
            seen: set[Any] = set()
            lacking.look_at(row)
            for one in self.rows_of(row, lacking.note):
                key = identity(one, keys)
                if key is None or key not in seen:
                    seen.add(key)
                    yield one

    def _check(self, reading: Reading, name: str) -> None:
        """Raise what is known of why all rows of the others lack what these are made of."""

    def estimate_calls(self, counts: Counts, resource: Resource) -> Range | None:  # noqa: ARG002
        """No call: the rows of the others are read anyway."""
        return Range(0, 0)


class _Lacking:
    """The rows of one resource that have not got what others are made of."""

    def __init__(self, resource: str) -> None:
        self.total = self.count = self._absent = 0
        self._resource = resource
        self._row: Row = {}
        self._noted = False
        self._what: dict[str, None] = {}
        self._examples: list[str] = []

    @property
    def is_all(self) -> bool:
        return 0 < self.total == self._absent

    @property
    def names(self) -> str:
        return " or ".join(self._what)

    def look_at(self, row: Row) -> None:
        self._row, self._noted = row, False
        self.total += 1

    def note(self, what: str, *, is_absent: bool = True) -> None:
        self._what[what] = None
        if self._noted:
            return
        self._noted = True
        self.count += 1
        self._absent += is_absent
        if len(self._examples) < MOST_NAMED:
            names = (self._row.get("id"), self._row.get("name"), "?")
            self._examples.append(next(str(name) for name in names if name is not None))

    def why(self) -> str:
        """Why they are skipped."""
        more = self.count - len(self._examples)
        return (
            f"{self._resource} without a usable {self.names}: {listed(self._examples)}"
            f"{f' and {more} more' if more else ''}."
        )


@dataclass(frozen=True)
class Nested(Flat):
    """Lists inside the rows of another resource.

    Attributes:
        resource: Name of the other resource.
        records_path: The lists, with dots through objects.
        include_from_parent: What a row takes from the one around it: column → field there.
        scalar: The lists hold plain values; the column they go to.
        position: Column for the place in the list, from 0; "" for none.
        constants: Columns that a row may lack, as patterns of its other columns.
        none_where: A field of the row around, and its value where no list is an empty list.
    """

    resource: str
    records_path: tuple[str, ...]
    include_from_parent: Mapping[str, str] = field(default_factory=dict)
    scalar: str = field(default="", kw_only=True)
    position: str = field(default="", kw_only=True)
    constants: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    none_where: tuple[str, Any] = field(default=("", None), kw_only=True)

    def added_columns(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        """What a row takes along, and what says which one it is."""
        own = [*filter(None, [self.position, self.scalar])]
        in_key = [name for name in self.constants if name in keys]
        return tuple(dict.fromkeys([*self.include_from_parent, *own, *in_key]))

    def reads(self) -> Mapping[str, Fields]:
        """The rows around, with the lists in them."""
        paths = ["id", *self.include_from_parent.values(), *self.records_path]
        return {self.resource: tree([*paths, *filter(None, self.none_where[:1])])}

    def wanted_lists(self, name: str) -> frozenset[str]:  # noqa: ARG002
        """Its own."""
        return frozenset(path.partition(".")[0] for path in self.records_path)

    def rows_of(self, row: Row, lacks: Lacks) -> Iterator[Row]:
        """The items of the lists."""
        found = [value_at(row, path) for path in self.records_path]
        lists = [value for value in found if isinstance(value, list)]
        name, value = self.none_where
        if not lists and not (name and row.get(name) is value):
            lacks(" or ".join(self.records_path))
        taken = {name: row.get(source) for name, source in self.include_from_parent.items()}
        for position, item in enumerate(itertools.chain.from_iterable(lists)):
            if item is None:
                continue
            if isinstance(item, dict | list if self.scalar else str | int | float | list):
                lacks(" or ".join(self.records_path), is_absent=False)
                continue
            one = {**taken, self.scalar: item} if self.scalar else {**item, **taken}
            if self.position:
                one[self.position] = position
            for column, pattern in self.constants.items():
                named = [name for _, name, *_ in Formatter().parse(pattern) if name]
                if one.get(column) is None and all(one.get(name) is not None for name in named):
                    one[column] = pattern.format_map(one)
            yield one

    def _check(self, reading: Reading, name: str) -> None:
        for path in self.records_path:
            if error := reading.refused.get((name, path)):
                raise error


@dataclass(frozen=True)
class Derived(Flat):
    """What a function makes of the rows of other resources.

    Attributes:
        parents: What it looks at: resource → fields.
        columns: Of its rows, those of the key first.
        make: Gives the rows for one row.
        lists: Lists in the rows that are asked for one by one where they do not come.
    """

    parents: Mapping[str, Fields]
    columns: Mapping[str, Column]
    make: Callable[[Row, Lacks], Iterator[Row]]
    lists: frozenset[str] = frozenset()

    def added_columns(self, keys: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG002
        """All of them."""
        return tuple(self.columns)

    def reads(self) -> Mapping[str, Fields]:
        """What it looks at."""
        return self.parents

    def wanted_lists(self, name: str) -> frozenset[str]:  # noqa: ARG002
        """As said."""
        return self.lists

    def rows_of(self, row: Row, lacks: Lacks) -> Iterator[Row]:
        """As the function says, with every column: a target may keep what it had in others."""
        empty = dict.fromkeys(self.columns)
        return ({**empty, **one} for one in self.make(row, lacks))
