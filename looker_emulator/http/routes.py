# ruff: noqa: SIM905 - a list of words reads best as words
"""The table of read endpoints: which rows of the instance each of them answers with.

An endpoint is data. Where rows come from is one of four functions; what all lists share
(filters, sorts, paging, `fields`) is the business of `listing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from looker_emulator.instance.content.dashboards import DASHBOARD_BASE

if TYPE_CHECKING:
    from collections.abc import Callable

    from looker_emulator.instance import Instance
    from looker_emulator.instance.values import Row

    # Rows, or None where the path names something that does not exist.
    Rows = list[Row] | None
    Source = Callable[[Instance, dict[str, str]], Rows]


@dataclass(frozen=True)
class Route:
    """One GET operation of API 4.0."""

    path: str
    rows: Source
    #: One object instead of a list.
    one: bool = False
    #: Takes limit and offset; takes sorts.
    paged: bool = False
    sorts: bool = False
    #: The collection whose trash is left out of the list.
    trash: str | None = None
    #: Query parameters that narrow the list; others are ignored. Where `deleted` is one of them,
    #: `deleted=true` shows the trash and nothing else.
    filters: tuple[str, ...] = ()
    #: Query parameters that `rows` looks at; they come after those of the path.
    reads: tuple[str, ...] = ()
    #: Query parameters that must be there.
    needs: tuple[str, ...] = ()
    #: Top-level properties: only these are shown, or these are not.
    shows: frozenset[str] = frozenset()
    hides: frozenset[str] = frozenset()

    def shown(self, row: Row) -> Row:
        """The row with the properties that this operation knows."""
        if self.shows:
            return {name: row[name] for name in row if name in self.shows}
        if self.hides:
            return {name: row[name] for name in row if name not in self.hides}
        return row


def every(collection: str) -> Source:
    """All rows of a collection."""
    return lambda instance, _: getattr(instance, collection)


def named(collection: str, *keys: str) -> Source:
    """The row whose key is the path's parameter."""

    def rows(instance: Instance, params: dict[str, str]) -> Rows:
        (wanted,) = params.values()
        found = [
            row
            for row in getattr(instance, collection)
            if any(row[key] == wanted for key in keys or ("id",))
        ]
        return found or None

    return rows


def below(parents: str, collection: str, key: str) -> Source:
    """The rows of a collection that point with `key` to the row the path names."""
    parent = named(parents, "id")

    def rows(instance: Instance, params: dict[str, str]) -> Rows:
        owner = parent(instance, params)
        if owner is None:
            return None
        trash = instance.trash(collection)
        return [
            row
            for row in getattr(instance, collection)
            if row[key] == owner[0]["id"] and row["id"] not in trash
        ]

    return rows


def inside(parents: str, prop: str) -> Source:
    """The rows nested in the row the path names."""
    parent = named(parents, "id", "slug")

    def rows(instance: Instance, params: dict[str, str]) -> Rows:
        owner = parent(instance, params)
        return None if owner is None else owner[0][prop]

    return rows


DERIVED: dict[str, Callable[[Row], Any]] = {
    "embed_user": lambda row: bool(row["credentials_embed"]),
    "full_name": lambda row: f"{row['first_name']} {row['last_name']}",
    "group_id": lambda row: row["group_ids"],
    "model_set_ids": lambda row: [row["model_set"]["id"]],
    "permission_set_ids": lambda row: [row["permission_set"]["id"]],
}
"""Filters that are no properties of the row under the same name."""


def filter_value(row: Row, name: str) -> Any:
    """What a row has to say to a filter."""
    return DERIVED[name](row) if name in DERIVED else row.get(name)


_USER_FILTERS = (
    "id first_name last_name full_name email is_disabled embed_user verified_looker_employee "
    "group_id can_manage_api3_creds is_service_account"
).split()
_GROUP_FILTERS = ("id", "name", "external_group_id", "externally_managed")
_FOLDER_FILTERS = ("id", "name", "parent_id", "creator_id", "is_shared_root", "is_users_root")
_CONTENT_FILTERS = (
    "id title description content_favorite_id folder_id user_id view_count last_viewed_at"
).split()
_SET_FILTERS = ("id", "name", "all_access", "built_in")
_WITH_HIERARCHY = ("parent_group_ids", "role_ids")
_IN_FOLDER = frozenset({"dashboards", "looks"})
_OF_DETAILED_LOOK = frozenset({"query", "url"})


def _search(path: str, collection: str, filters: Any = (), **options: Any) -> Route:
    return Route(path, every(collection), paged=True, sorts=True, filters=tuple(filters), **options)


ROUTES = (
    Route("/user", every("me"), one=True),
    Route("/session", every("session"), one=True),
    Route("/versions", every("versions"), one=True),
    # People
    _search("/users", "users"),
    _search("/users/search", "users", _USER_FILTERS),
    Route("/users/{user_id}", named("users"), one=True),
    _search("/groups", "groups", hides=frozenset({*_WITH_HIERARCHY, "roles"})),
    _search(
        "/groups/search", "groups", _GROUP_FILTERS, hides=frozenset({*_WITH_HIERARCHY, "roles"})
    ),
    _search(
        "/groups/search/with_roles", "groups", _GROUP_FILTERS, hides=frozenset(_WITH_HIERARCHY)
    ),
    _search("/groups/search/with_hierarchy", "groups", _GROUP_FILTERS, hides=frozenset({"roles"})),
    Route(
        "/groups/{group_id}",
        named("groups"),
        one=True,
        hides=frozenset({*_WITH_HIERARCHY, "roles"}),
    ),
    Route("/roles", every("roles")),
    _search("/roles/search", "roles", ("id", "name", "model_set_ids", "permission_set_ids")),
    Route("/roles/{role_id}", named("roles"), one=True),
    Route("/permission_sets", every("permission_sets")),
    _search("/permission_sets/search", "permission_sets", _SET_FILTERS),
    Route("/permission_sets/{permission_set_id}", named("permission_sets"), one=True),
    Route("/model_sets", every("model_sets")),
    _search("/model_sets/search", "model_sets", _SET_FILTERS),
    Route("/model_sets/{model_set_id}", named("model_sets"), one=True),
    # Folders
    Route("/folders", every("folders"), hides=_IN_FOLDER),
    _search("/folders/search", "folders", _FOLDER_FILTERS),
    Route("/folders/{folder_id}", named("folders"), one=True),
    Route(
        "/folders/{folder_id}/children",
        below("folders", "folders", "parent_id"),
        paged=True,
        sorts=True,
    ),
    Route("/folders/{folder_id}/looks", below("folders", "looks", "folder_id")),
    Route("/folders/{folder_id}/dashboards", below("folders", "all_dashboards", "folder_id")),
    # Looks
    Route("/looks", every("looks"), trash="looks", hides=_OF_DETAILED_LOOK),
    _search(
        "/looks/search",
        "looks",
        (*_CONTENT_FILTERS, "query_id", "deleted"),
        trash="looks",
        hides=_OF_DETAILED_LOOK,
    ),
    Route("/looks/{look_id}", named("looks"), one=True),
    # Dashboards
    Route(
        "/dashboards",
        every("all_dashboards"),
        trash="dashboards",
        shows=frozenset(DASHBOARD_BASE),
    ),
    _search(
        "/dashboards/search",
        "dashboards",
        (*_CONTENT_FILTERS, "slug", "content_metadata_id", "deleted"),
        trash="dashboards",
    ),
    _search(
        "/dashboards/lookml/search",
        "lookml_dashboards",
        ("folder_id", "title", "content_favorite_id"),
    ),
    Route("/dashboards/{dashboard_id}", named("all_dashboards", "id", "slug"), one=True),
    Route(
        "/dashboards/{dashboard_id}/dashboard_elements",
        inside("all_dashboards", "dashboard_elements"),
    ),
    Route(
        "/dashboards/{dashboard_id}/dashboard_filters",
        inside("all_dashboards", "dashboard_filters"),
    ),
    Route(
        "/dashboards/{dashboard_id}/dashboard_layouts",
        inside("all_dashboards", "dashboard_layouts"),
    ),
    _search(
        "/dashboard_elements/search",
        "dashboard_elements",
        ("dashboard_id", "look_id", "title", "deleted"),
        trash="dashboard_elements",
    ),
    Route("/dashboard_elements/{dashboard_element_id}", named("dashboard_elements"), one=True),
    # Queries and LookML
    Route("/queries/{query_id}", named("queries"), one=True),
    Route("/queries/slug/{slug}", named("queries", "slug"), one=True),
    Route("/merge_queries/{merge_query_id}", named("merge_queries"), one=True),
    Route("/lookml_models", every("lookml_models"), paged=True),
    Route("/lookml_models/{lookml_model_name}", named("lookml_models", "name"), one=True),
)


class Router:
    """Finds the route of a path; a path without parameters goes before one with."""

    def __init__(self, routes: tuple[Route, ...] = ROUTES) -> None:
        self._plain = {route.path: route for route in routes if "{" not in route.path}
        self._patterns = [(route, route.path.split("/")) for route in routes if "{" in route.path]

    def find(self, path: str, segments: list[str]) -> tuple[Route, dict[str, str]] | None:
        """The route and the parameters in it; `segments` are decoded one by one."""
        if path in self._plain:
            return self._plain[path], {}
        for route, pattern in self._patterns:
            if len(pattern) == len(segments) and all(
                expected == given or expected.startswith("{")
                for expected, given in zip(pattern, segments, strict=True)
            ):
                return route, {
                    name[1:-1]: value
                    for name, value in zip(pattern, segments, strict=True)
                    if name.startswith("{")
                }
        return None
