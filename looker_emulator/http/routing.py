"""Routes, and finding the one for a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from looker_emulator.http.answers import Answer, Stream
from looker_emulator.http.request import Request

Handler = Callable[[Request], Answer | Stream]


@dataclass(frozen=True)
class Route:
    """One operation of API 4.0."""

    method: str
    path: str
    handler: Handler
    #: It may take long, so it runs in a thread.
    in_thread: bool = False
    #: Its answers may be kept as long as the content does not change.
    cached: bool = False
    #: It needs no token.
    public: bool = False
    #: The options `denied` and `missing` apply to it.
    deniable: bool = True


class Router:
    """Finds the route of a request. Paths without parameters come first."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._plain = {(each.method, each.path): each for each in routes if "{" not in each.path}
        self._patterns = [(each, each.path.split("/")) for each in routes if "{" in each.path]

    def find(
        self, method: str, path: str, segments: list[str]
    ) -> tuple[Route, dict[str, str]] | None:
        """The route and its path parameters. `segments` are decoded individually."""
        if (method, path) in self._plain:
            return self._plain[method, path], {}
        for route, pattern in self._patterns:
            if route.method == method and len(pattern) == len(segments):
                pairs = list(zip(pattern, segments, strict=True))
                if all(name == given or name.startswith("{") for name, given in pairs):
                    return route, {
                        name[1:-1]: given for name, given in pairs if name.startswith("{")
                    }
        return None
