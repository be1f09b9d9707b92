"""The query engine: explores that can be run, the data behind them, saved queries and tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from looker_emulator.queries.compile import compile_query, limit_of
from looker_emulator.queries.errors import DatabaseError, Refused
from looker_emulator.queries.results import Result, Style
from looker_emulator.queries.saved_queries import SavedQueries
from looker_emulator.queries.system_activity import model as system_activity
from looker_emulator.queries.system_activity.activity import Activity
from looker_emulator.queries.system_activity.tables import NOW, ROWS, Year
from looker_emulator.queries.tasks import Tasks
from looker_emulator.queries.thelook import model as thelook
from looker_emulator.queries.thelook.tables import tables
from looker_emulator.queries.warehouse import Warehouse

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections
    from looker_emulator.instance.values import Row
    from looker_emulator.options import Options
    from looker_emulator.queries.compile import Plan
    from looker_emulator.queries.explores import Explore


class QueryEngine:
    """Runs queries on System Activity and on the demo store."""

    def __init__(self, instance: Collections, options: Options, scale: str | float) -> None:
        self._instance, self._options = instance, options
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
        self.warehouse.define(tables(scale, now))
        self.saved = SavedQueries(instance)
        self.tasks = Tasks(options.task_polls, options.task_seconds)
        #: How many queries were run; fetching the result of a task is not a run.
        self.run_count = 0

    def explore(self, model: str, name: str) -> Explore | None:
        """The explore, if there is data behind it and the API key may see it."""
        if model == system_activity.MODEL:
            return None if self._options.activity_denied else self.activity.explores.get(name)
        return thelook.EXPLORES.get(name) if model == thelook.MODEL else None

    def plan(self, query: Row, limit: str | None) -> Plan:
        """The query, compiled.

        Args:
            query: Component `Query`.
            limit: Overrides the limit of the query.

        Raises:
            Refused: The query is wrong.
            DatabaseError: There is no data behind its explore.
        """
        model, name = query["model"], query["view"]
        explore = self.explore(model, name)
        if explore is None:
            if any(
                row["name"] == model and any(each["name"] == name for each in row["explores"])
                for row in self._instance.lookml_models
            ):
                raise DatabaseError('The connection "warehouse" is not available')
            raise Refused(404, "Not found")
        if model == system_activity.MODEL:
            query = self._visible(query)
        plan = compile_query(query, explore, zone=self._options.timezone, now=self.activity.now)
        plan.limit = self._limit(plan, limit)
        return plan

    def _visible(self, query: Row) -> Row:
        """The query without the fields that the instance lacks: Looker ignores them silently."""
        gone = self._options.activity_missing_fields
        return query | {
            part: [name for name in query[part] if str(name).split(" ")[0] not in gone]
            for part in ("fields", "sorts")
            if isinstance(query.get(part), list)
        }

    def _limit(self, plan: Plan, override: str | None) -> int | None:
        limit = limit_of(plan.query, override)
        if limit is None:
            if not self._options.download_without_limit:
                raise Refused(400, "You do not have permission to download without a limit")
            if plan.calculations or plan.query.get("row_total"):
                raise Refused(400, "This query cannot be streamed: a row limit is required")
        if self._options.row_cap is not None:
            limit = min(limit or self._options.row_cap, self._options.row_cap)
        return limit

    def check(self, plan: Plan) -> None:
        """Let the database check a plan without running it."""
        try:
            self.warehouse.cursor(plan.tables).execute(f"EXPLAIN {plan.sql()}")
        except duckdb.Error as problem:
            raise _error(problem) from None

    def run(self, plan: Plan, *, formatted: bool, counted: bool) -> Result:
        """Send the statement of a plan to the database; rows are fetched later.

        Args:
            plan: A query, compiled.
            formatted: Whether to format numbers for people.
            counted: Whether this is a new run, not the result of an earlier one.
        """
        options = self._options
        style = Style(
            lines=options.json_style,
            decimals_as_text=options.decimals_as_text,
            pivots_by_field=options.pivots_by_field,
            totals_in_rows=options.totals_in_rows,
            formatted=formatted,
        )
        activity = self.activity if plan.explore.model == system_activity.MODEL else None
        leave = activity.enter() if activity else None
        if activity:
            activity.arrive()
        self.run_count += counted
        try:
            result = Result(plan, self.warehouse.cursor(plan.tables), style, leave)
            result.execute()
        except duckdb.Error as problem:
            if leave:
                leave()
            raise _error(problem) from None
        return result


def _error(problem: duckdb.Error) -> DatabaseError:
    return DatabaseError(f"SQL Error: {str(problem).splitlines()[0]}")
