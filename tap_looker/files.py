"""The files that people and their tools write, in whichever encoding they wrote them."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from tap_looker.errors import LookerError

logger = logging.getLogger("tap-looker")


def read_text(what: str, path: str) -> str:
    """The text of a file: UTF-8, or UTF-16 as PowerShell's ``>`` writes it, without its mark.

    Args:
        what: How messages name the file.
        path: Where it is.

    Raises:
        LookerError: It cannot be read.
    """
    try:
        data = Path(path).read_bytes()
        return data.decode(json.detect_encoding(data))
    except OSError as error:
        raise LookerError(f"{what} cannot be read ({error.strerror}).") from None
    except ValueError:
        raise LookerError(f"{what} is not UTF-8 text. Save it as UTF-8.") from None


def read_object(what: str, path: str) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        LookerError: There is none.
    """
    text = read_text(what, path)
    if not text.strip():
        raise LookerError(f"{what} is empty.")
    return _object(what, text)


def read_last_object(what: str, path: str) -> dict[str, Any]:
    """The one JSON object in a file, or that of its last line; an empty one if it has none.

    Raises:
        LookerError: There is something else.
    """
    text = read_text(what, path)
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        logger.info("%s is empty. The run starts without a state.", what)
        return {}
    try:
        return _object(what, text)
    except LookerError:
        try:
            return _object(what, lines[-1])
        except LookerError:
            pass
        raise


def _object(what: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        place = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise LookerError(f"{what} is not valid JSON{place}.") from None
    if not isinstance(found, dict):
        raise LookerError(f"{what} must hold a JSON object.")
    return found
