"""The business data: a model `thelook` with orders, users, products and an inventory.

The explore `orders` has a field of every LookML type. Its tables, like those of System Activity,
are made in SQL from numbers alone, when they are first asked for.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from looker_emulator.explores import FRAMES, Explore, Field, Join, View, dimension, measure, time
from looker_emulator.explores import view as plain
from looker_emulator.warehouse import Table, from_sql

if TYPE_CHECKING:
    from datetime import datetime

MODEL = "thelook"
ORDERS = {"small": 1_000, "medium": 50_000, "large": 2_000_000}
"""Orders for each size of instance; the other tables are in proportion."""


# ------------------------------------------------------------------------------------------ tables


def tables(scale: str | float, now: datetime) -> dict[str, Table]:
    """How the tables are made: the orders of two years that end now."""
    orders = ORDERS[scale] if isinstance(scale, str) else max(int(ORDERS["small"] * scale), 20)
    counts = {
        "orders": orders,
        "users": max(orders // 20, 10),
        "products": max(orders // 50, 10),
        "inventory": max(orders // 2, 10),
    }
    dates = {"first": f"{now - timedelta(days=729):%Y-%m-%d}", "today": f"{now:%Y-%m-%d}"}
    return {
        f"store_{name}": from_sql(
            f"CREATE TABLE store_{name} AS "
            + _SELECTS[name].format(
                last=count - 1, **counts, step=63_072_000_000_000 // orders, **dates
            )
        )
        for name, count in counts.items()
    }


_SELECTS = {
    "orders": """
        SELECT
            CAST(i + 1 AS BIGINT) AS id,
            TIMESTAMP '{first} 03:04:05.678901' + to_microseconds(CAST(i AS BIGINT) * {step})
                AS created,
            CASE WHEN dice(i, 1, 5) > 0 THEN created + to_seconds(3600 + dice(i, 2, 900000)) END
                AS delivered,
            choice(['complete','pending','shipped','cancelled','returned'], i, 3) AS status,
            CAST(1 + dice(i, 4, {users}) AS BIGINT) AS user_id,
            CAST(1 + dice(i, 5, {products}) AS BIGINT) AS product_id,
            CAST(dice(i, 6, 60000) AS DECIMAL(12, 2)) / 100 AS price,
            CAST(CAST(price AS DECIMAL(12, 2)) * (1 + dice(i, 7, 4)) AS DECIMAL(12, 2))
                AS total_sale_price,
            CAST(1 + dice(i, 7, 4) AS INTEGER) AS quantity,
            CASE WHEN dice(i, 8, 10) > 0 THEN dice(i, 9, 1000) / 3000 END AS discount,
            CASE dice(i, 10, 12) WHEN 0 THEN NULL WHEN 1 THEN true ELSE false END AS is_gift,
            CASE dice(i, 11, 9) WHEN 0 THEN NULL WHEN 1 THEN 'Grüße, "Ada" 🪴'
                WHEN 2 THEN E'two\\nlines\\tand \\\\ more' WHEN 3 THEN ''
                ELSE 'note ' || i END AS note,
            CAST(CAST(i AS VARCHAR) || '234567890123456789.0123456789' AS DECIMAL(38, 10))
                AS ledger_amount,
            9007199254740993 + 2 * CAST(i AS BIGINT) AS barcode
        FROM generate_series(0, {last}) AS s(i)
        ORDER BY i""",
    "users": """
        SELECT
            CAST(i + 1 AS BIGINT) AS id,
            choice(['Ada','Björn','Chloé','雯','Łukasz'], i, 21) || ' ' || i AS name,
            CASE WHEN dice(i, 22, 8) > 0 THEN 14 + dice(i, 22, 70) END AS age,
            lpad(CAST(dice(i, 23, 99999) AS VARCHAR), 5, '0') AS zip,
            CASE WHEN dice(i, 24, 6) > 0 THEN 47.3 + dice(i, 24, 1000) / 1000 END AS latitude,
            8.5 + dice(i, 25, 1000) / 1000 AS longitude,
            DATE '1950-01-01' + CAST(dice(i, 26, 20000) AS INTEGER) AS birth,
            choice(['Zürich','São Paulo','Kyōto','Oslo'], i, 27) AS city,
            TIMESTAMP '2023-02-03 04:05:06' + to_hours(dice(i, 28, 12000)) AS created
        FROM generate_series(0, {last}) AS s(i)
        ORDER BY i""",
    "products": """
        SELECT
            CAST(i + 1 AS BIGINT) AS id,
            choice(['Monstera','Ficus','Aloe','Würzkraut','植物'], i, 31) || ' ' || i AS name,
            choice(['indoor','outdoor','herbs'], i, 32) AS category,
            CAST(dice(i, 33, 9000) AS DECIMAL(10, 2)) / 100 AS cost
        FROM generate_series(0, {last}) AS s(i)
        ORDER BY i""",
    "inventory": """
        SELECT
            CAST(i + 1 AS BIGINT) AS id,
            CAST(1 + dice(i, 41, {products}) AS BIGINT) AS product_id,
            dice(i, 42, 500) AS stock,
            DATE '{today}' AS counted
        FROM generate_series(0, {last}) AS s(i)
        ORDER BY i""",
}


# ------------------------------------------------------------------------------------------ fields


_DURATIONS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")


def _durations() -> list[Field]:
    return [
        dimension(
            "orders",
            f"{unit}s_to_deliver",
            f"duration_{unit}",
            f"""datediff('{unit}', "orders"."created", "orders"."delivered")""",
            group="to_deliver",
        )
        for unit in _DURATIONS
    ]


_PRICE = '"orders"."total_sale_price"'
_AGE = '"users"."age"'
_NORTH, _EAST = '("users"."latitude" - 47.4)', '("users"."longitude" - 8.6)'
_DISTANCE = f"round(111.2 * sqrt({_NORTH} ** 2 + {_EAST} ** 2), 3)"

_ORDERS = plain(
    "orders",
    "store_orders",
    number="id user_id product_id quantity discount",
    string="status note",
    yesno="is_gift",
).with_fields(
    dimension("orders", "total_sale_price", "number", value_format="$#,##0.00"),
    dimension("orders", "ledger_amount", "number", exact=True),
    dimension("orders", "barcode", "number", exact=True),
    dimension(
        "orders",
        "size",
        "string",
        f"CASE WHEN {_PRICE} < 100 THEN 'Small' WHEN {_PRICE} < 500 THEN 'Medium' ELSE 'Large' END",
        ranks=("Small", "Medium", "Large"),
    ),
    *time("orders", "created", FRAMES),
    *time("orders", "delivered"),
    *_durations(),
    # Its SQL does not run: an error of the database.
    dimension("orders", "broken", "number", '"orders"."no_such_column"', hidden=True),
    measure("orders", "count", "count"),
    measure("orders", "customers", "count_distinct", '"orders"."user_id"'),
    measure("orders", "revenue", "sum", _PRICE, value_format="$#,##0.00"),
    measure("orders", "ledger_total", "sum", '"orders"."ledger_amount"', exact=True),
    measure("orders", "average_price", "average", _PRICE),
    measure("orders", "cheapest", "min", _PRICE),
    measure("orders", "dearest", "max", _PRICE),
    measure("orders", "median_price", "median", _PRICE),
    measure("orders", "price_95th", "percentile", _PRICE),
    measure("orders", "sizes", "list", '"orders"."status"'),
    measure("orders", "latest_date", "date", '"orders"."created"'),
    measure("orders", "latest_time", "time", '"orders"."created"'),
    measure("orders", "per_customer", "number", 'count(*) / count(DISTINCT "orders"."user_id")'),
    measure("orders", "first_status", "string", 'min("orders"."status")'),
    measure("orders", "has_gifts", "yesno", 'bool_or("orders"."is_gift")'),
)
_USERS = plain(
    "users", "store_users", number="id age", string="name city", zipcode="zip", time="created"
).with_fields(
    dimension(
        "users",
        "age_tier",
        "tier",
        f"CASE WHEN {_AGE} IS NULL THEN 'Undefined' WHEN {_AGE} < 20 THEN 'Below 20' "
        f"WHEN {_AGE} < 40 THEN '20 to 39' WHEN {_AGE} < 60 THEN '40 to 59' "
        f"ELSE '60 or Above' END",
        ranks=("Below 20", "20 to 39", "40 to 59", "60 or Above", "Undefined"),
    ),
    dimension(
        "users",
        "location",
        "location",
        """"users"."latitude" || ',' || "users"."longitude\"""",
    ),
    dimension("users", "distance_to_store", "distance", _DISTANCE),
    *time(
        "users",
        "birth",
        ("date", "week", "month", "year"),
        'CAST("users"."birth" AS TIMESTAMP)',
        converts=False,
    ),
    measure("users", "count", "count_distinct", '"users"."id"'),
    measure("users", "average_age", "average", _AGE),
)
_PRODUCTS = plain(
    "products", "store_products", number="id cost", string="name category"
).with_fields(measure("products", "count", "count_distinct", '"products"."id"'))
_INVENTORY = plain("inventory", "store_inventory", number="id product_id stock").with_fields(
    *time(
        "inventory",
        "counted",
        ("date",),
        'CAST("inventory"."counted" AS TIMESTAMP)',
        converts=False,
    ),
    measure("inventory", "total_stock", "sum", '"inventory"."stock"'),
    measure("inventory", "count", "count"),
)


def _joined(joined: View, base: str, key: str) -> Join:
    return Join(joined, f'"{joined.name}"."id" = "{base}"."{key}"')


_PRODUCT_OF_ORDER = _joined(_PRODUCTS, "orders", "product_id")
_EXPLORES = (
    Explore(MODEL, "orders", _ORDERS, (_joined(_USERS, "orders", "user_id"), _PRODUCT_OF_ORDER)),
    Explore(MODEL, "users", _USERS),
    Explore(MODEL, "products", _PRODUCTS),
    Explore(MODEL, "inventory", _INVENTORY, (_joined(_PRODUCTS, "inventory", "product_id"),)),
)
EXPLORES = {explore.name: replace(explore, ordered=True) for explore in _EXPLORES}
