"""What the tests of the emulator share: one emulator per module, and a session per test."""

from __future__ import annotations

import os

import pytest

from looker_emulator import Emulator
from looker_emulator.tests.api import Api


@pytest.fixture(scope="module")
def emulator():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch):
    for name in os.environ:
        if name.startswith("LOOKERSDK_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_faults(emulator):
    yield
    emulator.clear_faults()
    emulator.reset_calls()


@pytest.fixture
def api(emulator):
    with Api(emulator) as api:
        yield api
