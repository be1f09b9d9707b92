"""Requests, as the log keeps them and as handlers see them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import msgspec

from looker_emulator.queries.errors import Refused

if TYPE_CHECKING:
    from looker_emulator.http.faults import Fault
    from looker_emulator.http.tokens import Tokens
    from looker_emulator.instance.collections import Collections
    from looker_emulator.instance.values import Row
    from looker_emulator.options import Options
    from looker_emulator.queries.engine import QueryEngine

API = "/api/4.0"


@dataclass
class Call:
    """One request and how it was answered.

    `path` is below `/api/4.0` and decoded; `raw_path` is what was sent. `status` is None until
    the request is answered, and 0 if a fault leaves it without an answer.
    """

    method: str
    path: str
    raw_path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str
    token: str | None
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    status: int | None = None


@dataclass(frozen=True)
class Looker:
    """What handlers work on."""

    instance: Collections
    engine: QueryEngine
    options: Options
    tokens: Tokens
    client_id: str
    client_secret: str


@dataclass(frozen=True)
class Request:
    """What a handler gets: the call, its path parameters, and the fault that affects it."""

    call: Call
    params: dict[str, str]
    fault: Fault | None
    looker: Looker

    @property
    def instance(self) -> Collections:
        """The instance."""
        return self.looker.instance

    @property
    def query(self) -> dict[str, str]:
        """The query parameters."""
        return self.call.query

    def json(self) -> Row:
        """The body, which must be a JSON object."""
        try:
            return msgspec.json.decode(self.call.body or "{}", type=dict[str, Any])
        except msgspec.DecodeError:
            raise Refused(400, "Bad Request") from None


def call_of(scope: Any, body: bytes) -> Call:
    """The call that an ASGI scope describes."""
    headers = {name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]}
    raw_path = scope["raw_path"].decode("latin-1")
    path = unquote(raw_path)
    for prefix in (API, "/api"):
        if path.startswith(f"{prefix}/"):
            path = path.removeprefix(prefix)
            break
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return Call(
        method=scope["method"],
        path=path,
        raw_path=raw_path,
        query=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        headers=headers,
        body=body.decode("utf-8", "replace"),
        token=token if scheme.lower() in ("bearer", "token") and token else None,
    )


async def body_of(receive: Any) -> bytes:
    """The whole body of a request."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)
