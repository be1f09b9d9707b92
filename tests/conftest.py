"""What the tests share: an emulator, runs of the tap against it, and retries without waits."""

from __future__ import annotations

import os

import pytest
from support import STREAMS, Run, Runner

from looker_emulator import Emulator
from tap_looker.looker import retry
from tap_looker.settings_schema import SCHEMA
from tap_looker.tap import TapLooker
from targets import postgres


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch):
    for name in os.environ:
        if name.startswith(("TAP_LOOKER_", "LOOKERSDK_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("LOGLEVEL", "SINGER_SDK_LOG_CONFIG", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def emulator():
    """A small instance of its own for each test: it takes milliseconds."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def run(emulator, tmp_path) -> Runner:
    """`run()` runs the tap against the emulator with its default streams."""
    return Runner(emulator, tmp_path)


@pytest.fixture
def runner_of(tmp_path):
    """A runner for an emulator that the test made itself."""
    return lambda emulator: Runner(emulator, tmp_path)


@pytest.fixture
def _quick_retries(monkeypatch):
    """Waits are short, and so is the time for which what may pass is tried again."""
    monkeypatch.setattr(retry, "FIRST_BACKOFF", 0.01)
    monkeypatch.setitem(SCHEMA["properties"]["max_retry_time"], "default", 0.3)


@pytest.fixture
def _served_streams_alone(monkeypatch):
    """`--test` takes no catalog: it tries every stream, also those the emulator does not serve."""
    discover = TapLooker.discover_streams
    monkeypatch.setattr(
        TapLooker,
        "discover_streams",
        lambda tap: [stream for stream in discover(tap) if stream.name in STREAMS],
    )


@pytest.fixture(scope="session")
def clean(tmp_path_factory) -> Run:
    """A run in which nothing went wrong: the content of small instances is always the same."""
    with Emulator() as emulator:
        return Runner(emulator, tmp_path_factory.mktemp("clean"))().succeeded()


@pytest.fixture(scope="module")
def postgres_port():
    """The port of a Postgres server."""
    try:
        with postgres.server() as port:
            yield port
    except postgres.MissingError as missing:
        if "CI" in os.environ:
            raise
        pytest.skip(str(missing))
