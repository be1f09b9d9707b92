"""Scheduled plans and their destinations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.access.users import public_user
from looker_emulator.instance.content.references import reference
from looker_emulator.instance.values import Row, can, moment, pick

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

# --------------------------------------------------------------------------------------- schedules


def scheduled_plans(instance: Collections) -> list[Row]:
    """The schedules of all users, for looks and for both kinds of dashboards."""
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
        **reference(content),
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
        "user": public_user(owner),
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
