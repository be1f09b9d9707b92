"""castor-extractor, its command for Looker."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from benchmarks.peers.base import Job, Peer, Place, identity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEYS = {"lookml_models": ["name"], "connections": ["name"]}
INSIDE = {
    "dashboards": ("dashboard_elements", "dashboard_filters"),
}
"""Lists inside its records that are streams elsewhere: counted as records, too."""


def _prepare(place: Place) -> Job:
    instance = place.instance
    folder = place.folder / "output"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()

    def records(_: Path) -> Iterator[tuple[str, str]]:
        for file in folder.glob("*.json"):
            stream = file.stem.partition("-")[2]
            if stream == "summary":
                continue
            for record in json.loads(file.read_text(encoding="utf-8")):
                yield stream, identity(record, KEYS.get(stream, ["id"]))
                for name in INSIDE.get(stream, ()):
                    for inner in record.get(name) or []:
                        yield name, identity(inner, ["id"])

    return Job(
        [
            *(place.bin / "castor-extract-looker", "--base-url", instance.front),
            *("--client-id", instance.client_id, "--client-secret", instance.client_secret),
            *("--output", folder),
        ],
        records,
        {"REQUESTS_CA_BUNDLE": str(instance.ca)} if instance.ca else {},
        ("writes files; tiles and filters inside its dashboards are counted as records",),
    )


CASTOR = Peer(
    "castor", "castor-extractor 0.26.131", "castor-extractor[looker]==0.26.131", _prepare,
    (10, 11, 12, 13),
)  # fmt: skip
