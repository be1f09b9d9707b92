"""A whole run: what comes out is what the instance holds, asked for once and no more."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter

import jsonschema
import pytest
from support import (
    COMMAND,
    STREAMS,
    entries,
    homes_of_looks,
    keys_of,
    queries_of_tiles,
    selecting,
    without_times,
)

from looker_emulator import Emulator, Fault

each_stream = pytest.mark.parametrize("name", STREAMS)

COLLECTIONS = [name for name in STREAMS if name != "queries"]
LISTS = {
    "/dashboard_elements/search": 2,  # and what is in the trash
    "/dashboards/lookml/search": 1,
    "/dashboards/search": 2,
    "/folders/search": 1,
    "/groups/search/with_hierarchy": 1,
    "/lookml_models": 1,
    "/looks/search": 2,
    "/roles/search/with_user_count": 1,
    "/users/search": 1,
    "/versions": 1,
}


def holders_of_queries(instance):
    """The tiles, what is in them, and the looks that have a folder."""
    holders = [*instance.dashboard_elements]
    holders += [look for look in instance.looks if not look["deleted"]]
    for dashboard in instance.lookml_dashboards:
        holders += dashboard["dashboard_elements"]
    for holder in holders:
        yield from filter(None, (holder, holder.get("look"), holder.get("result_maker")))


def harvest(instance):
    """The queries that tiles and looks carry, by id."""
    queries = [holder["query"] for holder in holders_of_queries(instance)]
    return {query["id"]: query for query in queries if query}


def asked_fields(emulator, path):
    """What `fields` was on the only kind of call for a path, or None."""
    (fields,) = {call.query.get("fields") for call in emulator.calls if call.path == path}
    return fields


# ----------------------------------------------------------------------------------- what comes out


@pytest.mark.parametrize("name", COLLECTIONS)
def test_every_row_of_the_instance_is_a_record(clean, emulator, name):
    rows = getattr(emulator.instance, name)
    (key,) = keys_of(name)
    assert rows
    assert sorted(clean.ids(name)) == sorted(row[key] for row in rows)


@pytest.mark.parametrize("name", COLLECTIONS)
def test_values_are_those_of_the_instance(clean, emulator, name):
    """Every scalar that is in the schema arrives as it was, nulls too."""
    (key,) = keys_of(name)
    rows = {row[key]: row for row in getattr(emulator.instance, name)}
    properties = clean.schemas[name]["schema"]["properties"]
    compared = Counter()
    for record in clean.records[name]:
        row = rows[record[key]]
        for prop in properties.keys() & row.keys() & record.keys():
            if isinstance(row[prop], (str, int, float, bool)) or row[prop] is None:
                if row[prop] == "" and properties[prop].get("format") == "date-time":
                    continue
                assert record[prop] == row[prop], prop
                compared[prop] += 1
    assert compared[key] == len(rows)
    assert len(compared) > len(rows[next(iter(rows))]) / 4


def test_queries_are_those_that_tiles_and_looks_carry(clean, emulator):
    wanted = harvest(emulator.instance)
    records = {record["id"]: record for record in clean.records["queries"]}
    assert records.keys() == wanted.keys()
    assert len(clean.records["queries"]) == len(records)
    for identifier, record in records.items():
        for name in ("model", "view", "fields", "filters", "sorts", "limit", "dynamic_fields"):
            assert record[name] == wanted[identifier][name]


def test_lookml_dashboards_hold_their_elements(clean, emulator):
    elements = {
        record["id"]: [element["id"] for element in record["dashboard_elements"]]
        for record in clean.records["lookml_dashboards"]
    }
    assert elements == {
        dashboard["id"]: [element["id"] for element in dashboard["dashboard_elements"]]
        for dashboard in emulator.instance.lookml_dashboards
    }
    assert all(elements.values())


@each_stream
def test_records_fit_their_schema(clean, name):
    schema = clean.schemas[name]["schema"]
    validator = jsonschema.Draft7Validator(
        schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER
    )
    times = date_times(schema)
    for record in clean.records[name]:
        validator.validate(record)
        assert record.keys() <= schema["properties"].keys()
        for path, value in leaves(record):
            if path in times and value is not None:
                assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", value), path


def leaves(value, path=()):
    if isinstance(value, dict):
        for name, below in value.items():
            yield from leaves(below, (*path, name))
    elif isinstance(value, list):
        for below in value:
            yield from leaves(below, path)
    else:
        yield path, value


def date_times(schema, path=()):
    found = {path} if schema.get("format") == "date-time" else set()
    for name, below in schema.get("properties", {}).items():
        found |= date_times(below, (*path, name))
    return found | (date_times(schema["items"], path) if "items" in schema else set())


@each_stream
def test_no_two_records_share_a_key(clean, name):
    keys = clean.ids(name)
    assert keys
    assert None not in keys
    assert len(set(keys)) == len(keys)


def test_a_schema_comes_before_its_records_and_a_state_at_the_end(clean):
    seen = set()
    for message in clean.messages:
        if message["type"] == "SCHEMA":
            seen.add(message["stream"])
            assert message["key_properties"] == keys_of(message["stream"])
        elif message["type"] == "RECORD":
            assert message["stream"] in seen
    assert seen == set(STREAMS)
    assert clean.messages[-1]["type"] == "STATE"


def test_two_runs_print_the_same(run, clean):
    again = run(concurrency=64)
    assert without_times(again.stdout) == without_times(clean.stdout)
    assert without_times(clean.stdout) != clean.stdout


def test_a_property_that_the_schema_does_not_know_is_left_out_and_named_once(run, emulator):
    for user in emulator.instance.users:
        user["shoe_size"] = 43
    result = run(catalog=selecting("users")).succeeded()
    assert not any("shoe_size" in record for record in result.records["users"])
    assert len([line for line in result.warnings if "shoe_size" in line]) == 1


def test_a_row_without_its_key_fails_the_stream(run, emulator):
    emulator.instance.roles[2]["id"] = None
    result = run(catalog=selecting("roles", "users"))
    assert result.exit_code == 1
    assert None not in result.ids("roles")
    assert result.ids("users")


def test_the_command_and_the_module_are_the_same():
    commands = ([COMMAND], [sys.executable, "-m", "tap_looker"])
    said = [
        subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout
        for command in commands
    ]
    assert said[0] == said[1]
    assert said[0].startswith("tap-looker v")


def test_the_command_spares_the_garbage_collector():
    program = """
import gc, sys, tap_looker.__main__ as command
sys.argv = ["tap-looker", "--version"]
try:
    command.main()
except SystemExit:
    print(gc.get_threshold()[0], gc.get_freeze_count() > 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)  # noqa: PLW1510
    assert done.stdout.split()[-2:] == ["50000", "True"], done.stderr


# ------------------------------------------------------------------------------------ what it costs


def test_calls_of_a_run(run, emulator):
    result = run().succeeded()
    homes = homes_of_looks(emulator.instance, without=queries_of_tiles(emulator.instance))
    assert homes < homes_of_looks(emulator.instance), "some looks are tiles, too"
    calls = Counter((call.method, call.path) for call in emulator.calls)
    assert calls == {
        ("POST", "/login"): 1,
        **{("GET", path): count for path, count in LISTS.items()},
        **{("GET", f"/folders/{folder}/looks"): 1 for folder in homes},
        ("DELETE", "/logout"): 1,
    }
    (cost,) = [line for line in result.log("INFO") if line.startswith("Cost: ")]
    billed = sum(LISTS.values()) - LISTS["/versions"] + len(homes)
    assert cost == f"Cost: {billed} admin calls, 0 query calls, 1 login."


def test_calls_do_not_grow_with_the_rows(runner_of):
    with Emulator("medium") as emulator:
        runner_of(emulator)().succeeded()
        homes = homes_of_looks(emulator.instance, without=queries_of_tiles(emulator.instance))
        # Of 1,800 tiles, whose page size is 500, three quarters are beyond the first page.
        assert emulator.count(method="GET") - len(homes) <= 25


@pytest.mark.parametrize("concurrency", [1, 3, 8])
def test_concurrency_is_used_and_not_exceeded(runner_of, concurrency):
    with Emulator(latency_ms=100) as emulator:
        runner_of(emulator)(concurrency=concurrency).succeeded()
        assert emulator.max_in_flight == concurrency


@pytest.mark.parametrize("most", [1, 7, 12])
def test_no_call_is_made_beyond_the_budget(run, emulator, clean, most):
    result = run(max_calls=most)
    assert result.exit_code == 1
    billed = [call for call in emulator.calls if call.method == "GET" and call.path != "/versions"]
    assert len(billed) == most
    failed = {line.split(":")[0].removeprefix("Failed ") for line in result.errors[:-1]}
    assert all("max_calls" in line and "--access" in line for line in result.errors[:-1])
    assert failed
    for name in STREAMS:
        found = result.records.get(name, [])
        assert found == clean.records[name][: len(found) if name in failed else None]
    assert result.schemas.keys() == result.records.keys()


def test_discovery_costs_nothing(run, emulator):
    assert run("--discover").exit_code == 0
    assert emulator.calls == []


# --------------------------------------------------------------------------------------- selections


def test_deselected_streams_cost_no_call(run, emulator):
    everything = selecting("roles", "versions", among=entries())
    result = run(catalog=everything).succeeded()
    assert result.records.keys() == result.schemas.keys() == {"roles", "versions"}
    assert emulator.count("/roles/search/*") == emulator.count("/versions") == 1
    assert len(emulator.calls) == 2 + 2  # login and logout


def test_nothing_selected_is_an_error(run, emulator):
    result = run(catalog=selecting())
    assert result.exit_code == 1
    assert result.messages == []
    assert result.errors[0].startswith("The catalog selects no stream that exists: ")
    assert emulator.calls == []


def test_all_properties_need_no_fields(run, emulator):
    run(catalog=selecting("users")).succeeded()
    assert asked_fields(emulator, "/users/search") is None


def test_deselected_properties_are_not_asked_for(run, emulator):
    selection = selecting(only={"users": {"display_name", "email"}})
    result = run(catalog=selection).succeeded()
    assert set(asked_fields(emulator, "/users/search").split(",")) == {
        "id",
        "display_name",
        "email",
    }
    assert {frozenset(record) for record in result.records["users"]} == {
        frozenset({"id", "display_name", "email"})
    }
    assert len(result.records["users"]) == len(emulator.instance.users)


def test_one_deselected_property_names_the_others(run, emulator):
    result = run(catalog=selecting(without={"users": {"email"}})).succeeded()
    asked = asked_fields(emulator, "/users/search").split(",")
    assert "email" not in asked
    assert {"id", "display_name", "role_ids"} <= set(asked)
    assert not any("email" in record for record in result.records["users"])


def test_deselected_properties_inside_an_object_are_not_asked_for(run, emulator):
    selection = selecting(
        without={"roles": {"permission_set.permissions", "model_set", "model_set_id"}}
    )
    result = run(catalog=selection).succeeded()
    fields = asked_fields(emulator, "/roles/search/with_user_count")
    (nested,) = re.findall(r"permission_set\(([^)]*)\)", fields)
    assert "name" in nested.split(",")
    assert "permissions" not in nested.split(",")
    assert "model_set" not in fields
    assert result.records["roles"]
    for record in result.records["roles"]:
        assert record["permission_set"]["name"]
        assert "permissions" not in record["permission_set"]
        assert "model_set" not in record


def test_heavy_properties_are_never_asked_for(run, emulator):
    run(catalog=selecting("dashboards", "folders")).succeeded()
    for path, heavy in {
        "/dashboards/search": {"dashboard_elements", "dashboard_layouts"},
        "/folders/search": {"dashboards", "looks"},
    }.items():
        fields = asked_fields(emulator, path).split(",")
        assert "id" in fields
        assert heavy.isdisjoint(fields)


# ----------------------------------------------------------------------------------- shared answers


def test_streams_that_read_the_same_lists_share_them(run, emulator):
    names = ("queries", "dashboard_elements", "looks", "lookml_dashboards")
    result = run(catalog=selecting(*names)).succeeded()
    assert emulator.count("/dashboard_elements/search") == 2
    assert emulator.count("/looks/search") == 2
    assert emulator.count("/dashboards/lookml/search") == 1
    instance = emulator.instance
    assert len(result.records["dashboard_elements"]) == len(instance.dashboard_elements)
    assert len(result.records["looks"]) == len(instance.looks)
    assert result.records["queries"] == run(catalog=selecting("queries")).records["queries"]


def test_queries_alone_ask_only_for_what_carries_queries(run, emulator):
    result = run(catalog=selecting("queries")).succeeded()
    assert set(result.ids("queries")) == set(harvest(emulator.instance))
    assert result.records.keys() == {"queries"}
    fields = asked_fields(emulator, "/dashboard_elements/search")
    assert "result_maker(" in fields
    assert "body_text" not in fields
    assert emulator.count("/looks/search") == 1, "looks in the trash are in no folder"


def test_what_one_stream_needs_is_no_record_of_another(run):
    """`queries` asks for more of a look than was selected of `looks`."""
    result = run(catalog=selecting("queries", only={"looks": {"title"}})).succeeded()
    assert {frozenset(record) for record in result.records["looks"]} == {frozenset({"id", "title"})}


def test_a_query_that_is_named_but_not_carried_is_asked_for(run, emulator, clean):
    instance = emulator.instance
    wanted = next(look for look in instance.looks if not look["deleted"])["query_id"]
    for holder in holders_of_queries(instance):
        if holder["query"] and holder["query"]["id"] == wanted:
            holder["query"] = None
    assert wanted not in harvest(instance)
    result = run().succeeded()
    assert sorted(result.ids("queries")) == sorted(clean.ids("queries"))
    assert emulator.count(f"/queries/{wanted}") == emulator.count("/queries/*") == 1
    assert "1 query call," in result.stderr


# -------------------------------------------------------------------------------------------- trash


def test_the_trash_is_read_in_a_second_pass(clean, emulator):
    for name in ("looks", "dashboards", "dashboard_elements"):
        trash = emulator.instance.trash(name)
        deleted = {record["id"] for record in clean.records[name] if record.get("deleted")}
        assert deleted == trash
        assert 0 < len(trash) < len(clean.records[name])


def test_the_trash_is_left_alone_where_it_is_not_wanted(run, emulator):
    result = run(include_deleted=False).succeeded()
    for name in ("looks", "dashboards", "dashboard_elements"):
        kept = {row["id"] for row in getattr(emulator.instance, name)}
        assert set(result.ids(name)) == kept - emulator.instance.trash(name)
    assert not any("deleted" in call.query for call in emulator.calls)


# ----------------------------------------------------------------------------- nested lists, LookML


@pytest.mark.parametrize("kind", ["null_nested", "drop_nested"])
def test_elements_that_do_not_come_are_asked_for_one_by_one(run, emulator, clean, kind):
    emulator.add_fault(
        Fault(kind, "/dashboards/lookml/search", times=None, names=("dashboard_elements",))
    )
    result = run().succeeded()
    assert result.records == clean.records
    dashboards = emulator.instance.lookml_dashboards
    for dashboard in dashboards:
        assert emulator.count(f"/dashboards/{dashboard['id']}/dashboard_elements") == 1


def test_elements_that_nobody_wants_are_not_asked_for(run, emulator):
    emulator.add_fault(
        Fault("drop_nested", "/dashboards/lookml/search", names=("dashboard_elements",))
    )
    result = run(catalog=selecting(without={"lookml_dashboards": {"dashboard_elements"}}))
    assert len(result.succeeded().records["lookml_dashboards"]) > 0
    assert emulator.count("/dashboards/*/dashboard_elements") == 0


REFUSALS = {
    "denied": ("denied", {}),
    "not allowed": ("status", {"status": 405}),
    "one DashboardLookml": ("status", {"status": 200, "json": {"dashboard_id": "shop::overview"}}),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_lookml_dashboards_are_found_where_their_search_is_refused(run, emulator, clean, refusal):
    kind, details = REFUSALS[refusal]
    emulator.add_fault(Fault(kind, "/dashboards/lookml/search", times=None, **details))
    result = run(catalog=selecting("lookml_dashboards")).succeeded()

    def elements(run):
        return {
            record["id"]: record["dashboard_elements"]
            for record in run.records["lookml_dashboards"]
        }

    assert elements(result) == elements(clean)
    assert any("/dashboards" in line for line in result.warnings)


# ------------------------------------------------------------------------------------------- --test


@pytest.mark.usefixtures("_served_streams_alone")
def test_trial_reads_a_little_of_every_stream(run, emulator):
    emulator.instance.groups.clear()
    result = run("--test").succeeded()
    assert result.schemas.keys() == set(STREAMS)
    assert emulator.count("/login") == emulator.count("/logout", "DELETE") == 1
    read = sorted({*STREAMS} - {"groups"})
    assert {name: len(found) for name, found in result.records.items()} == dict.fromkeys(read, 1)
    assert result.log("INFO")[-1] == (
        f"Test passed: {len(read)} records of {', '.join(read)}; none of groups."
    )


def test_there_is_no_other_trial(run, emulator):
    result = run("--test=shcema")
    assert result.exit_code == 2
    assert "shcema" in result.stderr
    assert emulator.calls == []
