"""`python -m looker_emulator`: an instance that runs until it is interrupted."""

from __future__ import annotations

import argparse
import signal
import threading
from datetime import UTC, datetime

from looker_emulator.emulator import CLIENT_ID, CLIENT_SECRET, Emulator
from looker_emulator.instance import SIZES


def main() -> None:
    """Serve, print the address and the credentials, and wait for a signal."""
    parser = argparse.ArgumentParser("python -m looker_emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free port")
    parser.add_argument(
        "--scale", type=_scale, default="small", help=f"{', '.join(SIZES)} or a factor"
    )
    parser.add_argument(
        "--latency-ms", type=float, default=0, help="added to every request except login"
    )
    parser.add_argument(
        "--in-flight-limit", type=int, help="answer 429 above this many concurrent requests"
    )
    parser.add_argument("--in-flight-retry-after", type=int, help="seconds, in those answers")
    parser.add_argument("--activity-rows", type=int, help="rows of history in System Activity")
    parser.add_argument(
        "--role",
        default="",
        help="role of the API key's user, such as Viewer or Developer; by default an admin",
    )
    parser.add_argument(
        "--deny",
        action="append",
        default=[],
        metavar="PATH",
        help="what the API key may not read, such as /roles; can be repeated",
    )
    parser.add_argument("--client-id", default=CLIENT_ID)
    parser.add_argument("--client-secret", default=CLIENT_SECRET)
    parser.add_argument("--quiet", action="store_true", help="print only the address")
    arguments = parser.parse_args()

    interrupted = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
    try:
        emulator = Emulator(
            arguments.scale,
            port=arguments.port,
            latency_ms=arguments.latency_ms,
            in_flight_limit=arguments.in_flight_limit,
            in_flight_retry_after=arguments.in_flight_retry_after,
            activity_rows=arguments.activity_rows,
            now=datetime.now(UTC).replace(microsecond=0),
            role=arguments.role,
            denied=tuple(arguments.deny),
            client_id=arguments.client_id,
            client_secret=arguments.client_secret,
        )
    except ValueError as error:
        parser.error(str(error))
    with emulator:
        print(f"Looker emulator at {emulator.url}", flush=True)
        if not arguments.quiet:
            print(f"client_id: {emulator.client_id}")
            print(f"client_secret: {emulator.client_secret}", flush=True)
        interrupted.wait()


def _scale(text: str) -> str | float:
    if text in SIZES:
        return text
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a number nor one of {', '.join(SIZES)}"
        ) from None


if __name__ == "__main__":
    main()
