"""Say what a newer release of ``looker-sdk`` adds and removes, measured by what the tap reads.

    python scripts/compare_sdk.py                     the release of pyproject.toml and the newest
    python scripts/compare_sdk.py 26.12.0 26.22.0     any two releases
    python scripts/compare_sdk.py --pin               and write the newer one into pyproject.toml

The releases are downloaded with pip and read as source, not installed. What comes out is Markdown:
read operations that are new or gone, and whether a stream reads them; properties of the models that
streams are made of; and how much else there is. After ``--pin``, ``python3 dev.py fix`` writes the
schemas from the new release.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the rows of this checkout, installed or not

from tap_looker.resources.rest_streams import RESOURCES  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

PYPROJECT = ROOT / "pyproject.toml"
PIN = re.compile(r"looker-sdk==([0-9.]+)")
API = "looker_sdk/sdk/api40"


class CompareError(Exception):
    """A release that cannot be had or read."""


@dataclass(frozen=True)
class Operation:
    """A method of the official client.

    Attributes:
        verb: Of HTTP.
        path: With ``{names}`` for its parameters.
        returns: Type of the answer, as the client has it.
    """

    verb: str
    path: str
    returns: str

    @property
    def is_list(self) -> bool:
        """Whether it answers with a list."""
        return "Sequence" in self.returns


Properties = dict[str, str]
"""The properties of a model and their types, in words."""


@dataclass(frozen=True)
class Release:
    """What a release of the official client says of the API."""

    version: str
    operations: Mapping[str, Operation]
    models: Mapping[str, Properties]


def operations(methods: str) -> dict[str, Operation]:
    """The operations in the source of ``methods.py``, by the names of the methods.

    The comment before each method says what it calls: ``# GET /users -> Sequence[mdls.User]``.
    """
    found = re.finditer(
        r"# (?P<verb>[A-Z]+) (?P<path>\S+) -> (?P<type>.+)\n(?:(?!    def ).*\n)*?"
        r"    def (?P<name>\w+)\(",
        methods,
    )
    return {one["name"]: Operation(one["verb"], one["path"], one["type"]) for one in found}


def models(source: str) -> dict[str, Properties]:
    """The models in the source of ``models.py``; not those that only requests hold."""
    return {
        node.name: {
            one.target.id: ast.unparse(one.annotation)
            for one in node.body
            if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
        }
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("Write")
    }


def release(wanted: str) -> Release:
    """A release, downloaded: ``26.22.0``, or "" for the newest.

    Raises:
        CompareError: There is no such release, or it does not hold the API.
    """
    name = f"looker-sdk=={wanted}" if wanted else "looker-sdk"
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download"]
        options = ["--no-deps", "--only-binary", ":all:", "--dest", folder, name]
        done = subprocess.run([*pip, *options], check=False, capture_output=True, text=True)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            why = done.stderr.strip().rpartition("\n")[2].removeprefix("ERROR: ")
            raise CompareError(f"pip cannot download {name}: {why}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            if f"{API}/methods.py" not in wheel.namelist():
                raise CompareError(f"{wheels[0].name} does not hold API 4.0: take another release.")
            texts = [wheel.read(f"{API}/{part}.py").decode() for part in ("methods", "models")]
        return Release(wheels[0].name.split("-")[1], operations(texts[0]), models(texts[1]))


def pattern(path: str) -> str:
    """A path whatever its parameters are called."""
    return re.sub(r"\{\w*\}", "{}", path)


def streams_by_model(known: Mapping[str, Properties]) -> dict[str, list[str]]:
    """The streams that each model is a part of, at any depth."""
    found: dict[str, list[str]] = {}

    def visit(model: str, stream: str) -> None:
        if model not in known or stream in found.setdefault(model, []):
            return
        found[model].append(stream)
        for kind in known[model].values():
            for name in re.findall(r"\w+", kind):
                visit(name, stream)

    for resource in RESOURCES:
        visit(resource.model, resource.name)
    return found


def report(old: Release, new: Release) -> str:
    """What has changed, in Markdown."""
    read = {pattern(one.source.path): one.name for one in RESOURCES if one.source.path}
    lines = [f"# looker-sdk {old.version} → {new.version}", ""]
    for title, before, after in (("New", old, new), ("Gone", new, old)):
        gets = {
            name: one
            for name, one in after.operations.items()
            if one.verb == "GET" and name not in before.operations
        }
        rest = sum(name not in before.operations for name in after.operations) - len(gets)
        lines += [f"## {title} operations", ""]
        lines += [
            f"- `{name}`: `GET {one.path}`, {'a list' if one.is_list else 'one object'}; "
            + (f"read by `{read[pattern(one.path)]}`" if pattern(one.path) in read else "not read")
            for name, one in sorted(gets.items())
        ]
        lines += [f"- {rest} that write or run something.", ""]
    lines += ["## Properties of what streams read", "", *properties(old, new), ""]
    others = len(new.models.keys() ^ old.models.keys())
    lines.append(f"Models that are new or gone: {others}.")
    return "\n".join(lines) + "\n"


def properties(old: Release, new: Release) -> list[str]:
    """One line for each model of a stream whose properties have changed."""
    streams = {**streams_by_model(old.models), **streams_by_model(new.models)}
    lines = []
    for model in sorted(streams):
        before, after = old.models.get(model, {}), new.models.get(model, {})
        changes = [*_changes(before, after)]
        if changes:
            lines.append(f"- `{model}` ({_listed(streams[model])}): {', '.join(changes)}")
    return lines or ["None has changed."]


def _changes(before: Properties, after: Properties) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield f"+`{name}`"
        elif name not in after:
            yield f"-`{name}`"
        elif before[name] != after[name]:
            yield f"`{name}` is `{after[name]}` and was `{before[name]}`"


def _listed(names: Iterable[str], most: int = 5) -> str:
    known = [f"`{name}`" for name in names]
    more = f" and {len(known) - most} more" if known[most:] else ""
    return ", ".join(known[:most]) + more


def pinned() -> str:
    """The release that the schemas are written from."""
    return PIN.findall(PYPROJECT.read_text(encoding="utf-8"))[0]


def pin(version: str) -> None:
    """Have the schemas written from another release."""
    text = PYPROJECT.read_text(encoding="utf-8")
    PYPROJECT.write_text(PIN.sub(f"looker-sdk=={version}", text), encoding="utf-8", newline="\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("old", nargs="?", help="a release, by default that of pyproject.toml")
    parser.add_argument("new", nargs="?", default="", help="a release, by default the newest")
    parser.add_argument("--pin", action="store_true", help="write the new one into pyproject.toml")
    options = parser.parse_args(arguments)
    try:
        old, new = release(options.old or pinned()), release(options.new)
    except CompareError as error:
        print(error, file=sys.stderr)
        return 1
    print(report(old, new), end="")
    if options.pin:
        pin(new.version)
    return 0


if __name__ == "__main__":
    sys.exit(main())
