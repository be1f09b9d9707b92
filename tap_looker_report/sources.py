"""Where the rows are: a folder of files, a DuckDB file or a Postgres database.

A source says how dbt gets at the rows and where it may build models: never where the rows are, but
in a DuckDB file of this run, or in schemas of this run that are dropped after it.
"""

from __future__ import annotations

import os
import re
import secrets
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from tap_looker.errors import LookerError, listed, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

STAGING = Path("models") / "staging"
PREFIX = "stg_looker__"
SCHEMA = "looker_report"  # dbt puts _looker_marts and _looker_staging behind it
LANDED = "landed"
TIMES = ("_sdc_extracted_at", "_sdc_batched_at", "_sdc_received_at")
"""Columns in which targets keep when a row was read, the best first."""
INSTANCE = "looker_instance"
POSTGRES = re.compile(r"postgres(ql)?://|\w+=", re.IGNORECASE)
PASSWORD = "DBT_ENV_SECRET_LOOKER_REPORT"  # noqa: S105  # dbt keeps what is called so out of its log
TLS = ("sslmode", "sslrootcert", "sslcert", "sslkey")


@dataclass
class Source:
    """Rows, and a place for models.

    Attributes:
        what: The rows, for people.
        output: The target in dbt's profile.
        variables: Of the dbt package.
        read_at: When each stream's rows were read, None if that is not known; by stream, of those
            that are there.
        instances: Names of the instances that share the tables, as far as rows have one.
        connect: Opens the database that holds the models.
        clean: Removes what was built outside the temporary folder.
    """

    what: str
    output: dict[str, Any]
    variables: dict[str, Any]
    read_at: dict[str, datetime | None]
    instances: list[str]
    connect: Callable[[], Any]
    clean: Callable[[], None] = field(default=lambda: None)


def streams_of(package: Path) -> list[str]:
    """The streams that the models read."""
    return sorted(path.stem.removeprefix(PREFIX) for path in (package / STAGING).glob("*.sql"))


def find(text: str, schema: str | None, streams: Iterable[str], scratch: Path) -> Source:
    """The source that an argument names.

    Args:
        text: A folder, a DuckDB file, or a URL or connection string of Postgres.
        schema: Of the tables, in a database.
        streams: Those that the models read.
        scratch: Folder for what is built.

    Raises:
        LookerError: There is none, or nothing in it.
    """
    path = Path(text).expanduser()
    if path.is_dir():
        return of_folder(path, streams, scratch)
    if POSTGRES.match(text) and not path.exists():
        return _of_postgres(text, schema, streams)
    if not path.exists():
        raise LookerError(
            f"{printable(text)} does not exist: give a folder of files, a DuckDB file or "
            "postgresql://…"
        )
    return _of_duckdb(path, schema, streams, scratch)


def of_folder(folder: Path, streams: Iterable[str], scratch: Path) -> Source:
    """The files of a target, JSONL or Parquet.

    Raises:
        LookerError: There are none.
    """
    jsonl = {one: files for one in streams if (files := _files(folder, one, "jsonl"))}
    parquet = {one: files for one in streams if (files := _files(folder, one, "parquet"))}
    if not jsonl and not parquet:
        raise LookerError(
            f"{folder} has no files of the tap's streams (such as dashboards.jsonl or "
            "users.parquet)."
        )
    if jsonl and parquet:
        raise LookerError(
            f"{folder} has streams both as JSONL and as Parquet: keep the files of one load apart."
        )
    database = scratch / "looker.duckdb"
    read_at = {
        stream: datetime.fromtimestamp(max(file.stat().st_mtime for file in files), UTC)
        for stream, files in (jsonl or parquet).items()
    }
    variables: dict[str, Any] = {"looker_files": str(folder.resolve())}
    if parquet:
        variables = {"looker_schema": LANDED}
        instances = _load_parquet(parquet, database)
    else:
        instances = sorted({name for files in jsonl.values() for name in _instances_in(files)})
    return Source(
        f"{len(read_at)} stream{'' if len(read_at) == 1 else 's'} in {folder}",
        _duckdb_output(database),
        variables,
        dict(read_at),
        instances,
        lambda: duckdb.connect(str(database), read_only=True),
    )


def _files(folder: Path, stream: str, kind: str) -> list[Path]:
    """As targets name them: with the time of the run or without, or a folder for each stream."""
    found = [folder / f"{stream}.{kind}", *folder.glob(f"{stream}-[0-9]*.{kind}")]
    if kind == "parquet":
        found += (folder / stream).rglob(f"*.{kind}")
    return sorted(path for path in found if path.is_file())


def _instances_in(files: list[Path]) -> set[str]:
    """The instances that JSONL has rows of. What is no JSON the models will find."""
    try:
        found = duckdb.execute(
            "SELECT DISTINCT looker_instance FROM read_json(?, format = 'newline_delimited', "
            "columns = {looker_instance: 'VARCHAR'}) WHERE looker_instance IS NOT NULL",
            [[str(file) for file in files]],
        )
        return {row[0] for row in found.fetchall()}
    except duckdb.Error:
        return set()


def _load_parquet(files: dict[str, list[Path]], database: Path) -> list[str]:
    """Tables of Parquet files, in which a later row counts more than an earlier one.

    Returns:
        The instances that they have rows of.
    """
    instances: set[str] = set()
    with closing(duckdb.connect(str(database))) as connection:
        connection.execute(f"CREATE SCHEMA {LANDED}")
        for stream, paths in files.items():
            names = [str(path) for path in paths]
            try:
                columns = connection.execute(
                    "SELECT * FROM read_parquet(?, union_by_name = true) LIMIT 0", [names]
                ).description
            except duckdb.Error as error:
                raise LookerError(f"{paths[0].name} cannot be read: {_first_line(error)}") from None
            is_timed = {column[0] for column in columns} & set(TIMES)
            order = "" if is_timed else ", make_timestamp(row_number() OVER ()) AS _sdc_received_at"
            connection.execute(
                f"CREATE TABLE {LANDED}.{_quoted(stream)} AS SELECT *{order} "
                "FROM read_parquet(?, union_by_name = true)",
                [names],
            )
            if INSTANCE in {column[0] for column in columns}:
                found = connection.execute(_instances(f"{LANDED}.{_quoted(stream)}")).fetchall()
                instances |= {row[0] for row in found}
    return sorted(instances)


def _of_duckdb(path: Path, schema: str | None, streams: Iterable[str], scratch: Path) -> Source:
    database = scratch / "looker.duckdb"
    literal = str(path.resolve()).replace("'", "''")
    attach = f"ATTACH '{literal}' AS {LANDED} (READ_ONLY)"

    def connect() -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(str(database))
        try:
            connection.execute(attach)
        except duckdb.Error as error:
            connection.close()
            raise LookerError(f"{path} cannot be read: {_first_line(error)}") from None
        return connection

    with closing(connect()) as connection:

        def ask(statement: str) -> list[tuple[Any, ...]]:
            return connection.execute(statement).fetchall()

        tables = ask(
            "SELECT table_schema, table_name, column_name FROM information_schema.columns "
            f"WHERE table_catalog = '{LANDED}'"
        )
        schema = _schema(tables, schema, streams, str(path))
        where = f"{LANDED}.{_quoted(schema)}"
        read_at = _read_at(tables, schema, streams, where, ask)
        instances = _instances_of(tables, schema, streams, where, ask)
    output = _duckdb_output(database)
    output["attach"] = [{"path": str(path.resolve()), "alias": LANDED, "read_only": True}]
    return Source(
        f"schema {schema} of {path}",
        output,
        {"looker_schema": schema, "looker_database": LANDED},
        read_at,
        instances,
        connect,
    )


def _of_postgres(address: str, schema: str | None, streams: Iterable[str]) -> Source:
    import psycopg2  # noqa: PLC0415  # only here

    def connect() -> Any:
        try:
            return psycopg2.connect(address)
        except psycopg2.Error as error:
            raise LookerError(f"Postgres cannot be reached: {_first_line(error)}") from None

    with closing(connect()) as connection:
        connection.set_session(readonly=True)

        def ask(statement: str) -> list[tuple[Any, ...]]:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                rows: list[tuple[Any, ...]] = cursor.fetchall()
                return rows

        tables = ask(
            "SELECT table_schema, table_name, column_name FROM information_schema.columns "
            "WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
        )
        schema = _schema(tables, schema, streams, f"the database {connection.info.dbname}")
        read_at = _read_at(tables, schema, streams, _quoted(schema), ask)
        instances = _instances_of(tables, schema, streams, _quoted(schema), ask)
        known = connection.info
        target = {
            "type": "postgres",
            "host": known.host,
            "port": known.port,
            "user": known.user,
            "dbname": known.dbname,
            "schema": f"{SCHEMA}_{secrets.token_hex(4)}",
            **{name: given for name in TLS if (given := known.dsn_parameters.get(name))},
        }
        os.environ[PASSWORD] = known.password or ""
        target["password"] = f"{{{{ env_var('{PASSWORD}') }}}}"

    def clean() -> None:
        os.environ.pop(PASSWORD, None)
        with closing(connect()) as connection, connection, connection.cursor() as cursor:
            for end in ("", "_looker_marts", "_looker_staging"):
                cursor.execute(f'DROP SCHEMA IF EXISTS "{target["schema"]}{end}" CASCADE')

    return Source(
        f"schema {schema} of the Postgres database {target['dbname']}",
        target,
        {"looker_schema": schema},
        read_at,
        instances,
        connect,
        clean,
    )


def _duckdb_output(database: Path) -> dict[str, Any]:
    # What dbt does by default, load extensions, could go to the network.
    settings = {"autoinstall_known_extensions": False, "TimeZone": "UTC"}
    return {"type": "duckdb", "path": str(database), "schema": SCHEMA, "settings": settings}


def _schema(
    columns: list[tuple[Any, ...]], schema: str | None, streams: Iterable[str], where: str
) -> str:
    """The schema that is named, or the only one with tables of the tap.

    Raises:
        LookerError: It has none, or several have.
    """
    names = set(streams)
    found: dict[str, set[str]] = {}
    for of, table, _ in columns:
        if table.lower() in names:
            found.setdefault(of, set()).add(table.lower())
    if schema is not None:
        if schema not in found:
            raise LookerError(f"The schema {schema} of {where} has no tables of the tap's streams.")
        return schema
    # One table may be called `users` anywhere.
    likely = [of for of, tables in found.items() if tables & {"dashboards", "looks", "folders"}]
    likely = likely or list(found)
    if not likely:
        raise LookerError(f"No schema of {where} has tables of the tap's streams.")
    if len(likely) > 1:
        raise LookerError(
            f"Several schemas of {where} have tables of the tap's streams: choose one with "
            f"--schema ({listed(sorted(likely))})."
        )
    return likely[0]


def _read_at(
    columns: list[tuple[Any, ...]],
    schema: str,
    streams: Iterable[str],
    where: str,
    ask: Callable[[str], list[tuple[Any, ...]]],
) -> dict[str, datetime | None]:
    """When the rows of each stream that is there were read."""
    names = set(streams)
    tables: dict[str, set[str]] = {}
    for of, table, column in columns:
        if of == schema and table.lower() in names:
            tables.setdefault(table, set()).add(column)
    found: dict[str, datetime | None] = {}
    for table, those in tables.items():
        time = next((name for name in TIMES if name in those), None)
        last = None
        if time:
            ((last,),) = ask(f"SELECT max({_quoted(time)}) FROM {where}.{_quoted(table)}")
        if isinstance(last, datetime):
            found[table.lower()] = last.astimezone(UTC) if last.tzinfo else last.replace(tzinfo=UTC)
        else:
            found[table.lower()] = None
    return found


def _instances(table: str) -> str:
    return f"SELECT DISTINCT {INSTANCE} FROM {table} WHERE {INSTANCE} IS NOT NULL"


def _instances_of(
    columns: list[tuple[Any, ...]],
    schema: str,
    streams: Iterable[str],
    where: str,
    ask: Callable[[str], list[tuple[Any, ...]]],
) -> list[str]:
    """The instances that share the tables."""
    names = set(streams)
    found = {
        row[0]
        for of, table, column in columns
        if of == schema and table.lower() in names and column.lower() == INSTANCE
        for row in ask(_instances(f"{where}.{_quoted(table)}"))
    }
    return sorted(found)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return printable(lines[0] if lines else type(error).__name__, 300)
