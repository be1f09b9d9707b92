"""The column that names the instance, where several share a warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_looker.queries.definitions import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

COLUMN = "looker_instance"
CRUMB = ("properties", COLUMN)
SCHEMA = {"type": "string", "description": "Name of the instance, from the setting instance."}
UNNAMED = f"the key has {COLUMN}: set instance, or run --discover again without it"


def with_column(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema whose first property is the column.

    Raises:
        DefinitionError: It has such a property itself.
    """
    if COLUMN in schema["properties"]:
        raise DefinitionError(
            [f"a field becomes the column {COLUMN}, as the setting instance does"]
        )
    return {**schema, "properties": {COLUMN: dict(SCHEMA), **schema["properties"]}}


def without_column(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties without the column."""
    return {name: schema for name, schema in properties.items() if name != COLUMN}


def with_key(keys: Iterable[str]) -> list[str]:
    """A primary key that begins with the column; no key stays none."""
    own = [key for key in keys if key != COLUMN]
    return [COLUMN, *own] if own else []


def other(name: str | None) -> str:
    """An instance that a state belongs to, in words."""
    return f"another instance ({name})" if name else "an instance without a name"
