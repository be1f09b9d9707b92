"""Every stream of Looker's own: what comes out, what it costs, and what goes wrong."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from support import (
    Run,
    Runner,
    catalog,
    finished,
    homes_of_looks,
    keys_of,
    queries_of_tiles,
    selecting,
)

from looker_emulator import Emulator, Fault
from looker_emulator.instance.access.user_attributes import attribute_values
from looker_emulator.instance.lookml.model_explores import explore
from looker_emulator.instance.platform import connections
from tap_looker.queries.activities import ACTIVITIES
from tap_looker.resources.flat import Flat
from tap_looker.resources.resource import is_older
from tap_looker.resources.table import RESOURCES

if TYPE_CHECKING:
    from looker_emulator import Call
    from looker_emulator.instance import Instance

NAMES = [resource.name for resource in RESOURCES]
OF_ACTIVITY = [activity.name for activity in ACTIVITIES]
RELEASE = "26.22.9"
PROJECT_STREAMS = (
    "git_branches",
    "lookml_tests",
    "project_files",
    "project_manifests",
    "project_validation",
)

each_stream = pytest.mark.parametrize("name", [*NAMES, *OF_ACTIVITY])


@dataclass
class Everything:
    """A run of every stream, and what it was about."""

    run: Run
    calls: list[Call]
    instance: Instance


@pytest.fixture(scope="session")
def everything(tmp_path_factory) -> Everything:
    with Emulator("medium", activity_rows=1000) as emulator:
        runner = Runner(emulator, tmp_path_factory.mktemp("all"))
        # The clock of the emulator stands still in June 2026.
        run = runner(catalog=selecting(*NAMES, *OF_ACTIVITY), start_date="2025-01-01")
        return Everything(run, list(emulator.calls), emulator.instance)


def keys(run, name):
    """The keys of a stream's records, as tuples."""
    return [tuple(record[key] for key in keys_of(name)) for record in run.records.get(name, [])]


def asked(calls, path):
    """What `fields` was on the only kind of call whose path matches, or None."""
    (fields,) = {call.query.get("fields") for call in calls if re.fullmatch(path, call.path)}
    return fields


def paths(emulator, *beginnings):
    """How often each path was read that begins so."""
    return Counter(
        call.path
        for call in emulator.calls
        if call.method == "GET" and call.path.startswith(beginnings)
    )


def explores_of(instance):
    return [
        (model["name"], explore["name"])
        for model in instance.lookml_models
        for explore in model["explores"]
    ]


def failed(run):
    """Names of the streams that the last lines call failed, each with its line."""
    found = [re.match(r"Failed (\w+): (.*)", error) for error in run.errors]
    return {match[1]: match[2] for match in found if match}


def counted(run):
    """How many items of each source the end of the run says were skipped."""
    found = [re.match(r"(\w+): (\d+) item\(s\) skipped", line) for line in run.warnings]
    return {match[1]: int(match[2]) for match in found if match}


# ------------------------------------------------------------------------------ a run of everything


def test_a_run_of_everything_is_a_success(everything):
    everything.run.succeeded()
    assert everything.run.records.keys() == {*NAMES, *OF_ACTIVITY}
    assert counted(everything.run) == {}


def is_time(value):
    text = re.sub(r"Z$", "+00:00", value)
    has_form = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d", text)
    return bool(has_form and datetime.fromisoformat(text))


FORMATS = jsonschema.FormatChecker(())
FORMATS.checks("date-time", ValueError)(lambda value: not isinstance(value, str) or is_time(value))
FORMATS.checks("date", ValueError)(
    lambda value: not isinstance(value, str) or bool(date.fromisoformat(value))
)


def strays(value, schema, path=""):
    """Properties that the schema does not have, at any depth."""
    if isinstance(value, list):
        for item in value:
            yield from strays(item, schema.get("items", {}), f"{path}[]")
    elif isinstance(value, dict) and "properties" in schema:
        for name, item in value.items():
            if name in schema["properties"]:
                yield from strays(item, schema["properties"][name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"


@each_stream
def test_records_fit_their_schema(everything, name):
    schema = everything.run.schemas[name]["schema"]
    assert set(re.findall(r'"format": "([^"]*)"', json.dumps(schema))) <= {"date-time", "date"}
    validator = jsonschema.Draft7Validator(schema, format_checker=FORMATS)
    records = everything.run.records[name]
    assert records
    assert not [stray for record in records for stray in strays(record, schema)]
    for record in records[:: len(records) // 300 + 1]:  # a validator takes its time
        assert not list(validator.iter_errors(record))


@each_stream
def test_no_two_records_share_a_key(everything, name):
    found = keys(everything.run, name)
    assert not [key for key, count in Counter(found).items() if count > 1]
    assert all(None not in key and "" not in key for key in found)


def of_each(parents, rows_of, *keys, parent="id"):
    """Keys of what belongs to rows of another collection."""

    def found(instance):
        return [
            (owner[parent], *(row[key] for key in keys))
            for owner in getattr(instance, parents)
            for row in rows_of(instance, owner)
        ]

    return found


def of_project(collection, *keys):
    return of_each("projects", lambda i, owner: getattr(i, collection)[owner["id"]], *keys)


def in_schemas(rows_of, below):
    """Keys of tables, or of the columns of tables, in all schemas of all connections."""
    return lambda instance: [
        (connection["name"], schema["name"], table["name"], *(column["name"] for column in last))
        for connection in instance.connections
        for schema in connections.connection_schemas(connection)
        for table in rows_of(connection, schema["name"])
        for last in ([[column] for column in table[below]] if below else [[]])
    ]


def of_content(metadata):
    """Content that streams know; agents are only in beta."""
    return metadata["content_type"] != "agent"


HELD = {
    "agent_lookml": lambda i: [
        (one["id"],) for one in i.agents if not (one["deleted"] or one["is_lookml"])
    ],
    "ci_runs": of_project("ci_runs", "id"),
    "ci_suites": of_project("ci_suites", "id"),
    "connection_columns": in_schemas(connections.connection_columns, "columns"),
    "connection_features": lambda i: [(row["name"],) for row in i.connections],
    "connection_schemas": of_each(
        "connections", lambda _, row: connections.connection_schemas(row), "name", parent="name"
    ),
    "connection_tables": in_schemas(
        lambda row, schema: connections.connection_tables(row, schema)[0]["tables"], ""
    ),
    "content_metadata": lambda i: [(row["id"],) for row in i.content_metadata if of_content(row)],
    "content_metadata_access": lambda i: [
        (row["id"],)
        for metadata in i.content_metadata
        if of_content(metadata)
        for row in i.content_metadata_accesses
        if row["content_metadata_id"] == metadata["id"]
    ],
    "content_validation": lambda i: [
        (row["id"],) for row in i.content_validation[0]["content_with_errors"]
    ],
    "conversation_message_responses": lambda i: [
        (one["id"], asked["id"], answer["id"])
        for one in i.conversations
        for asked, answer in itertools.pairwise(one["messages"])
        if asked["type"] == "user"
    ],
    "conversation_messages": of_each("conversations", lambda _, row: row["messages"], "id"),
    "current_user": lambda i: [(i.me[0]["id"],)],
    "dashboard_filters": lambda i: [
        (row["id"],) for one in i.dashboards for row in one["dashboard_filters"]
    ],
    "dashboard_layouts": lambda i: [
        (row["id"],) for one in i.dashboards for row in one["dashboard_layouts"]
    ],
    "explores": lambda i: [(f"{model}::{name}",) for model, name in explores_of(i)],
    "git_branches": of_project("git_branches", "name"),
    "group_users": of_each(
        "groups", lambda i, one: [u for u in i.users if one["id"] in u["group_ids"]], "id"
    ),
    "lookml_tests": of_project("lookml_tests", "model_name", "name"),
    "project_files": of_project("project_files", "id"),
    "project_manifests": of_project("project_manifests"),
    "project_validation": lambda i: [(project,) for project in i.project_validations],
    "repository_credentials": of_project("repository_credentials", "id"),
    "role_groups": of_each(
        "roles", lambda i, one: [g for g in i.groups if one["id"] in g["role_ids"]], "id"
    ),
    "role_users": of_each(
        "roles", lambda i, one: [u for u in i.users if one["id"] in u["role_ids"]], "id"
    ),
    "user_attribute_group_values": lambda i: [
        (row["id"],) for rows in i.user_attribute_group_values.values() for row in rows
    ],
    "user_attribute_values": of_each(
        "users", lambda i, one: attribute_values(i, one, include_unset=False), "user_attribute_id"
    ),
    "user_credentials_api3": of_each("users", lambda _, one: one["credentials_api3"], "id"),
    "user_sessions": of_each("users", lambda i, one: i.user_sessions.get(one["id"], []), "id"),
}
"""Keys of what an instance holds, where it is in no list of the stream's name."""

ELSEWHERE = {  # in tests of their own
    "connection_databases",
    "derived_table_edges",
    "explore_fields",
    "explore_sql",
    "queries",
}
ELSEWHERE |= {one.name for one in RESOURCES if isinstance(one.source, Flat)} - HELD.keys()
OF_THE_HOST = {one.name for one in RESOURCES if one.keys == ("host",)}


@pytest.mark.parametrize("name", sorted({*NAMES} - ELSEWHERE - OF_THE_HOST))
def test_everything_the_instance_holds_is_a_record(everything, name):
    if name in HELD:
        held = HELD[name](everything.instance)
    else:
        rows = getattr(everything.instance, name)
        held = [tuple(row[key] for key in keys_of(name)) for row in rows]
    assert sorted(keys(everything.run, name)) == sorted(held)


@pytest.mark.parametrize("name", sorted(OF_THE_HOST))
def test_a_configuration_is_one_record_keyed_by_the_host(everything, name):
    (record,) = everything.run.records[name]
    assert re.fullmatch(r"127\.0\.0\.1:\d+", record["host"])
    assert len(record) > 1
    assert set(record) == everything.run.schemas[name]["schema"]["properties"].keys()


def test_names_of_databases_are_rows(everything):
    assert keys(everything.run, "connection_databases") == [
        (row["name"], name)
        for row in everything.instance.connections
        for name in connections.connection_databases(row)
    ]


def test_fields_of_all_kinds_are_rows(everything):
    found = Counter(record["explore_id"] for record in everything.run.records["explore_fields"])
    assert found.keys() == {record["id"] for record in everything.run.records["explores"]}
    for model, name in explores_of(everything.instance):
        if model != "thelook":  # its explores answer queries, and are made elsewhere
            kinds = explore(everything.instance, model, name)["fields"].values()
            assert found[f"{model}::{name}"] == sum(map(len, kinds))


def test_only_what_reads_is_called(everything):
    called = {(call.method, call.path) for call in everything.calls if call.method != "GET"}
    queries = {(method, path) for method, path in called if path.startswith("/queries/run/")}
    assert called - queries == {("POST", "/login"), ("DELETE", "/logout")}
    read = [call.path for call in everything.calls if call.method == "GET"]
    assert not [path for path in read if re.search(r"/(run|test|start|stop|build)\b", path)]
    for call in everything.calls:
        if (call.method, call.path) in queries and call.path != "/queries/run/sql":  # not run
            assert json.loads(call.body)["model"] == "system__activity"


def test_nothing_is_asked_for_twice(everything):
    calls = Counter(
        (call.method, call.path, json.dumps(call.query, sort_keys=True), call.body)
        for call in everything.calls
    )
    assert [call for call, count in calls.items() if count > 1] == []


def test_every_answer_is_a_good_one(everything):
    assert {call.status for call in everything.calls} == {200, 204}


def test_what_is_unknown_is_named_once_for_a_stream_and_no_type_is_odd(everything):
    said = [line for line in everything.run.warnings if line.startswith("Properties ")]
    assert len(said) == len(set(said))
    assert not [line for line in said if "something other than" in line]


def test_secrets_are_nowhere(everything):
    instance = everything.instance
    assert "SECRET-" in json.dumps(instance.integrations)
    assert "SECRET-" in json.dumps([user["credentials_email"] for user in instance.users])
    for text in (everything.run.stdout, everything.run.stderr):
        assert "SECRET-" not in text
    for record in everything.run.records["integrations"]:
        assert record["params"]
        assert not any("value" in param for param in record["params"])


PLANTED = {
    "cloud_storage": ("custom_s3_key", "custom_s3_secret"),
    "connections": ("password", "certificate"),
    "external_oauth_applications": ("client_secret",),
    "integration_hubs": ("authorization_token",),
    "ldap_config": ("auth_password", "test_ldap_password"),
    "oidc_config": ("secret",),
    "projects": ("git_password", "deploy_secret"),
}


def test_secrets_that_an_answer_holds_against_the_document_are_nowhere(run, emulator):
    for collection, names in PLANTED.items():
        for row in getattr(emulator.instance, collection):
            row.update(dict.fromkeys(names, "SECRET-planted"))
    for collection, name in (
        ("ci_suites", "webhook_secret"),
        ("repository_credentials", "git_password"),
    ):
        for rows in getattr(emulator.instance, collection).values():
            for row in rows:
                row[name] = "SECRET-planted"
    for connection in emulator.instance.connections:
        connection["pdt_context_override"] = {"host": "h", "password": "SECRET-planted"}
    for plan in emulator.instance.scheduled_plans:
        for destination in plan["scheduled_plan_destination"]:
            destination["secret_parameters"] = "SECRET-planted"
    streams = (*PLANTED, "ci_suites", "repository_credentials", "scheduled_plans")
    result = run(catalog=selecting(*streams)).succeeded()
    assert result.records.keys() == {*streams}
    assert "SECRET-" not in result.stdout + result.stderr


# ------------------------------------------------------------------------------------ what it costs

DEFAULT = {
    "/alerts/search": 1,
    "/board_items": 1,
    "/board_sections": 1,
    "/boards/search": 1,
    "/color_collections": 1,
    "/connections": 1,
    "/dashboard_elements/search": 2,  # and what is in the trash
    "/dashboards/lookml/search": 1,
    "/dashboards/search": 2,
    "/datagroups": 1,
    "/dialect_info": 1,
    "/folders/search": 1,
    "/groups/search/with_hierarchy": 1,
    "/integration_hubs": 1,
    "/integrations": 1,
    "/locales": 1,
    "/lookml_models": 1,
    "/looks/search": 2,
    "/model_sets/search": 1,
    "/oauth_client_apps": 1,
    "/permission_sets/search": 1,
    "/permissions": 1,
    "/primary_homepage_sections": 1,
    "/projects": 1,
    "/roles/search/with_user_count": 1,
    "/scheduled_plans": 1,
    "/themes": 1,
    "/timezones": 1,
    "/user": 1,
    "/user_attributes": 1,
    "/user_login_lockouts/search": 1,
    "/users/search": 1,
    "/versions": 1,
    "/workspaces": 1,
}
AS_QUERIES = {"/scheduled_plans"}
FOR_NOTHING = {"/versions"}


def test_calls_of_the_default_selection(run, emulator):
    """A call that is added is added here too, by its name."""
    result = run(catalog=catalog()).succeeded()
    homes = homes_of_looks(emulator.instance, without=queries_of_tiles(emulator.instance))
    expected = {
        **DEFAULT,
        **{f"/folders/{id_}/looks": 1 for id_ in homes},
    }
    assert paths(emulator, "/") == expected
    queries = sum(expected[path] for path in AS_QUERIES)
    admin = sum(expected.values()) - queries - sum(expected[path] for path in FOR_NOTHING)
    assert admin == 40
    assert result.log("INFO")[-1] == f"Cost: {admin} admin calls, {queries} query call, 1 login."
    assert (emulator.count("/login"), emulator.count("/logout")) == (1, 1)


def test_the_default_selection_has_no_stream_with_a_call_per_row(run):
    result = run(catalog=catalog()).succeeded()
    costly = {one.name for one in RESOURCES if getattr(one.source, "parent", None)}
    assert not costly & result.schemas.keys()
    assert result.schemas.keys() == {one.name for one in RESOURCES if one.default}


@pytest.mark.parametrize(
    "names", [["explores"], ["explore_fields"], ["explores", "explore_fields"]]
)
def test_explores_and_their_fields_cost_one_call_per_explore(run, emulator, names):
    result = run(catalog=selecting(*names)).succeeded()
    assert result.records.keys() == set(names)
    assert paths(emulator, "/") == {
        "/lookml_models": 1,
        **{
            f"/lookml_models/{model}/explores/{name}": 1
            for model, name in explores_of(emulator.instance)
        },
    }


def test_explores_alone_do_not_ask_for_their_fields(run, emulator):
    run(catalog=selecting("explores")).succeeded()
    assert not re.search(r"\bfields\b", asked(emulator.calls, "/lookml_models/.*"))


def test_fields_of_explores_alone_ask_for_them_alone(run, emulator):
    result = run(catalog=selecting(only={"explore_fields": {"label"}})).succeeded()
    fields = asked(emulator.calls, "/lookml_models/.*")
    assert "measures" in fields
    assert not re.search(r"\b(sql|joins|description)\b", fields)
    assert {frozenset(record) for record in result.records["explore_fields"]} == {
        frozenset({"explore_id", "name", "label"})
    }


PARENTS = {
    "artifacts": {"/artifact/namespaces": "namespace"},
    "connection_columns": {"/connections": "name", "/connections/[^/]*/schemas": "name"},
    "connection_features": {"/connections": "name"},
    "content_favorites": {"/users/search": "id is_disabled"},
    "content_metadata": {"/folders/search": "id content_metadata_id"},
    "conversation_messages": {"/conversations/search": "id"},
    "explores": {"/lookml_models": "name explores(name) has_content"},
    "git_branches": {"/projects": "id"},
    "group_users": {"/groups/search/with_hierarchy": "id name"},
    "merge_queries": {"/dashboard_elements/search": "id dashboard_id merge_result_id"},
    "project_files": {"/projects": "id"},
    "role_groups": {"/roles/search/with_user_count": "id name"},
    "role_users": {"/roles/search/with_user_count": "id name"},
    "user_attribute_group_values": {"/user_attributes": "id"},
    "user_attribute_values": {"/users/search": "id"},
    "user_sessions": {"/users/search": "id is_disabled"},
}


@pytest.mark.parametrize("name", PARENTS)
def test_a_list_that_is_not_selected_is_asked_for_its_keys_alone(run, emulator, name):
    result = run(catalog=selecting(name)).succeeded()
    assert result.records.keys() == {name}
    for path, fields in PARENTS[name].items():
        assert sorted(asked(emulator.calls, path).split(",")) == sorted(fields.split())


def test_a_list_that_is_selected_too_is_read_once_and_whole(run, emulator):
    result = run(
        catalog=selecting("users", "user_sessions", "user_attribute_values", "content_favorites")
    ).succeeded()
    assert emulator.count("/users/search") == 1
    assert asked(emulator.calls, "/users/search") is None
    assert result.ids("users") == [user["id"] for user in emulator.instance.users]


@pytest.mark.parametrize("names", [["group_users"], ["group_users", "role_users", "user_sessions"]])
def test_what_is_asked_for_one_by_one_is_said_beforehand(run, names):
    result = run(catalog=selecting(*names, "themes")).succeeded()
    said = result.log("INFO")
    (line,) = [line for line in said if "1 call per" in line]
    of = {"group_users": "group", "role_users": "role", "user_sessions": "user"}
    assert re.findall(r"(\w+) \(1 call per ([^)]+)\)", line) == [(name, of[name]) for name in names]
    first = min(n for n, text in enumerate(said) if re.match(r"\w+: \d+ records?, ", text))
    assert said.index(line) < first


def test_nothing_is_said_of_what_is_cheap(run):
    result = run(catalog=selecting("themes", "users", "dashboard_filters")).succeeded()
    assert "1 call per" not in result.stderr


def test_all_that_is_costly_is_named(everything):
    (line,) = [line for line in everything.run.log("INFO") if "1 call per" in line]
    named = set(re.findall(r"(\w+) \(", line))
    assert named >= {one.name for one in RESOURCES if getattr(one.source, "parent", None)}
    assert named >= {"explore_fields", "queries", "content_metadata", "content_validation"}


# --------------------------------------------------------------------------------- who is asked for


def test_nothing_of_disabled_users_is_asked_for_that_fails_for_them(run, emulator):
    disabled = {user["id"] for user in emulator.instance.users if user["is_disabled"]}
    assert disabled
    names = ("content_favorites", "user_attribute_values", "user_sessions")
    result = run(catalog=selecting(*names)).succeeded()
    others = {user["id"] for user in emulator.instance.users} - disabled
    of_users = [call for call in emulator.calls if call.path == "/content_favorite/search"]
    assert [set(call.query["user_id"].split(",")) for call in of_users] == [others]
    assert paths(emulator, "/users/") == {
        "/users/search": 1,
        **{f"/users/{id_}/sessions": 1 for id_ in others},
        **{f"/users/{id_}/attribute_values": 1 for id_ in others | disabled},
    }
    assert counted(result) == {}


@pytest.mark.parametrize(
    ("name", "columns", "fields"),
    [
        (
            "group_users",
            "group_id group_name user_id user_name user_email",
            "id display_name email",
        ),
        ("role_users", "role_id role_name user_id user_name user_email", "id display_name email"),
        ("role_groups", "role_id role_name group_id group_name", "id name"),
    ],
)
def test_membership_is_two_ids_and_the_names_that_come_with_them(everything, name, columns, fields):
    records = everything.run.records[name]
    assert {frozenset(record) for record in records} == {frozenset(columns.split())}
    path = r"/{}s/[^/]+/{}s".format(*name[:-1].split("_"))
    assert set(asked(everything.calls, path).split(",")) == set(fields.split())
    of, member = name[:-1].split("_")
    for kind in (of, member):
        rows = {row["id"]: row for row in getattr(everything.instance, f"{kind}s")}
        for record in records:
            row = rows[record[f"{kind}_id"]]
            assert record[f"{kind}_name"] == row["display_name" if kind == "user" else "name"]
            assert kind != "user" or record["user_email"] == row["email"]


def test_a_group_without_a_name_has_its_users(run, emulator):
    emulator.instance.groups[2]["name"] = None
    result = run(catalog=selecting("group_users")).succeeded()
    assert sorted(keys(result, "group_users")) == sorted(HELD["group_users"](emulator.instance))


def test_a_renamed_key_is_asked_for_by_lookers_name(run, emulator):
    result = run(catalog=selecting(only={"group_users": {"user_email"}})).succeeded()
    assert {frozenset(record) for record in result.records["group_users"]} == {
        frozenset({"group_id", "user_id", "user_email"})
    }
    assert set(asked(emulator.calls, "/groups/[^/]+/users").split(",")) == {"id", "email"}


def test_roles_name_their_sets(run, emulator):
    result = run(catalog=selecting(only={"roles": {"permission_set_id"}})).succeeded()
    # All of it where the run looks at the permissions of its own key.
    assert re.fullmatch(
        r"id,permission_set(\(id\))?", asked(emulator.calls, "/roles/search/with_user_count")
    )
    assert result.records["roles"] == [
        {"id": row["id"], "permission_set_id": row["permission_set"]["id"]}
        for row in emulator.instance.roles
    ]
    whole = run(catalog=selecting("roles")).succeeded()
    for record in whole.records["roles"]:
        assert record["model_set_id"] == record["model_set"]["id"]
    assert not result.warnings + whole.warnings


def test_the_last_login_is_the_latest_of_all_credentials(run, emulator):
    first, second, *_ = emulator.instance.users
    first["credentials_email"] |= {"logged_in_at": "2024-05-01T00:30:00.000+02:00"}
    first["credentials_google"] = {"logged_in_at": "2024-04-30T23:00:00Z"}
    first["credentials_embed"] = [{"id": "1", "logged_in_at": "soon"}, None, {"logged_in_at": None}]
    second["credentials_email"] |= {"logged_in_at": ""}
    result = run(catalog=selecting(only={"users": {"last_login_at"}})).succeeded()
    found = {record["id"]: record for record in result.records["users"]}
    assert found[first["id"]] == {"id": first["id"], "last_login_at": "2024-04-30T23:00:00+00:00"}
    assert found[second["id"]]["last_login_at"] is None
    assert "credentials_api3" not in asked(emulator.calls, "/users/search")
    whole = run(catalog=selecting("users")).succeeded()
    assert whole.records["users"][0]["last_login_at"] == "2024-04-30T23:00:00+00:00"


def test_unix_seconds_become_times(run, emulator):
    one, two, three, *_ = emulator.instance.datagroups
    one["created_at"] = 1_717_000_000
    two["created_at"] = "1717000000"
    three["created_at"] = "2024-05-29T16:26:40Z"
    result = run(catalog=selecting("datagroups", "connections", "git_branches")).succeeded()
    times = [record["created_at"] for record in result.records["datagroups"][:3]]
    assert times == ["2024-05-29T16:26:40+00:00"] * 2 + ["2024-05-29T16:26:40Z"]
    assert {record["last_regen_at"] for record in result.records["connections"]} > {None}
    assert all(is_time(record["commit_at"]) for record in result.records["git_branches"])
    assert not result.warnings


def test_users_of_a_role_are_those_who_have_it_themselves(everything):
    for call in everything.calls:
        if re.fullmatch(r"/roles/[^/]+/users", call.path):
            assert call.query["direct_association_only"] == "true"


# ----------------------------------------------------------------------------- what stands in paths

ODD = "a/b c%?d#é::1;2"
ENCODED = "a%2Fb%20c%25%3Fd%23%C3%A9%3A%3A1%3B2"


def test_the_id_of_a_project_stays_in_its_place(run, emulator):
    instance = emulator.instance
    collections = ("project_files", "project_manifests", "project_validations", "git_branches")
    for name in (*collections, "lookml_tests"):
        held = getattr(instance, name)
        held[ODD] = held.pop("greenhouse")
    instance.projects[0]["id"] = ODD
    result = run(catalog=selecting(*PROJECT_STREAMS)).succeeded()
    raw = {call.raw_path for call in emulator.calls if call.path.startswith("/projects/a")}
    ends = ("files", "manifest", "validate", "git_branches", "lookml_tests")
    assert raw == {f"/api/4.0/projects/{ENCODED}/{end}" for end in ends}
    for name in PROJECT_STREAMS:
        assert ODD in {record["project_id"] for record in result.records[name]}


def test_the_id_of_a_group_stays_in_its_place(run, emulator):
    instance = emulator.instance
    old = instance.groups[2]["id"]
    instance.groups[2]["id"] = ODD
    for user in instance.users:
        user["group_ids"] = [ODD if id_ == old else id_ for id_ in user["group_ids"]]
    result = run(catalog=selecting("group_users")).succeeded()
    assert f"/api/4.0/groups/{ENCODED}/users" in {call.raw_path for call in emulator.calls}
    assert sorted(keys(result, "group_users")) == sorted(HELD["group_users"](instance))
    assert ODD in {record["group_id"] for record in result.records["group_users"]}


def test_the_name_of_an_explore_stays_in_its_place(run, emulator):
    model = emulator.instance.lookml_models[0]
    model["explores"][0]["name"] = "x/../y"
    result = run(catalog=selecting("explores", "explore_fields")).succeeded()
    assert f"{model['name']}::x/../y" in result.ids("explores")
    assert f"{model['name']}::x/../y" in {
        record["explore_id"] for record in result.records["explore_fields"]
    }
    raw = f"/api/4.0/lookml_models/{model['name']}/explores/x%2F..%2Fy"
    assert raw in {call.raw_path for call in emulator.calls}


def test_the_name_of_a_schema_stays_in_its_parameter(run, emulator, monkeypatch):
    odd = "a&cache=false#{x},(b)+ü"
    schemas = connections.connection_schemas
    monkeypatch.setattr(
        connections, "connection_schemas", lambda row: [*schemas(row), {"name": odd}]
    )
    monkeypatch.setattr(connections, "connection_tables", lambda *_: [])
    run(catalog=selecting("connection_tables")).succeeded()
    calls = [call for call in emulator.calls if call.path.endswith("/tables")]
    assert odd in {call.query["schema_name"] for call in calls}
    assert {call.query["cache"] for call in calls} == {"true"}


def test_ids_of_lookml_dashboards_are_percent_encoded(run, emulator):
    emulator.add_fault(
        Fault("drop_nested", "/dashboards/lookml/search", names=("dashboard_elements",))
    )
    run(catalog=selecting("lookml_dashboards")).succeeded()
    raw = {call.raw_path for call in emulator.calls if call.path.startswith("/dashboards/")}
    assert raw == {"/api/4.0/dashboards/lookml/search"} | {
        "/api/4.0/dashboards/{}%3A%3A{}/dashboard_elements".format(*row["id"].split("::"))
        for row in emulator.instance.lookml_dashboards
    }


@pytest.mark.parametrize("name", ["..", "."])
def test_a_name_that_leads_elsewhere_is_skipped_and_counted(run, emulator, name):
    instance = emulator.instance
    lost = len(instance.lookml_models[0]["explores"])
    instance.lookml_models[0]["name"] = name
    result = run(catalog=selecting("lookml_models", "explores")).succeeded()
    others = [f"{model}::{one}" for model, one in explores_of(instance) if model != name]
    assert sorted(result.ids("explores")) == sorted(others)
    assert counted(result) == {"explores": lost}
    assert all(
        call.path.startswith("/lookml_models/") or call.path in ("/lookml_models", "/versions")
        for call in emulator.calls
        if call.method == "GET"
    )
    assert not [call.raw_path for call in emulator.calls if "/.." in call.raw_path]


# ------------------------------------------------------------------------- one bad item out of many


@pytest.mark.parametrize("status", [400, 404, 422, 500])
@pytest.mark.usefixtures("_quick_retries")
def test_an_explore_that_does_not_compile_is_skipped_and_counted(runner_of, status):
    with Emulator(broken_explores={"storefront::orders": status}) as emulator:
        result = runner_of(emulator)(catalog=selecting("explores", "explore_fields")).succeeded()
        instance = emulator.instance
    whole = [f"{model}::{name}" for model, name in explores_of(instance)]
    whole.remove("storefront::orders")
    assert result.ids("explores") == whole
    assert {record["explore_id"] for record in result.records["explore_fields"]} == set(whole)
    assert counted(result) == {"explores": 1}
    (line,) = [line for line in result.warnings if "one skipped" in line]
    assert line.startswith("explores: one skipped: GET /lookml_models/storefront/explores/orders")
    assert str(status) in line


@pytest.mark.parametrize("name", PROJECT_STREAMS)
def test_a_project_that_is_gone_since_is_skipped_and_counted(run, emulator, name):
    emulator.add_fault(Fault("denied", "/projects/greenhouse/*", times=None))
    result = run(catalog=selecting("projects", name)).succeeded()
    assert len(result.records["projects"]) == 3
    assert all(record["project_id"] != "greenhouse" for record in result.records.get(name, []))
    assert counted(result) == {name: 1}


@pytest.mark.usefixtures("_quick_retries")
def test_a_500_for_one_user_is_skipped_and_counted(run, emulator):
    user = emulator.instance.users[1]["id"]
    emulator.add_fault(Fault("status", f"/users/{user}/sessions", times=None, status=500))
    result = run(catalog=selecting("user_sessions")).succeeded()
    held = HELD["user_sessions"](emulator.instance)
    assert any(key[0] == user for key in held)
    assert sorted(keys(result, "user_sessions")) == sorted(key for key in held if key[0] != user)
    assert counted(result) == {"user_sessions": 1}


@pytest.mark.parametrize(
    ("name", "path", "whole"),
    [
        ("project_files", "/projects/*/files", "projects"),
        ("explores", "/lookml_models/*/explores/*", "lookml_models"),
        ("group_users", "/groups/*/users", "groups"),
        ("connection_tables", "/connections/*/tables", "connection_schemas"),
        ("content_metadata_access", "/content_metadata_access", "content_metadata"),
    ],
)
def test_a_stream_whose_items_are_all_bad_fails_and_no_other(run, emulator, name, path, whole):
    emulator.add_fault(Fault("denied", path, times=None))
    result = run(catalog=selecting(name, whole, "themes"))
    assert result.exit_code == 1
    assert result.schemas.keys() == {whole, "themes"}
    assert len(result.records["themes"]) == 3
    assert result.records[whole]
    assert failed(result).keys() == {name}
    assert "404" in failed(result)[name]


def test_the_only_one_of_its_kind_that_is_gone_is_skipped(run, emulator):
    """One query that came without a body is asked for alone: the many that came are not lost."""
    instance = emulator.instance
    wanted = next(look for look in instance.looks if not look["deleted"])["query_id"]
    tiles = [tile for row in instance.lookml_dashboards for tile in row["dashboard_elements"]]
    for holder in (*tiles, *instance.dashboard_elements, *instance.looks):
        for one in filter(None, (holder, holder.get("look"), holder.get("result_maker"))):
            if one["query"] and one["query"]["id"] == wanted:
                one["query"] = None
    emulator.add_fault(Fault("denied", "/queries/*", times=None))
    result = run(catalog=selecting("queries")).succeeded()
    assert emulator.count("/queries/*") == 1
    assert len(result.ids("queries")) > 50
    assert counted(result) == {"queries": 1}


def test_one_user_who_cannot_be_asked_for_does_not_sink_the_others(run, emulator):
    """Favourites of many users come in one call."""
    whole = run(catalog=selecting("content_favorites")).succeeded()
    emulator.add_fault(
        Fault("status", "/content_favorite/search", times=2, status=400)  # of all, and of the first
    )
    result = run(catalog=selecting("content_favorites")).succeeded()
    assert counted(result) == {"content_favorites": 1}
    first = next(one["id"] for one in emulator.instance.users if not one["is_disabled"])
    assert result.records["content_favorites"] == [
        one for one in whole.records["content_favorites"] if one["user_id"] != first
    ]


def test_queries_of_looks_that_their_folder_does_not_show_are_asked_for(run, emulator):
    instance = emulator.instance
    known = queries_of_tiles(instance)
    look = next(
        one for one in instance.looks if not one["deleted"] and one["query_id"] not in known
    )
    look["folder_id"] = None
    result = run(catalog=selecting("queries", "looks")).succeeded()
    assert look["query_id"] in result.ids("queries")
    assert emulator.count(f"/queries/{look['query_id']}") == 1


@pytest.mark.parametrize("name", ["current_user", "versions"])
def test_an_empty_list_in_place_of_an_object_is_no_answer(run, emulator, name):
    path = {"current_user": "/user", "versions": "/versions"}[name]
    emulator.add_fault(Fault("status", path, times=None, status=200, json=[]))
    result = run(catalog=selecting(name, "roles"))
    assert result.exit_code == 1
    assert result.schemas.keys() == {"roles"}
    assert "holds no object" in failed(result)[name]


def test_the_only_nested_list_that_is_missing_is_skipped(run, emulator):
    """As above: the lists of the other dashboards came."""
    emulator.instance.dashboards[0]["dashboard_filters"] = None  # nor does its own path know it
    result = run(catalog=selecting("dashboards", "dashboard_filters")).succeeded()
    first = emulator.instance.dashboards[0]["id"]
    assert emulator.count(f"/dashboards/{first}/dashboard_filters") == 1
    assert len(result.records["dashboards"]) == len(emulator.instance.dashboards)
    assert {record["dashboard_id"] for record in result.records["dashboard_filters"]} == {
        one["id"] for one in emulator.instance.dashboards[1:] if one["dashboard_filters"]
    }


def test_nested_lists_that_are_denied_do_not_fail_the_rows_around_them(run, emulator):
    emulator.add_fault(Fault("drop_nested", "/users/search", names=("credentials_api3",)))
    emulator.add_fault(Fault("denied", "/users/*/credentials_api3", times=None))
    result = run(catalog=selecting("users", "user_credentials_api3"))
    assert result.exit_code == 1
    assert failed(result).keys() == {"user_credentials_api3"}
    assert result.ids("users") == [user["id"] for user in emulator.instance.users]


# ---------------------------------------------------------------------------- not there, not denied


@pytest.mark.parametrize(
    ("name", "path", "status", "permission"),
    [
        ("agents", "/agents/search", "beta", "what that user may see"),
        ("artifact_namespaces", "/artifact/*", "alpha", "extensions made by Looker"),
        ("external_oauth_applications", "/external_oauth_applications", "beta", "the Admin role"),
        ("alerts", "/alerts/search", "", "the Admin role"),
        ("projects", "/projects", "", "develop"),
    ],
)
def test_what_is_not_there_may_be_a_permission_or_the_release(
    runner_of, name, path, status, permission
):
    with Emulator(missing=(path,)) as emulator:
        result = runner_of(emulator)(catalog=selecting(name, "themes", "roles"))
    assert result.exit_code == 1
    assert result.schemas.keys() == {"themes", "roles"}
    line = failed(result)[name]
    assert permission in line
    assert f"release {RELEASE}" in line
    for word in ("beta", "alpha"):
        assert (f", {word} in the API" in line) is (word == status)


def test_what_is_denied_says_the_same(runner_of):
    with Emulator(denied=("/alerts",)) as emulator:
        result = runner_of(emulator)(catalog=selecting("alerts", "themes"))
    assert result.exit_code == 1
    assert "the Admin role" in failed(result)["alerts"]
    assert f"release {RELEASE}" in failed(result)["alerts"]


def test_the_release_is_asked_for_once_however_many_are_missing(runner_of):
    with Emulator(missing=("/agents/*", "/conversations/*", "/alerts/*")) as emulator:
        result = runner_of(emulator)(
            catalog=selecting("agents", "conversations", "conversation_messages", "alerts")
        )
        assert emulator.count("/versions") == 1
        assert emulator.count("/conversations/search") == 1
    assert failed(result).keys() == {"agents", "alerts", "conversation_messages", "conversations"}


def test_what_is_missing_can_be_skipped(runner_of):
    with Emulator(missing=("/agents/search", "/artifact/*")) as emulator:
        result = runner_of(emulator)(
            catalog=selecting("agents", "artifacts", "themes"), on_denied="skip"
        ).succeeded()
    assert result.schemas.keys() == {"themes"}
    skipped = [line for line in result.warnings if line.startswith("Skipped ")]
    assert [line.split(":")[0] for line in skipped] == ["Skipped agents", "Skipped artifacts"]
    assert "alpha" in skipped[1]


OLD = "25.4.12"


@pytest.fixture
def old_looker():
    """An instance from before agents, suites and Workforce Identity Federation."""
    missing = ("/agents/*", "/workforce_config", "/projects/*/continuous_integration/*")
    with Emulator(missing=missing) as emulator:
        emulator.instance.versions[0]["looker_release_version"] = OLD
        yield emulator


def test_what_an_older_looker_lacks_is_said_to_be_newer(runner_of, old_looker):
    since = {
        "agents": "26.4",
        "agent_lookml": "26.18",
        "ci_runs": "26.18",
        "ci_suites": "26.18",
        "workforce_config": "26.22",
    }
    result = runner_of(old_looker)(catalog=selecting(*since, "themes"))
    assert result.records.keys() == {"themes"}
    lines = failed(result)
    assert lines.keys() == since.keys()
    for name, release in since.items():
        assert lines[name].endswith(
            f"This Looker ({OLD}) may not have it: it is documented from release {release} on."
        )
    assert old_looker.count("/versions") == 1
    assert "Cost: 10 admin calls" in result.stderr  # suites and runs: of three projects


@pytest.mark.parametrize("status", [404, 405])
def test_what_an_older_looker_lacks_can_be_skipped(runner_of, old_looker, status):
    old_looker.add_fault(Fault("status", "/workforce_config", times=None, status=status))
    result = runner_of(old_looker)(
        catalog=selecting("workforce_config", "themes"), on_denied="skip"
    ).succeeded()
    assert result.schemas.keys() == {"themes"}
    (line,) = [line for line in result.warnings if line.startswith("Skipped workforce_config")]
    assert f"This Looker ({OLD})" in line


def test_a_release_that_is_new_enough_points_to_permissions(runner_of):
    with Emulator(denied=("/workforce_config",)) as emulator:
        result = runner_of(emulator)(catalog=selecting("workforce_config"))
    assert "the Admin role" in failed(result)["workforce_config"]
    assert f"release {RELEASE}" in failed(result)["workforce_config"]


def test_a_release_that_is_not_told_is_no_reason(runner_of):
    with Emulator(missing=("/workforce_config", "/versions")) as emulator:
        result = runner_of(emulator)(catalog=selecting("workforce_config"))
    assert "release unknown" in failed(result)["workforce_config"]


@pytest.mark.parametrize(
    ("release", "since", "older"),
    [
        ("25.4.12", "26.4", True),
        ("26.2.40", "26.18", True),
        ("26.18.0", "26.18", False),
        ("27.0.1", "26.22", False),
        ("26.4", "", False),
        ("", "26.4", False),
        ("unknown", "26.4", False),
    ],
)
def test_releases_are_compared_as_numbers(release, since, older):
    assert is_older(release, since) is older


def test_a_looker_that_refuses_names_of_later_properties_is_asked_for_all(runner_of, run):
    """Asked for once with the names, then without: also where there is a call for each row."""
    names = ("dashboards", "folders", "group_users", "roles", "users")
    with Emulator(strict_fields=True) as emulator:
        for row in (*emulator.instance.dashboards, *emulator.instance.folders):
            row.pop("style", None)
            row.pop("is_embed", None)
        for user in emulator.instance.users:
            user.pop("ui_state")
        result = runner_of(emulator)(
            catalog=selecting(*names, without={"users": {"url"}}), concurrency=1
        ).succeeded()
        pages = {"/dashboards/search": 3, "/folders/search": 2, "/users/search": 2}
        assert {path: emulator.count(path) for path in pages} == pages
        assert emulator.count("/groups/*/users") == len(emulator.instance.groups)
    clean = run(catalog=selecting(*names)).succeeded()
    for name in names:
        assert keys(result, name) == keys(clean, name)
    refused = [line for line in result.warnings if "Asking for all properties" in line]
    assert [re.search(r"GET (\S+):", line)[1] for line in refused] == [*pages]


def test_other_refusals_are_not_asked_again(run, emulator):
    emulator.add_fault(Fault("status", "/folders/search", times=None, status=400))
    assert failed(run(catalog=selecting("folders"))).keys() == {"folders"}
    assert emulator.count("/folders/search") == 1


def test_roles_come_with_their_users_counted(run, emulator):
    result = run(catalog=selecting("roles")).succeeded()
    counts = {one["id"]: one["user_count"] for one in result.records["roles"]}
    users = emulator.instance.users
    assert counts.keys() == {role["id"] for role in emulator.instance.roles}
    assert all(counts[role] >= sum(role in user["role_ids"] for user in users) for role in counts)
    assert any(counts.values())


def test_roles_are_read_without_their_users_where_nobody_counts_them(runner_of, run):
    with Emulator(missing=("/roles/search/with_user_count",)) as emulator:
        result = runner_of(emulator)(catalog=selecting("roles", "role_groups")).succeeded()
        assert emulator.count("/roles/search") == 1
    assert result.ids("roles") == run(catalog=selecting("roles")).ids("roles")
    assert not any("user_count" in record for record in result.records["roles"])
    (line,) = [line for line in result.warnings if "in its place" in line]
    assert "GET /roles/search " in line


def test_roles_that_may_not_be_read_at_all_are_denied(runner_of):
    with Emulator(denied=("/roles",)) as emulator:
        result = runner_of(emulator)(catalog=selecting("roles"))
    assert "the Admin role" in failed(result)["roles"]


def test_pages_are_no_larger_than_the_endpoint_takes(run, emulator):
    result = run(catalog=selecting("ci_runs", "ci_suites")).succeeded()
    runs = emulator.instance.ci_runs
    assert len(result.records["ci_runs"]) == sum(map(len, runs.values())) > 100
    limits = {
        call.query["limit"] for call in emulator.calls if "continuous_integration" in call.path
    }
    assert limits == {"100"}
    assert emulator.count("/projects/greenhouse/continuous_integration/runs/search") == 2


def test_ids_that_are_numbers_become_text_at_any_depth(run, emulator):
    result = run(catalog=selecting("agents", "ci_runs", "user_db_connections")).succeeded()
    assert {type(row["user_id"]) for row in emulator.instance.user_db_connections} == {int}
    assert {type(row["user_id"]) for row in result.records["user_db_connections"]} == {str}
    found = [query for row in result.records["agents"] for query in row["golden_queries"]]
    assert {type(query[name]) for query in found for name in ("id", "query_id")} == {str}
    listed = [id_ for row in result.records["agents"] for id_ in row["golden_query_ids"]]
    assert {type(id_) for id_ in listed} == {str}
    values = [value for row in result.records["ci_runs"] for value in row["user_attributes"]]
    assert {type(value["id"]) for value in values} == {str}


# ---------------------------------------------------------------------------------- what is refused

REFUSALS = {
    400: {"message": "Bad Request: unknown parameter sorts", "documentation_url": "https://l"},
    422: {
        "message": "Validation Failed",
        "errors": [{"field": "all_owners", "code": "invalid", "message": "is not known here"}],
        "documentation_url": "https://looker.example/docs",
    },
}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("alerts", "/alerts/search"),
        ("user_sessions", "/users/*/sessions"),
        ("color_collections", "/color_collections"),
        ("explores", "/lookml_models/*/explores/*"),
    ],
)
@pytest.mark.parametrize("status", REFUSALS)
def test_a_parameter_that_is_refused_fails_its_stream(run, emulator, name, path, status):
    body = REFUSALS[status]
    emulator.add_fault(Fault("status", path, times=None, status=status, json=body))
    result = run(catalog=selecting(name, "themes", "users"))
    assert result.exit_code == 1
    assert result.schemas.keys() == {"themes", "users"}
    assert len(result.records["users"]) == len(emulator.instance.users)
    line = failed(result)[name]
    assert body["message"] in line
    for error in body.get("errors", []):
        assert f"{error['field']}: {error['message']}" in line
    assert str(status) in line
    assert "Traceback" not in result.stderr


# -------------------------------------------------------------------------- folders of the settings

IN_FOLDERS = ("dashboard_elements", "dashboards", "folders", "looks", "queries")


def below(instance, *roots):
    """Ids of folders and of all that is below them."""
    found, size = set(roots), 0
    while len(found) > size:
        size = len(found)
        found |= {row["id"] for row in instance.folders if row["parent_id"] in found}
    return found


def deep_folder(instance):
    """A folder with folders in folders, and others beside it."""
    folders = {row["id"]: row for row in instance.folders}
    folders["9"]["parent_id"] = "11"
    assert folders["11"]["parent_id"] == "6"
    inside = below(instance, "6")
    assert {"6", "9", "11"} < inside < folders.keys()
    return "6"


def held_in(instance, inside):
    """The ids that are in these folders, by stream."""
    dashboards = {row["id"] for row in instance.dashboards if row["folder_id"] in inside}
    return {
        "folders": set(inside),
        "looks": {row["id"] for row in instance.looks if row["folder_id"] in inside},
        "dashboards": dashboards,
        "dashboard_elements": {
            row["id"] for row in instance.dashboard_elements if row["dashboard_id"] in dashboards
        },
    }


def queries_in(instance, inside):
    """What tiles and looks of these folders carry, and LookML dashboards, which are in none."""
    held = held_in(instance, inside)
    looks = [row for row in instance.looks if row["id"] in held["looks"] and not row["deleted"]]
    return queries_of_tiles(instance, held["dashboards"]).union(row["query_id"] for row in looks)


def test_folders_of_the_settings_and_what_is_in_them(run, emulator):
    instance = emulator.instance
    root = deep_folder(instance)
    inside = below(instance, root)
    result = run(catalog=selecting(*IN_FOLDERS, "users"), folder_ids=[root]).succeeded()
    for name, ids in held_in(instance, inside).items():
        assert ids
        assert sorted(result.ids(name)) == sorted(ids)
    assert set(result.ids("queries")) == queries_in(instance, inside)
    assert len(result.records["users"]) == len(instance.users)


def test_folders_are_pushed_down(run, emulator):
    root = deep_folder(emulator.instance)
    inside = below(emulator.instance, root)
    run(catalog=selecting(*IN_FOLDERS), folder_ids=[root]).succeeded()
    for path in ("/looks/search", "/dashboards/search"):
        calls = [call for call in emulator.calls if call.path == path]
        assert len(calls) == 2  # and what is in the trash
        assert {frozenset(call.query["folder_id"].split(",")) for call in calls} == {
            frozenset(inside)
        }
    assert emulator.count("/folders/search") == 1
    asked_for = {path.split("/")[2] for path in paths(emulator, "/folders/") if "looks" in path}
    dashboards = held_in(emulator.instance, inside)["dashboards"]
    known = queries_of_tiles(emulator.instance, dashboards)
    assert asked_for == homes_of_looks(emulator.instance, without=known) & inside


def test_many_folders_are_asked_for_some_at_a_time(run, emulator, monkeypatch):
    root = deep_folder(emulator.instance)
    inside = below(emulator.instance, root)
    whole = run(catalog=selecting("looks"), folder_ids=[root]).succeeded()
    emulator.reset_calls()
    monkeypatch.setattr("tap_looker.resources.extraction.FOLDERS_PER_CALL", 2)
    result = run(catalog=selecting("looks"), folder_ids=[root]).succeeded()
    asked_for = [call.query["folder_id"] for call in emulator.calls if call.path == "/looks/search"]
    assert len(asked_for) == 2 * -(-len(inside) // 2)
    assert set(",".join(asked_for).split(",")) == inside
    assert sorted(result.ids("looks")) == sorted(whole.ids("looks"))


def test_an_instance_that_overlooks_folder_id_gives_no_more(run, emulator, runner_of):
    options = {"catalog": selecting(*IN_FOLDERS), "folder_ids": [deep_folder(emulator.instance)]}
    whole = run(**options).succeeded()
    with Emulator(ignored_filters=("folder_id",)) as other:
        deep_folder(other.instance)
        assert runner_of(other)(**options).succeeded().records == whole.records


def test_an_instance_that_takes_one_folder_at_a_time_is_read_whole(run, emulator, runner_of):
    """The search says nothing of the others: whether it takes a list is not documented."""
    options = {"catalog": selecting(*IN_FOLDERS), "folder_ids": [deep_folder(emulator.instance)]}
    whole = run(**options).succeeded()
    with Emulator(single_filters=("folder_id",)) as other:
        deep_folder(other.instance)
        found = runner_of(other)(**options).succeeded()
    for name in IN_FOLDERS:
        assert sorted(found.ids(name)) == sorted(whole.ids(name))


def test_several_folders_as_numbers(run, emulator):
    instance = emulator.instance
    leaves = [row["id"] for row in instance.folders if below(instance, row["id"]) == {row["id"]}]
    chosen = [id_ for id_ in leaves if id_ in homes_of_looks(instance) and id_.isdigit()][:2]
    assert len(chosen) == 2
    result = run(catalog=selecting("folders", "looks"), folder_ids=[int(id_) for id_ in chosen])
    assert sorted(result.succeeded().ids("folders")) == sorted(chosen)
    assert set(result.ids("looks")) == held_in(instance, set(chosen))["looks"]


def test_a_folder_that_is_not_there_is_named(run, emulator):
    result = run(catalog=selecting(*IN_FOLDERS, "users"), folder_ids=["5", "98765"])
    assert result.exit_code == 1
    assert failed(result).keys() == set(IN_FOLDERS)
    for line in failed(result).values():
        assert "98765" in line
        assert "folder_ids" in line
    assert result.schemas.keys() == {"users"}
    assert len(result.records["users"]) == len(emulator.instance.users)


def test_folders_need_not_be_a_stream_themselves(run, emulator):
    instance = emulator.instance
    root = deep_folder(instance)
    result = run(catalog=selecting("dashboard_elements"), folder_ids=[root]).succeeded()
    held = held_in(instance, below(instance, root))
    assert set(result.ids("dashboard_elements")) == held["dashboard_elements"]
    assert result.records.keys() == {"dashboard_elements"}
    assert set(asked(emulator.calls, "/folders/search").split(",")) == {"id", "parent_id"}


def test_two_streams_may_wait_for_the_folders_at_once(run, emulator):
    """In a process of its own: what waits for each other waits forever."""
    root = deep_folder(emulator.instance)
    for _ in range(2):
        process = run.start(catalog=selecting("dashboards", "queries"), folder_ids=[root])
        assert finished(process, timeout=10).exit_code == 0


# --------------------------------------------------------------------------- models of the settings

OF_MODELS = ("explore_fields", "explores", "lookml_dashboards", "lookml_models")


def test_models_of_the_settings_and_what_is_in_them(run, emulator):
    instance = emulator.instance
    model = instance.lookml_dashboards[0]["id"].split("::")[0]
    result = run(catalog=selecting(*OF_MODELS, "users"), models=[model]).succeeded()
    assert result.ids("lookml_models") == [model]
    explores = [f"{of}::{name}" for of, name in explores_of(instance) if of == model]
    assert result.ids("explores") == explores
    assert {record["explore_id"] for record in result.records["explore_fields"]} == set(explores)
    boards = [row["id"] for row in instance.lookml_dashboards if row["id"].startswith(f"{model}::")]
    assert 0 < len(boards) < len(instance.lookml_dashboards)
    assert result.ids("lookml_dashboards") == boards
    assert len(result.records["users"]) == len(instance.users)
    asked_for = {path.split("/")[2] for path in paths(emulator, "/lookml_models/")}
    assert asked_for == {model}


def test_nested_lists_of_other_models_are_not_asked_for(run, emulator):
    instance = emulator.instance
    model = instance.lookml_dashboards[0]["id"].split("::")[0]
    emulator.add_fault(
        Fault("drop_nested", "/dashboards/lookml/search", names=("dashboard_elements",))
    )
    run(catalog=selecting("lookml_dashboards"), models=[model]).succeeded()
    asked_for = {call.path for call in emulator.calls if "dashboard_elements" in call.path}
    assert asked_for == {
        f"/dashboards/{row['id']}/dashboard_elements"
        for row in instance.lookml_dashboards
        if row["id"].startswith(f"{model}::")
    }


# ------------------------------------------------------------------------------------- nested lists

NESTED = {
    "dashboard_filters": ("/dashboards/search", "/dashboards/{}/dashboard_filters", "dashboards"),
    "dashboard_layouts": ("/dashboards/search", "/dashboards/{}/dashboard_layouts", "dashboards"),
    "user_credentials_api3": ("/users/search", "/users/{}/credentials_api3", "users"),
}


@pytest.mark.parametrize("kind", ["null_nested", "drop_nested"])
@pytest.mark.parametrize("name", NESTED)
def test_nested_lists_that_do_not_come_are_asked_for_one_by_one(run, emulator, name, kind):
    search, path, around = NESTED[name]
    nested = name.removeprefix("user_")
    emulator.add_fault(Fault(kind, search, times=None, names=(nested,)))
    result = run(catalog=selecting(name)).succeeded()
    held = HELD[name](emulator.instance)
    assert held
    assert sorted(keys(result, name)) == sorted(held)
    calls = paths(emulator, f"/{around}/")
    assert calls == {
        search: 2 if around == "dashboards" else 1,
        **{path.format(row["id"]): 1 for row in getattr(emulator.instance, around)},
    }


@pytest.mark.parametrize("name", NESTED)
def test_nested_lists_that_come_are_not_asked_for(run, emulator, name):
    search, _, around = NESTED[name]
    result = run(catalog=selecting(name)).succeeded()
    assert sorted(keys(result, name)) == sorted(HELD[name](emulator.instance))
    assert paths(emulator, f"/{around}/").keys() == {search}


def test_nested_lists_that_nobody_wants_are_not_asked_for(run, emulator):
    names = ("dashboard_filters", "dashboard_layouts", "credentials_api3")
    emulator.add_fault(Fault("drop_nested", "*/search", times=None, names=names))
    run(catalog=selecting("dashboards", "users")).succeeded()
    assert paths(emulator, "/dashboards/", "/users/").keys() == {
        "/dashboards/search",
        "/users/search",
    }


@pytest.mark.parametrize(
    ("name", "prop", "path"),
    [
        ("users", "credentials_email.email", "/users/search"),
        ("connections", "dialect.name", "/connections"),
        ("dashboards", "folder.name", "/dashboards/search"),
        ("themes", "settings.font_color", "/themes"),
        ("explores", "self_service_explore_data", "/lookml_models/.*/explores/.*"),
    ],
)
def test_a_property_inside_that_is_not_selected(run, emulator, name, prop, path):
    result = run(catalog=selecting(without={name: {prop}})).succeeded()
    outer, _, inner = prop.partition(".")
    fields = asked(emulator.calls, path)
    if inner:
        (inside,) = re.findall(rf"\b{outer}\(((?:[^()]|\([^()]*\))*)\)", fields)
        assert inner not in inside.split(",")
        assert any(record.get(outer) for record in result.records[name])
        assert not any(inner in (record.get(outer) or {}) for record in result.records[name])
        assert inner not in result.schemas[name]["schema"]["properties"][outer]["properties"]
    else:
        assert outer not in fields
        assert not any(outer in record for record in result.records[name])


# ---------------------------------------------------------------------------------- what values are


def test_properties_that_are_unknown_are_named_once(run, emulator):
    for number, rows in enumerate(emulator.instance.user_sessions.values()):
        for row in rows:
            row["shoe_size" if number % 2 else "hat_size"] = {"secret": "x"}
    for theme in emulator.instance.themes:
        theme["settings"]["moon"] = theme["phase"] = 1
    result = run(catalog=selecting("themes", "user_sessions")).succeeded()
    said = [line for line in result.warnings if "as the schema does not have them" in line]
    assert len(said) == 2
    (themes,) = [line for line in said if "phase" in line]
    assert "settings.moon" in themes
    (sessions,) = [line for line in said if "shoe_size" in line]
    assert "hat_size" in sessions
    assert not re.search(r"shoe_size|hat_size|phase|moon", result.stdout)


def test_what_is_left_out_on_purpose_is_no_news(run, emulator):
    assert all("can" in board for board in emulator.instance.boards)
    result = run(catalog=selecting("boards", "board_items")).succeeded()
    assert not [line for line in result.warnings if "schema" in line]


ODD_VALUES: dict[str, tuple[str, Any, Any]] = {
    "a number for an id": ("id", 4711, "4711"),
    "a number for text": ("title", 7, "7"),
    "a fraction for text": ("title", 0.5, "0.5"),
    "a truth for text": ("title", True, "true"),
    "an object for text": ("title", {"a": [1]}, '{"a":[1]}'),
    "no text for a time": ("created_at", "", None),
    "a time without its zone": (
        "created_at",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04:05+00:00",
    ),
    "a time with a space": (
        "created_at",
        "2026-01-02 03:04:05 +0200",
        "2026-01-02T01:04:05+00:00",
    ),
    "text for a truth": ("primary_homepage", "true", True),
    "an empty list": ("section_order", [], []),
    "numbers in a list of text": ("section_order", [1, 2], ["1", "2"]),
    "null for anything": ("title", None, None),
}


@pytest.mark.parametrize("kind", ODD_VALUES)
def test_odd_values_come_out_as_the_schema_says(run, emulator, kind):
    prop, sent, expected = ODD_VALUES[kind]
    emulator.instance.boards[1][prop] = sent
    result = run(catalog=selecting("boards")).succeeded()
    user = emulator.instance.boards[1]["user_id"]
    (record,) = [record for record in result.records["boards"] if record["user_id"] == user]
    assert record[prop] == expected
    assert type(record[prop]) is type(expected)
    jsonschema.validate(record, result.schemas["boards"]["schema"])
    assert not [line for line in result.warnings if "type" in line]


HOPELESS = {
    "a word for a time": ("boards", "created_at", "yesterday"),
    "a number for a time": ("boards", "created_at", 1_700_000_000),
    "a day that does not exist": ("boards", "created_at", "2026-02-30T00:00:00Z"),
    "a word for a truth": ("boards", "primary_homepage", "perhaps"),
    "a word for a list": ("boards", "section_order", "12"),
    "a word for objects": ("boards", "board_sections", "none"),
    "a word for seconds": ("datagroups", "created_at", "soon"),
    "more seconds than there are": ("datagroups", "created_at", 10**14),
    "a truth for seconds": ("datagroups", "created_at", True),
    "a word for a number": ("board_items", "order", "soon"),
}


@pytest.mark.parametrize("kind", HOPELESS)
def test_values_that_do_not_fit_are_null_and_reported(run, emulator, kind):
    name, prop, sent = HOPELESS[kind]
    for row in getattr(emulator.instance, name)[:2]:
        row[prop] = sent
    result = run(catalog=selecting(name)).succeeded()
    assert [record[prop] for record in result.records[name][:2]] == [None, None]
    (line,) = [line for line in result.warnings if "something other than" in line]
    assert prop in line
    assert keys(result, name) == [(row["id"],) for row in getattr(emulator.instance, name)]


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("boards", lambda instance: instance.boards[2].update(id=None)),
        ("themes", lambda instance: instance.themes[1].pop("id")),
        ("permissions", lambda instance: instance.permissions[1].pop("permission")),
        ("user_sessions", lambda instance: instance.user_sessions["2"][0].pop("id")),
        ("group_users", lambda instance: instance.users[3].pop("id")),
        ("dashboard_filters", lambda i: i.dashboards[1]["dashboard_filters"][0].update(id=None)),
        ("timezones", lambda instance: instance.timezones[1].update(value=None)),
    ],
)
def test_a_row_without_its_key_fails_the_stream(run, emulator, name, spoil):
    spoil(emulator.instance)
    result = run(catalog=selecting(name, "versions"))
    assert result.exit_code == 1
    assert failed(result).keys() == {name}
    assert ", ".join(keys_of(name)) in failed(result)[name]
    assert len(result.records["versions"]) == 1
    assert all(None not in key for key in keys(result, name))


def test_a_renamed_column_is_asked_for_by_lookers_name(run, emulator):
    rows = {row["key"]: row["version"] for row in emulator.instance.artifacts}
    whole = run(catalog=selecting("artifacts")).succeeded()
    assert {one["key"]: one["artifact_version"] for one in whole.records["artifacts"]} == rows
    assert not whole.warnings
    emulator.reset_calls()
    part = run(catalog=selecting(only={"artifacts": {"artifact_version"}})).succeeded()
    (fields,) = {
        call.query["fields"]
        for call in emulator.calls
        if call.path.startswith("/artifact/") and call.path.endswith("/search")
    }
    assert "version" in fields.split(",")
    assert {one["key"]: one["artifact_version"] for one in part.records["artifacts"]} == rows
    without = run(catalog=selecting(without={"artifacts": {"artifact_version"}})).succeeded()
    assert not any("version" in name for one in without.records["artifacts"] for name in one)
    assert not without.warnings
