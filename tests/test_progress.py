"""What a run says: a few plain lines, or a live line and a table on a terminal."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from support import COMMAND, catalog, selecting, settings_of

from looker_emulator import Emulator, Fault

pty = pytest.importorskip("pty")


def arguments(emulator, tmp_path, *options, **settings):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({**settings_of(emulator), **settings}), encoding="utf-8")
    return [str(COMMAND), "--config", str(config), *options]


def clean_environment(**variables):
    kept = {key: value for key, value in os.environ.items() if "LOG" not in key}
    return {**kept, "TERM": "xterm-256color", "COLUMNS": "120", **variables}


def piped(emulator, tmp_path, *options, environment=None, **settings):
    """A run whose standard error is a pipe: the messages of its log lines."""
    done = subprocess.run(
        arguments(emulator, tmp_path, *options, **settings),
        env=clean_environment(**(environment or {})),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done, [line.split("|", 3)[-1].strip() for line in done.stderr.splitlines()]


def on_terminal(emulator, tmp_path, *options, environment=None, **settings):
    """A run whose standard error is a terminal: what it shows, and its standard output."""
    main, child = pty.openpty()
    with subprocess.Popen(
        arguments(emulator, tmp_path, *options, **settings),
        env=clean_environment(**(environment or {})),
        stdout=subprocess.PIPE,
        stderr=child,
    ) as process:
        os.close(child)
        shown = b""
        # A pipe holds 64 KB: the other end is read by a helper of its own.
        reader = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdout.write(sys.stdin.read())"],
            stdin=process.stdout,
            stdout=subprocess.PIPE,
        )
        while True:
            try:
                some = os.read(main, 65536)
            except OSError:  # Linux: the other end was closed
                break
            if not some:
                break
            shown += some
        output, _ = reader.communicate(timeout=60)
    os.close(main)
    return shown.decode(), output.decode(), process.returncode


def test_elsewhere_each_stream_is_one_line_and_the_routine_of_the_sdk_is_left_out(
    emulator, tmp_path
):
    done, lines = piped(emulator, tmp_path, "--select", "roles,themes")
    assert done.returncode == 0
    (roles,) = [line for line in lines if line.startswith("roles: ")]
    assert re.fullmatch(r"roles: \d+ records, 1 call, \d+\.\d s", roles)
    assert re.fullmatch(r"2 streams, \d+ records in \d+\.\d s\.", lines[-2])
    assert lines[-1].startswith("Cost: ")
    assert len(lines) <= 6
    assert "METRIC" not in done.stderr
    assert "Skipping" not in done.stderr


def test_the_lines_count_what_was_written(emulator, tmp_path):
    done, lines = piped(emulator, tmp_path)
    written = [json.loads(line)["stream"] for line in done.stdout.splitlines() if "RECORD" in line]
    for name in ("users", "dashboards", "queries"):
        (line,) = [line for line in lines if line.startswith(f"{name}: ")]
        assert line.startswith(f"{name}: {written.count(name)} records, ")
    calls = sum(int(found[1]) for line in lines if (found := re.search(r", (\d+) calls?, ", line)))
    (cost,) = re.findall(r"Cost: (\d+) admin calls?, (\d+) query calls?", done.stderr)
    free = sum(call.path == "/versions" for call in emulator.calls)
    assert calls == int(cost[0]) + int(cost[1]) + free


@pytest.mark.parametrize("name", ["TAP_LOOKER_LOGLEVEL", "LOGLEVEL"])
def test_who_configures_the_log_gets_all_of_it(emulator, tmp_path, name):
    done, _ = piped(emulator, tmp_path, "--select", "roles", environment={name: "INFO"})
    assert "METRIC" in done.stderr
    assert "Skipping deselected stream" in done.stderr


def test_a_terminal_shows_a_table_with_errors_above_it(emulator, tmp_path):
    emulator.add_fault(Fault("denied", "/themes", times=None))
    shown, output, exit_code = on_terminal(emulator, tmp_path, "--select", "roles,themes,users")
    assert exit_code == 1
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
    table = plain[plain.rindex("Stream ") :]
    assert re.search(r"roles +\d+ +1 +\d+\.\d", table)
    assert "3 streams, " in table
    assert "Cost: " in table
    assert plain.index("Failed themes: GET /themes") < plain.rindex("Stream ")
    assert re.search(r"themes +0 +1 +\d+\.\d +failed", table)
    assert plain.count("HTTP 404") == 1
    assert all(line.startswith("{") for line in output.splitlines())


def test_what_fails_is_said_once_and_when_it_happens(emulator, tmp_path):
    emulator.add_fault(Fault("denied", "/themes", times=None))
    done, lines = piped(emulator, tmp_path, "--select", "roles,themes,users")
    assert done.returncode == 1
    assert done.stderr.count("HTTP 404") == 1
    assert [line.partition(":")[0] for line in lines[1:4]] == ["roles", "Failed themes", "users"]
    assert lines[-1] == "1 of 3 streams could not be read completely (see above): themes."


def test_what_may_be_skipped_is_said_once_too(emulator, tmp_path):
    emulator.add_fault(Fault("denied", "/themes", times=None))
    done, lines = piped(emulator, tmp_path, "--select", "roles,themes,users", on_denied="skip")
    assert done.returncode == 0
    assert done.stderr.count("HTTP 404") == 1
    assert [line.partition(":")[0] for line in lines[1:4]] == ["roles", "Skipped themes", "users"]
    assert lines[-1].startswith("Cost: ")


def test_a_failure_says_how_much_was_written_before(emulator, tmp_path):
    emulator.add_fault(Fault("status", "/users/search", times=None, after=1))
    done, _ = piped(emulator, tmp_path, "--select", "users", page_size=10, max_retry_time=0)
    assert re.search(r"Failed users: .* It had written 10 records\.", done.stderr)


def test_no_color_is_obeyed(emulator, tmp_path):
    shown, *_ = on_terminal(emulator, tmp_path, "--select", "roles", environment={"NO_COLOR": "1"})
    assert not re.search(r"\x1b\[(3|9|4)[0-9]", shown)


def test_a_dumb_terminal_gets_lines(emulator, tmp_path):
    shown, *_ = on_terminal(emulator, tmp_path, "--select", "roles", environment={"TERM": "dumb"})
    assert "\x1b" not in shown
    assert re.search(r"roles: \d+ records", shown)


def test_a_user_who_is_not_an_admin_is_told_what_may_be_partial(run, emulator):
    me = emulator.instance.users[0]
    me["role_ids"], me["group_ids"] = ["3"], []
    before = emulator.calls[:]
    result = run(catalog=selecting("current_user", "roles", "users", "themes")).succeeded()
    (note,) = [line for line in result.log("INFO") if "is not an admin" in line]
    assert note.endswith(
        "is not an admin. These may hold only what that user sees: roles, themes, users."
    )
    assert len(emulator.calls) - len(before) == 6, "four streams, a login and a logout"


def test_what_is_the_same_for_every_user_is_not_among_it(run, emulator):
    me = emulator.instance.users[0]
    me["role_ids"], me["group_ids"] = ["3"], []
    same = ("dialect_info", "locales", "permissions", "timezones", "versions")
    result = run(catalog=selecting("current_user", "roles", "themes", *same)).succeeded()
    (note,) = [line for line in result.log("INFO") if "is not an admin" in line]
    assert note.endswith(" sees: roles, themes.")


def test_an_admin_is_told_nothing_of_the_kind(run):
    assert "is not an admin" not in run(catalog=catalog()).succeeded().stderr


def test_a_system_activity_stream_shows_how_far_it_is(tmp_path):
    with Emulator(latency_ms=400, activity_rows=2_000) as emulator:
        shown, *_ = on_terminal(
            emulator,
            tmp_path,
            "--select",
            "system_activity_history",
            environment={"COLUMNS": "120"},
            activity_page_size=500,
            start_date="2020-01-01T00:00:00Z",
        )
    assert re.search(r"system_activity_history · up to \d+", shown)
