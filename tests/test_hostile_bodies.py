"""Bodies, headers, names and files that are not what they should be.

Whatever comes, a run ends, its output is whole lines of JSON whose records fit their schema, and
what could not be read is one line that names the stream: never a traceback.

`Between` is a server between the tap and the emulator that changes what passes.
"""

from __future__ import annotations

import gzip
import http.client
import itertools
import json
import random
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as bounds
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from support import DEADLINE, Run, Runner, catalog, ended_within, finished, run_cli, selecting

from looker_emulator import Emulator
from tap_looker.looker import response
from tap_looker.resources.table import BY_NAME, RESOURCES

API = "/api/4.0"
LIMIT = 30.0  # seconds for a run
LONGEST_LINE = 10_000  # characters of the log: an address can be long

pytestmark = pytest.mark.usefixtures("_quick_retries")


# ---------------------------------------------------------------------------------- in between


class Between(ThreadingHTTPServer):
    """Passes requests on to an emulator, and its answers back as :attr:`change` makes them.

    Attributes:
        change: Of a path below the API and a body makes another body.
        headers: Added to the answers of GET.
        paths: What was asked for, as it was sent.
        real: Of a segment of a path makes the one to ask the emulator for.
        status: Of the answers of GET that are changed.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.emulator = emulator
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.client_id, self.client_secret = emulator.client_id, emulator.client_secret
        self.upstream = urlsplit(emulator.url).netloc
        self.local = threading.local()
        self.paths: list[str] = []
        self.reset()

    def reset(self) -> None:
        """Change nothing, and forget what was asked for."""
        self.change: Any = lambda path, body: body  # noqa: ARG005
        self.real: Any = lambda segment: segment
        self.headers: dict[str, str] = {}
        self.status: int | None = None
        self.paths.clear()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients that hang up are nobody's business."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Between

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, mark, query = self.path.partition("?")
        first, *parts = path.split("/")
        parts = [quote(self.server.real(unquote(part)), safe="") for part in parts]
        real = "/".join([first, *parts])
        if not hasattr(self.server.local, "upstream"):
            self.server.local.upstream = http.client.HTTPConnection(self.server.upstream)
        upstream = self.server.local.upstream
        headers = {
            name: text
            for name, text in self.headers.items()
            if name.lower() in ("authorization", "content-type")
        }
        upstream.request(self.command, real + mark + query, body or None, headers)
        answer = upstream.getresponse()
        found, status = answer.read(), answer.status
        total = answer.headers.get("X-Total-Count")
        sent = {"X-Total-Count": total} if total else {}
        login = path.endswith("/login")
        if not login:
            self.server.paths.append(self.path)
        if self.command != "DELETE" and status < 300:
            changed = self.server.change(unquote(path).removeprefix(API), found)
            if changed is not found:
                found, status = changed, self.server.status or status
                sent |= self.server.headers
        self.send_response_only(status)
        for name, text in {"Content-Length": str(len(found)), **sent}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(found)

    do_GET = do_POST = do_DELETE = _pass_on  # noqa: N815


@pytest.fixture(scope="module")
def shared_between():
    # Hypothesis runs many examples in one test: they share what costs time to start.
    with Emulator(0.1) as emulator:
        server = Between(emulator)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
        server.server_close()


@pytest.fixture
def between(shared_between):
    shared_between.reset()
    return shared_between


@pytest.fixture
def hostile_run(between, tmp_path):
    """`hostile_run(streams)` runs the tap against what `between` sends."""

    def hostile_run(*streams: str, **settings: Any) -> Run:
        with ended_within(LIMIT):
            return Runner(between, tmp_path)(
                catalog=selecting(*streams),
                **{"page_size": 10_000, "request_timeout": 2, **settings},
            )

    return hostile_run


# ---------------------------------------------------------------------------------- the verdict


def assert_sound(run: Run, *streams: str) -> dict[str, list[Any]]:
    """Valid records or one line that names the stream; nothing else. The records by stream."""
    log = run.stderr.split("\n")
    told = "\n".join(line for line in log if "| INFO " not in line)[-3000:]
    assert run.exit_code in (0, 1), told
    assert "Traceback" not in run.stderr, told
    assert run.stdout.endswith("\n") or not run.stdout
    for line in log[:-1]:
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \| ", line), line[:300]
        assert len(line) < LONGEST_LINE, line[:300]
    messages = [strict(line) for line in run.stdout.split("\n")[:-1]]
    validators = {
        message["stream"]: Draft7Validator(message["schema"])
        for message in messages
        if message["type"] == "SCHEMA"
    }
    records: dict[str, list[Any]] = {stream: [] for stream in streams}
    for message in messages:
        if message["type"] == "RECORD":
            record, validator = message["record"], validators[message["stream"]]
            records[message["stream"]].append(record)
            wrong = next(validator.iter_errors(record), None)
            assert wrong is None, f"{message['stream']}: {wrong.json_path}: {wrong.message[:300]}"
            assert_times(record, validator.schema, message["stream"])
            for key in BY_NAME[message["stream"]].keys:
                assert record[key] is not None
    failed = [re.match(r"Failed (\w+): ", error) for error in run.errors]
    failed = {one[1] for one in failed if one}
    assert bool(failed) == bool(run.exit_code), told
    assert failed <= set(streams)
    for stream in streams:
        assert stream in failed or stream in validators, f"{stream}: not a word of it"
    return records


def strict(line: str) -> Any:
    """JSON as RFC 8259 has it."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    return json.loads(line, parse_constant=refuse)


def assert_times(value: Any, schema: dict[str, Any], where: str) -> None:
    """Times are times: targets parse them."""
    if isinstance(value, dict):
        for name, item in value.items():
            below = schema.get("properties", {}).get(name)
            if below:
                assert_times(item, below, f"{where}.{name}")
    elif isinstance(value, list):
        for item in value:
            assert_times(item, schema.get("items") or {}, where)
    elif isinstance(value, str) and schema.get("format") == "date-time":
        assert value.isascii(), f"{where}: {value!r}"
        try:
            datetime.strptime(value[:19], "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007
        except ValueError:
            pytest.fail(f"{where}: {value!r} is no time")


# ---------------------------------------------------------------------------- bodies, one by one

ROW = b'{"id":"7","name":"seven","created_at":"2026-01-01T00:00:00Z"}'


def around(value: bytes) -> bytes:
    """A list of rows, one of which holds a value."""
    return b'[%s,{"id":"8","name":%s,"is_disabled":%s}]' % (ROW, value, value)


BODIES = {
    "nothing": b"",
    "white space": b" \n\t ",
    "half a list": b"[" + ROW,
    "two lists": b"[" + ROW + b"][]",
    "a list and more": b"[" + ROW + b"] and more",
    "a comma too many": b"[" + ROW + b",]",
    "lists in lists": b"[" * 200_000,
    "lists in lists, closed": b"[" * 20_000 + b"]" * 20_000,
    "objects in objects": b'[{"id":"7","name":' + b'{"a":' * 100_000,
    "a deep value": around(b"[" * 900 + b"]" * 900),
    "a very deep value": around(b"[" * 50_000 + b"]" * 50_000),
    "a list of lists": b"[[],[1]]",
    "a list of null": b"[null,null]",
    "rows and others": b"[" + ROW + b',null,5,"row"]',
    "1e400": around(b"1e400"),
    "-1e400": around(b"-1e400"),
    "400 digits": around(b"1" + b"0" * 400),
    "5000 digits": around(b"1" + b"0" * 5000),
    "2**64": around(b"18446744073709551616"),
    "-0.0": around(b"-0.0"),
    "NaN": around(b"NaN"),
    "Infinity": around(b"Infinity"),
    "-Infinity": around(b"-Infinity"),
    "a number as no JSON has it": around(b"0x10"),
    "a key twice": b'[{"id":"7","id":"8","name":"a","name":"b"},{"id":"9","id":null}]',
    "half a surrogate pair": around(rb'"\ud83d"'),
    "the other half": around(rb'"\ude00 x"'),
    "a pair the wrong way round": around(rb'"\ude00\ud83d"'),
    "half a pair in a key": b'[{"id":"7","\\ud83d":1}]',
    "half a pair in the id": rb'[{"id":"\ud83d"}]',
    "a pair in UTF-8": around(b'"\xed\xa0\xbd\xed\xb8\x80"'),
    "invalid UTF-8": around(b'"\xff\xfe\xc3\x28"'),
    "Latin-1": around('"Zürich"'.encode("latin-1")),
    "UTF-16": ("[" + ROW.decode() + "]").encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf[" + ROW + b"]",
    "NUL": around(rb'"a\u0000b"'),
    "a bare NUL": around(b'"a\x00b"'),
    "control characters": around(rb'"\u001b[31m\u2028\u2029\u0085\u007f"'),
    "a bare line break": around(b'"a\nb"'),
    "keys that mean something elsewhere": b'[{"id":"7","__proto__":{},"":1,"name":"a","$ref":"#"}]',
    "a very long text": around(b'"' + b"x" * 3_000_000 + b'"'),
    "very many keys": b'[{"id":"7",' + b",".join(b'"k%d":1' % n for n in range(20_000)) + b"}]",
    "a very long key": b'[{"id":"7","' + b"k" * 100_000 + b'":1}]',
    "the same row again and again": b"[" + b",".join([ROW] * 1000) + b"]",
    "no ids": b'[{"name":"seven"}]',
    "ids of every type": b'[{"id":1},{"id":1.5},{"id":true},{"id":[]},{"id":{}},{"id":""}]',
    "Looker's own error": b'{"message":"no","documentation_url":"x"}',
    "an error in a list": b'[{"looker_error":{"deep":["down"]}}]',
}
# The first is paged, the second is not, and nothing is wrong with the third.
PATHS = {"roles": "/roles/search/with_user_count", "projects": "/projects"}
STREAMS = ("roles", "projects", "groups")


def instead(body: bytes) -> Any:
    """A change that makes these bodies of the lists."""
    # Not the same object, which would be no change.
    return lambda path, found: bytes(bytearray(body)) if path in PATHS.values() else found


@pytest.mark.parametrize("body", BODIES)
def test_a_body(between, hostile_run, body):
    between.change = instead(BODIES[body])
    records = assert_sound(hostile_run(*STREAMS), *STREAMS)
    assert records["groups"], "what has nothing to do with it is read"


@pytest.mark.parametrize("body", ["invalid UTF-8", "Latin-1", "UTF-16", "half a surrogate pair"])
def test_characters_that_are_lost_are_told(between, hostile_run, body):
    between.change = instead(BODIES[body])
    run = hostile_run("projects")
    said = [line for line in run.warnings if "not UTF-8" in line]
    lost = body in ("invalid UTF-8", "Latin-1")
    assert bool(said) == lost
    assert run.exit_code == (body == "UTF-16")


@pytest.mark.parametrize("body", BODIES)
def test_a_long_body(between, hostile_run, body, monkeypatch):
    monkeypatch.setattr(
        response, "MAX_BODY_IN_MEMORY", 1
    )  # bytes: every list is parsed piece by piece
    between.change = instead(BODIES[body])
    assert_sound(hostile_run("projects", "groups"), "projects", "groups")


HISTORY = "system_activity_history"
ROWS_OF_A_QUERY = {
    "5000 digits": b"1" + b"0" * 5000,
    "5000 digits in a text": b'"1' + b"0" * 5000 + b'"',
    "1e400": b"1e400",
    "1e999999999": b"1e999999999",
    "NaN": b"NaN",
    "half a surrogate pair": rb'"\ud83d"',
    "NUL": rb'"a\u0000b"',
    "invalid UTF-8": b'"\xff\xfe"',
    "a very deep value": b"[" * 50_000 + b"]" * 50_000,
    "a very long text": b'"' + b"x" * 1_500_000 + b'"',
}


@pytest.mark.parametrize("value", ROWS_OF_A_QUERY)
def test_a_value_in_the_rows_of_a_query(between, tmp_path, value):
    def change(path, body):
        if path != "/queries/run/json":
            return body
        cell = re.compile(rb'("history.message": ?)(?:null|"[^"]*")')
        assert cell.search(body)
        return cell.sub(lambda found: found[1] + ROWS_OF_A_QUERY[value], body)

    between.change = change
    # In a process of its own, that may even crash.
    process = Runner(between, tmp_path).start(
        catalog=selecting(HISTORY, "groups"), start_date="2000-01-01"
    )
    run = finished(process, timeout=LIMIT)
    assert run.exit_code in (0, 1), f"{run.exit_code}: {run.stderr[-500:]}"
    assert "Traceback" not in run.stderr, run.stderr[-2000:]
    for line in run.stdout.split("\n")[:-1]:
        strict(line)
    failed = any(error.startswith(f"Failed {HISTORY}: ") for error in run.errors)
    assert failed == bool(run.exit_code)
    assert failed or run.records[HISTORY]


@pytest.mark.parametrize("body", ["half a surrogate pair", "NUL", "400 digits"])
def test_odd_but_whole_bodies_are_read(between, hostile_run, body):
    between.change = instead(BODIES[body])
    run = hostile_run(*STREAMS).succeeded()
    assert [row["id"] for row in run.records["roles"]] == ["7", "8"]
    assert [row["id"] for row in run.records["projects"]] == ["7", "8"]


TIMES = (
    "2026-13-45T99:99:99Z",
    "2026-02-30T00:00:00Z",
    "\u0662026-01-01T01:01:01Z",
    "0000-00-00",
    "x",
)


@pytest.mark.parametrize("text", TIMES)
def test_a_time_that_is_none_is_null(between, hostile_run, text):
    def change(path, body):
        rows = json.loads(body)
        if path == "/folders/search":
            rows[0]["creator_id"] = None
            rows[0]["content_metadata_id"] = text
        if path == "/looks/search":
            for row in rows:
                row["created_at"] = text
        return json.dumps(rows).encode() if path.endswith("/search") else body

    between.change = change
    run = hostile_run("looks", "folders")
    records = assert_sound(run, "looks", "folders")
    assert {look["created_at"] for look in records["looks"]} == {None}
    assert any("created_at" in line for line in run.warnings)
    assert records["folders"][0]["content_metadata_id"] == text, "a text may look like anything"


# -------------------------------------------------------------------- headers and error bodies

HEADERS = {
    "no total": {"X-Total-Count": "many"},
    "a total below": {"X-Total-Count": "-1"},
    "a total of 400 digits": {"X-Total-Count": "9" * 400},
    "a total of 5000 digits": {"X-Total-Count": "9" * 5000},
    "a total in other digits": {"X-Total-Count": "\u00b2"},
    "links elsewhere": {"Link": '<http://198.51.100.1/next>; rel="next"'},
    "another encoding": {"Content-Encoding": "br"},
    "no gzip": {"Content-Encoding": "gzip"},
    "another charset": {"Content-Type": "application/json; charset=utf-7"},
    "a cookie": {"Set-Cookie": "session=" + "x" * 5000},
    "a folded one": {"X-Odd": "a\r\n b"},
    "very long": {"X-Odd": "x" * 60_000},
    "too long": {"X-Odd": "x" * 70_000},
    "very many": {f"X-Odd-{number}": "x" for number in range(150)},
    "less than there is": {"Content-Length": "1"},
    "more than there is": {"Content-Length": "1000000"},
    "no length": {"Content-Length": "all"},
}


@pytest.mark.parametrize("headers", HEADERS)
def test_headers(between, hostile_run, headers):
    between.change = lambda asked, found: (
        bytes(bytearray(found)) if asked in PATHS.values() else found
    )
    between.headers = HEADERS[headers]
    records = assert_sound(hostile_run(*STREAMS, request_timeout=1), *STREAMS)
    assert records["groups"]
    assert all(path.startswith(API) for path in between.paths)


REFUSALS = {
    "nothing": (422, b"", {}),
    "no JSON": (422, b"\xff\xfe\x00", {}),
    "a number of errors": (422, b'{"message":"no","errors":5}', {}),
    "errors that are text": (422, b'{"message":"no","errors":"all"}', {}),
    "errors of every type": (422, b'{"message":"no","errors":[1,null,[],{"field":{}}]}', {}),
    "a message that is an object": (422, b'{"message":{"text":"no"}}', {}),
    "a very long message": (422, b'{"message":"' + b"no " * 500_000 + b'"}', {}),
    "a message in lines": (422, b'{"message":"no\\nat all\\r\\n\\u001b[2Jno\\u2028no"}', {}),
    "a deep one": (422, b'{"message":' + b"[" * 100_000, {}),
    "a half pair": (422, rb'{"message":"\ud800"}', {}),
    "a page without an end": (404, b"<html><title>" + b"x" * 2_000_000, {}),
    "wait for an odd while": (429, b"", {"Retry-After": "9" * 400}),
    "wait for ever": (503, b"", {"Retry-After": "inf"}),
    "wait until an odd date": (503, b"", {"Retry-After": "Fri, 32 Foo 99999 99:99:99 +9999999"}),
    "wait until the end": (503, b"", {"Retry-After": "Fri, 31 Dec 9999 23:59:59 -2359"}),
    "a redirect to nowhere": (302, b"", {}),
    "a redirect to no address": (302, b"", {"Location": "http://[::1"}),
    "a redirect to another scheme": (301, b"", {"Location": "file:///etc/passwd"}),
    "a redirect elsewhere": (307, b"", {"Location": "https://198.51.100.1/users"}),
    "a redirect with odd bytes": (302, b"", {"Location": "/\xff\xfe\x7f"}),
    "a status of its own": (299, b"[]", {}),
    "an odd status": (777, b"", {}),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal(between, hostile_run, refusal):
    between.status, body, between.headers = REFUSALS[refusal]
    between.change = instead(body)
    records = assert_sound(hostile_run(*STREAMS), *STREAMS)
    assert records["groups"]


LOGINS = {
    "no token": b"{}",
    "a token that is a number": b'{"access_token":5}',
    "an empty token": b'{"access_token":""}',
    "a token of two lines": b'{"access_token":"a\\r\\nX-Odd: b"}',
    "a token beyond Latin-1": '{"access_token":"\u20ac"}'.encode(),
    "a token with NUL": b'{"access_token":"a\\u0000"}',
    "half a pair": rb'{"access_token":"\ud800"}',
    "a very long token": b'{"access_token":"' + b"x" * 100_000 + b'"}',
    "an expiry that is text": b'{"access_token":"a","expires_in":"soon"}',
    "an expiry of 400 digits": b'{"access_token":"a","expires_in":1' + b"0" * 400 + b"}",
    "an expiry in the past": b'{"access_token":"a","expires_in":-5}',
    "a list": b'[{"access_token":"a"}]',
    "a deep one": b"[" * 100_000,
    "nothing": b"",
}


@pytest.mark.parametrize("login", LOGINS)
def test_a_login(between, hostile_run, login):
    between.change = lambda asked, found: LOGINS[login] if asked == "/login" else found
    run = hostile_run("roles", "groups")
    assert run.exit_code == 1
    assert run.stdout == "" or "RECORD" not in run.stdout
    assert "Traceback" not in run.stderr
    assert run.errors


# ------------------------------------------------------------------------------------- mutations

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, 2**64, -(2**70), 10**400, 0])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(
        ["", " ", ".", "..", "a/b", "\x00", "\ud800", "NaN", "1e999", "2026-02-30T00:00:00Z", "5"]
    )
)
JSON = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=4), below)
)
EVERYTHING = tuple(entry["tap_stream_id"] for entry in catalog()["streams"])
MUTATED = tuple(resource.name for resource in RESOURCES)
FEW = bounds(
    max_examples=15,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


def mutated(value: Any, chance: random.Random, odd: list[Any], rate: float) -> Any:
    """JSON with some of what is in it replaced."""
    if chance.random() < rate:
        return chance.choice(odd)
    if isinstance(value, list):
        return [mutated(item, chance, odd, rate) for item in value]
    if isinstance(value, dict):
        return {name: mutated(item, chance, odd, rate) for name, item in value.items()}
    return value


@pytest.mark.slow
@FEW
@given(
    number=st.integers(0, 2**32),
    odd=st.lists(JSON, min_size=3, max_size=12),
    rate=st.sampled_from([0.001, 0.01, 0.05, 0.2]),
)
def test_random_values_in_place_of_others(shared_between, tmp_path_factory, number, odd, rate):
    between = shared_between
    between.reset()

    def change(path: str, body: bytes) -> bytes:
        if path == "/login":
            return body
        # By its path, since answers come in any order.
        chance = random.Random(f"{number} {path}")  # noqa: S311
        return json.dumps(mutated(json.loads(body or b"null"), chance, odd, rate)).encode()

    between.change = change
    with ended_within(LIMIT):
        run = Runner(between, tmp_path_factory.mktemp("run"))(
            catalog=selecting(*MUTATED), page_size=10_000, request_timeout=2
        )
    assert_sound(run, *MUTATED)


# ----------------------------------------------------------------------------------------- names

NAMES = (
    *("../", "..", ".", "", "/", "//", "%2F", "%2e%2e", "%00", "%", "..%2f..", "a/../b", "/etc"),
    *("?x=1", "#x", "&deleted=true", ";a=b", "a b", " ", "+", "=", ",", "(id)", "{id}", "{}", "%s"),
    *('"', "'", "`", "\\", "\n", "\r\nX-Odd: 1", "\t", "\x00", "\x7f", "~", "|", "<b>", "::", ":"),
    *("\u00fc", "\u65e5\u672c", "\u202e", "\u2028", "\U0001f600", "\ufeff", "\ue000", "x" * 3000),
)
HOSTILE = (
    st.lists(st.sampled_from(NAMES) | st.text(max_size=3), min_size=1, max_size=4)
    .map("".join)
    .filter(lambda name: name not in ("", ".", ".."))
)  # see the test of these
ITEMS = {
    "users": ("user_sessions", "user_attribute_values", "content_favorites"),
    "roles": ("role_users", "role_groups"),
    "groups": ("group_users",),
    "projects": ("project_files", "git_branches", "project_manifests"),
    "connections": ("connection_schemas", "connection_columns", "connection_databases"),
    "lookml_models": ("explores",),
}
PARAMS = {
    "limit",
    "offset",
    "sorts",
    "fields",
    "deleted",
    "parent_id",
    *itertools.chain.from_iterable(
        getattr(resource.source, "params", ()) for resource in RESOURCES
    ),
}


def template(resource: Any) -> str:
    """The paths that a row of the table leads to."""
    return re.sub(r"\\{\w+\\}", "[^/?#]+", re.escape(API + resource.source.path)) + r"(\?.*)?"


@FEW
@given(names=st.lists(HOSTILE, min_size=3, max_size=3, unique=True), whole=st.booleans())
def test_names_stay_in_their_place(shared_between, tmp_path_factory, names, whole):
    """The first names of each list are hostile; a segment of a path leads back to the clean one."""
    between = shared_between
    between.reset()
    clean: dict[str, str] = {}
    taken = itertools.count()
    lists = {BY_NAME[parent].source.path: BY_NAME[parent].keys[0] for parent in ITEMS}
    lock = threading.Lock()
    given_to: dict[str, str] = {}

    def named(text: Any) -> Any:
        with lock:
            if text not in given_to:
                number = next(taken)
                # The number keeps them apart, unless the very name is to be tried.
                name = names[number % 3] if whole and number < 3 else f"{names[number % 3]}{number}"
                given_to[text] = name
                clean.setdefault(name, text)
            return given_to[text]

    def change(path: str, body: bytes) -> bytes:
        if path not in lists:
            return body
        rows = json.loads(body)
        for row in rows:
            row[lists[path]] = named(row[lists[path]])
        return json.dumps(rows).encode()

    between.change = change
    between.real = lambda segment: clean.get(segment, segment)
    streams = [*ITEMS, *itertools.chain.from_iterable(ITEMS.values())]
    with ended_within(LIMIT):
        run = Runner(between, tmp_path_factory.mktemp("run"))(
            catalog=selecting(*streams), page_size=10_000, request_timeout=2
        )
    assert_sound(run, *streams)
    assert run.exit_code == 0, run.errors
    # connection_columns come by schema, and these by connection.
    patterns = [template(BY_NAME[name]) for name in [*streams, "versions"]] + [f"{API}/logout"]
    for path in between.paths:
        assert any(re.fullmatch(pattern, path) for pattern in patterns), path
        assert path.isascii()
        assert {
            name for name, _ in parse_qsl(urlsplit(path).query, keep_blank_values=True)
        } <= PARAMS, path
        for segment in urlsplit(path).path.split("/")[1:]:
            assert segment not in ("", ".", ".."), path
            assert re.fullmatch(r"([\w.~-]|%[0-9A-F]{2})+", segment, re.ASCII), path


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_no_path_can_hold_is_skipped_and_counted(between, hostile_run, name):
    def change(path, body):
        rows = json.loads(body)
        if path == "/users/search":
            rows[0]["id"] = name
        return json.dumps(rows).encode() if path == "/users/search" else body

    between.change = change
    run = hostile_run("user_sessions", "users")
    assert_sound(run, "user_sessions", "users")
    assert run.exit_code == 0, run.errors
    assert run.ids("users")[0] == name
    assert any("user_sessions: 1 item(s) skipped" in line for line in run.warnings)


# -------------------------------------------------------------------------------- a very long list

HEAD, ROWS, TEXT = b'[{"id":"0","name":"first"}', 20_000, b"a project's name, and long. " * 110
LENGTH = 60_000_000  # bytes, about


def long_list():
    """The pieces of a list of projects, made on the fly."""
    yield HEAD
    for number in range(1, ROWS):
        yield b',\n{"id":"%d","name":"%s","uses_git":true}' % (number, TEXT)
    yield b"]"


class _LongList(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"  # the end of the connection is the end of the body

    def do_POST(self) -> None:
        body = b'{"access_token":"a","expires_in":3600}'
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_DELETE(self) -> None:
        self.send_response_only(204)
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response_only(200)
        if self.server.zipped:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        out = gzip.GzipFile(fileobj=self.wfile, mode="wb") if self.server.zipped else self.wfile
        pieces = long_list()
        while chunk := b"".join(itertools.islice(pieces, 200)):
            out.write(chunk)
        if self.server.zipped:
            out.close()


@contextmanager
def long_lists(*, zipped: bool):
    with ThreadingHTTPServer(("127.0.0.1", 0), _LongList) as server:
        server.zipped = zipped
        server.url = f"http://127.0.0.1:{server.server_address[1]}"
        server.client_id, server.client_secret = "id-of-the-test", "secret-of-the-test"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


PEAK = """
import atexit, re, sys
from tap_looker.tap import TapLooker

def tell():  # of this process alone: rusage counts what it was forked from too
    print(re.search(r"VmHWM:.*", open("/proc/self/status").read())[0], file=sys.stderr)

atexit.register(tell)
TapLooker.cli()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
@pytest.mark.parametrize("zipped", [False, True])
def test_a_very_long_list_does_not_fill_the_memory(tmp_path, zipped):
    with long_lists(zipped=zipped) as server:
        arguments = Runner(server, tmp_path).arguments(catalog=selecting("projects"))
        with (tmp_path / "out").open("wb") as out:
            run = subprocess.run(
                [sys.executable, "-c", PEAK, *arguments],
                stdout=out,
                stderr=subprocess.PIPE,
                text=True,
                timeout=DEADLINE,
                check=False,
            )
    assert run.returncode == 0, run.stderr[-2000:]
    assert sum(len(piece) for piece in long_list()) > LENGTH
    with (tmp_path / "out").open("rb") as out:
        assert sum(b'"RECORD"' in line for line in out) == ROWS
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", run.stderr)[1]) * 1024
    assert peak < 2.5 * LENGTH, f"{peak / 1e6:.0f} MB at the peak"


def test_a_very_long_list_that_is_deep_comes_to_an_end(between, tmp_path):
    half = 4_500_000  # brackets; it is long enough to be parsed piece by piece
    body = b'[{"id":"7","name":' + b"[" * half + b"]" * half + b"}]"
    between.change = lambda path, found: body if path == "/projects" else found
    # In a process of its own: a parser that does not stop would go on in this one.
    process = Runner(between, tmp_path).start(catalog=selecting("projects", "groups"))
    run = finished(process, timeout=LIMIT)
    assert assert_sound(run, "projects", "groups")["groups"]
    assert any(error.startswith("Failed projects: ") for error in run.errors)


# ------------------------------------------------------------------------- files that are none

GOOD = {
    "api_host_url": "http://127.0.0.1:9",
    "client_id": "the-id-of-the-test",
    "client_secret": "the-secret-of-the-test",
}
WHOLE = json.dumps(GOOD).encode()
TEXTS = {
    "empty": b"",
    "no JSON": b"client_secret: the-secret-of-the-test",
    "half": WHOLE[:-1],
    "more than one": WHOLE * 2,
    "a list": b'["the-secret-of-the-test"]',
    "a text": b'"the-secret-of-the-test"',
    "null": b"null",
    "no UTF-8": b"\xff\xfe" + WHOLE,
    "deep": b"[" * 100_000,
}
CATALOGS = {
    **{name: text for name, text in TEXTS.items() if name != "more than one"},
    "streams that are a number": b'{"streams":5}',
    "streams that are text": b'{"streams":["users"]}',
    "streams without a name": b'{"streams":[{"schema":{}}]}',
}
NO_WRONG_STATES = ("empty", "half", "more than one")
STATES = {
    **{name: text for name, text in TEXTS.items() if name not in NO_WRONG_STATES},
    "bookmarks that are a list": b'{"bookmarks":[]}',
    "a bookmark that is text": b'{"bookmarks":{"users":"x"}}',
    "a bookmark that is null": b'{"bookmarks":{"users":null}}',
}


def assert_one_line(run: Run, name: str) -> None:
    """One line that names the file or its option."""
    assert run.exit_code in (1, 2)
    assert run.stdout == ""
    assert "Traceback" not in run.stderr
    for secret in (GOOD["client_secret"], GOOD["client_id"]):
        assert secret not in run.stderr
    said = run.errors or re.findall(r"^Error: (.*)$", run.stderr, re.MULTILINE)
    assert len(said) == 1, run.stderr
    assert name in said[0]


def with_files(folder: Any, **texts: bytes) -> Run:
    """A run with files of these contents."""
    arguments = []
    for name, text in {"config": WHOLE, "catalog": b'{"streams":[]}', **texts}.items():
        path = folder / f"{name}.json"
        path.write_bytes(text)
        arguments += [f"--{name}", str(path)]
    return run_cli(*arguments)


@pytest.mark.parametrize("text", TEXTS)
def test_a_config_that_is_none(tmp_path, text):
    assert_one_line(with_files(tmp_path, config=TEXTS[text]), "config")


@pytest.mark.parametrize("text", CATALOGS)
def test_a_catalog_that_is_none(tmp_path, text):
    assert_one_line(with_files(tmp_path, catalog=CATALOGS[text]), "catalog")


@pytest.mark.parametrize("text", STATES)
def test_a_state_that_is_none(tmp_path, text):
    assert_one_line(with_files(tmp_path, state=STATES[text]), "state")


@pytest.mark.parametrize("option", ["config", "catalog", "state"])
@pytest.mark.parametrize("kind", ["missing", "a folder"])
def test_a_file_that_cannot_be_read(tmp_path, option, kind):
    path = tmp_path / f"{option}.json"
    if kind == "a folder":
        path.mkdir()
    config = tmp_path / "good.json"
    config.write_bytes(WHOLE)
    first = [] if option == "config" else ["--config", str(config)]
    assert_one_line(run_cli(*first, f"--{option}", str(path)), option)
