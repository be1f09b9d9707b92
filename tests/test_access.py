"""What the access report says of a key, and what it asks to know it."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
from support import (
    Run,
    catalog,
    homes_of_looks,
    queries_of_tiles,
    run_cli,
    selecting,
    settings_of,
)

from looker_emulator import Emulator, Fault
from tap_looker.access import MAX_SAMPLE
from tap_looker.queries.activities import ACTIVITIES
from tap_looker.resources.table import RESOURCES

ALL_NAMES = {one.name for one in (*RESOURCES, *ACTIVITIES)}
DEFAULT = {one.name for one in (*RESOURCES, *ACTIVITIES) if one.default}
EVERY_RESOURCE = selecting(*[one.name for one in RESOURCES])
MOST_CALLS = 21  # the login and the logout aside
LIMITS = ("1", str(MAX_SAMPLE))
ADMIN, DEVELOPER, VIEWER = "2", "3", "5"
ROLES_OF_ME = "/users/1/roles"


def be(emulator, *roles):
    """Give the key's user these roles and no group, which might bring others."""
    me = emulator.instance.users[0]
    me["role_ids"], me["group_ids"] = list(roles), []


def report(run: Run):
    """What `--access=json` says."""
    assert run.exit_code == 0, run.stderr
    return json.loads(run.stdout)


def by_name(found):
    """The streams of a report by their names."""
    streams = {one["stream"]: one for one in found["streams"]}
    assert len(streams) == len(found["streams"])
    return streams


def told(found):
    """The access to each stream."""
    return {name: one["access"] for name, one in by_name(found).items()}


def costs(run: Run):
    """What a run says that it cost: admin calls, query calls."""
    assert run.exit_code == 0, run.stderr
    (cost,) = re.findall(r"Cost: (\d+) admin calls?, (\d+) query calls?,", run.stderr)
    return int(cost[0]), int(cost[1])


def gets(emulator):
    """What was read, and how often."""
    return Counter(call.path for call in emulator.calls if call.method == "GET")


# ------------------------------------------------------------------------------------- who may what


def test_an_admin_may_read_everything(run):
    found = report(run("--access=json", catalog=catalog()))
    assert told(found) == dict.fromkeys(ALL_NAMES, "all")
    assert found["is_admin"] is True
    assert found["ask_for"] == []
    assert "administer" in found["permissions"]
    assert [one["stream"] for one in found["streams"]] == sorted(ALL_NAMES)


def test_an_admin_in_words(run, emulator):
    result = run("--access", catalog=catalog())
    assert result.exit_code == 0
    me = emulator.instance.me[0]
    first, *_, last = result.stdout.splitlines()
    assert first == f"The key belongs to {me['display_name']} ({me['id']}), an admin."
    assert "ask the Looker admin" not in result.stdout
    assert re.fullmatch(r"A run .* costs about \d+ admin calls, 1 query call, 1 login.*\.", last)
    lines = re.findall(r"^([* ]) (\w+) +(all|part|none|unknown)\b", result.stdout, re.MULTILINE)
    assert {name for _, name, _ in lines} == ALL_NAMES
    assert {name for mark, name, _ in lines if mark == "*"} == DEFAULT
    assert {access for *_, access in lines} == {"all"}


def test_all_permissions_make_an_admin(run, emulator):
    be(emulator, DEVELOPER)
    emulator.instance.roles[1]["permission_set"]["all_access"] = True
    assert report(run("--access=json", catalog=catalog()))["is_admin"] is True


def test_roles_add_up_and_may_come_from_a_group(run, emulator):
    me = emulator.instance.users[0]
    me["role_ids"] = [VIEWER]
    group = emulator.instance.groups[3]
    me["group_ids"], group["role_ids"] = [group["id"]], [ADMIN]
    assert report(run("--access=json", catalog=catalog()))["is_admin"] is True


def test_a_developer_may_read_some(run, emulator):
    be(emulator, DEVELOPER)
    found = report(run("--access=json", catalog=catalog()))
    assert found["is_admin"] is False
    assert found["permissions"] == sorted(
        emulator.instance.roles[1]["permission_set"]["permissions"]
    )
    access = told(found)
    for name in ("projects", "project_files", "lookml_tests", "connection_schemas"):
        assert access[name] == "all"
    for name in ("roles", "alerts", "permission_sets", "saml_config", "user_sessions"):
        assert access[name] == "none"
        assert "the Admin role" in by_name(found)[name]["note"]
    for name in ("users", "connections", "scheduled_plans", "looks", "dashboards", "queries"):
        assert access[name] == "part"
    assert "names" in by_name(found)["users"]["note"]
    assert "see_schedules" in by_name(found)["scheduled_plans"]["note"]
    for activity in ACTIVITIES:
        assert access[activity.name] == "none"
        assert "see_system_activity" in by_name(found)[activity.name]["note"]


def test_a_developer_is_told_what_to_ask_for(run, emulator):
    be(emulator, DEVELOPER)
    found = report(run("--access=json", catalog=catalog()))
    assert set(found["ask_for"]) == {"administer", "see_schedules"}
    text = run("--access", catalog=catalog()).stdout
    (line,) = [line for line in text.splitlines() if "ask the Looker admin" in line]
    assert "the Admin role" in line
    assert "see_schedules" in line
    assert ", an admin" not in text


def test_only_what_is_selected_is_asked_for(run, emulator):
    be(emulator, DEVELOPER)
    for names, permissions in {
        ("themes", "projects"): [],
        ("scheduled_plans", "projects"): ["see_schedules"],
        ("roles", "alerts", "users"): ["administer"],
        ("system_activity_history",): ["see_system_activity"],
    }.items():
        found = report(run("--access=json", catalog=selecting(*names)))
        assert found["ask_for"] == permissions


def test_a_viewer_lacks_develop(run, emulator):
    be(emulator, VIEWER)
    found = report(run("--access=json", catalog=selecting("projects", "project_files")))
    assert told(found)["projects"] == "none"
    assert told(found)["project_files"] == "none"
    assert "develop" in found["ask_for"]


def test_what_is_the_same_for_every_user_is_seen_whole(run, emulator):
    be(emulator)
    same = ("current_user", "dialect_info", "locales", "permissions", "timezones", "versions")
    found = report(run("--access=json", catalog=selecting(*same, "workspaces")))
    levels = told(found)
    assert {name: levels[name] for name in same} == dict.fromkeys(same, "all")
    assert levels["workspaces"] == "part"


def test_a_user_without_roles_may_nothing(run, emulator):
    be(emulator)
    found = report(run("--access=json", catalog=catalog()))
    assert found["permissions"] == []
    assert told(found)["projects"] == "none"
    assert told(found)["looks"] == "part"


def test_what_cannot_be_read_costs_nothing(run, emulator):
    be(emulator, VIEWER)
    found = report(run("--access=json", catalog=EVERY_RESOURCE))
    for one in found["streams"]:
        if one["access"] == "none":
            assert one["calls"] == 0


# ------------------------------------------------------------------------------------- old releases


def test_what_an_older_looker_may_lack_is_unknown(run, emulator):
    emulator.instance.versions[0]["looker_release_version"] = "26.4.3"
    found = report(run("--access=json", catalog=selecting("agents", "workforce_config", "roles")))
    access = told(found)
    assert (access["agents"], access["workforce_config"], access["roles"]) == (
        "all",
        "unknown",
        "all",
    )
    note = by_name(found)["workforce_config"]["note"]
    assert note == "documented from release 26.22 on, this is 26.4.3"
    assert found["ask_for"] == []


def test_the_release_is_asked_for_where_it_matters(run, emulator):
    report(run("--access=json", catalog=selecting("roles", "users")))
    assert emulator.count("/versions") == 0
    report(run("--access=json", catalog=selecting("agents", "ci_runs", "workforce_config")))
    assert emulator.count("/versions") == 1


# ------------------------------------------------------------------- keys that see no roles, probes


def test_a_key_that_may_not_see_its_roles_is_tried(runner_of):
    with Emulator(denied=(ROLES_OF_ME, "/alerts")) as emulator:
        found = report(runner_of(emulator)("--access=json", catalog=catalog()))
        assert emulator.count("/alerts/search") == 1
        assert emulator.count("/projects") <= 2, "tried, and counted"
    assert found["permissions"] is None
    assert found["is_admin"] is False
    assert told(found)["alerts"] == told(found)["roles"] == "none"
    assert told(found)["projects"] == told(found)["lookml_tests"] == "all"
    assert told(found)["system_activity_history"] == "unknown"
    assert "administer" in found["ask_for"]
    assert "develop" not in found["ask_for"]


def test_what_a_trial_finds_holds_for_all_of_its_kind(runner_of):
    with Emulator(denied=(ROLES_OF_ME, "/projects")) as emulator:
        found = report(runner_of(emulator)("--access=json", catalog=catalog()))
    assert told(found)["alerts"] == told(found)["saml_config"] == told(found)["users"] == "all"
    assert told(found)["git_branches"] == "none"
    assert found["ask_for"] == ["develop"]


def test_roles_without_their_permissions_are_no_answer(run, emulator):
    for role in emulator.instance.roles:
        role["permission_set"] = None
    found = report(run("--access=json", catalog=catalog()))
    assert found["permissions"] is None
    assert told(found)["alerts"] == "all"


@pytest.mark.parametrize("selection", [catalog(), EVERY_RESOURCE], ids=["default", "everything"])
def test_a_trial_is_small(runner_of, selection):
    """One row is enough, and nothing is tried that Looker works on for minutes."""
    with Emulator(denied=(ROLES_OF_ME,)) as emulator:
        report(runner_of(emulator)("--access=json", catalog=selection))
        for call in emulator.calls:
            if call.path.endswith("/search"):
                assert call.query["limit"] in LIMITS
        assert emulator.count("/content_validation") == 0
        assert emulator.count("/projects/*") == 0


# ------------------------------------------------------------------------------------ what it costs


@pytest.mark.parametrize("roles", [[ADMIN], [DEVELOPER], [VIEWER]], ids=["admin", "dev", "viewer"])
@pytest.mark.parametrize("selection", [catalog(), EVERY_RESOURCE], ids=["default", "everything"])
def test_a_report_is_a_handful_of_calls(run, emulator, roles, selection):
    be(emulator, *roles)
    report(run("--access=json", catalog=selection))
    assert gets(emulator).total() <= MOST_CALLS
    assert max(gets(emulator).values()) == 1
    methods = Counter((call.method, call.path) for call in emulator.calls if call.method != "GET")
    assert methods == {("POST", "/login"): 1, ("DELETE", "/logout"): 1}


def test_a_report_with_trials_is_a_handful_of_calls(runner_of):
    with Emulator(denied=(ROLES_OF_ME,)) as emulator:
        report(runner_of(emulator)("--access=json", catalog=catalog()))
        assert gets(emulator).total() <= MOST_CALLS


def test_a_report_counts_and_does_not_read(run, emulator):
    result = run("--access=json", catalog=EVERY_RESOURCE)
    assert "RECORD" not in result.stdout
    for call in emulator.calls:
        if call.method == "GET" and call.path not in ("/user", ROLES_OF_ME):
            assert call.query["fields"]
            assert call.query.get("limit", "1") in LIMITS


def test_the_cost_of_the_default_selection_is_that_of_a_run(run, emulator):
    """Queries of LookML dashboards are not counted, which spare `queries` a folder at times."""
    found = report(run("--access=json", catalog=catalog()))
    emulator.reset_calls()
    admin, of_db = costs(run(catalog=catalog()))
    queries = by_name(found)["queries"]["calls"]
    homes = homes_of_looks(emulator.instance, without=queries_of_tiles(emulator.instance))
    of_queries = len(homes)
    assert found["calls"]["non_query"] - queries == admin - of_queries
    assert of_queries <= queries <= 1.25 * of_queries + 1
    assert found["calls"]["db_query"] == of_db
    assert found["is_estimate"] is False


@pytest.mark.parametrize(
    "names",
    [
        ("dashboards",),
        ("group_users", "groups"),
        ("roles", "role_users", "role_groups"),
        ("users", "user_attribute_values"),
        ("connections", "connection_features", "connection_schemas"),
        ("projects", "project_files", "git_branches"),
        ("lookml_models", "explores", "explore_fields"),
        ("derived_table_edges", "explore_sql", "explore_tables"),
        ("artifact_namespaces", "artifacts"),
    ],
    ids="-".join,
)
def test_the_cost_of_a_selection_is_that_of_a_run(run, names):
    found = report(run("--access=json", catalog=selecting(*names)))
    admin, of_db = costs(run(catalog=selecting(*names)))
    assert found["calls"]["non_query"] == admin
    assert found["calls"]["db_query"] == of_db


@pytest.mark.parametrize(
    "name", ["explore_fields", "dashboard_filters", "group_users", "project_files", "queries"]
)
def test_what_a_stream_needs_of_others_is_in_its_cost(run, name):
    """The lists that are read for it cost as much whether they are selected or not."""
    found = report(run("--access=json", catalog=selecting(name)))
    admin, _ = costs(run(catalog=selecting(name)))
    assert found["calls"]["non_query"] >= admin


def test_what_disabled_users_do_not_cost_may_be_counted(run, emulator):
    names = ("users", "user_sessions")
    found = report(run("--access=json", catalog=selecting(*names)))
    admin, _ = costs(run(catalog=selecting(*names)))
    disabled = sum(user["is_disabled"] for user in emulator.instance.users)
    assert 0 <= found["calls"]["non_query"] - admin <= disabled


def test_the_trash_costs_when_it_is_read(run):
    found = [
        report(run("--access=json", catalog=selecting("looks"), include_deleted=deleted))
        for deleted in (True, False)
    ]
    assert [one["calls"]["non_query"] for one in found] == [2, 1]


def test_pages_cost_by_their_size(run, emulator):
    found = report(run("--access=json", catalog=selecting("users"), page_size=10))
    admin, _ = costs(run(catalog=selecting("users"), page_size=10))
    assert len(emulator.instance.users) == 25
    assert found["calls"]["non_query"] == admin == 3


def test_lists_are_counted_without_page_headers(runner_of):
    with Emulator(total_count_header=False) as emulator:
        found = report(runner_of(emulator)("--access=json", catalog=selecting("group_users")))
        assert by_name(found)["group_users"]["calls"] == len(emulator.instance.groups)


def test_what_cannot_be_counted_is_said_to_be_more(run, emulator):
    emulator.add_fault(Fault("denied", "/users/search", times=None))
    found = report(run("--access=json", catalog=selecting("users", "user_sessions")))
    text = run("--access", catalog=selecting("users", "user_sessions")).stdout
    assert by_name(found)["users"]["calls"] is None
    assert found["is_estimate"] is True
    assert "and more where it says +" in text.splitlines()[-1]
    assert re.search(r"^\* users +all +1\+ admin calls", text, re.MULTILINE)


@pytest.mark.parametrize("seed", ["small", "medium"])
def test_every_estimate_is_right_within_a_quarter_or_a_range(runner_of, seed):
    with Emulator(seed) as emulator:
        run = runner_of(emulator)
        for name in ("queries", "merge_queries", "content_metadata", "content_metadata_access"):
            emulator.reset_calls()
            one = by_name(report(run("--access=json", catalog=selecting("users"))))[name]
            admin, of_db = costs(run(catalog=selecting(name)))
            least, most = one["calls_at_least"], one["calls"]
            assert 0.75 * least <= admin + of_db <= 1.25 * most, name
            assert not one["is_read"]
            assert not one["selected"]


def test_streams_without_calls_are_billed_as_what_they_read(run):
    found = by_name(report(run("--access=json", catalog=selecting("users"))))
    assert found["merge_query_sources"]["billing"] == "db_query"
    assert found["user_roles"]["billing"] == "non_query"


def test_rows_beyond_the_sample_are_scaled(run, monkeypatch):
    monkeypatch.setattr("tap_looker.access.MAX_SAMPLE", 10)
    found = report(run("--access=json", catalog=selecting("user_sessions")))
    one = by_name(found)["user_sessions"]
    assert 2 < one["calls_at_least"] <= 11
    assert 11 < one["calls"] <= 26


def test_system_activity_is_not_counted(run):
    found = report(run("--access=json", catalog=selecting("themes", "system_activity_history")))
    assert by_name(found)["system_activity_history"]["calls"] is None
    assert found["is_estimate"] is True


# --------------------------------------------------------------------------------------- selections


def test_the_selection_is_that_of_the_catalog(run):
    found = report(run("--access=json", catalog=selecting("roles", "versions")))
    assert {one["stream"] for one in found["streams"] if one["selected"]} == {"roles", "versions"}
    assert {one["stream"] for one in found["streams"] if one["is_read"]} == {"roles", "versions"}
    assert found["calls"] == {"non_query": 1, "db_query": 0}


def test_without_a_catalog_it_is_the_default_selection(emulator, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings_of(emulator)), encoding="utf-8")
    found = report(run_cli("--config", str(config), "--access=json"))
    assert {one["stream"] for one in found["streams"] if one["selected"]} == DEFAULT


def test_formats(run):
    assert run("--access=text", catalog=selecting("roles")).stdout.startswith("The key belongs to")
    wrong = run("--access=xml", catalog=selecting("roles"))
    assert wrong.exit_code == 2
    assert wrong.stdout == ""


# ---------------------------------------------------------------------------------- what goes wrong


def test_bad_credentials_are_one_line(run, emulator):
    result = run("--access", catalog=catalog(), client_secret="wrong")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert len(result.errors) == 1
    assert "Traceback" not in result.stderr
    assert {call.path for call in emulator.calls} == {"/login"}


@pytest.mark.usefixtures("_quick_retries")
def test_no_instance_is_one_line(run):
    result = run("--access", catalog=catalog(), api_host_url="http://127.0.0.1:1")
    assert result.exit_code == 1
    assert len(result.errors) == 1
    assert "Traceback" not in result.stderr


def test_settings_are_checked_first(run, emulator):
    result = run("--access", catalog=catalog(), concurrency=0)
    assert result.exit_code == 1
    assert "concurrency" in " ".join(result.errors)
    assert emulator.calls == []


def test_not_even_the_user_can_be_asked_for(run, emulator):
    emulator.add_fault(Fault("denied", "/user", times=None))
    result = run("--access", catalog=catalog())
    assert result.exit_code == 1
    assert len(result.errors) == 1
    assert "GET /user" in result.errors[0]
    assert emulator.count("/logout", "DELETE") == 1


@pytest.mark.parametrize("path", ["/users/search", "/dashboard_elements/search", "/folders/search"])
def test_what_cannot_be_counted_is_no_error(run, emulator, path):
    emulator.add_fault(Fault("denied", path, times=None))
    found = report(run("--access=json", catalog=catalog()))
    assert found["is_estimate"] is True


def test_secrets_are_not_told(run, emulator):
    result = run("--access", catalog=catalog())
    for secret in (emulator.client_secret, *{call.token for call in emulator.calls if call.token}):
        assert secret not in result.stdout + result.stderr
