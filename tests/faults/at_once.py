"""At once: requests sent in one moment, over connections that stand open to workers one can tell apart."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.api.browser import BASE, TOKEN_COOKIE, Answer, signed
from tests.faults.processes import workers
from tests.server import Server

_PATIENCE = 30.0
"""Seconds for an answer, and for enough connections to each worker."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A path below the base path; `token` is the secret of the session it shows as its cookie, "" for none, `key` the
    API key that a program shows.
    """

    method: str = "GET"
    path: str
    token: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    fields: object = None
    user_agent: str = ""


class Line:
    """An open connection to one worker, which has this process id. It carries one request at a time."""

    def __init__(self, url: str, connection: HTTPConnection, worker: int) -> None:
        self._origin, self._connection, self.worker = url, connection, worker

    def send(self, request: Request) -> None:
        """Hand a request to the network; `answer` waits for what comes back."""
        headers = {"Origin": self._origin}
        if request.token:
            headers["Cookie"] = f"{TOKEN_COOKIE}={signed(request.token)}"
        if request.key:
            headers["x-api-key"] = request.key
        if request.user_agent:
            headers["User-Agent"] = request.user_agent
        body = None
        if request.fields is not None:
            headers["Content-Type"], body = "application/json", json.dumps(request.fields).encode()
        self._connection.request(request.method, f"{BASE}{request.path}", body, headers)

    def answer(self) -> Answer:
        """The answer to what was sent."""
        response = self._connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def ask(self, request: Request) -> Answer:
        """Send, and wait."""
        self.send(request)
        return self.answer()


class Sent(NamedTuple):
    """A request, the line it goes by, and how many seconds after the first it is sent."""

    line: Line
    request: Request
    after: float = 0.0


def at_once(sent: Sequence[Sent]) -> list[Answer]:
    """Send all of them, each on a line of its own, then read the answers, which come in the order of `sent`."""
    began = time.monotonic()
    for line, request, after in sorted(sent, key=lambda one: one.after):
        time.sleep(max(0.0, began + after - time.monotonic()))
        line.send(request)
    return [line.answer() for line, _, _ in sent]


def over(lines: Sequence[Line], requests: Iterable[Request]) -> list[Answer]:
    """All requests, in order, as many at once as there are lines."""
    waiting, answers = list(requests), list[Answer]()
    for first in range(0, len(waiting), len(lines)):
        answers += at_once([Sent(*pair) for pair in zip(lines, waiting[first : first + len(lines)], strict=False)])
    return answers


@contextmanager
def lines_to(server: Server, each: int) -> Iterator[list[list[Line]]]:
    """So many open connections to each of the server's two workers, by worker."""
    by_worker: dict[int, list[Line]] = {worker.pid: [] for worker in workers(server)}
    assert len(by_worker) == 2
    deadline = time.monotonic() + _PATIENCE
    with ExitStack() as held:
        while min(len(lines) for lines in by_worker.values()) < each:
            assert time.monotonic() < deadline, "one worker takes all connections"
            connections = [held.enter_context(closing(_dialed(server.url))) for _ in range(each)]
            answering = _who_answers(server)
            for connection in connections:
                worker = answering[connection.sock.getsockname()[1]]
                by_worker[worker].append(Line(server.url, connection, worker))
        yield [lines[:each] for lines in by_worker.values()]


def taking_turns(by_worker: Sequence[Sequence[Line]]) -> list[Line]:
    """The lines of both workers, one of each in turn."""
    return [line for pair in zip(*by_worker, strict=True) for line in pair]


def _dialed(url: str) -> HTTPConnection:
    """A connection that a worker has taken, since it answered."""
    at = urlsplit(url)
    connection = HTTPConnection(at.hostname or "", at.port, timeout=_PATIENCE)
    connection.request("GET", f"{BASE}/ok")
    assert connection.getresponse().read()
    return connection


def _who_answers(server: Server) -> dict[int, int]:
    """Which worker, by its process id, holds the other end of the connection from a port of ours."""
    return {
        connection.raddr.port: worker.pid
        for worker in workers(server)
        for connection in worker.net_connections("tcp")
        if connection.raddr
    }
