"""Several instances in one warehouse: the same ids, and nobody's rows in anybody's way."""

from __future__ import annotations

import json

import pytest
from support import STREAMS, entries, keys_of, run_cli, selecting, settings_of
from test_versions import BY_STATUS, ON, Warehouse, activated, results, withheld

from looker_emulator import Emulator

HISTORY = "system_activity_history"
EVER = "2020-01-01"
COLUMN = "looker_instance"


def discovered(run, **settings):
    """The catalog's entries by stream, as discovered with these settings."""
    found = run_cli(*run.arguments(catalog=None, **settings)[:2], "--discover").succeeded()
    return {one["tap_stream_id"]: one for one in json.loads(found.stdout)["streams"]}


def test_every_record_and_every_key_begins_with_it(run):
    streams = selecting(*STREAMS, HISTORY)
    result = run(catalog=streams, instance="eu", start_date=EVER).succeeded()
    plain = run(catalog=streams, start_date=EVER).succeeded()
    assert set(result.records) == {*STREAMS, HISTORY}
    for name, records in result.records.items():
        assert result.schemas[name]["key_properties"] == [COLUMN, *keys_of(name)]
        properties = result.schemas[name]["schema"]["properties"]
        assert properties[COLUMN]["type"] == "string"
        assert list(properties) == [COLUMN, *plain.schemas[name]["schema"]["properties"]]
        assert records == [{COLUMN: "eu", **record} for record in plain.records[name]]
    assert plain.schemas["users"]["key_properties"] == ["id"]


def test_it_costs_no_call_and_changes_none(run, emulator):
    asked = []
    for settings in ({}, {"instance": "eu"}):
        emulator.reset_calls()
        run(catalog=selecting(*STREAMS, without={"looks": {"title"}}), **settings).succeeded()
        asked.append(sorted(f"{call.path} {sorted(call.query.items())}" for call in emulator.calls))
    assert asked[0] == asked[1]


def test_the_catalog_has_it_for_every_stream(run):
    found = discovered(run, instance="eu")
    assert found.keys() == entries().keys()
    for name, entry in found.items():
        assert entry["key_properties"] == [COLUMN, *keys_of(name)]
        assert next(iter(entry["schema"]["properties"])) == COLUMN
        (of_column,) = (
            one["metadata"]
            for one in entry["metadata"]
            if one["breadcrumb"] == ["properties", COLUMN]
        )
        assert of_column["inclusion"] == "automatic"


def test_a_catalog_of_before_still_serves(run):
    """Its key has no instance, and it deselects what it does not know."""
    streams = selecting("users", only={"users": {"id", "email"}})
    result = run(catalog=streams, instance="eu").succeeded()
    assert result.schemas["users"]["key_properties"] == [COLUMN, "id"]
    assert {frozenset(one) for one in result.records["users"]} == {
        frozenset({COLUMN, "id", "email"})
    }
    assert not [line for line in result.warnings if COLUMN in line]


def test_the_column_cannot_be_deselected(run):
    found = discovered(run, instance="eu")
    users = found["users"]
    for one in users["metadata"]:
        one["metadata"]["selected"] = not one["breadcrumb"] or one["breadcrumb"][1] == "id"
    result = run(catalog={"streams": [users]}, instance="eu").succeeded()
    assert result.records["users"][0].keys() == {COLUMN, "id"}


def test_a_catalog_with_the_column_needs_the_setting(run):
    """Without it the rows would lack a part of their key, and might overwrite others."""
    users = discovered(run, instance="eu")["users"]
    users["metadata"][-1]["metadata"]["selected"] = True
    for one in users["metadata"]:
        if not one["breadcrumb"]:
            one["metadata"]["selected"] = True
    result = run(catalog={"streams": [users]})
    assert result.exit_code == 1
    (line,) = (line for line in result.errors if line.startswith("Failed users"))
    assert "set instance" in line


def test_two_instances_load_into_the_same_tables(runner_of):
    """Deletions as well: here with a target that deletes only where it is safe."""
    warehouse = Warehouse()
    streams = selecting("users", "groups", "group_users")
    with Emulator() as one, Emulator(1.5) as other:
        runs = {}
        for name, emulator in (("eu", one), ("us", other)):
            runs[name] = runner_of(emulator)(catalog=streams, instance=name, **ON).succeeded()
            warehouse.load(runs[name].messages)
        shared = {one["id"] for one in runs["eu"].records["users"]} & {
            one["id"] for one in runs["us"].records["users"]
        }
        assert shared, "the same ids"
        for stream in ("users", "groups", "group_users"):
            assert len(warehouse.rows(stream)) == sum(
                len(result.records[stream]) for result in runs.values()
            )
        del one.instance.users[-1]
        again = runner_of(one)(catalog=streams, instance="eu", **ON).succeeded()
        warehouse.load(again.messages)
    of_other = [row for row in warehouse.rows("users") if row[COLUMN] == "us"]
    assert len(of_other) == len(runs["us"].records["users"])


def test_no_message_deletes_the_rows_of_another_instance(run):
    result = run(instance="eu", **ON).succeeded()
    assert not activated(result)
    (line,) = withheld(result)
    assert "other instances" in line
    assert "activate_version_anyway" in line
    assert all("version" in one for one in result.messages if one["type"] == "RECORD")
    insisting = run(instance="eu", activate_version_anyway=["instance"], **ON).succeeded()
    assert sorted(activated(insisting)) == sorted(STREAMS)
    assert not withheld(insisting)


def test_a_stream_map_may_give_each_instance_its_own_tables(run):
    result = run(
        instance="eu",
        stream_maps={"*": {"__alias__": "'eu_' + __stream_name__"}},
        activate_version_anyway=["instance"],
        **ON,
    ).succeeded()
    assert sorted(activated(result)) == sorted(f"eu_{name}" for name in STREAMS)
    assert result.records["eu_users"][0][COLUMN] == "eu"


def test_stream_maps_know_the_column(run):
    maps = {"users": {"who": "looker_instance + ':' + id", "__else__": None}}
    result = run(catalog=selecting("users"), instance="eu", stream_maps=maps).succeeded()
    assert result.schemas["users"]["key_properties"] == [COLUMN, "id"]
    first = result.records["users"][0]
    assert first == {COLUMN: "eu", "id": first["id"], "who": f"eu:{first['id']}"}


def test_rows_of_queries_have_it_with_a_key_or_without(emulator, tmp_path):
    orders = {**BY_STATUS, "name": "orders", "fields": ["orders.id", "orders.status"]}
    result = results(emulator, tmp_path, BY_STATUS, orders, instance="eu").succeeded()
    assert result.schemas["by_status"]["key_properties"] == []
    assert result.schemas["orders"]["key_properties"] == [COLUMN, "orders_id"]
    for name in ("by_status", "orders"):
        assert {one[COLUMN] for one in result.records[name]} == {"eu"}


def test_a_catalog_of_queries_serves_with_the_instance_and_without(emulator, tmp_path):
    """Each is discovered without the setting, and run with it."""
    orders = {**BY_STATUS, "name": "orders", "fields": ["orders.id", "orders.status"]}
    results(emulator, tmp_path, orders).succeeded()
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings_of(emulator, queries=[orders], instance="eu")))
    result = run_cli("--config", str(config), "--catalog", str(tmp_path / "catalog.json"))
    assert result.succeeded().schemas["orders"]["key_properties"] == [COLUMN, "orders_id"]


# ---------------------------------------------------------------------------------------- the state


def test_the_state_has_it_for_every_stream(run):
    result = run(catalog=selecting("users", HISTORY), instance="eu", start_date=EVER).succeeded()
    bookmarks = result.states[-1]["bookmarks"]
    assert {name: one[COLUMN] for name, one in bookmarks.items()} == {"users": "eu", HISTORY: "eu"}
    again = run(catalog=selecting(HISTORY), instance="eu", state=result.states[-1]).succeeded()
    assert 0 < len(again.records[HISTORY]) <= len(result.records[HISTORY])
    assert not again.warnings


@pytest.mark.parametrize(("first", "second"), [("us", "eu"), (None, "eu"), ("us", None)])
def test_a_bookmark_of_another_instance_is_not_taken(run, first, second):
    """Even of the same host, for rows of before have another key."""
    streams = selecting(HISTORY)
    settings = {"start_date": EVER, "activity_lookback": 0}
    named = {"instance": first} if first else {}
    one = run(catalog=streams, **named, **settings).succeeded()
    named = {"instance": second} if second else {}
    two = run(catalog=streams, state=one.states[-1], **named, **settings).succeeded()
    assert len(two.records[HISTORY]) == len(one.records[HISTORY]) > 1
    assert any("another instance" in line or "without a name" in line for line in two.warnings)
    assert two.states[-1]["bookmarks"][HISTORY].get(COLUMN) == second


def test_a_state_of_another_instance_is_noticed_without_bookmarks_too(run):
    state = run(catalog=selecting("users"), instance="us").succeeded().states[-1]
    result = run(catalog=selecting("users"), instance="eu", state=state).succeeded()
    (line,) = result.warnings
    assert "us" in line
    assert result.states[-1]["bookmarks"]["users"][COLUMN] == "eu"


@pytest.mark.parametrize("name", ["", "  ", None])
def test_an_empty_name_is_none(run, name):
    result = run(catalog=selecting("users"), instance=name).succeeded()
    assert COLUMN not in result.records["users"][0]


@pytest.mark.parametrize("name", ["a\nb", 5, ["eu"]])
def test_a_name_is_text_on_one_line(run, name):
    result = run(catalog=selecting("users"), instance=name)
    assert result.exit_code == 1
    assert "Setting instance" in result.errors[0]


def test_a_field_of_the_same_name_is_an_error(emulator, tmp_path):
    calculation = {
        "table_calculation": "looker_instance",
        "expression": "1",
        "_type_hint": "number",
    }
    query = {
        **BY_STATUS,
        "fields": [*BY_STATUS["fields"], "looker_instance"],
        "dynamic_fields": [calculation],
        "limit": 10,
    }
    for settings, exit_code in (({}, 0), ({"instance": "eu"}, 1)):
        config = tmp_path / "config.json"
        config.write_text(json.dumps(settings_of(emulator, queries=[query], **settings)))
        found = run_cli("--config", str(config), "--discover")
        assert found.exit_code == exit_code, found.stderr
    (line,) = found.errors
    assert "becomes the column looker_instance" in line
