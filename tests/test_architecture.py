"""Imports point one way, and no module has grown too large to read."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tap_looker

ROOT = Path(tap_looker.__file__).parent
LAYERS = (
    {"__main__"},
    {"tap"},
    {"cli"},
    {"streams"},
    {"run"},
    {"access", "progress"},
    {"settings", "selection", "permissions", "cost_estimate"},
    {"settings_schema"},
    {"resources", "queries"},
    {"looker"},
    {"values", "used_fields"},
    {"files", "stdout"},
    {"schemas", "errors", "redaction", "times"},
)
"""From the top down: a layer may import those below it, and within a room what does not circle."""
MAX_LINES = 550
MODULES = {
    path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ROOT.rglob("*.py")
}
LAYER_OF = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}


def imports(path):
    """The tap's own modules that a module imports, for types too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tap_looker"):
            base = node.module.removeprefix("tap_looker").lstrip(".")
            for alias in node.names:
                whole = f"{base}.{alias.name}".lstrip(".")
                found.add(whole if whole in MODULES.values() or not base else base)
    return {name for name in found if name.split(".")[0] in LAYER_OF}


def room(module):
    return module.split(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=MODULES.get)
def test_imports_point_down(path):
    module = MODULES[path]
    if room(module) == "__init__":
        return
    for other in imports(path):
        if room(other) != room(module):
            assert LAYER_OF[room(module)] < LAYER_OF[room(other)], f"{module} imports {other}"


def test_no_imports_circle():
    """Within the rooms too, and counting those that are for types alone."""
    names = {module.removesuffix(".__init__"): path for path, module in MODULES.items()}
    graph = {name: imports(path) & names.keys() for name, path in names.items()}
    done, path = set(), []

    def visit(name):
        assert name not in path, " → ".join([*path[path.index(name) :], name])
        if name not in done:
            path.append(name)
            for other in graph[name]:
                visit(other)
            path.pop()
            done.add(name)

    for name in graph:
        visit(name)


@pytest.mark.parametrize("name", ["looker", "queries", "resources", "errors"])
def test_what_is_not_singer_imports_neither_the_sdk_nor_click(name):
    paths = [path for path, module in MODULES.items() if room(module) == name]
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [alias.name for alias in node.names]
                roots = {(getattr(node, "module", None) or names[0]).split(".")[0]}
                assert not roots & {"singer_sdk", "click"}, path


@pytest.mark.parametrize("path", MODULES, ids=MODULES.get)
def test_modules_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES
