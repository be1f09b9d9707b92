"""What an API key may read, and what a run would cost, told in a handful of calls before any run.

The caller's own roles and permission sets say most of it (operations ``me`` and ``user_roles``).
Only where a key may not see these, each kind of permission is tried on one small request.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tap_looker.errors import RequestError
from tap_looker.looker.response import segment
from tap_looker.queries.system_activity import ACTIVITIES
from tap_looker.resources.fields import rendered, tree
from tap_looker.resources.kinds import Endpoint, Search
from tap_looker.resources.resource import is_older
from tap_looker.resources.table import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from tap_looker.looker.client import LookerClient
    from tap_looker.resources.resource import Resource

ALL, PART, NONE, UNKNOWN = "all", "part", "none", "unknown"
ACTIVITY_NEEDS = ("see_system_activity", "administer")
COUNTED = ("users", "groups", "folders", "looks", "dashboards", "dashboard_elements")
"""What may be larger than a page or has streams with one call for each: worth a call to count."""


@dataclass(frozen=True)
class StreamAccess:
    """What a key gets of one stream.

    Attributes:
        stream: Its name.
        selected: It is in the run.
        access: ``all``, ``part``, ``none`` or ``unknown``.
        note: What of it, or what is missing.
        calls: How many calls it costs, besides what others ask for anyway; None if not known.
        billing: How Looker bills them.
    """

    stream: str
    selected: bool
    access: str
    note: str
    calls: int | None
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
        calls: Of a run of the selected streams, by billing; at the least.
        is_estimate: Some of them could not be counted.
    """

    user: str
    is_admin: bool
    permissions: list[str] | None
    streams: list[StreamAccess]
    ask_for: list[str]
    calls: dict[str, int]
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
    counts = _Counts(client, wanted, page_size, include_deleted=include_deleted)
    streams = []
    for name, needs, without in _all_streams():
        access, note = _access(needs, without, permissions, is_admin=is_admin, tried=tried)
        calls: int | None = 0
        billing = "db_query"
        if name in BY_NAME:
            resource = BY_NAME[name]
            if name in wanted and resource.since and is_older(client.release, resource.since):
                access = UNKNOWN
                note = f"documented from release {resource.since} on, this is {client.release}"
            billing = resource.source.billing
            if name in wanted and access != NONE:
                calls = resource.source.estimate_calls(counts, resource)
        elif name in selected and access != NONE:
            calls = None
        streams.append(StreamAccess(name, name in selected, access, note, calls, billing))
    ask_for = {
        needs[0]: None
        for (name, needs, _), stream in zip(_all_streams(), streams, strict=True)
        if stream.selected and needs and stream.access in (NONE, PART) and not is_admin
    }
    total: dict[str, int] = {}
    for stream in streams:
        total[stream.billing] = total.get(stream.billing, 0) + (stream.calls or 0)
    total.pop("none", None)
    return Report(
        user=f"{me.get('display_name') or 'user'} ({me.get('id')})",
        is_admin=is_admin,
        permissions=sorted(permissions) if permissions is not None else None,
        streams=streams,
        ask_for=list(ask_for),
        calls=total,
        is_estimate=any(stream.calls is None for stream in streams),
    )


def as_dict(found: Report) -> dict[str, Any]:
    """The report for machines."""
    return asdict(found)


def as_text(found: Report) -> str:
    """The report for people."""
    width = max(len(stream.stream) for stream in found.streams)
    lines = [f"The key belongs to {found.user}{', an admin' if found.is_admin else ''}.", ""]
    for stream in found.streams:
        mark = "*" if stream.selected else " "
        cost = "" if stream.calls == 0 and not stream.selected else _counted(stream.calls, "call")
        line = f"{mark} {stream.stream:{width}}  {stream.access:7}  {cost:>10}  {stream.note}"
        lines.append(line.rstrip())
    lines += ["", "* is selected."]
    if found.ask_for:
        asked = ", ".join(found.ask_for).replace("administer", "the Admin role")
        lines.append(f"To read all that is selected, ask the Looker admin for: {asked}.")
    costs = [
        _counted(found.calls[billing], what)
        for billing, what in (("non_query", "admin call"), ("db_query", "query call"))
        if billing in found.calls
    ]
    more = ", and more where it says ?" if found.is_estimate else ""
    lines.append(f"A run of what is selected costs about {', '.join(costs)}, 1 login{more}.")
    return "\n".join(lines)


def _counted(number: int | None, what: str) -> str:
    if number is None:
        return f"? {what}s"
    return f"{number} {what}{'' if number == 1 else 's'}"


def _all_streams() -> Iterator[tuple[str, tuple[str, ...], str]]:
    rows: list[tuple[str, tuple[str, ...], str]] = [
        (resource.name, resource.access.permissions, resource.access.otherwise)
        for resource in BY_NAME.values()
    ]
    rows += [(activity.name, ACTIVITY_NEEDS, "") for activity in ACTIVITIES]
    yield from sorted(rows)


def _permissions(client: LookerClient, me: dict[str, Any]) -> set[str] | None:
    """What the user's roles permit; None where Looker does not show that."""
    try:
        roles = client.get_list(f"/users/{segment(me.get('id'))}/roles", {}, ("id",))
    except RequestError:
        return None
    found: set[str] = set()
    for role in roles:
        permission_set = role.get("permission_set")
        if not isinstance(permission_set, dict):
            return None
        if permission_set.get("all_access"):
            found.add("administer")
        found.update(str(one) for one in permission_set.get("permissions") or [])
    return found


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
    needs: tuple[str, ...],
    without: str,
    permissions: set[str] | None,
    *,
    is_admin: bool,
    tried: dict[tuple[str, ...], bool],
) -> tuple[str, str]:
    if is_admin:
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


class _Counts:
    """How many rows there are, asked once where it is worth a call."""

    def __init__(
        self,
        client: LookerClient,
        selected: Collection[str],
        page_size: int,
        *,
        include_deleted: bool,
    ) -> None:
        self.page_size = page_size
        self.include_deleted = include_deleted
        self._client = client
        self._known: dict[str, int | None] = {}
        sources = [BY_NAME[name].source for name in selected if name in BY_NAME]
        self._parents = {
            source.parent.resource
            for source in sources
            if isinstance(source, Endpoint) and source.parent
        }

    def of(self, name: str) -> int | None:
        """The rows of a resource; None where one call does not tell."""
        if name not in self._known:
            self._known[name] = self._count(BY_NAME[name])
        return self._known[name]

    def items(self, parent: str, paths: Iterable[str]) -> int | None:
        """The rows of a resource, or the items of the lists in them that paths lead through."""
        lists = [path for path in paths if "." in path]
        if not lists:
            return self.of(parent)
        resource = BY_NAME[parent]
        try:
            fields = rendered(tree([*resource.keys, *lists]))
            rows = self._client.get_list(resource.source.path, {"fields": fields}, ())
        except RequestError:
            return None
        self._known[parent] = len(rows)
        head = lists[0].partition(".")[0]
        return sum(len(row.get(head) or []) for row in rows)

    def _count(self, resource: Resource) -> int | None:
        source = resource.source
        if not isinstance(source, Endpoint) or source.parent:
            return None
        is_search = isinstance(source, Search)
        if resource.name not in self._parents and not (is_search and resource.name in COUNTED):
            return 1
        limit = {"limit": 1, "offset": 0} if is_search else {}
        try:
            answer = self._client.get(source.path, {**limit, "fields": ",".join(resource.keys)})
        except RequestError:
            return None
        if is_search:
            return answer.total
        return len(answer.data) if isinstance(answer.data, list) else 1
