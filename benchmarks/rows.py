"""Rows of System Activity and of a look, beside loops that only download and parse them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from benchmarks import tap
from benchmarks.instance import instance
from benchmarks.measure import run, scratch, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.instance import Instance

LOOK = "Every order"
HISTORY = "system_activity_history"
EVER = "2020-01-01"
FEW = (10, 10_000)
"""Few rows, to tell what memory grows with."""
LOOPS = ("none", "ijson", "msgspec")
PLAIN_LOOP = Path(__file__).with_name("peers") / "plain_loop.py"


def rows(*, tiny: bool = False) -> Any:
    """Measure.

    Args:
        tiny: 2,000 and 1,000 rows in place of one and two millions.
    """
    found: list[dict[str, Any]] = []
    few = () if tiny else FEW
    with instance("small" if tiny else "large") as looker:
        look, all_orders = _look(looker)
        stream = f"look_{look}"
        for limit in (*few, -1):
            command = tap.command(looker, selected={stream}, looks=[{"id": look, "limit": limit}])
            found.append(_measured("look", "tap-looker", command))
        query = {**all_orders, "sorts": ["orders.id"]}
        found += _loops("look", looker, query)
        for start in (*(_start_of(looker, count) for count in few[1:]), EVER):
            command = tap.command(looker, selected={HISTORY}, start_date=start)
            found.append(_measured("history", "tap-looker", command))
        found += _loops("history", looker, _query_of(looker))
    for row in found:
        row["rows_per_s"] = round(row["records"] / row["wall_s"])
    return {"runs": found}


COLUMNS = {
    "what": "what",
    "by": "name",
    "rows": "records",
    "wall s": "wall_s",
    "rows/s": "rows_per_s",
    "first row s": "first_record_s",
    "CPU s": "cpu_s",
    "MB": "peak_memory_mb",
}


def shown(found: Any) -> str:
    """The table, and what is in it."""
    return "\n".join(
        [
            table("Rows, whole process from start to end", COLUMNS, found["runs"]),
            "none: the body is downloaded and thrown away, as fast as the emulator makes it.",
            "ijson, msgspec: it is parsed as it comes, or when it is whole; nothing is written.",
        ]
    )


def _measured(what: str, name: str, command: Sequence[str | Path]) -> dict[str, Any]:
    print(f"Running {what}, {name} …", file=sys.stderr, flush=True)
    return {"what": what, "name": name, **run(command).figures()}


def _start_of(looker: Instance, count: int) -> str:
    """From when on there are so many rows of history."""
    query = {
        "model": "system__activity",
        "view": "history",
        "fields": ["history.id", "history.created_time"],
        "sorts": ["history.id desc"],
        "limit": str(count),
        "query_timezone": "UTC",
    }
    last = _ask(looker, "/queries/run/json", query)[-1]
    return str(last["history.created_time"]).replace(" ", "T") + "Z"


def _loops(what: str, looker: Instance, query: dict[str, Any]) -> list[dict[str, Any]]:
    """The loops, which print how many rows there were where the tap prints records."""
    path = scratch() / "query.json"
    path.write_text(json.dumps(query), encoding="utf-8")
    found = []
    for how in LOOPS:
        output = scratch() / "loop.txt"
        command = [sys.executable, PLAIN_LOOP, looker.url, looker.client_id, looker.client_secret]
        print(f"Running {what}, {how} …", file=sys.stderr, flush=True)
        figures = run([*command, path, how], output=output).figures()
        found.append(
            {"what": what, "name": how, **figures, "records": int(output.read_text().split()[-1])}
        )
    return found


def _look(looker: Instance) -> tuple[str, dict[str, Any]]:
    """The look with every order: its id and its query."""
    found = _ask(looker, "/looks/search?fields=id,query_id&title=" + LOOK.replace(" ", "%20"))
    look = str(found[0]["id"])
    query = _ask(looker, f"/queries/{found[0]['query_id']}")
    return look, {name: query[name] for name in ("model", "view", "fields")}


def _query_of(looker: Instance) -> dict[str, Any]:
    """The query of the history stream: of the emulator's own log, the last one that was run."""
    with urlopen(f"{looker.url}/_emulator/calls") as answer:  # noqa: S310
        calls = json.load(answer)
    bodies = (call["body"] for call in reversed(calls) if call["path"].startswith("/queries/run"))
    query = next(body for text in bodies if (body := json.loads(text))["view"] == "history")
    return {name: query[name] for name in ("model", "view", "fields", "sorts", "query_timezone")}


def _ask(looker: Instance, path: str, body: Any = None) -> Any:
    """One answer of the API."""
    key = f"client_id={looker.client_id}&client_secret={looker.client_secret}".encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    login = Request(f"{looker.url}/api/4.0/login", key, form)  # noqa: S310
    with urlopen(login) as answer:  # noqa: S310
        token = json.load(answer)["access_token"]
    asked = Request(  # noqa: S310
        f"{looker.url}/api/4.0{path}",
        json.dumps(body).encode() if body else None,
        {"Authorization": f"token {token}"},
    )
    with urlopen(asked) as answer:  # noqa: S310
        return json.load(answer)
