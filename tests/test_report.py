"""tap-looker-report: its numbers beside counts made in Python, and its page in a real browser."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from browser import executable
from support import Runner, entries, selecting, settings_of

from looker_emulator import Emulator
from tap_looker.errors import LookerError
from tap_looker_report import extract, sources, tables
from tap_looker_report.command import read_keep_list
from tap_looker_report.page import as_json, percent
from tap_looker_report.page import write as write_page
from targets import postgres

ROOT = Path(__file__).parents[1]
REPORT = os.environ.get("REPORT", "")
BROWSER_PYTHON = os.environ.get("BROWSER_PYTHON", "")
STREAMS = sources.streams_of(ROOT / "transform")
HOSTILE = [
    '</script><script>window.pwned = 1</script><img src=x onerror="window.pwned = 1">',
    "\"double\" 'single' `back` &amp; <b>bold</b> {{ 7 * 7 }} ${pwned}",
    "\u202eלוח מחוונים (1) <b>",  # noqa: RUF001
    "x" * 10_000,
    "null\0byte",
    "line\u2028separator\nnewline\ttab",
    "👩\u200d👩\u200d👧 İstanbul 植物の売上",
    '=HYPERLINK("http://evil.example","x")',
    "+1-2",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1+1",
    "javascript:window.pwned = 1",
    "__proto__",
]
TITLED = {"title", "display_name", "custom_title", "label", "path"}

needs_dbt = pytest.mark.skipif(not REPORT, reason="REPORT is not set: python3 dev.py test sets it")
pytestmark = pytest.mark.xdist_group("report")  # what they share takes long to make


def report(*arguments, folder, **environment):
    """Run the command, in a folder of its own."""
    return subprocess.run(
        [REPORT, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def reported(*arguments, folder):
    """The page of a run that succeeds."""
    page = folder / "report.html"
    done = report(*arguments, "-o", page, folder=folder)
    assert done.returncode == 0, done.stderr
    assert not done.stdout
    return page.read_text("utf-8")


def write(folder, records):
    """Files as target-jsonl writes them."""
    folder.mkdir(exist_ok=True)
    for stream, rows in records.items():
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{stream}.jsonl").write_text(text, encoding="utf-8")
    return folder


def figures(html):
    """The numbers in the page's sentences, by name: each has one value wherever it stands."""
    found = defaultdict(set)
    for value, name in re.findall(r'<data value="([^"]*)" data-figure="(\w+)">', html):
        found[name].add(float(value))
    assert all(len(values) == 1 for values in found.values())
    return {name: values.pop() for name, values in found.items()}


def data_of(html):
    """What the page's script works on."""
    return json.loads(re.search(r'id="data">(.*?)</script>', html, re.DOTALL)[1])


def column(html, table, name):
    """The values of a column of a table."""
    (found,) = (one for one in data_of(html)["tables"][table]["columns"] if one["name"] == name)
    if "texts" not in found:
        return found["values"]
    return [None if place is None else found["texts"][place] for place in found["values"]]


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    """What the tap writes of the streams that the models read."""
    with Emulator() as emulator:
        runner = Runner(emulator, tmp_path_factory.mktemp("tap"))
        known = [one for one in STREAMS if one in entries()]
        return runner(catalog=selecting(*known, among=()), start_date="2026-01-01").succeeded()


@pytest.fixture(scope="module")
def raw(extracted):
    """The rows, with titles as nobody wants them."""
    copied = json.loads(json.dumps(extracted.records))
    rows = {stream: copied.get(stream, []) for stream in STREAMS}
    for records in rows.values():
        for place, record in enumerate(records):
            for name in TITLED & record.keys():
                if isinstance(record[name], str) and place < len(HOSTILE):
                    record[name] = HOSTILE[place]
    return rows


@pytest.fixture(scope="module")
def landed(raw, tmp_path_factory):
    return write(tmp_path_factory.mktemp("landed") / "files", raw)


@pytest.fixture(scope="module")
def made(landed, tmp_path_factory):
    """A folder with the page of all streams, and what it was made of."""
    folder = tmp_path_factory.mktemp("report")
    kept = folder / "kept"
    reported(landed, "--keep", kept, "--looker-url", "https://looker.example", folder=folder)
    return folder


@pytest.fixture(scope="module")
def html(made):
    return (made / "report.html").read_text("utf-8")


@pytest.fixture(scope="module")
def marts(made):
    def rows(statement):
        with duckdb.connect(str(made / "kept" / "looker.duckdb"), read_only=True) as connection:
            connection.execute("USE looker_report_looker_marts")
            found = connection.execute(statement)
            names = [one[0] for one in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    return rows


# ------------------------------------------------------------------------------------------ numbers


@needs_dbt
@pytest.mark.slow
def test_figures_are_what_counting_the_rows_gives(html, raw):
    """By hand: from the emulator's rows, without the models."""
    found = figures(html)
    dashboards = [row for row in raw["dashboards"] if "::" not in row["id"]]
    live = [row for row in dashboards if not row["deleted"]]
    trash = [row for row in [*dashboards, *raw["looks"]] if row["deleted"]]
    assert found["dashboards"] == len(live) + len(raw["lookml_dashboards"])
    assert found["looks"] == sum(not row["deleted"] for row in raw["looks"])
    assert found["content_in_trash"] == len(trash)
    assert found["users"] == len(raw["users"])
    assert found["users_disabled"] == sum(row["is_disabled"] for row in raw["users"])
    disabled = {row["id"] for row in raw["users"] if row["is_disabled"]}
    owned = [*live, *(row for row in raw["looks"] if not row["deleted"])]
    assert found["content_of_disabled"] == sum(row["user_id"] in disabled for row in owned)
    assert found["schedules"] == len(raw["scheduled_plans"])
    assert found["schedules_enabled"] == sum(row["enabled"] for row in raw["scheduled_plans"])
    assert found["alerts_off"] == sum(bool(row["is_disabled"]) for row in raw["alerts"])
    assert found["alerts"] == len(raw["alerts"]) - found["alerts_off"]
    jobs = raw["system_activity_scheduled_jobs"]
    known = {row["id"] for row in raw["scheduled_plans"]}
    jobs = [row for row in jobs if row["scheduled_plan_id"] in known]
    assert found["deliveries"] == len(jobs)
    failed = sum(row["scheduled_job_status"] == "failure" for row in jobs)
    assert found["deliveries_failed"] == failed
    assert failed
    assert found["explores"] == len(raw["lookml_model_explores"])
    assert found["fields"] == len(raw["explore_fields"])
    builds = raw["system_activity_pdt_builds"]
    assert found["builds"] == len(builds)
    assert found["builds_failed"] == sum(
        row["pdt_builds_build_result"] == "failure" for row in builds
    )


@needs_dbt
@pytest.mark.slow
def test_queries_are_those_of_the_last_90_days_without_the_taps(html, raw):
    (tap,) = raw["current_user"]
    history = [
        row
        for row in raw["system_activity_history"]
        if not (row["user_id"] == tap["id"] and row["history_source"] == "api4")
    ]
    days = {row["history_created_time"][:10] for row in raw["system_activity_history"]}
    after = date.fromisoformat(max(days)) - timedelta(days=90)
    recent = [
        row for row in history if date.fromisoformat(row["history_created_time"][:10]) > after
    ]
    found = figures(html)
    errors = sum(row["history_status"] == "error" for row in recent)
    assert found["errors"] == errors
    assert f'Of <data value="{len(recent)}"' in html
    by_day = dict(zip(column(html, "days", "ran_on"), column(html, "days", "errors"), strict=True))
    failed = Counter(
        row["history_created_time"][:10]
        for row in raw["system_activity_history"]
        if row["history_status"] == "error"
    )
    assert by_day == {day: failed[day] for day in days}


@needs_dbt
@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "mart"),
    {
        "content": "looker_content_usage",
        "people": "looker_user_activity",
        "schedules": "looker_schedules",
        "explores": "looker_explore_usage",
        "fields": "looker_field_usage",
        "performance": "looker_performance",
        "pdts": "looker_pdt_builds",
        "custom": "looker_custom_fields",
    }.items(),
)
def test_tables_hold_what_the_marts_hold(table, mart, html, marts):
    """Row by row: numbers, days, texts and verdicts."""
    shown = data_of(html)["tables"][table]
    names = [one["name"] for one in shown["columns"]]
    plain = [name for name in names if name not in ("user_name", "expression")]
    found = zip(*(column(html, table, name) for name in plain), strict=True)
    expected = [[row[name] for name in plain] for row in marts(f"FROM {mart}")]

    def alike(value):
        if isinstance(value, float):
            return f"{value:.3f}"
        return "" if value is None else str(value)[:10]

    def line(row):
        return [alike(value) for value in row]

    assert sorted(map(line, found)) == sorted(map(line, expected))
    assert expected


@needs_dbt
@pytest.mark.slow
def test_access_in_the_page_is_that_of_the_marts(html, marts):
    access = data_of(html)["access"]
    users, grants = access["users"]["id"], access["grants"]
    found = set()
    for folder, _, place, _ in access["folders"]:
        flat = access["lists"][place]
        for at in range(0, len(flat), 3):
            level = "edit" if flat[at + 1] else "view"
            found.add((users[flat[at]], folder, level, grants[flat[at + 2]]))
    assert found == {
        (row["user_id"], row["folder_id"], row["level"], row["granted_by"])
        for row in marts("FROM looker_folder_access")
    }
    rights = set()
    for user, flat in zip(users, access["rights"], strict=True):
        for at in range(0, len(flat), 3):
            granted = itertools.product(access["groups"][flat[at]], access["sets"][flat[at + 1]])
            rights |= {
                (user, access["models"][model], permission, grants[flat[at + 2]])
                for model, permission in granted
            }
    assert rights == {
        (row["user_id"], row["model_name"], row["permission"], row["granted_by"])
        for row in marts("FROM looker_access")
    }


# ------------------------------------------------------------------------------------- other places


@needs_dbt
@pytest.mark.slow
def test_a_duckdb_file_gives_the_same_numbers_and_is_only_read(raw, html, tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "America/Los_Angeles")  # times are in UTC wherever it runs
    path = tmp_path / "warehouse's.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA other; CREATE TABLE other.users (x int)")
        connection.execute("CREATE SCHEMA raw; SET TimeZone = 'UTC'")
        for file in write(tmp_path / "rows", raw).glob("*.jsonl"):
            if raw[file.stem]:
                connection.sql(f"FROM read_json('{file}', sample_size = -1)").select(
                    "*, TIMESTAMP '2026-03-04 05:06:07' AS _sdc_extracted_at"
                ).create(f"raw.{file.stem}")
        connection.execute(
            "ALTER TABLE raw.system_activity_history "
            "ALTER COLUMN history_created_time TYPE TIMESTAMPTZ"
        )
    before = path.read_bytes()
    found = reported(path, folder=tmp_path)
    assert figures(found) == figures(html)
    assert path.read_bytes() == before
    assert "2026-03-04 05:06" in found


def as_parquet(folder, records):
    """Files of a target that writes a folder for each stream."""
    folder.mkdir()
    for file in write(folder.with_name("rows"), records).glob("*.jsonl"):
        if records[file.stem]:
            (folder / file.stem).mkdir()
            duckdb.sql(
                f"COPY (FROM read_json('{file}', sample_size = -1)) TO "
                f"'{folder / file.stem / 'part-0.parquet'}'"
            )
    return folder


@contextmanager
def server():
    try:
        with postgres.server() as port:
            yield port
    except postgres.MissingError as missing:
        pytest.skip(str(missing))


@needs_dbt
@pytest.mark.slow
def test_postgres_gives_the_same_numbers_and_is_left_as_it_was(extracted, html, tmp_path):
    target = os.environ.get("TARGET_POSTGRES") or pytest.skip("TARGET_POSTGRES is not set")
    with server() as port:
        config = {"host": "127.0.0.1", "port": port, "user": "postgres", "password": "none",
                  "database": "postgres", "default_target_schema": "looker",
                  "validate_records": False, "use_copy": True}  # fmt: skip
        (tmp_path / "target.json").write_text(json.dumps(config))
        subprocess.run(
            [target, "--config", tmp_path / "target.json"],
            input=extracted.stdout,
            text=True,
            capture_output=True,
            timeout=250,
            check=True,
        )
        address = f"postgresql://postgres:hush-hush@127.0.0.1:{port}/postgres"
        schemas = "SELECT schema_name FROM information_schema.schemata ORDER BY 1"
        before = postgres.lines(port, schemas)
        found = reported(address, folder=tmp_path)
        assert postgres.lines(port, schemas) == before
        wrong = report(f"{address}x", folder=tmp_path)
    assert figures(found) == figures(html)
    assert "hush-hush" not in found
    assert wrong.returncode == 1
    assert wrong.stderr.count("\n") == 1
    assert "Postgres cannot be reached" in wrong.stderr
    assert "hush-hush" not in wrong.stderr


# ---------------------------------------------------------------------------------- what is missing


@pytest.fixture(scope="module")
def bare(raw, tmp_path_factory):
    """The page of three streams."""
    folder = tmp_path_factory.mktemp("bare")
    some = {name: raw[name] for name in ("dashboards", "looks", "users")}
    return reported(write(folder / "files", some), folder=folder)


@needs_dbt
@pytest.mark.slow
def test_what_was_not_loaded_is_named_and_is_not_zero(bare, html):
    found = figures(bare)
    assert found["dashboards"]
    assert not {
        "content_used", "content_unused", "schedules", "alerts", "explores", "fields", "queries",
        "people", "builds", "calls", "deliveries", "admins",
    } & found.keys()  # fmt: skip
    for stream in ("system_activity_history", "scheduled_plans", "lookml_model_explores"):
        assert re.search(
            rf"--select &#39;default,[^&]*{stream}|--select 'default,[^']*{stream}", bare
        )
    assert set(data_of(bare)["tables"]) == {"content", "people", "streams"}
    why = dict(zip(column(bare, "streams", "stream"), column(bare, "streams", "why"), strict=True))
    assert {name for name, reason in why.items() if not reason} == {"dashboards", "looks", "users"}
    shown = {one["name"] for one in data_of(bare)["tables"]["content"]["columns"]}
    assert not {"runs_90d", "last_used_on", "schedules_enabled", "alerts_enabled"} & shown
    assert "nobody ran or opened" not in bare
    verdicts = set(column(bare, "content", "verdict"))
    assert "unused" not in verdicts
    assert "Not loaded" not in html


@needs_dbt
@pytest.mark.slow
def test_instances_are_not_mixed(raw, tmp_path):
    rows = [{**row, "looker_instance": name} for name in ("here", "there") for row in raw["users"]]
    # What comes first may have rows of one of them, or none.
    of_one = [{**row, "looker_instance": "here"} for row in raw["alerts"]]
    folder = write(tmp_path / "files", {"users": rows, "alerts": of_one, "alert_destinations": []})
    for arguments, says in {
        (): "choose one with --instance (here, there)",
        ("--instance", "nowhere"): "there are rows of here, there only",
    }.items():
        done = report(folder, *arguments, folder=tmp_path)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert says in done.stderr


@needs_dbt
@pytest.mark.slow
def test_nothing_to_report_on(tmp_path):
    for arguments, says in {
        (): "SOURCE",
        ("nowhere",): "nowhere does not exist",
        (tmp_path,): "has no files of the tap's streams",
    }.items():
        done = report(*arguments, folder=tmp_path)
        assert done.returncode
        assert says in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "report.html").exists()


# ----------------------------------------------------------------------------- straight from Looker


def config_of(emulator, folder, **settings):
    path = folder / "config.json"
    path.write_text(json.dumps(settings_of(emulator, **settings)))
    return path


@needs_dbt
@pytest.mark.slow
def test_straight_from_looker_with_a_key_that_sees_a_part(tmp_path):
    with Emulator(now=datetime.now(UTC), denied=("/alerts", "/user_login_lockouts")) as emulator:
        config = config_of(emulator, tmp_path, select="users", start_date="2026-11-25")
        page, kept = tmp_path / "report.html", tmp_path / "kept"
        own = {
            "DBT_TARGET": "prod",
            "DBT_PROFILE": "shop",
            "DBT_EMPTY": "true",
        }  # of other projects
        done = report("--config", config, "-o", page, "--keep", kept, folder=tmp_path, **own)
        assert done.returncode == 0, done.stderr
        users = len(emulator.instance.users)
        secret = emulator.client_secret
    told = done.stderr.splitlines()
    assert re.match(r"Reading \d+ streams of .* will cost about .* admin calls", told[0])
    assert any("Left out: alerts" in line for line in told)
    html = page.read_text("utf-8")
    assert figures(html)["users"] == users
    assert "Alerts are not known." in html
    assert "may not read it" in html
    assert "alerts" not in data_of(html)["tables"]
    assert not (kept / "alerts.jsonl").exists()
    assert (kept / "users.jsonl").read_text("utf-8").count("\n") == users
    assert figures(html)["queries_schedule"]  # the start date of the configuration is another's
    assert re.search(r"rows took \d+ admin calls", html)
    for text in (html, done.stderr):
        assert secret not in text


@needs_dbt
@pytest.mark.slow
def test_a_key_that_is_no_admins_is_named(html, tmp_path):
    with Emulator(role="Viewer") as emulator:
        config, page = config_of(emulator, tmp_path), tmp_path / "report.html"
        select = "users,user_roles,roles,permission_sets,dashboards,looks,current_user"
        done = report("--config", config, "-o", page, "--select", select, folder=tmp_path)
        assert done.returncode == 0, done.stderr
    assert "the page covers only what that user may see" in done.stderr
    found = page.read_text("utf-8")
    assert re.search(r'id="partial">.*who is not known to be an admin.* dashboards, .*part', found)
    assert 'id="partial"' not in html


@needs_dbt
@pytest.mark.slow
def test_no_more_calls_than_allowed(tmp_path):
    with Emulator() as emulator:
        config = config_of(emulator, tmp_path)
        done = report("--config", config, "--max-calls", 5, folder=tmp_path)
        assert done.returncode == 1
        assert "more than --max-calls 5" in done.stderr.splitlines()[-1]
        select = "users,content_favorites,content_metadata_access"  # 47 calls, or more
        done = report("--config", config, "--max-calls", 60, "--select", select, folder=tmp_path)
        assert done.returncode == 1, done.stderr
        assert "could not be read completely" in done.stderr.splitlines()[-1]
        assert "Left out: content_metadata_access" in done.stderr
    html = (tmp_path / "report.html").read_text("utf-8")
    assert "--max-calls allows were used up" in html


@needs_dbt
@pytest.mark.slow
def test_a_wrong_key_is_one_line(tmp_path):
    with Emulator() as emulator:
        config = config_of(emulator, tmp_path, client_secret="wrong-and-secret")
        done = report("--config", config, folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "does not accept the API key" in done.stderr
    assert "wrong-and-secret" not in done.stderr
    assert not (tmp_path / "report.html").exists()


def test_records_become_files_and_a_stream_without_rows_an_empty_one(tmp_path):
    messages = [
        {"type": "SCHEMA", "stream": "users", "schema": {}, "key_properties": ["id"]},
        {"type": "RECORD", "stream": "users", "record": {"id": "1", "display_name": "Zoë\0"}},
        {"type": "STATE", "value": {}},
        {"type": "SCHEMA", "stream": "alerts", "schema": {}, "key_properties": ["id"]},
    ]
    lines = "".join(json.dumps(one) + "\n" for one in messages).encode()
    extract.write(io.BytesIO(lines), tmp_path)
    assert json.loads((tmp_path / "users.jsonl").read_text()) == messages[1]["record"]
    assert (tmp_path / "alerts.jsonl").read_bytes() == b""


# ------------------------------------------------------------------------------------ the keep list


def test_a_list_of_what_to_keep(tmp_path):
    path = tmp_path / "keep.txt"
    path.write_text(
        "# ours\n\ndashboard/12\nlook/7  # board meeting\nlookml_dashboard/shop::overview\n"
        "https://looker.example/dashboards/34?x=1\nhttps://looker.example/embed/looks/5\n"
        "https://looker.example/dashboards/shop::daily\ndashboard/12\n",
        "utf-8",
    )
    assert read_keep_list(str(path)) == [
        "dashboard/12", "look/7", "lookml_dashboard/shop::overview", "dashboard/34", "look/5",
        "lookml_dashboard/shop::daily",
    ]  # fmt: skip
    path.write_text("dashboard/1\nfolder/2\n")
    with pytest.raises(LookerError, match="line 2: folder/2 is not like dashboard/12"):
        read_keep_list(str(path))


@needs_dbt
@pytest.mark.slow
def test_kept_content_own_domains_and_one_of_two_instances(raw, html, tmp_path):
    """The variables looker_keep, looker_internal_domains and looker_instance, on Parquet."""
    names = ("content_type", "content_id", "verdict")
    found = zip(*(column(html, "content", name) for name in names), strict=True)
    kind, kept = next(one[:2] for one in found if one[2] not in ("used", "deleted"))
    gone = next(row["id"] for row in raw["looks"] if row["deleted"])
    (tmp_path / "keep.txt").write_text(f"{kind}/{kept}\nlook/{gone}\nlook/nosuch\n")
    mine = {
        stream: [{**row, "looker_instance": name} for name in ("here", "there") for row in rows]
        for stream, rows in raw.items()
    }
    mine["users"] = [row for row in mine["users"] if row["looker_instance"] == "here"] + [
        {**raw["users"][0], "id": "elsewhere", "looker_instance": "there"}
    ]
    page = tmp_path / "report.html"
    done = report(
        *(as_parquet(tmp_path / "files", mine), "--keep-list", "keep.txt", "--instance", "here"),
        *("--internal-domain", "Nobody.Example", "-o", page),
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "is not there: look/nosuch" in done.stderr
    found = page.read_text("utf-8")
    before, after = figures(html), figures(found)
    assert after["users"] == len(raw["users"])
    judged = {"content_kept", "schedules_outside", *(n for n in before if n.startswith("content_"))}
    assert {name: after[name] for name in before.keys() - judged} == {
        name: before[name] for name in before.keys() - judged
    }
    verdicts = dict(
        zip(
            zip(column(found, "content", "content_type"), column(found, "content", "content_id"),
                strict=True),
            column(found, "content", "verdict"),
            strict=True,
        )
    )  # fmt: skip
    assert verdicts[kind, kept] == "kept"
    assert verdicts["look", gone] == "deleted", "the trash is no verdict on use"
    assert after["content_kept"] == 1
    emails = defaultdict(set)
    for row in raw["scheduled_plan_destinations"]:
        if "@" in (row["address"] or ""):
            emails[row["scheduled_plan_id"]].add(row["address"])
    enabled = {row["id"] for row in raw["scheduled_plans"] if row["enabled"]}
    assert after["schedules_outside"] == len(emails.keys() & enabled)
    assert after["schedules_outside"] > before.get("schedules_outside", 0)


# ---------------------------------------------------------------------------------------- the texts


def test_json_in_a_page_cannot_end_its_script():
    text = as_json(HOSTILE)
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == HOSTILE
    assert json.loads(as_json("half \ud83d")) == "half ?"


def test_shares_are_never_rounded_to_nothing_or_all():
    assert percent(1, 1000) == "less than 1%"
    assert percent(999, 1000) == "more than 99%"
    assert [percent(0, 9), percent(9, 9), percent(1, 3)] == ["0%", "100%", "33%"]
    assert "%" not in percent(0, 0)


def test_javascript_is_that_of_the_releases():
    vendored = ROOT / "tap_looker_report" / "vendor"
    for name, package in json.loads((vendored / "versions.json").read_text()).items():
        stem = name.rpartition("/")[2]
        script = (vendored / f"{stem}.js").read_bytes()
        assert hashlib.sha256(script).hexdigest() == package["sha256"]
        assert b"</script" not in script
        assert (vendored / f"{stem}.LICENSE").read_text()


def test_tables_name_streams_that_exist():
    named = {
        one
        for table in tables.TABLES
        for need in (*table.needs, *table.helps, *(n for c in table.columns for n in c.needs))
        for one in need.split("|")
    }
    assert named <= set(STREAMS)


def test_without_its_libraries_the_command_says_how_to_install_them():
    hidden = (
        "import sys; sys.modules['dbt'] = None; from tap_looker_report.__main__ import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", hidden], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "pip install 'lookout-tap-looker[report]'" in done.stderr


def test_the_tap_does_not_need_the_report():
    for path in (ROOT / "tap_looker").rglob("*.py"):
        assert "tap_looker_report" not in path.read_text("utf-8")


# ---------------------------------------------------------------------------------------- a browser


def browse(page, *steps, **options):
    """Go through steps on a page that neither complains nor goes online: what each gave."""
    if not BROWSER_PYTHON:
        pytest.skip("BROWSER_PYTHON is not set: python3 dev.py test sets it")
    if not executable():
        hint = "there is no browser: apt-get install chromium, or brew install --cask google-chrome"
        if os.environ.get("CI"):
            pytest.fail(hint)
        pytest.skip(hint)
    done = subprocess.run(
        [BROWSER_PYTHON, ROOT / "tests" / "browser.py", page],
        input=json.dumps({**options, "steps": steps}),
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["heard"] == []
    assert [one for one in found["requests"] if not one.startswith("blob:")] == [page.as_uri()]
    return found["results"]


BDI, PLOTS = (f"[...document.querySelectorAll('{one}')]" for one in ("td bdi", ".canvas svg"))
READY = ["evaluate", "document.body.dataset.ready === ''"]
UNHARMED = [
    "evaluate",
    "window.pwned === undefined && !document.querySelector('td img, td b, td script')",
]


@needs_dbt
@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(made, scheme):
    """Contrast, names and landmarks, as axe checks them; with answers shown."""
    answer = (
        "for (const name of ['who', 'what']) {"
        " const input = document.querySelector(`#pick-${name}`);"
        " input.value = document.querySelector(`#list-${name} option`).value;"
        " input.dispatchEvent(new Event('input')) }"
    )
    ready, _, told, found, contrast = browse(
        made / "report.html",
        READY,
        ["evaluate", answer],
        ["texts", "#answer-who, #answer-what"],
        ["violations"],
        ["evaluate", "getComputedStyle(document.body).backgroundColor"],
        scheme=scheme,
    )
    assert all(told)
    assert ready
    assert found == []
    assert contrast == ("rgb(250, 249, 246)" if scheme == "light" else "rgb(19, 23, 28)")


@needs_dbt
@pytest.mark.slow
def test_hostile_texts_are_texts(made, raw):
    title = next(row["title"] for row in raw["dashboards"] if row["title"].startswith("</script>"))
    long = next(row for row in raw["dashboards"] if len(row["title"]) == 10_000)
    results = browse(
        made / "report.html",
        ["fill", "#content input[type=search]", "</script>"],
        ["texts", "#content tbody td:first-child bdi"],
        UNHARMED,
        ["fill", "#pick-what", f"{title} (dashboard"],
        ["texts", "#answer-what"],
        ["fill", "#pick-content", "</script>"],
        ["fill", "#content input[type=search]", "xxxxxxxxxxxxxxxxxxxxxxxx"],
        ["evaluate", "document.querySelector('#content tbody td bdi').textContent.length"],
        ["evaluate", "document.querySelector('#content tbody td').clientHeight"],
        ["evaluate", "document.documentElement.scrollWidth <= innerWidth"],
        ["evaluate", f"{BDI}.every((one) => getComputedStyle(one).unicodeBidi === 'isolate')"],
        ["evaluate", "!document.querySelector('option *, datalist > :not(option)')"],
        UNHARMED,
    )  # fmt: skip
    assert title in results[1]
    assert results[2] is True
    assert results[7] == len(long["title"])
    assert results[8] < 120
    assert results[9:] == [True] * 4


@needs_dbt
@pytest.mark.slow
def test_search_sort_filter_and_export(made, marts):
    rows = marts("SELECT title, runs_90d, verdict FROM looker_content_usage")
    used = sum(row["verdict"] == "used" for row in rows)
    header = "#content thead th:nth-child(5)"
    results = browse(
        made / "report.html",
        ["click", f"{header} .dt-column-order"],
        ["evaluate", f"document.querySelector('{header}').getAttribute('aria-sort')"],
        ["texts", "#content tbody td:nth-child(5)"],
        ["press", f"{header} [role=button]", "Enter"],
        ["evaluate", f"document.querySelector('{header}').getAttribute('aria-sort')"],
        ["texts", "#content tbody td:nth-child(5)"],
        ["select", "#filter-content", "used"],
        ["texts", "#content .dt-info"],
        ["download", "#content .dt-buttons button"],
        ["select", "#filter-content", ""],
        ["download", "#content .dt-buttons button"],
        ["fill", "#content input[type=search]", "no such title anywhere"],
        ["texts", "#content tbody"],
    )
    assert results[1] == "descending"
    runs = sorted((row["runs_90d"] for row in rows), reverse=True)
    assert [int(text.replace(",", "")) for text in results[2]] == runs[:10]
    assert results[4] == "ascending"
    assert [int(text.replace(",", "")) for text in results[5]] == runs[::-1][:10]
    assert f"of {used} (of {len(rows)})" in results[7][0]
    assert len(parsed(results[8])) == used
    exported = parsed(results[10])
    assert results[10].startswith("\ufeff")
    assert len(exported) == len(rows)
    plain = [row["title"].replace("\0", "") for row in rows]
    assert sorted(row["Title"].removeprefix("'") for row in exported) == sorted(plain)
    for row in exported:
        for text in row.values():
            assert not re.match(r"[=+\-@\t\r]", text), text
    assert any(row["Title"] == "'@SUM(A1:A9)" for row in exported)
    assert any("植物" in row["Title"] for row in exported)
    assert "Nothing matches." in results[12][0]


def parsed(text):
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@needs_dbt
@pytest.mark.slow
def test_every_table_can_be_exported(made):
    tables_shown, exports = browse(
        made / "report.html",
        ["evaluate", "document.querySelectorAll('[data-table] table').length"],
        ["evaluate", "document.querySelectorAll('[data-table] .dt-buttons button').length"],
    )
    assert tables_shown == exports == len(tables.TABLES) + 1  # and that of streams


@needs_dbt
@pytest.mark.slow
def test_who_sees_what_and_what_is_behind_it(made, marts):
    """Answers of the page, beside the marts."""
    (folder,) = marts(
        "SELECT folder_id, min(folder_path) AS path, count(*) AS users FROM looker_folder_access "
        "GROUP BY folder_id ORDER BY users DESC, folder_id LIMIT 1"
    )
    (user,) = marts(
        "SELECT user_id, any_value(user_email) AS email, count(*) AS folders, "
        "sum((level = 'edit')::int) AS edits FROM looker_folder_access "
        "WHERE user_email IS NOT NULL "
        "GROUP BY user_id ORDER BY folders, user_id LIMIT 1"
    )
    (table,) = marts(
        "SELECT table_name, count(DISTINCT content_key) FILTER (content_type <> 'look') AS "
        "dashboards, count(DISTINCT content_key) FILTER (content_type = 'look') AS looks "
        "FROM looker_lineage WHERE table_name IS NOT NULL GROUP BY table_name "
        "ORDER BY dashboards DESC, table_name LIMIT 1"
    )
    results = browse(
        made / "report.html",
        ["fill", "#pick-what", f"(folder {folder['folder_id']})"],
        ["texts", "#answer-what"],
        ["texts", "[data-answer=what] .dt-info"],
        ["fill", "#pick-who", f"({user['email']}, {user['user_id']})"],
        ["texts", "#answer-who"],
        ["fill", "#pick-table", table["table_name"]],
        ["texts", "#answer-lineage"],
        ["fill", "#pick-table", ""],
        ["texts", "#lineage .dt-info"],
    )
    assert results[1][0].startswith(f"{folder['users']} users may open")
    assert results[2][0].endswith(f"of {folder['users']}")
    assert f"may open {user['folders']} folder" in results[4][0]
    assert f"edit what is in {user['edits']} of them" in results[4][0]
    dashboards, looks = table["dashboards"], table["looks"]
    assert re.match(rf"{dashboards} dashboards? and {looks} looks? read ", results[6][0])
    assert "(of" not in results[8][0]


@needs_dbt
@pytest.mark.slow
@pytest.mark.parametrize("page", ["all", "bare"])
def test_it_fits_a_phone(page, made, bare, tmp_path):
    path = made / "report.html"
    if page == "bare":
        path = tmp_path / "bare.html"
        path.write_text(bare, "utf-8")
    ready, width, plots = browse(
        path,
        READY,
        ["evaluate", "document.documentElement.scrollWidth"],
        ["evaluate", f"Math.max(0, ...{PLOTS}.map((one) => one.getBoundingClientRect().width))"],
        width=360,
    )  # fmt: skip
    assert ready
    assert width <= 360
    assert plots <= 360


@needs_dbt
@pytest.mark.slow
def test_colors_by_hand_and_on_paper(made):
    results = browse(
        made / "report.html",
        ["click", "#theme"],
        ["evaluate", "getComputedStyle(document.body).backgroundColor"],
        ["texts", "#theme"],
        ["media", "print"],
        ["evaluate", "getComputedStyle(document.body).backgroundColor"],
        ["evaluate", "getComputedStyle(document.querySelector('.page > nav')).display"],
        ["evaluate", "document.querySelector('main a[data-filter]').click()"],
        ["evaluate", "document.querySelector('#filter-content').value"],
        ["evaluate", "document.querySelector('a[data-sort^=schedules]').click()"],
        ["evaluate", "document.querySelector('#schedules [aria-sort=descending]').textContent"],
    )
    assert results[1] == "rgb(19, 23, 28)"
    assert results[2] == ["Light colors"]
    assert results[4] == "rgb(255, 255, 255)"
    assert results[5] == "none"
    assert results[7]
    assert "Failures" in results[9]


# ------------------------------------------------------------------------- an instance made by hand


def crafted_page(folder, others):
    """The page of what is easily miscounted, and of so many other dashboards."""
    board = {
        "folder_id": "1",
        "user_id": "2",
        "created_at": "2020-01-01T00:00:00Z",
        "deleted": False,
    }
    reading = [str(place) for place in range(300)]
    ran = {
        "history_created_time": "2026-11-20T12:00:00Z", "history_source": "dashboard",
        "history_status": "complete", "history_result_source": "query", "user_id": "2",
        "query_model": "m", "query_view": "e", "history_connection_name": "c",
    }  # fmt: skip
    seconds = [*[1.0] * 20, 40.0, 50.0, 60.0, 20_000.0, None]
    jobs = [("1", "failure"), ("1", "success"), *[("2", "failure")] * 5, ("3", "success")]
    addresses = {"1": "a@away.example", "2": "b@away.example", "3": "c@here.example"}
    rows = {
        "users": [
            {"id": "1", "display_name": "Ann", "email": "ann@here.example", "is_disabled": False},
            {"id": "2", "display_name": "Bob", "email": "bob@here.example", "is_disabled": False},
            {"id": "3", "display_name": "Cat", "email": "cat@here.example", "is_disabled": False},
            {"id": "4", "display_name": "Dan", "email": "dan@here.example", "is_disabled": True},
        ],
        "roles": [
            {"id": "1", "name": "Admin", "permission_set_id": "1", "model_set_id": "1"},
            {"id": "2", "name": "Viewer", "permission_set_id": "2", "model_set_id": "2"},
            {"id": "3", "name": "Data only", "permission_set_id": "3", "model_set_id": "2"},
        ],
        "user_roles": [{"user_id": one, "role_id": one} for one in "123"],
        "model_sets": [{"id": "1", "name": "none"}, {"id": "2", "name": "m"}],
        "model_set_models": [{"model_set_id": "2", "model_name": "m"}],
        "permission_sets": [{"id": one, "name": one, "all_access": False} for one in "123"],
        "permission_set_permissions": [
            {"permission_set_id": place, "permission": permission}
            for place, permission in (
                *(("1", "administer"), ("2", "access_data"), ("2", "see_user_dashboards")),
                *(("2", "see_lookml_dashboards"), ("3", "access_data"), ("3", "see_looks")),
            )
        ],
        "folders": [{"id": "1", "name": "Shared", "path": "Shared", "content_metadata_id": "1"}],
        "content_metadata": [{"id": "1", "inherits": False}],
        "content_metadata_access": [
            {"id": one, "content_metadata_id": "1", "permission_type": "view", "user_id": one}
            for one in "23"
        ],
        "dashboards": [
            *({**board, "id": one, "title": f"Reading {int(one):04}"} for one in reading),
            *({**board, "id": f"o{place}", "title": f"Other {place}"} for place in range(others)),
            *({**board, "id": f"d{place}", "title": "Dan's", "user_id": "4",
               "deleted": place > 2} for place in range(5)),
        ],
        "looks": [{**board, "id": "7", "title": "A look"}],
        "lookml_dashboards": [{"id": "m::sales", "title": "Sales", "folder_id": "1", "model": "m"}],
        "dashboard_element_queries": [
            {"dashboard_id": one, "dashboard_element_id": f"t{one}", "via": "query",
             "query_id": f"q{one}"} for one in reading
        ],
        "queries": [{"id": f"q{one}", "model": "m", "view": "e"} for one in reading],
        "query_fields": [
            {"query_id": f"q{one}", "place": "field", "field": f"v{view}.a", "model": "m",
             "explore": "e", "is_custom": False} for one in reading for view in range(80)
        ],
        "explores": [{"id": "m::e", "model_name": "m", "name": "e", "view_name": "v0",
                      "sql_table_name": "db.v0", "connection_name": "c"}],
        "explore_joins": [
            {"explore_id": "m::e", "model_name": "m", "explore_name": "e", "name": f"v{view}",
             "sql_table_name": f"db.v{view}"} for view in range(1, 80)
        ],
        "system_activity_history": [
            {**ran, "history_id": place, "history_runtime": runtime, "query_id": place,
             "history_dashboard_id": "299"} for place, runtime in enumerate(seconds)
        ] + [{**ran, "history_id": 900, "history_runtime": None, "query_id": 900,
              "query_view": "unmeasured"}],
        "scheduled_plans": [
            {"id": one, "name": f"Plan {one}", "dashboard_id": one, "enabled": one != "2",
             "user_id": "2"} for one in "123"
        ],
        "scheduled_plan_destinations": [
            {"scheduled_plan_id": one, "id": one, "type": "email", "address": address}
            for one, address in addresses.items()
        ],
        "system_activity_scheduled_jobs": [
            {"scheduled_job_id": place, "scheduled_plan_id": plan, "scheduled_job_status": status,
             "scheduled_job_created_time": f"2026-11-{10 + place}T00:00:00Z"}
            for place, (plan, status) in enumerate(jobs)
        ],
        "system_activity_pdt_builds": [
            {"pdt_builds_connection": one, "pdt_builds_model_name": "m",
             "pdt_builds_tid": str(place), "pdt_builds_view_name": "facts",
             "pdt_builds_elapsed_seconds": 1.0,
             "pdt_builds_build_result": result,
             "pdt_builds_start_time": f"2026-11-1{place}T00:00:00Z"}
            for place, (one, result) in enumerate([("c", "success"), ("d", "failure")])
        ],
    }  # fmt: skip
    reported(write(folder / "files", rows), folder=folder)
    return folder / "report.html"


@pytest.fixture(scope="module")
def crafted(tmp_path_factory):
    return crafted_page(tmp_path_factory.mktemp("crafted"), 0)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """More content than tables hold."""
    return crafted_page(tmp_path_factory.mktemp("large"), 20_000)


@needs_dbt
@pytest.mark.slow
def test_answers_and_plots_are_of_all_rows_even_if_tables_are_cut(large):
    found = data_of(large.read_text("utf-8"))["tables"]
    assert found["lineage"]["cut"]
    assert found["content"]["cut"]
    results = browse(
        large,
        ["fill", "#pick-table", "db.v7"],
        ["texts", "#answer-lineage"],
        ["fill", "#pick-content", "Reading 0299"],
        ["texts", "#answer-lineage"],
        ["fill", "#pick-what", "Reading 0299"],
        ["texts", "#answer-what"],
        ["evaluate", "document.querySelector('[data-plot=verdicts] svg').ariaLabel"],
        ["evaluate", "document.querySelector('[data-plot=busiest] svg').ariaLabel"],
    )
    assert results[1][0].startswith("300 dashboards and 0 looks read db.v7")
    assert results[3][0].startswith("Reading 0299 reads 80 tables through 1 explore")
    assert all("holds only the first 20,000 rows" in results[place][0] for place in (1, 3))
    assert "may open Reading 0299" in results[5][0]
    assert "It shows data of the model m" in results[5][0]
    assert re.search(r"\bused 1\b", results[6])
    assert "Reading 0299" in results[7]


@needs_dbt
@pytest.mark.slow
def test_answers_say_so_where_not_even_they_are_of_all_rows(crafted, tmp_path):
    page = tmp_path / "cut.html"
    html = crafted.read_text("utf-8")
    assert html.count('"pathsCut":0') == 1
    page.write_text(html.replace('"pathsCut":0', '"pathsCut":1000'), "utf-8")
    results = browse(
        page,
        ["fill", "#pick-table", "db.v7"],
        ["texts", "#answer-lineage"],
        ["fill", "#pick-what", "Reading 0299"],
        ["texts", "#answer-what"],
    )
    assert "there may be more" in results[1][0]
    assert "there may be more" in results[3][0]


@needs_dbt
@pytest.mark.slow
def test_what_is_not_known_is_empty_in_a_file(crafted):
    performance, schedules = browse(
        crafted,
        ["download", "#performance [data-table=performance] .dt-buttons button"],
        ["download", "[data-table=schedules] .dt-buttons button"],
    )
    (unmeasured,) = (row for row in parsed(performance) if row["What"] == "m::unmeasured")
    assert unmeasured["Average (seconds)"] == unmeasured["Longest (seconds)"] == ""
    assert unmeasured["Queries"] == "1"
    for row in (*parsed(performance), *parsed(schedules)):
        assert not {"-1", "'-1"} & set(row.values())


@needs_dbt
@pytest.mark.slow
def test_both_answers_on_access_go_by_one_rule(crafted):
    """Ann administers without models; Bob and Cat see the folder, and dashboards or looks."""
    people = ("Ann", "Bob", "Cat", "Dan")
    content = ("Reading 0001", "A look", "Sales")
    names = "[data-answer=what] tbody td:first-child"
    steps = [
        step
        for title in content
        for step in (["fill", "#pick-what", title], ["texts", names])
    ] + [
        step for name in people for step in (["fill", "#pick-who", name], ["texts", "#answer-who"])
    ]  # fmt: skip
    results = browse(crafted, *steps)
    sees = dict(zip(content, map(set, results[1:6:2]), strict=True))
    assert sees == {
        "Reading 0001": {"Ann", "Bob"},
        "A look": {"Ann", "Cat"},
        "Sales": {"Ann", "Bob"},
    }
    for place, name in enumerate(people):
        (text,) = results[7 + 2 * place]
        folders, _, lookml = text.partition(" LookML dashboard")
        dashboards, looks = re.search(
            r"with ([\d,]+) dashboards? and ([\d,]+) look", folders
        ).groups()
        assert dashboards == ("303" if name in sees["Reading 0001"] else "0"), text
        assert looks == ("1" if name in sees["A look"] else "0"), text
        assert bool(lookml) == (name in sees["Sales"]), text


@needs_dbt
@pytest.mark.slow
def test_links_of_the_overview_show_the_rows_that_are_counted(crafted):
    html = crafted.read_text("utf-8")
    shown = {
        name: f"[data-table={table}] .dt-info"
        for name, table in {
            "content_unknown": "content",
            "content_in_trash": "content",
            "content_of_disabled": "content",
            "schedules_that_failed": "schedules",
            "schedules_outside": "schedules",
            "pdts_failing": "pdts",
        }.items()
    }
    link = "[...document.querySelectorAll('.todo li')].find((one) => one.querySelector('.big data')?.dataset.figure === '{}').querySelector('a').click()"  # noqa: E501
    slow = "[data-table=performance] tbody td:nth-child(%d)"
    results = browse(
        crafted,
        ["fill", "[data-table=content] input[type=search]", "nothing like it"],
        *(step for name, info in shown.items()
          for step in (["evaluate", link.format(name)], ["texts", info])),
        ["evaluate", link.format("slow_queries")],
        ["texts", slow % 2],
        ["texts", slow % 8],
        ["texts", "[data-table=schedules] tbody td:first-child"],
        ["texts", ".todo li:has([data-figure=schedules_that_failed])"],
        ["texts", ".todo li:has([data-figure=pdts_failing])"],
        ["select", "#filter-content", ""],
        ["texts", "[data-table=content] .dt-info"],
    )  # fmt: skip
    found = figures(html)
    assert found["content_of_disabled"] == 3
    assert found["schedules_that_failed"] == found["schedules_outside"] == 1
    assert found["slow_queries"] == 4
    for (name, _), (info,) in zip(shown.items(), results[2:13:2], strict=True):
        count = int(re.search(r"of ([\d,]+)", info)[1].replace(",", ""))
        assert count == found[name], (name, info)
    kinds, slow_ones, plans, failed, pdts = (results[place] for place in range(14, 19))
    assert set(kinds) == {"explore"}
    assert sum(map(int, slow_ones)) == found["slow_queries"]
    assert plans == ["Plan 1"]
    assert "1 of their 2 deliveries" in failed[0] or "1 of its 2 deliveries" in failed[0]
    assert "Plan 1" in failed[0]
    assert "facts of the connection d" in pdts[0]
    assert "(of" not in results[20][0]


def test_a_link_to_a_page_stays_one(tmp_path):
    target, link = tmp_path / "real.html", tmp_path / "link.html"
    link.symlink_to(target)
    for text in ("first", "second"):
        write_page(text, link)
        assert link.is_symlink()
        assert target.read_text("utf-8") == text
    assert sorted(tmp_path.iterdir()) == [link, target]


@needs_dbt
@pytest.mark.slow
def test_a_history_alone_makes_whole_sentences(raw, tmp_path):
    rows = {"system_activity_history": raw["system_activity_history"]}
    html = reported(write(tmp_path / "files", rows), folder=tmp_path)
    text = " ".join(re.sub(r"<[^>]+>", "", html.partition("<script")[0]).split())
    assert re.search(r"(people|person) ran queries\. Of [\d,]+ queries", text)
    assert "1 stream, listed under" in text
    assert re.search(r"1 of the \d+ streams that this report can use was there", text)
    assert "\u2013." not in text
