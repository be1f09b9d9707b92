"""Streams that are chosen by patterns, without a catalog."""

from __future__ import annotations

import json
import re

import pytest
from support import run_cli, settings_of

from tap_looker import settings
from tap_looker.errors import SettingsError
from tap_looker.queries.activities import ACTIVITIES
from tap_looker.resources.rest_streams import RESOURCES
from tap_looker.selection import matching
from tap_looker.settings_schema import SCHEMA

NAMES = ["users", "user_sessions", "groups", "group_users", "dashboards", "explores"]
DEFAULT = ["users", "groups", "dashboards"]


def as_set(value):
    """What becomes of the setting."""
    config = {"api_host_url": "https://a.looker.com", "client_id": "a", "client_secret": "b"}
    config["select"] = value
    assert settings.prepare(config, SCHEMA) == []
    return config["select"] or []


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ("users", {"users"}),
        ("users, dash*", {"users", "dashboards"}),
        ("group*,!group_users", {"groups"}),
        ("!groups", {"users", "dashboards"}),
        ("default,explores", {*DEFAULT, "explores"}),
        ("*,!default", {"user_sessions", "group_users", "explores"}),
        ("!users,users", set(DEFAULT)),
        ("*", set(NAMES)),
        ("", set(DEFAULT)),
        ("users,", {"users"}),
    ],
)
def test_patterns_select_streams_and_the_last_one_counts(patterns, expected):
    assert matching(as_set(patterns), NAMES, DEFAULT) == expected
    assert matching(as_set(patterns.split(",")), NAMES, DEFAULT) == expected
    assert matching(as_set(json.dumps([patterns])), NAMES, DEFAULT) == expected


def test_a_pattern_that_matches_nothing_is_an_error_with_a_hint():
    with pytest.raises(SettingsError) as caught:
        matching(["user", "nothing*", "users"], NAMES, DEFAULT)
    assert "there is no stream user; did you mean users?" in str(caught.value)
    assert "there is no stream nothing*" in str(caught.value)


def read(emulator, tmp_path, *options, **settings):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({**settings_of(emulator), **settings}), encoding="utf-8")
    return run_cli(*options, "--config", str(config))


def test_the_option_selects_what_a_run_reads(emulator, tmp_path):
    run = read(emulator, tmp_path, "--select", "roles,!users,them*").succeeded()
    assert set(run.schemas) == {"roles", "themes"}


def test_the_option_counts_more_than_the_setting_and_the_setting_works(emulator, tmp_path):
    assert set(read(emulator, tmp_path, select="roles").succeeded().schemas) == {"roles"}
    run = read(emulator, tmp_path, "--select=themes", select="roles").succeeded()
    assert set(run.schemas) == {"themes"}


def test_the_option_counts_more_than_the_environment(emulator, monkeypatch):
    for name, value in {**settings_of(emulator), "select": "roles"}.items():
        monkeypatch.setenv(f"TAP_LOOKER_{name.upper()}", str(value))
    run = run_cli("--config=ENV", "--select", "themes").succeeded()
    assert set(run.schemas) == {"themes"}
    assert set(run_cli("--config=ENV").succeeded().schemas) == {"roles"}


def test_a_name_that_does_not_exist_is_one_line_and_no_call(emulator, tmp_path):
    run = read(emulator, tmp_path, "--select", "user")
    assert run.exit_code == 1
    assert run.errors == ["Setting select: there is no stream user; did you mean users?"]
    assert emulator.calls == []


def test_a_setting_that_leaves_nothing_is_named(emulator, tmp_path):
    run = read(emulator, tmp_path, select="roles,!roles")
    assert run.exit_code == 1
    assert run.errors == ["Setting select leaves no stream to read."]
    assert emulator.calls == []


def test_the_setting_may_be_a_list(emulator, tmp_path):
    run = read(emulator, tmp_path, select=["roles", "them*"]).succeeded()
    assert set(run.schemas) == {"roles", "themes"}


@pytest.mark.parametrize("text", ["roles,them*", '["roles", "them*"]'])
def test_the_variable_may_be_either_too(emulator, monkeypatch, text):
    for name, value in {**settings_of(emulator), "select": text}.items():
        monkeypatch.setenv(f"TAP_LOOKER_{name.upper()}", value)
    assert set(run_cli("--config=ENV").succeeded().schemas) == {"roles", "themes"}


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (7, "Setting select: must be text or a list."),
        (["users", 7], "Setting select[1]: must be text."),
        ({"users": True}, "Setting select: must be text or a list."),
    ],
)
def test_the_setting_is_text_or_a_list_of_it(emulator, tmp_path, value, error):
    assert read(emulator, tmp_path, select=value).errors == [error]
    assert emulator.calls == []


def test_discovery_marks_what_is_selected(emulator, tmp_path):
    run = read(emulator, tmp_path, "--discover", "--select", "roles")
    selected = {
        entry["tap_stream_id"]
        for entry in json.loads(run.stdout)["streams"]
        for item in entry["metadata"]
        if not item["breadcrumb"] and item["metadata"].get("selected-by-default")
    }
    assert selected == {"roles"}


def test_with_a_catalog_the_setting_is_ignored_and_said_to_be(emulator, tmp_path):
    catalog = tmp_path / "catalog.json"
    catalog.write_text(read(emulator, tmp_path, "--discover", "--select=roles").stdout)
    run = read(emulator, tmp_path, "--catalog", str(catalog), select="themes").succeeded()
    assert set(run.schemas) == {"roles"}
    assert "The setting select is ignored: the catalog says which streams are read." in run.warnings


def test_the_list_says_what_streams_cost_and_which_are_selected(emulator):
    """Without settings, and without a call."""
    run = run_cli("--list").succeeded()
    lines = run.stdout.splitlines()
    assert [line for line in lines if re.fullmatch(r"\* users +1 per 500 rows", line)]
    assert [
        line for line in lines if re.fullmatch(r"  user_sessions +1 per user, besides users", line)
    ]
    assert [line for line in lines if re.fullmatch(r"\* user_roles +none besides users", line)]
    listed = {line[2:].split()[0] for line in lines if line[:2] in ("* ", "  ") and line.strip()}
    assert listed >= {one.name for one in (*RESOURCES, *ACTIVITIES)}
    marked = {line[2:].split()[0] for line in lines if line.startswith("* ")}
    assert marked == {one.name for one in (*RESOURCES, *ACTIVITIES) if one.default}
    assert emulator.calls == []


def test_the_list_follows_the_selection_without_credentials():
    lines = run_cli("--list", "--select", "users,roles").succeeded().stdout.splitlines()
    assert {line.split()[1] for line in lines if line.startswith("*")} == {"users", "roles"}


def test_the_list_follows_the_selection_and_has_the_streams_of_the_settings(emulator, tmp_path):
    queries = [{"name": "orders", "model": "thelook", "explore": "orders", "fields": ["orders.id"]}]
    run = read(emulator, tmp_path, "--list", "--select", "roles,orders", queries=queries)
    marked = re.findall(r"^\* (\w+) ", run.stdout, re.MULTILINE)
    assert marked == ["roles", "orders"]
    assert emulator.count("/logout", "DELETE") == 1


LOOKS = {"looks": [1, 2, 3]}


def test_what_is_not_selected_of_the_settings_is_not_asked_for(emulator, tmp_path):
    read(emulator, tmp_path, "--select", "versions", **LOOKS).succeeded()
    assert not [call.path for call in emulator.calls if "look" in call.path]


def test_a_discovery_has_all_streams_of_the_settings(emulator, tmp_path):
    orders = {"name": "orders", "model": "thelook", "explore": "orders", "fields": ["orders.id"]}
    run = read(emulator, tmp_path, "--discover", "--select=users", queries=[orders]).succeeded()
    assert "orders" in {one["tap_stream_id"] for one in json.loads(run.stdout)["streams"]}


def test_the_access_report_counts_queries_of_the_settings(emulator, tmp_path):
    orders = {"name": "orders", "model": "thelook", "explore": "orders", "fields": ["orders.id"]}
    run = read(emulator, tmp_path, "--access=json", "--select=versions,orders", queries=[orders])
    found = json.loads(run.stdout)
    (one,) = [stream for stream in found["streams"] if stream["stream"] == "orders"]
    assert (one["selected"], one["calls"], one["calls_at_least"]) == (True, None, 1)
    assert found["calls"]["db_query"] == 1
    text = read(emulator, tmp_path, "--access", "--select=versions,orders", queries=[orders]).stdout
    assert re.search(r"^\* orders .* 1\+ query calls", text, re.MULTILINE)


def test_a_trial_reads_what_is_selected(emulator, tmp_path):
    run = read(emulator, tmp_path, "--test", "--select", "roles,themes").succeeded()
    assert set(run.schemas) == {"roles", "themes"}
    run = read(emulator, tmp_path, "--test=schema", "--select", "roles").succeeded()
    assert set(run.schemas) == {"roles"}


def test_a_misspelt_variable_is_named(emulator, monkeypatch):
    for name, value in {**settings_of(emulator), "select": "roles"}.items():
        monkeypatch.setenv(f"TAP_LOOKER_{name.upper()}", str(value))
    monkeypatch.setenv("TAP_LOOKER_CONCURENCY", "2")
    monkeypatch.setenv("TAP_LOOKER_LOGLEVEL", "INFO")
    run = run_cli("--config=ENV").succeeded()
    hint = "TAP_LOOKER_CONCURENCY is not a setting; did you mean TAP_LOOKER_CONCURRENCY?"
    assert run.warnings == [hint]


@pytest.mark.parametrize("option", ["--list", "--discover"])
@pytest.mark.parametrize("credentials", [True, False])
@pytest.mark.parametrize(
    ("name", "value"),
    [("page_size", 0), ("select", ["users", 5]), ("select", 5), ("models", 5), ("instance", 5),
     ("stream_maps", 5)],
)  # fmt: skip
def test_without_a_run_too_a_wrong_setting_is_named(tmp_path, option, credentials, name, value):
    config = {"select": "users", name: value}
    if credentials:
        config |= {"api_host_url": "https://a.looker.com", "client_id": "a", "client_secret": "b"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    run = run_cli("--config", str(tmp_path / "config.json"), option)
    assert run.exit_code == 1
    assert len(run.errors) == 1
    assert name in run.errors[0]
    assert "This is a bug" not in run.stderr
    assert "there is no stream" not in run.stderr
