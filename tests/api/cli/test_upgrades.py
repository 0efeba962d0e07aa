"""Who offers another protocol is answered in HTTP/1.1, and what it sends stays what it is."""

from __future__ import annotations

import time

import pytest

from tests.api.cli.connections import CHUNKED, HEAD, connected, rest
from tests.server import Server

OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n"
"""As Java's client sends it with its first request."""
SIGN_IN = b"POST /api/auth/sign-in/email HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY = b'{"email":"nobody@example.com","password":"correct horse 1"}'
LAST = b"GET /api/auth/ok HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
SIGN_INS = {
    "length": SIGN_IN + OFFER + b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY),
    "chunked": SIGN_IN + OFFER + CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
}


@pytest.mark.parametrize("in_parts", [False, True], ids=["at once", "in parts"])
@pytest.mark.parametrize("request_bytes", SIGN_INS.values(), ids=SIGN_INS)
def test_the_body_of_an_offer_is_read(server: Server, request_bytes: bytes, in_parts: bool) -> None:
    cut = request_bytes.index(b"\r\n\r\n") + 4 if in_parts else len(request_bytes)
    with connected(server) as line:
        for _ in range(2):
            line.sendall(request_bytes[:cut])
            time.sleep(0.2)
            line.sendall(request_bytes[cut:])
        line.sendall(LAST)
        answers = rest(line)
    assert answers.count(b'"INVALID_EMAIL_OR_PASSWORD"') == answers.count(b"HTTP/1.1 401 ") == 2
    assert answers.endswith(b'{"ok":true}')


def test_a_body_of_an_offer_is_no_request(server: Server) -> None:
    """A proxy that counts it as a body would hand its answer to somebody else."""
    inner = b"GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with connected(server) as line:
        line.sendall(SIGN_IN + OFFER + b"Content-Length: %d\r\n\r\n" % len(inner))
        time.sleep(0.2)
        line.sendall(inner + LAST)
        answers = rest(line)
    assert answers.count(b"HTTP/1.1 ") == 2
    assert answers.startswith(b"HTTP/1.1 400 ")
    assert answers.endswith(b'{"ok":true}')


def test_requests_behind_an_offer_are_answered(server: Server) -> None:
    asked = HEAD + OFFER + b"\r\n" + HEAD + b"Content-Length: 0\r\n" + OFFER + b"\r\n" + HEAD + b"\r\n"
    with connected(server) as line:
        line.sendall(asked * 20 + LAST)
        answers = rest(line)
    assert answers.count(b"HTTP/1.1 200 ") == 61
    assert answers.endswith(b'{"ok":true}')


def test_the_body_of_an_offer_is_bounded_as_any(server: Server) -> None:
    with connected(server) as line:
        line.sendall(SIGN_IN + OFFER + b"Content-Length: 8000000\r\n\r\n" + b"x" * 8_000_000)
        assert rest(line).startswith(b"HTTP/1.1 413 ")
    with connected(server) as line:
        line.sendall(SIGN_IN + OFFER + CHUNKED + b"nonsense\r\n")
        assert rest(line).startswith(b"HTTP/1.1 400 ")
