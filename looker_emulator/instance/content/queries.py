"""Queries, created as looks and tiles need them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from looker_emulator.instance.values import HOST, Row, can, pick, slug

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections


class Queries:
    """The queries of an instance, created when content needs one; some are used twice.

    The id of a query is its slug (Looker 25.2 and newer).
    """

    def __init__(self, instance: Collections) -> None:
        self.rows: list[Row] = []
        self._explores = [
            (model["name"], explore["name"])
            for model in instance.lookml_models
            for explore in model["explores"]
        ]

    def new(self) -> Row:
        """A query that nothing else uses yet."""
        number = len(self.rows)
        self.rows.append(_query(number, *pick(self._explores, number * 3)))
        return self.rows[-1]

    def used(self, number: int) -> Row:
        """A query that is already used elsewhere."""
        return pick(self.rows, number * 7)


def _query(number: int, model: str, view: str) -> Row:
    identifier = slug("query", number)
    client_id = slug("client", number)
    subject = view.partition("_")[0]
    fields = [f"{subject}.created_date", f"{subject}.count"]
    fields += [f"{subject}.status", "stores.city"][: number % 3]
    calculated = number % 6 == 2
    relative = f"/explore/{model}/{view}?fields={quote(','.join(fields), safe='.,')}"
    return {
        "can": can(number, "run", "see_results", "explore", "download", "schedule", "see_sql"),
        "id": identifier,
        "model": model,
        "view": view,
        "fields": fields,
        "pivots": [f"{subject}.status"] if number % 3 and number % 7 == 4 else None,
        "fill_fields": [f"{subject}.created_date"] if number % 4 == 0 else None,
        "filters": pick(
            (
                None,
                {f"{subject}.created_date": f"{number % 90 + 1} days"},
                {f"{subject}.status": "-cancelled,-fraud", "stores.city": "Zürich,São Paulo"},
                {},
            ),
            number,
        ),
        "filter_expression": f"${{{subject}.count}} > {number}" if number % 9 == 4 else None,
        "sorts": [f"{subject}.created_date desc"] if number % 2 else [],
        "limit": pick(("500", "5000", "-1", None), number // 2),
        "column_limit": pick(("50", None), number),
        "total": number % 3 == 0 or None,
        "row_total": "right" if number % 7 == 4 else None,
        "subtotals": [f"{subject}.status"] if number % 3 == 2 and number % 4 == 3 else None,
        "vis_config": _vis_config(number, subject),
        "filter_config": {
            f"{subject}.created_date": [{"type": "past", "values": [{"unit": "day"}]}]
        }
        if number % 4 == 1
        else None,
        "visible_ui_sections": "data,visualization" if number % 10 == 6 else None,
        "slug": identifier,
        "dynamic_fields": _dynamic_fields(number, subject)
        if calculated or number % 6 == 5
        else None,
        "client_id": client_id,
        "share_url": f"{HOST}/x/{client_id}",
        "expanded_share_url": f"{HOST}{relative}&origin=share-expanded",
        "url": relative,
        "query_timezone": pick((None, "Europe/Zurich", "America/Sao_Paulo"), number),
        "has_table_calculations": calculated,
    }


def _vis_config(number: int, subject: str) -> Row | None:
    if number % 8 == 7:
        return None
    return {
        "type": pick(("looker_column", "single_value", "looker_line", "table"), number),
        "show_view_names": False,
        "series_colors": {f"{subject}.count": "#2e7d32"},
        "y_axes": [{"label": None, "orientation": "left", "tickDensityCustom": 5}],
        "limit_displayed_rows": number % 2 == 0,
        "defaults_version": 1,
    }


def _dynamic_fields(number: int, subject: str) -> str:
    """Custom fields and table calculations, as the explore page writes them."""
    if number % 6 == 2:
        return json.dumps([_share(subject)])
    return json.dumps(pick(([_sum_of_open(subject)], [_sizes(subject)], []), number // 6))


def _share(subject: str) -> Row:
    return {
        "table_calculation": "share",
        "label": "Share",
        "expression": f"${{{subject}.count}} / sum(${{{subject}.count}})",
        "value_format": None,
        "_type_hint": "number",
    }


def _sum_of_open(subject: str) -> Row:
    return {
        "category": "measure",
        "measure": "sum_of_open",
        "based_on": f"{subject}.amount",
        "type": "sum",
        "label": "Sum of open",
        "description": "",
        "expression": "",
        "filters": {f"{subject}.status": "open"},
        "filter_expression": f'${{{subject}.weight_tier}} != "0 to 9"',
        "value_format": None,
        "value_format_name": "eur",
        "_kind_hint": "measure",
        "_type_hint": "number",
    }


def _sizes(subject: str) -> Row:
    return {
        "category": "dimension",
        "dimension": "sizes",
        "calculation_type": "group_by",
        "args": [f"{subject}.status", [{"label": "Größe S", "filter": "small"}], "Other"],
        "label": "Sizes",
        "description": "",
        "_kind_hint": "dimension",
        "_type_hint": "string",
    }
