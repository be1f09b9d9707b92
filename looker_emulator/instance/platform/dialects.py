# ruff: noqa: SIM905 - a list of words reads best as words
"""Database dialects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.platform.connections import DIALECTS
from looker_emulator.instance.values import Row, pick

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

_OPTIONS = (
    "additional_params after_connect_statements analytical_view_dataset auth cost_estimate "
    "disabled disable_context_comment host instance_name key_pair_authentication "
    "max_billing_gigabytes oauth_credentials pdts_for_oauth port project_name schema "
    "service_account_credentials ssl timezone tmp_table tns username username_required "
    "supports_connection_pooling"
).split()


def dialect_info(_: Collections) -> list[Row]:
    """The dialects that this release supports."""
    return [
        {
            "can": {"show": True},
            "default_max_connections": "30",
            "default_port": port,
            "default_max_queries": None,
            "default_max_queries_per_user": None,
            "installed": name != "oracle",
            "label": label,
            "label_for_database_equivalent": "Project" if port is None else "Database",
            "label_for_schema_equivalent": "Dataset" if port is None else "Schema",
            "name": name,
            "supported_driver_name": None if number else "org.postgresql.Driver",
            "supported_driver_versions": [
                {"name": "postgres_42_7", "display_name": "PostgreSQL 42.7"}
            ]
            if number == 0
            else [],
            "supported_options": {
                option: (number + position) % 3 > 0 for position, option in enumerate(_OPTIONS)
            },
        }
        for number, (name, label, port) in enumerate(
            (
                *((name, label, pick(("5432", None), n)) for n, (name, label) in _NUMBERED),
                ("oracle", "Oracle", "1521"),
            )
        )
    ]


_NUMBERED = tuple(enumerate(DIALECTS.items()))
