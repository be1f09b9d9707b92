"""Lists: filters, sorts, pages, fields, trash."""

from __future__ import annotations

from looker_emulator import Emulator
from looker_emulator.http.listing import Page, ordered, parse_fields, project
from looker_emulator.tests.api import Api, alive, ids


def test_pages_and_their_headers(emulator, api):
    total = len(emulator.instance.users)
    response = api.get("/users/search", params={"limit": 10, "offset": 10, "sorts": "id"})
    assert ids(response.json()) == ids(emulator.instance.users[10:20])
    assert response.headers["X-Total-Count"] == str(total)
    assert set(response.links) == {"first", "last", "next", "prev"}
    assert "offset=20" in response.links["next"]["url"]
    last = api.get("/users/search", params={"limit": 10, "offset": 20})
    assert "next" not in last.links
    assert len(last.json()) == total - 20
    assert api.rows("/users/search", limit=10, offset=1000) == []
    everything = api.get("/users/search", params={"offset": 10})
    assert len(everything.json()) == total
    assert "Link" not in everything.headers
    assert "X-Total-Count" not in everything.headers
    assert len(api.rows("/users/search", limit=-1)) == total
    assert len(api.rows("/users", per_page=5, page=2)) == 5
    assert api.get("/users/search", params={"limit": "abc"}).status_code == 400


def test_pages_of_instances_that_are_different():
    options = {"total_count_header": False, "honour_limit_on_elements": False, "page_cap": 9}
    with Emulator(**options) as emulator:
        api = Api(emulator)
        response = api.get("/users/search", params={"limit": 20})
        assert "Link" not in response.headers
        assert len(response.json()) == 9
        assert len(api.rows("/dashboard_elements/search", limit=3)) == 9
    with Emulator(ignored_filters=("id",)) as emulator:
        assert ids(Api(emulator).rows("/users/search", id="1")) == ids(emulator.instance.users)
    with Emulator(single_filters=("id",)) as emulator:
        assert ids(Api(emulator).rows("/users/search", id="1,2")) == ["1"]
    with Emulator(ignore_offset=True) as emulator:
        api = Api(emulator)
        first = api.rows("/users/search", limit=5)
        assert api.rows("/users/search", limit=5, offset=5) == first
        assert len(api.rows("/dashboard_elements/search", limit=3)) == 3


def test_fields_at_any_depth(api):
    rows = api.rows(
        "/dashboards/search",
        fields="id,folder(id,name),dashboard_elements(id,query(slug)),no_such_field",
        limit=3,
    )
    assert list(rows[0]) == ["id", "folder", "dashboard_elements"]
    assert list(rows[0]["folder"]) == ["id", "name"]
    assert {frozenset(tile) for row in rows for tile in row["dashboard_elements"]} == {
        frozenset({"id", "query"})
    }
    assert api.rows("/user", fields="id") == {"id": "1"}
    assert api.get("/users", params={"fields": "id,("}).status_code == 400
    assert project({"a": None}, parse_fields("a(b)")) == {"a": None}


def test_sorts(api):
    users = api.rows("/users/search", sorts="id desc", fields="id")
    assert [int(user["id"]) for user in users] == sorted(
        (int(user["id"]) for user in users), reverse=True
    )
    looks = api.rows("/looks/search", sorts="folder_id,title desc", fields="folder_id,title")
    assert looks == ordered(ordered(looks, "title desc"), "folder_id")
    assert ids(ordered([{"id": None}, {"id": "10"}, {"id": "9"}, {"id": "lookml"}], "id")) == [
        "9",
        "10",
        "lookml",
        None,
    ]
    response = api.get("/users/search", params={"sorts": "shoe_size"})
    assert response.status_code == 400
    assert "shoe_size" in response.json()["message"]


def test_filters(emulator, api):
    users = emulator.instance.users
    assert ids(api.rows("/users/search", id="1,3,999")) == ["1", "3"]
    assert api.rows("/users/search", is_disabled="true") == [
        user for user in users if user["is_disabled"]
    ]
    embedded = api.rows("/users/search", embed_user="true")
    assert embedded == [user for user in users if user["credentials_embed"]]
    assert embedded
    assert ids(api.rows("/users/search", group_id="3")) == [
        user["id"] for user in users if "3" in user["group_ids"]
    ]
    assert api.rows("/dashboards/search", title="%DASHBOARD%")
    assert not api.rows("/dashboards/search", title="dashboard")
    either = api.rows("/users/search", id="1", is_disabled="true", filter_or="true")
    assert len(either) == len(api.rows("/users/search", is_disabled="true")) + 1
    assert api.rows("/looks/search", last_viewed_at="IS NULL")
    assert api.get("/looks/search", params={"deleted": "perhaps"}).status_code == 400
    assert [folder["name"] for folder in api.rows("/folders/search", is_shared_root="true")] == [
        "Shared"
    ]


def test_the_trash(emulator, api):
    instance = emulator.instance
    for path, rows in (
        ("/looks/search", instance.looks),
        ("/dashboards/search", instance.dashboards),
    ):
        deleted = api.rows(path, deleted="true")
        assert 0 < len(deleted) < len(rows)
        assert all(row["deleted_at"] and row["deleter_id"] for row in deleted)
        assert ids(api.rows(path)) == ids(alive(rows))
    assert ids(api.rows("/looks", deleted="true")) == ids(alive(instance.looks))
    shown = ids(api.rows("/dashboard_elements/search"))
    trashed = ids(api.rows("/dashboard_elements/search", deleted="true"))
    assert sorted(shown + trashed, key=int) == ids(instance.dashboard_elements)
    assert instance.removed_elements < set(trashed)
    dashboard = alive(instance.dashboards)[0]
    dashboard["deleted"] = True
    try:
        assert dashboard["dashboard_elements"][0]["id"] in ids(
            api.rows("/dashboard_elements/search", deleted="true")
        )
        assert api.rows(f"/dashboards/{dashboard['id']}")["deleted"]
    finally:
        dashboard["deleted"] = False


def test_a_header_for_the_page_before_the_first_is_never_sent():
    assert "prev" not in Page(10, 0).headers("/users", {}, 25)["link"]
    assert 'offset=20>; rel="last"' in Page(10, 0).headers("/users", {}, 25)["link"]


def test_the_links_of_a_path_in_any_script_are_ascii(api):
    response = api.get("/artifact/größe 日本/search", params={"limit": 2})
    assert response.status_code == 200
    assert "/artifact/gr%C3%B6%C3%9Fe%20%E6%97%A5%E6%9C%AC/search" in response.links["first"]["url"]


def test_names_that_rows_do_not_have_may_be_refused():
    with Emulator(strict_fields=True) as emulator, Api(emulator) as api:
        assert api.get("/users/search", params={"fields": "id,shoe_size"}).status_code == 400
        assert api.get("/users/search", params={"fields": "id,email"}).status_code == 200
        assert api.rows("/users/search", fields="shoe_size", id="none") == []
