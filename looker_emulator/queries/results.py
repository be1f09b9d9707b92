"""Running a plan, and writing its rows in Looker's formats, a piece at a time.

Rows are fetched, encoded and sent in pieces, whatever their number: nothing holds them all. Only
pivots do, whose columns are not known before the last row; Looker holds those in memory too.
"""

from __future__ import annotations

import csv
import io
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from looker_emulator.queries.explores import field_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    import duckdb

    from looker_emulator.instance.values import Row
    from looker_emulator.queries.compile import Plan
    from looker_emulator.queries.explores import Field

MEDIA_TYPES = {
    "json": "application/json",
    "json_label": "application/json",
    "json_bi": "application/json",
    "json_detail": "application/json",
    "inline_json": "application/json",
    "csv": "text/csv;charset=utf-8",
    "txt": "text/plain;charset=utf-8",
    "sql": "application/sql",
}
"""The formats that there are here, and how they are sent."""

ROW_TOTAL = "$$$_row_total_$$$"
GROUPING = "$$$__grouping__$$$"
FIRST_PIECE, PIECE = 100, 4_000

_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True)
class Style:
    """How an instance writes, where instances differ. See the options of the emulator."""

    lines: str = "lines"
    decimals_as_text: bool = False
    pivots_by_field: bool = False
    totals_in_rows: bool = False
    formatted: bool = False


@dataclass
class Result:
    """The rows of a plan as they come from the database, as objects under their columns' names."""

    plan: Plan
    cursor: duckdb.DuckDBPyConnection
    style: Style
    #: To be called when the last row has been read.
    ended: Callable[[], None] | None = None
    pivots: list[Row] = field(default_factory=list)
    columns_truncated: bool = False

    @property
    def names(self) -> list[str]:
        """The keys of a row."""
        columns = [*self.plan.columns, *self.plan.calculations]
        return [column.name for column in columns]

    def execute(self) -> None:
        """Send the statement; raises what the database has against it."""
        self.cursor.execute(self.plan.sql())

    def tuples(self) -> Iterator[list[tuple[Any, ...]]]:
        """Pieces of rows; the first is small, so that it comes soon."""
        size = FIRST_PIECE
        while rows := self.cursor.fetchmany(size):
            yield rows
            size = PIECE

    def pieces(self) -> Generator[list[Row]]:
        """Pieces of rows as objects, pivoted if they have to be."""
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
        """What has to be done to columns whose values go out as text."""
        texts: dict[str, Callable[[Any], Any]] = {}
        for column in self.plan.columns:
            if self.style.formatted and column.numeric:
                texts[column.name] = formatter(column)
            elif self.style.decimals_as_text and column.exact:
                texts[column.name] = lambda value: None if value is None else str(value)
        return texts

    # ---------------------------------------------------------------------------------- totals

    def totals(self) -> list[Row]:
        """The row of totals, if the query wants one."""
        return self._grouped([]) if self.plan.query.get("total") else []

    def subtotals(self) -> list[Row]:
        """The rows of subtotals: the values of the dimensions up to one, summed over the rest."""
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
        """One row for each value of the other dimensions, with objects by pivot value in it."""
        plan = self.plan
        pivoted = {column.name for column in plan.pivots}
        keys = [column.name for column in plan.dimensions if column.name not in pivoted]
        measures = [column.name for column in plan.measures]
        rows: dict[tuple[Any, ...], Row] = {}
        columns: dict[str, Row] = {}
        names = self.names
        for each in (each for piece in self.tuples() for each in piece):
            row = dict(zip(names, each, strict=True))
            values = {column.name: row[column.name] for column in plan.pivots}
            key = "|FIELD|".join("null" if v is None else str(v) for v in values.values())
            columns.setdefault(key, values)
            place = tuple(row[name] for name in keys)
            target = rows.setdefault(place, {name: row[name] for name in keys})
            for name in measures:
                target.setdefault(name, {})[key] = row[name]
        order = sorted(columns)
        most = int(plan.query.get("column_limit") or 50)
        self.columns_truncated = len(order) > most
        self.pivots = [
            {"key": key, "is_total": False, "data": columns[key]} for key in order[:most]
        ]
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
    """How a number is shown to people, who want separators and a currency."""
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
    """An error that comes after some rows, as the object that Looker puts among them."""

    after_rows: int
    message: str


def written(result: Result, form: str, broken: Break | None = None) -> Iterator[bytes]:
    """The body of an answer in pieces, once the statement has been sent."""
    rows = result.pieces()
    pieces: Iterable[list[Row]] = _broken(rows, broken) if broken else rows
    if form == "sql":
        yield result.plan.sql().encode()
    elif form in ("csv", "txt"):
        yield from _separated(result, pieces, "," if form == "csv" else "\t")
    elif form == "json_bi":
        yield from _wrapped(result, pieces, _bi_head, "rows")
    elif form == "json_detail":
        cells = _cells(result)
        detailed = ([cells(row) for row in piece] for piece in pieces)
        yield from _wrapped(result, detailed, _detail_head, "data")
    elif form == "json_label":
        label = result.plan.label
        labelled = (
            [{label(name): value for name, value in row.items()} for row in piece]
            for piece in pieces
        )
        yield from _array(labelled, result.style.lines)
    else:
        yield from _array(pieces, result.style.lines)


def _broken(pieces: Generator[list[Row]], broken: Break) -> Iterator[list[Row]]:
    left = broken.after_rows
    with closing(pieces):
        for piece in pieces:
            if len(piece) >= left:
                yield piece[:left]
                break
            yield piece
            left -= len(piece)
    yield [{"looker_error": broken.message}]


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
    # A line break within a value is escaped: those that are here end rows.
    return _encoder.encode_lines(piece)[:-1].replace(b"\n", b",\n")


def _wrapped(
    result: Result, pieces: Iterable[list[Row]], head: Callable[[Result], Row], key: str
) -> Iterator[bytes]:
    rows = _array(pieces, result.style.lines)
    # The first row first: only then are the pivots known, which stand in the head.
    first = next(rows)
    yield _encoder.encode(head(result))[:-1] + f',"{key}":'.encode() + first
    yield from rows
    yield b"}"


def _separated(result: Result, pieces: Iterable[list[Row]], separator: str) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\n")
    header: list[str] | None = None
    label = result.plan.label
    for piece in pieces:
        for row in piece:
            flat = _flat(row, label)
            if header is None:
                header = list(flat)
                writer.writerow(header)
            writer.writerow(flat.values())
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    if header is None:
        writer.writerow([label(name) for name in result.names])
        yield buffer.getvalue().encode()


def _flat(row: Row, label: Callable[[str], str]) -> Row:
    flat: Row = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{key} {label(name)}": cell for key, cell in value.items()}
        else:
            flat[label(name)] = value
    return flat


# ---------------------------------------------------------------------------------------- metadata


def _field_objects(result: Result) -> dict[str, list[Row]]:
    plan = result.plan
    pivoted = {column.name for column in plan.pivots}

    def described(columns: Iterable[Field]) -> list[Row]:
        return [
            field_metadata(column, plan.explore)
            | ({"label": plan.labels[column.name]} if column.name in plan.labels else {})
            for column in columns
        ]

    return {
        "dimensions": described(each for each in plan.dimensions if each.name not in pivoted),
        "measures": described(plan.measures),
        "pivots": described(plan.pivots),
        "table_calculations": [
            {
                "name": each.name,
                "label": each.label,
                "align": "right",
                "expression": each.expression,
                "value_format": None,
                "measure": bool(plan.measures),
                "type": each.type,
            }
            for each in plan.calculations
        ],
    }


def _bi_head(result: Result) -> Row:
    """Component `JsonBiMetadata`."""
    query = result.plan.query
    return {
        "metadata": {
            "fields": _field_objects(result),
            "pivots": result.pivots,
            "has_totals": bool(query.get("total")),
            "has_subtotals": bool(query.get("subtotals")),
            "has_row_totals": bool(query.get("row_total")),
            "columns_truncated": "yes" if result.columns_truncated else "no",
            "filters": query.get("filters") or {},
            "filter_expression": query.get("filter_expression"),
            "sql": result.plan.sql(),
            "big_query_metadata": None,
        }
    }


def _detail_head(result: Result) -> Row:
    query, plan = result.plan.query, result.plan
    cells = _cells(result)
    return {
        "id": "68927a65b195b0bd5008b02218c82057",
        "status": "complete",
        "from_cache": False,
        "expired": False,
        "result_source": "query",
        "supports_pivot_in_db": True,
        "null_sort_treatment": "low",
        "ran_at": "2026-06-30T14:15:57-07:00",
        "runtime": "0.952",
        "added_params": {},
        "fields": _field_objects(result),
        "pivots": [{**pivot, "metadata": {}} for pivot in result.pivots],
        "fill_fields": query.get("fill_fields") or [],
        "has_totals": bool(query.get("total")),
        "has_row_totals": bool(query.get("row_total")),
        "has_subtotals": bool(query.get("subtotals")),
        "totals_data": next((cells(row) for row in result.totals()), None),
        "subtotals_data": {"1": [cells(row) for row in result.subtotals()]},
        "applied_filters": {
            name: {"field": {"name": name}, "value": text}
            for name, text in (query.get("filters") or {}).items()
        },
        "applied_filter_expression": None,
        "number_format": "1,234.56",
        "explore": {"name": plan.explore.name, "label": plan.explore.name, "description": None},
        "timezone": plan.zone,
        "errors": [],
    }


def _cells(result: Result) -> Callable[[Row], Row]:
    """The cells of `json_detail`: values with what is shown, and links on measures."""
    shown = {column.name: formatter(column) for column in result.plan.columns if column.numeric}
    measures = {column.name for column in result.plan.measures}

    def cell(name: str, value: Any) -> Any:
        if name in (GROUPING, "looker_error"):
            return value
        if isinstance(value, dict):
            return {key: cell(name, each) for key, each in value.items()}
        content: Row = {"value": value}
        if name in shown and value is not None:
            content["rendered"] = shown[name](value)
        if name in measures:
            content["links"] = []
        return content

    return lambda row: {name: cell(name, value) for name, value in row.items()}


# ------------------------------------------------------------------------------------------ errors


def error_body(form: str, message: str) -> bytes:
    """A query that failed, which is a 200: the error stands where rows belong."""
    row = {"looker_error": message}
    if form == "json_bi":
        return _encoder.encode({"metadata": {"fields": {}, "sql": None}, "rows": [row]})
    if form == "json_detail":
        error = {
            "message": "The database failed to run the query.",
            "message_details": message,
            "params": None,
            "edit_url": None,
            "error_pos": None,
            "fatal": True,
            "level": "error",
            "login_required_oauth_application_id": None,
        }
        return _encoder.encode({"status": "error", "errors": [error], "data": []})
    if form in ("csv", "txt", "sql"):
        return f"Error: {message}\n".encode()
    return _encoder.encode([row])


def database_message(problem: duckdb.Error) -> str:
    """What a database says, as Looker passes it on."""
    return f"SQL Error: {str(problem).splitlines()[0]}"
