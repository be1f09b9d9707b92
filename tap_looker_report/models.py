"""The dbt package, run over a source, and its marts."""

from __future__ import annotations

import itertools
import json
import os
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_looker.errors import LookerError, printable
from tap_looker_report.sources import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_looker_report.sources import Source

HERE = Path(__file__).resolve().parent
THREADS = 2
Row = dict[str, Any]


def package() -> Path:
    """The dbt package: beside this one in a checkout, inside it where it was installed."""
    inside, beside = HERE / "transform", HERE.parent / "transform"
    return inside if inside.exists() else beside


def build(
    source: Source, variables: Mapping[str, Any], scratch: Path, say: Callable[[str], None]
) -> None:
    """Run all models. Nothing is sent anywhere, and nothing written but to the source's place.

    Args:
        source: Of the rows.
        variables: Of the dbt package, besides those of the source.
        scratch: Folder for dbt's files.
        say: Told how far it is.

    Raises:
        LookerError: A model failed.
    """
    for name in [name for name in os.environ if name.startswith("DBT_")]:
        if not name.startswith("DBT_ENV_SECRET_"):  # where a source keeps its password
            del os.environ[name]  # it is for a project of the user's own
    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    from dbt.cli.main import dbtRunner  # noqa: PLC0415  # takes seconds

    profile = {"target": "report", "outputs": {"report": {**source.output, "threads": THREADS}}}
    (scratch / "profiles.yml").write_text(json.dumps({"tap_looker": profile}), "utf-8")
    finished_one = itertools.count(1)

    def heard(event: Any) -> None:
        if event.info.name == "NodeFinished":
            say(f"Models: {next(finished_one)} of {total}")

    total = sum(1 for _ in (package() / "models").rglob("*.sql"))
    finished = dbtRunner(callbacks=[heard]).invoke(
        [
            *("run", "--project-dir", str(package()), "--profiles-dir", str(scratch)),
            *("--target-path", str(scratch / "target"), "--log-path", str(scratch / "logs")),
            *("--vars", json.dumps({**variables, **source.variables})),
            *("--quiet", "--log-level", "none", "--log-level-file", "none", "--no-use-colors"),
            *("--no-send-anonymous-usage-stats", "--no-version-check", "--no-partial-parse"),
            *("--no-write-json", "--no-print", "--no-populate-cache"),
        ]
    )
    if source.output["type"] == "duckdb":
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415

        DuckDBConnectionManager.close_all_connections()  # dbt keeps the file open
    if isinstance(finished.exception, KeyboardInterrupt):  # dbt has caught it
        raise KeyboardInterrupt
    if not finished.success:
        raise LookerError(_why(finished))


def _why(finished: Any) -> str:
    """What dbt says of the first model that failed, in a line."""
    if finished.exception:
        why = _line(finished.exception)
        if "permission denied" in why:
            why += " (models are built in schemas of their own: CREATE on the database is needed)"
        return f"dbt could not run the models: {why}"
    failed = next(one for one in finished.result if str(one.status) == "error")
    return f"The model {failed.node.name} failed: {_line(failed.message)}"


def _line(message: Any) -> str:
    return printable(" ".join(str(message).split()), 300)


class Marts:
    """The models, to be asked in SQL that DuckDB and Postgres share.

    Args:
        source: Of the rows.
    """

    def __init__(self, source: Source) -> None:
        self._connection = source.connect()
        self._schema = source.output["schema"]

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def rows(self, statement: str) -> list[Row]:
        """The rows of a statement, in which {content_usage} is a mart and {stg_alerts} a stream."""
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(statement.format_map(_Names(self._schema)))
            names = [column[0] for column in cursor.description]
            return [
                {name: _plain(value) for name, value in zip(names, row, strict=True)}
                for row in cursor.fetchall()
            ]

    def one(self, statement: str) -> Row:
        """The only row of a statement."""
        (row,) = self.rows(statement)
        return row


class _Names(dict[str, str]):
    """Models by their names, without what all have in common."""

    def __init__(self, schema: str) -> None:
        super().__init__()
        self._schema = schema

    def __missing__(self, name: str) -> str:
        if name.startswith("stg_"):
            return f'"{self._schema}_looker_staging"."{PREFIX}{name.removeprefix("stg_")}"'
        return f'"{self._schema}_looker_marts"."looker_{name}"'


def _plain(value: Any) -> Any:
    """A value as JSON has it: times in UTC to the minute, days as they are."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes")[:16]
    if isinstance(value, date):
        return value.isoformat()
    return value
