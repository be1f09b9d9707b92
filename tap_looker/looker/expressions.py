"""What is written inside a query: Looker's expressions, and the fields that the query defines."""

from __future__ import annotations

import re
from typing import Any

import msgspec

KINDS = ("table_calculation", "dimension", "measure")
"""In which of its properties a custom field or a table calculation names itself."""
_REFERENCE = re.compile(r"\$\{\s*([^{}:]+?)\s*(?::[^{}]*)?\}")


def references(text: Any) -> list[str]:
    """The fields that an expression names: ``${orders.count}``, ``${orders.count:total}``."""
    return list(dict.fromkeys(_REFERENCE.findall(text))) if isinstance(text, str) else []


def dynamic_fields(given: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """The custom fields and table calculations of a query: name, kind, and all that is said of it.

    Args:
        given: The property ``dynamic_fields``: a JSON text in a string, a list of objects that name
            themselves in ``table_calculation``, ``dimension`` or ``measure``; or the list itself.

    Raises:
        ValueError: It is something else.
    """
    try:
        listed = msgspec.json.decode(given or "[]") if not isinstance(given, list) else given
        listed = msgspec.convert(listed, list[dict[str, Any]])
    except (msgspec.MsgspecError, TypeError, RecursionError) as error:
        raise ValueError("not a list of objects in JSON") from error
    found = []
    for one in listed:
        for kind in KINDS:
            if isinstance(one.get(kind), str) and one[kind]:
                found.append((one[kind], kind, one))
                break
    return found
