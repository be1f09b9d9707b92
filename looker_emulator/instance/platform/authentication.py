"""How users log in: sessions, passwords, SAML, OpenID Connect and LDAP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from looker_emulator.instance.values import HOST, Row, moment

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections


def session_config(_: Collections) -> list[Row]:
    """How long users stay logged in."""
    return [
        {
            "can": {"show": True, "update": True},
            "allow_persistent_sessions": True,
            "session_minutes": 43_200,
            "unlimited_sessions_per_user": True,
            "use_inactivity_based_logout": False,
            "track_session_location": True,
        }
    ]


def password_config(_: Collections) -> list[Row]:
    """Rules for passwords."""
    return [
        {
            "can": {"show": True, "update": True},
            "min_length": 12,
            "require_numeric": True,
            "require_upperlower": True,
            "require_special": False,
            "expiration_enabled": False,
            "expiration_duration_days": None,
            "policy_enabled_at": None,
        }
    ]


_HIERARCHY = ("parent_group_ids", "role_ids", "roles")


def _federated(instance: Collections, name: str, **properties: Any) -> Row:
    """The properties that SAML, OpenID Connect and LDAP have in common."""
    return {
        "can": {"show": True, "update": True},
        "alternate_email_login_allowed": True,
        "auth_requires_role": False,
        "default_new_user_groups": [
            {name: group[name] for name in group if name not in _HIERARCHY}
            for group in instance.groups[:1]
        ],
        "default_new_user_roles": instance.roles[-1:],
        "set_roles_from_groups": False,
        "modified_at": moment(300),
        "modified_by": instance.me[0]["display_name"],
        "user_attribute_map_email": "email",
        "user_attribute_map_first_name": "givenName",
        "user_attribute_map_last_name": "sn",
        "allow_normal_group_membership": True,
        "allow_roles_from_normal_groups": True,
        "allow_direct_roles": True,
        "url": f"{HOST}/api/4.0/{name}",
        **properties,
    }


def _mapped(instance: Collections, *, url: str | None) -> Row:
    """Groups and attributes of the identity provider mapped to those of Looker."""
    group = instance.groups[1]
    here: dict[str, list[Row]] = {"groups": [], "user_attributes": []}
    here["groups"].append(
        {
            "id": "1",
            "looker_group_id": group["id"],
            "looker_group_name": group["name"],
            "name": "okta-finance",
            "roles": instance.roles[1:2],
        }
    )
    here["user_attributes"].append(
        {"name": "Region", "required": False, "user_attributes": instance.user_attributes[6:7]}
    )
    if url:
        for rows in here.values():
            rows[0]["url"] = url
    return here


def saml_config(instance: Collections) -> list[Row]:
    """SAML, which this instance uses."""
    url = f"{HOST}/api/4.0/saml_config"
    return [
        _federated(
            instance,
            "saml_config",
            enabled=True,
            idp_cert="MIIC8DCCAdigAwIBAgIQ",
            idp_cert_multi={"signing": ["MIIC8DCCAdigAwIBAgIQ"]},
            multi_certs_supported=True,
            idp_url="https://idp.example/sso/saml",
            idp_issuer="https://idp.example/exk1",
            idp_audience=None,
            allowed_clock_drift=None,
            new_user_migration_types="email",
            test_slug=None,
            groups_attribute="groups",
            **_mapped(instance, url=url),
            groups_with_role_ids=[],
            user_attributes_with_ids=[],
            groups_finder_type="grouped_attribute_values",
            groups_member_value=None,
            bypass_login_page=False,
        )
    ]


def workforce_config(instance: Collections) -> list[Row]:
    """Workforce Identity Federation, which is off."""
    shared = _federated(instance, "workforce_config", **_mapped(instance, url=None))
    unknown = ("alternate_email_login_allowed", *(name for name in shared if "_map_" in name))
    return [
        {name: value for name, value in shared.items() if name not in unknown}
        | {
            "enabled": False,
            "new_user_migration_types": None,
            "test_slug": None,
            "groups_with_role_ids": [],
            "user_attributes_with_ids": [],
            "bypass_login_page": False,
        }
    ]


def oidc_config(instance: Collections) -> list[Row]:
    """OpenID Connect, which is off."""
    return [
        _federated(
            instance,
            "oidc_config",
            enabled=False,
            audience=None,
            authorization_endpoint=None,
            **_mapped(instance, url=None),
            groups_attribute=None,
            groups_with_role_ids=[],
            identifier=None,
            issuer=None,
            new_user_migration_types="",
            scopes=["openid", "email"],
            test_slug=None,
            token_endpoint=None,
            user_attributes_with_ids=[],
            userinfo_endpoint=None,
        )
    ]


def ldap_config(instance: Collections) -> list[Row]:
    """LDAP, which is off and mostly not configured."""
    empty = (
        "auth_username connection_host groups_base_dn groups_finder_type groups_member_attribute "
        "groups_objectclasses groups_user_attribute user_attribute_map_ldap_id user_bind_base_dn "
        "user_custom_filter user_id_attribute_names user_objectclass"
    )
    return [
        _federated(
            instance,
            "ldap_config",
            **dict.fromkeys(empty.split()),
            connection_port="389",
            connection_tls=False,
            connection_tls_no_verify=False,
            enabled=False,
            force_no_page=False,
            groups=[],
            groups_with_role_ids=[],
            has_auth_password=False,
            merge_new_users_by_email=False,
            user_attributes=[],
            user_attributes_with_ids=[],
        )
    ]
