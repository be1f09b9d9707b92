"""Logging in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from looker_emulator.http import answers
from looker_emulator.http.answers import Answer

if TYPE_CHECKING:
    from looker_emulator.http.request import Request


def login(request: Request) -> Answer:
    """Credentials come in a form, or in the query from older clients."""
    call, looker = request.call, request.looker
    form = dict(parse_qsl(call.body))
    if "application/x-www-form-urlencoded" not in call.headers.get("content-type", ""):
        form = {}
    given = {**call.query, **form}
    wanted = (looker.client_id, looker.client_secret)
    if (given.get("client_id"), given.get("client_secret")) != wanted:
        if looker.options.html_404:
            return answers.html("Looker Not Found (404)", 404)
        return answers.error(404, "Not found", "post", "/login")
    lifetime = int(looker.tokens.lifetime)
    token = looker.tokens.issue()
    return answers.json({"access_token": token, "token_type": "Bearer", "expires_in": lifetime})


def logout(request: Request) -> Answer:
    """Invalidate the token."""
    request.looker.tokens.revoke(request.call.token)
    return Answer(204, b"", None)
