"""The SDK's own tests of a tap, against the emulator."""

from __future__ import annotations

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from support import STREAMS, settings_of, signals_kept

from looker_emulator import Emulator
from tap_looker.tap import TapLooker

# The suite wants its settings now, the emulator starts with the first test.
SETTINGS = {
    "api_host_url": "http://127.0.0.1:1",
    "client_id": "filled in",
    "client_secret": "by the fixture",
}


class Tap(TapLooker):
    """The suite selects every stream there is; the emulator does not serve all of them."""

    def discover_streams(self):
        return [stream for stream in super().discover_streams() if stream.name in STREAMS]


with signals_kept():
    Suite = get_tap_test_class(
        Tap,
        config=SETTINGS,
        suite_config=SuiteConfig(max_records_limit=10_000),
        parse_env_config=False,
    )


class TestTapLooker(Suite):
    """Discovery, schemas, keys and the type of every property."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _looker(cls):
        with Emulator() as emulator, signals_kept():
            SETTINGS.update(settings_of(emulator))
            yield
