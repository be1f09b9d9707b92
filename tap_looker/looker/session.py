"""The HTTP session of a run: what goes with every request, and what this machine adds to it."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy

import requests
from requests.adapters import HTTPAdapter


def of(base_url: str, concurrency: int, user_agent: str, ca_bundle: str | None) -> requests.Session:
    """A session for many threads.

    Args:
        base_url: Of the instance.
        concurrency: How many requests are in flight at once.
        user_agent: How the tap names itself.
        ca_bundle: File or folder of CA certificates.
    """
    session = _Session()
    session.mount(base_url, HTTPAdapter(pool_connections=1, pool_maxsize=concurrency + 1))
    session.headers.update({"Accept": "application/json", "User-Agent": user_agent})
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Proxies and CA bundles of the environment are looked up once; its .netrc is not ours to send.
    found = session.merge_environment_settings(
        base_url, {}, stream=True, verify=ca_bundle or True, cert=None
    )
    session.trust_env = False
    session.proxies, session.verify = found["proxies"], found["verify"]
    return session


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: even one that is not followed would be parsed, and its body read."""


def no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """For requests that carry no token, or one of their own."""
    return request
