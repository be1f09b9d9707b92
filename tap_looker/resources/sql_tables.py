"""The tables that SQL names, by the package sqlglot: the extra ``lineage`` of the installation."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_looker.errors import LookerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

DIALECTS = {
    "amazonaurora": "mysql",
    "athena": "athena",
    "azure_postgres": "postgres",
    "bigquery": "bigquery",
    "clickhouse": "clickhouse",
    "clustrix": "mysql",
    "databricks": "databricks",
    "dremio": "dremio",
    "druid": "druid",
    "duckdb": "duckdb",
    "exasol": "exasol",
    "google_cloud_postgres": "postgres",
    "googlecloudsql": "mysql",
    "greenplum": "postgres",
    "hive": "hive",
    "impala": "hive",
    "mariadb": "mysql",
    "memsql": "singlestore",
    "mongobi": "mysql",
    "msazuresql": "tsql",
    "mssql": "tsql",
    "mysql": "mysql",
    "oracle": "oracle",
    "postgres": "postgres",
    "presto": "presto",
    "prestosql": "trino",
    "qubole_presto": "presto",
    "redshift": "redshift",
    "snowflake": "snowflake",
    "spark": "spark",
    "teradata": "teradata",
    "trino": "trino",
}
"""What sqlglot calls Looker's dialects, by how their names begin; others are read as plain SQL.

The names are those of ``GET /dialect_info``, which carry versions (``mssql_2017``, ``mysql_8``).
"""

LOOKML = re.compile(r"\{%|\{\{|@\{|\$\{")
"""Liquid, constants and references, which only Looker can replace."""


class Table(NamedTuple):
    """A table, by the names that SQL gives it, without quotes and in their case."""

    database: str | None
    schema: str | None
    name: str

    def __str__(self) -> str:
        return ".".join(filter(None, self))


class UnreadableSqlError(ValueError):
    """SQL that holds LookML, or that sqlglot cannot read in this dialect."""


def require() -> None:
    """Check that sqlglot is there.

    Raises:
        LookerError: It is not.
    """
    try:
        import sqlglot  # noqa: F401, PLC0415
    except ImportError:
        raise LookerError(
            "To find tables in SQL, the package sqlglot is needed: install the tap with its extra, "
            "lookout-tap-looker[lineage], or deselect the stream."
        ) from None
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # what is wrong is told here


def of_expression(text: str, dialect: str | None) -> list[Table]:
    """The tables of what may stand after FROM (``public.orders AS orders``), each once.

    Raises:
        UnreadableSqlError: They cannot be told.
    """
    if LOOKML.search(text):
        raise UnreadableSqlError("it holds LookML")
    found = of_query(f"SELECT * FROM {text}", dialect, ())  # noqa: S608 - it is read, never run
    return list(dict.fromkeys(table for _, table in found))


def of_query(text: str, dialect: str | None, views: Iterable[str]) -> list[tuple[str, Table]]:
    """The tables of a query that Looker wrote, each once for the view that it belongs to.

    Looker names tables, subqueries and common table expressions after the views they stand for.

    Args:
        text: One statement, or those that build derived tables before it.
        dialect: Looker's name of it.
        views: Names to look for; a table outside all of them has its alias in the place of a view.

    Raises:
        UnreadableSqlError: They cannot be told.
    """
    import sqlglot  # noqa: PLC0415
    from sqlglot import exp  # noqa: PLC0415
    from sqlglot.errors import SqlglotError  # noqa: PLC0415

    built: dict[Table, list[Table]] = {}
    found: list[tuple[str, Table]] = []
    is_query = False
    try:
        for statement in sqlglot.parse(text, read=_dialect(dialect)):
            if isinstance(statement, exp.Create) and isinstance(statement.expression, exp.Query):
                made = [table for _, table in _tables(statement.expression, {}, built)]
                built |= dict.fromkeys(_named(statement.find(exp.Table)), made)
            elif isinstance(statement, exp.Query):
                is_query = True
                found += _tables(statement, {view.casefold(): view for view in views}, built)
    except (SqlglotError, RecursionError) as error:
        raise UnreadableSqlError("sqlglot cannot read it") from error
    if not is_query:
        raise UnreadableSqlError("it is not a query")
    return list(dict.fromkeys(found))


def _dialect(name: str | None) -> str | None:
    known = [start for start in DIALECTS if (name or "").startswith(start)]
    return DIALECTS[max(known, key=len)] if known else None


def _tables(
    query: Any, views: Mapping[str, str], built: Mapping[Table, list[Table]]
) -> Iterator[tuple[str, Table]]:
    """The tables of a query by view; of those built before, the tables they were built from."""
    from sqlglot.optimizer.scope import Scope, build_scope  # noqa: PLC0415

    seen: set[tuple[int, str]] = set()

    def visit(scope: Any, view: str = "") -> Iterator[tuple[str, Any]]:
        if (id(scope), view) in seen:  # common table expressions are referred to again and again
            return
        seen.add((id(scope), view))
        for alias, (_, source) in scope.selected_sources.items():
            within = view or views.get(alias.casefold(), "")
            if isinstance(source, Scope):
                yield from visit(source, within)
            else:
                yield within or alias, source
        for inner in (*(scope.set_operation_scopes or ()), *scope.subquery_scopes):
            yield from visit(inner, view)

    root = build_scope(query.unnest())
    for view, source in visit(root) if root else ():
        for table in _named(source):
            yield from ((view, one) for one in built.get(table, [table]))


def _named(source: Any) -> Iterator[Table]:
    """A table by its names; none for a function that returns one."""
    from sqlglot import exp  # noqa: PLC0415

    if not isinstance(source, exp.Table) or isinstance(source.this, exp.Func):
        return
    *around, name = [part.name for part in source.parts]
    if name:
        yield Table(".".join(around[:-1]) or None, around[-1] if around else None, name)
