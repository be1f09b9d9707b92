"""What a look or a query will return, found out before it is run.

Resolving a definition finds the query behind it and, from the explore's metadata, the column of
each field.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tap_looker.errors import BadResponseError, CutResultError, RequestError
from tap_looker.looker.response import segment
from tap_looker.looker.threads import closed_at_end
from tap_looker.queries import columns as lookml
from tap_looker.queries.definitions import DefinitionError, zone_named
from tap_looker.queries.explores import read_explore
from tap_looker.queries.keyset_paging import sorts_as_text
from tap_looker.used_fields import dynamic_fields
from tap_looker.values import MisfitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from tap_looker.looker.client import LookerClient
    from tap_looker.looker.response import Row
    from tap_looker.queries.definitions import Definition
    from tap_looker.queries.explores import Explore
    from tap_looker.queries.keyset_paging import Metadata
    from tap_looker.values import Misfits

REFUSED = frozenset({400, 404, 422})  # what Looker answers to a field that it does not know

# What becomes of the properties of a query (components Query and WriteQuery):
#
# model, view, fields, pivots, filters, filter_expression, dynamic_fields
#                  sent: the rows are made of them.
# query_timezone   sent; UTC where it names no zone.
# sorts            sent: limits cut by them, and calculations go by them. Where the rows are read
#                  along a key, which no query with calculations is, it takes their place.
# column_limit     sent: it cuts the values of the pivots, which is reported.
# limit            sent with calculations, which see no other rows; else all rows are read.
# fill_fields      sent with calculations, whose offset() counts the filled rows too; else they are
#                  rows without data.
# subtotals        sent with calculations. Their rows are no records: execute.without_totals.
# total            sent where a calculation refers to it, as ${orders.count:total}. Likewise.
# row_total        sent where a calculation refers to it. Its cells are left out: data_cells.
# filter_config    left out: the filters as the user interface shows them; it may contradict them.
# vis_config, visible_ui_sections
#                  left out: how the result is shown, which apply_vis=false ignores.
# client_id        left out: it names a short address.
# can, id, slug, url, share_url, expanded_share_url, has_table_calculations
#                  left out: Looker's own words about a saved query.
SENT = ("model", "view", "fields", "pivots", "filters", "filter_expression", "sorts",
        "dynamic_fields", "column_limit")  # fmt: skip
SENT_WITH_CALCULATIONS = ("limit", "fill_fields", "subtotals")
REFERENCES = {":total}": ("total", True), ":row_total}": ("row_total", "right")}
"""How calculations refer to totals, and what has Looker compute them."""
ROW_TOTAL = "$$$_row_total_$$$"
OF_ALL_ROWS = frozenset(("running_total", "percent_of_total", "percent_of_previous"))
SAYS_OF_ALL_ROWS = "(computed over all rows, in their order)"
"""In the description of such a column: a catalog has nothing else to know it by."""
"""Types of measures that Looker computes of the rows of a result, in their order."""


@dataclass(frozen=True)
class Result:
    """A query that can be run, and the columns of its records.

    Attributes:
        query: Its body, without sorts, limit and bounds.
        columns: In the order of its fields.
        keys: Fields of the primary key; none where rows have no identity.
        replication_key: Field of the bookmark, or "".
        order: What its rows can be sorted by and continued from, if :func:`check_order` agrees;
            empty where they cannot.
        calculated: It has table calculations, which Looker does after all rows are there.
        metadata: Asks for the metadata of its fields, by name.
    """

    query: Mapping[str, Any]
    columns: tuple[lookml.Column, ...]
    keys: tuple[str, ...]
    replication_key: str = ""
    order: tuple[lookml.Key, ...] = ()
    calculated: bool = False
    metadata: Metadata = dict


class Resolver:
    """Finds queries and metadata, each asked for once however many definitions need it."""

    def __init__(self, client: LookerClient) -> None:
        self._client = client
        self._explore: Callable[[str, str], Explore] = lru_cache(maxsize=None)(
            lambda model, name: read_explore(client, model, name)
        )

    def result(self, definition: Definition) -> Result:
        """What a definition will return.

        Raises:
            DefinitionError: It names what the instance does not have.
            LoginError: Looker cannot be reached.
        """
        query, zone = self.query(definition)
        try:
            explore = self.explore(query)
        except RequestError as error:
            raise DefinitionError(
                [f"no explore {query['model']}::{query['view']}: {error.message.rstrip('.')}"]
            ) from error
        return _described(definition, query, zone, explore)

    def explore(self, query: Mapping[str, Any]) -> Explore:
        """The explore of a query, with the fields that the query itself defines.

        Raises:
            RequestError: There is no such explore, or the key may not see it.
        """
        explore = self._explore(query["model"], query["view"])
        return replace(explore, fields={**explore.fields, **_dynamic_fields(query)})

    def query(self, definition: Definition) -> tuple[dict[str, Any], tzinfo]:
        """The query behind a definition, and the time zone of its answers.

        Raises:
            DefinitionError: There is no such look or query.
        """
        try:
            saved = self._saved(definition)
        except RequestError as error:
            what = f"look {definition.look}" if definition.look else f"query {definition.slug}"
            raise DefinitionError([f"no {what}: {error.message.rstrip('.')}"]) from error
        body = _body(saved)
        if not body["fields"]:
            raise DefinitionError(["its query has no fields that this key may see"])
        zone = definition.zone or str(saved.get("query_timezone") or "UTC")
        try:
            resolved = zone_named(zone)
        except DefinitionError:
            zone, resolved = "UTC", UTC  # as "user_timezone": one that cannot be known
        return {**body, "query_timezone": zone}, resolved

    def _saved(self, definition: Definition) -> Mapping[str, Any]:
        if definition.query:
            return definition.query
        if definition.look:
            look = self._client.get(f"/looks/{segment(definition.look)}").data
            query = look.get("query") if isinstance(look, dict) else None
            if query is None and isinstance(look, dict) and look.get("query_id"):
                return self._query(str(look["query_id"]))
        else:
            return self._query(definition.slug)
        if not isinstance(query, dict) or not query.get("model") or not query.get("view"):
            raise BadResponseError("the answer holds no query")
        return query

    def _query(self, slug: str) -> Mapping[str, Any]:
        query = self._client.get(f"/queries/{segment(slug)}", billing="db_query").data
        if not isinstance(query, dict) or not query.get("model") or not query.get("view"):
            raise BadResponseError("the answer holds no query")
        return query


def _body(saved: Mapping[str, Any]) -> dict[str, Any]:
    """What is sent of a query, as the table above says."""
    dynamic = _dynamic(saved)
    disabled = {name for name, _, one in dynamic if one.get("is_disabled")}
    body = {name: saved[name] for name in SENT if saved.get(name)}
    body["fields"] = [
        name for name in dict.fromkeys(saved.get("fields") or []) if name not in disabled
    ]
    if "sorts" in body:
        sorts = [str(sort) for sort in body["sorts"] if sort]
        body["sorts"] = [sort for sort in sorts if sort.split()[0] not in disabled]
    if any(kind == "table_calculation" and name not in disabled for name, kind, _ in dynamic):
        body |= {name: saved[name] for name in SENT_WITH_CALCULATIONS if saved.get(name)}
        expressions = " ".join(str(one.get("expression")) for _, _, one in dynamic)
        for reference, (name, turned_on) in REFERENCES.items():
            if reference in expressions and saved.get(name, turned_on):
                body[name] = saved.get(name, turned_on)
    return body


def _dynamic(query: Mapping[str, Any]) -> list[tuple[str, str, Row]]:
    """The custom fields and table calculations of a query: name, kind, and all that is said of it.

    Raises:
        DefinitionError: It is something else.
    """
    try:
        return dynamic_fields(query.get("dynamic_fields"))
    except ValueError:
        raise DefinitionError(["its dynamic_fields are not a list of objects in JSON"]) from None


def _type_of(one: Row) -> str:
    hint = str(one.get("_type_hint") or one.get("type") or "text")
    return "string" if hint == "date" else hint  # Looker says so of times as well


def _dynamic_fields(query: Mapping[str, Any]) -> dict[str, Row]:
    """The fields that a query itself defines, but those that are disabled, as metadata."""
    return {
        name: {
            "name": name,
            "type": _type_of(one),
            "label": one.get("label"),
            "category": kind,
            "dynamic": True,
            # Of a query with pivots: one value for the row, not one for each pivot.
            "is_of_row": one.get("_kind_hint") in ("dimension", "supermeasure"),
        }
        for name, kind, one in _dynamic(query)
        if not one.get("is_disabled")
    }


def _described(
    definition: Definition, query: Mapping[str, Any], zone: tzinfo, explore: Explore
) -> Result:
    known = explore.fields
    pivots = list(query.get("pivots") or [])
    fields = [name for name in query.get("fields") or [] if name not in pivots]
    # Looker lists custom fields among the fields; table calculations it appends by itself.
    fields += [
        name
        for name, one in known.items()
        if one.get("category") == "table_calculation" and name not in fields
    ]
    mistakes = [
        f"explore {query['model']}::{query['view']} has no field {name}"
        for name in dict.fromkeys([*fields, *pivots])
        if name not in known
    ]
    columns = []
    for name in fields:
        about = known.get(name, {})
        made = lookml.column(
            name,
            definition.types.get(name) or str(about.get("type")),
            description=_description(about),
            zone=zone,
        )
        is_of_row = about.get("category") not in ("measure", "table_calculation")
        if pivots and not (is_of_row or about.get("is_of_row")):
            made = replace(
                made,
                schema={**made.schema, "type": ["object", "null"]} | {"format": None},
                convert=_pivoted,
                passthrough_types=lookml.NOTHING,
            )
            made = replace(made, schema={k: v for k, v in made.schema.items() if v is not None})
        columns.append(made)
    mistakes += lookml.collisions(columns)
    mistakes += _untypable(definition, columns)
    dimensions = [name for name in fields if known.get(name, {}).get("category") == "dimension"]
    for option, names in (
        ("primary_keys", definition.keys or ()),
        ("replication_key", [definition.replication_key] if definition.replication_key else []),
    ):
        mistakes += [
            f"{option}: {name} is not among the fields" for name in names if name not in fields
        ]
    keys = definition.keys
    trusted = explore.trusted_key(query, dimensions)
    calculated = any(one.get("category") == "table_calculation" for one in known.values())
    kinds = {name: lookml.KINDS.get(str(known[name].get("type")), "text") for name in dimensions}
    order: dict[str, None] = {}
    # Rows are grouped by their dimensions: together these tell them apart, nulls and all.
    sorted_by = [*filter(None, [definition.replication_key]), *(keys or trusted or dimensions)]
    is_whole = calculated or of_all_rows(fields, known)
    if not pivots and not is_whole and all(name in kinds for name in sorted_by):
        order = dict.fromkeys(sorted_by)
    if definition.replication_key and definition.replication_key in fields:
        if not order:
            mistakes.append(
                "replication_key: needs a dimension, in a query without pivots, table calculations "
                "and running totals"
            )
        elif kinds[definition.replication_key] == "text" and not sorts_as_text(
            known[definition.replication_key]
        ):
            mistakes.append(
                f"replication_key: Looker does not sort {definition.replication_key} by its text"
            )
    if mistakes:
        raise DefinitionError(mistakes)
    return Result(
        query=query,
        columns=tuple(columns),
        keys=tuple(trusted if keys is None else keys),
        replication_key=definition.replication_key,
        order=tuple(
            lookml.Key(name, kinds[name], nullable=not known[name].get("primary_key"))
            for name in order
        ),
        calculated=calculated,
        metadata=lambda: known,
    )


def from_catalog(
    definition: Definition,
    query: Mapping[str, Any],
    zone: tzinfo,
    properties: Mapping[str, Any],
    key_properties: Sequence[str],
    explore: Callable[[], Explore],
) -> Result:
    """As :meth:`Resolver.result`, with columns from a catalog in place of metadata.

    Raises:
        DefinitionError: The query has other columns by now than the catalog.
    """
    pivots = list(query.get("pivots") or [])
    calculations = [
        name
        for name, one in _dynamic_fields(query).items()
        if one["category"] == "table_calculation"
    ]
    fields = list(
        dict.fromkeys([*(f for f in query.get("fields") or [] if f not in pivots), *calculations])
    )
    names = {lookml.column_name(name): name for name in fields}
    if names.keys() != properties.keys():
        changed = ", ".join(sorted(names.keys() ^ properties.keys()))
        raise DefinitionError(
            [
                f"its columns are no longer those of the catalog ({changed}): regenerate the "
                f"catalog with --discover, or run Meltano with --refresh-catalog"
            ]
        )
    columns: list[lookml.Column] = []
    for column, name in names.items():
        made = lookml.column_of_schema(name, properties[column], zone)
        if "object" in properties[column].get("type", []):
            made = replace(made, convert=_pivoted, passthrough_types=lookml.NOTHING)
        columns.append(made)
    if mistakes := _untypable(definition, columns):
        raise DefinitionError(mistakes)
    keys = [names[key] for key in key_properties if key in names]
    kinds = {one.field: lookml.kind_of_schema(one.schema) for one in columns}
    order: dict[str, None] = {}
    is_whole = calculations or any(
        SAYS_OF_ALL_ROWS in str(of.get("description")) for of in properties.values()
    )
    if not pivots and not is_whole:
        first = [definition.replication_key] if definition.replication_key else []
        order = dict.fromkeys([*first, *(keys or _grouped_by(fields, explore))])
    # Looker sorts and compares by the type of LookML, whatever a column is declared to be.
    for name in definition.types.keys() & order.keys():
        kinds[name] = lookml.KINDS.get(str(explore().fields.get(name, {}).get("type")), "text")
    return Result(
        query=query,
        columns=tuple(columns),
        keys=tuple(keys),
        replication_key=definition.replication_key,
        order=tuple(lookml.Key(name, kinds[name]) for name in order if name in kinds),
        calculated=bool(calculations),
        metadata=lambda: explore().fields,
    )


def _grouped_by(fields: Sequence[str], explore: Callable[[], Explore]) -> list[str]:
    """The dimensions of a result without a key, which only metadata tells from its measures."""
    try:
        known = explore().fields
    except RequestError:
        return []
    return [name for name in fields if known.get(name, {}).get("category") == "dimension"]


def _description(about: Mapping[str, Any]) -> str:
    parts = [about.get("label"), SAYS_OF_ALL_ROWS if about.get("type") in OF_ALL_ROWS else None]
    return " ".join(str(part) for part in parts if part)


def _untypable(definition: Definition, columns: Sequence[lookml.Column]) -> list[str]:
    """What is wrong with the types of a definition, given the columns it has."""
    by_field = {one.field: one for one in columns}
    return [
        f"types: {name} is not among the fields"
        if name not in by_field
        else f"types: {name} is pivoted, and so an object"
        for name in definition.types
        if name not in by_field or "object" in by_field[name].schema["type"]
    ]


def _pivoted(value: Any) -> Any:
    if isinstance(value, dict):
        return data_cells(value)
    raise MisfitError


def of_all_rows(fields: Iterable[str], known: Mapping[str, Row]) -> list[str]:
    """The measures among some fields whose values depend on the other rows of the result."""
    return [name for name in fields if known.get(name, {}).get("type") in OF_ALL_ROWS]


def check_continued(result: Result, query: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    """Check that a result may be read in several pieces, before another is.

    Args:
        result: Of the query.
        query: As it begins.
        body: As it is to run now: with other filters, it goes on.

    Raises:
        CutResultError: Its values depend on all of its rows.
    """
    if all(body.get(name) == query.get(name) for name in ("filters", "filter_expression")):
        return
    key = {part.field for part in result.order}
    numbers = [
        one.field
        for one in result.columns
        if one.field not in key and "number" in one.schema.get("type", ())
    ]
    # Only these can be such measures: for others, metadata is not asked for.
    if numbers and (measures := of_all_rows(numbers, result.metadata())):
        raise cut_of_all_rows(measures)


def cut_of_all_rows(measures: Sequence[str]) -> CutResultError:
    """Why a result with such measures cannot be read on."""
    return CutResultError(
        "The result may have been cut short and cannot be continued: Looker computes "
        f"{', '.join(measures)} over all of its rows. Set limit to the maximum number of rows it "
        "can have."
    )


def said_of_all_rows(result: Result) -> list[str]:
    """The measures of which the columns say that they depend on the other rows."""
    return [
        one.field
        for one in result.columns
        if SAYS_OF_ALL_ROWS in str(one.schema.get("description"))
    ]


def data_cells(value: dict[str, Any]) -> dict[str, Any]:
    """The cells of a pivoted field without totals of their row."""
    return {
        key: data_cells(cell) if isinstance(cell, dict) else cell
        for key, cell in value.items()
        if key != ROW_TOTAL
    }


def without_missing(
    run: Callable[[Sequence[str]], Iterator[Row]],
    fields: Sequence[str],
    metadata: Metadata,
    misfits: Misfits,
) -> Iterator[Row]:
    """The rows of a query; where it is refused, without the fields that its explore lacks.

    Args:
        run: Runs the query for some fields.
        fields: Those that are wanted.
        metadata: Asks for the fields that there are, by name.
        misfits: Takes note of those that there are not.

    Raises:
        RequestError: It is refused for another reason, or lacks what it cannot do without.
    """
    came = False
    try:
        with closed_at_end(run(fields)) as rows:
            for first in rows:
                came = True
                yield first
                yield from rows
    except RequestError as error:
        if came or error.status not in REFUSED:
            raise
        try:
            known = metadata()
        except RequestError:
            raise error from None
        missing = [field for field in fields if field not in known]
        if not missing or len(missing) == len(fields) or misfits.needed.intersection(missing):
            raise
        for field in missing:
            misfits.add_absent(field)
        yield from run([field for field in fields if field in known])
