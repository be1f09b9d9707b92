"""Imports point one way, and never to the tap."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import looker_emulator

ROOT = Path(looker_emulator.__file__).parent
LAYERS = ("", "http", "queries", "instance", "options")
"""From the top to the bottom; modules directly in the package are the top, options aside."""


def name_of(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(path): path for path in ROOT.rglob("*.py")}
MODULES = {name: path for name, path in FILES.items() if ".tests" not in name}


def imported(path):
    """What a file imports, under `if TYPE_CHECKING` too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports by a relative name"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in FILES else node.module


def layer(name):
    part = f"{name}.".split(".")[1]
    return LAYERS.index(part if part in LAYERS else "")


def test_there_is_no_circle():
    graph = {name: MODULES.keys() & set(imported(path)) for name, path in MODULES.items()}
    assert sum(map(len, graph.values())) > len(graph)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from None


def test_imports_point_down():
    climbing = [
        (name, other)
        for name, path in MODULES.items()
        for other in MODULES.keys() & set(imported(path))
        if layer(other) < layer(name)
    ]
    assert climbing == []


def test_nothing_is_imported_of_the_tap():
    for name, path in FILES.items():
        assert not {other for other in imported(path) if other.startswith("tap_looker")}, name
