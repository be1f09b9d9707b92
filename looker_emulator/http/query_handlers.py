"""Running queries: inline, saved, of looks, and as tasks.

These handlers run in threads: making tables, executing statements, and fetching and encoding rows
take time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.http import answers
from looker_emulator.http.answers import Answer, Stream
from looker_emulator.http.faults import altered
from looker_emulator.http.listing import boolean, parse_fields, project
from looker_emulator.instance.lookml.model_explores import explore
from looker_emulator.queries.errors import DatabaseError, Refused
from looker_emulator.queries.generated_sql import generated_sql
from looker_emulator.queries.results import Break, error_row, written

if TYPE_CHECKING:
    from looker_emulator.http.request import Request
    from looker_emulator.instance.values import Row
    from looker_emulator.queries.compile import Plan

JSON, SQL = "json", "sql"


def run_inline(request: Request) -> Answer | Stream:
    """Run the query in the body."""
    return _run(_complete(request.json()), request)


def run_saved(request: Request) -> Answer | Stream:
    """Run a saved query."""
    return _run(request.looker.engine.saved.query(request.params["query_id"]), request)


def run_look(request: Request) -> Answer | Stream:
    """Run the query of a look."""
    look = request.looker.engine.saved.look(request.params["look_id"])
    return _run(look["query"], request)


def create_query(request: Request) -> Answer:
    """Save the query in the body."""
    query = request.looker.engine.saved.create(_complete(request.json()))
    fields = request.query.get("fields")
    return answers.json(project(query, parse_fields(fields)) if fields else query)


def _complete(query: Row) -> Row:
    missing = [name for name in ("model", "view") if not query.get(name)]
    if missing:
        raise Refused(422, "Validation Failed", **dict.fromkeys(missing, "is not present"))
    return query


def _run(query: Row, request: Request) -> Answer | Stream:
    form = _known(request.params["result_format"])
    if form == SQL and (text := _without_data(query, request)):
        return _sql(text)
    try:
        plan = request.looker.engine.plan(query, request.query.get("limit"))
        return _result(plan, form, request, request.query, counted=True)
    except DatabaseError as problem:
        # Looker reports a database error with status 200, in place of the rows.
        if form == SQL:
            return _sql(f"Error: {problem}\n")
        return answers.json([error_row(str(problem))])


def _without_data(query: Row, request: Request) -> str | None:
    """SQL needs no data: that of an explore that has metadata alone; None for the others."""
    looker, (model, name) = request.looker, (query["model"], query["view"])
    if f"{model}::{name}" in looker.options.broken_explores:
        raise Refused(404, "Not found")
    about = None if looker.engine.explore(model, name) else explore(request.instance, model, name)
    return generated_sql(about, query) if about else None


def _known(form: str) -> str:
    if form not in (JSON, SQL):
        raise Refused(400, f"Unsupported result format: {form}")
    return form


def _result(
    plan: Plan, form: str, request: Request, params: dict[str, str], *, counted: bool
) -> Answer | Stream:
    if form == SQL:
        return _sql(plan.sql())
    formatted = boolean("apply_formatting", params.get("apply_formatting") or "false")
    result = request.looker.engine.run(plan, formatted=formatted, counted=counted)
    fault, broken = request.fault, None
    if fault and fault.kind == "looker_error":
        broken = Break(fault["after_rows"] or 0, fault["message"])
    pieces = written(result, broken, lambda rows: altered(rows, fault))
    return Stream(pieces, answers.JSON, result.cursor.close, result.ended)


def _sql(text: str) -> Answer:
    return Answer(200, text.encode(), "application/sql")


# ------------------------------------------------------------------------------------------- tasks


def create_task(request: Request) -> Answer:
    """Start a saved query as a task."""
    engine, body, fault = request.looker.engine, request.json(), request.fault
    if not body.get("query_id"):
        raise Refused(422, "Validation Failed", query_id="is not present")
    query = engine.saved.query(str(body["query_id"]))
    form = _known(body.get("result_format") or JSON)
    failure = None
    try:
        engine.check(engine.plan(query, request.query.get("limit")))
    except DatabaseError as problem:
        failure = str(problem)
    engine.run_count += 1
    task = engine.tasks.create(query, form, request.query, failure)
    if fault and fault.kind == "task":
        task.ends, task.says = fault["ends"], fault["says"]
    return answers.json(task.row(engine.tasks.status(task, look=False)))


def get_task(request: Request) -> Answer:
    """The status of a task."""
    tasks = request.looker.engine.tasks
    task = tasks.find(request.params["query_task_id"])
    return answers.json(task.row(tasks.status(task)))


def get_task_results(request: Request) -> Answer | Stream:
    """The rows of a completed task."""
    engine = request.looker.engine
    task = engine.tasks.find(request.params["query_task_id"])
    status = engine.tasks.status(task, look=False)
    if status in ("expired", "killed"):
        raise Refused(404, "Not found")
    if status == "error":
        raise Refused(400, task.failure or "Query failed")
    if status != "complete":
        return Answer(202, b"", None)
    task.fetched += 1
    try:
        plan = engine.plan(task.query, task.params.get("limit"))
        return _result(plan, task.form, request, task.params, counted=False)
    except DatabaseError as problem:
        raise Refused(400, str(problem)) from None


def cancel_task(request: Request) -> Answer:
    """Cancel a task."""
    request.looker.engine.tasks.kill(request.params["query_task_id"])
    return Answer(204, b"", None)
