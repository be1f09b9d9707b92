"""The kinds of sources: how each reads its rows.

::

    Search      a list that is paged with limit and offset
    List        a list that comes in one piece
    Get         one object
    Nested      lists inside the rows of another resource: no calls of its own
    Composite   rows gathered from several places, by functions of its own

An endpoint of the first three may be asked once for each row of a :class:`Parent`.
"""

from __future__ import annotations

import itertools
import logging
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any

from tap_looker.errors import BadResponseError, RequestError
from tap_looker.looker.paging import identity
from tap_looker.looker.response import as_rows, segment
from tap_looker.resources.fields import rendered, tree, value_at, values_at
from tap_looker.resources.resource import Range, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tap_looker.looker.response import Row
    from tap_looker.resources.fields import Fields
    from tap_looker.resources.resource import Counts, Reading, Resource

logger = logging.getLogger("tap-looker")

Columns = dict[str, Any]
"""What a call takes from the row of its parent, by column."""


@dataclass(frozen=True)
class Parent:
    """One call for each row of another resource.

    Attributes:
        resource: Its name.
        fields: What a call takes from a row: column → field there, with a dot through a list
            (``explores.name``: a call for each item). Columns of the key go into the record.
        skip_if: Field that, when true, leaves a row out.
        batch_size: How many rows share a call, in which their one column is a list with commas.
    """

    resource: str
    fields: Mapping[str, str]
    skip_if: str = ""
    batch_size: int = 1

    @property
    def wanted(self) -> Fields:
        """What is looked at of a row."""
        return tree([*self.fields.values(), *filter(None, [self.skip_if])])

    def batches(self, reading: Reading) -> Iterator[list[Columns]]:
        """The columns for each call."""
        columns = self._columns(reading)
        return iter(lambda: list(itertools.islice(columns, self.batch_size)), [])

    def _columns(self, reading: Reading) -> Iterator[Columns]:
        seen: set[str] = set()
        for row in itertools.chain.from_iterable(reading.read(self.resource, self.wanted)):
            if self.skip_if and row.get(self.skip_if):
                continue
            for values in itertools.product(
                *(values_at(row, path) for path in self.fields.values())
            ):
                if None not in values and repr(values) not in seen:
                    seen.add(repr(values))
                    yield dict(zip(self.fields, values, strict=True))


@dataclass(frozen=True)
class Endpoint(Source):
    """An endpoint of the API.

    In ``path`` and ``params``, ``{names}`` stand for columns of the parent.

    Attributes:
        path: Path below ``/api/4.0``.
        params: Query parameters that are always sent.
        parent: Asked once for each row of another resource.
        records_path: Lists that hold the rows, inside each object of the answer.
        include_from_parent: What such a row takes from the object around it: column → field there.
        constants: Columns that no answer says of itself, as patterns; ``{host}`` is the instance.
        supports_fields: It takes ``fields``.
        billing: See :class:`Source`.
    """

    path: str
    params: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    parent: Parent | None = field(default=None, kw_only=True)
    records_path: tuple[str, ...] = field(default=(), kw_only=True)
    include_from_parent: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    constants: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    supports_fields: bool = field(default=True, kw_only=True)
    billing: str = field(default="non_query", kw_only=True)

    def added_columns(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the parent and the constants that are in the key, and what rows take along."""
        of_parent = self.parent.fields if self.parent else {}
        in_key = [name for name in [*of_parent, *self.constants] if name in keys]
        return tuple(dict.fromkeys([*in_key, *self.include_from_parent]))

    def plan(self, reading: Reading) -> None:
        """Read the parent first."""
        if self.parent:
            reading.want(self.parent.resource, self.parent.wanted, trash=False)

    def pages(self, reading: Reading, resource: Resource) -> Iterator[list[Row]]:
        """The rows, of one answer or of one for each row of the parent."""
        if not self.parent:
            return self._once(reading, resource)
        return self._for_each(reading, resource, self.parent)

    def _once(self, reading: Reading, resource: Resource) -> Iterator[list[Row]]:
        for page in self._ask(reading, resource, self.path, self._params(reading, resource, {})):
            yield self._completed(reading, resource, page, {})

    def _for_each(
        self, reading: Reading, resource: Resource, parent: Parent
    ) -> Iterator[list[Row]]:
        def call(batch: list[Columns]) -> list[Row]:
            columns = batch[0] if len(batch) == 1 else _joined(batch)
            path = self.path.format(**{name: segment(value) for name, value in columns.items()})
            pages = self._ask(reading, resource, path, self._params(reading, resource, columns))
            rows = list(itertools.chain.from_iterable(pages))
            return self._completed(reading, resource, rows, columns)

        for _, rows in reading.each(resource.name, call, parent.batches(reading), split=_singles):
            yield rows

    def _ask(
        self, reading: Reading, resource: Resource, path: str, params: Mapping[str, Any]
    ) -> Iterator[list[Row]]:
        """The objects of one answer, or of its pages."""
        raise NotImplementedError

    def answered_keys(self, resource: Resource) -> tuple[str, ...]:
        """The part of the key that an answer itself holds."""
        if self.records_path:
            return ()
        added = self.added_columns(resource.keys)
        return tuple(key for key in resource.keys if key not in added)

    def _needed(self, resource: Resource) -> tuple[str, ...]:
        """What has to be asked for whatever is selected."""
        return self.answered_keys(resource)

    def _params(
        self, reading: Reading, resource: Resource, columns: Mapping[str, Any]
    ) -> dict[str, Any]:
        params = {name: value.format(**columns) for name, value in self.params.items()}
        fields = reading.fields_of(resource)
        if fields is not None and self.supports_fields:
            fields = {**tree(filter(None, self._needed(resource))), **fields}
            added = self.added_columns(resource.keys)
            fields = {name: below for name, below in fields.items() if name not in added}
            if self.records_path:
                around = tree(self.include_from_parent.values())
                fields = {**around, **dict.fromkeys(self.records_path, fields)}
            if fields:
                params["fields"] = rendered(fields)
        return params

    def _completed(
        self, reading: Reading, resource: Resource, rows: list[Row], columns: Mapping[str, Any]
    ) -> list[Row]:
        """The rows that count, with the columns that Looker does not put on them."""
        if self.records_path:
            rows = _exploded(
                reading, resource, rows, self.records_path, self.include_from_parent, is_answer=True
            )
        added = self.added_columns(resource.keys)
        for row in rows:
            for name in added:
                if row.get(name) is None and name in columns:
                    row[name] = columns[name]
            for name, pattern in self.constants.items():
                if row.get(name) is None:
                    row[name] = pattern.format(host=reading.host, **columns)
        return rows

    def estimate_calls(self, counts: Counts, resource: Resource) -> Range | None:  # noqa: ARG002
        """One, or one for each row or batch of the parent."""
        if not self.parent:
            return Range(1, 1)
        parent = self.parent
        items = counts.distinct(parent.resource, [*parent.fields.values()], parent.skip_if)
        return items and Range(*(ceil(number / parent.batch_size) for number in items))


@dataclass(frozen=True)
class List(Endpoint):
    """A list that comes in one piece.

    Attributes:
        scalar: The list holds plain values; the column they go to.
    """

    scalar: str = field(default="", kw_only=True)

    def added_columns(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Also that of plain values."""
        return tuple(dict.fromkeys(filter(None, [*super().added_columns(keys), self.scalar])))

    def _ask(
        self, reading: Reading, resource: Resource, path: str, params: Mapping[str, Any]
    ) -> Iterator[list[Row]]:
        return reading.client.iter_list(
            path,
            params,
            self.answered_keys(resource),
            billing=self.billing,
            scalar=self.scalar,
        )


@dataclass(frozen=True)
class Get(Endpoint):
    """One object."""

    def _ask(
        self, reading: Reading, resource: Resource, path: str, params: Mapping[str, Any]
    ) -> Iterator[list[Row]]:
        answer = reading.client.get(path, params, self.billing)
        if answer.is_absent and self.parent:
            return
        rows = as_rows(answer.data, self.answered_keys(resource), path)
        if not rows:
            raise BadResponseError(f"GET {path}: HTTP 200, but the answer holds no object.")
        yield rows


@dataclass(frozen=True)
class Search(Endpoint):
    """A list that is paged with ``limit`` and ``offset``.

    Attributes:
        sorts: Column the pages are sorted by; "" where the endpoint takes no ``sorts``.
        has_trash: Deleted rows are kept and come with ``deleted=true``, in a second pass.
        is_documented: The OpenAPI document has ``limit`` and ``offset``; where it does not, an
            instance may ignore or refuse them.
        nested_lists: See :class:`Source`.
    """

    sorts: str = field(default="id", kw_only=True)
    has_trash: bool = field(default=False, kw_only=True)
    is_documented: bool = field(default=True, kw_only=True)
    nested_lists: Mapping[str, str] = field(default_factory=dict, kw_only=True)

    def _once(self, reading: Reading, resource: Resource) -> Iterator[list[Row]]:
        """The list, and what is in the trash."""
        params = self._params(reading, resource, {})
        passes = ({}, {"deleted": "true"}) if reading.reads_trash(resource) else ({},)
        seen: set[Any] = set()
        for narrowed, deleted in itertools.product(reading.folder_filters(resource), passes):
            asked = {**params, **narrowed, **deleted}
            for page in self._ask(reading, resource, self.path, asked, seen):
                rows = self._completed(reading, resource, page, {})
                if deleted:
                    for row in rows:
                        row.setdefault("deleted", True)
                yield rows

    def _ask(
        self,
        reading: Reading,
        resource: Resource,
        path: str,
        params: Mapping[str, Any],
        seen: set[Any] | None = None,
    ) -> Iterator[list[Row]]:
        keys = self.answered_keys(resource)
        pages = reading.client.iter_pages(
            path,
            params,
            keys=keys,
            size=reading.page_size,
            sorts=self.sorts,
            seen=seen,
            may_ignore_limit=not self.is_documented,
            in_parallel=not self.parent,
            billing=self.billing,
        )
        try:
            first = next(pages, [])
        except RequestError as error:
            if self.is_documented or error.status not in (400, 422):
                raise
            logger.warning("%s Reading the list without pages.", error.message)
            yield from reading.client.iter_list(path, params, keys, billing=self.billing)
            return
        yield first
        yield from pages

    def _needed(self, resource: Resource) -> tuple[str, ...]:
        return (*super()._needed(resource), self.sorts)

    def estimate_calls(self, counts: Counts, resource: Resource) -> Range | None:
        """One for each page, at least one, and one for the trash."""
        if self.parent:
            return super().estimate_calls(counts, resource)
        total = counts.of(resource.name)
        trash = self.has_trash and counts.include_deleted
        calls = max(1, ceil((total or 0) / counts.page_size)) + trash
        return None if total is None else Range(calls, calls)


@dataclass(frozen=True)
class Nested(Source):
    """Lists inside the rows of another resource.

    Attributes:
        resource: Name of the other resource.
        records_path: The lists, with dots through objects.
        include_from_parent: What a row takes from the one around it: column → field there.
        needed_fields: Of the rows around, for warnings.
    """

    resource: str
    records_path: tuple[str, ...]
    include_from_parent: Mapping[str, str] = field(default_factory=dict)

    def added_columns(self, keys: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG002
        """What a row takes along."""
        return tuple(self.include_from_parent)

    def plan(self, reading: Reading) -> None:
        """Read the rows around, with the lists in them."""
        heads = {path.partition(".")[0] for path in self.records_path}
        reading.want(self.resource, self._wanted, lists=heads)

    @property
    def _wanted(self) -> Fields:
        return tree(["id", *self.include_from_parent.values(), *self.records_path])

    def pages(self, reading: Reading, resource: Resource) -> Iterator[list[Row]]:
        """The rows of the lists."""
        came = False
        for page in reading.read(self.resource, self._wanted):
            came = came or any(
                isinstance(value_at(row, path), list) for row in page for path in self.records_path
            )
            if page and not came:
                for path in self.records_path:
                    if error := reading.refused.get((self.resource, path)):
                        raise error
            rows = _exploded(reading, resource, page, self.records_path, self.include_from_parent)
            page.clear()
            yield rows

    def estimate_calls(self, counts: Counts, resource: Resource) -> Range | None:  # noqa: ARG002
        """No call: the rows around are read anyway."""
        return Range(0, 0)


@dataclass(frozen=True)
class Composite(Source):
    """Rows gathered from several places.

    Attributes:
        wants: Says which resources have to be read first.
        gather: Gives the rows.
        places: What it asks, in words for the documentation.
        estimate: How many calls it takes.
        counted: What is counted for that: fields of the rows of other resources.
        count: How many rows there are, as far as that is known.
    """

    wants: Callable[[Reading], None]
    gather: Callable[[Reading], Iterator[list[Row]]]
    places: str
    estimate: Callable[[Counts], Range | None]
    counted: Mapping[str, tuple[str, ...]]
    count: Callable[[Counts], Range | None] = lambda _: None

    def plan(self, reading: Reading) -> None:
        """As the functions say."""
        self.wants(reading)

    def pages(self, reading: Reading, resource: Resource) -> Iterator[list[Row]]:  # noqa: ARG002
        """As the functions say."""
        return self.gather(reading)

    def estimate_calls(self, counts: Counts, resource: Resource) -> Range | None:  # noqa: ARG002
        """As the function says."""
        return self.estimate(counts)


def _exploded(
    reading: Reading,
    resource: Resource,
    around: Iterable[Row],
    paths: Iterable[str],
    include: Mapping[str, str],
    *,
    is_answer: bool = False,
) -> list[Row]:
    """The rows of the lists inside objects; null or absent is not empty."""
    rows: list[Row] = []
    around = list(around)
    for one in around:
        lists = [value for path in paths if isinstance(value := value_at(one, path), list)]
        if not lists:
            missing = " or ".join(paths)
            if is_answer and len(around) == 1:
                raise BadResponseError(f"{resource.name}: the answer has no {missing}.")
            reading.skipped[resource.name] += 1
            name = identity(one, ("id",)) or identity(one, ("name",)) or "an object"
            logger.warning("%s: one skipped: %s has no %s.", resource.name, name, missing)
        for row in itertools.chain.from_iterable(lists):
            if isinstance(row, dict):
                taken = {name: one.get(source) for name, source in include.items()}
                rows.append({**row, **taken})
    return rows


def _joined(batch: list[Columns]) -> Columns:
    """The columns of several calls for one that takes lists, separated by commas."""
    return {name: ",".join(str(one[name]) for one in batch) for name in batch[0]}


def _singles(batch: list[Columns]) -> list[list[Columns]]:
    return [[one] for one in batch] if len(batch) > 1 else []
