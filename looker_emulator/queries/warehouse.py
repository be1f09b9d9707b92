"""The database behind the explores: DuckDB in memory, with tables made when first needed."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from looker_emulator.instance.values import Row

MACROS = """
-- A number below n that is as good as random, and the same everywhere.
CREATE MACRO dice(i, salt, n) AS
    ((CAST(i AS BIGINT) * 2654435761 + salt * 974711) % 4294967296) // 65536 % n;
CREATE MACRO is_null(value) AS value IS NULL;
CREATE MACRO choice(options, i, salt) AS options[1 + dice(i, salt, len(options))];
"""


@dataclass(frozen=True)
class Table:
    """A table, which `fill` makes from those in `needs`."""

    fill: Callable[[duckdb.DuckDBPyConnection], Any]
    needs: tuple[str, ...] = ()


class Warehouse:
    """One database for one emulator.

    DuckDB connections are not thread-safe, so each query gets its own cursor.
    """

    def __init__(self) -> None:
        self._tables: dict[str, Table] = {}
        self._filled: set[str] = set()
        self._lock = threading.RLock()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def define(self, tables: dict[str, Table]) -> None:
        """Define tables without making them."""
        self._tables.update(tables)

    def cursor(self, tables: Iterable[str] = ()) -> duckdb.DuckDBPyConnection:
        """A cursor, once these tables exist."""
        with self._lock:
            if self._connection is None:
                # No temporary files.
                self._connection = duckdb.connect(config={"temp_directory": ""})
                self._connection.execute(MACROS)
            cursor = self._connection.cursor()
            for name in tables:
                self._fill(name, cursor)
        return cursor

    def _fill(self, name: str, cursor: duckdb.DuckDBPyConnection) -> None:
        if name in self._filled:
            return
        table = self._tables[name]
        for needed in table.needs:
            self._fill(needed, cursor)
        table.fill(cursor)
        self._filled.add(name)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a statement on any tables, for comparison."""
        words = set(re.findall(r"\w+", sql))
        return self.cursor(sorted(words & set(self._tables))).execute(sql).fetchall()


def from_rows(name: str, columns: dict[str, str], rows: Callable[[], list[Row]]) -> Table:
    """A table made from rows, with the types of their columns."""
    structure = msgspec.json.encode([columns]).decode()

    def fill(cursor: duckdb.DuckDBPyConnection) -> None:
        text = msgspec.json.encode(rows()).decode()
        cursor.execute(
            f"CREATE TABLE {name} AS SELECT unnest(from_json(?, ?), recursive := true)",
            [text, structure],
        )

    return Table(fill)


def from_sql(sql: str, *needs: str) -> Table:
    """A table made by SQL."""
    return Table(lambda cursor: cursor.execute(sql), needs)
