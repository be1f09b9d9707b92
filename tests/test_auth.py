"""One login for a run, renewed in time, ended at the end; and what is said when there is none."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qsl

import pytest
import requests
import urllib3
from support import entries, finished, selecting

from looker_emulator import Emulator, Fault
from tap_looker.errors import LoginError, RequestError
from tap_looker.looker import auth
from tap_looker.looker.auth import LookerAuth
from tap_looker.looker.response import ApiResponse, network_failure
from tap_looker.looker.retry import RetriableError


def ended_in_one_line(run) -> str:
    """The error of a run that could not begin: one line, and nothing for a target."""
    assert run.exit_code == 1, run.stderr
    assert run.stdout == ""
    assert "Traceback" not in run.stderr
    (error,) = run.errors
    assert run.stderr.rstrip().endswith(error)
    return error


# ---------------------------------------------------------------------------------------- one login


@pytest.mark.parametrize("concurrency", [1, 8, 64])
def test_one_login_however_many_threads(runner_of, concurrency):
    with Emulator(latency_ms=10, login_latency_ms=50) as emulator:
        runner_of(emulator)(concurrency=concurrency).succeeded()
        assert emulator.count("/login") == 1
        assert emulator.count("/logout", "DELETE") == 1
        login, *calls, logout = emulator.calls
        assert (login.path, logout.path) == ("/login", "/logout")
        assert {call.token for call in calls} == {logout.token}
        assert all(call.started >= login.ended for call in calls)


def test_credentials_travel_in_the_form_body_alone(runner_of):
    with Emulator(client_id="an id", client_secret="s&cret=+%/ü") as emulator:
        runner_of(emulator)(catalog=selecting("users")).succeeded()
        login, *others = emulator.calls
    assert dict(parse_qsl(login.body)) == {"client_id": "an id", "client_secret": "s&cret=+%/ü"}
    assert login.headers["content-type"] == "application/x-www-form-urlencoded"
    assert "authorization" not in login.headers
    assert login.query == {}
    assert [call.body for call in others] == [""] * len(others)


def test_the_netrc_of_the_user_is_not_sent(run, emulator, tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password mine\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    run(catalog=selecting("users")).succeeded()
    schemes = {call.headers.get("authorization", "").partition(" ")[0] for call in emulator.calls}
    assert schemes == {"", "Bearer"}


# ------------------------------------------------------------------------------------------ renewal


def test_the_token_is_renewed_before_it_expires(runner_of, clean):
    with Emulator(token_lifetime=1, latency_ms=50) as emulator:
        run = runner_of(emulator)(concurrency=1).succeeded()
        assert run.records == clean.records
        assert emulator.count("/login") > 1
        assert 401 not in {call.status for call in emulator.calls}
        assert emulator.max_in_flight == 1


@pytest.mark.parametrize("kind", ["revoke", "unauthorized"])
@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_token_refused_in_the_middle_is_replaced_once(run, emulator, clean, kind, concurrency):
    fault = emulator.add_fault(Fault(kind, "/folders/search"))
    result = run(concurrency=concurrency).succeeded()
    assert result.records == clean.records
    assert fault.fired == 1
    assert emulator.count("/login") == 2
    assert emulator.count("/folders/search") == 2
    assert emulator.count("/logout", "DELETE") == 1


def test_a_request_that_is_refused_again_has_failed(run, emulator):
    emulator.add_fault(Fault("unauthorized", "/users/search", times=None))
    result = run(catalog=selecting("users", "roles"))
    assert result.exit_code == 1
    assert result.records.keys() == {"roles"}
    assert emulator.count("/users/search") == 2
    assert any("401" in error for error in result.errors)


@pytest.mark.parametrize("concurrency", [1, 8])
def test_tokens_that_are_refused_at_once_end_the_run(run, emulator, concurrency):
    """As behind a proxy that strips the Authorization header."""
    emulator.add_fault(Fault("unauthorized", "*", method="GET", times=None))
    emulator.add_fault(Fault("unauthorized", "/queries/*", times=None))
    result = run(catalog=selecting(*entries()), concurrency=concurrency)
    assert result.exit_code == 1
    assert result.schemas == result.records == {}
    (error,) = result.errors
    assert "Authorization header" in error
    assert "/api/4.0/login" in error
    assert emulator.count("/login") == 2
    assert len(emulator.calls) <= 2 * concurrency + 4
    (cost,) = [line for line in result.log("INFO") if line.startswith("Cost: ")]
    counted = sum(int(count) for count in re.findall(r"[0-9]+", cost))
    assert counted == len(emulator.calls) - 1, "all but the logout"
    assert emulator.count("/logout", "DELETE") == 1


def test_tokens_that_are_refused_from_some_time_on(run, emulator, clean):
    """What was read until then is kept, and every other stream is named."""
    emulator.add_fault(Fault("unauthorized", "*", method="GET", after=12, times=None))
    result = run(concurrency=1)
    assert result.exit_code == 1
    assert 0 < len(result.records) < len(clean.records)
    assert emulator.count("/login") == 3
    failed = [line for line in result.errors if line.startswith("Failed ")]
    assert any("Authorization header" in line for line in failed)
    assert len(failed) + len(result.schemas) >= len(clean.records)


def test_one_request_whose_tokens_are_always_refused_is_not_the_end(run, emulator, clean):
    emulator.add_fault(Fault("unauthorized", "/dashboard_elements/search", times=None))
    result = run(catalog=selecting("dashboard_elements", "users", "versions"), concurrency=1)
    assert result.exit_code == 1
    assert result.records["users"] == clean.records["users"]
    assert any(line.startswith("Failed dashboard_elements") for line in result.errors)
    emulator.reset_calls()
    result = run(catalog=selecting("dashboard_elements"), concurrency=1)
    assert result.errors[0].startswith("Failed dashboard_elements: GET /dashboard_elements/search")
    assert emulator.count("/login") == 2
    assert emulator.count("/user") == 1, "it tells that the token is good"


class Clock:
    """A login that hands out numbered tokens, at times of the test's choosing."""

    def __init__(self, monkeypatch, **grant):
        self.now = 1000.0
        self.logins = 0
        self.grant = grant
        monkeypatch.setattr(auth, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.auth = LookerAuth(self.post_login, "https://looker.example/api/4.0/login")

    def post_login(self):
        self.logins += 1
        return ApiResponse({"access_token": f"token-{self.logins}", **self.grant})

    def token_after(self, seconds):
        self.now += seconds
        return self.auth.token()


@pytest.mark.parametrize("expires_in", [3600, "3600", 3600.5])
def test_expiry_is_what_looker_says(monkeypatch, expires_in):
    clock = Clock(monkeypatch, expires_in=expires_in)
    assert clock.token_after(0) == "token-1"
    assert clock.token_after(3500) == "token-1"
    assert clock.token_after(99) == "token-2", "a margin before its end"
    assert clock.token_after(3500) == "token-2"


def test_a_short_token_is_used_for_most_of_its_life(monkeypatch):
    clock = Clock(monkeypatch, expires_in=10)
    assert [clock.token_after(8.5), clock.token_after(8.5)] == ["token-1", "token-1"]
    assert clock.token_after(1) == "token-2"


@pytest.mark.parametrize("grant", [{}, *({"expires_in": odd} for odd in (0, -1, None, "soon", []))])
def test_a_token_without_a_usable_expiry_is_used_until_it_is_refused(monkeypatch, grant):
    clock = Clock(monkeypatch, **grant)
    assert [clock.token_after(0), clock.token_after(86400)] == ["token-1", "token-1"]
    clock.auth.forget("token-1")
    assert clock.token_after(0) == "token-2"


def test_only_the_refused_token_is_forgotten(monkeypatch):
    clock = Clock(monkeypatch, expires_in=3600)
    clock.token_after(0)
    assert clock.auth.forget("token-1") is False
    assert clock.auth.forget("token-1") is True, "another thread has seen to it"
    clock.token_after(0)
    assert clock.auth.forget("token-1") is True
    assert clock.token_after(0) == "token-2"


def test_threads_wait_for_the_one_that_logs_in():
    begun, go_on, logins = threading.Event(), threading.Event(), []

    def post_login():
        logins.append(1)
        begun.set()
        assert go_on.wait(10)
        return ApiResponse({"access_token": "token", "expires_in": 60})

    shared = LookerAuth(post_login, "https://looker.example")
    tokens = []
    threads = [threading.Thread(target=lambda: tokens.append(shared.token())) for _ in range(32)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert tokens == ["token"] * 32
    assert logins == [1]


def test_a_wrong_key_is_sent_once():
    logins = []

    def post_login():
        logins.append(1)
        raise RequestError("POST /login: HTTP 404: Not found.", 404, is_lookers=True)

    shared = LookerAuth(post_login, "https://looker.example")
    for _ in range(3):
        with pytest.raises(LoginError):
            shared.token()
    assert logins == [1]


# ---------------------------------------------------------------------------------- no login at all


@pytest.mark.parametrize("html", [False, True], ids=["json", "html"])
def test_wrong_credentials(runner_of, html):
    with Emulator(html_404=html) as emulator:
        error = ended_in_one_line(runner_of(emulator)(client_secret="wrong"))
        assert emulator.count("/login") == len(emulator.calls) == 1
    for hint in (
        "client_id",
        "client_secret",
        "API Keys",
        "Service Accounts",
        "Account page",
        "404",
    ):
        assert hint in error
    assert "wrong" not in error.replace("wrong key", "")


def test_credentials_refused_with_a_401(run, emulator):
    emulator.add_fault(Fault("unauthorized", "/login", times=None))
    # In a process of its own: a run that waited for itself would never end.
    error = ended_in_one_line(finished(run.start(), timeout=20))
    assert "client_secret" in error


@pytest.mark.usefixtures("_quick_retries")
def test_a_port_that_nobody_listens_at(run):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    error = ended_in_one_line(run(api_host_url=f"http://127.0.0.1:{port}"))
    assert f"127.0.0.1:{port}" in error
    assert "refuses the connection" in error
    assert "port of api_host_url" in error


@pytest.mark.usefixtures("_quick_retries")
def test_a_host_that_does_not_exist(run):
    error = ended_in_one_line(run(api_host_url="https://looker.invalid"))
    assert "looker.invalid" in error
    assert "api_host_url" in error


@pytest.mark.usefixtures("_quick_retries")
@pytest.mark.parametrize("status", [200, 403])
def test_a_page_of_something_in_between(run, emulator, status):
    page = "<html><head><title>Log in to Proxy &amp; Co</title></head></html>"
    emulator.add_fault(Fault("status", "/login", times=None, status=status, html=page))
    error = ended_in_one_line(run())
    assert "Log in to Proxy & Co" in error
    assert "not the Looker API" in error
    assert "api_host_url" in error


def test_json_that_is_no_login(run, emulator):
    emulator.add_fault(Fault("status", "/login", status=200, json={"status": "ok"}))
    error = ended_in_one_line(run())
    assert "access token" in error
    assert "api_host_url" in error


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(run, emulator, status):
    with Emulator() as elsewhere:
        target = f"{elsewhere.url}/api/4.0/login"
        emulator.add_fault(Fault("redirect", "/login", times=None, status=status, location=target))
        error = ended_in_one_line(run())
        assert elsewhere.calls == []
    assert [call.method for call in emulator.calls] == ["POST"]
    assert "redirect" in error
    assert elsewhere.url.removeprefix("http://") in error


def test_a_redirect_in_the_middle_is_not_followed(run, emulator):
    with Emulator() as elsewhere:
        location = f"{elsewhere.url}/api/4.0/users/search"
        emulator.add_fault(Fault("redirect", "/users/search", times=None, location=location))
        result = run(catalog=selecting("users", "roles"))
        assert elsewhere.calls == []
    assert result.exit_code == 1
    assert result.records.keys() == {"roles"}


@pytest.mark.usefixtures("_quick_retries")
def test_a_login_that_fails_now_and_then_is_tried_again(run, emulator, clean):
    emulator.add_fault(Fault("status", "/login", status=503))
    emulator.add_fault(Fault("reset_before", "/login"))
    assert run().succeeded().records == clean.records
    assert emulator.count("/login") == 3


@pytest.mark.usefixtures("_quick_retries")
def test_a_login_that_always_fails_is_given_up(run, emulator):
    emulator.add_fault(Fault("status", "/login", times=None, status=503))
    error = ended_in_one_line(run())
    assert "503" in error
    assert 1 < emulator.count("/login") < 10
    assert {call.path for call in emulator.calls} == {"/login"}


def test_a_traceback_where_the_log_level_asks_for_it(run, monkeypatch):
    monkeypatch.setenv("TAP_LOOKER_LOGLEVEL", "DEBUG")
    result = run(client_secret="wrong")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr


# ---------------------------------------------------------------------------------------------- TLS


def openssl(*arguments, folder):
    command = shutil.which("openssl")
    if not command:
        pytest.skip("needs the openssl command")
    subprocess.run([command, *arguments], cwd=folder, check=True, capture_output=True)


CA_CONFIG = """
[ca]
default_ca = any
[any]
database = index.txt
serial = serial.txt
new_certs_dir = .
default_md = sha256
policy = policy
x509_extensions = extensions
[policy]
commonName = supplied
[extensions]
subjectAltName = IP:127.0.0.1
"""


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """A certificate that signed itself, good for 127.0.0.1; and one that expired long ago."""
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "ca.conf").write_text(CA_CONFIG)
    (folder / "index.txt").touch()
    (folder / "serial.txt").write_text("01\n")
    new = ["-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-subj", "/CN=127.0.0.1"]
    openssl("req", *new, "-out", "request.pem", folder=folder)
    for name, end in (("good", "20491231000000Z"), ("expired", "20200102000000Z")):
        period = ["-startdate", "20200101000000Z", "-enddate", end]
        signing = ["-selfsign", "-keyfile", "key.pem", "-in", "request.pem", "-notext", "-batch"]
        openssl("ca", "-config", "ca.conf", *signing, *period, "-out", f"{name}.pem", folder=folder)
        (folder / "index.txt").write_text("")
    return folder


@contextmanager
def https(certificates, name):
    """A server behind a certificate, which knows no API key."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_error(404)

        def log_message(self, *_):
            pass

    class Server(HTTPServer):
        def handle_error(self, *_):
            """Clients that hang up are what this is about."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / f"{name}.pem", certificates / "key.pem")
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_certificate_that_nobody_vouches_for(run, certificates):
    with https(certificates, "good") as url:
        error = ended_in_one_line(run(api_host_url=url))
    assert url.removeprefix("https://") in error
    assert "certificate" in error
    assert "ca_bundle" in error


def test_a_certificate_that_ca_bundle_vouches_for(run, certificates):
    with https(certificates, "good") as url:
        bundle = str(certificates / "good.pem")
        error = ended_in_one_line(run(api_host_url=url, ca_bundle=bundle))
    assert "HTTP 404" in error, "the connection stands"


def test_a_certificate_that_the_environment_vouches_for(run, certificates, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates / "good.pem"))
    with https(certificates, "good") as url:
        error = ended_in_one_line(run(api_host_url=url))
    assert "HTTP 404" in error


def test_a_certificate_that_has_expired(run, certificates):
    with https(certificates, "expired") as url:
        bundle = str(certificates / "expired.pem")
        error = ended_in_one_line(run(api_host_url=url, ca_bundle=bundle))
    assert "expired" in error


def test_a_port_that_does_not_speak_tls(run, emulator):
    result = run(api_host_url=emulator.url.replace("http:", "https:"))
    error = ended_in_one_line(result)
    assert "TLS" in error
    assert "port of api_host_url" in error
    assert not any("Trying again" in line for line in result.warnings)


@pytest.mark.parametrize(
    ("says", "passes"),
    [
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", False),
        ("[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version", False),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", False),
        ("hostname '10.0.0.1' doesn't match 'looker.example' (certificate)", False),
        ("The handshake operation timed out", True),
        ("EOF occurred in violation of protocol (_ssl.c:1006)", True),
        ("[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] bad record mac", True),
    ],
)
@pytest.mark.parametrize("kind", [requests.exceptions.SSLError, urllib3.exceptions.SSLError])
def test_what_of_tls_may_pass(kind, says, passes):
    found = network_failure("GET /user", "https://looker.example", kind(says))
    assert isinstance(found, RetriableError) is passes


# ------------------------------------------------------------------------------------------- logout


def test_logged_out_after_streams_that_failed(run, emulator):
    for name in ("users", "looks", "dashboards"):
        emulator.add_fault(Fault("denied", f"/{name}/search", times=None))
    assert run().exit_code == 1
    assert emulator.count("/logout", "DELETE") == 1
    assert emulator.calls[-1].path == "/logout"


@pytest.mark.usefixtures("_served_streams_alone")
def test_logged_out_after_a_trial(run, emulator):
    run("--test")
    assert emulator.count("/logout", "DELETE") == emulator.count("/login") == 1


def test_no_logout_without_a_login(run, emulator):
    run(client_secret="wrong")
    assert emulator.count("/logout") == 0


@pytest.mark.parametrize("kind", ["denied", "reset_before", "html"])
def test_a_logout_that_fails_is_nobodys_business(run, emulator, clean, kind):
    fault = emulator.add_fault(Fault(kind, "/logout", times=None))
    assert run().succeeded().records == clean.records
    assert fault.fired == 1


def test_the_user_agent_names_the_tap(run, emulator):
    run(catalog=selecting("users")).succeeded()
    assert {call.headers["user-agent"].partition("/")[0] for call in emulator.calls} == {
        "tap-looker"
    }
    emulator.reset_calls()
    run(catalog=selecting("users"), user_agent="crawler of Ada").succeeded()
    assert {call.headers["user-agent"] for call in emulator.calls} == {"crawler of Ada"}
