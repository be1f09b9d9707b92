"""What the streams of a run read, asked for once however many of them read it.

A source is the rows of one resource of the table, as Looker sent them. Streams say beforehand
what they will read and which fields of it; the request then asks for all of these together, and
what came is kept in a temporary file for those who read it later.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar
from urllib.parse import urlsplit

import msgspec

from tap_looker.client import as_rows, segment
from tap_looker.errors import RequestError
from tap_looker.paging import identity
from tap_looker.prefetch import Shared, in_order
from tap_looker.readers import READERS
from tap_looker.resources import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tap_looker.client import LookerClient, Row
    from tap_looker.resources import Resource

    Fields = dict[str, Any]
    """A tree of field names: ``{"id": None, "folder": {"id": None}}``; None is all below."""

logger = logging.getLogger("tap-looker")

T = TypeVar("T")
REFUSALS = frozenset({200, 400, 403, 404, 405, 409, 422, 500})
"""Answers that concern one request and not the instance; 200 is a body of another shape."""

IN_FOLDER = {"folders": "id", "looks": "folder_id", "dashboards": "folder.id"}
"""Where a row says in which folder it is: what the setting folder_ids looks at."""
OF_DASHBOARD = {"dashboard_elements": "dashboard_id"}
OF_MODEL = {"lookml_models": "name", "lookml_dashboards": "id"}
"""Where a row says which model it is of, before ``::`` where there is one."""
WHERE = {**IN_FOLDER, **OF_DASHBOARD, **OF_MODEL}
"""All of these: a resource is in one of them at the most."""
FOLDERS_PER_CALL = 100


class Sources:
    """The collections that the streams of one run read.

    Attributes:
        skipped: How many single items could not be read, by source.
    """

    def __init__(
        self,
        client: LookerClient,
        *,
        page_size: int,
        include_deleted: bool,
        folder_ids: Iterable[str] = (),
        models: Iterable[str] = (),
    ) -> None:
        self.client = client
        self.skipped: Counter[str] = Counter()
        self._page_size = page_size
        self._include_deleted = include_deleted
        self._roots = list(folder_ids)
        self._models = frozenset(models)
        self._lock = threading.Lock()
        self._members: dict[str, frozenset[str]] = {}
        # One for each: who reads dashboards holds theirs, and waits for the folders.
        self._members_locks = {name: threading.Lock() for name in ("folders", "dashboards")}
        self._refused: dict[tuple[str, str], RequestError] = {}
        self._host = urlsplit(client.base_url).netloc
        self._fields: dict[str, Fields | None] = {}
        self._lists: dict[str, set[str]] = {}
        self._trash: dict[str, bool] = {}
        self._readers: Counter[str] = Counter()
        self._shared: dict[str, Shared[list[Row]]] = {}

    def want(
        self,
        name: str,
        fields: Fields | None = None,
        *,
        trash: bool = True,
        lists: Iterable[str] = (),
    ) -> None:
        """Say that a source will be read once more.

        Args:
            name: Of the resource.
            fields: What of its rows; None is everything.
            trash: Its deleted rows too, where Looker keeps them and the settings include them.
            lists: Nested lists that must be there: asked for one by one where they are not.
        """
        self._readers[name] += 1
        self._fields[name] = merged(self._fields.get(name, {}), fields)
        self._trash[name] = self._trash.get(name, False) or trash
        self._lists.setdefault(name, set()).update(lists)
        if self._readers[name] > 1:
            return
        resource = BY_NAME[name]
        if self._roots and name in IN_FOLDER:
            self._fields[name] = merged(self._fields[name], tree([IN_FOLDER[name]]))
            self.want("folders", tree(["id", "parent_id"]), trash=False)
        if self._roots and name in OF_DASHBOARD:
            self.want("dashboards", tree(["id"]))
        if name in READERS:
            READERS[name].wants(self)
        for parent in resource.each:
            self.want(parent, _of_parents(resource), trash=False)
        if resource.inside:
            nested = {path.partition(".")[0] for path in resource.at}
            lists = nested & BY_NAME[resource.inside].nested.keys()
            self.want(resource.inside, _around(resource), lists=lists)

    @property
    def wanted(self) -> set[str]:
        """Names of all that will be read, whether for itself or for others."""
        return set(self._readers)

    def read(self, name: str, fields: Fields | None = None) -> Iterator[list[Row]]:
        """The rows of a source, page by page, from the start.

        Args:
            name: Of the resource.
            fields: What the reader looks at; the rows may hold more.

        Raises:
            RequestError: It cannot be read whole.
        """
        inside = self._is_inside(name)
        missing = set(self._models if name == "lookml_models" else ())
        if fields is not None and name in WHERE:
            fields = {**tree([WHERE[name]]), **fields}
        for page in self._whole(name, fields):
            if inside is not None:
                page[:] = [row for row in page if inside(row)]
            missing.difference_update(str(row.get("name")) for row in page)
            yield page
        if missing:
            raise RequestError(
                f"Setting models: there is no model {', '.join(sorted(missing))} that this key "
                "may see."
            )

    def close(self) -> None:
        """Drop what was kept for later readers."""
        for shared in self._shared.values():
            shared.close()

    def _whole(self, name: str, fields: Fields | None) -> Iterator[list[Row]]:
        """A source, whatever folders and models the settings name."""
        with self._lock:
            if name not in self._shared:
                self._shared[name] = Shared(self._pages(BY_NAME[name]), self._readers[name])
        return self._shared[name].read(_decoder(fields))

    def _is_inside(self, name: str) -> Callable[[Row], bool] | None:
        """Whether a row belongs to the folders and models of the settings; None: all do."""
        if self._roots and name in IN_FOLDER:
            folders = self._member_ids("folders")
            return lambda row: str(_at(row, IN_FOLDER[name])) in folders
        if self._roots and name in OF_DASHBOARD:
            dashboards = self._member_ids("dashboards")
            return lambda row: str(row.get(OF_DASHBOARD[name])) in dashboards
        if self._models and name in OF_MODEL:
            return lambda row: str(row.get(OF_MODEL[name])).partition("::")[0] in self._models
        return None

    def _member_ids(self, name: str) -> frozenset[str]:
        """Ids of the folders of the settings and all below them, or of the dashboards in them."""
        with self._members_locks[name]:
            if name not in self._members:
                if name == "folders":
                    pages = self._whole(name, tree(["id", "parent_id"]))
                    rows = itertools.chain.from_iterable(pages)
                    self._members[name] = _below(self._roots, rows)
                else:
                    rows = itertools.chain.from_iterable(self.read(name, tree(["id"])))
                    self._members[name] = frozenset(str(row.get("id")) for row in rows)
            return self._members[name]

    def each(
        self,
        name: str,
        call: Callable[[T], Any],
        items: Iterable[T],
        *,
        came: bool = False,
        split: Callable[[T], list[T]] = lambda _: [],
    ) -> Iterator[tuple[T, Any]]:
        """The answers for items asked for one by one, several at a time, in their order.

        An item that Looker has no answer for (gone since, not compiling, denied) is left out with
        a warning and counted in :attr:`skipped`; one that `split` makes several of is asked for in
        these parts before.

        Raises:
            RequestError: Not one of the items could be read, or Looker could not be reached.
        """
        refusal: RequestError | None = None
        for item, future in in_order(self.client.workers, call, items):
            try:
                answer = future.result()
            except RequestError as error:
                if error.status not in REFUSALS - {
                    200
                }:  # a 200 that is none says nothing of the item
                    raise
                refusal = error
                if parts := split(item):
                    for one in self.each(name, call, parts, came=came):
                        came = True
                        yield one
                    continue
                self.skipped[name] += 1
                logger.warning("%s: one skipped: %s", name, error.message)
                continue
            came = True
            yield item, answer
        if refusal and not came:
            raise refusal

    def _pages(self, resource: Resource) -> Iterator[list[Row]]:
        """The rows of a resource, however its row in the table says they come."""
        if resource.name in READERS:
            pages = READERS[resource.name].pages(self)
        elif resource.inside:
            pages = self._inside(resource)
        elif resource.each:
            pages = self._for_each(resource)
        else:
            pages = self._list(resource)
        came: set[str] = set()
        inside = self._is_inside(resource.name) if self._lists[resource.name] else None
        for page in pages:
            rows = page if inside is None else [row for row in page if inside(row)]
            for name in self._lists[resource.name]:
                if any(isinstance(row.get(name), list) for row in rows):
                    came.add(name)
                self._fill(resource, rows, name, came=name in came)
                if any(isinstance(row.get(name), list) for row in rows):
                    came.add(name)
            yield rows

    def _list(self, resource: Resource) -> Iterator[list[Row]]:
        """The list, or where this instance refuses to give it so, the next best."""
        came = False
        params = self._params(resource, {})
        try:
            for page in self._passes(resource, params):
                came = True
                yield page
        except RequestError as error:
            if came or not resource.fallback or error.status not in REFUSALS:
                raise
            # The document gives this search another answer than instances send (one
            # DashboardLookml), and some refuse it. GET /dashboards lists both kinds of dashboard;
            # those of LookML have "::" in their id.
            logger.warning("%s Reading GET %s in its place.", error.message, resource.fallback)
            rows = self.client.rows(resource.fallback, {"fields": "id"}, resource.keys)
            ids = sorted(str(row.get("id")) for row in rows if "::" in str(row.get("id")))

            def one(id_: str) -> list[Row]:
                path = f"{resource.fallback}/{segment(id_)}"
                return self.client.rows(path, params, resource.keys)

            for _, found in self.each(resource.name, one, ids):
                yield found

    def _passes(self, resource: Resource, params: Mapping[str, Any]) -> Iterator[list[Row]]:
        """The list, and what is in the trash."""
        seen: set[Any] = set()
        trash = resource.trash and self._include_deleted and self._trash[resource.name]
        for extra, deleted in itertools.product(
            self._narrowed(resource), ({}, {"deleted": "true"}) if trash else ({},)
        ):
            asked = {**params, **extra, **deleted}
            for page in self._ask(resource, resource.path, asked, seen):
                rows = self._completed(resource, page, {})
                if deleted:
                    for row in rows:
                        row.setdefault("deleted", True)
                yield rows

    def _narrowed(self, resource: Resource) -> list[dict[str, str]]:
        """Parameters that ask for the folders of the settings alone, some folders at a time.

        The search operations take a list of ids, separated by commas, for an id. Rows are still
        looked at: whether every instance does so for ``folder_id`` is not known.
        """
        if not self._roots or resource.name not in ("looks", "dashboards"):
            return [{}]
        folders = sorted(self._member_ids("folders"))
        return [
            {"folder_id": ",".join(folders[start : start + FOLDERS_PER_CALL])}
            for start in range(0, len(folders), FOLDERS_PER_CALL)
        ]

    def _ask(
        self,
        resource: Resource,
        path: str,
        params: Mapping[str, Any],
        seen: set[Any] | None = None,
    ) -> Iterator[list[Row]]:
        keys = _own_keys(resource)
        if resource.single:
            answer = self.client.get(path, params, resource.activity)
            if answer.is_absent and resource.each:
                return
            rows = as_rows(answer.data, keys, path)
            if not rows:
                raise RequestError(f"GET {path}: HTTP 200, but the answer holds no object.", 200)
            yield rows
            return
        if not resource.paged:
            yield from self.client.whole(
                path, params, keys, activity=resource.activity, scalar=resource.scalar
            )
            return
        pages = self.client.pages(
            path,
            params,
            keys=keys,
            size=self._page_size,
            sorts=resource.sorts,
            seen=seen,
            may_ignore_limit=resource.may_ignore_limit,
            in_parallel=not resource.each,
            activity=resource.activity,
        )
        try:
            first = next(pages, [])
        except RequestError as error:
            if not resource.may_ignore_limit or error.status not in (400, 422):
                raise
            logger.warning("%s Reading the list without pages.", error.message)
            yield from self.client.whole(path, params, keys, activity=resource.activity)
            return
        yield first
        yield from pages

    def _for_each(self, resource: Resource) -> Iterator[list[Row]]:
        """One call for each combination of columns in the rows above, or for some together."""

        def call(some: list[dict[str, Any]]) -> list[Row]:
            columns = some[0] if len(some) == 1 else _joined(some)
            path = resource.path.format(**{name: segment(value) for name, value in columns.items()})
            pages = self._ask(resource, path, self._params(resource, columns))
            rows = list(itertools.chain.from_iterable(pages))
            return self._completed(resource, rows, columns)

        combinations = self._combinations(resource)
        groups = iter(lambda: list(itertools.islice(combinations, resource.together)), [])
        for _, rows in self.each(resource.name, call, groups, split=_singles):
            yield rows

    def _combinations(self, resource: Resource) -> Iterator[dict[str, Any]]:
        seen: set[str] = set()
        for parent in resource.each:
            for row in itertools.chain.from_iterable(self.read(parent, _of_parents(resource))):
                if resource.unless and row.get(resource.unless):
                    continue
                for values in itertools.product(
                    *(_all_at(row, path) for path in resource.columns.values())
                ):
                    if None not in values and repr(values) not in seen:
                        seen.add(repr(values))
                        yield dict(zip(resource.columns, values, strict=True))

    def _inside(self, resource: Resource) -> Iterator[list[Row]]:
        came = False
        for page in self.read(resource.inside, _around(resource)):
            came = came or any(isinstance(_at(row, at), list) for row in page for at in resource.at)
            if page and not came:
                for at in resource.at:
                    if error := self._refused.get((resource.inside, at)):
                        raise error
            rows = self._completed(resource, page, {})
            page.clear()
            yield rows

    def _params(self, resource: Resource, columns: Mapping[str, Any]) -> dict[str, Any]:
        params: dict[str, Any] = {
            name: value.format(**columns) for name, value in resource.params.items()
        }
        fields = self._fields[resource.name]
        if fields is not None and resource.selects:
            needed = [*_own_keys(resource), *([resource.sorts] if resource.paged else [])]
            fields = {**tree(filter(None, needed)), **fields}
            fields = {name: below for name, below in fields.items() if name not in resource.adds}
            if resource.at:
                around = tree(resource.carry.values())
                fields = {**around, **dict.fromkeys(resource.at, fields)}
            if fields:
                params["fields"] = rendered(fields)
        return params

    def _completed(
        self, resource: Resource, rows: list[Row], columns: Mapping[str, Any]
    ) -> list[Row]:
        """The rows that count, with the columns that Looker does not put on them."""
        if resource.at:
            rows = self._exploded(resource, rows)
        for row in rows:
            for name in resource.adds:
                if row.get(name) is None and name in columns:
                    row[name] = columns[name]
            for name, pattern in resource.fills.items():
                if row.get(name) is None:
                    row[name] = pattern.format(host=self._host, **columns)
        return rows

    def _exploded(self, resource: Resource, around: list[Row]) -> list[Row]:
        """The rows of the lists inside objects; null or absent is not empty."""
        rows: list[Row] = []
        for one in around:
            lists = [value for path in resource.at if isinstance(value := _at(one, path), list)]
            if not lists:
                if len(around) == 1 and not resource.inside:
                    raise RequestError(
                        f"{resource.name}: the answer has no {' or '.join(resource.at)}.", 200
                    )
                self.skipped[resource.name] += 1
                logger.warning(
                    "%s: one skipped: %s has no %s.",
                    resource.name,
                    identity(one, ("id",)) or identity(one, ("name",)) or "an object",
                    " or ".join(resource.at),
                )
            for row in itertools.chain.from_iterable(lists):
                if isinstance(row, dict):
                    carried = {name: one.get(source) for name, source in resource.carry.items()}
                    rows.append({**row, **carried})
        return rows

    def _fill(self, resource: Resource, page: list[Row], name: str, *, came: bool) -> None:
        """Ask for the nested lists that did not come: null or absent is not empty."""
        path = resource.nested[name]

        def call(row: Row) -> list[Row]:
            return self.client.rows(path.format(id=segment(row.get("id"))), {}, ("id",))

        without = [row for row in page if not isinstance(row.get(name), list)]
        if without:
            logger.info(
                "%s: %d without %s, which is asked for by itself, in a call each.",
                resource.name,
                len(without),
                name,
            )
        try:
            for row, nested in self.each(resource.name, call, without, came=came):
                row[name] = nested
        except RequestError as error:
            if name in resource.keep or error.status not in REFUSALS:
                raise
            self._refused[resource.name, name] = error  # of the rows inside, not of these


def _below(roots: list[str], folders: Iterable[Row]) -> frozenset[str]:
    """The ids of some folders and of all inside them.

    Raises:
        RequestError: There is no such folder.
    """
    parents = {str(row.get("id")): str(row.get("parent_id")) for row in folders}
    missing = [root for root in roots if root not in parents]
    if missing:
        raise RequestError(
            f"Setting folder_ids: there is no folder {', '.join(missing)} that this key may see."
        )
    inside = set(roots)
    while more := {id_ for id_, parent in parents.items() if parent in inside} - inside:
        inside |= more
    return frozenset(inside)


def _joined(some: list[dict[str, Any]]) -> dict[str, Any]:
    """The columns of several calls for one that takes lists, separated by commas."""
    return {name: ",".join(str(one[name]) for one in some) for name in some[0]}


def _singles(some: list[T]) -> list[list[T]]:
    return [[one] for one in some] if len(some) > 1 else []


def _of_parents(resource: Resource) -> Fields:
    """What calls for each row of another resource take from that row."""
    return tree([*resource.columns.values(), *([resource.unless] if resource.unless else [])])


def _around(resource: Resource) -> Fields:
    """What rows inside those of another resource take from these."""
    return tree([*BY_NAME[resource.inside].keys, *resource.carry.values(), *resource.at])


def _decoder(fields: Fields | None) -> Callable[[bytes], list[Row]]:
    """Decodes pages, and of their rows only these fields: passing over the others is quick."""
    if fields is None:
        return msgspec.json.decode
    row: Any = TypedDict("row", dict.fromkeys(fields, Any), total=False)  # type: ignore[misc]
    decoder: Any = msgspec.json.Decoder(list[row])
    return decoder.decode  # type: ignore[no-any-return]


def tree(paths: Iterable[str]) -> Fields:
    """Dotted paths as a tree of fields."""
    fields: Fields = {}
    for path in paths:
        head, _, below = path.partition(".")
        fields[head] = merged(fields.get(head, {}), tree([below]) if below else None)
    return fields


def merged(one: Fields | None, other: Fields | None) -> Fields | None:
    """The fields of both trees."""
    if one is None or other is None:
        return None
    both = dict(one)
    for name, below in other.items():
        both[name] = merged(one[name], below) if name in one else below
    return both


def rendered(fields: Fields) -> str:
    """Fields in the syntax of Looker's ``fields`` parameter: ``id,folder(id,name)``."""
    return ",".join(
        name if below is None else f"{name}({rendered(below)})" for name, below in fields.items()
    )


def _own_keys(resource: Resource) -> tuple[str, ...]:
    """The part of the key that an answer itself holds."""
    if resource.at:
        return ()
    return tuple(key for key in resource.keys if key not in resource.adds)


def _all_at(value: Any, path: str) -> list[Any]:
    """The values that a path leads to: one for each item of a list on the way."""
    head, _, below = path.partition(".")
    value = value.get(head) if isinstance(value, dict) else None
    if not below:
        return [value]
    items = value if isinstance(value, list) else [value]
    return [found for item in items for found in _all_at(item, below)]


def _at(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
