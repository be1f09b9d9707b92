"""Explores, views and fields: their SQL and their metadata.

A field has a `value`, an SQL expression to group, sort and filter by, and a `render`, which turns
it into what Looker writes with `apply_formatting=false`: numbers, `Yes` and `No`, times such as
`2026-01-31 23:59:59` without a zone. The LookML types and their formats follow component
`LookmlModelExploreField` and what existing connectors parse.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from looker_emulator.instance.values import HOST, Row

if TYPE_CHECKING:
    from collections.abc import Iterable

DATABASE_ZONE = "UTC"


@dataclass(frozen=True)
class Frame:
    """A timeframe of a dimension group, as SQL on the local time `{t}`."""

    type: str
    value: str
    render: str = "{v}"
    #: The language of filters on it: date, number, string or none.
    filter: str = "date"


def _frames(frames: dict[str, tuple[str, ...]]) -> dict[str, Frame]:
    return {name: Frame(f"date_{name}", *parts) for name, parts in frames.items()}


_TRUNC = "date_trunc('{}', {{t}})".format
_AS = "strftime({{v}}, '{}')".format

FRAMES = _frames(
    {
        "raw": ("{raw}", _AS("%Y-%m-%d %H:%M:%S")),
        "time": (_TRUNC("second"), _AS("%Y-%m-%d %H:%M:%S")),
        "date": ("CAST({t} AS DATE)", "CAST({v} AS VARCHAR)"),
        "week": (_TRUNC("week"), _AS("%Y-%m-%d")),
        "month": (_TRUNC("month"), _AS("%Y-%m")),
        "quarter": (_TRUNC("quarter"), "strftime({v}, '%Y-Q') || quarter({v})"),
        "year": ("year({t})",),
        "hour": (_TRUNC("hour"), _AS("%Y-%m-%d %H")),
        "minute": (_TRUNC("minute"), _AS("%Y-%m-%d %H:%M")),
        "second": (_TRUNC("second"), _AS("%Y-%m-%d %H:%M:%S")),
        "millisecond": (_TRUNC("millisecond"), _AS("%Y-%m-%d %H:%M:%S.%g")),
        "microsecond": ("{t}", _AS("%Y-%m-%d %H:%M:%S.%f")),
        "time_of_day": ("strftime({t}, '%H:%M')", "{v}", "string"),
        "hour_of_day": ("hour({t})", "{v}", "number"),
        "day_of_week": ("isodow({t}) - 1", "dayname(DATE '2024-01-01' + CAST({v} AS INT))", "none"),
        "day_of_week_index": ("isodow({t}) - 1", "{v}", "number"),
        "day_of_month": ("day({t})", "{v}", "number"),
        "day_of_year": ("dayofyear({t})", "{v}", "number"),
        "month_name": ("month({t})", "monthname(make_date(2024, CAST({v} AS INT), 1))", "none"),
        "month_num": ("month({t})", "{v}", "number"),
        "week_of_year": ("weekofyear({t})", "{v}", "number"),
        "quarter_of_year": ("'Q' || quarter({t})", "{v}", "string"),
        # The fiscal year of this instance begins in February.
        "fiscal_year": ("year({t} - INTERVAL 1 MONTH)", "{v}", "none"),
        "fiscal_quarter": (
            "date_trunc('quarter', {t} - INTERVAL 1 MONTH)",
            "strftime({v}, 'FY%Y-Q') || quarter({v})",
            "none",
        ),
        "fiscal_quarter_of_year": ("'Q' || quarter({t} - INTERVAL 1 MONTH)", "{v}", "string"),
        "fiscal_month_num": ("month({t} - INTERVAL 1 MONTH)", "{v}", "number"),
    }
)
NUMERIC_FRAMES = frozenset(
    name for name, frame in FRAMES.items() if frame.filter == "number" or name.endswith("year")
) - {"quarter_of_year", "fiscal_quarter_of_year"}

USUAL_FRAMES = ("raw", "time", "date", "hour", "week", "month", "quarter", "year", "day_of_week")

_AGGREGATES = {
    "count": "count(*)",
    "count_distinct": "count(DISTINCT {sql})",
    "sum": "sum({sql})",
    "average": "avg({sql})",
    "min": "min({sql})",
    "max": "max({sql})",
    "list": "list(DISTINCT {sql} ORDER BY {sql})",
    "median": "quantile_cont({sql}, 0.5)",
    "percentile": "quantile_cont({sql}, 0.95)",
    "date": "max(CAST({t} AS DATE))",
    "time": "max(date_trunc('second', {t}))",
    "number": "{sql}",
    "string": "{sql}",
    "yesno": "{sql}",
}
_MEASURE_RENDERS = {
    "sum": "CASE WHEN typeof({v}) = 'HUGEINT' THEN CAST({v} AS BIGINT) ELSE {v} END",
    "date": "CAST({v} AS VARCHAR)",
    "time": FRAMES["time"].render,
    "yesno": "CASE WHEN {v} THEN 'Yes' ELSE 'No' END",
}
_STRINGS = frozenset(("string", "zipcode", "tier", "location", "list"))


@dataclass(frozen=True)
class Field:
    """A dimension or a measure. In `sql`, tables are named after their views."""

    name: str
    type: str
    sql: str
    measure: bool = False
    #: The timeframe and the dimension group, where the field belongs to one.
    frame: str = ""
    group: str = ""
    primary_key: bool = False
    hidden: bool = False
    #: Its numbers may exceed what a double can represent.
    exact: bool = False
    #: Whether times are converted to the query's zone; plain dates are not (`convert_tz: no`).
    converts: bool = True
    value_format: str | None = None
    description: str | None = None
    #: Its values in the order that LookML lists them, which is how they sort.
    ranks: tuple[str, ...] = ()

    @property
    def view(self) -> str:
        """The name of the field's view."""
        return self.name.partition(".")[0]

    @property
    def filter(self) -> str:
        """The filter language that applies to it."""
        if self.frame:
            return FRAMES[self.frame].filter
        if self.measure and self.type in ("date", "time"):
            return "none"
        if self.type == "yesno":
            return "yesno"
        return "string" if self.type in _STRINGS else "number"

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers."""
        if self.frame:
            return self.frame in NUMERIC_FRAMES
        return self.type not in (*_STRINGS, "yesno", "date", "time")

    def instant(self, zone: str) -> str:
        """The time behind a timeframe, in the zone."""
        return local(self.sql, zone) if self.converts else self.sql

    def value(self, zone: str) -> str:
        """SQL to select, group and sort by."""
        moment = self.instant(zone)
        if self.frame:
            return FRAMES[self.frame].value.format(t=moment, raw=self.sql)
        if self.measure:
            return _AGGREGATES[self.type].format(sql=self.sql, t=moment)
        return f"coalesce({self.sql}, false)" if self.type == "yesno" else self.sql

    def place(self, value: str) -> str:
        """SQL to sort by, given the value: tiers and `case` values sort by rank."""
        if not self.ranks:
            return value
        listed = ", ".join("'" + text.replace("'", "''") + "'" for text in self.ranks)
        return f"list_position([{listed}], {value})"

    def render(self, value: str) -> str:
        """SQL for what Looker writes, given the value."""
        if self.frame:
            return FRAMES[self.frame].render.format(v=value)
        if self.measure:
            return _MEASURE_RENDERS.get(self.type, "{v}").format(v=value)
        if self.type == "yesno":
            return _MEASURE_RENDERS["yesno"].format(v=value)
        return value


def local(moment: str, zone: str) -> str:
    """A time of the database in another time zone."""
    if zone == DATABASE_ZONE:
        return moment
    return f"(({moment} AT TIME ZONE '{DATABASE_ZONE}') AT TIME ZONE '{zone}')"


# ------------------------------------------------------------------------------- constructors


@dataclass(frozen=True)
class View:
    """The fields of one table, which SQL names after the view."""

    name: str
    table: str
    fields: tuple[Field, ...]

    def with_fields(self, *fields: Field) -> View:
        """The view with more fields."""
        return replace(self, fields=self.fields + fields)


def view(name: str, table: str = "", key: str = "id", **kinds: str) -> View:
    """A view whose fields are named after the columns of its table.

    Args:
        name: The name of the view.
        table: The table, if its name differs from the view's.
        key: The primary key column.
        kinds: For each LookML type its columns, separated by spaces. The type `time` makes a
            dimension group with the usual timeframes.
    """
    fields: list[Field] = []
    for kind, columns in kinds.items():
        for column in columns.split():
            if kind == "time":
                fields += time(name, column)
            else:
                fields.append(dimension(name, column, kind, primary_key=column == key))
    return View(name, table or name, tuple(fields))


def dimension(view_name: str, name: str, kind: str, sql: str = "", **options: Any) -> Field:
    """One dimension."""
    return Field(f"{view_name}.{name}", kind, sql or f'"{view_name}"."{name}"', **options)


def measure(view_name: str, name: str, kind: str, sql: str = "", **options: Any) -> Field:
    """One measure. `sql` is aggregated, by default the column of that name."""
    return dimension(view_name, name, kind, sql, measure=True, **options)


def time(
    view_name: str,
    group: str,
    frames: Iterable[str] = USUAL_FRAMES,
    sql: str = "",
    *,
    converts: bool = True,
) -> list[Field]:
    """A dimension group of type time."""
    return [
        Field(
            f"{view_name}.{group}_{frame}",
            FRAMES[frame].type,
            sql or f'"{view_name}"."{group}"',
            frame=frame,
            group=group,
            hidden=frame == "raw",
            converts=converts,
        )
        for frame in frames
    ]


# ---------------------------------------------------------------------------------------- explores


@dataclass(frozen=True)
class Join:
    """A view joined to an explore, and the views that must be joined first."""

    view: View
    on: str
    after: tuple[str, ...] = ()
    relationship: str = "many_to_one"

    @property
    def multiplies(self) -> bool:
        """Whether one row of the base view can become several."""
        return self.relationship in ("one_to_many", "many_to_many")


@dataclass(frozen=True)
class Explore:
    """A base view and the views that can be joined to it."""

    model: str
    name: str
    base: View
    joins: tuple[Join, ...] = ()
    connection: str = "warehouse"
    #: The base table is stored in the order of its key.
    ordered: bool = False
    fields: dict[str, Field] = field(init=False)

    def __post_init__(self) -> None:
        views = [self.base, *(join.view for join in self.joins)]
        fields = {each.name: each for one in views for each in one.fields}
        object.__setattr__(self, "fields", fields)

    def without(self, names: Iterable[str]) -> Explore:
        """The explore without some fields."""
        gone = frozenset(names)
        lacking = replace(self)
        kept = {name: each for name, each in self.fields.items() if name not in gone}
        object.__setattr__(lacking, "fields", kept)
        return lacking

    @property
    def key(self) -> str | None:
        """The primary key of the base view."""
        keys = [each.name for each in self.base.fields if each.primary_key]
        return keys[0] if keys else None

    def joined(self, views: Iterable[str]) -> list[Join]:
        """The joins that these views need, in a valid order."""
        wanted = set(views)
        for join in reversed(self.joins):
            if join.view.name in wanted:
                wanted.update(join.after)
        return [join for join in self.joins if join.view.name in wanted]

    def source(self, views: Iterable[str]) -> str:
        """The FROM clause."""
        lines = [f'FROM {self.base.table} AS "{self.base.name}"']
        lines += [
            f'LEFT JOIN {join.view.table} AS "{join.view.name}" ON {join.on}'
            for join in self.joined(views)
        ]
        return "\n".join(lines)


# ---------------------------------------------------------------------------------------- metadata


def field_metadata(each: Field, explore: Explore) -> Row:
    """A field as component `LookmlModelExploreField`."""
    view_label = each.view.replace("_", " ").title()
    short = each.name.partition(".")[2].replace("_", " ").title()
    category = "measure" if each.measure else "dimension"
    return {
        "align": "right" if each.numeric else "left",
        "can_filter": each.filter != "none",
        "category": category,
        "default_filter_value": None,
        "description": each.description,
        "dimension_group": f"{each.view}.{each.group}" if each.group else None,
        "drill_fields": [],
        "enumerations": [{"label": text, "value": text} for text in each.ranks] or None,
        "error": None,
        "field_group_label": f"{each.group.title()} Date" if each.group else None,
        "field_group_variant": each.frame.replace("_", " ").title() if each.frame else short,
        "fill_style": None,
        "fiscal_month_offset": 1,
        "has_allowed_values": False,
        "has_drills_metadata": False,
        "hidden": each.hidden,
        "is_filter": False,
        "is_fiscal": each.frame.startswith("fiscal"),
        "is_numeric": each.numeric,
        "is_timeframe": bool(each.frame),
        "can_time_filter": each.filter == "date",
        "time_interval": _INTERVALS.get(each.frame),
        "label": f"{view_label} {short}",
        "label_from_parameter": None,
        "label_short": short,
        "lookml_link": None if explore.model == "system__activity" else _link(each, explore),
        "map_layer": None,
        "measure": each.measure,
        "name": each.name,
        "strict_value_format": False,
        "parameter": False,
        "permanent": None,
        "primary_key": each.primary_key,
        "project_name": explore.model,
        "requires_refresh_on_sort": bool(each.ranks),
        "scope": each.view,
        "sortable": True,
        "sql": None,
        "sql_case": None,
        "filters": None,
        "suggest_dimension": each.name,
        "suggest_explore": explore.name,
        "suggestable": each.filter == "string",
        "suggestions": None,
        "tags": [],
        "type": each.type,
        "user_attribute_filter_types": [],
        "value_format": each.value_format,
        "view": each.view,
        "view_label": view_label,
        "dynamic": False,
        "week_start_day": "monday",
        "times_used": 0,
        "original_view": each.view,
    }


_INTERVALS: dict[str, Row] = {
    "time": {"name": "second", "count": 1},
    "second": {"name": "second", "count": 1},
    "minute": {"name": "minute", "count": 1},
    "hour": {"name": "hour", "count": 1},
    "date": {"name": "day", "count": 1},
    "week": {"name": "day", "count": 7},
    "month": {"name": "month", "count": 1},
    "quarter": {"name": "month", "count": 3},
    "year": {"name": "year", "count": 1},
}


def _link(each: Field, explore: Explore) -> str:
    return f"/projects/greenhouse/files/{explore.model}/{each.view}.view.lkml"


def explore_metadata(explore: Explore) -> Row:
    """An explore as component `LookmlModelExplore`."""
    label = explore.name.replace("_", " ").title()
    fields = [field_metadata(each, explore) for each in explore.fields.values()]
    views = [explore.base, *(join.view for join in explore.joins)]
    return {
        "id": f"{explore.model}::{explore.name}",
        "name": explore.name,
        "description": None,
        "label": label,
        "title": label,
        "scopes": [each.name for each in views],
        "can_total": True,
        "can_develop": False,
        "can_see_lookml": False,
        "lookml_link": None,
        "can_save": True,
        "can_explain": True,
        "can_pivot_in_db": True,
        "can_subtotal": True,
        "has_timezone_support": True,
        "supports_cost_estimate": False,
        "connection_name": explore.connection,
        "dialect_name": "duckdb",
        "null_sort_treatment": "low",
        "files": [],
        "source_file": f"{explore.model}.model.lkml",
        "project_name": explore.model,
        "model_name": explore.model,
        "view_name": explore.base.name,
        "hidden": False,
        "sql_table_name": explore.base.table,
        "access_filter_fields": None,
        "access_filters": [],
        "aliases": [],
        "always_filter": [],
        "conditionally_filter": [],
        "index_fields": [],
        "sets": [],
        "tags": [],
        "errors": None,
        "fields": {
            "dimensions": [each for each in fields if not each["measure"]],
            "measures": [each for each in fields if each["measure"]],
            "filters": [],
            "parameters": [],
        },
        "joins": [_join_metadata(join) for join in explore.joins],
        "group_label": None,
        "supported_measure_types": [],
        "always_join": [],
        "url": f"{HOST}/api/4.0/lookml_models/{explore.model}/explores/{explore.name}",
    }


def _join_metadata(join: Join) -> Row:
    return {
        "name": join.view.name,
        "dependent_fields": [],
        "fields": None,
        "foreign_key": None,
        "from": None,
        "outer_only": None,
        "relationship": join.relationship,
        "required_joins": list(join.after),
        "sql_foreign_key": None,
        "sql_on": None,
        "sql_table_name": join.view.table,
        "type": "left_outer",
        "view_label": None,
    }
