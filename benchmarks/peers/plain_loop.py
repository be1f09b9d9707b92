"""Download one query's rows and parse them, as plainly as can be: what no extractor can beat.

`plain_loop.py URL CLIENT_ID CLIENT_SECRET QUERY_FILE none|ijson|msgspec` prints a line when the
first row is there, and at last how many there were.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ijson
import msgspec
import requests

if TYPE_CHECKING:
    from collections.abc import Iterator


def main(url: str, client_id: str, client_secret: str, query: str, how: str) -> None:
    """Log in, run the query, and count its rows."""
    session = requests.Session()
    key = {"client_id": client_id, "client_secret": client_secret}
    token = session.post(f"{url}/api/4.0/login", data=key, timeout=60).json()["access_token"]
    response = session.post(
        f"{url}/api/4.0/queries/run/json?apply_formatting=false&cache=false",
        json={**json.loads(Path(query).read_text()), "limit": "-1"},
        headers={"Authorization": f"token {token}"},
        stream=how != "msgspec",
        timeout=3600,
    )
    response.raise_for_status()
    count = 0
    for rows in READ[how](response):
        if rows and not count:
            print('{"type":"RECORD"}', flush=True)
        count += rows
    print(count)


def _none(response: requests.Response) -> Iterator[int]:
    """Rows are lines here: the emulator writes one on each, and no line break behind the last."""
    for chunk in response.iter_content(1 << 16):
        yield chunk.count(b"\n")
    yield 1


def _ijson(response: requests.Response) -> Iterator[int]:
    response.raw.decode_content = True
    for _ in ijson.items(response.raw, "item"):
        yield 1


def _msgspec(response: requests.Response) -> Iterator[int]:
    yield len(msgspec.json.decode(response.content))


READ: dict[str, Any] = {"none": _none, "ijson": _ijson, "msgspec": _msgspec}

if __name__ == "__main__":
    main(*sys.argv[1:])
