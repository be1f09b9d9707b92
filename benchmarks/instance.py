"""An emulated instance as a process of its own, and what the calls to it would cost at Looker."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from benchmarks.measure import BENCH, scratch, variables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUERIES = re.compile(
    r"/(queries|query_tasks|sql_queries|merge_queries|running_queries|scheduled_plans)(/.*)?"
    r"|/looks/[^/]+/run/.*|/connections/[^/]+/databases"
)
"""Paths that Looker bills as queries: ``x-looker-activity-type: db_query`` of its OpenAPI document,
as far as anything here asks for them."""
FREE = re.compile(r"/login|/logout|/versions")
"""Paths of activity type ``none``."""


@dataclass(frozen=True)
class Instance:
    """Where it is, and the API key for it.

    Attributes:
        url: Of the emulator itself, over http.
        ca: File with the certificate of `front`; None where there is none.
        front: Address that programs are given: with TLS, where it is to be had.
    """

    url: str
    client_id: str
    client_secret: str
    front: str
    ca: Path | None = None

    def settings(self, **more: Any) -> dict[str, Any]:
        """The tap's configuration."""
        return {
            "api_host_url": self.front,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            **({"ca_bundle": str(self.ca)} if self.ca else {}),
            **more,
        }

    def reset(self) -> None:
        """Forget the calls so far."""
        with urlopen(Request(f"{self.url}/_emulator/calls", method="DELETE")):  # noqa: S310
            pass

    def cost(self) -> dict[str, int]:
        """The calls since then by how Looker bills them, and how many were under way at once."""
        with urlopen(f"{self.url}/_emulator/calls") as answer:  # noqa: S310
            calls = json.load(answer)
        counts = {"admin": 0, "query": 0, "free": 0, "failed": 0}
        for call in calls:
            counts[_activity(call["path"])] += 1
            counts["failed"] += (call["status"] or 0) >= 400  # noqa: PLR2004
        edges = [(call["started"], 1) for call in calls]
        edges += [(call["ended"], -1) for call in calls if call["ended"]]
        now = highest = 0
        for _, change in sorted(edges):
            now += change
            highest = max(highest, now)
        away = sum(call["status"] == 429 for call in calls)  # noqa: PLR2004
        served = len(calls) - away
        return {
            "calls": len(calls),
            **counts,
            "turned_away": away,
            "served": served,
            "in_flight": highest,
        }


def _activity(path: str) -> str:
    if FREE.fullmatch(path):
        return "free"
    return "query" if QUERIES.fullmatch(path) else "admin"


@contextmanager
def instance(
    scale: str | float,
    *,
    latency_ms: float = 0,
    activity_rows: int | None = None,
    tls: bool = False,
    in_flight_limit: int | None = None,
    retry_after: int | None = None,
) -> Iterator[Instance]:
    """An emulator that runs as long as the block does.

    Args:
        scale: A name or a factor, as the emulator takes it.
        latency_ms: Of each request but the login.
        activity_rows: Rows of history in System Activity.
        tls: Put TLS before it, if this machine has what it takes to make a certificate.
        in_flight_limit: It answers 429 to more requests at once than this.
        retry_after: Seconds that it asks to wait then.
    """
    command = [sys.executable, "-m", "looker_emulator", "--scale", str(scale)]
    command += ["--latency-ms", str(latency_ms)]
    if activity_rows is not None:
        command += ["--activity-rows", str(activity_rows)]
    if in_flight_limit is not None:
        command += ["--in-flight-limit", str(in_flight_limit)]
    if retry_after is not None:
        command += ["--in-flight-retry-after", str(retry_after)]
    with _running(command) as output:
        url, client_id, client_secret = (output.readline().split()[-1] for _ in range(3))
        certificate = _certificate() if tls else None
        if certificate is None:
            yield Instance(url, client_id, client_secret, url)
            return
        relay = [sys.executable, "-m", "benchmarks.relay", url.rpartition(":")[2], *certificate]
        with _running(relay) as said:
            front = said.readline().strip()
            yield Instance(url, client_id, client_secret, front, certificate[1])


@contextmanager
def _running(command: list[Any]) -> Iterator[IO[str]]:
    process = subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        text=True,
        cwd=BENCH.parent,
        env=variables(),
    )
    try:
        if process.stdout is None:
            raise RuntimeError("no output")
        yield process.stdout
    finally:
        process.terminate()
        process.wait()


def _certificate() -> tuple[Path, Path] | None:
    """A key and a certificate for loopback, signed by itself; None without openssl."""
    openssl = shutil.which("openssl")
    if openssl is None:
        return None
    key, certificate = scratch() / "key.pem", scratch() / "certificate.pem"
    done = subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", str(key), "-out", str(certificate), "-subj", "/CN=Looker emulator"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        capture_output=True,
        check=False,
    )
    return None if done.returncode else (key, certificate)
