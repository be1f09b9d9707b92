"""What a look, a saved query or a query of the user's own will return, before it is run.

Knows nothing of Singer. A definition is an entry of the settings ``looks`` or ``queries``;
resolving it finds the query behind it and, from the explore's metadata, the column of each of its
fields.
"""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass, field, replace
from datetime import timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from tap_looker import rows
from tap_looker.client import segment
from tap_looker.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from tap_looker.client import LookerClient, Row

QUERY = ("model", "view", "fields", "pivots", "filters", "filter_expression", "sorts",
         "dynamic_fields", "column_limit")  # fmt: skip
"""What of a saved query makes its rows (component Query); totals and looks of it do not."""
OPTIONS = frozenset({"name", "primary_keys", "replication_key", "timezone", "limit", "run"})
KNOWN = {
    "looks": OPTIONS | {"id"},
    "queries": OPTIONS
    | {"query", "explore", "model", "fields", "filters", "filter_expression", "sorts"}
    | {"pivots", "dynamic_fields"},
}
UNLIMITED = -1


class DefinitionError(ValueError):
    """A definition is wrong; one line for each mistake in it."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True)
class Definition:
    """An entry of the settings.

    Attributes:
        where: Its place in them: ``looks[0]``.
        name: Of its stream.
        look: Id of a look; or ""
        slug: Id of a saved query; or ""
        query: Body of a query, where it is given in full.
        keys, replication_key: As given, in LookML names.
        zone: Time zone the query runs in; "" for that of the saved query, else UTC.
        limit: Most rows; -1 for all.
        run: ``stream`` or ``task``.
    """

    where: str
    name: str
    look: str = ""
    slug: str = ""
    query: Mapping[str, Any] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    replication_key: str = ""
    zone: str = ""
    limit: int = UNLIMITED
    run: str = "stream"


@dataclass(frozen=True)
class Result:
    """A query that can be run, and the columns of its records.

    Attributes:
        query: Its body, without sorts, limit and bounds.
        columns: In the order of its fields.
        keys: Fields of the primary key; none where rows have no identity.
        replication_key: Field of the bookmark, or "".
        order: What its rows can be sorted by and read on from, if :func:`rows.check_order` agrees;
            empty where they cannot.
        calculated: It has table calculations, which Looker does after all rows are there.
        metadata: Asks for the metadata of its fields, by name.
    """

    query: Mapping[str, Any]
    columns: tuple[rows.Column, ...]
    keys: tuple[str, ...]
    replication_key: str = ""
    order: tuple[rows.Key, ...] = ()
    calculated: bool = False
    metadata: Callable[[], Mapping[str, Row]] = dict


def definitions(config: Mapping[str, Any]) -> tuple[list[Definition], list[str]]:
    """The entries of the settings, and what is wrong with the others."""
    found: list[Definition] = []
    mistakes: list[str] = []
    for setting in ("looks", "queries"):
        for position, entry in enumerate(config.get(setting) or []):
            where = f"{setting}[{position}]"
            try:
                found.append(_definition(setting, where, entry))
            except DefinitionError as error:
                mistakes += [f"Setting {where}: {mistake}." for mistake in error.mistakes]
    return found, mistakes


def _definition(setting: str, where: str, entry: Any) -> Definition:
    if setting == "looks" and isinstance(entry, (int, str)) and not isinstance(entry, bool):
        entry = {"id": entry}
    if not isinstance(entry, dict):
        raise DefinitionError(["must be an object"])
    mistakes = [
        f"there is no option {option} (known: {', '.join(sorted(KNOWN[setting]))})"
        for option in sorted(entry.keys() - KNOWN[setting])
    ]
    mistakes += [
        f"{option} must be a list of field names"
        for option in ("fields", "primary_keys", "sorts", "pivots")
        if not _is_list_of_text(entry.get(option) or [])
    ]
    if entry.get("run", "stream") not in ("stream", "task"):
        mistakes.append("run must be stream or task")
    limit = entry.get("limit", UNLIMITED)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < UNLIMITED or limit == 0:
        mistakes.append("limit must be a number of rows, or -1 for all")
    if not isinstance(entry.get("filters") or {}, dict):
        mistakes.append("filters must be an object of field names and filter expressions")
    if entry.get("timezone"):
        try:
            zone_named(entry["timezone"])
        except DefinitionError as error:
            mistakes += error.mistakes
    mistakes += _missing(setting, entry)
    if mistakes:
        raise DefinitionError(mistakes)
    query: dict[str, Any] = {}
    if setting == "queries" and "query" not in entry:
        query = {name: entry[name] for name in QUERY if entry.get(name) is not None}
        query["view"] = entry["explore"]
        query["filters"] = {
            name: str(value) for name, value in (entry.get("filters") or {}).items()
        }
    look = str(entry["id"]).strip() if setting == "looks" else ""
    return Definition(
        where=where,
        name=str(entry.get("name") or f"look_{look}"),
        look=look,
        slug=str(entry.get("query") or "").strip(),
        query=query,
        keys=tuple(entry.get("primary_keys") or ()),
        replication_key=str(entry.get("replication_key") or ""),
        zone=str(entry.get("timezone") or ""),
        limit=limit,
        run=str(entry.get("run", "stream")),
    )


def _missing(setting: str, entry: Mapping[str, Any]) -> Iterator[str]:
    if setting == "looks":
        if entry.get("id") in (None, ""):
            yield "needs the id of a look"
        return
    if not entry.get("name"):
        yield "needs a name for its stream"
    if not entry.get("query"):
        lacking = [name for name in ("model", "explore", "fields") if not entry.get(name)]
        if lacking:
            yield f"needs {', '.join(lacking)}, or the slug of a saved query in its place (query)"


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def zone_named(name: str) -> tzinfo:
    """A time zone by its IANA name.

    Raises:
        DefinitionError: There is none.
    """
    if name.upper() == "UTC":
        return timezone.utc
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise DefinitionError([f"there is no time zone {name}"]) from None


class Resolver:
    """Finds queries and metadata, each asked for once however many definitions need it."""

    def __init__(self, client: LookerClient) -> None:
        self._client = client
        self._fields: Callable[[str, str], dict[str, Row]] = lru_cache(maxsize=None)(
            lambda model, explore: rows.explore_fields(client, model, explore)
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
            zone, resolved = "UTC", timezone.utc  # as "user_timezone": one that cannot be known
        query = {name: saved[name] for name in QUERY if saved.get(name)}
        return {**query, "query_timezone": zone}, resolved

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
            raise RequestError("Looker's answer holds no query", 200)
        return query

    def _query(self, slug: str) -> Mapping[str, Any]:
        query = self._client.get(f"/queries/{segment(slug)}", activity="db_query").data
        if not isinstance(query, dict) or not query.get("model") or not query.get("view"):
            raise RequestError("Looker's answer holds no query", 200)
        return query


def _dynamic_fields(query: Mapping[str, Any]) -> dict[str, Row]:
    """Custom fields and table calculations of a query, as metadata of fields.

    ``dynamic_fields`` is a JSON text in a string: a list of objects that name themselves in
    ``table_calculation``, ``dimension`` or ``measure``.
    """
    text = query.get("dynamic_fields")
    try:
        listed = msgspec.json.decode(text) if isinstance(text, str) else text
    except msgspec.DecodeError:
        listed = []
    fields: dict[str, Row] = {}
    for one in listed if isinstance(listed, list) else []:
        for category in ("table_calculation", "dimension", "measure"):
            if isinstance(one, dict) and isinstance(one.get(category), str):
                hint = one.get("_type_hint") or one.get("type") or "text"
                fields[one[category]] = {
                    "name": one[category],
                    "type": hint,
                    "label": one.get("label"),
                    "category": category,
                    "dynamic": True,
                }
                break
    return fields


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
        made = rows.column(
            name,
            str(about.get("type")),
            description=str(about.get("label") or ""),
            zone=zone,
        )
        if pivots and about.get("category") in ("measure", "table_calculation"):
            made = replace(
                made,
                schema={**made.schema, "type": ["object", "null"]} | {"format": None},
                convert=_pivoted,
                as_they_are=rows.NOTHING,
            )
            made = replace(made, schema={k: v for k, v in made.schema.items() if v is not None})
        columns.append(made)
    mistakes += rows.collisions(columns)
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
    kinds = {name: rows.KINDS.get(str(known[name].get("type")), "text") for name in dimensions}
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
        elif kinds[definition.replication_key] == "text" and not rows.sorts_as_text(
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
        order=tuple(rows.Key(name, kinds[name]) for name in order),
        calculated=calculated,
        metadata=lambda: known,
    )


def catalogued(
    definition: Definition,
    query: Mapping[str, Any],
    zone: tzinfo,
    properties: Mapping[str, Any],
    key_properties: Sequence[str],
    metadata: Callable[[], Mapping[str, Row]],
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
    names = {rows.column_name(name): name for name in fields}
    if names.keys() != properties.keys():
        changed = ", ".join(sorted(names.keys() ^ properties.keys()))
        raise DefinitionError(
            [
                f"its columns are no longer those of the catalog ({changed}): make the catalog "
                f"anew with --discover, or run Meltano with --refresh-catalog"
            ]
        )
    columns = []
    for column, name in names.items():
        made = rows.column_of_schema(name, properties[column], zone)
        if "object" in properties[column].get("type", []):
            made = replace(made, convert=_pivoted, as_they_are=rows.NOTHING)
        columns.append(made)
    keys = [names[key] for key in key_properties if key in names]
    order: dict[str, None] = {}
    if keys and not pivots and not calculations:
        first = [definition.replication_key] if definition.replication_key else []
        order = dict.fromkeys([*first, *keys])
    kinds = {one.field: rows.kind_of_schema(one.schema) for one in columns}
    return Result(
        query=query,
        columns=tuple(columns),
        keys=tuple(keys),
        replication_key=definition.replication_key,
        order=tuple(rows.Key(name, kinds[name]) for name in order if name in kinds),
        calculated=bool(calculations),
        metadata=metadata,
    )


def _pivoted(value: Any) -> Any:
    if isinstance(value, dict):
        return value
    raise rows.MisfitError


def duplicates(names: Iterable[tuple[str, str]]) -> list[str]:
    """What is wrong where two streams would share a name: pairs of name and place."""
    first: dict[str, str] = {}
    mistakes = []
    for name, where in names:
        if name in first:
            mistakes.append(f"Setting {where}: there is a stream {name} already ({first[name]}).")
        first.setdefault(name, where)
    return mistakes
