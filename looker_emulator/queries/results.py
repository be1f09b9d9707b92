"""Fetching the rows of a plan and writing them as JSON, piece by piece.

Rows are fetched, encoded and sent in pieces, so memory does not grow with their number. Pivots are
the exception: their columns are not known before the last row. Looker holds them in memory, too.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    import duckdb

    from looker_emulator.instance.values import Row
    from looker_emulator.queries.compile import Plan
    from looker_emulator.queries.explores import Field

ROW_TOTAL = "$$$_row_total_$$$"
GROUPING = "$$$__grouping__$$$"
FIRST_PIECE, PIECE = 100, 4_000

_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True)
class Style:
    """How an instance writes rows. See the options of the emulator."""

    lines: str = "lines"
    decimals_as_text: bool = False
    pivots_by_field: bool = False
    totals_in_rows: bool = False
    formatted: bool = False


@dataclass
class Result:
    """The rows of a plan, as objects with the names of the columns."""

    plan: Plan
    cursor: duckdb.DuckDBPyConnection
    style: Style
    #: Called when the last row has been read.
    ended: Callable[[], None] | None = None

    @property
    def names(self) -> list[str]:
        """The keys of a row."""
        columns = [*self.plan.columns, *self.plan.calculations]
        return [column.name for column in columns]

    def execute(self) -> None:
        """Execute the statement."""
        self.cursor.execute(self.plan.sql())

    def tuples(self) -> Iterator[list[tuple[Any, ...]]]:
        """Batches of rows; the first is small, so that it arrives early."""
        size = FIRST_PIECE
        while rows := self.cursor.fetchmany(size):
            yield rows
            size = PIECE

    def pieces(self) -> Generator[list[Row]]:
        """Batches of rows as objects, pivoted if requested."""
        try:
            if self.plan.pivots:
                yield self._pivoted()
            else:
                yield from self._plain()
            if self.style.totals_in_rows:
                yield self.subtotals() + self.totals()
        finally:
            if self.ended:
                self.ended()

    def _plain(self) -> Iterator[list[Row]]:
        names, texts = self.names, self._texts()
        for rows in self.tuples():
            objects = [dict(zip(names, row, strict=True)) for row in rows]
            for name, write in texts.items():
                for each in objects:
                    each[name] = write(each[name])
            yield objects

    def _texts(self) -> dict[str, Callable[[Any], Any]]:
        """Converters of the columns whose values are written as text."""
        texts: dict[str, Callable[[Any], Any]] = {}
        for column in self.plan.columns:
            if self.style.formatted and column.numeric:
                texts[column.name] = formatter(column)
            elif self.style.decimals_as_text and column.exact:
                texts[column.name] = lambda value: None if value is None else str(value)
        return texts

    # ---------------------------------------------------------------------------------- totals

    def totals(self) -> list[Row]:
        """The row of totals, if requested."""
        return self._grouped([]) if self.plan.query.get("total") else []

    def subtotals(self) -> list[Row]:
        """The rows of subtotals: grouped by the dimensions up to one."""
        rows = []
        for name in self.plan.query.get("subtotals") or []:
            names = [column.name for column in self.plan.dimensions]
            if name in names:
                rows += self._grouped(self.plan.dimensions[: names.index(name) + 1])
        return rows

    def _grouped(self, kept: list[Field]) -> list[Row]:
        cursor = self.cursor.cursor()
        rows = cursor.execute(self.plan.totals_sql(kept)).fetchall()
        names = [column.name for column in self.plan.columns]
        grouping = [column.name for column in kept]
        return [{**dict(zip(names, row, strict=True)), GROUPING: grouping} for row in rows]

    # ---------------------------------------------------------------------------------- pivots

    def _pivoted(self) -> list[Row]:
        """One row per value of the other dimensions, whose measures are objects by pivot value."""
        plan = self.plan
        pivoted = {column.name for column in plan.pivots}
        keys = [column.name for column in plan.dimensions if column.name not in pivoted]
        measures = [column.name for column in plan.measures]
        rows: dict[tuple[Any, ...], Row] = {}
        found: set[str] = set()
        names = self.names
        for each in (each for piece in self.tuples() for each in piece):
            row = dict(zip(names, each, strict=True))
            values = {column.name: row[column.name] for column in plan.pivots}
            key = "|FIELD|".join("null" if v is None else str(v) for v in values.values())
            found.add(key)
            place = tuple(row[name] for name in keys)
            target = rows.setdefault(place, {name: row[name] for name in keys})
            for name in measures:
                target.setdefault(name, {})[key] = row[name]
        order = sorted(found)
        most = int(plan.query.get("column_limit") or 50)
        cut = islice(rows.values(), plan.limit)
        return [self._shown(row, order[:most], measures) for row in cut]

    def _shown(self, row: Row, order: list[str], measures: list[str]) -> Row:
        for name in measures:
            cells = {key: row[name].get(key) for key in order}
            if self.plan.query.get("row_total") == "right":
                values = [value for value in cells.values() if value is not None]
                cells[ROW_TOTAL] = sum(values) if values else None
            if self.style.pivots_by_field and len(self.plan.pivots) == 1:
                cells = {self.plan.pivots[0].name: cells}
            row[name] = cells
        return row


def formatter(column: Field) -> Callable[[Any], Any]:
    """How a number is formatted for people, with separators and currency."""
    dollars = column.value_format is not None and column.value_format.startswith("$")

    def write(value: Any) -> Any:
        if value is None or isinstance(value, str):
            return value
        if dollars:
            return f"${value:,.2f}"
        return f"{value:,.2f}" if isinstance(value, (float, Decimal)) else f"{value:,}"

    return write


# ----------------------------------------------------------------------------------------- writing


@dataclass(frozen=True)
class Break:
    """An error after some rows, which Looker reports as an object among them."""

    after_rows: int
    message: str


def written(
    result: Result,
    broken: Break | None = None,
    altered: Callable[[list[Row]], list[Row]] = lambda rows: rows,
) -> Iterator[bytes]:
    """The rows as JSON, in pieces, once the statement was executed."""
    pieces = result.pieces()
    found = _broken(pieces, broken) if broken else map(altered, pieces)
    yield from _array(found, result.style.lines)


def _broken(pieces: Generator[list[Row]], broken: Break) -> Iterator[list[Row]]:
    left = broken.after_rows
    with closing(pieces):
        for piece in pieces:
            if len(piece) >= left:
                yield piece[:left]
                break
            yield piece
            left -= len(piece)
    yield [error_row(broken.message)]


def _array(pieces: Iterable[list[Row]], lines: str) -> Iterator[bytes]:
    between = {"lines": b",\n", "compact": b",", "pretty": b",\n"}[lines]
    begin, end = (b"[\n", b"\n]\n") if lines == "pretty" else (b"[", b"]")
    for piece in pieces:
        if piece:
            yield begin + _encoded(piece, lines)
            begin = between
    yield (begin if begin != between else b"") + end


def _encoded(piece: list[Row], lines: str) -> bytes:
    if lines == "compact":
        return _encoder.encode(piece)[1:-1]
    if lines == "pretty":
        rows = [msgspec.json.format(_encoder.encode(row), indent=2) for row in piece]
        return b",\n".join(b"  " + row.replace(b"\n", b"\n  ") for row in rows)
    # Line breaks within values are escaped, so these separate rows.
    return _encoder.encode_lines(piece)[:-1].replace(b"\n", b",\n")


def error_row(message: str) -> Row:
    """An error of a query, which is sent in place of a row."""
    return {"looker_error": message}
