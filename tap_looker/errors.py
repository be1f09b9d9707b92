"""What can go wrong, in one line for the user each.

::

    LookerError                  exit code 1, no traceback
    ├── SettingsError            a setting is missing or wrong; Looker was not asked for anything
    ├── LoginError               Looker cannot be reached or does not accept the API key
    │   └── TokenError           Looker issues tokens and has refused each of them
    ├── RequestError             a request failed for good, after its retries
    │   ├── DeniedError          403, 404 or 405: no permission, or not there
    │   ├── TimedOutError        no answer, or no more of it, in time
    │   ├── BadResponseError     HTTP 200 with a web page, broken JSON or another shape of data
    │   │   ├── UnusableItemError  the answer for one item holds nothing that can be used
    │   │   └── TruncatedError   the rows broke off; those before are good
    │   ├── QueryError           HTTP 200 in which Looker says that the query failed
    │   └── CutResultError       a result is not whole, or may not be, and cannot be continued
    ├── BudgetError              the call that would exceed max_calls was not made
    ├── OutputError              standard output cannot be written
    ├── IncompleteError          some streams could not be read whole; raised at the end of a run
    └── Interrupted              SIGTERM, Ctrl-C

The command turns them into log lines and exit codes: :mod:`tap_looker.cli`.
"""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_NAMED = 10
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
KINDS = (
    (LookupError, "something it relies on is missing"),
    ((TypeError, ValueError, AttributeError), "a value is not what it expects"),
    (ArithmeticError, "a calculation failed"),
)
"""Kinds of exceptions that nobody thought of, in words."""


class LookerError(Exception):
    """Base of all errors that users see.

    Attributes:
        message: One line: what happened, where, and what to do.
        exit_code: Of the command that ends with it.
    """

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class SettingsError(LookerError):
    """The configuration is wrong.

    Attributes:
        errors: One line for each mistake.
    """

    def __init__(self, errors: list[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


class LoginError(LookerError):
    """Looker cannot be reached, or does not accept the API key."""


class TokenError(LoginError):
    """Looker issues tokens and has refused each of them: nothing can be read."""


class RequestError(LookerError):
    """A request failed for good.

    Attributes:
        status: HTTP status of the last answer, or None if there was none.
        is_lookers: The answer has the form of Looker's errors, and not of a proxy's.
    """

    def __init__(
        self, message: str, status: int | None = None, *, is_lookers: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.is_lookers = is_lookers


class DeniedError(RequestError):
    """Looker says no: 403, 405, or 404, its usual answer to a missing permission."""


class TimedOutError(RequestError):
    """Looker, or something in front of it, gave up waiting, or the tap did."""


class BadResponseError(RequestError):
    """HTTP 200 with something other than the data that was asked for."""

    def __init__(self, message: str, status: int = 200) -> None:
        super().__init__(message, status)


class UnusableItemError(BadResponseError):
    """The answer for one item, in Looker's form, holds nothing that can be used."""


class TruncatedError(BadResponseError):
    """The rows broke off; those that came are good."""


class QueryError(RequestError):
    """HTTP 200 in which Looker says that the query failed."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 200)


class GivenUpError(QueryError):
    """A query task was not waited for any longer, and may still run."""


class CutResultError(RequestError):
    """A result is not whole, or may not be, and cannot be continued."""


class BudgetError(LookerError):
    """The run has made as many calls as it may."""


class OutputError(LookerError):
    """Standard output cannot be written."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"Standard output cannot be written: {reason}. The last line written may be incomplete."
        )


class IncompleteError(LookerError):
    """Some streams could not be read whole."""


class Interrupted(LookerError):  # noqa: N818
    """The run was asked to end.

    Attributes:
        exit_code: 128 plus the number of the signal, as shells report it.
    """

    def __init__(self, signum: int) -> None:
        super().__init__("Interrupted: records and state written so far are kept.")
        self.exit_code = 128 + signum


def printable(text: str, most: int = 100) -> str:
    """A text that somebody else chose, in a line of ours."""
    clean = "".join(one if one.isprintable() else "?" for one in text[:most])
    return f"{clean}…" if len(text) > most else clean


def listed(names: Iterable[str], most: int = MAX_NAMED) -> str:
    """Names that somebody else chose, in a line of ours that does not get too long."""
    known = [printable(name) for name in names]
    more = f" and {len(known) - most} more" if known[most:] else ""
    return ", ".join(known[:most]) + more


def in_words(error: Exception) -> LookerError:
    """Any exception as an error for users."""
    if isinstance(error, LookerError):
        return error
    if isinstance(error, RecursionError):
        return LookerError("An answer is nested too deeply.")
    if isinstance(error, MemoryError):
        return LookerError("Out of memory: lower page_size or concurrency.")
    if isinstance(error, OSError) and error.strerror:
        if error.errno in NO_SPACE:
            return LookerError(
                f"There is no space left for temporary files in {tempfile.gettempdir()}: free some,"
                " or set TMPDIR to another folder."
            )
        return LookerError(f"The operating system reported an error: {error.strerror}.")
    kind = next((text for kinds, text in KINDS if isinstance(error, kinds)), "an unexpected error")
    return LookerError(
        f"The tap itself failed: {kind}{_place(error)}. This is a bug: please report it "
        "with the log of a run with TAP_LOOKER_LOGLEVEL=DEBUG."
    )


def _place(error: Exception) -> str:
    """The innermost line of the tap's own code that an exception went through."""
    place = ""
    trace = error.__traceback__
    root = Path(__file__).parent
    while trace:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.is_relative_to(root):
            place = f" ({path.relative_to(root).as_posix()}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return place
