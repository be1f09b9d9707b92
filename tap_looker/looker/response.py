"""Bodies of the API: read within bounds, decoded, and what is wrong with them in words."""

from __future__ import annotations

import html
import json
import logging
import re
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import msgspec
import requests
import urllib3

from tap_looker.errors import (
    BadResponseError,
    DeniedError,
    LookerError,
    QueryError,
    RequestError,
    TimedOutError,
)
from tap_looker.looker import json_stream
from tap_looker.looker.json_stream import float_or_text
from tap_looker.looker.retry import (
    MAX_BODY_RETRIES,
    MAX_FAULT_RETRIES,
    PASSING_STATUSES,
    TIMEOUT_STATUSES,
    RetriableError,
)
from tap_looker.looker.threads import Cancelled

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

Row = dict[str, Any]

logger = logging.getLogger("tap-looker")

MAX_BODY_IN_MEMORY = 1_000_000  # bytes; a longer list waits on disk
MAX_ERROR_DETAIL = 300  # characters of an error body that are passed on
DETAILS = ("field", "message", "message_details")
"""What an item of ``errors`` says."""
ERROR_KEYS = frozenset({"message", "error", "errors", "documentation_url"})
NETWORK_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
PASSING_TLS = ("timed out", "eof occurred", "unexpected_eof", "bad_record_mac", "bad record mac")
"""A connection that broke off within TLS, by what the error says."""
BOM = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"
HIDDEN_GZIP = (
    "the answer is compressed (gzip), but has no Content-Encoding header: something between the "
    "tap and Looker removes it"
)
TIMEOUTS = (requests.Timeout, urllib3.exceptions.TimeoutError)


@dataclass(frozen=True)
class ApiResponse:
    """A decoded body.

    Attributes:
        data: As JSON has it.
        total: How many rows the whole list has, where Looker says so (``X-Total-Count``).
        has_next: Looker says that there is a page after this one, or that there is none (``Link``);
            None where it says nothing.
        is_absent: Looker says that there is nothing (204).
    """

    data: Any
    total: int | None = None
    has_next: bool | None = None
    is_absent: bool = False


class HiddenGzipError(requests.exceptions.ContentDecodingError):
    """The answer is compressed, and no header says so."""


class Body:
    """The bytes of an answer as they arrive, decompressed, without a BOM; a file for a parser.

    Args:
        response: The answer.
        stop: Ends the reading.
        patience: Seconds for a row.
        when_read: Called whenever more has come.

    Raises:
        requests.Timeout: No whole row came for too long; see :attr:`has_row`.
        HiddenGzipError: It is compressed, and no header says so.
        Cancelled: The run was asked to end.
    """

    def __init__(
        self,
        response: requests.Response,
        stop: threading.Event,
        patience: float,
        when_read: Callable[[], None] = lambda: None,
    ) -> None:
        self._response = response
        self._stop = stop
        self._patience = patience
        self._when_read = when_read
        self._pushed_back = b""
        self._is_start = True
        self._deadline = 0.0
        #: Whoever finds a whole row sets it, and the deadline starts again with the next read: what
        #: a consumer does with its rows in between takes no time of Looker's.
        self.has_row = True

    def take_back(self, taken: bytes) -> None:
        """Put in front what was read; it comes again."""
        self._pushed_back = taken

    def peek(self) -> bytes:
        """The first bytes that are not white space, without consuming them."""
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
            raise Cancelled
        if self.has_row:
            self._deadline = time.monotonic() + self._patience
            self.has_row = False
        elif time.monotonic() > self._deadline:
            raise requests.Timeout("the answer takes too long to arrive")
        chunk = self._from_wire(size)
        self._when_read()
        if self._is_start and chunk:
            self._is_start = False
            while BOM.startswith(chunk[:3]) or GZIP.startswith(chunk):
                more = self._from_wire(len(BOM) - len(chunk)) if len(chunk) < len(BOM) else b""
                chunk += more
                if not more:
                    break
            if chunk.startswith(GZIP):
                raise HiddenGzipError("gzip without a header that says so")
            if chunk.startswith(BOM):
                return chunk[len(BOM) :] or self._from_wire(size)
        return chunk

    def _from_wire(self, size: int) -> bytes:
        chunk: bytes = self._response.raw.read1(size, decode_content=True)
        return chunk


def as_rows(data: Any, keys: tuple[str, ...], path: str) -> list[Row]:
    """The rows of an answer: a list of objects, or one object with its key.

    Raises:
        RequestError: It is neither; Looker's own message where it holds one.
    """
    rows = [data] if isinstance(data, dict) else data
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        for row in rows:
            if not keys or row.get(keys[0]) is None:
                check_error(row, f"GET {path}")
        if not rows or any(row.get(keys[0]) is not None for row in rows if keys):
            return rows
        if not keys and not any(row.keys() <= ERROR_KEYS for row in rows):
            return rows
    what = f"objects with {' and '.join(keys)}" if keys else "objects"
    raise BadResponseError(f"GET {path}: HTTP 200, but the answer holds no {what}.")


def decoded(what: str, body: bytes) -> Any:
    """JSON, even with half a surrogate pair, or bytes that are not UTF-8 (with a warning).

    NaN and Infinity, which databases have and JSON has not, come as texts.

    Raises:
        ValueError: It is not JSON, or not whole.
        RecursionError: It is nested too deeply.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = body.decode("utf-8", "replace")
        is_utf8 = "\ufffd" not in text or text.encode() == body
        data = json.loads(text, parse_constant=str, parse_float=float_or_text)
        if not is_utf8:
            logger.warning("%s: bytes of the answer that are not UTF-8 come as \ufffd.", what)
        return msgspec.json.decode(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))


def decode(what: str, response: requests.Response, body: bytes) -> ApiResponse:
    """The data of a good answer.

    Raises:
        RetriableError: It is a web page, or JSON that is broken or cut short.
    """
    if response.status_code == 204:  # noqa: PLR2004
        return ApiResponse(None, is_absent=True)
    try:
        data = decoded(what, body)
    except (ValueError, RecursionError) as error:
        is_page = body.lstrip()[:1] == b"<"
        found = "a web page" if is_page else "invalid or truncated JSON"
        raise RetriableError(
            BadResponseError(f"{what}: HTTP 200 with {found}{_title(body)}."),
            retries=MAX_FAULT_RETRIES if is_page else MAX_BODY_RETRIES,
        ) from error
    return ApiResponse(data, _total(response), _has_next(response))


def _total(response: requests.Response) -> int | None:
    total = response.headers.get("X-Total-Count", "")
    return int(total) if re.fullmatch("[0-9]{1,18}", total) else None


def _has_next(response: requests.Response) -> bool | None:
    return "next" in response.links if response.links else None


def check_whole(what: str, count: int, total: int | None, *, has_next: bool | None) -> None:
    """Make sure that a list for which no limit was asked is no page of a longer one.

    Raises:
        BadResponseError: Its headers say that it is.
    """
    if has_next or (total or 0) > count:
        of = f" of {total:,}" if total else ""
        raise BadResponseError(
            f"{what}: the answer holds {count:,} rows{of} and not the whole list, although no limit"
            " was asked for."
        )


def decode_or_file(what: str, response: requests.Response, body: Body) -> ApiResponse | IO[bytes]:
    """As `decode`, or the file that holds the body where it is a long list: checked to be whole.

    Raises:
        RetriableError: As `decode`.
        BadResponseError: It cannot be read, now or later.
    """
    is_list = body.peek()[:1] == b"["
    file = tempfile.SpooledTemporaryFile(MAX_BODY_IN_MEMORY)  # noqa: SIM115
    try:
        for chunk in iter(body.read, b""):
            file.write(chunk)
        response.raw.release_conn()
        size = file.tell()
        file.seek(0)
        if size < MAX_BODY_IN_MEMORY or not is_list:
            with file:
                return decode(what, response, file.read())
        count = sum(1 for _ in json_stream.items(file))
        check_whole(what, count, _total(response), has_next=_has_next(response))
        file.seek(0)
    except json_stream.BadListError as error:
        file.close()
        message = f"{what}: HTTP 200 with invalid or truncated JSON."
        raise RetriableError(BadResponseError(message)) from error
    except json_stream.OutsizeError as error:
        file.close()
        message = f"{what}: HTTP 200 with {error}, which cannot be read."
        raise BadResponseError(message) from error
    except BaseException:
        file.close()
        raise
    return file


def is_good(response: requests.Response) -> bool:
    """A 2xx, but not a part of an answer (206), as a cache on the way may send it."""
    status = response.status_code
    return 200 <= status < 300 and status != 206  # noqa: PLR2004


def failure(what: str, response: requests.Response, body: bytes) -> LookerError | RetriableError:
    """The error that an answer is, other than a good one or a 401."""
    status = response.status_code
    if status == 206:  # noqa: PLR2004
        return RequestError(f"{what}: HTTP 206, only a part of the answer.", status)
    if 300 <= status < 400:  # noqa: PLR2004
        found = re.match(r"\w+://([^/?#]+)", response.headers.get("Location", ""))
        to = f" to {one_line(found[1])}" if found else ""
        return RequestError(
            f"{what}: HTTP {status}, a redirect{to}, which is not followed.", status
        )
    message = f"{what}: HTTP {status}{_error_detail(body)}."
    is_lookers = has_lookers_form(body)
    if status in (403, 404, 405):
        return DeniedError(message, status, is_lookers=is_lookers)
    kind = TimedOutError if status in TIMEOUT_STATUSES else RequestError
    error = kind(message, status, is_lookers=is_lookers)
    if status == 500:  # noqa: PLR2004
        return RetriableError(error, retries=MAX_FAULT_RETRIES, after=retry_after(response))
    if status in PASSING_STATUSES:
        return RetriableError(error, after=retry_after(response))
    return error


def refusal(what: str, response: requests.Response, body: bytes) -> RequestError:
    """The error that a 401 is."""
    detail = _error_detail(body)
    wanted = one_line(response.headers.get("WWW-Authenticate", ""))
    if wanted and not detail:
        detail = f": WWW-Authenticate: {wanted}"
    return RequestError(f"{what}: HTTP 401{detail}.", 401, is_lookers=has_lookers_form(body))


def network_failure(what: str, base_url: str, error: Exception) -> LookerError | RetriableError:
    """The error that a connection, or the lack of one, is."""
    message = f"{what}: {network_message(base_url, error)}."
    if isinstance(error, HiddenGzipError):
        return RetriableError(BadResponseError(message), retries=MAX_FAULT_RETRIES)
    if _is_mismatch(error):
        return RequestError(message)
    timed_out = isinstance(error, (requests.Timeout, urllib3.exceptions.ReadTimeoutError))
    timed_out = timed_out and not isinstance(error, requests.ConnectTimeout)
    return RetriableError(TimedOutError(message) if timed_out else RequestError(message))


def check_error(row: Row, what: str) -> None:
    """A 200 can hold an error in place of a row.

    Raises:
        QueryError: With Looker's message.
    """
    if row.get("looker_error") or ("documentation_url" in row and row.get("message")):
        raise QueryError(f"{what}: Looker says: {error_message(row)}.")


def with_name(data: Any, scalar: str) -> Any:
    """Plain values as objects."""
    return [{scalar: value} for value in data] if scalar and isinstance(data, list) else data


def segment(value: Any) -> str:
    """A value as one segment of a path, whatever it holds (``model::name``, slashes).

    Raises:
        RequestError: No path can hold it: "", "." and ".." lead elsewhere.
    """
    text = str(value)
    if text in ("", ".", ".."):
        raise DeniedError(f'"{text}" cannot be used in a URL path.', 404)
    return quote(text, safe="")


def retry_after(response: requests.Response) -> float | None:
    """Seconds that the header asks to wait, given in seconds or as a date."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _is_mismatch(error: Exception) -> bool:
    """The two sides cannot speak TLS with each other, today or tomorrow."""
    text = str(error).lower()
    is_tls = isinstance(error, (requests.exceptions.SSLError, urllib3.exceptions.SSLError))
    return "certificate" in text or (is_tls and not any(sign in text for sign in PASSING_TLS))


def network_message(base_url: str, error: Exception) -> str:
    """What went wrong with a connection, and what to do about it."""
    host = urlsplit(base_url).netloc
    text = str(error)
    if isinstance(error, HiddenGzipError):
        return HIDDEN_GZIP
    is_tls = isinstance(error, requests.exceptions.SSLError)
    if is_tls or "certificate" in text.lower():
        return _tls_message(host, text)
    if isinstance(error, requests.exceptions.ProxyError):
        return f"the proxy of this machine cannot reach {host}: check HTTPS_PROXY and NO_PROXY"
    if isinstance(error, requests.ConnectTimeout):
        return f"{host} does not accept connections: check the port of api_host_url"
    if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError)):
        return f"{host} did not answer in time (setting request_timeout)"
    if "NameResolution" in text or "getaddrinfo" in text:
        return f"the host {host} is not known: check api_host_url"
    if "refused" in text:
        return f"{host} refuses the connection: check the port of api_host_url"
    if isinstance(
        error, (requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError)
    ):
        return "the answer is not compressed as its header says"
    return "the connection broke off"


def has_lookers_form(body: bytes) -> bool:
    """Whether an error comes from Looker: an object with a message and where it is explained.

    Component Error of the OpenAPI document; Looker's pages say so in their title. Gateways answer
    with a message alone.
    """
    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "looker" in _title(body).lower()
    return isinstance(data, dict) and {"message", "documentation_url"} <= data.keys()


def _tls_message(host: str, text: str) -> str:
    said = text.lower()
    if "alert" in said and re.search("certificate|unknown.ca", said):  # the other side's words
        return (
            f"{host} asks for a client certificate, or does not accept the one it gets: set "
            "client_cert (and client_cert_key)"
        )
    if "certificate" in said:
        reason = re.search(r"certificate verify failed: ([^(\"']+)", text)
        return (
            f"the certificate of {host} cannot be trusted"
            f" ({one_line(reason[1]) if reason else 'TLS'}): set ca_bundle to the CA that signed"
            " it, or have it renewed"
        )
    wanted = ", or set client_cert if it asks for a client certificate"
    more = wanted if "handshake failure" in said or "eof occurred" in said else ""
    return f"{host} does not speak TLS as expected: check the port of api_host_url{more}"


def _error_detail(body: bytes) -> str:
    """What an error body says: Looker's JSON, a page's title, or a text."""
    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _title(body) or _text(body)
    said = error_message(data) if isinstance(data, dict) else ""
    return f": {said}" if said else ""


def error_message(data: Row) -> str:
    """What an object of Looker's says went wrong, on one line; "" if nothing did."""
    errors = data.get("errors")
    details = [
        ": ".join(_said(error[name]) for name in DETAILS if error.get(name))
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    ]
    first = data.get("looker_error") or data.get("message") or data.get("error") or ""
    return one_line("; ".join(filter(None, [_said(first), *details])))


def _said(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _title(body: bytes) -> str:
    found = re.search(rb"<title[^>]*>([^<]*)", body[:10_000], re.IGNORECASE)
    title = one_line(html.unescape(found[1].decode("utf-8", "replace"))) if found else ""
    return f" ({title})" if title else ""


def _text(body: bytes) -> str:
    """What a page without a title says, or a line of plain text."""
    text = re.sub(rb"(?is)<(script|style).*?</\1>|<[^>]*>", b" ", body[:10_000])
    said = one_line(html.unescape(text.decode("utf-8", "replace")))
    return f": {said}" if said and said.isprintable() else ""


def one_line(text: str) -> str:
    """A text of Looker's for a message of ours: on one line, not too long, without its period."""
    text = re.sub(r"[\s\x00-\x1f\x7f]+", " ", text).strip().rstrip(".")
    return text if len(text) <= MAX_ERROR_DETAIL else text[:MAX_ERROR_DETAIL] + "…"
