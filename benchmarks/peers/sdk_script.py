"""What an analyst would write on the official SDK: everything, one after the other."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import looker_sdk
from looker_sdk.rtl import serialize

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = 500


def write(stream: str, items: Sequence[Any]) -> Sequence[Any]:
    """A line for each item."""
    for item in items:
        record = serialize.serialize(api_model=item, converter=serialize.converter40)
        sys.stdout.buffer.write(
            b'{"type": "RECORD", "stream": "%s", "record": %s}\n' % (stream.encode(), record)
        )
    return items


def pages(search: Any, **parameters: Any) -> list[Any]:
    """All pages of a search."""
    items: list[Any] = []
    while True:
        page = search(limit=PAGE, offset=len(items), sorts="id", **parameters)
        items += page
        if len(page) < PAGE:
            return items


def main() -> None:
    """Read the instance."""
    sdk = looker_sdk.init40()
    write("users", pages(sdk.search_users))
    write("groups", sdk.all_groups())
    write("roles", sdk.all_roles())
    write("permission_sets", sdk.all_permission_sets())
    write("model_sets", sdk.all_model_sets())
    write("user_attributes", sdk.all_user_attributes())
    write("folders", sdk.all_folders())
    write("connections", sdk.all_connections())
    write("projects", sdk.all_projects())
    write("scheduled_plans", sdk.all_scheduled_plans(all_users=True))
    for look in pages(sdk.search_looks):
        full = sdk.look(look.id)
        write("looks", [full])
        if full.query:
            write("queries", [full.query])
    for base in pages(sdk.search_dashboards):
        dashboard = sdk.dashboard(base.id)
        write("dashboards", [dashboard])
        elements = write("dashboard_elements", dashboard.dashboard_elements or [])
        write("dashboard_filters", dashboard.dashboard_filters or [])
        write("dashboard_layouts", dashboard.dashboard_layouts or [])
        write("queries", [element.query for element in elements if element.query])
    for model in write("lookml_models", sdk.all_lookml_models()):
        for explore in model.explores or []:
            write("explores", [sdk.lookml_model_explore(model.name, explore.name)])


if __name__ == "__main__":
    main()
