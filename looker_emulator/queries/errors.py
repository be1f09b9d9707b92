"""What can be wrong with a query."""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 - a fact about the query, not a fault of ours
    """A query that is not run: a status, Looker's words, and the fields that are at fault."""

    def __init__(self, status: int, message: str, **fields: str) -> None:
        super().__init__(message)
        self.status, self.message, self.fields = status, message, fields


class DatabaseError(Exception):
    """What a database has against a query that Looker accepts."""
