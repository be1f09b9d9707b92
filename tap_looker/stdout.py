"""Standard output: a disk may be full, and a console may not know every letter."""

from __future__ import annotations

import codecs
import io
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tap_looker.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN = {"→": "->", "…": "...", "“": '"', "”": '"', "—": "-"}


@contextmanager
def writing() -> Iterator[None]:
    """Where standard output is written.

    Raises:
        OutputError: It cannot be written.
        BrokenPipeError: Nobody reads it.
    """
    if sys.stdout is None:  # it was closed by whoever started the tap
        raise OutputError("it is closed")
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        drop()
        raise OutputError(error.strerror or "it is closed") from error


def write(data: bytes | bytearray) -> None:
    """Write all of it, now.

    Raises:
        OutputError: It cannot be written.
        BrokenPipeError: Nobody reads it.
    """
    with writing():
        rest = memoryview(data)
        while rest:  # an unbuffered output may take a part only
            rest = rest[sys.stdout.buffer.write(rest) :]
        sys.stdout.flush()


def say(text: str) -> None:
    """Print a text for people, or JSON.

    Raises:
        OutputError: It cannot be written.
        BrokenPipeError: Nobody reads it.
    """
    with writing():
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def accept_all_letters() -> None:
    """Write a letter that the console's encoding does not have as one that it has."""
    codecs.register_error("tap-looker", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="tap-looker")


def drop() -> None:
    """What still waits in the buffer has nowhere to go: Python must not try again at its end."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(PLAIN.get(one, "?") for one in letters), error.end
