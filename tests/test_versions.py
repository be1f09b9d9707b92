"""ACTIVATE_VERSION: what is gone in Looker goes in the warehouse, and nothing else does."""

from __future__ import annotations

import itertools
import json
import os
import signal

import pytest
from support import DEADLINE, STREAMS, entries, finished, run_cli, selecting, settings_of

from looker_emulator import Emulator, Fault
from tap_looker.resources.rest_streams import RESOURCES

pytestmark = pytest.mark.usefixtures("_quick_retries")

ON = {"emit_activate_version_messages": True}
PEOPLE = ("group_users", "role_users", "user_attribute_values", "user_sessions", "users")
CONTENT = (
    "dashboard_elements",
    "dashboard_filters",
    "dashboard_layouts",
    "dashboards",
    "merge_queries",
    "queries",
)
EVERYTHING = tuple(name for name in entries() if not name.startswith("system_activity_"))
DEVELOPER = "3"


class Warehouse:
    """A target that goes by the specification and deletes for good.

    It keeps the latest row of each key, or all rows where there is no key; ACTIVATE_VERSION leaves
    the rows of that version alone.
    """

    def __init__(self):
        self.tables = {}
        self._keys = {}
        self._numbers = itertools.count()

    def load(self, messages):
        for message in messages:
            name = message.get("stream")
            if message["type"] == "SCHEMA":
                self._keys[name] = message["key_properties"]
                self.tables.setdefault(name, {})
            elif message["type"] == "RECORD":
                table, record = self.tables[name], message["record"]
                keys = self._keys[name]
                key = tuple(record[one] for one in keys) if keys else next(self._numbers)
                table[key] = (message.get("version"), record)
            elif message["type"] == "ACTIVATE_VERSION":
                rows = self.tables[name].items()
                self.tables[name] = {key: row for key, row in rows if row[0] == message["version"]}
        return self

    def rows(self, name):
        return [record for _, record in self.tables[name].values()]

    def ids(self, name, key="id"):
        return {record[key] for record in self.rows(name)}


def activated(run):
    return [one["stream"] for one in run.messages if one["type"] == "ACTIVATE_VERSION"]


def withheld(run):
    """The lines that say why a message is not sent."""
    return [line for line in run.warnings if line.startswith("No ACTIVATE_VERSION")]


def be(emulator, *roles):
    """Give the key's user these roles and no group, which might bring others."""
    me = emulator.instance.users[0]
    me["role_ids"], me["group_ids"] = list(roles), []


def without(rows, **values):
    """Take the rows with these values out of a list."""
    found = [row for row in rows if all(row[name] == value for name, value in values.items())]
    assert found
    rows[:] = [row for row in rows if row not in found]


def delete_some(instance, with_sessions):
    """A user, a membership, a role of a user, and a dashboard with its tiles."""
    user = next(
        one
        for one in instance.users[5:]
        if one["group_ids"] and one["role_ids"] and one["id"] in with_sessions
    )
    without(instance.users, id=user["id"])
    member = next(one for one in instance.users[1:] if len(one["group_ids"]) > 1)
    member["group_ids"] = member["group_ids"][:-1]
    holder = next(one for one in instance.users[1:] if len(one["role_ids"]) > 0)
    holder["role_ids"] = holder["role_ids"][1:]
    tiles = {one["dashboard_id"] for one in instance.dashboard_elements if one["merge_result_id"]}
    dashboard = next(one for one in instance.dashboards if one["id"] in tiles)
    without(instance.dashboards, id=dashboard["id"])
    without(instance.dashboard_elements, dashboard_id=dashboard["id"])
    return user, dashboard


# -------------------------------------------------------------------------- what is gone is gone


def test_what_was_deleted_in_looker_is_deleted_by_the_target(run, emulator):
    streams = selecting(*PEOPLE, *CONTENT)
    warehouse = Warehouse().load(run(catalog=streams, **ON).succeeded().messages)
    before = {name: len(warehouse.rows(name)) for name in warehouse.tables}
    with_sessions = warehouse.ids("user_sessions", "user_id")
    user, dashboard = delete_some(emulator.instance, with_sessions)

    second = run(catalog=streams, **ON).succeeded()
    there = Warehouse().load(second.messages)
    warehouse.load(second.messages)
    assert sorted(activated(second)) == sorted([*PEOPLE, *CONTENT])
    assert user["id"] not in warehouse.ids("users")
    assert user["id"] not in warehouse.ids("group_users", "user_id")
    assert dashboard["id"] not in warehouse.ids("dashboard_elements", "dashboard_id")
    fewer = [name for name in before if len(warehouse.rows(name)) < before[name]]
    assert set(fewer) == {*PEOPLE, *CONTENT}, "each of them has lost something"
    for name in warehouse.tables:
        assert warehouse.tables[name] == there.tables[name]


def test_the_message_comes_after_the_last_record_with_their_version(run):
    result = run(**ON).succeeded()
    assert sorted(activated(result)) == sorted(STREAMS)
    for name in STREAMS:
        own = [one for one in result.messages if one.get("stream") == name]
        schema, *records, activation = own
        assert schema["type"] == "SCHEMA"
        assert {one["type"] for one in records} == {"RECORD"}
        assert activation["type"] == "ACTIVATE_VERSION"
        assert {one["version"] for one in own[1:]} == {activation["version"]}
    assert result.messages[-1]["type"] == "STATE"
    assert not withheld(result)


def test_by_default_nothing_of_it_is_there(run):
    result = run().succeeded()
    assert not activated(result)
    assert not any("version" in one for one in result.messages)
    assert "version" not in json.dumps(result.states[-1]["bookmarks"]["users"])


def test_a_stream_that_is_empty_now_is_emptied(run, emulator):
    streams = selecting("boards")
    warehouse = Warehouse().load(run(catalog=streams, **ON).succeeded().messages)
    assert warehouse.rows("boards")
    emulator.instance.boards.clear()
    second = run(catalog=streams, **ON).succeeded()
    assert [one["type"] for one in second.messages if one.get("stream") == "boards"] == [
        "SCHEMA",
        "ACTIVATE_VERSION",
    ]
    assert not warehouse.load(second.messages).rows("boards")


@pytest.mark.slow
def test_every_stream_ends_with_its_message(run):
    result = run(catalog=selecting(*EVERYTHING), **ON).succeeded()
    own = {one.name for one in RESOURCES if one.access.is_own}
    assert own >= {"alert_notifications", "conversations", "conversation_messages"}
    assert set(activated(result)) == {*EVERYTHING} - own
    (line,) = withheld(result)
    assert "partial_access" in line
    assert all(name in line for name in own)


# ---------------------------------------------------------------------------------- the versions


def test_versions_grow_even_where_the_clock_goes_back(run):
    future = 2**42
    state = {"bookmarks": {"users": {"version": future}, "roles": {"version": 7}}}
    result = run(catalog=selecting("users", "roles"), state=state, **ON).succeeded()
    versions = {
        one["stream"]: one["version"]
        for one in result.messages
        if one["type"] == "ACTIVATE_VERSION"
    }
    assert versions["users"] == future + 1
    assert 10**12 < versions["roles"] < future, "milliseconds"
    bookmarks = result.states[-1]["bookmarks"]
    assert {name: bookmarks[name]["version"] for name in versions} == versions


@pytest.mark.parametrize("version", [None, "x", True, -1, 1.5, 2**63, [], {}])
def test_a_version_that_is_none_does_no_harm(run, version):
    state = {"bookmarks": {"users": {"version": version}}}
    result = run(catalog=selecting("users"), state=state, **ON).succeeded()
    assert activated(result) == ["users"]
    assert 10**12 < result.states[-1]["bookmarks"]["users"]["version"] < 10**13


def test_a_run_that_broke_off_leaves_its_version_behind(run, emulator):
    emulator.add_fault(Fault("status", "/users/search", after=1, times=None, status=400))
    first = run(catalog=selecting("users"), page_size=10, **ON)
    assert first.exit_code == 1
    assert not activated(first)
    written = {one["version"] for one in first.messages if one["type"] == "RECORD"}
    assert written == {first.states[-1]["bookmarks"]["users"]["version"]}


# --------------------------------------------------------------------------- when nothing is sent


def test_a_stream_that_fails_deletes_nothing(run, emulator):
    streams = selecting("users", "roles")
    warehouse = Warehouse().load(run(catalog=streams, **ON).succeeded().messages)
    before = len(warehouse.rows("users"))
    emulator.add_fault(Fault("status", "/users/search", after=1, times=None, status=400))
    second = run(catalog=streams, page_size=10, **ON)
    assert second.exit_code == 1
    assert activated(second) == ["roles"]
    assert 0 < len(second.records["users"]) < before
    assert len(warehouse.load(second.messages).rows("users")) == before


@pytest.mark.parametrize("on_denied", ["fail", "skip"])
def test_a_denied_stream_deletes_nothing(runner_of, on_denied):
    with Emulator(denied=("/users",)) as emulator:
        result = runner_of(emulator)(on_denied=on_denied, **ON)
    assert "users" not in activated(result)
    assert "groups" in activated(result)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_run_that_is_killed_deletes_nothing(runner_of):
    """The measured case: 199 users, and the run ends after some of them."""
    with Emulator("medium") as emulator:
        runner = runner_of(emulator)
        streams = selecting("users")
        first = runner(catalog=streams, **ON).succeeded()
        warehouse = Warehouse().load(first.messages)
        before = len(warehouse.rows("users"))
        assert before > 190
        emulator.add_fault(Fault("silence", "/users/search", after=1, times=None))
        process = runner.start(catalog=streams, page_size=100, **ON)
        begin = process.stdout.readline() + process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        second = finished(process, begin, timeout=DEADLINE)
    assert second.exit_code == 128 + signal.SIGTERM
    assert 0 < len(second.records["users"]) < before
    assert not activated(second)
    assert len(warehouse.load(second.messages).rows("users")) == before


def test_items_that_are_skipped_keep_their_stream_and_what_is_read_of_it(runner_of):
    """An explore that does not compile today is not gone, and neither are its fields."""
    streams = selecting("explores", "explore_fields", "lookml_models")
    with Emulator() as emulator:
        runner = runner_of(emulator)
        first = runner(catalog=streams, **ON).succeeded()
        broken = first.records["explores"][0]["id"]
        assert set(activated(first)) == {"explores", "explore_fields", "lookml_models"}
    with Emulator(broken_explores=(broken,)) as emulator:
        second = runner_of(emulator)(catalog=streams, **ON).succeeded()
    assert activated(second) == ["lookml_models"]
    (line,) = withheld(second)
    assert "explores" in line
    assert "explore_fields" in line
    warehouse = Warehouse().load(first.messages)
    before = len(warehouse.rows("explore_fields"))
    assert len(warehouse.load(second.messages).rows("explore_fields")) == before


@pytest.mark.parametrize(
    ("setting", "value", "narrowed"),
    [
        (
            "folder_ids",
            ["1"],
            {"dashboard_elements", "dashboards", "folders", "looks", "queries", "merge_queries"},
        ),
        ("models", ["thelook"], {"lookml_dashboards", "lookml_models", "queries"}),
    ],
)
def test_a_setting_that_narrows_streams_deletes_nothing_of_them(run, setting, value, narrowed):
    streams = (*STREAMS, "merge_queries")
    result = run(catalog=selecting(*streams), **ON, **{setting: value}).succeeded()
    assert set(activated(result)) == {*streams} - narrowed
    (line,) = withheld(result)
    assert setting in line


def test_the_trash_belongs_to_a_stream_where_it_is_read(run, emulator):
    """Moved to the trash is a change of a row; without the trash, it is gone."""
    streams = selecting("dashboards")
    warehouse = Warehouse().load(run(catalog=streams, **ON).succeeded().messages)
    moved = next(one for one in emulator.instance.dashboards if not one["deleted"])
    moved["deleted"] = True
    warehouse.load(run(catalog=streams, **ON).succeeded().messages)
    assert moved["id"] in warehouse.ids("dashboards")
    warehouse.load(run(catalog=streams, include_deleted=False, **ON).succeeded().messages)
    assert moved["id"] not in warehouse.ids("dashboards")


def test_a_trial_sends_nothing(run, emulator):
    config, path, *_ = run.arguments(catalog=None, **ON)
    emulator.instance.boards[:] = emulator.instance.boards[:1]
    result = run_cli(config, path, "--test")
    assert result.exit_code == 0, result.stderr
    assert not activated(result)


def test_a_limit_of_calls_that_is_reached_deletes_nothing_of_what_it_cuts(run):
    result = run(max_calls=6, concurrency=1, **ON)
    assert result.exit_code == 1
    failed = {name for name in STREAMS if any(f"Failed {name}:" in one for one in result.errors)}
    assert failed
    assert not failed.intersection(activated(result))


def test_incremental_streams_have_no_versions(run):
    streams = selecting("system_activity_history", "users")
    result = run(catalog=streams, start_date="2020-01-01", **ON).succeeded()
    assert activated(result) == ["users"]
    assert result.records["system_activity_history"]
    for message in result.messages:
        if message.get("stream") == "system_activity_history":
            assert "version" not in message
    assert "version" not in result.states[-1]["bookmarks"]["system_activity_history"]
    assert not withheld(result), "it was never meant to be"


def test_a_log_of_system_activity_read_in_full_keeps_what_looker_forgets(run):
    streams = selecting("system_activity_history", "system_activity_user_facts")
    for entry in streams["streams"]:
        entry["replication_method"] = "FULL_TABLE"
        for metadata in entry["metadata"]:
            if not metadata["breadcrumb"]:
                metadata["metadata"]["forced-replication-method"] = "FULL_TABLE"
                metadata["metadata"].pop("replication-key", None)
        entry.pop("replication_key", None)
    result = run(catalog=streams, **ON)
    assert result.exit_code == 0, result.stderr
    assert activated(result) == ["system_activity_user_facts"]
    (line,) = withheld(result)
    assert "system_activity_history" in line


# ---------------------------------------------------------------------------- what the key may see


def test_a_key_that_sees_a_part_deletes_nothing_unless_that_is_wanted(run, emulator):
    be(emulator, DEVELOPER)
    streams = selecting("folders", "looks", "projects", "users")
    result = run(catalog=streams, **ON).succeeded()
    assert activated(result) == ["projects"], "a developer sees all of them"
    (line,) = withheld(result)
    assert "folders, looks, users" in line
    assert "activate_version_anyway" in line
    insisting = run(catalog=streams, activate_version_anyway=["partial_access"], **ON).succeeded()
    assert sorted(activated(insisting)) == ["folders", "looks", "projects", "users"]
    assert not withheld(insisting)


def test_a_key_whose_user_cannot_be_asked_for_deletes_nothing(runner_of):
    with Emulator(denied=("/users/1/roles", "/roles", "/user")) as emulator:
        result = runner_of(emulator)(catalog=selecting("folders", "groups"), **ON)
    assert result.exit_code == 0, result.stderr
    assert not activated(result)
    assert "partial_access" in "".join(withheld(result))


def test_a_role_may_come_from_a_group(run, emulator):
    be(emulator, DEVELOPER)
    group = emulator.instance.groups[3]
    emulator.instance.users[0]["group_ids"], group["role_ids"] = [group["id"]], ["2"]
    result = run(catalog=selecting("folders", "roles", "current_user"), **ON).succeeded()
    assert set(activated(result)) == {"folders", "roles", "current_user"}


@pytest.mark.parametrize(
    ("read", "more"),
    [
        (("current_user", "roles"), 0),
        (("current_user",), 1),
        (("roles",), 1),
        ((), 2),
    ],
)
def test_what_tells_of_an_admin_is_asked_for_once(run, emulator, read, more):
    streams = selecting("folders", "groups", *read)
    without_versions = run(catalog=streams).succeeded() and len(emulator.calls)
    emulator.reset_calls()
    result = run(catalog=streams, **ON).succeeded()
    assert set(activated(result)) == {"folders", "groups", *read}
    assert len(emulator.calls) == without_versions + more


def test_no_call_is_made_where_nothing_depends_on_it(run, emulator):
    streams = selecting("system_activity_history")
    run(catalog=streams, **ON).succeeded()
    assert not [one for one in emulator.calls if one.path.startswith("/user")]


# ------------------------------------------------------------------------------------ stream maps


def test_the_message_has_the_name_that_the_target_knows(run):
    maps = {"users": {"__alias__": "'people'"}, "copies": {"__source__": "users"}, "roles": None}
    result = run(catalog=selecting("users", "roles"), stream_maps=maps, **ON).succeeded()
    assert sorted(activated(result)) == ["copies", "people"]


def test_two_streams_with_one_name_delete_nothing_of_each_other(run):
    maps = {one: {"__alias__": "'content'"} for one in ("looks", "dashboards")}
    streams = selecting("looks", "dashboards", "folders")
    result = run(catalog=streams, stream_maps=maps, **ON).succeeded()
    assert activated(result) == ["folders"]
    assert "stream maps" in "".join(withheld(result))


# -------------------------------------------------------------------------------- looks, queries


def results(emulator, folder, *queries, **settings):
    """A run with some queries in the settings, and nothing else."""
    config = folder / "config.json"
    config.write_text(json.dumps(settings_of(emulator, queries=queries, **settings)))
    found = json.loads(run_cli("--config", str(config), "--discover").succeeded().stdout)
    names = [one["name"] for one in queries]
    listed = [one for one in found["streams"] if one["tap_stream_id"] in names]
    (folder / "catalog.json").write_text(json.dumps({"streams": listed}))
    return run_cli("--config", str(config), "--catalog", str(folder / "catalog.json"))


BY_STATUS = {
    "name": "by_status",
    "model": "thelook",
    "explore": "orders",
    "fields": ["orders.status", "orders.count"],
}


def test_a_result_without_a_key_is_replaced_whole(emulator, tmp_path):
    first = results(emulator, tmp_path, BY_STATUS, **ON).succeeded()
    assert first.schemas["by_status"]["key_properties"] == []
    warehouse = Warehouse().load(first.messages)
    rows = len(warehouse.rows("by_status"))
    assert rows > 1
    fewer = {**BY_STATUS, "filters": {"orders.status": "complete"}}
    second = results(emulator, tmp_path, fewer, **ON).succeeded()
    assert len(warehouse.load(second.messages).rows("by_status")) == 1


def test_a_result_with_a_limit_is_not(emulator, tmp_path):
    run = results(emulator, tmp_path, {**BY_STATUS, "limit": 2}, **ON).succeeded()
    assert len(run.records["by_status"]) == 2
    assert not activated(run)
    assert "limit" in "".join(withheld(run))
