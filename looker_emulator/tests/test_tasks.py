"""Saved queries and query tasks."""

from __future__ import annotations

import pytest
import requests

from looker_emulator import Emulator, Fault
from looker_emulator.tests.api import Api


def test_queries_are_created_once(emulator, api):
    body = {"model": "thelook", "view": "orders", "fields": ["orders.count"], "limit": 10}
    first = api.post("/queries", json=body).json()
    assert first["id"] == first["slug"]
    assert len(first["id"]) == len(first["client_id"]) == 22
    count = len(emulator.instance.queries)
    assert api.post("/queries", json={**body, "limit": "10"}).json() == first
    assert len(emulator.instance.queries) == count
    assert api.get(f"/queries/{first['id']}").json() == first
    assert api.get(f"/queries/{first['id']}/run/json").json() == [{"orders.count": 1000}]
    assert api.post("/queries?fields=id", json=body).json() == {"id": first["id"]}


def created(api, title_or_body, emulator=None):
    """A task for a look or for a query."""
    if isinstance(title_or_body, str):
        query = api.get(f"/looks/{emulator.look_id(title_or_body)}").json()["query_id"]
    else:
        query = api.post("/queries", json=title_or_body).json()["id"]
    response = api.post("/query_tasks", json={"query_id": query, "result_format": "json"})
    assert response.status_code == 200, response.text
    return response.json()["id"]


COUNT = {"model": "thelook", "view": "orders", "fields": ["orders.count"]}


def test_a_task_runs_and_its_result_can_be_fetched_twice():
    with Emulator(task_polls=2) as emulator:
        api = Api(emulator)
        task = created(api, COUNT)
        assert api.get(f"/query_tasks/{task}/results").status_code == 202
        states = [api.get(f"/query_tasks/{task}").json()["status"] for _ in range(4)]
        assert states == ["added", "running", "complete", "complete"]
        emulator.add_fault(Fault("reset_body", "/query_tasks/*/results"))
        with pytest.raises(requests.RequestException):
            api.get(f"/query_tasks/{task}/results")
        assert api.get(f"/query_tasks/{task}/results").json() == [{"orders.count": 1000}]
        assert emulator.query_runs == 1
        assert emulator.tasks[task].fetched == 2
        assert api.delete(f"/running_queries/{task}").status_code == 404
        assert api.get("/query_tasks/unknown").status_code == 404
        assert api.get("/query_tasks/unknown/results").status_code == 404
        assert api.post("/query_tasks", json={}).status_code == 422
        assert api.post("/query_tasks", json={"query_id": "unknown"}).status_code == 404


def test_a_task_is_cancelled():
    with Emulator(task_seconds=60) as emulator:
        api = Api(emulator)
        task = created(api, COUNT)
        assert api.delete(f"/running_queries/{task}").status_code == 204
        assert emulator.cancelled == [task]
        assert api.get(f"/query_tasks/{task}").json()["status"] == "killed"
        assert api.get(f"/query_tasks/{task}/results").status_code == 404


@pytest.mark.parametrize(("ends", "status"), [("error", 400), ("killed", 404), ("expired", 404)])
def test_tasks_end_otherwise(emulator, api, ends, status):
    emulator.add_fault(Fault("task", "/query_tasks", ends=ends))
    task = created(api, COUNT)
    assert api.get(f"/query_tasks/{task}").json()["status"] == ends
    assert api.get(f"/query_tasks/{task}/results").status_code == status


def test_what_a_task_says_before_it_ends(emulator, api):
    emulator.add_fault(Fault("task", "/query_tasks", ends=None, says=["expired", "Queued"]))
    task = created(api, COUNT)
    states = [api.get(f"/query_tasks/{task}").json()["status"] for _ in range(2)]
    assert api.get(f"/query_tasks/{task}/results").status_code == 200
    states.append(api.get(f"/query_tasks/{task}").json()["status"])
    assert states == ["expired", "Queued", "complete"]
    emulator.add_fault(Fault("task", "/query_tasks", ends="lost"))
    other = created(api, COUNT)
    assert [api.get(f"/query_tasks/{other}").json()["status"] for _ in range(3)] == ["lost"] * 3
    assert api.get(f"/query_tasks/{other}/results").status_code == 202


def test_a_task_for_a_query_that_fails(emulator, api):
    task = created(api, "A look that fails", emulator)
    assert api.get(f"/query_tasks/{task}").json()["status"] == "error"
    failed = api.get(f"/query_tasks/{task}/results")
    assert failed.status_code == 400
    assert "no_such_column" in failed.json()["message"]
