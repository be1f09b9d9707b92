# ruff: noqa: S608 - statements of these tests
"""Looks and queries: what the database says, typed, and every row of it or an error."""

from __future__ import annotations

import copy
import json
import os
import re
import signal
import subprocess
import time
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import jsonschema
import pytest
from looker_sdk.sdk.api40.models import Query, WriteQuery
from support import COMMAND, DEADLINE, Run, finished, run_cli, settings_of

from looker_emulator import Emulator, Fault
from looker_emulator.queries.thelook.model import EXPLORES
from tap_looker.errors import QueryError, RequestError
from tap_looker.looker.client import LookerClient
from tap_looker.queries import columns, execute, keyset_paging, resolve
from tap_looker.queries.columns import Key
from tap_looker.queries.explores import read_explore

pytestmark = pytest.mark.usefixtures("_quick_retries")

RUN = "/queries/run/json"
METADATA = "/lookml_models/*/explores/*"
RESULTS = "/query_tasks/*/results"
ORDERS = {"model": "thelook", "explore": "orders"}


@pytest.fixture(scope="module")
def shop():
    """Nobody changes what is in it."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def _no_faults(request):
    yield
    if "shop" in request.fixturenames:
        shop = request.getfixturevalue("shop")
        shop.clear_faults()
        shop.reset_calls()


class Results:
    """Runs of the tap with looks and queries in its settings."""

    discovered: ClassVar[dict[str, Any]] = {}

    def __init__(self, emulator, folder):
        self.emulator, self.folder = emulator, folder

    def arguments(self, catalog=None, state=None, **settings):
        files = {
            "config": settings_of(self.emulator, **settings),
            "catalog": catalog,
            "state": state,
        }
        arguments = []
        for name, content in files.items():
            if content is not None:
                path = self.folder / f"{name}.json"
                path.write_text(json.dumps(content), encoding="utf-8")
                arguments += [f"--{name}", str(path)]
        return arguments

    def discover(self, **settings):
        return run_cli(*self.arguments(**settings), "--discover")

    def catalog(self, **settings):
        """What is discovered of the streams of the settings alone: the same on every instance."""
        own = [*settings.get("looks", []), *settings.get("queries", [])]
        key = json.dumps(own)
        if key not in self.discovered:
            found = json.loads(self.discover(**settings).succeeded().stdout)
            entries = {entry["tap_stream_id"]: entry for entry in found["streams"]}
            names = [
                entry.get("name") or f"look_{entry['id']}"
                if isinstance(entry, dict)
                else f"look_{entry}"
                for entry in own
            ]
            self.discovered[key] = {"streams": [entries[name] for name in names]}
        return copy.deepcopy(self.discovered[key])

    def sync(self, catalog=None, state=None, **settings):
        """A run, by default with the catalog that is discovered."""
        catalog = catalog or self.catalog(**settings)
        return run_cli(*self.arguments(catalog, state, **settings))

    def start(self, catalog=None, state=None, **settings):
        catalog = catalog or self.catalog(**settings)
        return subprocess.Popen(
            [COMMAND, *self.arguments(catalog, state, **settings)],
            bufsize=0,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


@pytest.fixture
def of(tmp_path):
    return lambda emulator: Results(emulator, tmp_path)


@pytest.fixture
def results(shop, of):
    return of(shop)


def query(*fields, name="mine", **options):
    return {"name": name, **ORDERS, "fields": list(fields), **options}


def exact(run: Run, stream):
    """The records with numbers digit by digit."""
    messages = [json.loads(line, parse_float=Decimal) for line in run.stdout.splitlines()]
    return [m["record"] for m in messages if m["type"] == "RECORD" and m["stream"] == stream]


def queries(emulator):
    return [json.loads(call.body) for call in emulator.calls if call.path == RUN]


def bookmark(state, stream="mine"):
    return state.get("bookmarks", {}).get(stream, {}).get("replication_key_value")


def state_of(key, value, stream="mine"):
    return {"bookmarks": {stream: {"replication_key": key, "replication_key_value": value}}}


def deselected(catalog, *names):
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            if metadata["breadcrumb"][1:] and metadata["breadcrumb"][1] in names:
                metadata["metadata"]["selected"] = False
    return catalog


def incremental(catalog):
    """As discovered: a stream with a replication key says so itself."""
    assert all(entry.get("replication_key") for entry in catalog["streams"])
    return catalog


def failures(run):
    return [line for line in run.errors if line.startswith("Failed ")]


# ------------------------------------------------------------------------------------- every type

LOCAL = "(({} AT TIME ZONE 'UTC') AT TIME ZONE 'Europe/Zurich')"


def times(view, group, moment, *, local=True):
    """What each usual timeframe of a moment of the database has to be."""
    here = LOCAL.format(moment) if local else moment
    return {
        f"{view}_{group}_{frame}": sql.format(t=here, m=moment)
        for frame, sql in {
            "raw": "strftime({m}, '%Y-%m-%d %H:%M:%S')",
            "time": "strftime({m}, '%Y-%m-%dT%H:%M:%SZ')",
            "date": "strftime({t}, '%Y-%m-%d')",
            "hour": "strftime({t}, '%Y-%m-%d %H')",
            "week": "strftime({t} - to_days(CAST(isodow({t}) - 1 AS INT)), '%Y-%m-%d')",
            "month": "strftime({t}, '%Y-%m')",
            "quarter": "year({t}) || '-Q' || (month({t}) + 2) // 3",
            "year": "year({t})",
            "day_of_week": "dayname({t})",
        }.items()
    }


def expected_columns():
    """Every field of the look in SQL of its own, not in the emulator's."""
    t = LOCAL.format("o.created")
    columns = {
        f"orders_{name}": f"o.{name}"
        for name in (
            "id",
            "user_id",
            "product_id",
            "quantity",
            "discount",
            "status",
            "note",
            "total_sale_price",
            "ledger_amount",
            "barcode",
        )
    }
    columns |= {
        "orders_is_gift": "coalesce(o.is_gift, false)",
        "orders_size": "CASE WHEN o.total_sale_price < 100 THEN 'Small' "
        "WHEN o.total_sale_price < 500 THEN 'Medium' ELSE 'Large' END",
        **times("orders", "created", "o.created"),
        "orders_created_minute": f"strftime({t}, '%Y-%m-%d %H:%M')",
        "orders_created_second": "strftime(o.created, '%Y-%m-%dT%H:%M:%SZ')",
        "orders_created_millisecond": "strftime(o.created, '%Y-%m-%dT%H:%M:%S.%g') || '000Z'",
        "orders_created_microsecond": "strftime(o.created, '%Y-%m-%dT%H:%M:%S.%fZ')",
        "orders_created_time_of_day": f"strftime({t}, '%H:%M')",
        "orders_created_hour_of_day": f"hour({t})",
        "orders_created_day_of_week_index": f"isodow({t}) - 1",
        "orders_created_day_of_month": f"day({t})",
        "orders_created_day_of_year": f"dayofyear({t})",
        "orders_created_month_name": f"monthname({t})",
        "orders_created_month_num": f"month({t})",
        "orders_created_week_of_year": f"week({t})",
        "orders_created_quarter_of_year": f"'Q' || quarter({t})",
        "orders_created_fiscal_year": f"CAST(year({t} - INTERVAL 1 MONTH) AS VARCHAR)",
        "orders_created_fiscal_quarter": f"'FY' || year({t} - INTERVAL 1 MONTH) || '-Q' || "
        f"quarter({t} - INTERVAL 1 MONTH)",
        "orders_created_fiscal_quarter_of_year": f"'Q' || quarter({t} - INTERVAL 1 MONTH)",
        "orders_created_fiscal_month_num": f"month({t} - INTERVAL 1 MONTH)",
        **times("orders", "delivered", "o.delivered"),
        **{
            f"orders_{unit}s_to_deliver": f"datediff('{unit}', o.created, o.delivered)"
            for unit in ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
        },
        **{f"users_{name}": f"u.{name}" for name in ("id", "age", "name", "city", "zip")},
        **times("users", "created", "u.created"),
        "users_age_tier": "CASE WHEN u.age IS NULL THEN 'Undefined' WHEN u.age < 20 THEN 'Below 20'"
        " WHEN u.age < 40 THEN '20 to 39' WHEN u.age < 60 THEN '40 to 59' ELSE '60 or Above' END",
        "users_location": "u.latitude || ',' || u.longitude",
        "users_distance_to_store": "round(111.2 * sqrt((u.latitude - 47.4) ** 2 "
        "+ (u.longitude - 8.6) ** 2), 3)",
        "users_birth_date": "strftime(u.birth, '%Y-%m-%d')",
        "users_birth_week": "strftime(date_trunc('week', u.birth), '%Y-%m-%d')",
        "users_birth_month": "strftime(u.birth, '%Y-%m')",
        "users_birth_year": "year(u.birth)",
        **{f"products_{name}": f"p.{name}" for name in ("id", "cost", "name", "category")},
    }
    return columns


JOINED = """store_orders AS o LEFT JOIN store_users AS u ON u.id = o.user_id
    LEFT JOIN store_products AS p ON p.id = o.product_id"""


def rows_of(emulator, columns, rest):
    listed = ", ".join(f'{sql} AS "{name}"' for name, sql in columns.items())
    found = emulator.sql(f"SELECT {listed} FROM {JOINED} {rest}")
    return [dict(zip(columns, row, strict=True)) for row in found]


def assert_same(record, expected):
    """Equal with types: a decimal digit by digit, a double as the nearest, text as text."""
    assert list(record) == list(expected) or set(record) == set(expected)
    for name, wanted in expected.items():
        came = record[name]
        if isinstance(wanted, float) and came is not None:
            assert isinstance(came, (Decimal, int, float))
            assert not isinstance(came, bool)
            assert float(came) == wanted, name
        elif isinstance(wanted, Decimal) and came is not None:
            assert isinstance(came, (Decimal, int))
            assert came == wanted, name
        else:
            assert came == wanted, name
            assert type(came) is type(wanted), name


def test_every_type_of_a_dimension_round_trips(results, shop):
    look = shop.look_id("Orders of every type")
    run = results.sync(looks=[look]).succeeded()
    columns = expected_columns()
    fields = [
        field.name
        for field in EXPLORES["orders"].fields.values()
        if not field.measure and field.name != "orders.broken" and field.view != "shipments"
    ]
    assert sorted(columns) == sorted(name.replace(".", "_") for name in fields)
    found = {record["orders_id"]: record for record in exact(run, f"look_{look}")}
    expected = rows_of(shop, columns, "ORDER BY o.id")
    assert len(expected) == len(found) == 1_000
    for row in expected:
        assert_same(found[row["orders_id"]], row)
    # There is something of everything, and nulls.
    for name in columns:
        assert [row for row in expected if row[name] is not None], name
    assert [row for row in expected if row["orders_note"] is None]
    schema = run.schemas[f"look_{look}"]["schema"]
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    for record in run.records[f"look_{look}"][:200]:
        validator.validate(record)


MEASURES = {
    "orders_count": "count(*)",
    "orders_customers": "count(DISTINCT o.user_id)",
    "orders_revenue": "sum(o.total_sale_price)",
    "orders_ledger_total": "sum(o.ledger_amount)",
    "orders_average_price": "avg(o.total_sale_price)",
    "orders_cheapest": "min(o.total_sale_price)",
    "orders_dearest": "max(o.total_sale_price)",
    "orders_median_price": "median(o.total_sale_price)",
    "orders_price_95th": "quantile_cont(o.total_sale_price, 0.95)",
    "orders_sizes": "to_json(list_sort(list(DISTINCT o.status)))",
    "orders_latest_date": "strftime(max(o.created), '%Y-%m-%d')",
    "orders_latest_time": "strftime(max(o.created), '%Y-%m-%dT%H:%M:%SZ')",
    "orders_per_customer": "count(*) / count(DISTINCT o.user_id)",
    "orders_first_status": "min(o.status)",
    "orders_has_gifts": "bool_or(o.is_gift)",
    "users_count": "count(DISTINCT u.id)",
    "users_average_age": "avg(u.age)",
    "products_count": "count(DISTINCT p.id)",
}


@pytest.mark.parametrize("decimals_as_text", [False, True])
def test_every_type_of_a_measure_round_trips(of, decimals_as_text):
    with Emulator(decimals_as_text=decimals_as_text) as emulator:
        look = emulator.look_id("Measures of every type")
        run = of(emulator).sync(looks=[look]).succeeded()
        expected = rows_of(emulator, {"users_city": "u.city", **MEASURES}, "GROUP BY 1 ORDER BY 1")
        found = exact(run, f"look_{look}")
        assert [record["users_city"] for record in found] == [row["users_city"] for row in expected]
        for record, row in zip(found, expected, strict=True):
            assert_same(record, row)


def test_numbers_that_no_double_holds_are_exact_in_the_text(of):
    texts = {}
    for as_text in (False, True):
        with Emulator(decimals_as_text=as_text) as emulator:
            run = (
                of(emulator)
                .sync(queries=[query("orders.id", "orders.ledger_amount", "orders.barcode")])
                .succeeded()
            )
            lines = [line for line in run.stdout.splitlines() if '"RECORD"' in line]
            expected = emulator.sql(
                "SELECT id, CAST(ledger_amount AS VARCHAR), barcode FROM store_orders ORDER BY id"
            )
            assert len(lines) == len(expected) == 1_000
            for line, (identifier, ledger, barcode) in zip(lines, expected, strict=True):
                assert f'"orders_id":{identifier},' in line
                assert f'"orders_ledger_amount":{ledger}' in line
                assert f'"orders_barcode":{barcode}' in line
            texts[as_text] = [line.partition('"time_extracted"')[0] for line in lines]
    assert texts[False] == texts[True]


def load(results, tmp_path, **settings):
    """What a real target makes of a run, by stream."""
    target = os.environ.get("TARGET_JSONL")
    if not target:
        pytest.skip("TARGET_JSONL is not set")
    output = tmp_path / "output"
    output.mkdir()
    config = tmp_path / "target.json"
    config.write_text(json.dumps({"destination_path": str(output), "do_timestamp_file": False}))
    tap = results.start(**settings)
    loading = subprocess.run(
        [target, "--config", str(config)],
        stdin=tap.stdout,
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    assert tap.wait(DEADLINE) == 0
    tap.stdout.close()
    tap.stderr.close()
    assert loading.returncode == 0, loading.stderr.decode()
    return {
        file.stem: [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        for file in output.iterdir()
    }


def as_loaded(value):
    """A decimal as a target with doubles keeps it."""
    return float(value) if isinstance(value, Decimal) else value


def test_what_a_target_has_loaded_is_what_the_database_says(results, shop, tmp_path):
    every, measures, orders = (
        shop.look_id(title)
        for title in ("Orders of every type", "Measures of every type", "Every order")
    )
    loaded = load(results, tmp_path, looks=[every, measures, orders])
    expected = {
        f"look_{every}": rows_of(shop, expected_columns(), "ORDER BY o.id"),
        f"look_{measures}": rows_of(
            shop, {"users_city": "u.city", **MEASURES}, "GROUP BY 1 ORDER BY 1"
        ),
    }
    all_columns = {**expected_columns(), **times("orders", "created", "o.created", local=False)}
    names = ("id", "created_time", "status", "total_sale_price", "user_id", "is_gift", "note")
    columns = {f"orders_{name}": all_columns[f"orders_{name}"] for name in names}
    expected[f"look_{orders}"] = rows_of(shop, columns, "ORDER BY o.id")
    assert loaded.keys() == expected.keys()
    for stream, wanted in expected.items():
        assert len(loaded[stream]) == len(wanted)
        first = next(iter(wanted[0]))
        for came, row in zip(sorted(loaded[stream], key=lambda r: r[first]), wanted, strict=True):
            assert_same(came, {name: as_loaded(value) for name, value in row.items()})


def test_schemas_come_from_metadata_and_say_what_a_field_is(results, shop):
    look = shop.look_id("Orders of every type")
    (entry,) = results.catalog(looks=[look])["streams"]
    properties = entry["schema"]["properties"]
    fields = [
        field
        for field in EXPLORES["orders"].fields.values()
        if not field.measure and field.name != "orders.broken" and field.view != "shipments"
    ]
    assert list(properties) == [field.name.replace(".", "_") for field in fields]
    for field in fields:
        column = properties[field.name.replace(".", "_")]
        words = field.name.replace(".", " ").replace("_", " ").title()
        assert column["description"] == words
        assert ("null" in column["type"]) == (field.name != "orders.id")
        kind = columns.KINDS.get(field.type, "text")
        assert column.get("format") == (kind if kind.startswith("date") else None)
    assert entry["tap_stream_id"] == f"look_{look}"
    root = next(m["metadata"] for m in entry["metadata"] if not m["breadcrumb"])
    assert root.get("selected", root.get("selected-by-default")) is not False


@pytest.mark.parametrize("zone", ["Europe/Zurich", "America/Los_Angeles", "Asia/Kolkata", "UTC"])
def test_times_of_any_zone_come_out_in_utc(results, shop, zone):
    entry = query(
        "orders.id",
        "orders.created_time",
        "orders.delivered_time",
        "orders.created_date",
        timezone=zone,
    )
    run = results.sync(queries=[entry]).succeeded()
    assert {body["query_timezone"] for body in queries(shop)} == {zone}
    expected = shop.sql(f"""
        SELECT id, strftime(created, '%Y-%m-%dT%H:%M:%SZ'),
            strftime(delivered, '%Y-%m-%dT%H:%M:%SZ'),
            strftime((created AT TIME ZONE 'UTC') AT TIME ZONE '{zone}', '%Y-%m-%d')
        FROM store_orders ORDER BY id""")
    found = [tuple(record.values()) for record in run.records["mine"]]
    assert sorted(found) == expected


def test_a_query_without_a_zone_runs_in_utc_and_a_saved_one_in_its_own(results, shop):
    look = shop.look_id("Orders of the last 30 days")
    measures = shop.look_id("Measures of every type")
    results.sync(looks=[look, {"id": measures, "timezone": "Asia/Tokyo"}]).succeeded()
    zones = {tuple(body["fields"][:1]): body["query_timezone"] for body in queries(shop)}
    assert zones == {("orders.id",): "America/Sao_Paulo", ("users.city",): "Asia/Tokyo"}


# ----------------------------------------------------------------------- pivots and calculations


@pytest.mark.parametrize("catalog", [False, True], ids=["", "catalog"])
def test_a_look_without_fields_has_no_rows_to_give(of, catalog):
    with Emulator() as emulator:
        settings = changed(emulator, "Every order")
        known = of(emulator).catalog(**settings) if catalog else None
        changed(emulator, "Every order", fields=None)
        run = run_cli(*of(emulator).arguments(known, **settings))
        assert run.exit_code == 1
        assert "no fields that this key may see" in run.stderr
        assert "mine" not in run.records


@pytest.mark.parametrize("by_field", [False, True])
def test_pivots_are_one_object_for_each_measure(of, by_field):
    with Emulator(pivots_by_field=by_field) as emulator:
        look = emulator.look_id("Orders by month and status")
        run = of(emulator).sync(looks=[look]).succeeded()
        stream = f"look_{look}"
        schema = run.schemas[stream]
        assert list(schema["schema"]["properties"]) == [
            "orders_created_month",
            "orders_count",
            "orders_revenue",
        ]
        assert schema["schema"]["properties"]["orders_count"]["type"] == ["object", "null"]
        assert schema["key_properties"] == []
        expected = {}
        for month, status, count, revenue in emulator.sql("""
            SELECT strftime(created, '%Y-%m'), status, count(*), sum(total_sale_price)
            FROM store_orders GROUP BY 1, 2"""):
            expected.setdefault(month, {})[status] = (count, revenue)
        found = exact(run, stream)
        assert sorted(record["orders_created_month"] for record in found) == sorted(expected)
        for record in found:
            cells = expected[record["orders_created_month"]]
            for position, column in enumerate(("orders_count", "orders_revenue")):
                value = record[column]["orders.status"] if by_field else record[column]
                came = {status: cell for status, cell in value.items() if cell is not None}
                assert came == {status: cell[position] for status, cell in cells.items()}
                assert "$$$_row_total_$$$" not in value


def test_calculations_and_custom_fields(results, shop):
    look = {"id": shop.look_id("Share of each status"), "name": "shares", "limit": 500}
    run = results.sync(looks=[look]).succeeded()
    properties = run.schemas["shares"]["schema"]["properties"]
    assert {name: column["type"][0] for name, column in properties.items()} == {
        "orders_status": "string",
        "is_large": "boolean",
        "orders_count": "integer",
        "most_items": "number",
        "share": "number",
    }
    assert properties["share"]["description"] == "Share"
    assert properties["is_large"]["description"] == "Is Large"
    expected = shop.sql("""
        SELECT status, coalesce(total_sale_price > 500, false), count(*), max(quantity)
        FROM store_orders GROUP BY 1, 2""")
    found = run.records["shares"]
    assert len(found) == len(expected), "without the row of totals"
    by_key = {(record["orders_status"], record["is_large"]): record for record in found}
    for status, is_large, count, most in expected:
        record = by_key[status, is_large]
        assert type(record["is_large"]) is bool
        assert (record["orders_count"], record["most_items"]) == (count, most)
        assert record["share"] == pytest.approx(count / 1_000)
    (call,) = [call for call in shop.calls if call.path == RUN]
    assert call.query["server_table_calcs"] == "true"


def test_calculations_see_what_is_not_selected(results, shop):
    look = {"id": shop.look_id("Share of each status"), "name": "shares", "limit": 500}
    catalog = deselected(results.catalog(looks=[look]), "orders_count", "most_items")
    run = results.sync(catalog, looks=[look]).succeeded()
    assert {tuple(record) for record in run.records["shares"]} == {
        ("orders_status", "is_large", "share")
    }
    assert sum(record["share"] for record in run.records["shares"]) == pytest.approx(1)


def test_calculations_without_a_limit_say_what_to_do(results):
    run = results.sync(queries=[query("orders.status", dynamic_fields=[ROW])])
    assert run.exit_code == 1
    (failure,) = failures(run)
    assert "row limit is required" in failure, "Looker's words"
    assert "set limit in queries[0]" in failure
    assert run.records == {}


ROW = {"table_calculation": "row", "expression": "1 + 1", "_type_hint": "number"}


def changed(emulator, title, **properties):
    """Settings for a look whose query is changed; as lists, what Looker has as JSON text."""
    identifier = emulator.look_id(title)
    (look,) = (one for one in emulator.instance.looks if one["id"] == identifier)
    if "dynamic_fields" in properties:
        properties["dynamic_fields"] = json.dumps(properties["dynamic_fields"])
    look["query"].update(properties)
    return {"looks": [{"id": identifier, "name": "mine"}]}


def answering(emulator, *rows):
    """Have queries answered with these rows."""
    emulator.add_fault(Fault("status", RUN, times=None, status=200, json=list(rows)))


def test_every_property_of_a_query_is_thought_of():
    text = Path(resolve.__file__).read_text("utf-8")
    table = text[text.index("# What becomes of") : text.index("SENT = (")]
    named = set(re.findall(r"\w+", table))
    assert {*Query.__annotations__, *WriteQuery.__annotations__} <= named
    for name in (*resolve.SENT, *resolve.SENT_WITH_CALCULATIONS, "total", "row_total"):
        assert name in WriteQuery.__annotations__


OF_ALL_KINDS = {
    "sorts": ["orders.created_date desc"],
    "limit": "20",
    "column_limit": "30",
    "fill_fields": ["orders.created_date"],
    "subtotals": ["orders.created_date"],
    "total": True,
    "row_total": "right",
    "vis_config": {"type": "table"},
    "filter_config": {"orders.id": []},
    "visible_ui_sections": "data",
}


@pytest.mark.parametrize("catalog", [False, True])
@pytest.mark.parametrize(
    ("expression", "sent"),
    [
        (None, {"limit": "-1"}),
        ("offset(${orders.count}, 1)", {"limit", "fill_fields", "subtotals"}),
        ("${orders.count:total}", {"limit", "fill_fields", "subtotals", "total"}),
        ("${orders.count:row_total}", {"limit", "fill_fields", "subtotals", "row_total"}),
    ],
)
def test_what_calculations_need_of_a_saved_query_is_sent(of, catalog, expression, sent):
    with Emulator() as emulator:
        settings = changed(
            emulator,
            "Orders by status",
            **OF_ALL_KINDS,
            fields=["orders.created_date", "orders.count"],
            dynamic_fields=[{**ROW, "expression": expression}] if expression else [],
        )
        answering(emulator, {"orders.created_date": "2026-01-01", "orders.count": 1, "row": 2})
        results = of(emulator)
        results.discovered.clear()
        known = results.catalog(**settings) if catalog else None
        run_cli(*results.arguments(known, **settings)).succeeded()
        (body,) = queries(emulator)
        always = {
            "model": "thelook",
            "view": "orders",
            "fields": ["orders.created_date", "orders.count"],
            "column_limit": "30",
            "query_timezone": "UTC",
        }
        if expression:
            always |= {name: OF_ALL_KINDS[name] for name in sent | {"sorts"}}
            body.pop("dynamic_fields")
        else:
            always |= {"sorts": ["orders.created_date"], **sent}
            body.pop("dynamic_fields", None)
        assert body == always


def test_calculations_see_the_rows_of_the_saved_query(of):
    """Its limit and its order; a result as long as the limit is reported."""
    with Emulator() as emulator:
        settings = changed(
            emulator,
            "Share of each status",
            fields=["orders.id", "orders.quantity"],
            sorts=["orders.id desc"],
            limit="10",
            dynamic_fields=[{**ROW, "expression": "sum(${orders.quantity})"}],
        )
        run = run_cli(*of(emulator).arguments(**settings)).succeeded()
        last = emulator.sql("SELECT id, quantity FROM store_orders ORDER BY id DESC LIMIT 10")
        found = run.records["mine"]
        assert [(one["orders_id"], one["orders_quantity"]) for one in found] == last
        assert {one["row"] for one in found} == {sum(quantity for _, quantity in last)}
        assert [line for line in run.warnings if "as many as its limit" in line]


MARKED = [
    {"orders.status": "complete", "orders.count": 1, "row": 2},
    {"orders.status": None, "orders.count": 2, "row": 2},
    {"orders.status": None, "orders.count": 3, "row": 2, "$$$__grouping__$$$": []},
]
TOTAL = {**ROW, "expression": "${orders.count:total}"}


@pytest.mark.parametrize(
    ("rows", "records"),
    [
        (MARKED, 2),
        (MARKED[::2], 1),
        (MARKED[:1], 1),
        ([MARKED[1], MARKED[0]], 2),
        (MARKED[:2], None),
        ([], 0),
    ],
)
def test_rows_of_totals_are_no_records(of, rows, records):
    with Emulator() as emulator:
        settings = changed(
            emulator,
            "Orders by status",
            fields=["orders.status", "orders.count"],
            total=True,
            dynamic_fields=[TOTAL],
        )
        answering(emulator, *rows)
        run = run_cli(*of(emulator).arguments(**settings))
        assert len(run.records.get("mine", [])) == (records or 0)
        if records is None:
            (failure,) = failures(run)
            assert "rows of totals" in failure
        else:
            run.succeeded()


@pytest.mark.parametrize(
    ("rows", "is_sure"),
    [
        ([("a", "b"), ("a", "c")], True),
        ([("a", "b"), ("a", None)], False),
        ([("a", None), ("a", "b")], False),
        ([(None, "b"), ("a", "b")], True),
    ],
)
def test_a_row_that_may_be_a_subtotal_is_an_error(of, rows, is_sure):
    with Emulator() as emulator:
        settings = changed(
            emulator,
            "Orders by status",
            fields=["users.city", "orders.status", "orders.count"],
            subtotals=["users.city"],
            dynamic_fields=[ROW],
        )
        names = ("users.city", "orders.status")
        answering(
            emulator,
            *({**dict(zip(names, row, strict=True)), "orders.count": 1, "row": 2} for row in rows),
        )
        run = run_cli(*of(emulator).arguments(**settings))
        assert len(run.records.get("mine", [])) == (len(rows) if is_sure else 0)
        assert len(failures(run)) == (not is_sure)


def test_marked_subtotals_beside_calculations_are_no_records(of):
    with Emulator(totals_in_rows=True) as emulator:
        settings = changed(
            emulator, "Share of each status", subtotals=["orders.status"], total=True
        )
        run = run_cli(*of(emulator).arguments(**settings)).succeeded()
        expected = emulator.sql("""
            SELECT DISTINCT status, coalesce(total_sale_price > 500, false) FROM store_orders""")
        assert len(run.records["mine"]) == len(expected)


@pytest.mark.parametrize("catalog", [False, True])
def test_disabled_custom_fields_are_no_columns(of, catalog):
    with Emulator() as emulator:
        custom = {"dimension": "double", "expression": "${orders.id} * 2", "_type_hint": "number"}
        settings = changed(
            emulator,
            "Every order",
            fields=["orders.id", "double", "orders.status"],
            sorts=["double desc", "orders.id"],
            dynamic_fields=[{**ROW, "is_disabled": True}, {**custom, "is_disabled": True}],
        )
        results = of(emulator)
        results.discovered.clear()
        known = results.catalog(**settings) if catalog else None
        run = run_cli(*results.arguments(known, **settings)).succeeded()
        assert set(run.records["mine"][0]) == {"orders_id", "orders_status"}
        assert len(run.records["mine"]) == 1_000
        (call,) = [call for call in emulator.calls if call.path == RUN]
        assert call.query["server_table_calcs"] == "false"


def test_dynamic_fields_that_cannot_be_read_are_a_mistake(of):
    with Emulator() as emulator:
        settings = changed(emulator, "Every order", dynamic_fields={"dimension": "a"})
        found = of(emulator).discover(**settings)
        assert found.exit_code == 1
        assert "Setting looks[0]: its dynamic_fields are not a list" in found.stderr


@pytest.mark.parametrize("by_field", [False, True])
@pytest.mark.parametrize(
    ("limit", "reported"), [(None, False), ("50", False), ("3", True), ("2", True)]
)
def test_pivots_as_many_as_the_column_limit_are_reported(of, by_field, limit, reported):
    with Emulator(pivots_by_field=by_field) as emulator:
        settings = changed(emulator, "Orders by month and status", column_limit=limit)
        run = run_cli(*of(emulator).arguments(**settings)).succeeded()
        warnings = [line for line in run.warnings if "column limit" in line]
        assert len(warnings) == reported
        assert all(f"mine has {limit} pivot values" in line for line in warnings)


def test_a_query_of_ones_own_may_set_its_column_limit(results, shop):
    entry = query("orders.status", "users.city", "orders.count", pivots=["users.city"])
    run = results.sync(queries=[{**entry, "column_limit": 2}]).succeeded()
    assert queries(shop)[-1]["column_limit"] == "2"
    assert {len(one["orders_count"]) for one in run.records["mine"]} == {2}
    assert [line for line in run.warnings if "column limit" in line]


def test_totals_of_rows_with_pivots_are_left_out_of_the_cells(of):
    with Emulator() as emulator:
        settings = changed(
            emulator,
            "Orders by month and status",
            dynamic_fields=[
                {**ROW, "expression": "${orders.count:row_total}", "_kind_hint": "supermeasure"},
                {**ROW, "table_calculation": "each", "_kind_hint": "measure"},
            ],
        )
        cells = {"complete": 1, "pending": 2, "$$$_row_total_$$$": 3}
        row = {"orders.created_month": "2026-01", "row": 3}
        row |= dict.fromkeys(("orders.count", "orders.revenue", "each"), cells)
        answering(emulator, row)
        run = run_cli(*of(emulator).arguments(**settings)).succeeded()
        assert queries(emulator)[0]["row_total"] == "right"
        (record,) = run.records["mine"]
        assert record["row"] == 3, "one value for the row"
        assert record["orders_count"] == record["each"] == {"complete": 1, "pending": 2}


def test_totals_and_subtotals_are_left_out(of):
    with Emulator(totals_in_rows=True) as emulator:
        look = emulator.look_id("Revenue with subtotals")
        run = of(emulator).sync(looks=[look]).succeeded()
        expected = emulator.sql(f"""
            SELECT p.category, o.status, sum(o.total_sale_price) FROM {JOINED}
            GROUP BY 1, 2 ORDER BY 1, 2""")
        assert [tuple(record.values()) for record in exact(run, f"look_{look}")] == expected


# ---------------------------------------------------------------------------- types of the settings

TYPES = {
    "orders.id": "string",
    "orders.total_sale_price": "string",
    "orders.is_gift": "string",
    "orders.quantity": "number",
    "orders.created_date": "string",
    "orders.created_year": "string",
    "orders.created_raw": "time",
    "orders.status": "string",
}


@pytest.mark.parametrize("known", ["without a catalog", "with", "with an older one"])
@pytest.mark.parametrize("cap", [None, 500])
def test_types_of_the_settings_go_before_those_of_lookml(of, known, cap):
    """Also of a key: the rows are read on in Looker's order of it, not in that of the column."""
    with Emulator(row_cap=cap) as emulator:
        results, entry = of(emulator), query(*TYPES, types=TYPES)
        older = {**entry, "types": {}}
        catalog = results.catalog(queries=[older if "older" in known else entry])
        arguments = results.arguments(None if "without" in known else catalog, queries=[entry])
        run = run_cli(*arguments).succeeded()
        schema = run.schemas["mine"]
        properties = schema["schema"]["properties"]
        kinds = {
            name: of["type"] if isinstance(of["type"], str) else of["type"][0]
            for name, of in properties.items()
        }
        assert kinds == {
            name.replace(".", "_"): "number" if kind == "number" else "string"
            for name, kind in TYPES.items()
        }
        assert properties["orders_created_raw"]["format"] == "date-time"
        assert "format" not in properties["orders_created_date"]
        assert properties["orders_created_date"]["description"]
        assert schema["key_properties"] == ["orders_id"]
        rows = emulator.sql("""
            SELECT id, total_sale_price, coalesce(is_gift, false), quantity,
                strftime(created, '%Y-%m-%d'), year(created),
                strftime(created, '%Y-%m-%dT%H:%M:%SZ'), status
            FROM store_orders ORDER BY id""")
        expected = [
            (str(key), str(price), "Yes" if gift else "No", quantity, day, str(year), time, status)
            for key, price, gift, quantity, day, year, time, status in rows
        ]
        assert [tuple(record.values()) for record in exact(run, "mine")] == expected


def test_types_of_fields_that_are_none_are_mistakes(results, shop):
    look = {"id": shop.look_id("Orders by month and status"), "name": "pivoted"}
    entries = {
        "looks": [{**look, "types": {"orders.count": "string", "orders.status": "string"}}],
        "queries": [query("orders.id", types={"orders.nope": "string"})],
    }
    found = results.discover(**entries)
    assert found.exit_code == 1
    run = results.sync(results.catalog(looks=[look], queries=[query("orders.id")]), **entries)
    assert len(failures(run)) == 2
    for place, what in (
        ("looks[0]", "types: orders.count is pivoted, and so an object"),
        ("looks[0]", "types: orders.status is not among the fields"),
        ("queries[0]", "types: orders.nope is not among the fields"),
    ):
        assert f"Setting {place}: {what}." in found.stderr
        assert any(place in line and what in line for line in failures(run))


# ------------------------------------------------------------------------------------ names, keys


def test_names_of_streams(results, shop):
    by_id, named = shop.look_id("Every order"), shop.look_id("Orders by status")
    slug = next(look for look in shop.instance.looks if look["id"] == named)["query_id"]
    run = results.sync(
        looks=[int(by_id), {"id": named, "name": "by_status"}],
        queries=[{"name": "saved", "query": slug}, query("orders.id", name="own")],
    ).succeeded()
    assert set(run.records) == {f"look_{by_id}", "by_status", "saved", "own"}
    assert run.records["saved"] == run.records["by_status"]


KEYS = [
    (query("orders.status", "orders.id", "users.name"), ["orders_id"]),
    (query("orders.status", "users.city", "orders.count"), []),
    (query("orders.count", "orders.revenue"), []),
    (query("orders.id", "orders.barcode", primary_keys=["orders.barcode"]), ["orders_barcode"]),
    (query("orders.status", "users.city", "orders.count", pivots=["users.city"]), []),
    (
        query(
            "orders.status", "orders.created_year", "orders.count",
            pivots=["orders.created_year"], primary_keys=["orders.status"],
        ),
        ["orders_status"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "keys"), KEYS)
def test_keys(results, entry, keys):
    (found,) = results.catalog(queries=[entry])["streams"]
    assert found["key_properties"] == keys
    run = results.sync({"streams": [found]}, queries=[entry]).succeeded()
    assert run.schemas["mine"]["key_properties"] == keys
    values = [tuple(record[key] for key in keys) for record in run.records["mine"]]
    assert not keys or len(set(values)) == len(values)


def test_the_key_of_a_joined_view_does_not_make_a_row_unique(results, shop):
    """A user has many orders: the primary key of `users` is none of the explore `orders`."""
    entry = query("users.id", "orders.status", "orders.count")
    (found,) = results.catalog(queries=[entry])["streams"]
    expected = shop.sql("SELECT user_id, status, count(*) FROM store_orders GROUP BY 1, 2")
    run = results.sync({"streams": [found]}, queries=[entry]).succeeded()
    came = sorted(tuple(record.values()) for record in run.records["mine"])
    assert came == sorted(expected)
    assert found["key_properties"] == []


def test_columns_that_collide_are_a_mistake(results):
    custom = {"dimension": "orders_id", "expression": "${orders.id} * 2", "_type_hint": "number"}
    entry = query("orders.id", "orders_id", dynamic_fields=json.dumps([custom]))
    found = results.discover(queries=[entry])
    assert found.exit_code == 1
    (line,) = [line for line in found.errors[0].splitlines() if "queries[0]" in line]
    assert "orders.id and orders_id" in line
    assert "column orders_id" in line


def test_custom_filters_and_sorts_of_ones_own(results, shop):
    entry = query(
        "orders.id",
        "orders.total_sale_price",
        filters={"orders.status": "complete,pending"},
        filter_expression="${orders.total_sale_price} > 700 OR ${orders.id} < 10",
        sorts=["orders.total_sale_price desc"],
        limit=50,
    )
    run = results.sync(queries=[entry]).succeeded()
    expected = shop.sql("""
        SELECT id, total_sale_price FROM store_orders
        WHERE status IN ('complete', 'pending') AND (total_sale_price > 700 OR id < 10)
        ORDER BY total_sale_price DESC LIMIT 50""")
    assert [record["orders_total_sale_price"] for record in exact(run, "mine")] == [
        price for _, price in expected
    ]


def test_filters_that_are_lists_mean_their_values(results, shop):
    note = 'Grüße, "Ada" 🪴'
    entry = query(
        "orders.id",
        filters={
            "orders.note": [note, "note 5", "note_"],
            "orders.quantity": [1, 2],
            "orders.is_gift": False,
            "orders.status": ["complete", "pending"],
        },
    )
    run = results.sync(queries=[entry]).succeeded()
    expected = shop.sql(f"""
        SELECT id FROM store_orders
        WHERE note IN ('{note}', 'note 5') AND quantity IN (1, 2)
        AND NOT coalesce(is_gift, false) AND status IN ('complete', 'pending') ORDER BY id""")
    assert expected
    assert ids(run) == [identifier for (identifier,) in expected]


def test_custom_fields_may_be_a_list_of_objects(results):
    custom = {"dimension": "double", "expression": "${orders.id} * 2", "_type_hint": "number"}
    entry = query("orders.id", "double", dynamic_fields=[custom])
    run = results.sync(queries=[entry]).succeeded()
    assert all(one["double"] == 2 * one["orders_id"] for one in run.records["mine"])


def test_a_field_that_is_listed_twice_is_one_column(results):
    entry = query("orders.id", "orders.status", "orders.id")
    run = results.sync(queries=[entry]).succeeded()
    assert list(run.schemas["mine"]["schema"]["properties"]) == ["orders_id", "orders_status"]


# --------------------------------------------------------------------------------- what is selected


def test_what_is_not_selected_is_not_asked_for(results, shop):
    entry = query("orders.id", "orders.note", "orders.status")
    catalog = deselected(results.catalog(queries=[entry]), "orders_note", "orders_id")
    shop.reset_calls()
    run = results.sync(catalog, queries=[entry]).succeeded()
    (body,) = queries(shop)
    assert body["fields"] == ["orders.id", "orders.status"], "the key is always read"
    assert set(run.records["mine"][0]) == {"orders_id", "orders_status"}


def test_a_deselected_column_does_not_change_the_rows(results, shop):
    """Without one of its dimensions a query would count otherwise."""
    entry = query("orders.status", "users.city", "orders.count", pivots=["orders.status"])
    catalog = deselected(results.catalog(queries=[entry]), "users_city")
    run = results.sync(catalog, queries=[entry]).succeeded()
    complete = f"{JOINED} WHERE status = 'complete' GROUP BY city ORDER BY 1"
    expected = [count for (count,) in shop.sql(f"SELECT count(*) FROM {complete}")]
    assert {tuple(record) for record in run.records["mine"]} == {("orders_count",)}
    assert sorted(record["orders_count"]["complete"] for record in run.records["mine"]) == expected


def test_what_a_look_is_sorted_by_need_not_be_selected(results, shop):
    look = shop.look_id("Orders by month and status")
    catalog = deselected(results.catalog(looks=[look]), "orders_created_month")
    run = results.sync(catalog, looks=[look]).succeeded()
    ((months,),) = shop.sql("SELECT count(DISTINCT strftime(created, '%Y-%m')) FROM store_orders")
    assert len(run.records[f"look_{look}"]) == months


def test_what_a_limit_cuts_depends_on_the_order_not_on_the_selection(results):
    """The ten dearest orders, also where nobody wants to know how dear."""
    entry = query(
        "orders.id", "orders.total_sale_price", sorts=["orders.total_sale_price desc"], limit=10
    )
    whole = results.sync(queries=[entry]).succeeded()
    catalog = deselected(results.catalog(queries=[entry]), "orders_total_sale_price")
    part = results.sync(catalog, queries=[entry]).succeeded()
    assert [record["orders_id"] for record in part.records["mine"]] == [
        record["orders_id"] for record in whole.records["mine"]
    ]


# ---------------------------------------------------------------------------------------- mistakes


MISTAKES = {
    "looks": [
        {"id": "999999", "name": "gone"},
        {"id": "{every}", "name": "no_key", "primary_keys": ["orders.slug"]},
    ],
    "queries": [
        query("orders.id", "orders.nope", "users.neither", name="no_field"),
        query("orders.id", name="no_explore") | {"explore": "nothing"},
        query("orders.id", name="no_model") | {"model": "nothing"},
        query("orders.id", name="no_replication", replication_key="orders.created_time"),
        query("orders.status", "orders.count", name="by_measure", replication_key="orders.count"),
        {"name": "no_query", "query": "nothing"},
        query("orders.id", "orders.status", name="good"),
    ],
}
WORDS = {
    "looks[0]": ["999999"],
    "looks[1]": ["primary_keys", "orders.slug"],
    "queries[0]": ["orders.nope", "users.neither"],
    "queries[1]": ["thelook::nothing"],
    "queries[2]": ["nothing::orders"],
    "queries[3]": ["replication_key", "orders.created_time"],
    "queries[4]": ["replication_key"],
    "queries[5]": ["nothing"],
}


@pytest.fixture
def mistakes(shop):
    text = json.dumps(MISTAKES).replace("{every}", shop.look_id("Every order"))
    return json.loads(text)


def test_all_mistakes_are_found_at_discovery_with_their_places(results, mistakes):
    found = results.discover(**mistakes)
    assert found.exit_code == 1
    assert found.stdout == ""
    assert "Traceback" not in found.stderr
    lines = found.stderr.splitlines()
    for place, words in WORDS.items():
        for word in words:
            assert [line for line in lines if place in line and word in line], (place, word)
    assert "queries[6]" not in found.stderr


def test_in_a_run_mistakes_fail_only_their_streams(results, mistakes):
    run = run_cli(*results.arguments(**mistakes))
    assert run.exit_code == 1
    names = {entry["name"] for entries in mistakes.values() for entry in entries} - {"good"}
    assert {line.split()[1].rstrip(":") for line in failures(run)} == names
    assert not names & (set(run.records) | set(run.schemas))
    assert len(run.records["good"]) == 1_000
    assert run.records["users"]
    assert "Traceback" not in run.stderr


def test_a_replication_key_of_a_saved_query_may_be_missing_too(results, shop):
    found = results.discover(
        looks=[{"id": shop.look_id("Orders by status"), "replication_key": "orders.created_time"}]
    )
    assert found.exit_code == 1
    assert "looks[0]" in found.stderr
    assert "orders.created_time" in found.stderr


BY_ITSELF = [
    ({"looks": [{"name": "x"}]}, "looks[0]", ["id"]),
    ({"looks": [{"id": 1, "fields": ["a.b"]}]}, "looks[0]", ["no option fields"]),
    ({"looks": [True]}, "looks[0]", []),
    ({"queries": [{"query": "abc"}]}, "queries[0]", ["name"]),
    ({"queries": [{"name": "x"}]}, "queries[0]", ["model", "explore", "fields"]),
    ({"queries": [query("a.b", run="later")]}, "queries[0]", ["run"]),
    ({"queries": [query("a.b", limit=0)]}, "queries[0]", ["limit"]),
    ({"queries": [query("a.b", limit="many")]}, "queries[0]", ["limit"]),
    ({"queries": [query("a.b", timezone="Mars/Olympus")]}, "queries[0]", ["Mars/Olympus"]),
    ({"queries": [query("a.b", sorts="a.b")]}, "queries[0]", ["sorts"]),
    ({"queries": [query("a.b", filters=["a"])]}, "queries[0]", ["filters"]),
    ({"queries": [query("a.b", nonsense=1)]}, "queries[0]", ["nonsense"]),
    ({"looks": [7, "7"]}, "looks[1]", ["look_7", "looks[0]"]),
    ({"looks": [{"id": 7, "name": "mine"}], "queries": [query("a.b")]}, "queries[0]",
     ["mine", "looks[0]"]),
    ({"queries": [query("a.b", name="users")]}, "queries[0]", ["users", "already"]),
    ({"queries": [query("a.b", name="system_activity_history")]}, "queries[0]",
     ["system_activity_history", "already"]),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "place", "words"), BY_ITSELF)
def test_what_is_wrong_by_itself_is_said_without_an_instance(results, shop, settings, place, words):
    for options in ([], ["--discover"]):
        found = run_cli(*results.arguments(**settings), *options)
        assert found.exit_code == 1
        assert "Traceback" not in found.stderr
        assert [
            line
            for line in found.stderr.splitlines()
            if place in line and all(word in line for word in words)
        ]
        assert found.stdout == ""
        # At discovery the other entries are looked at too, for all mistakes at once.
        assert options or shop.calls == []


def test_mistakes_of_all_kinds_are_said_at_once(results, shop):
    found = results.discover(
        looks=[{"name": "x"}, {"id": 3, "run": "never"}, {"id": "999999", "name": "gone"}],
        queries=[
            {"name": "y", "limit": -5},
            query("orders.nope", name="z"),
            query("orders.id", name="twice"),
            query("orders.id", name="twice"),
        ],
        system_activity=[
            {"explore": "user"},
            {"explore": "nothing", "fields": ["a.b"], "primary_keys": ["a.b"]},
        ],
    )
    assert found.exit_code == 1
    for place in (
        "looks[0]",
        "looks[1]",
        "looks[2]",
        "queries[0]",
        "queries[1]",
        "queries[3]",
        "system_activity[0]",
        "system_activity[1]",
    ):
        assert place in found.stderr, place
    assert "Traceback" not in found.stderr
    assert shop.count("/logout", "DELETE") == 1


# ----------------------------------------------------------------------------------- with a catalog


def test_with_a_catalog_metadata_is_not_asked_for_again(results, shop):
    settings = {
        "looks": [shop.look_id("Every order"), shop.look_id("Orders by status")],
        "queries": [query("orders.id", "orders.created_time", replication_key="orders.id")],
    }
    results.discovered.clear()
    catalog = results.catalog(**settings)
    assert shop.count(METADATA) == 1, "once for three streams of one explore"
    shop.reset_calls()
    run = results.sync(catalog, **settings).succeeded()
    assert shop.count(METADATA) == 1, "for what has no key: which fields it is grouped by"
    assert shop.count("/lookml_models*") == 1
    assert shop.count("/looks/*") == 2
    assert shop.count(RUN) == 3
    without = run_cli(*results.arguments(**settings)).succeeded()
    for stream in run.records:
        assert run.records[stream] == without.records[stream]
        assert run.schemas[stream] == without.schemas[stream]


def test_what_the_catalog_does_not_select_is_not_asked_for(results, shop):
    settings = {"looks": [shop.look_id("Every order")], "queries": [query("orders.id")]}
    catalog = results.catalog(**settings)
    for metadata in catalog["streams"][0]["metadata"]:
        if not metadata["breadcrumb"]:
            metadata["metadata"]["selected"] = False
    shop.reset_calls()
    run = results.sync(catalog, **settings).succeeded()
    assert list(run.records) == ["mine"]
    assert shop.count("/looks/*") == 0


@pytest.mark.parametrize("change", ["more", "less", "other"])
def test_columns_that_have_changed_since_the_catalog_say_so(of, change):
    with Emulator() as emulator:
        results, identifier = of(emulator), emulator.look_id("Every order")
        settings = {"looks": [identifier], "queries": [query("orders.id")]}
        catalog = results.catalog(**settings)
        saved = next(look for look in emulator.instance.looks if look["id"] == identifier)["query"]
        saved["fields"] = {
            "more": [*saved["fields"], "orders.size"],
            "less": saved["fields"][:-1],
            "other": [*saved["fields"][:-1], "orders.size"],
        }[change]
        run = results.sync(catalog, **settings)
        assert run.exit_code == 1
        (failure,) = failures(run)
        assert f"Failed look_{identifier}" in failure
        assert "--discover" in failure
        assert "--refresh-catalog" in failure
        assert "orders_note" in failure or "orders_size" in failure
        assert f"look_{identifier}" not in run.records
        assert len(run.records["mine"]) == 1_000


# ------------------------------------------------------------------------------------------- limits


def test_every_row_is_asked_for_unless_a_limit_is_given(results, shop):
    run = results.sync(looks=[shop.look_id("Orders by status"), shop.look_id("Every order")])
    assert {body["limit"] for body in queries(shop)} == {"-1"}
    assert len(run.succeeded().records[f"look_{shop.look_id('Every order')}"]) == 1_000
    (call,) = [call for call in shop.calls if call.path == RUN][:1]
    assert call.query["cache"] == "false"
    assert call.query["apply_formatting"] == "false"


@pytest.mark.parametrize(("limit", "reported"), [(10, True), (1_000, True), (1_001, False)])
@pytest.mark.parametrize("way", ["stream", "task"])
def test_a_result_as_long_as_its_limit_is_reported(results, limit, reported, way):
    run = results.sync(queries=[query("orders.id", limit=limit, run=way)]).succeeded()
    assert len(run.records["mine"]) == min(limit, 1_000)
    warnings = [line for line in run.warnings if "limit" in line]
    assert len(warnings) == reported
    assert all("mine" in line and str(limit) in line for line in warnings)


@pytest.mark.parametrize("page_size", [50_000, 300])
@pytest.mark.parametrize("way", ["stream", "task"])
def test_where_all_rows_are_refused_they_come_in_pages(of, page_size, way):
    with Emulator(download_without_limit=False) as emulator:
        entry = query("orders.id", "orders.status", run=way)
        run = of(emulator).sync(queries=[entry], activity_page_size=page_size).succeeded()
        assert sorted(record["orders_id"] for record in run.records["mine"]) == [
            row[0] for row in emulator.sql("SELECT id FROM store_orders ORDER BY id")
        ]


def test_where_all_rows_are_refused_and_there_is_no_key_the_error_says_what_to_do(of):
    with Emulator(download_without_limit=False) as emulator:
        look = emulator.look_id("Orders by month and status")
        run = of(emulator).sync(looks=[look], queries=[query("orders.count")])
        assert run.exit_code == 1
        found = failures(run)
        assert len(found) == 2
        assert all("without a limit" in line and "set limit" in line for line in found)
        assert [line for line in found if "looks[0]" in line]
        assert [line for line in found if "queries[0]" in line]
        assert run.records == {}


CUT = [
    # Rows of the result, cap, runs: what may have been cut is read on.
    (1_000, 500, 3),
    (700, 500, 2),
    (500, None, 2),
    (499, None, 1),
    (501, None, 1),
]


@pytest.mark.parametrize(("count", "cap", "runs"), CUT)
@pytest.mark.parametrize("way", ["stream", "task"])
def test_a_result_that_may_have_been_cut_is_read_on(of, count, cap, runs, way):
    with Emulator(row_cap=cap) as emulator:
        entry = query("orders.id", filters={"orders.id": f"<={count}"}, run=way)
        run = of(emulator).sync(queries=[entry]).succeeded()
        assert sorted(record["orders_id"] for record in run.records["mine"]) == list(
            range(1, count + 1)
        )
        assert emulator.query_runs == runs


@pytest.mark.parametrize(("rows_there", "cap"), [(12_000, 5_000), (5_000, None)])
def test_5000_rows_are_read_on_too(of, rows_there, cap):
    with Emulator(12.0, row_cap=cap) as emulator:
        entry = query("orders.id", filters={"orders.id": f"<={rows_there}"})
        run = of(emulator).sync(queries=[entry]).succeeded()
        assert len({record["orders_id"] for record in run.records["mine"]}) == rows_there


KEYS_TO_READ_ON_ALONG = [
    (["orders.note", "orders.id"], ["orders.note", "orders.id"]),
    (["orders.created_time", "orders.status"], []),
    (["orders.created_date", "orders.user_id", "orders.status", "orders.count"], []),
    (["users.name", "products.name", "orders.id"], ["users.name", "products.name", "orders.id"]),
    (["orders.is_gift", "orders.total_sale_price", "orders.barcode"], []),
    (["users.distance_to_store", "orders.discount", "orders.id"],
     ["users.distance_to_store", "orders.discount", "orders.id"]),
    (["orders.created_millisecond", "orders.id"], ["orders.created_millisecond", "orders.id"]),
    (["orders.created_microsecond", "orders.status"], []),
    (["orders.created_day_of_week", "users.name", "orders.size", "orders.count"], []),
    (["users.age_tier", "orders.created_week", "orders.size", "users.city", "orders.count"], []),
    (["orders.created_month", "users.id", "orders.count"], ["orders.created_month", "users.id"]),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "keys"), KEYS_TO_READ_ON_ALONG)
def test_a_cut_result_is_read_on_along_any_key_or_fails(of, fields, keys):
    """Every row or an error, whatever the key is made of."""
    with Emulator() as emulator:
        whole = of(emulator).sync(queries=[query(*fields, primary_keys=[])]).succeeded()
    with Emulator(row_cap=500) as emulator:
        run = of(emulator).sync(queries=[query(*fields, primary_keys=keys)])
        assert len(whole.records["mine"]) > 500
        if run.exit_code == 0:
            texts = {json.dumps(record) for record in run.records["mine"]}
            assert texts == {json.dumps(record) for record in whole.records["mine"]}
            assert len(run.records["mine"]) == len(texts)
        else:
            assert failures(run)
            assert len(run.records.get("mine", [])) <= len(whole.records["mine"])


CUSTOM_DIMENSION = {
    "dimension": "shout", "expression": "upper(${users.name})", "_type_hint": "string"
}  # fmt: skip
RANKED = [
    ["users.age_tier", "users.city", "orders.id"],
    ["orders.size", "orders.created_date", "orders.id"],
    ["orders.created_day_of_week", "orders.id"],
    ["orders.created_month_name", "orders.id"],
    ["shout", "orders.id"],
]


@pytest.mark.parametrize("fields", RANKED, ids=lambda fields: fields[0])
@pytest.mark.parametrize("catalog", [True, False], ids=["with a catalog", "without a catalog"])
@pytest.mark.parametrize("way", ["all", "paged"])
def test_pagination_never_compares_texts_that_looker_sorts_by_rank(of, fields, catalog, way):
    """Tiers, ``case`` values, names of days, custom fields: a cut is an error, not fewer rows."""
    custom = {"dynamic_fields": json.dumps([CUSTOM_DIMENSION])} if "shout" in fields else {}
    entry = query(*fields, primary_keys=fields, **custom)
    with Emulator(row_cap=500, download_without_limit=way == "all") as emulator:
        runs = of(emulator)
        listed = runs.catalog(queries=[entry]) if catalog else None
        run = run_cli(*runs.arguments(listed, queries=[entry]))
        (failure,) = failures(run)
        assert run.exit_code == 1
        assert fields[0] in failure
        assert "limit" in failure


def test_metadata_is_asked_for_again_only_when_a_cut_meets_a_text_key(of):
    """A catalog spares the calls, but for a key whose order is in doubt."""

    def asked(entry, cap):
        with Emulator(row_cap=cap) as emulator:
            runs = of(emulator)
            catalog = runs.catalog(queries=[entry])
            emulator.reset_calls()
            runs.sync(catalog, queries=[entry]).succeeded()
            return [call.path for call in emulator.calls if "/explores/" in call.path]

    by_text = query("orders.status", "orders.id", primary_keys=["orders.status", "orders.id"])
    assert asked(by_text, 500) == ["/lookml_models/thelook/explores/orders"]
    assert not asked(by_text, 600)
    by_number = query("orders.id", "orders.status")
    assert not asked(by_number, 500)


@pytest.fixture
def running_totals(monkeypatch):
    """Has metadata say that a measure is a running total: the emulator has no such measure."""

    def of_type(kind):
        def read(client, model, name):
            explore = read_explore(client, model, name)
            total = {**explore.fields["orders.revenue"], "type": kind}
            return replace(explore, fields={**explore.fields, "orders.revenue": total})

        monkeypatch.setattr("tap_looker.queries.resolve.read_explore", read)

    return of_type


@pytest.mark.parametrize("catalog", [True, False], ids=["with a catalog", "without a catalog"])
def test_a_running_total_is_computed_in_the_order_of_its_query(of, running_totals, catalog):
    """By the order of the key its values would be others."""
    running_totals("running_total")
    sorts = ["orders.revenue desc"]
    entry = query("orders.id", "orders.revenue", sorts=sorts)
    with Emulator() as emulator:
        runs = of(emulator)
        listed = runs.catalog(queries=[entry]) if catalog else None
        run_cli(*runs.arguments(listed, queries=[entry])).succeeded()
        assert [body["sorts"] for body in queries(emulator)] == [sorts]


@pytest.mark.parametrize("catalog", [True, False], ids=["with a catalog", "without a catalog"])
@pytest.mark.parametrize("kind", ["running_total", "percent_of_total", "percent_of_previous"])
def test_what_looker_computes_of_all_rows_is_not_read_in_pages(of, running_totals, kind, catalog):
    """Each page would begin to count afresh."""
    running_totals(kind)
    entry = query("orders.id", "orders.revenue")
    with Emulator(row_cap=500) as emulator:
        runs = of(emulator)
        listed = runs.catalog(queries=[entry]) if catalog else None
        run = run_cli(*runs.arguments(listed, queries=[entry]))
        (failure,) = failures(run)
        assert run.exit_code == 1
        assert emulator.query_runs == 1
        assert "limit" in failure
        assert "orders.revenue" in failure


def test_a_catalog_cannot_make_a_ranked_text_the_bookmark(of):
    """The field of the bookmark was changed after the discovery: refused before it filters."""
    with Emulator() as emulator:
        runs = of(emulator)
        entry = query("users.age_tier", "orders.id", primary_keys=["orders.id"])
        catalog = runs.catalog(queries=[entry])
        entry = {**entry, "replication_key": "users.age_tier"}
        catalog["streams"][0] |= {
            "replication_key": "users_age_tier", "replication_method": "INCREMENTAL"
        }  # fmt: skip
        state = {"bookmarks": {"mine": {"replication_key": "users_age_tier",
                                        "replication_key_value": "20 to 39"}}}  # fmt: skip
        run = runs.sync(catalog, state, queries=[entry])
        assert run.exit_code == 1
        assert not run.records.get("mine")
        assert "users.age_tier" in failures(run)[0]


def test_a_cut_result_without_a_key_is_an_error(of):
    with Emulator(row_cap=500) as emulator:
        entry = query("orders.id", "orders.status", "orders.count", pivots=["orders.status"])
        run = of(emulator).sync(queries=[entry])
        assert run.exit_code == 1
        (failure,) = failures(run)
        assert "500 rows" in failure
        assert "limit" in failure


@pytest.mark.parametrize("cap", [500, 5_000])
def test_a_limit_that_the_instance_does_not_keep_is_not_silent(of, cap):
    """Asked for up to 8,000 rows and given 500: that is a cut, and no end."""
    with Emulator(9.0, row_cap=cap) as emulator:
        entry = query("orders.id", "orders.status", limit=8_000)
        run = of(emulator).sync(queries=[entry])
        found = run.records.get("mine", [])
        assert (
            len({record["orders_id"] for record in found}) == 8_000
            or run.exit_code == 1
            or [line for line in run.warnings if "mine" in line]
        )


# -------------------------------------------------------------------------------------- incremental


INCREMENTAL = query(
    "orders.id", "orders.created_time", "orders.status", replication_key="orders.created_time"
)


def ids(run, stream="mine"):
    return [record["orders_id"] for record in run.records.get(stream, [])]


def orders(emulator, where="true"):
    found = emulator.sql(f"SELECT id FROM store_orders WHERE {where} ORDER BY created, id")
    return [row[0] for row in found]


@pytest.mark.parametrize("more", [{}, {"filters": {"orders.created_date": "after 2000-01-01"}}])
def test_windows_do_not_divide_the_count_of_a_day(of, more):
    """A bound within a day leaves the day to one of the windows, and whole."""
    daily = query(
        *("orders.created_date", "orders.count"),
        replication_key="orders.created_date",
        primary_keys=["orders.created_date"],
        timezone="UTC",
        **more,
    )
    with Emulator() as emulator:
        results = of(emulator)
        whole = results.sync(queries=[daily]).succeeded().records["mine"]
        busy = [row["orders_created_date"] for row in whole if row["orders_count"] > 1]
        middle = f"{busy[len(busy) // 2]}T12:00:00Z"
        parts = []
        for window in ({"end_date": middle}, {"start_date": middle}):
            parts += results.sync(queries=[daily], **window).succeeded().records["mine"]
        assert parts == whole


@pytest.mark.parametrize("zone", ["UTC", "Europe/Zurich", "America/Los_Angeles"])
def test_a_replication_key_makes_a_query_incremental(of, zone):
    with Emulator() as emulator:
        results = of(emulator)
        settings = {"queries": [{**INCREMENTAL, "timezone": zone}]}
        catalog = incremental(results.catalog(**settings))
        first = results.sync(
            catalog, **settings, start_date="2025-01-01T00:00:00Z", end_date="2026-01-01T00:00:00Z"
        ).succeeded()
        window = "created >= '2025-01-01' AND created < '2026-01-01'"
        assert ids(first) == orders(emulator, window)
        last = first.records["mine"][-1]["orders_created_time"]
        assert bookmark(first.states[-1]) == last
        emulator.reset_calls()
        second = results.sync(catalog, first.states[-1], **settings).succeeded()
        (body,) = queries(emulator)
        assert body["sorts"] == ["orders.created_time", "orders.id"]
        assert "orders.created_time" in body["filters"]
        # The row of the bookmark comes again: others may have its time.
        assert ids(second)[0] == ids(first)[-1]
        assert set(ids(first) + ids(second)) == set(orders(emulator, "created >= '2025-01-01'"))
        assert bookmark(second.states[-1]) > last
        third = results.sync(catalog, second.states[-1], **settings).succeeded()
        assert ids(third) == ids(second)[-1:]


def test_rows_with_the_time_of_the_bookmark_are_not_lost(of):
    with Emulator() as emulator:
        results, settings = of(emulator), {"queries": [INCREMENTAL]}
        catalog = results.catalog(**settings)
        first = results.sync(catalog, **settings).succeeded()
        emulator.sql("""
            INSERT INTO store_orders BY NAME
            SELECT store_orders.* REPLACE (id + i AS id)
            FROM store_orders, range(1, 4) AS r(i) WHERE id = 1000""")
        second = results.sync(catalog, first.states[-1], **settings).succeeded()
        assert ids(second) == [1000, 1001, 1002, 1003]


@pytest.mark.parametrize("cap", [None, 500])
def test_an_incremental_query_is_resumable(of, cap):
    with Emulator(row_cap=cap) as emulator:
        results, settings = of(emulator), {"queries": [INCREMENTAL]}
        catalog = results.catalog(**settings)
        emulator.add_fault(Fault("looker_error", RUN, times=None, after_rows=123, message="Sorry"))
        run = results.sync(catalog, **settings)
        assert run.exit_code == 1
        assert "Sorry" in failures(run)[0]
        assert ids(run) == orders(emulator)[:123]
        assert bookmark(run.states[-1]) == run.records["mine"][-1]["orders_created_time"]
        emulator.clear_faults()
        rest = results.sync(catalog, run.states[-1], **settings).succeeded()
        assert ids(rest) == orders(emulator)[122:]


def test_a_number_is_a_bookmark_too(of):
    with Emulator() as emulator:
        results = of(emulator)
        settings = {"queries": [query("orders.id", "orders.status", replication_key="orders.id")]}
        catalog = incremental(results.catalog(**settings))
        first = results.sync(catalog, **settings).succeeded()
        assert ids(first) == list(range(1, 1_001))
        assert bookmark(first.states[-1]) == 1_000
        emulator.sql("""
            INSERT INTO store_orders BY NAME
            SELECT * REPLACE (1001 AS id) FROM store_orders WHERE id = 5""")
        second = results.sync(catalog, first.states[-1], **settings).succeeded()
        assert ids(second) == [1_000, 1_001]


def test_filters_of_ones_own_stay_beside_the_bounds(of):
    with Emulator() as emulator:
        results = of(emulator)
        entry = {
            **INCREMENTAL,
            "filters": {"orders.created_time": "2025", "orders.status": "complete"},
            "filter_expression": "${orders.id} > 300 OR ${orders.id} < 290",
        }
        settings = {"queries": [entry], "start_date": "2025-03-01T00:00:00Z"}
        catalog = results.catalog(**settings)
        where = (
            "year(created) = 2025 AND status = 'complete' AND (id > 300 OR id < 290) "
            "AND created >= '{}'"
        )
        first = results.sync(catalog, **settings).succeeded()
        assert ids(first) == orders(emulator, where.format("2025-03-01"))
        middle = first.records["mine"][50]["orders_created_time"]
        state = state_of("orders_created_time", middle)
        second = results.sync(catalog, state, **settings).succeeded()
        assert ids(second) == ids(first)[50:]


@pytest.mark.parametrize("zone", ["UTC", "America/Sao_Paulo", "Asia/Tokyo"])
def test_a_date_is_a_bookmark_and_its_day_comes_again_whole(of, zone):
    """The day of the bookmark was not over: its count comes again, and is that of all of it."""
    with Emulator() as emulator:
        results = of(emulator)
        entry = query(
            "orders.created_date",
            "orders.count",
            replication_key="orders.created_date",
            timezone=zone,
        )
        settings = {"queries": [entry]}
        catalog = results.catalog(**settings)
        # Orders at all hours of each day.
        emulator.sql("""
            INSERT INTO store_orders BY NAME
            SELECT store_orders.* REPLACE (id + 10000 * i AS id, created + to_hours(i) AS created)
            FROM store_orders, range(1, 24) AS r(i)""")
        expected = dict(
            emulator.sql(f"""
            SELECT strftime((created AT TIME ZONE 'UTC') AT TIME ZONE '{zone}', '%Y-%m-%d'),
                count(*) FROM store_orders GROUP BY 1""")
        )
        day = sorted(expected)[400]
        state = state_of("orders_created_date", day)
        run = results.sync(catalog, state, **settings).succeeded()
        found = {
            record["orders_created_date"]: record["orders_count"] for record in run.records["mine"]
        }
        assert day in found
        for date, count in found.items():
            assert count == expected[date] or date < day, date
        assert set(found) >= {date for date in expected if date >= day}
        assert bookmark(run.states[-1]) == max(expected)


def test_a_limit_takes_the_oldest_rows_of_an_incremental_query(of):
    """And the next run goes on behind them, whatever order the query had of its own."""
    with Emulator() as emulator:
        results = of(emulator)
        entry = {**INCREMENTAL, "limit": 300, "sorts": ["orders.created_time desc"]}
        settings = {"queries": [entry]}
        catalog = results.catalog(**settings)
        state, found = None, []
        for _ in range(4):
            run = results.sync(catalog, state, **settings)
            state = run.states[-1]
            found += ids(run)
            before = f"strftime(created, '%Y-%m-%dT%H:%M:%SZ') < '{bookmark(state) or ''}'"
            assert set(found) >= set(orders(emulator, before)), "state ahead of the data"
            run.succeeded()
        assert list(dict.fromkeys(found)) == orders(emulator)[: len(set(found))]
        assert len(set(found)) == 1_000


def test_the_hour_that_comes_twice_loses_no_rows(of):
    """In October clocks show 02:30 twice: what comes the second time is not before the first."""
    with Emulator() as emulator:
        results = of(emulator)
        settings = {"queries": [{**INCREMENTAL, "timezone": "Europe/Zurich"}]}
        catalog = results.catalog(**settings)
        emulator.sql("DELETE FROM store_orders WHERE created >= '2025-10-26 00:00:00'")
        order = """INSERT INTO store_orders BY NAME
            SELECT * REPLACE ({} AS id, TIMESTAMP '2025-10-26 {}' AS created)
            FROM store_orders WHERE id = 5"""
        emulator.sql(order.format(5001, "00:30:00"))
        first = results.sync(catalog, **settings).succeeded()
        assert ids(first)[-1] == 5001
        emulator.sql(order.format(5002, "01:10:00"))
        emulator.sql(order.format(5003, "01:50:00"))
        second = results.sync(catalog, first.states[-1], **settings).succeeded()
        assert {5002, 5003} <= set(ids(second))


def test_start_date_does_not_bound_a_query_that_is_not_incremental(results):
    run = results.sync(
        queries=[query("orders.id", "orders.created_time")],
        start_date="2026-01-01",
        end_date="2026-02-01",
    ).succeeded()
    assert len(run.records["mine"]) == 1_000


def test_a_look_can_be_incremental(of):
    with Emulator() as emulator:
        results = of(emulator)
        look = {
            "id": emulator.look_id("Orders of the last 30 days"),
            "name": "mine",
            "replication_key": "orders.created_time",
        }
        catalog = results.catalog(looks=[look])
        first = results.sync(catalog, looks=[look], start_date="2020-01-01").succeeded()
        assert len(first.records["mine"]) > 20
        assert ids(first) == orders(emulator, f"id >= {min(ids(first))}")
        again = results.sync(catalog, first.states[-1], looks=[look]).succeeded()
        assert ids(again) == ids(first)[-1:]


# -------------------------------------------------------------------------------------- run: task

TASK = query("orders.id", "orders.status", run="task")


@pytest.fixture
def waits(monkeypatch):
    """The seconds between the looks at a task, for which nobody waits here."""
    seconds = []
    monkeypatch.setattr(LookerClient, "wait", lambda _, one: seconds.append(one))
    return seconds


@pytest.mark.usefixtures("waits")
def test_a_task_is_created_watched_and_fetched(of):
    with Emulator(task_polls=3) as emulator:
        results = of(emulator)
        run = results.sync(queries=[TASK, query("orders.id", "orders.status", name="streamed")])
        run.succeeded()
        assert run.records["mine"] == run.records["streamed"]
        assert emulator.count("/query_tasks", "POST") == 1
        assert emulator.count("/queries", "POST") == 1
        (task,) = emulator.tasks
        assert emulator.count(f"/query_tasks/{task}", "GET") == 4
        assert emulator.count(RESULTS) == 1
        assert emulator.tasks[task].params["limit"] == "-1"
        assert emulator.tasks[task].params["cache"] == "false"
        assert emulator.tasks[task].params["apply_formatting"] == "false"
        assert emulator.cancelled == []
        assert emulator.count("/running_queries/*") == 0


def test_polls_back_off(of, waits):
    with Emulator(task_polls=12) as emulator:
        of(emulator).sync(queries=[TASK]).succeeded()
        assert len(waits) == 13
        assert waits == sorted(waits)
        assert 0 < waits[0] <= 2, "a quick query is not waited for long"
        assert waits[-1] == execute.MAX_POLL_INTERVAL


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("ends", ["error", "killed", "expired"])
def test_a_task_that_ends_otherwise_says_how(of, ends):
    with Emulator(task_polls=1) as emulator:
        emulator.add_fault(Fault("task", "/query_tasks", times=None, ends=ends))
        run = of(emulator).sync(queries=[TASK, query("orders.id", name="other")])
        assert run.exit_code == 1
        (failure,) = failures(run)
        assert "Failed mine" in failure
        # Of an error Looker's words are better than its name.
        assert ends in failure or (ends == "error" and "Query failed" in failure)
        assert "mine" not in run.records
        assert "mine" not in run.schemas
        assert len(run.records["other"]) == 1_000
        assert emulator.count("/query_tasks", "POST") == 1, "not run again by itself"
        assert emulator.count("/running_queries/*") == 0, "there is nothing to cancel"


@pytest.mark.usefixtures("waits")
def test_a_task_that_is_given_up_is_cancelled(of):
    with Emulator(task_polls=1) as emulator:
        emulator.add_fault(Fault("task", "/query_tasks", times=None, ends="hibernating"))
        run = of(emulator).sync(queries=[TASK])
        assert "gave up" in failures(run)[0]
        assert emulator.count("/running_queries/*", "DELETE") == 1


class Task:
    """In the place of a client: a query task that says one thing after the other."""

    def __init__(self, *statuses):
        self.statuses, self.looks, self.seconds = list(statuses), 0, 0

    def wait(self, seconds):
        self.seconds += seconds

    def get(self, *_, **__):
        self.looks += 1
        status = self.statuses.pop(0) if self.statuses[1:] else self.statuses[0]
        return SimpleNamespace(data={"id": "1", "status": status})

    def stream(self, *_, **__):
        raise RequestError("It is gone.", 404)


@pytest.mark.parametrize(
    ("first", "then", "looks"),
    [
        ("complete", [], 0),
        ("Complete", [], 0),
        (None, ["Added", "RUNNING", "Complete"], 3),
        ("queued", ["warming up", "running", "complete"], 3),
        ("added", ["expired", "running", "complete"], 3),
        ("missing", ["running", "expired", "running", "complete"], 4),
        ("running", ["running"] * 200 + ["complete"], 201),
    ],
)
def test_a_task_is_watched_to_its_end_whatever_it_says_in_between(first, then, looks):
    task = Task(*then)
    execute._await_task(task, "/query_tasks/1", {"id": "1", "status": first})
    assert task.looks == looks


@pytest.mark.parametrize(
    ("statuses", "looks", "words"),
    [
        (["expired", "expired"], 2, "ended as expired"),
        (["running", "missing", "missing"], 3, "ended as missing"),
        (["Killed"], 1, "ended as killed"),
        (["hibernating"], execute.MAX_UNKNOWN - 1, '"hibernating"'),
        (["running", "a", "running", "b"], execute.MAX_UNKNOWN + 2, '"b"'),
        (["expired", "missing"] * 30, execute.MAX_UNKNOWN, '"missing"'),
    ],
)
def test_a_task_without_an_end_or_a_result_is_an_error(statuses, looks, words):
    task = Task(*statuses)
    first = {"id": "1", "status": "hibernating" if "hibernating" in statuses else "added"}
    with pytest.raises(QueryError, match=words):
        execute._await_task(task, "/query_tasks/1", first)
    assert task.looks == looks
    assert task.seconds < 600


def test_a_task_that_runs_for_ever_is_given_up_in_the_end(monkeypatch):
    task = Task("running")
    now = iter(range(0, 1_000_000, 3_600))
    monkeypatch.setattr(execute.time, "monotonic", lambda: float(next(now)))
    with pytest.raises(QueryError, match=r'still "running" after 24 hours'):
        execute._await_task(task, "/query_tasks/1", {"id": "1", "status": "running"})
    assert task.looks == 24


def test_what_the_database_says_to_a_task_is_said(of):
    with Emulator() as emulator:
        look = {"id": emulator.look_id("A look that fails"), "name": "mine", "run": "task"}
        run = of(emulator).sync(looks=[look])
        assert run.exit_code == 1
        (failure,) = failures(run)
        assert "no_such_column" in failure


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("kind", ["reset_body", "truncate_chunked", "truncate_length", "html"])
def test_a_broken_download_is_fetched_again_and_the_query_is_not_run_again(of, kind, times):
    with Emulator() as emulator:
        fault = emulator.add_fault(Fault(kind, RESULTS, times=times))
        run = of(emulator).sync(queries=[TASK]).succeeded()
        assert fault.fired == times
        assert [record["orders_id"] for record in run.records["mine"]] == orders(emulator)
        assert emulator.query_runs == 1
        assert emulator.count(RESULTS) == times + 1


@pytest.mark.parametrize("entry", [TASK, query("orders.id", name="mine")])
def test_a_part_of_a_result_is_no_result(of, entry):
    with Emulator() as emulator:
        emulator.add_fault(Fault("status", "*/results", times=None, status=206, html="[]"))
        emulator.add_fault(Fault("status", "/queries/run/json", times=None, status=206, html="[]"))
        run = of(emulator).sync(queries=[entry])
        assert run.exit_code == 1
        assert "HTTP 206, only a part" in failures(run)[0]


def test_a_result_that_is_not_ready_yet_is_asked_for_again(of):
    with Emulator() as emulator:
        fault = emulator.add_fault(Fault("status", RESULTS, times=2, status=202, html=""))
        run = of(emulator).sync(queries=[TASK]).succeeded()
        assert fault.fired == 2
        assert len(run.records["mine"]) == 1_000
        assert emulator.query_runs == 1


def test_a_download_that_never_comes_whole_is_an_error(of):
    with Emulator() as emulator:
        emulator.add_fault(Fault("truncate_chunked", RESULTS, times=None, sent=0.4))
        run = of(emulator).sync(queries=[TASK])
        assert run.exit_code == 1
        assert ids(run) == orders(emulator)[: len(ids(run))]
        assert len(ids(run)) < 1_000
        assert emulator.query_runs == 1


def test_a_task_is_cancelled_when_the_run_is_interrupted(of):
    with Emulator(task_seconds=60) as emulator:
        process = of(emulator).start(queries=[TASK])
        deadline = time.monotonic() + DEADLINE
        while not emulator.count("/query_tasks/*"):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        run = finished(process, timeout=20)
        assert run.exit_code == 128 + signal.SIGTERM
        assert emulator.cancelled == list(emulator.tasks)
        assert len(emulator.cancelled) == 1
        assert emulator.calls[-1].path == "/logout"
        assert "Traceback" not in run.stderr
        assert run.records == {}


@pytest.mark.usefixtures("waits")
def test_an_incremental_task(of):
    with Emulator(row_cap=500, task_polls=1) as emulator:
        results, settings = of(emulator), {"queries": [{**INCREMENTAL, "run": "task"}]}
        catalog = results.catalog(**settings)
        run = results.sync(catalog, **settings).succeeded()
        assert ids(run) == orders(emulator)
        again = results.sync(catalog, run.states[-1], **settings).succeeded()
        assert ids(again) == orders(emulator)[-1:]


# ----------------------------------------------------------------------------- what takes too long


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("status", {"status": 504}),
        ("status", {"status": 504, "html": "<title>504 Gateway Time-out</title>"}),
        ("status", {"status": 408}),
        ("status", {"status": 524, "html": "<title>A timeout occurred</title>"}),
        ("silence", {}),
    ],
)
def test_a_query_that_takes_too_long_is_not_run_again_and_says_run_task(of, kind, details):
    with Emulator() as emulator:
        fault = emulator.add_fault(Fault(kind, RUN, times=None, **details))
        run = of(emulator).sync(queries=[query("orders.id")], request_timeout=1)
        assert run.exit_code == 1
        (failure,) = failures(run)
        assert "run: task" in failure
        assert "queries[0]" in failure
        assert fault.fired == 1


SLOW = (
    query("orders.id", filters={"orders.id": "<=40"}),
    query("orders.status", "users.city", "orders.count", pivots=["users.city"]),
)


@pytest.mark.parametrize("entry", SLOW, ids=["key", "no key"])
def test_rows_that_stop_coming_are_completed_or_say_run_task(of, entry):
    """Nothing comes for longer than the time-out, in the middle of the rows."""
    with Emulator() as emulator:
        catalog = of(emulator).catalog(queries=[entry])
        fault = emulator.add_fault(Fault("drip", RUN, times=None, seconds=60, pieces=2))
        run = of(emulator).sync(catalog, queries=[entry], request_timeout=1)
        if run.exit_code == 0:
            assert ids(run) == list(range(1, 41))
        else:
            assert "run: task" in failures(run)[0]
            assert fault.fired == 1


def test_a_task_does_not_tell_of_itself(of):
    with Emulator() as emulator:
        emulator.add_fault(Fault("status", RESULTS, times=None, status=504))
        run = of(emulator).sync(queries=[TASK])
        assert run.exit_code == 1
        assert "run: task" not in failures(run)[0]


# -------------------------------------------------------------------------------------------- cuts


@pytest.fixture
def client(shop):
    client = LookerClient(shop.url, shop.client_id, shop.client_secret, timeout=5)
    yield client
    client.close()


SMALL = {
    "model": "thelook", "view": "orders", "query_timezone": "UTC",
    "fields": ["orders.id", "orders.note", "orders.total_sale_price"],
    "filters": {"orders.id": "<=8"}, "sorts": ["orders.id"],
}  # fmt: skip


def ways(client):
    """Each way that a result is read, as a stream does it."""
    run = partial(execute.run_query, client, repeat_slow=False)
    task = partial(execute.run_query_task, client)
    key = [Key("orders.id", "number")]
    return {
        "with a key": lambda: keyset_paging.read_all(run, SMALL, key),
        "without a key": lambda: keyset_paging.read_all(run, SMALL, []),
        "with a limit": lambda: keyset_paging.read_once(run, {**SMALL, "limit": "500"}),
        "in pages": lambda: keyset_paging.read_in_pages(run, SMALL, key, limit=3),
        "as a task": lambda: keyset_paging.read_all(task, SMALL, []),
    }


POSITIONS = [position / 48 for position in range(48)] + [0.985, 0.99, 0.995, 0.999]


@pytest.mark.parametrize("kind", ["truncate_chunked", "truncate_length", "reset_body"])
@pytest.mark.parametrize(
    "way", ["with a key", "without a key", "with a limit", "in pages", "as a task"]
)
def test_a_download_that_is_cut_anywhere_is_completed_or_an_error(shop, client, way, kind):
    whole = list(ways(client)[way]())
    assert len(whole) == 8
    path = RESULTS if way == "as a task" else RUN
    completed = 0
    for sent in POSITIONS[:: 4 if kind == "reset_body" else 1]:
        for times in (1, None):
            fault = shop.add_fault(Fault(kind, path, times=times, sent=sent))
            found, error = [], None
            try:
                for row in ways(client)[way]():
                    found.append(row)  # noqa: PERF402
            except RequestError as failure:
                error = failure
            assert fault.fired
            assert found == whole[: len(found)]
            assert (len(found) == 8) or error is not None, f"a short success at {sent}"
            completed += error is None
            shop.clear_faults()
    assert completed or way in ("without a key", "with a limit")


@pytest.mark.parametrize("sent", [0, 0.3, 0.97])
@pytest.mark.parametrize(
    "entry",
    [query("orders.id", "orders.note"), query("orders.count", "users.city", pivots=["users.city"])],
)
def test_a_cut_in_a_whole_run_is_completed_or_an_error(results, shop, sent, entry):
    whole = results.sync(queries=[entry]).succeeded().records["mine"]
    fault = shop.add_fault(Fault("truncate_chunked", RUN, sent=sent))
    run = results.sync(queries=[entry])
    assert fault.fired == 1
    if run.exit_code == 0:
        assert run.records["mine"] == whole
    else:
        assert failures(run)
        assert run.records.get("mine", []) == whole[: len(run.records.get("mine", []))]


# ------------------------------------------------------------------------------------------ errors


ERRORS = {
    "a row in place of rows": ("looker_error", {"message": "It\nwas killed"}, "It was killed"),
    "a row after others": ("looker_error", {"message": "Too\tlate", "after_rows": 7}, "Too late"),
    "400": ("status", {"status": 400, "json": {"message": "Bad\nthing"}}, "Bad thing"),
    "422": (
        "status",
        {"status": 422, "json": {"message": "Validation Failed", "errors": [
            {"field": "orders.x", "message": "Unknown\nfield", "code": "invalid"}]}},
        "orders.x: Unknown field",
    ),
    "errors": (
        "status",
        {"status": 200, "json": {"errors": [{"message": "The database failed",
                                             "message_details": "disk full"}]}},
        "The database failed",
    ),
    "errors of a row": (
        "status",
        {"status": 200, "json": [{"looker_error": "Division by zero"}]},
        "Division by zero",
    ),
    "an object": ("status", {"status": 200, "json": {"message": "Not now"}}, "Not now"),
    "html": ("html", {}, "web page"),
    "404": ("status", {"status": 404, "json": {"message": "Not found"}}, "Not found"),
    "403": ("denied", {"status": 403, "message": "Not\nallowed"}, "Not allowed"),
    "another shape": ("wrong_shape", {"shape": "strings"}, "no rows"),
    "null": ("wrong_shape", {"shape": "null"}, "no rows"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_one_line_with_lookers_words(results, shop, name):
    kind, details, words = ERRORS[name]
    catalog = results.catalog(queries=[query("orders.id"), query("orders.status", name="other")])
    settings = {"queries": [query("orders.id"), query("orders.status", name="other")]}
    shop.add_fault(Fault(kind, RUN, times=1 if kind == "looker_error" else None, **details))
    run = results.sync(catalog, **settings)
    assert run.exit_code == 1
    found = [line for line in failures(run) if "Failed mine" in line]
    assert len(found) == 1
    assert words in found[0]
    assert "Traceback" not in run.stderr
    assert len(ids(run)) == details.get("after_rows", 0)
    if kind == "looker_error":
        assert len(run.records["other"]) == 5


def test_an_error_of_the_database_is_said(results, shop):
    run = results.sync(looks=[{"id": shop.look_id("A look that fails"), "name": "mine"}])
    assert run.exit_code == 1
    (failure,) = failures(run)
    assert "SQL Error" in failure
    assert "no_such_column" in failure


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_what_passes_leaves_no_trace(results, shop, status):
    fault = shop.add_fault(Fault("status", RUN, status=status))
    run = results.sync(queries=[query("orders.id")]).succeeded()
    assert fault.fired == 1
    assert ids(run) == list(range(1, 1_001))


def test_a_value_that_does_not_fit_fails_its_stream_on_request(results, shop):
    settings = {"queries": [query("orders.id", "orders.quantity")], "on_misfit": "fail"}
    catalog = results.catalog(**settings)
    body = [{"orders.id": 1, "orders.quantity": 5}, {"orders.id": 2, "orders.quantity": "a few"}]
    shop.add_fault(Fault("status", RUN, times=None, status=200, json=body))
    run = results.sync(catalog, **settings)
    assert run.exit_code == 1
    (failure,) = failures(run)
    assert "orders.quantity" in failure
    assert "a few" in failure
    assert ids(run) == [1]


def test_an_answer_without_a_field_is_null_and_one_without_its_key_fails(results, shop):
    settings = {"queries": [query("orders.id", "orders.quantity")]}
    catalog = results.catalog(**settings)
    shop.add_fault(Fault("status", RUN, status=200, json=[{"orders.id": 1}]))
    run = results.sync(catalog, **settings).succeeded()
    assert run.records["mine"] == [{"orders_id": 1, "orders_quantity": None}]
    assert "orders.quantity" in run.stderr
    shop.add_fault(Fault("status", RUN, times=None, status=200, json=[{"orders.quantity": 1}]))
    run = results.sync(catalog, **settings)
    assert run.exit_code == 1
    assert "orders.id" in failures(run)[0]


def test_no_rows_are_no_error(results):
    run = results.sync(queries=[query("orders.id", filters={"orders.id": "<0"})]).succeeded()
    assert run.records == {}
    assert "mine" in run.schemas
