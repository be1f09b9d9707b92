"""Queries over HTTP: limits, refusals, faults, memory."""

from __future__ import annotations

import gzip
import json
import time

import pytest
import requests

from looker_emulator import Emulator, Fault
from looker_emulator.tests.api import HISTORY, Api, values

RUN = "/queries/run/json"


def test_limits(api):
    with Emulator(activity_rows=6_000) as emulator:
        api = Api(emulator)
        assert len(api.result("history", "history.id")) == 5_000
        assert len(api.result("history", "history.id", limit="-1")) == 6_000
        assert len(api.result("history", "history.id", limit=5_500)) == 5_500
        assert len(api.result("history", "history.id", limit="7", params={"limit": "3"})) == 3
        assert api.run("history", "history.id", limit="some").status_code == 422
    with Emulator(row_cap=500, activity_missing_fields=("history.node_id", "node.id")) as emulator:
        api = Api(emulator)
        assert len(api.result("history", "history.id", limit="50000")) == 500
        assert len(api.result("history", "history.id", limit="-1")) == 500
        assert len(api.result("history", "history.id", limit="20")) == 20
        rows = api.result("history", "history.id", "node.id", "history.node_id", limit="2")
        assert [set(row) for row in rows] == [{"history.id"}, {"history.id"}]
        metadata = api.get("/lookml_models/system__activity/explores/history").json()
        assert "node.id" not in values(metadata["fields"]["dimensions"], "name")


def test_refused_queries(emulator, api):
    assert api.run("nonsense", "history.id").status_code == 404
    assert api.run("history", "history.id", model="nonsense").status_code == 404
    assert api.run("history").json()["message"] == "Must query at least one dimension or measure"
    assert api.run("history", "history.id", form="pdf").status_code == 400
    assert api.run("history", "history.id", filter_expression="${x} > 1").status_code == 400
    assert api.run("history", "history.id", sorts=["history.slug"]).status_code == 422
    assert api.post(RUN, data="[]").status_code == 400
    missing = api.post("/queries", json={"view": "orders"})
    assert missing.status_code == 422
    assert missing.json()["errors"][0]["code"] == "missing_field"
    # Models of which there is nothing but the metadata.
    query = emulator.instance.queries[0]
    assert "looker_error" in api.get(f"/queries/{query['id']}/run/json").json()[0]
    assert requests.post(f"{emulator.url}/api/4.0{RUN}", timeout=5).status_code == 401


def test_line_breaks_are_a_matter_of_taste():
    bodies = {}
    for style in ("lines", "compact", "pretty"):
        with Emulator(json_style=style) as emulator:
            bodies[style] = Api(emulator).run("history", "history.id", "history.message", limit=150)
    assert len({response.text for response in bodies.values()}) == 3
    assert len({json.dumps(response.json()) for response in bodies.values()}) == 1
    assert bodies["compact"].text.count("\n") == 0
    assert bodies["lines"].text.count("\n") == 149
    assert bodies["pretty"].text.count("\n") == 150 * 4 + 2
    with Emulator(json_style="pretty") as emulator:
        none = Api(emulator).run("history", "history.id", filters={"history.id": "1"})
        assert none.json() == []


def test_an_error_after_some_rows(emulator, api):
    emulator.add_fault(Fault("looker_error", "/queries/run/*", after_rows=130, message="Too long"))
    rows = api.result("history", "history.id")
    assert len(rows) == 131
    assert rows[-1] == {"looker_error": "Too long"}
    emulator.add_fault(Fault("looker_error", "/queries/run/*"))
    assert api.result("history", "history.id") == [{"looker_error": "Query timed out."}]
    emulator.add_fault(Fault("looker_error", "/queries/run/*", after_rows=9000))
    assert len(api.result("history", "history.id", limit=5)) == 6


@pytest.mark.parametrize("kind", ["reset_body", "truncate_length", "reset_before"])
def test_broken_downloads(emulator, api, kind):
    emulator.add_fault(Fault(kind, "/queries/run/*", method="POST"))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        api.run("history", "history.id")
    assert len(api.result("history", "history.id")) == 2000


def test_other_faults_meet_queries_too(emulator, api):
    def meet(kind, **details):
        emulator.add_fault(Fault(kind, RUN, **details))
        return api.run("history", *HISTORY)

    with pytest.raises(requests.exceptions.JSONDecodeError):
        meet("truncate_chunked").json()
    with pytest.raises(requests.exceptions.ContentDecodingError):
        meet("bad_gzip")
    assert meet("status", status=504, html="Gateway Timeout").status_code == 504
    assert "<html>" in meet("html").text
    assert meet("unauthorized").status_code == 401
    assert len(meet("drip", seconds=0.05, pieces=5).json()) == 2000
    started = time.monotonic()
    assert len(meet("slow", seconds=0.1).json()) == 2000
    assert time.monotonic() - started > 0.1
    assert emulator.activity.in_flight == 0


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows():
    resource = pytest.importorskip("resource")

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

    with Emulator(activity_rows=500_000) as emulator:
        api = Api(emulator)

        def read(limit):
            size = 0
            body = {
                "model": "system__activity",
                "view": "event",
                "fields": ["event.id", "event.created_time", "event.name", "event.user_id"],
                "sorts": ["event.id"],
                "limit": limit,
                "query_timezone": "UTC",
            }
            with api.post(RUN, json=body, stream=True) as response:
                for part in response.iter_content(1 << 16):
                    size += len(part)
            return size

        assert read("400000") > 30_000_000
        before = peak()
        assert read("-1") > 40_000_000
        # What grows is the database's sort, by a fraction of what was sent.
        assert peak() - before < 30


def test_a_long_history_is_made_in_seconds_and_streams():
    with Emulator(activity_rows=30_000) as emulator:
        api = Api(emulator)
        api.result("history", "history.id", limit=1)
        body = {
            "model": "system__activity",
            "view": "history",
            "fields": HISTORY,
            "sorts": ["history.id"],
            "limit": "-1",
        }
        for encoding in ("identity", "gzip"):
            headers = {"Accept-Encoding": encoding}
            with api.post(RUN, json=body, headers=headers, stream=True) as response:
                assert response.headers["Transfer-Encoding"] == "chunked"
                begin = response.raw.read1(200)
                # The first rows are here while the last are not even read.
                assert emulator.activity.in_flight == 1
                rest = response.raw.read()
            whole = begin + rest
            text = gzip.decompress(whole) if encoding == "gzip" else whole
            assert len(json.loads(text)) == 30_000
        assert emulator.activity.in_flight == 0
        # Somebody who leaves does not keep the query.
        with api.post(RUN, json=body, stream=True) as response:
            response.raw.read(100)
        deadline = time.monotonic() + 5
        while emulator.activity.in_flight and time.monotonic() < deadline:
            time.sleep(0.01)
        assert emulator.activity.in_flight == 0


def test_sql_of_an_explore_without_data():
    with Emulator() as emulator:
        api = Api(emulator)
        for model in emulator.instance.lookml_models[:2]:
            for explore in model["explores"]:
                about = api.get(f"/lookml_models/{model['name']}/explores/{explore['name']}").json()
                fields = [about["fields"]["dimensions"][0]["name"]]
                body = {"model": model["name"], "view": explore["name"], "fields": fields}
                answer = api.request("POST", "/queries/run/sql", json=body)
                assert answer.headers["content-type"] == "application/sql"
                mark = "`" if about["connection_name"] == "lake" else '"'
                assert "SELECT\n" in answer.text
                assert (mark in answer.text) is (mark == '"' or "`greenhouse." in answer.text)
                body["fields"] = ["nobody.knows"]
                assert api.request("POST", "/queries/run/sql", json=body).status_code == 400
        assert emulator.query_runs == 0


def test_graphs_of_derived_tables_have_two_shapes():
    with Emulator() as emulator:
        api = Api(emulator)
        first, second = (
            api.get(f"/derived_table/graph/model/{model['name']}").json()["graph_text"]
            for model in emulator.instance.lookml_models[:2]
        )
        assert "<customers> -> <greenhouse.people> [style=dashed]" in first
        assert '"logistics/baskets" -> "logistics/sittings"\n' in second
        assert api.get("/derived_table/graph/model/nonsense").status_code == 404
