"""The HTTP session of a run: what goes with every request, and what this machine adds to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING

import requests
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping


CONNECT_TIMEOUT = 30.0  # seconds
OWN_HEADERS = frozenset(
    (
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "host",
        "transfer-encoding",
        "user-agent",
    )
)


@dataclass(frozen=True)
class Connection:
    """How the tap presents itself, and whom it trusts.

    Attributes:
        user_agent: Its name.
        headers: That go with every request, for what stands before Looker; their values are secret.
        ca_bundle: File or folder of CA certificates.
        client_certificate: Files of a certificate and of its key.
    """

    user_agent: str = "tap-looker"
    headers: Mapping[str, str] = field(default_factory=dict)
    ca_bundle: str | None = None
    client_certificate: tuple[str, str] | None = None

    @property
    def secrets(self) -> list[str]:
        """The values of the headers, with the scheme and without."""
        return [text for value in self.headers.values() for text in (value, value.split()[-1])]


def checked_headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Headers of the settings, if they can be sent.

    Raises:
        ValueError: What is wrong with them, without a value.
    """
    for name, value in (headers or {}).items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ValueError("the name of a header must be of letters, digits and hyphens")
        if name.lower() in OWN_HEADERS:
            raise ValueError(f"{name} is set by the tap itself")
        if not re.fullmatch(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?", value):
            raise ValueError(f"the value of {name} must be plain ASCII text on one line")
    return dict(headers or {})


def timeouts(seconds: float) -> tuple[float, float]:
    """How long to wait for a connection, and for an answer."""
    return min(CONNECT_TIMEOUT, seconds), seconds


def of(base_url: str, concurrency: int, connection: Connection) -> Session:
    """A session for many threads.

    Args:
        base_url: Of the instance.
        concurrency: How many requests are in flight at once.
        connection: What goes with each.
    """
    session = Session()
    session.mount(base_url, HTTPAdapter(pool_connections=1, pool_maxsize=concurrency + 1))
    session.headers.update(connection.headers)
    session.headers.update({"Accept": "application/json", "User-Agent": connection.user_agent})
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Proxies and CA bundles of the environment are looked up once; its .netrc is not ours to send.
    found = session.merge_environment_settings(
        base_url,
        {},
        stream=True,
        verify=connection.ca_bundle or True,
        cert=connection.client_certificate,
    )
    session.trust_env = False
    session.proxies, session.verify = found["proxies"], found["verify"]
    session.cert = found["cert"]
    return session


class Session(requests.Session):
    """A session that does what it is told, and no more."""

    def bare(self, method: str, url: str, token: str, seconds: float) -> requests.Response:
        """One request with this token, whatever comes of it."""
        return self.request(
            method,
            url,
            headers={"Authorization": f"Bearer {token}"},
            auth=no_auth,
            timeout=timeouts(seconds),
            allow_redirects=False,
        )

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: even one that is not followed would be parsed, and its body read."""


def no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """For requests that carry no token, or one of their own."""
    return request
