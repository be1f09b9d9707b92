"""Faults, as clients and bare sockets meet them."""

from __future__ import annotations

import gzip
import threading
import time
import zlib

import pytest
import requests

from looker_emulator import Emulator, Fault
from looker_emulator.tests.api import Api, exchange


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


def test_values_that_are_odd_or_absent_in_rows_of_queries_and_lists(emulator, api):
    names = ["view_count", "orders.count"]
    whole = api.store("orders", "orders.status", "orders.count")
    emulator.add_fault(Fault("odd_values", "*", times=2, names=names, raw='"n/a"'))
    assert {row["view_count"] for row in api.rows("/looks/search", limit=3)} == {"n/a"}
    rows = api.store("orders", "orders.status", "orders.count")
    assert rows == [row | {"orders.count": "n/a"} for row in whole]
    emulator.add_fault(Fault("odd_values", "*", times=1, names=names, raw="NaN"))
    assert '"orders.count":NaN}' in api.run("orders", "orders.count", model="thelook").text
    emulator.add_fault(Fault("drop_nested", "/queries/*", names=names))
    rows = api.store("orders", "orders.status", "orders.count")
    assert [list(row) for row in rows] == [["orders.status"]] * len(whole)


def test_a_row_that_cannot_be_made(emulator, api):
    path = "/users/search"
    id_ = api.rows(path, sorts="id")[7]["id"]
    emulator.add_fault(Fault("unreadable_rows", path, times=None, ids=[id_]))
    statuses = [
        api.get(path, params={"limit": limit, "offset": offset, "sorts": "id"}).status_code
        for limit, offset in ((8, 0), (7, 0), (1, 7), (1, 8), (99, 0), (5, 5), (5, 8))
    ]
    assert statuses == [500, 200, 500, 200, 500, 500, 200]


def test_too_much_at_once(emulator, api):
    emulator.add_fault(Fault("slow", "/looks", times=None, seconds=0.2))
    busy = emulator.add_fault(
        Fault("busy", times=None, limit=1, status=503, retry_after=3, containing="")
    )
    waiting = threading.Thread(target=api.get, args=("/looks",))
    waiting.start()
    while not emulator.count("/looks"):
        time.sleep(0.001)
    turned_away = api.get("/users")
    assert (turned_away.status_code, turned_away.headers["Retry-After"]) == (503, "3")
    waiting.join()
    assert api.get("/users").status_code == 200
    assert busy.fired == 1


def test_a_fault_of_requests_with_some_text(emulator, api):
    emulator.add_fault(Fault("status", "/queries/*", times=None, containing="orders.count"))
    assert api.run("orders", "orders.id", model="thelook").status_code == 200
    assert api.run("orders", "orders.count", model="thelook").status_code == 503


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
