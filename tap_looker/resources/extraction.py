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
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from tap_looker.errors import RequestError, listed
from tap_looker.looker.response import segment
from tap_looker.looker.threads import ReplayableIterator
from tap_looker.resources.fields import decoder, merged, tree, value_at
from tap_looker.resources.items import FEW, answers
from tap_looker.resources.resource import concerns_item
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
        whole: Resources that are asked for with all properties, since a name was refused.
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
        exclude_models: Iterable[str] = (),
        exclude_explores: Iterable[str] = (),
    ) -> None:
        self.client = client
        self.skipped: Counter[str] = Counter()
        self.page_size = page_size
        self._include_deleted = include_deleted
        self._roots = list(folder_ids)
        self._models = frozenset(models)
        self._excluded = list(exclude_models)
        self._excluded_explores = list(exclude_explores)
        self._is_told = False
        self._lock = threading.Lock()
        self._members: dict[str, frozenset[str]] = {}
        # One for each: who reads dashboards holds theirs, and waits for the folders.
        self._members_locks = {name: threading.Lock() for name in ("folders", "dashboards")}
        self.refused: dict[tuple[str, str], RequestError] = {}
        self.whole: set[str] = set()
        self.host = urlsplit(client.base_url).netloc
        self._fields: dict[str, Fields | None] = {}
        self._lists: dict[str, set[str]] = {}
        self._trash: dict[str, bool] = {}
        self._readers: Counter[str] = Counter()
        self._beside: list[tuple[str, Fields]] = []
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

    def want_beside(self, name: str, fields: Fields) -> None:
        """Say that a source will be read once more if others read it: see :attr:`wanted`."""
        if self._planned:
            self._read_for[self._planned[-1]].add(name)
        self._beside.append((name, fields))

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
                waiting += self._read_for[one] & self._readers.keys()
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
        """Whether these fields of a source will be read, with all that is in them."""
        if name not in self._readers:
            return False
        wanted = self._fields[name]
        return wanted is None or all(wanted.get(field, {}) is None for field in fields)

    def read(
        self, name: str, fields: Fields | None = None, *, whole: bool = False
    ) -> Iterator[list[Row]]:
        """The rows of a source, page by page, from the start.

        Args:
            name: Of the resource.
            fields: What the reader looks at; the rows may hold more.
            whole: All of it, whatever folders and models the settings name.

        Raises:
            RequestError: It cannot be read whole.
        """
        if whole:
            yield from self._whole(name, fields)
            return
        inside = self._is_inside(name)
        missing = set(self._models if name == "lookml_models" else ())
        unmatched = dict.fromkeys([*self._excluded, *self._excluded_explores])
        if fields is not None and name in MEMBERSHIP:
            fields = {**tree([MEMBERSHIP[name]]), **fields}
        for page in self._whole(name, fields):
            if unmatched and name == "lookml_models":
                self._exclude(page, unmatched)
            missing.difference_update(str(row.get("name")) for row in page)
            if inside is not None:
                page[:] = [row for row in page if inside(row)]
            yield page
        if missing:
            raise RequestError(
                f"Setting models: there is no model {', '.join(sorted(missing))} that this key "
                "may see."
            )
        if unmatched and name == "lookml_models" and not self._is_told:
            self._is_told = True
            logger.warning(
                "Settings exclude_models and exclude_explores: nothing matches %s.",
                listed(unmatched),
            )

    def _exclude(self, page: list[Row], unmatched: dict[str, None]) -> None:
        """Leave out the explores of the settings, and note which patterns match something."""
        for row in page:
            model, explores = str(row.get("name")), row.get("explores")
            for pattern in self._excluded:
                if fnmatchcase(model, pattern):
                    unmatched.pop(pattern, None)
            for pattern in self._excluded_explores if isinstance(explores, list) else ():
                names = [f"{model}::{value_at(one, 'name')}" for one in row["explores"]]
                kept = [
                    one
                    for one, name in zip(row["explores"], names, strict=True)
                    if not fnmatchcase(name, pattern)
                ]
                if len(kept) < len(names):
                    unmatched.pop(pattern, None)
                row["explores"] = kept

    def close(self) -> None:
        """Drop what was kept for later readers."""
        for shared in self._shared.values():
            shared.close()

    def _whole(self, name: str, fields: Fields | None) -> Iterator[list[Row]]:
        """A source, whatever folders and models the settings name."""
        with self._lock:
            if name not in self._shared:
                beside = sum(name == one for one, _ in self._beside)
                self._shared[name] = ReplayableIterator(
                    self._pages(BY_NAME[name]), self._readers[name] + beside
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
        if (self._models or self._excluded) and name in OF_MODEL:
            return lambda row: self._has_model(str(row.get(OF_MODEL[name])).partition("::")[0])
        return None

    def _has_model(self, model: str) -> bool:
        if self._models and model not in self._models:
            return False
        return not any(fnmatchcase(model, pattern) for pattern in self._excluded)

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

        What is left out comes with a warning and is counted in :attr:`skipped`: see
        :func:`~tap_looker.resources.items.answers`.

        Raises:
            RequestError: Not one of the items could be read, or Looker could not be reached.
        """

        def skip(error: RequestError, count: int) -> None:
            self.skip(name, error.message, count)

        return answers(self.client, call, items, skip=skip, came=came, split=split)

    def skip(self, name: str, why: str, count: int = 1) -> None:
        """Leave out single items of a resource: a warning, and counted."""
        self.skipped[name] += count
        many = "one" if count == 1 else f"{count:,}"
        logger.warning("%s: %s skipped: %s", name, many, why)

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
        if resource.name in self.whole:
            return None
        fields = self._fields[resource.name]
        for name, more in self._beside:
            fields = merged(fields, more) if name == resource.name else fields
        return fields

    def reads_trash(self, resource: Resource) -> bool:
        """Whether deleted rows are wanted too."""
        has_trash = getattr(resource.source, "has_trash", False)
        return has_trash and self._include_deleted and self._trash[resource.name]

    def folder_filters(self, resource: Resource) -> list[dict[str, str]]:
        """Parameters that ask for the folders of the settings alone, some folders at a time.

        The search operations take a list of ids, separated by commas, for a whole number; for
        ``folder_id``, which the document calls a text, that is not known. So rows are still looked
        at: by :meth:`homes`, and by who reads them.
        """
        if not self._roots or resource.name not in ("looks", "dashboards"):
            return [{}]
        folders = sorted(self._member_ids("folders"))
        return [
            {"folder_id": ",".join(folders[start : start + FOLDERS_PER_CALL])}
            for start in range(0, len(folders), FOLDERS_PER_CALL)
        ]

    def homes(self, resource: Resource, page: list[Row]) -> set[Any]:
        """The folders that some rows are in."""
        return {value_at(row, IN_FOLDER[resource.name]) for row in page} - {None}

    def _fill(self, resource: Resource, page: list[Row], name: str, *, came: bool) -> None:
        """Ask for the nested lists that did not come: null or absent is not empty."""
        path = resource.source.nested_lists[name]

        def call(row: Row) -> list[Row]:
            return self.client.get_list(path.format(id=segment(row.get("id"))), {}, ("id",))

        is_own = name in resource.source.own_lists

        def skip(error: RequestError, count: int) -> None:
            if is_own:
                self.skip(resource.name, error.message, count)
            else:  # of the stream of the lists, not of this one
                logger.warning("%s: one without %s: %s", resource.name, name, error.message)

        without = [row for row in page if not isinstance(row.get(name), list)]
        if not without or (resource.name, name) in self.refused:
            return
        logger.info(
            "%s: %d without %s, which is asked for by itself, in a call each.",
            resource.name,
            len(without),
            name,
        )
        # Many that are refused are not single ones, even where some lists came with their rows.
        came = came and (is_own or len(without) < FEW)
        try:
            for row, nested in answers(self.client, call, without, skip=skip, came=came):
                row[name] = nested
        except RequestError as error:
            if is_own or not concerns_item(error):
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
