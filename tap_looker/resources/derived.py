# ruff: noqa: SIM905 - a list of words reads best as words
"""What is worked out from rows that are read anyway: whole streams, and single columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

from tap_looker.resources.fields import tree, value_at, values_at
from tap_looker.resources.flat import Derived
from tap_looker.resources.resource import Column, Computed
from tap_looker.times import parse_time
from tap_looker.used_fields import dynamic_fields, own_fields, used_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_looker.looker.response import Row
    from tap_looker.resources.flat import Lacks
    from tap_looker.resources.resource import Reading, Resource

# ------------------------------------------------------------------------------- logins of a user

_OF_ALL = ("created_at", "is_disabled")
_LOGIN = (*_OF_ALL, "email", "logged_in_at")
CREDENTIALS: dict[str, tuple[str, ...]] = {
    "email": _LOGIN,
    "google": (*_LOGIN, "google_user_id"),
    "ldap": (*_LOGIN, "ldap_id"),
    "looker_openid": (*_LOGIN, "logged_in_ip"),
    "oidc": (*_LOGIN, "oidc_user_id"),
    "saml": (*_LOGIN, "saml_user_id"),
    "workforce": (*_LOGIN, "workforce_user_id"),
    "totp": (*_OF_ALL, "verified"),
    "embed": (*_OF_ALL, "id", "logged_in_at", "external_user_id", "external_group_id"),
    "api3": (*_OF_ALL, "id"),
}
"""Kinds of credentials of a user, and what is read of each (User of the OpenAPI document)."""
LISTS = ("embed", "api3")
"""Those of which a user may have several."""
_EXTERNAL_IDS = ("google_user_id", "ldap_id", "oidc_user_id", "saml_user_id", "workforce_user_id",
                 "external_user_id")  # fmt: skip
_COPIED = ("email", "external_group_id", "created_at", "logged_in_at", "logged_in_ip",
           "is_disabled", "verified")  # fmt: skip


def _credentials(user: Row, lacks: Lacks) -> Iterator[Row]:
    """A row for each way in; null is the way Looker says that a user has no such credentials.

    Who may not see the credentials of a user gets none of the properties, or no list.
    """
    found = {name: user[name] for name in sorted(user) if name.startswith("credentials_")}
    if not found:
        lacks("credentials")
        return
    for kind in LISTS:
        if not isinstance(found.get(f"credentials_{kind}"), list):
            lacks(f"credentials_{kind}")
    for name, value in found.items():
        kind = name.removeprefix("credentials_")
        for one in value if isinstance(value, list) else [value]:
            if one is not None and not isinstance(one, dict):
                lacks(name, is_absent=False)
            elif one is not None:
                given = one.get("id")
                if given is None and isinstance(value, list) and len(value) > 1:
                    lacks(f"{name}.id", is_absent=False)  # they could not be told apart
                    continue
                yield {
                    "user_id": user.get("id"),
                    "type": kind,
                    "credential_id": user.get("id") if given is None else given,
                    "external_id": _first(one.get(name) for name in _EXTERNAL_IDS),
                    **{name: one.get(name) for name in _COPIED},
                }


def _first(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)


USER_CREDENTIALS = Derived(
    {
        "users": {
            "id": None,
            **{f"credentials_{kind}": tree(names) for kind, names in CREDENTIALS.items()},
        }
    },
    {
        "user_id": Column("Id of the user"),
        "type": Column(
            "Way to log in: email, google, ldap, looker_openid, oidc, saml, workforce, totp, embed "
            "or api3"
        ),
        "credential_id": Column(
            "Id of the credentials; of a type that a user has once only, the id of the user"
        ),
        "email": Column("E-mail address that is used to log in"),
        "external_id": Column("Id of the user in the system that checks the login"),
        "external_group_id": Column("Embedder's id of the group that the user was added to"),
        "created_at": Column("When the credentials were created", format="date-time"),
        "logged_in_at": Column(
            "Last login with these credentials; Looker does not tell it of api3 and totp",
            format="date-time",
        ),
        "logged_in_ip": Column("IP address of the last login, of looker_openid"),
        "is_disabled": Column("Whether the credentials are disabled", "boolean"),
        "verified": Column("Whether the user has verified them, of totp", "boolean"),
    },
    _credentials,
)


def _last_login(user: Row) -> str | None:
    """The latest of the logins that the credentials tell of."""
    times = []
    for kind in CREDENTIALS:
        for value in values_at(user, f"credentials_{kind}.logged_in_at"):
            try:
                times.append(parse_time(value).astimezone(UTC))
            except (AttributeError, TypeError, ValueError, OverflowError):
                continue  # "" where there was none
    return max(times).isoformat() if times else None


LAST_LOGIN = Computed(
    Column("Latest logged_in_at of the user's credentials; API keys have none", format="date-time"),
    tuple(
        f"credentials_{kind}.logged_in_at"
        for kind, names in CREDENTIALS.items()
        if "logged_in_at" in names
    ),
    lambda _: _last_login,
)


def taken(path: str, description: str) -> Computed:
    """A column with what lies deeper in the row."""
    return Computed(Column(description), (path,), lambda _: lambda row: value_at(row, path))


# -------------------------------------------------------------------------------------- folders

_OF_TREE = tree(["id", "parent_id", "name"])


class _Folders:
    """Where each folder is, as far as the key may see it."""

    def __init__(self, reading: Reading) -> None:
        self._known = {
            str(row.get("id")): row for page in reading.read("folders", _OF_TREE, whole=True)
            for row in page
        }  # fmt: skip

    def above(self, folder: Row) -> Iterator[Row]:
        """The folders around a folder, from its parent to the root.

        One that the key may not see ends the way, with its id alone.
        """
        seen = {str(folder.get("id"))}
        parent = folder.get("parent_id")
        while parent is not None and str(parent) not in seen:
            seen.add(str(parent))
            above = self._known.get(str(parent), {"id": parent})
            yield above
            parent = above.get("parent_id")

    def path(self, folder: Row) -> str | None:
        """The names on the way from the root to a folder."""
        if "parent_id" not in folder:
            return None  # wherever it is
        names = [str(one["name"]) for one in (folder, *self.above(folder)) if one.get("name")]
        return "/".join(reversed(names)) or None


def _want_folders(reading: Reading) -> None:
    reading.want("folders", _OF_TREE, trash=False)


FOLDER_PATH = Computed(
    Column("Names of the folders from the root to this one, with / between them"),
    ("id", "parent_id", "name"),
    lambda reading: _Folders(reading).path,
    _want_folders,
)


@dataclass(frozen=True)
class _Ancestors(Derived):
    """Rows of folders can only be made once all folders are known."""

    def plan(self, reading: Reading) -> None:
        super().plan(reading)
        _want_folders(reading)

    def pages(self, reading: Reading, resource: Resource) -> Iterator[list[Row]]:
        folders = _Folders(reading)

        def ancestors(folder: Row, lacks: Lacks) -> Iterator[Row]:
            if "parent_id" not in folder:
                lacks("parent_id")
            for depth, above in enumerate(folders.above(folder), start=1):
                yield {
                    "folder_id": folder.get("id"),
                    "ancestor_id": above["id"],
                    "depth": depth,
                    "folder_name": folder.get("name"),
                    "ancestor_name": above.get("name"),
                }

        yield from Derived.pages(replace(self, make=ancestors), reading, resource)


FOLDER_ANCESTORS = _Ancestors(
    {"folders": _OF_TREE},
    {
        "folder_id": Column("Id of a folder"),
        "ancestor_id": Column("Id of a folder that it is in, directly or not"),
        "depth": Column("How far up: 1 is the parent", "integer"),
        "folder_name": Column("Name of the folder"),
        "ancestor_name": Column("Name of the ancestor; null where the key may not see it"),
    },
    lambda *_: iter(()),
)

# ----------------------------------------------------------------------------- queries of tiles

_OF_TILE = tree(
    "id dashboard_id title query_id look_id merge_result_id query.id look.query_id look.query.id "
    "result_maker.query_id result_maker.query.id result_maker.merge_result_id "
    "result_maker.sql_query_id".split()
)

_SHOW = ("query_id", "query", "look_id", "look", "merge_result_id", "result_maker")
"""What says what a tile shows; all null for a text."""


def _tiles(row: Row, lacks: Lacks) -> Iterator[Row]:
    """What is shown by a tile, or by each tile of a LookML dashboard."""
    if row.get("dashboard_id") is not None:
        if row.keys().isdisjoint(_SHOW):
            lacks("query_id")
        yield from _of_tile(row, row["dashboard_id"])
    elif isinstance(row.get("dashboard_elements"), list):
        for position, tile in enumerate(row["dashboard_elements"]):
            if isinstance(tile, dict):
                if tile.keys().isdisjoint(_SHOW):
                    lacks("dashboard_elements.query_id", is_absent=False)
                given = tile.get("id")
                identified = {**tile, "id": str(position) if given is None else given}
                yield from _of_tile(identified, row.get("id"))
    else:
        lacks("dashboard_id" if "dashboard_id" in row else "dashboard_elements")


def _of_tile(tile: Row, dashboard: Any) -> Iterator[Row]:
    maker = tile.get("result_maker") or {}
    direct = _first([tile.get("query_id"), value_at(tile, "query.id")])
    made = _first([value_at(maker, "query_id"), value_at(maker, "query.id")])
    look = tile.get("look_id")
    of_look = _first([value_at(tile, "look.query_id"), value_at(tile, "look.query.id"), made])
    merge = _first([tile.get("merge_result_id"), value_at(maker, "merge_result_id")])
    sql = value_at(maker, "sql_query_id")
    common = {
        "dashboard_id": dashboard,
        "dashboard_element_id": tile.get("id"),
        "dashboard_element_title": tile.get("title"),
        "deleted": tile.get("deleted"),
    }
    if direct is not None:
        yield {**common, "via": "query", "query_id": direct}
    if look is not None:
        yield {**common, "via": "look", "query_id": of_look, "look_id": look}
    if merge is not None:
        yield {**common, "via": "merge", "merge_query_id": merge}
    if sql is not None:
        yield {**common, "via": "sql", "sql_query_id": sql}
    if made is not None and str(made) != str(direct) and look is None:
        yield {**common, "via": "result_maker", "query_id": made}


DASHBOARD_ELEMENT_QUERIES = Derived(
    {
        "dashboard_elements": {**_OF_TILE, "deleted": None},
        "lookml_dashboards": {"id": None, "dashboard_elements": _OF_TILE},
    },
    {
        "dashboard_id": Column("Id of the dashboard, user-defined or LookML"),
        "dashboard_element_id": Column(
            "Id of the tile; of a LookML dashboard whose tiles have none, its place, from 0"
        ),
        "via": Column("How the tile gets there: query, look, merge, sql or result_maker"),
        "query_id": Column("Id of the query; null where it is a merge or SQL Runner's"),
        "look_id": Column("Id of the look that the tile shows"),
        "merge_query_id": Column("Id of the merged query; merge_query_sources has its queries"),
        "sql_query_id": Column("Id of the query of SQL Runner"),
        "dashboard_element_title": Column("Title of the tile"),
        "deleted": Column("Whether the tile is in the trash", "boolean"),
    },
    _tiles,
    frozenset({"dashboard_elements"}),
)

# ---------------------------------------------------------------------------- fields of a query


def _fields_of(query: Row, lacks: Lacks) -> Iterator[Row]:
    """Every field that a query names, once for each place; null is none."""
    if "fields" not in query:
        lacks("fields")
    if not _is_readable(query):
        lacks("dynamic_fields", is_absent=False)
    custom = own_fields(query)
    for place, name in used_fields(query):
        yield {
            "query_id": query.get("id"),
            "place": place,
            "field": name,
            "view_name": name.partition(".")[0] if "." in name else None,
            "model": query.get("model"),
            "explore": query.get("view"),
            "is_custom": name in custom,
        }


def _is_readable(query: Row) -> bool:
    try:
        dynamic_fields(query.get("dynamic_fields"))
    except ValueError:
        return False
    return True


QUERY_FIELDS = Derived(
    {
        "queries": tree(
            "id model view fields pivots fill_fields subtotals sorts filters filter_expression "
            "dynamic_fields".split()
        )
    },
    {
        "query_id": Column("Id of the query"),
        "place": Column(
            "Where it is named: field, pivot, fill, subtotal, sort, filter, calculation or "
            "custom_field"
        ),
        "field": Column("Name of the field"),
        "view_name": Column("Name of its view in the explore; null if the query defines the field"),
        "model": Column("Model of the query"),
        "explore": Column("Explore of the query"),
        "is_custom": Column("Whether the query itself defines the field", "boolean"),
    },
    _fields_of,
)


def _dynamic_of(query: Row, lacks: Lacks) -> Iterator[Row]:
    if "dynamic_fields" not in query:
        lacks("dynamic_fields", is_absent=False)
    try:
        found = dynamic_fields(query.get("dynamic_fields"))
    except ValueError:
        lacks("dynamic_fields", is_absent=False)
        return
    for name, kind, one in found:
        yield {
            "query_id": query.get("id"),
            "name": name,
            "kind": kind,
            "result_type": one.get("_type_hint"),
            **{column: one.get(column) for column in _OF_DYNAMIC},
        }


_OF_DYNAMIC = {
    "label": Column("Label"),
    "description": Column("Description"),
    "expression": Column("Looker expression"),
    "based_on": Column("Field that a custom measure or dimension is based on"),
    "type": Column("Type of a custom measure, such as sum"),
    "calculation_type": Column("Calculation of Looker's menus, such as group_by or bin"),
    "args": Column("What that calculation takes, as JSON"),
    "filters": Column("Filters of a custom measure, as JSON"),
    "filter_expression": Column("Filter of a custom measure, as Looker expression"),
    "value_format": Column("Format of its values"),
    "value_format_name": Column("Name of the format of its values"),
    "is_disabled": Column("Whether it is turned off", "boolean"),
}

QUERY_DYNAMIC_FIELDS = Derived(
    {"queries": tree(["id", "dynamic_fields"])},
    {
        "query_id": Column("Id of the query"),
        "name": Column("Name, as the query's fields, sorts and expressions use it"),
        "kind": Column("What it is: table_calculation, dimension or measure"),
        "result_type": Column("Type of its values"),
        **_OF_DYNAMIC,
    },
    _dynamic_of,
)
