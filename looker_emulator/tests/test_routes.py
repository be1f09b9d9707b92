"""Every read operation, judged by the official client's methods and models."""

from __future__ import annotations

import functools
import inspect
import itertools
import json
import keyword
import re
import typing
from collections.abc import Sequence
from urllib.parse import quote

import attr
import pytest
from looker_sdk.rtl import serialize
from looker_sdk.sdk.api40 import methods, models

from looker_emulator import Emulator
from looker_emulator.http.routes import ROUTES
from looker_emulator.http.row_handlers import Rows
from looker_emulator.tests.api import Api

ROWS = {route.path: route.handler for route in ROUTES if isinstance(route.handler, Rows)}


EXPLORE = "/lookml_models/{lookml_model_name}/explores/{explore_name}"


# What the client says is wrong: see sdk-codegen #1656.
STRUCTURES = {"/dashboards/lookml/search": Sequence[models.Dashboard]}


# Real bodies have more than the document.
UNKNOWN = {
    ("LookmlModelExplore", "url"),
    ("LookmlModelNavExplore", "can"),
    ("LookmlModelNavExplore", "frequent"),
    ("LookmlModelExploreField", "can_turtle"),
    ("LookmlModelExploreField", "is_turtle"),
}


QUERY = {
    "/content_metadata": {"parent_id": "10001"},
    "/alerts/search": {"all_owners": "true"},
    "/scheduled_plans": {"all_users": "true"},
    "/users/{user_id}/attribute_values": {"include_unset": "true"},
}


KEYS = {
    "/alert_notifications": ("notification_id",),
    "/artifact/namespaces": ("namespace",),
    "/artifact/{namespace}/search": ("namespace", "key"),
    "/connections": ("name",),
    "/connections/{connection_name}/columns": ("schema_name", "name"),
    "/connections/{connection_name}/schemas": ("name",),
    "/connections/{connection_name}/tables": ("name",),
    "/credentials_email/search": ("user_id",),
    "/dialect_info": ("name",),
    "/locales": ("code",),
    "/lookml_models": ("name",),
    "/oauth_client_apps": ("client_guid",),
    "/permissions": ("permission",),
    "/projects/{project_id}/git_branches": ("name",),
    "/projects/{project_id}/lookml_tests": ("model_name", "name"),
    "/ssh_servers": ("ssh_server_id",),
    "/ssh_tunnels": ("tunnel_id",),
    "/timezones": ("value",),
    "/user_login_lockouts": ("key",),
    "/user_login_lockouts/search": ("key",),
    "/users/{user_id}/attribute_values": ("user_attribute_id",),
}


@pytest.fixture(scope="module")
def instance(emulator):
    return emulator.instance


def structures():
    """What the official client makes of the answers of its GET operations, by their paths."""
    found = {}
    for _, method in inspect.getmembers(methods.Looker40SDK, inspect.isfunction):
        call = re.search(
            r'self\.get\(\s*path=f?"([^"]+)",\s*structure=([^\n]+),\n', inspect.getsource(method)
        )
        if call:
            names = vars(typing) | {"Sequence": Sequence, "mdls": models}
            found[call[1]] = eval(call[2], names)  # noqa: S307 - the client's own source
    return found | STRUCTURES


EXPECTED = structures()


def paths_of(instance, template):
    """The template, filled in with things of the instance: a few of them."""
    of_name = {
        "lookml_model_name": ("lookml_models", "name"),
        "connection_name": ("connections", "name"),
        "model": ("lookml_models", "name"),
        "namespace": ("artifact_namespaces", "namespace"),
        "dashboard_id": ("all_dashboards", "id"),
        "slug": ("queries", "slug"),
        "query_id": ("queries", "id"),
        "merge_query_id": ("merge_queries", "id"),
        "content_metadata_id": ("content_metadata", "id"),
        "root_project_id": ("projects", "id"),
    }
    if "{explore_name}" in template:
        return [
            template.format(lookml_model_name=model["name"], explore_name=explore["name"])
            for model in instance.lookml_models
            for explore in model["explores"]
        ]
    if template == "/agents/lookml/{agent_id}":
        return [template.format(agent_id=agent) for agent in instance.agent_lookml]
    if "{user_message_id}" in template:
        return [
            template.format(conversation_id=conversation["id"], user_message_id=message["id"])
            for conversation in instance.conversations
            for message in conversation["messages"]
        ]
    (name,) = re.findall(r"{(\w+)}", template) or (None,)
    if name is None:
        return [template]
    collection, key = of_name.get(name, (f"{name.removesuffix('_id')}s", "id"))
    values = [row[key] for row in getattr(instance, collection)]
    step = len(values) // 5 | 1  # odd, so as not to meet one kind only
    return [template.format(**{name: quote(value, safe="")}) for value in values[::step]]


def bodies(api, instance, template):
    for path in paths_of(instance, template):
        query = dict(QUERY.get(template, {}))
        if "/connections/{connection_name}/" in template:
            query["schema_name"] = "public"
        if template == "/content_metadata_access":
            query["content_metadata_id"] = instance.content_metadata[0]["id"]
        response = api.get(path, params=query)
        if response.status_code == 500 and template.startswith("/users/{user_id}/"):
            continue
        assert response.status_code in (200, 204), (path, response.text)
        if response.status_code == 200:
            yield path, response


def strays(value, kind, where):
    """Properties that the model does not have, at any depth."""
    kind = resolved(kind)
    if isinstance(value, list):
        for item in value:
            yield from strays(item, typing.get_args(kind)[0], where)
    elif isinstance(value, dict) and attr.has(kind):
        fields = properties(kind)
        for name, item in value.items():
            attribute = f"{name}_" if keyword.iskeyword(name) else name
            if attribute not in fields:
                yield kind.__name__, name
            elif item is not None:
                yield from strays(item, fields[attribute], f"{where}.{name}")


@functools.cache
def properties(model):
    return {
        field.name: field.type for field in attr.fields(attr.resolve_types(model, vars(models)))
    }


def resolved(kind):
    """The type within Optional, and the model behind a name."""
    if typing.get_origin(kind) is typing.Union:
        kind = typing.get_args(kind)[0]
    if isinstance(kind, typing.ForwardRef):
        kind = getattr(models, kind.__forward_arg__)
    return kind


@pytest.mark.parametrize("template", sorted(ROWS))
def test_the_official_client_knows_every_answer(api, instance, template):
    structure = EXPECTED[template]
    came = 0
    for path, response in bodies(api, instance, template):
        body = response.json()
        assert isinstance(body, dict if ROWS[template].one else list)
        some = body[:20] if isinstance(body, list) else body  # the client is slow
        serialize.deserialize40(data=json.dumps(some), structure=structure)
        assert set(strays(body, structure, path)) <= UNKNOWN
        came += len(body)
        if body and isinstance(body, list):
            rows = body if isinstance(body[0], dict) else [{"id": word} for word in body]
            keys = [tuple(row[key] for key in KEYS.get(template, ("id",))) for row in rows]
            assert len(set(keys)) == len(keys)
            assert not [key for key in keys if None in key]
    assert came


def test_every_operation_is_once_in_the_table():
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def test_bodies_are_as_odd_as_recorded_ones(api, instance):
    connections = api.rows("/connections")
    assert "" in {row["created_at"] for row in connections}
    assert any(row["last_regen_at"].isdigit() for row in connections)
    values = [
        row["value"]
        for user in instance.users
        for row in api.rows(f"/users/{user['id']}/attribute_values")
    ]
    assert {type(value) for value in values} >= {str, int, float}
    assert isinstance(api.rows("/datagroups")[0]["created_at"], int)
    fields = []
    for path in paths_of(instance, EXPLORE):
        sets = api.rows(path, fields="fields")["fields"]
        assert sets.keys() == {"dimensions", "measures", "filters", "parameters"}
        fields.append(sum(map(len, sets.values())))
    assert min(fields) < 10
    assert max(fields) > 20
    text = api.get("/integrations").text + api.get("/credentials_email/search").text
    assert text.count("SECRET-") > 10


def test_what_a_parameter_narrows(api, instance):
    me = instance.me[0]["id"]
    own = api.rows("/alerts/search")
    assert {row["owner_id"] for row in own} == {me}
    assert len(own) < len(api.rows("/alerts/search", all_owners="true"))
    own = api.rows("/scheduled_plans")
    assert {row["user_id"] for row in own} == {me}
    assert len(own) < len(api.rows("/scheduled_plans", all_users="true"))
    folder = next(row for row in instance.folders if row["looks"])
    inside = api.rows("/content_metadata", parent_id=folder["content_metadata_id"])
    wanted = {look["id"] for look in folder["looks"]}
    assert wanted <= {row["look_id"] for row in inside}
    for path in ("/content_metadata", "/content_metadata_access"):
        assert api.get(path).status_code == 400
    user = next(row["user_id"] for row in instance.content_favorites)
    assert {row["user_id"] for row in api.rows("/content_favorite/search", user_id=user)} == {user}
    tables = api.rows("/connections/warehouse/tables", schema_name="größen")
    assert [row["name"] for row in tables] == ["größen"]
    values = api.rows("/users/1/attribute_values")
    assert all(row["value"] is not None or row["value_is_hidden"] for row in values)
    assert len(values) < len(api.rows("/users/1/attribute_values", include_unset="true"))
    deleted = api.rows("/agents/search", deleted="true")
    assert deleted
    assert not {row["id"] for row in deleted} & {row["id"] for row in api.rows("/agents/search")}
    role = instance.roles[1]["id"]
    direct = api.rows(f"/roles/{role}/users", direct_association_only="true")
    assert len(direct) <= len(api.rows(f"/roles/{role}/users"))


def test_what_is_told_of_one_thing_agrees_with_the_lists(api, instance):
    counted = {row["id"]: row["user_count"] for row in api.rows("/roles/search/with_user_count")}
    assert counted == {role: len(api.rows(f"/roles/{role}/users")) for role in counted}
    assert "user_count" not in api.rows("/roles/search")[0]
    parent = next(row["parent_group_ids"][0] for row in instance.groups if row["parent_group_ids"])
    assert {row["id"] for row in api.rows(f"/groups/{parent}/groups")} == {
        row["id"] for row in instance.groups if parent in row["parent_group_ids"]
    }
    folders = {row["id"]: row for row in instance.folders}
    deepest = max(folders, key=lambda id_: len(api.rows(f"/folders/{id_}/ancestors")))
    around = api.rows(f"/folders/{deepest}/ancestors")
    assert len(around) > 1
    assert around[0]["parent_id"] is None
    for outer, inner in itertools.pairwise([*around, folders[deepest]]):
        assert inner["parent_id"] == outer["id"]
    layout = instance.dashboard_layouts[0]
    path = f"/dashboard_layouts/{layout['id']}/dashboard_layout_components"
    assert api.rows(path) == layout["dashboard_layout_components"]
    suites = {row["id"] for row in api.rows("/projects/greenhouse/continuous_integration/suites")}
    path = "/projects/greenhouse/continuous_integration/runs/search"
    assert {row["ci_suite_id"] for row in api.rows(path, limit=100)} <= suites
    assert {row["status"] for row in api.rows(path, status="failed")} == {"failed"}
    assert api.get(path, params={"limit": 101}).status_code == 400
    users = {int(user["id"]) for user in instance.users}
    assert {row["user_id"] for row in api.rows("/user_db_connections")} <= users


def test_answers_belong_to_what_was_asked(api, instance):
    conversation = max(instance.conversations, key=lambda one: len(one["messages"]))
    asked, answered = conversation["messages"][:2]
    path = f"/conversations/{conversation['id']}/messages"
    assert api.rows(f"{path}/{asked['id']}/responses") == [answered]
    assert api.rows(f"{path}/{answered['id']}/responses") == []
    assert api.get(f"{path}/none/responses").status_code == 404


def test_pages_are_parts_of_the_whole(api):
    every = api.rows("/content_view/search", sorts="id")
    pages = [
        row
        for offset in range(0, len(every) + 10, 10)
        for row in api.rows("/content_view/search", sorts="id", limit=10, offset=offset)
    ]
    assert pages == every
    assert len(api.rows("/groups/1/users", limit=3, offset=1)) == 3


def test_disabled_users_are_an_error(api, instance):
    user = next(user["id"] for user in instance.users if user["is_disabled"])
    for response in (
        api.get(f"/users/{user}/sessions"),
        api.get("/content_favorite/search", params={"user_id": user}),
    ):
        assert response.status_code == 500
        assert response.json()["message"] == "An error has occurred."


def test_a_project_that_was_never_validated(api):
    response = api.get("/projects/sandkasten/validate")
    assert (response.status_code, response.content) == (204, b"")
    assert api.rows("/projects/greenhouse/validate")["stale"] is True


def test_explores_that_do_not_compile():
    model = Emulator().instance.lookml_models[0]
    names = [explore["name"] for explore in model["explores"]]
    paths = [f"/lookml_models/{model['name']}/explores/{name}" for name in names]
    broken = f"{model['name']}::{names[0]}"
    with Emulator(broken_explores=(broken,)) as emulator, Api(emulator) as api:
        assert [api.get(path).status_code for path in paths[:2]] == [404, 200]
    with Emulator(broken_explores={broken: 500}) as emulator, Api(emulator) as api:
        assert [api.get(path).status_code for path in paths[:2]] == [500, 200]


def test_endpoints_that_this_release_does_not_have():
    with Emulator(missing=("/agents/*", "/artifact*")) as emulator, Api(emulator) as api:
        response = api.get("/agents/search")
        assert response.status_code == 404
        assert response.json().keys() == {"message", "documentation_url"}
        assert api.get("/artifact/namespaces").status_code == 404
        assert api.get("/boards/search").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/users/nobody/sessions",
        "/roles/nobody/users",
        "/connections/nowhere/schemas",
        "/projects/none/files",
        "/lookml_models/none/explores/orders",
        "/content_metadata/0",
    ],
)
def test_what_is_not_there_is_not_found(api, path):
    assert api.get(path).status_code == 404
