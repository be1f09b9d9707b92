"""What the user of an API key is permitted to do, and whether that is to see every row."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from tap_looker.errors import LookerError, RequestError
from tap_looker.looker.response import segment
from tap_looker.looker.threads import Cancelled
from tap_looker.resources.fields import tree
from tap_looker.resources.rest_streams import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_looker.looker.client import LookerClient
    from tap_looker.looker.response import Row
    from tap_looker.resources.extraction import Extraction


def permissions_of(client: LookerClient, me: dict[str, Any]) -> set[str] | None:
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
        return permissions_of(extraction.client, me)
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
    except (LookerError, Cancelled):
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
