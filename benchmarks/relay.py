"""TLS before the emulator, as Looker has it: `python -m benchmarks.relay PORT KEY CERTIFICATE`.

Some of the programs that are measured speak https only. It passes on bytes and knows nothing of
HTTP.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from contextlib import suppress

CHUNK = 1 << 18


async def main(port: int, key: str, certificate: str) -> None:
    """Serve on loopback, on any free port, until killed."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port, limit=CHUNK)
        await asyncio.gather(_pass(reader, back), _pass(there, writer))

    server = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context, limit=CHUNK)
    print(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    with suppress(OSError):
        writer.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
