"""The ASGI application: it logs calls, applies faults, finds routes and sends answers."""

from __future__ import annotations

import asyncio
import json
import time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from looker_emulator.http import answers, wire
from looker_emulator.http.answers import Answer, Instead, Stream
from looker_emulator.http.control import control
from looker_emulator.http.faults import ON_THE_WIRE, WRONG_SHAPES, Fault, Faults
from looker_emulator.http.listing import InvalidParameter
from looker_emulator.http.log import CallLog
from looker_emulator.http.request import API, Looker, Request, body_of, call_of
from looker_emulator.http.routes import ROUTES
from looker_emulator.http.routing import Router
from looker_emulator.queries.errors import Refused

if TYPE_CHECKING:
    from looker_emulator.http.request import Call
    from looker_emulator.http.routing import Route

    Found = tuple[Route, dict[str, str]] | None

_CACHE_BYTES = 256 * 2**20
_WITHOUT_PREFIX = ("/versions", "/api/logout")
"""Paths that are also served outside of `/api/4.0`."""


class Server:
    """The API of one instance."""

    def __init__(self, looker: Looker) -> None:
        self.looker = looker
        self.faults = Faults()
        self.log = CallLog()
        #: Answers are cached as long as nobody can have changed the content.
        self._keeps_answers = True
        self._kept: dict[tuple[bytes, bytes], Answer] = {}
        self._kept_bytes = 0
        self._router = Router(ROUTES)
        self._control = control(self.faults, self.log, looker.tokens)

    def forget_answers(self) -> None:
        """Stop caching answers, because the content may change at any time."""
        self._keeps_answers = False
        self._kept.clear()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Record a request, and serve it."""
        if scope["path"].startswith("/_emulator"):
            await self._control(scope, receive, send)
            return
        call = call_of(scope, await body_of(receive))
        limit = self.looker.options.in_flight_limit
        if limit is not None and self.log.in_flight >= limit:
            await self._turn_away(call, send)
            return
        with self.log.recorded(call):
            await self._serve(call, scope, receive, send)

    async def _turn_away(self, call: Call, send: Any) -> None:
        self.log.calls.append(call)
        answer = answers.error(429, "Too Many Requests", call.method, call.path)
        if self.looker.options.in_flight_retry_after is not None:
            answer.headers["retry-after"] = str(self.looker.options.in_flight_retry_after)
        call.status = answer.status
        call.ended = time.monotonic()
        await wire.send_answer(send, answer.status, *answer.packed(""))

    async def _serve(self, call: Call, scope: Any, receive: Any, send: Any) -> None:
        options = self.looker.options
        login = call.path == "/login"
        seconds = (options.login_latency_ms if login else options.latency_ms) / 1000
        fault, extra = None, 0.0
        if self.faults:
            in_flight = self.log.in_flight
            fault, extra = self.faults.meeting(call.method, call.path, call.body, in_flight)
        if seconds + extra:
            await asyncio.sleep(seconds + extra)
        if fault and fault.kind == "silence":
            call.status = 0
            await wire.gone(receive)
            return
        if fault and fault.kind == "slow":
            await wire.wait(fault["seconds"], receive)
        found = self._find(call)
        answer: Answer | Stream | None = self._instead(fault, found) if fault else None
        if answer is None:
            answer = await self._answer(call, scope, fault, found)
        accepted = call.headers.get("accept-encoding", "")
        call.status = answer.status
        if fault and fault.kind in ON_THE_WIRE:
            if fault.kind in ("reset_before", "reset_headers"):
                call.status = 0
            if isinstance(answer, Stream):
                answer = await asyncio.to_thread(answer.whole)
            await wire.misbehave(fault, answer, scope, receive, send)
            return
        if isinstance(answer, Stream):
            await wire.send_stream(send, receive, answer, accepted)
            return
        headers, body = answer.packed(accepted)
        # Set now and again when everything is sent, because a client may look in between.
        call.ended = time.monotonic()
        await wire.send_answer(send, answer.status, headers, body)

    def _find(self, call: Call) -> Found:
        if not _is_api(call):
            return None
        segments = [unquote(part) for part in call.raw_path.removeprefix(API).split("/")]
        return self._router.find(call.method, call.path, segments)

    # ------------------------------------------------------------------------------ the answer

    def _instead(self, fault: Fault, found: Found) -> Answer | None:
        """The answer that some faults give instead of the normal one."""
        if fault.kind == "status":
            return _status(fault)
        if fault.kind == "busy":
            details = {name: fault[name] for name in ("status", "retry_after")}
            return _status(Fault("status", **details))
        if fault.kind == "denied":
            return answers.error(fault["status"], fault["message"])
        if fault.kind in ("unauthorized", "revoke"):
            if fault.kind == "revoke":
                self.looker.tokens.revoke_all()
            return answers.unauthorized()
        if fault.kind == "html":
            page = answers.html("Please wait while we check your browser")
            return Answer(200, fault["body"].encode(), page.media_type) if fault["body"] else page
        if fault.kind == "redirect":
            return Answer(fault["status"], b"", None, {"location": fault["location"]})
        if fault.kind == "looker_error" and not (found and found[0].in_thread):
            return answers.json([{"looker_error": fault["message"]}])
        if fault.kind == "wrong_shape":
            return answers.json(WRONG_SHAPES[fault["shape"]])
        return None

    async def _answer(
        self, call: Call, scope: Any, fault: Fault | None, found: Found
    ) -> Answer | Stream:
        """The normal answer."""
        if not _is_api(call):
            return _outside_api(call)
        public = found is not None and found[0].public
        if not public and not self.looker.tokens.valid(call.token):
            return answers.unauthorized()
        if found is None or (found[0].deniable and self._lacks(call)):
            return answers.error(404, "Not found", call.method, call.path)
        route, params = found
        if route.deniable and call.path.startswith(tuple(self.looker.options.denied)):
            return answers.error(404, "Not found", call.method, route.path)
        request = Request(call, params, fault, self.looker)
        if route.in_thread:
            return await asyncio.to_thread(self._handled, route, request)
        if not (route.cached and fault is None and self._keeps_answers):
            return self._handled(route, request)
        key = (scope["raw_path"], scope["query_string"])
        if key not in self._kept:
            answer = self._handled(route, request)
            if answer.status != 200:
                return answer
            self._keep(key, answer)
        return self._kept[key]

    def _lacks(self, call: Call) -> bool:
        return any(fnmatchcase(call.path, glob) for glob in self.looker.options.missing)

    def _handled(self, route: Route, request: Request) -> Any:
        try:
            return _readable(route.handler(request), request.fault)
        except Instead as instead:
            return instead.answer
        except InvalidParameter as invalid:
            return answers.error(400, f"Bad Request: {invalid}", route.method, route.path)
        except Refused as refused:
            status, message = refused.status, refused.message
            if refused.fields:
                status = self.looker.options.refused_fields_status
                if status == 422:
                    return answers.invalid(message, refused.fields)
                message = "; ".join(refused.fields.values())
            return answers.error(status, message, route.method, route.path)

    def _keep(self, key: tuple[bytes, bytes], answer: Answer) -> None:
        if self._kept_bytes > _CACHE_BYTES:
            self._kept.clear()
            self._kept_bytes = 0
        self._kept[key] = answer
        self._kept_bytes += len(answer.body)


def _readable(answer: Any, fault: Fault | None) -> Any:
    """The answer, or an error where it holds a row that cannot be rendered."""
    if fault is None or fault.kind != "unreadable_rows":
        return answer
    rows = json.loads(answer.body)
    is_broken = any(row["id"] in fault["ids"] for row in rows)
    return answers.error(500, answers.MESSAGES[500]) if is_broken else answer


def _is_api(call: Call) -> bool:
    raw = call.raw_path
    return "//" not in raw and (raw.startswith(f"{API}/") or raw in _WITHOUT_PREFIX)


def _status(fault: Fault) -> Answer:
    status = fault["status"]
    if fault["html"] is not None:
        answer = Answer(status, fault["html"].encode(), answers.HTML)
    elif fault["json"] is not None:
        answer = answers.json(fault["json"], status)
    else:
        answer = answers.error(status, answers.MESSAGES.get(status, "An error has occurred."))
    answer.headers.update(fault["headers"] or {})
    if fault["retry_after"] is not None:
        answer.headers["retry-after"] = str(fault["retry_after"])
    return answer


def _outside_api(call: Call) -> Answer:
    """Answers for paths outside of the API, where the web interface is."""
    if (call.method, call.raw_path) == ("GET", "/alive"):
        return Answer(media_type="text/plain")
    if (call.method, call.raw_path) == ("GET", "/login"):
        return answers.html("Log in to Looker")
    if call.method != "GET" or "//" in call.raw_path:
        return answers.html("Forbidden", 403)
    return answers.html("Looker Not Found (404)", 404)
