"""The rules of bookmarks, on a stream without an instance: which are taken, and how they move."""

from __future__ import annotations

import hashlib
import logging
from decimal import Decimal
from types import SimpleNamespace

import pytest

from tap_looker.errors import CutResultError, LookerError
from tap_looker.queries.columns import column
from tap_looker.streams import incremental
from tap_looker.streams.incremental import IncrementalStream, in_batches, schema_of

HOST = "looker.example.com"
QUERY = {"model": "m", "fields": ["n"]}
SCOPE = hashlib.sha256(b'{"fields":["n"],"model":"m"}').hexdigest()[:16]
START = "reading from the start."


class Stream(IncrementalStream):
    """One with a state, and nothing around it."""

    name = "mine"
    logger = logging.getLogger("tap-looker")
    schema = replication_key = replication_method = forced_replication_method = stream_state = None

    def __init__(self, *, key="n", kind="integer", method="INCREMENTAL", instance=None, **state):
        self.stream_state = state
        self.replication_key, self.replication_method = key, method
        self.schema = {"properties": {"n": {"type": kind}, "other": {"type": "string"}}}
        self.instance = instance
        self.rows, self.failures = [], []
        self._run = SimpleNamespace(
            check_interrupt=lambda: None,
            stream_failed=lambda name, error: self.failures.append((name, error)),
        )

    def pages(self, _):
        """None: rows come from `_rows`."""

    def _rows(self):
        yield from self.rows

    def read(self, *values):
        """The values of the rows that the bookmark moves to."""
        self.rows = [{"n": value} for value in values]
        return [row["n"] for row in self.get_records(None) if self.moves_bookmark(row)]


def planned(value=None, **options):
    """A stream that has taken the bookmark of a state."""
    known = {} if value is None else {"replication_key": "n", "replication_key_value": value}
    stream = Stream(**known, **options)
    stream.plan(None)
    return stream


class AtEnd(Stream):
    moves_at_end = True


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.WARNING)
    return lambda: [record.getMessage() for record in caplog.records]


# ------------------------------------------------------------------------------- which are taken


def test_the_bookmark_of_the_same_field_is_taken(said):
    stream = planned(5)
    assert stream.is_sorted
    assert stream.stream_state == {"replication_key": "n", "replication_key_value": 5}
    assert stream.read(5, 6) == [6]
    assert not said()


def test_a_bookmark_of_another_field_is_dropped(said):
    stream = Stream(replication_key="id", replication_key_value=5, looker_host="other")
    stream.plan(None)
    assert stream.stream_state == {}
    assert stream.read(1) == [1]
    assert said() == [f"The bookmark of mine in the state belongs to another field (id): {START}"]
    stream.check_scope(HOST, QUERY)
    assert len(said()) == 1


def test_the_state_of_another_field_without_a_bookmark_is_dropped_in_silence(said):
    stream = Stream(replication_key="id")
    stream.plan(None)
    assert stream.stream_state == {}
    assert not said()


def test_a_stream_that_is_read_as_a_full_table_knows_no_bookmarks(said):
    stream = Stream(method="FULL_TABLE", replication_key="id", replication_key_value=[])
    before = dict(stream.stream_state)
    stream.plan(None)
    stream.check_scope("other", QUERY)
    assert not stream.is_sorted
    assert stream.stream_state == before
    assert stream.read(3, 2, 1) == []
    assert not said()


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", 5), ("integer", 5.5), ("number", Decimal("5.5")), (["null", "integer"], 0),
        (["number", "null"], 1), ("string", "x"), (["string", "null"], ""), ("string", None),
    ],
)  # fmt: skip
def test_a_bookmark_of_the_type_of_its_field_is_taken(kind, value):
    stream = planned(kind=kind)
    stream.stream_state["replication_key_value"] = value
    stream.plan(None)


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("integer", "ü5", '"ü5"'),
        ("number", True, "true"),
        (["null", "number"], "5", '"5"'),
        ("string", 5, "5"),
        ("string", True, "true"),
        ("string", Decimal("5.5"), '"5.5"'),
        (["string", "null"], ["x"], '["x"]'),
    ],
)
def test_a_bookmark_of_another_type_is_an_error(kind, value, shown):
    with pytest.raises(LookerError) as refusal:
        planned(value, kind=kind)
    assert str(refusal.value) == (
        f"The bookmark of mine in the state, {shown}, is not of the type of n: correct it, or take"
        " it out to read from the start."
    )


def test_a_field_of_which_the_schema_says_nothing_has_texts():
    stream = Stream(key="none", replication_key="none", replication_key_value="x")
    stream.plan(None)
    stream.schema["properties"]["none"] = {}
    stream.plan(None)


# ------------------------------------------------------------------------------ whose they are


def scoped(host=HOST, query=None, *, instance=None, **known):
    state = {"replication_key": "n", "replication_key_value": 5, **known}
    stream = Stream(instance=instance, **{key: one for key, one in state.items() if one is not ...})
    stream.plan(None)
    stream.check_scope(host, QUERY if query is None else query)
    return stream


@pytest.mark.parametrize("known", [{}, {"looker_host": HOST}, {"looker_query": SCOPE}])
def test_a_bookmark_of_this_query_on_this_host_is_taken(known, said):
    stream = scoped(**known)
    assert stream.stream_state == {
        "replication_key": "n", "replication_key_value": 5,
        "looker_host": HOST, "looker_query": SCOPE,
    }  # fmt: skip
    assert stream.read(4, 5, 6) == [6]
    assert not said()


def test_the_order_in_which_a_query_is_written_does_not_matter(said):
    scoped(query={"fields": ["n"], "model": "m"}, looker_query=SCOPE)
    assert not said()


@pytest.mark.parametrize(
    ("known", "instance", "owner"),
    [
        ({"looker_host": "old.example.com"}, None, "another instance (old.example.com)"),
        ({"looker_host": "old.example.com", "looker_query": "0"}, None,
         "another instance (old.example.com)"),
        ({"looker_host": HOST, "looker_query": "0"}, None, "another query of that name"),
        ({"looker_instance": "eu", "looker_host": "old.example.com"}, "us",
         "another instance (eu)"),
        ({"looker_instance": "eu"}, None, "another instance (eu)"),
        ({"looker_host": HOST}, "us", "an instance without a name"),
    ],
)  # fmt: skip
def test_a_bookmark_of_something_else_is_dropped(known, instance, owner, said):
    stream = scoped(instance=instance, **known)
    own = {"looker_instance": instance} if instance else {}
    assert stream.stream_state == {"looker_host": HOST, "looker_query": SCOPE, **own}
    assert stream.read(4) == [4]
    assert said() == [f"The bookmark of mine in the state belongs to {owner}: {START}"]


def test_the_first_run_notes_whose_its_bookmarks_will_be(said):
    nothing = {"replication_key": ..., "replication_key_value": ...}
    assert scoped(**nothing).stream_state == {"looker_host": HOST, "looker_query": SCOPE}
    stream = scoped(instance="us", **nothing)
    assert stream.stream_state["looker_instance"] == "us"
    stream = scoped(instance="us", looker_instance="us", looker_host=HOST)
    assert stream.stream_state["replication_key_value"] == 5
    assert not said()


def test_a_bookmark_beyond_the_newest_row_is_dropped(said):
    stream = scoped()
    stream.restart(3)
    assert stream.stream_state == {
        "replication_key": "n", "looker_host": HOST, "looker_query": SCOPE,
    }  # fmt: skip
    assert stream.read(1, 2) == [1, 2]
    assert said() == [
        "The bookmark of mine (5) is beyond the newest row of this instance (3), as after a"
        f" migration: {START}"
    ]
    stream.restart(3)


# ----------------------------------------------------------------------------------- how they move


def test_a_bookmark_moves_with_each_row_but_never_back():
    assert planned().read(1, 1, 2, None, 5) == [1, 1, 2, 5]
    assert planned(3).read(1, 2, 3, 3, 4, None, 5) == [4, 5]
    assert planned(key=None).read(1) == []


@pytest.mark.parametrize(
    "times",
    [
        ("2026-01-01T10:00:00Z", "2026-01-01T10:00:00.500000Z", "2026-01-01T10:00:01Z"),
        (Decimal("9.5"), 10, 11.5),
    ],
)
def test_times_and_numbers_are_compared_by_their_values(times):
    assert planned(kind="string").read(*times) == [*times]
    with pytest.raises(CutResultError) as refusal:
        planned(kind="string").read(*reversed(times))
    assert str(refusal.value) == "The rows are not in the requested order."


def test_a_bookmark_of_times_does_not_move_back_by_a_fraction():
    stream = planned("2026-01-01T10:00:00.500000Z", kind="string")
    assert stream.read("2026-01-01T10:00:00Z", "2026-01-01T10:00:00.500000Z") == []


@pytest.mark.parametrize(
    ("known", "values", "newest"),
    [
        (None, [2, 7, 5, 7, None], 7),
        (6, [2, 7, 5], 7),
        (9, [2, 7, 5], 9),
        (0, [-2], 0),
        ("2026-01-01T10:00:00Z", ["2026-01-01T10:00:00.5Z"], "2026-01-01T10:00:00.5Z"),
    ],
)
def test_where_rows_come_in_another_order_the_bookmark_moves_at_the_end(known, values, newest):
    kind = "string" if isinstance(known, str) else "integer"
    stream = AtEnd(kind=kind, **planned(known, kind=kind).stream_state)
    stream.plan(None)
    before = dict(stream.stream_state)
    stream.rows = [{"n": value} for value in values]
    for row in stream.get_records(None):
        assert not stream.moves_bookmark(row)
        assert stream.stream_state == before
    assert stream.stream_state == {"replication_key": "n", "replication_key_value": newest}


def test_nothing_moves_at_the_end_where_no_row_came_or_the_bookmark_moves_with_each():
    for stream in (AtEnd(), AtEnd(method="FULL_TABLE"), Stream()):
        stream.plan(None)
        stream.read(*([] if type(stream) is AtEnd and stream.is_sorted else [1]))
        assert stream.stream_state == {}


def test_rows_in_disorder_leave_the_bookmark_that_the_run_began_with():
    stream = scoped(looker_host=HOST)
    stream.stream_state["replication_key_value"] = 7
    error = CutResultError("The rows are not in the requested order.")
    stream.sync_failed(error)
    assert stream.stream_state == {
        "replication_key": "n", "replication_key_value": 5, "looker_host": HOST,
    }  # fmt: skip
    assert stream.failures == [("mine", error)]


def test_another_failure_leaves_the_bookmark_where_it_has_come_to():
    stream, error = planned(5), LookerError("gone")
    stream.stream_state["replication_key_value"] = 7
    stream.sync_failed(error)
    assert stream.stream_state["replication_key_value"] == 7
    stream = Stream(method="FULL_TABLE", version=1)
    stream.plan(None)
    stream.sync_failed(CutResultError("cut"))
    assert stream.stream_state == {"version": 1}


# ----------------------------------------------------------------------------- what a catalog asks


@pytest.mark.parametrize(
    ("own", "key", "method", "mistakes"),
    [
        ("n", "n", None, []),
        ("n", "n", "INCREMENTAL", []),
        ("n", None, "FULL_TABLE", []),
        (None, None, None, []),
        ("n", "other", "INCREMENTAL", ["other cannot be the replication key: only n can"]),
        ("n", "other", None, ["other cannot be the replication key: only n can"]),
        ("n", "other", "FULL_TABLE", []),
        (None, "other", None,
         ["other cannot be the replication key: its setting must name it"]),
        ("n", "none", "FULL_TABLE", ["replication-key: there is no property none"]),
        (None, "n", "FULL_TABLE", ["the replication key (n) is not selected"]),
        (None, None, "INCREMENTAL", ["INCREMENTAL needs a replication key"]),
    ],
)  # fmt: skip
def test_a_catalog_can_ask_for_the_streams_own_key_or_none(own, key, method, mistakes):
    stream = Stream(key=key)
    stream.forced_replication_method = method
    assert stream.mistakes_in_replication(own, ["other"]) == mistakes


def test_columns_that_are_never_null_say_so_in_the_schema():
    columns = [column("a.n", "number"), column("a.t", "string")]
    schema = schema_of(columns, ["a.n"])
    whole = schema_of(columns)
    assert whole["type"] == schema["type"] == "object"
    assert whole["properties"] == {one.name: one.schema for one in columns}
    number = columns[0].schema
    assert schema["properties"] == {
        "a_n": {**number, "type": number["type"][0]}, "a_t": columns[1].schema,
    }  # fmt: skip


# ----------------------------------------------------------------------------------------- batches


@pytest.fixture
def clock(monkeypatch):
    moment = [100.0]
    monkeypatch.setattr(incremental.time, "monotonic", lambda: moment[0])
    return moment


@pytest.mark.usefixtures("clock")
def test_batches_grow_up_to_a_bound():
    batches = list(in_batches(range(3_000)))
    assert [row for batch in batches for row in batch] == list(range(3_000))
    sizes = [len(batch) for batch in batches]
    assert sizes == [1, 2, 4, 8, 16, 32, 64, 128, 256, 500, 500, 500, 500, 489]


def test_a_row_waits_for_others_for_so_long(clock):
    def rows():
        for number in range(7):
            yield number
            clock[0] += incremental.MAX_WAIT / 2

    assert list(in_batches(rows())) == [[0], [1, 2], [3, 4, 5], [6]]


@pytest.mark.parametrize("count", [0, 1, 2, 3])
@pytest.mark.usefixtures("clock")
def test_rows_before_an_error_come_before_it(count):
    def broken():
        yield from range(count)
        raise LookerError("broken off")

    came = []

    def read():
        for batch in in_batches(broken()):
            came.extend(batch)

    with pytest.raises(LookerError, match="broken off"):
        read()
    assert came == list(range(count))


def test_a_reader_that_stops_closes_the_rows():
    closed = []

    def rows():
        try:
            yield from range(9)
        finally:
            closed.append(1)

    found = in_batches(rows())
    assert next(found) == [0]
    found.close()
    assert closed == [1]
