"""The script of `sdk_script.py` as a peer."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.base import Job, Peer, Place, singer_records


def _prepare(place: Place) -> Job:
    instance = place.instance
    environment = {
        "LOOKERSDK_BASE_URL": instance.front,
        "LOOKERSDK_CLIENT_ID": instance.client_id,
        "LOOKERSDK_CLIENT_SECRET": instance.client_secret,
    }
    if instance.ca:
        environment["REQUESTS_CA_BUNDLE"] = str(instance.ca)
    script = Path(__file__).with_name("sdk_script.py")
    return Job([place.bin / "python", script], singer_records, environment, ())


SDK_SCRIPT = Peer("looker-sdk", "looker-sdk 26.22.0, a script", "looker-sdk==26.22.0", _prepare)
