"""The LookML model of the demo store; its explore `orders` has a field of every LookML type."""

from __future__ import annotations

from dataclasses import replace

from looker_emulator.queries.explores import (
    FRAMES,
    Explore,
    Field,
    Join,
    View,
    dimension,
    measure,
    time,
)
from looker_emulator.queries.explores import view as plain

MODEL = "thelook"

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
    # Its SQL fails in the database.
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
_SHIPMENTS_OF_ORDER = Join(
    plain("shipments", "store_shipments", number="id order_id", string="carrier"),
    '"shipments"."order_id" = "orders"."id"',
    relationship="one_to_many",
)
_EXPLORES = (
    Explore(
        MODEL,
        "orders",
        _ORDERS,
        (_joined(_USERS, "orders", "user_id"), _PRODUCT_OF_ORDER, _SHIPMENTS_OF_ORDER),
    ),
    Explore(MODEL, "users", _USERS),
    Explore(MODEL, "products", _PRODUCTS),
    Explore(MODEL, "inventory", _INVENTORY, (_joined(_PRODUCTS, "inventory", "product_id"),)),
)
EXPLORES = {explore.name: replace(explore, ordered=True) for explore in _EXPLORES}
