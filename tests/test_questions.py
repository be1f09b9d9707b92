"""Every question of the documentation is answered by its SQL, over rows that the tap wrote."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from support import Runner, entries, selecting

from looker_emulator import Emulator
from targets import postgres

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
import stream_pages  # noqa: E402

QUESTIONS = {one.heading: one for one in stream_pages.questions(ROOT / "docs")}
ASKED = {name: stream_pages.streams_of(one.sql) for name, one in QUESTIONS.items()}
TODAY = datetime(2026, 7, 1)  # noqa: DTZ001 - the emulator's last day, as a database has it
TYPES = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "object": "JSON",
    "array": "JSON",
    "date-time": "TIMESTAMP",
    "date": "DATE",
}
#: What people ask of, and therefore what several questions should be answered from.
IMPORTANT = [
    "users",
    "user_roles",
    "user_groups",
    "user_credentials",
    "groups",
    "roles",
    "permission_set_permissions",
    "folders",
    "looks",
    "dashboards",
    "dashboard_elements",
    "dashboard_element_queries",
    "queries",
    "query_fields",
    "query_dynamic_fields",
    "scheduled_plans",
    "scheduled_plan_destinations",
    "alerts",
    "content_metadata_access",
    "lookml_model_explores",
    "explores",
    "explore_fields",
    "explore_joins",
    "explore_access_filters",
    "explore_tables",
    "connections",
    "system_activity_history",
    "system_activity_queries",
    "system_activity_query_fields",
    "system_activity_query_metrics",
    "system_activity_events",
    "system_activity_scheduled_jobs",
    "system_activity_pdt_builds",
    "system_activity_api_usage",
    "system_activity_user_facts",
]


@pytest.mark.parametrize("heading", QUESTIONS)
def test_the_index_says_what_to_select(heading):
    lines = (ROOT / "docs/streams.md").read_text("utf-8").splitlines()
    (line,) = (one for one in lines if one.startswith(f"- [{heading}]"))
    chosen = {*re.findall(r"`(\w+)`", line)}
    by_default = {
        name
        for name, entry in entries().items()
        for of in entry["metadata"]
        if not of["breadcrumb"] and of["metadata"].get("selected-by-default")
    }
    assert chosen == ASKED[heading] - by_default


def statement(heading):
    return QUESTIONS[heading].sql.replace("current_date", f"DATE '{TODAY:%Y-%m-%d}'")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """All streams that a question is asked of, of an instance that was in use for a year."""
    with Emulator(activity_rows=900) as emulator:
        runner = Runner(emulator, tmp_path_factory.mktemp("tap"))
        names = set().union(*ASKED.values())
        return runner(catalog=selecting(*names, among=()), start_date="2020-01-01").succeeded()


@pytest.fixture(scope="module")
def database(run, tmp_path_factory):
    """The rows in tables, with the types that targets give to columns."""
    folder = tmp_path_factory.mktemp("landed")
    with duckdb.connect() as connection:
        for stream, message in run.schemas.items():
            types = {name: type_of(of) for name, of in message["schema"]["properties"].items()}
            columns = ", ".join(f'"{name}" {type_}' for name, type_ in types.items())
            connection.execute(f'CREATE TABLE "{stream}" ({columns})')
            file = folder / f"{stream}.jsonl"
            rows = run.records.get(stream, [])
            file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
            if rows:
                read = f"read_json('{file}', format='newline_delimited', columns={types})"
                connection.execute(f'INSERT INTO "{stream}" FROM {read}')
        yield connection


def type_of(schema):
    declared = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    (kind,) = {one for one in declared if one != "null"}
    return TYPES[schema["format"] if schema.get("format") in TYPES else kind]


@pytest.fixture(scope="module")
def ask(database):
    """The answer to a question, as objects."""

    def answer(heading):
        found = database.execute(statement(heading))
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    return answer


@pytest.fixture(scope="module")
def files(run, tmp_path_factory):
    """The rows in files, of which the documentation's lines of Python make views."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "output").mkdir()
    for stream, rows in run.records.items():
        lines = "".join(f"{json.dumps(row)}\n" for row in rows)
        (folder / "output" / f"{stream}.jsonl").write_text(lines, encoding="utf-8")
    page = (ROOT / "docs" / "warehouses.md").read_text("utf-8")
    (folder / "views.py").write_text(page.partition("```python\n")[2].partition("```")[0])
    done = subprocess.run(
        [sys.executable, "views.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with duckdb.connect(str(folder / "files.duckdb"), read_only=True) as connection:
        yield connection


# --------------------------------------------------------------------------------- every question


def test_questions_have_names_of_their_own():
    assert len(QUESTIONS) == len(stream_pages.questions(ROOT / "docs"))


@pytest.mark.parametrize("heading", QUESTIONS)
def test_it_is_answered_with_rows(heading, ask):
    assert ask(heading)


@pytest.mark.parametrize("heading", QUESTIONS)
def test_files_answer_it_too(heading, ask, files):
    assert len(files.execute(statement(heading)).fetchall()) == len(ask(heading))


@pytest.mark.parametrize("heading", QUESTIONS)
def test_it_is_asked_of_the_stream_it_stands_under(heading):
    assert QUESTIONS[heading].stream in ASKED[heading]


@pytest.mark.parametrize("page", stream_pages.PAGES.values())
def test_each_page_has_questions(page):
    assert sum(one.page.stem == page for one in QUESTIONS.values()) >= 5


@pytest.mark.parametrize("stream", IMPORTANT)
def test_what_matters_is_asked_more_than_once(stream):
    assert sum(stream in asked for asked in ASKED.values()) >= 2


def test_a_question_across_instances_counts_each_by_itself(database, ask):
    text = (ROOT / "docs/howto/instances.md").read_text("utf-8")
    sql = text.partition("```sql\n")[2].partition("```")[0]
    database.execute("CREATE SCHEMA shared")
    for table in ("dashboards", "users"):
        database.execute(
            f"CREATE TABLE shared.{table} AS SELECT 'eu' AS looker_instance, * FROM main.{table}"  # noqa: S608
            f" UNION ALL SELECT 'us', * FROM main.{table}"
        )
    count = len(ask("Which dashboards belong to somebody who has left?"))
    database.execute("SET search_path = 'shared'")
    try:
        assert sorted(database.execute(sql).fetchall()) == [("eu", count), ("us", count)]
    finally:
        database.execute("SET search_path = 'main'")


@pytest.mark.slow
@pytest.mark.xdist_group("transform")
def test_postgres_gives_the_same_answers(run, ask, tmp_path):
    target = os.environ.get("TARGET_POSTGRES") or pytest.skip("TARGET_POSTGRES is not set")
    try:
        with postgres.server() as port:
            config = {"host": "127.0.0.1", "port": port, "user": "postgres", "password": "none",
                      "database": "postgres", "default_target_schema": "public",
                      "validate_records": False, "use_copy": True}  # fmt: skip
            (tmp_path / "target.json").write_text(json.dumps(config))
            command = [target, "--config", str(tmp_path / "target.json")]
            loading = subprocess.run(
                command, input=run.stdout, text=True, capture_output=True, timeout=250, check=False
            )
            assert loading.returncode == 0, loading.stderr[-2000:]
            for heading in QUESTIONS:
                sql = statement(heading).strip().rstrip(";")
                found = postgres.lines(port, f"SELECT row_to_json(r) FROM ({sql}\n) AS r")  # noqa: S608
                rows = sorted(alike(json.loads(line)) for line in found)
                assert rows == sorted(map(alike, ask(heading))), heading
    except postgres.MissingError as missing:
        pytest.skip(str(missing))


def alike(row):
    """A row as text that is the same for both databases."""
    values = []
    for value in row.values():
        if isinstance(value, bool) or value is None:
            values.append(str(value))
        elif isinstance(value, int | float) or type(value).__name__ == "Decimal":
            values.append(f"{float(value):.9f}")
        else:
            text = value.isoformat() if hasattr(value, "isoformat") else str(value)
            values.append(text[:19])
    return "|".join(values)


# ---------------------------------------------------------------------------- what is in an answer


def ago(days):
    return TODAY - timedelta(days=days)


def time_of(text):
    return datetime.fromisoformat(text).replace(tzinfo=None)


def is_before(text, moment):
    return text is None or time_of(text) < moment


def ids(rows, column="id"):
    return sorted(row[column] for row in rows)


def test_dashboards_that_nobody_has_opened(run, ask):
    scheduled = {one["dashboard_id"] for one in run.records["scheduled_plans"] if one["enabled"]}
    expected = [
        one
        for one in run.records["dashboards"]
        if not one["deleted"]
        and one["id"] not in scheduled
        and is_before(one["last_viewed_at"], ago(90))
        and is_before(one["last_accessed_at"], ago(90))
    ]
    assert ids(ask("Which dashboards has nobody opened for 90 days?")) == ids(expected)


def test_looks_that_nobody_needs(run, ask):
    used = {one["look_id"] for one in run.records["scheduled_plans"] if one["enabled"]}
    tiles = run.records["dashboard_elements"]
    used |= {one["look_id"] for one in tiles if not one.get("deleted")}
    expected = [
        one
        for one in run.records["looks"]
        if not one["deleted"]
        and one["id"] not in used
        and is_before(one["last_viewed_at"], ago(90))
        and is_before(one["last_accessed_at"], ago(90))
        and is_before(one["created_at"], ago(90))
    ]
    assert ids(ask("Which looks does nobody need any more?")) == ids(expected)


def test_dashboards_that_nobody_has_run(run, ask):
    (tap,) = run.records["current_user"]
    ran = {
        one["history_dashboard_id"]
        for one in run.records["system_activity_history"]
        if time_of(one["history_created_time"]) >= ago(90)
        and one["history_source"] != "scheduled_task"
        and one["user_id"] != tap["id"]
    }
    expected = [
        one for one in run.records["dashboards"] if not one["deleted"] and one["id"] not in ran
    ]
    assert 0 < len(expected) < len(run.records["dashboards"])
    assert ids(ask("Which dashboards has nobody run for 90 days?")) == ids(expected)


def test_what_the_users_who_are_gone_have_left(run, ask):
    gone = {one["id"] for one in run.records["users"] if one["is_disabled"]}
    plans = [one for one in run.records["scheduled_plans"] if one["user_id"] in gone]
    found = ask("Who has left but still has schedules?")
    assert ids(found, "scheduled_plan_id") == ids(plans)
    folders = {one["id"]: one for one in run.records["folders"]}

    def belongs_to_one(folder):
        while folder:
            if folder["is_personal"] and folder["creator_id"] in gone:
                return True
            folder = folders.get(folder["parent_id"])
        return False

    expected = Counter(
        (kind, one["id"])
        for kind, stream in (("dashboard", "dashboards"), ("look", "looks"))
        for one in run.records[stream]
        if not one["deleted"] and belongs_to_one(folders.get(one["folder_id"]))
    )
    found = ask("What is in the personal folders of users who have left?")
    assert Counter((row["kind"], row["id"]) for row in found) == expected


def groups_of(run, user):
    parents = {one["id"]: one["parent_group_ids"] for one in run.records["groups"]}
    found, waiting = set(), [*user["group_ids"]]
    while waiting:
        group = waiting.pop()
        found.add(group)
        waiting += parents[group]
    return found


def test_who_may_open_a_folder(run, ask):
    (folder,) = (one for one in run.records["folders"] if one["path"] == "Shared/Finance")
    metadata = {one["id"]: one for one in run.records["content_metadata"]}
    item = metadata[folder["content_metadata_id"]]
    decisive = item["inheriting_id"] if item["inherits"] else item["id"]
    grants = [
        one
        for one in run.records["content_metadata_access"]
        if one["content_metadata_id"] == decisive
    ]
    expected = {}
    for user in run.records["users"]:
        levels = {
            one["permission_type"]
            for one in grants
            if one["user_id"] == user["id"] or one["group_id"] in groups_of(run, user)
        }
        if levels and not user["is_disabled"]:
            expected[user["id"]] = "edit" if "edit" in levels else "view"
    assert expected
    assert {row["id"]: row["level"] for row in ask("Who can view or edit a folder?")} == expected


def test_who_is_an_admin(run, ask):
    sets = {
        one["permission_set_id"]
        for one in run.records["permission_set_permissions"]
        if one["permission"] == "administer"
    }
    roles = {one["id"] for one in run.records["roles"] if one["permission_set_id"] in sets}
    of_group = {one["id"]: one["role_ids"] for one in run.records["groups"]}
    expected = {
        user["id"]
        for user in run.records["users"]
        if roles & {*user["role_ids"]}.union(*(of_group[one] for one in groups_of(run, user)))
    }
    assert {row["id"] for row in ask("Who is an admin, directly or through a group?")} == expected
    (key,) = ask("Did the key see the whole instance?")
    assert key["sees_everything"] == (key["id"] in expected)


def test_fields_that_nothing_uses(run, ask):
    explores = {one["id"]: one for one in run.records["explores"]}
    fields = {
        (
            explores[one["explore_id"]]["model_name"],
            explores[one["explore_id"]]["name"],
            one["name"],
        )
        for one in run.records["explore_fields"]
        if not one["primary_key"]
    }
    used = {(one["model"], one["explore"], one["field"]) for one in run.records["query_fields"]}
    ran = {
        (one["query_model"], one["query_view"], one["field"])
        for one in run.records["system_activity_query_fields"]
    }
    for heading, names in (
        ("Which fields does no look or dashboard use?", used),
        ("Which fields of an explore did no query use?", ran),
    ):
        found = {(row["model_name"], row["explore"], row["field"]) for row in ask(heading)}
        assert found == fields - names
        assert found != fields


def test_custom_fields_that_are_built_again(run, ask):
    what = [
        "kind",
        "based_on",
        "type",
        "calculation_type",
        "expression",
        "args",
        "filters",
        "filter_expression",
    ]
    explore = {one["id"]: (one["model"], one["view"]) for one in run.records["queries"]}
    alike_ones = {}
    for one in run.records["query_dynamic_fields"]:
        if not one["is_disabled"]:
            key = (*explore[one["query_id"]], *(one[name] for name in what))
            alike_ones.setdefault(key, set()).add(one["query_id"])
    expected = sorted(len(queries) for queries in alike_ones.values() if len(queries) > 1)
    found = ask("Which custom fields do people build again and again?")
    assert sorted(row["queries"] for row in found) == expected


def test_derived_tables_and_schedules_that_fail(run, ask):
    builds = Counter(
        one["pdt_builds_view_name"]
        for one in run.records["system_activity_pdt_builds"]
        if one["pdt_builds_build_result"] == "failure" and not one["pdt_builds_dev_build"]
    )
    found = Counter()
    for row in ask("Which derived tables fail to build?"):
        found[row["pdt_builds_view_name"]] += row["failures"]
    assert found == builds
    jobs = Counter(
        one["scheduled_plan_id"]
        for one in run.records["system_activity_scheduled_jobs"]
        if one["scheduled_job_status"] == "failure"
    )
    assert {row["id"]: row["failures"] for row in ask("Which schedules fail?")} == jobs
