"""A Postgres server of its own, in a temporary folder, from what the system has installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTALLED = ("/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt")


class MissingError(Exception):
    """There is no server to start."""


@contextmanager
def server() -> Iterator[int]:
    """The port of a server that runs meanwhile, with a superuser `postgres` and no password.

    Raises:
        MissingError: Postgres is not installed.
    """
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="tap-looker-postgres-"))
    # Postgres does not run as root.
    run_as = ["runuser", "-u", "postgres", "--"] if _is_root() else []
    if run_as:
        shutil.chown(folder, "postgres")
    data, port = folder / "data", _free_port()

    def control(program: str, *arguments: str) -> None:
        command = [*run_as, str(binaries / program), "-D", str(data), *arguments]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)

    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c timezone=UTC -c fsync=off"
    try:
        control("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        control("pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", options)
        try:
            yield port
        finally:
            control("pg_ctl", "stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def lines(port: int, statement: str) -> list[str]:
    """What a statement gives, a line for each row."""
    command = [
        *(str(_binaries() / "psql"), "-h", "127.0.0.1", "-p", str(port), "-U", "postgres"),
        *("-v", "ON_ERROR_STOP=1", "-qAt", "-c", statement, "postgres"),
    ]
    done = subprocess.run(command, check=True, capture_output=True)
    return done.stdout.decode().split("\n")[:-1]


def _binaries() -> Path:
    found = [path.parent for root in INSTALLED for path in Path(root).glob("*/bin/pg_ctl")]
    on_path = shutil.which("pg_ctl")
    if on_path:
        found.append(Path(on_path).resolve().parent)
    if not found:
        raise MissingError("Postgres is not installed: see .ci/run")
    return max(found)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
