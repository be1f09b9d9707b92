"""Rows that Looker cannot render: every page that holds one is an HTTP 500."""

from __future__ import annotations

import re

import pytest
from support import selecting

from looker_emulator import Emulator, Fault

pytestmark = pytest.mark.usefixtures("_quick_retries")

SEARCH = "/dashboards/search"


def broken(emulator, path, *ids):
    emulator.add_fault(Fault("unreadable_rows", path, times=None, ids=ids))


def failed(run):
    return {match[1] for error in run.errors if (match := re.match(r"Failed (\w+): ", error))}


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("page_size", [2, 3, 7, 500])
@pytest.mark.parametrize("places", [[0], [1], [7], [-1], [0, 1, 2], [4, 9, 10]], ids=str)
def test_rows_that_cannot_be_read_are_left_out_and_counted(
    runner_of, clean, page_size, total, places
):
    ids = [one["id"] for one in clean.records["dashboards"] if not one["deleted"]]
    with Emulator(total_count_header=total) as emulator:
        bad = [ids[place] for place in places]
        broken(emulator, SEARCH, *bad)
        result = runner_of(emulator)(
            catalog=selecting("dashboards"), page_size=page_size, include_deleted=False
        ).succeeded()
    assert result.ids("dashboards") == [id_ for id_ in ids if id_ not in bad]
    lines = [line for line in result.warnings if "one skipped" in line]
    assert len(lines) == len(bad)
    assert f"dashboards: {len(bad)} item(s) skipped, see the warnings above." in result.warnings
    assert all("500" in line and "offset" in line for line in lines)


def test_the_warning_says_where_the_row_is(run, emulator):
    ids = sorted((one["id"] for one in emulator.instance.users), key=int)
    broken(emulator, "/users/search", ids[5])
    result = run(catalog=selecting("users")).succeeded()
    (line,) = [line for line in result.warnings if "one skipped" in line]
    assert line.startswith("users: one skipped: GET /users/search: HTTP 500")
    assert line.endswith(f"It is the row at offset 5, after id {ids[4]}.")
    assert emulator.count("/users/search") < 30


@pytest.mark.parametrize("page_size", [5, 500])
def test_a_list_that_is_broken_as_a_whole_fails_after_few_calls(run, emulator, page_size):
    emulator.add_fault(Fault("status", SEARCH, times=None, status=500))
    result = run(catalog=selecting("dashboards", "themes"), page_size=page_size)
    assert failed(result) == {"dashboards"}
    assert emulator.count(SEARCH) <= 9
    assert not [line for line in result.warnings if "skipped" in line]
    assert result.records["themes"]


def test_an_instance_that_is_down_causes_no_storm_of_calls(run, emulator):
    emulator.add_fault(Fault("status", "*", after=1, times=None, status=500))
    names = ("dashboards", "looks", "users", "folders", "groups", "roles")
    result = run(catalog=selecting(*names))
    assert failed(result) == set(names)
    assert len([call for call in emulator.calls if call.method == "GET"]) <= 9 * (len(names) + 1)


def test_too_many_rows_that_cannot_be_read_fail_the_list(run, emulator):
    ids = sorted((one["id"] for one in emulator.instance.users), key=int)
    broken(emulator, "/users/search", *ids[3:15])
    result = run(catalog=selecting("users"))
    assert failed(result) == {"users"}
    assert "More than 10 rows" in result.stderr


def test_a_user_who_cannot_be_read_does_not_cost_the_group(run, emulator):
    user = emulator.instance.users[2]["id"]
    broken(emulator, "/groups/*/users", user)
    result = run(catalog=selecting("group_users")).succeeded()
    whole = {(group, one["id"]) for one in emulator.instance.users for group in one["group_ids"]}
    found = {(one["group_id"], one["user_id"]) for one in result.records["group_users"]}
    assert found == {(group, id_) for group, id_ in whole if id_ != user} & found
    assert {group for group, _ in found} == {group for group, _ in whole}
