"""Uvicorn's server in a worker: opened when the supervisor knows, ended with an answer for everybody."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from api.app import create_app
from api.background.logs import log_as_worker
from api.background.reports import ALIVE, READY, Reports
from api.edge import problems
from api.stopping import GRACE, STOPPING

from .acceptor import Acceptor
from .connection_counts import ConnectionCounts
from .protocol import BoundedProtocol

_SIGN_OF_LIFE = 50
"""Every so many ticks of uvicorn's, which are tenths of a second."""

_logger = logging.getLogger("daybook")


class WorkerServer(uvicorn.Server):
    """Uvicorn's server, which reports to its supervisor and lets nobody go without an answer."""

    def __init__(
        self,
        configuration: uvicorn.Config,
        tell: Callable[[bytes], None],
        *,
        listener: socket.socket,
        counts: ConnectionCounts,
        place: int,
    ) -> None:
        super().__init__(configuration)
        self._tell, self._listener, self._counts, self._place = tell, listener, counts, place
        self._acceptor: Acceptor | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """The port is opened here, by ourselves: once the application can answer, and the supervisor knows."""
        start_application = self.lifespan.startup

        async def start_and_ask() -> None:
            await start_application()
            if not self.lifespan.should_exit:
                self._tell(READY)
                await _permission()

        self.lifespan.startup = start_and_ask  # what uvicorn awaits before it listens
        await super().startup(sockets)
        protocol = partial(
            BoundedProtocol, config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        try:
            self._acceptor = Acceptor(
                self._listener,
                protocol,
                connections=lambda: len(self.server_state.connections),
                counts=self._counts,
                place=self._place,
            )
        except OSError as error:
            _logger.error("The port cannot be opened: %s.", error.strerror)
            await self.lifespan.shutdown()
            sys.exit(STARTUP_FAILURE)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nobody any more, and let those finish who are there."""
        if self._acceptor is not None:
            self._acceptor.close()
            await self._acceptor.wait_closed()
        await super().shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        if self._acceptor is not None:
            self._acceptor.count()
        if counter % _SIGN_OF_LIFE == 0:
            self._tell(ALIVE)
        return await super().on_tick(counter)

    async def _wait_tasks_to_complete(self) -> None:
        """Whoever is not answered in time is told that it is unknown what came of it, and not that something broke."""
        try:
            await asyncio.wait_for(super()._wait_tasks_to_complete(), GRACE)
        except TimeoutError:
            cut = problems.unavailable().to_response()
            for connection in list(self.server_state.connections):
                if isinstance(connection, BoundedProtocol):
                    connection.cut(cut.status_code, [*cut.raw_headers, (b"connection", b"close")], bytes(cut.body))
            if self.server_state.tasks:
                _logger.warning("Requests cut off at the end, each with 503: %d.", len(self.server_state.tasks))
            # it would call each of them an exception in the application
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
            for task in self.server_state.tasks:
                task.cancel()


async def _permission() -> None:
    """A byte on standard input, or its end: the supervisor will not close the port any more while this one has it."""
    loop, given = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), given.set)
    await given.wait()
    loop.remove_reader(sys.stdin.fileno())


def configuration() -> uvicorn.Config:
    """How uvicorn serves in each worker."""
    return uvicorn.Config(
        create_app,
        factory=True,
        loop="uvloop",
        http=BoundedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        # whose forwarding headers are believed is for the edge to say (api/edge/client_address.py)
        proxy_headers=False,
        timeout_keep_alive=75,
    )


def serve(listener: int, pipe: int, counts: int, place: int) -> None:
    """Serve until told to stop."""
    signal.signal(signal.SIGUSR1, lambda _number, _frame: STOPPING.set())
    reports = Reports(pipe)
    log_as_worker(reports)
    server = WorkerServer(
        configuration(),
        reports.tell,
        listener=socket.socket(fileno=listener),
        counts=ConnectionCounts(counts),
        place=place,
    )
    # no socket of uvicorn's own
    server.run([])
