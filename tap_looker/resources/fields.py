"""Trees of field names: what is asked for with ``fields=``, and what lies at a path of a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tap_looker.looker.response import Row

Fields = dict[str, Any]
"""A tree of field names: ``{"id": None, "folder": {"id": None}}``; None is all below."""


def decoder(fields: Fields | None) -> Callable[[bytes], list[Row]]:
    """Decodes pages, and of their rows only these fields: passing over the others is quick."""
    if fields is None:
        return msgspec.json.decode
    row: Any = TypedDict("row", dict.fromkeys(fields, Any), total=False)  # type: ignore[misc]
    page_decoder: Any = msgspec.json.Decoder(list[row])
    return page_decoder.decode  # type: ignore[no-any-return]


def tree(paths: Iterable[str]) -> Fields:
    """Dotted paths as a tree of fields."""
    fields: Fields = {}
    for path in paths:
        head, _, below = path.partition(".")
        fields[head] = merged(fields.get(head, {}), tree([below]) if below else None)
    return fields


def merged(one: Fields | None, other: Fields | None) -> Fields | None:
    """The fields of both trees."""
    if one is None or other is None:
        return None
    both = dict(one)
    for name, below in other.items():
        both[name] = merged(one[name], below) if name in one else below
    return both


def rendered(fields: Fields) -> str:
    """Fields in the syntax of Looker's ``fields`` parameter: ``id,folder(id,name)``."""
    return ",".join(
        name if below is None else f"{name}({rendered(below)})" for name, below in fields.items()
    )


def values_at(value: Any, path: str) -> list[Any]:
    """The values that a path leads to: one for each item of a list on the way."""
    head, _, below = path.partition(".")
    value = value.get(head) if isinstance(value, dict) else None
    if not below:
        return [value]
    items = value if isinstance(value, list) else [value]
    return [found for item in items for found in values_at(item, below)]


def value_at(value: Any, path: str) -> Any:
    """The value that a path of objects leads to; None where it leads nowhere."""
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
