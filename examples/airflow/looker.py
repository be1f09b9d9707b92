"""Looker in Airflow 3: a DAG for every night, and one for each instance to back-fill it.

A task for each instance is mapped over the groups of streams, or over the windows of a back-fill.
All tasks of an instance share a pool with one slot.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from airflow.sdk import DAG, Connection, Param, task

sys.path.append(str(Path(__file__).parent))
import looker_unit

INSTANCES = os.environ["LOOKER_INSTANCES"].split(",")  # such as eu,us
ARGUMENTS = {"retries": 2, "retry_delay": timedelta(minutes=10)}


def connection(instance: str) -> str:
    """The name of the connection to an instance, and of its pool."""
    return f"looker_{instance}"


@task(execution_timeout=timedelta(hours=6))
def load(instance: str, group: str, window: tuple[str, str] | None = None) -> None:
    """One unit: the address is in the connection's host, the API key in login and password."""
    of_instance = Connection.get(connection(instance))
    environment = {
        **os.environ,
        "TAP_LOOKER_INSTANCE": instance,
        "TAP_LOOKER_API_HOST_URL": of_instance.host,
        "TAP_LOOKER_CLIENT_ID": of_instance.login,
        "TAP_LOOKER_CLIENT_SECRET": of_instance.password,
    }
    stdout = 1  # Airflow takes each line of stderr for an error
    if code := looker_unit.run(group, window, environment, stdout):
        raise RuntimeError(f"Exit code {code}: what went wrong is in the log above.")


@task
def windows(params: dict[str, str]) -> list[tuple[str, str]]:
    """The months from a start up to an end."""
    start, end = (datetime.fromisoformat(params[name]) for name in ("start", "end"))
    if start >= end:
        raise ValueError(f"{params['start']} to {params['end']} is no window")
    bounds = [start]
    while bounds[-1] < end:
        next_month = (bounds[-1].replace(day=1) + timedelta(days=32)).replace(day=1)
        bounds.append(min(next_month, end))
    return [(one.isoformat(), other.isoformat()) for one, other in pairwise(bounds)]


def tasks_of(instance: str):
    """The mapped task of an instance."""
    return load.override(task_id=f"load_{instance}", pool=connection(instance))


with DAG(
    "looker",
    schedule="0 3 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args=ARGUMENTS,
) as nightly:
    for instance in INSTANCES:
        tasks_of(instance).partial(instance=instance).expand(group=list(looker_unit.GROUPS))

for instance in INSTANCES:
    with DAG(
        f"looker_backfill_{instance}",
        schedule=None,
        default_args=ARGUMENTS,
        params={name: Param(type="string", format="date") for name in ("start", "end")},
    ) as backfill:
        tasks_of(instance).partial(instance=instance, group="activity").expand(window=windows())
    globals()[backfill.dag_id] = backfill
