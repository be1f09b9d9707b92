"""The address of an instance."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from urllib.parse import urlsplit

_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?", re.IGNORECASE)


def api_host(url: str) -> str:
    """The address of an instance, from what people paste.

    A path, a query, a trailing slash and spaces around are cut off: the API sits at the root of
    its host, and a doubled slash is a 403 there.

    Returns:
        Scheme, host and port, as in ``https://company.looker.com:19999``.

    Raises:
        ValueError: It is no address that an API key can be sent to.
    """
    example = "https://company.cloud.looker.com"
    text = url.strip()
    if "://" not in text:
        raise ValueError(f"must start with https://, as in {example}")
    try:
        parts = urlsplit(text)
        port = parts.port
        host = "" if port == 0 else parts.hostname or ""  # nothing listens at 0
    except ValueError:
        raise ValueError(f"is not an address, as {example} is") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or password")
    scheme = parts.scheme.lower()
    if "[" in parts.netloc:
        try:
            host = f"[{ipaddress.IPv6Address(host)}]"
        except ValueError:
            raise ValueError(f"is not an address, as {example} is") from None
    else:
        try:
            host = unicodedata.normalize("NFKC", host).encode("idna").decode()
        except UnicodeError:
            host = ""
        if not _HOST.fullmatch(host):
            raise ValueError(f"is not an address, as {example} is")
    if scheme == "http" and not _is_loopback(host):
        raise ValueError("must start with https://: an API key is not sent unencrypted")
    if scheme not in ("http", "https"):
        raise ValueError(f"must start with https://, as in {example}")
    return f"{scheme}://{host}" + (f":{port}" if port else "")


def has_more(url: str) -> bool:
    """Whether an address has a path or a query, which :func:`api_host` cuts off."""
    parts = urlsplit(url.strip())
    return bool(parts.path.strip("/") or parts.query or parts.fragment)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
