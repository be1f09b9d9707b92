"""The examples under the engines that they are for: Dagster, Airflow; and as far as files tell."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from collections import Counter, defaultdict
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from test_examples import (
    EXAMPLES,
    FEW,
    GROUPS,
    HISTORY,
    NOW,
    Place,
    busy,
    copied,
    needs_postgres,
    wait_for,
)

ROOT = Path(__file__).parents[1]
DAGSTER = os.environ.get("DAGSTER", "")
AIRFLOW = os.environ.get("AIRFLOW", "")


def output_of(*command, cwd, env, seconds=280):
    """What a command that succeeds prints."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={name: value for name, value in env.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def loaded(place):
    """How many rows of each instance each table has."""
    return {
        table: Counter(re.findall(r'"looker_instance":"(\w+)"', "\n".join(rows)))
        for table, rows in place.rows().items()
    }


# ----------------------------------------------------------------------------------------- Dagster

RUNS = """
import json
import dagster as dg
with dg.DagsterInstance.get() as instance:
    print(json.dumps([
        (one.dagster_run.status.value, one.dagster_run.tags.get("dagster/partition/instance"),
         one.start_time, one.end_time)
        for one in instance.get_run_records()
    ]))
"""


TICK = """
from datetime import UTC, datetime
import dagster as dg, definitions
known = definitions.defs.get_repository_def()
context = dg.build_schedule_context(
    repository_def=known, scheduled_execution_time=datetime(2026, 11, 26, 3, tzinfo=UTC)
)
tick = known.get_schedule_def("every_night").evaluate_tick(context)
print(sorted(one.partition_key for one in tick.run_requests))
"""


@pytest.mark.slow
@pytest.mark.skipif(not DAGSTER, reason="DAGSTER is not set: python3 dev.py test sets it")
def test_dagster_reads_the_last_day_of_each_instance_every_night(tmp_path):
    copied(tmp_path, "dagster/definitions.py")
    env = {**os.environ, "LOOKER_INSTANCES": "eu,us", "DAGSTER_HOME": str(tmp_path)}
    python = Path(DAGSTER).with_name("python")
    found = output_of(python, "-W", "ignore", "-c", TICK, cwd=tmp_path, env=env)
    assert found.strip() == "['2026-11-25|eu', '2026-11-25|us']"


@pytest.mark.slow
@needs_postgres
@pytest.mark.skipif(not DAGSTER, reason="DAGSTER is not set: python3 dev.py test sets it")
def test_dagster_back_fills_two_instances(postgres_port, tmp_path):
    """Partitions of days and instances, in runs that dagster.yaml keeps apart for each instance."""
    place = Place(postgres_port, "dagster", tmp_path)
    project, home = tmp_path / "project", tmp_path / "home"
    copied(project, "dagster/definitions.py")
    home.mkdir()
    shutil.copy(EXAMPLES / "dagster" / "dagster.yaml", home)
    binaries = Path(DAGSTER).parent
    days = [f"{NOW - timedelta(days=back):%Y-%m-%d}" for back in (2, 1)]
    with busy(0.2, rows=9_000) as eu, busy(0.3, rows=6_000) as us:
        instances = {"eu": eu, "us": us}
        env = place.environment(eu) | {"DAGSTER_HOME": str(home), "LOOKER_INSTANCES": "eu,us"}
        env = {name: value for name, value in env.items() if not name.startswith("TAP_LOOKER_")}
        del env["UNIT_STATES"]
        for name, one in instances.items():
            env |= {
                f"LOOKER_{name.upper()}_API_HOST_URL": one.url,
                f"LOOKER_{name.upper()}_CLIENT_ID": one.client_id,
                f"LOOKER_{name.upper()}_CLIENT_SECRET": one.client_secret,
            }

        def dagster(*arguments):
            return output_of(DAGSTER, *arguments, "-f", "definitions.py", cwd=project, env=env)

        # The first of them makes the tables.
        dagster("job", "execute", "-j", "looker", "--tags", partition_tags(days[-1], "eu"))
        keys = ",".join(f"{day}|{name}" for day in days for name in instances)
        daemon = subprocess.Popen(
            [binaries / "dagster-daemon", "run", "-f", "definitions.py"],
            cwd=project,
            env={name: value for name, value in env.items() if name != "PYTHONPATH"},
            stdout=(tmp_path / "daemon.log").open("w"),
            stderr=subprocess.STDOUT,
        )
        try:
            dagster("job", "backfill", "--noprompt", "-j", "looker", "--partitions", keys)

            def runs():
                python = binaries / "python"
                return json.loads(output_of(python, "-c", RUNS, cwd=project, env=env))

            wait_for(
                lambda: (
                    [one[0] for one in runs()].count("SUCCESS") == 5 or "FAILURE" in str(runs())
                ),
                seconds=240,
            )
        finally:
            daemon.send_signal(signal.SIGINT)
            daemon.wait(60)
        found = runs()
        assert {status for status, *_ in found} == {"SUCCESS"}, (
            tmp_path / "daemon.log"
        ).read_text()
        of = defaultdict(list)
        for _, name, start, end in found:
            of[name].append((start, end))
        assert {name: len(spans) for name, spans in of.items()} == {"eu": 3, "us": 2}
        for spans in map(sorted, of.values()):
            assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))
        assert {one.activity.max_in_flight for one in instances.values()} == {1}
        rows = loaded(place)
        assert {table for table, found in rows.items() if found.keys() == {"eu", "us"}} == {
            *",".join(FEW.values()).split(",")
        }
        for name, one in instances.items():
            (expected,) = one.sql(
                f"SELECT count(*) FROM sa_history WHERE created >= '{days[0]}'"
                f" AND created < '{NOW:%Y-%m-%d}'"
            )
            assert rows[HISTORY][name] == expected[0] > 0
        # What there is now was read for the last day alone.
        assert us.count("/users/search") == 1


def partition_tags(day, instance):
    """What a run of one partition has."""
    return json.dumps(
        {
            "dagster/partition": f"{day}|{instance}",
            "dagster/partition/day": day,
            "dagster/partition/instance": instance,
        }
    )


# ----------------------------------------------------------------------------------------- Airflow

TRY = """
import sys
sys.path.insert(0, "dags")
import looker
found = {
    "pools": {
        dag.dag_id: sorted({(one.task_id, one.pool) for one in dag.tasks})
        for dag in vars(looker).values() if isinstance(dag, looker.DAG)
    },
    "states": [
        str(looker.nightly.test().state.value),
        str(looker.looker_backfill_eu.test(
            run_conf={"start": "2026-01-15", "end": sys.argv[1]}).state.value),
    ],
}
import json
print("\\n" + json.dumps(found))
"""


@pytest.mark.slow
@needs_postgres
@pytest.mark.skipif(not AIRFLOW, reason="AIRFLOW is not set: python3 dev.py test sets it")
def test_airflow_runs_its_dags(postgres_port, tmp_path):
    place = Place(postgres_port, "airflow", tmp_path)
    copied(tmp_path / "dags", "airflow/looker.py")
    with busy(0.2) as eu, busy(0.3, rows=900) as us:
        connections = {
            f"AIRFLOW_CONN_LOOKER_{name}": json.dumps(
                {
                    "conn_type": "http",
                    "host": one.url,
                    "login": one.client_id,
                    "password": one.client_secret,
                }
            )
            for name, one in (("EU", eu), ("US", us))
        }
        env = place.environment(eu) | connections
        env = {name: value for name, value in env.items() if not name.startswith("TAP_LOOKER_")}
        env |= {
            "AIRFLOW_HOME": str(tmp_path),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
            "LOOKER_INSTANCES": "eu,us",
        }
        output_of(AIRFLOW, "db", "migrate", cwd=tmp_path, env=env)
        python = Path(AIRFLOW).with_name("python")
        output = output_of(
            python, "-c", TRY, f"{NOW + timedelta(days=1):%Y-%m-%d}", cwd=tmp_path, env=env
        )
        found = json.loads(output.splitlines()[-1])
        assert eu.client_secret not in output
        assert found["states"] == ["success", "success"]
        assert found["pools"] == {
            "looker": [["load_eu", "looker_eu"], ["load_us", "looker_us"]],
            "looker_backfill_eu": [["load_eu", "looker_eu"], ["windows", "default_pool"]],
            "looker_backfill_us": [["load_us", "looker_us"], ["windows", "default_pool"]],
        }
        assert {path.name for path in place.states.iterdir()} == {
            f"{name}-{group}.json" for name in ("eu", "us") for group in GROUPS
        }
        rows = loaded(place)
        assert all(found.keys() == {"eu", "us"} for found in rows.values())
        (expected,) = eu.sql("SELECT count(*) FROM sa_history WHERE created >= '2026-01-15'")
        assert rows[HISTORY]["eu"] == expected[0]
        assert rows[HISTORY]["us"] < rows[HISTORY]["eu"], "the nights begin 90 days back"


# ----------------------------------------------------------------- Kubernetes, GitHub Actions, cron


def documents(path):
    """The documents of a file of Kubernetes."""
    return list(yaml.safe_load_all((EXAMPLES / "kubernetes" / path).read_text("utf-8")))


def test_kubernetes_runs_one_unit_of_an_instance_at_a_time():
    """The fields that matter: nothing here can ask a cluster."""
    config, claim, cron = documents("looker-eu.yaml")
    assert [one["kind"] for one in (config, claim, cron)] == [
        "ConfigMap",
        "PersistentVolumeClaim",
        "CronJob",
    ]
    assert cron["apiVersion"] == "batch/v1"
    assert cron["spec"]["concurrencyPolicy"] == "Forbid"
    (job,) = documents("backfill-eu.yaml")
    assert job["spec"]["parallelism"] == 1
    nightly, backfill = (
        cron["spec"]["jobTemplate"]["spec"]["template"]["spec"],
        (job["spec"]["template"]["spec"]),
    )
    for pod in (nightly, backfill):
        (container,) = pod["containers"]
        assert container["envFrom"] == [
            {"configMapRef": {"name": "looker-eu"}},
            {"secretRef": {"name": "looker-eu"}},
        ]
        assert pod["restartPolicy"] == "Never"
        assert pod["securityContext"]["runAsNonRoot"] is True
    assert nightly["containers"][0]["args"] == GROUPS
    (mount,) = nightly["containers"][0]["volumeMounts"]
    assert config["data"]["UNIT_STATES"] == mount["mountPath"]
    (volume,) = nightly["volumes"]
    assert volume["name"] == mount["name"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert "volumes" not in backfill, "the states are out of reach"
    assert all(isinstance(value, str) for value in config["data"].values())


@pytest.mark.skipif(not shutil.which("bash"), reason="a script for Bash")
def test_the_windows_of_the_job_touch():
    (job,) = documents("backfill-eu.yaml")
    (text,) = job["spec"]["template"]["spec"]["containers"][0]["args"]
    found = []
    for index in range(job["spec"]["completions"]):
        printing = text.replace("exec python", "echo")
        env = {**os.environ, "JOB_COMPLETION_INDEX": str(index)}
        done = subprocess.run(
            ["bash", "-uc", printing], env=env, check=True, capture_output=True, text=True
        )
        _, group, option, *window = shlex.split(done.stdout)
        assert (group, option) == ("activity", "--window")
        found.append(window)
    assert all(one[1] == other[0] for one, other in itertools.pairwise(found))
    assert all(start < end for start, end in found)


def test_github_actions_keeps_the_state_and_runs_one_job_of_an_instance():
    workflow = yaml.safe_load((EXAMPLES / "github-actions" / "looker.yml").read_text("utf-8"))
    job = workflow["jobs"]["load"]
    assert workflow["permissions"] == {}
    assert job["permissions"] == {"contents": "read"}
    assert "matrix.instance" in job["concurrency"]["group"]
    assert job["concurrency"]["cancel-in-progress"] is False
    assert not job["strategy"]["fail-fast"]
    steps = {step.get("name"): step for step in job["steps"]}
    restore, save = steps["The state of the last run"], steps["Keep the state"]
    load = steps["Load"]
    assert restore["with"]["path"] == save["with"]["path"] == load["env"]["UNIT_STATES"]
    assert restore["with"]["key"] == save["with"]["key"]
    assert "github.run_id" in save["with"]["key"]
    assert save["with"]["key"].startswith(restore["with"]["restore-keys"])
    assert "always()" in save["if"]
    assert all("!inputs.start" in step["if"] for step in (restore, save)), "not for a back-fill"
    assert " ".join(GROUPS) in load["run"]
    assert "${{" not in load["run"]
    for step in job["steps"]:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step.get("uses", f"a@{40 * '0'}"))


def test_cron_runs_each_instance_under_its_own_lock():
    text = (EXAMPLES / "cron" / "looker.cron").read_text("utf-8")
    lines = [line for line in text.splitlines() if line[:1].isdigit()]
    for line, name in zip(lines, ("eu", "us"), strict=True):
        assert f"/opt/looker/looker.sh {name} {' '.join(GROUPS)} >" in line
        assert "%" not in line, "which cron takes for the end of the line"
    assert '"$instance.lock"' in (EXAMPLES / "cron" / "looker.sh").read_text("utf-8")


def test_no_secret_is_in_a_file():
    for path in EXAMPLES.rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            for name, value in re.findall(
                r"(\w*(?:SECRET|PASSWORD|CLIENT_ID))\b[\"']?\s*[:=]\s*(\S+)",
                path.read_text("utf-8"),
            ):
                assert re.match(r"['\"]?(…|\$\{\{|of_instance)", value), f"{path.name}: {name}"
