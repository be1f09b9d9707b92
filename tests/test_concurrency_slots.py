"""A stream that fails while its rows are read gives its concurrency slot back."""

from __future__ import annotations

import pytest
from support import selecting

from looker_emulator import Emulator
from tap_looker.errors import CutResultError, RequestError, TruncatedError
from tap_looker.looker.client import LookerClient
from tap_looker.queries import columns, keyset_paging
from tap_looker.queries.columns import Key
from tap_looker.queries.execute import run_query, run_query_task
from tap_looker.streams import system_activity
from tap_looker.streams.incremental import in_batches
from tap_looker.values import Misfits

QUERY = {
    "model": "thelook",
    "view": "orders",
    "fields": ["orders.id", "orders.status"],
    "sorts": ["orders.id"],
    "limit": "-1",
}
KEY = [Key("orders.id", "integer", nullable=False)]


@pytest.fixture
def client():
    with Emulator() as emulator:
        looker = LookerClient(
            emulator.url, emulator.client_id, emulator.client_secret, concurrency=1, timeout=20
        )
        yield looker
        looker.close()


def missing_field(rows):
    return columns.records([columns.column("orders.no_such", "number")], rows)


def misfit(rows):
    misfits = Misfits(needed=frozenset(["orders.status"]))
    return columns.records([columns.column("orders.status", "number")], rows, misfits)


def bug(rows):
    broken = columns.Column("orders.id", "id", {}, lambda _: 1 // 0, frozenset())
    return columns.records([broken], rows)


@pytest.mark.parametrize("run", [run_query, run_query_task], ids=["stream", "task"])
@pytest.mark.parametrize("fails", [missing_field, misfit, bug], ids=lambda one: one.__name__)
@pytest.mark.parametrize("paged", [True, False], ids=["paged", "once"])
def test_a_failure_while_rows_are_read_frees_the_concurrency_slot(client, run, fails, paged):
    """Although its error, and with it the traceback, is kept."""

    def once(query):
        return run(client, query)

    rows = (
        keyset_paging.read_in_pages(once, QUERY, KEY, limit=50)
        if paged
        else keyset_paging.read_once(once, QUERY)
    )
    with pytest.raises((RequestError, ZeroDivisionError)) as kept:
        list(in_batches(fails(rows)))
    assert client.get("/user").data["id"], "the one slot is free"
    assert kept.value.__traceback__ is not None


def test_rows_out_of_order_free_the_concurrency_slot(client):
    def falling(query):
        return run_query(client, {**query, "sorts": ["orders.id desc"]})

    with pytest.raises(CutResultError) as kept:
        list(in_batches(keyset_paging.read_in_pages(falling, QUERY, KEY, limit=50)))
    assert client.get("/user").data["id"]
    assert kept


def test_rows_that_break_off_free_the_concurrency_slot(client):
    def broken(query):
        yield from run_query(client, query)
        raise TruncatedError("broken off")

    with pytest.raises(RequestError) as kept:
        list(in_batches(keyset_paging.read_once(broken, QUERY)))
    assert client.get("/user").data["id"]
    assert kept


@pytest.mark.timeout(60)
def test_a_run_goes_on_after_streams_that_fail_one_after_the_other(run, monkeypatch):
    """With as many failures as there are slots, it used to wait for ever."""
    names = ["system_activity_user_facts", "system_activity_history", "system_activity_events"]
    monkeypatch.setattr(system_activity, "records", lambda _, rows, __: (1 // 0 for _ in rows))
    result = run(
        catalog=selecting(*names, "users", "versions"), concurrency=1, start_date="2020-01-01"
    )
    assert result.exit_code == 1
    assert len([line for line in result.errors if line.startswith("Failed system")]) == 3
    assert result.records["users"]
    assert result.records["versions"]
