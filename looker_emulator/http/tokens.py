"""Access tokens and how long they are valid."""

from __future__ import annotations

import secrets
import time


class Tokens:
    """The tokens issued, each with the time it expires."""

    def __init__(self, lifetime: float) -> None:
        self.lifetime = lifetime
        self._ends: dict[str, float] = {}

    def issue(self) -> str:
        """A new token: 40 characters, as Looker's are."""
        token = secrets.token_hex(20)
        self._ends[token] = time.monotonic() + self.lifetime
        return token

    def valid(self, token: str | None) -> bool:
        """Whether the token was issued here and has neither expired nor been revoked."""
        return token is not None and self._ends.get(token, 0.0) > time.monotonic()

    def revoke(self, token: str | None) -> None:
        """Log out."""
        if token is not None:
            self._ends.pop(token, None)

    def revoke_all(self) -> None:
        """Invalidate every token, as a restart of Looker does."""
        self._ends.clear()
