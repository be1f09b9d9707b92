"""The output, as judged by Singer's own checker and as loaded by a real target."""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest
from support import DEADLINE, STREAMS


def command(variable):
    """What a variable names, which `dev.py test` sets."""
    path = os.environ.get(variable)
    if not path:
        pytest.skip(f"{variable} is not set")
    return path


def without_nulls(value):
    """A value without the nulls in it: they bring the checker down where it looks for times."""
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: without_nulls(item) for name, item in value.items() if item is not None}


def test_singer_check_tap_finds_nothing_wrong(clean, tmp_path):
    checker = command("SINGER_CHECK_TAP")
    messages = [
        {**message, "record": without_nulls(message["record"])} if "record" in message else message
        for message in clean.messages
    ]
    check = subprocess.run(
        [checker],
        input="".join(json.dumps(message) + "\n" for message in messages).encode(),
        cwd=tmp_path,
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    report = (check.stdout + check.stderr).decode()
    assert check.returncode == 0, report
    counted = {kind: int(count) for count, kind in re.findall(r"(\d+) (\w+) messages\n", report)}
    assert counted == {
        "schema": len(STREAMS),
        "record": sum(map(len, clean.records.values())),
        "state": len(clean.states),
    }


def test_target_jsonl_loads_every_record_through_a_pipe(run, tmp_path, clean):
    target = command("TARGET_JSONL")
    output = tmp_path / "output"
    output.mkdir()
    config = tmp_path / "target.json"
    config.write_text(json.dumps({"destination_path": str(output), "do_timestamp_file": False}))
    tap = run.start()
    loading = subprocess.run(
        [target, "--config", str(config)],
        stdin=tap.stdout,
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    assert tap.wait(DEADLINE) == 0
    tap.stdout.close()
    tap.stderr.close()
    assert loading.returncode == 0, loading.stderr.decode()
    loaded = {
        file.stem: [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        for file in output.iterdir()
    }
    assert loaded.keys() == set(STREAMS)
    assert loaded == clean.records
    assert json.loads(loading.stdout.splitlines()[-1]) == clean.states[-1]
