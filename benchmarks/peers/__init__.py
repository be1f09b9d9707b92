"""Other extractors of Looker, as the package registry has them: run by themselves, unmodified."""

from __future__ import annotations

from benchmarks.peers.airbyte import AIRBYTE
from benchmarks.peers.castor import CASTOR
from benchmarks.peers.sdk import SDK_SCRIPT
from benchmarks.peers.singer_io import SINGER_IO

PEERS = (SINGER_IO, AIRBYTE, CASTOR, SDK_SCRIPT)
