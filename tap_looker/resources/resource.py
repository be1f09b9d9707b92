"""What a row of the table is: a resource of API 4.0, who may read it, and where it is read."""

from __future__ import annotations

import abc
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeVar

from tap_looker.errors import BadResponseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_looker.errors import RequestError
    from tap_looker.looker.client import LookerClient
    from tap_looker.looker.response import Row
    from tap_looker.resources.fields import Fields

T = TypeVar("T")


ITEM_STATUSES = frozenset({400, 403, 404, 405, 409, 422, 500})
"""Answers that concern one request and not the instance."""


def concerns_item(error: RequestError) -> bool:
    """Whether Looker's answer speaks of what was asked for, and not of the instance."""
    return error.status in ITEM_STATUSES or isinstance(error, BadResponseError)


def is_older(release: str, since: str) -> bool:
    """Whether a release of Looker (``25.4.12``) comes before another (``26.4``).

    Where one is not known, it does not.
    """
    one, other = (tuple(map(int, re.findall(r"\d+", text)[:2])) for text in (release, since))
    return bool(one and other) and one < other


@dataclass(frozen=True)
class Access:
    """Which permissions show the whole of a resource.

    Attributes:
        permissions: Any one of them does. None: Looker shows all users what they may see.
        otherwise: What a user without them gets; "" where Looker denies it.
        is_own: Every user gets only what is that user's own, an admin too.
        is_whole: Every user gets all there is, such as what Looker says it supports.
    """

    permissions: tuple[str, ...] = ()
    otherwise: str = ""
    is_own: bool = False
    is_whole: bool = False

    def __str__(self) -> str:
        if self.is_whole:
            return "any user gets all of it"
        if not self.permissions:
            return f"any user gets {self.otherwise or 'what that user may see'}"
        names = " or ".join(self.permissions).replace("administer", "the Admin role")
        needs = f"needs {names}"
        return f"{needs}; without it {self.otherwise}" if self.otherwise else needs


EVERYONE = Access()
WHOLE = Access(is_whole=True)
ADMIN = Access(("administer",))
DEVELOPERS = Access(("develop",))


@dataclass(frozen=True)
class Column:
    """A column that no model of Looker's has.

    Attributes:
        description: For the schema.
        type: JSON type; it may be null unless it is in the key.
        format: ``date-time``, or "".
    """

    description: str
    type: str = "string"
    format: str = ""


@dataclass(frozen=True)
class Computed:
    """A column that is worked out from the rows.

    Attributes:
        column: For the schema, which marks it.
        needs: What of a row it is made of, as paths.
        make: Gives what works it out, once what `wants` asks for can be read.
        wants: Says which resources have to be read first.
    """

    column: Column
    needs: tuple[str, ...]
    make: Callable[[Reading], Callable[[Row], Any]]
    wants: Callable[[Reading], None] = lambda _: None


@dataclass(frozen=True)
class Resource:
    """A resource of API 4.0 and the stream that it becomes.

    ::

        Resource("folders", "Folder", Search("/folders/search"), omit=("dashboards", "looks"))

    Attributes:
        name: Of the stream and of its schema file.
        model: Class of ``looker_sdk.sdk.api40.models`` that the schema is generated from.
        source: Where the rows come from and how they are read.
        keys: Primary key.
        access: Who may read it.
        default: Selected unless told otherwise: cheap, and there on every instance.
        status: Of the endpoint: ``stable``, ``beta``, ``alpha`` or ``deprecated``.
        since: First release whose official client has the endpoint (``26.4``): some releases
            before it may have it too. "" for those that every supported release has.
        cost_per: What one call buys, where that is neither a page nor everything.
        omit: Properties too heavy to ask for: neither in the schema nor in the answer.
        only: The properties that count, where the rest belongs to another stream.
        renamed: Properties that have another name in Looker: column → name there.
        computed: Columns that are worked out from the rows.
        unix_times: Properties that hold Unix seconds, which become times.
    """

    name: str
    model: str
    source: Source
    keys: tuple[str, ...] = ("id",)
    access: Access = EVERYONE
    default: bool = True
    status: str = "stable"
    since: str = ""
    cost_per: str = ""
    omit: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    computed: Mapping[str, Computed] = field(default_factory=dict)
    unix_times: tuple[str, ...] = ()

    @property
    def added_columns(self) -> tuple[str, ...]:
        """Columns of the record that Looker's rows do not have."""
        return self.source.added_columns(self.keys)


class Source(abc.ABC):
    """Where the rows of a resource come from. The kinds are classes in ``kinds`` and ``flat``.

    Attributes:
        billing: How Looker bills the calls (``x-looker-activity-type`` in the OpenAPI document):
            ``non_query`` (admin), ``db_query`` or ``none``.
        path: Path below ``/api/4.0``; "" for none.
        nested_lists: Lists inside a row, and the path that gives each by itself where an answer
            lacks it although it was asked for.
        own_lists: Those of them that belong to the record itself.
    """

    billing: str = "non_query"
    path: str = ""
    nested_lists: Mapping[str, str] = {}
    own_lists: ClassVar[tuple[str, ...]] = ()

    def added_columns(self, keys: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG002
        """Columns of the record that are not in Looker's rows."""
        return ()

    def check(self) -> None:  # noqa: B027
        """Check that what it needs besides Looker is there.

        Raises:
            LookerError: It is not.
        """

    def plan(self, reading: Reading) -> None:  # noqa: B027
        """Say which other resources have to be read first; here none."""

    @abc.abstractmethod
    def pages(self, reading: Reading, resource: Resource) -> Iterator[list[Row]]:
        """The rows.

        Raises:
            RequestError: They cannot be read whole.
        """

    @abc.abstractmethod
    def estimate_calls(self, counts: Counts, resource: Resource) -> Range | None:
        """How many calls it takes, besides those of other resources; None if not known."""


class Reading(Protocol):
    """What a source may use of the extraction that it is a part of.

    Attributes:
        refused: Why nested lists could not be read by themselves, by resource and list.
        whole: Resources that are asked for with all properties, since a name was refused.
    """

    client: LookerClient
    host: str
    page_size: int
    refused: dict[tuple[str, str], RequestError]
    whole: set[str]

    def want(
        self,
        name: str,
        fields: Fields | None = None,
        *,
        trash: bool = True,
        lists: Iterable[str] = (),
    ) -> None:
        """Say that a resource will be read once more."""

    def want_beside(self, name: str, fields: Fields) -> None:
        """Say that a resource will be read once more if others read it."""

    @property
    def wanted(self) -> set[str]:
        """Names of all that will be read, once all is planned."""

    def read(
        self, name: str, fields: Fields | None = None, *, whole: bool = False
    ) -> Iterator[list[Row]]:
        """The rows of another resource; `whole` whatever folders and models the settings name."""

    def fields_of(self, resource: Resource) -> Fields | None:
        """The fields that are wanted of a resource; None for all."""

    def reads_trash(self, resource: Resource) -> bool:
        """Whether deleted rows are wanted too."""

    def folder_filters(self, resource: Resource) -> list[dict[str, str]]:
        """Parameters that narrow a search to the folders of the settings; one call each."""

    def homes(self, resource: Resource, page: list[Row]) -> set[Any]:
        """The folders that some rows are in."""

    def each(
        self,
        name: str,
        call: Callable[[T], Any],
        items: Iterable[T],
        *,
        came: bool = False,
        split: Callable[[T], list[T]] = ...,
    ) -> Iterator[tuple[T, Any]]:
        """The answers for items asked for one by one, several at a time, in their order."""

    def skip(self, name: str, why: str, count: int = 1) -> None:
        """Leave out single items of a resource: a warning, and counted."""


class Range(NamedTuple):
    """A number that may be known in part."""

    least: int
    most: int


class Counts(Protocol):
    """How many rows there are, for estimates."""

    page_size: int
    include_deleted: bool

    def of(self, name: str) -> int | None:
        """The rows of a resource; None where one call does not tell."""

    def distinct(
        self, name: str, paths: Sequence[str], skip_if: Sequence[str] = ()
    ) -> Range | None:
        """How many different values rows have at some paths, without nulls; None if not known.

        Args:
            name: Of the resource.
            paths: With dots, also through lists.
            skip_if: Fields that leave a row out, when one of them is true.
        """

    def values(self, name: str, paths: Sequence[str]) -> set[tuple[Any, ...]] | None:
        """The different values at some paths; None where one call does not give all rows."""
