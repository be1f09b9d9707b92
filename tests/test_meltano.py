"""A Meltano project that installs the tap from this checkout, and runs it into target-jsonl."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import threading
from collections import Counter
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb
import jsonschema
import pytest
import yaml
from support import COMMAND, STREAMS, catalog

ROOT = Path(__file__).parents[1]
MELTANO = os.environ.get("MELTANO", "")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not MELTANO, reason="MELTANO is not set: python3 dev.py test sets it"),
]


class Project:
    """A Meltano project in a folder of its own: that of the checkout, unless told otherwise."""

    def __init__(self, folder: Path, definition: str = "", **settings: str) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if "MELTANO" not in name},
            "TARGET_JSONL_DO_TIMESTAMP_FILE": "false",
            **settings,
        }
        definition = definition or from_checkout("meltano.yml", "-e .")
        (folder / "meltano.yml").write_text(definition, encoding="utf-8")

    def meltano(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command that succeeds."""
        done = subprocess.run(
            [MELTANO, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def load(self) -> tuple[dict[str, int], str]:
        """The records that a run of the pipeline loads, by stream, and its log."""
        shutil.rmtree(self.folder / "output", ignore_errors=True)
        done = self.meltano("run", "tap-looker", "target-jsonl")
        files = (self.folder / "output").glob("*.jsonl")
        loaded = {file.stem: len(file.read_text("utf-8").splitlines()) for file in files}
        return loaded, done.stdout + done.stderr

    def selected(self) -> set[str]:
        """The streams that Meltano asks the tap for."""
        streams = json.loads(self.meltano("invoke", "--dump=catalog", "tap-looker").stdout)
        return selected(streams)


def from_checkout(name, pip_url):
    """A definition that installs the tap from this checkout."""
    definition = (ROOT / name).read_text("utf-8")
    here = definition.replace(f"pip_url: {pip_url}\n", f"pip_url: -e {shlex.quote(str(ROOT))}\n")
    assert here != definition
    return here


def selected(streams):
    """The streams that a catalog selects."""
    return {
        entry["tap_stream_id"]
        for entry in streams["streams"]
        for item in entry["metadata"]
        if not item["breadcrumb"]
        and item["metadata"].get("selected", item["metadata"].get("selected-by-default"))
    }


def check_definition(folder):
    """Judge the project by Meltano's own JSON Schema of it."""
    (schema,) = Path(MELTANO).parents[1].rglob("meltano.schema.json")
    validator = jsonschema.Draft202012Validator(json.loads(schema.read_text("utf-8")))
    validator.validate(yaml.safe_load((folder / "meltano.yml").read_text("utf-8")))


def test_a_meltano_project_installs_the_tap_and_runs_it(tmp_path, emulator, run):
    project = Project(
        tmp_path,
        TAP_LOOKER_API_HOST_URL=emulator.url,
        TAP_LOOKER_CLIENT_ID=emulator.client_id,
        TAP_LOOKER_CLIENT_SECRET=emulator.client_secret,
        # As text, which is how Meltano has them from the environment.
        TAP_LOOKER_START_DATE="2026-01-31",
        TAP_LOOKER_REQUEST_TIMEOUT="60",
        TAP_LOOKER_INCLUDE_DELETED="true",
        TAP_LOOKER_MODELS='["shop", "finance"]',
    )
    check_definition(project.folder)
    project.meltano("install", "tap-looker", "target-jsonl")
    assert project.selected() == selected(catalog())
    assert emulator.calls == [], "discovery asks Looker for nothing"

    del project.environment["TAP_LOOKER_MODELS"]
    loaded, log = project.load()
    expected = run(catalog=catalog()).succeeded()
    assert loaded == {name: len(records) for name, records in expected.records.items()}
    assert loaded.keys() >= set(STREAMS)
    assert "Cost: " in log
    assert emulator.client_secret not in log

    state = project.meltano("state", "get", "dev:tap-looker-to-target-jsonl").stdout
    assert json.loads(state)["singer_state"]["bookmarks"].keys() >= set(STREAMS)
    again, _ = project.load()
    assert again == loaded


@contextmanager
def served(folder):
    """The address that a folder is served at."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_one_command_adds_the_tap_to_a_project(tmp_path, emulator, run):
    """With its selection, which keeps Meltano from reading every stream."""
    (tmp_path / "web").mkdir()
    reference = from_checkout("tap-looker.yml", "lookout-tap-looker")
    (tmp_path / "web" / "tap-looker.yml").write_text(reference, encoding="utf-8")
    (tmp_path / "project").mkdir()
    project = Project(
        tmp_path / "project",
        "default_environment: dev\nenvironments:\n- name: dev\n",
        MELTANO_SEND_ANONYMOUS_USAGE_STATS="false",
        TAP_LOOKER_API_HOST_URL=emulator.url,
        TAP_LOOKER_CLIENT_ID=emulator.client_id,
        TAP_LOOKER_CLIENT_SECRET=emulator.client_secret,
    )
    with served(tmp_path / "web") as address:
        project.meltano("add", "tap-looker", "--from-ref", f"{address}/tap-looker.yml")
    check_definition(project.folder)
    assert project.selected() == selected(catalog())

    lines = project.meltano("invoke", "tap-looker").stdout.splitlines()
    messages = [json.loads(line) for line in lines if line.startswith('{"type":')]
    records = [one["stream"] for one in messages if one["type"] == "RECORD"]
    expected = run(catalog=catalog()).succeeded().records
    assert Counter(records) == {name: len(rows) for name, rows in expected.items()}

    project.meltano("select", "tap-looker", "explores", "*")
    assert project.selected() == {*selected(catalog()), "explores"}


def test_dbt_runs_after_the_load(tmp_path, emulator):
    """With the commands of the environments of dev.py in place of those Meltano would install."""
    commands = {"tap-looker": COMMAND, "target-jsonl": os.environ.get("TARGET_JSONL"),
                "dbt": os.environ.get("DBT")}  # fmt: skip
    if not all(commands.values()):
        pytest.skip("DBT and TARGET_JSONL are not set")
    project = Project(
        tmp_path,
        TAP_LOOKER_API_HOST_URL=emulator.url,
        TAP_LOOKER_CLIENT_ID=emulator.client_id,
        TAP_LOOKER_CLIENT_SECRET=emulator.client_secret,
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
    )
    definition = yaml.safe_load((tmp_path / "meltano.yml").read_text("utf-8"))
    for plugin in (one for kind in definition["plugins"].values() for one in kind):
        del plugin["pip_url"]
        plugin["executable"] = commands.get(plugin["executable"], plugin["executable"])
    (tmp_path / "meltano.yml").write_text(yaml.safe_dump(definition), encoding="utf-8")
    shutil.copytree(ROOT / "transform", tmp_path / "transform")
    (tmp_path / "output").mkdir()
    project.meltano("run", "tap-looker", "target-jsonl", "dbt-duckdb:build")
    with duckdb.connect(str(tmp_path / "looker.duckdb"), read_only=True) as connection:
        (users,) = connection.execute(
            "SELECT count(*) FROM main_looker_marts.looker_user_activity"
        ).fetchone()
    assert users == len(emulator.instance.users)
