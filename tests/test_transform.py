"""The dbt package: its marts, beside counts made in Python from the rows that the tap wrote."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter, defaultdict
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
import sqlglot
import yaml
from sqlglot import exp
from support import Runner, entries, selecting

from looker_emulator import Emulator
from targets import postgres

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "transform"
DBT = os.environ.get("DBT", "")
STREAMS = sorted(
    stream
    for path in (PACKAGE / "models" / "staging").glob("stg_looker__*.sql")
    if (stream := path.stem.removeprefix("stg_looker__")) in entries()
)
MARTS = sorted(path.stem for path in (PACKAGE / "models" / "marts").glob("*.sql"))
SELECTED = {"field", "pivot", "fill", "subtotal"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("transform"),  # what they share takes long to make
    pytest.mark.skipif(not DBT, reason="DBT is not set: python3 dev.py test sets it"),
]


class Project:
    """The package, run into a database in a folder of its own."""

    def __init__(self, folder, port=0, package=PACKAGE):
        self.folder, self.package = folder, package
        self.database = folder / "looker.duckdb"
        output = {"type": "duckdb", "path": str(self.database), "threads": 2}
        if port:
            output = {"type": "postgres", "host": "127.0.0.1", "port": port, "user": "postgres"}
            output |= {"password": "none", "dbname": "postgres", "schema": "main", "threads": 2}
        profile = {"tap_looker": {"target": "test", "outputs": {"test": output}}}
        (folder / "profiles.yml").write_text(json.dumps(profile))

    def dbt(self, *arguments, **variables):
        """Run a command that succeeds, and give what it prints."""
        done = subprocess.run(
            [
                *(DBT, *arguments, "--project-dir", str(self.package)),
                *("--profiles-dir", str(self.folder), "--vars", json.dumps(variables)),
            ],
            cwd=self.folder,
            env={
                **os.environ,
                "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
                "DBT_TARGET_PATH": str(self.folder / "target"),
                "DBT_LOG_PATH": str(self.folder / "logs"),
                "NO_COLOR": "1",
            },
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def rows(self, mart):
        """The rows of a mart, as objects."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            found = connection.execute(f'FROM main_looker_marts."{mart}"')
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def columns(self):
        """The columns of the marts and their types."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(
                "SELECT table_name, column_name, data_type FROM information_schema.columns"
                " WHERE table_schema = 'main_looker_marts' ORDER BY ALL"
            ).fetchall()


def write(folder, records):
    """Files as target-jsonl writes them."""
    folder.mkdir(exist_ok=True)
    for stream, rows in records.items():
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{stream}.jsonl").write_text(text, encoding="utf-8")
    return {"looker_files": str(folder)}


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    """What the tap writes of the streams that the package reads."""
    with Emulator() as emulator:
        runner = Runner(emulator, tmp_path_factory.mktemp("tap"))
        return runner(catalog=selecting(*STREAMS, among=()), start_date="2026-01-01").succeeded()


@pytest.fixture(scope="module")
def raw(extracted):
    return {stream: extracted.records.get(stream, []) for stream in STREAMS}


@pytest.fixture(scope="module")
def project(raw, tmp_path_factory):
    """All models and their tests, on DuckDB over files."""
    folder = tmp_path_factory.mktemp("dbt")
    project = Project(folder)
    # target-jsonl appends: what an earlier run has loaded stands before.
    earlier = {
        "users": [{**row, "display_name": "old"} for row in raw["users"]],
        "system_activity_history": raw["system_activity_history"],
    }
    loaded = {name: [*earlier.get(name, ()), *rows] for name, rows in raw.items()}
    project.files = write(folder / "files", loaded)
    project.dbt("build", **project.files)
    return project


@pytest.fixture(scope="module")
def mart(project):
    kept = {}

    def rows(name):
        if name not in kept:
            kept[name] = project.rows(name)
        return kept[name]

    return rows


# ----------------------------------------------------------------------------------------- history


def day_of(row):
    return date.fromisoformat(row["history_created_time"][:10])


@pytest.fixture(scope="module")
def history(raw):
    """The queries that ran, and who was behind each."""
    (tap,) = raw["current_user"]
    embed = {row["user_id"] for row in raw["user_credentials"] if row["type"] == "embed"}
    rows = [dict(row) for row in raw["system_activity_history"]]
    for row in rows:
        source = row["history_source"]
        if row["user_id"] == tap["id"] and source == "api4":
            row["audience"] = "tap"
        elif source == "scheduled_task":
            row["audience"] = "schedule"
        elif row["user_id"] in embed:
            row["audience"] = "embed"
        else:
            row["audience"] = "api" if source == "api4" else "people"
    return rows


def recent(rows, history, days):
    last = max(map(day_of, history))
    return [row for row in rows if day_of(row) > last - timedelta(days=days)]


def test_what_the_numbers_rest_on(mart, history):
    (evidence,) = mart("looker_evidence")
    days = set(map(day_of, history))
    assert evidence["history_from"] == min(days)
    assert evidence["history_to"] == max(days)
    assert evidence["days_with_history"] == len(days)
    assert evidence["queries"] == len(history)


def test_runs_of_content_by_audience_and_period(mart, history):
    used = defaultdict(list)
    for row in history:
        if content := row["history_dashboard_id"]:
            used["lookml_dashboard" if "::" in content else "dashboard", content].append(row)
        if row["look_id"]:
            used["look", row["look_id"]].append(row)
    rows = mart("looker_content_usage")
    assert {(row["content_type"], row["content_id"]) for row in rows} >= used.keys()
    audiences = Counter()
    for row in rows:
        mine = used[row["content_type"], row["content_id"]]
        for days in (14, 30, 90):
            counted = [
                one
                for one in recent(mine, history, days)
                if one["audience"] in ("people", "embed", "api")
            ]
            assert row[f"runs_{days}d"] == runs_of(counted)
            assert row[f"users_{days}d"] == len({one["user_id"] for one in counted})
        for audience in ("people", "embed", "api", "schedule", "tap"):
            counted = [one for one in recent(mine, history, 90) if one["audience"] == audience]
            assert row[f"runs_{audience}_90d"] == runs_of(counted)
            audiences[audience] += len(counted)
    assert audiences["people"]
    assert audiences["embed"]


def runs_of(rows):
    """Sessions of a dashboard; one that goes on with the next day or user counts there again."""
    return len({
        (day_of(row), row["user_id"], row["history_source"],
         row["history_dashboard_session"] or row["history_id"])
        for row in rows
    })  # fmt: skip


def test_verdicts_on_content_name_the_period_they_rest_on(mart, history, raw):
    scheduled = {
        (kind.removesuffix("_id"), plan[kind])
        for plan in raw["scheduled_plans"]
        if plan["enabled"]
        for kind in ("look_id", "dashboard_id", "lookml_dashboard_id")
        if plan[kind]
    }
    tiles = {row["id"]: row["dashboard_id"] for row in raw["dashboard_elements"]}
    for alert in raw["alerts"]:
        if not alert["is_disabled"]:
            lookml = alert["lookml_dashboard_id"]
            scheduled.add(
                ("lookml_dashboard", lookml)
                if lookml
                else ("dashboard", tiles[alert["dashboard_element_id"]])
            )
    seen = Counter()
    for row in mart("looker_content_usage"):
        seen[row["verdict"]] += 1
        key = row["content_type"], row["content_id"]
        if row["is_deleted"]:
            assert row["verdict"] == "deleted"
        elif row["runs_90d"]:
            assert row["verdict"] == "used"
            assert str(row["last_used_on"]) in row["reason"]
        elif key in scheduled:
            assert row["verdict"] == "delivered"
        if row["verdict"] != "deleted":
            assert f"history from {min(map(day_of, history))} to" in row["reason"]
    assert seen.keys() >= {"deleted", "used", "delivered"}


# ------------------------------------------------------------------------------------------- LookML


def test_queries_of_a_field_by_place(mart, history, raw):
    runs = Counter(row["query_id"] for row in history if row["audience"] != "tap")
    places = defaultdict(set)
    for row in raw["system_activity_query_fields"]:
        key = row["query_model"], row["query_view"], row["field"]
        places[key].add((row["query_id"], row["place"]))
    rows = {
        (row["model_name"], row["explore_name"], row["field"]): row
        for row in mart("looker_field_usage")
    }
    assert rows.keys() >= places.keys()
    for key, uses in places.items():
        row = rows[key]
        for kind, of in (
            ("queries", None),
            ("queries_selected", SELECTED),
            ("queries_filter", {"filter"}),
            ("queries_sort", {"sort"}),
            ("queries_calculation", {"calculation", "custom_field"}),
        ):
            queries = {query for query, place in uses if of is None or place in of}
            assert row[kind] == sum(runs[query] for query in queries), (key, kind)


def test_fields_that_are_only_filtered_by_are_not_unused(mart, raw):
    rows = mart("looker_field_usage")
    listed = {(*row["explore_id"].split("::"), row["name"]) for row in raw["explore_fields"]}
    keys = {(row["model_name"], row["explore_name"], row["field"]): row for row in rows}
    assert keys.keys() >= listed
    named = {(row["model"], row["explore"], row["field"]) for row in raw["query_fields"]}
    ran = {
        (row["query_model"], row["query_view"], row["field"])
        for row in raw["system_activity_query_fields"]
    }
    seen = Counter(row["verdict"] for row in rows)
    assert seen.keys() >= {"used", "only_in_filters_sorts_or_calculations", "unused"}
    for key, row in keys.items():
        if row["verdict"] == "unused":
            assert key not in ran
            assert not row["dashboards"] + row["looks"]
            assert row["evidence_days"] >= 90
        if row["verdict"] == "only_in_filters_sorts_or_calculations":
            assert key in named | ran
            assert not row["queries_selected"]
    filters = {(row["model_name"], row["explore_name"], row["field"])
               for row in raw["explore_access_filters"]}  # fmt: skip
    assert filters
    assert all(keys[key]["is_used_by_access_filter"] for key in filters)
    joined = {
        (row["model_name"], row["explore_name"], name)
        for row in raw["explore_joins"]
        for name in re.findall(r"\$\{([^}]+)\}", row["sql_on"] or "")
    }
    assert joined & listed
    assert {key for key, row in keys.items() if row["is_used_by_join"]} == joined & listed
    assert not any(keys[key]["verdict"] == "unused" for key in filters)


def test_explores_by_their_queries(mart, history, raw):
    runs = Counter(
        (row["query_model"], row["query_view"])
        for row in history
        if row["query_view"] and row["audience"] != "tap"
    )
    rows = {(row["model_name"], row["explore_name"]): row for row in mart("looker_explore_usage")}
    listed = {(row["model_name"], row["name"]): row for row in raw["lookml_model_explores"]}
    assert rows.keys() == listed.keys() | runs.keys()
    for key, row in rows.items():
        assert row["queries"] == runs[key]
        assert row["is_hidden"] == listed[key]["hidden"]
        assert (row["verdict"] == "unused") == (
            not runs[key] and not row["dashboards"] + row["looks"]
        )
    assert any(row["is_hidden"] for row in rows.values())
    fields = Counter(tuple(row["explore_id"].split("::")) for row in raw["explore_fields"])
    assert all(row["fields"] == fields[key] for key, row in rows.items())


def test_custom_fields_that_are_defined_again_and_again(mart, raw):
    defining = ("kind", "expression", "based_on", "type", "filters", "calculation_type", "args")
    queries = {row["id"]: row for row in raw["queries"]}
    expected = defaultdict(set)
    for row in raw["query_dynamic_fields"]:
        query = queries[row["query_id"]]
        definition = (row.get(name) or None for name in defining)
        expected[query["model"], query["view"], *definition].add(row["query_id"])
    columns = ("model_name", "explore_name", *defining)
    found = {
        tuple(row[column] for column in columns): row["queries"]
        for row in mart("looker_custom_fields")
    }
    assert found == {key: len(ids) for key, ids in expected.items()}
    assert max(found.values()) > 1


def test_lineage_from_dashboards_to_tables(mart, raw):
    rows = mart("looker_lineage")
    queries = {row["id"]: row for row in raw["queries"]}
    explores = {row["id"]: row for row in raw["explores"]}
    tables = {(row["explore_id"], row["view_name"]): row["table_name"]
              for row in raw["explore_tables"]}  # fmt: skip
    live = {row["id"] for row in raw["dashboards"] if not row["deleted"]}
    expected = set()
    for tile in raw["dashboard_element_queries"]:
        query = queries.get(tile.get("query_id"))
        if query and not tile["deleted"] and tile["dashboard_id"] in live:
            explore = explores[f"{query['model']}::{query['view']}"]
            expected.add((tile["dashboard_id"], tile["dashboard_element_id"], query["id"],
                          explore["view_name"],
                          tables.get((explore["id"], explore["view_name"]))))  # fmt: skip
    found = {(row["content_id"], row["dashboard_element_id"], row["query_id"], row["view_name"],
              row["table_name"]) for row in rows if row["content_type"] == "dashboard"}  # fmt: skip
    assert any(row[-1] for row in expected)
    assert found >= expected
    assert {row["dashboard_element_id"] for row in rows if row["via"] == "merge"}


# ------------------------------------------------------------------------------------------- people


@pytest.fixture(scope="module")
def groups_of(raw):
    """The groups of each user, with those they are in by nesting."""
    parents, found = defaultdict(set), defaultdict(set)
    for row in raw["group_parents"]:
        parents[row["group_id"]].add(row["parent_group_id"])
    for row in raw["user_groups"]:
        ahead = [row["group_id"]]
        while ahead:
            group = ahead.pop()
            if group not in found[row["user_id"]]:
                found[row["user_id"]].add(group)
                ahead += parents[group]
    return found


@pytest.fixture(scope="module")
def roles_of(raw, groups_of):
    by_group = defaultdict(set)
    for row in raw["group_roles"]:
        by_group[row["group_id"]].add(row["role_id"])
    found = defaultdict(set)
    for row in raw["user_roles"]:
        found[row["user_id"]].add(row["role_id"])
    for user, member in groups_of.items():
        found[user] |= set().union(*(by_group[group] for group in member))
    return found


def test_permissions_on_models_by_roles_and_nested_groups(mart, raw, roles_of):
    roles = {row["id"]: row for row in raw["roles"]}
    permissions, models = defaultdict(set), defaultdict(set)
    for row in raw["permission_set_permissions"]:
        permissions[row["permission_set_id"]].add(row["permission"])
    for row in raw["model_set_models"]:
        models[row["model_set_id"]].add(row["model_name"])
    everything = {row["permission"] for row in raw["permissions"]}
    every_model = {row["name"] for row in raw["lookml_models"]}
    for row in raw["permission_sets"]:
        permissions[row["id"]] |= everything if row["all_access"] else set()
    for row in raw["model_sets"]:
        models[row["id"]] |= every_model if row["all_access"] else set()
    expected = {
        (user, model, permission)
        for user, held in roles_of.items()
        for role in held
        for model in models[roles[role]["model_set_id"]]
        for permission in permissions[roles[role]["permission_set_id"]]
    }
    rows = mart("looker_access")
    found = [(row["user_id"], row["model_name"], row["permission"]) for row in rows]
    assert expected
    assert sorted(found) == sorted(expected)
    assert any("by way of" in row["granted_by"] for row in rows)


def test_folders_by_the_settings_that_count(mart, raw, groups_of, roles_of):
    metadata = {row["id"]: row for row in raw["content_metadata"]}
    access = defaultdict(list)
    for row in raw["content_metadata_access"]:
        access[row["content_metadata_id"]].append(row)
    admins = {
        user
        for user, held in roles_of.items()
        for role in raw["roles"]
        if role["id"] in held and "administer" in permissions_of(raw, role)
    }
    expected = {}
    for folder in raw["folders"]:
        one = metadata.get(folder["content_metadata_id"])
        if not one:
            continue
        decides = one["inheriting_id"] if one["inherits"] else one["id"]
        for user in {row["id"] for row in raw["users"]}:
            levels = {
                row["permission_type"]
                for row in access[decides]
                if row["user_id"] == user or row["group_id"] in groups_of[user]
            }
            if user in admins:
                levels = {"edit"}
            if levels:
                expected[user, folder["id"]] = "edit" if "edit" in levels else "view"
    found = {
        (row["user_id"], row["folder_id"]): row["level"] for row in mart("looker_folder_access")
    }
    assert set(expected.values()) == {"edit", "view"}
    assert found == expected


def permissions_of(raw, role):
    return {
        row["permission"]
        for row in raw["permission_set_permissions"]
        if row["permission_set_id"] == role["permission_set_id"]
    }


def test_users_by_their_queries_and_logins(mart, raw, history):
    own = [row for row in history if row["audience"] in ("people", "embed", "api")]
    queries = Counter(row["user_id"] for row in recent(own, history, 30))
    logins = Counter(
        row["event_user_id"]
        for row in raw["system_activity_events"]
        if row["event_name"] == "login"
    )
    users = {row["id"]: row for row in raw["users"]}
    rows = {row["user_id"]: row for row in mart("looker_user_activity")}
    assert rows.keys() == users.keys()
    for user, row in rows.items():
        assert row["queries_30d"] == queries[user]
        assert row["logins"] == logins[user]
        assert (row["verdict"] == "disabled") == users[user]["is_disabled"]
    kinds = {row["kind"] for row in rows.values()}
    assert kinds >= {"person", "embed", "service_account"}
    (tap,) = (row["user_id"] for row in rows.values() if row["is_user_of_tap"])
    assert tap == raw["current_user"][0]["id"]


# ---------------------------------------------------------------------------------- what goes wrong


def test_schedules_whose_last_run_failed(mart, raw):
    jobs = defaultdict(list)
    for row in raw["system_activity_scheduled_jobs"]:
        jobs[row["scheduled_plan_id"]].append(row)
    rows = {row["scheduled_plan_id"]: row for row in mart("looker_schedules")}
    assert rows.keys() == {row["id"] for row in raw["scheduled_plans"]}
    for plan, row in rows.items():
        mine = jobs[plan]
        assert (row["runs"] or 0) == len(mine)
        assert (row["failures"] or 0) == sum(
            job["scheduled_job_status"] == "failure" for job in mine
        )
        ended = [job for job in mine if job["scheduled_job_finalized_time"]]
        if ended:
            last = max(ended, key=lambda job: job["scheduled_job_created_time"])
            assert row["last_run_status"] == last["scheduled_job_status"]
    assert {row["verdict"] for row in rows.values()} >= {"failing", "ok", "disabled"}


def test_times_of_explores_and_what_came_from_a_cache(mart, history, raw):
    metrics = {row["history_id"]: row for row in raw["system_activity_query_metrics"]}
    waits = ("queued", "per_user_throttler", "acquire_connection")
    for row in mart("looker_performance"):
        if row["subject_type"] != "explore":
            continue
        runs = [
            one
            for one in recent(history, history, 90)
            if f"{one['query_model']}::{one['query_view']}" == row["subject_id"]
            and one["audience"] != "tap"
        ]
        assert row["queries"] == len(runs)
        seconds = [one["history_runtime"] for one in runs if one["history_runtime"] is not None]
        assert row["average_seconds"] == pytest.approx(sum(seconds) / len(seconds))
        known = [one for one in runs if one["history_result_source"]]
        cached = [one for one in known if one["history_result_source"] == "cache"]
        assert row["share_from_cache"] == pytest.approx(len(cached) / len(known))
        assert row["errors"] == sum(one["history_status"] == "error" for one in runs)
        measured = [metrics[one["history_id"]] for one in runs if one["history_id"] in metrics]
        waited = sum(one[f"query_metrics_{wait}"] or 0 for one in measured for wait in waits)
        assert row["seconds_waiting"] == pytest.approx(waited)


def test_builds_of_derived_tables(mart, raw):
    builds = Counter(
        (row["pdt_builds_connection"], row["pdt_builds_model_name"], row["pdt_builds_view_name"])
        for row in raw["system_activity_pdt_builds"]
    )
    failed = Counter(
        (row["pdt_builds_connection"], row["pdt_builds_model_name"], row["pdt_builds_view_name"])
        for row in raw["system_activity_pdt_builds"]
        if row["pdt_builds_build_result"] == "failure"
    )
    rows = {
        (row["connection_name"], row["model_name"], row["view_name"]): row
        for row in mart("looker_pdt_builds")
    }
    assert {key: row["builds"] for key, row in rows.items()} == builds
    assert failed
    assert all(row["failures"] == failed[key] for key, row in rows.items())


def test_calls_of_the_api(mart, raw):
    hours = raw["system_activity_api_usage_hourly"]
    begins = min(row["row_time"][:10] for row in hours)
    days = [row for row in raw["system_activity_api_usage"]
            if row["api_usage_created_date"] < begins]  # fmt: skip
    calls = Counter()
    for row in mart("looker_api_cost"):
        calls[row["source"]] += row["calls"]
    assert calls["hourly"] == sum(row["api_usage_hourly_total_usage"] for row in hours)
    assert calls["daily"] == sum(row["api_usage_total_usage"] for row in days)


# -------------------------------------------------------------------------------- what the rows are


def test_what_looker_has_forgotten_is_kept(raw, history, tmp_path):
    project = Project(tmp_path)
    select = ("--select", "+looker_content_usage")
    rows = raw["system_activity_history"]
    kept = max(
        (
            row
            for row in history
            if "::" not in (row["history_dashboard_id"] or "::") and row["audience"] == "people"
        ),
        key=lambda row: row["history_created_time"],
    )
    again = {**kept, "history_id": 10**9, "history_dashboard_session": "another"}
    loaded = {**raw, "system_activity_history": [*rows, again]}
    project.dbt("run", *select, **write(tmp_path / "files", loaded))
    before = {row["content_key"]: row for row in project.rows("looker_content_usage")}

    # Of one day, Looker has only some rows left; of the older half, none. And a dashboard is gone.
    newer = [row for row in rows if day_of(row) > day_of(kept) - timedelta(days=60)]
    gone = before["dashboard|" + kept["history_dashboard_id"]]
    left = [row for row in raw["dashboards"] if row["id"] != gone["content_id"]]
    assert len(left) == len(raw["dashboards"]) - 1
    forgotten = {**raw, "system_activity_history": newer, "dashboards": left}
    project.dbt("run", *select, **write(tmp_path / "files", forgotten))
    after = {row["content_key"]: row for row in project.rows("looker_content_usage")}
    assert after.keys() == before.keys()
    for key, row in after.items():
        for column in ("last_run_on", "runs_90d", "runs_people_90d", "evidence_from"):
            assert row[column] == before[key][column], (key, column)
    assert after[gone["content_key"]]["verdict"] == "not_listed"
    assert "not_listed" not in {row["verdict"] for row in before.values()}


def test_of_rows_that_were_loaded_several_times_the_last_counts(mart, raw):
    names = {row["user_name"] for row in mart("looker_user_activity")}
    assert names == {row["display_name"] for row in raw["users"]}
    assert len(mart("looker_content_snapshots")) == sum(
        len(raw[name]) for name in ("dashboards", "lookml_dashboards", "looks")
    )


def test_without_history_nothing_is_unused(raw, tmp_path, project):
    """Streams that were not loaded give empty tables, with the same columns."""
    loaded = {name: raw[name] for name in ("dashboards", "looks", "explore_fields", "explores")}
    bare = Project(tmp_path)
    bare.dbt("build", **write(tmp_path / "files", loaded))
    assert bare.columns() == project.columns()
    for name in ("looker_content_usage", "looker_field_usage", "looker_explore_usage"):
        verdicts = {row["verdict"] for row in bare.rows(name)}
        assert "unused" not in verdicts
    assert "unknown" in {row["verdict"] for row in bare.rows("looker_field_usage")}
    assert all(row["runs_90d"] is None for row in bare.rows("looker_content_usage"))
    assert not bare.rows("looker_access")


def query(day, number, **fields):
    """A row of history, of a person."""
    return {
        "history_id": number,
        "history_created_time": f"{day}T10:00:00Z",
        "history_source": "dashboard",
        "user_id": "2",
        "query_id": number,
        "query_model": "shop",
        "query_view": "new",
        **fields,
    }


def days_back(*days):
    return [str(date(2026, 11, 20) - timedelta(days=day)) for day in days]


def test_verdicts_rest_on_the_period(tmp_path):
    """By hand: old use is no use, and a history with a gap says nothing."""
    old, last = days_back(60, 0)
    every_other = days_back(*range(0, 100, 2))
    history = [query(day, number) for number, day in enumerate(every_other)]
    history += [query(old, 900, query_view="old"), query(last, 901, history_dashboard_id="1")]
    loaded = {
        "dashboards": [
            {"id": "1", "title": "used, and kept", "created_at": "2020-01-01T00:00:00Z"},
            {"id": "2", "title": "kept", "created_at": "2020-01-01T00:00:00Z"},
            {"id": "3", "title": "gone", "_sdc_deleted_at": "2026-11-01T00:00:00Z"},
            {"id": "4", "title": "unused", "created_at": "2020-01-01T00:00:00Z"},
        ],
        "lookml_model_explores": [
            {"id": f"shop::{name}", "model_name": "shop", "name": name}
            for name in ("old", "new", "none")
        ],
        "users": [{"id": "2", "display_name": "Ada", "email": "ada@shop.example"}],
        "scheduled_plans": [
            {"id": "1", "dashboard_id": "1", "enabled": True, "user_id": "2",
             "last_run_at": "2026-11-19T05:00:00Z", "last_run_status": "success"},
        ],
        "scheduled_plan_destinations": [
            {"id": "1", "scheduled_plan_id": "1", "type": "email", "address": "x@SHOP.example"},
        ],
        "system_activity_scheduled_jobs": [
            {"scheduled_job_id": 1, "scheduled_plan_id": "1", "scheduled_job_status": "failure",
             "scheduled_job_created_time": "2026-10-19T05:00:00Z"},
        ],
        "system_activity_history": history,
    }  # fmt: skip
    (tmp_path / "a").mkdir()
    project = Project(tmp_path / "a")
    project.dbt(
        "run",
        **write(tmp_path / "files", loaded),
        looker_unused_after_days=30,
        looker_keep=["dashboard/1", "dashboard/2"],
        looker_internal_domains=["@Shop.example"],
    )
    content = {row["content_id"]: row for row in project.rows("looker_content_usage")}
    assert {key: row["verdict"] for key, row in content.items()} == {
        "1": "used", "2": "kept", "4": "unused"}  # fmt: skip
    explores = {row["explore_name"]: row for row in project.rows("looker_explore_usage")}
    assert [explores[name]["verdict"] for name in ("new", "old", "none")] == [
        "used", "unused", "unused"]  # fmt: skip
    assert explores["old"]["reason"].startswith(f"Last queried on {old}, and no content")
    (plan,) = project.rows("looker_schedules")
    assert (plan["verdict"], plan["last_run_status"], plan["external_addresses"]) == (
        "ok", "success", 0)  # fmt: skip

    (tmp_path / "b").mkdir()
    # Many days of queries, but before the period.
    days = days_back(0, *range(100, 160))
    loaded["system_activity_history"] = [query(day, number) for number, day in enumerate(days)]
    gap = Project(tmp_path / "b")
    gap.dbt("run", **write(tmp_path / "files", loaded))
    (row,) = [row for row in gap.rows("looker_content_usage") if row["content_id"] == "4"]
    assert row["verdict"] == "unknown"
    assert "only 1 of the last 90 days of history have queries" in row["reason"]


OWN_MACROS = """
{% macro source(name, table) %}{{ exceptions.raise_compiler_error("own source") }}{% endmacro %}
{% macro stage(stream) %}{{ exceptions.raise_compiler_error("own stage") }}{% endmacro %}
{% macro key_of(columns) %}nothing{% endmacro %}
"""


def test_a_project_with_macros_and_models_of_the_same_names_uses_it(raw, tmp_path):
    project = Project(tmp_path, package=tmp_path / "shop")
    files = {
        "dbt_project.yml": "{name: shop, profile: tap_looker}",
        "packages.yml": json.dumps({"packages": [{"local": str(PACKAGE)}]}),
        "macros/own.sql": OWN_MACROS,
        "models/access.sql": "select queries from {{ ref('looker_evidence') }}",
    }
    for name, text in files.items():
        path = project.package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    project.dbt("deps")
    project.dbt("run", "--select", "+access", **write(tmp_path / "files", raw))
    with duckdb.connect(str(project.database), read_only=True) as connection:
        (found,) = connection.execute("SELECT queries FROM main.access").fetchall()
    assert found == (len(raw["system_activity_history"]),)


@contextmanager
def server():
    try:
        with postgres.server() as port:
            yield port
    except postgres.MissingError as missing:
        pytest.skip(str(missing))


def test_postgres_says_what_duckdb_says(extracted, project, tmp_path):
    target = os.environ.get("TARGET_POSTGRES") or pytest.skip("TARGET_POSTGRES is not set")
    with server() as port:
        config = {"host": "127.0.0.1", "port": port, "user": "postgres", "password": "none",
                  "database": "postgres", "default_target_schema": "looker",
                  "validate_records": False, "use_copy": True}  # fmt: skip
        (tmp_path / "target.json").write_text(json.dumps(config))
        loading = subprocess.run(
            [target, "--config", str(tmp_path / "target.json")],
            input=extracted.stdout,
            text=True,
            capture_output=True,
            timeout=250,
            check=False,
        )
        assert loading.returncode == 0, loading.stderr[-2000:]
        there = Project(tmp_path, port)
        there.dbt("run")
        for name in MARTS:
            statement = f"SELECT row_to_json(r) FROM main_looker_marts.{name} AS r"  # noqa: S608
            found = [json.loads(line) for line in postgres.lines(port, statement)]
            expected = project.rows(name)
            assert sorted(map(alike, found)) == sorted(map(alike, expected)), name


@pytest.fixture(scope="module", params=["bigquery", "snowflake"])
def compiled(request, tmp_path_factory):
    """The SQL of all models and tests for a warehouse that cannot be reached, by file."""
    folder = tmp_path_factory.mktemp(request.param)
    loaded = ["_sdc_extracted_at", "_sdc_deleted_at", "looker_instance"]
    columns = {name: [*entries()[name]["schema"]["properties"], *loaded] for name in STREAMS}
    (folder / "columns.json").write_text(json.dumps(columns))
    arguments = [request.param, PACKAGE, folder, folder / "columns.json"]
    done = subprocess.run(
        [
            os.environ.get("DBT_ADAPTERS") or pytest.skip("DBT_ADAPTERS is not set"),
            Path(__file__).with_name("compile_transform.py"),
            *arguments,
        ],
        cwd=folder,
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    files = {path: path.read_text() for path in folder.glob("target/compiled/**/*.sql")}
    assert {path.stem for path in PACKAGE.glob("models/**/*.sql")} <= {path.stem for path in files}
    return request.param, files


def test_models_are_sql_of_warehouses_that_cannot_be_reached(compiled):
    """What they parse, and what BigQuery is known not to take although it can be parsed."""
    warehouse, files = compiled
    for path, sql in files.items():
        (tree,) = sqlglot.parse(sql, read=warehouse)
        for cte in tree.find_all(exp.CTE):
            assert not cte.args["alias"].columns, f"{path.name}: {cte.alias} names its columns"
        for join in tree.find_all(exp.Join):
            if join.side:
                conditions = join.args["on"].flatten() if join.args.get("on") else ()
                is_equal = any(isinstance(one, exp.EQ) for one in conditions)
                assert is_equal or isinstance(join.args.get("on"), exp.EQ), (
                    f"{path.name}: {join.sql()}"
                )
        if warehouse == "bigquery":
            words = re.findall(r"\bunion\s+(\w+)", re.sub(r"'[^']*'", "''", sql))
            assert set(words) <= {"all", "distinct"}, path.name


def alike(row):
    """A row as text that is the same for both databases."""
    values = []
    for name, value in sorted(row.items()):
        if name in ("snapshot_key", "snapshot_on"):
            continue
        if isinstance(value, bool) or value is None:
            values.append(str(value))
        elif isinstance(value, int | float):
            values.append(f"{value:.4f}")
        else:
            text = value.isoformat() if hasattr(value, "isoformat") else str(value)
            time = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?", text)
            values.append(text[:19] if time else text)
    return "|".join(values)


# ---------------------------------------------------------------------------------------- the texts


def test_every_column_is_described(project):
    described = {}
    for path in PACKAGE.glob("models/**/*.yml"):
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", ()):
            assert model["description"]
            described[model["name"]] = {
                column["name"] for column in model["columns"] if column["description"]
            }
    models = {path.stem for path in PACKAGE.glob("models/**/*.sql")}
    assert described.keys() == models
    for name, column, _ in project.columns():
        assert column in described[name], (name, column)


def test_documentation_is_made_without_a_warning(project):
    said = project.dbt("docs", "generate", "--show-all-deprecations", **project.files)
    assert "Catalog written to" in said
    assert not re.search(r"warning|deprecat", said, re.IGNORECASE), said
