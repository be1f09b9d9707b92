"""The tables behind the explores: a DuckDB in memory, filled when a table is first asked for."""

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
CREATE MACRO choice(options, i, salt) AS options[1 + dice(i, salt, len(options))];
"""


@dataclass(frozen=True)
class Table:
    """A table: `fill` makes it, from those in `needs`."""

    fill: Callable[[duckdb.DuckDBPyConnection], Any]
    needs: tuple[str, ...] = ()


class Warehouse:
    """One database for one emulator.

    A connection of DuckDB is for one thread at a time: whoever asks takes a cursor of their own.
    """

    def __init__(self) -> None:
        self._tables: dict[str, Table] = {}
        self._filled: set[str] = set()
        self._lock = threading.RLock()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def define(self, tables: dict[str, Table]) -> None:
        """Say how tables are made, without making them."""
        self._tables.update(tables)

    def filled(self, name: str) -> bool:
        """Whether a table exists already."""
        return name in self._filled

    def cursor(self, tables: Iterable[str] = ()) -> duckdb.DuckDBPyConnection:
        """A cursor over these tables, which exist from now on."""
        with self._lock:
            if self._connection is None:
                # Nothing may be written beside the process that uses it.
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
        """The rows of a statement over any tables, for comparison."""
        words = set(re.findall(r"\w+", sql))
        return self.cursor(sorted(words & set(self._tables))).execute(sql).fetchall()


def from_rows(name: str, columns: dict[str, str], rows: Callable[[], list[Row]]) -> Table:
    """A table of rows that Python has, by their columns' types."""
    structure = msgspec.json.encode([columns]).decode()

    def fill(cursor: duckdb.DuckDBPyConnection) -> None:
        text = msgspec.json.encode(rows()).decode()
        cursor.execute(
            f"CREATE TABLE {name} AS SELECT unnest(from_json(?, ?), recursive := true)",
            [text, structure],
        )

    return Table(fill)


def from_sql(sql: str, *needs: str) -> Table:
    """A table, or several statements, in SQL."""
    return Table(lambda cursor: cursor.execute(sql), needs)
