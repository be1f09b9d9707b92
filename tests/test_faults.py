"""What goes wrong on the way: what passes leaves no trace, what lasts is said, never empty."""

from __future__ import annotations

import errno
import io
import re
import tempfile
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from support import STREAMS, run_cli, selecting

from looker_emulator import Emulator, Fault
from tap_looker.looker.client import LookerClient
from tap_looker.tap import TapLooker

USERS = "/users/search"

PASSING = {
    "429": ("status", {"status": 429, "retry_after": 0}),
    "429 without Retry-After": ("status", {"status": 429}),
    "408": ("status", {"status": 408}),
    "500": ("status", {"status": 500}),
    "520": ("status", {"status": 520}),
    "522": ("status", {"status": 522}),
    "524": ("status", {"status": 524}),
    "502 in HTML": ("status", {"status": 502, "html": "<h1>Bad Gateway</h1>"}),
    "503": ("status", {"status": 503}),
    "504": ("status", {"status": 504}),
    "unauthorized": ("unauthorized", {}),
    "revoke": ("revoke", {}),
    "html": ("html", {}),
    "reset_before": ("reset_before", {}),
    "reset_headers": ("reset_headers", {}),
    "reset_body": ("reset_body", {}),
    "truncate_length": ("truncate_length", {}),
    "truncate_chunked": ("truncate_chunked", {}),
    "nothing at all": ("truncate_chunked", {"sent": 0}),
    "all but the last byte": ("truncate_chunked", {"sent": 0.999}),
    "bad_gzip": ("bad_gzip", {}),
    "truncated gzip": ("bad_gzip", {"truncated": True}),
    "drip": ("drip", {"seconds": 0.2}),
    "slow": ("slow", {"seconds": 0.2}),
}
LASTING = {name: fault for name, fault in PASSING.items() if name not in ("drip", "slow")} | {
    "400": ("status", {"status": 400}),
    "404": ("denied", {}),
    "403": ("denied", {"status": 403}),
    "422": ("status", {"status": 422}),
    "redirect": ("redirect", {}),
    "looker_error": ("looker_error", {"message": "Query timed out"}),
    "an object": ("wrong_shape", {"shape": "object"}),
    "strings": ("wrong_shape", {"shape": "strings"}),
    "a string": ("wrong_shape", {"shape": "string"}),
    "null": ("wrong_shape", {"shape": "null"}),
    "objects of another kind": ("status", {"status": 200, "json": [{"name": "no user"}]}),
}

pytestmark = pytest.mark.usefixtures("_quick_retries")


def seconds_between(emulator, path):
    """From the end of the first call for a path to the start of the second."""
    first, second = [call for call in emulator.calls if call.path == path][:2]
    return second.started - first.ended


# -------------------------------------------------------------------------------------- what passes


@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize("name", PASSING)
def test_retries_leave_no_trace_in_the_records(run, emulator, clean, name, page):
    kind, details = PASSING[name]
    fault = emulator.add_fault(Fault(kind, USERS, after=page - 1, **details))
    result = run(catalog=selecting("users", "roles"), page_size=10).succeeded()
    assert fault.fired == 1
    assert result.records["users"] == clean.records["users"]
    assert result.records["roles"] == clean.records["roles"]


def test_faults_all_over_a_run(run, emulator, clean):
    paths = [
        "/dashboard_elements/search",
        "/dashboards/search",
        "/folders/search",
        "/folders/5/looks",
    ]
    paths += [
        "/dashboards/lookml/search",
        "/lookml_models",
        "/looks/search",
        "/roles/search/with_user_count",
        USERS,
    ]
    faults = [
        emulator.add_fault(Fault(kind, paths[number % len(paths)], **details))
        for number, (kind, details) in enumerate(PASSING.values())
        # It would meet every request under way, and one that is refused for itself, too, twice.
        if kind != "revoke"
    ]
    assert run(max_retry_time=60).succeeded().records == clean.records
    assert all(fault.fired == 1 for fault in faults)


def test_a_timeout_is_retried(run, emulator, clean):
    fault = emulator.add_fault(Fault("silence", USERS))
    result = run(catalog=selecting("users"), request_timeout=1).succeeded()
    assert result.records["users"] == clean.records["users"]
    assert fault.fired == 1


def test_a_retry_is_warned_of(run, emulator):
    emulator.add_fault(Fault("status", USERS, status=503))
    result = run(catalog=selecting("users")).succeeded()
    assert [line for line in result.warnings if "503" in line]


# --------------------------------------------------------------------------------------- what lasts


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_fails_the_stream_and_no_other(run, emulator, clean, name):
    kind, details = LASTING[name]
    emulator.add_fault(Fault(kind, USERS, times=None, **details))
    # All tokens revoked twice in a row can meet one request twice, if there are several at once.
    result = run(concurrency=1 if name == "revoke" else 8)
    assert result.exit_code == 1
    others = set(STREAMS) - {"users"}
    assert result.records == {other: clean.records[other] for other in others}
    assert result.schemas.keys() == others, "a SCHEMA without records would be an empty table"
    assert "users" in result.errors[-2]
    assert result.errors[-1].startswith("1 of 11 streams could not be read completely")
    assert "Traceback" not in result.stderr
    assert emulator.count(USERS) <= 10
    assert emulator.count("/logout", "DELETE") == 1


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_from_the_second_page_on(run, emulator, clean, name):
    kind, details = LASTING[name]
    emulator.add_fault(Fault(kind, USERS, after=1, times=None, **details))
    result = run(catalog=selecting("users", "versions"), page_size=10, concurrency=1)
    assert result.exit_code == 1
    assert result.records["users"] == clean.records["users"][:10]
    assert result.records["versions"] == clean.records["versions"]
    assert any("users" in error for error in result.errors)


def test_what_lasts_in_the_trash_fails_the_stream(run, emulator, clean):
    emulator.add_fault(Fault("status", "/looks/search", after=1, times=None, status=422))
    result = run(catalog=selecting("looks"))
    assert result.exit_code == 1
    assert set(result.ids("looks")) < set(clean.ids("looks"))


def test_an_instance_that_is_gone_fails_every_stream(run, emulator):
    emulator.add_fault(Fault("reset_before", "*", method="GET", times=None))
    result = run()
    assert result.exit_code == 1
    assert result.records == result.schemas == {}
    for name in STREAMS:
        assert any(error.startswith(f"Failed {name}") for error in result.errors)


@pytest.mark.parametrize("length", [3, 20_000], ids=["short", "long"])
@pytest.mark.parametrize(
    "headers",
    [{"X-Total-Count": "20001"}, {"Link": '<http://x/?offset=3&limit=3>; rel="next"'}],
    ids=["total", "link"],
)
def test_a_page_where_no_limit_was_asked_for_is_not_the_list(run, emulator, headers, length):
    rows = [{"id": str(number), "title": "x" * 50} for number in range(length)]
    emulator.add_fault(
        Fault("status", "/board_items", times=None, status=200, json=rows, headers=headers)
    )
    result = run(catalog=selecting("board_items"))
    assert result.exit_code == 1
    assert "not the whole list" in result.errors[0]


def test_an_error_among_rows_says_what_it_is(run, emulator):
    users = [{"id": "1"}, {"looker_error": "The ledger is locked"}]
    emulator.add_fault(Fault("status", USERS, times=None, status=200, json=users))
    (error, _) = run(catalog=selecting("users")).errors
    assert "The ledger is locked" in error


def test_the_message_is_lookers_own(run, emulator):
    emulator.add_fault(Fault("looker_error", USERS, message="The ledger is locked", times=None))
    emulator.add_fault(
        Fault(
            "status",
            "/roles/search/with_user_count",
            times=None,
            status=422,
            json={
                "message": "Validation Failed",
                "errors": [{"field": "sorts", "message": "cannot be sorted"}],
            },
        )
    )
    errors = " ".join(run(catalog=selecting("users", "roles")).errors)
    assert "The ledger is locked" in errors
    assert "Validation Failed" in errors
    assert "sorts: cannot be sorted" in errors


def test_each_failed_stream_is_named_with_its_reason(run, emulator):
    emulator.add_fault(Fault("status", USERS, times=None, status=502))
    emulator.add_fault(Fault("html", "/roles/search/with_user_count", times=None))
    result = run(catalog=selecting("users", "roles", "versions"))
    roles, users, last = result.errors[-3:]
    assert roles.startswith("Failed roles")
    assert "web page" in roles
    assert users.startswith("Failed users")
    assert "502" in users
    assert last.startswith("2 of 3 streams could not be read completely")


@pytest.mark.usefixtures("_served_streams_alone")
def test_a_trial_fails_on_a_stream_that_fails(run, emulator):
    emulator.add_fault(Fault("denied", USERS, times=None))
    assert run("--test").exit_code == 1


def test_an_error_nobody_thought_of_fails_the_stream_alone(run, clean, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("tap_looker.resources.kinds.rendered", broken)
    result = run(catalog=selecting("folders", "roles"))  # folders are asked for with fields=
    assert result.exit_code == 1
    assert result.records == {"roles": clean.records["roles"]}
    assert re.fullmatch(
        r"Failed folders: The tap itself failed: a calculation failed "
        r"\(resources/\w+\.py, line \d+\)\. This is a bug: please report it .*",
        result.errors[0],
    )
    assert "Traceback" not in result.stderr
    monkeypatch.setenv("TAP_LOOKER_LOGLEVEL", "DEBUG")
    assert "ZeroDivisionError" in run(catalog=selecting("folders", "roles")).stderr


def test_a_full_disk_is_told_of(run, clean, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tap_looker.resources.kinds.rendered", full)
    result = run(catalog=selecting("folders", "roles"))
    assert result.exit_code == 1
    assert result.records == {"roles": clean.records["roles"]}
    assert result.errors[0].startswith(
        f"Failed folders: There is no space left for temporary files in {tempfile.gettempdir()}: "
    )
    assert "Traceback" not in result.stderr


class FullDisk(io.BytesIO):
    """A temporary file on a disk without space."""

    def __init__(self, *_):
        super().__init__()

    def write(self, _):
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("file", "streams"),
    [
        ("tempfile.SpooledTemporaryFile", ("datagroups",)),
        ("tempfile.TemporaryFile", ("dashboard_elements", "queries")),
    ],
)
def test_a_disk_too_full_for_temporary_files_is_no_fault_of_the_network(
    run, emulator, monkeypatch, file, streams
):
    monkeypatch.setattr(file, FullDisk)
    result = run(catalog=selecting(*streams, "versions"))
    assert result.exit_code == 1
    assert result.records["versions"]
    assert "There is no space left for temporary files in " in result.errors[0]
    assert "Traceback" not in result.stderr
    assert max(Counter((call.method, call.raw_path) for call in emulator.calls).values()) == 1


def test_an_error_nobody_thought_of_before_a_run_is_one_line(monkeypatch):
    def broken(*_):
        raise KeyError("x")

    monkeypatch.setattr(TapLooker, "discover_streams", broken)
    result = run_cli("--discover")
    assert result.exit_code == 1
    (line,) = result.errors
    assert "This is a bug: please report it" in line
    assert "KeyError" not in result.stderr


# ---------------------------------------------------------------------------------------- no access


def test_a_denied_stream_fails_and_says_which_permission_is_missing(runner_of):
    with Emulator(denied=("/users",)) as emulator:
        result = runner_of(emulator)()
    assert result.exit_code == 1
    assert result.schemas.keys() == set(STREAMS) - {"users"}
    (failed,) = [error for error in result.errors if error.startswith("Failed users")]
    assert "Admin" in failed


@pytest.mark.parametrize("status", [403, 404])
def test_a_denied_stream_can_be_skipped(run, emulator, clean, status):
    emulator.add_fault(Fault("denied", USERS, times=None, status=status))
    result = run(on_denied="skip")
    assert result.exit_code == 0, result.stderr
    assert result.errors == []
    assert any(line.startswith("Skipped users") for line in result.warnings)
    assert result.schemas.keys() == set(STREAMS) - {"users"}
    assert result.records["looks"] == clean.records["looks"]


def test_only_denied_streams_are_skipped(run, emulator):
    emulator.add_fault(Fault("denied", USERS, times=None))
    emulator.add_fault(Fault("status", "/roles/search/with_user_count", times=None, status=500))
    result = run(on_denied="skip")
    assert result.exit_code == 1
    assert any(line.startswith("Skipped users") for line in result.warnings)
    assert any(line.startswith("Failed roles") for line in result.errors)
    assert result.errors[-1].startswith("1 of 10 streams")


def test_a_list_that_two_streams_share_fails_both(run, emulator, clean):
    emulator.add_fault(Fault("denied", "/dashboard_elements/search", times=None))
    result = run()
    assert result.exit_code == 1
    assert result.schemas.keys() == set(STREAMS) - {"dashboard_elements", "queries"}
    assert result.records["looks"] == clean.records["looks"]
    assert emulator.count("/dashboard_elements/search") == 1


# ----------------------------------------------------------------------------- one bad item of many


def test_one_folder_that_is_gone_is_skipped_and_counted(run, emulator, clean):
    folder = next(look["folder_id"] for look in emulator.instance.looks if not look["deleted"])
    emulator.add_fault(Fault("denied", f"/folders/{folder}/looks", times=None))
    result = run().succeeded()
    assert set(result.ids("queries")) <= set(clean.ids("queries"))
    assert len(result.ids("queries")) > len(clean.ids("queries")) / 2
    assert any("queries" in line and "skipped" in line for line in result.warnings)
    assert any("queries" in line and "1 item(s) skipped" in line for line in result.warnings)


def test_every_item_denied_is_a_failure(run, emulator):
    emulator.add_fault(Fault("denied", "/folders/*/looks", times=None))
    result = run()
    assert result.exit_code == 1
    assert any(error.startswith("Failed queries") for error in result.errors)


def test_one_item_that_cannot_be_reached_is_a_failure(run, emulator):
    emulator.add_fault(Fault("reset_before", "/folders/*/looks", after=2, times=None))
    result = run()
    assert result.exit_code == 1
    assert any(error.startswith("Failed queries") for error in result.errors)


# -------------------------------------------------------------------------------------- Retry-After


def test_retry_after_seconds_is_obeyed(run, emulator, clean):
    emulator.add_fault(Fault("status", USERS, status=429, retry_after=1))
    result = run(catalog=selecting("users"), max_retry_time=60).succeeded()
    assert result.records["users"] == clean.records["users"]
    assert seconds_between(emulator, USERS) >= 1


def test_retry_after_a_date_is_obeyed(run, emulator):
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    date = format_datetime(moment, usegmt=True)
    emulator.add_fault(Fault("status", USERS, status=503, retry_after=date))
    run(catalog=selecting("users"), max_retry_time=60).succeeded()
    second = [call for call in emulator.calls if call.path == USERS][1]
    assert second.started - time.monotonic() + time.time() >= moment.timestamp() - 0.05


@pytest.mark.parametrize("odd", ["soon", "", "-5", "1.5", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_retry_after_that_says_nothing_is_no_error(run, emulator, odd):
    emulator.add_fault(Fault("status", USERS, status=429, retry_after=odd))
    run(catalog=selecting("users")).succeeded()


def test_a_429_pauses_every_thread():
    """What was in flight may end; nothing new begins, not even what waited for its turn."""
    with Emulator(latency_ms=200) as emulator:
        emulator.add_fault(Fault("latency", "/roles/search/with_user_count", ms=200))
        emulator.add_fault(Fault("status", USERS, status=429, retry_after=1))
        client = LookerClient(
            emulator.url, emulator.client_id, emulator.client_secret, concurrency=2
        )
        client.login()
        paths = [
            USERS,
            "/roles/search/with_user_count",
            "/versions",
            "/looks/search",
            "/folders/search",
        ]
        threads = [threading.Thread(target=client.get, args=(path,)) for path in paths]
        for thread in threads[:2]:
            thread.start()
        while len(emulator.calls) < 1 + 2:
            time.sleep(0.001)
        for thread in threads[2:]:
            thread.start()
        for thread in threads:
            thread.join(30)
        refused = next(call for call in emulator.calls if call.status == 429)
        later = [call for call in emulator.calls if call.started > refused.ended]
        assert {call.path for call in later} == {*paths} - {"/roles/search/with_user_count"}
        assert {call.path for call in later if call.started < refused.ended + 1} == set()


def test_a_retry_after_that_is_too_long_is_a_failure(run, emulator):
    emulator.add_fault(Fault("status", USERS, times=None, status=429, retry_after=3600))
    result = run(catalog=selecting("users", "roles"))
    assert result.exit_code == 1
    assert result.records.keys() == {"roles"}
    assert emulator.count(USERS) == 1


# -------------------------------------------------------------------------------------------- state

STATE = {
    "bookmarks": {
        "users": {"replication_key": "updated_at", "replication_key_value": "2026-01-01"},
        "gone": {"replication_key": "id", "replication_key_value": "7"},
    }
}


def test_the_state_of_a_failed_stream_does_not_move(run, emulator):
    emulator.add_fault(Fault("denied", USERS, times=None))
    result = run(state=STATE, catalog=selecting("users", "roles"))
    assert result.exit_code == 1
    assert result.states
    for state in result.states:
        assert state["bookmarks"]["users"] == STATE["bookmarks"]["users"]
        assert state["bookmarks"]["gone"] == STATE["bookmarks"]["gone"]
    assert "roles" in result.states[-1]["bookmarks"]


def incremental(catalog, name, key):
    """The catalog, with a stream in it that remembers where it was."""
    (entry,) = [entry for entry in catalog["streams"] if entry["tap_stream_id"] == name]
    entry |= {"replication_method": "INCREMENTAL", "replication_key": key}
    return catalog


@pytest.mark.parametrize("fails", [True, False])
def test_a_bookmark_moves_at_the_end_of_a_whole_stream_alone(run, emulator, clean, fails):
    old = {"replication_key": "display_name", "replication_key_value": "A"}
    catalog = incremental(selecting("users"), "users", "display_name")
    emulator.add_fault(Fault("denied", USERS, after=1, times=None if fails else 0))
    result = run(catalog=catalog, state={"bookmarks": {"users": old}}, page_size=10)
    assert result.exit_code == fails
    assert result.records["users"]
    bookmark = result.states[-1]["bookmarks"]["users"]
    if fails:
        assert bookmark["replication_key_value"] == "A"
    else:
        last = max(user["display_name"] for user in clean.records["users"])
        assert bookmark["replication_key_value"] == last
