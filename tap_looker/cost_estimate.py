"""How many calls a run would make: rows are counted, with few calls, where they decide it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from tap_looker.errors import RequestError
from tap_looker.resources.extraction import Extraction
from tap_looker.resources.fields import merged, rendered, tree, values_at
from tap_looker.resources.kinds import Composite, Endpoint, Search
from tap_looker.resources.resource import Range
from tap_looker.resources.rest_streams import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tap_looker.looker.client import LookerClient
    from tap_looker.resources.fields import Fields
    from tap_looker.resources.resource import Resource

COUNTED = ("users", "groups", "folders", "looks", "dashboards", "dashboard_elements", "boards")
"""What may be larger than a page: worth a call to count."""
MAX_SAMPLE = 5_000  # rows that are looked at to count what is in them


def calls_of(name: str, wanted: Collection[str], counts: Counts) -> Range | None:
    """What a stream costs besides what the run reads anyway: with its parents, where these are new.

    None if that cannot be told, as for System Activity.
    """
    if name not in BY_NAME:
        return None
    least = most = 0
    for one in counts.needed(name) - (set(wanted) - {name}):
        calls = BY_NAME[one].source.estimate_calls(counts, BY_NAME[one])
        if calls is None:
            return None
        least, most = least + calls.least, most + calls.most
    return Range(least, most)


class Counts:
    """How many rows there are, with one call for each resource that is worth one."""

    def __init__(self, client: LookerClient, page_size: int, *, include_deleted: bool) -> None:
        self.page_size = page_size
        self.include_deleted = include_deleted
        self._client = client
        self._samples: dict[str, _Sample | None] = {}
        self._fields: dict[str, Fields] = {}
        for resource in BY_NAME.values():
            source = resource.source
            if isinstance(source, Endpoint) and source.parent:
                self._look_at(source.parent.resource, source.parent.wanted)
            elif isinstance(source, Composite):
                for name, fields in source.counted.items():
                    self._look_at(name, tree(fields))

    def _look_at(self, name: str, fields: Fields) -> None:
        self._fields[name] = merged(self._fields.get(name, {}), fields) or {}

    def needed(self, name: str) -> set[str]:
        """What is read for a stream, itself included."""
        extraction = Extraction(self._client, page_size=1, include_deleted=False)
        extraction.want(name)
        return extraction.wanted

    def of(self, name: str) -> int | None:
        """The rows of a resource; None where one call does not tell."""
        if name not in COUNTED and name not in self._fields:
            return 1  # it hardly fills a page
        sample = self._sample(name)
        return sample.total if sample else None

    def distinct(
        self, name: str, paths: Sequence[str], skip_if: Sequence[str] = ()
    ) -> Range | None:
        """How many different values rows have at some paths, scaled where not all rows came."""
        source = BY_NAME[name].source
        if isinstance(source, Composite):
            return source.count(self)
        sample = self._sample(name)
        if not sample or sample.total is None:
            return None
        found = len(sample.values(paths, skip_if))
        if sample.is_whole:
            return Range(found, found)
        return Range(found, ceil(found * sample.total / len(sample.rows)))

    def values(self, name: str, paths: Sequence[str]) -> set[tuple[Any, ...]] | None:
        """The different values at some paths; None where one call does not give all rows."""
        sample = self._sample(name)
        return sample.values(paths) if sample and sample.is_whole else None

    def _sample(self, name: str) -> _Sample | None:
        if name not in self._samples:
            try:
                self._samples[name] = self._asked(BY_NAME[name])
            except RequestError:
                self._samples[name] = None
        return self._samples[name]

    def _asked(self, resource: Resource) -> _Sample | None:
        source = resource.source
        if not isinstance(source, Endpoint) or source.parent:
            return None
        fields = self._fields.get(resource.name)
        params: dict[str, Any] = {
            **source.params,
            "fields": rendered(merged(tree(resource.keys), fields or {}) or {}),
        }
        limit = MAX_SAMPLE if fields else 1
        if isinstance(source, Search):
            params |= {"limit": limit, "offset": 0}
        answer = self._client.get(source.path, params, billing=source.billing)
        rows = answer.data if isinstance(answer.data, list) else [answer.data]
        rows = [row for row in rows if isinstance(row, dict)]
        total = answer.total
        if total is None and (not isinstance(source, Search) or 1 < len(rows) < limit):
            total = len(rows)
        return _Sample(rows, total)


@dataclass(frozen=True)
class _Sample:
    """Rows of a resource, and how many it has in all."""

    rows: list[Any]
    total: int | None

    @property
    def is_whole(self) -> bool:
        return self.total is not None and len(self.rows) >= self.total

    def values(self, paths: Sequence[str], skip_if: Sequence[str] = ()) -> set[tuple[Any, ...]]:
        """Their different values at some paths, without nulls."""
        return {
            values
            for row in self.rows
            if not any(row.get(name) for name in skip_if)
            for values in itertools.product(*(values_at(row, path) for path in paths))
            if None not in values
        }
