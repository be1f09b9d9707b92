"""Answers before they are sent, and errors in Looker's shapes."""

from __future__ import annotations

import asyncio
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

DOCS = "https://cloud.google.com/looker/docs"
JSON, HTML = "application/json", "text/html;charset=utf-8"
_WORTH_COMPRESSING = 1024


@dataclass
class Answer:
    """A status, headers and a body."""

    status: int = 200
    body: bytes = b""
    media_type: str | None = JSON
    headers: dict[str, str] = field(default_factory=dict)

    @cached_property
    def compressed(self) -> bytes:
        """The body as a gzip stream."""
        packer = zlib.compressobj(1, wbits=31)
        return packer.compress(self.body) + packer.flush()

    def packed(self, accept_encoding: str) -> tuple[dict[str, str], bytes]:
        """Headers and body for a client that accepts these encodings."""
        headers = dict(self.headers)
        if self.media_type:
            headers["content-type"] = self.media_type
        body = self.body
        if len(body) > _WORTH_COMPRESSING and "gzip" in accept_encoding:
            headers["content-encoding"] = "gzip"
            headers["vary"] = "Accept-Encoding"
            body = self.compressed
        if self.status not in (204, 304):
            headers["content-length"] = str(len(body))
        return headers, body


class Stream:
    """An answer whose body is made while it is sent, in its own thread.

    Args:
        pieces: The body.
        media_type: Its content type.
        ended: Called when the body has ended or is no longer wanted.
    """

    status = 200

    def __init__(
        self, pieces: Iterator[bytes], media_type: str, *ended: Callable[[], Any] | None
    ) -> None:
        self.media_type = media_type
        self._pieces = pieces
        self._ended = [end for end in ended if end]
        self._thread = ThreadPoolExecutor(1, "looker-emulator-query")

    async def read(self, accept_encoding: str) -> AsyncIterator[bytes]:
        """The body piece by piece; the next piece is made while one is sent."""
        packer = zlib.compressobj(1, wbits=31) if "gzip" in accept_encoding else None

        def piece() -> bytes | None:
            part = next(self._pieces, None)
            if part is None:
                # Before the client learns that this was all and sends its next request.
                self.close()
            if part is None or packer is None:
                return part
            # Flushed, so that the client can read everything that was sent.
            return packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH)

        loop = asyncio.get_running_loop()
        coming = loop.run_in_executor(self._thread, piece)
        try:
            while (part := await coming) is not None:
                coming = loop.run_in_executor(self._thread, piece)
                yield part
            if packer:
                yield packer.flush()
        finally:
            self._thread.submit(self.close)
            self._thread.shutdown(wait=False)

    def whole(self) -> Answer:
        """The answer with all of its body."""
        try:
            return Answer(self.status, b"".join(self._pieces), self.media_type)
        finally:
            self.close()

    def close(self) -> None:
        """Release what the body needs."""
        ended, self._ended = self._ended, []
        for end in ended:
            end()


class Instead(Exception):  # noqa: N818 - an answer, not an error
    """Raised where an operation answers with something other than rows."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def json(value: Any, status: int = 200, **headers: str) -> Answer:
    """Any value as JSON."""
    return Answer(status, msgspec.json.encode(value), headers=headers)


def html(title: str, status: int = 200) -> Answer:
    """A page for people; Looker and proxies in front of it send such pages to machines, too."""
    page = (
        f"<!DOCTYPE html>\n<html><head><title>{title}</title></head>"
        f"<body><h1>{title}</h1></body></html>\n"
    )
    return Answer(status, page.encode(), HTML)


def error(status: int, message: str, method: str = "", template: str = "") -> Answer:
    """Component Error. Its documentation URL names the operation."""
    url = f"{DOCS}/"
    if template:
        operation = template.replace("{", ":").replace("}", "")
        url = f"{DOCS}/r/err/4.0/{status}/{method.lower()}{operation}"
    return json({"message": message, "documentation_url": url}, status)


def invalid(message: str, fields: Mapping[str, str]) -> Answer:
    """Component ValidationError: which fields of a body are wrong, and why."""
    errors = [
        {
            "field": name,
            "code": "missing_field" if text == "is not present" else "invalid",
            "message": text,
            "documentation_url": f"{DOCS}/",
        }
        for name, text in fields.items()
    ]
    return json({"message": message, "errors": errors, "documentation_url": f"{DOCS}/"}, 422)


def unauthorized() -> Answer:
    """A token that is missing, unknown or expired."""
    return error(401, "Requires authentication.")


MESSAGES = {
    400: "Bad Request",
    403: "You do not have access.  Please contact an administrator",
    404: "Not found",
    409: "The resource already exists.",
    422: "Validation Failed",
    429: "Too Many Requests",
    500: "An error has occurred.",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
