"""`daybook serve`: database, migrations and workers under one supervisor; what dies is started again."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request

import uvicorn
from rich.console import Console
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from api.settings import Settings
from projections.places import Places, PlacesUnreadable

from .database import Database, database, prepare
from .embedded import DatabaseWontStart
from .keeper import Keeper
from .logs import LOGGING
from .refusal import WontStart
from .secret_file import secret_of

GRACE = 3
"""Seconds that requests in flight have to finish: with the database's own shutdown below ten."""

_logger = logging.getLogger("daybook")


def serve(settings: Settings, *, as_json: bool) -> None:
    """Serve until a signal ends it. Raises WontStart; whatever was started by then is stopped again."""
    # until the supervisor listens to signals: what was started is stopped again
    signal.signal(signal.SIGTERM, _stop)
    _require_places(settings)
    with listening(settings) as listener:
        # before there is a database, beside which none would be made any more
        secret = secret_of(settings)
        with database(settings) as found:
            applied = list(prepare(found, settings, founding=False).applied)
            os.environ.update(DAYBOOK_DATABASE_URL=found.application_url, DAYBOOK_SECRET=secret)
            # workers serve; what the owner may do is none of their business
            os.environ.pop("DAYBOOK_OWNER_DATABASE_URL", None)
            threading.Thread(target=_announce, args=(settings, applied, as_json), daemon=True).start()
            supervisor = Supervisor(_configuration(settings), found, listener)
            supervisor.run()
            if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
                raise WontStart("A worker could not start; what it wrote before says why.")


class Supervisor(Multiprocess):
    """Uvicorn's supervisor of workers, which watches over the keeper of the log and the embedded database too."""

    def __init__(self, configuration: uvicorn.Config, found: Database, listener: socket.socket) -> None:
        super().__init__(configuration, [listener])
        self._database = found
        self._keeper = Keeper()

    def init_processes(self) -> None:
        """The workers, and the keeper of the log."""
        super().init_processes()
        self._keeper.keep_running()

    def terminate_all(self) -> None:
        """New connections are refused from now on, not kept in a queue nobody reads; workers close theirs too."""
        super().terminate_all()
        for listener in self.sockets:
            listener.close()

    def join_all(self) -> None:
        """Once nobody writes any more, the log need not be kept.

        A worker whose thread waits for a frozen database would not end by itself.
        """
        deadline = time.monotonic() + GRACE + 0.5
        for worker in self.processes:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.is_alive():
                worker.kill()
        super().join_all()
        self._keeper.stop()

    def keep_subprocess_alive(self) -> None:
        """Called twice a second."""
        super().keep_subprocess_alive()
        if self.should_exit.is_set():
            return
        try:
            if self._keeper.keep_running():
                _logger.warning("The keeper of the log had ended and was started again.")
            if self._database.keep_running(lambda: not self.signal_queue):
                _logger.warning("The database had ended and was started again.")
        except DatabaseWontStart as error:
            _logger.error("%s", error)


def _require_places(settings: Settings) -> None:
    """Here, and not only where workers open it: nobody would see why they end. Raises WontStart."""
    try:
        Places(settings.geoip_database)
    except PlacesUnreadable as error:
        raise WontStart(str(error)) from error


def _stop(_number: int, _frame: object) -> None:
    # a second signal must not interrupt the stopping
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(0)


def listening(settings: Settings) -> socket.socket:
    """The socket all workers accept from. Raises WontStart if the address cannot be had."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        # listening at once: a second Daybook on this port fails here, not after it started a database
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise WontStart(f"Port {settings.port} on {settings.host} cannot be had: {error.strerror}.") from error
    listener.set_inheritable(True)
    return listener


def _configuration(settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        "api.cli.worker:application",
        factory=True,
        workers=settings.workers,
        loop="uvloop",
        http="api.cli.protocol:BoundedProtocol",
        ws="none",
        log_config=LOGGING,
        access_log=False,
        server_header=False,
        # whose forwarding headers are believed is for the edge to say (api/edge/client_address.py)
        proxy_headers=False,
        backlog=2048,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE,
    )


def _announce(settings: Settings, applied: list[str], as_json: bool) -> None:
    """Say where to look, once the service is ready."""
    anywhere = settings.host in ("0.0.0.0", "::")  # noqa: S104  compared, not bound
    host = "localhost" if anywhere else f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{host}:{settings.port}"
    while not _ready(f"{url}/readyz"):
        time.sleep(0.05)
    if as_json:
        print(json.dumps({"url": settings.origin, "docs": f"{url}/docs", "migrated": applied}), flush=True)
        return
    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print(f"Daybook is ready at {settings.origin}/api/auth (all routes: {url}/docs)")
    if settings.database_url is None:
        console.print(f"Its database and its secret are kept in {settings.data_dir.resolve()}; stop it with Ctrl-C.")


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
