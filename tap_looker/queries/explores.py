"""What an instance says of an explore: its fields, its joins, and which key can be trusted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from tap_looker.errors import BadResponseError
from tap_looker.looker.response import segment
from tap_looker.queries.columns import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_looker.looker.client import LookerClient
    from tap_looker.looker.response import Row

MULTIPLYING = frozenset({"one_to_many", "many_to_many"})
KEEPING = frozenset({"many_to_one", "one_to_one"})
OUTER_JOINS = frozenset({"full_outer", "cross"})
REFERENCE = re.compile(r"\$\{(\w+)\.")
FINEST_FIRST = ("date_time", "date_second", "date_minute", "date_hour", "date_date")
"""Timeframes that tell when; the others follow from them."""
MULTIPLY_ROWS = frozenset({"role", "permission_set", "model_set", "group"})
"""Views of System Activity that repeat the rows of whatever they are joined to."""


@dataclass(frozen=True)
class Explore:
    """Metadata of an explore (``LookmlModelExplore``).

    Attributes:
        name: Of the explore: the ``view`` of a query body.
        fields: Its dimensions and measures by name (``LookmlModelExploreField``).
        joins: Its joins by the name of the joined view (``LookmlModelExploreJoins``).
        base_view: The view that the others are joined to, if it is called otherwise.
        always_joined: Views that are joined whether or not a query needs them.
        measures: Names of the fields that are measures.
    """

    name: str
    fields: Mapping[str, Row]
    joins: Mapping[str, Row] = field(default_factory=dict)
    base_view: str = ""
    always_joined: tuple[str, ...] = ()
    measures: frozenset[str] = frozenset()

    def every_dimension(self) -> list[str]:
        """Its dimensions, but those that would repeat its rows.

        Of the timeframes of one time there is the finest alone, from which the others follow.
        """
        kept: set[str] = set()
        finest: dict[str, tuple[int, str]] = {}
        for name, of in self.fields.items():
            kind = str(of.get("type"))
            if name in self.measures or kind == "date_raw":
                continue
            if not all(map(self._may_join, self._views({"fields": [name]}))):
                continue
            if not kind.startswith("date_"):
                kept.add(name)
                continue
            group = str(of.get("dimension_group") or name.removesuffix(kind.removeprefix("date")))
            rank = FINEST_FIRST.index(kind) if kind in FINEST_FIRST else len(FINEST_FIRST)
            finest[group] = min(finest.get(group, (rank, name)), (rank, name), key=itemgetter(0))
        kept.update(name for _, name in finest.values())
        return [name for name in self.fields if name in kept]

    def numbers(self) -> list[str]:
        """Measures of the base view that are numbers."""
        return [
            name
            for name in self.fields
            if name in self.measures
            and self.is_base(name)
            and not self.fields[name].get("hidden")
            and KINDS.get(str(self.fields[name].get("type"))) in ("integer", "number")
        ]

    def _may_join(self, view: str) -> bool:
        if self._is_base(view):
            return True
        join = self.joins.get(view) or {}
        repeats = join.get("relationship") in MULTIPLYING or join.get("type") in OUTER_JOINS
        return view not in MULTIPLY_ROWS and not repeats

    def trusted_key(self, query: Mapping[str, Any], dimensions: Iterable[str]) -> list[str]:
        """The primary key of the base view, where each of its rows is one row of the result.

        A join that is one-to-many repeats it, and an outer join has rows without it. No other
        dimension is known to hold no nulls.

        Args:
            query: Body of the query.
            dimensions: Those of its fields that are grouped by, and not pivoted.
        """
        key = [
            name
            for name in dimensions
            if self.fields.get(name, {}).get("primary_key") and self.is_base(name)
        ]
        return key if key and all(map(self._keeps_rows, self._views(query))) else []

    def is_base(self, field: str) -> bool:
        """Whether a field is of the view that the others are joined to."""
        return self._is_base(_view(field))

    def _is_base(self, view: str) -> bool:
        return view not in self.joins and view in (self.name, self.base_view)

    def _keeps_rows(self, view: str) -> bool:
        if self._is_base(view):
            return True
        join = self.joins.get(view)
        if join is None:
            return False
        # Many-to-one is LookML's default.
        relationship = join.get("relationship") or "many_to_one"
        return relationship in KEEPING and join.get("type") not in OUTER_JOINS

    def _views(self, query: Mapping[str, Any]) -> set[str]:
        """The views that a query joins, and those between them and the base view."""
        views: set[str] = set()
        waiting = [*self.always_joined, *_views_of(query)]
        while waiting:
            view = waiting.pop()
            if view not in views:
                views.add(view)
                join = self.joins.get(view) or {}
                waiting += _strings(join.get("required_joins"))
                waiting += [_view(name) for name in _strings(join.get("dependent_fields"))]
                waiting += REFERENCE.findall(str(join.get("sql_on") or ""))
        return views


def _views_of(query: Mapping[str, Any]) -> Iterator[str]:
    names = [*_strings(query.get("fields")), *_strings(query.get("pivots"))]
    for name in [*names, *(query.get("filters") or {})]:
        if "." in name:  # custom fields have no view
            yield _view(name)
    for text in (query.get("filter_expression"), query.get("dynamic_fields")):
        yield from REFERENCE.findall(str(text or ""))


def _view(name: str) -> str:
    return name.partition(".")[0]


def _strings(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def read_explore(client: LookerClient, model: str, name: str) -> Explore:
    """Ask for the metadata of an explore.

    Raises:
        RequestError: There is no such explore, or the key may not see it.
    """
    path = f"/lookml_models/{segment(model)}/explores/{segment(name)}"
    data = client.get(path, {"fields": "fields,joins,view_name,always_join"}).data
    sets = data.get("fields") if isinstance(data, dict) else None
    if not isinstance(sets, dict):
        raise BadResponseError(f"GET {path}: the answer has no fields.")
    joins = data.get("joins")
    return Explore(
        name=name,
        fields={
            one["name"]: one
            for kind in ("dimensions", "measures")
            for one in sets.get(kind) or []
            if isinstance(one, dict) and "name" in one
        },
        joins={
            str(one["name"]): one
            for one in (joins if isinstance(joins, list) else [])
            if isinstance(one, dict) and "name" in one
        },
        base_view=str(data.get("view_name") or ""),
        always_joined=tuple(_strings(data.get("always_join"))),
        measures=frozenset(
            str(one["name"])
            for one in sets.get("measures") or []
            if isinstance(one, dict) and "name" in one
        ),
    )


def explore_fields(client: LookerClient, model: str, name: str) -> Mapping[str, Row]:
    """The fields of an explore by name.

    Raises:
        RequestError: As :func:`read_explore`.
    """
    return read_explore(client, model, name).fields
