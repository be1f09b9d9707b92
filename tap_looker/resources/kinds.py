"""The kinds of sources: how each reads its rows.

::

    Search      a list that is paged with limit and offset
    List        a list that comes in one piece
    Get         one object
    Single      the one object of its kind that an instance has
    Composite   rows gathered from several places, by functions of its own
    Nested      lists inside the rows of another resource: no calls of its own (in ``flat``)
    Derived     rows made of what others read: no calls of its own (in ``flat``)

An endpoint of the first three may be asked once for each row of a :class:`Parent`.
"""

from __future__ import annotations

import itertools
import logging
import re
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any

from tap_looker.errors import BadResponseError, DeniedError, RequestError, listed
from tap_looker.looker.response import as_rows, segment
from tap_looker.resources.fields import rendered, tree, value_at, values_at
from tap_looker.resources.resource import Range, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tap_looker.looker.response import Row
    from tap_looker.resources.fields import Fields
    from tap_looker.resources.resource import Column, Counts, Reading, Resource

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
        include: What the record takes along besides, and what may be null: column → field there.
        skip_if: Fields that leave a row out, when one of them is true.
        empty_unless: Field that, when false, says that a row has no list.
        is_optional: A row without the fields needs no call.
        batch_size: How many rows share a call, in which their one column is a list with commas.
    """

    resource: str
    fields: Mapping[str, str]
    skip_if: tuple[str, ...] = ()
    empty_unless: str = ""
    is_optional: bool = False
    batch_size: int = 1
    include: Mapping[str, str] = field(default_factory=dict)

    @property
    def wanted(self) -> Fields:
        """What is looked at of a row."""
        paths = [*self.fields.values(), *self.include.values(), *self.skip_if]
        return tree([*paths, *filter(None, [self.empty_unless])])

    def batches(self, reading: Reading, name: str) -> Iterator[list[Columns]]:
        """The columns for each call.

        Args:
            reading: Has the rows.
            name: Of the resource that is asked for.

        Raises:
            BadResponseError: No row says what to ask for.
        """
        columns = self._columns(reading, name)
        return iter(lambda: list(itertools.islice(columns, self.batch_size)), [])

    def _columns(self, reading: Reading, name: str) -> Iterator[Columns]:
        seen: set[str] = set()
        lacking: list[str] = []
        count = 0
        is_told = not self.is_optional
        for row in itertools.chain.from_iterable(reading.read(self.resource, self.wanted)):
            count += 1
            is_told = is_told or row.keys() >= set(self.fields.values())
            if any(row.get(name) for name in self.skip_if):
                continue
            if self._has_no_list(row):
                if not (self.empty_unless and row.get(self.empty_unless) is False):
                    lacking.append(_named(row))
                continue
            for values in itertools.product(
                *(values_at(row, path) for path in self.fields.values())
            ):
                if None in values:
                    lacking.append(_named(row))
                elif repr(values) not in seen:
                    seen.add(repr(values))
                    taken = {name: row.get(path) for name, path in self.include.items()}
                    yield {**dict(zip(self.fields, values, strict=True)), **taken}
        if count and not is_told:
            self._warn_of_none(name, count)
        else:
            self._check(reading, name, count, lacking, found=bool(seen))

    def _has_no_list(self, row: Row) -> bool:
        heads = {path.partition(".")[0] for path in self.fields.values() if "." in path}
        return any(not isinstance(row.get(head), list) for head in heads)

    def _check(
        self, reading: Reading, name: str, count: int, lacking: list[str], *, found: bool
    ) -> None:
        """Null or absent is not empty, and neither is the same as all lists being empty."""
        if lacking and not self.is_optional:
            what = " and ".join(self.fields.values())
            if not found:
                raise BadResponseError(
                    f"{name}: no row of {self.resource} ({count:,}) has {what}, which says what to "
                    "ask for."
                )
            reading.skip(
                name, f"without {what} in {self.resource}: {listed(lacking)}.", len(lacking)
            )
        elif count and not found and any("." in path for path in self.fields.values()):
            self._warn_of_none(name, count)

    def _warn_of_none(self, name: str, count: int) -> None:
        logger.warning(
            "%s: no row of %s (%d) has any %s to ask for. The API key's user may not see them.",
            name,
            self.resource,
            count,
            " and ".join(self.fields.values()),
        )


def _named(row: Row) -> str:
    """A row in a message."""
    return next((str(row[name]) for name in ("id", "name") if row.get(name)), "one without a name")


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
        of_parent, along = (self.parent.fields, self.parent.include) if self.parent else ((), ())
        in_key = [name for name in [*of_parent, *self.constants] if name in keys]
        return tuple(dict.fromkeys([*in_key, *along, *self.include_from_parent]))

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
        params = self._params(reading, resource, {})
        for page in self._answers(reading, resource, self.path, params):
            yield self._completed(reading, resource, page, {})

    def _for_each(
        self, reading: Reading, resource: Resource, parent: Parent
    ) -> Iterator[list[Row]]:
        def call(batch: list[Columns]) -> list[Row]:
            columns = batch[0] if len(batch) == 1 else _joined(batch)
            path = self.path.format(**{name: segment(columns[name]) for name in parent.fields})
            params = self._params(reading, resource, columns)
            pages = self._answers(reading, resource, path, params)
            rows = list(itertools.chain.from_iterable(pages))
            return self._completed(reading, resource, rows, columns)

        for _, rows in reading.each(
            resource.name, call, parent.batches(reading, resource.name), split=_singles
        ):
            yield rows

    def _answers(
        self,
        reading: Reading,
        resource: Resource,
        path: str,
        params: Mapping[str, Any],
        *more: Any,
    ) -> Iterator[list[Row]]:
        """As :meth:`_ask`; without ``fields`` where a name in it is refused.

        A release lacks the properties of later ones. What it does with their names in ``fields`` is
        not documented; most likely it ignores them.
        """
        pages = self._ask(reading, resource, path, params, *more)
        try:
            first = next(pages, None)
        except RequestError as error:
            is_of_fields = error.status in (400, 422) and re.search(r"\bfields?\b", error.message)
            if "fields" not in params or not is_of_fields:
                raise
            logger.warning("%s Asking for all properties.", error.message)
            reading.whole.add(resource.name)
            params = {name: value for name, value in params.items() if name != "fields"}
            yield from self._ask(reading, resource, path, params, *more)
            return
        if first is not None:
            yield first
            yield from pages

    def _ask(
        self,
        reading: Reading,
        resource: Resource,
        path: str,
        params: Mapping[str, Any],
        *more: Any,
    ) -> Iterator[list[Row]]:
        """The objects of one answer, or of its pages."""
        raise NotImplementedError

    def answered_keys(self, resource: Resource) -> tuple[str, ...]:
        """The part of the key that an answer itself holds."""
        if self.records_path:
            return ()
        added = self.added_columns(resource.keys)
        return tuple(resource.renamed.get(key, key) for key in resource.keys if key not in added)

    def _needed(self, resource: Resource) -> tuple[str, ...]:
        """What has to be asked for whatever is selected."""
        return self.answered_keys(resource)

    def _params(
        self, reading: Reading, resource: Resource, columns: Mapping[str, Any]
    ) -> dict[str, Any]:
        params = {name: value.format(**columns) for name, value in self.params.items()}
        fields = reading.fields_of(resource)
        if fields is not None and self.supports_fields:
            fields = {resource.renamed.get(name, name): below for name, below in fields.items()}
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
            rows = _exploded(reading, resource, rows, self.records_path, self.include_from_parent)
        added = self.added_columns(resource.keys)
        for row in rows:
            for column, name in resource.renamed.items():
                if name in row:
                    row[column] = row.pop(name)
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
class Single(Get):
    """The one object of its kind that an instance has: the host is its key."""

    constants: Mapping[str, str] = field(default_factory=lambda: {"host": "{host}"}, kw_only=True)


@dataclass(frozen=True)
class Search(Endpoint):
    """A list that is paged with ``limit`` and ``offset``.

    Attributes:
        sorts: Column the pages are sorted by; "" where the endpoint takes no ``sorts``.
        has_trash: Deleted rows are kept and come with ``deleted=true``, in a second pass.
        is_documented: The OpenAPI document has ``limit`` and ``offset``; where it does not, an
            instance may ignore or refuse them.
        largest_page: Rows that the endpoint gives at once, at most; 0 where no limit is documented.
        fallback: Path of the next best list, where an instance lacks this one.
        nested_lists: See :class:`Source`.
    """

    sorts: str = field(default="id", kw_only=True)
    has_trash: bool = field(default=False, kw_only=True)
    is_documented: bool = field(default=True, kw_only=True)
    largest_page: int = field(default=0, kw_only=True)
    fallback: str = field(default="", kw_only=True)
    nested_lists: Mapping[str, str] = field(default_factory=dict, kw_only=True)

    def _once(self, reading: Reading, resource: Resource) -> Iterator[list[Row]]:
        """The list, and what is in the trash."""
        passes = ({}, {"deleted": "true"}) if reading.reads_trash(resource) else ({},)
        narrowings = reading.folder_filters(resource)
        seen: set[Any] = set()
        is_understood = not any("," in text for one in narrowings for text in one.values())
        for narrowed, deleted in itertools.product(narrowings, passes):
            homes: set[Any] = set()
            for page in self._pass(reading, resource, {**narrowed, **deleted}, seen):
                if not is_understood:
                    homes.update(reading.homes(resource, page))
                yield page
            is_understood = is_understood or len(homes) > 1
        if not is_understood:
            logger.info(
                "%s: what came is of one folder at most, so that this instance may not take "
                "several at once. Reading those of all folders.",
                resource.name,
            )
            for deleted in passes:
                yield from self._pass(reading, resource, deleted, seen)

    def _pass(
        self, reading: Reading, resource: Resource, more: Mapping[str, str], seen: set[Any]
    ) -> Iterator[list[Row]]:
        asked = {**self._params(reading, resource, {}), **more}
        for page in self._answers(reading, resource, self.path, asked, seen):
            rows = self._completed(reading, resource, page, {})
            if "deleted" in more:
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
        is_batch = self.parent is not None and self.parent.batch_size > 1  # has parts of its own
        pages = reading.client.iter_pages(
            path,
            params,
            keys=keys,
            size=min(reading.page_size, self.largest_page or reading.page_size),
            sorts=self.sorts,
            seen=seen,
            may_ignore_limit=not self.is_documented,
            in_parallel=not self.parent,
            billing=self.billing,
            skip=partial(reading.skip, resource.name),
            goes_around=not is_batch,
        )
        try:
            first = next(pages, [])
        except RequestError as error:
            if self.fallback not in ("", path) and isinstance(error, DeniedError):
                logger.warning(
                    "%s Reading GET %s in its place; what only the former has is null.",
                    error.message,
                    self.fallback,
                )
                yield from self._ask(reading, resource, self.fallback, params, seen)
                return
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
class Composite(Source):
    """Rows gathered from several places.

    Attributes:
        wants: Says which resources have to be read first.
        gather: Gives the rows.
        places: What it asks, in words for the documentation.
        estimate: How many calls it takes.
        counted: What is counted for that: fields of the rows of other resources.
        count: How many rows there are, as far as that is known.
        columns: Of rows that no model of Looker's has.
        billing: See :class:`Source`.
    """

    wants: Callable[[Reading], None]
    gather: Callable[[Reading], Iterator[list[Row]]]
    places: str
    estimate: Callable[[Counts], Range | None]
    counted: Mapping[str, tuple[str, ...]]
    count: Callable[[Counts], Range | None] = lambda _: None
    columns: Mapping[str, Column] = field(default_factory=dict, kw_only=True)
    billing: str = field(default="non_query", kw_only=True)

    def added_columns(self, keys: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG002
        """Those that no model has."""
        return tuple(self.columns)

    def plan(self, reading: Reading) -> None:
        """As the functions say."""
        self.wants(reading)

    def pages(self, reading: Reading, resource: Resource) -> Iterator[list[Row]]:  # noqa: ARG002
        """As the functions say."""
        return filter(None, self.gather(reading))  # an empty page is no answer yet

    def estimate_calls(self, counts: Counts, resource: Resource) -> Range | None:  # noqa: ARG002
        """As the function says."""
        return self.estimate(counts)


def _exploded(
    reading: Reading,
    resource: Resource,
    around: list[Row],
    paths: Iterable[str],
    include: Mapping[str, str],
) -> list[Row]:
    """The rows of the lists inside the objects of an answer; null or absent is not empty."""
    rows: list[Row] = []
    for one in around:
        lists = [value for path in paths if isinstance(value := value_at(one, path), list)]
        if not lists:
            missing = " or ".join(paths)
            if len(around) == 1:
                raise BadResponseError(f"{resource.name}: the answer has no {missing}.")
            reading.skip(resource.name, f"{_named(one)} has no {missing}.")
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
