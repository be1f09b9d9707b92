"""Faults that can be switched on: what they are, and which requests they affect."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import msgspec

KINDS: dict[str, dict[str, Any]] = {
    # Instead of the answer
    "status": {"status": 503, "json": None, "html": None, "retry_after": None, "headers": None},
    "busy": {"limit": 2, "status": 429, "retry_after": None},
    "denied": {"status": 404, "message": "Not found"},
    "unauthorized": {},
    "revoke": {},
    "html": {"body": None},
    "redirect": {"status": 302, "location": "/login"},
    "looker_error": {"message": "Query timed out.", "after_rows": None},
    "wrong_shape": {"shape": "object"},
    # In the rows of the answer
    "task": {"ends": "error", "says": ()},
    "repeat_page": {},
    "unreadable_rows": {"ids": ()},
    "null_nested": {"names": ()},
    "drop_nested": {"names": ()},
    "odd_values": {"names": (), "raw": "NaN"},
    # On the wire
    "reset_before": {},
    "reset_headers": {},
    "reset_body": {"sent": 0.5},
    "truncate_length": {"sent": 0.5},
    "truncate_chunked": {"sent": 0.5},
    "bad_gzip": {"truncated": False},
    "silence": {},
    # In time
    "slow": {"seconds": 1.0},
    "drip": {"seconds": 1.0, "pieces": 20},
    "latency": {"ms": 50},
}
"""Every kind of fault with its details and their defaults.

- `status`: a status with a body in Looker's shape, `json` or `html`, and perhaps `Retry-After`.
- `busy`: the same for requests above `limit` in flight; others are not affected.
- `denied`: Looker's answer where a permission is missing; with `status=403` the rarer one.
- `unauthorized`: 401 although the token is good. `revoke`: 401, and all tokens are void.
- `html`: 200 and a proxy's page. `redirect`: to a login page.
- `looker_error`: 200 and `[{"looker_error": …}]`; for queries, after `after_rows` rows.
- `task`: a query task that is created now first says each of the statuses `says`, one at a look,
  and then ends as `error`, `killed`, `expired`, a word that nobody knows, or None: as it would.
- `wrong_shape`: JSON of another shape: `object`, `strings`, `string` or `null`.
- `repeat_page`: the first page, whatever the offset.
- `unreadable_rows`: 500 where the answer would hold a row with one of these `ids`.
- `null_nested`, `drop_nested`: the properties in `names` are null, or absent, at any depth.
- `odd_values`: so are values, with the JSON `raw` in their place, which may be none.
- `reset_before`, `reset_headers`, `reset_body`: the connection is reset before the answer, within
  its headers, or after a fraction (`sent`) of its body.
- `truncate_length`: less is sent than Content-Length says. `truncate_chunked`: the body ends early,
  and since only the end of the connection marks its end, HTTP sees nothing wrong.
- `bad_gzip`: a gzip stream that is corrupt in the middle, or (`truncated`) has no end.
- `silence`: never an answer. `slow`: `seconds` before the first byte. `drip`: the body in small
  pieces, over `seconds`. `latency`: `ms` more; it can be combined with any other fault.
"""

ON_THE_WIRE = frozenset(
    (
        "reset_before",
        "reset_headers",
        "reset_body",
        "truncate_length",
        "truncate_chunked",
        "bad_gzip",
        "drip",
    )
)


class Fault:
    """Something that goes wrong with the requests whose path and method match.

    Args:
        kind: one of `KINDS`.
        path: a glob over the decoded path below `/api/4.0`; `*` matches slashes too.
        method: an HTTP method, or `*`.
        after: how many matching requests succeed first.
        times: how many then fail; None for all of them.
        containing: text that the body of a request holds.
        details: see `KINDS`.
    """

    def __init__(
        self,
        kind: str,
        path: str = "*",
        method: str = "*",
        after: int = 0,
        times: int | None = 1,
        *,
        containing: str = "",
        **details: Any,
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"There is no fault {kind!r}, only: {', '.join(KINDS)}")
        if unknown := set(details) - set(KINDS[kind]):
            raise TypeError(f"The fault {kind!r} has no {', '.join(sorted(unknown))}")
        self.kind, self.path, self.method = kind, path, method
        self.after, self.times = after, times
        self.containing = containing
        self.details = {**KINDS[kind], **details}
        #: How many requests matched, and how many of them it affected.
        self.seen = 0
        self.fired = 0

    def __repr__(self) -> str:
        return f"Fault({self.kind!r}, path={self.path!r}, fired={self.fired})"

    def __getitem__(self, detail: str) -> Any:
        return self.details[detail]

    def meets(self, method: str, path: str, body: str = "", in_flight: int = 1) -> bool:
        """Count a request, and say whether the fault affects it."""
        if not (fnmatchcase(path, self.path) and self.method in ("*", method)):
            return False
        if self.containing not in body:
            return False
        if self.kind == "busy" and in_flight <= self["limit"]:
            return False
        self.seen += 1
        return self.seen > self.after and (self.times is None or self.fired < self.times)


class Faults:
    """The faults that are switched on, in the order they were added.

    A request meets at most one of them, and every `latency` that matches.
    """

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        """Switch faults on."""
        self._faults.extend(faults)

    def clear(self) -> None:
        """Switch all off."""
        self._faults.clear()

    def __bool__(self) -> bool:
        return bool(self._faults)

    def __iter__(self) -> Any:
        return iter(self._faults)

    def meeting(
        self, method: str, path: str, body: str, in_flight: int
    ) -> tuple[Fault | None, float]:
        """The fault that a request meets, and the seconds of latency it gets.

        Args:
            method: Of the request.
            path: Of the request.
            body: Of the request.
            in_flight: How many requests are being served, with this one.
        """
        met, latency = None, 0.0
        for fault in self._faults:
            if not fault.meets(method, path, body, in_flight):
                continue
            if fault.kind == "latency":
                latency += fault["ms"] / 1000
            elif met is None:
                met = fault
            else:
                continue
            fault.fired += 1
        return met, latency


def altered(rows: Any, fault: Fault | None) -> Any:
    """Rows with the properties that a fault names null, absent or odd, at any depth."""
    if fault is None or fault.kind not in ("null_nested", "drop_nested", "odd_values"):
        return rows
    names = frozenset(fault["names"])
    odd = msgspec.Raw(fault["raw"].encode()) if fault.kind == "odd_values" else None

    def changed(value: Any) -> Any:
        if isinstance(value, list):
            return [changed(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {
            name: changed(item) if name not in names else odd if item is not None else None
            for name, item in value.items()
            if not (name in names and fault.kind == "drop_nested")
        }

    return changed(rows)


WRONG_SHAPES: dict[str, Any] = {
    "object": {"message": "this was to be a list"},
    "strings": ["this", "was to be", "a list of objects"],
    "string": "this was to be a list",
    "null": None,
}
