"""How `python3 dev.py targets` judges what a target has made of the tap's output."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from targets import compare
from targets.compare import Output
from targets.table import TARGETS

FINDINGS = json.loads(Path(compare.__file__).with_name("findings.json").read_text("utf-8"))
PROPERTIES = {
    "id": {"type": "string"},
    "at": {"type": ["string", "null"], "format": "date-time"},
    "count": {"type": ["integer", "null"]},
    "share": {"type": ["number", "null"]},
    "is_on": {"type": ["boolean", "null"]},
    "text": {"type": ["string", "null"]},
    "camelCase": {"type": ["array", "null"]},
}
RECORD = {
    "id": "1",
    "at": "2026-01-01T10:00:00+02:00",
    "count": 7,
    "share": 0.25,
    "is_on": False,
    "text": "",
    "camelCase": [{"a": 1}, {"b": None}],
}
SAME = {
    "id": "1",
    "at": datetime(2026, 1, 1, 8, tzinfo=UTC),
    "count": "7",
    "share": Decimal("0.250"),
    "is_on": "False",
    "text": "",
    "camelcase": ['{"a": 1}', '{"b": null}'],
}


def output(*records, is_full=True):
    messages = [
        {
            "type": "SCHEMA",
            "stream": "things",
            "schema": {"properties": PROPERTIES},
            "key_properties": ["id"],
        },
        *({"type": "RECORD", "stream": "things", "record": one} for one in records),
    ]
    if is_full:
        messages.append({"type": "ACTIVATE_VERSION", "stream": "things", "version": 1})
    return Output.of("\n".join(map(json.dumps, messages)))


def test_a_value_is_the_same_however_a_target_keeps_it():
    assert not compare.wrong(output(RECORD), {"things": [SAME]})
    assert compare.missing(output(RECORD), {"things": [SAME]}) == 0


@pytest.mark.parametrize(
    ("column", "became", "kind"),
    [
        ("at", datetime(2026, 1, 1, 10, tzinfo=UTC), "another time"),
        ("at", None, "null"),
        ("count", 8, "rounded"),
        ("share", 0.2, "rounded"),
        ("is_on", "True", "changed"),
        ("text", None, '`""` is null'),
        ("text", " ", "changed"),
        ("camelcase", "[{'a': 1}, {'b': None}]", "not JSON"),
    ],
)
def test_a_value_that_differs_is_found(column, became, kind):
    found = compare.wrong(output(RECORD), {"things": [{**SAME, column: became}]})
    assert [(name.lower(), what) for name, what in found] == [(f"things.{column}", kind)]


def test_rows_that_lack_and_rows_too_many_are_counted():
    other = {**SAME, "id": "2"}
    assert compare.missing(output(RECORD), {"things": [other]}) == 1
    assert compare.missing(output(RECORD), {}) == 1
    assert compare.stale(output(RECORD), {"things": [SAME, other]}) == (1, 1)
    marked = {**other, "_sdc_deleted_at": "2026-01-01"}
    assert compare.stale(output(RECORD), {"things": [SAME, marked]}) == (0, 0)
    assert compare.stale(output(RECORD, is_full=False), {"things": [SAME, other]}) == (0, 0)


def test_every_target_has_its_findings():
    assert FINDINGS.keys() == {target.key for target in TARGETS}


@pytest.mark.parametrize("key", ["postgres", "postgres-soft"])
def test_postgres_agrees_with_looker(key):
    found = FINDINGS[key]
    assert found["lost_rows"] == found["rows_twice"] == found["stale_rows"] == 0
    assert not found["wrong"]
    assert found["marks"] == (key == "postgres-soft")
