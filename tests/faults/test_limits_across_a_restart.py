"""Limits hold over workers, their deaths and restarts: of however many at once, no more are admitted than allowed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from itertools import count
from urllib.parse import urlsplit

import pytest

from tests.api.browser import BASE
from tests.faults.processes import kill, workers
from tests.server import START, Server

SETTINGS = {"RATE_LIMIT": "on", "TRUSTED_PROXIES": "127.0.0.1,::1"}
SIGN_IN, RESET, SESSION = "/sign-in/email", "/request-password-reset", "/get-session"
WINDOW = 10.0
_numbers = count()

WARM = 8
"""Connections of a worker that is ready: six that its commands share, and the lines of its own."""


class Somebody:
    """A client with an address nobody has asked from, and how many of their requests were let in, by path."""

    def __init__(self, server: Server) -> None:
        self._server, self._number = server, next(_numbers)
        self.address = f"10.1.{self._number // 250}.{self._number % 250}"
        self._first = time.monotonic()

    def admitted(self, path: str, *, at_once: int) -> int:
        """How many of so many requests are let in, each over a connection of its own that stood open before."""
        statuses = asyncio.run(self._ask(self._request(path), at_once))
        # 400: no mail leaves from here, and so nothing is reset
        assert set(statuses) <= {200, 400, 401, 429}
        return sum(status != 429 for status in statuses)

    @property
    def within_the_window(self) -> bool:
        """Whether the first requests were sent so short a time ago that they count."""
        return time.monotonic() - self._first < WINDOW

    def _request(self, path: str) -> bytes:
        method, body = ("GET", "") if path == SESSION else ("POST", self._form())
        head = (
            f"{method} {BASE}{path} HTTP/1.1\r\nHost: {urlsplit(self._server.url).netloc}\r\nConnection: close\r\n"
            f"X-Forwarded-For: {self.address}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return (head + body).encode()

    def _form(self) -> str:
        # each somebody else, or the limit on guesses at one account would be reached first
        return json.dumps({"email": f"nobody.{self._number}@example.com", "password": "guessed 123"})

    async def _ask(self, request: bytes, times: int) -> list[int]:
        host, port = urlsplit(self._server.url).hostname, urlsplit(self._server.url).port
        lines = await asyncio.gather(*(asyncio.open_connection(host, port) for _ in range(times)))
        for _, writer in lines:
            writer.write(request)
        answers = await asyncio.gather(*(asyncio.wait_for(reader.read(), 20) for reader, _ in lines))
        for _, writer in lines:
            writer.close()
        return [int(answer.split(b" ", 2)[1]) for answer in answers]


def stop_and_start(server: Server) -> None:
    server.stop()
    server.start()


def kill_and_start(server: Server) -> None:
    kill(server)
    server.start()


def kill_a_worker(server: Server) -> None:
    workers(server)[0].kill()


def wait_for_both_workers(server: Server) -> None:
    began = time.monotonic()
    # one that is warm holds its connections to the database; before that, the port may have nobody but the other
    while sum(len(worker.net_connections("unix")) >= WARM for worker in workers(server)) < 2 or not server.ready():
        assert time.monotonic() - began < START
        time.sleep(0.05)


def test_of_twenty_sign_ins_at_once_three_are_let_in_a_hundred_times(server: Server) -> None:
    assert [Somebody(server).admitted(SIGN_IN, at_once=20) for _ in range(100)] == [3] * 100


def test_of_a_hundred_and_fifty_looks_at_once_a_hundred_are_let_in(server: Server) -> None:
    assert [Somebody(server).admitted(SESSION, at_once=150) for _ in range(5)] == [100] * 5


@pytest.mark.parametrize(
    ("fault", "rounds"),
    [(kill_a_worker, 3), (stop_and_start, 2), (kill_and_start, 1)],
    ids=["a worker dies", "the service is restarted", "the service dies"],
)
def test_nobody_is_let_in_again_because_of_a_fault_between_two_halves(
    server: Server, fault: Callable[[Server], None], rounds: int
) -> None:
    for _ in range(rounds):
        somebody = Somebody(server)
        assert somebody.admitted(RESET, at_once=2) == 2
        assert somebody.admitted(SESSION, at_once=75) == 75
        assert somebody.admitted(SIGN_IN, at_once=10) == 3
        fault(server)
        sign_ins, looks = somebody.admitted(SIGN_IN, at_once=10), somebody.admitted(SESSION, at_once=75)
        # a window is over ten seconds after the last that was let in; nearly always the second half comes in time
        assert (sign_ins, looks) == (0, 25) or not somebody.within_the_window
        # and here, where the window is a minute, always
        assert somebody.admitted(RESET, at_once=10) == 1
        wait_for_both_workers(server)
