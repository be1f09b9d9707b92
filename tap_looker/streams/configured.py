"""The streams that settings add: ``looks``, ``queries`` and ``system_activity``.

What is wrong with an entry by itself is a wrong setting. What only an instance can tell, such as a
look that is not there, is found at discovery, all of it at once; in a run it fails its own stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_looker.errors import LookerError, RequestError
from tap_looker.queries.columns import KINDS, collisions, column, column_name, kind_of_schema
from tap_looker.queries.definitions import DefinitionError, definitions, duplicates
from tap_looker.queries.resolve import Resolver, explore_fields
from tap_looker.queries.system_activity import ACTIVITIES, MODEL, PREFIX, Activity
from tap_looker.resources.table import RESOURCES
from tap_looker.streams.base import LookerStream
from tap_looker.streams.query import QueryStream
from tap_looker.streams.system_activity import SystemActivityStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk import Tap
    from singer_sdk.singerlib import CatalogEntry

    from tap_looker.looker.client import LookerClient
    from tap_looker.looker.response import Row
    from tap_looker.resources.extraction import Extraction
    from tap_looker.run import Run

ACTIVITY_OPTIONS = frozenset({"explore", "fields", "name", "primary_keys", "replication_key"})
BY_KIND = {
    "integer": "integers",
    "number": "numbers",
    "boolean": "booleans",
    "date": "dates",
    "date-time": "times",
    "text": "texts",
}
"""Kinds of values, and where an `Activity` has its fields of each."""


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


def mistakes_in(config: Mapping[str, Any]) -> list[str]:
    """What is wrong with the entries by themselves, one line each."""
    found, mistakes = definitions(config)
    names = [(one.name, "of Looker's resources") for one in RESOURCES]
    names += [(one.name, "of System Activity") for one in ACTIVITIES]
    names += [(one.name, one.where) for one in found]
    for position, entry in enumerate(config.get("system_activity") or []):
        where = f"system_activity[{position}]"
        mistakes += [f"Setting {where}: {one}." for one in _mistakes_in_activity(entry)]
        if isinstance(entry, dict):
            own = (_activity_name(entry), where)
            names = [
                own if name == own[0] and "Activity" in of else (name, of) for name, of in names
            ]
            names += [own] if own not in names else []
    return mistakes + duplicates(names)


def configured_names(config: Mapping[str, Any]) -> dict[str, str]:
    """The streams of the settings, and where in them they are."""
    return {one.name: one.where for one in definitions(config)[0]} | {
        _activity_name(entry): f"system_activity[{position}]"
        for position, entry in enumerate(config.get("system_activity") or [])
        if isinstance(entry, dict)
    }


def configured_streams(tap: Tap, run: Run) -> tuple[list[LookerStream], list[str]]:
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

    for definition in definitions(tap.config)[0]:
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
    for position, entry in enumerate(tap.config.get("system_activity") or []):
        if any(_mistakes_in_activity(entry)):
            continue
        name = _activity_name(entry)
        try:
            if catalog is None:
                kinds = _kinds_of_metadata(run.client, entry)
            elif known := catalog.get_stream(name):
                kinds = _kinds_of_catalog(_properties_in(known), entry)
            else:
                continue
            streams.append(SystemActivityStream(tap, run, _activity(entry, kinds)))
        except DefinitionError as error:
            broken(name, f"system_activity[{position}]", error.mistakes)
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


def _mistakes_in_activity(entry: Any) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield "must be an object"
        return
    for option in sorted(entry.keys() - ACTIVITY_OPTIONS):
        yield f"there is no option {option} (known: {', '.join(sorted(ACTIVITY_OPTIONS))})"
    if not isinstance(entry.get("explore"), str):
        yield "needs an explore"
    fields = entry.get("fields")
    if not isinstance(fields, list) or not fields or not all(isinstance(f, str) for f in fields):
        yield "needs fields, a list of field names"
        return
    keys = entry.get("primary_keys") or []
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        yield "primary_keys must be a list of field names"
        return
    if not _keys(entry):
        yield "needs primary_keys"
    for option in ("name", "replication_key"):
        if not isinstance(entry.get(option) or "", str):
            yield f"{option} must be text"
    yield from collisions([column(field, "string") for field in _all_fields(entry)])


def _activity_name(entry: Mapping[str, Any]) -> str:
    curated = _curated(entry)
    return str(
        entry.get("name") or (curated.name if curated else f"{PREFIX}{entry.get('explore')}")
    )


def _curated(entry: Mapping[str, Any]) -> Activity | None:
    """The stream of the table that an entry replaces: the one of its name, or of its explore."""
    for one in ACTIVITIES:
        if entry.get("name", one.name) == one.name and entry.get("explore") == one.explore:
            return one
    return None


def _keys(entry: Mapping[str, Any]) -> list[str]:
    curated = _curated(entry)
    return list(entry.get("primary_keys") or (curated.keys.split() if curated else []))


def _replication(entry: Mapping[str, Any]) -> str:
    curated = _curated(entry)
    if "replication_key" in entry:
        return str(entry["replication_key"] or "")
    return curated.replication if curated and not entry.get("primary_keys") else ""


def _all_fields(entry: Mapping[str, Any]) -> list[str]:
    needed = [*_keys(entry), _replication(entry)]
    return list(dict.fromkeys(field for field in [*needed, *entry["fields"]] if field))


def _kinds_of_metadata(client: LookerClient, entry: Mapping[str, Any]) -> dict[str, str]:
    try:
        known = explore_fields(client, MODEL, entry["explore"])
    except RequestError as error:
        raise DefinitionError(
            [f"no explore {MODEL}::{entry['explore']}: {error.message.rstrip('.')}"]
        ) from error
    fields = _all_fields(entry)
    mistakes = [
        f"explore {MODEL}::{entry['explore']} has no field {field}"
        for field in fields
        if field not in known
    ]
    if mistakes:
        raise DefinitionError(mistakes)
    return {field: KINDS.get(str(known[field].get("type")), "text") for field in fields}


def _kinds_of_catalog(properties: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, str]:
    fields = _all_fields(entry)
    return {field: kind_of_schema(properties.get(column_name(field), {})) for field in fields}


def _activity(entry: Mapping[str, Any], kinds: Mapping[str, str]) -> Activity:
    curated = _curated(entry)
    replication = _replication(entry)
    keys = _keys(entry)
    # A grown id bounds pages by itself; only as the whole key can it be the bookmark.
    by_id = kinds.get(replication) in ("integer", "number")
    if by_id and keys != [replication]:
        raise DefinitionError(["replication_key: a number must be the whole of primary_keys too"])
    if replication and not by_id and kinds.get(replication) not in ("date", "date-time"):
        raise DefinitionError(["replication_key: must be a number that grows, or a time"])
    whole = {**kinds, replication: "integer"} if by_id else dict(kinds)
    if len(keys) == 1 and kinds.get(keys[0]) == "number":
        whole[keys[0]] = "integer"  # LookML says number of ids too
    grouped: dict[str, list[str]] = {}
    for field, kind in whole.items():
        grouped.setdefault(BY_KIND[kind], []).append(field)
    time = curated.time if curated else ("" if by_id else replication)
    return Activity(
        name=_activity_name(entry),
        explore=entry["explore"],
        keys=" ".join(keys),
        replication=replication,
        time=time,
        default=True,
        **{group: " ".join(fields) for group, fields in grouped.items()},  # type: ignore[arg-type]
    )
