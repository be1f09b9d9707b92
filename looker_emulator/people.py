# ruff: noqa: SIM905 - a list of words reads best as words
"""Users, groups, roles, permission sets and model sets: who may do what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.values import API, Row, can, moment, pick, slug

if TYPE_CHECKING:
    from looker_emulator.instance import Instance, Size

FIRST_NAMES = (
    "Ada Björn Chloé Dmitri Ebru Fatoumata Grace Hiroshi Inés Jörg Kwame Łukasz Mai Noor Oisín "
    "Priya Quỳnh Rosa Søren Tamás Uma Väinö 雯 Ximena يوسف Zoë🌵 Aarav Δήμητρα"
).split()
LAST_NAMES = (
    "Okafor Lindqvist Dubois Sokolov Şahin Traoré Hopper 田中 García Müller Mensah Wiśniewski "
    "Nguyễn Haddad O'Brien Raman Trần Ferreira Kjær Szabó Patel Korhonen 李 Morales Demir"
).split()
TEAMS = (
    "Finance Merchandising Logistics Marketing Stores Support Produkt-Größen Data Wholesale Returns"
).split()

PERMISSIONS = (
    "access_data see_lookml_dashboards see_looks see_user_dashboards explore "
    "create_table_calculations save_content download_with_limit schedule_look_emails "
    "create_alerts follow_alerts send_to_integration see_sql see_lookml develop deploy "
    "use_sql_runner clear_cache_refresh manage_spaces manage_models see_queries see_logs "
    "see_users sudo see_schedules see_pdts see_datagroups see_system_activity administer"
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


def add_people(instance: Instance, size: Size) -> None:
    """Fill in users, groups, roles and their sets; the LookML models must be there."""
    instance.permission_sets = _permission_sets()
    instance.model_sets = _model_sets([model["name"] for model in instance.lookml_models])
    instance.roles = _roles(instance, size.roles)
    instance.groups = _groups(instance, size.groups)
    instance.users = [_user(number, instance) for number in range(size.users)]
    for group in instance.groups:
        group["user_count"] = sum(group["id"] in user["group_ids"] for user in instance.users)


def _permission_sets() -> list[Row]:
    names = {
        "Admin": PERMISSIONS,
        "Developer": PERMISSIONS[:17],
        "User": PERMISSIONS[:10],
        "Viewer": PERMISSIONS[:4],
        "Förderer & Partner": ["see_looks", "see_user_dashboards"],
    }
    return [
        {
            "built_in": name == "Admin",
            "id": str(number),
            "all_access": name == "Admin",
            "name": name,
            "permissions": list(permissions),
            "url": f"{API}/permission_sets/{number}",
            "can": can(number, "update"),
        }
        for number, (name, permissions) in enumerate(names.items(), 1)
    ]


def _model_sets(models: list[str]) -> list[Row]:
    members = {"All": models} | {name.title(): [name] for name in models[:8]}
    return [
        {
            "built_in": name == "All",
            "id": str(number),
            "all_access": name == "All",
            "models": list(allowed),
            "name": name,
            "url": f"{API}/model_sets/{number}",
            "can": can(number, "update"),
        }
        for number, (name, allowed) in enumerate(members.items(), 1)
    ]


def _roles(instance: Instance, count: int) -> list[Row]:
    names = ["Admin", "Developer", "User", "Viewer", "Partner"]
    names += [
        f"{pick(TEAMS, number)} analyst {number // len(TEAMS) + 1}" for number in range(count)
    ]
    return [
        {
            # "1" is gone, as on any instance that has lived for a while.
            "id": str(number + 2),
            "name": names[number],
            "permission_set": instance.permission_sets[min(number, 4)],
            "model_set": pick(instance.model_sets, 0 if number < 2 else number),
            "internal": False,
            "url": f"{API}/roles/{number + 2}",
            "users_url": f"{API}/roles/{number + 2}/users",
            "can": can(number, "update"),
        }
        for number in range(count)
    ]


def _groups(instance: Instance, count: int) -> list[Row]:
    groups: list[Row] = []
    for number in range(count):
        team = pick(TEAMS, number - 1)
        roles = [] if number % 4 == 3 else [pick(instance.roles, number + 2)]
        # The first group holds everybody; the others hang below each other, one has two parents.
        parents = sorted({(number - 1) // 2, number // 3} - {0, number}) if number > 3 else []
        groups.append(
            {
                "can_add_to_content_metadata": number > 0,
                "external_group_id": f"okta-{team.lower()}" if number % 5 == 2 else None,
                "id": str(number + 1),
                "name": f"{team} {number // len(TEAMS) or ''}".strip() if number else "All Users",
                "user_count": 0,
                "externally_managed": number % 5 == 2,
                "include_by_default": number == 0,
                "contains_current_user": number == 0,
                "can": can(number, "create", "update", "delete", "edit_in_ui"),
                "parent_group_ids": [str(parent + 1) for parent in parents],
                "role_ids": [role["id"] for role in roles],
                "roles": roles,
            }
        )
    return groups


def _user(number: int, instance: Instance) -> Row:
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
        **({"credentials_saml": _saml(number, email, url)} if federated and email else {}),
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
        "looker_versions": ["26.12.14"] if number % 3 == 0 else [],
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


def _saml(number: int, email: str, user_url: str) -> Row:
    return {
        "can": {},
        "created_at": moment(number, 180),
        "email": email,
        "is_disabled": False,
        "logged_in_at": moment(410, number * 613),
        "saml_user_id": f"greenhouse|{number}",
        "type": "saml",
        "url": f"{user_url}/credentials_saml",
    }
