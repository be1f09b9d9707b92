"""The operations that run queries: inline, saved, of looks, and as tasks.

Everything that takes time happens in a thread of the query's own: making tables, sending the
statement, fetching and encoding rows. The server sends what the thread hands over.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import msgspec

from looker_emulator import activity_lookml, answers, store
from looker_emulator.activity import Activity
from looker_emulator.activity_tables import NOW, ROWS, Year
from looker_emulator.answers import Answer, Stream
from looker_emulator.explores import explore_metadata
from looker_emulator.listing import InvalidParameter, boolean, parse_fields, project
from looker_emulator.queries import Refused, compile_query, limit_of
from looker_emulator.routes import Router
from looker_emulator.runs import MEDIA_TYPES, Break, Result, Style, database_message, error_body
from looker_emulator.runs import written as written_rows
from looker_emulator.saved import SavedQueries
from looker_emulator.tasks import Task, Tasks
from looker_emulator.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Callable

    from looker_emulator.explores import Explore
    from looker_emulator.faults import Fault
    from looker_emulator.instance import Instance
    from looker_emulator.queries import Plan
    from looker_emulator.server import Call, Options
    from looker_emulator.values import Row


@dataclass(frozen=True)
class Operation:
    """An operation of API 4.0 that is more than rows of the instance."""

    method: str
    path: str
    answer: Callable[[Request], Answer | Stream]


@dataclass(frozen=True)
class Request:
    """What an operation gets: the call, the parameters in its path, and the fault it meets."""

    call: Call
    params: dict[str, str]
    fault: Fault | None

    def body(self) -> Row:
        """The body, which has to be an object."""
        try:
            return msgspec.json.decode(self.call.body or "{}", type=dict[str, Any])
        except msgspec.DecodeError:
            raise Refused(400, "Bad Request") from None


class Querying:
    """The operations, and what they run on."""

    def __init__(self, instance: Instance, options: Options, scale: str | float) -> None:
        self.instance, self.options = instance, options
        self.warehouse = Warehouse()
        rows, now = options.activity_rows, options.now or NOW
        if rows is None:
            rows = ROWS[scale] if isinstance(scale, str) else max(int(ROWS["small"] * scale), 100)
        self.activity = Activity(
            self.warehouse,
            instance,
            year=Year(rows, now),
            arrivals=options.activity_arrivals,
            missing=options.activity_missing_fields,
        )
        self.warehouse.define(store.tables(scale, now))
        self.saved = SavedQueries(instance)
        self.tasks = Tasks(options.task_polls, options.task_seconds)
        #: How many queries the databases were given; results of tasks are fetched without one.
        self.runs = 0
        operations = (
            Operation("POST", "/queries/run/{result_format}", self._run_inline),
            Operation("GET", "/queries/{query_id}/run/{result_format}", self._run_saved),
            Operation("GET", "/looks/{look_id}/run/{result_format}", self._run_look),
            Operation("POST", "/queries", self._create_query),
            Operation("POST", "/query_tasks", self._create_task),
            Operation("GET", "/query_tasks/multi_results", self._task_multi_results),
            Operation("GET", "/query_tasks/{query_task_id}", self._task),
            Operation("GET", "/query_tasks/{query_task_id}/results", self._task_results),
            Operation("DELETE", "/running_queries/{query_task_id}", self._kill),
            Operation(
                "GET", "/lookml_models/{lookml_model_name}/explores/{explore_name}", self._explore
            ),
        )
        self._routers = {
            method: Router(tuple(each for each in operations if each.method == method))
            for method in ("GET", "POST", "DELETE")
        }

    def find(self, method: str, path: str, segments: list[str]) -> Any:
        """The operation of a path with its parameters, or None where the table of lists knows."""
        found = self._routers[method].find(path, segments) if method in self._routers else None
        if found and found[0].answer == self._explore:
            model, name = found[1].values()
            here = model in (activity_lookml.MODEL, store.MODEL)
            return (
                found if here and f"{model}::{name}" not in self.options.broken_explores else None
            )
        return found

    async def answer(
        self, operation: Operation, params: dict[str, str], call: Call, fault: Fault | None
    ) -> Answer | Stream:
        """Do it, in a thread."""
        request = Request(call, params, fault)
        return await asyncio.to_thread(self._answered, operation, request)

    def _answered(self, operation: Operation, request: Request) -> Answer | Stream:
        try:
            return operation.answer(request)
        except Refused as refused:
            return self._refusal(refused, operation)
        except InvalidParameter as invalid:
            return answers.error(400, f"Bad Request: {invalid}", operation.method, operation.path)

    def _refusal(self, refused: Refused, operation: Operation) -> Answer:
        if not refused.fields:
            return answers.error(refused.status, refused.message, operation.method, operation.path)
        if self.options.refused_fields_status != 422:
            message = "; ".join(refused.fields.values())
            return answers.error(
                self.options.refused_fields_status, message, operation.method, operation.path
            )
        return answers.invalid(refused.message, refused.fields)

    # -------------------------------------------------------------------------------- explores

    def explore(self, model: str, name: str) -> Explore | None:
        """The explore, if there is data behind it and the caller may see it."""
        if model == activity_lookml.MODEL:
            return None if self.options.activity_denied else self.activity.explores.get(name)
        if model == store.MODEL:
            return store.EXPLORES.get(name)
        return None

    def _explore(self, request: Request) -> Answer:
        explore = self.explore(*request.params.values())
        if explore is None:
            raise Refused(404, "Not found")
        fields = request.call.query.get("fields")
        row = explore_metadata(explore)
        return answers.json(project(row, parse_fields(fields)) if fields else row)

    # ------------------------------------------------------------------------------------ runs

    def _run_inline(self, request: Request) -> Answer | Stream:
        return self._run(self._whole(request.body()), request)

    def _run_saved(self, request: Request) -> Answer | Stream:
        return self._run(self.saved.query(request.params["query_id"]), request)

    def _run_look(self, request: Request) -> Answer | Stream:
        return self._run(self.saved.look(request.params["look_id"])["query"], request)

    def _create_query(self, request: Request) -> Answer:
        query = self.saved.create(self._whole(request.body()))
        fields = request.call.query.get("fields")
        return answers.json(project(query, parse_fields(fields)) if fields else query)

    @staticmethod
    def _whole(query: Row) -> Row:
        missing = [name for name in ("model", "view") if not query.get(name)]
        if missing:
            raise Refused(422, "Validation Failed", **dict.fromkeys(missing, "is not present"))
        return query

    def _run(self, query: Row, request: Request) -> Answer | Stream:
        form = request.params["result_format"]
        plan = self._plan(query, form, request.call.query)
        if isinstance(plan, str):
            return Answer(200, error_body(form, plan), MEDIA_TYPES[form])
        return self._streamed(plan, form, request, request.call.query, count=True)

    def _plan(self, query: Row, form: str, params: dict[str, str]) -> Plan | str:
        """The query as a plan, or what is wrong with its database."""
        if form not in MEDIA_TYPES:
            raise Refused(400, f"Unsupported result format: {form}")
        model, name = query["model"], query["view"]
        explore = self.explore(model, name)
        if explore is None:
            if any(
                row["name"] == model and any(each["name"] == name for each in row["explores"])
                for row in self.instance.lookml_models
            ):
                return 'The connection "warehouse" is not available'
            raise Refused(404, "Not found")
        if model == activity_lookml.MODEL:
            query = self._seen(query)
        plan = compile_query(query, explore, zone=self.options.timezone, now=self.activity.now)
        plan.limit = self._limit(plan, params.get("limit"))
        return plan

    def _seen(self, query: Row) -> Row:
        """The query without the fields that the instance lacks: Looker says nothing of them."""
        gone = self.options.activity_missing_fields
        return query | {
            part: [name for name in query[part] if str(name).split(" ")[0] not in gone]
            for part in ("fields", "sorts")
            if isinstance(query.get(part), list)
        }

    def _limit(self, plan: Plan, override: str | None) -> int | None:
        limit = limit_of(plan.query, override)
        if limit is None:
            if not self.options.download_without_limit:
                raise Refused(400, "You do not have permission to download without a limit")
            if plan.calculations or plan.query.get("row_total"):
                raise Refused(400, "This query cannot be streamed: a row limit is required")
        if self.options.row_cap is not None:
            limit = min(limit or self.options.row_cap, self.options.row_cap)
        return limit

    def _streamed(
        self, plan: Plan, form: str, request: Request, params: dict[str, str], *, count: bool
    ) -> Answer | Stream:
        options = self.options
        style = Style(
            lines=options.json_style,
            decimals_as_text=options.decimals_as_text,
            pivots_by_field=options.pivots_by_field,
            totals_in_rows=options.totals_in_rows and form != "json_detail",
            formatted=boolean("apply_formatting", params.get("apply_formatting") or "false"),
        )
        activity = self.activity if plan.explore.model == activity_lookml.MODEL else None
        leave = activity.enter() if activity else None
        if activity:
            activity.arrive()
        self.runs += count
        try:
            result = Result(plan, self.warehouse.cursor(plan.tables), style, leave)
            if form != "sql":
                result.execute()
        except duckdb.Error as problem:
            if leave:
                leave()
            return Answer(200, error_body(form, database_message(problem)), MEDIA_TYPES[form])
        fault, broken = request.fault, None
        if fault and fault.kind == "looker_error":
            broken = Break(fault["after_rows"] or 0, fault["message"])
        return Stream(
            written_rows(result, form, broken), MEDIA_TYPES[form], result.cursor.close, leave
        )

    # ----------------------------------------------------------------------------------- tasks

    def _create_task(self, request: Request) -> Answer:
        body = request.body()
        if not body.get("query_id"):
            raise Refused(422, "Validation Failed", query_id="is not present")
        query = self.saved.query(str(body["query_id"]))
        form = body.get("result_format") or "json"
        fault = request.fault
        ends = fault["ends"] if fault and fault.kind == "task" else None
        plan = self._plan(query, form, request.call.query)
        failure = plan if isinstance(plan, str) else self._problem(plan)
        self.runs += 1
        task = self.tasks.create(query, form, request.call.query, ends=ends, failure=failure)
        return answers.json(task.row(self.tasks.status(task, look=False)))

    def _problem(self, plan: Plan) -> str | None:
        """What the database would have against the plan."""
        try:
            self.warehouse.cursor(plan.tables).execute(f"EXPLAIN {plan.sql()}")
        except duckdb.Error as problem:
            return database_message(problem)
        return None

    def _task(self, request: Request) -> Answer:
        task = self.tasks.find(request.params["query_task_id"])
        return answers.json(task.row(self.tasks.status(task)))

    def _task_results(self, request: Request) -> Answer | Stream:
        task = self.tasks.find(request.params["query_task_id"])
        status = self.tasks.status(task, look=False)
        if status in ("added", "running"):
            return Answer(202, b"", None)
        if status in ("expired", "killed"):
            raise Refused(404, "Not found")
        return self._task_result(task, request)

    def _task_result(self, task: Task, request: Request) -> Answer | Stream:
        if task.failure or task.ends == "error":
            message = task.failure or "Query failed"
            if task.form != "json_detail":
                raise Refused(400, message)
            return Answer(200, error_body(task.form, message), MEDIA_TYPES[task.form])
        task.fetched += 1
        plan = self._plan(task.query, task.form, task.params)
        if isinstance(plan, str):
            raise Refused(400, plan)
        return self._streamed(plan, task.form, request, task.params, count=False)

    def _task_multi_results(self, request: Request) -> Answer:
        results: Row = {}
        for identifier in request.call.query.get("query_task_ids", "").split(","):
            try:
                task = self.tasks.find(identifier)
            except Refused:
                results[identifier] = {"status": "missing"}
                continue
            status = self.tasks.status(task)
            results[identifier] = {"status": status}
            if status == "complete":
                answer = self._task_result(task, request)
                body = answer.whole() if isinstance(answer, Stream) else answer
                data = body.body.decode()
                is_json = "json" in MEDIA_TYPES[task.form]
                results[identifier] |= {
                    "result_source": "query",
                    "data": msgspec.Raw(data.encode()) if is_json else data,
                }
        return answers.json(results)

    def _kill(self, request: Request) -> Answer:
        self.tasks.kill(request.params["query_task_id"])
        return Answer(204, b"", None)
