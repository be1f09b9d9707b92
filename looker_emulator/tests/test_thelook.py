# ruff: noqa: SIM905 - a list of words reads best as words
"""Queries on the demo store: what comes back is what the database itself says."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate

import pytest

from looker_emulator import Emulator
from looker_emulator.queries.thelook.looks import LOOKS
from looker_emulator.queries.thelook.model import EXPLORES
from looker_emulator.tests.api import Api, values


def test_looks_of_the_store_run(emulator, api):
    rows = api.get(f"/looks/{emulator.look_id('Every order')}/run/json").json()
    assert [list(row.values()) for row in rows] == [
        [*row[:3], float(row[3]), *row[4:]]
        for row in emulator.sql("""
            SELECT id, strftime((created AT TIME ZONE 'UTC') AT TIME ZONE 'America/Los_Angeles',
                '%Y-%m-%d %H:%M:%S'), status, total_sale_price, user_id,
                CASE WHEN is_gift THEN 'Yes' ELSE 'No' END, note
            FROM store_orders ORDER BY id""")
    ]
    grouped = api.get(f"/looks/{emulator.look_id('Orders by status')}/run/json").json()
    assert [(row["orders.status"], row["orders.count"]) for row in grouped] == emulator.sql(
        "SELECT status, count(*) FROM store_orders GROUP BY 1 ORDER BY 1"
    )
    for title in LOOKS:
        look = api.get(f"/looks/{emulator.look_id(title)}").json()
        assert look["query"] == api.get(f"/queries/{look['query_id']}").json()
        by_look = api.get(f"/looks/{look['id']}/run/json")
        assert by_look.text == api.get(f"/queries/{look['query_id']}/run/json").text
        assert ("no_such_column" in by_look.text) is (title == "A look that fails")
    assert api.get("/looks/4711/run/json").status_code == 404
    assert api.get("/queries/4711/run/json").status_code == 404


def test_every_lookml_type(emulator, api):
    types = {field.type for field in EXPLORES["orders"].fields.values()}
    assert types >= {
        *"string number yesno zipcode tier location distance duration_day duration_hour".split(),
        *"date_date date_time date_raw date_week date_month date_quarter date_year".split(),
        *"date_hour date_minute date_second date_millisecond date_microsecond".split(),
        *"date_time_of_day date_hour_of_day date_day_of_week date_day_of_week_index".split(),
        *"date_day_of_month date_day_of_year date_month_name date_month_num".split(),
        *"date_week_of_year date_quarter_of_year date_fiscal_quarter date_fiscal_year".split(),
        *"count count_distinct sum average min max list median percentile date time".split(),
    }
    row = api.get(f"/looks/{emulator.look_id('Orders of every type')}/run/json").json(
        parse_float=Decimal
    )[0]
    expected = {
        "orders.id": 1,
        "orders.is_gift": "No",
        "orders.ledger_amount": Decimal("234567890123456789.0123456789"),
        "orders.barcode": 2**53 + 1,
        "orders.size": "Small",
        # 2024-07-01 03:04:05.678901 UTC in Zurich
        "orders.created_raw": "2024-07-01 03:04:05",
        "orders.created_time": "2024-07-01 05:04:05",
        "orders.created_date": "2024-07-01",
        "orders.created_week": "2024-07-01",
        "orders.created_month": "2024-07",
        "orders.created_quarter": "2024-Q3",
        "orders.created_year": 2024,
        "orders.created_hour": "2024-07-01 05",
        "orders.created_minute": "2024-07-01 05:04",
        "orders.created_millisecond": "2024-07-01 05:04:05.678",
        "orders.created_microsecond": "2024-07-01 05:04:05.678901",
        "orders.created_time_of_day": "05:04",
        "orders.created_hour_of_day": 5,
        "orders.created_day_of_week": "Monday",
        "orders.created_day_of_week_index": 0,
        "orders.created_day_of_year": 183,
        "orders.created_month_name": "July",
        "orders.created_week_of_year": 27,
        "orders.created_quarter_of_year": "Q3",
        "orders.created_fiscal_quarter": "FY2024-Q2",
        "orders.created_fiscal_year": 2024,
        "orders.created_fiscal_month_num": 6,
        "orders.hours_to_deliver": 1,
    }
    assert {name: row[name] for name in expected} == expected
    assert isinstance(row["users.zip"], str)
    measures = api.get(f"/looks/{emulator.look_id('Measures of every type')}/run/json").json()[0]
    assert isinstance(measures["orders.sizes"], list)
    assert measures["orders.has_gifts"] == "Yes"
    assert len(measures["orders.latest_date"]) == 10
    assert len(measures["orders.latest_time"]) == 19


def test_metadata_of_the_store(api):
    explore = api.get("/lookml_models/thelook/explores/orders").json()
    fields = {
        field["name"]: field
        for kind in ("dimensions", "measures")
        for field in explore["fields"][kind]
    }
    assert [name for name, field in fields.items() if field["primary_key"]] == [
        "orders.id",
        "users.id",
        "products.id",
        "shipments.id",
    ]
    created = fields["orders.created_time"]
    assert (created["type"], created["is_timeframe"]) == ("date_time", True)
    assert created["dimension_group"] == "orders.created"
    assert fields["orders.count"]["category"] == "measure"
    assert fields["orders.created_fiscal_year"]["is_fiscal"]
    assert fields["orders.size"]["enumerations"][0] == {"label": "Small", "value": "Small"}
    assert api.get("/lookml_models/thelook/explores/nothing").status_code == 404
    assert api.get("/lookml_models/storefront/explores/orders").status_code == 200


def test_filters_on_measures_and_joined_views(emulator, api):
    rows = api.store(
        "orders",
        "users.city",
        "orders.count",
        filters={"orders.count": ">200", "products.category": "herbs,indoor"},
        sorts=["users.city"],
    )
    assert [tuple(row.values()) for row in rows] == emulator.sql("""
        SELECT u.city, count(*) FROM store_orders AS o
        LEFT JOIN store_users AS u ON u.id = o.user_id
        LEFT JOIN store_products AS p ON p.id = o.product_id
        WHERE p.category IN ('herbs', 'indoor') GROUP BY 1 HAVING count(*) > 200 ORDER BY 1""")
    assert [list(row) for row in api.store("inventory", "inventory.total_stock")] == [
        ["inventory.total_stock"]
    ]
    # Without sorts: the latest first, the highest measure first, or the first dimension.
    dates = values(
        api.store("orders", "orders.status", "orders.created_date"), "orders.created_date"
    )
    assert dates == sorted(dates, reverse=True)
    counts = values(api.store("orders", "orders.status", "orders.count"), "orders.count")
    assert counts == sorted(counts, reverse=True)


def test_pivots(emulator, api):
    look = emulator.look_id("Orders by month and status")
    rows = api.get(f"/looks/{look}/run/json").json()
    expected = {}
    for month, status, count in emulator.sql("""
        SELECT strftime((created AT TIME ZONE 'UTC') AT TIME ZONE 'America/Los_Angeles', '%Y-%m'),
            status, count(*) FROM store_orders GROUP BY 1, 2"""):
        expected.setdefault(month, {})[status] = count
    assert values(rows, "orders.created_month") == sorted(expected, reverse=True)
    for row in rows:
        cells = row["orders.count"]
        wanted = expected[row["orders.created_month"]]
        assert cells.pop("$$$_row_total_$$$") == sum(wanted.values())
        assert {status: count for status, count in cells.items() if count is not None} == wanted
    narrow = api.store(
        "orders", "orders.status", "orders.created_year", "orders.count",
        pivots=["orders.status"], column_limit="2",
    )  # fmt: skip
    assert len(narrow[0]["orders.count"]) == 2
    with Emulator(pivots_by_field=True) as other:
        rows = Api(other).get(f"/looks/{look}/run/json").json()
        assert list(rows[0]["orders.count"]) == ["orders.status"]


def test_calculations_totals_and_subtotals(emulator, api):
    rows = api.get(f"/looks/{emulator.look_id('Share of each status')}/run/json").json()
    assert sum(values(rows, "share")) == pytest.approx(1)
    assert set(values(rows, "is_large")) == {"Yes", "No"}
    assert max(values(rows, "most_items")) == 4
    revenue = emulator.look_id("Revenue with subtotals")
    with Emulator(totals_in_rows=True) as other:
        rows = Api(other).get(f"/looks/{revenue}/run/json").json()
        flagged = [row for row in rows if "$$$__grouping__$$$" in row]
        groups = [["products.category"]] * 3 + [[]]
        assert [row["$$$__grouping__$$$"] for row in flagged] == groups
        assert flagged[-1]["products.category"] is None
        total = sum(row["orders.revenue"] for row in rows if row not in flagged)
        assert flagged[-1]["orders.revenue"] == pytest.approx(total)
    refused = api.run("orders", "orders.id", model="thelook", limit="-1", dynamic_fields=json.dumps(
        [{"table_calculation": "twice", "expression": "${orders.id} * 2"}]))  # fmt: skip
    assert refused.status_code == 400
    for wrong in (
        "{",
        '[{"dimension": "x", "expression": "nope()"}]',
        '[{"measure": "x"}]',
        "[{}]",
    ):
        assert (
            api.run("orders", "orders.id", model="thelook", dynamic_fields=wrong).status_code == 422
        )


def test_calculations_over_other_rows_and_filled_days(emulator, api):
    rows = api.get(f"/looks/{emulator.look_id('Orders lost by day')}/run/json").json()
    days = [date.fromisoformat(row["orders.created_date"]) for row in rows]
    assert days == [days[0] + timedelta(days=number) for number in range(len(days))]
    counts = values(rows, "orders.count")
    assert None in counts
    assert 2 in counts
    assert values(rows, "number") == list(range(1, len(rows) + 1))
    assert values(rows, "before") == [None, *counts[:-1]]
    known = [count or 0 for count in counts]
    assert values(rows, "so_far") == list(accumulate(known))
    shares = [count and pytest.approx(count / sum(known)) for count in counts]
    assert values(rows, "share") == shares
    ranks = [1 + sum(other > count for other in known) for count in known]
    assert values(rows, "place") == ranks
    gaps = api.store(
        "orders", "orders.created_date", "orders.count",
        filters={"orders.created_date": "90 days", "orders.status": "cancelled,returned"},
        query_timezone="America/Los_Angeles",
    )  # fmt: skip
    assert len(gaps) == len(counts) - counts.count(None)
    for wrong in ("${orders.count:total}", "rank(${orders.count}, ${orders.id})", "offset("):
        calculation = json.dumps([{"table_calculation": "x", "expression": wrong}])
        refused = api.run("orders", "orders.count", model="thelook", dynamic_fields=calculation)
        assert refused.status_code == 422


def test_a_join_that_multiplies_rows_and_ranks(emulator, api):
    rows = api.get(f"/looks/{emulator.look_id('Shipments of orders')}/run/json").json()
    expected = emulator.sql("""
        SELECT o.id, o.status, s.id, s.carrier
        FROM store_orders AS o LEFT JOIN store_shipments AS s ON s.order_id = o.id
        ORDER BY o.id, s.id""")
    assert [tuple(row.values()) for row in rows] == expected
    assert len(rows) > len(set(values(rows, "orders.id")))
    assert None in values(rows, "shipments.id")
    rows = api.get(f"/looks/{emulator.look_id('Orders by size and age')}/run/json").json()
    sizes = list(dict.fromkeys(values(rows, "orders.size")))
    assert sizes == ["Small", "Medium", "Large"]


def test_numbers_as_people_read_them_and_as_text(api):
    query = {"sorts": ["orders.id"], "limit": "3"}
    shown = api.store(
        "orders",
        "orders.total_sale_price",
        "orders.id",
        params={"apply_formatting": "true"},
        **query,
    )
    assert shown[1]["orders.total_sale_price"] == "$1,623.68"
    with Emulator(decimals_as_text=True) as emulator:
        row = Api(emulator).store("orders", "orders.id", "orders.barcode", sorts=["orders.id"])[0]
        assert row == {"orders.id": 1, "orders.barcode": "9007199254740993"}


def test_sql_instead_of_rows(emulator, api):
    runs = emulator.query_runs
    query = {"model": "thelook", "form": "sql"}
    sql = api.run("orders", "orders.count", **query)
    assert sql.headers["Content-Type"] == "application/sql"
    assert emulator.sql(sql.text) == [(1000,)]
    assert "no_such_column" in api.run("orders", "orders.broken", **query).text
    assert emulator.query_runs == runs
    saved = emulator.instance.queries[0]["id"]
    assert api.get(f"/queries/{saved}/run/sql").text.startswith("SELECT"), "it needs no data"
    for form in ("csv", "json_detail"):
        assert api.run("orders", "orders.count", model="thelook", form=form).status_code == 400


def test_all_rows_may_be_refused():
    with Emulator(download_without_limit=False) as emulator:
        refused = Api(emulator).run("orders", "orders.id", model="thelook", limit="-1")
        assert refused.status_code == 400
        assert "without a limit" in refused.json()["message"]


def test_it_is_always_the_same_moment_unless_it_is_said(emulator):
    assert emulator.activity.now == datetime(2026, 6, 30, 21, 15, tzinfo=UTC)
    with Emulator(now=datetime(2027, 3, 1, tzinfo=UTC)) as other:
        api = Api(other)
        dates = values(
            api.result("history", "history.created_date", limit="1"), "history.created_date"
        )
        assert dates == ["2027-02-28"]
        rows = api.store("orders", "orders.created_date", limit="1")
        assert rows[0]["orders.created_date"].startswith("2027-03-01")
