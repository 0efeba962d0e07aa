"""A real server for tests: `daybook serve` as its own processes, or the application on a thread with a given clock."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import httpx
import psutil
import uvicorn

from api.app import create_app
from api.settings import Settings
from domain.clock import Clock
from tests.people import SECRET

ROOT = Path(__file__).parent.parent
START = 120.0


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """`daybook serve` with these `DAYBOOK_…` settings, started and waited for; `log` is what it wrote.

    `options` are those of its command line.
    """

    def __init__(self, log: Path, settings: Mapping[str, object], *options: str) -> None:
        port = settings.get("PORT", free_port())
        given = {"SECRET": SECRET, "RATE_LIMIT": "off", "WORKERS": 2, **settings, "PORT": port}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
        self.environment = inherited | {
            "PYTHONPATH": str(ROOT),
            **{f"DAYBOOK_{name}": str(value) for name, value in given.items() if value is not None},
        }
        self.port, self.url = port, f"http://localhost:{port}"
        self.log, self.options = log, options
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: float = START) -> float:
        """Start, and wait until it is ready; how many seconds that took."""
        began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = self._popen(log)
        while not self.ready():
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended: {self.log.read_text()[-2000:]}")
            if time.monotonic() - began > wait:
                raise AssertionError(f"not ready within {wait} s: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)
        return time.monotonic() - began

    def _popen(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "api.cli", "serve", *self.options]
        return subprocess.Popen(command, cwd=self.log.parent, env=self.environment, stdout=log, stderr=log)

    def ready(self) -> bool:
        """Whether it serves requests."""
        return _ready(self.port)

    def processes(self) -> list[psutil.Process]:
        """The supervisor and everything below it, an embedded database too."""
        assert self.process is not None
        supervisor = psutil.Process(self.process.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def kill(self) -> None:
        """kill -9 of all of it, at once."""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait(10)

    def stop(self, *, wait: float = 15) -> int:
        """SIGTERM, and the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(wait)

    def client(self) -> httpx.Client:
        """A browser-like client: keeps cookies, sends the origin a page of ours would."""
        return httpx.Client(base_url=self.url, headers={"Origin": self.url}, timeout=15)


def _ready(port: object) -> bool:
    """Whether all who answer there are: connections that are open together are shared among the workers."""
    # not httpx, which takes longer to make a client than the server to answer
    asking = [http.client.HTTPConnection(f"localhost:{port}", timeout=2) for _ in range(4)]
    try:
        for one in asking:
            one.connect()
        for one in asking:
            one.request("GET", "/readyz")
        return all(one.getresponse().status == 200 for one in asking)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        for one in asking:
            one.close()


@contextmanager
def served(log: Path, settings: Mapping[str, object]) -> Iterator[Server]:
    """A running server, ended in the end."""
    server = Server(log, settings)
    try:
        server.start()
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.stop()


@contextmanager
def application(settings: Settings, clock: Clock) -> Iterator[str]:
    """The real application on a real port in a thread of this process, living by `clock`; its URL."""
    port = free_port()
    known = settings.model_copy(update={"port": port})
    server = uvicorn.Server(
        uvicorn.Config(create_app(known, clock), port=port, log_level="warning", proxy_headers=False)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        began = time.monotonic()
        # on a busy machine it may begin before its database has answered, and say 503 for a moment
        while not _ready(port) and time.monotonic() - began < START:
            time.sleep(0.01)
        yield f"http://localhost:{port}"
    finally:
        server.should_exit = True
        thread.join(15)


def problem(answer: httpx.Response) -> tuple[int, str | None]:
    """Status and code of an answer."""
    return answer.status_code, json.loads(answer.content).get("code") if answer.content else None
