"""What is asked for item by item: what is left out, when to stop asking, and what is said of it."""

from __future__ import annotations

import re

import pytest
from support import selecting

from looker_emulator import Emulator, Fault
from tap_looker.resources.items import FEW

pytestmark = pytest.mark.usefixtures("_quick_retries")


def failed(run):
    found = [re.match(r"Failed (\w+): (.*)", error) for error in run.errors]
    return {match[1]: match[2] for match in found if match}


def counted(run):
    found = [re.match(r"(\w+): (\d+) item\(s\) skipped", line) for line in run.warnings]
    return {match[1]: int(match[2]) for match in found if match}


def skips(run):
    return [line for line in run.warnings if "skipped: " in line or " without " in line]


def names_alone(emulator):
    """The key's user sees no more than the names of users."""
    emulator.add_fault(
        Fault("drop_nested", "/users/search", times=None, names=("credentials_api3",))
    )
    emulator.add_fault(Fault("denied", "/users/*/credentials_api3", times=None))


# ------------------------------------------------------------------------------ all of them refused


@pytest.mark.parametrize("page_size", [20, 500])
def test_keys_of_users_whose_names_alone_are_seen(runner_of, page_size):
    with Emulator(3) as emulator:
        names_alone(emulator)
        result = runner_of(emulator)(
            catalog=selecting("users", "user_credentials_api3"), page_size=page_size
        )
        assert emulator.count("/users/*/credentials_api3") == 2 * FEW
        assert result.ids("users") == [user["id"] for user in emulator.instance.users]
    assert result.exit_code == 1
    assert failed(result).keys() == {"user_credentials_api3"}
    assert "needs the Admin role" in failed(result)["user_credentials_api3"]
    assert "others were not asked for" in failed(result)["user_credentials_api3"]
    assert "user_credentials_api3" not in result.schemas
    assert not skips(result)
    assert counted(result) == {}


def test_what_is_refused_for_all_is_skipped_where_denied_streams_are(run, emulator):
    names_alone(emulator)
    result = run(catalog=selecting("users", "user_credentials_api3"), on_denied="skip").succeeded()
    (line,) = [line for line in result.warnings if "credentials_api3" in line and "Skip" in line]
    assert line.startswith("Skipped user_credentials_api3: GET /users/")
    assert result.schemas.keys() == {"users"}


def test_own_keys_that_come_with_the_user_do_not_hide_that_all_others_are_refused(run, emulator):
    """The emulator drops the property of a user who has none, as Looker does of others."""
    for user in emulator.instance.users[1:]:
        del user["credentials_api3"]
    emulator.instance.users[0]["credentials_api3"] = [{"id": "1", "client_id": "abc"}]
    emulator.add_fault(Fault("denied", "/users/*/credentials_api3", times=None))
    result = run(catalog=selecting("users", "user_credentials_api3"))
    assert emulator.count("/users/*/credentials_api3") <= 2 * FEW
    assert failed(result).keys() == {"user_credentials_api3"}
    assert [record["id"] for record in result.records["user_credentials_api3"]] == ["1"]
    assert not skips(result)


@pytest.mark.parametrize("concurrency", [1, 8, 64])
@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_few_are_asked_for_when_none_is_answered(run, emulator, status, concurrency):
    emulator.add_fault(Fault("status", "/users/*/sessions", times=None, status=status))
    result = run(catalog=selecting("user_sessions", "themes"), concurrency=concurrency)
    assert emulator.count("/users/*/sessions") == 2 * FEW
    assert failed(result).keys() == {"user_sessions"}
    assert str(status) in failed(result)["user_sessions"]
    assert not skips(result)
    assert result.records["themes"]


def test_fewer_than_a_few_are_asked_for_once_each(run, emulator):
    emulator.add_fault(Fault("denied", "/projects/*/files", times=None))
    result = run(catalog=selecting("project_files"))
    assert emulator.count("/projects/*/files") == len(emulator.instance.projects) < FEW
    assert failed(result).keys() == {"project_files"}


def test_batches_are_refused_by_their_parts(run, emulator):
    emulator.add_fault(Fault("status", "/content_favorite/search", times=None, status=400))
    result = run(catalog=selecting("content_favorites"))
    assert emulator.count("/content_favorite/search") == 1 + 2 * FEW
    assert failed(result).keys() == {"content_favorites"}


# --------------------------------------------------------------------------------- not all of them


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("status", [404, 500, 504])
def test_a_model_whose_explores_are_all_broken_is_not_all_there_is(runner_of, status, concurrency):
    """More than a few are refused before the first that is answered."""
    with Emulator() as emulator:
        first = emulator.instance.lookml_models[0]
        assert len(first["explores"]) > FEW
    broken = {f"{first['name']}::{one['name']}": status for one in first["explores"]}
    with Emulator(broken_explores=broken) as emulator:
        result = runner_of(emulator)(
            catalog=selecting("explores"), concurrency=concurrency
        ).succeeded()
        others = [
            f"{model['name']}::{one['name']}"
            for model in emulator.instance.lookml_models[1:]
            for one in model["explores"]
        ]
        good = [call for call in emulator.calls if "/explores/" in call.path and call.status == 200]
    assert result.ids("explores") == others
    assert len(good) == len(others)
    assert counted(result) == {"explores": len(broken)}
    assert len(skips(result)) == len(broken)


@pytest.mark.parametrize("fault", [("status", {"status": 504}), ("silence", {})])
def test_an_explore_that_takes_too_long_is_skipped_and_counted(run, emulator, fault):
    kind, details = fault
    path = "/lookml_models/storefront/explores/orders"
    emulator.add_fault(Fault(kind, path, times=None, **details))
    result = run(
        catalog=selecting("explores", "themes"), request_timeout=1, max_retry_time=600
    ).succeeded()
    assert "storefront::orders" not in result.ids("explores")
    assert len(result.ids("explores")) == 15
    assert counted(result) == {"explores": 1}
    assert emulator.count(path) <= 4
    (line,) = skips(result)
    assert path in line


def test_time_outs_that_pass_cost_no_item(run, emulator):
    path = "/lookml_models/storefront/explores/orders"
    emulator.add_fault(Fault("status", path, times=2, status=504))
    result = run(catalog=selecting("explores")).succeeded()
    assert "storefront::orders" in result.ids("explores")
    assert counted(result) == {}


def test_time_outs_of_all_that_follows_are_those_of_the_instance(run, emulator):
    emulator.add_fault(Fault("status", "*", after=6, times=None, status=504))
    result = run(catalog=selecting("explores"), concurrency=1)
    assert result.exit_code == 1
    assert failed(result).keys() == {"explores"}
    assert counted(result) == {}


def test_time_outs_of_every_item_fail_the_stream_soon(run, emulator):
    path = "/lookml_models/*/explores/*"
    emulator.add_fault(Fault("status", path, times=None, status=504))
    result = run(catalog=selecting("explores", "themes"), max_retry_time=600)
    assert failed(result).keys() == {"explores"}
    assert emulator.count(path) <= 4 * 2 * FEW
    assert result.records["themes"]


def test_queries_of_a_dashboard_whose_tiles_cannot_be_read_are_missed(run, emulator):
    emulator.instance.lookml_dashboards[0]["dashboard_elements"] = None
    name = emulator.instance.lookml_dashboards[0]["id"]
    emulator.add_fault(Fault("denied", "/dashboards/*/dashboard_elements", times=None))
    result = run(catalog=selecting("queries")).succeeded()
    assert counted(result)["queries"] == 1
    assert any(line.startswith("queries: one skipped") and name in line for line in result.warnings)
