"""What the streams of a run read, asked for once however many of them read it.

Streams say beforehand which resources they will read, and which fields of them; the request then
asks for all of these together, and what came is kept in a temporary file for those who read it
later.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from tap_looker.errors import RequestError
from tap_looker.looker.concurrency import ReplayableIterator, ordered_map
from tap_looker.looker.response import segment
from tap_looker.resources.fields import decoder, merged, tree, value_at
from tap_looker.resources.resource import ITEM_STATUSES, concerns_item
from tap_looker.resources.table import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_looker.looker.client import LookerClient
    from tap_looker.looker.response import Row
    from tap_looker.resources.fields import Fields
    from tap_looker.resources.resource import Resource

logger = logging.getLogger("tap-looker")

T = TypeVar("T")

IN_FOLDER = {"folders": "id", "looks": "folder_id", "dashboards": "folder.id"}
"""Where a row says in which folder it is: what the setting folder_ids looks at."""
OF_DASHBOARD = {"dashboard_elements": "dashboard_id"}
OF_MODEL = {"lookml_models": "name", "lookml_dashboards": "id"}
"""Where a row says which model it is of, before ``::`` where there is one."""
MEMBERSHIP = {**IN_FOLDER, **OF_DASHBOARD, **OF_MODEL}
"""All of these: a resource is in one of them at most."""
FOLDERS_PER_CALL = 100


class Extraction:
    """The collections that the streams of one run read.

    Attributes:
        skipped: How many single items could not be read, by resource.
        refused: Why nested lists could not be read by themselves, by resource and list.
        page_size: Rows per page.
        host: Of the instance.
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
        self.page_size = page_size
        self._include_deleted = include_deleted
        self._roots = list(folder_ids)
        self._models = frozenset(models)
        self._lock = threading.Lock()
        self._members: dict[str, frozenset[str]] = {}
        # One for each: who reads dashboards holds theirs, and waits for the folders.
        self._members_locks = {name: threading.Lock() for name in ("folders", "dashboards")}
        self.refused: dict[tuple[str, str], RequestError] = {}
        self.host = urlsplit(client.base_url).netloc
        self._fields: dict[str, Fields | None] = {}
        self._lists: dict[str, set[str]] = {}
        self._trash: dict[str, bool] = {}
        self._readers: Counter[str] = Counter()
        self._read_for: dict[str, set[str]] = {}
        self._planned: list[str] = []
        self._shared: dict[str, ReplayableIterator[list[Row]]] = {}

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
        if self._planned:
            self._read_for[self._planned[-1]].add(name)
        self._readers[name] += 1
        self._fields[name] = merged(self._fields.get(name, {}), fields)
        self._trash[name] = self._trash.get(name, False) or trash
        resource = BY_NAME[name]
        found = set(lists) & resource.source.nested_lists.keys()
        self._lists.setdefault(name, set()).update(found)
        if self._readers[name] > 1:
            return
        self._read_for[name] = set()
        self._planned.append(name)
        if self._roots and name in IN_FOLDER:
            self._fields[name] = merged(self._fields[name], tree([IN_FOLDER[name]]))
            self.want("folders", tree(["id", "parent_id"]), trash=False)
        if self._roots and name in OF_DASHBOARD:
            self.want("dashboards", tree(["id"]))
        resource.source.plan(self)
        self._planned.pop()

    @property
    def wanted(self) -> set[str]:
        """Names of all that will be read, whether for itself or for others."""
        return set(self._readers)

    def sources(self, name: str) -> set[str]:
        """A resource, and all those that are read for it: what is missing there is missing here."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += self._read_for[one]
        return found

    def narrowed_by(self, name: str) -> str:
        """The setting that keeps rows of a resource out; "" where none does."""
        sources = self.sources(name)
        if self._roots and not sources.isdisjoint([*IN_FOLDER, *OF_DASHBOARD]):
            return "folder_ids"
        if self._models and not sources.isdisjoint(OF_MODEL):
            return "models"
        return ""

    def has_skipped(self, name: str) -> bool:
        """Whether items could not be read, of a resource or of those that are read for it."""
        return any(self.skipped[one] for one in self.sources(name))

    def reads(self, name: str, fields: Iterable[str]) -> bool:
        """Whether these fields of a source will be read."""
        if name not in self._readers:
            return False
        wanted = self._fields[name]
        return wanted is None or set(fields) <= wanted.keys()

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
        if fields is not None and name in MEMBERSHIP:
            fields = {**tree([MEMBERSHIP[name]]), **fields}
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
                self._shared[name] = ReplayableIterator(
                    self._pages(BY_NAME[name]), self._readers[name]
                )
        return self._shared[name].read(decoder(fields))

    def _is_inside(self, name: str) -> Callable[[Row], bool] | None:
        """Whether a row belongs to the folders and models of the settings; None: all do."""
        if self._roots and name in IN_FOLDER:
            folders = self._member_ids("folders")
            return lambda row: str(value_at(row, IN_FOLDER[name])) in folders
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
        for item, future in ordered_map(self.client.workers, call, items):
            try:
                answer = future.result()
            except RequestError as error:
                if error.status not in ITEM_STATUSES:
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
        """The rows of a resource, with the nested lists that are wanted of them."""
        came: set[str] = set()
        inside = self._is_inside(resource.name) if self._lists[resource.name] else None
        for page in resource.source.pages(self, resource):
            rows = page if inside is None else [row for row in page if inside(row)]
            for name in self._lists[resource.name]:
                if any(isinstance(row.get(name), list) for row in rows):
                    came.add(name)
                self._fill(resource, rows, name, came=name in came)
                if any(isinstance(row.get(name), list) for row in rows):
                    came.add(name)
            yield rows

    def fields_of(self, resource: Resource) -> Fields | None:
        """The fields that are wanted of a resource; None for all."""
        return self._fields[resource.name]

    def reads_trash(self, resource: Resource) -> bool:
        """Whether deleted rows are wanted too."""
        has_trash = getattr(resource.source, "has_trash", False)
        return has_trash and self._include_deleted and self._trash[resource.name]

    def folder_filters(self, resource: Resource) -> list[dict[str, str]]:
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

    def _fill(self, resource: Resource, page: list[Row], name: str, *, came: bool) -> None:
        """Ask for the nested lists that did not come: null or absent is not empty."""
        path = resource.source.nested_lists[name]

        def call(row: Row) -> list[Row]:
            return self.client.get_list(path.format(id=segment(row.get("id"))), {}, ("id",))

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
            if name in resource.source.own_lists or not concerns_item(error):
                raise
            self.refused[resource.name, name] = error  # of the rows inside, not of these


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
