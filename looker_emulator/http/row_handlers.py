"""Answers that are rows of the instance, and the functions that find those rows.

What all lists share (filters, sorts, pages, `fields`) is in `listing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from looker_emulator.http import answers
from looker_emulator.http.answers import Answer, Instead
from looker_emulator.http.faults import altered
from looker_emulator.http.listing import (
    InvalidParameter,
    Page,
    boolean,
    matching,
    ordered,
    parse_fields,
    project,
)
from looker_emulator.http.request import API, Request
from looker_emulator.instance import preview
from looker_emulator.instance.access.user_attributes import attribute_values
from looker_emulator.instance.lookml import derived_tables as derived
from looker_emulator.instance.lookml import model_explores
from looker_emulator.instance.values import Row
from looker_emulator.queries.errors import Refused
from looker_emulator.queries.explores import explore_metadata

#: The rows for a request, or None where its path names something that does not exist.
Source = Callable[[Request], list[Row] | None]


@dataclass(frozen=True)
class Rows:
    """A handler that answers with rows."""

    source: Source
    #: One object instead of a list.
    one: bool = False
    #: Takes limit and offset; takes sorts.
    paged: bool = False
    sorts: bool = False
    #: Looker's API document gives it no limit, but instances take one.
    undocumented_limit: bool = False
    #: The largest limit that it takes, where there is one.
    largest_page: int | None = None
    #: The collection whose trash is left out of the list.
    trash: str | None = None
    #: Query parameters that narrow the list; others are ignored. Where `deleted` is one of them,
    #: `deleted=true` shows the trash and nothing else.
    filters: tuple[str, ...] = ()
    #: Query parameters that are required.
    needs: tuple[str, ...] = ()
    #: Top-level properties: only these are shown, or these are not.
    shows: frozenset[str] = frozenset()
    hides: frozenset[str] = frozenset()

    def __call__(self, request: Request) -> Answer:
        """Answer a request."""
        for name in self.needs:
            if not request.query.get(name):
                raise InvalidParameter(f"{name} is required")
        rows = self.source(request)
        if rows is None:
            raise Refused(404, "Not found")
        headers: dict[str, str] = {}
        if not self.one:
            rows, headers = self._listed(request, rows)
        fields = parse_fields(request.query["fields"]) if request.query.get("fields") else None
        unknown = {*(fields or ())} - {*self._shown(rows[0])} if rows else set()
        if request.looker.options.strict_fields and unknown:
            raise InvalidParameter(f"fields has unknown names: {', '.join(sorted(unknown))}")
        value: Any = [project(self._shown(row), fields) for row in rows]
        value = altered(value, request.fault)
        return answers.json(value[0] if self.one else value, **headers)

    def _listed(self, request: Request, rows: list[Row]) -> tuple[list[Row], dict[str, str]]:
        query = request.query
        if self.trash:
            deleted = "deleted" in self.filters and flag(request, "deleted")
            trash = request.instance.trash(self.trash)
            rows = [row for row in rows if (row["id"] in trash) is deleted]
        options = request.looker.options
        wanted = {
            name: query[name].partition(",")[0] if name in options.single_filters else query[name]
            for name in self.filters
            if query.get(name) and name not in ("deleted", *options.ignored_filters)
        }
        rows = matching(rows, wanted, value_of=_filtered, either=flag(request, "filter_or"))
        if self.sorts and query.get("sorts"):
            rows = ordered(rows, query["sorts"])
        return self._page(request, rows)

    def _page(self, request: Request, rows: list[Row]) -> tuple[list[Row], dict[str, str]]:
        query, options, fault = request.query, request.looker.options, request.fault
        limited = options.honour_limit_on_elements or not self.undocumented_limit
        page = Page.of(query) if self.paged and limited else Page()
        if self.largest_page and (page.limit or 0) > self.largest_page:
            raise InvalidParameter(f"limit must be at most {self.largest_page}")
        headers = {}
        if options.total_count_header:
            size = min(page.limit, options.page_cap or page.limit) if page.limit else page.limit
            path = API + quote(request.call.path)
            headers = page._replace(limit=size).headers(path, query, len(rows))
            if options.link_alone:
                headers.pop("x-total-count", None)
        if options.ignore_offset or (fault and fault.kind == "repeat_page"):
            page = page._replace(offset=0)
        return page.cut(rows, options.page_cap), headers

    def _shown(self, row: Row) -> Row:
        if self.shows:
            return {name: row[name] for name in row if name in self.shows}
        if self.hides:
            return {name: row[name] for name in row if name not in self.hides}
        return row


_DERIVED: dict[str, Callable[[Row], Any]] = {
    "embed_user": lambda row: bool(row["credentials_embed"]),
    "full_name": lambda row: f"{row['first_name']} {row['last_name']}",
    "group_id": lambda row: row["group_ids"],
    "model_set_ids": lambda row: [row["model_set"]["id"]],
    "permission_set_ids": lambda row: [row["permission_set"]["id"]],
}
"""Filters whose value is not a property of the row."""


def _filtered(row: Row, name: str) -> Any:
    return _DERIVED[name](row) if name in _DERIVED and name not in row else row.get(name)


def flag(request: Request, name: str) -> bool:
    """A boolean parameter, false by default."""
    return boolean(name, request.query.get(name) or "false")


# ------------------------------------------------------------------------------ sources in general


def every(collection: str) -> Source:
    """All rows of a collection."""
    return lambda request: getattr(request.instance, collection)


def named(collection: str, *keys: str) -> Source:
    """The row that the path names by its id or by another key."""

    def source(request: Request) -> list[Row] | None:
        (wanted,) = request.params.values()
        found = [
            row
            for row in getattr(request.instance, collection)
            if any(row[key] == wanted for key in keys or ("id",))
        ]
        return found or None

    return source


def of(parents: str, rows_of: Callable[[Request, Row], list[Row] | None], *keys: str) -> Source:
    """What a function finds for the row that the path names."""
    parent = named(parents, *keys)

    def source(request: Request) -> list[Row] | None:
        owner = parent(request)
        return None if owner is None else rows_of(request, owner[0])

    return source


def below(parents: str, collection: str, key: str) -> Source:
    """The rows of a collection whose `key` refers to the row that the path names."""

    def rows_of(request: Request, owner: Row) -> list[Row]:
        trash = request.instance.trash(collection)
        return [
            row
            for row in getattr(request.instance, collection)
            if row[key] == owner["id"] and row["id"] not in trash
        ]

    return of(parents, rows_of)


def inside(parents: str, prop: str, *keys: str) -> Source:
    """The rows nested in the row that the path names."""
    return of(parents, lambda _, owner: owner[prop], *keys)


def kept(parents: str, collection: str) -> Source:
    """The entry of a dictionary of the instance for the row that the path names."""
    return of(
        parents, lambda request, owner: getattr(request.instance, collection).get(owner["id"])
    )


# ----------------------------------------------------------------------- sources of single paths


def alerts(request: Request) -> list[Row]:
    """The alerts of the API key's user, or all of them."""
    rows = request.instance.alerts
    return rows if flag(request, "all_owners") else _own(request, rows, "owner_id")


def scheduled_plans(request: Request) -> list[Row]:
    """The schedules of the API key's user, or all of them."""
    rows = request.instance.scheduled_plans
    everybody = flag(request, "all_users") or request.query.get("user_id")
    return rows if everybody else _own(request, rows, "user_id")


def _own(request: Request, rows: list[Row], owner: str) -> list[Row]:
    return [row for row in rows if row[owner] == request.instance.me[0]["id"]]


def favorites(request: Request) -> list[Row]:
    """All favorites. Asking for those of a disabled user is an error."""
    wanted = request.query.get("user_id", "").split(",")
    for user in request.instance.users:
        if user["id"] in wanted:
            _fail_if_disabled(user)
    return request.instance.content_favorites


def sessions(request: Request, user: Row) -> list[Row]:
    """The sessions of a user. Asking for those of a disabled user is an error."""
    _fail_if_disabled(user)
    return request.instance.user_sessions[user["id"]]


def _fail_if_disabled(user: Row) -> None:
    if user["is_disabled"]:
        raise Instead(answers.error(500, answers.MESSAGES[500]))


def attribute_values_of(request: Request, user: Row) -> list[Row]:
    """The values of user attributes that a user has."""
    unset = flag(request, "include_unset")
    return attribute_values(request.instance, user, include_unset=unset)


def roles_of(request: Request, user: Row) -> list[Row]:
    """The roles that a user has, directly or through groups."""
    return [role for role in request.instance.roles if _has_role(request, user, role)]


def users_with(request: Request, role: Row) -> list[Row]:
    """The users that have a role, directly or through groups."""
    return [user for user in request.instance.users if _has_role(request, user, role)]


def _has_role(request: Request, user: Row, role: Row) -> bool:
    if role["id"] in user["role_ids"]:
        return True
    return not flag(request, "direct_association_only") and any(
        role["id"] in group["role_ids"]
        for group in request.instance.groups
        if group["id"] in user["group_ids"]
    )


def roles_with_user_count(request: Request) -> list[Row]:
    """All roles, with how many users have each."""
    return [
        {**role, "user_count": len(users_with(request, role))} for role in request.instance.roles
    ]


def groups_in(request: Request, group: Row) -> list[Row]:
    """The groups directly in a group."""
    return [one for one in request.instance.groups if group["id"] in one["parent_group_ids"]]


def ancestors(request: Request, folder: Row) -> list[Row]:
    """The folders around a folder, from the outermost on."""
    folders = {one["id"]: one for one in request.instance.folders}
    found: list[Row] = []
    while folder["parent_id"]:
        folder = folders[folder["parent_id"]]
        found.insert(0, folder)
    return found


def members(request: Request, group: Row) -> list[Row]:
    """The users in a group."""
    return [user for user in request.instance.users if group["id"] in user["group_ids"]]


def groups_with(request: Request, role: Row) -> list[Row]:
    """The groups that have a role."""
    return [group for group in request.instance.groups if role["id"] in group["role_ids"]]


def lookml_models(request: Request) -> list[Row]:
    """The models; System Activity is an internal one."""
    rows = request.instance.lookml_models
    if not request.looker.options.activity_denied and flag(request, "include_internal"):
        return [*rows, request.looker.engine.activity.model]
    return rows


def explore(request: Request) -> list[Row] | None:
    """An explore, whether it can be run or has only metadata."""
    model, name = request.params.values()
    broken, full_name = request.looker.options.broken_explores, f"{model}::{name}"
    if full_name in broken:
        status = broken[full_name] if isinstance(broken, Mapping) else 404
        raise Refused(status, answers.MESSAGES[status])
    found = request.looker.engine.explore(model, name)
    row = (
        explore_metadata(found) if found else model_explores.explore(request.instance, model, name)
    )
    return [row] if row else None


def derived_tables(request: Request) -> list[Row] | None:
    """The graph of the derived tables of a model."""
    return derived.graph(request.instance, request.params["model"])


def validation(request: Request, project: Row) -> list[Row]:
    """The last validation of a project, or 204 if there has been none."""
    if project["id"] not in request.instance.project_validations:
        raise Instead(Answer(204, b"", None))
    return request.instance.project_validations[project["id"]]


def responses(request: Request) -> list[Row] | None:
    """The answers to a message of a conversation, if both are there."""
    identifier, message = request.params.values()
    for conversation in request.instance.conversations:
        if conversation["id"] == identifier and any(
            row["id"] == message for row in conversation["messages"]
        ):
            return preview.responses(conversation, message)
    return None


def artifacts(request: Request) -> list[Row]:
    """The artifacts in a namespace."""
    (namespace,) = request.params.values()
    return [row for row in request.instance.artifacts if row["namespace"] == namespace]
