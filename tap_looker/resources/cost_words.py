"""What a resource costs, in words that hold for every instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_looker.resources.flat import Flat
from tap_looker.resources.kinds import Search

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tap_looker.resources.resource import Resource

BILLED = {"non_query": "", "db_query": " (billed as queries)", "none": " (not billed)"}


def of(resource: Resource, page_size: int, named: Callable[[str], str] = str) -> str:
    """How many calls a resource costs, besides those that it has to read first.

    Args:
        resource: A row of the table.
        page_size: Rows per page.
        named: Renders the name of a stream.
    """
    source, per = resource.source, resource.cost_per
    before = _listed(_reads(resource), named)
    if isinstance(source, Flat):
        of = _listed(source.reads(), named)
        return f"1 per {per}, shared with {of}" if per else f"none besides {of}"
    if per:
        calls = f"1 per {per}"
    elif isinstance(source, Search):
        calls = f"1 per {page_size} rows"
    else:
        calls = "1"
    if isinstance(source, Search) and source.has_trash:
        calls += ", the trash apart"
    return calls + BILLED[source.billing] + (f", besides {before}" if before else "")


def _listed(names: Iterable[str], named: Callable[[str], str]) -> str:
    return ", ".join(map(named, dict.fromkeys(names)))


def _reads(resource: Resource) -> list[str]:
    """The resources whose rows have to be read first."""
    read = _Reads()
    resource.source.plan(read)  # type: ignore[arg-type]
    return read


class _Reads(list[str]):
    """In the place of an extraction: notes what a source wants."""

    def want(self, name: str, *_: Any, **__: Any) -> None:
        self.append(name)

    def want_beside(self, *_: Any) -> None:
        """Nothing: it is read for others."""
