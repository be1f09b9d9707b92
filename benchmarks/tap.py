"""The tap as a program: its commands, configuration files and catalogs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import scratch, variables

if TYPE_CHECKING:
    from collections.abc import Container

    from benchmarks.instance import Instance

TAP = str(Path(sys.executable).with_name("tap-looker"))
CONCURRENCY = 8


def command(
    instance: Instance,
    *,
    selected: Container[str] | None = None,
    concurrency: int = CONCURRENCY,
    **settings: Any,
) -> Any:
    """How to run the tap against an instance.

    Args:
        instance: The instance.
        selected: Streams; by default those that are selected without a catalog.
        concurrency: Requests at once, at the most.
        settings: Of the tap, besides the address and the API key.
    """
    config = _write("config", instance.settings(concurrency=concurrency, **settings))
    arguments = [TAP, "--config", config]
    if selected is None:
        return arguments
    found = subprocess.run(
        [*arguments, "--discover"], capture_output=True, check=True, env=variables()
    )
    catalog = json.loads(found.stdout)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in selected
    return [*arguments, "--catalog", _write("catalog", catalog)]


def _write(name: str, content: Any) -> str:
    path = scratch() / f"{name}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)
