"""``ADAPTER PACKAGE FOLDER COLUMNS``: compile the dbt package for a warehouse that is not there.

Runs with the Python of dbt. What a model asks of a warehouse is which tables and columns it has:
COLUMNS, a JSON file, says it.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

from dbt.cli.main import dbtRunner

KIND, (PACKAGE, FOLDER, COLUMNS) = sys.argv[1], map(Path, sys.argv[2:])
CLASSES = {"bigquery": "BigQueryAdapter", "snowflake": "SnowflakeAdapter"}
OUTPUTS = {
    "bigquery": {"method": "oauth", "project": "project", "dataset": "main"},
    "snowflake": {
        "account": "account",
        "user": "user",
        "password": "none",
        "database": "project",
        "schema": "main",
        "warehouse": "warehouse",
    },
}
adapter = getattr(import_module(f"dbt.adapters.{KIND}.impl"), CLASSES[KIND])
columns_of = json.loads(COLUMNS.read_text())


def opened(_, connection):
    connection.state, connection.handle = "open", SimpleNamespace(close=lambda: None)
    return connection


def relation_of(self, database, schema, identifier):
    if schema != "looker" or identifier not in columns_of:
        return None
    return self.Relation.create(database=database, schema=schema, identifier=identifier)


def columns_in(_, relation):
    letters = str.upper if KIND == "snowflake" else str
    return [SimpleNamespace(name=letters(name)) for name in columns_of[relation.identifier]]


adapter.ConnectionManager.open = classmethod(opened)
adapter.get_relation = relation_of
adapter.get_columns_in_relation = columns_in
output = {"type": KIND, "threads": 2, **OUTPUTS[KIND]}
profiles = {"tap_looker": {"target": "test", "outputs": {"test": output}}}
(FOLDER / "profiles.yml").write_text(json.dumps(profiles))
done = dbtRunner().invoke(
    [
        *("compile", "--no-populate-cache", "--quiet", "--no-send-anonymous-usage-stats"),
        *("--project-dir", str(PACKAGE), "--profiles-dir", str(FOLDER)),
        *("--target-path", str(FOLDER / "target"), "--log-path", str(FOLDER / "logs")),
        *("--vars", json.dumps({"looker_instance": "it's", "looker_keep": ["look/1'"]})),
    ]
)
sys.exit(not done.success)
