"""Plans of faults: nothing lost silently, nothing twice, and every run has an end.

A plan is a few faults, each a way to go wrong, at an endpoint, from some request on, once, in a
burst or for ever. Plans have numbers: ``plan(17)`` is the same on every machine. The tap runs
under each of them, and :func:`mistakes` compares what came out with a run in which nothing went
wrong.

    pytest tests/test_trust.py                     the fixed plans
    TRUST_PLANS=300 pytest tests/test_trust.py     more of them
    TRUST_PLANS=17-17 pytest tests/test_trust.py   one
    TRUST_DOCS=1 TRUST_PLANS=300 pytest tests/test_trust.py    and write the table of docs/faults.md

Retries are quick here, and time-outs short. What is measured is what came out, not how long it
took, but for the end that every plan has to come to.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import threading
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

import pytest
from support import COMMAND, Run, Runner, ended_within, run_cli, selecting, settings_of

from looker_emulator import Emulator, Fault
from looker_emulator.http.faults import KINDS as FAULTS
from tap_looker.looker import client, retry
from tap_looker.queries import execute

if TYPE_CHECKING:
    from collections.abc import Collection

    from looker_emulator.http.request import Call

PLANS, QUICK = 60, 20  # those beyond are marked slow
LIMIT = 30.0  # seconds for a plan; most take less than one
SOON = 10.0  # seconds from a signal to the end
DOCS = Path(__file__).parents[1] / "docs" / "faults.md"

ONCE, BURST, EVER = "once", "two or three times", "for ever"
OFTEN = (ONCE, BURST, EVER)

HISTORY = "system_activity_history"
LOOKS = {
    "orders_by_status": "Orders by status",  # as a task
    "orders": "Every order",  # as many as a cut result has, so that it is continued along its key
    "shipments": "Shipments of orders",  # a join that multiplies rows, without a key
    "sizes": "Orders by size and age",  # sorted by rank, which no filter can follow
    "lost": "Orders lost by day",  # calculations that need all rows, filled days and the total
}
RESULT, *STREAMED = LOOKS
DETAILS = {RESULT: {"run": "task"}, "sizes": {"primary_keys": ["orders.size", "users.age_tier"]}}
SETTINGS: dict[str, Any] = {
    "page_size": 5,
    "concurrency": 4,
    "request_timeout": 1,
    "max_retry_time": 4,
    "start_date": "2000-01-01",
    "activity_page_size": 25,
    "activity_lookback": 0,
}


# ------------------------------------------------------------------------------------------- plans


class Way(NamedTuple):
    """A way to go wrong: a fault of the emulator, with its details."""

    kind: str
    details: dict[str, Any] = {}  # noqa: RUF012 - never changed
    #: Names of the only endpoints it makes sense at.
    only: tuple[str, ...] = ()
    weight: float = 1  # how often it is drawn as a further fault


class Endpoint(NamedTuple):
    """Where it goes wrong."""

    path: str
    stream: str  # that it is read for
    calls: int  # in a clean run
    readers: tuple[str, ...] = ()  # streams that cannot be whole without it, besides
    method: str = "GET"
    each: bool = False  # asked for one item at a time
    containing: str = ""  # what the body of the request holds


LIST = "a list"
#: Where odd values and absent fields are tried, none of which is a key there.
ODD_AT = ("/queries/run/json", "/query_tasks/*/results", "/dashboards/search", "/looks/search")
NUMBERS = [
    *("orders.count", "orders.revenue", "orders.average_price", "orders.total_sale_price"),
    *("so_far", "history.runtime", "view_count"),
]
TIMES = ["orders.created_time", "history.created_time", "created_at", "deleted_at"]


UNREADABLE = ["3", "4"]  # whatever they are of; one of them may be in the trash


def odd(names: list[str], raw: str) -> Way:
    """JSON in place of the values of fields."""
    return Way("odd_values", {"names": names, "raw": raw}, ODD_AT)


def task(*says: str, ends: str | None = None) -> Way:
    """What is said of a query task, before it ends and then."""
    return Way("task", {"says": says, "ends": ends}, ("/query_tasks",))


ELSEWHERE = "Reading GET /roles/search in its place"

WAYS = {
    "HTTP 400": Way("status", {"status": 400}),
    "HTTP 401": Way("unauthorized"),
    "HTTP 401, all tokens revoked": Way("revoke"),
    "HTTP 403": Way("denied", {"status": 403}),
    "HTTP 404": Way("denied"),
    "HTTP 422": Way("status", {"status": 422}),
    "HTTP 429": Way("status", {"status": 429}),
    "HTTP 429, Retry-After in seconds": Way("status", {"status": 429, "retry_after": 1}),
    "HTTP 429, Retry-After as a date": Way("status", {"status": 429, "retry_after": "date"}),
    "HTTP 429, Retry-After in an hour": Way("status", {"status": 429, "retry_after": 3600}),
    "HTTP 429 for more than two requests at once": Way("busy", {"limit": 2}, ("*",)),
    "HTTP 503 for more than two requests at once, Retry-After in seconds": Way(
        "busy", {"limit": 2, "status": 503, "retry_after": 1}, ("*",), weight=0.4
    ),
    "HTTP 500": Way("status", {"status": 500}),
    "HTTP 502 with a page": Way("status", {"status": 502, "html": "<h1>Bad Gateway</h1>"}),
    "HTTP 503": Way("status", {"status": 503}),
    "HTTP 503, Retry-After in seconds": Way("status", {"status": 503, "retry_after": 0}),
    "HTTP 504": Way("status", {"status": 504}),
    "a redirect to a login page": Way("redirect"),
    "HTTP 200 with a proxy's page": Way("html"),
    "HTTP 200 with looker_error": Way("looker_error"),
    "HTTP 200 with another object": Way("wrong_shape", {"shape": "object"}),
    "HTTP 200 with strings": Way("wrong_shape", {"shape": "strings"}),
    "HTTP 200 with one string": Way("wrong_shape", {"shape": "string"}),
    "HTTP 200 with null": Way("wrong_shape", {"shape": "null"}),
    "the first page once more": Way("repeat_page", only=(LIST,)),
    "a row that cannot be rendered": Way("unreadable_rows", {"ids": UNREADABLE}, (LIST,)),
    "fields that are left out": Way("drop_nested", {"names": [*NUMBERS, *TIMES]}, ODD_AT[:2]),
    "NaN in place of numbers": odd(NUMBERS, "NaN"),
    '"n/a" in place of numbers': odd(NUMBERS, '"n/a"'),
    "the date 0000-00-00": odd(TIMES, '"0000-00-00 00:00:00"'),
    "a date after the year 9999": odd(TIMES, '"10000-01-01 00:00:00"'),
    "an hour 24": odd(TIMES, '"2026-01-31 24:00:00"'),
    "nested lists that are null": Way(
        "null_nested", {"names": ["dashboard_elements"]}, ("/dashboards/lookml/search",)
    ),
    "nested lists that are absent": Way(
        "drop_nested", {"names": ["dashboard_elements"]}, ("/dashboards/lookml/search",)
    ),
    "an error among the rows": Way(
        "looker_error", {"after_rows": 3}, ("/queries/run/json", "/query_tasks/*/results")
    ),
    "a query task that fails": task(ends="error"),
    "a query task that is killed": task(ends="killed"),
    "a query task that expires": task(ends="expired"),
    "a query task that is said to have expired while it runs": task("expired"),
    "a query task of unknown status for a while": task("Queued", "throttled"),
    "a query task of unknown status to the end": task(ends="lost"),
    "connection reset before the answer": Way("reset_before"),
    "connection reset in the headers": Way("reset_headers"),
    "connection reset in the body": Way("reset_body"),
    "body shorter than its length": Way("truncate_length"),
    "body cut, no length given": Way("truncate_chunked"),
    "body empty, no length given": Way("truncate_chunked", {"sent": 0}),
    "body without its last byte": Way("truncate_chunked", {"sent": 0.9999}),
    "gzip broken": Way("bad_gzip"),
    "gzip cut": Way("bad_gzip", {"truncated": True}),
    "never an answer": Way("silence", weight=0.4),
    "a slow answer": Way("slow", {"seconds": 0.3}, weight=0.4),
    "a body that drips": Way("drip", {"seconds": 0.5}, weight=0.4),
    # So slowly that not even a row comes in time: rows that do come would be waited for.
    "a body that drips without an end": Way("drip", {"seconds": 600, "pieces": 3000}, weight=0.4),
    "latency": Way("latency", {"ms": 50}),
}
ENDPOINTS = (
    Endpoint("/dashboard_elements/search", "dashboard_elements", 13, ("queries",)),
    Endpoint("/dashboards/lookml/search", "lookml_dashboards", 1, ("queries",)),
    Endpoint("/dashboards/search", "dashboards", 4),
    Endpoint("/folders/search", "folders", 6),
    Endpoint("/groups/search/with_hierarchy", "groups", 1),
    Endpoint("/looks/search", "looks", 7, ("queries",)),
    Endpoint("/lookml_models", "lookml_models", 1, ("explores",)),
    Endpoint("/projects", "projects", 1),
    Endpoint("/roles/search/with_user_count", "roles", 1),
    Endpoint("/users/search", "users", 3, ("user_sessions",)),
    Endpoint("/folders/*/looks", "queries", 5, each=True),
    Endpoint("/lookml_models/*/explores/*", "explores", 14, (*LOOKS,), each=True),
    Endpoint("/users/*/sessions", "user_sessions", 11, each=True),
    Endpoint("/queries/run/json", HISTORY, 3, method="POST", containing="history.id"),
    Endpoint("/queries/run/json", "orders", 2, method="POST", containing="orders.note"),
    Endpoint("/queries/run/json", "shipments", 1, method="POST", containing="shipments.carrier"),
    Endpoint("/queries/run/json", "sizes", 1, method="POST", containing="users.age_tier"),
    Endpoint("/queries/run/json", "lost", 1, method="POST", containing="running_total"),
    Endpoint("/looks/*[0-9]", RESULT, 5, (*STREAMED,)),
    Endpoint("/queries", RESULT, 1, method="POST"),
    Endpoint("/query_tasks", RESULT, 1, method="POST"),
    Endpoint("/query_tasks/" + "?" * 32, RESULT, 2),
    Endpoint("/query_tasks/*/results", RESULT, 1),
)
LOGIN = Endpoint("/login", "", 1, method="POST")
LOGOUT = Endpoint("/logout", "", 1, method="DELETE")
EVERYWHERE = Endpoint("*", "", 20, method="*")
WITHOUT_ROWS = ("/queries", "/query_tasks", "/query_tasks/" + "?" * 32)  # nothing to put it among
#: What may be the fault of one item: a refusal, an error, or that it takes too long.
SKIPPED_FOR = re.compile(r"HTTP (4\d\d|50[024]|52[0-4])\b|did not (answer|come) in time")
STREAMS = tuple(dict.fromkeys(endpoint.stream for endpoint in ENDPOINTS))


@dataclass
class Planned:
    """One fault of a plan."""

    name: str
    endpoint: Endpoint
    after: int
    often: str
    times: int | None

    def fault(self) -> Fault:
        """The fault, for an emulator."""
        kind, details = WAYS[self.name].kind, dict(WAYS[self.name].details)
        if details.get("retry_after") == "date":
            moment = datetime.now(UTC) + timedelta(seconds=1)
            details["retry_after"] = format_datetime(moment, usegmt=True)
        path, method = self.endpoint.path, self.endpoint.method
        details["containing"] = self.endpoint.containing
        return Fault(kind, path, method, self.after, self.times, **details)


def plan(number: int) -> list[Planned]:
    """The faults of the plan of that number; the first of them is sure to fire.

    The first goes through all ways in turn, so that every way is the first of some plan. The
    others are drawn; none is at an endpoint that the first one's depends on.
    """
    chance = random.Random(number)  # noqa: S311
    turn, way = divmod(number, len(WAYS))
    names = list(WAYS)
    endpoint = chance.choice(_fitting(names[way], [*ENDPOINTS, LOGIN, LOGOUT, EVERYWHERE]))
    first = _planned(chance, names[way], endpoint, OFTEN[(way + turn) % len(OFTEN)])
    found = [first]
    others = [
        one
        for one in [*ENDPOINTS, LOGIN, EVERYWHERE]
        if one != endpoint
        and endpoint.stream not in (*one.readers, one.stream)
        and (one is not LOGIN or first.after)
    ]
    for _ in range(chance.choice((0, 1, 1, 2, 2, 3))):
        (name,) = chance.choices(names, [one.weight for one in WAYS.values()])
        fitting = _fitting(name, others)
        if not fitting or ("401" in name and any("401" in one.name for one in found)):
            continue
        other = chance.choice(fitting)
        others.remove(other)
        often = ONCE if "401" in name or other is LOGIN else chance.choice(OFTEN)
        found.append(_planned(chance, name, other, often))
    return found


def _fitting(name: str, endpoints: list[Endpoint]) -> list[Endpoint]:
    way = WAYS[name]
    lists = [one for one in endpoints if "/search" in one.path]
    if way.only == (LIST,):
        return [one for one in lists if one.calls > 1]
    if way.kind == "looker_error" and not way.only:
        endpoints = [one for one in endpoints if one.path not in WITHOUT_ROWS]
    if not way.only:
        return [one for one in endpoints if one is not EVERYWHERE]
    return [one for one in endpoints if one.path in way.only]


def _planned(chance: random.Random, name: str, endpoint: Endpoint, often: str) -> Planned:
    after = chance.randrange(endpoint.calls)
    # The first page is no fault where it belongs: first, and first in the trash. A row that cannot
    # be rendered is on it. And too many requests at once are fewer than requests.
    fixed = {"repeat_page": 1, "unreadable_rows": 0, "busy": after % 2}
    after = fixed.get(WAYS[name].kind, after)
    times = {ONCE: 1, BURST: chance.choice((2, 3)), EVER: None}[often]
    return Planned(name, endpoint, after, often, times)


def chosen() -> range:
    """The numbers of the plans to run: ``TRUST_PLANS`` of them, or from one to another."""
    given = os.environ.get("TRUST_PLANS") or str(PLANS)
    if "-" in given:
        start, end = map(int, given.split("-"))
        return range(start, end + 1)
    return range(int(given))


# -------------------------------------------------------------------------------------------- runs


@contextmanager
def an_emulator():
    """The smallest instance that has a few pages of most things; always the same content."""
    with Emulator(0.5, activity_rows=60, task_polls=1, latency_ms=2) as emulator:
        # Which queries were run is made up of those that there are: not of those the tap saves.
        emulator.sql("SELECT count(*) FROM sa_history")
        for name in ("orders", "users", "shipments"):  # which take time to make, and time-outs less
            emulator.sql(f"SELECT count(*) FROM store_{name}")  # noqa: S608
        yield emulator


def settings(emulator: Emulator) -> dict[str, Any]:
    looks = [
        {"id": emulator.look_id(title), "name": name, **DETAILS.get(name, {})}
        for name, title in LOOKS.items()
    ]
    return {**SETTINGS, "looks": looks}


@dataclass
class Clean:
    """What every plan is compared with, and the catalog of all of them."""

    run: Run
    catalog: dict[str, Any]
    calls: list[Call]
    keys: dict[str, list[str]] = field(default_factory=dict)

    def key(self, stream: str, record: dict[str, Any]) -> tuple[Any, ...]:
        """What makes a record of a stream unique."""
        return tuple(record[name] for name in self.keys[stream]) or (json.dumps(record),)


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Clean:
    folder = tmp_path_factory.mktemp("clean")
    with pytest.MonkeyPatch.context() as patch, an_emulator() as emulator:
        quicken(patch)
        config = folder / "config.json"
        config.write_text(json.dumps(settings_of(emulator, **settings(emulator))))
        catalog = json.loads(run_cli("--config", str(config), "--discover").stdout)
        catalog["streams"] = [
            entry for entry in catalog["streams"] if entry["tap_stream_id"] in STREAMS
        ]
        for entry in catalog["streams"]:
            for item in entry["metadata"]:
                if not item["breadcrumb"]:
                    item["metadata"]["selected"] = True
        emulator.reset_calls()
        run = Runner(emulator, folder)(catalog=catalog, **settings(emulator)).succeeded()
        calls = list(emulator.calls)
    keys = {entry["tap_stream_id"]: entry["key_properties"] for entry in catalog["streams"]}
    return Clean(run, catalog, calls, keys)


def quicken(patch: pytest.MonkeyPatch) -> None:
    """Wait as often as ever, but not as long."""
    patch.setattr(retry, "FIRST_BACKOFF", 0.01)
    patch.setattr(client, "MAX_BODY_TIMEOUTS", 1)
    patch.setattr(execute, "MAX_POLL_INTERVAL", 0.01)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    quicken(monkeypatch)


# ------------------------------------------------------------------------------------- the verdict


@dataclass
class Verdict:
    """A run under faults, held against the clean one."""

    run: Run
    clean: Clean
    emulator: Emulator
    plan: list[tuple[Planned, Fault]] = field(default_factory=list)

    def odd(self, stream: str) -> dict[str, str]:
        """Columns of a stream in which there were odd values, or none, and their fields."""
        return {
            name.replace(".", "_"): name
            for one, fault in self.plan
            if fault.kind in ("odd_values", "drop_nested") and fault.fired
            if one.endpoint.stream == stream
            for name in fault["names"]
        }

    @property
    def failed(self) -> dict[str, str]:
        """Streams that the summary names, and why they failed."""
        return dict(re.findall(r"^Failed (\S+): (.*)$", "\n".join(self.run.errors), re.MULTILINE))

    @property
    def skipped(self) -> list[tuple[str, str]]:
        """Items that were left out with a warning: the stream, and what was said."""
        found = (re.match(r"(\w+): one skipped: (.*)", line) for line in self.run.warnings)
        return [(one[1], one[2]) for one in found if one]

    def mistakes(self) -> list[str]:
        """Every promise that this run did not keep."""
        return [
            *self._of_the_exit(),
            *self._of_the_output(),
            *self._of_the_state(),
            *self._of_skipped_items(),
            *(mistake for stream in STREAMS for mistake in self._of_nulls(stream)),
            *(mistake for stream in STREAMS for mistake in self._of_stream(stream)),
        ]

    def _of_the_exit(self):
        run = self.run
        if run.exit_code not in (0, 1):
            yield f"exit code {run.exit_code}"
        if bool(run.errors) != bool(run.exit_code):
            yield f"exit code {run.exit_code} with {len(run.errors)} errors"
        if "Traceback" in run.stderr:
            yield "a traceback: " + run.stderr.partition("Traceback")[2][-600:]
        if self.emulator.client_secret in run.stdout + run.stderr:
            yield "the client secret was printed"
        tokens = [call.token for call in self.emulator.calls if call.token]
        if any(token in run.stdout + run.stderr for token in tokens):
            yield "a token was printed"
        # Where the last token had been revoked there was nothing to end.
        good = tokens and self.emulator.accepts(tokens[-1])
        if good and not self.emulator.count("/logout", "DELETE"):
            yield "did not log out"
        if not tokens and (run.schemas or run.records):
            yield "messages without a login"

    def _of_the_output(self):
        known = set()
        for message in self.run.messages:
            if message["type"] == "SCHEMA":
                known.add(message["stream"])
            elif message["type"] == "RECORD" and message["stream"] not in known:
                yield f"{message['stream']}: a RECORD before its SCHEMA"
        if self.run.messages and not self.run.states:
            yield "no STATE"

    def _of_the_state(self):
        """The bookmark of the one incremental stream is that of the last record before it."""
        written = None
        for message in self.run.messages:
            if message["type"] == "RECORD" and message["stream"] == HISTORY:
                written = message["record"]["history_id"]
            if message["type"] == "STATE":
                bookmark = message["value"].get("bookmarks", {}).get(HISTORY, {})
                for name, value in bookmark.items():
                    if name == "replication_key_value" and (written is None or value > written):
                        yield f"state at {value}, records at {written}"
                    if name == "progress_markers" and value:
                        yield "a sorted stream with progress markers"

    def _of_skipped_items(self):
        counted = Counter(stream for stream, _ in self.skipped)
        for stream, count in counted.items():
            if f"{stream}: {count} item(s) skipped, see the warnings above." not in (
                self.run.warnings
            ):
                yield f"{stream}: {count} items skipped, and not so in the summary"
        for stream, said in self.skipped:
            if not SKIPPED_FOR.search(said):
                yield f"{stream}: an item was skipped for what is no fault of its own: {said}"

    def _expected(self, stream: str) -> list[dict[str, Any]]:
        rows = self.clean.run.records[stream]
        if stream == "roles" and any(ELSEWHERE in line for line in self.run.warnings):
            return [{k: v for k, v in row.items() if k != "user_count"} for row in rows]
        return rows

    def _of_stream(self, stream: str):
        mine = self.run.records.get(stream, [])
        whole = self._expected(stream)
        keys = [self.clean.key(stream, record) for record in mine]
        if len(set(keys)) < len(keys):
            yield f"{stream}: records twice"
        if stream in self.failed:
            if not mine and stream in self.run.schemas:
                yield f"{stream}: failed without a record, and wrote a SCHEMA"
            mine, whole = (self._comparable(stream, rows) for rows in (mine, whole))
            if not _is_part_of(mine, whole, self.odd(stream)):
                yield f"{stream}: failed, and its records are no part of the clean ones"
            return
        if self._not_logged_in():
            if stream in self.run.schemas:
                yield f"{stream}: a SCHEMA without a login"
            return
        if stream not in self.run.schemas:
            yield f"{stream}: no SCHEMA, and not named"
        lost = self._lost(stream)
        read = {one.stream for one in ENDPOINTS if stream in (one.stream, *one.readers)}
        if not any(name in read for name, _ in self.skipped):
            if not _is_same(mine, whole, self.odd(stream)):
                yield f"{stream}: {_difference(mine, whole)}, and not named"
            return
        if stream == "queries":  # whose order is that in which others mention them
            mine, whole = (sorted(rows, key=lambda row: row["id"]) for rows in (mine, whole))
        expected = [one for one in whole if self.clean.key(stream, one) not in lost]
        mine, expected = (self._comparable(stream, rows) for rows in (mine, expected))
        if mine != expected:
            yield f"{stream}: {_difference(mine, expected)} besides what was skipped"

    def _nulls(self, stream: str) -> set[str]:
        """Columns of a stream that was read whole and has lost values."""
        mine, whole = self.run.records.get(stream, []), self.clean.run.records.get(stream, [])
        return {
            name
            for name in self.odd(stream)
            for one, other in zip(mine, whole, strict=False)
            if one.get(name) is None and other.get(name) is not None
        }

    def _of_nulls(self, stream: str):
        said = [line for line in self.run.warnings if line.startswith(f"{stream}: ")]
        for name in self._nulls(stream) if stream not in self.failed else ():
            if not any(self.odd(stream)[name] in line for line in said):
                yield f"{stream}: {name} is null, and nothing is said of it"

    def _not_logged_in(self) -> bool:
        return self.run.exit_code == 1 and not self.failed

    def _paths(self, stream: str) -> list[list[str]]:
        """The segments of the paths of skipped items."""
        paths = [said.split()[1].rstrip(":") for name, said in self.skipped if name == stream]
        return [[unquote(part) for part in path.split("/")[1:]] for path in paths]

    def _comparable(self, stream: str, records: list[Any]) -> list[Any]:
        """Records without what skipped items would have put into them."""
        bare = {path[1] for path in self._paths("lookml_dashboards")}
        if stream != "lookml_dashboards" or not bare:
            return records
        return [
            {**record, "dashboard_elements": None} if record["id"] in bare else record
            for record in records
        ]

    def _lost(self, stream: str) -> set[tuple[Any, ...]]:
        """The keys of the records that belong to skipped items, and to nothing else."""
        paths = self._paths(stream)
        if stream == "user_sessions":
            users = {path[1] for path in paths} | self._unreadable("users")
            return {
                self.clean.key(stream, record)
                for record in self.clean.run.records[stream]
                if record["user_id"] in users
            }
        if stream == "explores":
            return {(f"{path[1]}::{path[3]}",) for path in paths}
        if stream == "queries":
            instance = self.emulator.instance
            # The queries of a folder that is refused are asked for one by one.
            refused = {path[1] for path in paths if path[0] == "queries"}
            bare = {path[1] for path in self._paths("lookml_dashboards")}
            kept = {
                str(holder.get("query_id"))
                for tiles in (
                    instance.dashboard_elements,
                    *(
                        one["dashboard_elements"]
                        for one in instance.lookml_dashboards
                        if one["id"] not in bare
                    ),
                )
                for tile in tiles
                if tile["id"] not in self._unreadable("dashboard_elements")
                for holder in (tile, tile.get("look") or {}, tile.get("result_maker") or {})
            } | {
                str(look["query_id"])
                for look in instance.looks
                if not look["deleted"] and look["id"] not in self._unreadable("looks")
            }
            ids = {record["id"] for record in self.clean.run.records[stream]}
            return {(one,) for one in ids - (kept - refused)}
        return {(id_,) for id_ in self._unreadable(stream)}

    def _unreadable(self, stream: str) -> set[str]:
        """Rows of a list that could not be rendered, if as many were said to be skipped."""
        came = {record.get("id") for record in self.run.records.get(stream, [])}
        whole = {record.get("id") for record in self.clean.run.records[stream]}
        gone = whole.intersection(UNREADABLE) - came
        said = [path for path in self._paths(stream) if path[-1] == "search"]
        return gone if len(said) == len(gone) else set()

    def outcome(self, planned: Planned, fault: Fault) -> str:
        """What became of one fault, in the words of the table; "not met" is not counted."""
        if not fault.fired or planned.endpoint is LOGOUT:  # which is of no consequence
            return "not met"
        if planned.endpoint is EVERYWHERE:
            return "survived"  # or a stream has failed that no fault was meant for
        if self._not_logged_in() and (planned.endpoint is LOGIN or "401" in planned.name):
            return "the run fails"
        if planned.endpoint is LOGIN and any("/login" in one for one in self.failed.values()):
            return "the stream fails"
        stream, pattern = planned.endpoint.stream, planned.endpoint.path
        if fault.kind == "task":  # it shows when the task is looked at
            pattern += "*"
        for name, said in self.failed.items():
            paths = re.findall(r"\b(?:GET|POST|DELETE) (/[^\s:]+(?:::[^\s:]+)*)", said)
            if any(fnmatchcase(unquote(path), pattern) for path in paths) or (
                name in (stream, *planned.endpoint.readers) and not paths
            ):
                return "the stream fails"
        if stream in self.failed:
            return "not met"  # another fault was worse
        return self._survived_as(planned, fault)

    def _survived_as(self, planned: Planned, fault: Fault) -> str:
        """What became of a fault that failed no stream."""
        stream = planned.endpoint.stream
        if fault.kind in ("odd_values", "drop_nested") and self._nulls(stream):
            return "null, with a warning"
        if (planned.endpoint.each or fault.kind == "unreadable_rows") and any(
            name == stream and fnmatchcase(unquote(said.split()[1]).rstrip(":"), fault.path)
            for name, said in self.skipped
        ):
            return "items skipped"
        if any("Reading GET /dashboards in its place" in line for line in self.run.warnings) and (
            planned.endpoint.path == "/dashboards/lookml/search"
        ):
            return "read elsewhere"
        return "survived"


def _is_part_of(some: list[Any], whole: list[Any], nulls: Collection[str] = ()) -> bool:
    """Whether a list is another one with some items left out, and with some nulls."""
    rest = iter(whole)
    return all(any(_is_same(one, other, nulls) for other in rest) for one in some)


def _is_same(value: Any, other: Any, nulls: Collection[str]) -> bool:
    """Whether a value is another one, with some properties null in place of their values."""
    if not nulls or type(value) is not type(other):
        return value == other
    if isinstance(value, list):
        return len(value) == len(other) and all(
            _is_same(*pair, nulls) for pair in zip(value, other, strict=True)
        )
    if isinstance(value, dict):
        return value.keys() == other.keys() and all(
            (name in nulls and value[name] is None) or _is_same(value[name], other[name], nulls)
            for name in value
        )
    return value == other


def _difference(mine: list[Any], whole: list[Any]) -> str:
    if len(mine) != len(whole):
        return f"{len(mine)} records in place of {len(whole)}"
    place = next(n for n, pair in enumerate(zip(mine, whole, strict=True)) if pair[0] != pair[1])
    differing = [
        name
        for name in {**mine[place], **whole[place]}
        if mine[place].get(name) != whole[place].get(name)
    ]
    return f"record {place} differs in {', '.join(differing)[:200]}"


# -------------------------------------------------------------------------------------- the table


class Table:
    """What became of every fault that fired: a way to go wrong, how often, the outcome."""

    def __init__(self) -> None:
        self.cells: dict[str, dict[str, Counter[str]]] = {
            name: defaultdict(Counter) for name in WAYS
        }

    def add(self, planned: Planned, outcome: str) -> None:
        if outcome != "not met":
            self.cells[planned.name][planned.often][outcome] += 1

    def lines(self) -> list[str]:
        """As Markdown."""
        found = [
            "| What goes wrong | " + " | ".join(OFTEN) + " |",
            "| --- | " + " | ".join("---" for _ in OFTEN) + " |",
        ]
        for name, cells in self.cells.items():
            texts = []
            for often in OFTEN:
                counts = sorted(cells[often].items(), key=lambda item: (-item[1], item[0]))
                texts.append(", ".join(f"{outcome} {count}" for outcome, count in counts) or "-")
            found.append(f"| {name} | {' | '.join(texts)} |")
        return found


@pytest.fixture(scope="module")
def table():
    """Printed at the end (``-s`` shows it), and written where ``TRUST_DOCS`` asks for it."""
    table = Table()
    yield table
    print("\n" + "\n".join(table.lines()))  # noqa: T201
    if os.environ.get("TRUST_DOCS"):
        write_docs(table.lines())


def write_docs(lines: list[str]) -> None:
    """Put the table into docs/faults.md."""
    text = DOCS.read_text("utf-8")
    new = "\n".join(["<!-- begin faults -->", "", *lines, "", "<!-- end faults -->"])
    text = re.sub(
        r"<!-- begin faults -->.*<!-- end faults -->", lambda _: new, text, flags=re.DOTALL
    )
    DOCS.write_text(text, encoding="utf-8")


# --------------------------------------------------------------------------------------- the tests


def carried_out(number, clean, folder):
    """The run of a plan, the faults it met, and what was promised and not kept."""
    planned = plan(number)
    with an_emulator() as emulator:
        arguments = {"catalog": clean.catalog, **settings(emulator)}
        faults = [emulator.add_fault(one.fault()) for one in planned]
        with ended_within(LIMIT):
            run = Runner(emulator, folder)(**arguments)
        verdict = Verdict(run, clean, emulator, list(zip(planned, faults, strict=True)))
        found = verdict.mistakes()
        for one, fault in zip(planned, faults, strict=True):
            # One that did not fire was at an endpoint that was not asked so often.
            if not fault.fired and fault.seen > fault.after:
                found.append(f"{fault} was due and did not fire")
            if one.endpoint.stream in verdict.failed and not verdict.failed[one.endpoint.stream]:
                found.append(f"{one.endpoint.stream} failed without a reason")
        outcomes = [verdict.outcome(*one) for one in zip(planned, faults, strict=True)]
        if not faults[0].fired and "the run fails" not in outcomes:  # without a login, before it
            found.append(f"{faults[0]}, the first of the plan, did not fire")
        found += unconcerned_that_failed(planned, verdict)
        emulator.clear_faults()
        if HISTORY in verdict.failed:
            with ended_within(LIMIT):
                resumed = Runner(emulator, folder)(state=run.states[-1], **arguments)
            ids = {
                record["history_id"]
                for one in (run, resumed)
                for record in one.records.get(HISTORY, [])
            }
            if ids != {record["history_id"] for record in clean.run.records[HISTORY]}:
                found.append(f"{HISTORY}: a run that goes on from the state leaves a gap")
    return verdict, found


def unconcerned_that_failed(planned, verdict):
    """A stream fails only where something that it reads went wrong."""
    if any("401" in one.name or one.endpoint is LOGIN for one in planned):
        return []  # what is done to a token is done to all
    concerned = {name for one in planned for name in (one.endpoint.stream, *one.endpoint.readers)}
    return [f"{name} failed for nothing" for name in verdict.failed if name not in concerned]


@pytest.mark.parametrize(
    "number",
    [pytest.param(one, marks=[pytest.mark.slow] if one >= QUICK else []) for one in chosen()],
)
def test_a_plan(number, clean, table, tmp_path):
    verdict, found = carried_out(number, clean, tmp_path)
    for one, fault in verdict.plan:
        table.add(one, verdict.outcome(one, fault))
    told = [f"  {one}: fired {fault.fired} of {fault.seen}" for one, fault in verdict.plan]
    assert not found, "\n".join([f"plan {number}:", *told, *found, *verdict.run.errors])


def test_plans_have_numbers():
    assert [repr(plan(number)) for number in range(9)] == [repr(plan(n)) for n in range(9)]
    assert len({repr(plan(number)) for number in range(300)}) > 290


def test_every_way_to_go_wrong_is_the_first_of_a_fixed_plan():
    """And the first one of a plan has to fire: see `carried_out`."""
    assert {plan(number)[0].name for number in range(PLANS)} == WAYS.keys()
    assert {way.kind for way in WAYS.values()} == set(FAULTS)
    assert {plan(number)[0].often for number in range(PLANS)} == set(OFTEN)


@pytest.mark.parametrize("endpoint", [*ENDPOINTS, LOGIN, LOGOUT], ids=lambda one: one.path)
def test_endpoints_are_asked_as_often_as_the_plans_think(clean, endpoint):
    fault = Fault("latency", endpoint.path, endpoint.method, containing=endpoint.containing)
    met = [fault.meets(call.method, call.path, call.body) for call in clean.calls]
    assert sum(met) == endpoint.calls


@pytest.mark.parametrize("calls", [0, 1, 20, 50])
def test_an_instance_that_goes_away_in_the_middle(calls, clean, tmp_path):
    """From some call on every connection is refused: no plan of the emulator can do that."""
    emulator = Emulator(0.5, activity_rows=60, task_polls=1, latency_ms=5)
    emulator.start()
    emulator.sql("SELECT count(*) FROM sa_history")
    arguments = {"catalog": clean.catalog, **settings(emulator)}

    def stop():
        wait_for(lambda: len(emulator.calls) > calls)
        emulator.stop()

    watch = threading.Thread(target=stop)
    watch.start()
    with ended_within(LIMIT):
        run = Runner(emulator, tmp_path)(**arguments)
    watch.join()
    assert run.exit_code == 1
    found = [one for one in Verdict(run, clean, emulator).mistakes() if one != "did not log out"]
    assert not found, "\n".join([*found, *run.errors])


@pytest.mark.parametrize("header", [True, False], ids=["total told", "no total told"])
@pytest.mark.parametrize("path", [one.path for one in ENDPOINTS if "/search" in one.path])
def test_a_page_that_repeats_for_ever_is_never_the_end_of_a_list(path, header, tmp_path):
    (stream,) = [one.stream for one in ENDPOINTS if one.path == path]
    with Emulator(total_count_header=header) as emulator:
        fault = emulator.add_fault(Fault("repeat_page", path, after=1, times=None))
        run = Runner(emulator, tmp_path)(catalog=selecting(stream), page_size=3)
    assert fault.fired
    assert run.exit_code == 1, f"{len(run.records[stream])} records, and a success"
    assert any(error.startswith(f"Failed {stream}: ") for error in run.errors)


def wait_for(condition):
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


# ----------------------------------------------------------------------------- signals and faults


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [1000, 1003, 1009, 1021])
def test_a_signal_in_the_middle_of_a_plan(number, clean, tmp_path):
    chance = random.Random(number)  # noqa: S311
    with an_emulator() as emulator:
        for one in plan(number):
            emulator.add_fault(one.fault())
        moment = chance.randrange(2, 40)
        arguments = Runner(emulator, tmp_path).arguments(
            catalog=clean.catalog, **settings(emulator)
        )
        # A pipe that nobody reads would hold it up.
        with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
            process = subprocess.Popen([COMMAND, *arguments], stdout=out, stderr=err)
            wait_for(lambda: len(emulator.calls) >= moment or process.poll() is not None)
            over = process.poll() is not None
            process.send_signal(signal.SIGTERM)
            process.wait(SOON)
        assert not over, "it was over before the signal"
        output = [(tmp_path / name).read_text("utf-8") for name in ("out", "err")]
        run = Run(process.returncode, *output)
        verdict = Verdict(run, clean, emulator)
        told = f"{plan(number)} at {moment} calls: {run.stderr[-2000:]}"
        assert run.exit_code == 128 + signal.SIGTERM, told
        assert "Traceback" not in run.stderr, told
        assert emulator.count("/logout", "DELETE") == emulator.count("/login", "POST") > 0, told
        found = [*verdict._of_the_output(), *verdict._of_the_state()]
        assert not found, f"{found} {told}"
        for stream, records in run.records.items():
            assert _is_part_of(records, clean.run.records[stream]), f"{stream}: {told}"
