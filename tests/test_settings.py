"""The settings: what is accepted, in which form it is used, and what is said of all else."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import logging
import shutil
from copy import deepcopy
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import certifi
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from support import run_cli, selecting

from tap_looker import settings
from tap_looker.errors import SettingsError
from tap_looker.settings_schema import SCHEMA
from tap_looker.streams import own_entries
from tap_looker.tap import TapLooker

KEY = {
    "api_host_url": "https://company.cloud.looker.com",
    "client_id": "the-id",
    "client_secret": "the-secret",
}
SDK = {
    "LOOKERSDK_BASE_URL": "https://sdk.looker.com:19999/",
    "LOOKERSDK_CLIENT_ID": "sdk-id",
    "LOOKERSDK_CLIENT_SECRET": "sdk-secret",
}
PREFIX = "TAP_LOOKER_"

of_every_tap: dict[str, Any] = {}
TapLooker.append_builtin_config(of_every_tap)
OWN = SCHEMA["properties"].keys() - of_every_tap["properties"].keys()


def prepared(**config):
    """The normal form of a configuration that has nothing wrong in it."""
    config = {**KEY, **config}
    assert settings.prepare(config, SCHEMA) == []
    return config


def errors(**config):
    """What is wrong with a configuration."""
    return settings.prepare({**KEY, **config}, SCHEMA)


def error(**config):
    """The one thing that is wrong with a configuration."""
    (only,) = errors(**config)
    return only


def environment(monkeypatch, **variables):
    """What the variables of the environment set."""
    for name, text in variables.items():
        monkeypatch.setenv(PREFIX + name.upper(), text)
    return settings.from_environment(SCHEMA, PREFIX, "")


# ---------------------------------------------------------------------------------- api_host_url


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://company.cloud.looker.com", "https://company.cloud.looker.com"),
        ("https://company.api.looker.com", "https://company.api.looker.com"),
        ("https://company.looker.com:19999", "https://company.looker.com:19999"),
        ("https://company.looker.app", "https://company.looker.app"),
        ("https://bi.example.org", "https://bi.example.org"),
        ("https://looker_prod.internal", "https://looker_prod.internal"),
        ("https://company.looker.com:443", "https://company.looker.com:443"),
        ("  https://company.looker.com\n", "https://company.looker.com"),
        ("https://company.looker.com/", "https://company.looker.com"),
        ("https://company.looker.com:19999//", "https://company.looker.com:19999"),
        ("https://company.looker.com:", "https://company.looker.com"),
        ("https://company.looker.com/api/4.0", "https://company.looker.com"),
        ("https://company.looker.com:19999/api/4.0/", "https://company.looker.com:19999"),
        ("https://company.looker.com/folders/home?q=1#top", "https://company.looker.com"),
        ("https://company.looker.com?toggle=det", "https://company.looker.com"),
        ("HTTPS://Company.Looker.COM", "https://company.looker.com"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://10.0.0.7:19999", "https://10.0.0.7:19999"),
        ("https://[2001:DB8::1]:19999/", "https://[2001:db8::1]:19999"),
        ("http://localhost:4203", "http://localhost:4203"),
        ("http://127.0.0.1:8000/api/4.0", "http://127.0.0.1:8000"),
        ("http://127.8.8.8", "http://127.8.8.8"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_host_is_cut_to_where_the_api_is(given, used):
    assert prepared(api_host_url=given)["api_host_url"] == used


NO_SCHEME = "must start with https://, as in https://company.cloud.looker.com"
NO_ADDRESS = "is not an address, as https://company.cloud.looker.com is"
UNENCRYPTED = "must start with https://: an API key is not sent unencrypted"
CREDENTIALS = "must not hold a user name or password"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("company.looker.com", NO_SCHEME),
        ("company.looker.com:19999", NO_SCHEME),
        ("//company.looker.com", NO_SCHEME),
        ("https:/company.looker.com", NO_SCHEME),
        ("ftp://company.looker.com", NO_SCHEME),
        ("file:///etc/passwd", NO_ADDRESS),
        ("https://", NO_ADDRESS),
        ("https:///api/4.0", NO_ADDRESS),
        ("https://:19999", NO_ADDRESS),
        ("https://company looker.com", NO_ADDRESS),
        ("https://company.looker.com:port", NO_ADDRESS),
        ("https://company.looker.com:99999", NO_ADDRESS),
        ("https://company.looker.com:0", NO_ADDRESS),
        ("https://{instance}.looker.com", NO_ADDRESS),
        ("https://<company>.looker.com", NO_ADDRESS),
        ("https://company..looker.com", NO_ADDRESS),
        ("https://-company.looker.com", NO_ADDRESS),
        (f"https://{'a' * 64}.looker.com", NO_ADDRESS),
        ("https://[::1", NO_ADDRESS),
        ("https://[company]", NO_ADDRESS),
        ("https://company.looker.com\\evil.example", NO_ADDRESS),
        ("http://company.looker.com", UNENCRYPTED),
        ("http://10.0.0.7", UNENCRYPTED),
        ("http://0.0.0.0", UNENCRYPTED),
        ("http://localhost.example.org", UNENCRYPTED),
        ("http://127.0.0.1.example.org", UNENCRYPTED),
        ("http://[2001:db8::1]", UNENCRYPTED),
        ("https://id@company.looker.com", CREDENTIALS),
        ("https://the-id:the-secret@company.looker.com", CREDENTIALS),
        ("https://company.looker.com\\@evil.example", CREDENTIALS),
        ("https://@company.looker.com", CREDENTIALS),
    ],
)
def test_host_that_no_key_is_sent_to(given, reason):
    assert error(api_host_url=given) == f"Setting api_host_url: {reason}."


PARTS = [
    *("http", "https", "://", "/", "//", ":", "@", "?", "#", "[", "]", "%", ";", "\\", "."),
    *(" ", "\t", "\n", "::1", "127.0.0.1", "localhost", "443", "0", "/api/4.0"),
    *("company.looker.com", "evil.example", "\u0131", "\u3002", "\uff20", "\u2100"),
]


@given(
    st.text()
    | st.text().map("http://".__add__)
    | st.lists(st.sampled_from(PARTS) | st.text(max_size=2), max_size=8).map(
        lambda parts: "https://" + "".join(parts)
    )
)
@example("http://localhost\u3002")
@example("https://»\u2025")
@example("https://company\u2024looker.com")
def test_whatever_is_pasted_is_refused_or_becomes_scheme_host_and_port(text):
    try:
        address = settings.api_host(text)
    except ValueError:
        return
    parts = urlsplit(address)
    assert address.isascii()
    assert address == f"{parts.scheme}://{parts.netloc}"
    assert (parts.username, parts.password) == (None, None)
    assert parts.hostname
    assert parts.port != 0
    assert parts.scheme in {"http", "https"}
    if parts.scheme == "http":
        host = parts.hostname
        assert host == "localhost" or ipaddress.ip_address(host).is_loopback
    assert settings.api_host(address) == address


# ----------------------------------------------------------------------------------- credentials


def test_missing_credentials_are_one_line_with_all_ways_to_give_them():
    assert settings.prepare({}, SCHEMA) == [
        "Settings api_host_url, client_id and client_secret are missing: give them in the config "
        "file, or with --config=ENV as TAP_LOOKER_API_HOST_URL, TAP_LOOKER_CLIENT_ID and "
        "TAP_LOOKER_CLIENT_SECRET, or as LOOKERSDK_BASE_URL, LOOKERSDK_CLIENT_ID and "
        "LOOKERSDK_CLIENT_SECRET."
    ]


def test_where_some_are_given_the_rest_belongs_to_them():
    config = {"api_host_url": KEY["api_host_url"], "client_id": "a"}
    assert settings.prepare(config, SCHEMA) == [
        "Setting client_secret is missing: give it in the config file, or with --config=ENV as "
        "TAP_LOOKER_CLIENT_SECRET."
    ]


@pytest.mark.parametrize("nothing", [None, "", "  ", "\n"])
@pytest.mark.parametrize("name", KEY)
def test_a_blank_credential_is_a_missing_one(name, nothing):
    assert error(**{name: nothing}).startswith(f"Setting {name} is missing")


def test_credentials_are_used_without_the_spaces_around():
    config = prepared(client_id=" the-id\n", client_secret="\tthe-secret ")
    assert (config["client_id"], config["client_secret"]) == ("the-id", "the-secret")


@pytest.mark.parametrize("nothing", [{}, dict.fromkeys(KEY), dict.fromkeys(KEY, "")])
def test_without_any_the_variables_of_the_official_sdk_are_taken(monkeypatch, nothing):
    for name, text in SDK.items():
        monkeypatch.setenv(name, text)
    config = {**nothing, "concurrency": 3}
    assert settings.prepare(config, SCHEMA) == []
    assert config["api_host_url"] == "https://sdk.looker.com:19999"
    assert (config["client_id"], config["client_secret"]) == ("sdk-id", "sdk-secret")
    assert config["concurrency"] == 3


@pytest.mark.parametrize("name", KEY)
def test_a_key_is_never_made_of_two_sources(monkeypatch, name):
    for variable, text in SDK.items():
        monkeypatch.setenv(variable, text)
    config = {name: KEY[name]}
    (missing,) = settings.prepare(config, SCHEMA)
    others = " and ".join(other for other in KEY if other != name)
    assert missing.startswith(f"Settings {others} are missing: ")
    assert not set(SDK.values()) & set(map(str, config.values()))


def test_a_part_of_the_official_variables_is_not_enough(monkeypatch):
    monkeypatch.setenv("LOOKERSDK_BASE_URL", SDK["LOOKERSDK_BASE_URL"])
    monkeypatch.setenv("LOOKERSDK_CLIENT_ID", SDK["LOOKERSDK_CLIENT_ID"])
    monkeypatch.setenv("LOOKERSDK_CLIENT_SECRET", " ")
    (only,) = settings.prepare({}, SCHEMA)
    assert only == (
        "Setting client_secret is missing: set LOOKERSDK_CLIENT_SECRET, which belongs to "
        "LOOKERSDK_BASE_URL and LOOKERSDK_CLIENT_ID."
    )


@pytest.mark.parametrize("name", ["client_id", "client_secret"])
@pytest.mark.parametrize("value", [20261123, 2026.1123, ["20261123"], {"a": "20261123"}, True])
def test_a_secret_of_another_type_is_not_repeated(name, value):
    message = error(**{name: value})
    assert message == f'Setting {name}: must be text (put it in quotes: "…").'


# -------------------------------------------------------------------------------- all the others


def test_defaults():
    config = prepared()
    for name in OWN - KEY.keys():
        assert config.get(name) == SCHEMA["properties"][name].get("default")
    assert SCHEMA["required"] == list(KEY)


def test_usage_data_is_read_from_90_days_back_unless_start_date_is_given():
    start = dt.datetime.fromisoformat(settings.start_date(prepared()))
    back = dt.datetime.now(dt.UTC) - start
    assert dt.timedelta(days=90) <= back < dt.timedelta(days=90, minutes=1)
    given = prepared(start_date="2026-01-31")
    assert settings.start_date(given) == "2026-01-31T00:00:00+00:00"


def test_null_is_not_set():
    assert prepared(**dict.fromkeys(OWN - KEY.keys())) == prepared()


def test_a_normal_form_stays_as_it_is():
    config = prepared(folder_ids=[7, " 8"], start_date="2026-01-01", user_agent=" mine ")
    again = deepcopy(config)
    assert settings.prepare(again, SCHEMA) == []
    assert again == config


@pytest.mark.parametrize(
    ("given", "utc"),
    [
        ("2026-01-31", "2026-01-31T00:00:00+00:00"),
        ("2026-01-31T10:00:00", "2026-01-31T10:00:00+00:00"),
        ("2026-01-31 10:00:00", "2026-01-31T10:00:00+00:00"),
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00+00:00"),
        ("2026-01-31T10:00:00.250z", "2026-01-31T10:00:00.250000+00:00"),
        ("2026-01-31T10:00:00+02:00", "2026-01-31T08:00:00+00:00"),
        ("2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00+00:00"),
        (" 2026-01-31T10:00:00Z ", "2026-01-31T10:00:00+00:00"),
    ],
)
def test_start_date_is_in_utc(given, utc):
    assert prepared(start_date=given)["start_date"] == utc


@pytest.mark.parametrize(
    "given", ["yesterday", "31.01.2026", "2026-13-01", "1769817600", "0001-01-01T00:00+02:00"]
)
def test_start_date_that_is_none(given):
    assert error(start_date=given) == (
        "Setting start_date: must be a date or time like 2026-01-01T00:00:00Z."
    )


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ({"concurrency": 0}, "concurrency: must be from 1 to 64, not 0"),
        ({"concurrency": 65}, "concurrency: must be from 1 to 64, not 65"),
        ({"concurrency": "8"}, "concurrency: must be a whole number"),
        ({"concurrency": 1.5}, "concurrency: must be a whole number"),
        ({"concurrency": True}, "concurrency: must be a whole number"),
        ({"activity_lookback": -1}, "activity_lookback: must be at least 0, not -1"),
        ({"page_size": 10_001}, "page_size: must be from 1 to 10000, not 10001"),
        ({"request_timeout": 0.5}, "request_timeout: must be from 1 to 7200, not 0.5"),
        ({"request_timeout": "1m"}, "request_timeout: must be a number"),
        ({"include_deleted": "yes"}, "include_deleted: must be true or false"),
        ({"on_denied": "warn"}, "on_denied: must be one of fail, skip"),
        ({"folder_ids": "12"}, "folder_ids: must be a list"),
        ({"folder_ids": [None]}, "folder_ids[0]: must be text or a whole number"),
        ({"models": ["a", 5]}, "models[1]: must be text"),
        (
            {"exclude_explores": ["orders"]},
            "exclude_explores: must be like model::explore, not orders",
        ),
        ({"start_date": 2026}, "start_date: must be text"),
        ({"end_date": "tomorrow"}, "end_date: must be a date or time like 2026-01-01T00:00:00Z"),
        ({"user_agent": "a\r\nX-Evil: 1"}, "user_agent: must be plain ASCII text on one line"),
        ({"user_agent": "größer"}, "user_agent: must be plain ASCII text on one line"),
        ({"ca_bundle": "/no/such.pem"}, "ca_bundle: there is no file or folder /no/such.pem"),
    ],
)
def test_values_that_do_not_fit(setting, reason):
    assert error(**setting) == f"Setting {reason}."


@pytest.mark.parametrize(
    ("setting", "used"),
    [
        ({"concurrency": 64}, 64),
        ({"request_timeout": 2.5}, 2.5),
        ({"include_deleted": False}, False),
        ({"on_denied": "skip"}, "skip"),
        ({"start_date": ""}, None),
        ({"end_date": "2026-02-01"}, "2026-02-01T00:00:00+00:00"),
        ({"folder_ids": [12, " 34 "]}, ["12", "34"]),
        ({"models": ["thelook"]}, ["thelook"]),
        ({"user_agent": " nightly/1.0 (data team) "}, "nightly/1.0 (data team)"),
        ({"user_agent": ""}, None),
        ({"ca_bundle": ""}, None),
    ],
)
def test_values_that_fit(setting, used):
    (name,) = setting
    assert prepared(**setting)[name] == used


def test_a_bundle_is_a_file_or_a_folder(tmp_path):
    bundle = shutil.copy(certifi.where(), tmp_path / "0a1b2c3d.0")
    for path in (tmp_path, bundle):
        assert prepared(ca_bundle=str(path))["ca_bundle"] == str(path)


def test_all_that_is_wrong_is_said_at_once():
    wrong = errors(concurrency=0, on_denied="warn", client_secret=1, client_id=None)
    assert sorted(line.split()[1].rstrip(":") for line in wrong) == [
        "client_id",
        "client_secret",
        "concurrency",
        "on_denied",
    ]


def test_unknown_settings_are_named_and_their_values_are_not(caplog):
    with caplog.at_level(logging.WARNING, "tap-looker"):
        prepared(subdomain="the-company", api_port=19999)
    assert caplog.messages == ["Unknown settings are ignored: api_port, subdomain."]


@pytest.mark.parametrize("more", ["/looker", "/api/4.0/", "/folders/home?q=1", "?q=1"])
def test_a_path_that_is_dropped_is_said_once(caplog, more):
    with caplog.at_level(logging.WARNING, "tap-looker"):
        prepared(**prepared(api_host_url=f"https://company.looker.com:19999{more}"))
    assert caplog.messages == [
        "Setting api_host_url: what follows the host is ignored. Requests go to "
        "https://company.looker.com:19999/api/4.0."
    ]


@pytest.mark.parametrize(
    ("dates", "says"),
    [
        ({"start_date": "2026-02-01", "end_date": "2026-01-01"}, "is not before end_date"),
        ({"start_date": "2026-02-01", "end_date": "2026-02-01T01:00:00+01:00"}, "is not before"),
        ({"start_date": "2126-02-01"}, "is in the future"),
        ({"start_date": "2026-01-01", "end_date": "2126-02-01"}, None),
        ({"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-01-02T00:00:00Z"}, None),
        ({"end_date": "2020-01-01"}, None),
    ],
)
def test_dates_between_which_there_is_nothing_are_said(caplog, dates, says):
    with caplog.at_level(logging.WARNING, "tap-looker"):
        prepared(api_host_url="https://company.looker.com/", **dates)
    assert len(caplog.messages) == bool(says)
    assert says is None or says in caplog.text
    assert says is None or "start_date" in caplog.text


# ------------------------------------------------------------------------------- lists of objects

OPTIONS = {
    "looks": "id name primary_keys replication_key timezone limit run types",
    "queries": "query model explore fields filters filter_expression sorts pivots column_limit "
    "dynamic_fields "
    "name primary_keys replication_key timezone limit run types",
    "system_activity": "explore fields name primary_keys replication_key types",
}
OF_QUERY = {"name": "mine", "model": "thelook", "explore": "orders", "fields": ["orders.id"]}
OF_ACTIVITY = {"explore": "user", "fields": ["user.id"], "primary_keys": ["user.id"]}


def items(setting):
    """The schema of the entries of a setting."""
    return SCHEMA["properties"][setting]["items"]


@pytest.mark.parametrize("setting", OPTIONS)
def test_the_schema_describes_every_option_of_an_entry(setting):
    found = items(setting)["properties"]
    assert list(found) == OPTIONS[setting].split()
    for option in found.values():
        assert option["type"]
        assert option["description"].endswith(".")
    assert items(setting)["additionalProperties"] is False


def what_is_wrong(**config):
    """What is said of the entries of settings that are lists of objects."""
    return own_entries(prepared(**config))[1]


GOOD = [
    ("looks", 42),
    ("looks", "42"),
    ("looks", {"id": 42}),
    ("looks", {"id": "42", "name": "mine", "primary_keys": ["a.b"], "replication_key": "a.b"}),
    ("looks", {"id": 42, "timezone": "Europe/Berlin", "limit": 100, "run": "task"}),
    ("looks", {"id": 42, "limit": -1, "replication_key": None}),
    ("looks", {"id": 42, "types": {"a.b": "string", "a.c": "time"}}),
    ("queries", {"name": "mine", "query": "aogBgL6o3cKK1jN3RoZl5s"}),
    ("queries", OF_QUERY),
    ("queries", {**OF_QUERY, "sorts": ["orders.id desc"], "pivots": ["orders.id"]}),
    ("queries", {**OF_QUERY, "filters": {"orders.status": "complete"}}),
    ("queries", {**OF_QUERY, "filters": {"a.b": 5, "a.c": Decimal("2.50"), "a.d": True}}),
    ("queries", {**OF_QUERY, "filters": {"a.b": ["x", "y"], "a.c": [1, 2.5], "a.d": ["x", False]}}),
    ("queries", {**OF_QUERY, "filter_expression": "${orders.id} > 1", "dynamic_fields": "[]"}),
    ("queries", {**OF_QUERY, "dynamic_fields": [{"dimension": "a", "expression": "1"}]}),
    ("system_activity", OF_ACTIVITY),
    ("system_activity", {**OF_ACTIVITY, "name": "mine", "replication_key": "user.id"}),
    ("system_activity", {**OF_ACTIVITY, "replication_key": None}),
]
A_LOOK = "id must be the id of a look: text or a whole number"
FIELDS = "must be a list of field names"
A_TYPE = "must be one of string, number, integer, boolean, date, time"
A_FILTER = "must be text, a number, true or false, or a list of these"
DYNAMIC_FIELDS = "dynamic_fields must be a list of objects, or such a list as JSON text"
LIMIT = "limit must be a number of rows (without quotes), or -1 for all"
BAD = [
    ("looks", True, "must be the id of a look, or an object"),
    ("looks", 7.5, "must be the id of a look, or an object"),
    ("looks", [7], "must be the id of a look, or an object"),
    ("looks", {"id": True}, A_LOOK),
    ("looks", {"id": 7.5}, A_LOOK),
    ("looks", {"id": Decimal("3.5")}, A_LOOK),
    ("looks", {"id": [7]}, A_LOOK),
    ("looks", {"id": 7, "name": 8}, "name must be text"),
    ("looks", {"id": 7, "limit": "100"}, LIMIT),
    ("looks", {"id": 7, "limit": 1.5}, LIMIT),
    ("looks", {"id": 7, "limit": True}, LIMIT),
    ("looks", {"id": 7, "limit": -2}, LIMIT),
    ("looks", {"id": 7, "run": "later"}, "run must be stream or task"),
    ("looks", {"id": 7, "run": 1}, "run must be stream or task"),
    ("looks", {"id": 7, "timezone": 2},
     "timezone must be the name of a time zone, such as Europe/Berlin"),
    ("looks", {"id": 7, "primary_keys": "a.b"}, f"primary_keys {FIELDS}"),
    ("looks", {"id": 7, "primary_keys": ["a.b", 5]}, f"primary_keys {FIELDS}"),
    ("looks", {"id": 7, "replication_key": ["a.b"]}, "replication_key must be the name of a field"),
    ("looks", {"id": 7, "title": "a"}, "there is no option title (known: id, limit, name, "
     "primary_keys, replication_key, run, timezone, types)"),
    ("looks", {"id": 7, "types": {"a.b": "string", "a.c": "text"}}, f"types: a.c {A_TYPE}"),
    ("looks", {"id": 7, "types": {"a.b": ["string"]}}, f"types: a.b {A_TYPE}"),
    ("looks", {"id": 7, "types": ["a.b"]}, "types must be an object of field names and types"),
    ("queries", "aogBgL6o3cKK1jN3RoZl5s", "must be an object"),
    ("queries", {"name": "mine", "query": 7.5}, "query must be the slug of a saved query"),
    ("queries", {**OF_QUERY, "model": 5}, "model must be text"),
    ("queries", {**OF_QUERY, "fields": "orders.id"}, f"fields {FIELDS}"),
    ("queries", {**OF_QUERY, "fields": [""]}, f"fields {FIELDS}"),
    ("queries", {**OF_QUERY, "pivots": {}}, f"pivots {FIELDS}"),
    ("queries", {**OF_QUERY, "sorts": [["orders.id", "desc"]]},
     'sorts must be a list of field names, like ["orders.id desc"]'),
    ("queries", {**OF_QUERY, "filters": ["a"]},
     "filters must be an object of field names and filters"),
    ("queries", {**OF_QUERY, "filters": {"a.b": "x", "a.c": None}},
     'filters: a.c must not be null: leave the filter out, or write "NULL" or "-NULL"'),
    ("queries", {**OF_QUERY, "filters": {"a.b": ["x", None]}},
     'filters: a.b must not be null: leave the filter out, or write "NULL" or "-NULL"'),
    ("queries", {**OF_QUERY, "filters": {"a.b": {"is": "x"}}}, f"filters: a.b {A_FILTER}"),
    ("queries", {**OF_QUERY, "filters": {"a.b": [["x"]]}}, f"filters: a.b {A_FILTER}"),
    ("queries", {**OF_QUERY, "filters": {"a.b": []}},
     "filters: a.b must not be an empty list: leave the filter out"),
    ("queries", {**OF_QUERY, "filters": {"a.b": ["x", ""]}},
     'filters: a.b holds an empty text: write the filter expression "EMPTY" instead'),
    ("queries", {**OF_QUERY, "dynamic_fields": {"dimension": "a"}}, DYNAMIC_FIELDS),
    ("queries", {**OF_QUERY, "dynamic_fields": ["a"]}, DYNAMIC_FIELDS),
    ("queries", {**OF_QUERY, "filter_expression": {}}, "filter_expression must be text"),
    ("system_activity", 5, "must be an object"),
    ("system_activity", {**OF_ACTIVITY, "fields": [None]}, f"fields {FIELDS}"),
    ("system_activity", {**OF_ACTIVITY, "explore": 5}, "explore must be text"),
    ("system_activity", {**OF_ACTIVITY, "replication_key": 5},
     "replication_key must be the name of a field"),
]  # fmt: skip
BEYOND_TYPES = [
    ("looks", {"id": ""}, "needs the id of a look"),
    ("looks", {"id": None}, "needs the id of a look"),
    ("looks", {"id": 7, "limit": 0}, LIMIT),
    ("looks", {"id": 7, "timezone": "Mars/Olympus"}, "there is no time zone Mars/Olympus"),
    ("queries", {"query": "a"}, "needs a name for its stream"),
    ("queries", {"name": "mine", "query": "a", "model": "thelook", "fields": ["a.b"]},
     "query stands for a whole saved query: remove model, fields"),
    ("queries", {**OF_QUERY, "filters": {"a.b": float("nan")}}, f"filters: a.b {A_FILTER}"),
    ("queries", {**OF_QUERY, "dynamic_fields": "[{"}, DYNAMIC_FIELDS),
    ("queries", {**OF_QUERY, "dynamic_fields": '{"dimension": "a"}'}, DYNAMIC_FIELDS),
    ("looks", {"id": 7, "replication_key": "a.b", "types": {"a.b": "string"}},
     "types: a.b is the replication_key, which keeps its type"),
    ("system_activity", {**OF_ACTIVITY, "types": {"user.name": "string"}},
     "types: user.name is not among the fields"),
    ("system_activity", {**OF_ACTIVITY, "types": {"user.id": "string"}},
     "types: user.id is in the key or the bookmark, and keeps its type"),
    ("system_activity", {**OF_ACTIVITY, "fields": []}, "needs fields, a list of field names"),
]  # fmt: skip


@pytest.mark.parametrize(("setting", "entry"), GOOD)
def test_entries_that_fit(setting, entry):
    assert what_is_wrong(**{setting: [entry]}) == []
    assert Draft202012Validator(items(setting)).is_valid(entry)


@pytest.mark.parametrize(("setting", "entry", "reason"), BAD)
def test_entries_that_do_not_fit_say_which_option_and_what_it_must_be(setting, entry, reason):
    good = {"looks": 1, "queries": OF_QUERY | {"name": "good"}, "system_activity": OF_ACTIVITY}
    said = what_is_wrong(**{setting: [good[setting], entry]})
    assert said == [f"Setting {setting}[1]: {reason}."]
    assert not Draft202012Validator(items(setting)).is_valid(entry)


@pytest.mark.parametrize(("setting", "entry", "reason"), BEYOND_TYPES)
def test_what_types_do_not_say_of_an_entry(setting, entry, reason):
    assert what_is_wrong(**{setting: [entry]}) == [f"Setting {setting}[0]: {reason}."]


def test_all_that_is_wrong_with_an_entry_is_said_at_once():
    entry = {"id": 1.5, "limit": 0, "run": 5, "timezone": "Mars/Olympus", "nonsense": 1}
    said = what_is_wrong(looks=[entry])
    assert len(said) == 5
    for word in ("nonsense", "id must", "limit must", "run must", "Mars/Olympus"):
        assert sum(word in line for line in said) == 1


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("complete,-pending", "complete,-pending"),
        ("", ""),
        (5, "5"),
        (-5, "-5"),
        (2.5, "2.5"),
        (Decimal("3.50"), "3.50"),
        (Decimal("1E+3"), "1000"),
        (1e-7, "0.0000001"),
        (True, "Yes"),
        (False, "No"),
        (["complete", "pending"], "complete,pending"),
        ([1, 2, 3], "1,2,3"),
        ([Decimal("0.10"), -1], "0.10,-1"),
        ([True], "Yes"),
        (["Santa Cruz, CA"], "Santa Cruz^, CA"),
        (["50%", "a_b", "a^b", 'the "x"'], '50^%,a^_b,a^^b,the ^"x^"'),
        (["-5", "a-b"], "^-5,a-b"),
        (["NULL", "Empty", "not", "NOT NULL"], '"NULL","Empty","not","NOT NULL"'),
        (["nullable", "nothing"], "nullable,nothing"),
        ([" a", "b ", " "], '" a","b "," "'),
        ([' "a_%'], r'" \"a_%"'),
        (["a\\b"], r'"a\\b"'),
        (["Zürich", "\N{DESERT ISLAND}"], "Zürich,\N{DESERT ISLAND}"),
    ],
)
def test_filters_are_sent_as_filter_expressions(given, sent):
    found, mistakes = own_entries(prepared(queries=[{**OF_QUERY, "filters": {"a.b": given}}]))
    assert mistakes == []
    (definition,) = found.results
    assert definition.query["filters"] == {"a.b": sent}


def test_dynamic_fields_are_sent_as_text():
    listed = [{"dimension": "a", "expression": "1.50", "value": Decimal("1.50"), "x": None}]
    found, _ = own_entries(prepared(queries=[{**OF_QUERY, "dynamic_fields": listed}]))
    sent = found.results[0].query["dynamic_fields"]
    assert sent == '[{"dimension":"a","expression":"1.50","value":1.50,"x":null}]'
    found, _ = own_entries(prepared(queries=[{**OF_QUERY, "dynamic_fields": sent}]))
    assert found.results[0].query["dynamic_fields"] == sent


def test_null_is_not_set_in_an_entry_either():
    nothing = dict.fromkeys(OPTIONS["queries"].split())
    assert what_is_wrong(queries=[{**nothing, **OF_QUERY}]) == []


def test_lists_of_objects_in_the_environment(monkeypatch):
    found = environment(
        monkeypatch,
        looks='[42, {"id": 17, "limit": 5}]',
        queries=json.dumps([OF_QUERY]),
        system_activity=json.dumps([OF_ACTIVITY]),
    )
    assert found == {
        "looks": [42, {"id": 17, "limit": 5}],
        "queries": [OF_QUERY],
        "system_activity": [OF_ACTIVITY],
    }
    assert what_is_wrong(**found) == []
    assert environment(monkeypatch, looks="42, 43")["looks"] == ["42", "43"]


# ----------------------------------------------------------------------------------- environment


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("client_secret", "0123", "0123"),
        ("client_secret", " spaced ", "spaced"),
        ("concurrency", "16", 16),
        ("request_timeout", "60", 60),
        ("request_timeout", "2.5", 2.5),
        ("include_deleted", "false", False),
        ("include_deleted", "No", False),
        ("include_deleted", "0", False),
        ("include_deleted", "TRUE", True),
        ("include_deleted", "on", True),
        ("folder_ids", "12", ["12"]),
        ("folder_ids", "12, 34", ["12", "34"]),
        ("folder_ids", '["12", 34]', ["12", 34]),
        ("models", "thelook", ["thelook"]),
        ("models", '["thelook"]', ["thelook"]),
        ("start_date", "2026-01-31", "2026-01-31"),
    ],
)
def test_variables(monkeypatch, name, text, value):
    found = environment(monkeypatch, **{name: text})
    assert found == {name: value}
    prepared(**found)


@pytest.mark.parametrize("name", sorted(OWN))
@pytest.mark.parametrize("nothing", ["", " "])
def test_an_empty_variable_is_not_set(monkeypatch, name, nothing):
    assert environment(monkeypatch, **{name: nothing}) == {}


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("concurrency", "many", "a whole number"),
        ("concurrency", "8.5", "a whole number"),
        ("request_timeout", "1m", "a number"),
        ("include_deleted", "ture", "true or false"),
        ("models", '["thelook"', "a list"),
    ],
)
def test_variables_that_cannot_be_read(monkeypatch, name, text, what):
    with pytest.raises(SettingsError) as raised:
        environment(monkeypatch, **{name: text})
    assert raised.value.errors == [f"Environment variable {PREFIX}{name.upper()}: must be {what}."]


def test_all_variables_that_cannot_be_read_are_named(monkeypatch):
    with pytest.raises(SettingsError) as raised:
        environment(monkeypatch, concurrency="many", include_deleted="ture")
    assert len(raised.value.errors) == 2


# ------------------------------------------------------------------------- the command as a whole


@pytest.fixture
def quiet(emulator, tmp_path, monkeypatch):
    """A folder without a .env file, and an emulator that nobody is to call."""
    monkeypatch.chdir(tmp_path)
    yield emulator
    assert emulator.calls == []


def test_errors_come_before_a_request_is_made(quiet, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"api_host_url": quiet.url + "/", "client_id": 12345678}))
    run = run_cli("--config", str(config))
    assert run.exit_code == 1
    assert run.stdout == ""
    assert "Setting client_secret is missing" in run.stderr
    assert "Setting client_id: must be text" in run.stderr
    assert "12345678" not in run.stderr
    assert "Traceback" not in run.stderr


def test_settings_from_a_dotenv_file(emulator, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("API_HOST_URL", "CLIENT_ID", "CLIENT_SECRET", "INCLUDE_DELETED"):
        # Set and deleted, so that what the file puts into the environment is taken out again.
        monkeypatch.setenv(PREFIX + name, "")
        monkeypatch.delenv(PREFIX + name)
    (tmp_path / ".env").write_text(
        f"TAP_LOOKER_API_HOST_URL={emulator.url}\n"
        f"TAP_LOOKER_CLIENT_ID={emulator.client_id}\n"
        f"TAP_LOOKER_CLIENT_SECRET='{emulator.client_secret}'\n"
        "TAP_LOOKER_INCLUDE_DELETED=false\n"
    )
    (tmp_path / "catalog.json").write_text(json.dumps(selecting("looks")))
    run = run_cli("--config=ENV", "--catalog=catalog.json")
    assert run.exit_code == 0, run.stderr
    assert [call.path for call in emulator.calls if call.method == "GET"] == ["/looks/search"]
    assert not any("deleted" in call.query for call in emulator.calls)


HINT = "has TAP_LOOKER_ variables, which are only read with --config=ENV."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.usefixtures("quiet")
def test_a_dotenv_file_that_is_not_read_is_hinted_at(tmp_path, encoding):
    (tmp_path / ".env").write_text("TAP_LOOKER_CLIENT_SECRET=hidden-secret\n", encoding)
    for arguments in ([], ["--test"], ["--access"]):
        run = run_cli(*arguments)
        assert run.exit_code == 1
        assert run.errors[-1] == f"The file {tmp_path / '.env'} {HINT}"
        assert "hidden-secret" not in run.stderr


@pytest.mark.parametrize(
    "content", ["", "# TAP_LOOKER_CLIENT_ID=1\n", "TAP_LOOKER_LOGLEVEL=DEBUG\n", "CLIENT_ID=1\n"]
)
@pytest.mark.usefixtures("quiet")
def test_another_dotenv_file_is_not_hinted_at(tmp_path, content):
    (tmp_path / ".env").write_text(content)
    assert HINT not in run_cli().stderr


@pytest.mark.usefixtures("quiet")
def test_no_hint_where_the_file_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("TAP_LOOKER_CLIENT_ID", "")
    (tmp_path / ".env").write_text("TAP_LOOKER_CLIENT_ID=\n")
    run = run_cli("--config=ENV")
    assert len(run.errors) == 1
    assert HINT not in run.stderr


@pytest.mark.usefixtures("quiet")
def test_variables_that_are_not_read_are_hinted_at(monkeypatch):
    monkeypatch.setenv("TAP_LOOKER_CLIENT_SECRET", "hidden-secret")
    run = run_cli()
    assert run.errors[-1] == f"The environment {HINT}"
    assert "hidden-secret" not in run.stderr


def test_without_config_env_the_environment_is_not_read(quiet, tmp_path, monkeypatch):
    monkeypatch.setenv("TAP_LOOKER_CLIENT_SECRET", "from-the-environment")
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"api_host_url": quiet.url, "client_id": "a"}))
    run = run_cli("--config", str(config))
    assert run.exit_code == 1
    assert "Setting client_secret is missing" in run.stderr


@pytest.mark.usefixtures("quiet")
def test_about_explains_every_setting():
    about = run_cli("--about").stdout
    for name, definition in SCHEMA["properties"].items():
        assert name in about
        if name in OWN:
            assert definition["description"] in about


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("form", ["json", "markdown"])
def test_about_explains_every_option_of_an_entry(form):
    about = run_cli("--about", f"--format={form}").stdout
    told = json.loads(about)["settings"]["properties"] if form == "json" else {}
    for setting, options in OPTIONS.items():
        for option in options.split():
            description = items(setting)["properties"][option]["description"]
            if told:
                assert told[setting]["items"]["properties"][option]["description"] == description
            else:
                assert f"| {setting}.{option} |" in about
                assert description in about
