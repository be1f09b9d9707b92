"""The tables of the demo store, made in SQL when they are first needed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from looker_emulator.queries.warehouse import Table, from_sql

if TYPE_CHECKING:
    from datetime import datetime

ORDERS = {"small": 1_000, "medium": 50_000, "large": 2_000_000}
"""Orders for each size of instance; other tables are proportional."""


def tables(scale: str | float, now: datetime) -> dict[str, Table]:
    """The tables, with the orders of the last two years."""
    orders = ORDERS[scale] if isinstance(scale, str) else max(int(ORDERS["small"] * scale), 20)
    counts = {
        "orders": orders,
        "users": max(orders // 20, 10),
        "products": max(orders // 50, 10),
        "inventory": max(orders // 2, 10),
        "shipments": orders * 3 // 2,
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
    # Of some orders none, of others several.
    "shipments": """
        SELECT
            CAST(i + 1 AS BIGINT) AS id,
            CAST(1 + dice(i, 41, {orders}) AS BIGINT) AS order_id,
            choice(['Gull','Heron','Stork'], i, 42) AS carrier
        FROM generate_series(0, {last}) AS s(i)
        ORDER BY i""",
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
