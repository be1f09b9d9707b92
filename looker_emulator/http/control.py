"""Faults and calls over HTTP, for emulators that run in another process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from looker_emulator.http.faults import Fault

if TYPE_CHECKING:
    from starlette.requests import Request

    from looker_emulator.http.faults import Faults
    from looker_emulator.http.log import CallLog
    from looker_emulator.http.tokens import Tokens


def control(faults: Faults, log: CallLog, tokens: Tokens) -> Starlette:
    """The application below `/_emulator`."""

    async def add_faults(request: Request) -> Response:
        try:
            wanted = msgspec.json.decode(await request.body(), type=list[dict[str, Any]])
            faults.add(*[Fault(**details) for details in wanted])
        except (msgspec.DecodeError, TypeError, ValueError) as problem:
            return Response(str(problem), 422)
        return Response(status_code=204)

    async def list_faults(_: Request) -> Response:
        return _as_json([{**vars(fault)} for fault in faults])

    async def clear_faults(_: Request) -> Response:
        faults.clear()
        return Response(status_code=204)

    async def list_calls(_: Request) -> Response:
        return _as_json(log.calls)

    async def reset_calls(_: Request) -> Response:
        log.reset()
        return Response(status_code=204)

    async def revoke(_: Request) -> Response:
        tokens.revoke_all()
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route("/_emulator/faults", add_faults, methods=["POST"]),
            Route("/_emulator/faults", list_faults, methods=["GET"]),
            Route("/_emulator/faults", clear_faults, methods=["DELETE"]),
            Route("/_emulator/calls", list_calls, methods=["GET"]),
            Route("/_emulator/calls", reset_calls, methods=["DELETE"]),
            Route("/_emulator/revoke", revoke, methods=["POST"]),
        ]
    )


def _as_json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
