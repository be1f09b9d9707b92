# ruff: noqa: S608, SIM905 - statements of this module; a list of words reads best as words
"""The emulator runs queries: what comes back is what the database itself says."""

from __future__ import annotations

import gzip
import json
import threading
import time
from datetime import datetime, timezone
from decimal import Decimal

import pytest
import requests
from looker_sdk import init40, models40
from looker_sdk.rtl import api_settings

from looker_emulator import Emulator, Fault
from looker_emulator.queries.expressions import InvalidExpression, translated
from looker_emulator.queries.filters import InvalidFilter, condition
from looker_emulator.queries.thelook.looks import LOOKS
from looker_emulator.queries.thelook.model import EXPLORES

RUN = "/queries/run/json"


class Api(requests.Session):
    """A logged-in session that takes paths below /api/4.0."""

    def __init__(self, emulator):
        super().__init__()
        self.trust_env = False
        self.base = f"{emulator.url}/api/4.0"
        form = {"client_id": emulator.client_id, "client_secret": emulator.client_secret}
        token = super().request("POST", f"{self.base}/login", data=form).json()["access_token"]
        self.headers["Authorization"] = f"Bearer {token}"

    def request(self, method, path, **options):
        options.setdefault("timeout", 20)
        return super().request(method, f"{self.base}{path}", **options)

    def run(self, view, *fields, form="json", params=None, model="system__activity", **query):
        body = {
            "model": model,
            "view": view,
            "fields": list(fields),
            "query_timezone": "UTC",
            **query,
        }
        return self.post(f"/queries/run/{form}", json=body, params=params)

    def rows(self, view, *fields, **query):
        response = self.run(view, *fields, **query)
        assert response.status_code == 200, response.text
        return response.json()

    def store(self, view, *fields, **query):
        return self.rows(view, *fields, model="thelook", **query)


@pytest.fixture(scope="module")
def emulator():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def _no_faults(emulator):
    yield
    emulator.clear_faults()
    emulator.reset_calls()


@pytest.fixture(scope="module")
def api(emulator):
    with Api(emulator) as api:
        yield api


def values(rows, field):
    return [row[field] for row in rows]


def database(emulator, sql):
    return [list(row) for row in emulator.sql(sql)]


# --------------------------------------------------------------------------------- filter language

NOW = datetime(2026, 6, 30, 14, 15)  # noqa: DTZ001 - of the query's zone


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("5", [5]),
        (">=100", [100, 150, 200, 300, 500]),
        (">100", [150, 200, 300, 500]),
        ("< 5", [1]),
        ("[1, 150)", [1, 5, 100]),
        ("(1, inf)", [5, 100, 150, 200, 300, 500]),
        (">=100 AND <=200", [100, 150, 200]),
        ("1, 5, >=300", [1, 5, 300, 500]),
        ("1 OR 5", [1, 5]),
        ("100 to 200", [100, 150, 200]),
        ("NOT 5", [1, 100, 150, 200, 300, 500, None]),
        ("NOT 5, NOT 1", [100, 150, 200, 300, 500, None]),
        ("<> 500, NOT NULL", [1, 5, 100, 150, 200, 300]),
        ("NOT NULL", [1, 5, 100, 150, 200, 300, 500]),
        ("NULL", [None]),
        ("NULL, 1", [1, None]),
        ("-NULL", []),
    ],
)
def test_filters_on_numbers(emulator, text, matches):
    test = condition("number", "n", text, now=NOW)
    numbers = "(VALUES (1),(5),(100),(150),(200),(300),(500),(NULL)) AS t(n)"
    found = emulator.sql(f"SELECT n FROM {numbers} WHERE {test} ORDER BY n NULLS LAST")
    assert [n for (n,) in found] == matches


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("after 2026-06-29 00:00:00", "CDEFG"),
        ("before 2026-06-29 00:00:00", "AB"),
        ("2026-06-01 to 2026-06-30", "BCD"),
        ("2026-06-29", "CD"),
        ("2026-06", "BCDEFG"),
        ("2025", "A"),
        ("2025, 2026-06-29", "ACD"),
        ("2026-06-30 14:15", "F"),
        ("1 day", "EFG"),
        ("2 days", "CDEFG"),
        ("1 day ago", "CD"),
        ("last 2 days", "CDEFG"),
        ("1 month", "BCDEFG"),
        ("today", "EFG"),
        ("yesterday", "CD"),
        ("this month", "BCDEFG"),
        ("last year", "A"),
        ("NULL", "H"),
        ("NOT NULL", "ABCDEFG"),
        ("-NULL", ""),
    ],
)
def test_filters_on_dates(emulator, text, matches):
    test = condition("date", "d", text, now=NOW)
    dates = """(VALUES
        ('A', TIMESTAMP '2025-03-01 00:00:00'), ('B', TIMESTAMP '2026-06-01 00:00:00'),
        ('C', TIMESTAMP '2026-06-29 00:00:00'), ('D', TIMESTAMP '2026-06-29 23:59:59'),
        ('E', TIMESTAMP '2026-06-30 00:00:00'), ('F', TIMESTAMP '2026-06-30 14:15:30'),
        ('G', TIMESTAMP '2026-06-30 23:59:59'), ('H', NULL)) AS t(name, d)"""
    found = emulator.sql(f"SELECT name FROM {dates} WHERE {test} ORDER BY name")
    assert "".join(name for (name,) in found) == matches


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("abc", ["abc"]),
        ("abc,a_c", ["a_c", "abc"]),
        ("a^_c", ["a_c"]),
        ("%b%", ["abc", "b,c"]),
        ('"b,c"', ["b,c"]),
        ("b^,c", ["b,c"]),
        ("100^%", ["100%"]),
        ("-abc", ["", "100%", "NOT NULL", "a_c", "b,c", None]),
        ("-%c%,-EMPTY", ["100%", "NOT NULL"]),
        ("-NULL", ["", "100%", "NOT NULL", "a_c", "abc", "b,c"]),
        ("NULL", [None]),
        ("EMPTY", ["", None]),
        # The null filter of numbers and dates is a word among strings.
        ("NOT NULL", ["NOT NULL"]),
    ],
)
def test_filters_on_strings(emulator, text, matches):
    test = condition("string", "s", text, now=NOW)
    strings = "(VALUES ('abc'),('a_c'),('b,c'),('100%'),(''),('NOT NULL'),(NULL)) AS t(s)"
    found = emulator.sql(f"SELECT s FROM {strings} WHERE {test} ORDER BY s NULLS LAST")
    assert [s for (s,) in found] == matches


def test_filters_that_are_not_understood(api):
    for language, text in [
        ("number", "abc"),
        ("number", "1; DROP TABLE x"),
        ("date", "next week sometime"),
        ("date", "2026-13-45"),
        ("date", "after 2026-01-01T00:00:00Z"),
        ("yesno", "perhaps"),
        ("none", "x"),
    ]:
        with pytest.raises(InvalidFilter):
            condition(language, "x", text, now=NOW)
    assert condition("string", "x", "  ", now=NOW) is None
    refused = api.run("history", "history.id", filters={"history.id": "many"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "history.id"


def test_expressions():
    assert translated("${a.b} > 5 AND not yes", lambda _: "c0") == "c0 > 5 AND NOT true"
    assert translated("${x} / sum(${x})", lambda _: "c", over_rows=True) == "c / sum ( c ) OVER ()"
    assert translated('if(${x} != "it\'s", 1, 2)', lambda _: "c") == "if ( c <> 'it''s' , 1 , 2 )"
    for wrong in ("", "pivot_index(1)", "${x} ; 1", "(1", "sum(${x})"):
        with pytest.raises(InvalidExpression):
            translated(wrong, lambda _: "c")


# --------------------------------------------------------------------------------- System Activity

HISTORY = (
    "history.id history.slug history.created_time history.completed_time history.status "
    "history.runtime history.message history.is_single_query query.id query.slug user.id"
).split()
AS_JSON = """
    SELECT h.id, h.slug, strftime(h.created, '%Y-%m-%d %H:%M:%S'),
        strftime(h.completed, '%Y-%m-%d %H:%M:%S'), h.status, h.runtime, h.message,
        CASE WHEN h.is_single_query THEN 'Yes' ELSE 'No' END, q.id, q.slug, u.id
    FROM sa_history AS h
    LEFT JOIN sa_query AS q ON q.id = h.query_id
    LEFT JOIN sa_user AS u ON u.id = h.user_id"""


def test_history_is_what_the_database_says(emulator, api):
    rows = api.rows("history", *HISTORY, sorts=["history.id"])
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
        page = api.rows(
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
        found = len(api.rows("history", "history.id", filters=filters, limit=-1))
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
        "scheduled_plan": "scheduled_job.id",
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
        found = values(api.rows(explore, *own, sorts=[key], limit="-1"), key)
        assert len(found) == len(set(found)) > 0
    usage = api.rows("api_usage", "api_usage.created_date", "api_usage.endpoint",
                     "api_usage.total_usage", limit=-1)  # fmt: skip
    assert len(usage) == emulator.sql("SELECT count(*) FROM sa_api_usage")[0][0]
    content = api.rows("content_usage", "content_usage.content_id", "content_usage.content_type")
    assert len(content) == len(emulator.instance.looks) + len(emulator.instance.dashboards)
    fields = api.rows("field_usage", "field_usage.model", "field_usage.field")
    assert {"thelook", "storefront"} <= set(values(fields, "field_usage.model"))


def test_measures_and_rows_that_multiply(emulator, api):
    users = api.rows("user", "user.id", "history.most_recent_query_date", sorts=["user.id"])
    assert [list(row.values()) for row in users] == database(
        emulator,
        "SELECT u.id, CAST(CAST(max(h.created) AS DATE) AS VARCHAR) FROM sa_user AS u "
        "LEFT JOIN sa_history AS h ON h.user_id = u.id GROUP BY 1 ORDER BY 1",
    )
    plain = api.rows("event", "event.id", limit=-1)
    assert len(plain) == 2000
    assert len(api.rows("event", "event.id", "group.name", limit=-1)) > 2 * len(plain)


def test_times_are_in_the_zone_of_the_query_or_of_the_instance(api):
    def created(**query):
        rows = api.rows("history", "history.created_time", filters={"history.id": "40003"}, **query)
        (row,) = rows
        return datetime.fromisoformat(row["history.created_time"])

    utc = created()
    assert (utc - created(query_timezone=None)).total_seconds() == 7 * 3600
    assert (created(query_timezone="Asia/Tokyo") - utc).total_seconds() == 9 * 3600
    assert api.run("history", "history.id", query_timezone="Mars/Olympus").status_code == 422


def test_limits(api):
    with Emulator(activity_rows=6_000) as emulator:
        api = Api(emulator)
        assert len(api.rows("history", "history.id")) == 5_000
        assert len(api.rows("history", "history.id", limit="-1")) == 6_000
        assert len(api.rows("history", "history.id", limit=5_500)) == 5_500
        assert len(api.rows("history", "history.id", limit="7", params={"limit": "3"})) == 3
        assert api.run("history", "history.id", limit="some").status_code == 422
    with Emulator(row_cap=500, activity_missing_fields=("history.node_id", "node.id")) as emulator:
        api = Api(emulator)
        assert len(api.rows("history", "history.id", limit="50000")) == 500
        assert len(api.rows("history", "history.id", limit="-1")) == 500
        assert len(api.rows("history", "history.id", limit="20")) == 20
        refused = api.run("history", "history.id", "node.id", "history.node_id")
        assert refused.status_code == 422
        assert values(refused.json()["errors"], "field") == ["node.id", "history.node_id"]
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
        before = values(api.rows("history", "history.id", limit=-1), "history.id")
        activity.add_rows(20)
        after = values(api.rows("history", "history.id", limit=-1), "history.id")
        new = set(after) - set(before)
        assert len(new) == 20
        assert min(new) > max(before)
        activity.add_rows(5, late=True)
        late = set(values(api.rows("history", "history.id", limit=-1), "history.id")) - set(after)
        assert len(late) == 5
        assert max(late) < max(after)
        unfinished = {"history.completed_time": "NULL"}
        count = len(api.rows("history", "history.id", filters=unfinished))
        assert activity.finish_rows(1) == 1
        assert activity.finish_rows() == count - 1
        assert api.rows("history", "history.id", filters=unfinished) == []
        attributes = emulator.sql("SELECT count(DISTINCT id), count(*) FROM sa_event_attribute")
        assert attributes == [(640, 640)]


def test_rows_arrive_with_every_query():
    with Emulator(activity_rows=300, activity_arrivals=3) as emulator:
        api = Api(emulator)
        counts = [len(api.rows("history", "history.id", limit=-1)) for _ in range(3)]
        assert counts == [303, 306, 309]


def test_queries_at_once_are_counted():
    with Emulator() as emulator:
        api = Api(emulator)
        for _ in range(5):
            api.rows("history", "history.id")
        assert emulator.activity.max_in_flight == 1
        gate = threading.Barrier(4)

        def ask():
            with Api(emulator) as mine:
                gate.wait()
                mine.rows("history", *HISTORY, limit=-1)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert emulator.activity.max_in_flight > 1
        assert emulator.activity.in_flight == 0


def test_a_long_history_is_made_in_seconds_and_streams():
    with Emulator(activity_rows=100_000) as emulator:
        api = Api(emulator)
        api.rows("history", "history.id", limit=1)
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
            assert len(json.loads(text)) == 100_000
        assert emulator.activity.in_flight == 0
        # Somebody who leaves does not keep the query.
        with api.post(RUN, json=body, stream=True) as response:
            response.raw.read(100)
        deadline = time.monotonic() + 5
        while emulator.activity.in_flight and time.monotonic() < deadline:
            time.sleep(0.01)
        assert emulator.activity.in_flight == 0


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


# ------------------------------------------------------------------------------------------ faults


def test_an_error_after_some_rows(emulator, api):
    emulator.add_fault(Fault("looker_error", "/queries/run/*", after_rows=130, message="Too long"))
    rows = api.rows("history", "history.id")
    assert len(rows) == 131
    assert rows[-1] == {"looker_error": "Too long"}
    emulator.add_fault(Fault("looker_error", "/queries/run/*"))
    assert api.rows("history", "history.id") == [{"looker_error": "Query timed out."}]
    emulator.add_fault(Fault("looker_error", "/queries/run/*", after_rows=9000))
    assert len(api.rows("history", "history.id", limit=5)) == 6


@pytest.mark.parametrize("kind", ["reset_body", "truncate_length", "reset_before"])
def test_broken_downloads(emulator, api, kind):
    emulator.add_fault(Fault(kind, "/queries/run/*", method="POST"))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        api.run("history", "history.id")
    assert len(api.rows("history", "history.id")) == 2000


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


# ------------------------------------------------------------------------------------------- store


def test_looks_of_the_store_run(emulator, api):
    rows = api.get(f"/looks/{emulator.look_id('Every order')}/run/json").json()
    assert [list(row.values()) for row in rows] == [
        [*row[:3], float(row[3]), *row[4:]]
        for row in emulator.sql("""
            SELECT id, strftime((created AT TIME ZONE 'UTC') AT TIME ZONE 'America/Los_Angeles',
                '%Y-%m-%d %H:%M:%S'), status, total_sale_price, user_id,
                CASE WHEN is_gift THEN 'Yes' ELSE 'No' END, note
            FROM store_orders ORDER BY id""")
    ]
    grouped = api.get(f"/looks/{emulator.look_id('Orders by status')}/run/json").json()
    assert [(row["orders.status"], row["orders.count"]) for row in grouped] == emulator.sql(
        "SELECT status, count(*) FROM store_orders GROUP BY 1 ORDER BY 1"
    )
    for title in LOOKS:
        look = api.get(f"/looks/{emulator.look_id(title)}").json()
        assert look["query"] == api.get(f"/queries/{look['query_id']}").json()
        by_look = api.get(f"/looks/{look['id']}/run/json")
        assert by_look.text == api.get(f"/queries/{look['query_id']}/run/json").text
        assert ("no_such_column" in by_look.text) is (title == "A look that fails")
    assert api.get("/looks/4711/run/json").status_code == 404
    assert api.get("/queries/4711/run/json").status_code == 404


def test_every_lookml_type(emulator, api):
    types = {field.type for field in EXPLORES["orders"].fields.values()}
    assert types >= {
        *"string number yesno zipcode tier location distance duration_day duration_hour".split(),
        *"date_date date_time date_raw date_week date_month date_quarter date_year".split(),
        *"date_hour date_minute date_second date_millisecond date_microsecond".split(),
        *"date_time_of_day date_hour_of_day date_day_of_week date_day_of_week_index".split(),
        *"date_day_of_month date_day_of_year date_month_name date_month_num".split(),
        *"date_week_of_year date_quarter_of_year date_fiscal_quarter date_fiscal_year".split(),
        *"count count_distinct sum average min max list median percentile date time".split(),
    }
    row = api.get(f"/looks/{emulator.look_id('Orders of every type')}/run/json").json(
        parse_float=Decimal
    )[0]
    expected = {
        "orders.id": 1,
        "orders.is_gift": "No",
        "orders.ledger_amount": Decimal("234567890123456789.0123456789"),
        "orders.barcode": 2**53 + 1,
        "orders.size": "Small",
        # 2024-07-01 03:04:05.678901 UTC in Zurich
        "orders.created_raw": "2024-07-01 03:04:05",
        "orders.created_time": "2024-07-01 05:04:05",
        "orders.created_date": "2024-07-01",
        "orders.created_week": "2024-07-01",
        "orders.created_month": "2024-07",
        "orders.created_quarter": "2024-Q3",
        "orders.created_year": 2024,
        "orders.created_hour": "2024-07-01 05",
        "orders.created_minute": "2024-07-01 05:04",
        "orders.created_millisecond": "2024-07-01 05:04:05.678",
        "orders.created_microsecond": "2024-07-01 05:04:05.678901",
        "orders.created_time_of_day": "05:04",
        "orders.created_hour_of_day": 5,
        "orders.created_day_of_week": "Monday",
        "orders.created_day_of_week_index": 0,
        "orders.created_day_of_year": 183,
        "orders.created_month_name": "July",
        "orders.created_week_of_year": 27,
        "orders.created_quarter_of_year": "Q3",
        "orders.created_fiscal_quarter": "FY2024-Q2",
        "orders.created_fiscal_year": 2024,
        "orders.created_fiscal_month_num": 6,
        "orders.hours_to_deliver": 1,
    }
    assert {name: row[name] for name in expected} == expected
    assert isinstance(row["users.zip"], str)
    measures = api.get(f"/looks/{emulator.look_id('Measures of every type')}/run/json").json()[0]
    assert isinstance(measures["orders.sizes"], list)
    assert measures["orders.has_gifts"] == "Yes"
    assert len(measures["orders.latest_date"]) == 10
    assert len(measures["orders.latest_time"]) == 19


def test_metadata_of_the_store(api):
    explore = api.get("/lookml_models/thelook/explores/orders").json()
    fields = {
        field["name"]: field
        for kind in ("dimensions", "measures")
        for field in explore["fields"][kind]
    }
    assert [name for name, field in fields.items() if field["primary_key"]] == [
        "orders.id",
        "users.id",
        "products.id",
    ]
    created = fields["orders.created_time"]
    assert (created["type"], created["is_timeframe"]) == ("date_time", True)
    assert created["dimension_group"] == "orders.created"
    assert fields["orders.count"]["category"] == "measure"
    assert fields["orders.created_fiscal_year"]["is_fiscal"]
    assert fields["orders.size"]["enumerations"][0] == {"label": "Small", "value": "Small"}
    assert api.get("/lookml_models/thelook/explores/nothing").status_code == 404
    assert api.get("/lookml_models/storefront/explores/orders").status_code == 200


def test_filters_on_measures_and_joined_views(emulator, api):
    rows = api.store(
        "orders",
        "users.city",
        "orders.count",
        filters={"orders.count": ">200", "products.category": "herbs,indoor"},
        sorts=["users.city"],
    )
    assert [tuple(row.values()) for row in rows] == emulator.sql("""
        SELECT u.city, count(*) FROM store_orders AS o
        LEFT JOIN store_users AS u ON u.id = o.user_id
        LEFT JOIN store_products AS p ON p.id = o.product_id
        WHERE p.category IN ('herbs', 'indoor') GROUP BY 1 HAVING count(*) > 200 ORDER BY 1""")
    assert [list(row) for row in api.store("inventory", "inventory.total_stock")] == [
        ["inventory.total_stock"]
    ]
    # Without sorts: the latest first, the highest measure first, or the first dimension.
    dates = values(
        api.store("orders", "orders.status", "orders.created_date"), "orders.created_date"
    )
    assert dates == sorted(dates, reverse=True)
    counts = values(api.store("orders", "orders.status", "orders.count"), "orders.count")
    assert counts == sorted(counts, reverse=True)


def test_pivots(emulator, api):
    look = emulator.look_id("Orders by month and status")
    rows = api.get(f"/looks/{look}/run/json").json()
    expected = {}
    for month, status, count in emulator.sql("""
        SELECT strftime((created AT TIME ZONE 'UTC') AT TIME ZONE 'America/Los_Angeles', '%Y-%m'),
            status, count(*) FROM store_orders GROUP BY 1, 2"""):
        expected.setdefault(month, {})[status] = count
    assert values(rows, "orders.created_month") == sorted(expected, reverse=True)
    for row in rows:
        cells = row["orders.count"]
        wanted = expected[row["orders.created_month"]]
        assert cells.pop("$$$_row_total_$$$") == sum(wanted.values())
        assert {status: count for status, count in cells.items() if count is not None} == wanted
    narrow = api.store(
        "orders", "orders.status", "orders.created_year", "orders.count",
        pivots=["orders.status"], column_limit="2",
    )  # fmt: skip
    assert len(narrow[0]["orders.count"]) == 2
    with Emulator(pivots_by_field=True) as other:
        rows = Api(other).get(f"/looks/{look}/run/json").json()
        assert list(rows[0]["orders.count"]) == ["orders.status"]


def test_calculations_totals_and_subtotals(emulator, api):
    rows = api.get(f"/looks/{emulator.look_id('Share of each status')}/run/json").json()
    assert sum(values(rows, "share")) == pytest.approx(1)
    assert set(values(rows, "is_large")) == {"Yes", "No"}
    assert max(values(rows, "most_items")) == 4
    revenue = emulator.look_id("Revenue with subtotals")
    with Emulator(totals_in_rows=True) as other:
        rows = Api(other).get(f"/looks/{revenue}/run/json").json()
        flagged = [row for row in rows if "$$$__grouping__$$$" in row]
        groups = [["products.category"]] * 3 + [[]]
        assert [row["$$$__grouping__$$$"] for row in flagged] == groups
        assert flagged[-1]["products.category"] is None
        total = sum(row["orders.revenue"] for row in rows if row not in flagged)
        assert flagged[-1]["orders.revenue"] == pytest.approx(total)
    refused = api.run("orders", "orders.id", model="thelook", limit="-1", dynamic_fields=json.dumps(
        [{"table_calculation": "twice", "expression": "${orders.id} * 2"}]))  # fmt: skip
    assert refused.status_code == 400
    for wrong in (
        "{",
        '[{"dimension": "x", "expression": "nope()"}]',
        '[{"measure": "x"}]',
        "[{}]",
    ):
        assert (
            api.run("orders", "orders.id", model="thelook", dynamic_fields=wrong).status_code == 422
        )


def test_numbers_as_people_read_them_and_as_text(api):
    query = {"sorts": ["orders.id"], "limit": "3"}
    shown = api.store(
        "orders",
        "orders.total_sale_price",
        "orders.id",
        params={"apply_formatting": "true"},
        **query,
    )
    assert shown[1]["orders.total_sale_price"] == "$1,623.68"
    with Emulator(decimals_as_text=True) as emulator:
        row = Api(emulator).store("orders", "orders.id", "orders.barcode", sorts=["orders.id"])[0]
        assert row == {"orders.id": 1, "orders.barcode": "9007199254740993"}


def test_sql_instead_of_rows(emulator, api):
    runs = emulator.query_runs
    query = {"model": "thelook", "form": "sql"}
    sql = api.run("orders", "orders.count", **query)
    assert sql.headers["Content-Type"] == "application/sql"
    assert emulator.sql(sql.text) == [(1000,)]
    assert "no_such_column" in api.run("orders", "orders.broken", **query).text
    assert emulator.query_runs == runs
    saved = emulator.instance.queries[0]["id"]
    assert api.get(f"/queries/{saved}/run/sql").text.startswith("Error: ")
    for form in ("csv", "json_detail"):
        assert api.run("orders", "orders.count", model="thelook", form=form).status_code == 400


def test_all_rows_may_be_refused():
    with Emulator(download_without_limit=False) as emulator:
        refused = Api(emulator).run("orders", "orders.id", model="thelook", limit="-1")
        assert refused.status_code == 400
        assert "without a limit" in refused.json()["message"]


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


# ------------------------------------------------------------------------------------------- tasks


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


def test_a_task_for_a_query_that_fails(emulator, api):
    task = created(api, "A look that fails", emulator)
    assert api.get(f"/query_tasks/{task}").json()["status"] == "error"
    failed = api.get(f"/query_tasks/{task}/results")
    assert failed.status_code == 400
    assert "no_such_column" in failed.json()["message"]


# ----------------------------------------------------------------------------- the official client


class Settings(api_settings.ApiSettings):
    """What the official client would read from looker.ini."""

    def __init__(self, emulator):
        self.emulator = emulator
        super().__init__()

    def read_config(self):
        return {
            "base_url": self.emulator.url,
            "client_id": self.emulator.client_id,
            "client_secret": self.emulator.client_secret,
            "verify_ssl": "false",
        }


def test_the_official_client(emulator):
    sdk = init40(config_settings=Settings(emulator))
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


# --------------------------------------------------------------------------------------- resources


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


def test_it_is_always_the_same_moment_unless_it_is_said(emulator):
    assert emulator.activity.now == datetime(2026, 6, 30, 21, 15, tzinfo=timezone.utc)
    with Emulator(now=datetime(2027, 3, 1, tzinfo=timezone.utc)) as other:
        api = Api(other)
        dates = values(
            api.rows("history", "history.created_date", limit="1"), "history.created_date"
        )
        assert dates == ["2027-02-28"]
        rows = api.store("orders", "orders.created_date", limit="1")
        assert rows[0]["orders.created_date"].startswith("2027-03-01")
