"""Integration hubs, integrations and OAuth applications."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from looker_emulator.instance.access.users import public_user
from looker_emulator.instance.values import HOST, Row, can, moment, slug

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

# ------------------------------------------------------------------------------------ integrations


def integration_hubs(_: Collections) -> list[Row]:
    """Looker's hub, and one of this instance that cannot be reached."""
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


def integrations(_: Collections) -> list[Row]:
    """The integrations of the hubs. Parameter values may be secrets."""
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


# ------------------------------------------------------------------------------------ applications


def oauth_client_apps(instance: Collections) -> list[Row]:
    """Applications through which users log in to Looker."""
    return [
        {
            "can": can(number, "update", "destroy"),
            "client_guid": guid,
            "redirect_uri": f"https://{guid}.greenhouse.example/callback",
            "display_name": guid.replace(".", " ").title(),
            "description": "" if number else "For the tablets in the stores",
            "enabled": number == 0,
            "group_id": None if number else instance.groups[1]["id"],
            "tokens_invalid_before": moment(100 + number),
            "activated_users": [public_user(user) for user in instance.users[: 2 - 2 * number]],
        }
        for number, guid in enumerate(("store.tablet", "planner"))
    ]


def external_oauth_applications(_: Collections) -> list[Row]:
    """Applications through which Looker logs in to data warehouses (beta)."""
    return [
        {
            "can": can(1, "update"),
            "id": "1",
            "name": "Lake",
            "client_id": slug("external", 1),
            "tenant_id": None,
            "dialect_name": "bigquery_standard_sql",
            "bi_directional_data_access": None,
            "created_at": moment(90),
        }
    ]
