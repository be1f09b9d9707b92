"""Which primary keys of results are trusted, and what is said of those that are not."""

from __future__ import annotations

import json

import pytest
from support import run_cli, settings_of

from looker_emulator import Emulator
from tap_looker.errors import BadResponseError
from tap_looker.queries.explores import Explore
from tap_looker.queries.key_check import MAX_REMEMBERED, check_keys

ORDERS = {"model": "thelook", "explore": "orders"}


@pytest.fixture(scope="module")
def shop():
    with Emulator() as emulator:
        yield emulator


def run_query(emulator, folder, *fields, **options):
    """The catalog entry, the records and the run of one query."""
    entry = {"name": "mine", **ORDERS, "fields": list(fields), **options}
    config = folder / "config.json"
    config.write_text(json.dumps(settings_of(emulator, queries=[entry])), encoding="utf-8")
    found = json.loads(run_cli("--config", str(config), "--discover").succeeded().stdout)
    (listed,) = [one for one in found["streams"] if one["tap_stream_id"] == "mine"]
    catalog = folder / "catalog.json"
    catalog.write_text(json.dumps({"streams": [listed]}), encoding="utf-8")
    run = run_cli("--config", str(config), "--catalog", str(catalog))
    return listed["key_properties"], run.records.get("mine", []), run


TRUSTED = [
    (["orders.id", "orders.status"], {}, ["orders_id"]),
    (["orders.id", "users.name", "orders.count"], {}, ["orders_id"]),
    # One order has several shipments: its id comes as often.
    (["orders.id", "shipments.carrier"], {}, []),
    (["orders.id", "orders.status"], {"filters": {"shipments.carrier": "Gull"}}, []),
    # Nothing says that these are never null.
    (["orders.delivered_date", "orders.status", "orders.count"], {}, []),
    (["users.id", "users.name"], {}, []),
    (["orders.count"], {}, []),
    # A row is one for each of the dimensions that are not pivoted.
    (["orders.id", "orders.status", "orders.count"], {"pivots": ["orders.status"]}, ["orders_id"]),
    (["orders.id", "orders.status", "orders.count"], {"pivots": ["orders.id"]}, []),
    (["orders.id", "orders.status"], {"primary_keys": []}, []),
    (["orders.status", "orders.count"], {"primary_keys": ["orders.status"]}, ["orders_status"]),
]


@pytest.mark.parametrize(("fields", "options", "key"), TRUSTED)
def test_a_primary_key_is_only_what_is_unique_and_not_null(shop, tmp_path, fields, options, key):
    found, records, run = run_query(shop, tmp_path, *fields, **options)
    run.succeeded()
    assert found == key
    values = [tuple(record[name] for name in key) for record in records]
    if key:
        assert len(set(values)) == len(values)
        assert not [one for one in values if None in one]
    said = [line for line in run.warnings if "has no primary key" in line]
    assert len(said) == (not key and options.get("primary_keys") != [])
    assert all("primary_keys in queries[0]" in line for line in said)


def test_a_null_in_a_given_primary_key_fails_the_stream_before_the_target(shop, tmp_path):
    fields = ["orders.delivered_date", "orders.status", "orders.count"]
    _, records, run = run_query(shop, tmp_path, *fields, primary_keys=fields[:2])
    assert run.exit_code == 1
    assert not [record for record in records if record["orders_delivered_date"] is None]
    (failure,) = [line for line in run.errors if line.startswith("Failed mine")]
    assert "orders_delivered_date is null" in failure
    assert "primary_keys in queries[0]" in failure


def test_rows_that_share_a_given_primary_key_are_counted(shop, tmp_path):
    _, records, run = run_query(
        shop, tmp_path, "orders.id", "shipments.id", "shipments.carrier", primary_keys=["orders.id"]
    )
    run.succeeded()
    repeated = len(records) - len({record["orders_id"] for record in records})
    (warning,) = [line for line in run.warnings if "share their primary key" in line]
    assert f"{repeated} row(s)" in warning
    assert "orders_id" in warning


def test_keys_are_counted_whatever_the_query_sorts_by(shop, tmp_path):
    """A limit leaves a query its own sorts: rows that share a key do not follow one another."""
    _, records, run = run_query(
        shop,
        tmp_path,
        "orders.id",
        "orders.status",
        primary_keys=["orders.status"],
        sorts=["orders.id"],
        limit=300,
    )
    run.succeeded()
    repeated = len(records) - len({record["orders_status"] for record in records})
    (warning,) = [line for line in run.warnings if "share their primary key" in line]
    assert f"{repeated} row(s)" in warning


@pytest.mark.parametrize("in_order", [True, False])
def test_repeated_keys_are_counted_within_bounded_memory(in_order):
    values = sorted([*range(MAX_REMEMBERED + 10), 3, 3, 7])
    counts = []
    rows = ({"a": value} for value in values)
    found = check_keys(rows, ["a"], in_order=in_order, where="looks[0]", report=counts.append)
    assert sum(1 for _ in found) == len(values)
    assert counts == [3]


def test_a_null_key_is_named():
    found = check_keys(
        [{"a": 1, "b": None}], ["a", "b"], in_order=True, where="looks[0]", report=id
    )
    with pytest.raises(BadResponseError, match=r"b is null .* looks"):
        list(found)


def explore(base="orders", **joins):
    fields = {
        f"{view}.id": {"name": f"{view}.id", "category": "dimension", "primary_key": True}
        for view in (base, *joins)
    }
    return Explore("orders", fields, joins, base_view=base)


@pytest.mark.parametrize(
    ("joins", "trusted"),
    [
        ({"users": {"relationship": "many_to_one"}}, True),
        ({"users": {"relationship": "one_to_one"}}, True),
        ({"users": {"relationship": None}}, True),
        ({"users": {"relationship": "one_to_many"}}, False),
        ({"users": {"relationship": "what_a_newer_looker_says"}}, False),
        ({"users": {"relationship": "many_to_many"}}, False),
        ({"users": {"relationship": "many_to_one", "type": "full_outer"}}, False),
        ({"users": {"relationship": "one_to_one", "type": "cross"}}, False),
        # Joined on the way to another view.
        ({"users": {"relationship": "many_to_one", "required_joins": ["items"]},
          "items": {"relationship": "one_to_many"}}, False),
        ({"users": {"relationship": "many_to_one", "dependent_fields": ["items.user_id"]},
          "items": {"relationship": "one_to_many"}}, False),
        ({"users": {"relationship": "many_to_one",
                    "sql_on": "${items.user_id} = ${users.id}"},
          "items": {"relationship": "one_to_many"}}, False),
        ({"users": {"relationship": "many_to_one"},
          "items": {"relationship": "one_to_many"}}, True),
        ({}, False),
    ],
)  # fmt: skip
def test_joins_decide_whether_the_key_of_the_base_view_is_trusted(joins, trusted):
    found = explore(**joins)
    query = {"fields": ["orders.id", "users.id"]}
    assert found.trusted_key(query, query["fields"]) == (["orders.id"] if trusted else [])
    by_filter = {"fields": ["orders.id"], "filters": {"users.id": "5"}}
    assert bool(found.trusted_key(by_filter, ["orders.id"])) == trusted


def test_what_is_always_joined_counts_although_no_field_needs_it():
    found = Explore(
        "orders",
        explore().fields,
        {"items": {"relationship": "one_to_many"}},
        always_joined=("items",),
    )
    assert found.trusted_key({"fields": ["orders.id"]}, ["orders.id"]) == []


def test_the_base_view_may_be_called_otherwise_than_its_explore():
    found = explore(base="order_facts", users={"relationship": "many_to_one"})
    query = {"fields": ["order_facts.id", "users.id"]}
    assert found.trusted_key(query, query["fields"]) == ["order_facts.id"]
