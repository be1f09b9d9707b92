"""Edges of a graph in the DOT language, as Looker draws derived tables in it.

::

    digraph storefront { subgraph { <order_facts> -> <public.orders> [style=dashed] } }
    digraph g { "storefront/order_facts" -> "public.orders" [style=dashed] }

Both shapes have been seen. Looker documents that it is DOT, and no more than that, so the whole of
the grammar (https://graphviz.org/doc/info/lang.html) is read, and names without quotes that hold
dots, which it would not allow.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SKIPPED = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/|(?<![^\n])#[^\n]*)+", re.DOTALL)
_TOKEN = re.compile(
    r'(?P<mark>->|--|[{}\[\]=;,:])|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<html><)'
    r'|(?P<plain>(?:(?!->|--)[^\s{}\[\]=;,:"<>])+)',
    re.DOTALL,
)
_ARROWS = ("->", "--")
_WORDS = ("subgraph", "graph", "node", "edge")


class DotError(ValueError):
    """A text that is not a graph in the DOT language."""


@dataclass(frozen=True)
class Edge:
    """An arrow between two nodes.

    Attributes:
        tail: Name of the node that it starts from.
        head: Name of the node that it points to.
        attributes: As they are written, those that hold for all edges around it too.
    """

    tail: str
    head: str
    attributes: Mapping[str, str]


def edges(text: str) -> list[Edge]:
    """The edges of a graph, in their order.

    Raises:
        DotError: The text is not a graph, or breaks off.
    """
    found = _Parser(_tokens(text)).graph()
    if "->" in text and not found:  # a bracket or quote that is lost can swallow them
        raise DotError("it has arrows, and no edge")
    return found


def _tokens(text: str) -> list[tuple[str, str]]:
    """Kinds and values: a mark is its own kind, a name is a ``word`` or is ``quoted``."""
    found: list[tuple[str, str]] = []
    at = _skip(text, 0)
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise DotError(f"it cannot be read from character {at:,}")
        at = match.end()
        if match["mark"]:
            found.append((match["mark"], ""))
        elif match["html"]:
            at = _end_of_html(text, at)
            found.append(("quoted", text[match.end() : at - 1]))
        elif match["quoted"] is not None:
            found.append(("quoted", re.sub(r'\\(["\n])', _unescaped, match["quoted"])))
        else:
            found.append(("word", match["plain"]))
        at = _skip(text, at)
    return found


def _unescaped(match: re.Match[str]) -> str:
    return match[1].strip("\n")  # a line that goes on in the next


def _skip(text: str, at: int) -> int:
    match = _SKIPPED.match(text, at)
    return match.end() if match else at


def _end_of_html(text: str, at: int) -> int:
    """Where a text in angle brackets ends, which may hold others."""
    depth = 1
    for match in re.compile("[<>]").finditer(text, at):
        depth += 1 if match[0] == "<" else -1
        if not depth:
            return match.end()
    raise DotError("a name in angle brackets has no end")


@dataclass
class _Parser:
    """Reads statements one after the other; blocks inside blocks on a stack, not by recursion."""

    tokens: list[tuple[str, str]]
    at: int = 0
    found: list[Edge] = field(default_factory=list)

    def graph(self) -> list[Edge]:
        head = [value.lower() for kind, value in self.tokens[:3] if kind == "word"]
        if head[:1] == ["strict"]:
            self.at, head = 1, head[1:]
        if head[:1] not in (["digraph"], ["graph"]):
            raise DotError("it does not begin with digraph")
        self.at += 1
        if self._kind() in ("word", "quoted"):
            self.at += 1
        self._expect("{")
        self._block({})
        if self.at < len(self.tokens):
            raise DotError("something follows its end")
        return self.found

    def _block(self, defaults: dict[str, str], depth: int = 0) -> list[str]:
        """The statements up to a closing bracket; the names of the nodes in them."""
        if depth > 100:  # noqa: PLR2004 - a drawing has a few
            raise DotError("it is nested too deeply")
        defaults, names = dict(defaults), dict[str, None]()
        while self._kind() != "}":
            if self._kind() in (";", ","):
                self.at += 1
                continue
            names |= dict.fromkeys(self._statement(defaults, depth))
        self.at += 1
        return list(names)

    def _statement(self, defaults: dict[str, str], depth: int) -> list[str]:
        kind, value = self._token()
        word = value.lower() if kind == "word" else ""
        if word in ("graph", "node", "edge") and self._kind(1) == "[":
            self.at += 1
            attributes = self._attributes()
            defaults |= attributes if word == "edge" else {}
            return []
        ends = [self._end(defaults, depth)]
        if self._kind() == "=" and kind != "{":  # an attribute of the graph
            self.at += 1
            self._name()
            return []
        while self._kind() in _ARROWS:
            self.at += 1
            ends.append(self._end(defaults, depth))
        attributes = {**defaults, **self._attributes()}
        for tails, heads in itertools.pairwise(ends):
            self.found += [Edge(tail, head, attributes) for tail in tails for head in heads]
        return [name for end in ends for name in end]

    def _end(self, defaults: dict[str, str], depth: int) -> list[str]:
        """One end of an edge: a node, or all nodes of a block."""
        kind, value = self._token()
        is_named = kind == "word" and value.lower() == "subgraph"
        if is_named:
            self.at += 1
            if self._kind() in ("word", "quoted"):
                self.at += 1
        if is_named or kind == "{":
            self._expect("{")
            return self._block(defaults, depth + 1)
        name = self._name()
        while self._kind() == ":":  # where on the node the edge ends
            self.at += 1
            self._name()
        return [name]

    def _attributes(self) -> dict[str, str]:
        found: dict[str, str] = {}
        while self._kind() == "[":
            self.at += 1
            while self._kind() != "]":
                if self._kind() in (";", ","):
                    self.at += 1
                    continue
                name = self._name()
                if self._kind() == "=":
                    self.at += 1
                    found[name] = self._name()
            self.at += 1
        return found

    def _name(self) -> str:
        kind, value = self._token()
        if kind not in ("word", "quoted") or not value.strip():
            raise DotError(f"there is {value or kind!r} in the place of a name")
        self.at += 1
        if kind == "quoted":  # long texts are written in parts
            while self._kind() == "word" and self.tokens[self.at][1] == "+":
                self.at += 1
                value += self._name()
        return value

    def _expect(self, mark: str) -> None:
        if self._kind() != mark:
            raise DotError(f"there is no {mark!r} where one belongs")
        self.at += 1

    def _kind(self, ahead: int = 0) -> str:
        return self._token(ahead)[0] if self.at + ahead < len(self.tokens) or not ahead else ""

    def _token(self, ahead: int = 0) -> tuple[str, str]:
        if self.at + ahead >= len(self.tokens):
            raise DotError("it breaks off")
        return self.tokens[self.at + ahead]
