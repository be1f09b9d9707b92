# ruff: noqa: S608 - statements of these tests
"""System Activity: queries that ran and the fields they use; explores that nobody describes."""

from __future__ import annotations

import json

import jsonschema
import pytest
from support import entries, run_cli, selecting, settings_of

from looker_emulator import Emulator, Fault
from tap_looker.queries.activities import ACTIVITIES, is_rest_id
from tap_looker.queries.activity_fields import DESCRIPTIONS, description
from tap_looker.queries.columns import column_name
from tap_looker.used_fields import names_in, used_fields

pytestmark = pytest.mark.usefixtures("_quick_retries")

QUERIES, FIELDS = "system_activity_queries", "system_activity_query_fields"
HISTORY, HOURLY = "system_activity_history", "system_activity_api_usage_hourly"
EVER = "2020-01-01"
RUN = "/queries/run/json"
METADATA = "/lookml_models/*/explores/*"
BOOKMARK = "history_most_recent_query_date"


def only(*names, **options):
    return selecting(*names, among=(), **options)


def bodies(emulator):
    return [json.loads(call.body) for call in emulator.calls if call.path == RUN]


def bookmark(run, stream=QUERIES):
    return run.states[-1]["bookmarks"][stream].get("replication_key_value")


@pytest.fixture(scope="module")
def busy():
    """A year in which every query of the instance ran; tests change nothing."""
    with Emulator(activity_rows=900) as emulator:
        yield emulator


@pytest.fixture
def both(busy, runner_of):
    busy.reset_calls()
    return runner_of(busy)(catalog=only(QUERIES, FIELDS), start_date=EVER).succeeded()


# -------------------------------------------------------------------------------- which queries ran


def test_each_query_that_ran_is_a_row(both, busy):
    expected = busy.sql("""
        SELECT q.id, q.slug, q.model, q.view, q."limit", strftime(max(h.created), '%Y-%m-%d')
        FROM sa_history AS h JOIN sa_query AS q ON q.id = h.query_id GROUP BY ALL ORDER BY q.id""")
    names = ("query_id", "query_slug", "query_model", "query_view", "query_limit", BOOKMARK)
    found = [tuple(record[name] for name in names) for record in both.records[QUERIES]]
    assert found == expected
    assert len(found) > 50


def test_its_slug_is_the_id_in_the_rest_api(both, busy):
    slugs = {query["id"] for query in busy.instance.queries}
    assert {record["query_slug"] for record in both.records[QUERIES]} <= slugs


def test_each_use_of_a_field_is_a_row(both, busy):
    ran = {record["query_slug"]: record["query_id"] for record in both.records[QUERIES]}
    expected = {
        (ran[query["slug"]], place, field)
        for query in busy.instance.queries
        if query["slug"] in ran
        for place, field in uses(query)
    }
    records = both.records[FIELDS]
    found = [(record["query_id"], record["place"], record["field"]) for record in records]
    assert set(found) == expected
    assert len(found) == len(set(found)) > 200
    assert {place for _, place, _ in found} == {
        "field", "pivot", "fill", "filter", "sort", "calculation", "custom_field",
    }  # fmt: skip
    assert {record["query_slug"] for record in records} <= set(ran)
    custom = {record["field"] for record in records if record["is_custom"]}
    assert custom
    assert not [name for name in custom if "." in name]


def uses(query):
    """The same as the tap finds, from the REST API's own query."""
    yield from (("field", name) for name in query["fields"] or [])
    yield from (("pivot", name) for name in query["pivots"] or [])
    yield from (("fill", name) for name in query["fill_fields"] or [])
    yield from (("filter", name) for name in query["filters"] or {})
    yield from (("sort", name.split(" ")[0]) for name in query["sorts"] or [])
    yield from (("filter", name) for name in references(query["filter_expression"]))
    for one in json.loads(query["dynamic_fields"] or "[]"):
        place = "calculation" if "table_calculation" in one else "custom_field"
        names = [one.get("based_on"), *references(one.get("expression")), *one.get("filters", ())]
        names += [*references(one.get("filter_expression")), *one.get("args", ())[:1]]
        yield from ((place, name) for name in names if name)


def references(expression):
    return [part.split("}")[0].split(":")[0] for part in (expression or "").split("${")[1:]]


def test_both_streams_cost_one_query(both, busy):
    assert len(bodies(busy)) == 1
    assert "1 query call," in both.stderr
    (query,) = bodies(busy)
    assert query["filters"]["query.id"] == "NOT NULL"
    assert query["sorts"] == ["query.id"]


@pytest.mark.parametrize("stream", [QUERIES, FIELDS])
def test_either_stream_alone_costs_the_same(busy, runner_of, both, stream):
    busy.reset_calls()
    run = runner_of(busy)(catalog=only(stream), start_date=EVER).succeeded()
    assert len(bodies(busy)) == 1
    assert run.records == {stream: both.records[stream]}
    assert run.schemas.keys() == {stream}


def test_fields_alone_ask_for_what_they_are_made_of(busy, runner_of):
    busy.reset_calls()
    runner_of(busy)(catalog=only(FIELDS), start_date=EVER).succeeded()
    (query,) = bodies(busy)
    assert not {"query.hash", "query.limit", "query.created_time"} & set(query["fields"])
    assert {"query.fields", "query.filters", "query.dynamic_fields"} <= set(query["fields"])


def test_the_next_run_reads_the_queries_of_the_last_days_whatever_their_ids(runner_of):
    with Emulator(activity_rows=2_000) as emulator:
        runner = runner_of(emulator)
        first = runner(catalog=only(QUERIES, FIELDS), start_date=EVER).succeeded()
        last = emulator.sql("SELECT strftime(max(created), '%Y-%m-%d') FROM sa_history")[0][0]
        assert bookmark(first) == bookmark(first, FIELDS) == last
        assert [bookmark_of(state) for state in first.states].count(None) >= 1
        again = runner(
            catalog=only(QUERIES, FIELDS), state=first.states[-1], start_date=EVER
        ).succeeded()
        expected = emulator.sql(f"""
            SELECT DISTINCT query_id FROM sa_history
            WHERE query_id IS NOT NULL AND created >= DATE '{last}' - INTERVAL 2 DAY ORDER BY 1""")
        found = [(record["query_id"],) for record in again.records[QUERIES]]
        assert found == expected
        assert 0 < len(found) < len(first.records[QUERIES])
        old = first.records[QUERIES][len(first.records[QUERIES]) // 2]["query_id"]
        assert any(one < old for (one,) in found), "old queries that ran again"
        assert {r["query_id"] for r in again.records[FIELDS]} <= {one for (one,) in found}
        assert bookmark(again) == last


def bookmark_of(state, stream=QUERIES):
    return state.get("bookmarks", {}).get(stream, {}).get("replication_key_value")


def test_a_stream_that_is_added_later_gets_all_that_there_is(runner_of):
    with Emulator(activity_rows=900) as emulator:
        runner = runner_of(emulator)
        state = runner(catalog=only(QUERIES), start_date=EVER).succeeded().states[-1]
        whole = runner(catalog=only(FIELDS), start_date=EVER).succeeded().records[FIELDS]
        run = runner(catalog=only(QUERIES, FIELDS), state=state, start_date=EVER).succeeded()
        assert run.records[FIELDS] == whole


def test_a_run_that_breaks_off_does_not_move_the_bookmark(runner_of):
    """The rows come by id, and the bookmark is a day."""
    with Emulator(activity_rows=900) as emulator:
        runner = runner_of(emulator)
        emulator.add_fault(Fault("looker_error", RUN, times=None, after_rows=40))
        run = runner(catalog=only(QUERIES, FIELDS), start_date=EVER)
        assert run.exit_code == 1
        assert len(run.records[QUERIES]) >= 40
        for state in run.states:
            assert bookmark_of(state) is bookmark_of(state, FIELDS) is None


def test_pages_that_are_cut_lose_nothing(runner_of, both, busy):
    run = runner_of(busy)(
        catalog=only(QUERIES, FIELDS), start_date=EVER, activity_page_size=7
    ).succeeded()
    assert run.records == both.records


def test_a_full_table_reads_what_looker_has(runner_of, busy, both):
    catalog = only(QUERIES)
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if entry["tap_stream_id"] == QUERIES and not item["breadcrumb"]:
                item["metadata"]["forced-replication-method"] = "FULL_TABLE"
    run = runner_of(busy)(catalog=catalog, start_date="2026-06-29").succeeded()
    assert run.records[QUERIES] == both.records[QUERIES]


@pytest.mark.parametrize("status", [None, 422])
def test_an_instance_without_some_of_the_fields(runner_of, both, status):
    missing = ("query.fields", "query.pivots", "query.fill_fields", BOOKMARK.replace("_", ".", 1))
    with Emulator(activity_rows=900, activity_missing_fields=missing) as emulator:
        if status:
            emulator.add_fault(Fault("status", RUN, times=1, status=status, json={"message": "No"}))
        run = runner_of(emulator)(catalog=only(QUERIES, FIELDS), start_date=EVER).succeeded()
        places = {
            (record["query_id"], record["place"], record["field"])
            for record in both.records[FIELDS]
            if record["place"] != "fill"
        }
        found = {(r["query_id"], r["place"], r["field"]) for r in run.records[FIELDS]}
        assert found == places, "formatted fields and pivots hold the same"
        assert len(run.warnings) == 2
        assert all("query.fill_fields" in line for line in run.warnings)
        assert bookmark(run) is None
        assert len(bodies(emulator)) == (2 if status else 1)


# -------------------------------------------------------------------------------- what a query uses

PLACES = [
    ({"fields": '["a.b","c.d"]'}, [("field", "a.b"), ("field", "c.d")]),
    ({"fields": '["a.b", "c.d"]'}, [("field", "a.b"), ("field", "c.d")]),
    ({"fields": "a.b,c.d"}, [("field", "a.b"), ("field", "c.d")]),
    ({"fields": "a.b, c.d"}, [("field", "a.b"), ("field", "c.d")]),
    ({"fields": "a.b\nc.d"}, [("field", "a.b"), ("field", "c.d")]),
    ({"fields": "['a.b', 'c.d']"}, [("field", "a.b"), ("field", "c.d")]),
    ({"fields": ["a.b", "a.b"]}, [("field", "a.b")]),
    ({"fields": "[]", "pivots": "", "sorts": None, "filters": "null"}, []),
    ({"fields": '["a.b"'}, [("field", "a.b")]),
    ({"sorts": '["a.b desc 0","c.d"]'}, [("sort", "a.b"), ("sort", "c.d")]),
    ({"filters": '{"a.b":"7 days","c.d":null}'}, [("filter", "a.b"), ("filter", "c.d")]),
    ({"filters": "not JSON"}, []),
    ({"filter_expression": "${a.b} > 1 AND is_null(${ c.d })"},
     [("filter", "a.b"), ("filter", "c.d")]),
    ({"dynamic_fields": '[{"table_calculation":"x","expression":"${a.b:total} / ${y}"}]'},
     [("calculation", "a.b")]),
    ({"dynamic_fields": [{"measure": "m", "based_on": "a.b", "filters": {"c.d": "1"},
                          "filter_expression": "${e.f} = 2"}]},
     [("custom_field", "a.b"), ("custom_field", "e.f"), ("custom_field", "c.d")]),
    ({"dynamic_fields": '[{"dimension":"d","calculation_type":"group_by","args":["a.b",[]]}]'},
     [("custom_field", "a.b")]),
    ({"dynamic_fields": '[{"dimension":"d","expression":"concat(${a.b}, ${c.d})"}, 5, null]'},
     [("custom_field", "a.b"), ("custom_field", "c.d")]),
    ({"dynamic_fields": '[{"measure":"m","based_on":"a.b"},'
                        '{"table_calculation":"t","expression":"${m} + ${n}"}]'},
     [("custom_field", "a.b"), ("calculation", "m")]),
    ({"dynamic_fields": "[" * 100_000, "fields": 5, "pivots": {"a": 1}}, []),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), PLACES)
def test_the_fields_that_a_query_uses(query, expected):
    assert used_fields(query) == expected


def test_names_are_taken_from_lists_of_any_kind():
    assert names_in([" a.b ", None, 5, ""]) == ["a.b"]
    assert names_in("a.b") == ["a.b"]
    assert names_in('"a.b"') == ["a.b"]


# ------------------------------------------------------------------- explores that nobody describes


def test_columns_are_those_that_the_instance_has(runner_of, busy):
    busy.reset_calls()
    run = runner_of(busy)(catalog=only(HOURLY), start_date=EVER).succeeded()
    assert busy.count(METADATA) == 1
    schema, records = run.schemas[HOURLY], run.records[HOURLY]
    assert schema["key_properties"] == ["row_key"]
    assert schema["bookmark_properties"] == ["row_time"]
    own = set(schema["schema"]["properties"]) - {"row_key", "row_time"}
    assert own == {
        "api_usage_hourly_client_name",
        "api_usage_hourly_status_code",
        "api_usage_hourly_created_hour",
        "api_usage_hourly_total_usage",
        "api_usage_hourly_average_latency",
        "api_usage_endpoint_id",
        "api_usage_endpoint_verb",
        "api_usage_endpoint_path",
    }, "of each time the finest, and no measure that is none of numbers"
    validator = jsonschema.Draft202012Validator(
        schema["schema"], format_checker=jsonschema.FormatChecker()
    )
    for record in records:
        validator.validate(record)
        assert record.keys() == schema["schema"]["properties"].keys()
        hour = record["api_usage_hourly_created_hour"].replace(" ", "T")
        assert record["row_time"] == f"{hour}:00:00Z"
    assert len({record["row_key"] for record in records}) == len(records)
    expected = busy.sql("SELECT count(*), CAST(sum(usage) AS BIGINT) FROM sa_api_usage_hourly")
    assert [(len(records), sum(r["api_usage_hourly_total_usage"] for r in records))] == expected
    assert "api_usage_hourly_total_usage" not in entries()[HOURLY]["schema"]["properties"]


@pytest.mark.parametrize("page_size", [20, 50_000])
def test_they_go_on_from_the_last_hours_and_keep_their_keys(runner_of, page_size):
    with Emulator(activity_rows=2_000) as emulator:
        runner, settings = runner_of(emulator), {"activity_page_size": page_size}
        first = runner(catalog=only(HOURLY), start_date=EVER, **settings).succeeded()
        emulator.reset_calls()
        again = runner(
            catalog=only(HOURLY), state=first.states[-1], start_date=EVER, **settings
        ).succeeded()
        assert emulator.count(METADATA) == 1
        keys = [record["row_key"] for record in first.records[HOURLY]]
        assert len(set(keys)) == len(keys) == 300
        expected = emulator.sql("""
            SELECT count(*) FROM sa_api_usage_hourly WHERE created >=
                (SELECT max(date_trunc('hour', created)) - INTERVAL 2 DAY FROM sa_api_usage_hourly)
            """)[0][0]
        assert keys[-expected:] == [record["row_key"] for record in again.records[HOURLY]]
        assert 0 < expected < 300


def test_windows_do_not_divide_the_sum_of_an_hour(runner_of):
    """Rows are sums of an hour: a bound in the middle of one leaves it whole to one window."""
    with Emulator(activity_rows=900) as emulator:
        emulator.sql("""
            INSERT INTO sa_api_usage_hourly
            SELECT * REPLACE (date_trunc('hour', created) + INTERVAL 50 MINUTE AS created)
            FROM sa_api_usage_hourly""")
        runner = runner_of(emulator)
        whole = runner(catalog=only(HOURLY), start_date=EVER).succeeded().records[HOURLY]
        middle = whole[len(whole) // 2]["row_time"].replace(":00:00", ":30:00")
        parts = []
        for start, end in ((EVER, middle), (middle, "2030-01-01")):
            run = runner(catalog=only(HOURLY), start_date=start, end_date=end).succeeded()
            parts += run.records[HOURLY]
        assert parts == whole
        assert whole[0]["row_time"] < middle < whole[-1]["row_time"]


def test_what_is_deselected_is_not_written_and_the_key_stays(runner_of, busy):
    catalog = only(HOURLY)
    for entry in catalog["streams"]:
        if entry["tap_stream_id"] == HOURLY:
            crumb = ["properties", "api_usage_endpoint_path"]
            entry["metadata"].append({"breadcrumb": crumb, "metadata": {"selected": False}})
    runner = runner_of(busy)
    less = runner(catalog=catalog, start_date=EVER).succeeded()
    whole = runner(catalog=only(HOURLY), start_date=EVER).succeeded()
    for record in whole.records[HOURLY]:
        del record["api_usage_endpoint_path"]
    assert less.records[HOURLY] == whole.records[HOURLY]
    assert "api_usage_endpoint_path" not in less.schemas[HOURLY]["schema"]["properties"]


def test_a_primary_key_is_what_the_row_key_is_made_of(runner_of, busy):
    stream = "system_activity_concurrency"
    run = runner_of(busy)(catalog=only(stream), start_date=EVER).succeeded()
    busy_ones = busy.sql("SELECT count(*) FROM sa_concurrency")[0][0]
    assert len(run.records[stream]) == busy_ones
    assert all(record["db_connection_user_id"] == "1" for record in run.records[stream])
    times = [record["row_time"] for record in run.records[stream]]
    assert times == sorted(record["concurrency_started_time"] for record in run.records[stream])


def test_an_instance_that_lacks_the_explore_says_which_release_it_is(runner_of):
    with Emulator(activity_rows=200) as emulator:
        path = "/lookml_models/system__activity/explores/api_usage_hourly"
        emulator.add_fault(Fault("denied", path, times=None, status=404, message="Not found"))
        runner = runner_of(emulator)
        run = runner(catalog=only(HOURLY, HISTORY), start_date=EVER)
        assert run.exit_code == 1
        (error,) = [line for line in run.errors if line.startswith(f"Failed {HOURLY}")]
        assert "release" in error
        assert HOURLY not in run.schemas
        assert run.records[HISTORY]
        skipped = runner(catalog=only(HOURLY, HISTORY), start_date=EVER, on_denied="skip")
        assert skipped.exit_code == 0


def test_the_old_usage_says_where_its_rows_are_now(runner_of):
    with Emulator(activity_rows=200) as emulator:
        emulator.sql("DELETE FROM sa_api_usage")
        run = runner_of(emulator)(
            catalog=only("system_activity_api_usage"), start_date=EVER
        ).succeeded()
        (warning,) = run.warnings
        assert HOURLY in warning


# --------------------------------------------------------------------- what joins, and what it says


def test_ids_of_the_rest_api_are_text():
    for activity in ACTIVITIES:
        bookmark_field = activity.replication
        for field, kind in activity.kinds.items():
            if kind in ("id", "integer", "number"):
                assert (kind == "id") == (is_rest_id(field) and field != bookmark_field), field


def test_history_joins_users_looks_and_dashboards_as_they_are(runner_of, busy):
    run = runner_of(busy)(
        catalog=only(HISTORY, "users", "looks", "dashboards"), start_date=EVER
    ).succeeded()
    for name, stream in (
        ("user_id", "users"),
        ("look_id", "looks"),
        ("history_dashboard_id", "dashboards"),
    ):
        known = {record["id"] for record in run.records[stream]}
        found = {record[name] for record in run.records[HISTORY]} - {None}
        assert found - {"storefront::overview_1"} <= known
        assert len(found) > 3


def test_schemas_say_units_and_what_joins():
    found = {name: entry["schema"]["properties"] for name, entry in entries().items()}
    metrics = found["system_activity_query_metrics"]
    for name, of in metrics.items():
        if name.startswith("query_metrics_") and "number" in of["type"]:
            assert of["description"].endswith("in seconds."), name
    assert "no id of the REST API" in found[HISTORY]["query_id"]["description"]
    assert "queries" in found[HISTORY]["query_slug"]["description"]
    assert found[HISTORY]["user_id"]["description"] == "Joins with users.id."


def test_descriptions_are_of_fields_that_are_read():
    read = {field for activity in ACTIVITIES for field in activity.kinds}
    assert set(DESCRIPTIONS) <= read
    targets = entries().keys()
    for field in read:
        said = description(field)
        if field not in DESCRIPTIONS and said.startswith("Joins with "):
            assert said.removeprefix("Joins with ").removesuffix(".id.") in targets, field


def test_two_fields_never_share_a_column():
    for activity in ACTIVITIES:
        columns = [column_name(field) for field in activity.kinds]
        assert len(set(columns)) == len(columns), activity.name


# ---------------------------------------------------------------------------------- every dimension


PEOPLE = {"explore": "user", "name": "people", "primary_keys": ["user.id"], "fields": ["*"]}


def sync(emulator, folder, *options, catalog=None, **settings):
    """A run without a catalog reads what is selected by default, and what the settings add."""
    arguments = []
    files = {"config": settings_of(emulator, start_date=EVER, **settings), "catalog": catalog}
    for name, content in files.items():
        if content is not None:
            path = folder / f"{name}.json"
            path.write_text(json.dumps(content), encoding="utf-8")
            arguments += [f"--{name}", str(path)]
    return run_cli(*arguments, *options).succeeded()


def test_a_setting_asks_for_every_dimension(tmp_path):
    own = [PEOPLE, {"explore": "history", "fields": ["history.id", "*"]}]
    with Emulator(activity_rows=300) as emulator:
        run = sync(emulator, tmp_path, system_activity=own)
        people = run.schemas["people"]["schema"]["properties"]
        assert {"user_name", "user_facts_is_admin", "user_created_time"} <= set(people)
        assert not {"user_created_date", "user_count"} & set(people)
        repeating = ("role", "group", "permission", "model_", "history")
        assert not [one for one in people if one.startswith(repeating)]
        assert sorted(record["user_id"] for record in run.records["people"]) == sorted(
            user["id"] for user in emulator.instance.users
        )
        history = run.records[HISTORY]
        assert len({record["history_id"] for record in history}) == len(history) == 300
        assert {"query_fields", "user_email", "look_title"} <= set(history[0])


def test_every_dimension_with_a_catalog_is_what_the_catalog_has(tmp_path):
    with Emulator(activity_rows=200) as emulator:
        without = sync(emulator, tmp_path, system_activity=[PEOPLE])
        found = json.loads(sync(emulator, tmp_path, "--discover", system_activity=[PEOPLE]).stdout)
        (entry,) = [one for one in found["streams"] if one["tap_stream_id"] == "people"]
        entry["metadata"][0]["metadata"]["selected"] = True
        del entry["schema"]["properties"]["user_timezone"]
        run = sync(emulator, tmp_path, catalog={"streams": [entry]}, system_activity=[PEOPLE])
        expected = [
            {name: value for name, value in record.items() if name != "user_timezone"}
            for record in without.records["people"]
        ]
        assert run.records == {"people": expected}
        assert type(expected[0]["user_id"]) is str


def test_a_full_table_of_a_joined_view_has_no_row_without_its_key(runner_of):
    """A schedule that has never run is a row of the explore, and none of its jobs."""
    stream = "system_activity_scheduled_jobs"
    catalog = only(stream)
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if entry["tap_stream_id"] == stream and not item["breadcrumb"]:
                item["metadata"]["forced-replication-method"] = "FULL_TABLE"
    with Emulator(activity_rows=600) as emulator:
        run = runner_of(emulator)(catalog=catalog, activity_page_size=25).succeeded()
        found = [record["scheduled_job_id"] for record in run.records[stream]]
        assert [(one,) for one in found] == emulator.sql(
            "SELECT id FROM sa_scheduled_job ORDER BY id"
        )
        idle = emulator.sql(
            "SELECT count(*) FROM sa_scheduled_plan ANTI JOIN sa_scheduled_job "
            "ON sa_scheduled_job.scheduled_plan_id = sa_scheduled_plan.id"
        )
        assert idle[0][0] > 0
