# ruff: noqa: S608 - names of tables and numbers, all of this module
"""System Activity while somebody reads it: rows arrive and finish, queries overlap."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from looker_emulator.queries.system_activity.model import EXPLORES, model_row
from looker_emulator.queries.system_activity.tables import (
    Year,
    attributes,
    events,
    history,
    insert_late,
    tables,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from looker_emulator.instance.collections import Collections
    from looker_emulator.queries.explores import Explore
    from looker_emulator.queries.warehouse import Warehouse


class Activity:
    """The record of the instance's use, and how it changes.

    Args:
        warehouse: Holds the tables.
        instance: Has the users and content that rows refer to.
        year: The year that is recorded, and its number of rows.
        arrivals: How many rows of history and events are added before each query.
        missing: Fields that this instance lacks.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        instance: Collections,
        *,
        year: Year,
        arrivals: int = 0,
        missing: Iterable[str] = (),
    ) -> None:
        self.rows = year.rows
        self._year = year
        self.arrivals = arrivals
        self.explores: dict[str, Explore] = {
            name: explore.without(missing) for name, explore in EXPLORES.items()
        }
        #: The model, which is internal.
        self.model = model_row()
        #: The maximum number of queries at once. Looker recommends running one at a time.
        self.max_in_flight = self.in_flight = 0
        self._warehouse = warehouse
        self._grown = 0
        self._lock = threading.Lock()
        warehouse.define(tables(year, instance))

    # ------------------------------------------------------------------------------ the switches

    @property
    def now(self) -> datetime:
        """The current time, for filters such as `7 days`."""
        return self._year.now + timedelta(seconds=self._grown)

    def add_rows(self, count: int, *, late: bool = False) -> None:
        """Add rows of history and events, as if somebody were using Looker.

        Args:
            count: How many of each.
            late: Use ids below the highest, as a node with a slow transaction does.
        """
        with self._lock:
            cursor = self._warehouse.cursor(("sa_history", "sa_event", "sa_event_attribute"))
            first = self.rows + self._grown
            self._grown += count
            cursor.begin()
            if late:
                insert_late(cursor, "sa_history", self._year, first, count)
                insert_late(cursor, "sa_event", self._year, first, count)
            else:
                cursor.execute(
                    f"INSERT INTO sa_history {history(self._year, first, first + count)}"
                )
                cursor.execute(f"INSERT INTO sa_event {events(self._year, first, first + count)}")
                cursor.execute(f"INSERT INTO sa_event_attribute {attributes(first, first + count)}")
            cursor.commit()

    def finish_rows(self, count: int | None = None) -> int:
        """Finish unfinished rows, oldest first, and return their number."""
        with self._lock:
            cursor = self._warehouse.cursor(("sa_history", "sa_scheduled_job"))
            limit = "" if count is None else f"LIMIT {count}"
            finished = cursor.execute(f"""
                UPDATE sa_history SET
                    completed = created + INTERVAL 42 SECOND, runtime = 42.25,
                    status = 'complete', result_source = 'query'
                WHERE id IN (
                    SELECT id FROM sa_history WHERE completed IS NULL ORDER BY id {limit}
                )""").fetchone()
            cursor.execute("""
                UPDATE sa_scheduled_job SET
                    finalized = created + INTERVAL 90 SECOND, status = 'success'
                WHERE finalized IS NULL""")
            return finished[0] if finished else 0

    def arrive(self) -> None:
        """Add the rows that arrive before a query."""
        if self.arrivals:
            self.add_rows(self.arrivals)

    def enter(self) -> Callable[[], None]:
        """Count a query as running until the returned function is called."""
        with self._lock:
            self.in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self.in_flight)
        running = [True]

        def leave() -> None:
            with self._lock:
                self.in_flight -= running.pop() if running else 0

        return leave
