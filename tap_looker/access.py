"""What an API key may read, and what a run would cost, told in a handful of calls before any run.

The caller's own roles and permission sets say most of it (operations ``me`` and ``user_roles``).
Only where a key may not see these, each kind of permission is tried on one small request.
"""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from tap_looker.errors import LookerError, RequestError
from tap_looker.looker.response import segment
from tap_looker.looker.threads import Cancelled
from tap_looker.queries.activities import ACTIVITIES
from tap_looker.resources.extraction import Extraction
from tap_looker.resources.fields import merged, rendered, tree, values_at
from tap_looker.resources.flat import Flat
from tap_looker.resources.kinds import Composite, Endpoint, Search
from tap_looker.resources.resource import Access, Range, is_older
from tap_looker.resources.table import BY_NAME, GROUPS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from tap_looker.looker.client import LookerClient
    from tap_looker.looker.response import Row
    from tap_looker.resources.fields import Fields
    from tap_looker.resources.resource import Resource

OF_SETTINGS = Access(otherwise="what this user may query")
ALL, PART, NONE, UNKNOWN = "all", "part", "none", "unknown"
OF_ACTIVITY = Access(("see_system_activity", "administer"))
COUNTED = ("users", "groups", "folders", "looks", "dashboards", "dashboard_elements", "boards")
"""What may be larger than a page: worth a call to count."""
MAX_SAMPLE = 5_000  # rows that are looked at to count what is in them
BILLED = {"non_query": "admin call", "db_query": "query call"}
"""How Looker bills calls, but for those that are free."""


@dataclass(frozen=True)
class StreamAccess:
    """What a key gets of one stream.

    Attributes:
        stream: Its name.
        selected: It is in the run.
        access: ``all``, ``part``, ``none`` or ``unknown``.
        note: What of it, or what is missing.
        is_read: In this run: for itself, or for a selected stream.
        calls: How many calls it costs, at most, besides what this run makes anyway; None if not
            known.
        calls_at_least: How many at least.
        billing: How Looker bills them.
    """

    stream: str
    selected: bool
    access: str
    note: str
    is_read: bool
    calls: int | None
    calls_at_least: int
    billing: str


@dataclass(frozen=True)
class Report:
    """What a key gets.

    Attributes:
        user: Name and id of the key's user.
        is_admin: The user has the Admin role, or all its permissions.
        permissions: What the user's roles permit; None where the key may not see that.
        streams: In the order of their names.
        ask_for: Permissions to ask the Looker admin for, for the selected streams.
        calls: Of a run of the selected streams, by billing; at most, as far as that is known.
        calls_at_least: The same, at least.
        is_estimate: Some of them could not be counted.
    """

    user: str
    is_admin: bool
    permissions: list[str] | None
    streams: list[StreamAccess]
    ask_for: list[str]
    calls: dict[str, int]
    calls_at_least: dict[str, int]
    is_estimate: bool


def report(
    client: LookerClient,
    selected: Collection[str],
    wanted: Collection[str],
    *,
    page_size: int,
    include_deleted: bool,
) -> Report:
    """Ask who the key's user is and may do, and count what is costly.

    Raises:
        LoginError: There is no login.
        RequestError: Not even the user can be asked for.
    """
    me = client.get("/user").data
    if not isinstance(me, dict):
        raise RequestError("GET /user: the answer is not a user.", 200)
    permissions = _permissions(client, me)
    is_admin = permissions is not None and "administer" in permissions
    tried = {} if permissions is not None else _tried(client, selected)
    counts = _Counts(client, page_size, include_deleted=include_deleted)
    is_news = any(BY_NAME[name].since for name in {*selected, *wanted} if name in BY_NAME)
    release = release_of(client) if is_news else ""
    streams = []
    for name, needed in _all_streams(selected):
        access, note = _access(needed, permissions, is_admin=is_admin, tried=tried)
        is_read = name in selected or name in wanted
        since = BY_NAME[name].since if name in BY_NAME else ""
        if is_read and is_older(release, since):
            access = UNKNOWN
            note = f"documented from release {since} on, this is {release}"
        calls = Range(0, 0) if access == NONE else _calls(name, wanted, counts)
        streams.append(
            StreamAccess(
                name,
                name in selected,
                access,
                note,
                is_read,
                calls and calls.most,
                calls.least if calls else 1,
                _billing(name, counts),
            )
        )
    ask_for = {
        needed.permissions[0]: None
        for (_, needed), stream in zip(_all_streams(selected), streams, strict=True)
        if stream.selected and stream.access in (NONE, PART) and needed.permissions and not is_admin
    }
    read = [stream for stream in streams if stream.is_read]
    billed = {billing: [one for one in read if one.billing == billing] for billing in BILLED}
    return Report(
        user=f"{me.get('display_name') or 'user'} ({me.get('id')})",
        is_admin=is_admin,
        permissions=sorted(permissions) if permissions is not None else None,
        streams=streams,
        ask_for=list(ask_for),
        calls={
            billing: sum(one.calls_at_least if one.calls is None else one.calls for one in found)
            for billing, found in billed.items()
        },
        calls_at_least={
            billing: sum(one.calls_at_least for one in found) for billing, found in billed.items()
        },
        is_estimate=any(one.calls is None for one in read),
    )


def release_of(client: LookerClient) -> str:
    """The instance's release (``26.22.14``); "" where it does not tell. Not billed."""
    try:
        answer = client.get("/versions", {"fields": "looker_release_version"}, billing="none")
        return str(answer.data["looker_release_version"])
    except (LookerError, LookupError, TypeError, Cancelled):
        return ""


def as_dict(found: Report) -> dict[str, Any]:
    """The report for machines."""
    return asdict(found)


def as_text(found: Report) -> str:
    """The report for people: what is missing first, the rest by the groups of the documentation."""
    kind = ", an admin" if found.is_admin else "" if found.permissions is None else ", not an admin"
    lines = [f"The key belongs to {found.user}{kind}."]
    groups = {
        "Denied": [one for one in found.streams if one.access == NONE],
        "Not known": [one for one in found.streams if one.access == UNKNOWN],
        "Only in part": [one for one in found.streams if one.access == PART],
    }
    whole = {one.stream: one for one in found.streams if one.access == ALL}
    names = {title: [row.name for row in rows] for title, rows in GROUPS.items()}
    names["System Activity"] = [activity.name for activity in ACTIVITIES]
    inside = {name for group in names.values() for name in group}
    names["Of the settings"] = [name for name in whole if name not in inside]
    for title, group in names.items():
        groups[title] = [whole[name] for name in group if name in whole]
    width = max(len(stream.stream) for stream in found.streams)
    for title, streams in groups.items():
        if streams:
            streams.sort(key=lambda one: not one.selected)
            lines += ["", title, *(_line(stream, width) for stream in streams)]
    lines += ["", "* selected   + not selected, but needed by a selected stream"]
    if found.ask_for:
        asked = ", ".join(found.ask_for).replace("administer", "the Admin role")
        lines.append(f"To read all that is selected, ask the Looker admin for: {asked}.")
    costs = ", ".join(
        _counted(found.calls_at_least[billing], found.calls[billing], what)
        for billing, what in BILLED.items()
    )
    more = ", and more where it says +" if found.is_estimate else ""
    lines.append(f"A run of the selected streams costs about {costs}, 1 login{more}.")
    return "\n".join(lines)


def _line(stream: StreamAccess, width: int) -> str:
    mark = "*" if stream.selected else "+" if stream.is_read else " "
    cost = ""
    if stream.access != NONE:
        what = BILLED.get(stream.billing, "free call")
        cost = _counted(stream.calls_at_least, stream.calls, what)
    return f"{mark} {stream.stream:{width}}  {stream.access:7}  {cost:>20}  {stream.note}".rstrip()


def _counted(least: int, most: int | None, what: str) -> str:
    if most is None:
        return f"{least}+ {what}s"
    number = f"{least}" if least == most else f"{least} to {most}"
    return f"{number} {what}{'' if most == 1 else 's'}"


def _billing(name: str, counts: _Counts) -> str:
    """How the calls are billed: where a stream makes none of its own, as those of what it reads."""
    if name not in BY_NAME:
        return "db_query"
    source = BY_NAME[name].source
    if not isinstance(source, Flat):
        return source.billing
    read = {BY_NAME[one].source.billing for one in counts.needed(name) - {name}}
    return "db_query" if "db_query" in read else "non_query"


def _all_streams(selected: Collection[str]) -> list[tuple[str, Access]]:
    """All streams by name, and who may read them; of those of the settings, the selected."""
    known = {
        **{resource.name: resource.access for resource in BY_NAME.values()},
        **{activity.name: OF_ACTIVITY for activity in ACTIVITIES},
    }
    return sorted({**dict.fromkeys(selected, OF_SETTINGS), **known}.items())


def _permissions(client: LookerClient, me: dict[str, Any]) -> set[str] | None:
    """What the user's roles permit; None where Looker does not show that."""
    try:
        roles = client.get_list(f"/users/{segment(me.get('id'))}/roles", {}, ("id",))
    except RequestError:
        return None
    return _permitted(roles)


def _permitted(roles: Iterable[Row]) -> set[str] | None:
    found: set[str] = set()
    for role in roles:
        permission_set = role.get("permission_set")
        if not isinstance(permission_set, dict):
            return None
        names = permission_set.get("permissions")
        if permission_set.get("all_access"):
            found.add("administer")
        elif not isinstance(names, list):  # null or absent is not empty
            return None
        found.update(map(str, names or []))
    return found


TELLING = {"current_user": ("id", "role_ids"), "roles": ("id", "permission_set")}
"""What says who an admin is, where a run reads it anyway."""


def plan(extraction: Extraction, *, more_fields: bool) -> None:
    """Say that the permissions of the key's user will be looked at, where they are read anyway.

    Args:
        extraction: Of the run.
        more_fields: Also where fields that tell are not selected.
    """
    is_told = all(extraction.reads(name, fields) for name, fields in TELLING.items())
    for name, fields in TELLING.items():
        if is_told or (more_fields and name in extraction.wanted):
            extraction.want(name, tree(fields), trash=False)


def permissions_in_run(extraction: Extraction) -> set[str] | None:
    """What the key's user may do, in as few calls as possible: none for an admin by default.

    Roles of groups are not known to be among those of ``current_user``, so a user who does not
    seem to be an admin costs the call that settles it.

    Returns:
        The permissions; None where Looker does not show them.

    Raises:
        Cancelled: The run ends.
    """

    def read(name: str) -> list[Row]:
        if name not in extraction.wanted:
            return []
        try:
            return list(itertools.chain.from_iterable(extraction.read(name, tree(TELLING[name]))))
        except LookerError:
            return []

    try:
        me = next(iter(read("current_user")), None) or extraction.client.get("/user").data
        if not isinstance(me, dict):
            return None
        own = {str(one) for one in me.get("role_ids") or []}
        permitted = _permitted(role for role in read("roles") if str(role.get("id")) in own)
        if permitted and "administer" in permitted:
            return permitted
        return _permissions(extraction.client, me)
    except LookerError:
        return None


def known_permissions(extraction: Extraction) -> set[str] | None:
    """What the user's own roles permit, if the run has read these anyway; else None."""
    if not all(extraction.reads(name, fields) for name, fields in TELLING.items()):
        return None
    try:
        me, roles = (
            list(itertools.chain.from_iterable(extraction.read(name, tree(fields))))
            for name, fields in TELLING.items()
        )
    except LookerError:
        return None
    own = {str(one) for row in me for one in row.get("role_ids") or []}
    return _permitted(role for role in roles if str(role.get("id")) in own)


def sees_all_of(name: str, permissions: set[str]) -> bool:
    """Whether a user with these permissions is known to get all rows of a stream."""
    return name not in BY_NAME or sees_all([name], permissions)


def sees_all(sources: Iterable[str], permissions: set[str] | None) -> bool:
    """Whether a user with these permissions is known to get all rows of all these resources."""
    needs = [BY_NAME[name].access for name in sources]
    known = permissions or set()
    return all(
        one.is_whole or (not one.is_own and not known.isdisjoint({"administer", *one.permissions}))
        for one in needs
    )


def _tried(client: LookerClient, selected: Collection[str]) -> dict[tuple[str, ...], bool]:
    """Whether one small request for each kind of permission gets an answer."""
    tried: dict[tuple[str, ...], bool] = {}
    for name in sorted(selected):
        resource = BY_NAME.get(name)
        source = resource.source if resource else None
        if not resource or not isinstance(source, Endpoint) or source.parent:
            continue
        access = resource.access
        if not access.permissions or access.permissions in tried or access.otherwise:
            continue
        if resource.cost_per:
            continue
        limit = {"limit": 1} if isinstance(source, Search) else {}
        try:
            client.get(source.path, {**source.params, **limit}, billing=source.billing)
            tried[access.permissions] = True
        except RequestError:
            tried[access.permissions] = False
    return tried


def _access(
    needed: Access,
    permissions: set[str] | None,
    *,
    is_admin: bool,
    tried: dict[tuple[str, ...], bool],
) -> tuple[str, str]:
    needs, without = needed.permissions, needed.otherwise
    if is_admin or needed.is_whole:
        return ALL, ""
    asked = " or ".join(needs).replace("administer", "the Admin role")
    if not needs:
        return PART, without or "what this user may see"
    may = tried.get(needs) if permissions is None else bool(permissions.intersection(needs))
    if may is None:
        return UNKNOWN, f"needs {asked}"
    if may:
        return ALL, ""
    return (PART, f"{without}; all needs {asked}") if without else (NONE, f"needs {asked}")


def _calls(name: str, wanted: Collection[str], counts: _Counts) -> Range | None:
    """What a stream costs besides what the run reads anyway: with its parents, where these are new.

    None if that cannot be told, as for System Activity.
    """
    if name not in BY_NAME:
        return None
    least = most = 0
    for one in counts.needed(name) - (set(wanted) - {name}):
        calls = BY_NAME[one].source.estimate_calls(counts, BY_NAME[one])
        if calls is None:
            return None
        least, most = least + calls.least, most + calls.most
    return Range(least, most)


class _Counts:
    """How many rows there are, with one call for each resource that is worth one."""

    def __init__(self, client: LookerClient, page_size: int, *, include_deleted: bool) -> None:
        self.page_size = page_size
        self.include_deleted = include_deleted
        self._client = client
        self._samples: dict[str, _Sample | None] = {}
        self._fields: dict[str, Fields] = {}
        for resource in BY_NAME.values():
            source = resource.source
            if isinstance(source, Endpoint) and source.parent:
                self._look_at(source.parent.resource, source.parent.wanted)
            elif isinstance(source, Composite):
                for name, fields in source.counted.items():
                    self._look_at(name, tree(fields))

    def _look_at(self, name: str, fields: Fields) -> None:
        self._fields[name] = merged(self._fields.get(name, {}), fields) or {}

    def needed(self, name: str) -> set[str]:
        """What is read for a stream, itself included."""
        extraction = Extraction(self._client, page_size=1, include_deleted=False)
        extraction.want(name)
        return extraction.wanted

    def of(self, name: str) -> int | None:
        """The rows of a resource; None where one call does not tell."""
        if name not in COUNTED and name not in self._fields:
            return 1  # it hardly fills a page
        sample = self._sample(name)
        return sample.total if sample else None

    def distinct(
        self, name: str, paths: Sequence[str], skip_if: Sequence[str] = ()
    ) -> Range | None:
        """How many different values rows have at some paths, scaled where not all rows came."""
        source = BY_NAME[name].source
        if isinstance(source, Composite):
            return source.count(self)
        sample = self._sample(name)
        if not sample or sample.total is None:
            return None
        found = len(sample.values(paths, skip_if))
        if sample.is_whole:
            return Range(found, found)
        return Range(found, ceil(found * sample.total / len(sample.rows)))

    def values(self, name: str, paths: Sequence[str]) -> set[tuple[Any, ...]] | None:
        """The different values at some paths; None where one call does not give all rows."""
        sample = self._sample(name)
        return sample.values(paths) if sample and sample.is_whole else None

    def _sample(self, name: str) -> _Sample | None:
        if name not in self._samples:
            try:
                self._samples[name] = self._asked(BY_NAME[name])
            except RequestError:
                self._samples[name] = None
        return self._samples[name]

    def _asked(self, resource: Resource) -> _Sample | None:
        source = resource.source
        if not isinstance(source, Endpoint) or source.parent:
            return None
        fields = self._fields.get(resource.name)
        params: dict[str, Any] = {
            **source.params,
            "fields": rendered(merged(tree(resource.keys), fields or {}) or {}),
        }
        limit = MAX_SAMPLE if fields else 1
        if isinstance(source, Search):
            params |= {"limit": limit, "offset": 0}
        answer = self._client.get(source.path, params, billing=source.billing)
        rows = answer.data if isinstance(answer.data, list) else [answer.data]
        rows = [row for row in rows if isinstance(row, dict)]
        total = answer.total
        if total is None and (not isinstance(source, Search) or 1 < len(rows) < limit):
            total = len(rows)
        return _Sample(rows, total)


@dataclass(frozen=True)
class _Sample:
    """Rows of a resource, and how many it has in all."""

    rows: list[Any]
    total: int | None

    @property
    def is_whole(self) -> bool:
        return self.total is not None and len(self.rows) >= self.total

    def values(self, paths: Sequence[str], skip_if: Sequence[str] = ()) -> set[tuple[Any, ...]]:
        """Their different values at some paths, without nulls."""
        return {
            values
            for row in self.rows
            if not any(row.get(name) for name in skip_if)
            for values in itertools.product(*(values_at(row, path) for path in paths))
            if None not in values
        }
