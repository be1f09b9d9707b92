"""The catalog, as `--discover` prints it: a change in it is a change for everybody downstream."""

from __future__ import annotations

import pytest
from support import entries, run_cli
from syrupy.extensions.json import JSONSnapshotExtension

from tap_looker.queries.columns import column_name

ENTRIES = entries()

each_stream = pytest.mark.parametrize("name", ENTRIES)


def in_short(schema, path=""):
    """One line for each property: its path and its type."""
    lines = {}
    for name, of in schema.get("properties", {}).items():
        where = f"{path}.{name}" if path else name
        types = [of["type"]] if isinstance(of["type"], str) else of["type"]
        kind = "|".join(types)
        below = of
        while "items" in below:
            below = below["items"]
            where += "[]"
            kind += " of " + "|".join(below.get("type", ["any"]))
        lines[where] = f"{kind} {below['format']}" if "format" in below else kind
        lines |= in_short(below, where)
    return lines


@each_stream
def test_stream(name, snapshot):
    entry = ENTRIES[name]
    metadata = {tuple(item["breadcrumb"]): item["metadata"] for item in entry["metadata"]}
    of_stream = metadata.pop(())
    automatic = {path[-1] for path, of in metadata.items() if of["inclusion"] == "automatic"}
    deselected = {path[-1] for path, of in metadata.items() if of.get("selected") is False}

    assert automatic == {*entry["key_properties"], entry.get("replication_key")} - {None}
    assert not deselected
    assert snapshot(extension_class=JSONSnapshotExtension) == {
        "stream": entry["stream"],
        "key_properties": entry["key_properties"],
        "replication_method": entry.get("replication_method"),
        "replication_key": entry.get("replication_key"),
        "selected": of_stream.get("selected"),
        "properties": in_short(entry["schema"]),
    }


@each_stream
def test_keys_exist_and_are_never_null(name):
    entry = ENTRIES[name]
    assert entry["key_properties"]
    for key in entry["key_properties"]:
        types = entry["schema"]["properties"][key]["type"]
        assert "null" not in ([types] if isinstance(types, str) else types)


def test_discovery_asks_for_no_settings_and_for_no_answer():
    run = run_cli("--discover")
    assert run.exit_code == 0
    assert not run.errors


def test_test_schema_writes_every_schema_and_asks_looker_for_nothing(run, emulator):
    schemas = run("--test=schema").schemas
    assert schemas.keys() == ENTRIES.keys()
    assert emulator.calls == []


def test_no_name_is_longer_than_postgres_allows():
    """It cuts longer ones off; a target then adds the column a second time, and fails."""
    names = {
        name
        for stream, entry in entries().items()
        for name in (stream, *entry["schema"]["properties"])
    }
    assert max(len(name.encode()) for name in names) <= 63


@pytest.mark.parametrize("beginning", ["orders.a", "orders.größe_"])
def test_long_names_stay_apart(beginning):
    fields = [f"{beginning}{'x' * 60}{end}" for end in ("", "_a", "_b")]
    names = [column_name(field) for field in fields]
    assert len(set(names)) == len(fields)
    assert all(50 < len(name.encode()) <= 63 for name in names)
    assert all(name.isidentifier() for name in names)
    assert column_name("orders.created_time") == "orders_created_time"
