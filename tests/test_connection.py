"""What stands between the tap and Looker: proxies, headers, certificates."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import shutil
import ssl
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from support import run_cli, selecting

from looker_emulator import Fault
from tap_looker.looker.response import Body

pytestmark = pytest.mark.usefixtures("_quick_retries")


def ended_in_one_line(run):
    assert run.exit_code == 1
    assert run.stdout == ""
    assert "Traceback" not in run.stderr
    (error,) = run.errors
    return error


# --------------------------------------------------------------------------- who refuses the login

NOT_LOOKER = {
    "an identity proxy": (401, {"html": "<html><title>Sign in - Corp SSO</title></html>"}),
    "an ingress": (404, {"html": "default backend - 404"}),
    "a page without a title": (
        404,
        {"html": "<html><style>a{}</style><h1>No such host</h1></html>"},
    ),
    "a gateway": (403, {"json": {"message": "Missing API key at the gateway"}}),
    "another gateway": (404, {"json": {"message": "no Route matched with those values"}}),
    "IAP": (401, {"html": "Invalid IAP credentials: empty token"}),
    "HTTP authentication": (
        401,
        {"html": "", "headers": {"www-authenticate": 'Basic realm="Corp intranet"'}},
    ),
}
SAYS = {
    "an identity proxy": "Sign in - Corp SSO",
    "an ingress": "default backend - 404",
    "a page without a title": "No such host",
    "a gateway": "Missing API key at the gateway",
    "another gateway": "no Route matched with those values",
    "IAP": "Invalid IAP credentials: empty token",
    "HTTP authentication": 'Basic realm="Corp intranet"',
}


@pytest.mark.parametrize("kind", NOT_LOOKER)
def test_what_stands_before_looker_is_not_called_a_wrong_key(run, emulator, kind):
    status, answer = NOT_LOOKER[kind]
    emulator.add_fault(Fault("status", "/login", times=None, status=status, **answer))
    error = ended_in_one_line(run())
    assert SAYS[kind] in error
    assert f"HTTP {status}" in error
    assert "not the Looker API" in error
    assert "http_headers" in error
    assert "client_secret" not in error
    assert emulator.count("/login") == 1


def test_lookers_own_403_is_lookers(run, emulator):
    body = {"message": "Permission Denied", "documentation_url": "https://looker.example/docs"}
    emulator.add_fault(Fault("status", "/login", times=None, status=403, json=body))
    error = ended_in_one_line(run())
    assert "Permission Denied" in error
    assert "not the Looker API" not in error


def test_an_error_in_plain_text_is_passed_on_later_too(run, emulator):
    emulator.add_fault(
        Fault("status", "/users/search", times=None, status=400, html="upstream says no")
    )
    result = run(catalog=selecting("users"))
    assert any("upstream says no" in error for error in result.errors)


# ---------------------------------------------------------------------------------- their headers

HEADERS = {"Proxy-Authorization": "Bearer iap-secret-token", "X-Team": "data-extraction"}


def test_headers_of_the_settings_go_with_every_request(run, emulator):
    run(catalog=selecting("users"), http_headers=HEADERS).succeeded()
    assert {call.path for call in emulator.calls} >= {"/login", "/users/search", "/logout"}
    for call in emulator.calls:
        assert call.headers["proxy-authorization"] == HEADERS["Proxy-Authorization"]
        assert call.headers["x-team"] == HEADERS["X-Team"]
        assert call.headers["user-agent"].startswith("tap-looker/")


def test_headers_are_secret(run, emulator, monkeypatch):
    monkeypatch.setenv("TAP_LOOKER_LOGLEVEL", "DEBUG")
    echo = f"You sent {HEADERS['Proxy-Authorization']} and iap-secret-token"
    emulator.add_fault(Fault("status", "/users/search", times=None, status=400, html=echo))
    result = run(catalog=selecting("users"), http_headers=HEADERS)
    assert "You sent ***" in result.stderr
    assert "iap-secret-token" not in result.stderr + result.stdout


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Authorization": "Bearer secretive"}, "Authorization is set by the tap itself"),
        ({"host": "secretive"}, "host is set by the tap itself"),
        ({"X A": "secretive"}, "the name of a header"),
        ({"": "secretive"}, "the name of a header"),
        ({"X-A": "secretive\nX-B: 1"}, "the value of X-A must be plain ASCII text on one line"),
        ({"X-A": ""}, "the value of X-A must be"),
        ({"X-A": 7}, "http_headers.X-A: must be text"),
        ("secretive", "http_headers: must be an object"),
        (["secretive"], "http_headers: must be an object"),
    ],
)
def test_headers_that_cannot_be_sent(run, emulator, headers, reason):
    result = run(http_headers=headers)
    assert result.exit_code == 1
    assert reason in result.stderr
    assert "secretive" not in result.stderr
    assert not emulator.calls


def test_headers_in_the_environment(emulator, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    values = {
        "API_HOST_URL": emulator.url,
        "CLIENT_ID": emulator.client_id,
        "CLIENT_SECRET": emulator.client_secret,
        "HTTP_HEADERS": json.dumps(HEADERS),
    }
    for name, value in values.items():
        monkeypatch.setenv(f"TAP_LOOKER_{name}", value)
    catalog = tmp_path / "catalog.json"
    catalog.write_text(json.dumps(selecting("themes")))
    run_cli("--config=ENV", "--catalog", str(catalog)).succeeded()
    assert {call.headers["x-team"] for call in emulator.calls} == {HEADERS["X-Team"]}


# ---------------------------------------------------------------------------- files of certificates


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Two certificates for 127.0.0.1 that vouch for themselves, with their keys, in many forms."""
    command = shutil.which("openssl")
    if not command:
        pytest.skip("needs the openssl command")
    folder = tmp_path_factory.mktemp("files")

    def openssl(*arguments):
        subprocess.run([command, *arguments], cwd=folder, check=True, capture_output=True)

    for name in ("one", "two"):
        openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650"),
            *("-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", f"{name}.key", "-out", f"{name}.pem"),
        )
    openssl("x509", "-in", "one.pem", "-outform", "der", "-out", "one.der")
    openssl("pkey", "-in", "one.key", "-aes256", "-passout", "pass:x", "-out", "locked.key")
    both = (folder / "one.pem").read_text() + (folder / "one.key").read_text()
    (folder / "both.pem").write_text(both)
    (folder / "empty.pem").write_text("\n")
    (folder / "text.pem").write_text("Dear colleague, please find attached\n")
    lines = (folder / "one.pem").read_text().splitlines()
    (folder / "damaged.pem").write_text("\n".join([lines[0], *lines[5:]]))
    (folder / "nothing").mkdir()
    return folder


BUNDLES = {
    "missing.pem": "there is no file or folder",
    "one.der": "is in DER, not PEM",
    "empty.pem": "is empty",
    "text.pem": "holds no certificate in PEM",
    "one.key": "holds a private key and no certificate",
    "damaged.pem": "is damaged",
    "nothing": "openssl rehash",
}


@pytest.mark.parametrize("name", BUNDLES)
@pytest.mark.parametrize("source", ["ca_bundle", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_what_is_wrong_with_a_bundle(run, files, monkeypatch, name, source):
    path = str(files / name)
    settings = {"api_host_url": "https://127.0.0.1:9"}
    if source == "ca_bundle":
        settings[source] = path
    else:
        monkeypatch.setenv(source, path)
    result = run(**settings)
    error = ended_in_one_line(result)
    assert BUNDLES[name] in error
    assert path in error
    assert source in error


def test_a_bundle_of_the_environment_does_not_count_beside_the_setting(run, files, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(files / "missing.pem"))
    error = ended_in_one_line(
        run(api_host_url="https://127.0.0.1:9", ca_bundle=str(files / "one.pem"))
    )
    assert "refuses the connection" in error


CLIENTS = {
    ("missing.pem", None): "there is no file",
    ("one.pem", None): "give its file as client_cert_key",
    ("one.pem", "one.pem"): "holds no private key",
    ("one.pem", "two.key"): "is not that of the certificate",
    ("one.pem", "locked.key"): "is encrypted",
    ("one.key", None): "holds a private key and no certificate",
    ("one.der", "one.key"): "is in DER",
    (None, "one.key"): "client_cert, the file of the certificate, is missing",
}


@pytest.mark.parametrize(("certificate", "key"), CLIENTS)
def test_what_is_wrong_with_a_client_certificate(run, files, certificate, key):
    given = {"client_cert": certificate, "client_cert_key": key}
    settings = {name: str(files / value) for name, value in given.items() if value}
    error = ended_in_one_line(run(**settings))
    assert CLIENTS[certificate, key] in error
    assert "client_cert" in error


@contextmanager
def wants_certificate(files, version):
    """A server that takes no client but one with a certificate."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            body = b'{"message": "Not found", "documentation_url": "https://looker.example"}'
            self.send_response(404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_):
            """Clients that are turned away are what this is about."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = version
    context.load_cert_chain(files / "one.pem", files / "one.key")
    context.load_verify_locations(files / "two.pem")
    context.verify_mode = ssl.CERT_REQUIRED
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


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_certificate_is_shown(run, files, version):
    with wants_certificate(files, version) as url:
        error = ended_in_one_line(
            run(
                api_host_url=url,
                ca_bundle=str(files / "one.pem"),
                client_cert=str(files / "two.pem"),
                client_cert_key=str(files / "two.key"),
            )
        )
    assert "client_secret" in error, "the connection stands, the key is wrong"


@pytest.mark.parametrize("own", [None, "both.pem"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_certificate_that_is_wanted_is_named(run, files, version, own):
    settings = {"client_cert": str(files / own)} if own else {}
    with wants_certificate(files, version) as url:
        error = ended_in_one_line(
            run(api_host_url=url, ca_bundle=str(files / "one.pem"), **settings)
        )
    assert "client certificate" in error
    assert "client_cert" in error


def test_a_client_certificate_that_nginx_wants_is_named(run, emulator):
    page = "<html><title>400 No required SSL certificate was sent</title></html>"
    emulator.add_fault(Fault("status", "/login", times=None, status=400, html=page))
    error = ended_in_one_line(run())
    assert "No required SSL certificate was sent" in error
    assert "client_cert" in error


# ------------------------------------------------------------ what becomes of bodies between


BOM = "\ufeff"


@pytest.mark.parametrize("sizes", [(1,), (2,), (3,), (1 << 16,)], ids=str)
@pytest.mark.parametrize("text", ["", " ", "[]", '[{"id": 1}]'])
def test_a_byte_order_mark_is_passed_over(sizes, text):
    assert whole_body((BOM + text).encode(), sizes) == text.encode()
    assert whole_body(text.encode(), sizes) == text.encode()


def whole_body(content, sizes):
    pieces = itertools.cycle(sizes)
    wire = io.BytesIO(content)
    raw = SimpleNamespace(read1=lambda size, **_: wire.read(min(size, next(pieces))))
    body = Body(SimpleNamespace(raw=raw), threading.Event(), patience=60)
    return b"".join(iter(body.read, b""))


def test_lists_and_errors_with_a_byte_order_mark_are_read(run, emulator):
    rows = BOM + json.dumps([{"id": "7", "name": "Ada"}])
    emulator.add_fault(Fault("status", "/themes", times=None, status=200, html=rows))
    said = BOM + '{"message": "No such parameter", "documentation_url": "https://looker.example"}'
    emulator.add_fault(Fault("status", "/users/search", times=None, status=400, html=said))
    result = run(catalog=selecting("themes", "users"))
    assert result.ids("themes") == ["7"]
    assert any("HTTP 400: No such parameter." in error for error in result.errors)


@contextmanager
def compresses_secretly(rows):
    """A Looker behind something that drops the header Content-Encoding."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            is_login = self.path.endswith("/login")
            self.answer(b'{"access_token": "abcdefgh", "expires_in": 3600}' if is_login else rows)

        def do_GET(self):
            self.answer(rows)

        do_DELETE = do_GET  # noqa: N815

        def answer(self, content):
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("name", ["themes", "users", "system_activity_user_facts"])
def test_gzip_without_its_header_is_named(run, name):
    with compresses_secretly(gzip.compress(b'[{"id": "7"}]')) as url:
        result = run(catalog=selecting(name), api_host_url=url, max_retry_time=600)
    assert result.exit_code == 1
    (error,) = [error for error in result.errors if error.startswith(f"Failed {name}")]
    assert "gzip" in error
    assert "Content-Encoding" in error
