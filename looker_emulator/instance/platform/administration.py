"""Pages of the admin menu that hold one object each: mail, support, help, storage, addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.values import HOST, Row, moment

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections


def support_access_status(_: Collections) -> list[Row]:
    """Whether Looker's support may log in."""
    return [{"open": True, "open_until": moment(520)}]


def smtp_status(_: Collections) -> list[Row]:
    """Whether each node can send mail; one of them cannot."""
    return [
        {
            "is_valid": False,
            "node_count": 2,
            "node_status": [
                {"is_valid": True, "message": "", "hostname": "node-1"},
                {"is_valid": False, "message": "Connection timed out", "hostname": "node-2"},
            ],
        }
    ]


def digest_emails(_: Collections) -> list[Row]:
    """Whether users get a digest of new content."""
    return [{"is_enabled": True}]


def custom_welcome_email(instance: Collections) -> list[Row]:
    """The mail to new users, as the settings have it (deprecated)."""
    return [instance.setting[0]["custom_welcome_email"]]


def whitelabel_configuration(instance: Collections) -> list[Row]:
    """The looks of the instance, as the settings have them (deprecated)."""
    return [{"id": "1", **instance.setting[0]["privatelabel_configuration"]}]


def internal_help_resources(_: Collections) -> list[Row]:
    """Whether the help menu has an item of this instance."""
    return [{"can": {"update": True}, "enabled": True}]


def internal_help_resources_content(_: Collections) -> list[Row]:
    """What that item shows."""
    return [
        {
            "can": {"update": True},
            "organization_name": "Gewächshaus",
            "markdown_content": "# Hilfe\n\nFragen an das *Datenteam*.",
        }
    ]


def mobile_settings(_: Collections) -> list[Row]:
    """What the mobile app may do (beta)."""
    return [
        {
            "mobile_force_authentication": False,
            "mobile_app_integration": True,
            "mobile_feature_flags": [
                {"feature_flag_name": "mobile_dashboards_next", "feature_flag_state": True},
                {"feature_flag_name": "mobile_explore", "feature_flag_state": None},
            ],
            "enhanced_search_enabled": False,
        }
    ]


def cloud_storage(_: Collections) -> list[Row]:
    """Where backups go; the keys of the bucket are not told."""
    return [
        {
            "can": {"update": True},
            "type": "custom-s3",
            "custom_s3_bucket": "greenhouse-backups",
            "custom_s3_bucket_region": "eu-central-1",
            "url": f"{HOST}/api/4.0/cloud_storage",
        }
    ]


def public_egress_ip_addresses(_: Collections) -> list[Row]:
    """Where the instance's own requests come from."""
    return [{"egress_ip_addresses": ["198.51.100.7", "198.51.100.8"]}]
