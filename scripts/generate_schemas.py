"""Write the JSON Schema of every stream from the models of the ``looker-sdk`` package.

    python scripts/generate_schemas.py            write tap_looker/schemas/*.json
    python scripts/generate_schemas.py --check    write nothing; exit 1 if a file is out of step

The rules: a type comes from the model's type hint, and everything is nullable except the primary
key, since Looker leaves out or nulls what a user may not see, whatever the models promise. Texts
that hold times have the format of those hinted as ``datetime``; no time is ``""`` there. So have
Unix seconds, where a row of the table names them.
Mappings are objects without named properties: the value types that the models declare for them
are often wrong (``dict[str, str]`` for a whole ``vis_config``). Ids are text, whatever the model
says: of one and the same thing, some models have a text and some a number.

Descriptions are the first sentences of the models' own documentation, shortened. The models are
part of sdk-codegen (github.com/looker-open-source/sdk-codegen), under the MIT licence.
"""

from __future__ import annotations

import argparse
import datetime as dt
import enum
import inspect
import json
import keyword
import re
import sys
import textwrap
from collections.abc import Mapping, MutableMapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from looker_sdk.rtl.model import Model
from looker_sdk.sdk.api40 import models

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the rows of this checkout, installed or not

from tap_looker.resources.flat import Nested  # noqa: E402
from tap_looker.resources.kinds import Endpoint, Search  # noqa: E402
from tap_looker.resources.resource import Column, Resource  # noqa: E402
from tap_looker.resources.rest_streams import RESOURCES  # noqa: E402
from tap_looker.schemas import LEFT_OUT, WRITE_ONLY  # noqa: E402

SCHEMAS = ROOT / "tap_looker" / "schemas"
LONGEST = 120

#: Names of ids, one or several.
ID = re.compile(r"(^|_)ids?$")

#: Whatever JSON can hold, in one type that every target can store: a string, as JSON text where
#: the value is not a string. Of the alternatives, ``{}`` breaks targets that look up ``type``
#: (target-duckdb), and a union with "object" in it becomes a JSON column that a bare string does
#: not fit (target-duckdb again), or ARRAY (target-postgres), or no column at all where columns
#: have one type (BigQuery, Parquet).
ANYTHING = {"type": "string"}

#: Properties whose values are not what the model says: (model, property) → schema.
LIES: dict[tuple[str, str], dict[str, Any]] = {
    ("ColorStop", "offset"): {"type": "number"},  # "integer"; fractions are sent
}

#: Models of which nothing is left, by what the documentation says of them: text, whatever comes.
#: Not every target has a type for an object without properties.
EMPTY = {"AlertConditionState"}

TIME: dict[str, Any] = {"type": "string", "format": "date-time"}

#: Texts that hold times though their names do not end in ``_at``: (model, property).
TIMES = {("ContentView", "start_of_week_date"), ("SshTunnel", "last_attempt")}

UNIX = " (Unix seconds in Looker.)"

#: What a row of `trash` has, whether or not its model knows it.
DELETED = {"type": ["boolean", "null"], "description": "In the trash: found with deleted=true."}

SIMPLE: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    float: {"type": "number"},
    dt.datetime: TIME,
    Any: ANYTHING,
}


class SchemaError(Exception):
    """A model that the rules above do not cover; somebody has to decide."""


def generate(row: Resource) -> dict[str, Any]:
    """The schema of a row's records."""
    of_model = object_of(getattr(models, row.model))["properties"] if row.model else {}
    for name in row.unix_times:
        text = textwrap.shorten(of_model[name]["description"], LONGEST - len(UNIX), placeholder="…")
        of_model[name] = {**nullable(TIME), "description": f"{text}{UNIX}"}
    left = row.only or tuple(name for name in of_model if name not in row.omit)
    properties = {name: added(row, name) for name in row.added_columns if name not in left}
    columns = {name: column for column, name in row.renamed.items()}
    if unknown := columns.keys() - {*left}:
        raise SchemaError(f"{row.name}: {', '.join(unknown)} cannot be renamed")
    properties |= {columns.get(name, name): of_model[name] for name in left}
    if isinstance(row.source, Search) and row.source.has_trash:
        properties.setdefault("deleted", DELETED)
    for name, computed in row.computed.items():
        properties[name] = of_column(computed.column, "Computed. ")
    for key in row.keys:
        if key not in properties:
            raise SchemaError(f"{row.name}: {row.model} has no property {key!r} for its key")
        properties[key] = {**properties[key], "type": properties[key]["type"][0]}
    return {"type": "object", "properties": properties}


def added(row: Resource, name: str) -> dict[str, Any]:
    """The schema of a property that the rows do not have: a key of what they belong to."""
    source, path, above = row.source, "", ""
    if name in (columns := getattr(source, "columns", {})):  # of rows that the tap makes
        return of_column(columns[name])
    if isinstance(source, Nested):
        if name == source.position:
            return of_column(Column("Place in the list, from 0", "integer"))
        above = source.resource
    if isinstance(source, Endpoint) and source.parent:
        taken = {**source.parent.fields, **source.parent.include}
        path, above = taken.get(name, ""), source.parent.resource
    if isinstance(source, (Endpoint, Nested)):
        path = path or source.include_from_parent.get(name, "")
    of = f", {path.rpartition('.')[2]} of {above}" if path and above else ""
    return of_column(Column(f"{name.replace('_', ' ').capitalize()}{of}"))


def of_column(column: Column, mark: str = "") -> dict[str, Any]:
    """The schema of a column that no model has."""
    schema: dict[str, Any] = {"type": [column.type, "null"]}
    if column.format:
        schema["format"] = column.format
    return {**schema, "description": mark + column.description}


def object_of(model: type, within: tuple[type, ...] = ()) -> dict[str, Any]:
    """The schema of a model, with its nested models in full."""
    if model in within:
        path = " → ".join(each.__name__ for each in (*within, model))
        raise SchemaError(f"{path}: a model that contains itself cannot be written out in full")
    texts = documentation(model)
    properties = {}
    for hinted, hint in get_type_hints(model).items():
        name = api_name(hinted)
        text = texts.get(hinted, "")
        if left_out(model, name, text):
            continue
        schema = LIES.get((model.__name__, name)) or schema_of(hint, (*within, model))
        if ID.search(name):
            schema = as_text(schema)
        if schema == SIMPLE[str] and (name.endswith("_at") or (model.__name__, name) in TIMES):
            schema = TIME
        properties[name] = {**nullable(schema), "description": describe(name, text)}
    return {"type": "object", "properties": properties}


def schema_of(hint: Any, within: tuple[type, ...]) -> dict[str, Any]:
    """The schema of a type hint, not yet nullable."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Union:
        (hint,) = (each for each in arguments if each is not type(None))
        return schema_of(hint, within)
    if origin in (Sequence, list):
        return {"type": "array", "items": nullable(schema_of(arguments[0], within))}
    if origin in (Mapping, MutableMapping, dict):
        return {"type": "object"}
    if hint in SIMPLE:
        return SIMPLE[hint]
    if issubclass(hint, enum.Enum):
        return {"type": "string"}  # its values are left open: the next release has one more
    if issubclass(hint, Model):
        found = object_of(hint, within)
        if not found["properties"] and hint.__name__ not in EMPTY:
            raise SchemaError(f"{hint.__name__}: nothing is left of it")
        return found if found["properties"] else ANYTHING
    raise SchemaError(f"{within[-1].__name__}: no rule for {hint}")


def as_text(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with text in place of whole numbers, alone or as the items of a list."""
    if schema["type"] == "integer":
        return {**schema, "type": "string"}
    if schema["type"] == ["integer", "null"]:
        return {**schema, "type": ["string", "null"]}
    return {**schema, "items": as_text(schema["items"])} if "items" in schema else schema


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, with null admitted; ``type`` stays in front, the null last."""
    return {**schema, "type": [schema["type"], "null"]}


def left_out(model: type, name: str, text: str) -> bool:
    """Whether no schema may have a property."""
    write_only = name in WRITE_ONLY.get(model.__name__, ())
    if "(write-only)" in text.lower() and not write_only:
        raise SchemaError(f"{model.__name__}.{name} is write-only: add it to WRITE_ONLY")
    return write_only or name in LEFT_OUT


def api_name(hinted: str) -> str:
    """A property's name in the API: the models write ``from`` as ``from_``."""
    bare = hinted.rstrip("_")
    return bare if keyword.iskeyword(bare) else hinted


def documentation(model: type) -> dict[str, str]:
    """What the docstring of a model says of each attribute, under "Attributes:"."""
    lines = (inspect.getdoc(model) or "").partition("Attributes:\n")[2]
    return dict(re.findall(r"^ +(\w+):[ \t]*(.*)$", lines, re.MULTILINE))


def describe(name: str, text: str) -> str:
    """The first sentence of a text without its markup, or else the name in words."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("**", "").replace("`", "")
    sentence = re.split(r"(?<!e\.g\.)(?<!i\.e\.)(?<=[.!?])\s", text.strip())[0]
    plain = sentence or name.replace("_", " ").capitalize()
    return textwrap.shorten(plain, LONGEST, placeholder=" …")


def files() -> dict[str, str]:
    """The text of every schema file by its name."""
    return {
        f"{row.name}.json": json.dumps(generate(row), indent=2, ensure_ascii=False) + "\n"
        for row in RESOURCES
    }


def differences(wanted: dict[str, str], folder: Path) -> dict[str, str]:
    """What is wrong with which file of a folder."""
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return {
        **{name: "differs" for name in wanted if found.get(name) != wanted[name]},
        **dict.fromkeys(sorted(wanted.keys() - found.keys()), "is missing"),
        **dict.fromkeys(sorted(found.keys() - wanted.keys()), "is superfluous"),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or with ``--check`` compare them; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    check = parser.parse_args(arguments).check
    wanted = files()
    wrong = differences(wanted, SCHEMAS)
    for name, problem in wrong.items():
        if check:
            print(f"{name} {problem}")
        elif name in wanted:
            (SCHEMAS / name).write_text(wanted[name], encoding="utf-8", newline="\n")
            print(f"{name} written")
        else:
            (SCHEMAS / name).unlink()
            print(f"{name} deleted")
    if not (check and wrong):
        return 0
    version = metadata.version("looker-sdk")
    print(f"Run scripts/generate_schemas.py, here with looker-sdk {version}, and look at the diff.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
