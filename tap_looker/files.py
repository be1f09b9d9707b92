"""The files that the command names: JSON of the right kind, or one line that says what is wrong."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tap_looker.errors import LookerError

if TYPE_CHECKING:
    from collections.abc import Mapping


class JsonFile(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A file for an option of the SDK, which reads what is checked here."""

    name = "filename"

    def convert(self, value: Any, param: click.Parameter | None, ctx: Any) -> Any:  # noqa: ARG002
        """The text of the file, as a file.

        Raises:
            LookerError: It cannot be read, or is not what the option takes.
        """
        option = param.name if param else ""
        if option == "config":
            if value != "ENV":
                _read(option, value)
            return value
        found = _read(option, value)
        if option == "catalog" and not _is_catalog(found):
            raise LookerError(f"--catalog {value}: is no catalog, as --discover prints it.")
        if option == "state" and not _is_state(found):
            raise LookerError(
                f"--state {value}: is no state: that is what a target prints, or the value of the "
                "last STATE message of a run, and has bookmarks."
            )
        return io.StringIO(json.dumps(found))


def _read(option: str, path: str) -> Mapping[str, Any]:
    what = f"--{option} {path}"
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise LookerError(f"{what}: cannot be read ({error.strerror}).") from None
    except (ValueError, RecursionError) as error:
        place = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise LookerError(f"{what}: is no JSON{place}.") from None
    if not isinstance(found, dict):
        raise LookerError(f"{what}: must hold a JSON object.")
    return found


def _is_catalog(found: Mapping[str, Any]) -> bool:
    streams = found.get("streams")
    return isinstance(streams, list) and all(
        isinstance(one, dict)
        and isinstance(one.get("tap_stream_id"), str)
        and isinstance(one.get("schema", {}), dict)
        and isinstance(metadata := one.get("metadata", []), list)
        and all(isinstance(item, dict) for item in metadata)
        for one in streams
    )


def _is_state(found: Mapping[str, Any]) -> bool:
    bookmarks = found.get("bookmarks") if found else {}
    return isinstance(bookmarks, dict) and all(isinstance(one, dict) for one in bookmarks.values())
