# ruff: noqa: SIM905 - a list of words reads best as words
"""Where the numbers of explores come from: derived tables, generated SQL, and physical tables."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tap_looker.errors import BadResponseError, RequestError, UnusableItemError
from tap_looker.looker.response import error_message, one_line, segment
from tap_looker.resources import dot, sql_tables
from tap_looker.resources.fields import tree, value_at
from tap_looker.resources.flat import Derived
from tap_looker.resources.kinds import Composite, Get, Parent
from tap_looker.resources.resource import Column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_looker.looker.response import ApiResponse, Row
    from tap_looker.resources.flat import Lacks
    from tap_looker.resources.resource import Counts, Range, Reading, Resource

# ------------------------------------------------------------------------------ derived tables


@dataclass(frozen=True)
class Graphs(Get):
    """The graph of the derived tables of each model (DependencyGraph of the OpenAPI document)."""

    columns: Mapping[str, Column] = field(default_factory=dict, kw_only=True)

    def added_columns(self, keys: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG002
        """All of them."""
        return tuple(self.columns)

    def pages(self, reading: Reading, resource: Resource) -> Iterator[list[Row]]:
        """The edges, model by model; a graph that cannot be read is skipped and counted."""
        if not self.parent:
            return

        def call(batch: list[Row]) -> list[Row]:
            model = str(batch[0]["model_name"])
            path = self.path.format(model_name=segment(model))
            try:
                return _edges(model, reading.client.get(path, billing=self.billing))
            except ValueError as error:
                raise UnusableItemError(f"GET {path}: HTTP 200, but {error}.") from error

        batches = self.parent.batches(reading, resource.name)
        for _, rows in reading.each(resource.name, call, batches):
            yield rows


def _edges(model: str, answer: ApiResponse) -> list[Row]:
    """The rows of a graph; 204 and an empty text are none.

    Raises:
        ValueError: It is not a graph.
    """
    text = "" if answer.is_absent else value_at(answer.data, "graph_text")
    if not isinstance(text, str):
        said = error_message(answer.data) if isinstance(answer.data, dict) else ""
        why = f"Looker says: {said}" if said else "the answer has no graph_text"
        raise ValueError(why)  # noqa: TRY004 - not of an argument
    rows = []
    for edge in _drawn(text) if text.strip() else ():
        view, upstream = (name.removeprefix(f"{model}/") for name in (edge.tail, edge.head))
        # A dashed edge leads to a table. Names of views have no dots; where they come with their
        # model, a name without one is a table too.
        is_table = "dashed" in edge.attributes.get("style", "") or (
            "/" not in edge.head and ("." in edge.head or "/" in edge.tail)
        )
        rows.append(
            {
                "model_name": model,
                "view_name": view,
                "upstream_type": "table" if is_table else "view",
                "upstream_name": upstream,
            }
        )
    return [dict(row) for row in dict.fromkeys(tuple(row.items()) for row in rows)]


def _drawn(text: str) -> list[dot.Edge]:
    try:
        return dot.edges(text)
    except dot.DotError as error:
        raise ValueError(f"graph_text is not a graph in the DOT language: {error}") from error


DERIVED_TABLE_EDGES = Graphs(
    "/derived_table/graph/model/{model_name}",
    parent=Parent("lookml_models", {"model_name": "name"}),
    supports_fields=False,
    columns={
        "model_name": Column("Name of the model"),
        "view_name": Column("Name of a derived table: of its view"),
        "upstream_type": Column("What it is made of: view (another derived table) or table"),
        "upstream_name": Column("Name of that view, or of that table as Looker writes it"),
    },
)

# ------------------------------------------------------------------------------- generated SQL

MOST_FIELDS = 100
"""Of a query; explores of more views are rare, and their SQL is long enough."""

_FIELD = tree(["name", "view", "primary_key", "error"])
_OF_EXPLORE = {
    **tree(["id", "model_name", "name", "view_name", "connection_name", "dialect_name"]),
    "always_filter": None,
    "conditionally_filter": None,
    "fields": {"dimensions": _FIELD, "measures": _FIELD},
}


def _one_of_each_view(explore: Row) -> list[str]:
    """Fields of an explore that its SQL needs all views for.

    A primary key where a view has one: an aggregate table, in whose place Looker would name none of
    the view's own, hardly ever has it.
    """
    best: dict[str, tuple[int, str]] = {}
    for kind in ("dimensions", "measures"):
        found = value_at(explore, f"fields.{kind}")
        for one in found if isinstance(found, list) else ():
            name = value_at(one, "name")
            if isinstance(name, str) and not value_at(one, "error"):
                view = str(value_at(one, "view") or name.partition(".")[0])
                rank = 2 if kind == "measures" else int(not value_at(one, "primary_key"))
                best[view] = min(best.get(view, (rank, name)), (rank, name), key=lambda of: of[0])
    first = str(explore.get("view_name"))
    ordered = sorted(best, key=lambda view: view != first)
    return [best[view][1] for view in ordered]


def _filters(explore: Row) -> dict[str, str]:
    """Filters without which Looker may refuse a query of the explore."""
    found = [explore.get(name) for name in ("always_filter", "conditionally_filter")]
    return {
        str(one["name"]): str(one["value"])
        for one in itertools.chain.from_iterable(one for one in found if isinstance(one, list))
        if value_at(one, "name") is not None and value_at(one, "value") is not None
    }


def _explore_sql(reading: Reading) -> Iterator[list[Row]]:
    """What Looker would send to the database, which it does not: one call for each explore."""

    def call(query: tuple[Row, list[str]]) -> list[Row]:
        explore, fields = query
        body: Row = {
            "model": explore.get("model_name"),
            "view": explore.get("name"),
            "fields": fields[:MOST_FIELDS],
            "limit": "1",
        }
        if filters := _filters(explore):
            body["filters"] = filters
        path = "/queries/run/sql"
        try:
            answer = reading.client.post(path, body, billing="db_query", as_text=True)
            return [_sql_of(explore, fields, answer.data)]
        except ValueError as error:
            why = f"POST {path}: HTTP 200, but {error}"
            raise UnusableItemError(f"{explore.get('id')}: {why}.") from error
        except RequestError as error:
            error.message = f"{explore.get('id')}: {error.message}"
            raise

    def queries() -> Iterator[tuple[Row, list[str]]]:
        found = False
        total = 0
        for explore in itertools.chain.from_iterable(reading.read("explores", _OF_EXPLORE)):
            total += 1
            if fields := _one_of_each_view(explore):
                found = True
                yield explore, fields
            else:
                reading.skip("explore_sql", f"{explore.get('id')} has no fields.")
        if total and not found:
            raise BadResponseError(f"explore_sql: none of the {total:,} explores has fields.")

    for _, rows in reading.each("explore_sql", call, queries()):
        yield rows


_NO_SQL = re.compile(r"error|<|(?!.*\bselect\b)", re.IGNORECASE | re.DOTALL)


def _sql_of(explore: Row, fields: list[str], text: str) -> Row:
    """The row of an explore.

    Raises:
        ValueError: The text is an error of Looker's, or of something before it.
    """
    said: Any = text.strip()
    if said[:1] in ("[", "{", '"'):
        try:
            said = json.loads(said)
        except (ValueError, RecursionError):
            said = None
    if not isinstance(said, str):
        told = said[0] if isinstance(said, list) and said else said
        says = error_message(told) if isinstance(told, dict) else ""
        why = f"Looker says: {says}" if says else "the answer is not SQL"
        raise ValueError(why)  # noqa: TRY004 - not of an argument
    if _NO_SQL.match(said):
        raise ValueError(f"the answer is not SQL: {one_line(said) or 'it is empty'}")
    return {
        "explore_id": explore.get("id"),
        "model_name": explore.get("model_name"),
        "explore_name": explore.get("name"),
        "connection_name": explore.get("connection_name"),
        "dialect_name": explore.get("dialect_name"),
        "fields": ",".join(fields[:MOST_FIELDS]),
        "has_all_views": len(fields) <= MOST_FIELDS,
        "sql": said,
    }


def _calls_of_sql(counts: Counts) -> Range | None:
    """One for each explore."""
    return counts.distinct("lookml_models", _EXPLORES)


_EXPLORES = ("name", "explores.name")
EXPLORE_SQL = Composite(
    lambda reading: reading.want("explores", _OF_EXPLORE),
    _explore_sql,
    "`/queries/run/sql`",
    _calls_of_sql,
    {"lookml_models": _EXPLORES},
    columns={
        "explore_id": Column("Id of the explore"),
        "model_name": Column("Name of the model"),
        "explore_name": Column("Name of the explore"),
        "connection_name": Column("Name of the connection"),
        "dialect_name": Column("SQL dialect of the connection, as Looker calls it"),
        "fields": Column("Fields of the query, one of each view, with commas between them"),
        "has_all_views": Column(
            f"Whether each view of the explore has one: {MOST_FIELDS} are asked for at most",
            "boolean",
        ),
        "sql": Column("SQL that Looker generates for the query, in full"),
    },
    billing="db_query",
)


# ------------------------------------------------------------------------------ physical tables

_OF_TABLES = {
    **tree(
        "id model_name name view_name scopes connection_name dialect_name sql_table_name".split()
    ),
    "joins": tree(["name", "from", "sql_table_name"]),
}
_OF_EDGES = dict.fromkeys(DERIVED_TABLE_EDGES.columns)
_OF_SQL = dict.fromkeys([*EXPLORE_SQL.columns])
_REFERENCE = re.compile(r"\$\{\s*(\w+)\.SQL_TABLE_NAME\s*\}")
"""Another view's table (https://cloud.google.com/looker/docs/derived-tables)."""


@dataclass(frozen=True)
class _ExploreTables(Derived):
    """What explores say of their tables; graphs and SQL too, where these are read."""

    def check(self) -> None:
        sql_tables.require()

    def plan(self, reading: Reading) -> None:
        super().plan(reading)
        reading.want_beside("derived_table_edges", _OF_EDGES)
        reading.want_beside("explore_sql", _OF_SQL)

    def pages(self, reading: Reading, resource: Resource) -> Iterator[list[Row]]:
        upstream = _upstream(reading, resource.name)

        def of_explore(explore: Row, lacks: Lacks) -> Iterator[Row]:
            return _of_explore(explore, upstream, lacks)

        yield from Derived.pages(replace(self, make=of_explore), reading, resource)
        if "explore_sql" in reading.wanted:
            of_sql = replace(self, parents={"explore_sql": _OF_SQL}, make=_of_sql)
            try:
                yield from Derived.pages(of_sql, reading, resource)
            except RequestError as error:  # its own stream fails for it
                reading.skip(resource.name, f"without generated SQL: {error.message}")


Upstream = dict[tuple[str, str], list[tuple[str, str]]]
"""What derived tables are made of: model and view → types and names."""


def _upstream(reading: Reading, name: str) -> Upstream:
    found: Upstream = {}
    try:
        if "derived_table_edges" in reading.wanted:
            for row in itertools.chain.from_iterable(
                reading.read("derived_table_edges", _OF_EDGES)
            ):
                key = str(row["model_name"]), str(row["view_name"])
                found.setdefault(key, []).append((row["upstream_type"], row["upstream_name"]))
    except RequestError as error:
        reading.skip(name, f"without derived tables: {error.message}")
    return found


def _of_explore(explore: Row, upstream: Upstream, lacks: Lacks) -> Iterator[Row]:
    """Tables of the views of an explore, as far as LookML names them."""
    joins = explore.get("joins")
    if not isinstance(joins, list) or "sql_table_name" not in explore:
        lacks("sql_table_name" if isinstance(joins, list) else "joins")
    first, scopes = explore.get("view_name"), explore.get("scopes")
    # Fields of the first view are named after the explore where it has another name there ("from").
    is_renamed = isinstance(scopes, list) and first not in scopes and explore.get("name") in scopes
    view = explore.get("name") if is_renamed else first
    views: list[tuple[Any, Any, Any]] = [(view, first, explore.get("sql_table_name"))]
    for join in joins if isinstance(joins, list) else ():
        if isinstance(join, dict):
            name = join.get("name")
            views.append((name, join.get("from") or name, join.get("sql_table_name")))
    known = {str(name): str(text) for *names, text in views if text for name in names}
    for view, original, text in views:
        if view is None:
            continue
        if text:
            whole = _REFERENCE.sub(lambda match: known.get(match[1], match[0]), str(text).strip())
            yield from _rows(explore, view, "sql_table_name", whole)
        for table in _physical(str(explore.get("model_name")), str(original), upstream):
            yield from _rows(explore, view, "derived_table_graph", table)


def _physical(model: str, view: str, upstream: Upstream) -> Iterator[str]:
    """The tables that a derived table is made of, by way of others too."""
    seen, waiting = {view}, [view]
    while waiting:
        for kind, name in upstream.get((model, waiting.pop()), ()):
            if kind == "table":
                yield str(name)
            elif name not in seen:
                seen.add(name)
                waiting.append(name)


def _of_sql(row: Row, lacks: Lacks) -> Iterator[Row]:
    """Tables that the SQL of an explore names."""
    explore = {**row, "id": row.get("explore_id"), "name": row.get("explore_name")}
    views = [name.partition(".")[0] for name in str(row.get("fields")).split(",")]
    try:
        found = sql_tables.of_query(str(row.get("sql")), row.get("dialect_name"), views)
    except sql_tables.UnreadableSqlError:
        lacks("sql", is_absent=False)
        return
    for view, table in found:
        yield _row(explore, view, "generated_sql", str(table), table)


def _rows(explore: Row, view: str, source: str, text: str) -> Iterator[Row]:
    """A row for each table of what stands after FROM; what cannot be told, as it is written."""
    try:
        for table in sql_tables.of_expression(text, explore.get("dialect_name")):
            yield _row(explore, view, source, str(table), table)
    except sql_tables.UnreadableSqlError:
        yield _row(explore, view, source, text, None)


def _row(explore: Row, view: str, source: str, name: str, table: sql_tables.Table | None) -> Row:
    return {
        "explore_id": explore.get("id"),
        "view_name": view,
        "source": source,
        "table_name": name,
        "model_name": explore.get("model_name"),
        "explore_name": explore.get("name"),
        "connection_name": explore.get("connection_name"),
        "database_name": table.database if table else None,
        "schema_name": table.schema if table else None,
        "name": table.name if table else None,
        "is_resolved": table is not None,
    }


EXPLORE_TABLES = _ExploreTables(
    {"explores": _OF_TABLES},
    {
        "explore_id": Column("Id of the explore"),
        "view_name": Column(
            "Name of the view in the explore; of a table in generated SQL that belongs to none, "
            "its alias there"
        ),
        "source": Column(
            "How the table is known: sql_table_name, derived_table_graph or generated_sql"
        ),
        "table_name": Column(
            "Name of the table, with database and schema if given, without quotes; if it cannot be "
            "told, what LookML says"
        ),
        "model_name": Column("Name of the model"),
        "explore_name": Column("Name of the explore"),
        "connection_name": Column("Name of the connection"),
        "database_name": Column("Name of its database, project or catalog, where given"),
        "schema_name": Column("Name of its schema or dataset, where given"),
        "name": Column("Name of the table alone; null where it cannot be told"),
        "is_resolved": Column(
            "Whether table_name names a table; false where it holds Liquid, a constant or SQL that "
            "cannot be read",
            "boolean",
        ),
    },
    lambda *_: iter(()),
)
