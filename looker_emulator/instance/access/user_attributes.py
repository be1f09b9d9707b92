"""User attributes and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from looker_emulator.instance.values import Row, can

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

# ------------------------------------------------------------------------------------- attributes

# Name, type, default. The first ones are built in and have a value for every user.
_ATTRIBUTES = (
    ("email", "string", None),
    ("first_name", "string", None),
    ("last_name", "string", None),
    ("id", "number", None),
    ("locale", "string", "en"),
    ("number_format", "string", "1,234.56"),
    ("region", "string", None),
    ("cost_centre", "number", "4000"),
    ("brands", "advanced_filter_string", "%, NULL"),
    ("opened_on", "datetime", None),
    ("shelf_api_key", "string", None),
)
_SYSTEM = 6


def user_attributes(_: Collections) -> list[Row]:
    """Definitions of user attributes."""
    return [
        {
            "can": can(number, "update", "destroy", "show_value"),
            "id": str(number + 1 + (4 if number >= _SYSTEM else 0)),
            "name": name,
            "label": name.replace("_", " ").title(),
            "type": kind,
            "default_value": default,
            "is_system": number < _SYSTEM,
            "is_permanent": number < 4,
            "value_is_hidden": name == "shelf_api_key",
            "user_can_view": name != "shelf_api_key",
            "user_can_edit": name in ("locale", "number_format"),
            "hidden_value_domain_whitelist": (
                "https://shelves.greenhouse.example/*" if name == "shelf_api_key" else None
            ),
            "needed_for_ci_run": False,
            "value_for_ci_run": None,
        }
        for number, (name, kind, default) in enumerate(_ATTRIBUTES)
    ]


def user_attribute_group_values(instance: Collections) -> dict[str, list[Row]]:
    """The values that groups give their members, by attribute. The lowest rank wins."""
    made: dict[str, list[Row]] = {row["id"]: [] for row in instance.user_attributes}
    number = 0
    for attribute in instance.user_attributes:
        if attribute["name"] not in ("region", "cost_centre"):
            continue
        for rank, group in enumerate(instance.groups[1:5], 1):
            number += 1
            made[attribute["id"]].append(
                {
                    "can": can(number),
                    "id": str(number),
                    "group_id": group["id"],
                    "user_attribute_id": attribute["id"],
                    "value_is_hidden": False,
                    "rank": rank,
                    # A number, although the API document says otherwise.
                    "value": 4100 + rank if attribute["type"] == "number" else f"Süd {rank}",
                }
            )
    return made


def attribute_values(instance: Collections, user: Row, *, include_unset: bool) -> list[Row]:
    """The values of a user: the user's own, or that of a group, or the default."""
    number = int(user["id"])
    rows = []
    for attribute in instance.user_attributes:
        own = _own_value(attribute["name"], user, number)
        shared = next(
            (
                row
                for row in instance.user_attribute_group_values[attribute["id"]]
                if row["group_id"] in user["group_ids"]
            ),
            None,
        )
        value, source, rank = attribute["default_value"], "Default", None
        if shared:
            value, source, rank = shared["value"], f"Group {shared['group_id']}", shared["rank"]
        if own is not None:
            value, source, rank = own, "User", 0
        if value is None and not include_unset:
            continue
        hidden = attribute["value_is_hidden"]
        rows.append(
            {
                "can": can(number, "show_value"),
                "name": attribute["name"],
                "label": attribute["label"],
                "rank": rank,
                "value": None if hidden else value,
                "user_id": user["id"],
                "user_can_edit": attribute["user_can_edit"],
                "value_is_hidden": hidden,
                "user_attribute_id": attribute["id"],
                "source": None if value is None else source,
                "hidden_value_domain_whitelist": attribute["hidden_value_domain_whitelist"],
            }
        )
    return rows


def _own_value(name: str, user: Row, number: int) -> Any:
    if name in ("email", "first_name", "last_name", "locale"):
        return user[name]
    return {
        "id": number,
        "region": "Großraum Zürich" if number % 5 == 1 else None,
        "cost_centre": 4000 + number + (0.5 if number % 2 else 0) if number % 3 == 2 else None,
        "shelf_api_key": "hidden" if number % 6 == 1 else None,
    }.get(name)
