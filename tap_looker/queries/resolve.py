"""What a look or a query will return, found out before it is run.

Resolving a definition finds the query behind it and, from the explore's metadata, the column of
each field.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from tap_looker.errors import BadResponseError, RequestError
from tap_looker.looker.response import segment
from tap_looker.queries import columns as lookml
from tap_looker.queries.definitions import DefinitionError, zone_named
from tap_looker.queries.keyset import sorts_as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import tzinfo

    from tap_looker.looker.client import LookerClient
    from tap_looker.looker.response import Row
    from tap_looker.queries.definitions import Definition
    from tap_looker.queries.keyset import Metadata

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


@dataclass(frozen=True)
class Result:
    """A query that can be run, and the columns of its records.

    Attributes:
        query: Its body, without sorts, limit and bounds.
        columns: In the order of its fields.
        keys: Fields of the primary key; none where rows have no identity.
        replication_key: Field of the bookmark, or "".
        order: What its rows can be sorted by and continued from, if ``keyset.check_order`` agrees;
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
        self._fields: Callable[[str, str], dict[str, Row]] = lru_cache(maxsize=None)(
            lambda model, explore: explore_fields(client, model, explore)
        )

    def result(self, definition: Definition) -> Result:
        """What a definition will return.

        Raises:
            DefinitionError: It names what the instance does not have.
            LoginError: Looker cannot be reached.
        """
        query, zone = self.query(definition)
        try:
            known = self.metadata(query)
        except RequestError as error:
            raise DefinitionError(
                [f"no explore {query['model']}::{query['view']}: {error.message.rstrip('.')}"]
            ) from error
        return _described(definition, query, zone, known)

    def metadata(self, query: Mapping[str, Any]) -> dict[str, Row]:
        """The fields of a query's explore and those that the query itself defines, by name.

        Raises:
            RequestError: There is no such explore, or the key may not see it.
        """
        return {**self._fields(query["model"], query["view"]), **_dynamic_fields(query)}

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
        zone = definition.zone or str(saved.get("query_timezone") or "UTC")
        try:
            resolved = zone_named(zone)
        except DefinitionError:
            zone, resolved = "UTC", UTC  # as "user_timezone": one that cannot be known
        return {**_body(saved), "query_timezone": zone}, resolved

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
    listed = _dynamic(saved)
    disabled = {name for name, _, one in listed if one.get("is_disabled")}
    body = {name: saved[name] for name in SENT if saved.get(name)}
    body["fields"] = [
        name for name in dict.fromkeys(saved.get("fields") or []) if name not in disabled
    ]
    if "sorts" in body:
        sorts = [str(sort) for sort in body["sorts"] if sort]
        body["sorts"] = [sort for sort in sorts if sort.split()[0] not in disabled]
    if any(kind == "table_calculation" and name not in disabled for name, kind, _ in listed):
        body |= {name: saved[name] for name in SENT_WITH_CALCULATIONS if saved.get(name)}
        expressions = " ".join(str(one.get("expression")) for _, _, one in listed)
        for reference, (name, turned_on) in REFERENCES.items():
            if reference in expressions and saved.get(name, turned_on):
                body[name] = saved.get(name, turned_on)
    return body


def _dynamic(query: Mapping[str, Any]) -> list[tuple[str, str, Row]]:
    """The custom fields and table calculations of a query: name, kind, and all that is said of it.

    ``dynamic_fields`` is a JSON text in a string: a list of objects that name themselves in
    ``table_calculation``, ``dimension`` or ``measure``.

    Raises:
        DefinitionError: It is something else.
    """
    text = query.get("dynamic_fields") or "[]"
    try:
        listed = msgspec.json.decode(text, type=list[dict[str, Any]])
    except (msgspec.DecodeError, TypeError, RecursionError):
        raise DefinitionError(["its dynamic_fields are not a list of objects in JSON"]) from None
    found = []
    for one in listed:
        for kind in ("table_calculation", "dimension", "measure"):
            if isinstance(one.get(kind), str):
                found.append((one[kind], kind, one))
                break
    return found


def _dynamic_fields(query: Mapping[str, Any]) -> dict[str, Row]:
    """The fields that a query itself defines, but those that are disabled, as metadata."""
    return {
        name: {
            "name": name,
            "type": one.get("_type_hint") or one.get("type") or "text",
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
    definition: Definition, query: Mapping[str, Any], zone: tzinfo, known: Mapping[str, Row]
) -> Result:
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
            description=str(about.get("label") or ""),
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
        ("primary_keys", definition.keys),
        ("replication_key", [definition.replication_key] if definition.replication_key else []),
    ):
        mistakes += [
            f"{option}: {name} is not among the fields" for name in names if name not in fields
        ]
    # The key of a joined view says nothing of how often it comes.
    own = [
        name
        for name in dimensions
        if known[name].get("primary_key") and name.partition(".")[0] == query["view"]
    ]
    keys = definition.keys or tuple(own or ([] if pivots else dimensions))
    calculated = any(one.get("category") == "table_calculation" for one in known.values())
    kinds = {name: lookml.KINDS.get(str(known[name].get("type")), "text") for name in dimensions}
    order: dict[str, None] = {}
    if not pivots and not calculated and keys and all(key in kinds for key in keys):
        sorted_by = [definition.replication_key, *keys] if definition.replication_key else keys
        order = dict.fromkeys(sorted_by if all(name in kinds for name in sorted_by) else ())
    if definition.replication_key and definition.replication_key in fields:
        if not order:
            mistakes.append(
                "replication_key: needs a dimension, in a query without pivots and table "
                "calculations"
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
        keys=tuple(keys),
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
    metadata: Metadata,
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
    order: dict[str, None] = {}
    if keys and not pivots and not calculations:
        first = [definition.replication_key] if definition.replication_key else []
        order = dict.fromkeys([*first, *keys])
    kinds = {one.field: lookml.kind_of_schema(one.schema) for one in columns}
    # Looker sorts and compares by the type of LookML, whatever a column is declared to be.
    for name in definition.types.keys() & order.keys():
        kinds[name] = lookml.KINDS.get(str(metadata().get(name, {}).get("type")), "text")
    return Result(
        query=query,
        columns=tuple(columns),
        keys=tuple(keys),
        replication_key=definition.replication_key,
        order=tuple(lookml.Key(name, kinds[name]) for name in order if name in kinds),
        calculated=bool(calculations),
        metadata=metadata,
    )


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
    raise lookml.MisfitError


def data_cells(value: dict[str, Any]) -> dict[str, Any]:
    """The cells of a pivoted field without totals of their row."""
    return {
        key: data_cells(cell) if isinstance(cell, dict) else cell
        for key, cell in value.items()
        if key != ROW_TOTAL
    }


def explore_fields(client: LookerClient, model: str, explore: str) -> dict[str, Row]:
    """The fields of an explore by name, as its metadata has them (``LookmlModelExploreField``).

    Raises:
        RequestError: There is no such explore, or the key may not see it.
    """
    path = f"/lookml_models/{segment(model)}/explores/{segment(explore)}"
    data = client.get(path, {"fields": "fields"}).data
    sets = data.get("fields") if isinstance(data, dict) else None
    if not isinstance(sets, dict):
        raise BadResponseError(f"GET {path}: the answer has no fields.")
    return {
        field["name"]: field
        for kind in ("dimensions", "measures")
        for field in sets.get(kind) or []
        if isinstance(field, dict) and "name" in field
    }
