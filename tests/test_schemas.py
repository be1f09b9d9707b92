"""The schema files: in step with their generator, complete, nullable, without secrets."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import jsonschema
import pytest

from tap_looker.resources.rest_streams import RESOURCES
from tap_looker.schemas import LEFT_OUT, WRITE_ONLY

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
import generate_schemas as generator

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = RESOURCES
SCHEMAS = {
    row.name: json.loads((generator.SCHEMAS / f"{row.name}.json").read_text("utf-8"))
    for row in ROWS
}
SECRET = re.compile(r"(password|passwd|secret|token|private_key|reset_url|setup_url)$")
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def properties(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property at every level, and the items of every array, with their paths."""
    for name, of in schema.get("properties", {}).items():
        yield f"{path}/{name}", of
        yield from properties(of, f"{path}/{name}")
    if "items" in schema:
        yield f"{path}/*", schema["items"]
        yield from properties(schema["items"], f"{path}/*")


def models() -> Iterator[type]:
    """Every model of the package that can be part of an answer."""
    for name, model in vars(generator.models).items():
        is_model = isinstance(model, type) and issubclass(model, generator.Model)
        if is_model and model is not generator.Model and not name.startswith("Write"):
            yield model


def test_files_are_what_the_generator_writes(capsys):
    assert generator.main(["--check"]) == 0, capsys.readouterr().out


def test_check_names_each_file_that_is_out_of_step(tmp_path, monkeypatch, capsys):
    wanted = generator.files()
    for name, text in wanted.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "users.json").unlink()
    (tmp_path / "looks.json").write_text("{}", encoding="utf-8")
    (tmp_path / "spaces.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(generator, "SCHEMAS", tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    assert generator.main(["--check"]) == 1
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert set(capsys.readouterr().out.splitlines()[:-1]) == {
        "looks.json differs",
        "spaces.json is superfluous",
        "users.json is missing",
    }

    assert generator.main([]) == 0
    assert {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()} == wanted


@each_row
def test_is_a_json_schema(row):
    for draft in (jsonschema.Draft7Validator, jsonschema.Draft202012Validator):
        draft.check_schema(SCHEMAS[row.name])


@each_row
def test_everything_but_the_keys_may_be_null(row):
    schema = SCHEMAS[row.name]
    assert set(schema) == {"type", "properties"}, "no property is required, none is forbidden"
    for key in row.keys:
        assert schema["properties"][key]["type"] in ("string", "integer")
    keys = {f"/{key}" for key in row.keys}
    for path, of in properties(schema):
        if path not in keys:
            kind, null = of["type"]
            assert null == "null", path
            assert kind in ("string", "integer", "number", "boolean", "object", "array"), path


@each_row
def test_ids_are_text(row):
    for path, of in properties(SCHEMAS[row.name]):
        if re.search(r"(/|_)ids?(/\*)?$", path):
            assert "integer" not in of["type"], path
            assert "number" not in of["type"], path


@each_row
def test_every_property_is_described(row):
    for path, of in properties(SCHEMAS[row.name]):
        if not path.endswith("/*"):
            assert 0 < len(of["description"]) <= generator.LONGEST, path
            assert "](" not in of["description"], path


@each_row
def test_no_permissions_and_no_secrets(row):
    for path, of in properties(SCHEMAS[row.name]):
        name = path.rpartition("/")[2]
        assert name not in LEFT_OUT, path
        assert not (SECRET.search(name) and "string" in of["type"]), path


@each_row
def test_every_property_of_the_model_is_there_or_left_out_for_a_reason(row):
    hints = get_type_hints(getattr(generator.models, row.model)) if row.model else {}
    names = {generator.api_name(name) for name in hints}
    present = SCHEMAS[row.name]["properties"].keys() - row.computed.keys()
    absent = names - {row.renamed.get(name, name) for name in present}
    if row.only:
        assert absent == names - set(row.only)
    else:
        assert absent == names & {*row.omit, *LEFT_OUT, *WRITE_ONLY.get(row.model, ())}
    assert names >= {*row.omit, *row.only}


@each_row
def test_no_column_has_a_name_that_targets_stumble_on(row):
    """SQLAlchemy binds ``version`` where a target marks rows as deleted."""
    assert "version" not in SCHEMAS[row.name]["properties"]


@each_row
def test_deleted_rows_can_be_told_from_the_others(row):
    if getattr(row.source, "has_trash", False):
        assert SCHEMAS[row.name]["properties"]["deleted"]["type"] == ["boolean", "null"]


def test_every_model_has_a_schema():
    for model in models():
        jsonschema.Draft7Validator.check_schema(generator.object_of(model))


def test_what_is_left_out_exists():
    hints = {model.__name__: {*get_type_hints(model)} for model in models()}
    assert set().union(*hints.values()) >= LEFT_OUT
    for model, names in WRITE_ONLY.items():
        assert hints[model] >= set(names)
    for model, name in [*generator.LIES, *generator.TIMES]:
        assert name in hints[model]
    for row in ROWS:
        assert {*row.unix_times} <= hints.get(row.model, set())
        assert {*row.renamed.values()} <= hints.get(row.model, set())


@each_row
def test_every_object_has_properties_or_may_hold_any(row):
    for path, of in properties(SCHEMAS[row.name]):
        assert of.get("properties") != {}, path


def test_a_model_of_which_nothing_is_left_is_noticed(monkeypatch):
    monkeypatch.setattr(generator, "EMPTY", set())
    with pytest.raises(generator.SchemaError, match="AlertConditionState"):
        generator.object_of(generator.models.Alert)


@each_row
def test_no_column_is_called_version(row):
    """Targets that delete softly bind a parameter of that name."""
    assert "version" not in SCHEMAS[row.name]["properties"]


@each_row
def test_times_are_times(row):
    for path, of in properties(SCHEMAS[row.name]):
        if path.endswith("_at"):
            assert of.get("format") == "date-time", path


def test_what_is_computed_or_converted_says_so():
    for row in ROWS:
        columns = SCHEMAS[row.name]["properties"]
        for name in row.computed:
            assert columns[name]["description"].startswith("Computed. ")
        for name in row.unix_times:
            assert "Unix seconds" in columns[name]["description"]


def test_a_new_write_only_property_is_noticed(monkeypatch):
    monkeypatch.delitem(WRITE_ONLY, "Role")
    with pytest.raises(generator.SchemaError, match=r"Role\.permission_set_id is write-only"):
        generator.object_of(generator.models.Role)


def test_a_model_within_itself_is_an_error(monkeypatch):
    monkeypatch.setitem(generator.models.Look.__annotations__, "folder", generator.models.Look)
    with pytest.raises(generator.SchemaError, match="Look → Look"):
        generator.object_of(generator.models.Look)


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("", "User id"),
        ("Id of the user. Ignored elsewhere.", "Id of the user."),
        ("A name, e.g. `sales`. More.", "A name, e.g. sales."),
        ("See **here**: [the\tdocs](https://example.com/a.b)", "See here: the docs"),
        ("many words " * 40, "many words " * 10 + "many …"),
    ],
)
def test_descriptions_are_short_and_plain(text, description):
    assert generator.describe("user_id", text) == description
