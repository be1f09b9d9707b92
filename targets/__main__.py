"""`python -m targets [NAMES] [--check]`: load an emulated instance into real targets.

Each target loads every stream three times: a first time, again, and after a user, a membership, a
role and a dashboard were deleted. Every value is compared with what the tap wrote. The findings go
to targets/findings.json, from which scripts/generate_docs.py writes a table of docs/warehouses.md;
with ``--check`` they are compared with that file.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from looker_emulator import Emulator
from targets import compare, postgres
from targets.compare import Output
from targets.table import BY_KEY, TARGETS, Place, Target

if TYPE_CHECKING:
    from looker_emulator.instance import Instance

ENVIRONMENTS = Path(__file__).parent.parent / ".targets"
BIN = "Scripts" if os.name == "nt" else "bin"
FINDINGS = Path(__file__).with_name("findings.json")
SETTINGS = {"emit_activate_version_messages": True, "start_date": "2020-01-01"}


def main() -> int:
    """Run what the command line names; the exit code."""
    parser = argparse.ArgumentParser("targets", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BY_KEY)}")
    parser.add_argument("--check", action="store_true", help="compare with targets/findings.json")
    options = parser.parse_args()
    if unknown := set(options.names) - BY_KEY.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    chosen = [target for target in TARGETS if target.key in (options.names or BY_KEY)]
    known = json.loads(FINDINGS.read_text("utf-8")) if FINDINGS.exists() else {}
    outputs = three_runs()
    found = {}
    for target in chosen:
        found[target.key] = measured(target, outputs)
        print(f"{target.key}: {json.dumps(found[target.key], ensure_ascii=False)}", flush=True)
    if options.check:
        differing = [
            key for key in found if key not in known or claims(found[key]) != claims(known[key])
        ]
        for key in differing:
            print(f"{key} does not do as docs/warehouses.md says: {json.dumps(known.get(key))}")
        return int(bool(differing))
    content = {key: found.get(key, known.get(key)) for key in BY_KEY}
    FINDINGS.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return 0


def three_runs() -> list[str]:
    """The tap's output: at first, again, and after some things were deleted."""
    with tempfile.TemporaryDirectory() as folder, Emulator(activity_rows=200) as emulator:
        config, catalog = Path(folder, "config.json"), Path(folder, "catalog.json")
        credentials = {
            "api_host_url": emulator.url,
            "client_id": emulator.client_id,
            "client_secret": emulator.client_secret,
        }
        config.write_text(json.dumps({**credentials, **SETTINGS}), "utf-8")
        found = json.loads(tap("--discover"))
        for entry in found["streams"]:
            for one in entry["metadata"]:
                if not one["breadcrumb"]:
                    one["metadata"]["selected"] = True
        catalog.write_text(json.dumps(found), "utf-8")
        arguments = ("--config", str(config), "--catalog", str(catalog))
        outputs = [tap(*arguments), tap(*arguments)]
        delete_some(emulator.instance)
        return [*outputs, tap(*arguments)]


def tap(*arguments: str) -> str:
    """What the tap prints."""
    command = [sys.executable, "-m", "tap_looker", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        sys.exit(done.stderr.decode())
    return done.stdout.decode()


def delete_some(instance: Instance) -> None:
    """Delete a user, a membership, a role of a user, and a dashboard with its tiles."""
    user = instance.users[6]
    instance.users.remove(user)
    member = next(one for one in instance.users[1:] if len(one["group_ids"]) > 1)
    member["group_ids"].pop()
    holder = next(one for one in instance.users[1:] if one["role_ids"])
    holder["role_ids"].pop()
    merged = {one["dashboard_id"] for one in instance.dashboard_elements if one["merge_result_id"]}
    dashboard = next(one for one in instance.dashboards if one["id"] in merged)
    instance.dashboards.remove(dashboard)
    instance.dashboard_elements[:] = [
        tile for tile in instance.dashboard_elements if tile["dashboard_id"] != dashboard["id"]
    ]


def measured(target: Target, outputs: list[str]) -> dict[str, Any]:
    """Load three times, and compare."""
    first, _, last = map(Output.of, outputs)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = stack.enter_context(postgres.server()) if target.needs_postgres else 0
        place = Place(folder / "loaded", port)
        place.folder.mkdir()
        config = folder / "target.json"
        config.write_text(json.dumps(target.settings(place)), "utf-8")

        def load(lines: str) -> dict[str, list[dict[str, Any]]]:
            command = [executable(target), "--config", str(config)]
            done = subprocess.run(
                command, input=lines.encode(), capture_output=True, cwd=folder, check=False
            )
            if done.returncode:
                sys.exit(f"{target.key} ended with {done.returncode}:\n{done.stderr.decode()}")
            return target.read(place)

        tables = load(outputs[0])
        differing = compare.wrong(first, tables)
        lost = compare.missing(first, tables)
        rows = sum(map(len, tables.values()))
        again = sum(map(len, load(outputs[1]).values()))
        tables = load(outputs[2])
        stale, streams = compare.stale(last, tables)
        marked = any(len(compare.live(one)) < len(one) for one in tables.values())
    kinds: dict[str, list[int]] = {}
    for (_, kind), count in sorted(differing.items()):
        total = kinds.setdefault(kind, [0, 0])
        total[0] += count
        total[1] += 1
    return {
        "streams": len(first.rows),
        "rows": rows,
        "values": sum(len(row) for rows_of in first.rows.values() for row in rows_of.values()),
        "lost_rows": lost,
        "rows_twice": again - rows,
        "wrong": {kind: {"values": of[0], "columns": of[1]} for kind, of in kinds.items()},
        "stale_rows": stale,
        "stale_streams": streams,
        "marks": marked,
    }


def claims(found: dict[str, Any]) -> tuple[Any, ...]:
    """What a finding says whatever the streams are."""
    return (
        found["lost_rows"] > 0,
        found["rows_twice"] > 0,
        found["stale_rows"] > 0,
        found["marks"],
        sorted(found["wrong"]),
    )


def executable(target: Target) -> str:
    """The command of a target, in an environment of its own, made if it is not there."""
    folder = ENVIRONMENTS / "-".join(target.packages).replace("==", "-")
    stamp = folder / "made"
    if not stamp.exists():
        print(f"Making {folder.relative_to(ENVIRONMENTS.parent)} …", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        python = folder / BIN / "python"
        run(sys.executable, "-m", "venv", "--without-pip", str(folder))
        pip = (sys.executable, "-m", "pip", "--python", str(python))
        run(*pip, "install", "--quiet", "--root-user-action=ignore", *target.packages)
        stamp.touch()
    return str(folder / BIN / target.executable)


def run(*command: str) -> None:
    """Run a command; its failure is ours."""
    done = subprocess.run(command, check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    sys.exit(main())
