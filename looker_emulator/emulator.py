"""An emulator within this process: a server on loopback, in its own thread."""

from __future__ import annotations

import asyncio
import socket
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from uvicorn import Config
from uvicorn.server import ServerState

from looker_emulator.http.request import Call, Looker
from looker_emulator.http.server import Server
from looker_emulator.http.tokens import Tokens
from looker_emulator.http.wire import Connection
from looker_emulator.instance import Instance
from looker_emulator.options import Options
from looker_emulator.queries.engine import QueryEngine
from looker_emulator.queries.thelook.looks import add_demo_store

if TYPE_CHECKING:
    from typing import Self

    from looker_emulator.http.faults import Fault
    from looker_emulator.queries.system_activity.activity import Activity
    from looker_emulator.queries.tasks import Task

CLIENT_ID = "emulatorClientId0001"
CLIENT_SECRET = "emulatorClientSecret0001"  # noqa: S105 - it opens nothing

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Emulator:
    """A Looker instance that runs as long as the `with` block does.

    Args:
        scale: `small`, `medium`, `large`, or a number: 1 is small, 0.5 is half that size.
        role: name of the one role of the API key's user; by default it is an admin.
        options: the fields of `Options`.

    Usage:
        with Emulator(page_cap=10) as emulator:
            requests.get(f"{emulator.url}/alive")
            assert emulator.count("/alive") == 1
    """

    def __init__(
        self,
        scale: str | float = "small",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
        role: str = "",
        **options: Any,
    ) -> None:
        if host not in _LOOPBACK:
            raise ValueError(f"The emulator serves loopback only, not {host}")
        self.client_id, self.client_secret = client_id, client_secret
        self._instance = Instance(scale)
        add_demo_store(self._instance)
        if role:
            self._give(role)
        settings = Options(**options)
        self._looker = Looker(
            self._instance,
            QueryEngine(self._instance, settings, scale),
            settings,
            Tokens(settings.token_lifetime),
            client_id,
            client_secret,
        )
        self._server = Server(self._looker)
        self._address = (host, port)
        self._ready = threading.Event()

    def _give(self, role: str) -> None:
        """Make this the only role of the API key's user, with no group that brings others."""
        roles = {row["name"]: row["id"] for row in self._instance.roles}
        if role not in roles:
            raise ValueError(f"There is no role {role}, only: {', '.join(roles)}")
        self._instance.users[0] |= {"role_ids": [roles[role]], "group_ids": []}

    # ------------------------------------------------------------------------------ the server

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start to listen and to serve."""
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        self._socket = socket.create_server(self._address, family=family, backlog=1024)
        host = f"[{self._address[0]}]" if family == socket.AF_INET6 else self._address[0]
        self.url = f"http://{host}:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, name="looker-emulator", daemon=True)
        self._thread.start()
        self._ready.wait()
        if not self._thread.is_alive():
            raise RuntimeError("The emulator did not start")

    def stop(self) -> None:
        """Abort whatever is being served, and end the thread."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        # uvicorn's protocol without uvicorn's server, which is slow to start and to stop and waits
        # for answers that never come.
        config = Config(
            self._server,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
        )
        config.load()
        state = ServerState()
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        listener = await self._loop.create_server(
            partial(Connection, config=config, server_state=state, app_state={}),
            sock=self._socket,
        )
        self._ready.set()
        await self._stopping.wait()
        listener.close()
        give_up = self._loop.time() + 5
        while self._loop.time() < give_up:
            await asyncio.sleep(0.001)  # sockets accepted before the end become connections
            for connection in list(state.connections):
                connection.transport.abort()
            if not state.tasks:
                return

    # ----------------------------------------------------------------------------- the content

    @property
    def instance(self) -> Instance:
        """What the instance holds, for tests to compare with and to change.

        Whoever has it may change it at any time, so reading this property ends the caching of
        answers.
        """
        self._server.forget_answers()
        return self._instance

    # ----------------------------------------------------------------------------- the queries

    @property
    def activity(self) -> Activity:
        """System Activity, and how it changes while somebody reads it."""
        return self._looker.engine.activity

    @property
    def query_runs(self) -> int:
        """How many queries were run; fetching the result of a task does not run it again."""
        return self._looker.engine.run_count

    @property
    def tasks(self) -> dict[str, Task]:
        """The query tasks by their ids."""
        return self._looker.engine.tasks.all

    @property
    def cancelled(self) -> list[str]:
        """Ids of the query tasks that were cancelled."""
        return self._looker.engine.tasks.cancelled

    def look_id(self, title: str) -> str:
        """The id of a look by its title; the looks in `queries.thelook.looks.LOOKS` can be run."""
        return next(look["id"] for look in self._instance.looks if look["title"] == title)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """The answer of the database behind the explores, for comparison."""
        return self._looker.engine.warehouse.rows(statement)

    # ------------------------------------------------------------------------------- the calls

    @property
    def calls(self) -> list[Call]:
        """Every request in order of arrival, including logins and logouts."""
        return self._server.log.calls

    @property
    def max_in_flight(self) -> int:
        """The highest number of requests that were being served at once."""
        return self._server.log.max_in_flight

    def count(self, path: str | None = None, method: str | None = None) -> int:
        """The number of calls, optionally for a glob of paths below `/api/4.0` and a method."""
        return self._server.log.count(path, method)

    def reset_calls(self) -> None:
        """Forget the calls so far."""
        self._server.log.reset()

    # ------------------------------------------------------------------------------- the faults

    def add_fault(self, fault: Fault) -> Fault:
        """Switch a fault on; `fault.fired` counts the requests it affected."""
        self._server.faults.add(fault)
        return fault

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self._server.faults.clear()

    def accepts(self, token: str) -> bool:
        """Whether a token is valid."""
        return self._looker.tokens.valid(token)

    def revoke_tokens(self) -> None:
        """Invalidate all tokens issued so far."""
        self._looker.tokens.revoke_all()
