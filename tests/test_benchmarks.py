"""The benchmarks run, all of them, and their JSON has the figures: what they are is not tested."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import measure
from benchmarks.instance import instance
from benchmarks.peers import PEERS
from benchmarks.peers.base import interpreters
from benchmarks.peers.singer_io import OURS
from tap_looker.resources.rest_streams import BY_NAME

ROOT = Path(__file__).parent.parent
FIGURES = {"wall_s", "cpu_s", "peak_memory_mb", "records"}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    file = tmp_path_factory.mktemp("benchmarks") / "figures.json"
    command = [sys.executable, "-m", "benchmarks", "all", "--tiny", "--json", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    content = json.loads(file.read_text(encoding="utf-8"))
    assert content["command"].startswith("python3 dev.py bench all --tiny")
    assert {"cpu", "cores", "python", "date"} <= content["machine"].keys()
    return {**content["benchmarks"], "printed": done.stdout}


@pytest.mark.slow
def test_each_run_has_its_figures(found):
    for name in ("crawl", "growth", "rows", "startup", "throttled"):
        assert found[name]["runs"]
        for row in found[name]["runs"]:
            assert row.keys() >= FIGURES
            assert row["wall_s"] > 0
            assert row["cpu_s"] > 0
            assert row["peak_memory_mb"] > 1


@pytest.mark.slow
def test_the_crawl_counts_calls_and_records(found):
    default, same, script = found["crawl"]["runs"]
    assert script["name"] in found["printed"]
    for row in (default, same, script):
        assert row["calls"] == row["admin"] + row["query"] + row["free"]
        assert row["failed"] == 0
        assert row["records"] >= row["distinct_records"] > 0
        assert row["floor_s"] > 0
        assert row["times_floor"] > 0
    assert min(same["streams"], default["streams"]) > script["streams"] > 0
    assert default["records"] == default["distinct_records"]
    assert default["in_flight"] > script["in_flight"] == 1


@pytest.mark.slow
def test_what_grows(found):
    small, large = found["growth"]["runs"]
    assert large["records_growth"] > small["records_growth"] == 1
    assert {"calls", "calls_growth", "cpu_s_growth", "peak_memory_mb_growth"} <= large.keys()


@pytest.mark.slow
def test_the_loops_read_the_rows_that_the_tap_reads(found):
    counts = {(row["what"], row["name"]): row["records"] for row in found["rows"]["runs"]}
    assert counts["look", "tap-looker"] > 0
    assert counts["history", "tap-looker"] > 0
    for (what, _), count in counts.items():
        assert count == counts[what, "tap-looker"]
    assert all(row["first_record_s"] > 0 for row in found["rows"]["runs"])


@pytest.mark.slow
def test_what_is_turned_away_is_not_lost(found):
    free, *throttled = found["throttled"]["runs"]
    assert free["turned_away"] == 0
    assert {row["concurrency"] for row in throttled} == {8, 64}
    for row in throttled:
        assert row["turned_away"] > 0
        assert row["lost"] == 0
        assert row["streams"] == free["streams"]


@pytest.mark.slow
def test_startup_names_what_is_imported(found):
    assert {row["name"] for row in found["startup"]["runs"]} >= {"--about", "--discover"}
    assert {one["package"] for one in found["startup"]["imports"]} >= {"singer_sdk", "all"}


def test_every_stream_to_compare_with_singer_io_exists():
    assert {ours for each in OURS.values() for ours in each} <= BY_NAME.keys()
    assert len({peer.key for peer in PEERS}) == len(PEERS)
    assert sys.version_info.minor in interpreters()


def test_a_program_is_measured(tmp_path):
    program = 'print(\'{"type":"RECORD"}\\n{"type": "RECORD"}\\nRECORD\\n{"type":"STATE"}\')'
    output = tmp_path / "output"
    done = measure.run([sys.executable, "-c", program], output=output)
    assert done.records == 2
    assert done.first_record is not None
    assert len(output.read_text().splitlines()) == 4
    with pytest.raises(measure.ProgramFailedError, match="too bad"):
        measure.run([sys.executable, "-c", "raise SystemExit('too bad')"])


def test_tls_before_the_emulator():
    with instance("small", tls=True) as looker:
        if looker.ca is None:
            pytest.skip("there is no openssl")
        assert looker.front.startswith("https://127.0.0.1:")
        assert looker.cost()["calls"] == 0
