"""Login, addresses, the log of calls, and the command line."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest
import requests

from looker_emulator import Emulator
from looker_emulator.tests.api import Api, exchange, login


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


def test_bodies_are_compressed_for_those_who_can_read_them(api):
    plain = api.get("/users", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    packed = api.get("/users")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.json() == plain.json()
    assert "Content-Encoding" not in api.get("/session").headers


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


def test_only_loopback_is_served():
    with pytest.raises(ValueError, match="loopback"):
        Emulator(host="0.0.0.0")  # noqa: S104


def test_the_key_may_be_that_of_a_limited_user():
    with Emulator(role="Viewer") as emulator:
        me = Api(emulator).get("/user").json()
        (role,) = Api(emulator).get(f"/users/{me['id']}/roles").json()
    assert (me["role_ids"], me["group_ids"]) == ([role["id"]], [])
    assert role["name"] == "Viewer"
    assert "administer" not in role["permission_set"]["permissions"]


def test_the_command_line_limits_the_key():
    command = [sys.executable, "-m", "looker_emulator", "--client-id", "me"]
    options = ["--role", "Viewer", "--deny", "/boards", "--deny", "/themes"]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().split()[-1]
            process.stdout.readline()
            form = {"client_id": "me", "client_secret": process.stdout.readline().split()[-1]}
            token = requests.post(f"{url}/api/4.0/login", data=form, timeout=10).json()
            header = {"Authorization": f"Bearer {token['access_token']}"}

            def get(path):
                return requests.get(f"{url}/api/4.0{path}", headers=header, timeout=10)

            assert get("/user").json()["role_ids"] == ["5"]
            assert [get(path).status_code for path in ("/boards/search", "/themes")] == [404, 404]
            assert get("/looks/search").status_code == 200
        finally:
            process.terminate()
    done = subprocess.run([*command, "--role", "King"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "There is no role King, only: Admin, Developer, User, Viewer" in done.stderr


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


@pytest.mark.parametrize("retry_after", [None, 3])
def test_requests_above_the_in_flight_limit_are_turned_away(retry_after):
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
