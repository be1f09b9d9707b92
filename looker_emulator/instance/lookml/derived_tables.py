"""The tables that views are derived from, and Looker's graph of them.

Looker documents that its graph of derived tables is in the DOT language, and no more; DataHub,
which reads it, describes both of these shapes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.lookml.model_explores import explore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from looker_emulator.instance.collections import Collections
    from looker_emulator.instance.values import Row

DERIVED: dict[str, tuple[tuple[str, str], ...]] = {
    "customers": (("table", "greenhouse.people"), ("table", "greenhouse.orders")),
    "baskets": (("table", "greenhouse.order_lines"), ("view", "sittings")),
    "sittings": (("table", "greenhouse.page_views"),),
    "reviews": (("table", "greenhouse.raw_reviews"), ("table", "greenhouse.products")),
}
"""Derived tables by their views, and what they are made of."""


def graph(instance: Collections, model: str) -> list[Row] | None:
    """The derived tables that the explores of a model use (component DependencyGraph)."""
    for number, within in enumerate(instance.lookml_models):
        if within["name"] == model:
            found = list(edges(_views(instance, within)))
            lines = [_SHAPES[number % 2](model, *edge) for edge in found]
            name = "g" if number % 2 else model
            return [{"graph_text": "\n".join((f"digraph {name} {{", *lines, "}\n"))}]
    return None


def _views(instance: Collections, model: Row) -> Iterator[str]:
    for each in model["explores"]:
        if about := explore(instance, model["name"], each["name"]):
            yield about["view_name"]


def edges(views: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """What views are derived from, by way of others too: view, kind and name."""
    waiting, seen = [*views], set[str]()
    for view in waiting:
        if view not in seen:
            seen.add(view)
            for kind, name in DERIVED.get(view, ()):
                yield view, kind, name
                if kind == "view":
                    waiting.append(name)


def _angular(_: str, view: str, kind: str, name: str) -> str:
    dashed = " [style=dashed]" if kind == "table" else ""
    return f"  subgraph {{ <{view}> -> <{name}>{dashed} }}"


def _quoted(model: str, view: str, kind: str, name: str) -> str:
    if kind == "table":
        return f'  "{model}/{view}" -> "{name}" [style=dashed]'
    return f'  "{model}/{view}" -> "{model}/{name}"'


_SHAPES = (_angular, _quoted)
