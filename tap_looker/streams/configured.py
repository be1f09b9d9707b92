"""The streams that settings add: ``looks``, ``queries`` and ``system_activity``.

What is wrong with an entry by itself is a wrong setting. What only an instance can tell, such as a
look that is not there, is found at discovery, all of it at once; in a run it fails its own stream.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from tap_looker.errors import LookerError, RequestError
from tap_looker.queries.activities import (
    ACTIVITIES,
    MODEL,
    PREFIX,
    QUERY_FIELDS,
    Activity,
    is_rest_id,
)
from tap_looker.queries.columns import KINDS, collisions, column, column_name, kind_of_schema
from tap_looker.queries.definitions import DefinitionError, Entries, duplicates, entries
from tap_looker.queries.explores import read_explore
from tap_looker.queries.resolve import Resolver
from tap_looker.resources.table import RESOURCES
from tap_looker.streams.base import LookerStream
from tap_looker.streams.query import QueryStream
from tap_looker.streams.system_activity import SystemActivityStream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from singer_sdk import Tap
    from singer_sdk.singerlib import CatalogEntry

    from tap_looker.looker.client import LookerClient
    from tap_looker.looker.response import Row
    from tap_looker.queries.definitions import ActivityOptions
    from tap_looker.resources.extraction import Extraction
    from tap_looker.run import Run

BY_KIND = {
    "integer": "integers",
    "id": "ids",
    "number": "numbers",
    "boolean": "booleans",
    "date": "dates",
    "date-time": "times",
    "text": "texts",
}
"""Kinds of values, and where an `Activity` has its fields of each."""
EVERY = "*"
"""Among the fields: every dimension of the explore that does not repeat its rows."""


class BrokenStream(LookerStream):
    """A stream of the settings that this instance cannot give; it fails when it is read."""

    permission = ""

    def __init__(self, tap: Tap, run: Run, name: str, mistakes: list[str]) -> None:
        super().__init__(tap, run, name=name, keys=(), schema={"type": "object", "properties": {}})
        self._wrong = mistakes

    def check(self) -> None:
        """Not to be read.

        Raises:
            LookerError: What is wrong.
        """
        raise LookerError(" ".join(self._wrong))

    def plan(self, extraction: Extraction) -> None:
        """Nothing to ask for."""

    def pages(self, extraction: Extraction) -> Iterator[list[Row]]:  # noqa: ARG002
        """No rows.

        Raises:
            LookerError: What is wrong.
        """
        raise LookerError(" ".join(self._wrong))


def own_entries(config: Mapping[str, Any]) -> tuple[Entries, list[str]]:
    """The entries of the settings, and what is wrong with them by themselves, one line each."""
    found, mistakes = entries(config)
    names = [(one.name, "of Looker's resources") for one in RESOURCES]
    names += [(one.name, "of System Activity") for one in ACTIVITIES]
    names += [(one.name, one.where) for one in found.results]
    for where, options in found.activities.items():
        mistakes += [f"Setting {where}: {one}." for one in _mistakes_in_activity(options)]
        own = (_activity_name(options), where)
        names = [own if name == own[0] and "Activity" in of else (name, of) for name, of in names]
        names += [own] if own not in names else []
    return found, mistakes + duplicates(names)


def configured_names(found: Entries) -> dict[str, str]:
    """The streams of the settings, and where in them they are."""
    return {one.name: one.where for one in found.results} | {
        _activity_name(options): where for where, options in found.activities.items()
    }


def entries_of(found: Entries, names: Collection[str]) -> Entries:
    """The entries whose streams have these names."""
    return replace(
        found,
        results=tuple(one for one in found.results if one.name in names),
        activities={
            where: options
            for where, options in found.activities.items()
            if _activity_name(options) in names
        },
    )


def configured_streams(tap: Tap, run: Run, found: Entries) -> tuple[list[LookerStream], list[str]]:
    """The streams, and what is wrong with those that this instance cannot give.

    Raises:
        LoginError: There was no login, where metadata had to be asked for.
    """
    streams: list[LookerStream] = []
    mistakes: list[str] = []
    catalog = tap.input_catalog
    resolver: Resolver | None = None

    def broken(name: str, where: str, wrong: list[str]) -> None:
        lines = [f"Setting {where}: {one}." for one in wrong]
        streams.append(BrokenStream(tap, run, name, lines))
        mistakes.extend(lines)

    for definition in found.results:
        try:
            if catalog is None:
                resolver = resolver or Resolver(run.client)
                result = resolver.result(definition)
                streams.append(QueryStream(tap, run, definition, result=result))
            elif known := catalog.get_stream(definition.name):
                _properties_in(known)
                streams.append(QueryStream(tap, run, definition, entry=known))
        except DefinitionError as error:
            broken(definition.name, definition.where, error.mistakes)
    for where, options in found.activities.items():
        if any(_mistakes_in_activity(options)):
            continue
        name = _activity_name(options)
        try:
            if catalog is None:
                kinds = _kinds_of_metadata(run.client, options)
            elif known := catalog.get_stream(name):
                kinds = _kinds_of_catalog(run.client, _properties_in(known), options)
            else:
                continue
            streams.append(SystemActivityStream(tap, run, _activity(options, kinds)))
        except DefinitionError as error:
            broken(name, where, error.mistakes)
    return streams, mistakes


def _properties_in(entry: CatalogEntry) -> dict[str, Any]:
    """The properties of a stream that a catalog describes.

    Raises:
        DefinitionError: It has none.
    """
    properties: dict[str, Any] = entry.schema.to_dict().get("properties") or {}
    if not properties:
        raise DefinitionError(
            ["the catalog does not have the schema of its stream: run --discover again"]
        )
    return properties


def _mistakes_in_activity(options: ActivityOptions) -> Iterator[str]:
    if not _keys(options):
        yield "needs primary_keys"
    yield from collisions([column(field, "string") for field in _all_fields(options)])
    for field in options.types:
        if field in (*_keys(options), _replication(options)):
            yield f"types: {field} is in the key or the bookmark, and keeps its type"
        elif field not in options.fields:
            yield f"types: {field} is not among the fields"


def _activity_name(options: ActivityOptions) -> str:
    curated = _curated(options)
    return options.name or (curated.name if curated else f"{PREFIX}{options.explore}")


def _curated(options: ActivityOptions) -> Activity | None:
    """The stream of the table that an entry replaces: the one of its name, or of its explore."""
    for one in ACTIVITIES:
        is_like_others = not one.is_discovered and one.name != QUERY_FIELDS
        is_meant = (options.name or one.name) == one.name and options.explore == one.explore
        if is_like_others and is_meant:
            return one
    return None


def _keys(options: ActivityOptions) -> list[str]:
    curated = _curated(options)
    return list(dict.fromkeys(options.primary_keys or (curated.keys.split() if curated else [])))


def _replication(options: ActivityOptions) -> str:
    curated = _curated(options)
    if options.replication_key is not UNSET:
        return options.replication_key or ""
    return curated.replication if curated and not options.primary_keys else ""


def _all_fields(options: ActivityOptions) -> list[str]:
    """The fields that the settings name."""
    needed = [*_keys(options), _replication(options)]
    named = [field for field in [*needed, *options.fields] if field not in ("", EVERY)]
    return list(dict.fromkeys(named))


def _kinds_of_metadata(client: LookerClient, options: ActivityOptions) -> dict[str, str]:
    try:
        explore = read_explore(client, MODEL, options.explore)
    except RequestError as error:
        raise DefinitionError(
            [f"no explore {MODEL}::{options.explore}: {error.message.rstrip('.')}"]
        ) from error
    fields = _all_fields(options)
    mistakes = [
        f"explore {MODEL}::{options.explore} has no field {field}"
        for field in fields
        if field not in explore.fields
    ]
    if EVERY in options.fields:
        fields = list(dict.fromkeys([*fields, *explore.every_dimension()]))
        mistakes += collisions([column(field, "string") for field in fields])
    if mistakes:
        raise DefinitionError(mistakes)
    return {
        field: _kind(field, KINDS.get(str(explore.fields[field].get("type")), "text"), "number")
        for field in fields
    }


def _kinds_of_catalog(
    client: LookerClient, properties: Mapping[str, Any], options: ActivityOptions
) -> dict[str, str]:
    fields = _all_fields(options)
    if EVERY in options.fields:  # a column does not tell where its view ends and its name begins
        found = _kinds_of_metadata(client, options)
        fields = [field for field in found if column_name(field) in properties]
    return {
        field: _kind(field, kind_of_schema(properties.get(column_name(field), {})), "text")
        for field in fields
    }


def _kind(field: str, kind: str, of_ids: str) -> str:
    """The kind of a field's values; ids that the REST API has too are text, as there."""
    return "id" if kind == of_ids and is_rest_id(field) else kind


def _activity(options: ActivityOptions, kinds: Mapping[str, str]) -> Activity:
    curated = _curated(options)
    replication = _replication(options)
    keys = _keys(options)
    # A grown id bounds pages by itself; only as the whole key can it be the bookmark.
    by_id = kinds.get(replication) in ("integer", "number", "id")
    if by_id and keys != [replication]:
        raise DefinitionError(["replication_key: a number must be the whole of primary_keys too"])
    if replication and not by_id and kinds.get(replication) not in ("date", "date-time"):
        raise DefinitionError(["replication_key: must be a number that grows, or a time"])
    whole = {**kinds, replication: "integer"} if by_id else dict(kinds)
    whole |= {field: KINDS[kind] for field, kind in options.types.items()}
    if len(keys) == 1 and kinds.get(keys[0]) == "number":
        whole[keys[0]] = "integer"  # LookML says number of ids too
    grouped: dict[str, list[str]] = {}
    for field, kind in whole.items():
        grouped.setdefault(BY_KIND[kind], []).append(field)
    time = curated.time if curated else ("" if by_id else replication)
    return Activity(
        name=_activity_name(options),
        explore=options.explore,
        keys=" ".join(keys),
        replication=replication,
        time=time,
        is_joined=curated is not None and curated.is_joined and keys == curated.keys.split(),
        moves_at_end=curated is not None
        and curated.moves_at_end
        and replication == curated.replication,
        default=True,
        **{group: " ".join(fields) for group, fields in grouped.items()},  # type: ignore[arg-type]
    )
