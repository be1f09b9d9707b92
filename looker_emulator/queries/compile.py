"""Compiling a query (component `Query`) to SQL.

The SQL has two levels. The inner one groups, filters, sorts and limits the values. The outer one
formats them as Looker does and computes table calculations, which see only the rows of the result:
those that fill the gaps between dates, too. In between, these are added.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from looker_emulator.queries.errors import Refused
from looker_emulator.queries.explores import Explore, Field
from looker_emulator.queries.expressions import PLACE, InvalidExpression, translated
from looker_emulator.queries.filters import InvalidFilter, condition

if TYPE_CHECKING:
    from datetime import datetime

    from looker_emulator.instance.values import Row

UNSET_LIMIT = 5_000
"""How many rows Looker returns where no limit is set, as measured by DataHub."""


_STEPS = {"hour": "1 HOUR", "date": "1 DAY", "week": "7 DAY", "month": "1 MONTH"}
"""The timeframes whose gaps can be filled, and the time between two of their values."""


@dataclass(frozen=True)
class Calculation:
    """A table calculation: an expression over the columns of the result."""

    name: str
    expression: str


@dataclass
class Plan:
    """A query that can be run."""

    explore: Explore
    query: Row
    zone: str
    columns: list[Field]
    pivots: list[Field]
    calculations: list[Calculation]
    conditions: list[str] = field(default_factory=list)
    having: list[str] = field(default_factory=list)
    views: set[str] = field(default_factory=set)
    sorts: list[tuple[str, bool]] = field(default_factory=list)
    limit: int | None = None

    @property
    def dimensions(self) -> list[Field]:
        """The columns that rows are grouped by."""
        return [column for column in self.columns if not column.measure]

    @property
    def measures(self) -> list[Field]:
        """The columns that are aggregated."""
        return [column for column in self.columns if column.measure]

    @property
    def tables(self) -> list[str]:
        """The tables that the query reads."""
        joins = self.explore.joined(self.views)
        return [self.explore.base.table, *(join.view.table for join in joins)]

    def sql(self) -> str:
        """The statement."""
        limit = None if self.pivots else self.limit
        rows = self._inner(self.columns, limit)
        if self.filled:
            rows = self._without_gaps(rows, self.filled)
        return self._outer(self.columns, rows, self.calculations)

    def totals_sql(self, kept: list[Field]) -> str:
        """The statement for totals: the same rows grouped by fewer dimensions, or by none."""
        columns = [
            column if column.measure or column in kept else _nothing(column)
            for column in self.columns
        ]
        return self._outer(columns, self._inner(columns, limit=None), [])

    @property
    def filled(self) -> Field | None:
        """The dimension whose missing values get rows of their own: the only one, and a date."""
        dimensions, wanted = self.dimensions, self.query.get("fill_fields") or []
        if self.pivots or len(dimensions) != 1 or dimensions[0].name not in wanted:
            return None
        return dimensions[0] if dimensions[0].frame in _STEPS else None

    def total_of(self, column: Field) -> str:
        """The value of a measure over all rows, as a statement."""
        rows = self._inner([column], limit=None)
        return f"(\nSELECT c0\nFROM (\n{rows}\n) AS total)"

    def _without_gaps(self, rows: str, filled: Field) -> str:
        """The rows of a statement, and empty ones for what is missing in a dimension."""
        place = f"c{self.columns.index(filled)}"
        day = "CAST(day AS DATE)" if filled.frame == "date" else "day"
        shown = [
            f"{day} AS {name}" if name == place else name
            for name in (f"c{position}" for position in range(len(self.columns)))
        ]
        ends = f"min({place}), max({place}), INTERVAL {_STEPS[filled.frame]}"
        return "\n".join(
            (
                f"WITH found AS (\n{rows}\n),",
                f"ends AS (\nSELECT generate_series({ends}) AS days\nFROM found\n),",
                "every AS (\nSELECT unnest(days) AS day\nFROM ends\n)",
                f"SELECT {', '.join(shown)}",
                "FROM every",
                f"LEFT JOIN found ON found.{place} = every.day",
                f"ORDER BY {self._order(self.columns)}",
            )
        )

    def _inner(self, columns: list[Field], limit: int | None) -> str:
        selected = ",\n  ".join(
            f"{column.value(self.zone)} AS c{position}" for position, column in enumerate(columns)
        )
        lines = [f"SELECT\n  {selected}", self.explore.source(self.views)]
        if self.conditions:
            lines.append("WHERE " + "\n  AND ".join(self.conditions))
        groups = [str(n) for n, column in enumerate(columns, 1) if not column.measure]
        if groups and not self._one_each(columns):
            lines.append(f"GROUP BY {', '.join(groups)}")
        if self.having:
            lines.append("HAVING " + "\n  AND ".join(self.having))
        if order := self._order(columns):
            lines.append(f"ORDER BY {order}")
        if limit is not None:
            lines.append(f"LIMIT {limit}")
        return "\n".join(lines)

    def _one_each(self, columns: list[Field]) -> bool:
        """Whether each row of the base view is a row of the result, so that nothing is grouped."""
        names = {column.name for column in columns}
        multiplied = any(join.multiplies for join in self.explore.joined(self.views))
        return (
            self.explore.key in names
            and not multiplied
            and not any(column.measure for column in columns)
        )

    def _already_sorted(self, columns: list[Field]) -> bool:
        """Whether the table is stored in the requested order, so that rows can be sent at once."""
        explore = self.explore
        by_key = self.sorts == [(explore.key, False)] and self._one_each(columns)
        return explore.ordered and by_key and len(self.tables) == 1

    def _order(self, columns: list[Field]) -> str:
        if self._already_sorted(columns):
            return ""
        places = {column.name: column.place(f"c{n}") for n, column in enumerate(columns)}
        # Nulls are low: `null_sort_treatment` of the explores.
        return ", ".join(
            f"{places[name]} {'DESC NULLS LAST' if descending else 'ASC NULLS FIRST'}"
            for name, descending in self.sorts
            if name in places
        )

    @staticmethod
    def _outer(columns: list[Field], inner: str, calculations: list[Calculation]) -> str:
        written = [
            f'{column.render(f"c{position}")} AS "{column.name}"'
            for position, column in enumerate(columns)
        ]
        if not calculations:
            return f"SELECT {', '.join(written)}\nFROM (\n{inner}\n) AS result"
        written += [f'{each.expression} AS "{each.name}"' for each in calculations]
        placed = f"SELECT *, row_number() OVER () AS {PLACE}\nFROM (\n{inner}\n)"
        return f"SELECT {', '.join(written)}\nFROM (\n{placed}\n) AS result\nORDER BY {PLACE}"


def _nothing(column: Field) -> Field:
    return Field(column.name, "number", "NULL", measure=True)


# --------------------------------------------------------------------------------------- compiling


def compile_query(query: Row, explore: Explore, *, zone: str, now: datetime) -> Plan:
    """Compile a query, or raise why it is refused.

    Args:
        query: Component `Query`.
        explore: The explore it queries.
        zone: The time zone for queries that do not name one.
        now: The current time.
    """
    zone = _zone(query.get("query_timezone") or zone)
    own, calculations = _dynamic(query.get("dynamic_fields"), explore, zone)
    known = explore.fields | own
    calculated = {each["table_calculation"] for each in calculations}
    asked = list(dict.fromkeys(_strings(query, "fields")))
    names = [name for name in asked if name not in calculated]
    pivots = _strings(query, "pivots")
    filters = query.get("filters") or {}
    if not isinstance(filters, dict):
        raise Refused(422, "Validation Failed", filters="must be an object")
    unknown = [name for name in (*names, *pivots, *filters) if name not in known]
    if unknown:
        raise Refused(
            422,
            "Validation Failed",
            **{name: f'Unknown field "{name}"' for name in unknown},
        )
    if not names:
        raise Refused(400, "Must query at least one dimension or measure")
    if not set(pivots) <= set(names):
        raise Refused(422, "Validation Failed", pivots="must be among the fields")
    plan = Plan(
        explore,
        query,
        zone,
        [known[name] for name in names],
        [known[name] for name in pivots],
        [],
    )
    for name in (*names, *filters):
        plan.views |= _views_of(known[name])
    local_now = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    for name, text in filters.items():
        _filter(plan, known[name], text, local_now)
    if query.get("filter_expression"):
        plan.conditions.append(_expression_filter(plan, known, str(query["filter_expression"])))
    plan.calculations = [_calculation(each, plan) for each in calculations]
    plan.sorts = _sorts(query, plan)
    return plan


def _expression_filter(plan: Plan, known: dict[str, Field], text: str) -> str:
    """A custom filter, which may use only dimensions."""

    def column(name: str) -> str:
        if name not in known or known[name].measure:
            raise InvalidExpression(name)
        plan.views |= _views_of(known[name])
        return f"({known[name].value(plan.zone)})"

    try:
        return f"({translated(text, column)})"
    except InvalidExpression as problem:
        raise Refused(400, f"Invalid filter expression: {problem}") from None


def _views_of(each: Field) -> set[str]:
    return {each.view, *re.findall(r'"(\w+)"\."', each.sql)}


def _zone(name: Any) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, TypeError, ValueError):
        raise Refused(
            422, "Validation Failed", query_timezone=f"{name!r} is not a time zone"
        ) from None
    return str(name)


def _strings(query: Row, name: str) -> list[str]:
    value = query.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Refused(422, "Validation Failed", **{name: "must be an array of strings"})
    return value


def _filter(plan: Plan, each: Field, text: Any, now: datetime) -> None:
    if text is None:
        return
    # A filter on a time applies to the moment, not to the part of it that the field shows.
    sql = each.instant(plan.zone) if each.filter == "date" else each.value(plan.zone)
    try:
        test = condition(each.filter, sql, str(text), now=now)
    except InvalidFilter:
        raise Refused(
            422, "Validation Failed", **{each.name: f'Invalid filter expression "{text}"'}
        ) from None
    if test:
        (plan.having if each.measure else plan.conditions).append(test)


def _sorts(query: Row, plan: Plan) -> list[tuple[str, bool]]:
    """The sorts, by default the first date or measure descending, or the first field."""
    names = {column.name for column in plan.columns}
    sorts = []
    for text in _strings(query, "sorts"):
        # A third word is the column of a pivot.
        name, *words = text.split()
        if name not in names:
            raise Refused(422, "Validation Failed", **{name: "is sorted by but not a field"})
        sorts.append((name, bool(words) and words[0].lower() == "desc"))
    if sorts:
        return sorts
    for column in plan.dimensions:
        if column.frame in ("raw", "time", "date", "hour", "week", "month", "quarter", "year"):
            return [(column.name, True)]
    for column in plan.measures:
        return [(column.name, True)]
    return [(plan.columns[0].name, False)]


def limit_of(query: Row, override: str | None) -> int | None:
    """The number of rows requested, or None for all."""
    given = override if override not in (None, "") else query.get("limit")
    if given in (None, "", "0", 0):
        return UNSET_LIMIT
    try:
        limit = int(str(given))
    except ValueError:
        limit = -2
    if limit < -1:
        raise Refused(422, "Validation Failed", limit="must be a number, or -1")
    return None if limit == -1 else limit


# ---------------------------------------------------------------------------------- dynamic fields


def _dynamic(text: Any, explore: Explore, zone: str) -> tuple[dict[str, Field], list[Row]]:
    """The fields that a query defines: custom dimensions and measures, calculations."""
    try:
        given = msgspec.json.decode(text or "[]", type=list[dict[str, Any]])
    except (msgspec.DecodeError, TypeError):
        raise Refused(422, "Validation Failed", dynamic_fields="must be JSON") from None
    own: dict[str, Field] = {}
    calculations = []
    for each in given:
        if each.get("is_disabled"):
            continue
        name = each.get("table_calculation") or each.get("measure") or each.get("dimension")
        if not isinstance(name, str):
            raise Refused(422, "Validation Failed", dynamic_fields="a field has no name")
        if "table_calculation" in each:
            calculations.append(each)
        elif "measure" in each:
            own[name] = _custom_measure(name, each, explore.fields | own)
        else:
            own[name] = _custom_dimension(name, each, explore.fields, zone)
    return own, calculations


def _custom_dimension(name: str, given: Row, known: dict[str, Field], zone: str) -> Field:
    def column(field_name: str) -> str:
        if field_name not in known or known[field_name].measure:
            raise InvalidExpression(field_name)
        return f"({known[field_name].value(zone)})"

    try:
        sql = translated(given.get("expression") or "", column)
    except InvalidExpression as problem:
        raise Refused(
            422, "Validation Failed", **{name: f"Invalid expression: {problem}"}
        ) from None
    kind = given.get("_type_hint") or "string"
    return Field(name, kind if kind in ("number", "yesno") else "string", sql)


def _custom_measure(name: str, given: Row, known: dict[str, Field]) -> Field:
    base, kind = known.get(given.get("based_on") or ""), given.get("type") or "count"
    if base is None or kind not in ("count_distinct", "sum", "average", "min", "max", "median"):
        raise Refused(422, "Validation Failed", **{name: "is based on no field known here"})
    return Field(name, kind, base.sql, measure=True)


def _calculation(given: Row, plan: Plan) -> Calculation:
    positions = {column.name: f"c{n}" for n, column in enumerate(plan.columns)}

    def column(name: str) -> str:
        name, _, total = name.partition(":")
        if name not in positions:
            raise InvalidExpression(name)
        if not total:
            return positions[name]
        measures = {each.name: each for each in plan.measures}
        if name not in measures or not plan.query.get("total"):
            raise InvalidExpression(f"{name} has no total")
        return plan.total_of(measures[name])

    name = given["table_calculation"]
    try:
        sql = translated(given.get("expression") or "", column, over_rows=True)
    except InvalidExpression as problem:
        raise Refused(
            422, "Validation Failed", **{name: f"Invalid expression: {problem}"}
        ) from None
    if given.get("_type_hint") == "yesno":
        sql = f"CASE WHEN {sql} THEN 'Yes' ELSE 'No' END"
    return Calculation(name, sql)
