"""A bookmark belongs to one field of one query on one host, and moves over rows in order alone."""

from __future__ import annotations

import copy
import json

import pytest
from support import Runner, run_cli, selecting, settings_of

from looker_emulator import Emulator
from tap_looker.streams import query as query_streams

HISTORY = "system_activity_history"
EVER = "2020-01-01T00:00:00Z"
ORDERS = {
    "name": "mine",
    "model": "thelook",
    "explore": "orders",
    "fields": ["orders.id", "orders.created_time", "orders.status"],
    "replication_key": "orders.id",
}


def bookmark_of(run, stream=HISTORY):
    return run.states[-1]["bookmarks"].get(stream, {})


def history(emulator, folder, state=None, **settings):
    runner = Runner(emulator, folder)
    return runner(catalog=selecting(HISTORY, among=()), state=state, start_date=EVER, **settings)


def mine(emulator, folder, state=None, **changes):
    entry = {**ORDERS, **changes}
    config = folder / "config.json"
    config.write_text(json.dumps(settings_of(emulator, queries=[entry])), encoding="utf-8")
    arguments = ["--config", str(config)]
    found = json.loads(run_cli(*arguments, "--discover").succeeded().stdout)
    listed = [one for one in found["streams"] if one["tap_stream_id"] == "mine"]
    for name, content in (("catalog", {"streams": listed}), ("state", state)):
        if content is not None:
            path = folder / f"{name}.json"
            path.write_text(json.dumps(content), encoding="utf-8")
            arguments += [f"--{name}", str(path)]
    return run_cli(*arguments)


def warnings_of(run, stream):
    return [line for line in run.warnings if f"bookmark of {stream}" in line]


@pytest.fixture(scope="module")
def shop():
    with Emulator() as emulator:
        yield emulator


def test_a_bookmark_of_the_same_query_on_the_same_host_is_taken(shop, tmp_path):
    first = mine(shop, tmp_path).succeeded()
    second = mine(shop, tmp_path, state=first.states[-1]).succeeded()
    assert len(first.records["mine"]) > 100
    assert len(second.records["mine"]) == 1, "the row of the bookmark"
    assert not warnings_of(second, "mine")
    assert bookmark_of(second, "mine") == bookmark_of(first, "mine")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"replication_key": "orders.created_time"}, "another field"),
        ({"filters": {"orders.status": "complete"}}, "another query"),
        ({"explore": "users", "fields": ["users.id", "users.name"],
          "replication_key": "users.id"}, "another field"),
        ({"filter_expression": "${orders.quantity} > 1"}, "another query"),
        ({"timezone": "Europe/Zurich"}, "another query"),
    ],
)  # fmt: skip
def test_a_bookmark_of_another_query_or_field_does_not_bound_the_run(shop, tmp_path, changes, why):
    state = mine(shop, tmp_path).succeeded().states[-1]
    expected = mine(shop, tmp_path, **changes).succeeded()
    run = mine(shop, tmp_path, state=state, **changes).succeeded()
    assert run.records["mine"] == expected.records["mine"]
    (warning,) = warnings_of(run, "mine")
    assert why in warning
    assert "from the start" in warning


@pytest.mark.parametrize("read", [history, mine])
def test_a_bookmark_of_another_instance_does_not_bound_the_run(shop, tmp_path, read):
    stream = HISTORY if read is history else "mine"
    state = read(shop, tmp_path).succeeded().states[-1]
    with Emulator() as other:
        run = read(other, tmp_path, state=state).succeeded()
        assert run.records[stream] == read(other, tmp_path).records[stream]
        (warning,) = warnings_of(run, stream)
        assert "another instance" in warning
        assert bookmark_of(run, stream)["looker_host"] in other.url


def test_a_state_that_says_nothing_of_host_and_query_is_taken(shop, tmp_path):
    """As earlier releases wrote it."""
    state = history(shop, tmp_path).succeeded().states[-1]
    bookmark = state["bookmarks"][HISTORY]
    state["bookmarks"][HISTORY] = {
        name: bookmark[name] for name in ("replication_key", "replication_key_value")
    }
    run = history(shop, tmp_path, state=state, activity_lookback=10).succeeded()
    assert min(record["history_id"] for record in run.records[HISTORY]) >= (
        bookmark["replication_key_value"] - 10
    )
    assert bookmark_of(run)["looker_host"] in shop.url


@pytest.mark.parametrize("read", [history, mine])
def test_a_bookmark_beyond_the_newest_id_is_noticed(shop, tmp_path, read):
    """As after a migration, where ids begin again: it would be empty for ever."""
    stream = HISTORY if read is history else "mine"
    first = read(shop, tmp_path).succeeded()
    state = copy.deepcopy(first.states[-1])
    state["bookmarks"][stream]["replication_key_value"] = 10**9
    run = read(shop, tmp_path, state=state).succeeded()
    assert run.records[stream] == first.records[stream]
    (warning,) = warnings_of(run, stream)
    assert "beyond the newest row" in warning
    assert bookmark_of(run, stream) == bookmark_of(first, stream)


@pytest.mark.parametrize("value", [float("inf"), float("nan"), "12", True])
def test_a_bookmark_that_is_no_number_is_an_error(shop, tmp_path, value):
    state = mine(shop, tmp_path).succeeded().states[-1]
    state["bookmarks"]["mine"]["replication_key_value"] = value
    run = mine(shop, tmp_path, state=state)
    assert run.exit_code == 1
    assert any("is not of the type of orders_id" in error for error in run.errors)


def test_a_run_without_new_rows_keeps_its_bookmark(shop, tmp_path):
    first = history(shop, tmp_path).succeeded()
    run = history(shop, tmp_path, state=first.states[-1], activity_lookback=0).succeeded()
    assert bookmark_of(run) == bookmark_of(first)
    assert not warnings_of(run, HISTORY)


@pytest.mark.parametrize("replication_key", ["orders.id", "orders.created_time"])
@pytest.mark.parametrize("known", [True, False], ids=["with a state", "first run"])
def test_rows_out_of_order_leave_the_bookmark_that_the_run_began_with(
    shop, tmp_path, monkeypatch, replication_key, known
):
    """For ids and for times; and there is no traceback."""
    options = {"replication_key": replication_key}
    key = replication_key.replace(".", "_")
    state = None
    if known:
        records = mine(shop, tmp_path, **options).succeeded().records["mine"]
        state = {"bookmarks": {"mine": {
            "replication_key": key, "replication_key_value": records[10][key],
        }}}  # fmt: skip
    real = query_streams.records

    def shuffled(*arguments):
        found = list(real(*arguments))
        yield from found[:20]
        yield from reversed(found[20:])

    monkeypatch.setattr(query_streams, "records", shuffled)
    run = mine(shop, tmp_path, state=state, **options)
    assert run.exit_code == 1
    assert "Traceback" not in run.stderr
    assert [line for line in run.errors if "not in the requested order" in line]
    value = bookmark_of(run, "mine").get("replication_key_value")
    assert value == (state["bookmarks"]["mine"]["replication_key_value"] if known else None)


def test_times_with_and_without_fractions_are_in_order(shop, tmp_path, monkeypatch):
    """As text, 10:00:00.5Z comes before 10:00:00Z."""
    times = ["2026-01-01T10:00:00Z", "2026-01-01T10:00:00.500000Z", "2026-01-01T10:00:01Z"]
    real = query_streams.records

    def timed(*arguments):
        for time, record in zip(times, real(*arguments), strict=False):
            yield {**record, "orders_created_time": time}

    monkeypatch.setattr(query_streams, "records", timed)
    run = mine(shop, tmp_path, replication_key="orders.created_time").succeeded()
    assert bookmark_of(run, "mine")["replication_key_value"] == times[-1]
