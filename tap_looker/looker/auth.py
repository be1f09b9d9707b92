"""One login for the whole run, shared by all threads."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from requests.auth import AuthBase

from tap_looker.errors import BadResponseError, LoginError, RequestError, TokenError

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest

    from tap_looker.looker.response import ApiResponse

WHERE_KEYS_ARE = (
    "Admin → Users → Service Accounts → Edit User → API Keys; before Looker 26.8, Admin → Users → "
    "Edit → API Keys; on Looker (Google Cloud core), also your own Account page"
)
WHERE_HOST_IS = "Admin → Platform → API"
WANT_CERTIFICATE = frozenset((400, 401, 403, 495, 496))  # the last two are nginx's own
MAX_REFUSED = 2  # logins in a row whose tokens are refused before any request succeeds
MAX_MARGIN = 60.0  # seconds before its expiry that a token is renewed


class _Grant(NamedTuple):
    token: str
    renew_at: float  # on the monotonic clock


class LookerAuth(AuthBase):
    """Puts the bearer token of one API login on requests; logs in when there is none.

    The token is renewed before it expires (``expires_in`` of ``POST /login``, OpenAPI document:
    AccessToken). Where Looker names no usable expiry, a token is used until it is refused.

    Args:
        post_login: Sends the credentials in the form body of ``POST /login``.
        login_url: For the messages.
        is_refused: Whether a harmless request with a token is refused.

    Raises:
        LoginError: From any request, and from then on from every one: a wrong key is sent once.
    """

    def __init__(
        self,
        post_login: Callable[[], ApiResponse],
        login_url: str,
        is_refused: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._post_login = post_login
        self._url = login_url
        self._is_refused = is_refused
        self._refused = 0
        self._was_accepted = False
        self._lock = threading.Lock()
        self._grant: _Grant | None = None
        self._refusal: LoginError | None = None
        #: The newest token, whether or not it was refused since: what a logout ends.
        self.last: str | None = None

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Authorise a request, with a login first if need be."""
        request.headers["Authorization"] = f"Bearer {self.token()}"
        return request

    def token(self) -> str:
        """A token that is good for now; other threads wait while one logs in."""
        with self._lock:
            if self._refusal:
                raise self._refusal
            if self._grant is None or time.monotonic() >= self._grant.renew_at:
                try:
                    self._grant = self._login()
                except LoginError as error:
                    self._refusal = error
                    raise
            return self._grant.token

    def forget(self, refused: str) -> bool:
        """Let the next request log in, unless another thread has seen to it; whether that is so.

        Raises:
            LoginError: Nothing but refusals comes of logging in.
        """
        with self._lock:
            if self._refusal:
                raise self._refusal
            if self._grant is None or self._grant.token != refused:
                return True
            self._refused += 1
            if self._refused >= MAX_REFUSED:
                # Tokens were accepted before: these two may have been revoked, a new one is not.
                self._grant = self._login() if self._was_accepted else self._grant
                if self._is_refused(self._grant.token):  # not only by what was asked for
                    kind = LoginError if self._was_accepted else TokenError
                    self._refusal = kind(
                        f"Looker refuses every token that POST {self._url} has just issued (HTTP"
                        " 401): something between the tap and Looker probably removes or replaces"
                        " the Authorization header. Have the proxy or gateway pass it on unchanged."
                    )
                    raise self._refusal
                self._refused = 0
                return False
            self._grant = None
            return False

    def accepted(self) -> None:
        """A request with a token was not refused."""
        self._refused, self._was_accepted = 0, True

    def _login(self) -> _Grant:
        try:
            answer = self._post_login()
        except RequestError as error:
            raise LoginError(self._explain(error)) from error
        grant = answer.data
        token = grant.get("access_token") if isinstance(grant, dict) else None
        if not isinstance(token, str) or not re.fullmatch(r"[\x20-\x7e]*[\x21-\x7e]", token):
            raise LoginError(
                f"POST {self._url} answered without an access token: check that api_host_url is "
                f"the address of the API ({WHERE_HOST_IS})."
            )
        self.last = token
        return _Grant(token, time.monotonic() + _lifetime(grant.get("expires_in")))

    def _explain(self, error: RequestError) -> str:
        status = error.status
        if status in (401, 404) and error.is_lookers:
            return (
                f"Looker does not accept the API key (HTTP {status} from POST {self._url}, which "
                "is how Looker answers a wrong key): check that api_host_url is the address of the "
                f"API ({WHERE_HOST_IS}), and check client_id and client_secret. Where keys are: "
                f"{WHERE_KEYS_ARE}."
            )
        if status == 403 and error.is_lookers:  # noqa: PLR2004
            return f"{error.message} Looker itself denies the login: ask its admin why."
        if status in WANT_CERTIFICATE and "certificate" in error.message.lower():
            return (
                f"{error.message} {urlsplit(self._url).netloc} asks for a client certificate: set "
                "client_cert (and client_cert_key)."
            )
        is_redirect = status is not None and 300 <= status < 400  # noqa: PLR2004
        if isinstance(error, BadResponseError) or is_redirect or status in (401, 403, 404, 407):
            host = urlsplit(self._url).netloc
            return (
                f"{error.message} That is not the Looker API: check api_host_url, its port too "
                f"(some instances take :19999), and what stands before {host}, such as a proxy or "
                f"a login page ({WHERE_HOST_IS} shows the address). A proxy that wants a header of "
                "its own gets it from the setting http_headers."
            )
        return error.message


def _lifetime(expires_in: Any) -> float:
    try:
        seconds = float(expires_in)
    except (TypeError, ValueError, OverflowError):
        return float("inf")
    if not seconds > 0:
        return float("inf")
    return seconds - min(MAX_MARGIN, seconds / 10)
