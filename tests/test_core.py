"""The SDK's own tests of a tap, against the emulator."""

from __future__ import annotations

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from support import entries, selecting, settings_of, signals_kept

from looker_emulator import Emulator
from tap_looker.queries.activities import ACTIVITIES
from tap_looker.tap import TapLooker

# The suite wants its settings now, the emulator starts with the first test.
SETTINGS = {
    "api_host_url": "http://127.0.0.1:1",
    "client_id": "filled in",
    "client_secret": "by the fixture",
    "start_date": "2020-01-01T00:00:00Z",
}
# Their columns are those that the instance has, and no catalog holds them.
DISCOVERED = {activity.name for activity in ACTIVITIES if activity.is_discovered}


with signals_kept():
    Suite = get_tap_test_class(
        TapLooker,
        config=SETTINGS,
        catalog=selecting(*entries()),
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

    @pytest.fixture(autouse=True)
    def _columns_of_the_instance(self, request):
        name = request.node.name.partition("[")[2].removesuffix("]")
        if name in DISCOVERED and "record_schema_matches" in request.node.name:
            pytest.skip("no catalog holds its columns, which are those that the instance has")
