"""System Activity: what comes back is what the database itself says."""

from __future__ import annotations

import threading
from datetime import datetime

from looker_emulator import Emulator
from looker_emulator.tests.api import HISTORY, Api, database, values

AS_JSON = """
    SELECT h.id, h.slug, strftime(h.created, '%Y-%m-%d %H:%M:%S'),
        strftime(h.completed, '%Y-%m-%d %H:%M:%S'), h.status, h.runtime, h.message,
        CASE WHEN h.is_single_query THEN 'Yes' ELSE 'No' END, q.id, q.slug, u.id
    FROM sa_history AS h
    LEFT JOIN sa_query AS q ON q.id = h.query_id
    LEFT JOIN sa_user AS u ON u.id = h.user_id"""


def test_history_is_what_the_database_says(emulator, api):
    rows = api.result("history", *HISTORY, sorts=["history.id"])
    assert [list(row.values()) for row in rows] == database(emulator, f"{AS_JSON} ORDER BY h.id")
    assert {tuple(row) for row in rows} == {tuple(HISTORY)}
    assert len(rows) == 2000
    ids = values(rows, "history.id")
    assert ids == sorted(set(ids))
    assert ids[-1] - ids[0] > 2000
    assert None in values(rows, "history.completed_time")
    instance = emulator.instance
    slugs = {query["slug"] for query in instance.queries}
    assert set(values(rows, "query.slug")) <= slugs | {None}
    assert {str(user) for user in values(rows, "user.id")} <= {row["id"] for row in instance.users}


def test_pages_along_the_key(emulator, api):
    found, last = [], 0
    while True:
        page = api.result(
            "history",
            "history.id",
            sorts=["history.id"],
            limit="700",
            filters={"history.id": f">{last}"},
        )
        found += values(page, "history.id")
        if len(page) < 700:
            break
        last = found[-1]
    assert found == [row[0] for row in emulator.sql("SELECT id FROM sa_history ORDER BY id")]


def test_filters_reach_the_database(emulator, api):
    def count(filters, where):
        found = len(api.result("history", "history.id", filters=filters, limit=-1))
        assert found == emulator.sql(f"SELECT count(*) FROM sa_history AS h WHERE {where}")[0][0]
        return found

    assert count({"history.created_time": "after 2026-06-01 00:00:00"}, "created >= '2026-06-01'")
    assert count(
        {"history.created_time": "2026-01-01 to 2026-02-01", "history.status": "complete,error"},
        "created >= '2026-01-01' AND created < '2026-02-01' AND status IN ('complete', 'error')",
    )
    assert count({"history.message": "-NULL"}, "message IS NOT NULL")
    assert count({"history.message": "NOT NULL"}, "false") == 0
    assert count({"history.is_single_query": "No"}, "NOT is_single_query")
    assert count({"history.completed_time": "NULL"}, "completed IS NULL")
    assert count({"history.id": "NOT NULL", "history.status": ""}, "true") == 2000


def test_every_explore_has_its_rows(emulator, api):
    keys = {
        "event": "event.id",
        "event_attribute": "event_attribute.id",
        "scheduled_plan": "scheduled_plan.id",
        "pdt_event_log": "pdt_event_log.id",
        "query_metrics": "query_metrics.id",
        "pdt_builds": "pdt_builds.tid",
        "dashboard_performance": "dashboard_performance.dashboard_run_session",
        "sql_query": "sql_query.id",
        "user": "user.id",
    }
    for explore, key in keys.items():
        metadata = api.get(f"/lookml_models/system__activity/explores/{explore}").json()
        fields = metadata["fields"]["dimensions"]
        assert [field["name"] for field in fields if field["primary_key"]][:1] == [key]
        own = [field["name"] for field in fields if field["view"] == key.partition(".")[0]]
        found = values(api.result(explore, *own, sorts=[key], limit="-1"), key)
        assert len(found) == len(set(found)) > 0
    usage = api.result("api_usage", "api_usage.created_date", "api_usage.endpoint",
                     "api_usage.total_usage", limit=-1)  # fmt: skip
    assert len(usage) == emulator.sql("SELECT count(*) FROM sa_api_usage")[0][0]
    content = api.result("content_usage", "content_usage.content_id", "content_usage.content_type")
    assert len(content) == len(emulator.instance.looks) + len(emulator.instance.dashboards)
    fields = api.result("field_usage", "field_usage.model", "field_usage.field")
    assert {"thelook", "storefront"} <= set(values(fields, "field_usage.model"))


def test_measures_and_rows_that_multiply(emulator, api):
    users = api.result("user", "user.id", "history.most_recent_query_date", sorts=["user.id"])
    assert [list(row.values()) for row in users] == database(
        emulator,
        "SELECT u.id, CAST(CAST(max(h.created) AS DATE) AS VARCHAR) FROM sa_user AS u "
        "LEFT JOIN sa_history AS h ON h.user_id = u.id GROUP BY 1 ORDER BY 1",
    )
    plain = api.result("event", "event.id", limit=-1)
    assert len(plain) == 2000
    assert len(api.result("event", "event.id", "group.name", limit=-1)) > 2 * len(plain)


def test_times_are_in_the_zone_of_the_query_or_of_the_instance(api):
    def created(**query):
        rows = api.result(
            "history", "history.created_time", filters={"history.id": "40003"}, **query
        )
        (row,) = rows
        return datetime.fromisoformat(row["history.created_time"])

    utc = created()
    assert (utc - created(query_timezone=None)).total_seconds() == 7 * 3600
    assert (created(query_timezone="Asia/Tokyo") - utc).total_seconds() == 9 * 3600
    assert api.run("history", "history.id", query_timezone="Mars/Olympus").status_code == 422


def test_system_activity_may_be_denied():
    with Emulator(activity_denied=True, refused_fields_status=400) as emulator:
        api = Api(emulator)
        assert api.run("history", "history.id").status_code == 404
        assert api.get("/lookml_models/system__activity/explores/history").status_code == 404
        models = api.get("/lookml_models", params={"include_internal": "true"}).json()
        assert "system__activity" not in values(models, "name")
        assert api.run("orders", "orders.nope", model="thelook").status_code == 400


def test_the_model_is_an_internal_one(api):
    names = values(api.get("/lookml_models").json(), "name")
    internal = values(api.get("/lookml_models?include_internal=true").json(), "name")
    assert internal == [*names, "system__activity"]
    part = api.get(
        "/lookml_models/system__activity/explores/history?fields=fields(dimensions(name,type))"
    ).json()
    assert part["fields"]["dimensions"][0] == {"name": "history.id", "type": "number"}


def test_rows_arrive_and_finish():
    with Emulator(activity_rows=300) as emulator:
        api, activity = Api(emulator), emulator.activity
        before = values(api.result("history", "history.id", limit=-1), "history.id")
        activity.add_rows(20)
        after = values(api.result("history", "history.id", limit=-1), "history.id")
        new = set(after) - set(before)
        assert len(new) == 20
        assert min(new) > max(before)
        activity.add_rows(5, late=True)
        late = set(values(api.result("history", "history.id", limit=-1), "history.id")) - set(after)
        assert len(late) == 5
        assert max(late) < max(after)
        unfinished = {"history.completed_time": "NULL"}
        count = len(api.result("history", "history.id", filters=unfinished))
        assert activity.finish_rows(1) == 1
        assert activity.finish_rows() == count - 1
        assert api.result("history", "history.id", filters=unfinished) == []
        attributes = emulator.sql("SELECT count(DISTINCT id), count(*) FROM sa_event_attribute")
        assert attributes == [(640, 640)]


def test_rows_arrive_with_every_query():
    with Emulator(activity_rows=300, activity_arrivals=3) as emulator:
        api = Api(emulator)
        counts = [len(api.result("history", "history.id", limit=-1)) for _ in range(3)]
        assert counts == [303, 306, 309]


def test_queries_at_once_are_counted():
    with Emulator() as emulator:
        api = Api(emulator)
        for _ in range(5):
            api.result("history", "history.id")
        assert emulator.activity.max_in_flight == 1
        gate = threading.Barrier(4)

        def ask():
            with Api(emulator) as mine:
                gate.wait()
                mine.result("history", *HISTORY, limit=-1)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert emulator.activity.max_in_flight > 1
        assert emulator.activity.in_flight == 0
