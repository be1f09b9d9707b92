"""Streams that are chosen by patterns, without a catalog."""

from __future__ import annotations

import json

import pytest
from support import run_cli, settings_of

from tap_looker.errors import SettingsError
from tap_looker.selection import matching

NAMES = ["users", "user_sessions", "groups", "group_users", "dashboards", "explores"]
DEFAULT = ["users", "groups", "dashboards"]


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
    assert matching(patterns, NAMES, DEFAULT) == expected


def test_a_pattern_that_matches_nothing_is_an_error_with_a_hint():
    with pytest.raises(SettingsError) as caught:
        matching("user,nothing*,users", NAMES, DEFAULT)
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
    assert run.errors == ["Setting select: leaves no stream to read."]
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
