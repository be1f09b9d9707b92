"""What is asked for item by item: what is left out, when to stop asking, and what is said of it."""

from __future__ import annotations

import copy
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


# --------------------------------------------------------------- lists that say what is asked for


def models(emulator, **first):
    """The models come as they are, but for the first."""
    rows = copy.deepcopy(emulator.instance.lookml_models)
    rows[0] |= first
    rows[0] = {name: value for name, value in rows[0].items() if value is not ...}
    emulator.add_fault(Fault("status", "/lookml_models", times=None, status=200, json=rows))


@pytest.mark.parametrize("nothing", [None, ..., "orders"])
def test_a_model_without_its_list_of_explores_is_skipped_and_counted(run, emulator, nothing):
    models(emulator, explores=nothing)
    result = run(catalog=selecting("explores", "lookml_models")).succeeded()
    assert len(result.ids("lookml_models")) == 4
    assert len(result.ids("explores")) == 10
    assert counted(result) == {"explores": 1}
    (line,) = skips(result)
    assert "lookml_models" in line
    assert "storefront" in line


def test_a_model_without_content_has_no_explores(run, emulator):
    """`has_content`: the document says that explores are there if it is true."""
    models(emulator, explores=None, has_content=False)
    result = run(catalog=selecting("explores")).succeeded()
    assert len(result.ids("explores")) == 10
    assert not skips(result)


def test_no_model_with_a_list_of_explores_is_a_failure(run, emulator):
    emulator.add_fault(Fault("null_nested", "/lookml_models", times=None, names=("explores",)))
    result = run(catalog=selecting("explores", "lookml_models", "themes"))
    assert result.exit_code == 1
    assert failed(result).keys() == {"explores"}
    assert "lookml_models" in failed(result)["explores"]
    assert result.schemas.keys() == {"lookml_models", "themes"}


def test_models_without_a_single_explore_are_said(run, emulator):
    for model in emulator.instance.lookml_models:
        model["explores"] = []
    result = run(catalog=selecting("explores", "explore_fields")).succeeded()
    (line,) = [line for line in result.warnings if "explores" in line]
    assert line.startswith("explores: no row of lookml_models (4)")


def test_nothing_is_said_of_some_models_without_explores(run, emulator):
    assert any(not model["explores"] for model in emulator.instance.lookml_models)
    result = run(catalog=selecting("explores")).succeeded()
    assert not [line for line in result.warnings if "explores" in line]


def test_an_explore_without_a_name_is_skipped_and_counted(run, emulator):
    emulator.instance.lookml_models[0]["explores"][0]["name"] = None
    result = run(catalog=selecting("explores")).succeeded()
    assert len(result.ids("explores")) == 15
    assert counted(result) == {"explores": 1}


def test_no_tile_that_says_whether_it_is_merged_is_said(run, emulator):
    emulator.add_fault(
        Fault("drop_nested", "/dashboard_elements/search", times=None, names=("merge_result_id",))
    )
    result = run(catalog=selecting("merge_queries")).succeeded()
    (line,) = [line for line in result.warnings if line.startswith("merge_queries")]
    assert "merge_result_id" in line


# ------------------------------------------------------------------------- what settings leave out

OF_MODELS = ("explore_fields", "explores", "lookml_dashboards", "lookml_models")


def test_models_can_be_left_out(run, emulator):
    model = emulator.instance.lookml_dashboards[0]["id"].split("::")[0]
    whole = run(catalog=selecting(*OF_MODELS)).succeeded()
    emulator.reset_calls()
    result = run(catalog=selecting(*OF_MODELS), exclude_models=[f"{model[:-2]}*"]).succeeded()
    assert model in whole.ids("lookml_models")
    assert result.ids("lookml_models") == [
        name for name in whole.ids("lookml_models") if name != model
    ]
    for name in ("explores", "lookml_dashboards"):
        kept = [id_ for id_ in whole.ids(name) if not id_.startswith(f"{model}::")]
        assert 0 < len(kept) < len(whole.ids(name))
        assert result.ids(name) == kept
    assert {record["explore_id"] for record in result.records["explore_fields"]} == set(
        result.ids("explores")
    )
    assert not emulator.count(f"/lookml_models/{model}/*")
    assert not [line for line in result.warnings if "exclude" in line]


def test_explores_can_be_left_out(run, emulator):
    result = run(
        catalog=selecting(*OF_MODELS), exclude_explores=["storefront::o*", "*::users"]
    ).succeeded()
    whole = {
        f"{model['name']}::{one['name']}"
        for model in emulator.instance.lookml_models
        for one in model["explores"]
    }
    left = {
        name for name in whole if not (name.startswith("storefront::o") or name.endswith("::users"))
    }
    assert left < whole
    assert set(result.ids("explores")) == left
    assert {record["explore_id"] for record in result.records["explore_fields"]} == left
    assert {
        f"{record['name']}::{one['name']}"
        for record in result.records["lookml_models"]
        for one in record["explores"]
    } == left
    assert len(result.ids("lookml_dashboards")) == len(emulator.instance.lookml_dashboards)
    assert not emulator.count("/lookml_models/storefront/explores/orders")


def test_names_and_patterns_that_match_nothing_are_said_once(run):
    result = run(
        catalog=selecting(*OF_MODELS),
        exclude_models=["storefrnt"],
        exclude_explores=["storefront::orders", "x::*"],
    ).succeeded()
    (line,) = [line for line in result.warnings if "exclude" in line]
    assert line.endswith("nothing matches storefrnt, x::*.")


def test_models_and_those_to_leave_out_go_together(run):
    result = run(
        catalog=selecting("lookml_models"),
        models=["storefront", "logistics"],
        exclude_models=["logistics"],
    ).succeeded()
    assert result.ids("lookml_models") == ["storefront"]


# --------------------------------------------------------- answers that are none, with HTTP 200


NO_ANSWERS = {
    "null": {"json": None, "html": "null"},
    "an error of Looker's": {"json": [{"looker_error": "This group is broken"}]},
    "a message": {"json": {"message": "Broken", "documentation_url": "https://x"}},
    "a web page": {"html": "<html><title>Broken</title></html>"},
    "half a list": {"html": '[{"id": "1"}, {"id"'},
    "texts": {"json": ["1", "2"]},
}


@pytest.mark.parametrize("kind", NO_ANSWERS)
def test_one_item_without_an_answer_does_not_sink_its_stream(run, emulator, kind):
    whole = run(catalog=selecting("group_users")).succeeded().records["group_users"]
    group = next(row["group_id"] for row in whole)
    emulator.add_fault(
        Fault("status", f"/groups/{group}/users", times=None, status=200, **NO_ANSWERS[kind])
    )
    result = run(catalog=selecting("group_users"), max_retry_time=0.1).succeeded()
    assert result.records["group_users"] == [row for row in whole if row["group_id"] != group]
    assert counted(result) == {"group_users": 1}


@pytest.mark.parametrize("kind", NO_ANSWERS)
def test_items_that_are_all_without_an_answer_are_an_error(run, emulator, kind):
    emulator.add_fault(
        Fault("status", "/groups/*/users", times=None, status=200, **NO_ANSWERS[kind])
    )
    result = run(catalog=selecting("group_users"), max_retry_time=0.1)
    assert failed(result).keys() == {"group_users"}
