"""A row of the table of resources at work."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from singer_sdk.helpers._catalog import get_selected_schema

from tap_looker import schemas
from tap_looker.errors import RequestError
from tap_looker.paging import identity
from tap_looker.shape import MISFIT, UNKNOWN, compiled
from tap_looker.streams.base import LookerStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_looker.client import Row
    from tap_looker.resources import Resource
    from tap_looker.sources import Sources
    from tap_looker.tap import TapLooker


MOST_NAMED = 30  # properties in one warning


class ResourceStream(LookerStream):
    """One REST collection."""

    def __init__(self, tap: TapLooker, resource: Resource) -> None:
        self.resource = resource
        self.permission = resource.permission
        self.status, self.per = resource.status, resource.per
        self.selected_by_default = resource.default
        super().__init__(tap, name=resource.name, keys=resource.keys, schema=_schema(resource.name))

    def plan(self, sources: Sources) -> None:
        """Ask for the selected properties alone, where some are not or the row leaves some out."""
        resource = self.resource
        fields = self.selected_fields(all_named=bool(resource.omit or resource.only))
        kept = [name for name in resource.keep if fields is None or name in fields]
        sources.want(self.name, fields, lists=kept)

    def pages(self, sources: Sources) -> Iterator[list[Row]]:
        """The rows of the collection; what is left out of them does not wait in memory."""
        for page in sources.read(self.name):
            for row in page:
                for name in self.resource.omit:
                    row.pop(name, None)
            yield page

    def shaped(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Records of what is selected, as the schema admits it, each with its key."""
        reported: dict[str, dict[str, None]] = {UNKNOWN: {}, MISFIT: {}}
        shape = compiled(
            get_selected_schema(self.name, self.schema, self.mask),
            schemas.SILENT.union(self.resource.omit, self._deselected()),
            lambda kind, path: reported[kind].setdefault(path),
        )
        keys = self.resource.keys
        try:
            for row in rows:
                record = shape(row)
                if identity(record, keys) is None:
                    raise RequestError(f"A row lacks its key ({', '.join(keys)}).", 200)
                yield record
        finally:
            # Once per stream: a newer Looker sends more properties, an odd one other types.
            for kind, what in (
                (UNKNOWN, "not in the schema, and left out"),
                (MISFIT, "not of the type in the schema, and null where they were not"),
            ):
                if names := [_shown(name) for name in reported[kind]]:
                    more = f" and {len(names) - MOST_NAMED} more" if names[MOST_NAMED:] else ""
                    self.logger.warning(
                        "Properties that are %s: %s%s.", what, ", ".join(names[:MOST_NAMED]), more
                    )

    def _deselected(self) -> set[str]:
        """Paths of properties that are not selected, which an answer may hold all the same."""
        return {
            ".".join(crumb[1::2]) for crumb, selected in self.mask.items() if crumb and not selected
        }


def _shown(name: str) -> str:
    """A name that somebody else chose, in a line of ours."""
    return "".join(one if one.isprintable() else "?" for one in name[:100])


def _schema(name: str) -> dict[str, Any]:
    text = files(schemas).joinpath(f"{name}.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
