"""The looks and queries that the settings ask for, checked without asking Looker."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import tzinfo

QUERY_PROPERTIES = ("model", "view", "fields", "pivots", "filters", "filter_expression", "sorts",
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
            zone_named(str(entry["timezone"]))
        except DefinitionError as error:
            mistakes += error.mistakes
    mistakes += _missing(setting, entry)
    if mistakes:
        raise DefinitionError(mistakes)
    query: dict[str, Any] = {}
    if setting == "queries" and "query" not in entry:
        query = {name: entry[name] for name in QUERY_PROPERTIES if entry.get(name) is not None}
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
