"""Requests to the Looker API: one session, one token, a limit on what is in flight, retries.

What an answer means is in :mod:`~tap_looker.looker.response`, what is tried again in
:mod:`~tap_looker.looker.retry`::

    client = LookerClient("https://company.cloud.looker.com", client_id, client_secret)
    client.get("/user").data["display_name"]
    for page in client.iter_pages("/users/search", {}, keys=("id",), size=500, sorts="id"):
        ...
    client.close()
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from tap_looker.errors import NO_SPACE, GivenUpError, LoginError, RequestError
from tap_looker.looker import json_stream, offset_paging, retry, session
from tap_looker.looker.auth import LookerAuth
from tap_looker.looker.calls import CallCounter
from tap_looker.looker.lists import Pages
from tap_looker.looker.response import (
    NETWORK_ERRORS,
    ApiResponse,
    Body,
    as_rows,
    check_whole,
    decode,
    decode_or_file,
    failure,
    is_good,
    network_failure,
    refusal,
    with_name,
)
from tap_looker.looker.retry import RetriableError, Tries
from tap_looker.looker.threads import Cancelled, DaemonThreadPool
from tap_looker.looker.throttle import RequestSlots, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import requests

    from tap_looker.looker.response import Row

T = TypeVar("T")

logger = logging.getLogger("tap-looker")

API = "/api/4.0"
MAX_BODY_TIMEOUTS = 4  # how many times the request timeout a whole body may take to arrive
LOGOUT_TIMEOUT = 3.0  # seconds
ROWS_AT_ONCE = 500  # of a list that waits on disk


class LookerClient:
    """The API of one instance, for the threads of one run.

    Attributes:
        calls: How many requests were sent.
        secrets: What no log line may show: the key and the tokens of this run.
        stop: Set it to end all waits; requests then raise :class:`concurrency.Cancelled`.
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
        connection: session.Connection | None = None,
        max_calls: int | None = None,
        max_retry_time: float = retry.MAX_RETRY_TIME,
        stop: threading.Event | None = None,
    ) -> None:
        self.base_url = base_url
        self.calls = CallCounter(max_calls)
        self.stop = stop or threading.Event()
        self.workers = DaemonThreadPool(concurrency)
        self._max_retry_time = max_retry_time
        self._timeout = timeout
        self._slots = RequestSlots(concurrency, self.stop)
        self._lock = threading.Lock()
        self._is_closed = False
        self._patience = threading.local()
        self._to_cancel: list[str] = []
        connection = connection or session.Connection()
        self.secrets: list[str] = [client_secret, client_id, *connection.secrets]
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._session = session.of(base_url, concurrency, connection)
        self._auth = LookerAuth(self._post_login, f"{base_url}{API}/login", self._is_refused)

    def login(self) -> None:
        """Log in now, so that a wrong key is one error and not one for each stream.

        Raises:
            LoginError: Looker cannot be reached or does not accept the key.
        """
        self._auth.token()

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        billing: str = "non_query",
        *,
        repeat_faults: bool = True,
    ) -> ApiResponse:
        """One GET below ``/api/4.0``, with its retries; `repeat_faults`: after a 500, too.

        Raises:
            DeniedError: 403, 404 or 405.
            RequestError: Anything else that lasts.
        """
        return self._request(
            "GET",
            path,
            params=params,
            billing=billing,
            receive=self._answer,
            repeat_faults=repeat_faults,
        )

    def post(
        self,
        path: str,
        body: Any,
        *,
        params: Mapping[str, Any] | None = None,
        billing: str = "non_query",
        as_text: bool = False,
    ) -> ApiResponse:
        """One POST below ``/api/4.0``, for what only reads or can be repeated without harm.

        Its answer is JSON, or with `as_text` whatever comes.

        Raises:
            RequestError: As :meth:`get`.
        """
        receive = self._text if as_text else self._answer
        return self._request(
            "POST", path, params=params, body=body, billing=billing, receive=receive
        )

    def wait(self, seconds: float) -> None:
        """Wait, unless the run is asked to end.

        Raises:
            concurrency.Cancelled: It was.
        """
        self._slots.wait(time.monotonic() + seconds)

    @contextmanager
    def briefly(self) -> Iterator[None]:
        """What lasts is given up soon inside, on this thread: it may be the fault of one item."""
        self._patience.is_short = True
        try:
            yield
        finally:
            self._patience.is_short = False

    def await_answer(self) -> None:
        """Wait until Looker answers something that costs nothing.

        Raises:
            RequestError: It does not, for all of `max_retry_time`.
        """
        try:
            self.get("/versions", billing="none")
        except RequestError as error:
            if error.status is None or error.status in retry.PASSING_STATUSES:
                raise

    @contextmanager
    def cancelled_at_end(self, path: str) -> Iterator[None]:
        """What a DELETE would cancel, if the run ended inside."""
        with self._lock:
            self._to_cancel.append(path)
        try:
            yield
        except (Cancelled, GeneratorExit, GivenUpError):
            raise
        except BaseException:  # it ended by itself, or cannot be reached
            self._forget(path)
            raise
        self._forget(path)

    def _forget(self, path: str) -> None:
        with self._lock:
            self._to_cancel.remove(path)

    def get_list(
        self,
        path: str,
        params: Mapping[str, Any],
        keys: tuple[str, ...],
        *,
        billing: str = "non_query",
    ) -> list[Row]:
        """A list that Looker sends in one piece, or one object as a list of one.

        Args:
            path: Below ``/api/4.0``.
            params: Query parameters.
            keys: What an object must have to be a row.
            billing: How Looker bills the call.

        Raises:
            RequestError: As :meth:`get`; or the answer holds no rows.
        """
        return [row for page in self.iter_list(path, params, keys, billing=billing) for row in page]

    def iter_list(
        self,
        path: str,
        params: Mapping[str, Any],
        keys: tuple[str, ...],
        *,
        billing: str = "non_query",
        scalar: str = "",
    ) -> Iterator[list[Row]]:
        """As :meth:`get_list`, in pages, for a list that may be too long to hold.

        A large body goes to a temporary file, is checked there, and parsed piece by piece.

        Args:
            path: As for :meth:`get_list`, like the others.
            params: Query parameters.
            keys: What an object must have to be a row.
            billing: How Looker bills the call.
            scalar: The list holds plain values; the name each goes by.

        Raises:
            RequestError: As :meth:`get`.
        """
        found = self._request(
            "GET", path, params=params, billing=billing, receive=self._answer_or_file
        )
        if isinstance(found, ApiResponse):
            rows = as_rows(with_name(found.data, scalar), keys, path)
            check_whole(f"GET {path}", len(rows), found.total, has_next=found.has_next)
            yield rows
            return
        with found as file:
            items = json_stream.items(file)
            while page := list(itertools.islice(items, ROWS_AT_ONCE)):
                yield as_rows(with_name(page, scalar), keys, path)

    def iter_pages(
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
        billing: str = "non_query",
        skip: Callable[[str, int], None] | None = None,
        goes_around: bool = True,
    ) -> Iterator[list[Row]]:
        """A list that is paged with ``limit`` and ``offset``; every row once, by its key.

        See :mod:`tap_looker.looker.offset_paging`.

        Args:
            path: Below ``/api/4.0``.
            params: Query parameters besides those of paging.
            keys: Primary key of a row.
            size: Rows per page.
            sorts: Column the list is sorted by, "" where the endpoint cannot sort.
            seen: Keys of rows that came out before and are left out; more are added.
            may_ignore_limit: The document promises no paging.
            in_parallel: The workers may read pages too; not for a call that runs on one of them.
            billing: How Looker bills the calls.
            skip: Is told why some rows are left out, and how many.
            goes_around: With `skip`, a row is left out for which any page that holds it fails.

        Raises:
            RequestError: A page failed, repeats the one before, or the list moves too fast.
        """
        size = max(size, 2)  # a page of one row cannot overlap
        fetch = Pages(
            self.get,
            self.workers,
            path,
            {**params, "sorts": sorts} if sorts else params,
            keys=keys,
            size=size,
            ahead=in_parallel and sorts in keys,
            billing=billing,
            skip=skip,
            goes_around=goes_around,
        )
        yield from offset_paging.pages(
            fetch,
            what=f"GET {path}",
            keys=keys,
            size=size,
            sorts=sorts,
            seen=set() if seen is None else seen,
            may_ignore_limit=may_ignore_limit,
            fetch_more=fetch.first,
            fell_short=fetch.fell_short,
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
                self.calls.by_billing["none" if path == "/logout" else "db_query"] += 1
                self._bare("DELETE", path, token, LOGOUT_TIMEOUT)

    def _bare(self, method: str, path: str, token: str, timeout: float) -> requests.Response:
        return self._session.bare(method, f"{self.base_url}{API}{path}", token, timeout)

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
        response, turn = self._exchange(
            method,
            path,
            params=params,
            body=body,
            billing="db_query",
            repeat_slow=repeat_slow,
            receive=lambda _, response: response,
            keeps_turn=True,
        )
        try:
            turn.read()
            yield self._body(response, turn.read)
        finally:
            response.close()
            turn.end()

    def _post_login(self) -> ApiResponse:
        answer = self._request(
            "POST",
            "/login",
            form=self._credentials,
            billing="login",
            receive=self._answer,
        )
        if isinstance(answer.data, dict):
            self.secrets.append(str(answer.data.get("access_token")))
        return answer

    def _is_refused(self, token: str) -> bool:
        """Whether the token is good for nothing: asks who it belongs to, which everybody may."""
        with suppress(*NETWORK_ERRORS):
            self.calls.by_billing["non_query"] += 1
            answer = self._bare("GET", "/user?fields=id", token, self._timeout)
            return answer.status_code == 401  # noqa: PLR2004
        return False

    def _request(
        self,
        method: str,
        path: str,
        *,
        receive: Callable[[str, requests.Response], T],
        **options: Any,
    ) -> T:
        """One request with its retries: see :meth:`_exchange`."""
        return self._exchange(method, path, receive=receive, **options)[0]

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        receive: Callable[[str, requests.Response], T],
        params: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        body: Any = None,
        billing: str,
        repeat_slow: bool = True,
        repeat_faults: bool = True,
        keeps_turn: bool = False,
    ) -> tuple[T, Turn]:
        """One request with its retries, and its turn.

        Args:
            method: Of HTTP.
            path: Below ``/api/4.0``.
            receive: Makes of a good answer what is wanted of it.
            params: Query parameters.
            form: The credentials of a login, which has the turn of the request that needs it.
            body: JSON.
            billing: How Looker bills the call.
            repeat_slow: Ask again after a time-out.
            repeat_faults: Ask again after a 500.
            keeps_turn: The turn goes on; otherwise it has ended.
        """
        what = f"{method} {path}"
        url = f"{self.base_url}{API}{path}"
        if params:
            url += "?" + urlencode(params, safe=",():")
        is_first_contact = bool(form) and self._auth.last is None
        tries = Tries(
            self._slots,
            self._max_retry_time,
            is_first_contact=is_first_contact,
            is_brief=not form and getattr(self._patience, "is_short", False),
            repeat_slow=repeat_slow,
            repeat_faults=repeat_faults,
        )
        while True:
            turn = self._slots.take_none() if form else self._slots.take()
            kept = False
            try:
                response = self._send(method, url, path, form, body, billing)
                found = self._received(what, response, receive)
                turn.succeeded()
            except RetriableError as problem:
                if problem.error.status == 401 and not form:  # noqa: PLR2004
                    tries.token_refused(problem)
                    continue
                wait = tries.wait_after(problem)
                if problem.is_for_all:
                    turn.refused(min(wait, tries.pause_after(problem)))
                again = time.monotonic() + wait
                logger.warning("%s Trying again in %.1f s.", problem.error.message, wait)
            except RequestError as error:
                if error.status is not None:  # an answer, if not the one that was hoped for
                    turn.succeeded()
                raise
            else:
                kept = keeps_turn
                return found, turn
            finally:
                if not kept:
                    turn.end()
            self._slots.wait(again)

    def _send(
        self,
        method: str,
        url: str,
        path: str,
        form: Mapping[str, str] | None,
        body: Any,
        billing: str,
    ) -> requests.Response:
        if self.stop.is_set() or self._is_closed:
            raise Cancelled
        self.calls.add(f"{method} {path}", billing)
        try:
            return self._session.request(
                method,
                url,
                data=form,
                json=body,
                auth=session.no_auth if form else self._auth,
                timeout=session.timeouts(self._timeout),
                allow_redirects=False,
                stream=True,
            )
        except LoginError:  # in place of the request
            self.calls.take_back(billing)
            raise
        except NETWORK_ERRORS as error:
            raise network_failure(f"{method} {path}", self.base_url, error) from error

    def _received(
        self, what: str, response: requests.Response, receive: Callable[[str, requests.Response], T]
    ) -> T:
        try:
            if is_good(response):
                if "Authorization" in response.request.headers:
                    self._auth.accepted()
                return receive(what, response)
            error = self._failure(what, response, self._read(response))
        except NETWORK_ERRORS as problem:
            response.close()
            if getattr(problem, "errno", None) in NO_SPACE:
                raise
            raise network_failure(what, self.base_url, problem) from problem
        except BaseException:
            response.close()
            raise
        raise error

    def _read(self, response: requests.Response) -> bytes:
        """The whole body, within a time that ends however slowly it drips."""
        body = b"".join(iter(self._body(response).read, b""))
        response.raw.release_conn()
        return body

    def _body(
        self, response: requests.Response, when_read: Callable[[], None] | None = None
    ) -> Body:
        if when_read is None:
            when_read = self._slots.progress if response.ok else lambda: None
        return Body(response, self.stop, self._timeout * MAX_BODY_TIMEOUTS, when_read)

    def _text(self, _: str, response: requests.Response) -> ApiResponse:
        return ApiResponse(self._read(response).decode("utf-8", "replace"))

    def _answer(self, what: str, response: requests.Response) -> ApiResponse:
        return decode(what, response, self._read(response))

    def _answer_or_file(self, what: str, response: requests.Response) -> ApiResponse | IO[bytes]:
        return decode_or_file(what, response, self._body(response))

    def _failure(self, what: str, response: requests.Response, body: bytes) -> Exception:
        if response.status_code != 401:  # noqa: PLR2004
            return failure(what, response, body)
        refused = response.request.headers.get("Authorization", "").removeprefix("Bearer ")
        # A login has no token to forget, and holds the lock.
        is_stale = bool(refused) and self._auth.forget(refused)
        return RetriableError(refusal(what, response, body), retries=0, is_stale_token=is_stale)
