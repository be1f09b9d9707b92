"""Query tasks: queries that run asynchronously."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from hashlib import md5
from typing import TYPE_CHECKING

from looker_emulator.queries.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from looker_emulator.instance.values import Row


@dataclass
class Task:
    """One task, and how it ends: `complete` by default."""

    id: str
    query: Row
    form: str
    params: dict[str, str]
    #: The error of the database, if there is one.
    failure: str | None = None
    #: Another status than `complete` or `error`, and what it says before, if a fault demands it.
    ends: str | None = None
    says: Sequence[str] = ()
    created: float = field(default_factory=time.monotonic)
    polls: int = 0
    killed: bool = False
    #: How often the result was fetched.
    fetched: int = 0

    def row(self, status: str) -> Row:
        """Component `QueryTask`."""
        return {
            "can": {},
            "id": self.id,
            "query_id": self.query["id"],
            "query": self.query,
            "generate_links": False,
            "force_production": self.params.get("force_production") == "true",
            "path_prefix": None,
            "cache": self.params.get("cache") != "false",
            "server_table_calcs": False,
            "cache_only": False,
            "cache_key": self.id,
            "status": status,
            "source": "api4",
            "runtime": 0.952 if status == "complete" else None,
            "rebuild_pdts": False,
            "result_source": "query" if status == "complete" else None,
            "look_id": None,
            "dashboard_id": None,
            "result_format": self.form,
        }


class Tasks:
    """All tasks.

    Args:
        polls: How often a task is polled before it ends.
        seconds: How long it takes at least.
    """

    def __init__(self, polls: int, seconds: float) -> None:
        self.all: dict[str, Task] = {}
        #: Ids of cancelled tasks.
        self.cancelled: list[str] = []
        self._polls, self._seconds = polls, seconds

    def create(self, query: Row, form: str, params: dict[str, str], failure: str | None) -> Task:
        """Start a task."""
        text = f"task {len(self.all)} {query['id']}"
        identifier = md5(text.encode(), usedforsecurity=False).hexdigest()
        task = self.all[identifier] = Task(identifier, query, form, dict(params), failure)
        return task

    def find(self, identifier: str) -> Task:
        """The task with this id."""
        if identifier not in self.all:
            raise Refused(404, "Not found")
        return self.all[identifier]

    def status(self, task: Task, *, look: bool = True) -> str:
        """The status of a task; each poll advances it."""
        if task.killed:
            return "killed"
        polls = task.polls
        unfinished = polls < self._polls or time.monotonic() - task.created < self._seconds
        first = polls == 0
        task.polls += look
        if look and polls < len(task.says):
            return task.says[polls]
        if unfinished:
            return "added" if first else "running"
        if task.ends:
            return task.ends
        return "error" if task.failure else "complete"

    def kill(self, identifier: str) -> None:
        """Cancel a task; one that has ended is not found."""
        task = self.find(identifier)
        if self.status(task, look=False) not in ("added", "running"):
            raise Refused(404, "Not found")
        task.killed = True
        self.cancelled.append(identifier)
