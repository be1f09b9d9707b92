"""A row of the table of resources at work."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from tap_looker import schemas
from tap_looker.errors import BadResponseError, listed
from tap_looker.looker.offset_paging import identity
from tap_looker.resources.fields import merged, tree
from tap_looker.streams.base import LookerStream
from tap_looker.streams.conform import compiled
from tap_looker.times import from_unix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Tap

    from tap_looker.looker.response import Row
    from tap_looker.resources.extraction import Extraction
    from tap_looker.resources.resource import Computed, Resource
    from tap_looker.run import Run


class ResourceStream(LookerStream):
    """One REST collection."""

    def __init__(self, tap: Tap, run: Run, resource: Resource) -> None:
        self.resource = resource
        self.permission = str(resource.access)
        self.status, self.since, self.cost_per = resource.status, resource.since, resource.cost_per
        self.selected_by_default = resource.default
        self._computed: dict[str, Computed] = {}
        super().__init__(
            tap, run, name=resource.name, keys=resource.keys, schema=_schema(resource.name)
        )

    def check(self) -> None:
        """Also whether what the source needs is installed."""
        super().check()
        self.resource.source.check()

    def plan(self, extraction: Extraction) -> None:
        """Ask for the selected properties alone, where some are not or the row leaves some out."""
        resource = self.resource
        fields = self.selected_fields(all_named=bool(resource.omit or resource.only))
        self._computed = {
            name: one for name, one in resource.computed.items() if fields is None or name in fields
        }
        if fields is not None:
            named = {name: below for name, below in fields.items() if name not in self._computed}
            needed = tree(path for one in self._computed.values() for path in one.needs)
            fields = merged(named, needed)
        kept = [name for name in resource.source.own_lists if fields is None or name in fields]
        extraction.want(self.name, fields, lists=kept)
        for one in self._computed.values():
            one.wants(extraction)

    def sources(self, extraction: Extraction) -> set[str]:
        """The resource, and those that are read for it."""
        return extraction.sources(self.name)

    def why_partial(self, extraction: Extraction) -> str:
        """A setting keeps rows out, or items could not be read, here or in what is read before."""
        if setting := extraction.narrowed_by(self.name):
            return f"{setting} keeps some of their rows out."
        if extraction.has_skipped(self.name):
            return "some items were skipped, and may still exist."
        return ""

    def pages(self, extraction: Extraction) -> Iterator[list[Row]]:
        """The rows of the collection; what is left out of them does not wait in memory."""
        made = {name: one.make(extraction) for name, one in self._computed.items()}
        for page in extraction.read(self.name):
            for row in page:
                for name, of in made.items():
                    row[name] = of(row)
                for name in self.resource.unix_times:
                    if name in row:
                        row[name] = from_unix(row[name])
                for name in self.resource.omit:
                    row.pop(name, None)
            yield page

    def records(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Records of what is selected, as the schema admits it, each with its key."""
        keys = self.resource.keys
        misfits = self.misfits(keys, [self.replication_key or ""])
        unknown: dict[str, None] = {}
        row: Row = {}
        shape = compiled(
            self.selected_schema(self.schema, ()),
            schemas.SILENT.union(self.resource.omit, self._deselected()),
            unknown.setdefault,
            lambda path, schema, value: misfits.add(path, schema, value, row),
        )
        try:
            for row in rows:  # which the lambda looks at, too
                record = shape(row)
                if identity(record, keys) is None:
                    raise BadResponseError(f"A row lacks its key ({', '.join(keys)}).")
                yield record
        finally:
            # Once per stream: a newer Looker sends more properties.
            if unknown:
                self.logger.warning(
                    "Left out, as the schema does not have them: %s.", listed(unknown)
                )
            misfits.warn(self.logger)

    def _deselected(self) -> set[str]:
        """Paths of properties that are not selected, which an answer may hold all the same."""
        return {
            ".".join(crumb[1::2]) for crumb, selected in self.mask.items() if crumb and not selected
        }


def _schema(name: str) -> dict[str, Any]:
    text = files(schemas).joinpath(f"{name}.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
