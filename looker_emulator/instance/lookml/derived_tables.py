"""The tables behind the views: named in LookML, or derived from others, and the SQL they lead to.

Looker documents that its graph of derived tables is in the DOT language, and no more; DataHub,
which reads it, describes both of these shapes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from looker_emulator.instance.lookml.model_explores import explore
from looker_emulator.queries.errors import Refused

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

_RENDERED = {"@{warehouse_schema}": "greenhouse"}
_IF = re.compile(r"\{% if .*? %\}.*?\{% else %\}(.*?)\{% endif %\}")


def graph(instance: Collections, model: str) -> list[Row] | None:
    """The derived tables that the explores of a model use (component DependencyGraph)."""
    for number, within in enumerate(instance.lookml_models):
        if within["name"] == model:
            edges = list(_edges(_views(instance, within)))
            lines = [_SHAPES[number % 2](model, *edge) for edge in edges]
            name = "g" if number % 2 else model
            return [{"graph_text": "\n".join((f"digraph {name} {{", *lines, "}\n"))}]
    return None


def _views(instance: Collections, model: Row) -> Iterator[str]:
    for each in model["explores"]:
        if about := explore(instance, model["name"], each["name"]):
            yield about["view_name"]


def _edges(views: Iterable[str]) -> Iterator[tuple[str, str, str]]:
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


def generated_sql(about: Row, query: Row) -> str:
    """The SQL of a query, for an explore that has metadata and no data."""
    known = {
        each["name"]: each for kind in ("dimensions", "measures") for each in about["fields"][kind]
    }
    fields = [known[name] for name in query.get("fields") or () if name in known]
    if not fields:
        raise Refused(400, "Must query at least one dimension or measure")
    mark = "`" if about["dialect_name"].startswith("bigquery") else ""
    views = {each["view"] for each in fields}
    base = about["view_name"]
    joins = [join["name"] for join in about["joins"] if join["name"] in views]
    selected = ",\n    ".join(
        f"{_expression(each)}  AS {_named(each['name'], mark)}" for each in fields
    )
    groups = [str(n) for n, each in enumerate(fields, 1) if not each["measure"]]
    return "\n".join(
        [
            *_with([base, *joins], mark),
            f"SELECT\n    {selected}",
            f"FROM {_from(base, about['sql_table_name'], mark)}",
            *(f"LEFT JOIN {_from(one, None, mark)} ON {base}.store_id = {one}.id" for one in joins),
            *([f"GROUP BY\n    {', '.join(groups)}"] if groups else []),
            f"ORDER BY\n    1\nLIMIT {query.get('limit') or 500}",
        ]
    )


def _named(name: str, mark: str) -> str:
    """A column: BigQuery allows no dots in its name."""
    return name.replace(".", "_") if mark else f'"{name}"'


def _expression(field: Row) -> str:
    return "COUNT(*)" if field["measure"] else f"{field['view']}.{field['name'].partition('.')[2]}"


def _from(view: str, table: str | None, mark: str) -> str:
    """What the SQL says for a view: a derived table goes by the view's name."""
    if view in DERIVED:
        return view
    text = (table or f"greenhouse.{view}").replace("`", "")
    for constant, value in _RENDERED.items():
        text = text.replace(constant, value)
    name = _IF.sub(lambda match: match[1], text).partition(" ")[0]
    return f"{mark}{name}{mark}  AS {view}"


def _with(views: list[str], mark: str) -> list[str]:
    tables = list(dict.fromkeys(view for view, _, _ in _edges(views)))[::-1]
    parts = []
    for view in tables:
        names = [name if kind == "view" else f"{mark}{name}{mark}" for kind, name in DERIVED[view]]
        joined = "".join(f"\n  CROSS JOIN {name} AS t{n}" for n, name in enumerate(names[1:], 1))
        parts.append(f"{view} AS (SELECT\n  *\n  FROM {names[0]} AS t0{joined}\n)")
    return ["WITH " + ",\n".join(parts)] if parts else []
