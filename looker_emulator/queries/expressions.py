"""Looker expressions (custom fields, table calculations), translated to SQL word by word.

Arithmetic, comparisons and a few functions are supported; other words are refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN = re.compile(
    r"""\s*(?:
        \$\{(?P<field>[\w.]+)\}
      | (?P<number>\d+(?:\.\d+)?)
      | "(?P<text>(?:[^"\\]|\\.)*)"
      | (?P<word>[A-Za-z_]\w*)
      | (?P<sign><=|>=|!=|[-+*/%(),=<>])
    )""",
    re.VERBOSE,
)
_WORDS = {"and": "AND", "or": "OR", "not": "NOT", "yes": "true", "no": "false", "null": "NULL"}
_SIGNS = {"!=": "<>"}
_FUNCTIONS = {
    "abs": "abs",
    "ceiling": "ceil",
    "coalesce": "coalesce",
    "concat": "concat",
    "contains": "contains",
    "date": "make_date",
    "date_time": "make_timestamp",
    "floor": "floor",
    "if": "if",
    "is_null": "is_null",
    "length": "length",
    "lower": "lower",
    "round": "round",
    "upper": "upper",
}
_OVER_ROWS = {"sum": "sum", "max": "max", "min": "min", "mean": "avg", "count": "count"}


class InvalidExpression(Exception):  # noqa: N818 - about the query, not an error of the emulator
    """An expression with something that is not supported."""


def translated(text: str, column: Callable[[str], str], *, over_rows: bool = False) -> str:
    """The expression in SQL.

    Args:
        text: For example `${orders.count} / sum(${orders.count})`.
        column: Gives the SQL of a field by its name.
        over_rows: Whether it is a table calculation, which aggregates all rows.
    """
    parts, position = [], 0
    text = text.strip()
    depth, windows = 0, []
    while position < len(text):
        found = _TOKEN.match(text, position)
        if not found:
            raise InvalidExpression(text[position:])
        position = found.end()
        name, number, literal, word, sign = found.groups()
        if name:
            parts.append(column(name))
        elif number:
            parts.append(number)
        elif literal is not None:
            plain = re.sub(r"\\(.)", r"\1", literal)
            parts.append("'" + plain.replace("'", "''") + "'")
        elif word:
            if over_rows and word in _OVER_ROWS:
                windows.append(depth)
            parts.append(_word(word, over_rows=over_rows))
        else:
            depth += (sign == "(") - (sign == ")")
            parts.append(_SIGNS.get(sign, sign))
            if sign == ")" and windows and windows[-1] == depth:
                windows.pop()
                parts.append("OVER ()")
    if not parts or depth:
        raise InvalidExpression(text)
    return " ".join(parts)


def _word(word: str, *, over_rows: bool) -> str:
    known = _WORDS | _FUNCTIONS | (_OVER_ROWS if over_rows else {})
    if word.lower() not in known:
        raise InvalidExpression(word)
    return known[word.lower()]
