"""Alerts on tiles and the notifications they sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.values import Row, moment, pick

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

_COMPARISONS = (
    "EQUAL_TO",
    "GREATER_THAN",
    "LESS_THAN_OR_EQUAL_TO",
    "INCREASES_BY",
    "DECREASES_BY",
    "CHANGES_BY",
)


def query_of(tile: Row) -> Row | None:
    """The query of a tile, its look or its result maker."""
    holders = (tile, tile["look"] or {}, tile["result_maker"] or {})
    return next((holder["query"] for holder in holders if holder.get("query")), None)


def alerts(instance: Collections) -> list[Row]:
    """Alerts, as many as the tiles that are not deleted count."""
    gone = instance.trash("dashboard_elements")
    boards = {board["id"]: board for board in instance.dashboards}
    made: list[Row] = []
    for tile in instance.dashboard_elements:
        query = query_of(tile)
        if tile["id"] in gone or query is None:
            continue
        for _ in range(tile["alert_count"]):
            owner = pick(instance.users, len(made) * 3)
            made.append(_alert(len(made), tile, query, boards[tile["dashboard_id"]], owner))
    return made


def _alert(number: int, tile: Row, query: Row, board: Row, owner: Row) -> Row:
    measure = query["fields"][1]
    hooked = number % 3 == 1
    linked = number % 8 == 2
    return {
        "applied_dashboard_filters": [
            {
                "filter_title": "Date",
                "field_name": query["fields"][0],
                "filter_value": "30 days",
                "filter_description": "is in the last 30 days",
            }
        ]
        if number % 2
        else [],
        "comparison_type": pick(_COMPARISONS, number),
        "cron": pick(("0 7 * * *", "*/15 8-20 * * 1-6"), number),
        "query_id": query["id"],
        "custom_url_base": "https://greenhouse.example" if linked else None,
        "custom_url_params": "/stores?from=looker" if linked else None,
        "custom_url_label": "Zur Filiale" if linked else None,
        "show_custom_url": linked,
        "custom_title": "Zu wenig Basilikum 🌿" if number % 4 == 3 else None,
        "dashboard_element_id": tile["id"],
        "description": None if number % 5 else "Goes to the night shift",
        "enhancements": "NONE",
        "destinations": [
            {
                "destination_type": "ACTION_HUB" if hooked else "EMAIL",
                "email_address": None if hooked else owner["email"],
                "action_hub_integration_id": "1::slack_app" if hooked else None,
                "action_hub_form_params_json": '{"channel":"#stock"}' if hooked else None,
            }
        ],
        "field": {
            "title": measure.rpartition(".")[2].title(),
            "name": measure,
            "filter": [
                {"field_name": "stores.city", "field_value": "Zürich", "filter_value": "Zürich"},
                {"field_name": "stores.number", "field_value": 17, "filter_value": None},
            ]
            if number % 6 == 4
            else None,
        },
        "followed": number % 3 == 0,
        "followable": number % 2 == 0,
        "id": str(number + 1 + number // 12),
        "is_disabled": owner["is_disabled"],
        "disabled_reason": "Owner is disabled" if owner["is_disabled"] else None,
        "is_public": number % 2 == 0,
        "investigative_content_type": "dashboard" if number % 7 == 1 else None,
        "investigative_content_id": board["id"] if number % 7 == 1 else None,
        "investigative_content_title": board["title"] if number % 7 == 1 else None,
        "lookml_dashboard_id": None,
        "lookml_link_id": None,
        "owner_id": owner["id"],
        "owner_display_name": owner["display_name"],
        "threshold": pick((10, 2.5, 1_000_000), number),
        "time_series_condition_state": None,
    }


def alert_notifications(instance: Collections) -> list[Row]:
    """The notifications that the API key's user got in the last week."""
    tiles = {tile["id"]: tile for tile in instance.dashboard_elements}
    boards = {board["id"]: board for board in instance.dashboards}
    made = []
    for number, alert in enumerate(alert for alert in instance.alerts if alert["followed"]):
        board = boards[tiles[alert["dashboard_element_id"]]["dashboard_id"]]
        made.append(
            {
                "notification_id": str(number + 701),
                "alert_condition_id": alert["id"],
                "user_id": instance.me[0]["id"],
                "is_read": number % 2 == 0,
                "field_value": pick((7, 3.75, None), number),
                "threshold_value": alert["threshold"],
                # Without fractions of a second, and not always in UTC.
                "ran_at": moment(500, number * 67)[:19] + pick(("-07:00", "Z"), number),
                "alert": {
                    "title": alert["custom_title"] or alert["field"]["title"],
                    "alert_id": alert["id"],
                    "investigative_content_id": alert["investigative_content_id"],
                    "dashboard_name": board["title"],
                    "dashboard_id": board["id"],
                    "query_slug": alert["query_id"],
                    "query_id": alert["query_id"],
                },
                "notification_type": pick(("email", "slack"), number),
                "triggering_field_title": alert["field"]["title"],
            }
        )
    return made
