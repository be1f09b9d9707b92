"""The emulator, seen from outside: by the official client, by requests and by a bare socket."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
import threading
import time
import zlib

import pytest
import requests
from looker_sdk import error, init40
from looker_sdk.rtl import api_settings

from looker_emulator import Emulator, Fault
from looker_emulator.instance import Instance
from looker_emulator.listing import Page, ordered, parse_fields, project


@pytest.fixture(scope="module")
def emulator():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def _no_faults(emulator):
    yield
    emulator.clear_faults()
    emulator.reset_calls()


class Api(requests.Session):
    """A logged-in session that takes paths below /api/4.0."""

    def __init__(self, emulator):
        super().__init__()
        self.base = emulator.url
        self.trust_env = False
        self.headers["Authorization"] = f"Bearer {login(emulator).json()['access_token']}"

    def request(self, method, path, **options):
        options.setdefault("timeout", 10)
        url = path if path.startswith("http") else f"{self.base}/api/4.0{path}"
        return super().request(method, url, **options)

    def rows(self, path, **query):
        response = self.get(path, params=query)
        assert response.status_code == 200, response.text
        return response.json()


def login(emulator, **credentials):
    form = {"client_id": emulator.client_id, "client_secret": emulator.client_secret}
    return requests.post(f"{emulator.url}/api/4.0/login", data=form | credentials, timeout=10)


@pytest.fixture
def api(emulator):
    with Api(emulator) as api:
        yield api


def ids(rows):
    return [row["id"] for row in rows]


def alive(rows):
    return [row for row in rows if not row["deleted"]]


# ----------------------------------------------------------------------------- the official client


class Settings(api_settings.ApiSettings):
    """What the official client would read from looker.ini."""

    def __init__(self, emulator, secret=None):
        self.emulator, self.secret = emulator, secret
        super().__init__()

    def read_config(self):
        return {
            "base_url": self.emulator.url,
            "client_id": self.emulator.client_id,
            "client_secret": self.secret or self.emulator.client_secret,
            "verify_ssl": "false",
        }


@pytest.fixture
def sdk(emulator):
    """The official client, logged in, and not one of its calls failed when it has logged out."""
    sdk = init40(config_settings=Settings(emulator))
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
    sdk = init40(config_settings=Settings(emulator, secret="wrong"))
    with pytest.raises(error.SDKError, match="Not found"):
        sdk.me()


# ------------------------------------------------------------------------------------------- login


def test_login_answers_with_three_keys(emulator):
    body = login(emulator).json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 3600
    assert len(body["access_token"]) == 40
    assert len(body) == 3
    assert emulator.calls[-1].query == {}


def test_credentials_in_the_query_work_and_show(emulator):
    query = {"client_id": emulator.client_id, "client_secret": emulator.client_secret}
    assert requests.post(f"{emulator.url}/api/4.0/login", params=query, timeout=10).ok
    assert emulator.calls[-1].query == query


def test_wrong_credentials_are_not_found(emulator):
    response = login(emulator, client_secret="wrong")
    assert response.status_code == 404
    assert response.json() == {
        "message": "Not found",
        "documentation_url": "https://cloud.google.com/looker/docs/r/err/4.0/404/post/login",
    }
    with Emulator(html_404=True) as other:
        response = login(other, client_secret="wrong")
    assert response.status_code == 404
    assert "<title>Looker Not Found (404)</title>" in response.text


def test_both_headers_carry_a_token_and_nothing_else_does(emulator):
    token = login(emulator).json()["access_token"]
    statuses = [
        requests.get(
            f"{emulator.url}/api/4.0/user", headers={"Authorization": header}, timeout=10
        ).status_code
        for header in (f"Bearer {token}", f"token {token}", token, "Bearer x", "")
    ]
    assert statuses == [200, 200, 401, 401, 401]


def test_tokens_expire_and_are_revoked():
    with Emulator(token_lifetime=0) as emulator:
        response = Api(emulator).get("/user")
        assert response.status_code == 401
        assert response.json()["message"] == "Requires authentication."
    with Emulator() as emulator:
        api = Api(emulator)
        emulator.revoke_tokens()
        assert api.get("/user").status_code == 401


@pytest.mark.parametrize("path", ["/api/4.0/logout", "/api/logout"])
def test_logout_ends_the_token(emulator, api, path):
    response = api.delete(emulator.url + path)
    assert (response.status_code, response.content) == (204, b"")
    assert api.get("/user").status_code == 401


# -------------------------------------------------------------------------------------- addresses


def test_what_lies_beside_the_api(emulator, api):
    def get(path):
        return requests.get(emulator.url + path, timeout=10)

    assert (get("/alive").status_code, get("/alive").text) == (200, "")
    assert get("/versions").json()["looker_release_version"]
    assert get("/api/4.0/versions").json() == get("/versions").json()
    assert get("/users").status_code == 404
    assert get("/users").headers["content-type"].startswith("text/html")
    assert requests.post(f"{emulator.url}/login", timeout=10).status_code == 403
    raw = exchange(
        emulator, b"GET //api/4.0/users HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    assert raw.startswith(b"HTTP/1.1 403 ")
    unknown = api.get("/nothing/here")
    assert unknown.status_code == 404
    assert unknown.json()["documentation_url"].endswith("/4.0/404/get/nothing/here")
    missing = api.get("/users/999999")
    assert missing.json()["documentation_url"].endswith("/4.0/404/get/users/:user_id")
    assert api.post("/users").status_code == 404


def test_denied_paths_are_not_found():
    with Emulator(denied=("/roles",)) as emulator:
        api = Api(emulator)
        assert api.get("/roles/search").status_code == 404
        assert api.get("/groups/search").status_code == 200


def test_lookml_dashboards_by_their_encoded_names(emulator, api):
    dashboard = emulator.instance.lookml_dashboards[0]
    encoded = dashboard["id"].replace(":", "%3A")
    assert api.rows(f"/dashboards/{encoded}")["id"] == dashboard["id"]
    assert emulator.calls[-1].path == f"/dashboards/{dashboard['id']}"
    assert emulator.calls[-1].raw_path == f"/api/4.0/dashboards/{encoded}"
    assert api.rows(f"/dashboards/{encoded}/dashboard_elements", fields="id")


# -------------------------------------------------------------------------------------------- lists


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


def test_bodies_are_compressed_for_those_who_can_read_them(api):
    plain = api.get("/users", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    packed = api.get("/users")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.json() == plain.json()
    assert "Content-Encoding" not in api.get("/session").headers


# ------------------------------------------------------------------------------------------ content


def test_content_is_the_same_every_time():
    assert json.dumps(vars(Instance()), default=sorted) == json.dumps(
        vars(Instance()), default=sorted
    )


@pytest.mark.parametrize("scale", ["small", "medium", 0.2])
def test_content_is_coherent(scale):
    instance = Instance(scale)
    users, groups, roles, folders, queries, looks = (
        set(ids(rows))
        for rows in (
            instance.users,
            instance.groups,
            instance.roles,
            instance.folders,
            instance.queries,
            instance.looks,
        )
    )
    models = {model["name"] for model in instance.lookml_models}
    explores = {
        (model["name"], explore["name"])
        for model in instance.lookml_models
        for explore in model["explores"]
    }
    for user in instance.users:
        assert groups >= set(user["group_ids"])
        assert roles >= set(user["role_ids"])
        assert user["home_folder_id"] in folders
        assert user["personal_folder_id"] in folders | {None}
    for group in instance.groups:
        assert groups - {group["id"]} >= set(group["parent_group_ids"])
        assert roles >= set(group["role_ids"])
    for model_set in instance.model_sets:
        assert models >= set(model_set["models"])
    for folder in instance.folders:
        assert folder["parent_id"] in folders | {None}
        assert folder["creator_id"] in users | {None}
    for look in instance.looks:
        assert (look["folder_id"], look["user_id"]) == (look["folder"]["id"], look["user_id"])
        assert look["folder_id"] in folders
        assert look["query_id"] == look["query"]["id"]
        assert {look["user_id"], look["deleter_id"], look["last_updater_id"]} <= users | {None}
    tiles = [
        tile for dashboard in instance.all_dashboards for tile in dashboard["dashboard_elements"]
    ]
    for tile in tiles:
        assert tile["query_id"] in queries | {None}
        assert tile["look_id"] in looks | {None}
    for query in instance.queries:
        assert (query["model"], query["view"]) in explores
        assert query["id"] == query["slug"]
        assert len(query["id"]) == len(query["client_id"]) == 22
    for merge in instance.merge_queries:
        assert queries >= {source["query_id"] for source in merge["source_queries"]}
    for name, rows in vars(instance).items():
        if isinstance(rows, list) and rows and "id" in rows[0]:
            assert len(set(ids(rows))) == len(rows), name
    used = [tile["query_id"] for tile in tiles if tile["query_id"]]
    assert len(set(used)) < len(used)


def test_answers_follow_the_content(emulator, api):
    user = emulator.instance.users[0]
    assert api.rows("/user")["first_name"] == user["first_name"]
    before, user["first_name"] = user["first_name"], "Somebody else"
    try:
        assert api.rows("/user")["first_name"] == "Somebody else"
    finally:
        user["first_name"] = before


def test_answers_are_kept_until_somebody_has_the_content():
    with Emulator() as emulator:
        api = Api(emulator)
        assert api.rows("/users") == api.rows("/users")
        user = emulator.instance.users[0]
        user["locale"] = "xx"
        assert api.rows("/users")[0]["locale"] == "xx"


# -------------------------------------------------------------------------------------------- calls


def test_calls_are_recorded(emulator, api):
    emulator.reset_calls()
    api.get("/users/search", params={"limit": "2"})
    (call,) = emulator.calls
    assert (call.method, call.path, call.query) == ("GET", "/users/search", {"limit": "2"})
    assert call.raw_path == "/api/4.0/users/search"
    assert call.token in call.headers["authorization"]
    assert call.status == 200
    assert call.ended >= call.started
    assert emulator.count() == emulator.count("/users/*", "GET") == 1
    assert emulator.count("/looks") == 0


def test_requests_in_flight_are_counted():
    with Emulator(latency_ms=100) as emulator:
        api = Api(emulator)
        assert emulator.max_in_flight == 1
        threads = [threading.Thread(target=api.get, args=("/user",)) for _ in range(6)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - started > 0.1
        assert emulator.max_in_flight == 6


@pytest.mark.parametrize("retry_after", [None, 3])
def test_more_requests_at_once_than_it_serves_are_turned_away(retry_after):
    with Emulator(latency_ms=100, in_flight_limit=2, in_flight_retry_after=retry_after) as emulator:
        api = Api(emulator)
        found = []
        threads = [
            threading.Thread(target=lambda: found.append(api.get("/user"))) for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answer.status_code for answer in found) == [200] * 2 + [429] * 4
        assert emulator.max_in_flight == 2
        asked = {answer.headers.get("retry-after") for answer in found if answer.status_code == 429}
        assert asked == {retry_after and str(retry_after)}
        assert api.get("/user").status_code == 200


def test_only_loopback_is_served():
    with pytest.raises(ValueError, match="loopback"):
        Emulator(host="0.0.0.0")  # noqa: S104


# ------------------------------------------------------------------------------------------- faults


def exchange(emulator, request):
    """What comes back on a bare socket, until the other side ends it."""
    host, port = emulator.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def test_a_fault_skips_and_ends(emulator, api):
    fault = emulator.add_fault(Fault("status", "/users/*", after=1, times=2, status=429))
    emulator.add_fault(Fault("status", "/users/search", after=3, status=500))
    statuses = [api.get("/users/search").status_code for _ in range(5)]
    assert statuses == [200, 429, 429, 500, 200]
    assert api.get("/looks").status_code == 200
    assert (fault.seen, fault.fired) == (5, 2)
    emulator.clear_faults()
    forever = emulator.add_fault(Fault("status", "/looks", method="GET", times=None))
    assert [api.get("/looks").status_code for _ in range(3)] == [503] * 3
    assert forever.fired == 3


def test_a_fault_that_does_not_exist():
    with pytest.raises(ValueError, match="no fault 'flood'"):
        Fault("flood")
    with pytest.raises(TypeError, match="no volume"):
        Fault("slow", volume=3)


def test_faults_instead_of_an_answer(emulator, api):
    def answer(kind, **details):
        emulator.add_fault(Fault(kind, "/users", **details))
        return api.get("/users", allow_redirects=False)

    busy = answer("status", status=503, html="<h1>Busy</h1>", retry_after="7")
    assert (busy.status_code, busy.text, busy.headers["Retry-After"]) == (503, "<h1>Busy</h1>", "7")
    assert answer("status", status=429).json()["message"] == "Too Many Requests"
    assert answer("status", status=409, json={"message": "x"}).json() == {"message": "x"}
    assert answer("denied").json()["message"] == "Not found"
    assert answer("denied", status=403).status_code == 403
    assert answer("unauthorized").status_code == 401
    assert api.get("/users").status_code == 200
    page = answer("html")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html;charset=utf-8")
    redirect = answer("redirect")
    assert (redirect.status_code, redirect.headers["Location"]) == (302, "/login")
    assert answer("looker_error").json() == [{"looker_error": "Query timed out."}]
    assert isinstance(answer("wrong_shape").json(), dict)
    assert isinstance(answer("wrong_shape", shape="strings").json()[0], str)
    assert answer("revoke").status_code == 401
    assert api.get("/users").status_code == 401


def test_faults_in_the_rows(emulator, api):
    emulator.add_fault(Fault("repeat_page", "/users/search", after=1))
    first = api.rows("/users/search", limit=5)
    assert api.rows("/users/search", limit=5, offset=5) == first
    assert api.rows("/users/search", limit=5, offset=5) != first
    emulator.add_fault(Fault("null_nested", "/dashboards/*", names=["dashboard_elements"]))
    nested = [row["dashboard_elements"] for row in api.rows("/dashboards/search")]
    assert nested == [None] * len(nested)
    emulator.add_fault(Fault("drop_nested", "/dashboards/*", names=["query"]))
    rows = api.rows("/dashboards/search", fields="dashboard_elements(id,query)")
    assert rows[0]["dashboard_elements"]
    assert not any("query" in tile for row in rows for tile in row["dashboard_elements"])


@pytest.mark.parametrize("kind", ["reset_before", "reset_headers", "reset_body", "truncate_length"])
def test_broken_connections(emulator, api, kind):
    emulator.add_fault(Fault(kind, "/users"))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        api.get("/users")
    assert api.get("/users").status_code == 200


def test_broken_connections_on_a_bare_socket(emulator, api):
    request = (
        "GET /api/4.0/users HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: {api.headers['Authorization']}\r\n\r\n"
    ).encode()
    for kind in ("reset_before", "reset_headers", "reset_body"):
        emulator.add_fault(Fault(kind, "/users"))
        with pytest.raises(ConnectionResetError):
            exchange(emulator, request)
    emulator.add_fault(Fault("truncate_length", "/users"))
    head, _, body = exchange(emulator, request).partition(b"\r\n\r\n")
    length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
    assert 0 < len(body) < int(length.split()[1])
    assert [call.status for call in emulator.calls if call.path == "/users"] == [0, 0, 200, 200]


def test_a_body_that_ends_early_without_a_word(emulator, api):
    emulator.add_fault(Fault("truncate_chunked", "/users"))
    response = api.get("/users")
    assert response.status_code == 200
    assert "Content-Length" not in response.headers
    with pytest.raises(requests.exceptions.JSONDecodeError):
        response.json()


def test_broken_compression(emulator, api):
    emulator.add_fault(Fault("bad_gzip", "/users"))
    with pytest.raises(requests.exceptions.ContentDecodingError):
        api.get("/users")
    emulator.add_fault(Fault("bad_gzip", "/users", truncated=True))
    raw = api.get("/users", stream=True).raw.read(decode_content=False)
    with pytest.raises((EOFError, zlib.error)):
        gzip.decompress(raw)


def test_slow_answers(emulator, api):
    whole = api.get("/users").json()
    for fault in (
        Fault("slow", "/users", seconds=0.1),
        Fault("drip", "/users", seconds=0.1, pieces=5),
        Fault("latency", "/users", ms=100),
    ):
        emulator.add_fault(fault)
        started = time.monotonic()
        assert api.get("/users").json() == whole
        assert 0.07 < time.monotonic() - started < 2
        assert fault.fired == 1


def test_latency_goes_with_other_faults(emulator, api):
    latency = emulator.add_fault(Fault("latency", times=None, ms=1))
    status = emulator.add_fault(Fault("status", "/users"))
    assert api.get("/users").status_code == 503
    assert (latency.fired, status.fired) == (1, 1)


def test_silence_ends_with_the_client_or_the_server():
    with Emulator() as emulator:
        api = Api(emulator)
        emulator.add_fault(Fault("silence", "/users", times=None))
        with pytest.raises(requests.ReadTimeout):
            api.get("/users", timeout=0.1)
        outcome = []

        def ask():
            try:
                api.get("/users")
            except requests.ConnectionError as broken:
                outcome.append(broken)

        waiting = threading.Thread(target=ask)
        waiting.start()
        while emulator.count("/users") < 2:
            time.sleep(0.001)
        started = time.monotonic()
    assert time.monotonic() - started < 1
    waiting.join(5)
    assert outcome


# ----------------------------------------------------------------------------------- the other door


def test_control_over_http_and_the_command_line():
    command = [sys.executable, "-m", "looker_emulator", "--client-id", "me", "--latency-ms", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().removeprefix("Looker emulator at ").strip()
            assert process.stdout.readline() == "client_id: me\n"
            secret = process.stdout.readline().removeprefix("client_secret: ").strip()
            form = {"client_id": "me", "client_secret": secret}
            token = requests.post(f"{url}/api/4.0/login", data=form, timeout=10).json()
            header = {"Authorization": f"Bearer {token['access_token']}"}

            def status():
                return requests.get(f"{url}/api/4.0/user", headers=header, timeout=10).status_code

            control = f"{url}/_emulator"
            faults = [{"kind": "status", "path": "/user", "status": 502}]
            assert requests.post(f"{control}/faults", json=faults, timeout=10).status_code == 204
            assert requests.get(f"{control}/faults", timeout=10).json()[0]["kind"] == "status"
            assert [status(), status()] == [502, 200]
            requests.post(f"{control}/faults", json=faults, timeout=10)
            requests.delete(f"{control}/faults", timeout=10)
            assert status() == 200
            unknown = requests.post(f"{control}/faults", json=[{"kind": "flood"}], timeout=10)
            assert unknown.status_code == 422
            requests.post(f"{control}/revoke", timeout=10)
            assert status() == 401
            calls = requests.get(f"{control}/calls", timeout=10).json()
            assert [call["path"] for call in calls] == ["/login", *["/user"] * 4]
            assert [call["status"] for call in calls] == [200, 502, 200, 200, 401]
        finally:
            process.terminate()
        assert process.wait(5) == 0
