# ruff: noqa: S608, SIM905 - statements of these tests; a list of words reads best as words
"""System Activity: every row of it, in order, once, and again only where it may have changed."""

from __future__ import annotations

import itertools
import json
import random
import threading
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest
from support import DEADLINE, Runner, entries, finished, run_cli, selecting, settings_of

from looker_emulator import Emulator, Fault
from tap_looker.queries.activities import ACTIVITIES
from tap_looker.queries.columns import column_name

pytestmark = pytest.mark.usefixtures("_quick_retries")

HISTORY, EVENTS = "system_activity_history", "system_activity_events"
EVER = "2020-01-01"
RUN = "/queries/run/json"
METADATA = "/lookml_models/*/explores/*"
FEW = {HISTORY: {"history_status"}, EVENTS: {"event_name"}}
ALL = tuple(activity.name for activity in ACTIVITIES)
DISCOVERED = [activity for activity in ACTIVITIES if activity.is_discovered]
BY_ID = {
    HISTORY: "sa_history",
    EVENTS: "sa_event",
    "system_activity_event_attributes": "sa_event_attribute",
    "system_activity_scheduled_jobs": "sa_scheduled_job",
    "system_activity_scheduled_job_stages": "sa_scheduled_job_stage",
    "system_activity_pdt_event_log": "sa_pdt_event_log",
    "system_activity_query_metrics": "sa_query_metrics",
}


def one(*names, **options):
    """A catalog in which these streams alone are selected, and nothing else is."""
    few = {name: FEW[name] for name in names if name in FEW}
    return selecting(*names, only={**few, **options.pop("only", {})}, among=(), **options)


def ids_in(emulator, table="sa_history", where="true"):
    return [row[0] for row in emulator.sql(f"SELECT id FROM {table} WHERE {where} ORDER BY id")]


def bookmark(state, stream=HISTORY):
    return state.get("bookmarks", {}).get(stream, {}).get("replication_key_value")


def queries(emulator):
    """The bodies of the queries that were run."""
    return [json.loads(call.body) for call in emulator.calls if call.path == RUN]


def state_of(stream, key, value):
    return {"bookmarks": {stream: {"replication_key": key, "replication_key_value": value}}}


def assert_state_is_never_ahead(messages, there, stream=HISTORY, key="history_id"):
    """Whatever has a key up to the bookmark was written before the STATE; the keys written."""
    written, states = set(), []
    missing = sorted(there, reverse=True)
    for message in messages:
        if message["type"] == "RECORD" and message["stream"] == stream:
            written.add(message["record"][key])
        elif message["type"] == "STATE" and bookmark(message["value"], stream) is not None:
            value = bookmark(message["value"], stream)
            assert value in written or value in states
            while missing and missing[-1] <= value:
                assert missing.pop() in written
            states.append(value)
    assert states == sorted(states)
    return written


# --------------------------------------------------------------------------------- 120,000 queries


@pytest.fixture(scope="module")
def big():
    """Tests add rows to it, and change nothing else."""
    with Emulator(activity_rows=120_000) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def first(big, tmp_path_factory):
    """Its first run, and the ids that were there."""
    runner = Runner(big, tmp_path_factory.mktemp("first"))
    there = ids_in(big)
    return runner(catalog=one(HISTORY), start_date=EVER).succeeded(), there


def test_the_first_run_emits_each_id_once_and_in_order(first):
    run, there = first
    assert len(there) == 120_000
    assert [record["history_id"] for record in run.records[HISTORY]] == there
    assert bookmark(run.states[-1]) == there[-1]
    assert len(run.states) > 5, "a run that is killed has not read in vain"
    assert assert_state_is_never_ahead(run.messages, there) == set(there)


@pytest.mark.parametrize("lookback", [0, 1, 700, None])
def test_the_next_run_emits_what_is_new_and_what_it_looks_back_at(first, big, runner_of, lookback):
    run, there = first
    known = bookmark(run.states[-1])
    big.activity.add_rows(321)
    settings = {} if lookback is None else {"activity_lookback": lookback}
    second = runner_of(big)(
        catalog=one(HISTORY), state=run.states[-1], start_date=EVER, **settings
    ).succeeded()
    back = known - (5_000 if lookback is None else lookback)
    expected = ids_in(big, where=f"id >= {back}")
    assert [record["history_id"] for record in second.records[HISTORY]] == expected
    assert len(expected) < 8_000
    assert all(bookmark(state) >= known for state in second.states)
    assert bookmark(second.states[-1]) == expected[-1]
    assert len(set(there) | set(expected)) == len(ids_in(big))


@pytest.mark.slow
def test_runs_that_are_killed_at_any_moment_lose_nothing(big, runner_of):
    """Twenty times, each resumed from the last whole STATE that was written."""
    dice = random.Random(20)  # noqa: S311
    runner = runner_of(big)
    there, written, state, killed = set(ids_in(big)), set(), None, 0
    while True:
        process = runner.start(
            catalog=one(HISTORY),
            state=state,
            start_date=EVER,
            activity_page_size=4_000,
            activity_lookback=dice.choice([0, 500]),
        )
        begin, wanted = b"", dice.randrange(1, 2_200_000) if killed < 20 else 1 << 30
        while more := process.stdout.read(min(wanted - len(begin), 1 << 16)):
            begin += more
        if len(begin) == wanted:
            process.kill()
        run = finished(process, begin)
        # What a target would have got: whole lines, and perhaps a part of one.
        for line in run.stdout.splitlines(keepends=True):
            if not line.endswith("\n"):
                break
            message = json.loads(line)
            if message["type"] == "RECORD":
                written.add(message["record"]["history_id"])
            elif message["type"] == "STATE" and bookmark(message["value"]) is not None:
                assert bookmark(message["value"]) >= (bookmark(state or {}) or 0)
                state = message["value"]
                assert not {one for one in there - written if one <= bookmark(state)}
        if run.exit_code == 0:
            break
        killed += 1
    assert killed == 20
    assert written >= there
    assert bookmark(state) == max(there)


def test_ten_runs_while_rows_keep_arriving_miss_none(runner_of):
    with Emulator(activity_rows=3_000, activity_arrivals=17) as emulator:
        runner, state, written = runner_of(emulator), None, {HISTORY: set(), EVENTS: set()}
        stop = threading.Event()

        def use():
            number = 0
            while not stop.wait(0.05):
                number += 1
                emulator.activity.add_rows(3, late=number % 3 == 0)

        user = threading.Thread(target=use)
        user.start()
        try:
            for number in range(10):
                run = runner(
                    catalog=one(HISTORY, EVENTS),
                    state=state,
                    start_date=EVER,
                    activity_page_size=(700, 50_000)[number % 2],
                    activity_lookback=400,
                ).succeeded()
                state = run.states[-1]
                written[HISTORY] |= set(run.ids(HISTORY))
                written[EVENTS] |= set(run.ids(EVENTS))
        finally:
            stop.set()
            user.join()
        last = runner(
            catalog=one(HISTORY, EVENTS), state=state, start_date=EVER, activity_lookback=400
        ).succeeded()
        for stream, table in ((HISTORY, "sa_history"), (EVENTS, "sa_event")):
            known = set(ids_in(emulator, table, f"id <= {bookmark(last.states[-1], stream)}"))
            assert len(known) > 3_200
            assert known == written[stream] | set(last.ids(stream))
            # What came while nobody looked is the only news.
            missed = known - written[stream]
            assert all(one > bookmark(state, stream) - 400 for one in missed)


# ------------------------------------------------------------------------------ rows that change


def test_rows_that_finish_later_come_again(runner_of):
    with Emulator(activity_rows=2_000) as emulator:
        runner = runner_of(emulator)
        selection = one(only={HISTORY: {"history_status", "history_completed_time"}})
        run = runner(catalog=selection, start_date=EVER).succeeded()
        unfinished = [
            record["history_id"]
            for record in run.records[HISTORY]
            if record["history_completed_time"] is None
        ]
        assert unfinished
        emulator.activity.finish_rows()
        again = runner(
            catalog=selection, state=run.states[-1], start_date=EVER, activity_lookback=60
        ).succeeded()
        finished_now = {record["history_id"]: record for record in again.records[HISTORY]}
        assert set(unfinished) <= set(finished_now)
        assert len(finished_now) <= 61
        assert all(record["history_completed_time"] for record in finished_now.values())
        assert {finished_now[one]["history_status"] for one in unfinished} == {"complete"}
        assert {bookmark(state) for state in again.states} == {bookmark(run.states[-1])}


def test_a_run_that_fails_while_it_looks_back_does_not_lower_the_bookmark(runner_of):
    with Emulator(activity_rows=2_000) as emulator:
        known = max(ids_in(emulator))
        state = state_of(HISTORY, "history_id", known)
        emulator.add_fault(Fault("looker_error", RUN, times=None, after_rows=700))
        run = runner_of(emulator)(catalog=one(HISTORY), state=state, start_date=EVER)
        assert run.exit_code == 1
        assert len(run.records[HISTORY]) >= 700
        assert all(bookmark(value) == known for value in run.states)


def test_a_bookmark_beyond_everything_is_dropped(runner_of):
    """The instance may have been restored from a backup: its ids begin again."""
    with Emulator(activity_rows=300) as emulator:
        state = state_of(HISTORY, "history_id", 10**9)
        run = runner_of(emulator)(catalog=one(HISTORY), state=state, start_date=EVER).succeeded()
        assert [record["history_id"] for record in run.records[HISTORY]] == ids_in(emulator)
        assert bookmark(run.states[-1]) == ids_in(emulator)[-1]


# ------------------------------------------------------------------------------------------- pages


@pytest.mark.parametrize(
    ("count", "cap", "page_size", "runs"),
    [
        (1_700, 500, 50_000, 4),
        (1_500, 500, 50_000, 4),
        (1_499, 500, 50_000, 3),
        (499, 500, 50_000, 1),
        (12_000, 5_000, 50_000, 4),
        (10_300, 5_000, 50_000, 3),
        (300, None, 50_000, 1),
        (500, None, 50_000, 2),
        (300, None, 100, 4),
        (299, None, 100, 3),
        (7, None, 2, 4),
    ],
)
def test_nothing_is_lost_where_pages_are_cut(runner_of, count, cap, page_size, runs):
    with Emulator(0.2, activity_rows=count, row_cap=cap) as emulator:
        run = runner_of(emulator)(
            catalog=one(HISTORY), start_date=EVER, activity_page_size=page_size
        ).succeeded()
        assert run.ids(HISTORY) == ids_in(emulator)
        assert len(run.ids(HISTORY)) == count
        assert len(queries(emulator)) == runs
        assert f"{runs} query call" in run.stderr
        assert {query["limit"] for query in queries(emulator)} == {str(page_size)}


def test_queries_bypass_the_cache_and_run_one_at_a_time(runner_of):
    with Emulator(activity_rows=1_200, latency_ms=5) as emulator:
        run = runner_of(emulator)(
            catalog=selecting(*ALL), start_date=EVER, activity_page_size=400, concurrency=8
        ).succeeded()
        assert set(run.records) == set(ALL)
        assert emulator.activity.max_in_flight == 1
        calls = [call for call in emulator.calls if call.path == RUN]
        for call in calls:
            assert call.query["cache"] == "false"
            assert call.query["apply_formatting"] == "false"
            query = json.loads(call.body)
            assert query["model"] == "system__activity"
            assert query["limit"] == "400"
            assert query["query_timezone"] == "UTC"
            assert query["sorts"]
            assert set(query["sorts"]) <= set(query["fields"])
            assert "offset" not in call.body
            assert "offset" not in call.query
            views = {field.partition(".")[0] for field in query["fields"]}
            many = [view for view in views if view.startswith(("role", "group", "permission"))]
            assert not many or query["view"] in ("role", "group")
        # Where fields are not published; else where a text in the key takes more than one page.
        asked = [
            call.path.rpartition("/")[2] for call in emulator.calls if "/explores/" in call.path
        ]
        assert sorted(asked) == sorted(["api_usage", *(one.explore for one in DISCOVERED)])
        sorts = [query["sorts"] for query in queries(emulator)]
        for activity in ACTIVITIES:
            if activity.name in BY_ID:
                assert [activity.replication] in sorts


def test_no_activity_unless_it_is_asked_for(run):
    assert not {name for name in ALL if is_selected(entries()[name])}
    assert not [name for name in run().succeeded().schemas if name.startswith("system_activity")]


def is_selected(entry):
    root = next(one["metadata"] for one in entry["metadata"] if not one["breadcrumb"])
    return root.get("selected", root.get("selected-by-default", False))


@pytest.mark.parametrize("stream", BY_ID)
def test_every_stream_with_ids_is_read_along_them(runner_of, stream):
    with Emulator(activity_rows=1_300, row_cap=500) as emulator:
        table = BY_ID[stream]
        run = runner_of(emulator)(catalog=one(stream), start_date=EVER).succeeded()
        expected = ids_in(emulator, table)
        assert run.ids(stream) == expected
        assert all(type(one) is int for one in run.ids(stream))
        known = bookmark(run.states[-1], stream)
        assert (type(known), known) == (int, expected[-1])
        again = runner_of(emulator)(
            catalog=one(stream), state=run.states[-1], start_date=EVER, activity_lookback=3
        ).succeeded()
        assert again.ids(stream) == ids_in(emulator, table, f"id >= {known - 3}")


BY_TIME = {
    "system_activity_pdt_builds": (
        "SELECT tid, connection, model_name, view_name FROM sa_pdt_builds WHERE start >= '{}'",
        "pdt_builds_start_time",
    ),
    "system_activity_api_usage": (
        "SELECT strftime(created, '%Y-%m-%d'), endpoint FROM sa_api_usage WHERE created >= '{}'",
        "api_usage_created_date",
    ),
    "system_activity_dashboard_performance": (
        "SELECT dashboard_run_session, dashboard_page_session FROM sa_dashboard_performance "
        "WHERE first_event_at >= '{}'",
        "dashboard_performance_first_event_at_date",
    ),
    "system_activity_sql_queries": (
        "SELECT id FROM sa_sql_query WHERE last_run >= '{}'",
        "sql_query_last_run_time",
    ),
}


def keys(run, stream):
    names = entries()[stream]["key_properties"]
    return [tuple(record[name] for name in names) for record in run.records.get(stream, [])]


@pytest.mark.parametrize("page_size", [50, 50_000])
@pytest.mark.parametrize("stream", BY_TIME)
def test_streams_with_times_go_on_from_shortly_before_the_last(runner_of, stream, page_size):
    sql, replication_key = BY_TIME[stream]
    with Emulator(activity_rows=4_000) as emulator:
        runner = runner_of(emulator)
        settings = {"catalog": one(stream), "start_date": EVER, "activity_page_size": page_size}
        run = runner(**settings).succeeded()
        found = keys(run, stream)
        assert sorted(found) == sorted(emulator.sql(sql.format(EVER)))
        assert len(set(found)) == len(found) > 80
        times = [record[replication_key] for record in run.records[stream]]
        assert times == sorted(times)
        known = bookmark(run.states[-1], stream)
        assert known == times[-1]
        again = runner(**settings, state=run.states[-1]).succeeded()
        moment = datetime.fromisoformat(known)
        back = moment.replace(tzinfo=UTC) - timedelta(days=2)
        expected = emulator.sql(sql.format(f"{back:%Y-%m-%d %H:%M:%S}"))
        assert sorted(keys(again, stream)) == sorted(expected)
        assert 0 < len(expected) < len(found)
        assert all(bookmark(state, stream) == known for state in again.states)


# ------------------------------------------------------------------------------------ from and till


MONTHS = [
    f"{2025 + (month > 12)}-{(month - 1) % 12 + 1:02}-01T00:00:00Z" for month in range(6, 21, 2)
]


@pytest.mark.parametrize(
    "stream", [HISTORY, "system_activity_event_attributes", "system_activity_pdt_builds"]
)
def test_a_back_fill_in_windows_has_every_row_once(runner_of, stream):
    with Emulator(activity_rows=1_500) as emulator:
        runner = runner_of(emulator)
        found = []
        for start, end in itertools.pairwise(MONTHS):
            run = runner(catalog=one(stream), start_date=start, end_date=end).succeeded()
            found += keys(run, stream)
        whole = keys(runner(catalog=one(stream), start_date=EVER).succeeded(), stream)
        assert len(found) == len(set(found)) > 70
        assert sorted(found) == sorted(whole)


def test_windows_with_the_state_of_the_one_before(runner_of):
    """A back-fill that goes on from its state, with an end that moves."""
    with Emulator(activity_rows=1_500) as emulator:
        runner, state, found = runner_of(emulator), None, set()
        for end in (*MONTHS[1::2], None):
            settings = {"end_date": end} if end else {}
            run = runner(
                catalog=one(HISTORY),
                state=state,
                start_date=EVER,
                activity_lookback=100,
                **settings,
            ).succeeded()
            state = run.states[-1]
            found |= set(run.ids(HISTORY))
        assert found == set(ids_in(emulator))


def test_start_date_bounds_the_first_run_alone(runner_of):
    with Emulator(activity_rows=2_000) as emulator:
        runner = runner_of(emulator)
        run = runner(catalog=one(HISTORY), start_date="2026-05-01T12:00:00+02:00").succeeded()
        expected = ids_in(emulator, where="created >= '2026-05-01 10:00:00'")
        assert run.ids(HISTORY) == expected
        assert 0 < len(expected) < 1_000
        (query,) = queries(emulator)[:1]
        assert query["filters"] == {"history.created_time": "after 2026-05-01 10:00:00"}
        emulator.reset_calls()
        state = state_of(HISTORY, "history_id", ids_in(emulator)[0])
        later = runner(catalog=one(HISTORY), state=state, start_date="2026-05-01").succeeded()
        assert later.ids(HISTORY) == ids_in(emulator)
        assert all("history.created_time" not in query["filters"] for query in queries(emulator))


# --------------------------------------------------------------------------------------- snapshots

NASTY = ['say "hi"', "back\\slash", '\\"', "ends\\", "ü植物🪴", "100%", "it's", "a,b", "-x", " ",
         "", "é", "line\nbreak", "${a.b}", "NULL", "_", "(", ") OR (", "ü", "Z"]  # fmt: skip


@pytest.mark.parametrize(("cap", "page_size"), [(500, 50_000), (None, 700), (None, 77)])
def test_snapshots_are_read_whole_whatever_is_in_their_keys(runner_of, cap, page_size):
    stream = "system_activity_field_usage"
    with Emulator(0.2, activity_rows=100, row_cap=cap) as emulator:
        values = ", ".join("('" + text.replace("'", "''") + "')" for text in NASTY)
        emulator.sql("SELECT count(*) FROM sa_field_usage")
        emulator.sql(f"""
            INSERT INTO sa_field_usage BY NAME
            WITH nasty(text) AS (VALUES {values})
            SELECT a.text AS model, b.text AS explore, c.text AS field, 1 AS times_used
            FROM nasty AS a, nasty AS b, nasty AS c
            WHERE length(a.text) + length(b.text) + length(c.text) < 9""")
        expected = emulator.sql("SELECT model, explore, field FROM sa_field_usage")
        assert len(expected) > 1_500
        run = runner_of(emulator)(catalog=one(stream), activity_page_size=page_size).succeeded()
        found = keys(run, stream)
        assert len(found) == len(set(found))
        assert sorted(found) == sorted(expected)
        assert "bookmarks" not in run.states[-1] or bookmark(run.states[-1], stream) is None
        assert len(queries(emulator)) > 2


@pytest.mark.parametrize(
    ("stream", "sql"),
    [
        ("system_activity_content_usage", "SELECT content_type, content_id FROM sa_content_usage"),
        ("system_activity_user_facts", "SELECT CAST(id AS VARCHAR) FROM sa_user"),
        ("system_activity_field_usage", "SELECT model, explore, field FROM sa_field_usage"),
        ("system_activity_look", "SELECT CAST(id AS VARCHAR) FROM sa_look"),
        ("system_activity_dashboard", "SELECT CAST(id AS VARCHAR) FROM sa_dashboard"),
        ("system_activity_folders", "SELECT CAST(id AS VARCHAR) FROM sa_folder"),
        ("system_activity_group", "SELECT CAST(id AS VARCHAR) FROM sa_group"),
        ("system_activity_role", "SELECT CAST(id AS VARCHAR) FROM sa_role"),
        ("system_activity_db_connection", "SELECT id FROM sa_db_connection"),
        ("system_activity_merge_query", "SELECT id FROM sa_merge_query_source_query"),
    ],
)
def test_snapshots_are_read_in_full_each_time(runner_of, stream, sql):
    with Emulator(activity_rows=300) as emulator:
        for _ in range(2):
            # They have no time to be bounded by.
            run = runner_of(emulator)(
                catalog=one(stream), start_date="2026-06-01", end_date="2026-06-02"
            ).succeeded()
            assert sorted(keys(run, stream)) == sorted(emulator.sql(sql))


# --------------------------------------------------------------------------- what an instance lacks


def test_a_missing_field_is_left_out_with_one_warning(runner_of):
    missing = ("node.id", "history.render_key")
    with Emulator(activity_rows=1_300, activity_missing_fields=missing) as emulator:
        run = runner_of(emulator)(
            catalog=selecting(HISTORY, EVENTS), start_date=EVER, activity_page_size=400
        ).succeeded()
        (warning,) = run.warnings
        for name in (*missing, HISTORY):
            assert name in warning
        assert not emulator.count(METADATA)  # the rows tell
        assert run.ids(HISTORY) == ids_in(emulator)
        assert not [
            r for r in run.records[HISTORY] if r.get("node_id") or r.get("history_render_key")
        ]
        assert {"node_id", "history_render_key"} <= set(
            run.schemas[HISTORY]["schema"]["properties"]
        )
        assert len(run.records[EVENTS]) == 1_300


@pytest.mark.parametrize("status", [400, 422])
def test_however_it_is_refused(runner_of, status):
    options = {"activity_missing_fields": ("node.id",), "refused_fields_status": status}
    with Emulator(activity_rows=300, **options) as emulator:
        run = runner_of(emulator)(catalog=selecting(HISTORY), start_date=EVER).succeeded()
        assert len(run.warnings) == 1
        assert run.ids(HISTORY) == ids_in(emulator)


def test_a_missing_field_that_nobody_wants_costs_nothing(runner_of):
    with Emulator(activity_rows=300, activity_missing_fields=("node.id",)) as emulator:
        run = runner_of(emulator)(catalog=one(HISTORY), start_date=EVER).succeeded()
        assert run.warnings == []
        assert emulator.count(METADATA) == 0


@pytest.mark.parametrize(
    ("stream", "field"),
    [
        (HISTORY, "history.id"),
        ("system_activity_pdt_builds", "pdt_builds.connection"),
        ("system_activity_pdt_builds", "pdt_builds.start_time"),
        ("system_activity_field_usage", "field_usage.explore"),
    ],
)
def test_a_missing_key_is_an_error(runner_of, stream, field):
    with Emulator(activity_rows=300, activity_missing_fields=(field,)) as emulator:
        run = runner_of(emulator)(catalog=one(stream, "users"), start_date=EVER)
        assert run.exit_code == 1
        assert stream not in run.records
        assert stream not in run.schemas
        assert run.records["users"], "the other streams are read"
        (error,) = [line for line in run.errors if line.startswith(f"Failed {stream}: ")]
        assert field in error


@pytest.mark.parametrize("stream", [HISTORY, "system_activity_pdt_builds"])
def test_rows_that_share_a_key_are_counted(runner_of, stream):
    activity = next(one for one in ACTIVITIES if one.name == stream)
    row = {field: 1 if kind == "integer" else None for field, kind in activity.kinds.items()}
    row |= dict.fromkeys(activity.times.split(), "2026-01-02 03:04:05")
    with Emulator(activity_rows=300) as emulator:
        rows = [row, row, row]
        emulator.add_fault(Fault("status", RUN, times=None, status=200, json=rows))
        run = runner_of(emulator)(catalog=one(stream), start_date=EVER)
    assert len(run.succeeded().records[stream]) == 3
    (warning,) = [line for line in run.warnings if "share their primary key" in line]
    assert "2 row(s)" in warning


def test_a_newest_id_that_comes_as_a_text_is_compared_all_the_same(runner_of):
    state = {"bookmarks": {HISTORY: state_of(HISTORY, "history_id", 10**9)["bookmarks"][HISTORY]}}
    with Emulator(activity_rows=300) as emulator:
        newest = [{"history.id": "300"}]
        emulator.add_fault(Fault("status", RUN, after=1, times=1, status=200, json=newest))
        run = runner_of(emulator)(catalog=one(HISTORY), start_date=EVER, state=state).succeeded()
    assert len(run.records[HISTORY]) == 300
    assert any("beyond the newest row" in line for line in run.warnings)


def test_a_refusal_for_another_reason_keeps_its_words(runner_of):
    with Emulator(activity_rows=300) as emulator:
        emulator.add_fault(
            Fault("status", RUN, times=None, status=400, json={"message": "Model is\nbeing built"})
        )
        run = runner_of(emulator)(catalog=one(HISTORY), start_date=EVER)
        assert run.exit_code == 1
        assert [line for line in run.errors if "Model is being built" in line]


@pytest.mark.parametrize("selection", [one(HISTORY), selecting(*ALL)], ids=["one", "all"])
def test_the_missing_permission_is_named(runner_of, selection):
    with Emulator(activity_rows=300, activity_denied=True) as emulator:
        runner = runner_of(emulator)
        run = runner(catalog=selection, start_date=EVER)
        assert run.exit_code == 1
        failed = [line for line in run.errors if line.startswith("Failed ")]
        assert failed
        assert all("see_system_activity" in line for line in failed)
        assert run.records == run.schemas == {}
        skipping = runner(catalog=selection, start_date=EVER, on_denied="skip")
        assert skipping.exit_code == 0
        assert [line for line in skipping.warnings if "see_system_activity" in line]


def test_the_missing_permission_is_named_also_where_it_is_a_403(runner_of):
    with Emulator(activity_rows=300) as emulator:
        emulator.add_fault(Fault("denied", RUN, times=None, status=403, message="No access"))
        run = runner_of(emulator)(catalog=one(HISTORY), start_date=EVER)
        assert run.exit_code == 1
        assert [line for line in run.errors if "see_system_activity" in line]


# ------------------------------------------------------------------------------------------- types


COMPARED = (
    "history_id history_slug history_created_time history_completed_time history_status "
    "history_runtime history_message history_is_single_query history_rebuild_pdts "
    "history_dashboard_id node_id query_id query_slug query_model user_id look_id"
).split()


def test_history_is_what_the_database_says(runner_of):
    with Emulator(activity_rows=700) as emulator:
        run = runner_of(emulator)(catalog=selecting(HISTORY), start_date=EVER).succeeded()
        found = {record["history_id"]: record for record in run.records[HISTORY]}
        sql = """
            SELECT h.id, h.slug, strftime(h.created, '%Y-%m-%dT%H:%M:%SZ'),
                strftime(h.completed, '%Y-%m-%dT%H:%M:%SZ'), h.status, CAST(h.runtime AS VARCHAR),
                h.message, h.is_single_query, h.rebuild_pdts, h.dashboard_id,
                CAST(h.node_id AS VARCHAR), q.id, q.slug, q.model, CAST(u.id AS VARCHAR),
                CAST(l.id AS VARCHAR)
            FROM sa_history AS h LEFT JOIN sa_query AS q ON q.id = h.query_id
            LEFT JOIN sa_user AS u ON u.id = h.user_id LEFT JOIN sa_look AS l ON l.id = h.look_id"""
        expected = emulator.sql(sql)
        assert len(expected) == len(found) == 700
        for row in expected:
            record = found[row[0]]
            values = {name: record[name] for name in COMPARED}
            runtime = values.pop("history_runtime")
            wanted = dict(zip(COMPARED, row, strict=True))
            wanted_runtime = wanted.pop("history_runtime")
            assert values == wanted
            assert [type(value) for value in values.values()] == [type(v) for v in wanted.values()]
            assert (runtime is None) == (wanted_runtime is None)
            assert runtime is None or runtime == float(wanted_runtime)


JSON_TYPES = {
    "string": ("string", None),
    "integer": ("integer", None),
    "id": ("string", None),
    "number": ("number", None),
    "yesno": ("boolean", None),
    "date_date": ("string", "date"),
    "date_time": ("string", "date-time"),
}


FEWEST = {"system_activity_db_connection": 3, "system_activity_group": 8, "system_activity_role": 5}
EMPTY = ("merge_query.dynamic_fields",)


def test_every_stream_keeps_to_its_schema(runner_of):
    with Emulator(activity_rows=600) as emulator:
        run = runner_of(emulator)(catalog=selecting(*ALL), start_date=EVER).succeeded()
        for activity in ACTIVITIES:
            schema = run.schemas[activity.name]
            properties = schema["schema"]["properties"]
            known = [column_name(field) for field in activity.kinds]
            assert list(properties)[: len(known)] == known
            assert (len(properties) > len(known)) == activity.is_discovered
            assert schema["key_properties"] == activity.keys.replace(".", "_").split()
            validator = jsonschema.Draft202012Validator(
                schema["schema"], format_checker=jsonschema.FormatChecker()
            )
            records = run.records[activity.name]
            assert len(records) >= FEWEST.get(activity.name, 11)
            for record in records:
                validator.validate(record)
                assert set(record) == set(properties)
            for field, kind in activity.kinds.items():
                column = properties[column_name(field)]
                json_type, form = JSON_TYPES[kind]
                nullable = field not in activity.keys.split()
                assert column["type"] == ([json_type, "null"] if nullable else json_type)
                assert column.get("format") == form
                values = [record[column_name(field)] for record in records]
                has_value = any(value is not None for value in values)
                assert has_value or field in EMPTY, f"{field} has no value"
                if kind == "date_time":
                    assert all(value is None or value.endswith("Z") for value in values)


def test_discovery_needs_no_instance(emulator, tmp_path):
    catalog = json.loads(discover(emulator, tmp_path).succeeded().stdout)
    assert emulator.calls == []
    assert set(ALL) <= {entry["tap_stream_id"] for entry in catalog["streams"]}


def test_no_stream_multiplies_its_rows():
    for activity in ACTIVITIES:
        if activity.explore in ("role", "group"):
            continue  # which they are the rows of
        for field in activity.kinds:
            assert not field.startswith(("role", "group", "permission", "user_role", "group_user"))


def test_what_is_not_selected_is_not_asked_for(runner_of):
    with Emulator(activity_rows=300) as emulator:
        run = runner_of(emulator)(
            catalog=one(only={HISTORY: {"query_slug"}}), start_date=EVER
        ).succeeded()
        (query,) = queries(emulator)
        assert sorted(query["fields"]) == ["history.id", "query.slug"]
        assert {tuple(sorted(record)) for record in run.records[HISTORY]} == {
            ("history_id", "query_slug")
        }
        emulator.reset_calls()
        selection = selecting(
            without={HISTORY: {"history_created_time", "history_message"}}, among=()
        )
        runner_of(emulator)(catalog=selection, start_date=EVER).succeeded()
        (query,) = queries(emulator)
        assert "history.created_time" not in query["fields"]
        assert "history.message" not in query["fields"]
        assert query["filters"] == {"history.created_time": "after 2020-01-01 00:00:00"}


# ---------------------------------------------------------------------------------- fields of users


def config(emulator, tmp_path, **settings):
    path = tmp_path / "own.json"
    path.write_text(json.dumps(settings_of(emulator, **settings)), encoding="utf-8")
    return ["--config", str(path)]


def discover(emulator, tmp_path, **settings):
    return run_cli(*config(emulator, tmp_path, **settings), "--discover")


def sync(emulator, tmp_path, catalog=None, state=None, **settings):
    """A run without a catalog reads what is selected by default; with one, what it selects."""
    arguments = config(emulator, tmp_path, **settings)
    for name, content in (("catalog", catalog), ("state", state)):
        if content is not None:
            path = tmp_path / f"own_{name}.json"
            path.write_text(json.dumps(content), encoding="utf-8")
            arguments += [f"--{name}", str(path)]
    return run_cli(*arguments)


def alone(catalog, *names):
    """A discovered catalog with these streams only."""
    listed = [entry for entry in catalog["streams"] if entry["tap_stream_id"] in names]
    assert len(listed) == len(names)
    for entry in listed:
        for metadata in entry["metadata"]:
            if not metadata["breadcrumb"]:
                metadata["metadata"]["selected"] = True
    return {"streams": listed}


OWN = [
    {"explore": "user", "name": "people", "primary_keys": ["user.id"],
     "fields": ["user.id", "user.name", "user.is_disabled", "user.created_time",
                "user.created_date", "user_facts.last_ui_login_date"]},
    {"explore": "history", "fields": ["history.id", "history.source", "user.email"]},
    {"explore": "look", "primary_keys": ["look.id"], "fields": ["look.title", "look.deleted"]},
]  # fmt: skip


def test_explores_and_fields_of_ones_own(tmp_path):
    with Emulator(activity_rows=900) as emulator:
        settings = {"system_activity": OWN, "start_date": EVER, "activity_page_size": 200}
        found = discover(emulator, tmp_path, **settings)
        catalog = json.loads(found.succeeded().stdout)
        assert emulator.count(METADATA) == 3
        listed = {entry["tap_stream_id"]: entry for entry in catalog["streams"]}
        assert set(listed["people"]["schema"]["properties"]) == {
            "user_id",
            "user_is_disabled",
            "user_created_date",
            "user_facts_last_ui_login_date",
            "user_created_time",
            "user_name",
        }
        assert len([name for name in listed if name == HISTORY]) == 1
        assert set(listed[HISTORY]["schema"]["properties"]) == {
            "history_id",
            "history_source",
            "user_email",
        }
        assert listed[HISTORY]["replication_key"] == "history_id"
        emulator.reset_calls()
        run = sync(
            emulator,
            tmp_path,
            alone(catalog, "people", HISTORY, "system_activity_look"),
            **settings,
        ).succeeded()
        assert emulator.count(METADATA) == 0, "the catalog knows"
        records = run.records
        people = {record["user_id"]: record for record in records["people"]}
        expected = emulator.sql("""
            SELECT CAST(u.id AS VARCHAR), u.name, u.is_disabled,
                strftime(u.created, '%Y-%m-%dT%H:%M:%SZ'),
                strftime(u.created, '%Y-%m-%d'), strftime(f.last_ui_login, '%Y-%m-%d')
            FROM sa_user AS u LEFT JOIN sa_user_facts AS f ON f.user_id = u.id""")
        names = [
            "user_id",
            "user_name",
            "user_is_disabled",
            "user_created_time",
            "user_created_date",
            "user_facts_last_ui_login_date",
        ]
        assert sorted(tuple(p[name] for name in names) for p in people.values()) == sorted(expected)
        assert [record["history_id"] for record in records[HISTORY]] == ids_in(emulator)
        assert bookmark(run.states[-1]) == ids_in(emulator)[-1]
        assert {record["look_id"] for record in records["system_activity_look"]} == {
            look["id"] for look in emulator.instance.looks
        }


def test_without_a_catalog_a_run_reads_them_too(tmp_path):
    with Emulator(activity_rows=400) as emulator:
        run = sync(emulator, tmp_path, system_activity=OWN, start_date=EVER).succeeded()
        assert {"people", HISTORY, "system_activity_look"} <= set(run.records)


NUMERIC = {"explore": "sql_query", "name": "by_number", "primary_keys": ["sql_query.id"],
           "replication_key": "sql_query.id", "fields": ["sql_query.slug"]}  # fmt: skip
TIMED = {"explore": "event", "name": "by_time", "primary_keys": ["event.id"],
         "replication_key": "event.created_time", "fields": ["event.name"]}  # fmt: skip


def test_a_number_that_grows_is_a_bookmark(tmp_path):
    with Emulator(activity_rows=4_000) as emulator:
        settings = {
            "system_activity": [NUMERIC],
            "start_date": "2026-06-01",
            "activity_page_size": 30,
        }
        catalog = alone(json.loads(discover(emulator, tmp_path, **settings).stdout), "by_number")
        schema = catalog["streams"][0]["schema"]["properties"]
        assert "integer" in schema["sql_query_id"]["type"]
        run = sync(emulator, tmp_path, catalog, **settings).succeeded()
        found = [record["sql_query_id"] for record in run.records["by_number"]]
        assert found == ids_in(emulator, "sa_sql_query"), "nothing says which time would bound it"
        known = bookmark(run.states[-1], "by_number")
        assert (type(known), known) == (int, found[-1])
        again = sync(
            emulator, tmp_path, catalog, run.states[-1], **settings, activity_lookback=10
        ).succeeded()
        assert [record["sql_query_id"] for record in again.records["by_number"]] == ids_in(
            emulator, "sa_sql_query", f"id >= {known - 10}"
        )


@pytest.mark.parametrize("page_size", [100, 50_000])
def test_a_time_is_a_bookmark(tmp_path, page_size):
    with Emulator(activity_rows=1_000) as emulator:
        settings = {"system_activity": [TIMED], "activity_page_size": page_size}
        catalog = alone(json.loads(discover(emulator, tmp_path, **settings).stdout), "by_time")
        run = sync(emulator, tmp_path, catalog, **settings, start_date="2026-01-01").succeeded()
        found = [record["event_id"] for record in run.records["by_time"]]
        expected = ids_in(emulator, "sa_event", "created >= '2026-01-01'")
        assert sorted(found) == expected
        assert len(set(found)) == len(found)
        known = bookmark(run.states[-1], "by_time")
        assert known == max(record["event_created_time"] for record in run.records["by_time"])
        emulator.activity.add_rows(5)
        again = sync(emulator, tmp_path, catalog, run.states[-1], **settings).succeeded()
        new = set(ids_in(emulator, "sa_event")) - set(
            ids_in(emulator, "sa_event", f"created <= '{known[:19].replace('T', ' ')}'")
        )
        found = {record["event_id"] for record in again.records["by_time"]}
        assert new <= found
        assert len(found) < 100, "two days of a year"
        assert bookmark(again.states[-1], "by_time") > known


WRONG = [
    {"explore": "nothing", "name": "a", "primary_keys": ["x.id"], "fields": ["x.id"]},
    {"explore": "user", "name": "b", "primary_keys": ["user.id"],
     "fields": ["user.nope", "user.nor"]},
    {"explore": "user", "name": "c", "primary_keys": ["user.id"], "fields": ["user.id"],
     "replication_key": "user.name"},
    {"explore": "event", "name": "d", "primary_keys": ["event.id", "event.name"],
     "fields": ["event.id"], "replication_key": "event.id"},
    {"explore": "user", "name": "good", "primary_keys": ["user.id"], "fields": ["user.name"]},
]  # fmt: skip


def test_all_that_the_instance_does_not_have_is_found_at_discovery_at_once(tmp_path):
    with Emulator(activity_rows=300) as emulator:
        found = discover(emulator, tmp_path, system_activity=WRONG)
        assert found.exit_code == 1
        assert found.stdout == ""
        said = "\n".join(found.errors)
        lines = found.stderr.splitlines()
        for number, word in (
            (0, "system__activity::nothing"),
            (1, "user.nope"),
            (1, "user.nor"),
            (2, "replication_key"),
            (3, "replication_key"),
        ):
            assert [
                line for line in lines if f"system_activity[{number}]" in line and word in line
            ], word
        assert "system_activity[4]" not in found.stderr
        assert "Traceback" not in found.stderr
        assert said


def test_in_a_run_they_fail_alone(tmp_path):
    with Emulator(activity_rows=300) as emulator:
        run = sync(emulator, tmp_path, system_activity=WRONG, start_date=EVER)
        assert run.exit_code == 1
        failed = [line for line in run.errors if line.startswith("Failed ")]
        assert {line.split()[1].rstrip(":") for line in failed} == {"a", "b", "c", "d"}
        assert {"good", "users", "dashboards"} <= set(run.records)
        assert not {"a", "b", "c", "d"} & (set(run.records) | set(run.schemas))
        assert "bookmarks" not in run.states[-1] or not (
            {"a", "b", "c", "d"} & set(run.states[-1]["bookmarks"])
        )


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"explore": "node", "fields": ["node.id"]}, ["primary_keys"]),
        ({"explore": "concurrency", "fields": ["concurrency.pk"]}, ["primary_keys"]),
        ({"fields": ["user.id"], "primary_keys": ["user.id"]}, ["explore"]),
        ({"explore": "user", "primary_keys": ["user.id"]}, ["fields"]),
        ({"explore": "user", "fields": [], "primary_keys": ["user.id"]}, ["fields"]),
        ({"explore": "user", "fields": "user.id", "primary_keys": ["user.id"]}, ["fields"]),
        (
            {"explore": "user", "fields": ["user.id"], "primary_keys": ["user.id"], "filter": {}},
            ["no option filter", "known", "primary_keys"],
        ),
        (
            {"explore": "user", "fields": ["user.a_b", "user_a.b"], "primary_keys": ["user.id"]},
            ["user.a_b", "user_a.b", "user_a_b"],
        ),
        (
            {
                "explore": "user",
                "name": "users",
                "fields": ["user.id"],
                "primary_keys": ["user.id"],
            },
            ["users", "already"],
        ),
    ],
)
def test_what_is_wrong_with_an_entry_by_itself_is_said_without_an_instance(run, entry, words):
    found = run(system_activity=[entry])
    assert found.exit_code == 1
    assert run.emulator.calls == []
    (line,) = [line for line in found.stderr.splitlines() if "system_activity[0]" in line]
    assert all(word in line for word in words)


def test_types_of_own_fields_with_a_catalog_are_those_without(tmp_path):
    with Emulator(activity_rows=200) as emulator:
        fields = [
            "history.id",
            "history.runtime",
            "history.created_time",
            "history.created_date",
            "history.cache",
            "history.created_month",
            "history.created_year",
            "user.id",
            "history.message",
        ]
        settings = {
            "system_activity": [{"explore": "history", "fields": fields}],
            "start_date": EVER,
        }
        catalog = json.loads(discover(emulator, tmp_path, **settings).succeeded().stdout)
        with_catalog = sync(emulator, tmp_path, alone(catalog, HISTORY), **settings).succeeded()
        without = sync(emulator, tmp_path, **settings).succeeded()
        assert with_catalog.records[HISTORY] == without.records[HISTORY]
        assert with_catalog.schemas[HISTORY]["schema"] == without.schemas[HISTORY]["schema"]
        record = with_catalog.records[HISTORY][0]
        assert type(record["history_cache"]) is bool
        assert type(record["history_created_year"]) is int
        assert record["history_created_month"] == record["history_created_date"][:7]


def test_types_of_own_fields_may_be_declared(tmp_path):
    with Emulator(activity_rows=200) as emulator:
        types = {"history.runtime": "string", "history.created_year": "string"}
        entry = {"explore": "history", "fields": ["history.source", *types]}
        settings = {"start_date": EVER, "system_activity": [{**entry, "types": types}]}
        catalog = json.loads(discover(emulator, tmp_path, **settings).succeeded().stdout)
        older = discover(emulator, tmp_path, **{**settings, "system_activity": [entry]})
        older = json.loads(older.succeeded().stdout)
        without = sync(emulator, tmp_path, **settings).succeeded()
        values = [
            value and str(value)
            for (value,) in emulator.sql("SELECT runtime FROM sa_history ORDER BY id")
        ]
        for given in (catalog, older):
            run = sync(emulator, tmp_path, alone(given, HISTORY), **settings).succeeded()
            assert run.records[HISTORY] == without.records[HISTORY]
            assert run.schemas[HISTORY]["schema"] == without.schemas[HISTORY]["schema"]
        properties = without.schemas[HISTORY]["schema"]["properties"]
        assert properties["history_runtime"]["type"] == ["string", "null"]
        assert [record["history_runtime"] for record in without.records[HISTORY]] == values
        assert {record["history_created_year"] for record in without.records[HISTORY]} <= {
            "2025",
            "2026",
        }


# ------------------------------------------------------------------------------------------- faults


BROKEN = {
    "reset_body": {},
    "truncate_length": {},
    "truncate_chunked": {},
    "bad_gzip": {},
    "html": {},
    "looker_error": {"after_rows": 0},
    "status": {"status": 503, "retry_after": 0},
}


@pytest.mark.parametrize("after", [0, 1, 3])
@pytest.mark.parametrize("kind", BROKEN)
def test_what_passes_leaves_no_trace(runner_of, kind, after):
    with Emulator(0.2, activity_rows=1_000) as emulator:
        fault = emulator.add_fault(Fault(kind, RUN, after=after, **BROKEN[kind]))
        run = runner_of(emulator)(
            catalog=one(HISTORY), start_date=EVER, activity_page_size=300
        ).succeeded()
        assert fault.fired == 1
        assert run.ids(HISTORY) == ids_in(emulator)


SHARES = [0, 0.001, 0.1, 0.333, 0.75, 0.999]


@pytest.mark.parametrize("kind", ["truncate_chunked", "truncate_length", "reset_body"])
def test_an_array_that_is_cut_anywhere_goes_on_where_it_broke(runner_of, kind):
    for share in SHARES:
        with Emulator(0.2, activity_rows=1_000) as emulator:
            fault = emulator.add_fault(Fault(kind, RUN, sent=share))
            run = runner_of(emulator)(catalog=one(HISTORY), start_date=EVER).succeeded()
            assert fault.fired == 1
            assert run.ids(HISTORY) == ids_in(emulator)
            assert_state_is_never_ahead(run.messages, ids_in(emulator))


def test_pages_that_always_break_off_in_the_middle_get_there(runner_of):
    """Each brings some rows, so that it is not in vain."""
    with Emulator(0.2, activity_rows=1_000) as emulator:
        emulator.add_fault(Fault("truncate_chunked", RUN, times=None, sent=0.6))
        run = runner_of(emulator)(catalog=one(HISTORY), start_date=EVER)
        assert run.exit_code == 1 or run.ids(HISTORY) == ids_in(emulator)
        assert len(set(run.ids(HISTORY))) == len(run.ids(HISTORY)) > 900
        assert_state_is_never_ahead(run.messages, ids_in(emulator))


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("after", [0, 2])
def test_what_lasts_fails_the_stream_alone_and_state_is_not_ahead(runner_of, kind, after):
    details = {**BROKEN[kind]}
    if kind in ("reset_body", "truncate_length", "truncate_chunked"):
        details["sent"] = 0
    with Emulator(0.2, activity_rows=1_000) as emulator:
        emulator.add_fault(Fault(kind, RUN, after=after, times=None, **details))
        runner = runner_of(emulator)
        run = runner(catalog=one(HISTORY, "users"), start_date=EVER, activity_page_size=300)
        assert run.exit_code == 1
        assert [line for line in run.errors if f"Failed {HISTORY}" in line]
        assert "Traceback" not in run.stderr
        assert run.records["users"]
        there = ids_in(emulator)
        found = [record["history_id"] for record in run.records.get(HISTORY, [])]
        assert found == there[: 300 * after] or kind == "bad_gzip"
        assert found == there[: len(found)]
        assert_state_is_never_ahead(run.messages, there)
        emulator.clear_faults()
        rest = runner(
            catalog=one(HISTORY), state=run.states[-1], start_date=EVER, activity_lookback=0
        )
        assert sorted(set(found) | set(rest.succeeded().ids(HISTORY))) == there


@pytest.mark.parametrize("after_rows", [0, 1, 99, 100, 101, 150, 299])
def test_an_error_of_looker_after_some_rows(runner_of, after_rows):
    """It is read again; then the rows before it stay, and the next run goes on behind them."""
    with Emulator(0.2, activity_rows=700) as emulator:
        emulator.add_fault(
            Fault(
                "looker_error",
                RUN,
                after=1,
                times=None,
                after_rows=after_rows,
                message="Query\ntimed out",
            )
        )
        runner = runner_of(emulator)
        run = runner(catalog=one(HISTORY), start_date=EVER, activity_page_size=300)
        there = ids_in(emulator)
        found = [record["history_id"] for record in run.records[HISTORY]]
        if run.exit_code == 0:
            assert found == there
            return
        assert [line for line in run.errors if "Query timed out" in line]
        assert emulator.count(RUN) > 2, "it was read again"
        assert found == there[: len(found)]
        assert len(found) >= 300 + after_rows
        assert bookmark(run.states[-1]) == found[-1]
        emulator.clear_faults()
        rest = runner(
            catalog=one(HISTORY), state=run.states[-1], start_date=EVER, activity_lookback=0
        ).succeeded()
        assert rest.ids(HISTORY) == there[len(found) - 1 :]


def test_a_run_ends_with_its_state_also_where_it_has_not_moved(runner_of):
    """Targets pass on the last state that comes after records."""
    with Emulator(0.2, activity_rows=100) as emulator:
        runner = runner_of(emulator)
        settings = {"catalog": one(HISTORY), "start_date": EVER}
        first = runner(**settings).succeeded()
        second = runner(**settings, state=first.states[-1]).succeeded()
        assert second.records[HISTORY], "what is behind the bookmark is read again"
        assert [run.messages[-1]["type"] for run in (first, second)] == ["STATE", "STATE"]
        assert second.states[-1] == first.states[-1]


@pytest.mark.parametrize(
    "state",
    [{"type": "STATE", "value": {"bookmarks": {}}}, {"client_id": "x"}, {"bookmarks": []}],
    ids=["message", "config", "list"],
)
def test_what_is_no_state_is_not_taken_for_an_empty_one(run, emulator, state):
    result = run(catalog=one(HISTORY), state=state)
    assert result.exit_code == 1
    assert "is not a state" in result.stderr
    assert not emulator.calls


def test_a_bookmark_of_another_type_is_named(runner_of):
    with Emulator(0.2, activity_rows=100) as emulator:
        state = {"bookmarks": {HISTORY: {"replication_key_value": "72222"}}}
        run = runner_of(emulator)(catalog=one(HISTORY), state=state)
        assert run.exit_code == 1
        assert not run.records
        assert f'Failed {HISTORY}: The bookmark of {HISTORY} in the state, "72222"' in run.stderr
        assert emulator.calls == []
        assert "Traceback" not in run.stderr


def test_the_budget_of_calls_ends_a_run_with_its_state_kept(runner_of):
    with Emulator(0.2, activity_rows=1_000) as emulator:
        runner = runner_of(emulator)
        settings = {"catalog": one(HISTORY), "start_date": EVER, "activity_page_size": 300}
        run = runner(**settings, max_calls=2)
        assert run.exit_code == 1
        there = ids_in(emulator)
        assert run.ids(HISTORY) == there[:600]
        assert bookmark(run.states[-1]) == there[599]
        rest = runner(**settings, state=run.states[-1], activity_lookback=0).succeeded()
        assert rest.ids(HISTORY) == there[599:]


@pytest.mark.parametrize("style", ["lines", "compact", "pretty"])
def test_line_breaks_do_not_matter(runner_of, style):
    with Emulator(0.2, activity_rows=400, json_style=style) as emulator:
        run = runner_of(emulator)(catalog=selecting(HISTORY), start_date=EVER).succeeded()
        assert run.ids(HISTORY) == ids_in(emulator)


def test_the_first_record_leaves_before_the_last_byte_arrives(runner_of):
    with Emulator(0.2, activity_rows=2_000) as emulator:
        fault = emulator.add_fault(Fault("drip", RUN, seconds=DEADLINE, pieces=40))
        process = runner_of(emulator).start(catalog=one(HISTORY), start_date=EVER)
        try:
            kinds = [json.loads(process.stdout.readline())["type"] for _ in range(2)]
            while "RECORD" not in kinds:
                kinds.append(json.loads(process.stdout.readline())["type"])
            assert fault.fired == 1
            assert next(call for call in emulator.calls if call.path == RUN).ended is None
        finally:
            process.kill()
            process.communicate()


@pytest.mark.parametrize(("end", "is_told"), [(None, True), ("2098-01-02", False)])
def test_an_explore_that_has_moved_is_told_but_not_of_an_empty_window(runner_of, end, is_told):
    stream = "system_activity_api_usage"
    start = "2099-01-01" if end is None else "2098-01-01"
    with Emulator(0.2, activity_rows=100) as emulator:
        run = runner_of(emulator)(
            catalog=selecting(stream), start_date=start, **({"end_date": end} if end else {})
        ).succeeded()
    assert run.records.get(stream, []) == []
    told = [
        line for line in run.warnings if f"newer releases of Looker have them in {stream}" in line
    ]
    assert bool(told) == is_told
