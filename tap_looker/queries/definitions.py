"""The looks, queries and explores that the settings ask for, checked without asking Looker.

Each option is said once, in a struct: its type is what is accepted, and from it come the schema of
the setting, ``--about`` and the tables of the documentation.
"""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args, get_type_hints

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tap_looker.queries.filters import expression

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import tzinfo

UNLIMITED = -1
DYNAMIC_FIELDS = "a list of objects, or such a list as JSON text"
LIMIT = "a number of rows (without quotes), or -1 for all"

Names = Annotated[
    tuple[Annotated[str, Meta(min_length=1)], ...], Meta(extra={"must": "a list of field names"})
]
"""Fields in LookML. What ``must`` says completes the sentence that an option must be …"""
Text = Annotated[str, Meta(extra={"must": "text"})]
Type = Literal["string", "number", "integer", "boolean", "date", "time"]
Types = Annotated[
    dict[str, Type],
    Meta(
        description=f"Types of fields that differ from LookML's: {', '.join(get_args(Type))}.",
        extra={"must": "an object of field names and types"},
    ),
]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What looks and queries have in common."""

    name: Annotated[
        Text,
        Meta(description="Name of the stream. Default for a look: `look_` and its id."),
    ] = ""
    primary_keys: Annotated[
        Names | UnsetType,
        Meta(
            description="Fields that make a row unique and are never null; [] for none. Default: "
            "the primary key of the explore's base view, if it is among the fields and no join "
            "repeats it; else none, and the log says so.",
            extra={"must": "a list of field names"},
        ),
    ] = UNSET
    replication_key: Annotated[
        str | None,
        Meta(
            description="A dimension to resume from in the next run, such as a time or an "
            "ascending id.",
            extra={"must": "the name of a field"},
        ),
    ] = None
    timezone: Annotated[
        str,
        Meta(
            description="Time zone to run the query in, such as `Europe/Berlin`. Default: that of "
            "the saved query, or UTC.",
            extra={"must": "the name of a time zone, such as Europe/Berlin"},
        ),
    ] = ""
    limit: Annotated[
        int,
        Meta(
            ge=UNLIMITED,
            description="Maximum number of rows. Default: -1, all; with table calculations, the "
            "limit of the saved query. A result that reaches its limit is reported in the log.",
            extra={"must": LIMIT},
        ),
    ] = UNLIMITED
    run: Annotated[
        Literal["stream", "task"],
        Meta(
            description="`stream` reads the rows as they arrive; `task` lets Looker run a long "
            "query in the background.",
            extra={"must": "stream or task"},
        ),
    ] = "stream"
    types: Types = {}


class LookOptions(Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry of ``looks``."""

    id: Annotated[
        str | int,
        Meta(
            description="Id of the look.",
            extra={"must": "the id of a look: text or a whole number"},
        ),
    ]


class QueryOptions(Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry of ``queries``."""

    query: Annotated[
        str | int,
        Meta(
            description="Slug of a saved query. Without it, model, explore and fields are needed.",
            extra={"must": "the slug of a saved query"},
        ),
    ] = ""
    model: Annotated[Text, Meta(description="LookML model.")] = ""
    explore: Annotated[Text, Meta(description="Explore of the model.")] = ""
    fields: Annotated[Names, Meta(description="Fields to read.")] = ()
    filters: Annotated[
        dict[str, Any],
        Meta(
            description="Filters by field: an expression, a number, true or false, or a list of "
            "values, any of which may match.",
            extra={"must": "an object of field names and filters"},
            extra_json_schema={
                "additionalProperties": {
                    "type": ["string", "number", "boolean", "array"],
                    "items": {"type": ["string", "number", "boolean"], "minLength": 1},
                    "minItems": 1,
                }
            },
        ),
    ] = {}
    filter_expression: Annotated[
        Text, Meta(description="A custom filter, in Looker's expression language.")
    ] = ""
    sorts: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        Meta(
            description="Fields to sort by, each followed by ` desc` for descending order.",
            extra={"must": 'a list of field names, like ["orders.id desc"]'},
        ),
    ] = ()
    pivots: Annotated[
        Names, Meta(description="Fields to pivot by, which must be among the fields.")
    ] = ()
    column_limit: Annotated[
        int,
        Meta(
            ge=1,
            description="Maximum number of pivot values. Default: Looker's, 50. Reaching it is "
            "reported in the log.",
            extra={"must": "a whole number, 1 or more (without quotes)"},
        ),
    ] = 0
    dynamic_fields: Annotated[
        list[dict[str, Any]] | str,
        Meta(
            description="Custom fields and table calculations as in Looker's API: a list of "
            "objects, or the same as JSON text.",
            extra={"must": DYNAMIC_FIELDS},
        ),
    ] = ""


class ActivityOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry of ``system_activity``."""

    explore: Annotated[Text, Meta(description="Explore of `system__activity`.")]
    fields: Annotated[
        Names,
        Meta(
            description='Fields to read. `"*"` stands for every dimension that does not repeat '
            "rows; of each time, the finest timeframe."
        ),
    ]
    name: Annotated[
        Text,
        Meta(
            description="Name of the stream. Default: the name of the built-in stream of this "
            "explore, which it replaces, or `system_activity_` and the explore."
        ),
    ] = ""
    primary_keys: Annotated[
        Names,
        Meta(
            description="Fields that make a row unique. Required unless it replaces a built-in "
            "stream."
        ),
    ] = ()
    replication_key: Annotated[
        str | UnsetType | None,
        Meta(
            description="An ascending number that is the whole key, or a time. Without it, the "
            "stream is read in full.",
            extra={"must": "the name of a field"},
        ),
    ] = UNSET
    types: Types = {}


SETTINGS: dict[str, type[msgspec.Struct]] = {
    "looks": LookOptions,
    "queries": QueryOptions,
    "system_activity": ActivityOptions,
}
"""The settings that are lists of entries."""
_ENCODER = msgspec.json.Encoder(decimal_format="number")
Entry = TypeVar("Entry", bound=msgspec.Struct)


class DefinitionError(ValueError):
    """A definition is wrong; one line for each mistake in it."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True)
class Definition:
    """A look or a query of the settings.

    Attributes:
        where: Its place in them: ``looks[0]``.
        name: Of its stream.
        look: Id of a look; or ""
        slug: Id of a saved query; or ""
        query: Body of a query, where it is given in full.
        keys: As given, in LookML names; () for none, None to have them found out.
        replication_key: As given, or "".
        zone: Time zone the query runs in; "" for that of the saved query, else UTC.
        limit: Most rows; -1 for all.
        run: ``stream`` or ``task``.
        types: Of fields whose type is not that of LookML, in words that LookML has too.
    """

    where: str
    name: str
    look: str = ""
    slug: str = ""
    query: Mapping[str, Any] = field(default_factory=dict)
    keys: tuple[str, ...] | None = None
    replication_key: str = ""
    zone: str = ""
    limit: int = UNLIMITED
    run: str = "stream"
    types: Mapping[str, str] = field(default_factory=dict)


def schema(setting: str) -> dict[str, Any]:
    """The JSON Schema of an entry of a setting."""
    kind = SETTINGS[setting]
    _, components = msgspec.json.schema_components((kind,))
    made: dict[str, Any] = components[kind.__name__]
    own = [name for name in made["properties"] if name in kind.__annotations__]
    return {
        "type": ["integer", "string", "object"] if setting == "looks" else "object",
        "properties": {
            name: _plain(made["properties"][name])
            for name in dict.fromkeys([*own, *made["properties"]])
        },
        "required": made["required"] if setting != "queries" else ["name"],
        "additionalProperties": False,
    }


def _plain(option: dict[str, Any]) -> dict[str, Any]:
    """An option's schema without defaults that say nothing, and with a type that forms can show."""
    made = {name: value for name, value in option.items() if name != "default" or value}
    if either := made.pop("anyOf", []):
        types = [one.pop("type") for one in either]
        made |= {name: value for one in either for name, value in one.items()} | {"type": types}
    return {"type": "string", **made} if "enum" in made else made


def read(kind: type[Entry], entry: Any) -> Entry:
    """An entry with its options.

    Raises:
        DefinitionError: All that is wrong with them.
    """
    if kind is LookOptions and isinstance(entry, (int, str)) and not isinstance(entry, bool):
        entry = {"id": entry}
    if not isinstance(entry, dict):
        either = "the id of a look, or " if kind is LookOptions else ""
        raise DefinitionError([f"must be {either}an object"])
    # Null is how Meltano says "not set".
    given = {
        name: value
        for name, value in entry.items()
        if value is not None or name == "replication_key"
    }
    mistakes: list[str] = []
    try:
        made = msgspec.convert(given, kind)
    except msgspec.ValidationError:  # which stops at the first mistake, and speaks of types
        mistakes += _unfit(kind, given)
    mistakes += [*_not_said_by_types(given), *_missing(kind, given)]
    if mistakes:
        raise DefinitionError(mistakes)
    return made


def _unfit(kind: type[msgspec.Struct], given: Mapping[str, Any]) -> Iterator[str]:
    options = get_type_hints(kind, include_extras=True)
    for name in sorted(given.keys() - options.keys()):
        yield f"there is no option {name} (known: {', '.join(sorted(options))})"
    for name, of in options.items():
        if name == "types" and isinstance(given.get(name), dict):
            yield from (
                f"types: {field} must be one of {', '.join(get_args(Type))}"
                for field, kind in given[name].items()
                if kind not in get_args(Type)
            )
            continue
        try:
            msgspec.convert(given.get(name), of | None)
        except msgspec.ValidationError:
            (must,) = (one.extra["must"] for one in of.__metadata__ if one.extra)
            yield f"{name} must be {must}"


def _not_said_by_types(given: Mapping[str, Any]) -> Iterator[str]:
    if type(given.get("limit")) is int and given["limit"] == 0:
        yield f"limit must be {LIMIT}"
    if given.get("timezone") and isinstance(given["timezone"], str):
        try:
            zone_named(given["timezone"])
        except DefinitionError as error:
            yield from error.mistakes
    if isinstance(given.get("filters"), dict):
        for name, value in given["filters"].items():
            try:
                expression(value)
            except ValueError as error:
                yield f"filters: {name} {error}"
    if given.get("replication_key") in list(given.get("types") or {}):
        yield f"types: {given['replication_key']} is the replication_key, which keeps its type"
    if isinstance(text := given.get("dynamic_fields"), str) and text:
        try:
            msgspec.json.decode(text, type=list[dict[str, Any]])
        except (msgspec.DecodeError, RecursionError):
            yield f"dynamic_fields must be {DYNAMIC_FIELDS}"


def _missing(kind: type[msgspec.Struct], given: Mapping[str, Any]) -> Iterator[str]:
    if kind is LookOptions:
        if given.get("id") in (None, ""):
            yield "needs the id of a look"
    elif kind is ActivityOptions:
        if not given.get("explore"):
            yield "needs an explore"
        if not given.get("fields"):
            yield "needs fields, a list of field names"
    else:
        if not given.get("name"):
            yield "needs a name for its stream"
        own = [name for name in QueryOptions.__annotations__ if name != "query" and given.get(name)]
        if given.get("query") and own:
            yield f"query stands for a whole saved query: remove {', '.join(own)}"
        lacking = [name for name in ("model", "explore", "fields") if not given.get(name)]
        if lacking and not given.get("query"):
            yield f"needs {', '.join(lacking)}, or query, the slug of a saved query"


@dataclass(frozen=True)
class Entries:
    """What the settings ask for: looks and queries, and explores of System Activity by place."""

    results: tuple[Definition, ...] = ()
    activities: Mapping[str, ActivityOptions] = field(default_factory=dict)


def entries(config: Mapping[str, Any]) -> tuple[Entries, list[str]]:
    """The entries of the settings, and what is wrong with the others, one line each."""
    results: list[Definition] = []
    activities: dict[str, ActivityOptions] = {}
    mistakes: list[str] = []
    for setting in SETTINGS:
        for position, entry in enumerate(config.get(setting) or []):
            where = f"{setting}[{position}]"
            try:
                if setting == "looks":
                    results.append(_look(where, read(LookOptions, entry)))
                elif setting == "queries":
                    results.append(_query(where, read(QueryOptions, entry)))
                else:
                    activities[where] = read(ActivityOptions, entry)
            except DefinitionError as error:
                mistakes += [f"Setting {where}: {mistake}." for mistake in error.mistakes]
    return Entries(tuple(results), activities), mistakes


def _look(where: str, options: LookOptions) -> Definition:
    look = str(options.id).strip()
    return _definition(where, options, look=look, name=options.name or f"look_{look}")


def _query(where: str, options: QueryOptions) -> Definition:
    slug = str(options.query).strip()
    if slug:
        return _definition(where, options, slug=slug, name=options.name)
    given = options.dynamic_fields
    query = {
        "model": options.model,
        "view": options.explore,
        "fields": options.fields,
        "pivots": options.pivots,
        "filters": {name: expression(value) for name, value in options.filters.items()},
        "filter_expression": options.filter_expression,
        "sorts": options.sorts,
        "column_limit": str(options.column_limit or ""),
        "dynamic_fields": given if isinstance(given, str) else _ENCODER.encode(given).decode(),
    }
    body = {name: value for name, value in query.items() if value}
    return _definition(where, options, query=body, name=options.name)


def _definition(where: str, options: Options, **of: Any) -> Definition:
    return Definition(
        where=where,
        keys=None if options.primary_keys is UNSET else tuple(dict.fromkeys(options.primary_keys)),
        replication_key=options.replication_key or "",
        zone=options.timezone,
        limit=options.limit,
        run=options.run,
        types=options.types,
        **of,
    )


def zone_named(name: str) -> tzinfo:
    """A time zone by its IANA name.

    Raises:
        DefinitionError: There is none.
    """
    if name.upper() == "UTC":
        return UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise DefinitionError([f"there is no time zone {name}"]) from None


def duplicates(names: Iterable[tuple[str, str]]) -> list[str]:
    """What is wrong where two streams would share a name: pairs of name and place."""
    first: dict[str, str] = {}
    mistakes = []
    for name, where in names:
        if name in first:
            mistakes.append(f"Setting {where}: there is a stream {name} already ({first[name]}).")
        first.setdefault(name, where)
    return mistakes
