"""Looker expressions (custom fields, table calculations), translated to SQL word by word.

Arithmetic, comparisons and a few functions are supported; other words are refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PLACE = '"$place"'
"""The column with the number of each row in the order of the result."""

_TOKEN = re.compile(
    r"""\s*(?:
        \$\{(?P<field>[\w.]+(?::total)?)\}
      | rank\(\s*\$\{(?P<ranked>[\w.]+)\}\s*,\s*\$\{(?P=ranked)\}\s*\)
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
_ALL = "OVER ()"
_OVER_ROWS = {
    "sum": ("sum", _ALL),
    "max": ("max", _ALL),
    "min": ("min", _ALL),
    "mean": ("avg", _ALL),
    "count": ("count", _ALL),
    # A negative offset is a row above.
    "offset": ("lead", f"OVER (ORDER BY {PLACE})"),
    "row": ("row_number", f"OVER (ORDER BY {PLACE})"),
    "running_total": ("sum", f"OVER (ORDER BY {PLACE} ROWS UNBOUNDED PRECEDING)"),
}
"""Functions over the rows of a result, and over which of them."""


class InvalidExpression(Exception):  # noqa: N818 - about the query, not an error of the emulator
    """An expression with something that is not supported."""


def translated(text: str, column: Callable[[str], str], *, over_rows: bool = False) -> str:
    """The expression in SQL.

    Args:
        text: For example `${orders.count} / sum(${orders.count})`.
        column: Gives the SQL of a field by its name, which may end in `:total`.
        over_rows: Whether it is a table calculation, which sees the other rows too.
    """
    parts, position = [], 0
    text = text.strip()
    depth = 0
    windows: list[tuple[int, str]] = []
    while position < len(text):
        found = _TOKEN.match(text, position)
        if not found:
            raise InvalidExpression(text[position:])
        position = found.end()
        name, ranked, number, literal, word, sign = found.groups()
        if name:
            parts.append(column(name))
        elif ranked and over_rows:
            parts.append(f"rank() OVER (ORDER BY {column(ranked)} DESC NULLS LAST)")
        elif number:
            parts.append(number)
        elif literal is not None:
            plain = re.sub(r"\\(.)", r"\1", literal)
            parts.append("'" + plain.replace("'", "''") + "'")
        elif word and over_rows and word in _OVER_ROWS:
            function, window = _OVER_ROWS[word]
            windows.append((depth, window))
            parts.append(function)
        elif word:
            parts.append(_word(word))
        elif not sign:
            raise InvalidExpression(text)
        else:
            depth += (sign == "(") - (sign == ")")
            parts.append(_SIGNS.get(sign, sign))
            if sign == ")" and windows and windows[-1][0] == depth:
                parts.append(windows.pop()[1])
    if not parts or depth:
        raise InvalidExpression(text)
    return " ".join(parts)


def _word(word: str) -> str:
    known = _WORDS | _FUNCTIONS
    if word.lower() not in known:
        raise InvalidExpression(word)
    return known[word.lower()]
