"""Errors of queries."""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 - about the query, not an error of the emulator
    """A query that Looker refuses: status, message, and the invalid fields."""

    def __init__(self, status: int, message: str, **fields: str) -> None:
        super().__init__(message)
        self.status, self.message, self.fields = status, message, fields


class DatabaseError(Exception):
    """An error of the database, for a query that Looker accepts."""
