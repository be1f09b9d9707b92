# ruff: noqa: SIM905 - a list of words reads best as words
"""LookML models with their explores, and datagroups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.values import Row, can, pick

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

MODELS = (
    "storefront logistics people wholesale campaigns ledger returns_desk suppliers "
    "gift_cards weather forecasts audits"
).split()
SUBJECTS = (
    "orders products customers shipments returns stores visits invoices baskets reviews"
).split()
VARIANTS = ("", "daily", "by_region", "history", "facts", "cohorts", "forecast", "audit")


def models(count: int, explores: int) -> list[Row]:
    """LookML models; the last one has no explores, like a project that was just started."""
    made: list[Row] = []
    per_model = -(-explores // max(count - 1, 1))
    for number in range(count):
        name = pick(MODELS, number) + (f"_{number // len(MODELS)}" if number >= len(MODELS) else "")
        first, last = number * per_model, min((number + 1) * per_model, explores)
        empty = number == count - 1
        made.append(
            {
                "can": can(number, "create", "update", "destroy"),
                "allowed_db_connection_names": []
                if empty
                else [pick(("warehouse", "lake"), number), "looker_cache"],
                "explores": [] if empty else [_explore(explore) for explore in range(first, last)],
                "has_content": not empty,
                "label": name.replace("_", " ").title(),
                "name": name,
                "project_name": "greenhouse",
                "unlimited_db_connections": empty,
            }
        )
    return made


def _explore(number: int) -> Row:
    subject, variant = pick(SUBJECTS, number), VARIANTS[number // len(SUBJECTS) % len(VARIANTS)]
    name = f"{subject}_{variant}".strip("_")
    round_trip = number // (len(SUBJECTS) * len(VARIANTS))
    if round_trip:
        name = f"{name}_{round_trip}"
    return {
        "name": name,
        "description": None if number % 4 == 1 else f"One row for each of the {subject} 🪴",
        "label": name.replace("_", " ").title(),
        "hidden": number % 6 == 5,
        "group_label": "Größe & Menge" if number % 3 == 2 else "Greenhouse",
        # In real bodies, but not in the API document.
        "can": {"index": True, "show": True, "see_lookml": number % 2 == 0},
        "frequent": number % 5 == 0,
    }


EPOCH = 1_717_000_000


def datagroups(instance: Collections) -> list[Row]:
    """Caching policies. Times are seconds since 1970."""
    return [
        {
            "can": can(number, "update"),
            "created_at": EPOCH - 8_640_000 + number,
            "id": str(number + 1),
            "model_name": model["name"],
            "name": "nightly" if number % 2 == 0 else "hourly",
            "stale_before": EPOCH + number * 60 if number % 3 == 2 else None,
            "trigger_check_at": EPOCH + number * 300,
            "trigger_error": "Connection refused" if number % 3 == 1 else None,
            "trigger_value": None if number % 3 == 1 else "2024-05-29",
            "triggered_at": None if number % 3 == 1 else EPOCH + number,
        }
        for number, model in enumerate(instance.lookml_models)
    ]
