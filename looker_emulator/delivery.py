"""What Looker sends out by itself: alerts, schedules, and the services that these go to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from looker_emulator.curation import pointer
from looker_emulator.values import HOST, Row, can, moment, pick, slug

if TYPE_CHECKING:
    from looker_emulator.instance import Instance

_COMPARISONS = (
    "EQUAL_TO",
    "GREATER_THAN",
    "LESS_THAN_OR_EQUAL_TO",
    "INCREASES_BY",
    "DECREASES_BY",
    "CHANGES_BY",
)


def public(user: Row) -> Row:
    """What everybody may know of a user (component UserPublic)."""
    names = ("id", "first_name", "last_name", "display_name", "avatar_url", "url")
    return {"can": {"show": True}, **{name: user[name] for name in names}}


def query_of(tile: Row) -> Row | None:
    """The query of a tile, wherever it stands."""
    holders = (tile, tile["look"] or {}, tile["result_maker"] or {})
    return next((holder["query"] for holder in holders if holder.get("query")), None)


def alerts(instance: Instance) -> list[Row]:
    """As many alerts as the tiles of the dashboards that are there say they have."""
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


def alert_notifications(instance: Instance) -> list[Row]:
    """What came to the API key's user in the last week: never other people's."""
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
                # Without a fraction, and not always in UTC.
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


# --------------------------------------------------------------------------------------- schedules


def scheduled_plans(instance: Instance) -> list[Row]:
    """The schedules of all users, for looks and dashboards of both kinds."""
    scheduled = (
        [look for look in instance.looks if not look["deleted"]][::3]
        + [board for board in instance.dashboards if not board["deleted"]][1::4]
        + instance.lookml_dashboards
    )
    return [
        _plan(number, content, pick(instance.users, number * 4))
        for number, content in enumerate(scheduled)
    ]


def _plan(number: int, content: Row, owner: Row) -> Row:
    identifier = str(number + 1 + number // 9)
    look = "query_id" in content
    once = number % 10 == 7
    cached = number % 6 == 3
    enabled = not owner["is_disabled"] and number % 8 != 6
    linked = number % 9 == 1
    return {
        "name": f"{content['title']} by mail",
        "user_id": owner["id"],
        "run_as_recipient": False,
        "enabled": enabled,
        **pointer(content),
        "filters_string": None if look else "?Date=30+days&Gr%C3%B6%C3%9Fe=",
        "dashboard_filters": None,
        "require_results": number % 5 == 0,
        "require_no_results": False,
        "require_change": number % 7 == 0,
        "send_all_results": look,
        "crontab": None if once or cached else pick(("0 6 * * 1", "30 7 * * *"), number),
        "datagroup": "greenhouse::nightly" if cached else None,
        "timezone": pick(("Europe/Zurich", "America/Sao_Paulo", ""), number),
        "query_id": None,
        "scheduled_plan_destination": [
            _destination(number * 2 + position, identifier, owner, look=look)
            for position in range(1 + number % 2)
        ],
        "run_once": once,
        "include_links": True,
        "include_dashboard_summary": False,
        "custom_url_base": "https://greenhouse.example" if linked else None,
        "custom_url_params": '{"look":"{id}"}' if linked else None,
        "custom_url_label": "Open" if linked else None,
        "show_custom_url": linked,
        "pdf_paper_size": None if look else "a4",
        "pdf_landscape": not look,
        "embed": False,
        "color_theme": None,
        "long_tables": not look,
        "pdf_page_breaks": False,
        "tab_ids": [],
        "inline_table_width": None if look else 800,
        "id": identifier,
        "created_at": moment(210 + number % 200, number * 31),
        "updated_at": moment(420 + number % 60, number * 31),
        "title": content["title"],
        "user": public(owner),
        "next_run_at": moment(512, number * 300) if enabled and not cached else None,
        "last_run_at": moment(505, number * 300) if number % 4 else None,
        "can": can(number, "update", "destroy", "run", "run_once"),
    }


def _destination(number: int, plan: str, owner: Row, *, look: bool) -> Row:
    webhook = number % 5 == 3
    return {
        "id": str(number + 1),
        "scheduled_plan_id": plan,
        "format": ("csv_zip" if number % 2 else "wysiwyg_png") if look else "wysiwyg_pdf",
        "apply_formatting": True,
        "apply_vis": number % 2 == 0,
        "address": "https://hooks.greenhouse.example/stock"
        if webhook
        else owner["email"] or "stores@greenhouse.example",
        "looker_recipient": bool(owner["email"]) and not webhook,
        "type": "webhook" if webhook else "email",
        "parameters": "{}" if webhook else None,
        "message": None if number % 3 else "Bitte bis Montag prüfen",
    }


# ------------------------------------------------------------------------------------ integrations


def integration_hubs(_: Instance) -> list[Row]:
    """Looker's own hub and one of this instance, which cannot be reached."""
    return [
        {
            "can": can(number, "update", "destroy"),
            "id": str(number + 1),
            "url": f"https://{host}",
            "label": label,
            "official": number == 0,
            "fetch_error_message": None if number == 0 else "Connection refused",
            "has_authorization_token": number == 1,
            "legal_agreement_signed": number == 0,
            "legal_agreement_required": number == 0,
            "legal_agreement_text": "These services are of third parties." if number == 0 else None,
        }
        for number, (host, label) in enumerate(
            (
                ("actions.looker.example", "Looker Action Hub"),
                ("actions.greenhouse.example", "Gewächshaus"),
            )
        )
    ]


def integrations(_: Instance) -> list[Row]:
    """Services of the hubs; the value of a parameter may well be a secret."""
    made = []
    for number, (name, label) in enumerate(
        (("slack_app", "Slack"), ("sendgrid", "SendGrid"), ("shelf_labels", "Preisschilder"))
    ):
        hub = "2" if name == "shelf_labels" else "1"
        token = f"SECRET-{slug('integration', number)}"
        made.append(
            {
                "can": can(number, "update"),
                "id": f"{hub}::{name}",
                "integration_hub_id": hub,
                "label": label,
                "description": None if number == 1 else f"Send data to {label}.",
                "enabled": number != 1,
                "params": [
                    _param("token", "Token", token, sensitive=False),
                    _param("password", "Password", None, sensitive=True),
                    _param("region", "Region", "eu", sensitive=False, per_user=number == 2),
                ],
                "supported_formats": ["csv", "json_detail"],
                "supported_action_types": ["dashboard", "query"][: number + 1],
                "supported_formattings": ["formatted", "unformatted"],
                "supported_visualization_formattings": ["noapply"],
                "supported_download_settings": ["push", "url"],
                "icon_url": f"data:image/svg+xml;base64,{'PHN2Zy8+' * 4}" if number else None,
                "uses_oauth": name == "slack_app",
                "required_fields": [
                    {"tag": None, "any_tag": ["email", "user_id"], "all_tags": None}
                ]
                if number == 1
                else [],
                "privacy_link": f"{HOST}/privacy" if number == 0 else None,
                "delegate_oauth": False,
                "installed_delegate_oauth_targets": [],
            }
        )
    return made


def _param(name: str, label: str, value: str | None, *, sensitive: bool, **more: Any) -> Row:
    return {
        "name": name,
        "label": label,
        "description": json.dumps({"for": label}) if sensitive else None,
        "required": True,
        "has_value": True,
        "value": value,
        "user_attribute_name": None,
        "sensitive": sensitive,
        "per_user": False,
        "delegate_oauth_url": None,
        **more,
    }
