"""Bounds on what comes off the socket: heads too large, too slow or in the wrong place harm nobody."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.databases import Database
from tests.people import PASSWORD
from tests.server import Server, served


@pytest.fixture(scope="module")
def server(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log: Path = tmp_path_factory.mktemp("server") / "log"
    with served(log, {"DATABASE_URL": module_database.application_url, "WORKERS": 1}) as server:
        yield server


def connected(server: Server) -> socket.socket:
    return socket.create_connection(("localhost", httpx.URL(server.url).port or 0), timeout=20)


def ask(server: Server, request: bytes) -> bytes:
    """What comes back until the server closes; it is asked to."""
    answer = b""
    with connected(server) as line, suppress(ConnectionResetError, BrokenPipeError):
        line.sendall(request.replace(b"Host: localhost\r\n", b"Host: localhost\r\nConnection: close\r\n"))
        while received := line.recv(65536):
            answer += received
    return answer


HEAD = b"GET /api/auth/get-session HTTP/1.1\r\nHost: localhost\r\n"


def test_a_head_of_thirty_thousand_bytes_is_read(server: Server) -> None:
    answer = ask(server, HEAD + b"Cookie: a=" + b"x" * 30_000 + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "request_bytes",
    [
        HEAD + b"Cookie: a=" + b"x" * 40_000 + b"\r\n\r\n",
        HEAD + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 100) for n in range(400)) + b"\r\n",
        b"GET /" + b"z" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=["one header", "many headers", "the target"],
)
def test_a_larger_head_is_refused(server: Server, request_bytes: bytes) -> None:
    assert ask(server, request_bytes).startswith(b"HTTP/1.1 431 ")


def test_an_endless_header_costs_others_nothing(server: Server) -> None:
    with connected(server) as line:
        line.sendall(HEAD + b"Cookie: ")
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            line.sendall(b"x" * 16_000_000)
        assert httpx.get(f"{server.url}/api/auth/ok", timeout=2).json() == {"ok": True}


def served_once(line: socket.socket) -> bool:
    """Whether one more request on this connection is answered; head and body may come apart."""
    line.sendall(HEAD + b"\r\n")
    answer = b""
    while not answer.endswith(b"null"):
        received = line.recv(65536)
        if not received:
            return False
        answer += received
    return answer.startswith(b"HTTP/1.1 200 ")


def test_who_says_nothing_or_stops_in_the_middle_is_dropped(server: Server) -> None:
    with connected(server) as silent, connected(server) as slow, connected(server) as idle:
        assert served_once(idle)
        slow.sendall(HEAD)
        began = time.monotonic()
        assert silent.recv(1) == b""
        assert slow.recv(1) == b""
        assert 8 < time.monotonic() - began < 15
        # who has been answered and comes back is served
        assert served_once(idle)


def test_a_trailer_is_no_cookie(server: Server) -> None:
    form = {"name": "Ada", "email": "trailer@example.com", "password": PASSWORD}
    signed_up = httpx.post(f"{server.url}/api/auth/sign-up/email", json=form)
    cookie = signed_up.headers["set-cookie"].split(";")[0].encode()
    honest = ask(server, HEAD + b"Cookie: " + cookie + b"\r\n\r\n")
    assert b"trailer@example.com" in honest
    smuggled = ask(server, HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nCookie: " + cookie + b"\r\n\r\n")
    assert smuggled.endswith(b"null")
