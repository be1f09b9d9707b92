"""Sessions, e-mail credentials and lockouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.values import Row, moment, pick, slug

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

# ------------------------------------------------------------------------------ ways to get inside


def user_sessions(instance: Collections) -> dict[str, list[Row]]:
    """The open sessions of each user who has any."""
    return {
        user["id"]: [
            _session(number, count, user)
            for count in range(0 if number % 3 == 2 else 1 + number % 2)
        ]
        for number, user in enumerate(instance.users)
        if not user["is_disabled"]
    }


def _session(number: int, count: int, user: Row) -> Row:
    at_home = number % 4 == 1
    return {
        "can": {},
        "id": str(number * 2 + count + 1),
        "ip_address": f"203.0.113.{number % 200 + 1}",
        "browser": pick(("Chrome", "Firefox", None), number + count),
        "operating_system": pick(("Windows", "Mac", None), number + count),
        "city": "Zürich" if at_home else None,
        "state": "ZH" if at_home else None,
        "country": "Switzerland" if at_home else None,
        "credentials_type": "saml" if user["credentials_saml"] else "email",
        "extended_at": moment(505, number) if count else None,
        "extended_count": count,
        "sudo_user_id": None,
        "created_at": moment(504, number),
        "expires_at": moment(534, number),
        "url": f"{user['url']}/sessions/{number * 2 + count + 1}",
    }


def credentials_email(instance: Collections) -> list[Row]:
    """The credentials with e-mail address and password."""
    return [user["credentials_email"] for user in instance.users if user["credentials_email"]]


def user_login_lockouts(instance: Collections) -> list[Row]:
    """Lockouts after too many wrong passwords; one is for an unknown user."""
    users = [user for user in instance.users if user["email"]][2::9][:5]
    rows = [_lockout(number, user) for number, user in enumerate(users)]
    stranger = {"id": None, "display_name": "", "email": "nobody@elsewhere.example"}
    return [*rows, _lockout(len(users), stranger)]


def _lockout(number: int, user: Row) -> Row:
    return {
        "can": {"destroy": True},
        "key": slug("lockout", number),
        "auth_type": pick(("email", "api"), number),
        "ip": f"198.51.100.{number + 1}",
        "user_id": user["id"],
        "remote_id": None,
        "full_name": user["display_name"],
        "email": user["email"],
        "fail_count": 5 + number,
        "lockout_at": moment(506, number * 17),
    }
