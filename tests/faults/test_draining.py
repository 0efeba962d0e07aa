"""The minutes between SIGTERM and the end: what dies in them is looked after as before."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from tests.databases import Database
from tests.faults.processes import end, end_all, everything_below, postmaster, workers
from tests.faults.test_starting import PATIENCE, answer, told, until
from tests.server import Server

DRAIN = 600
"""Seconds, more than any of these tests takes."""


@pytest.fixture
def server(database: Database, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "log", {"DATABASE_URL": database.application_url, "WORKERS": 1, "DRAIN_FOR": DRAIN})
    yield server
    end(server)


def drain(server: Server) -> None:
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    until(lambda: (answer(server, "/readyz") or (0,))[0] == 503)


def test_a_drain_without_workers_is_over(server: Server) -> None:
    server.start(wait=PATIENCE)
    [worker] = workers(server)
    drain(server)
    worker.kill()
    assert server.process is not None
    assert server.process.wait(PATIENCE) == 0
    assert answer(server, "/healthz") is None
    assert told(server, f"Worker {worker.pid} ended by SIGKILL (out of memory, if nobody sent it) while draining.") == 1
    assert told(server, "another is started") == 0


def test_a_database_that_ends_while_draining_is_started_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = Server(tmp_path / "log", {"DATA_DIR": data, "WORKERS": 1, "DRAIN_FOR": DRAIN})
    try:
        server.start(wait=PATIENCE)
        drain(server)
        end_all(everything_below(postmaster(data / "postgres")))
        until(lambda: told(server, "The database had ended and was started again.") == 1)
        with server.client() as client:
            until(lambda: client.get("/readyz").json()["database"] == "ok")
            assert client.get("/readyz").json()["ready"] is False
        assert server.stop(wait=PATIENCE) == 0
    finally:
        end(server, data / "postgres")


class Nohup(Server):
    """Started so that it outlives the terminal."""

    def _popen(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        command = ["nohup", sys.executable, "-m", "api.cli", "serve"]
        return subprocess.Popen(command, cwd=self.log.parent, env=self.environment, stdout=log, stderr=log)


def test_what_nohup_started_outlives_the_terminal_and_says_that_it_is_ready_past_a_proxy(
    database: Database, tmp_path: Path
) -> None:
    server = Nohup(tmp_path / "log", {"DATABASE_URL": database.application_url, "WORKERS": 1})
    # nobody listens there
    server.environment |= {"http_proxy": "http://127.0.0.1:1", "no_proxy": ""}
    try:
        server.start(wait=PATIENCE)
        until(lambda: "Daybook is ready at" in server.log.read_text())
        assert server.process is not None
        server.process.send_signal(signal.SIGHUP)
        time.sleep(2)
        assert server.process.poll() is None
        assert server.ready()
        assert server.stop(wait=PATIENCE) == 0
    finally:
        end(server)
