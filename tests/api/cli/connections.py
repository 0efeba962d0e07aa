"""Connections to a real server, on which a test says exactly what it likes, and when."""

from __future__ import annotations

import socket
from contextlib import suppress

import httpx

from tests.server import Server

HEAD = b"GET /api/auth/get-session HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


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


def rest(line: socket.socket) -> bytes:
    """What still comes until the server closes. Raises TimeoutError or ConnectionResetError if it does not."""
    came = b""
    while received := line.recv(65536):
        came += received
    return came
