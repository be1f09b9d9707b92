"""The demo store's model and looks in the content of an instance."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from looker_emulator.queries.saved_queries import query_row
from looker_emulator.queries.thelook.model import EXPLORES, MODEL

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections
    from looker_emulator.instance.values import Row


def add_demo_store(instance: Collections) -> None:
    """Add the model, its looks and their queries to an instance."""
    instance.lookml_models.append(_model())
    instance.model_sets[0]["models"].append(MODEL)
    pattern = next(look for look in instance.looks if not look["deleted"] and not look["public"])
    folder = next(row for row in instance.folders if row["id"] == pattern["folder_id"])
    next_id = max(int(look["id"]) for look in instance.looks) + 1
    for number, (title, written) in enumerate(LOOKS.items()):
        query = query_row({"model": MODEL, "view": "orders", **written})
        instance.queries.append(query)
        identifier = str(next_id + number)
        look = {
            **pattern,
            "id": identifier,
            "title": title,
            "content_metadata_id": str(30_000 + number),
            "content_favorite_id": None,
            "description": None,
            "embed_url": pattern["embed_url"].replace(pattern["id"], identifier),
            "short_url": f"/looks/{identifier}",
            "url": f"/looks/{identifier}",
            "model": {"id": MODEL, "label": "Thelook"},
            "query_id": query["id"],
            "query": query,
        }
        instance.looks.append(look)
        shown = {name: look[name] for name in look if name not in ("query", "url")}
        folder["looks"].append({**shown, "dashboards": []})


def _model() -> Row:
    return {
        "can": {"index": True, "show": True, "explore": True},
        "allowed_db_connection_names": ["warehouse"],
        "explores": [
            {
                "name": name,
                "description": f"One row for each of the {name}",
                "label": name.title(),
                "hidden": False,
                "group_label": "Thelook",
                "can": {"index": True, "show": True, "see_lookml": True},
                "frequent": True,
            }
            for name in EXPLORES
        ],
        "has_content": True,
        "label": "Thelook",
        "name": MODEL,
        "project_name": "greenhouse",
        "unlimited_db_connections": False,
    }


def _calculated(name: str, expression: str) -> Row:
    return {
        "table_calculation": name,
        "label": name.title(),
        "expression": expression,
        "value_format": None,
        "_kind_hint": "measure",
        "_type_hint": "number",
    }


_LARGE: Row = {
    "dimension": "is_large",
    "category": "dimension",
    "label": "Is Large",
    "expression": "${orders.total_sale_price} > 500",
    "_kind_hint": "dimension",
    "_type_hint": "yesno",
}
_MOST: Row = {
    "measure": "most_items",
    "label": "Most Items",
    "based_on": "orders.quantity",
    "type": "max",
    "_kind_hint": "measure",
    "_type_hint": "number",
}

LOOKS: dict[str, dict[str, Any]] = {
    "Every order": {
        "fields": [
            "orders.id",
            "orders.created_time",
            "orders.status",
            "orders.total_sale_price",
            "orders.user_id",
            "orders.is_gift",
            "orders.note",
        ],
        "sorts": ["orders.id"],
        "limit": "-1",
    },
    "Orders by status": {
        "fields": ["orders.status", "orders.count", "orders.revenue", "orders.average_price"],
        "sorts": ["orders.status"],
        "limit": "500",
    },
    "Orders of every type": {
        "fields": [
            name
            for name, field in EXPLORES["orders"].fields.items()
            if name != "orders.broken" and not field.measure and field.view != "shipments"
        ],
        "sorts": ["orders.id"],
        "limit": "500",
        "query_timezone": "Europe/Zurich",
    },
    "Measures of every type": {
        "fields": [
            "users.city",
            *(name for name, field in EXPLORES["orders"].fields.items() if field.measure),
        ],
        "sorts": ["users.city"],
        "limit": "500",
    },
    "Orders by month and status": {
        "fields": ["orders.created_month", "orders.status", "orders.count", "orders.revenue"],
        "pivots": ["orders.status"],
        "sorts": ["orders.created_month desc", "orders.status 0"],
        "limit": "500",
        "row_total": "right",
    },
    "Share of each status": {
        "fields": ["orders.status", "is_large", "orders.count", "most_items"],
        "sorts": ["orders.count desc"],
        "limit": "500",
        "total": True,
        "dynamic_fields": json.dumps(
            [
                _calculated("share", "${orders.count} / sum(${orders.count})"),
                _LARGE,
                _MOST,
            ]
        ),
    },
    "Revenue with subtotals": {
        "fields": ["products.category", "orders.status", "orders.revenue"],
        "sorts": ["products.category", "orders.status"],
        "subtotals": ["products.category"],
        "total": True,
        "limit": "500",
    },
    "Orders of the last 30 days": {
        "fields": ["orders.id", "orders.created_time", "orders.delivered_date"],
        "filters": {"orders.created_date": "30 days"},
        "sorts": ["orders.created_time desc"],
        "limit": "5000",
        "query_timezone": "America/Sao_Paulo",
    },
    # A row for each shipment of an order, and one for an order without any.
    "Shipments of orders": {
        "fields": ["orders.id", "orders.status", "shipments.id", "shipments.carrier"],
        "sorts": ["orders.id", "shipments.id"],
        "limit": "-1",
    },
    # Both sort by rank, not by their texts.
    "Orders by size and age": {
        "fields": ["orders.size", "users.age_tier", "orders.count", "orders.revenue"],
        "sorts": ["orders.size", "users.age_tier"],
        "limit": "500",
    },
    # Days on which none was lost have rows, which the calculations count.
    "Orders lost by day": {
        "fields": ["orders.created_date", "orders.count"],
        "filters": {"orders.created_date": "90 days", "orders.status": "cancelled,returned"},
        "fill_fields": ["orders.created_date"],
        "sorts": ["orders.created_date"],
        "limit": "500",
        "total": True,
        "dynamic_fields": json.dumps(
            [
                _calculated("share", "${orders.count} / ${orders.count:total}"),
                _calculated("before", "offset(${orders.count}, -1)"),
                _calculated("so_far", "running_total(${orders.count})"),
                _calculated("place", "rank(${orders.count}, ${orders.count})"),
                _calculated("number", "row()"),
            ]
        ),
    },
    "A look that fails": {
        "fields": ["orders.id", "orders.broken"],
        "sorts": ["orders.id"],
        "limit": "500",
    },
}
"""The query of each look, by its title."""
