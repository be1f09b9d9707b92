"""The rows of a query: parsed as they arrive, typed by LookML, read on where they broke off.

Knows nothing of Singer. Facts about types and filters: the OpenAPI document (operation
``run_inline_query``) and Looker's documentation of field types and filter expressions.
"""

from __future__ import annotations

import itertools
import re
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any

import backoff
import msgspec
import requests
import urllib3

from tap_looker import lists
from tap_looker.client import NETWORK_ERRORS, check_error, said_in, segment
from tap_looker.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from tap_looker.client import Body, LookerClient, Row

    Convert = Callable[[Any], Any]

RUN = "/queries/run/json"
PARAMS = {
    "apply_formatting": "false",
    "apply_vis": "false",
    "cache": "false",
    "force_production": "true",
    "server_table_calcs": "false",
}
LONGEST_POLL = 30.0  # seconds between looks at a query task
TASK_DONE = frozenset({"complete", "error", "killed", "expired", "failure"})
CUTS = frozenset({500, 5_000, 50_000, 100_000})
"""Numbers of rows at which instances are known to cut a result that has no limit."""
SHORTEST_CUT = 500  # rows: no instance is known to cut an answer below this of its own
BREAKS = 4  # how often in a row a query may break off without a row in between
TIME_OUTS = (requests.Timeout, urllib3.exceptions.TimeoutError)
LARGEST_BATCH = 500  # rows that are handed on together
LONGEST_WAIT = 0.25  # seconds that a row waits for others
ERROR_BODY = 1_000_000  # bytes of a body that is no list of rows, to find its message in


NOTHING = frozenset({type(None)})


class BrokenOffError(RequestError):
    """An answer that stopped short: the rows before it are good."""


class MisfitError(ValueError):
    """A value that is not of its field's type."""


@dataclass(frozen=True)
class Column:
    """A field of a query as a column of its records.

    Attributes:
        field: Its name in LookML: ``history.created_time``.
        name: Its name in the records: ``history_created_time``.
        schema: JSON Schema of its values, which may be null.
        convert: Makes such a value of Looker's, or raises :class:`MisfitError`.
        as_they_are: Types of values that need not be converted.
    """

    field: str
    name: str
    schema: Mapping[str, Any]
    convert: Convert
    as_they_are: frozenset[type] = NOTHING


def column_name(field: str) -> str:
    """The name of a field's column: ``history.created_time`` → ``history_created_time``."""
    return re.sub(r"\W", "_", field)


def column(
    field: str, lookml_type: str, *, description: str = "", zone: tzinfo = timezone.utc
) -> Column:
    """A column from the LookML type of its field.

    Args:
        field: The field's name.
        lookml_type: As explore metadata gives it: ``number``, ``yesno``, ``date_time``, …
        description: For the schema.
        zone: Of the times that Looker sends, which have none of their own.
    """
    kind = KINDS.get(lookml_type, "text")
    schema: dict[str, Any] = {"type": [_JSON_TYPES.get(kind, "string"), "null"]}
    if kind in ("date", "date-time"):
        schema["format"] = kind
    if description:
        schema["description"] = description
    convert = _time_in(zone) if kind == "date-time" else _CONVERTERS[kind]
    return Column(
        field, column_name(field), schema, convert, NOTHING | _RIGHT_TYPES.get(kind, set())
    )


def kind_of_schema(schema: Mapping[str, Any]) -> str:
    """The kind of values that a schema, as :func:`column` makes it, admits."""
    types = schema.get("type", "string")
    types = [types] if isinstance(types, str) else types
    by_type = {json_type: kind for kind, json_type in _JSON_TYPES.items()}
    return schema.get("format") or next((by_type[one] for one in types if one in by_type), "text")


def column_of_schema(field: str, schema: Mapping[str, Any], zone: tzinfo = timezone.utc) -> Column:
    """A column as a catalog describes it, for a run that asks for no metadata again."""
    kind = kind_of_schema(schema)
    convert = _time_in(zone) if kind == "date-time" else _CONVERTERS[kind]
    return Column(
        field, column_name(field), schema, convert, NOTHING | _RIGHT_TYPES.get(kind, set())
    )


def collisions(columns: Iterable[Column]) -> list[str]:
    """What is wrong where two fields would share a column."""
    by_name: dict[str, list[str]] = {}
    for one in columns:
        by_name.setdefault(one.name, []).append(one.field)
    return [
        f"fields {' and '.join(fields)} would both become column {name}"
        for name, fields in by_name.items()
        if len(fields) > 1
    ]


def records(columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[Row]:
    """Typed records of rows, with the columns' names.

    Raises:
        RequestError: A field is not in the answer, or holds what is not of its type.
    """
    plan = [(one.field, one.name, one.as_they_are, one.convert) for one in columns]
    for row in rows:
        record = {}
        for field, name, as_they_are, convert in plan:
            try:
                value = row[field]
                record[name] = value if type(value) in as_they_are else convert(value)
            except KeyError:
                raise RequestError(f"The answer has no field {field}.", 200) from None
            except MisfitError:
                text = repr(value)[:100]
                raise RequestError(
                    f"Field {field} holds {text}, which is not of its type.", 200
                ) from None
        yield record


def run(
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
        BrokenOffError: The answer stopped short, or made no sense any more; what came is good.
        RequestError: Looker refused the query or says that it failed.
    """
    with client.stream(
        "POST", RUN, params=_params(calculate), body=query, repeat_slow=repeat_slow
    ) as body:
        try:
            yield from parsed(body, f"POST {RUN}")
        except BrokenOffError as error:
            if repeat_slow or not isinstance(error.__cause__, TIME_OUTS):
                raise
            raise RequestError(f"POST {RUN}: the rows did not come in time.") from error


def run_task(
    client: LookerClient,
    query: Mapping[str, Any],
    *,
    calculate: bool = False,
    repeat_slow: bool = True,  # noqa: ARG001
) -> Iterator[Row]:
    """As :func:`run`, but Looker runs the query by itself and keeps the result for a while.

    Operations ``create_query``, ``create_query_task``, ``query_task``, ``query_task_results``. A
    download that breaks off is fetched again, and the query is not run again for it.

    Raises:
        BrokenOffError: The result could not be fetched whole.
        RequestError: The query failed, was killed, or its result has expired.
    """
    saved = client.post("/queries", query, activity="db_query").data
    query_id = saved.get("id") if isinstance(saved, dict) else None
    if query_id is None:
        raise RequestError("POST /queries: the answer has no id.", 200)
    task = client.post(
        "/query_tasks",
        {"query_id": str(query_id), "result_format": "json"},
        params={**_params(calculate), "limit": query["limit"]},
        activity="db_query",
    ).data
    if not isinstance(task, dict) or task.get("id") is None:
        raise RequestError("POST /query_tasks: the answer has no id.", 200)
    path = f"/query_tasks/{segment(task['id'])}"
    with client.cancelled_at_end(f"/running_queries/{segment(task['id'])}"):
        _await_task(client, path, task)
    count = 0
    for attempt in itertools.count(1):
        try:
            with client.stream("GET", f"{path}/results", params={}) as body:
                for row in itertools.islice(parsed(body, f"GET {path}/results"), count, None):
                    count += 1
                    yield row
        except BrokenOffError as error:
            if attempt == BREAKS:  # the query is not run again for it
                raise RequestError(error.message, error.status) from error
            continue
        return


def _await_task(client: LookerClient, path: str, task: Row) -> None:
    waits = backoff.expo(factor=0.5, max_value=LONGEST_POLL)
    next(waits)
    while str(task.get("status")) not in TASK_DONE:
        client.wait(next(waits))
        task = client.get(path, {"fields": "id,status"}, activity="db_query").data
        if not isinstance(task, dict) or task.get("status") is None:
            raise RequestError(f"GET {path}: the answer has no status.", 200)
    if task.get("status") != "complete":
        raise RequestError(
            f"The query task ended as {task.get('status')}, without a result."
            f"{_words_of_a_task(client, path)}",
            200,
        )


def _words_of_a_task(client: LookerClient, path: str) -> str:
    """Why it ended so: the answer that a result would have come in says it."""
    try:
        with client.stream("GET", f"{path}/results", params={}) as body:
            for _ in parsed(body, f"GET {path}/results"):
                break
    except RequestError as error:
        return f" {error.message}"
    return ""


def _params(calculate: bool) -> dict[str, str]:  # noqa: FBT001
    return {**PARAMS, "server_table_calcs": "true"} if calculate else PARAMS


def parsed(body: Body, what: str) -> Iterator[Row]:
    """The rows of an answer, whatever its line breaks; memory does not grow with it.

    Raises:
        BrokenOffError: It is cut, or no JSON.
        RequestError: It holds an error of Looker's, among the rows or in place of them.
    """
    try:
        start = body.peek()
        if start[:1] == b"{":
            raise _refusal(_all_of(body), what)
        if start[:1] != b"[":
            page = "a web page" if start[:1] == b"<" else "no rows"
            raise BrokenOffError(f"{what}: HTTP 200 with {page}.", 200)
        for row in lists.items(body, exact=True):
            if not isinstance(row, dict):
                raise RequestError(f"{what}: HTTP 200, but the answer holds no rows.", 200)
            check_error(row, what)
            body.row_came()
            yield row
    except NETWORK_ERRORS as error:
        raise BrokenOffError(f"{what}: the rows broke off.") from error
    except lists.BadListError as error:
        raise BrokenOffError(f"{what}: the rows broke off or are no JSON.") from error
    except lists.OutsizeError as error:
        raise RequestError(f"{what}: HTTP 200 with {error}, which cannot be read.", 200) from error


def _all_of(body: Body) -> bytes:
    found = b""
    while len(found) < ERROR_BODY and (more := body.read()):
        found += more
    return found


def _refusal(text: bytes, what: str) -> RequestError:
    """The error in an object that came in place of rows."""
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return BrokenOffError(f"{what}: HTTP 200 with half an object in place of rows.", 200)
    within = data.get("data")
    said = said_in(data) or (said_in(within) if isinstance(within, dict) else "")
    if said:
        return RequestError(f"{what}: Looker says: {said}.", 200)
    return RequestError(f"{what}: HTTP 200 with an object in place of rows.", 200)


@dataclass(frozen=True)
class Key:
    """A field that pages are sorted and continued by, and its kind (see :data:`KINDS`)."""

    field: str
    kind: str


def check_order(key: Iterable[Key], metadata: Callable[[], Mapping[str, Row]]) -> None:
    """The one rule for reading on behind a cut: Looker sorts the key as it compares it.

    Numbers and times sort by their values. Texts may not: Looker sorts tiers, ``case`` values, the
    names of days and months, and what has an ``order_by_field`` by rank. What a filter would then
    let through is not what comes after the last row. Only for texts is metadata asked for.

    Raises:
        RequestError: It does not, that is not known, or the metadata cannot be read.
    """
    texts = [part.field for part in key if part.kind == "text"]
    if not texts:
        return
    known = metadata()
    ranked = [field for field in texts if not sorts_as_text(known.get(field, {}))]
    if ranked:
        raise RequestError(
            f"The result may have been cut short, and there is no reading on from there: Looker"
            f" may not sort {', '.join(ranked)} alphabetically. Set limit to say how many rows it"
            " may have, or primary_keys to fields that are sorted by value.",
            200,
        )


NAMES_OF_DAYS = frozenset({"date_day_of_week", "date_month_name"})
TEXTS = frozenset({"string", "zipcode", "location"})


def sorts_as_text(about: Row) -> bool:
    """Whether a text field is sorted by its text (``LookmlModelExploreField``)."""
    kind = str(about.get("type"))
    if kind not in TEXTS and (not kind.startswith("date_") or kind in NAMES_OF_DAYS):
        return False
    signs = ("enumerations", "sql_case", "requires_refresh_on_sort", "dynamic")
    return not any(about.get(sign) for sign in signs)


def pages(
    client: LookerClient,
    query: Mapping[str, Any],
    key: Sequence[Key],
    *,
    limit: int,
    after: int | None = None,
    run: Callable[[Mapping[str, Any]], Iterator[Row]] | None = None,
    metadata: Callable[[], Mapping[str, Row]] = dict,
) -> Iterator[Row]:
    """All rows of a query, in the order of a key, over as many runs as it takes.

    There is no offset in queries: a page goes on after the last key of the one before. An
    instance may cut a page below the limit that was asked for, so that only one that is shorter
    than any known cut ends the list. A run that breaks off goes on where it broke.

    Args:
        client: Of the instance.
        query: Body of the query, with the key among its fields.
        key: What makes a row unique.
        limit: Rows per page; -1 for all at once, read on only where they may have been cut.
        after: For a key of one whole number: start behind this.
        run: How a query is run, if not by :func:`run`.
        metadata: For :func:`check_order`, which is asked when a page may have been cut.

    Raises:
        RequestError: A page was refused, broke off again and again, or cannot be read on.
    """
    run = run or partial(_run, client)
    by_number = _by_number(key)
    last: list[Any] | None = None if after is None else [after]
    first: list[Any] | None = None
    breaks, unique, ascending = 0, True, True
    may_go_on = cache(partial(check_order, key, metadata))
    while True:
        length = 0
        try:
            for row in run(_continued(query, key, last, limit)):
                values = [row.get(part.field) for part in key]
                length += 1
                if values == last:
                    if length == 1:
                        continue  # where a page cannot start behind a row it starts at it
                    unique = False
                elif values == first or (by_number and last and not _is_beyond(values, last)):
                    raise RequestError("The rows do not come in the order that was asked for.", 200)
                if length == 1:
                    first = values
                elif ascending and not by_number:
                    ascending = _ascends(key, last, values)
                last, breaks = values, 0
                yield row
        except BrokenOffError:
            breaks += 1
            if breaks >= BREAKS or not unique or not ascending:
                raise
            if last is not None:
                may_go_on()
            continue
        if (length not in CUTS) if limit < 0 else (length < min(limit, SHORTEST_CUT)):
            return
        if not unique:
            fields = ", ".join(part.field for part in key)
            raise RequestError(
                f"The rows take more than one page, and cannot be read on: some share their key "
                f"({fields}).",
                200,
            )
        if not ascending:
            raise RequestError("The rows do not come in the order that was asked for.", 200)
        may_go_on()


_run = run


def once(
    run: Callable[[Mapping[str, Any]], Iterator[Row]], query: Mapping[str, Any]
) -> Iterator[Row]:
    """The rows of one run, begun again only as long as no row came.

    Raises:
        RequestError: It was refused, or broke off.
    """
    for attempt in itertools.count(1):
        came = False
        try:
            for row in run(query):
                came = True
                yield row
        except BrokenOffError:
            if came or attempt == BREAKS:
                raise
            continue
        return


def whole(
    run: Callable[[Mapping[str, Any]], Iterator[Row]],
    client: LookerClient,
    query: Mapping[str, Any],
    key: Sequence[Key],
    metadata: Callable[[], Mapping[str, Row]] = dict,
) -> Iterator[Row]:
    """Every row of a query, without a limit.

    Raises:
        RequestError: It was refused, broke off, or may have been cut and cannot be read on.
    """
    if key:
        yield from pages(client, query, key, limit=-1, run=run, metadata=metadata)
        return
    count = 0
    for row in once(run, {**query, "limit": "-1"}):
        count += 1
        yield row
    if count in CUTS:
        raise RequestError(
            f"The result has exactly {count} rows, where Looker is known to cut one without a word,"
            " and it has no key to read on from: set limit to say how many it may have.",
            200,
        )


def between(
    field: str, start: Any, end: Any, *, days: int = 0, zone: tzinfo = timezone.utc
) -> dict[str, str]:
    """A filter on a time, in Looker's filter expressions: from a start, up to an end.

    Args:
        field: LookML name.
        start: ISO 8601, or None for no bound.
        end: The same; it is out itself.
        days: How much earlier to start.
        zone: In which the query runs.
    """

    def written(text: Any, back: int = 0, *, is_start: bool = False) -> str:
        shown = clock(str(text), zone, is_start=is_start) - timedelta(days=back)
        return shown.strftime("%Y-%m-%d %H:%M:%S")

    if start and end:
        return {field: f"{written(start, days, is_start=True)} to {written(end)}"}
    if start:
        return {field: f"after {written(start, days, is_start=True)}"}
    return {field: f"before {written(end)}"} if end else {}


def bounds(key: Key, start: Any, end: Any) -> list[str]:
    """Looker expressions for values from a start up to an end, which is out; None for no bound."""
    field = f"${{{key.field}}}"
    return [
        f"{field} {sign} {_literal(key, value)}"
        for sign, value in ((">=", start), ("<", end))
        if value is not None
    ]


def clock(text: str, zone: tzinfo, *, is_start: bool = False) -> datetime:
    """An ISO time as the zone's clocks show it; a date is one of the zone already.

    Args:
        text: ISO 8601, in UTC where it has no offset.
        zone: Of the query.
        is_start: Of what is read: in an hour that the clocks show twice, an hour earlier.
    """
    if _DATE.fullmatch(text):
        return datetime.fromisoformat(text)
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    shown = moment.astimezone(zone)
    if is_start and shown.replace(fold=0).utcoffset() != shown.replace(fold=1).utcoffset():
        shown -= timedelta(hours=1)
    return shown.replace(tzinfo=None)


def _continued(
    query: Mapping[str, Any], key: Sequence[Key], last: list[Any] | None, limit: int
) -> dict[str, Any]:
    """The query for the page after a key."""
    body = {**query, "sorts": [part.field for part in key], "limit": str(limit)}
    if last is None:
        return body
    filters = dict(query.get("filters") or {})
    if _by_number(key) and not filters.get(key[0].field):
        return {**body, "filters": {**filters, key[0].field: f">{_literal(key[0], last[0])}"}}
    given = query.get("filter_expression")
    beyond = _beyond(key, last)
    return {**body, "filter_expression": f"({given}) AND ({beyond})" if given else beyond}


def _by_number(key: Sequence[Key]) -> bool:
    return len(key) == 1 and key[0].kind in ("integer", "number")


def _is_beyond(values: list[Any], last: list[Any]) -> bool:
    try:
        return bool(_number(values[0]) > _number(last[0]))
    except MisfitError:
        return False


def _ascends(key: Sequence[Key], last: list[Any] | None, values: list[Any]) -> bool:
    """Whether a row may come after another: as far as numbers and times, not texts, can tell."""
    for part, before, after in zip(key, last or (), values, strict=False):
        if before == after:
            continue
        if part.kind == "text" or None in (before, after):
            return True  # collations and the place of nulls are the database's own
        try:
            if part.kind in ("integer", "number"):
                return bool(_number(before) < _number(after))
            return str(before) < str(after)
        except MisfitError:
            return True
    return True


def _beyond(key: Sequence[Key], last: list[Any]) -> str:
    """A Looker expression for the rows from a key on (String filters have no ranges)."""
    ways = []
    last_sign = ">" if _by_number(key) else ">="
    for position, part in enumerate(key):
        same = [
            f"${{{before.field}}} = {_literal(before, value)}"
            for before, value in zip(key[:position], last, strict=False)
        ]
        sign = last_sign if position == len(key) - 1 else ">"
        ways.append(
            " AND ".join([*same, f"${{{part.field}}} {sign} {_literal(part, last[position])}"])
        )
    return " OR ".join(f"({way})" for way in ways)


def _literal(part: Key, value: Any) -> str:
    """A value in Looker's expression language.

    Raises:
        RequestError: There is none for it: a page cannot go on after a null.
    """
    if value is None:
        raise RequestError(
            f"The list is longer than one page and cannot be read on: {part.field} is null."
        )
    if part.kind in ("date", "date-time"):
        moment = datetime.fromisoformat(str(value))
        parts = [moment.year, moment.month, moment.day]
        if part.kind == "date":
            return f"date({', '.join(map(str, parts))})"
        parts += [moment.hour, moment.minute, moment.second]
        return f"date_time({', '.join(map(str, parts))})"
    if part.kind in ("integer", "number"):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if part.kind == "boolean":
        return str(value).lower()
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


_ENCODER = msgspec.json.Encoder(decimal_format="number")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _json_text(value)


def _json_text(value: Any) -> str:
    return _ENCODER.encode(value).decode()


def _number(value: Any) -> Any:
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise MisfitError from None
        if number.is_finite():
            return (
                int(number) if number == number.to_integral_value() and "." not in value else number
            )
    raise MisfitError


def _integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = _number(value)
    if number != int(number):
        raise MisfitError
    return int(number)


_BOOLEANS = {"Yes": True, "No": False, "yes": True, "no": False, "true": True, "false": False}


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _BOOLEANS:
        return _BOOLEANS[value]
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    raise MisfitError


_DAY = r"(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))"
_CLOCK = r"((?:[01]\d|2[0-3]):[0-5]\d)(:[0-5]\d(?:\.\d+)?)?"
_DATE = re.compile(_DAY, re.ASCII)
_TIME = re.compile(rf"{_DAY}[ T]{_CLOCK}(Z|[+-]\d\d:?\d\d| UTC)?", re.ASCII)


def _date(value: Any) -> str:
    found = _DATE.match(value) if isinstance(value, str) else None
    if not found or not (len(value) == found.end() or _TIME.fullmatch(value)):
        raise MisfitError
    _check_day(found[0])
    return found[0]


@lru_cache(10_000)  # a result has few days, and many times of each
def _check_day(day: str) -> None:
    try:
        date.fromisoformat(day)
    except ValueError:
        raise MisfitError from None


def _time_in(zone: tzinfo) -> Convert:
    """Times of a zone as RFC 3339 in UTC."""
    is_utc = zone is timezone.utc

    def convert(value: Any) -> str | None:
        if value == "":
            return None
        found = _TIME.fullmatch(value) if isinstance(value, str) else None
        if not found:
            return convert(f"{_date(value)} 00:00:00")
        day, minute, second, offset = found.groups()
        second = second or ":00"
        if is_utc and offset in (None, "Z", " UTC"):
            _check_day(day)
            return f"{day}T{minute}{second}Z"
        whole, _, fraction = second.partition(".")
        sign = "+00:00" if offset in ("Z", " UTC") else offset or ""
        if sign and ":" not in sign:
            sign = f"{sign[:3]}:{sign[3:]}"
        try:
            moment = datetime.fromisoformat(f"{day}T{minute}{whole}{sign}")
            moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
            utc = moment.astimezone(timezone.utc)
        except (ValueError, OverflowError):
            raise MisfitError from None
        # Not strftime: it does not pad a year to four digits everywhere.
        shown = utc.replace(tzinfo=None).isoformat()
        return f"{shown}.{fraction:0<6}Z" if fraction else f"{shown}Z"

    return convert


KINDS = {
    "string": "text",
    "zipcode": "text",
    "tier": "text",
    "bin": "text",
    "location": "text",
    "list": "text",
    "number": "number",
    "int": "integer",
    "integer": "integer",
    "distance": "number",
    "duration": "number",
    "yesno": "boolean",
    "date": "date",
    "time": "date-time",
    "count": "integer",
    "count_distinct": "integer",
    "sum": "number",
    "sum_distinct": "number",
    "average": "number",
    "average_distinct": "number",
    "median": "number",
    "median_distinct": "number",
    "percentile": "number",
    "percentile_distinct": "number",
    "percent_of_previous": "number",
    "percent_of_total": "number",
    "running_total": "number",
    "period_over_period": "number",
    "min": "number",
    "max": "number",
    **{
        f"duration_{unit}": "number"
        for unit in ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
    },
    "date_date": "date",
    "date_week": "date",
    "date_time": "date-time",
    "date_second": "date-time",
    "date_millisecond": "date-time",
    "date_microsecond": "date-time",
    "date_year": "integer",
    "date_month_num": "integer",
    "date_day_of_month": "integer",
    "date_day_of_year": "integer",
    "date_day_of_week_index": "integer",
    "date_hour_of_day": "integer",
    "date_week_of_year": "integer",
    "date_fiscal_month_num": "integer",
}
"""What a LookML type is in JSON; a type that is not here is text, so that nothing is lost."""

_RIGHT_TYPES: dict[str, set[type]] = {
    "text": {str},
    "number": {int, Decimal},
    "integer": {int},
    "boolean": {bool},
}
_JSON_TYPES = {"number": "number", "integer": "integer", "boolean": "boolean"}
_CONVERTERS: dict[str, Convert] = {
    "text": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "date": _date,
}


def explore_fields(client: LookerClient, model: str, explore: str) -> dict[str, Row]:
    """The fields of an explore by name, as its metadata has them (``LookmlModelExploreField``).

    Raises:
        RequestError: There is no such explore, or the key may not see it.
    """
    path = f"/lookml_models/{segment(model)}/explores/{segment(explore)}"
    data = client.get(path, {"fields": "fields"}).data
    sets = data.get("fields") if isinstance(data, dict) else None
    if not isinstance(sets, dict):
        raise RequestError(f"GET {path}: the answer has no fields.", 200)
    return {
        field["name"]: field
        for kind in ("dimensions", "measures")
        for field in sets.get(kind) or []
        if isinstance(field, dict) and "name" in field
    }


def batched(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows in lists: the first by itself, so that it can leave at once, then more and more.

    An error comes after the rows before it.
    """
    batch: list[Row] = []
    size, due = 1, 0.0
    try:
        for row in rows:
            batch.append(row)
            if len(batch) >= size or time.monotonic() > due:
                yield batch
                batch, size = [], min(size * 2, LARGEST_BATCH)
                due = time.monotonic() + LONGEST_WAIT
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch
