"""The parameters of list endpoints: filters, sorts, paging, `fields`. Pure functions."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from looker_emulator.instance.values import HOST, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Fields = dict[str, "Fields | None"]
"""Requested names; each maps to the names requested within it, or to None for all."""


class InvalidParameter(Exception):  # noqa: N818 - about the request, not an error of the emulator
    """A parameter that Looker refuses with 400, the only such status documented for reads."""


# ---------------------------------------------------------------------------------------- filters


def matching(
    rows: Iterable[Row],
    wanted: Mapping[str, str],
    *,
    value_of: Callable[[Row, str], Any] = dict.get,
    either: bool = False,
) -> list[Row]:
    """The rows that match all of the wanted values, or any of them (`filter_or`)."""
    tests = [(name, _test(name, text)) for name, text in wanted.items()]
    if not tests:
        return list(rows)
    combine = any if either else all
    return [row for row in rows if combine(test(value_of(row, name)) for name, test in tests)]


def _test(name: str, text: str) -> Callable[[Any], bool]:
    """Compare by the type of the value, since parameters have no type."""
    if text.upper() == "IS NULL":
        return lambda value: value is None
    if text.upper() == "NOT NULL":
        return lambda value: value is not None
    listed = {part.strip() for part in text.split(",")}
    like = re.compile(
        "".join({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in text),
        re.IGNORECASE | re.DOTALL,
    )
    is_id = name == "id" or name.endswith("_id")

    def test(value: Any) -> bool:
        if isinstance(value, bool):
            return value is boolean(name, text)
        if isinstance(value, (list, tuple, set)):
            return not listed.isdisjoint(value)
        if isinstance(value, int) or (is_id and value is not None):
            return str(value) in listed
        return isinstance(value, str) and like.fullmatch(value) is not None

    return test


def boolean(name: str, text: str) -> bool:
    """`true` or `false`, which is all that boolean parameters accept."""
    if text.lower() not in ("true", "false"):
        raise InvalidParameter(f"{name} must be true or false")
    return text.lower() == "true"


# ------------------------------------------------------------------------------------------ sorts


def ordered(rows: list[Row], sorts: str) -> list[Row]:
    """The rows sorted, for example by `folder_id,title desc`. Nulls come last."""
    for sort in reversed([part.split() for part in sorts.split(",") if part.strip()]):
        column, descending = sort[0], [word.lower() for word in sort[1:]] == ["desc"]
        if rows and not any(column in row for row in rows):
            raise InvalidParameter(f"sorts has no column {column}")
        given = [row for row in rows if row.get(column) is not None]
        missing = [row for row in rows if row.get(column) is None]
        given.sort(key=lambda row: _sort_key(row[column]), reverse=descending)
        rows = given + missing
    return rows


def _sort_key(value: Any) -> tuple[int, Any]:
    # Ids are numbers in Looker's database and strings in its answers.
    if isinstance(value, str) and not value.isdigit():
        return 1, value.lower()
    return (0, int(value)) if isinstance(value, (str, int)) else (2, str(value))


# ----------------------------------------------------------------------------------------- paging


class Page(NamedTuple):
    """The part of a list that is requested."""

    limit: int | None = None
    offset: int = 0

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Page:
        """Read `limit` and `offset`, or the older `page` and `per_page`.

        `offset` needs a limit, and a negative limit means no limit.
        """
        limit, offset = (_integer(query, name) for name in ("limit", "offset"))
        per_page, page = (_integer(query, name) for name in ("per_page", "page"))
        if limit is None and per_page is not None:
            limit, offset = per_page, (max(page or 1, 1) - 1) * per_page
        if limit is None or limit < 0:
            return cls()
        return cls(limit, max(offset or 0, 0))

    def cut(self, rows: list[Row], cap: int | None = None) -> list[Row]:
        """The rows of this page, never more than `cap`."""
        limit = len(rows) if self.limit is None else self.limit
        if cap is not None:
            limit = min(limit, cap)
        return rows[self.offset : self.offset + limit]

    def headers(self, path: str, query: Mapping[str, str], total: int) -> dict[str, str]:
        """`Link` and `X-Total-Count`, which Looker sends only where a limit was given.

        The links contain the instance's internal address, which clients cannot reach.
        """
        if self.limit is None:
            return {}
        step = max(self.limit, 1)
        offsets = {"first": 0, "last": max(total - 1, 0) // step * step}
        if self.offset + self.limit < total:
            offsets["next"] = self.offset + self.limit
        if self.offset:
            offsets["prev"] = max(self.offset - self.limit, 0)
        links = [
            f"<{HOST}{path}?{urlencode({**query, 'limit': self.limit, 'offset': offset})}>; "
            f'rel="{relation}"'
            for relation, offset in offsets.items()
        ]
        return {"link": ",".join(links), "x-total-count": str(total)}


def _integer(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None or not text.strip():
        return None
    try:
        return int(text)
    except ValueError:
        raise InvalidParameter(f"{name} is not a number") from None


# ----------------------------------------------------------------------------------------- fields


@lru_cache(maxsize=1024)
def parse_fields(text: str) -> Fields:
    """Read `id,folder(id,name)`."""
    root: Fields = {}
    open_levels = [root]
    name = ""
    for part in re.findall(r"[(),]|[^(),\s]+", text):
        if part == "(":
            nested: Fields = {}
            open_levels[-1][name] = nested
            open_levels.append(nested)
        elif part == ")":
            open_levels.pop()
            if not open_levels:
                raise InvalidParameter("fields has a parenthesis too many")
        elif part != ",":
            name = part
            open_levels[-1].setdefault(name, None)
    if len(open_levels) > 1:
        raise InvalidParameter("fields has a parenthesis that is never closed")
    return root


def project(value: Any, fields: Fields | None) -> Any:
    """Only the requested fields of a row, a list of rows or a nested object.

    Names that a row does not have are ignored.
    """
    if fields is None or value is None:
        return value
    if isinstance(value, list):
        return [project(item, fields) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: value[name] if nested is None else project(value[name], nested)
        for name, nested in fields.items()
        if name in value
    }
