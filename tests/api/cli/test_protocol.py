"""Bounds on what comes off the socket: heads too large, too slow or in the wrong place harm nobody."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

import httpx
import pytest

from tests.api.cli.connections import CHUNKED, HEAD, ask, connected, rest
from tests.people import PASSWORD
from tests.server import Server


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
            line.sendall(b"x" * 64_000_000)
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


def test_many_small_headers_count_as_much_as_a_large_one(server: Server) -> None:
    """RFC 9113 §6.5.2: 32 bytes each, beside what they say."""
    assert ask(server, HEAD + b"a:\r\n" * 900 + b"\r\n").startswith(b"HTTP/1.1 200 ")
    assert ask(server, HEAD + b"a:\r\n" * 1100 + b"\r\n").startswith(b"HTTP/1.1 431 ")


SIGN_IN = b"POST /api/auth/sign-in/email HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
NOWHERE = b"POST /api/auth/nowhere HTTP/1.1\r\nHost: localhost\r\n"
READYZ = b"POST /readyz HTTP/1.1\r\nHost: localhost\r\n"
ENDLESS = {
    "a trailer": (b"0\r\nX: ", b"a" * 1000),
    "the name of a trailer": (b"0\r\n", b"a" * 1000),
    "trailers": (b"0\r\n", b"X: a\r\n" * 100),
    "a chunk extension": (b"5;", b"a" * 1000),
    "a chunk extension of every chunk": (b"", b"1;" + b"a" * 1000 + b"\r\nx\r\n"),
}


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("head", [HEAD, SIGN_IN, NOWHERE, READYZ], ids=["a read", "a command", "nowhere", "beside"])
def test_what_comes_endlessly_beside_a_body_is_not_kept(server: Server, head: bytes, kind: str) -> None:
    begins, goes_on = ENDLESS[kind]
    held = sum(process.memory_info().rss for process in server.processes())
    with connected(server) as line:
        line.sendall(head + CHUNKED + begins)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            line.sendall(goes_on * (40_000_000 // len(goes_on)))
        assert sum(process.memory_info().rss for process in server.processes()) - held < 20_000_000
        assert httpx.get(f"{server.url}/api/auth/ok", timeout=2).json() == {"ok": True}


@pytest.mark.parametrize(
    "beside", [b"0\r\nX: " + b"a" * 40_000 + b"\r\n\r\n", b"0\r\n" + b"X: a\r\n" * 1100 + b"\r\n"], ids=["one", "many"]
)
def test_trailers_larger_than_a_head_are_refused_where_the_body_is_waited_for(server: Server, beside: bytes) -> None:
    with connected(server) as line:
        line.sendall(SIGN_IN + CHUNKED)
        time.sleep(0.3)
        line.sendall(beside)
        assert rest(line).startswith(b"HTTP/1.1 431 ")


def test_a_body_may_come_byte_by_byte_each_in_its_chunk(server: Server) -> None:
    body = b'{"email":"nobody@example.com","password":"correct horse 1","callbackURL":"/%s"}' % (b"x" * 60_000)
    with connected(server) as line:
        line.sendall(SIGN_IN + b"Connection: close\r\n" + CHUNKED)
        line.sendall(b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\nX: a\r\n\r\n")
        assert rest(line).split(b" ")[1] in {b"400", b"401"}


def seconds_it_lives_while_saying(byte: bytes, line: socket.socket) -> float:
    began = time.monotonic()
    with suppress(ConnectionResetError, BrokenPipeError):
        while time.monotonic() - began < 18:
            line.sendall(byte)
            time.sleep(0.5)
    return time.monotonic() - began


def test_empty_lines_before_a_head_are_waited_for_as_it_is(server: Server) -> None:
    with connected(server) as line:
        assert served_once(line)
        assert 8 < seconds_it_lives_while_saying(b"\r\n", line) < 15
    with connected(server) as line, pytest.raises((ConnectionResetError, BrokenPipeError)):
        line.sendall(b"\r\n" * 20_000_000)


def test_an_empty_line_after_a_body_keeps_nobody_from_asking_again(server: Server) -> None:
    """As old browsers send it (RFC 9112 §2.2)."""
    with connected(server) as line:
        for _ in range(3):
            assert served_once(line)
            line.sendall(b"\r\n")


def test_a_hundred_requests_may_wait_on_a_connection_and_no_more(server: Server) -> None:
    with connected(server) as line:
        line.sendall((HEAD + b"\r\n") * 100 + HEAD + b"Connection: close\r\n\r\n")
        assert rest(line).count(b"HTTP/1.1 200 ") == 101
    with connected(server) as line:
        line.sendall((HEAD + b"\r\n") * 3_000)
        answers = rest(line)
        assert 101 <= answers.count(b"HTTP/1.1 200 ") < 1_500
        assert answers.count(b"connection: close") == 1
        assert b"connection: close" in answers[answers.rindex(b"HTTP/1.1 200 ") :]


def test_who_asks_without_end_and_reads_slowly_is_not_read_ahead(server: Server) -> None:
    held = sum(process.memory_info().rss for process in server.processes())
    with connected(server) as line:
        line.settimeout(3)
        with pytest.raises(OSError):  # noqa: PT011  # dropped, or not read any more
            line.sendall((HEAD + b"\r\n") * 1_000_000)
        assert sum(process.memory_info().rss for process in server.processes()) - held < 20_000_000


@pytest.mark.parametrize("broken", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000], ids=["400", "431"])
def test_what_was_asked_before_something_malformed_is_answered(server: Server, broken: bytes) -> None:
    with connected(server) as line:
        line.sendall((HEAD + b"\r\n") * 2 + broken)
        answers = rest(line)
    assert answers.count(b"HTTP/1.1 ") == answers.count(b"HTTP/1.1 200 ") == 2
    assert answers.endswith(b"null")


def test_a_malformed_body_of_a_request_that_waits_ends_the_connection(server: Server) -> None:
    with connected(server) as line:
        line.sendall(HEAD + b"\r\n" + SIGN_IN + CHUNKED + b"nonsense\r\n")
        answers = rest(line)
    assert answers.count(b"HTTP/1.1 ") == answers.count(b"HTTP/1.1 200 ") == 1


def test_a_malformed_body_is_refused(server: Server) -> None:
    with connected(server) as line:
        line.sendall(SIGN_IN + CHUNKED + b"nonsense\r\n")
        assert rest(line).startswith(b"HTTP/1.1 400 ")
