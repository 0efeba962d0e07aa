"""How connections end: with an answer that the client can read, and in bounded time, whatever it still sends or not."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from functools import partial

import httpx
import pytest
import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from api.cli import lingering
from api.cli.lingering import LingeringTransport
from api.cli.protocol import BoundedProtocol
from tests.api.cli.connections import CHUNKED, HEAD, connected, rest
from tests.people import PASSWORD
from tests.server import Server

UPDATE = b"POST /api/auth/update-user HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
NOWHERE = b"POST /api/auth/nowhere HTTP/1.1\r\nHost: localhost\r\n"
UNFINISHED = {
    "a read": HEAD + b"Content-Length: 10\r\n\r\n",
    "nowhere": NOWHERE + b"Content-Length: 10\r\n\r\n",
    "health": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n",
    "documentation": b"GET /docs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n",
    "no such host": b"GET /docs HTTP/1.1\r\nHost: a b\r\nContent-Length: 10\r\n\r\n",
    "chunked": HEAD + CHUNKED,
    "a chunk": HEAD + CHUNKED + b"ff\r\nx",
    "a chunk extension": HEAD + CHUNKED + b"5;",
    "a trailer": HEAD + CHUNKED + b"0\r\nX: ",
}


def signed_up(server: Server, name: str) -> bytes:
    """The header that shows a new person's session."""
    form = {"name": name, "email": f"{name.lower()}@example.com", "password": PASSWORD}
    answer = httpx.post(f"{server.url}/api/auth/sign-up/email", json=form)
    return b"Authorization: Bearer %s\r\n" % answer.headers["set-auth-token"].encode()


def name_of(server: Server, bearer: bytes) -> str:
    with connected(server) as line:
        line.sendall(HEAD + bearer + b"Connection: close\r\n\r\n")
        name: str = rest(line).split(b'"name":"')[1].split(b'"')[0].decode()
        return name


def test_who_is_answered_before_the_request_has_come_whole_is_told_that_the_connection_ends(server: Server) -> None:
    for request in UNFINISHED.values():
        with connected(server) as line:
            line.sendall(request)
            assert b"\r\nconnection: close\r\n" in rest(line).lower()


def test_an_answered_request_that_goes_on_coming_slowly_holds_no_connection(server: Server) -> None:
    lines = {kind: connected(server) for kind in UNFINISHED}
    for kind, line in lines.items():
        line.sendall(UNFINISHED[kind])
        rest(line)
    began, lived = time.monotonic(), dict[str, float]()
    while len(lived) < len(lines) and time.monotonic() - began < 25:
        for kind in lines.keys() - lived.keys():
            try:
                lines[kind].sendall(b"z")
            except (ConnectionResetError, BrokenPipeError):
                lived[kind] = time.monotonic() - began
        time.sleep(0.5)
    for line in lines.values():
        line.close()
    assert lived.keys() == lines.keys()
    assert max(lived.values()) < 15


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 8000000\r\n\r\n", CHUNKED + b"7a1200\r\n"], ids=["length", "chunked"]
)
def test_who_sends_far_too_much_and_only_then_reads_is_told_so(server: Server, framing: bytes) -> None:
    for _ in range(5):
        with connected(server) as line:
            line.sendall(UPDATE + framing + b"x" * 8_000_000)
            assert rest(line).startswith(b"HTTP/1.1 413 ")


def test_a_head_that_is_far_too_large_is_refused_to_who_sends_it_whole(server: Server) -> None:
    with connected(server) as line:
        line.sendall(HEAD + b"Cookie: a=" + b"x" * 8_000_000 + b"\r\n\r\n")
        assert rest(line).startswith(b"HTTP/1.1 431 ")


def test_what_is_thrown_away_after_an_answer_is_bounded(server: Server) -> None:
    with connected(server) as line:
        line.sendall(UPDATE + b"Content-Length: 1000000000\r\n\r\n")
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            line.sendall(b"x" * 64_000_000)


def test_who_asked_and_then_closed_its_side_is_answered(server: Server) -> None:
    """RFC 9112 §9.6."""
    bearer, body = signed_up(server, "Ada"), b'{"name":"Lovelace"}'
    asked = {
        "a read": HEAD + bearer + b"\r\n",
        "two reads": (HEAD + bearer + b"\r\n") * 2,
        "beside the contract": b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "a command": UPDATE + bearer + b"Content-Length: %d\r\n\r\n%s" % (len(body), body),
        "a command in chunks": UPDATE + bearer + CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body),
    }
    for kind, request in asked.items():
        for _ in range(6):
            with connected(server) as line:
                line.sendall(request)
                line.shutdown(socket.SHUT_WR)
                answers = rest(line)
                assert answers.count(b"HTTP/1.1 200 ") == (2 if kind == "two reads" else 1), kind
    assert name_of(server, bearer) == "Lovelace"


@pytest.mark.parametrize(
    "framing", [b"Content-Length: %d\r\n\r\n%s", CHUNKED + b"%x\r\n%s\r\n"], ids=["length", "chunked"]
)
def test_who_broke_off_in_the_middle_of_a_body_is_gone_and_it_is_not_done(server: Server, framing: bytes) -> None:
    body = b'{"name":"Lovelace"}'
    bearer = signed_up(server, "Bo" if framing.startswith(b"Content") else "Cy")
    whole = UPDATE + bearer + framing % (len(body), body)
    for end in (1, 3):
        with connected(server) as line:
            line.sendall(whole[:-end])
            time.sleep(0.2)
            line.shutdown(socket.SHUT_WR)
            assert rest(line) == b""
    assert name_of(server, bearer) in {"Bo", "Cy"}


def test_a_body_that_nobody_asked_for_is_not_waited_for_on_the_connection(server: Server) -> None:
    """RFC 9110 §10.1.1: who expects 100 and gets a final answer sends no body, so the next bytes are no request's."""
    expected = b"Expect: 100-continue\r\nContent-Length: "
    for request, status in (
        (NOWHERE + expected + b"10\r\n\r\n", b"404"),
        (UPDATE + expected + b"900000\r\n\r\n", b"413"),
    ):
        with connected(server) as line:
            line.sendall(request)
            answer = rest(line)
            assert answer.startswith(b"HTTP/1.1 %s " % status)
            assert b"\r\nconnection: close\r\n" in answer.lower()


def test_a_body_that_was_asked_for_leaves_the_connection_open(server: Server) -> None:
    body = b'{"email":"nobody@example.com","password":"correct horse 1"}'
    head = b"POST /api/auth/sign-in/email HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with connected(server) as line:
        for _ in range(2):
            line.sendall(head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
            assert line.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
            line.sendall(body)
            answer = line.recv(65536)
            assert answer.startswith(b"HTTP/1.1 401 ")
            assert b"connection: close" not in answer.lower()
            if not answer.endswith(b"}"):
                line.recv(65536)


class Slow:
    """The client's side of a connection in this process, to a server with an answer of twenty million bytes."""

    SIZE = 20_000_000

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # the real one is a minute
        monkeypatch.setattr(lingering, "STALLED", 0.5)

    def read(self, *, closing: bool, reading: bool) -> tuple[int, bool]:
        """How many bytes of the answer came, and whether the server let go of the connection."""
        return uvloop.run(self._read(closing, reading))

    async def _read(self, closing: bool, reading: bool) -> tuple[int, bool]:
        loop, state = asyncio.get_running_loop(), ServerState()
        config = uvicorn.Config(self._answer, interface="asgi3", lifespan="off", ws="none", log_config=None)
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        await loop.connect_accepted_socket(partial(BoundedProtocol, config, state, {}), ours)
        last = b"Connection: close\r\n" if closing else b""
        await loop.sock_sendall(theirs, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + last + b"\r\n")
        came = 0
        async with asyncio.timeout(20):
            while reading and came < self.SIZE and (received := await loop.sock_recv(theirs, 200_000)):
                came += len(received)
                # slower in all than it may stall, and never stalled
                await asyncio.sleep(0.02)
            while not reading and (state.connections or state.tasks):
                await asyncio.sleep(0.05)
        theirs.close()
        return came, not reading

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(200):
            await send({"type": "http.response.body", "body": b"x" * (self.SIZE // 200), "more_body": True})
        await send({"type": "http.response.body"})


@pytest.mark.parametrize("closing", [False, True])
def test_who_reads_nothing_of_its_answer_holds_no_connection(monkeypatch: pytest.MonkeyPatch, closing: bool) -> None:
    assert Slow(monkeypatch).read(closing=closing, reading=False) == (0, True)


@pytest.mark.parametrize("closing", [False, True])
def test_who_reads_slowly_gets_all_of_its_answer(monkeypatch: pytest.MonkeyPatch, closing: bool) -> None:
    came, _ = Slow(monkeypatch).read(closing=closing, reading=True)
    assert came >= Slow.SIZE


def test_a_closed_connection_whose_answer_nobody_reads_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "STALLED", 0.5)

    async def lives() -> bool:
        ours, theirs = socket.socketpair()
        lost = asyncio.Event()

        class Protocol(asyncio.Protocol):
            def connection_lost(self, exc: Exception | None) -> None:
                lost.set()

        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_accepted_socket(Protocol, ours)
        closing = LingeringTransport(transport, loop)
        closing.write(b"x" * 20_000_000)
        closing.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(lost.wait(), 10)
        theirs.close()
        return not lost.is_set()

    assert not uvloop.run(lives())
