"""What the pages tell people to run with a target does what they say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from support import COMMAND, settings_of

from targets import postgres

ROOT = Path(__file__).parents[1]
PAGE = "docs/warehouses.md"
BEFORE, AFTER = '{"bookmarks":{"a":{}}}', '{"bookmarks":{"b":{}}}'


def blocks(page, language):
    text = (ROOT / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.skipif(not shutil.which("bash"), reason="a script for Bash")
@pytest.mark.parametrize(
    ("tap", "target", "state", "exit_code"),
    [
        (0, f"echo '{AFTER}'", AFTER, 0),
        (1, f"echo '{AFTER}'", AFTER, 1),
        (143, "", BEFORE, 143),
        (0, "exit 2", BEFORE, 2),
    ],
    ids=["success", "a stream fails", "interrupted", "the target fails"],
)
def test_the_script_keeps_the_exit_code_and_the_state(tap, target, state, exit_code, tmp_path):
    (script,) = blocks(PAGE, "bash")
    for name, does in (("tap-looker", f"exit {tap}"), ("target-jsonl", f"cat >&2; {target}")):
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(f"#!/bin/sh\n{does}\n")
        command.chmod(0o755)
    (tmp_path / "state.json").write_text(BEFORE)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"},
        check=False,
    )
    assert done.returncode == exit_code
    assert (tmp_path / "state.json").read_text().strip() == state


@pytest.fixture
def users():
    """Two instances, each with a row that its last run has not found."""
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE users (looker_instance TEXT, id TEXT, _sdc_sync_started_at BIGINT);"
            "INSERT INTO users VALUES ('eu', 'gone', 1), ('eu', '1', 2), ('eu', '2', 2),"
            " ('us', 'gone', 3), ('us', '1', 4)"
        )
        yield connection


def left(connection):
    rows = connection.execute("SELECT looker_instance, id FROM users ORDER BY ALL").fetchall()
    return [f"{instance} {id_}" for instance, id_ in rows]


def test_the_statements_delete_what_the_last_run_did_not_find(users):
    of_one, of_instance = blocks(PAGE, "sql")
    users.execute(of_instance)
    assert left(users) == ["eu 1", "eu 2", "us 1", "us gone"]
    users.execute("DELETE FROM users WHERE looker_instance = 'eu'")
    users.execute(of_one)
    assert left(users) == ["us 1"]


def follow(script, folder, emulator, **programs):
    """Run what a page tells a newcomer to run, with these programs in the places it names."""
    (folder / "config.json").write_text(json.dumps(settings_of(emulator)))
    for place, program in {"tap-looker": COMMAND, **programs}.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\nexec "{program}" "$@"\n')
        path.chmod(0o755)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads((folder / "state.json").read_text().splitlines()[-1])
    return done.stdout


@pytest.mark.slow
def test_the_readme_leads_to_a_first_table(emulator, tmp_path):
    target = os.environ.get("TARGET_JSONL") or pytest.skip("TARGET_JSONL is not set")
    (script,) = (one for one in blocks("README.md", "sh") if "mkdir -p output" in one)
    programs = {"target-jsonl": target, ".venv-jsonl/bin/python": sys.executable}
    said = follow(script, tmp_path, emulator, **programs)
    first = min(
        (one for one in emulator.instance.dashboards if not one["deleted"]),
        key=lambda one: one["last_accessed_at"] or "",
    )
    assert first["title"] in said
    assert first["user_name"] in said


@pytest.mark.slow
def test_the_example_leads_to_a_table_in_postgres(emulator, tmp_path):
    target = os.environ.get("TARGET_POSTGRES") or pytest.skip("TARGET_POSTGRES is not set")
    (script,) = (one for one in blocks(PAGE, "sh") if "postgres.json" in one)
    script = "cat >" + script.partition("cat >")[2]  # what is installed is there
    try:
        with postgres.server() as port:
            names = {'"looker", "password"': '"postgres", "password"', "5432": str(port),
                     '"database": "looker"': '"database": "postgres"',
                     "-U looker -d looker": f"-p {port} -U postgres -d postgres"}  # fmt: skip
            for name, here in names.items():
                assert name in script
                script = script.replace(name, here)
            said = follow(
                script, tmp_path, emulator, **{".venv-postgres/bin/target-postgres": target}
            )
    except postgres.MissingError as missing:
        pytest.skip(str(missing))
    most = max(
        (one for one in emulator.instance.dashboards if not one["deleted"]),
        key=lambda one: one["view_count"],
    )
    assert most["title"] in said
