"""Airbyte's source-looker."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from benchmarks.measure import variables
from benchmarks.peers.base import Job, Peer, Place, UnavailableError, identity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

PATHS = {
    "dashboard_layout_components": "/dashboard_layouts/1/dashboard_layout_components",
    "folder_ancestors": "/folders/1/ancestors",
    "user_login_lockouts": "/user_login_lockouts",
}
"""Streams that read what an emulator may lack."""
FAILING = {
    "content_metadata": "goes through all combinations of dashboard, folder, board and look",
    "query_history": "asks for a model that API 4.0 does not have",
    "content_metadata_access": "leaves out a parameter that the endpoint requires",
    "user_sessions": "waits half a minute for the sessions of a disabled user, and fails",
}


def _prepare(place: Place) -> Job:
    instance = place.instance
    _trust(place)
    config = place.write(
        "config.json",
        {
            "domain": urlsplit(instance.front).netloc,
            "client_id": instance.client_id,
            "client_secret": instance.client_secret,
        },
    )
    program = place.bin / "source-looker"
    trust = {"REQUESTS_CA_BUNDLE": str(instance.ca)}
    found = subprocess.run(
        [program, "discover", "--config", config],
        env=variables(trust),
        capture_output=True,
        check=True,
    )
    messages = [json.loads(line) for line in found.stdout.splitlines() if line.startswith(b"{")]
    streams = next(each["catalog"]["streams"] for each in messages if each["type"] == "CATALOG")
    lacking = place.lacking(PATHS)
    chosen = [one for one in streams if one["name"] not in (*FAILING, *lacking)]
    catalog = {
        "streams": [
            {
                "stream": stream,
                "sync_mode": "full_refresh",
                "destination_sync_mode": "overwrite",
            }
            for stream in chosen
        ]
    }
    keys = {
        one["name"]: [path[0] for path in one.get("source_defined_primary_key", [])]
        for one in chosen
    }

    def records(output: Path) -> Iterator[tuple[str, str]]:
        with output.open(encoding="utf-8") as lines:
            for line in lines:
                message: Any = json.loads(line) if line.startswith("{") else {}
                if message.get("type") == "RECORD":
                    record = message["record"]
                    yield record["stream"], identity(record["data"], keys.get(record["stream"]))

    notes = [f"without {stream}, which {why}" for stream, why in FAILING.items()]
    if lacking:
        notes.append(f"without {', '.join(lacking)}, whose endpoints the emulator lacks")
    notes.append("the emulator's certificate is added to its environment's certifi, for it looks"
                 " nowhere else")  # fmt: skip
    return Job(
        [program, "read", "--config", config, "--catalog", place.write("catalog.json", catalog)],
        records,
        trust,
        tuple(notes),
    )


def _trust(place: Place) -> None:
    """Put the emulator's certificate to those that its environment trusts."""
    found = next(place.bin.parent.rglob("certifi/cacert.pem"), None)
    if found is None or place.instance.ca is None:
        raise UnavailableError("its environment has no certifi")
    pristine = found.with_suffix(".orig")
    if not pristine.exists():
        pristine.write_bytes(found.read_bytes())
    found.write_bytes(pristine.read_bytes() + place.instance.ca.read_bytes())


AIRBYTE = Peer(
    "airbyte", "airbyte-source-looker 1.0.34", "airbyte-source-looker==1.0.34", _prepare, (10, 11),
    https=True,
)  # fmt: skip
