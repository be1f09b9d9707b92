"""The API key, the token and what Looker keeps secret: in no output, no log, no address."""

from __future__ import annotations

import json

import pytest
from support import selecting

from looker_emulator import Emulator, Fault

ID, SECRET = "KeyOfTheTest", "unspeakableSecretOfTheTest"


def echo(text):
    return {
        "in the message": ("status", {"status": 422, "json": {"message": f"not {text}"}}),
        "in a detail": (
            "status",
            {
                "status": 422,
                "json": {"message": "no", "errors": [{"field": "f", "message": text}]},
            },
        ),
        "in looker_error": ("looker_error", {"message": f"not {text}"}),
        "in a page": ("html", {"body": f"<html><head><title>not {text}</title></head></html>"}),
        "in an error page": ("status", {"status": 502, "html": f"<title>{text}</title>"}),
        "in a redirect": ("redirect", {"location": f"https://elsewhere.example/?key={text}"}),
    }


@pytest.fixture
def looker():
    with Emulator(client_id=ID, client_secret=SECRET) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def _at_the_most_talkative(monkeypatch):
    monkeypatch.setenv("TAP_LOOKER_LOGLEVEL", "DEBUG")


def tokens(looker):
    return {call.token for call in looker.calls if call.token}


def assert_nothing_tells(run, looker):
    """Neither secret is in the output, nor in any address that was asked for."""
    assert "DEBUG" in run.stderr
    assert tokens(looker)
    for secret in (SECRET, *tokens(looker)):
        assert secret not in run.stdout
        assert secret not in run.stderr
        for call in looker.calls:
            assert secret not in json.dumps([call.raw_path, call.query])
            told = {name: value for name, value in call.headers.items() if name != "authorization"}
            assert secret not in json.dumps(told)


def test_a_run(runner_of, looker):
    run = runner_of(looker).process()
    assert run.exit_code == 0
    assert_nothing_tells(run, looker)


def test_links_that_let_people_in(runner_of, looker):
    """Links to set a password are in the answers, and nowhere after."""
    emails = [user["credentials_email"] for user in looker.instance.users]
    secrets = [email["account_setup_url"] for email in emails if email]
    assert len(secrets) > 5
    run = runner_of(looker)()
    assert len(run.records["users"]) == len(emails)
    assert any(user["credentials_email"] for user in run.records["users"])
    for text in ("SECRET-", "password/reset", "account/setup"):
        assert text not in run.stdout
        assert text not in run.stderr


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("status", {"status": 500}),
        ("unauthorized", {}),
        ("html", {}),
        ("redirect", {}),
        ("reset_before", {}),
        ("reset_body", {}),
        ("denied", {}),
        ("wrong_shape", {}),
    ],
)
@pytest.mark.usefixtures("_quick_retries")
def test_under_faults(runner_of, looker, kind, details):
    looker.add_fault(Fault(kind, "*/search", times=None, **details))
    run = runner_of(looker)()
    assert run.exit_code == 1
    assert_nothing_tells(run, looker)


@pytest.mark.parametrize("where", echo(""))
@pytest.mark.usefixtures("_quick_retries")
def test_an_answer_that_repeats_the_secret(runner_of, looker, where):
    kind, details = echo(SECRET)[where]
    looker.add_fault(Fault(kind, "/users/search", times=None, **details))
    run = runner_of(looker)(catalog=selecting("users", "roles"))
    assert run.exit_code == 1
    assert_nothing_tells(run, looker)


@pytest.mark.parametrize("where", echo(""))
@pytest.mark.usefixtures("_quick_retries")
def test_a_login_that_repeats_the_secret(runner_of, looker, where):
    kind, details = echo(SECRET)[where]
    looker.add_fault(Fault(kind, "/login", times=None, **details))
    run = runner_of(looker)()
    assert run.exit_code == 1
    assert SECRET not in run.stderr


def test_a_key_that_is_wrong(runner_of, looker):
    run = runner_of(looker)(client_id="KeyOfSomebodyElse", client_secret="anotherUnspeakable")
    assert run.exit_code == 1
    assert "anotherUnspeakable" not in run.stderr
    assert "KeyOfSomebodyElse" not in run.stderr


def test_settings_that_are_wrong(runner_of, looker):
    run = runner_of(looker)(concurrency=1000)
    assert run.exit_code == 1
    assert SECRET not in run.stderr
    run = runner_of(looker)(client_secret=["unspeakable", "list"])
    assert run.exit_code == 1
    assert "unspeakable" not in run.stderr
    assert looker.calls == []


def test_no_secret_in_the_state(runner_of, looker):
    for state in runner_of(looker)().states:
        assert SECRET not in json.dumps(state)
        assert ID not in json.dumps(state)
