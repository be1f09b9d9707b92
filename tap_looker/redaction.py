"""No secret in a log line, wherever its text comes from: an answer can repeat what it was sent."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

CUT = "…"  # where a long text was cut, a secret in it may be cut, too
MIN_LENGTH = 6  # characters; hiding less would garble lines and hide nothing


class _Redactor(logging.Filter):
    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__()
        self._secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        shown = self._redacted(text)
        if record.exc_info and record.exc_info[1]:
            trace = "".join(traceback.format_exception(record.exc_info[1]))
            if self._redacted(trace) != trace:
                shown = f"{shown}\n{self._redacted(trace)}"
                record.exc_info = record.exc_text = None
        if shown != text:
            record.msg, record.args = shown, ()
        return True

    def _redacted(self, text: str) -> str:
        for secret in tuple(self._secrets):
            if len(secret) < MIN_LENGTH:
                continue
            text = text.replace(secret, "***")
            for length in range(len(secret) - 1, MIN_LENGTH - 1, -1) if CUT in text else ():
                text = text.replace(secret[:length] + CUT, "***" + CUT)
        return text


def redact(secrets: Collection[str]) -> None:
    """Replace secrets in all that is logged from now on.

    Args:
        secrets: May grow later.
    """
    for handler in logging.getLogger().handlers:
        for old in [one for one in handler.filters if isinstance(one, _Redactor)]:
            handler.removeFilter(old)
        handler.addFilter(_Redactor(secrets))
