# ruff: noqa: SIM905 - a list of words reads best as words
"""Users and their credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.values import API, Row, can, moment, pick, slug

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

FIRST_NAMES = (
    "Ada Björn Chloé Dmitri Ebru Fatoumata Grace Hiroshi Inés Jörg Kwame Łukasz Mai Noor Oisín "
    "Priya Quỳnh Rosa Søren Tamás Uma Väinö 雯 Ximena يوسف Zoë🌵 Aarav Δήμητρα"
).split()
LAST_NAMES = (
    "Okafor Lindqvist Dubois Sokolov Şahin Traoré Hopper 田中 García Müller Mensah Wiśniewski "
    "Nguyễn Haddad O'Brien Raman Trần Ferreira Kjær Szabó Patel Korhonen 李 Morales Demir"
).split()
NO_CREDENTIALS = (
    "credentials_google",
    "credentials_ldap",
    "credentials_looker_openid",
    "credentials_oidc",
    "credentials_saml",
    "credentials_totp",
    "credentials_workforce",
)


def user(number: int, instance: Collections) -> Row:
    """A user; some are disabled, embedded, nameless or service accounts."""
    identifier = str(number + 1 + number // 7)  # some users were deleted long ago
    api_key = number == 0
    nameless = number == 4
    embedded = number == 5 or (number > 20 and number % 17 == 5)
    service = number == 6
    federated = number % 7 == 2
    first = "" if nameless else pick(FIRST_NAMES, number * 5)
    last = "" if nameless else pick(LAST_NAMES, number * 3 + number // 25)
    email = None if embedded or service else f"user{identifier}@greenhouse.example"
    url = f"{API}/users/{identifier}"
    disabled = number % 9 == 3
    roles = ["2"] if api_key else [pick(instance.roles, number % 3 + 1)["id"]]
    groups = {"1", pick(instance.groups, number)["id"], pick(instance.groups, number // 2)["id"]}
    return {
        "can": can(number, "show_details", "index_details", "sudo"),
        "avatar_url": f"https://avatars.greenhouse.example/{slug('avatar', number)}?s=156&d=blank",
        "avatar_url_without_sizing": (
            f"https://avatars.greenhouse.example/{slug('avatar', number)}?d=blank"
        ),
        "credentials_api3": [_api3(number, url)] if api_key or number % 6 == 1 else [],
        "credentials_email": None if federated or not email else _email(number, email, url),
        "credentials_embed": [_embed(number, url)] if embedded else [],
        **dict.fromkeys(NO_CREDENTIALS),
        **(_federated(number, email, url) if federated and email else {}),
        **({"credentials_totp": _totp(number, url)} if number % 11 == 7 else {}),
        "display_name": f"{first} {last}".strip(),
        "email": email,
        "embed_group_space_id": None,
        "first_name": first,
        "group_ids": [] if nameless else sorted(groups, key=int),
        "home_folder_id": "1",
        "id": identifier,
        "is_disabled": disabled,
        "last_name": last,
        "locale": pick(("en", "de_DE", "fr_FR", "ja_JP"), number),
        "looker_versions": ["26.22.9"] if number % 3 == 0 else [],
        "models_dir_validated": False,
        "personal_folder_id": None,
        "presumed_looker_employee": False,
        "role_ids": [] if nameless or disabled else roles,
        "sessions": [],
        "ui_state": {"homepageTab": "recent"} if number % 4 == 1 else None,
        "verified_looker_employee": False,
        "roles_externally_managed": federated,
        "allow_direct_roles": True,
        "allow_normal_group_membership": True,
        "allow_roles_from_normal_groups": True,
        "embed_group_folder_id": None,
        "is_iam_admin": False,
        "can_manage_api3_creds": api_key,
        "is_service_account": service,
        "service_account_name": "nightly-export" if service else None,
        "url": url,
    }


def _email(number: int, email: str, user_url: str) -> Row:
    secret = slug("password reset", number)
    return {
        "can": {"show_password_reset_url": True},
        "created_at": moment(number),
        "email": email,
        "forced_password_reset_at_next_login": False,
        "user_id": user_url.rpartition("/")[2],
        "is_disabled": number % 9 == 3,
        "logged_in_at": "" if number % 5 == 1 else moment(400, number * 977),
        "password_reset_url": (
            f"https://greenhouse.looker.example/password/reset/SECRET-{secret}"
            if number % 2
            else None
        ),
        "account_setup_url": f"https://greenhouse.looker.example/account/setup/SECRET-{secret}",
        "password_reset_url_expired": number % 4 == 1,
        "account_setup_url_expired": True,
        "type": "email",
        "url": f"{user_url}/credentials_email",
        "user_url": user_url,
    }


def _api3(number: int, user_url: str) -> Row:
    return {
        "can": {"show_client_secret": True},
        "id": str(number + 1),
        "client_id": slug("api key", number)[:20],
        "created_at": moment(number, 60),
        "is_disabled": False,
        "type": "api3",
        "purpose": "",
        "url": f"{user_url}/credentials_api3/{number + 1}",
    }


def _embed(number: int, user_url: str) -> Row:
    return {
        "can": {},
        "created_at": moment(number, 120),
        "external_group_id": "retailers",
        "external_user_id": f"retailer-{number}",
        "id": str(number + 1),
        "is_disabled": False,
        "logged_in_at": "",
        "type": "embed",
        "url": f"{user_url}/credentials_embed/{number + 1}",
    }


_EXTERNAL = {
    "saml": "saml_user_id",
    "google": "google_user_id",
    "ldap": "ldap_id",
    "oidc": "oidc_user_id",
    "looker_openid": "logged_in_ip",
}
"""Ways to log in that others check, and what Looker knows of the login there."""


def _federated(number: int, email: str, user_url: str) -> Row:
    kind = pick(tuple(_EXTERNAL), number // 7)
    known = f"198.51.100.{number % 250}" if kind == "looker_openid" else f"greenhouse|{number}"
    return {
        f"credentials_{kind}": {
            "can": {},
            "created_at": moment(number, 180),
            "email": email,
            "is_disabled": False,
            "logged_in_at": moment(410, number * 613),
            _EXTERNAL[kind]: known,
            "type": kind,
            "url": f"{user_url}/credentials_{kind}",
        }
    }


def _totp(number: int, user_url: str) -> Row:
    return {
        "can": {},
        "created_at": moment(number, 240),
        "is_disabled": False,
        "type": "totp",
        "verified": number % 2 == 1,
        "url": f"{user_url}/credentials_totp",
    }


def public_user(user: Row) -> Row:
    """The public properties of a user (component UserPublic)."""
    names = ("id", "first_name", "last_name", "display_name", "avatar_url", "url")
    return {"can": {"show": True}, **{name: user[name] for name in names}}
