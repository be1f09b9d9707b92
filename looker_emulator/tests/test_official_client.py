"""The emulator as Looker's official client sees it."""

from __future__ import annotations

import json

import pytest
from looker_sdk import error, models40

from looker_emulator.tests.api import alive, ids, official_client


@pytest.fixture
def sdk(emulator):
    """The official client, logged in, and not one of its calls failed when it has logged out."""
    sdk = official_client(emulator)
    yield sdk
    sdk.logout()
    assert emulator.count("/login", "POST") == 1
    assert emulator.count("/logout", "DELETE") == 1
    assert {call.status for call in emulator.calls} == {200, 204}


def pages(search, **query):
    """Everything a search of the official client finds, seven at a time."""
    found, offset = [], 0
    while True:
        page = search(limit=7, offset=offset, **query)
        found += page
        offset += 7
        if len(page) < 7:
            return found


def test_the_official_client_reads_people(emulator, sdk):
    instance = emulator.instance
    users = pages(sdk.search_users, sorts="id")
    assert [user.id for user in users] == ids(instance.users)
    emails = [user.credentials_email for user in users if user.credentials_email]
    assert any(email.logged_in_at == "" for email in emails)
    assert any(user.credentials_saml for user in users)
    assert any(user.display_name == "" for user in users)
    assert pages(sdk.search_roles)[0].permission_set.all_access
    assert len(sdk.all_roles()) == len(instance.roles)
    groups = pages(sdk.search_groups_with_hierarchy)
    assert any(len(group.parent_group_ids) == 2 for group in groups)
    assert any(group.roles for group in sdk.search_groups_with_roles())
    assert len(sdk.all_groups()) == len(sdk.search_groups()) == len(groups)
    assert sdk.search_permission_sets()[0].permissions
    assert sdk.search_model_sets()[0].models
    assert sdk.me().id == "1"
    assert sdk.user("1").credentials_api3[0].client_id


def test_the_official_client_reads_content(emulator, sdk):
    instance = emulator.instance
    looks = pages(sdk.search_looks)
    assert [look.title for look in looks] == [look["title"] for look in alive(instance.looks)]
    assert [look.id for look in pages(sdk.search_looks, deleted=True)] == [
        look["id"] for look in instance.looks if look["deleted"]
    ]
    dashboards = pages(sdk.search_dashboards)
    assert len(dashboards) == len(alive(instance.dashboards))
    assert dashboards[0].dashboard_elements[0].title_text
    assert dashboards[0].dashboard_layouts[0].dashboard_layout_components[0].width == 12
    assert sdk.dashboard(dashboards[1].slug).id == dashboards[1].id
    assert sdk.dashboard_dashboard_filters(dashboards[1].id)[0].name
    lookml = pages(sdk.search_lookml_dashboards)
    assert {dashboard.id for dashboard in lookml} == set(ids(instance.lookml_dashboards))
    assert lookml[0].dashboard_elements[0].query.fields
    assert sdk.dashboard(lookml[0].id).title == lookml[0].title
    assert len(sdk.all_dashboards()) == len(dashboards) + len(lookml)
    assert len(pages(sdk.search_folders)) == len(sdk.all_folders()) == len(instance.folders)
    folder = next(folder for folder in instance.folders if folder["looks"])
    assert [look.id for look in sdk.folder_looks(folder["id"])] == ids(folder["looks"])
    assert sdk.folder_looks(folder["id"])[0].query.view
    assert sdk.folder(folder["id"]).looks[0].title == folder["looks"][0]["title"]
    assert sdk.folder_dashboards("lookml")[0].readonly
    assert sdk.folder_children("1")


def test_the_official_client_reads_queries_and_models(sdk):
    elements = sdk.search_dashboard_elements()
    assert {element.type for element in elements} == {"text", "vis"}
    assert any(element.look and element.look.query for element in elements)
    merged = [element for element in elements if element.merge_result_id]
    assert not any(element.query for element in merged)
    assert sdk.merge_query(merged[0].merge_result_id).source_queries[0].query_id
    slug = next(element.query_id for element in elements if element.query_id)
    assert sdk.query(slug).id == sdk.query_for_slug(slug).id == slug
    look = sdk.all_looks()[0]
    assert sdk.look(look.id).query.id == look.query_id
    models = sdk.all_lookml_models()
    assert models[0].explores[0].name
    assert sdk.lookml_model(models[0].name).label == models[0].label
    assert sdk.versions().current_version.version == "4.0"
    assert sdk.session().workspace_id == "production"


def test_the_official_client_is_refused_with_a_wrong_secret(emulator, monkeypatch):
    # It would look the error up on the internet.
    monkeypatch.setattr(error.ErrorDocHelper, "lookup", lambda *_, **__: ("", ""))
    sdk = official_client(emulator, secret="wrong")
    with pytest.raises(error.SDKError, match="Not found"):
        sdk.me()


def test_the_official_client_runs_queries(emulator):
    sdk = official_client(emulator)
    body = models40.WriteQuery(
        model="system__activity", view="history", fields=["history.id"], limit="7"
    )
    assert len(json.loads(sdk.run_inline_query("json", body, apply_formatting=False))) == 7
    assert sdk.run_inline_query("sql", body).startswith("SELECT")
    look = emulator.look_id("Orders by status")
    by_look = sdk.run_look(look, "json")
    query = sdk.look(look).query
    assert sdk.run_query(query.id, "json") == by_look
    new = sdk.create_query(
        models40.WriteQuery(model="thelook", view="orders", fields=["orders.count"], limit="5")
    )
    assert sdk.query(new.id).client_id == new.client_id
    task = sdk.create_query_task(
        models40.WriteCreateQueryTask(query_id=new.id, result_format=models40.ResultFormat.json)
    )
    assert sdk.query_task(task.id).status == "complete"
    assert json.loads(sdk.query_task_results(task.id)) == [{"orders.count": 1000}]
    explore = sdk.lookml_model_explore("thelook", "orders")
    assert {field.type for field in explore.fields.measures} >= {"count", "sum", "list"}
    assert sdk.lookml_model_explore("system__activity", "history").model_name == "system__activity"
    assert all(call.status in (200, 204) for call in emulator.calls)
    sdk.logout()
