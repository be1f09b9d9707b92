"""Which fields a query uses and defines, from its parts in the REST API or in System Activity.

The REST API has lists and objects. System Activity has text: JSON, or names between commas
(``query.fields`` is "one delimited string", as DataHub's connector found).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REFERENCE = re.compile(r"\$\{\s*([^{}:\s]+)\s*(?::[^{}]*)?\}")
"""A field in Looker's expression language: ``${orders.count}``, ``${orders.count:total}``."""

KINDS = ("table_calculation", "dimension", "measure")
"""In which of its properties a custom field or a table calculation names itself."""
PLACES = {"fields": "field", "pivots": "pivot", "fill_fields": "fill", "subtotals": "subtotal"}
"""Parts that are lists of fields, and the places that they are."""


def used_fields(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pairs of a place and a field, each once.

    The places are ``field``, ``pivot``, ``fill``, ``subtotal``, ``filter``, ``sort``,
    ``calculation`` (inside a table calculation) and ``custom_field`` (inside a custom dimension or
    measure).

    Args:
        query: By the names of its parts: ``fields``, ``pivots``, ``fill_fields``, ``subtotals``,
            ``filters``, ``filter_expression``, ``sorts`` and ``dynamic_fields``.
    """
    return list(dict.fromkeys(_used(query)))


def _used(query: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for part, place in PLACES.items():
        for name in names_in(query.get(part)):
            yield place, name
    filters = _decoded(query.get("filters"))
    for name in filters if isinstance(filters, dict) else ():
        yield "filter", name
    for name in _named_in(query.get("filter_expression")):
        yield "filter", name
    for sort in names_in(query.get("sorts")):
        yield "sort", sort.split()[0]
    own = own_fields(query)
    for kind, one in own.values():
        place = "calculation" if kind == "table_calculation" else "custom_field"
        for name in _used_by_own(one):
            if "." in name or name in own:
                yield place, name


def own_fields(query: Mapping[str, Any]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """The fields that a query defines itself, by name: what each is, and its definition."""
    dynamic = _decoded(query.get("dynamic_fields"))
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for one in dynamic if isinstance(dynamic, list) else ():
        for name, kind in _named(one):
            found.setdefault(name, (kind, one))
    return found


def dynamic_fields(given: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """As :func:`own_fields`, in their order, where it has to be known whether all were understood.

    Args:
        given: The property ``dynamic_fields``: a JSON text in a string, a list of objects that name
            themselves in ``table_calculation``, ``dimension`` or ``measure``; or the list itself.

    Raises:
        ValueError: It is something else.
    """
    try:
        defined = msgspec.json.decode(given or "[]") if not isinstance(given, list) else given
        defined = msgspec.convert(defined, list[dict[str, Any]])
    except (msgspec.MsgspecError, TypeError, RecursionError) as error:
        raise ValueError("not a list of objects in JSON") from error
    return [(name, kind, one) for one in defined for name, kind in _named(one)]


def _named(one: Any) -> list[tuple[str, str]]:
    """The name and the kind of a field that a query defines; none where it has no name."""
    found = [
        (name, kind)
        for kind in KINDS
        if isinstance(one, dict) and isinstance(name := one.get(kind), str) and name
    ]
    return found[:1]


def _used_by_own(one: Mapping[str, Any]) -> Iterator[str]:
    filters, arguments = _decoded(one.get("filters")), _decoded(one.get("args"))
    candidates = [
        one.get("based_on"),
        one.get("source_field"),
        *_named_in(one.get("expression")),
        *_named_in(one.get("filter_expression")),
        *(filters if isinstance(filters, dict) else ()),
        *(arguments[:1] if isinstance(arguments, list) else ()),  # what is grouped, binned, …
    ]
    yield from (name for name in candidates if isinstance(name, str))


def names_in(value: Any) -> list[str]:
    """The names in a list, in a list as JSON text, or between commas or line breaks."""
    value = _decoded(value)
    if isinstance(value, str):
        value = re.split(r"[,\n]", value.strip().removeprefix("[").removesuffix("]"))
    if not isinstance(value, list):
        return []
    names = [one.strip().strip("\"'").strip() for one in value if isinstance(one, str)]
    return [name for name in names if name]


def _named_in(expression: Any) -> list[str]:
    return REFERENCE.findall(expression) if isinstance(expression, str) else []


def _decoded(value: Any) -> Any:
    """What JSON text holds; other values as they are."""
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return value
