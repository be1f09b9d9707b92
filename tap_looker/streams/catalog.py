"""Catalogs as people and their tools write them: brought into one form, and what is wrong in them.

What is wrong with the entry of a stream fails that stream, when it is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib import Catalog, CatalogEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

METHODS = ("FULL_TABLE", "INCREMENTAL")
NAMES = ("replication-key", "replication-method", "forced-replication-method")
FLAGS = ("selected", "selected-by-default")
PROPERTIES = "properties"
SCALARS = {"string", "integer", "number"}

Breadcrumb = tuple[str, ...]


@dataclass
class CheckedCatalog:
    """A catalog that the SDK can read.

    Attributes:
        catalog: For the SDK.
        mistakes: What is wrong with the entries, by stream.
        contradicted: Streams whose metadata contradicts a ``selected`` outside of it.
    """

    catalog: Catalog | None = None
    mistakes: dict[str, list[str]] = field(default_factory=dict)
    contradicted: list[str] = field(default_factory=list)


def is_catalog(found: Mapping[str, Any]) -> bool:
    """Whether it is a catalog at all."""
    streams = found.get("streams")
    return isinstance(streams, list) and all(
        isinstance(one, dict) and isinstance(_name(one), str) for one in streams
    )


def _name(entry: Mapping[str, Any]) -> Any:
    return entry.get("tap_stream_id") or entry.get("stream")


def check_catalog(found: Mapping[str, Any]) -> CheckedCatalog:
    """A catalog in one form, with what is wrong in it."""
    catalog = Catalog()
    result = CheckedCatalog(catalog)
    for given in found["streams"]:
        name = _name(given)
        mistakes: list[str] = []
        metadata = _metadata(given, mistakes)
        has_root = () in metadata
        root = metadata.setdefault((), {})
        schema = given.get("schema") or {}
        if not isinstance(schema, dict):
            mistakes.append("schema must be an object")
            schema = {}
        for outside in (given.get("selected"), schema.get("selected")):
            selected = _flag(outside)
            if isinstance(selected, bool):
                if root.get("selected", selected) != selected and name not in result.contradicted:
                    result.contradicted.append(name)
                root["selected"] = selected
        if not has_root:
            root.setdefault("selected", True)
        for crumb, selected in _selected_in(schema):
            metadata.setdefault(crumb, {}).setdefault("selected", selected)
        entry = {
            "tap_stream_id": name,
            "stream": name,
            "metadata": [
                {"breadcrumb": list(crumb), "metadata": values}
                for crumb, values in metadata.items()
            ],
        }
        method = given.get("replication_method")
        for option in ("forced-replication-method", "replication-method"):
            method = root.get(option) or method
        _take_text(entry, "replication_method", method, mistakes)
        _take_text(entry, "replication_key", given.get("replication_key"), mistakes)
        _take_names(entry, "key_properties", given.get("key_properties"), mistakes)
        try:
            read = CatalogEntry.from_dict({**entry, "schema": schema})
            read.schema.to_dict()
        except (AttributeError, TypeError, ValueError, LookupError, RecursionError):
            mistakes.append("schema is not a JSON Schema")
            read = CatalogEntry.from_dict(entry)
        if name in catalog:
            mistakes.append("the stream is listed twice")
        catalog.add_stream(read)
        if mistakes:
            result.mistakes[name] = mistakes
    return result


def _metadata(entry: Mapping[str, Any], mistakes: list[str]) -> dict[Breadcrumb, dict[str, Any]]:
    """Metadata by breadcrumb, where it can be read; of two for the same the later counts more."""
    found: dict[Breadcrumb, dict[str, Any]] = {}
    given = entry.get("metadata") or []
    if not isinstance(given, list):
        mistakes.append("metadata must be a list")
        return found
    for position, item in enumerate(given):
        where = f"metadata[{position}]"
        if not isinstance(item, dict) or not isinstance(item.get("metadata"), dict):
            mistakes.append(f"{where} must be an object with breadcrumb and metadata")
            continue
        crumb = item.get("breadcrumb")
        if not _is_breadcrumb(crumb):
            mistakes.append(f'{where}: breadcrumb must be [] or ["properties", "a name"]')
            continue
        values = dict(item["metadata"])
        for option in FLAGS:
            values[option] = _flag(values.get(option))
            if values[option] is None:
                del values[option]
            elif not isinstance(values[option], bool):
                mistakes.append(f"{where}: {option} must be true or false")
                del values[option]
        for option in NAMES if not crumb else ():
            _take_text(values, option, values.pop(option, None), mistakes)
        if not crumb:
            keys = values.pop("table-key-properties", None)
            _take_names(values, "table-key-properties", keys, mistakes)
        found.setdefault(tuple(crumb or ()), {}).update(values)
    return found


def _is_breadcrumb(crumb: Any) -> bool:
    return isinstance(crumb, list) and (
        not crumb
        or (
            len(crumb) > 1 and crumb[0] == PROPERTIES and all(isinstance(one, str) for one in crumb)
        )
    )


def _flag(value: Any) -> Any:
    """True or false, which some tools write as text."""
    texts = {"true": True, "false": False}
    return texts.get(value.strip().lower(), value) if isinstance(value, str) else value


def _take_text(entry: dict[str, Any], option: str, value: Any, mistakes: list[str]) -> None:
    if isinstance(value, str) and value:
        entry[option] = value
    elif value not in (None, ""):
        mistakes.append(f"{option} must be text")


def _take_names(entry: dict[str, Any], option: str, value: Any, mistakes: list[str]) -> None:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        entry[option] = value
    elif value is not None:
        mistakes.append(f"{option} must be a list of names")


def _selected_in(schema: Any, above: Breadcrumb = ()) -> Iterator[tuple[Breadcrumb, bool]]:
    """Properties in whose schema it stands that they are selected, or not."""
    properties = schema.get(PROPERTIES) if isinstance(schema, dict) else None
    for name, below in (properties if isinstance(properties, dict) else {}).items():
        crumb = (*above, PROPERTIES, name)
        if isinstance(below, dict) and isinstance(below.get("selected"), bool):
            yield crumb, below["selected"]
        yield from _selected_in(below, crumb)


def unknown_properties(entry: CatalogEntry, schema: Mapping[str, Any]) -> list[str]:
    """Properties that the entry selects or deselects by name, and that the stream does not have."""
    return [
        ".".join([entry.tap_stream_id, *crumb[1::2]])
        for crumb, metadata in entry.metadata.items()
        if crumb and metadata.selected is not None and not _has(schema, crumb)
    ]


def _has(schema: Mapping[str, Any], crumb: Breadcrumb) -> bool:
    for step in crumb:
        if not isinstance(schema, dict) or step not in schema:
            return False
        schema = schema[step]
    return True


def chosen(own: Any, given: Iterable[Any]) -> Any:
    """What a catalog says of something in two places: what somebody has changed, else the same."""
    known = [one for one in given if one is not None]
    return next((one for one in known if one != own), known[0] if known else None)


def mistakes_in_keys(
    schema: Mapping[str, Any], selected: Iterable[str], keys: Sequence[str]
) -> Iterator[str]:
    """What is wrong with the primary key that a catalog gives a stream."""
    properties = schema[PROPERTIES]
    chosen_ones = set(selected)
    if lacking := [key for key in keys if key not in properties]:
        yield f"key_properties: there is no property {', '.join(lacking)}"
    elif lacking := [key for key in keys if key not in chosen_ones]:
        yield f"the key ({', '.join(lacking)}) is not selected"


def mistakes_in_replication(
    schema: Mapping[str, Any], selected: Iterable[str], key: str | None, method: str | None
) -> Iterator[str]:
    """What is wrong with how a catalog wants a stream to be replicated."""
    if method is not None and method not in METHODS:
        yield f"the replication method {method} is not known (known: {', '.join(METHODS)})"
    if method == "INCREMENTAL" and key is None:
        yield "INCREMENTAL needs a replication key"
    if key is None:
        return
    if key not in schema[PROPERTIES]:
        yield f"replication-key: there is no property {key}"
        return
    types = schema[PROPERTIES][key].get("type", [])
    if not SCALARS.intersection([types] if isinstance(types, str) else types):
        yield f"{key} cannot be the replication key: it is not a number, text or time"
    elif key not in set(selected):
        yield f"the replication key ({key}) is not selected"
