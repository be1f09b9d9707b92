"""Faults below HTTP: connections that are reset, bodies that end early, silence.

`Connection` gives the application access to uvicorn's transport, so that it can send what no
proper server would.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from looker_emulator.http.answers import Answer, Stream
    from looker_emulator.http.faults import Fault

    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

# Time for the data to reach the client before the reset does.
_HEAD_START = 0.02


class Connection(H11Protocol):
    """uvicorn's HTTP/1.1 protocol, with the transport as `scope["emulator.transport"]`."""

    def connection_made(self, transport: Any) -> None:
        """Wrap the application so that it sees the transport."""
        super().connection_made(transport)
        # Headers and body are written separately: without this, each answer takes 40 ms longer.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        served = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope["emulator.transport"] = transport
            await served(scope, receive, send)

        self.app = app


async def gone(receive: Receive) -> None:
    """Wait until the client disconnects or the server stops."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def wait(seconds: float, receive: Receive) -> None:
    """Wait, but only as long as the client does."""
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(gone(receive), seconds)


async def send_answer(
    send: Send,
    status: int,
    headers: dict[str, str],
    *pieces: bytes,
    pause: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Send an answer normally, in one piece or in several with pauses between them."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.encode(), text.encode("latin-1")) for name, text in headers.items()],
        }
    )
    for position, piece in enumerate(pieces, 1):
        more = position < len(pieces)
        await send({"type": "http.response.body", "body": piece, "more_body": more})
        if more and pause:
            await pause()


async def send_stream(send: Send, receive: Receive, stream: Stream, accept_encoding: str) -> None:
    """Send a body while it is made, as long as the client reads it."""
    headers = [(b"content-type", stream.media_type.encode())]
    if "gzip" in accept_encoding:
        headers += [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
    await send({"type": "http.response.start", "status": stream.status, "headers": headers})
    left = asyncio.ensure_future(gone(receive))
    try:
        async with contextlib.aclosing(stream.read(accept_encoding)) as pieces:
            async for piece in pieces:
                if left.done():
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        left.cancel()


async def misbehave(fault: Fault, answer: Answer, scope: Any, receive: Receive, send: Send) -> None:
    """Send the answer as the fault demands."""
    if fault.kind == "bad_gzip":
        await _send_bad_gzip(fault, answer, send)
    elif fault.kind == "drip":
        await _drip(fault, answer, receive, send)
    else:
        await _break_off(fault, answer, scope["emulator.transport"])
        await gone(receive)


async def _send_bad_gzip(fault: Fault, answer: Answer, send: Send) -> None:
    stream = answer.compressed
    middle = len(stream) // 2
    # Some clients accept a stream that just ends, but none can read a corrupt one.
    rest = b"" if fault["truncated"] else bytes(byte ^ 0xFF for byte in stream[middle:])
    stream = stream[:middle] + rest
    headers = _plain(answer) | {"content-encoding": "gzip", "content-length": str(len(stream))}
    await send_answer(send, answer.status, headers, stream)


async def _drip(fault: Fault, answer: Answer, receive: Receive, send: Send) -> None:
    headers, body = answer.packed("")
    step = max(len(body) // fault["pieces"], 1)
    pieces = [body[start : start + step] for start in range(0, len(body), step)] or [b""]

    async def pause() -> None:
        await wait(fault["seconds"] / len(pieces), receive)

    await send_answer(send, answer.status, headers, *pieces, pause=pause)


async def _break_off(fault: Fault, answer: Answer, transport: Any) -> None:
    headers = _plain(answer)
    if fault.kind == "truncate_chunked":
        headers["connection"] = "close"
        del headers["content-length"]
    head = _head(answer.status, headers)
    if fault.kind == "reset_headers":
        transport.write(head[: len(head) // 2])
    elif fault.kind != "reset_before":
        transport.write(head + answer.body[: int(len(answer.body) * fault["sent"])])
    if fault.kind in ("truncate_length", "truncate_chunked"):
        transport.close()
        return
    await asyncio.sleep(_HEAD_START)
    # Without lingering, the kernel sends a reset instead of closing in order.
    transport.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    transport.abort()


def _plain(answer: Answer) -> dict[str, str]:
    """The headers without compression, because some clients accept half a gzip stream."""
    headers, _ = answer.packed("")
    # An answer without a body has to announce one before it can be cut off.
    return headers | {"content-length": str(len(answer.body) or 64)}


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {text}" for name, text in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
