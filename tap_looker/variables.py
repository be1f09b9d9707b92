"""Settings from environment variables and a ``.env`` file."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING, Any

from dotenv import dotenv_values, load_dotenv

from tap_looker.errors import LookerError, SettingsError
from tap_looker.files import read_text
from tap_looker.settings import types_of

if TYPE_CHECKING:
    from collections.abc import Callable

_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


def from_environment(schema: dict[str, Any], prefix: str, dotenv_path: str) -> dict[str, Any]:
    """Settings from ``TAP_LOOKER_*`` variables and a ``.env`` file.

    Raises:
        SettingsError: Values that cannot be read as the type of their setting.
    """
    if dotenv_path:
        load_dotenv(stream=io.StringIO(read_text(dotenv_path, dotenv_path)))
    found: dict[str, Any] = {}
    errors: list[str] = []
    for name, definition in schema["properties"].items():
        variable = f"{prefix}{name.upper()}"
        text = os.environ.get(variable, "").strip()
        if not text:
            continue  # an empty line of a .env file is no setting
        try:
            found[name] = _from_text(text, definition)
        except ValueError:
            errors.append(f"Environment variable {variable}: must be {types_of(definition)}.")
    if errors:
        raise SettingsError(errors)
    return found


def not_read(schema: dict[str, Any], prefix: str, dotenv_path: str) -> list[str]:
    """A hint where there are settings in the environment, or a ``.env`` file, that are not read."""
    try:
        text = read_text(dotenv_path, dotenv_path) if dotenv_path else ""
        in_file = dotenv_values(stream=io.StringIO(text))
    except LookerError:
        in_file = {}
    names = [f"{prefix}{name.upper()}" for name in schema["properties"]]
    for where, values in ((f"The file {dotenv_path}", in_file), ("The environment", os.environ)):
        if any(values.get(name) for name in names):
            return [f"{where} has {prefix} variables, which are only read with --config=ENV."]
    return []


def _from_text(text: str, definition: dict[str, Any]) -> Any:
    types = definition.get("type", "string")
    kind = types if isinstance(types, str) else types[0]
    return _READERS[kind](text)


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise ValueError("no boolean")
    return _BOOLEANS[text.lower()]


def _list(text: str) -> Any:
    """A list from JSON, or from what stands between commas."""
    return json.loads(text) if text.startswith("[") else [one.strip() for one in text.split(",")]


_READERS: dict[str, Callable[[str], Any]] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": _boolean,
    "array": _list,
    "object": json.loads,
}
