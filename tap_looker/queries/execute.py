"""Running a query: its rows, decoded as they arrive, or what Looker says went wrong.

Facts: operations ``run_inline_query``, ``create_query_task`` and ``query_task_results`` of the
OpenAPI document.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

import backoff
import msgspec

from tap_looker.errors import (
    BadResponseError,
    GivenUpError,
    QueryError,
    RequestError,
    TimedOutError,
    TruncatedError,
)
from tap_looker.looker import json_stream
from tap_looker.looker.response import (
    HIDDEN_GZIP,
    NETWORK_ERRORS,
    TIMEOUTS,
    HiddenGzipError,
    check_error,
    error_message,
    segment,
)
from tap_looker.queries.keyset_paging import MAX_BREAKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_looker.looker.client import LookerClient
    from tap_looker.looker.response import Body, Row
    from tap_looker.queries.keyset_paging import Metadata

RUN = "/queries/run/json"
PARAMS = {
    "apply_formatting": "false",
    "apply_vis": "false",
    "cache": "false",
    "force_production": "true",
    "server_table_calcs": "false",
}
GROUPING = "$$$__grouping__$$$"  # what a row of totals or subtotals is grouped by
MAX_POLL_INTERVAL = 30.0  # seconds between looks at a query task
TASK_RUNS = frozenset({"added", "running"})
TASK_ENDED = frozenset({"complete", "error", "failure", "killed", "expired", "missing"})
TASK_DOUBTFUL = frozenset({"expired", "missing"})  # believed of a task when they are said twice
MAX_TASK_TIME = 86_400.0  # seconds; each look at a task is billed
MAX_UNKNOWN = 20  # looks at a task that says what nobody knows: some minutes
MAX_ERROR_BODY = 1_000_000  # bytes of a body that is no list of rows, to find its message in


def run_query(
    client: LookerClient,
    query: Mapping[str, Any],
    *,
    calculate: bool = False,
    repeat_slow: bool = True,
) -> Iterator[Row]:
    """The rows of one run of a query, as they arrive (``POST /queries/run/json``).

    Args:
        client: Of the instance.
        query: Its body.
        calculate: Have Looker do its table calculations.
        repeat_slow: Ask again after a time-out; not for a query that takes long by itself.

    Raises:
        TruncatedError: The answer stopped short, or made no sense any more; what came is good.
        RequestError: Looker refused the query or says that it failed.
    """
    with client.stream(
        "POST", RUN, params=_params(calculate), body=query, repeat_slow=repeat_slow
    ) as body:
        try:
            yield from parse_rows(body, f"POST {RUN}")
        except TruncatedError as error:
            if repeat_slow or not isinstance(error.__cause__, TIMEOUTS):
                raise
            raise TimedOutError(f"POST {RUN}: the rows did not arrive in time.") from error


def run_query_task(
    client: LookerClient,
    query: Mapping[str, Any],
    *,
    calculate: bool = False,
    repeat_slow: bool = True,  # noqa: ARG001
) -> Iterator[Row]:
    """As :func:`run_query`, but Looker runs the query by itself and keeps the result for a while.

    Operations ``create_query``, ``create_query_task``, ``query_task``, ``query_task_results``. A
    download that breaks off is fetched again, and the query is not run again for it.

    Raises:
        TruncatedError: The result could not be fetched whole.
        RequestError: The query failed, was killed, or its result has expired.
    """
    saved = client.post("/queries", query, billing="db_query").data
    query_id = saved.get("id") if isinstance(saved, dict) else None
    if query_id is None:
        raise BadResponseError("POST /queries: the answer has no id.")
    task = client.post(
        "/query_tasks",
        {"query_id": str(query_id), "result_format": "json"},
        params={**_params(calculate), "limit": query["limit"]},
        billing="db_query",
    ).data
    if not isinstance(task, dict) or task.get("id") is None:
        raise BadResponseError("POST /query_tasks: the answer has no id.")
    path = f"/query_tasks/{segment(task['id'])}"
    with client.cancelled_at_end(f"/running_queries/{segment(task['id'])}"):
        _await_task(client, path, task)
    count = 0
    for attempt in itertools.count(1):
        try:
            with client.stream("GET", f"{path}/results", params={}) as body:
                for row in itertools.islice(parse_rows(body, f"GET {path}/results"), count, None):
                    count += 1
                    yield row
        except TruncatedError as error:
            if attempt == MAX_BREAKS:  # the query is not run again for it
                raise RequestError(error.message, error.status) from error
            continue
        return


def _await_task(client: LookerClient, path: str, task: Row) -> None:
    """Wait for the end of a task.

    The statuses are in no enumeration: a word that is none of those known may mean anything, and
    is waited for, but not for ever; so are words that contradict each other.
    """
    waits = backoff.expo(factor=0.5, max_value=MAX_POLL_INTERVAL)
    next(waits)
    unknown, before = 0, ""
    end = time.monotonic() + MAX_TASK_TIME
    status = str(task.get("status") or "added").lower()
    while status not in TASK_ENDED or (status in TASK_DOUBTFUL and status != before):
        unknown += status not in TASK_RUNS
        if unknown == MAX_UNKNOWN:
            raise GivenUpError(
                f'The query task is "{status}": gave up after {unknown} checks that did not tell '
                "whether it runs."
            )
        if time.monotonic() > end:
            raise GivenUpError(
                f'The query task is still "{status}" after {MAX_TASK_TIME / 3600:g} hours: gave up '
                "waiting for it."
            )
        client.wait(next(waits))
        task = client.get(path, {"fields": "id,status"}, billing="db_query").data
        if not isinstance(task, dict) or not isinstance(task.get("status"), str):
            raise BadResponseError(f"GET {path}: the answer has no status.")
        before, status = status, task["status"].lower()
    if status != "complete":
        raise QueryError(
            f"The query task ended as {status}, without a result.{_task_error(client, path)}"
        )


def _task_error(client: LookerClient, path: str) -> str:
    """Why it ended so: the answer that a result would have come in says it."""
    try:
        with client.stream("GET", f"{path}/results", params={}) as body:
            for _ in parse_rows(body, f"GET {path}/results"):
                break
    except RequestError as error:
        return f" {error.message}"
    return ""


def without_totals(
    rows: Iterator[Row], query: Mapping[str, Any], metadata: Metadata
) -> Iterator[Row]:
    """The rows of a result without those of its totals and subtotals.

    Raises:
        QueryError: A row may be one of them, and Looker does not mark them.
    """
    if query.get("total") or query.get("subtotals"):
        return _without_totals(rows, query, metadata)
    return rows


def _without_totals(
    rows: Iterator[Row], query: Mapping[str, Any], metadata: Metadata
) -> Iterator[Row]:
    # Only at the end it shows whether they are marked; calculations keep a result short.
    held = list(rows)
    unmarked = [row for row in held if GROUPING not in row]
    if unmarked and len(unmarked) == len(held) and _may_be_totals(unmarked, query, metadata()):
        raise QueryError(
            "The result may hold rows of totals or subtotals that look like any other: some rows "
            "have no value in their last dimensions. Filter these out, or remove the totals from "
            "the query."
        )
    yield from unmarked


def _may_be_totals(rows: Sequence[Row], query: Mapping[str, Any], known: Mapping[str, Row]) -> bool:
    """Whether a row is like a total or a subtotal: nothing in the dimensions that it adds up."""
    dimensions = [
        name
        for name in query["fields"]
        if name not in (query.get("pivots") or ())
        and known.get(name, {}).get("category") == "dimension"
    ]
    if query.get("total") and all(rows[-1].get(name) is None for name in dimensions):
        return bool(dimensions) or len(rows) > 1
    summed = [
        dimensions[dimensions.index(name) + 1 :]
        for name in query.get("subtotals") or ()
        if name in dimensions
    ]
    return any(
        all(row.get(name) is None for name in names) for names in summed if names for row in rows
    )


def _params(calculate: bool) -> dict[str, str]:  # noqa: FBT001
    return {**PARAMS, "server_table_calcs": "true"} if calculate else PARAMS


def parse_rows(body: Body, what: str) -> Iterator[Row]:
    """The rows of an answer, whatever its line breaks; memory does not grow with it.

    Raises:
        TruncatedError: It is cut, or no JSON.
        RequestError: It holds an error of Looker's, among the rows or in place of them.
    """
    try:
        start = body.peek()
        if start[:1] == b"{":
            raise _refusal(_all_of(body), what)
        if start[:1] != b"[":
            page = "a web page" if start[:1] == b"<" else "no rows"
            raise TruncatedError(f"{what}: HTTP 200 with {page}.")
        for row in json_stream.items(body, exact=True):
            if not isinstance(row, dict):
                raise BadResponseError(f"{what}: HTTP 200, but the answer holds no rows.")
            check_error(row, what)
            body.has_row = True
            yield row
    except HiddenGzipError as error:
        raise BadResponseError(f"{what}: {HIDDEN_GZIP}.") from error
    except NETWORK_ERRORS as error:
        raise TruncatedError(f"{what}: the rows broke off.") from error
    except json_stream.BadListError as error:
        raise TruncatedError(f"{what}: the rows broke off or are not JSON.") from error
    except json_stream.OutsizeError as error:
        raise BadResponseError(f"{what}: HTTP 200 with {error}, which cannot be read.") from error


def _all_of(body: Body) -> bytes:
    found = b""
    while len(found) < MAX_ERROR_BODY and (more := body.read()):
        found += more
    return found


def _refusal(text: bytes, what: str) -> RequestError:
    """The error in an object that came in place of rows."""
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return TruncatedError(f"{what}: HTTP 200 with half an object in place of rows.")
    within = data.get("data")
    said = error_message(data) or (error_message(within) if isinstance(within, dict) else "")
    if said:
        return QueryError(f"{what}: Looker says: {said}.")
    return BadResponseError(f"{what}: HTTP 200 with an object in place of rows.")
