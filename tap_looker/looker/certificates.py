"""Files of certificates, checked before they are used: TLS itself does not say what is wrong."""

from __future__ import annotations

import os
import re
import ssl
from pathlib import Path

ENVIRONMENT = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name a bundle where the settings do not."""


def check_bundle(path: str) -> None:
    """Check a file or folder of CA certificates.

    Raises:
        ValueError: What is wrong with it.
    """
    if Path(path).is_dir():
        if not any(re.fullmatch(r"[0-9a-f]{8}\.\d+", file.name) for file in Path(path).iterdir()):
            raise ValueError(
                f"the folder {path} holds no certificates named by their hashes: run openssl "
                "rehash on it"
            )
        return
    content = _certificates(path)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        which = "a certificate" if content.count(b"-----BEGIN") > 1 else "the certificate"
        raise ValueError(f"{which} in {path} is damaged") from None


def check_environment() -> list[str]:
    """What is wrong with the bundle that the environment names, where the settings name none."""
    name = next((name for name in ENVIRONMENT if os.environ.get(name)), None)
    if name is None:
        return []
    try:
        check_bundle(os.environ[name])
    except ValueError as error:
        return [f"Environment variable {name}: {error}."]
    return []


def check_client(certificate: str, key: str) -> None:
    """Check the files of a client certificate and of its private key.

    Raises:
        ValueError: What is wrong with them.
    """
    _certificates(certificate)
    content = _read(key)
    if b"PRIVATE KEY-----" not in content:
        more = ": give its file as client_cert_key" if key == certificate else ""
        raise ValueError(f"{key} holds no private key in PEM{more}")
    if b"ENCRYPTED" in content:
        raise ValueError(f"the private key in {key} is encrypted: store it without a password")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        if "MISMATCH" in str(error):
            message = f"the key in {key} is not that of the certificate in {certificate}"
        else:
            message = f"the certificate in {certificate} or the key in {key} is damaged"
        raise ValueError(message) from None


def _certificates(path: str) -> bytes:
    content = _read(path)
    if re.search(rb"-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----", content):
        return content
    if b"PRIVATE KEY-----" in content:
        raise ValueError(f"{path} holds a private key and no certificate")
    if not content.strip():
        raise ValueError(f"{path} is empty")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=content)
    except (ssl.SSLError, ValueError):
        raise ValueError(
            f"{path} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"
        ) from None
    raise ValueError(
        f"{path} is in DER, not PEM: convert it with openssl x509 -inform der -in {path} -out "
        "ca.pem"
    )


def _read(path: str) -> bytes:
    if not Path(path).exists():
        raise ValueError(f"there is no file or folder {path}")
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
