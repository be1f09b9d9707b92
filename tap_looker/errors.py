"""What can go wrong, said in one line each.

::

    LookerError                one line for the user, exit code 1, no traceback
    ├── SettingsError          a setting is missing or wrong; nothing was asked of Looker
    ├── LoginError             Looker cannot be reached or does not accept the API key
    ├── RequestError           a request failed for good, after its retries
    │   └── DeniedError        403, or 404 on a collection: no permission, or not there
    ├── BudgetError            the call that would go over max_calls was not made
    ├── IncompleteError        the streams that could not be read whole; the end of a run
    └── Interrupted            SIGTERM, Ctrl-C

They are `click` exceptions because that is how a command of the SDK ends with a message in place
of a traceback, wherever in the command they are raised.
"""

from __future__ import annotations

import logging
from typing import IO, Any

import click
from singer_sdk.exceptions import ConfigValidationError

logger = logging.getLogger("tap-looker")


class LookerError(click.ClickException):
    """Base of all errors that are said to the user."""

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002
        """Log the message, with a traceback only where the log level asks for it."""
        logger.error(
            "%s", self.message, exc_info=self if logger.isEnabledFor(logging.DEBUG) else None
        )


class SettingsError(LookerError, ConfigValidationError):
    """The configuration is wrong: one line for each setting."""

    def __init__(self, errors: list[str]) -> None:
        click.ClickException.__init__(self, "\n".join(errors))
        self.errors = errors
        self.schema = None


class LoginError(LookerError):
    """Looker cannot be reached, or does not accept the API key."""


class RequestError(LookerError):
    """A request failed for good.

    Attributes:
        status: HTTP status of the last answer, or None if there was none.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class DeniedError(RequestError):
    """Looker says no: 403, or 404, its usual answer to a lack of permission."""


class BudgetError(LookerError):
    """The run has made as many calls as it may."""


class IncompleteError(LookerError):
    """Some streams could not be read whole."""


class Interrupted(LookerError):  # noqa: N818
    """The run was asked to end.

    Attributes:
        exit_code: 128 and the number of the signal, as a shell would say it.
    """

    def __init__(self, signum: int) -> None:
        super().__init__("Interrupted: what was written so far is whole, the rest was not read.")
        self.exit_code = 128 + signum  # type: ignore[misc]
