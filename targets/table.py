"""The targets: how each is set, and how what it has loaded is read back."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb

from targets import postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Row = dict[str, Any]
Tables = dict[str, list[Row]]

SCHEMA = "looker"
DELETED = "_sdc_deleted_at"


@dataclass(frozen=True)
class Place:
    """Where a target loads to.

    Attributes:
        folder: An empty one.
        port: Of a Postgres server; 0 where none is needed.
    """

    folder: Path
    port: int = 0


@dataclass(frozen=True)
class Target:
    """A target with its settings.

    Attributes:
        key: How the command line names it.
        packages: What pip installs, the target first.
        executable: Its command.
        setting: What matters of the settings, for the documentation.
        settings: All of them, for a place.
        read: The rows of each table.
        needs_postgres: It loads into a server.
    """

    key: str
    packages: tuple[str, ...]
    executable: str
    setting: str
    settings: Callable[[Place], dict[str, Any]]
    read: Callable[[Place], Tables]
    needs_postgres: bool = False


def _postgres(place: Place, **settings: Any) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": place.port,
        "user": "postgres",
        "password": "none",
        "database": "postgres",
        "default_target_schema": SCHEMA,
        "validate_records": False,
        "use_copy": True,
        **settings,
    }


def _in_postgres(place: Place) -> Tables:
    names = postgres.lines(
        place.port,
        f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{SCHEMA}'",
    )
    found: Tables = {name: [] for name in names}
    statement = " UNION ALL ".join(
        f'SELECT \'{name} \' || row_to_json("the row") FROM {SCHEMA}."{name}" AS "the row"'
        for name in names
    )
    for line in postgres.lines(place.port, statement):
        name, _, row = line.partition(" ")
        found[name].append(json.loads(row, parse_float=Decimal))
    return found


def _in_duckdb(place: Place) -> Tables:
    with duckdb.connect(str(place.folder / "warehouse.duckdb"), read_only=True) as connection:
        names = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = ?", [SCHEMA]
        ).fetchall()
        found: Tables = {}
        for (name,) in names:
            cursor = connection.execute(f'SELECT * FROM {SCHEMA}."{name}"')
            columns = [column[0] for column in cursor.description or ()]
            found[name] = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
        return found


def _in_json_lines(place: Place) -> Tables:
    return {
        path.stem: [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for path in place.folder.glob("*.jsonl")
    }


def _in_csv(place: Place) -> Tables:
    def rows(path: Path) -> Iterator[Row]:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield {name: value or None for name, value in row.items()}

    csv.field_size_limit(2**31 - 1)
    return {path.stem: list(rows(path)) for path in place.folder.glob("*.csv")}


TARGETS = (
    Target(
        key="postgres",
        packages=("meltanolabs-target-postgres==0.8.1",),
        executable="target-postgres",
        setting="`validate_records: false`, `use_copy: true`, `hard_delete: true`",
        settings=lambda place: _postgres(place, hard_delete=True),
        read=_in_postgres,
        needs_postgres=True,
    ),
    Target(
        key="postgres-soft",
        packages=("meltanolabs-target-postgres==0.8.1",),
        executable="target-postgres",
        setting="`validate_records: false`, `use_copy: true`",
        settings=_postgres,
        read=_in_postgres,
        needs_postgres=True,
    ),
    Target(
        key="duckdb",
        # With a newer DuckDB it loses the first row of every table.
        packages=("target-duckdb==0.8.0", "duckdb==1.2.2"),
        executable="target-duckdb",
        setting="`add_metadata_columns: true`, and `duckdb==1.2.2` beside it",
        settings=lambda place: {
            "filepath": str(place.folder / "warehouse.duckdb"),
            "default_target_schema": SCHEMA,
            "add_metadata_columns": True,
        },
        read=_in_duckdb,
    ),
    Target(
        key="jsonl",
        packages=("target-jsonl==0.1.4",),
        executable="target-jsonl",
        setting="",
        settings=lambda place: {
            "destination_path": str(place.folder),
            "do_timestamp_file": False,
        },
        read=_in_json_lines,
    ),
    Target(
        key="csv",
        packages=("meltanolabs-target-csv==0.5.0",),
        executable="target-csv",
        setting="",
        settings=lambda place: {"output_path_prefix": f"{place.folder}/"},
        read=_in_csv,
    ),
)
BY_KEY = {target.key: target for target in TARGETS}
