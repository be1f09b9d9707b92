"""The SQL of explores that have metadata and no data, in two dialects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from looker_emulator.instance.lookml.derived_tables import DERIVED, edges
from looker_emulator.queries.errors import Refused

if TYPE_CHECKING:
    from looker_emulator.instance.values import Row

_RENDERED = {"@{warehouse_schema}": "greenhouse"}
_IF = re.compile(r"\{% if .*? %\}.*?\{% else %\}(.*?)\{% endif %\}")


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
    tables = list(dict.fromkeys(view for view, _, _ in edges(views)))[::-1]
    parts = []
    for view in tables:
        names = [name if kind == "view" else f"{mark}{name}{mark}" for kind, name in DERIVED[view]]
        joined = "".join(f"\n  CROSS JOIN {name} AS t{n}" for n, name in enumerate(names[1:], 1))
        parts.append(f"{view} AS (SELECT\n  *\n  FROM {names[0]} AS t0{joined}\n)")
    return ["WITH " + ",\n".join(parts)] if parts else []
