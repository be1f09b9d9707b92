"""The API over HTTP: login, tokens, routes, the log of calls, and faults in all of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import msgspec
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route as ControlRoute

from looker_emulator import answers, wire
from looker_emulator.answers import Answer, Instead, Stream
from looker_emulator.faults import ON_THE_WIRE, WRONG_SHAPES, Fault, Faults, without_nested
from looker_emulator.listing import (
    InvalidParameter,
    Page,
    boolean,
    matching,
    ordered,
    parse_fields,
    project,
)
from looker_emulator.querying import Querying
from looker_emulator.routes import ROUTES, Route, Router, filter_value
from looker_emulator.tail_routes import EXPLORE
from looker_emulator.tail_routes import ROUTES as TAIL_ROUTES
from looker_emulator.tokens import Tokens

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

    from looker_emulator.instance import Instance

API = "/api/4.0"
_CACHE_BYTES = 256 * 2**20


@dataclass
class Options:
    """What kind of Looker this is. Each field is an option of `Emulator`."""

    latency_ms: float = 0
    login_latency_ms: float = 0
    #: Answer 429 to what comes while so many requests are being served; perhaps with `Retry-After`.
    in_flight_limit: int | None = None
    in_flight_retry_after: int | None = None
    token_lifetime: float = 3600
    #: Send `Link` and `X-Total-Count` where a limit is given.
    total_count_header: bool = True
    #: Of these, send `Link` alone.
    link_alone: bool = False
    #: The official document gives `/dashboard_elements/search` no limit; instances take one.
    honour_limit_on_elements: bool = True
    #: Never more rows in an answer than this, whatever the limit.
    page_cap: int | None = None
    ignore_offset: bool = False
    #: Paths below /api/4.0, by their beginnings, that the API key may not read.
    denied: tuple[str, ...] = ()
    #: Globs of paths below /api/4.0 that this release does not have.
    missing: tuple[str, ...] = ()
    #: Explores (`model::explore`) that do not compile: not found, or the status given here.
    broken_explores: Mapping[str, int] | tuple[str, ...] = ()
    #: Answer bad credentials with a page instead of JSON.
    html_404: bool = False
    #: The zone of the instance, for queries that name none.
    timezone: str = "America/Los_Angeles"
    #: When it is for the data that queries read; None is always the same moment.
    now: datetime | None = None
    #: Rows of history in System Activity; None is what fits the scale.
    activity_rows: int | None = None
    #: How many more rows of history and events there are before each query.
    activity_arrivals: int = 0
    #: Fields of System Activity that this release does not have.
    activity_missing_fields: tuple[str, ...] = ()
    #: The API key may not `see_system_activity`.
    activity_denied: bool = False
    #: Where the JSON of rows has line breaks: `lines`, `compact` or `pretty`.
    json_style: str = "lines"
    #: Never more rows of a query than this, whatever its limit, and without a word.
    row_cap: int | None = None
    #: Whether the API key may ask for all rows (`limit=-1`).
    download_without_limit: bool = True
    #: What a query with fields that do not exist is refused with; some say 400.
    refused_fields_status: int = 422
    #: Numbers that a double cannot hold come as strings.
    decimals_as_text: bool = False
    #: Cells of a pivot lie in an object by the pivoted field, and not directly by its values.
    pivots_by_field: bool = False
    #: Rows of totals and subtotals come after the others in every format.
    totals_in_rows: bool = False
    #: How many looks at a query task find it unfinished, and for how long it is.
    task_polls: int = 0
    task_seconds: float = 0


@dataclass
class Call:
    """One request, as it came and as it was answered.

    `path` is below `/api/4.0` and decoded; `raw_path` is what was sent. `status` is None while
    there is no answer, and 0 if there was to be none.
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


class Server:
    """The ASGI application."""

    def __init__(
        self,
        instance: Instance,
        client_id: str,
        client_secret: str,
        options: Options,
        scale: str | float = "small",
    ) -> None:
        self.instance = instance
        self.querying = Querying(instance, options, scale)
        self.client_id, self.client_secret = client_id, client_secret
        self.options = options
        self.tokens = Tokens(options.token_lifetime)
        self.faults = Faults()
        self.calls: list[Call] = []
        self.in_flight = self.max_in_flight = 0
        #: Answers are kept as long as nobody can have changed the content.
        self.keeps_answers = True
        self._kept: dict[tuple[bytes, bytes], Answer] = {}
        self._kept_bytes = 0
        self._router = Router(ROUTES + TAIL_ROUTES)
        self._control = _control(self)

    def forget_answers(self) -> None:
        """From now on every answer is made anew: the content may change at any time."""
        self.keeps_answers = False
        self._kept.clear()

    def count(self, path: str | None = None, method: str | None = None) -> int:
        """How many calls came, for a glob of paths and a method if given."""
        return sum(
            fnmatchcase(call.path, path or "*") and method in (None, call.method)
            for call in list(self.calls)
        )

    def reset_calls(self) -> None:
        """Forget the calls so far, and how many there were at once."""
        self.calls.clear()
        self.max_in_flight = self.in_flight

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Record a request, and serve it."""
        if scope["path"].startswith("/_emulator"):
            await self._control(scope, receive, send)
            return
        call = _call(scope, await _body(receive))
        self.calls.append(call)
        if self.in_flight >= (self.options.in_flight_limit or float("inf")):
            await self._turn_away(call, send)
            return
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            await self._serve(call, scope, receive, send)
        finally:
            self.in_flight -= 1
            call.ended = time.monotonic()

    async def _turn_away(self, call: Call, send: Any) -> None:
        answer = answers.error(429, "Too Many Requests", call.method, call.path)
        if self.options.in_flight_retry_after is not None:
            answer.headers["retry-after"] = str(self.options.in_flight_retry_after)
        call.status = answer.status
        call.ended = time.monotonic()
        await wire.send_answer(send, answer.status, *answer.packed(""))

    async def _serve(self, call: Call, scope: Any, receive: Any, send: Any) -> None:
        login = call.path == "/login"
        seconds = (self.options.login_latency_ms if login else self.options.latency_ms) / 1000
        fault, extra = self.faults.meeting(call.method, call.path) if self.faults else (None, 0)
        if seconds + extra:
            await asyncio.sleep(seconds + extra)
        kind = fault.kind if fault else None
        if kind == "silence":
            call.status = 0
            await wire.gone(receive)
            return
        if kind == "slow":
            await wire.wait(fault["seconds"], receive)
        answer: Answer | Stream | None = self._instead(call, fault) if fault else None
        if answer is None:
            answer = await self._found(call, scope, fault)
        accepted = call.headers.get("accept-encoding", "")
        call.status = answer.status
        if kind in ON_THE_WIRE:
            if kind in ("reset_before", "reset_headers"):
                call.status = 0
            if isinstance(answer, Stream):
                answer = await asyncio.to_thread(answer.whole)
            await wire.misbehave(fault, answer, scope, receive, send)
            return
        if isinstance(answer, Stream):
            await wire.send_stream(send, receive, answer, accepted)
            return
        headers, body = answer.packed(accepted)
        # Now, and once more when all is sent: the client may look before that.
        call.ended = time.monotonic()
        await wire.send_answer(send, answer.status, headers, body)

    # ------------------------------------------------------------------------------ the answer

    def _instead(self, call: Call, fault: Fault) -> Answer | None:
        """The answer that some faults give instead of the right one."""
        if fault.kind == "status":
            return _status(fault)
        if fault.kind == "denied":
            return answers.error(fault["status"], fault["message"])
        if fault.kind in ("unauthorized", "revoke"):
            if fault.kind == "revoke":
                self.tokens.revoke_all()
            return answers.unauthorized()
        if fault.kind == "html":
            page = answers.html("Please wait while we check your browser")
            return Answer(200, fault["body"].encode(), page.media_type) if fault["body"] else page
        if fault.kind == "redirect":
            return Answer(fault["status"], b"", None, {"location": fault["location"]})
        if fault.kind == "looker_error" and not self._operation(call):
            return answers.json([{"looker_error": fault["message"]}])
        if fault.kind == "wrong_shape":
            return answers.json(WRONG_SHAPES[fault["shape"]])
        return None

    def _operation(self, call: Call) -> Any:
        """The operation on queries that the call is for, if it is for one."""
        segments = [unquote(part) for part in call.raw_path.removeprefix(API).split("/")]
        return self.querying.find(call.method, call.path, segments)

    async def _found(self, call: Call, scope: Any, fault: Fault | None) -> Answer | Stream:
        """The right answer; what runs a query takes its time."""
        operation = self._operation(call) if call.raw_path.startswith(f"{API}/") else None
        if operation is None or "//" in call.raw_path:
            return self._answer(call, scope, fault)
        if not self.tokens.valid(call.token):
            return answers.unauthorized()
        missing = any(fnmatchcase(call.path, glob) for glob in self.options.missing)
        if missing or call.path.startswith(tuple(self.options.denied)):
            return answers.error(404, "Not found", call.method, operation[0].path)
        return await self.querying.answer(*operation, call, fault)

    def _answer(self, call: Call, scope: Any, fault: Fault | None) -> Answer:
        public = call.raw_path in ("/versions", f"{API}/versions")
        below = call.raw_path.startswith(f"{API}/")
        if "//" in call.raw_path or not (below or public or call.raw_path == "/api/logout"):
            return _beside(call)
        if (call.method, call.path) == ("POST", "/login"):
            return self._login(call)
        if not public and not self.tokens.valid(call.token):
            return answers.unauthorized()
        if (call.method, call.path) == ("DELETE", "/logout"):
            self.tokens.revoke(call.token)
            return Answer(204, b"", None)
        segments = [unquote(part) for part in call.raw_path.removeprefix(API).split("/")]
        found = self._router.find(call.path, segments) if call.method == "GET" else None
        if found is None or any(fnmatchcase(call.path, glob) for glob in self.options.missing):
            return answers.error(404, "Not found", call.method, call.path)
        route, params = found
        if self.options.denied and call.path.startswith(tuple(self.options.denied)):
            return answers.error(404, "Not found", call.method, route.path)
        key = (scope["raw_path"], scope["query_string"])
        if fault is None and self.keeps_answers and key in self._kept:
            return self._kept[key]
        answer = self._read(call, route, params, fault)
        if fault is None and self.keeps_answers and answer.status == 200:
            self._keep(key, answer)
        return answer

    def _keep(self, key: tuple[bytes, bytes], answer: Answer) -> None:
        if self._kept_bytes > _CACHE_BYTES:
            self._kept.clear()
            self._kept_bytes = 0
        self._kept[key] = answer
        self._kept_bytes += len(answer.body)

    def _login(self, call: Call) -> Answer:
        """Operation `login`: credentials in the form body, or in the query as it once was."""
        form = dict(parse_qsl(call.body))
        if "application/x-www-form-urlencoded" not in call.headers.get("content-type", ""):
            form = {}
        given = {**call.query, **form}
        wanted = (self.client_id, self.client_secret)
        if (given.get("client_id"), given.get("client_secret")) != wanted:
            if self.options.html_404:
                return answers.html("Looker Not Found (404)", 404)
            return answers.error(404, "Not found", "post", "/login")
        lifetime = int(self.tokens.lifetime)
        token = self.tokens.issue()
        return answers.json({"access_token": token, "token_type": "Bearer", "expires_in": lifetime})

    def _read(
        self, call: Call, route: Route, params: dict[str, str], fault: Fault | None
    ) -> Answer:
        try:
            self._check(call, route, params)
            given = {name: call.query[name] for name in route.reads if name in call.query}
            rows = route.rows(self.instance, {**params, **given})
            if rows is None:
                return answers.error(404, "Not found", "get", route.path)
            headers: dict[str, str] = {}
            if not route.one:
                rows, headers = self._list(call, route, rows, fault)
            fields = parse_fields(call.query["fields"]) if call.query.get("fields") else None
        except Instead as instead:
            return instead.answer
        except InvalidParameter as invalid:
            return answers.error(400, f"Bad Request: {invalid}", "get", route.path)
        value: Any = [project(route.shown(row), fields) for row in rows]
        if fault and fault.kind in ("null_nested", "drop_nested"):
            drop = fault.kind == "drop_nested"
            value = without_nested(value, frozenset(fault["names"]), drop=drop)
        return answers.json(value[0] if route.one else value, **headers)

    def _check(self, call: Call, route: Route, params: dict[str, str]) -> None:
        """Refuse what lacks a parameter, and an explore that does not compile."""
        for name in route.needs:
            if not call.query.get(name):
                raise InvalidParameter(f"{name} is required")
        if route.path != EXPLORE:
            return
        broken, name = self.options.broken_explores, "::".join(params.values())
        if name in broken:
            status = broken[name] if isinstance(broken, Mapping) else 404
            message = answers.MESSAGES[status]
            raise Instead(answers.error(status, message, "get", route.path))

    def _list(
        self, call: Call, route: Route, rows: list[Any], fault: Fault | None
    ) -> tuple[list[Any], dict[str, str]]:
        query, options = call.query, self.options
        if route.path == "/lookml_models" and not options.activity_denied:
            internal = boolean("include_internal", query.get("include_internal") or "false")
            rows = [*rows, self.querying.activity.model] if internal else rows
        if route.trash:
            deleted = "deleted" in route.filters and boolean(
                "deleted", query.get("deleted") or "false"
            )
            trash = self.instance.trash(route.trash)
            rows = [row for row in rows if (row["id"] in trash) is deleted]
        wanted = {
            name: query[name] for name in route.filters if query.get(name) and name != "deleted"
        }
        either = boolean("filter_or", query.get("filter_or") or "false")
        rows = matching(rows, wanted, value_of=filter_value, either=either)
        if route.sorts and query.get("sorts"):
            rows = ordered(rows, query["sorts"])
        paged = route.paged and (
            options.honour_limit_on_elements or route.path != "/dashboard_elements/search"
        )
        page = Page.of(query) if paged else Page()
        headers = {}
        if options.total_count_header:
            size = min(page.limit, options.page_cap or page.limit) if page.limit else page.limit
            headers = page._replace(limit=size).headers(API + call.path, query, len(rows))
            if options.link_alone:
                headers.pop("x-total-count", None)
        if options.ignore_offset or (fault and fault.kind == "repeat_page"):
            page = page._replace(offset=0)
        return page.cut(rows, options.page_cap), headers


# ---------------------------------------------------------------------------------------- requests


def _call(scope: Any, body: bytes) -> Call:
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


async def _body(receive: Any) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


# ----------------------------------------------------------------------------------------- answers


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


def _beside(call: Call) -> Answer:
    """What there is beside the API: the web interface, which machines have no business with."""
    if (call.method, call.raw_path) == ("GET", "/alive"):
        return Answer(media_type="text/plain")
    if (call.method, call.raw_path) == ("GET", "/login"):
        return answers.html("Log in to Looker")
    if call.method != "GET" or "//" in call.raw_path:
        return answers.html("Forbidden", 403)
    return answers.html("Looker Not Found (404)", 404)


# ----------------------------------------------------------------------------------------- control


def _control(server: Server) -> Starlette:
    """Faults and calls over HTTP, for a tap that runs beside the emulator instead of within."""

    async def add_faults(request: Request) -> Response:
        try:
            wanted = msgspec.json.decode(await request.body(), type=list[dict[str, Any]])
            server.faults.add(*[Fault(**details) for details in wanted])
        except (msgspec.DecodeError, TypeError, ValueError) as problem:
            return Response(str(problem), 422)
        return Response(status_code=204)

    async def list_faults(_: Request) -> Response:
        return _as_json([{**vars(fault)} for fault in server.faults])

    async def clear_faults(_: Request) -> Response:
        server.faults.clear()
        return Response(status_code=204)

    async def list_calls(_: Request) -> Response:
        return _as_json(server.calls)

    async def reset_calls(_: Request) -> Response:
        server.reset_calls()
        return Response(status_code=204)

    async def revoke(_: Request) -> Response:
        server.tokens.revoke_all()
        return Response(status_code=204)

    return Starlette(
        routes=[
            ControlRoute("/_emulator/faults", add_faults, methods=["POST"]),
            ControlRoute("/_emulator/faults", list_faults, methods=["GET"]),
            ControlRoute("/_emulator/faults", clear_faults, methods=["DELETE"]),
            ControlRoute("/_emulator/calls", list_calls, methods=["GET"]),
            ControlRoute("/_emulator/calls", reset_calls, methods=["DELETE"]),
            ControlRoute("/_emulator/revoke", revoke, methods=["POST"]),
        ]
    )


def _as_json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
