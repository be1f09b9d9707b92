"""Looker over HTTP: one session, one token, a limit on what is in flight, retries, paging.

Knows nothing of Singer. What is retried and what an error means is here and nowhere else::

    no answer, a body that breaks off     RETRIES times
    429, 502, 503, 504                    RETRIES times; 429 and 503 pause all threads
    500, 200 with a body that is no JSON  twice
    401                                   once, after a new login; more often if others log in, too
    403, 404                              DeniedError
    anything else                         RequestError, with Looker's own message
"""

from __future__ import annotations

import html
import itertools
import json
import logging
import re
import tempfile
import threading
import time
from collections import Counter
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import IO, TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import backoff
import msgspec
import requests
import urllib3
from requests.adapters import HTTPAdapter

from tap_looker import lists, paging
from tap_looker.auth import LookerAuth
from tap_looker.errors import BudgetError, DeniedError, RequestError
from tap_looker.prefetch import POLL, Stopped, Workers, in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future

Row = dict[str, Any]
T = TypeVar("T")

logger = logging.getLogger("tap-looker")

API = "/api/4.0"
BILLED = ("non_query", "db_query")
RETRIES = 5
RETRIES_OF_A_FAULT = 2  # 500 and unreadable bodies: often they are there to stay
RETRIED = frozenset({429, 500, 502, 503, 504})
PAUSING = frozenset({429, 503})
LONGEST_BACKOFF = 30.0  # seconds
LONGEST_RETRY_AFTER = 600.0  # seconds; when Looker asks for more, the request has failed
CONNECT_TIMEOUT = 30.0  # seconds
BODY_TIMEOUTS = 4  # how many times the request timeout a whole body may take to arrive
LOGOUT_TIMEOUT = 3.0  # seconds
LARGE_BODY = 1_000_000  # bytes; a longer list waits on disk and not in memory
ROWS_AT_ONCE = 500  # of a list that waits on disk
LOOKER_SAYS = 300  # characters of an error body that are passed on

OF_AN_ERROR = frozenset({"message", "error", "errors", "documentation_url"})
NETWORK_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


@dataclass(frozen=True)
class Answer:
    """A decoded body.

    Attributes:
        data: As JSON has it.
        total: How many rows the whole list has, where Looker says so (``X-Total-Count``).
        has_next: Looker says that there is a page after this one (``Link``).
        is_absent: Looker says that there is nothing (204).
    """

    data: Any
    total: int | None = None
    has_next: bool = False
    is_absent: bool = False


class _Retriable(Exception):  # noqa: N818
    """A failure that may pass."""

    def __init__(
        self,
        error: RequestError,
        *,
        retries: int = RETRIES,
        after: float | None = None,
        is_slow: bool = False,
        is_stale: bool = False,
    ) -> None:
        self.error = error
        self.is_slow = is_slow or error.status == 504  # noqa: PLR2004
        self.is_stale = is_stale  # a token was refused that another thread has seen refused before
        self.retries = retries
        self.after = after


class Body:
    """The bytes of an answer as they arrive, decompressed; a file for a parser.

    Raises:
        requests.Timeout: No whole row came for too long; see :meth:`row_came`.
        prefetch.Stopped: The run was asked to end.
    """

    def __init__(self, response: requests.Response, stop: threading.Event, patience: float) -> None:
        self._response = response
        self._stop = stop
        self._patience = patience
        self._pushed_back = b""
        self.row_came()

    def row_came(self) -> None:
        """What arrives makes sense: the wait for it begins anew."""
        self._deadline = time.monotonic() + self._patience

    def take_back(self, taken: bytes) -> None:
        """Put in front what was read; it comes again."""
        self._pushed_back = taken

    def peek(self) -> bytes:
        """The first bytes that are no white space, without taking them."""
        while not (start := self._pushed_back.lstrip()):
            more = self._receive(1 << 16)
            if not more:
                break
            self._pushed_back += more
        return start

    def read(self, size: int = 1 << 16) -> bytes:
        """Some bytes, at most `size`; none at the end."""
        if not self._pushed_back or not size:
            return self._receive(size)
        taken, self._pushed_back = self._pushed_back[:size], self._pushed_back[size:]
        return taken

    def _receive(self, size: int) -> bytes:
        if self._stop.is_set():
            raise Stopped
        if time.monotonic() > self._deadline:
            raise requests.Timeout("the answer takes too long to arrive")
        chunk: bytes = self._response.raw.read1(size, decode_content=True)
        return chunk


class LookerClient:
    """The API of one instance, for the threads of one run.

    Attributes:
        calls: How many requests were sent, by activity (``x-looker-activity-type`` of the OpenAPI
            document): ``non_query``, ``db_query``, ``none``; and ``login``.
        secrets: What no log line may show: the key and the tokens of this run.
        stop: Set it to end all waits; requests then raise :class:`prefetch.Stopped`.
        workers: Threads for requests that overlap, as many as may be in flight.
    """

    def __init__(
        self,
        base_url: str,
        client_id: str,
        client_secret: str,
        *,
        concurrency: int = 8,
        timeout: float = 300.0,
        user_agent: str = "tap-looker",
        ca_bundle: str | None = None,
        max_calls: int | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self.base_url = base_url
        self.calls: Counter[str] = Counter()
        self.stop = stop or threading.Event()
        self.workers = Workers(concurrency)
        self._max_calls = max_calls
        self._timeout = timeout
        self._slots = threading.BoundedSemaphore(concurrency)
        self._lock = threading.Lock()
        self._paused_until = 0.0
        self._is_closed = False
        self._to_cancel: list[str] = []
        self.secrets: list[str] = [client_secret, client_id]
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._session = _session(base_url, concurrency, user_agent, ca_bundle)
        self._auth = LookerAuth(self._post_login, f"{base_url}{API}/login")

    def login(self) -> None:
        """Log in now, so that a wrong key is one error and not one for each stream.

        Raises:
            LoginError: Looker cannot be reached or does not accept the key.
        """
        self._auth.token()

    def get(
        self, path: str, params: Mapping[str, Any] | None = None, activity: str = "non_query"
    ) -> Answer:
        """One GET below ``/api/4.0``, with its retries.

        Raises:
            DeniedError: 403 or 404.
            RequestError: Anything else that lasts.
        """
        return self._request("GET", path, params=params, activity=activity, receive=self._answer)

    def post(
        self,
        path: str,
        body: Any,
        *,
        params: Mapping[str, Any] | None = None,
        activity: str = "non_query",
    ) -> Answer:
        """One POST below ``/api/4.0``, for what only reads or can be repeated without harm.

        Raises:
            RequestError: As :meth:`get`.
        """
        return self._request(
            "POST", path, params=params, body=body, activity=activity, receive=self._answer
        )

    def wait(self, seconds: float) -> None:
        """Wait, unless the run is asked to end.

        Raises:
            prefetch.Stopped: It was.
        """
        self._wait_until(time.monotonic() + seconds)

    @contextmanager
    def cancelled_at_end(self, path: str) -> Iterator[None]:
        """What a DELETE would cancel, if the run ended inside."""
        with self._lock:
            self._to_cancel.append(path)
        try:
            yield
        except (Stopped, GeneratorExit):
            raise
        except BaseException:  # it ended by itself, or cannot be reached
            self._forget(path)
            raise
        self._forget(path)

    def _forget(self, path: str) -> None:
        with self._lock:
            self._to_cancel.remove(path)

    def rows(
        self,
        path: str,
        params: Mapping[str, Any],
        keys: tuple[str, ...],
        *,
        activity: str = "non_query",
    ) -> list[Row]:
        """A list that Looker sends whole, or one object as a list of one.

        Args:
            path: Below ``/api/4.0``.
            params: Query parameters.
            keys: What an object must have to be a row.
            activity: How Looker bills the call.

        Raises:
            RequestError: As :meth:`get`; or the answer holds no rows.
        """
        return as_rows(self.get(path, params, activity).data, keys, path)

    def whole(
        self,
        path: str,
        params: Mapping[str, Any],
        keys: tuple[str, ...],
        *,
        activity: str = "non_query",
        scalar: str = "",
    ) -> Iterator[list[Row]]:
        """As :meth:`rows`, in pages, for a list that may be too long to hold.

        A large body goes to a temporary file, is checked there, and parsed piece by piece.

        Args:
            path: As for :meth:`rows`, like the others.
            params: Query parameters.
            keys: What an object must have to be a row.
            activity: How Looker bills the call.
            scalar: The list holds plain values; the name each goes by.

        Raises:
            RequestError: As :meth:`get`.
        """
        found = self._request(
            "GET", path, params=params, activity=activity, receive=self._answer_or_file
        )
        if isinstance(found, Answer):
            yield as_rows(_named(found.data, scalar), keys, path)
            return
        with found as file:
            rows = lists.items(file)
            while page := list(itertools.islice(rows, ROWS_AT_ONCE)):
                yield as_rows(_named(page, scalar), keys, path)

    def pages(
        self,
        path: str,
        params: Mapping[str, Any],
        *,
        keys: tuple[str, ...],
        size: int,
        sorts: str = "",
        seen: set[Any] | None = None,
        may_ignore_limit: bool = False,
        in_parallel: bool = True,
        activity: str = "non_query",
    ) -> Iterator[list[Row]]:
        """A list that is paged with ``limit`` and ``offset``; every row once, by its key.

        See :mod:`tap_looker.paging`. Pages are read at the same time only when Looker's
        ``X-Total-Count`` tells how many there are: one that may not exist is a call that somebody
        pays for.

        Args:
            path: Below ``/api/4.0``.
            params: Query parameters besides those of paging.
            keys: Primary key of a row.
            size: Rows per page.
            sorts: Column the list is sorted by, "" where the endpoint cannot sort.
            seen: Keys of rows that came out before and are left out; more are added.
            may_ignore_limit: The document promises no paging.
            in_parallel: The workers may read pages too; not for a call that runs on one of them.
            activity: How Looker bills the calls.

        Raises:
            RequestError: A page failed, repeats the one before, or the list moves too fast.
        """
        size = max(size, 2)  # a page of one row cannot overlap
        query = {**params, "limit": size} | ({"sorts": sorts} if sorts else {})
        ahead: Iterator[tuple[int, Future[Answer]]] = iter(())

        def get(offset: int) -> Answer:
            return self.get(path, {**query, "offset": offset}, activity)

        def fetch(offset: int) -> tuple[list[Row], int | None]:
            nonlocal ahead
            guess, future = next(ahead, (None, None)) if offset else (None, None)
            if future is not None and guess == offset:
                answer = future.result()
            else:
                answer, ahead = get(offset), iter(())
            if not offset and in_parallel and sorts in keys and answer.total is not None:
                coming = range(size - 1, answer.total - 1, size - 1)
                ahead = in_order(self.workers, get, coming)
            rows = as_rows(answer.data, keys, path)
            if answer.total is None and answer.has_next:
                return rows, offset + len(rows) + 1  # a page may be shorter than was asked for
            return rows, answer.total

        yield from paging.pages(
            fetch,
            what=f"GET {path}",
            keys=keys,
            size=size,
            sorts=sorts,
            seen=set() if seen is None else seen,
            may_ignore_limit=may_ignore_limit,
            fetch_more=lambda limit: as_rows(
                self.get(path, {**query, "limit": limit, "offset": 0}, activity).data, keys, path
            ),
        )

    def close(self) -> None:
        """End the API session, and what it has running: best effort, in a few seconds.

        What other threads still ask for is not sent: it would log in again.
        """
        self._is_closed = True
        token = self._auth.last
        if token is None:
            return
        for path in (*self._to_cancel, "/logout"):
            with suppress(*NETWORK_ERRORS):
                self.calls["none" if path == "/logout" else "db_query"] += 1
                self._session.delete(
                    f"{self.base_url}{API}{path}",
                    headers={"Authorization": f"Bearer {token}"},
                    auth=_no_auth,
                    timeout=LOGOUT_TIMEOUT,
                    allow_redirects=False,
                )

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any],
        body: Any = None,
        repeat_slow: bool = True,
    ) -> Iterator[Body]:
        """An answer that is read as it arrives; a query, by what it costs.

        Retried like any request until it begins to arrive; what breaks off later is for the reader
        to ask for again.

        Raises:
            RequestError: As :meth:`get`.
        """
        with self._slot():
            response = self._request(
                method,
                path,
                params=params,
                body=body,
                activity="db_query",
                slot=nullcontext(),
                repeat_slow=repeat_slow,
                receive=lambda _, response: response,
            )
            try:
                yield self._body(response)
            finally:
                response.close()

    def _post_login(self) -> Answer:
        answer = self._request(
            "POST",
            "/login",
            form=self._credentials,
            activity="login",
            slot=nullcontext(),  # it happens inside the slot of the request that needs the token
            receive=self._answer,
        )
        if isinstance(answer.data, dict):
            self.secrets.append(str(answer.data.get("access_token")))
        return answer

    def _request(
        self,
        method: str,
        path: str,
        *,
        receive: Callable[[str, requests.Response], T],
        params: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        body: Any = None,
        activity: str,
        slot: AbstractContextManager[Any] | None = None,
        repeat_slow: bool = True,
    ) -> T:
        """One request with its retries; `receive` makes of a good answer what is wanted of it."""
        url = f"{self.base_url}{API}{path}"
        if params:
            url += "?" + urlencode(params, safe=",():")
        waits = backoff.expo(max_value=LONGEST_BACKOFF)
        next(waits)  # backoff's generators are primed so
        logins = refusals = tries = 0
        while True:
            try:
                self._wait_until(self._paused_until)
                with slot or self._slot():
                    response = self._send(method, url, path, form, body, activity)
                    return self._received(f"{method} {path}", response, receive)
            except _Retriable as failure:
                if failure.error.status == 401 and not form:  # noqa: PLR2004
                    refusals += 1
                    logins += not failure.is_stale
                    if logins > 1 or refusals > RETRIES:
                        raise failure.error from failure.__cause__
                    continue
                if failure.is_slow and not repeat_slow:
                    raise failure.error from failure.__cause__
                tries += 1
                retries = min(failure.retries, RETRIES_OF_A_FAULT) if form else failure.retries
                wait = backoff.full_jitter(next(waits)) if failure.after is None else failure.after
                if tries > retries or wait > LONGEST_RETRY_AFTER:
                    raise failure.error from failure.__cause__
                logger.warning("%s Trying again in %.1f s.", failure.error.message, wait)
                self._pause(failure.error.status, wait)

    def _send(
        self,
        method: str,
        url: str,
        path: str,
        form: Mapping[str, str] | None,
        body: Any,
        activity: str,
    ) -> requests.Response:
        if self.stop.is_set() or self._is_closed:
            raise Stopped
        with self._lock:
            billed = sum(self.calls[kind] for kind in BILLED)
            if self._max_calls is not None and activity in BILLED and billed >= self._max_calls:
                raise BudgetError(
                    f"{method} {path}: max_calls ({self._max_calls}) is used up. Raise it or select"
                    " fewer streams; --access tells what they cost."
                )
            self.calls[activity] += 1
        try:
            return self._session.request(
                method,
                url,
                data=form,
                json=body,
                auth=_no_auth if form else self._auth,
                timeout=(min(CONNECT_TIMEOUT, self._timeout), self._timeout),
                allow_redirects=False,
                stream=True,
            )
        except NETWORK_ERRORS as error:
            raise self._network_failure(f"{method} {path}", error) from error

    def _received(
        self, what: str, response: requests.Response, receive: Callable[[str, requests.Response], T]
    ) -> T:
        try:
            if 200 <= response.status_code < 300:  # noqa: PLR2004
                return receive(what, response)
            failure = self._failure(what, response, self._read(response))
        except NETWORK_ERRORS as error:
            response.close()
            raise self._network_failure(what, error) from error
        except BaseException:
            response.close()
            raise
        raise failure

    def _network_failure(self, what: str, error: Exception) -> Exception:
        failure = RequestError(f"{what}: {_network_message(self.base_url, error)}.")
        if "certificate" in str(error).lower():
            return failure
        is_slow = isinstance(error, (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError))
        return _Retriable(failure, is_slow=is_slow)

    def _read(self, response: requests.Response) -> bytes:
        """The whole body, within a time that ends however slowly it drips."""
        body = b"".join(iter(self._body(response).read, b""))
        response.raw.release_conn()
        return body

    def _body(self, response: requests.Response) -> Body:
        return Body(response, self.stop, self._timeout * BODY_TIMEOUTS)

    def _answer(self, what: str, response: requests.Response) -> Answer:
        return self._decoded(what, response, self._read(response))

    def _answer_or_file(self, what: str, response: requests.Response) -> Answer | IO[bytes]:
        """The answer, or the file that holds it where it is a long list: checked to be whole."""
        body = self._body(response)
        is_list = body.peek()[:1] == b"["
        file = tempfile.SpooledTemporaryFile(LARGE_BODY)  # noqa: SIM115
        try:
            for chunk in iter(body.read, b""):
                file.write(chunk)
            response.raw.release_conn()
            size = file.tell()
            file.seek(0)
            if size < LARGE_BODY or not is_list:
                with file:
                    return self._decoded(what, response, file.read())
            for _ in lists.items(file):
                pass
            file.seek(0)
        except lists.BadListError as error:
            file.close()
            message = f"{what}: HTTP 200 with a body that is no whole JSON."
            raise _Retriable(RequestError(message, 200)) from error
        except lists.OutsizeError as error:
            file.close()
            message = f"{what}: HTTP 200 with {error}, which cannot be read."
            raise RequestError(message, 200) from error
        except BaseException:
            file.close()
            raise
        return file

    def _decoded(self, what: str, response: requests.Response, body: bytes) -> Answer:
        if response.status_code == 204:  # noqa: PLR2004
            return Answer(None, is_absent=True)
        try:
            data = decoded(body)
        except (ValueError, RecursionError) as error:
            start = body.lstrip()[:1]
            found = "a web page" if start == b"<" else "a body that is no whole JSON"
            message = f"{what}: HTTP 200 with {found}{_title(body)}."
            retries = RETRIES_OF_A_FAULT if start == b"<" else RETRIES
            raise _Retriable(RequestError(message, 200), retries=retries) from error
        total = response.headers.get("X-Total-Count", "")
        return Answer(
            data,
            int(total) if re.fullmatch("[0-9]{1,18}", total) else None,
            has_next="next" in response.links,
        )

    def _failure(self, what: str, response: requests.Response, body: bytes) -> Exception:
        status = response.status_code
        if 300 <= status < 400:  # noqa: PLR2004
            found = re.match(r"\w+://([^/?#]+)", response.headers.get("Location", ""))
            to = f" to {_one_line(found[1])}" if found else ""
            return RequestError(
                f"{what}: HTTP {status}, a redirect{to}, which is not followed.", status
            )
        message = f"{what}: HTTP {status}{_looker_says(body)}."
        if status in (403, 404):
            return DeniedError(message, status)
        error = RequestError(message, status)
        if status in RETRIED:
            return _Retriable(
                error,
                retries=RETRIES_OF_A_FAULT if status == 500 else RETRIES,  # noqa: PLR2004
                after=_retry_after(response),
            )
        if status == 401:  # noqa: PLR2004
            refused = response.request.headers.get("Authorization", "").removeprefix("Bearer ")
            # A login has no token to forget, and holds the lock.
            is_stale = bool(refused) and self._auth.forget(refused)
            return _Retriable(error, retries=0, is_stale=is_stale)
        return error

    @contextmanager
    def _slot(self) -> Iterator[None]:
        """A turn, outside of pauses: a pause begins before the slot of its request is free."""
        while True:
            self._wait_until(self._paused_until)
            while not self._slots.acquire(timeout=POLL):
                if self.stop.is_set():
                    raise Stopped
            try:
                if time.monotonic() < self._paused_until:
                    continue
                yield
            except _Retriable as failure:
                if failure.after and failure.after <= LONGEST_RETRY_AFTER:
                    self._pause_all(failure.error.status, failure.after)
                raise
            finally:
                self._slots.release()
            return

    def _pause(self, status: int | None, seconds: float) -> None:
        until = time.monotonic() + seconds
        if not self._pause_all(status, seconds):
            self._wait_until(until)

    def _pause_all(self, status: int | None, seconds: float) -> bool:
        if status in PAUSING:
            with self._lock:
                self._paused_until = max(self._paused_until, time.monotonic() + seconds)
        return status in PAUSING

    def _wait_until(self, until: float) -> None:
        while (left := max(until, self._paused_until) - time.monotonic()) > 0:
            if self.stop.wait(min(left, POLL * 10)):
                raise Stopped


def as_rows(data: Any, keys: tuple[str, ...], path: str) -> list[Row]:
    """The rows of an answer: a list of objects, or one object with its key.

    Raises:
        RequestError: It is neither; Looker's own message where it holds one.
    """
    rows = [data] if isinstance(data, dict) else data
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        for row in rows[:1]:
            check_error(row, f"GET {path}")
        if not rows or any(row.get(keys[0]) is not None for row in rows if keys):
            return rows
        if not keys and not any(row.keys() <= OF_AN_ERROR for row in rows):
            return rows
    what = f"objects with {' and '.join(keys)}" if keys else "objects"
    raise RequestError(f"GET {path}: HTTP 200, but the answer holds no {what}.", 200)


def decoded(body: bytes) -> Any:
    """JSON, also where it holds what no UTF-8 can (half a surrogate pair) or what is no number.

    Raises:
        ValueError: It is no JSON, or not whole.
        RecursionError: It is nested too deep.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        data = json.loads(body.decode("utf-8", "replace"), parse_constant=lambda _: None)
        return msgspec.json.decode(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))


def check_error(row: Row, what: str) -> None:
    """A 200 can hold an error in place of a row.

    Raises:
        RequestError: With Looker's message.
    """
    says = row.get("looker_error") or ("documentation_url" in row and row.get("message"))
    if says:
        raise RequestError(f"{what}: Looker says: {_one_line(str(says))}.", 200)


def _named(data: Any, scalar: str) -> Any:
    """Plain values as objects."""
    return [{scalar: value} for value in data] if scalar and isinstance(data, list) else data


def segment(value: Any) -> str:
    """A value as one segment of a path, whatever it holds (``model::name``, slashes).

    Raises:
        RequestError: No path can hold it: "", "." and ".." lead elsewhere.
    """
    text = str(value)
    if text in ("", ".", ".."):
        raise RequestError(f"{text!r} cannot be asked for: it is no name in a path.", 404)
    return quote(text, safe="")


def _session(
    base_url: str, concurrency: int, user_agent: str, ca_bundle: str | None
) -> requests.Session:
    session = _Session()
    session.mount(base_url, HTTPAdapter(pool_connections=1, pool_maxsize=concurrency + 1))
    session.headers.update({"Accept": "application/json", "User-Agent": user_agent})
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Proxies and CA bundles of the environment are looked up once; its .netrc is not ours to send.
    found = session.merge_environment_settings(
        base_url, {}, stream=True, verify=ca_bundle or True, cert=None
    )
    session.trust_env = False
    session.proxies, session.verify = found["proxies"], found["verify"]
    return session


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: even one that is not followed would be parsed, and its body read."""


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _retry_after(response: requests.Response) -> float | None:
    """Seconds that the header asks to wait, given in seconds or as a date."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())


def _network_message(base_url: str, error: Exception) -> str:
    host = urlsplit(base_url).netloc
    text = str(error)
    if "certificate" in text.lower():
        reason = re.search(r"certificate verify failed: ([^(\"']+)", text)
        return (
            f"the certificate of {host} cannot be trusted"
            f" ({_one_line(reason[1]) if reason else 'TLS'}): set ca_bundle to the CA that signed"
            " it, or have it renewed"
        )
    if isinstance(error, requests.exceptions.SSLError):
        return f"{host} does not speak TLS as expected: check the port of api_host_url"
    if isinstance(error, requests.exceptions.ProxyError):
        return f"the proxy of this machine cannot reach {host}: check HTTPS_PROXY and NO_PROXY"
    if isinstance(error, requests.ConnectTimeout):
        return f"{host} does not accept connections: check the port of api_host_url"
    if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError)):
        return f"{host} did not answer in time (setting request_timeout)"
    if "NameResolution" in text or "getaddrinfo" in text:
        return f"there is no host {host}: check api_host_url"
    if "refused" in text:
        return f"{host} refuses the connection: check the port of api_host_url"
    if isinstance(
        error, (requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError)
    ):
        return "the answer is not compressed as it says"
    return "the connection broke off"


def _looker_says(body: bytes) -> str:
    """What an error body says, from Looker's JSON or a page's title."""
    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _title(body)
    said = said_in(data) if isinstance(data, dict) else ""
    return f": {said}" if said else ""


def said_in(data: Row) -> str:
    """What an object of Looker's says went wrong, on one line; "" if nothing did."""
    errors = data.get("errors")
    details = [
        ": ".join(
            str(error[name]) for name in ("field", "message", "message_details") if error.get(name)
        )
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    ]
    first = data.get("looker_error") or data.get("message") or data.get("error")
    return _one_line("; ".join(filter(None, [str(first or ""), *details])))


def _title(body: bytes) -> str:
    found = re.search(rb"<title[^>]*>([^<]*)", body[:10_000], re.IGNORECASE)
    title = _one_line(html.unescape(found[1].decode("utf-8", "replace"))) if found else ""
    return f" ({title})" if title else ""


def _one_line(text: str) -> str:
    text = re.sub(r"[\s\x00-\x1f\x7f]+", " ", text).strip().rstrip(".")
    return text if len(text) <= LOOKER_SAYS else text[:LOOKER_SAYS] + "…"
