# ruff: noqa: SIM905 - a list of words reads best as words
"""A session of requests, and the official client, for the tests of the emulator."""

from __future__ import annotations

import socket

import requests
from looker_sdk import init40
from looker_sdk.rtl import api_settings

HISTORY = (
    "history.id history.slug history.created_time history.completed_time history.status "
    "history.runtime history.message history.is_single_query query.id query.slug user.id"
).split()
"""Fields of the history, each in the place of its column in the statements of the tests."""


class Api(requests.Session):
    """A logged-in session that takes paths below /api/4.0."""

    def __init__(self, emulator):
        super().__init__()
        self.base = emulator.url
        self.trust_env = False
        self.headers["Authorization"] = f"Bearer {login(emulator).json()['access_token']}"

    def request(self, method, path, **options):
        options.setdefault("timeout", 20)
        url = path if path.startswith("http") else f"{self.base}/api/4.0{path}"
        return super().request(method, url, **options)

    def rows(self, path, **query):
        """What a GET answers."""
        return _success(self.get(path, params=query))

    def run(self, view, *fields, form="json", params=None, model="system__activity", **query):
        """The response to a query."""
        body = {
            "model": model,
            "view": view,
            "fields": list(fields),
            "query_timezone": "UTC",
            **query,
        }
        return self.post(f"/queries/run/{form}", json=body, params=params)

    def result(self, view, *fields, **query):
        """The rows of a query on System Activity."""
        return _success(self.run(view, *fields, **query))

    def store(self, view, *fields, **query):
        """The rows of a query on the demo store."""
        return self.result(view, *fields, model="thelook", **query)


def _success(response):
    assert response.status_code == 200, response.text
    return response.json()


def login(emulator, **credentials):
    form = {"client_id": emulator.client_id, "client_secret": emulator.client_secret}
    return requests.post(f"{emulator.url}/api/4.0/login", data=form | credentials, timeout=10)


class Settings(api_settings.ApiSettings):
    """What the official client would read from looker.ini."""

    def __init__(self, emulator, secret=None):
        self.emulator, self.secret = emulator, secret
        super().__init__()

    def read_config(self):
        return {
            "base_url": self.emulator.url,
            "client_id": self.emulator.client_id,
            "client_secret": self.secret or self.emulator.client_secret,
            "verify_ssl": "false",
        }


def official_client(emulator, secret=None):
    """The official client of this emulator."""
    return init40(config_settings=Settings(emulator, secret))


def ids(rows):
    return values(rows, "id")


def values(rows, field):
    return [row[field] for row in rows]


def alive(rows):
    return [row for row in rows if not row["deleted"]]


def exchange(emulator, request):
    """What comes back on a bare socket, until the other side ends it."""
    host, port = emulator.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def database(emulator, sql):
    return [list(row) for row in emulator.sql(sql)]
