"""The examples: units of work by themselves, and under the engines that are to run them."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from support import COMMAND, DEADLINE, entries, run_cli

from looker_emulator import Emulator, Fault
from targets import postgres

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
UNIT = EXAMPLES / "looker_unit.py"
TARGET = os.environ.get("TARGET_POSTGRES", "")
sys.path.insert(0, str(EXAMPLES))
import looker_unit  # noqa: E402

GROUPS = list(looker_unit.GROUPS)
HISTORY = "system_activity_history"
NOW = datetime.now(UTC).replace(microsecond=0)

FEW = {
    "content": "users,groups,folders,looks,queries,versions",
    "lookml": "explores,explore_fields",
    "usage": "system_activity_user_facts",
    "activity": "system_activity_history,system_activity_events",
}
"""A few streams of each group, where it makes no difference which."""

NUMBERS = itertools.count()

needs_postgres = pytest.mark.skipif(
    not TARGET, reason="TARGET_POSTGRES is not set: python3 dev.py test sets it"
)


def copied(folder, *files):
    """The files of an example and the runner in one folder, with a few streams."""
    folder.mkdir(exist_ok=True)
    for name in files:
        shutil.copy(EXAMPLES / name, folder)
    text = UNIT.read_text("utf-8")
    few = re.sub(r"(?s)^GROUPS = \{.*?^\}", f"GROUPS = {json.dumps(FEW)}", text, flags=re.MULTILINE)
    assert few != text
    (folder / UNIT.name).write_text(few, "utf-8")
    return folder / UNIT.name


# ------------------------------------------------------------------------------------- the groups


@cache
def selected(group):
    """What the tap selects for a group."""
    listed = run_cli("--list", "--select", looker_unit.GROUPS[group]).succeeded().stdout
    return set(re.findall(r"^\* (\w+)", listed, re.MULTILINE))


def test_each_stream_is_in_one_group():
    """Units of different groups never write to the same table, and delete nothing of each other."""
    counted = Counter(itertools.chain.from_iterable(map(selected, GROUPS)))
    assert set(counted.values()) == {1}
    assert len(counted) > 60


def test_what_can_be_back_filled_has_a_time():
    """The others would be read whole in each window, or hold what is counted in the window."""
    for group in looker_unit.WINDOWED:
        for stream in selected(group):
            assert stream.startswith("system_activity_")
            assert entries()[stream]["replication_key"], stream
    with pytest.raises(ValueError, match="content cannot be back-filled"):
        looker_unit.run("content", ("2026-01-01", "2026-02-01"), {})
    done = subprocess.run(
        [sys.executable, UNIT, "usage", "--window", "2026-01-01", "2026-02-01"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "only activity can be back-filled" in done.stderr


@pytest.mark.parametrize(
    "window", [("2026-02-01", "2026-01-01"), ("2026-01-01", "2026-01-01"), ("2026-01-01", "")]
)
def test_what_is_no_window_is_an_error(window):
    """One that is empty would look like a finished back-fill; without an end, it has none."""
    done = subprocess.run(
        [sys.executable, UNIT, "activity", "--window", *window],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "is no window" in done.stderr


@pytest.mark.parametrize("noise", ["INFO loaded all", '{"level": "INFO"}', '"bookmarks"', ""])
def test_only_states_are_kept(tmp_path, noise):
    state = {"bookmarks": {"users": {}}}
    target = script(
        tmp_path, "target", f"cat > /dev/null; echo '{json.dumps(state)}'; echo '{noise}'"
    )
    states = tmp_path / "states"
    programs = {"UNIT_TAP": "true", "UNIT_TARGET": target, "UNIT_STATES": str(states)}
    named = {**os.environ, **programs, "TAP_LOOKER_INSTANCE": "../eu/1"}
    assert looker_unit.run("content", environment=named) == 0
    (kept,) = states.iterdir()
    assert json.loads(kept.read_text()) == state


@pytest.mark.parametrize("name", ["UNIT_TAP", "UNIT_TARGET"])
def test_a_program_that_is_not_installed_is_one_line(name):
    programs = {"UNIT_TAP": "true", "UNIT_TARGET": "true"} | {name: "no-such-program --config=ENV"}
    done = subprocess.run(
        [sys.executable, UNIT, "content"],
        capture_output=True,
        env={**os.environ, **programs},
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == f"no-such-program is not on the PATH: install it, or set {name}.\n"


# ------------------------------------------------------------------------------ a unit, by itself


def script(folder, name, body):
    """A command line that stands for the tap or the target."""
    path = folder / f"{name}.sh"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def unit(tmp_path):
    """Runs a unit whose tap and target do what the test says."""

    def run(tap, target, *arguments, groups=("content",)):
        (tmp_path / "states").mkdir(exist_ok=True)
        return subprocess.Popen(
            [sys.executable, UNIT, *groups, *arguments],
            env={
                **os.environ,
                "UNIT_TAP": script(tmp_path, "tap", tap),
                "UNIT_TARGET": script(tmp_path, "target", target),
                "UNIT_STATES": str(tmp_path / "states"),
                "TAP_LOOKER_INSTANCE": "eu",
            },
            stderr=subprocess.PIPE,
        )

    return run


def state_of(value):
    """A state, as a target prints it."""
    return json.dumps({"bookmarks": {"users": {"replication_key_value": value}}})


@pytest.mark.skipif(os.name == "nt", reason="scripts for a shell of POSIX")
@pytest.mark.parametrize(
    ("tap", "target", "state", "exit_code"),
    [
        ("exit 0", "echo {after}", "after", 0),
        ("exit 0", "echo {between}; echo {after}", "after", 0),
        ("exit 1", "echo {after}", "after", 1),
        ("kill -KILL $$", "echo {after}", "after", 137),
        ("exit 0", "exit 2", "before", 2),
        ("exit 0", "echo {after}; printf cut; kill -KILL $$", "after", 137),
        ("yes", "head -n 1 > /dev/null; exit 3", "before", 3),
    ],
    ids=["success", "states", "a stream fails", "tap killed", "target fails", "cut", "tap goes on"],
)
def test_the_exit_code_and_the_state(unit, tmp_path, tap, target, state, exit_code):
    kept = tmp_path / "states" / "eu-content.json"
    kept.parent.mkdir()
    kept.write_text(state_of("before"))
    printed = {name: f"'{state_of(name)}'" for name in ("between", "after")}
    process = unit(tap, f"[ -p /dev/stdin ] && {{ {target.format(**printed)}; }}")
    process.communicate(timeout=DEADLINE)
    assert process.returncode == exit_code
    assert json.loads(kept.read_text()) == json.loads(state_of(state))
    assert [path.name for path in kept.parent.iterdir()] == ["eu-content.json"]


@pytest.mark.skipif(os.name == "nt", reason="scripts for a shell of POSIX")
def test_groups_run_one_after_the_other_and_a_failure_stops_none(unit, tmp_path):
    log = tmp_path / "log"
    tap = f'echo "$TAP_LOOKER_SELECT" >> {log}; echo "$@" >> {log}; [ "$TAP_LOOKER_SELECT" = x ]'
    process = unit(tap, "cat > /dev/null", groups=GROUPS)
    process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    lines = log.read_text().splitlines()
    assert lines[::2] == list(looker_unit.GROUPS.values())
    assert lines[1::2] == [f"--state {tmp_path}/states/eu-{group}.json" for group in GROUPS]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_unit_that_is_stopped_loads_what_it_has_read(unit, tmp_path):
    begun, rest = state_of("begun"), state_of("rest")
    tap = f"""REST='{rest}'
trap 'echo "$REST"; kill $!; exit 143' TERM; echo '{begun}'; sleep 60 & wait"""
    target = 'read -r begun; echo "$begun"; read -r rest; echo "$rest"'
    process = unit(tap, target)
    kept = tmp_path / "states" / "eu-content.json"
    wait_for(lambda: kept.exists() and kept.read_text() == f"{begun}\n")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=DEADLINE)
    assert process.returncode == 128 + signal.SIGTERM
    assert kept.read_text() == f"{rest}\n"


@pytest.mark.skipif(not shutil.which("flock"), reason="flock is of Linux")
def test_a_lock_is_held_as_long_as_a_process_of_the_unit_lives(tmp_path):
    """The script of cron: whoever comes meanwhile waits, and then gives up."""
    folder = tmp_path / "cron"
    folder.mkdir()
    for source in (UNIT, EXAMPLES / "cron" / "looker.sh"):
        shutil.copy(source, folder)
    tap = script(
        tmp_path, "tap", f'trap "" TERM; echo $$ > {tmp_path}/pid; exec sleep 60 > /dev/null'
    )
    (folder / "eu.env").write_text(f"UNIT_TAP={tap}\nUNIT_TARGET=cat\n")
    short = (folder / "looker.sh").read_text().replace("7200", "0.2")
    (folder / "looker.sh").write_text(short)
    command = ["bash", folder / "looker.sh", "eu", "content"]
    first = subprocess.Popen(command)
    wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    assert subprocess.run(command, check=False, timeout=DEADLINE).returncode == 75
    (runner,) = children(first.pid)
    os.kill(runner, signal.SIGKILL)  # the tap is asked to end, and does not
    first.wait(DEADLINE)
    assert subprocess.run(command, check=False, timeout=DEADLINE).returncode == 75
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    (folder / "eu.env").write_text("UNIT_TAP=true\nUNIT_TARGET=cat\n")
    wait_for(lambda: subprocess.run(command, check=False, timeout=DEADLINE).returncode == 0)


def children(pid):
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def wait_for(condition, seconds=DEADLINE):
    """Until something is so that nothing announces."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# ---------------------------------------------------------------------------- units and a warehouse


class Place:
    """A schema of the warehouse, a folder of states, and units of instances."""

    def __init__(self, port, schema, folder, unit=UNIT):
        self.port, self.schema, self.states = port, schema, folder / f"states of {schema}"
        self.unit = unit
        self.target = {
            "UNIT_TARGET": f"{TARGET} --config=ENV",
            "TARGET_POSTGRES_HOST": "127.0.0.1",
            "TARGET_POSTGRES_PORT": str(port),
            "TARGET_POSTGRES_USER": "postgres",
            "TARGET_POSTGRES_PASSWORD": "none",
            "TARGET_POSTGRES_DATABASE": "postgres",
            "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": schema,
            "TARGET_POSTGRES_VALIDATE_RECORDS": "false",
            "TARGET_POSTGRES_USE_COPY": "true",
            "TARGET_POSTGRES_HARD_DELETE": "true",
        }

    def environment(self, emulator, instance="", **settings):
        """Of a unit."""
        named = {"TAP_LOOKER_INSTANCE": instance} if instance else {}
        return {
            **os.environ,
            **self.target,
            "UNIT_TAP": f"{COMMAND} --config=ENV",
            "UNIT_STATES": str(self.states),
            "TAP_LOOKER_API_HOST_URL": emulator.url,
            "TAP_LOOKER_CLIENT_ID": emulator.client_id,
            "TAP_LOOKER_CLIENT_SECRET": emulator.client_secret,
            **named,
            **settings,
        }

    def start(self, group, emulator, instance="", window=None, **settings):
        """A unit, in a process group of its own."""
        arguments = ["--window", *window] if window else []
        return subprocess.Popen(
            [sys.executable, self.unit, group, *arguments],
            env=self.environment(emulator, instance, **settings),
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def run(self, *arguments, **settings):
        """A unit that succeeds."""
        succeeded(self.start(*arguments, **settings))

    def tables(self):
        """The names of the tables."""
        return postgres.lines(
            self.port,
            "SELECT table_name FROM information_schema.tables"
            f" WHERE table_schema = '{self.schema}' ORDER BY 1",
        )

    def rows(self, instance=""):
        """The rows of each table in JSON, sorted, without what the target adds to them."""
        where = f"WHERE looker_instance = '{instance}'" if instance else ""
        return {
            table: sorted(
                re.sub(r'"_sdc_\w+":(?:"[^"]*"|[^,}]+),?', "", line)
                for line in postgres.lines(
                    self.port,
                    f'SELECT row_to_json(t) FROM {self.schema}."{table}" AS t {where}',
                )
            )
            for table in self.tables()
        }


def succeeded(process, seconds=4 * DEADLINE):
    """Wait for the end of a unit."""
    _, stderr = process.communicate(timeout=seconds)
    assert process.returncode == 0, stderr.decode()


@pytest.fixture
def place(postgres_port, tmp_path):
    """A new schema each time: `place()`."""
    return lambda unit=UNIT: Place(postgres_port, f"schema_{next(NUMBERS)}", tmp_path, unit)


def busy(scale=0.3, rows=1_200, **options):
    """An instance with history up to now."""
    return Emulator(scale, activity_rows=rows, now=NOW, **options)


def windows(emulator, count):
    """Windows of the instance's history, whose bounds are times of rows: none may come twice."""
    times = [time for (time,) in emulator.sql("SELECT created FROM sa_history ORDER BY id")]
    bounds = [times[len(times) * n // count].isoformat() + "Z" for n in range(1, count)]
    return list(itertools.pairwise(["2000-01-01", *bounds, (NOW + timedelta(days=1)).isoformat()]))


@pytest.mark.slow
@needs_postgres
def test_the_union_of_windows_is_the_one_run(place):
    """In any order, of any length: no row is lost or doubled, and no value differs."""
    with busy() as emulator:
        parts, whole = place(), place()
        found = windows(emulator, 3)
        found = [found[1], found[2], found[0]]
        for window in found:
            parts.run("activity", emulator, window=window)
        whole.run("activity", emulator, TAP_LOOKER_START_DATE="2000-01-01")
        rows = parts.rows()
        assert rows == whole.rows()
        assert set(rows) == selected("activity")
        assert len(rows[HISTORY]) == 1_200
        assert sum(map(bool, rows.values())) == len(rows), "all have rows"


@pytest.mark.slow
@needs_postgres
def test_a_back_fill_leaves_the_state_of_the_nights_alone(place):
    with busy() as emulator:
        of = place()
        recently = (NOW - timedelta(days=30)).isoformat()
        of.run("activity", emulator, TAP_LOOKER_START_DATE=recently)
        (state,) = of.states.iterdir()
        before = (state.read_bytes(), state.stat())
        assert HISTORY in json.loads(before[0])["bookmarks"]
        loaded = len(of.rows()[HISTORY])
        of.run("activity", emulator, window=("2000-01-01", recently))
        # It has read what lies before the bookmark, so it has not taken it.
        assert loaded < len(of.rows()[HISTORY]) == 1_200
        assert (state.read_bytes(), state.stat().st_mtime_ns) == (before[0], before[1].st_mtime_ns)
        assert list(of.states.iterdir()) == [state]
        emulator.activity.add_rows(5)
        of.run("activity", emulator, TAP_LOOKER_ACTIVITY_LOOKBACK="0")
        assert len(of.rows()[HISTORY]) == 1_205


@pytest.mark.slow
@needs_postgres
def test_two_instances_at_once_do_not_touch_each_other(place, tmp_path):
    """They share a schema, and have the same ids."""
    unit = copied(tmp_path / "few")
    shared, alone = place(unit), place(unit)
    two = ("content", "activity")
    with busy(0.2) as eu, busy(0.3, rows=900) as us:
        instances = {"eu": eu, "us": us}
        since = {"TAP_LOOKER_START_DATE": "2000-01-01"}
        both = [(group, of, name) for name, of in instances.items() for group in two]
        for one in both:
            alone.run(*one, **since)
        for group in two:
            shared.run(group, eu, "eu", **since)  # makes the tables, which no two may at once
        for unit in [shared.start(*one, **since) for one in both]:
            succeeded(unit)
        for name in instances:
            assert shared.rows(name) == alone.rows(name)
        assert {path.name for path in shared.states.iterdir()} == {
            f"{name}-{group}.json" for name in instances for group in two
        }
        for path in shared.states.iterdir():
            bookmarks = json.loads(path.read_text())["bookmarks"]
            assert {one["looker_instance"] for one in bookmarks.values()} == {path.name[:2]}
        assert {emulator.activity.max_in_flight for emulator in instances.values()} == {1}


def rows_in(place):
    """How many rows all tables have."""
    return sum(map(len, place.rows().values()))


@pytest.mark.slow
@needs_postgres
@pytest.mark.skipif(not looker_unit.ENDING_WITH_THIS, reason="setpriv is of Linux")
@pytest.mark.parametrize("victim", ["all", "the runner", "tap-looker", "target-postgres"])
def test_a_unit_that_was_killed_and_runs_again_adds_no_row(place, tmp_path, victim):
    unit = copied(tmp_path / "few")
    with busy() as emulator:
        whole, of = place(unit), place(unit)
        settings = {
            "TAP_LOOKER_START_DATE": "2000-01-01",
            "TAP_LOOKER_ACTIVITY_PAGE_SIZE": "100",
            "TARGET_POSTGRES_BATCH_SIZE_ROWS": "200",
        }
        whole.run("activity", emulator, **settings)
        fault = emulator.add_fault(Fault("silence", "/queries/run/*", "POST", after=20))
        process = of.start("activity", emulator, **settings)
        wait_for(lambda: fault.fired and of.rows().get(HISTORY))
        pids = {"the runner": process.pid}
        for pid in children(process.pid):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
            pids |= {name: pid for name in ("tap-looker", "target-postgres") if name in command}
        assert len(pids) == 3
        if victim == "all":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            os.kill(pids[victim], signal.SIGKILL)
        process.communicate(timeout=DEADLINE)
        assert process.returncode
        with pytest.raises(ProcessLookupError):  # nothing of it lives on
            wait_for(lambda: os.killpg(process.pid, 0))
        assert 0 < rows_in(of) < rows_in(whole)
        emulator.clear_faults()
        of.run("activity", emulator, **settings)
        assert of.rows() == whole.rows()


@pytest.mark.slow
@needs_postgres
def test_a_group_deletes_nothing_of_the_others(place, tmp_path):
    deletes = {"TAP_LOOKER_EMIT_ACTIVATE_VERSION_MESSAGES": "true"}
    with busy() as emulator:
        of = place(copied(tmp_path / "few"))
        for group in GROUPS:
            of.run(group, emulator, **deletes)
        before = of.rows()
        gone = emulator.instance.users.pop()
        for group in ("activity", "lookml", "usage", "content"):
            of.run(group, emulator, **deletes)
            after = of.rows()
            for table in set(before) - set(FEW["content"].split(",")):
                assert len(after[table]) >= len(before[table]) > 0, table
        assert len(after["users"]) == len(before["users"]) - 1
        assert not [row for row in after["users"] if f'"id":"{gone["id"]}"' in row]
