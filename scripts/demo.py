"""The main job, seen at work: a Looker instance's content in files that SQL can query.

Starts the emulator, runs ``tap-looker | target-jsonl`` with the default streams, and shows with
DuckDB what landed. Then ``tap-looker-report`` makes a page of all that it can use.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb

FOLDER = Path(".demo")
SAMPLES = {
    "users": "id, display_name, is_disabled, len(group_ids) AS groups",
    "looks": "id, title, query_id, deleted",
    "dashboards": "id, title, folder.name AS folder, view_count",
    "queries": "id, model, view, len(fields) AS fields",
}


def main() -> None:
    """Run the demo."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--target", default="target-jsonl", help="the target's command")
    arguments.add_argument("--report", help="the command of the report; without it there is none")
    arguments.add_argument("--scale", default="medium", help="size of the emulated instance")
    arguments.add_argument("--latency-ms", default="50", help="latency of the emulated instance")
    options = arguments.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "output").mkdir(parents=True)
    emulator = subprocess.Popen(
        [
            *(sys.executable, "-m", "looker_emulator", "--port", "0"),
            *("--scale", options.scale, "--latency-ms", options.latency_ms),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        print_load(options.target, config_of(emulator))
        if options.report:
            print_report(options.report)
    finally:
        emulator.terminate()
        emulator.wait()


def config_of(emulator: subprocess.Popen[str]) -> dict[str, str]:
    """The tap's settings, from what the emulator prints: its address and an API key."""
    if emulator.stdout is None:
        raise RuntimeError("the emulator has no output")
    address, client_id, client_secret = (
        emulator.stdout.readline().split()[-1] for _ in ("address", "id", "secret")
    )
    return {"api_host_url": address, "client_id": client_id, "client_secret": client_secret}


def print_load(target: str, config: dict[str, str]) -> None:
    """Run the tap into the target and show what came out of it."""
    tap_config, target_config, log = (
        FOLDER / name for name in ("tap.json", "target.json", "tap.log")
    )
    tap_config.write_text(json.dumps(config))
    target_config.write_text(
        json.dumps({"destination_path": str(FOLDER / "output"), "do_timestamp_file": False})
    )
    command = [str(Path(sys.executable).with_name("tap-looker")), "--config", str(tap_config)]
    print(f"$ tap-looker --config {tap_config} | target-jsonl --config {target_config}")
    started = time.monotonic()
    with log.open("w") as stderr:
        tap = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr)
        subprocess.run(
            [target, "--config", str(target_config)],
            stdin=tap.stdout,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        failed = tap.wait()
    lines = log.read_text().splitlines()
    if failed:
        sys.exit("\n".join(lines))
    print_tables(time.monotonic() - started)
    print(next((line.partition("Cost: ")[2] for line in lines if "Cost: " in line), ""))
    print(f"The files are in {FOLDER / 'output'}, the tap's log is {log}.")


def print_report(report: str) -> None:
    """Make the page, of the streams that it can use."""
    page = FOLDER / "report.html"
    config = FOLDER / "tap.json"
    print(f"\n$ tap-looker-report --config {config} -o {page} --keep {FOLDER / 'rows'}", flush=True)
    subprocess.run(
        [
            *(report, "--config", str(config), "-o", str(page)),
            *("--keep", str(FOLDER / "rows"), "--title", "Looker of the demo"),
        ],
        check=True,
    )
    print(f"Open {page} in a browser: what is used, who sees what, what is slow and what fails.")


def print_tables(seconds: float) -> None:
    """What landed, counted and sampled with SQL."""
    files = sorted((FOLDER / "output").glob("*.jsonl"))
    union = " UNION ALL ".join(
        f"SELECT '{file.stem}' AS stream, count(*) AS records FROM '{file}'" for file in files
    )
    duckdb.sql(f"SELECT * FROM ({union}) ORDER BY stream").show(max_rows=200)
    for stream, columns in SAMPLES.items():
        file = FOLDER / "output" / f"{stream}.jsonl"
        print(f"SELECT {columns} FROM '{file}' LIMIT 3")
        duckdb.sql(f"SELECT {columns} FROM '{file}' LIMIT 3").show(max_col_width=40)
    print(f"{len(files)} streams in {seconds:.1f} s. What it cost Looker: ", end="")


if __name__ == "__main__":
    main()
