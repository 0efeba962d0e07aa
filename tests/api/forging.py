"""Requests that claim to have been sent to another host: by their headers, by their target, or by both."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

OURS, HOST, EVIL = "https://accounts.example.com", "accounts.example.com", "evil.example"


@dataclass(frozen=True)
class Forgery:
    """What stands before the path in the request line, and the lines of the head that say where it was sent."""

    lines: Sequence[str] = (f"Host: {HOST}",)
    before: str = ""
    version: str = "1.1"

    def request(self, method: str, path: str, body: bytes = b"", *lines: str) -> bytes:
        """All of it, to be sent over a connection of its own."""
        head = [
            f"{method} {self.before}{path} HTTP/{self.version}",
            *self.lines,
            "Connection: close",
            f"Content-Length: {len(body)}",
            *lines,
        ]
        return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


ORDINARY = Forgery()
_OURS = f"Host: {HOST}"
_HOSTS = [
    EVIL,
    f"{EVIL}:443",
    f"{EVIL}:8000",
    f"{EVIL}.",
    "EVIL.EXAMPLE",
    f"{HOST}.{EVIL}",
    f"{HOST}:80@{EVIL}",
    f"{HOST}@{EVIL}",
    f"{EVIL}/{HOST}",
    f"{EVIL}#{HOST}",
    f"{EVIL}?{HOST}",
    f"{EVIL}\\{HOST}",
    f"{EVIL},{HOST}",
    f"{HOST} {EVIL}",
    f"{HOST}\t{EVIL}",
    f"{HOST}:{EVIL}",
    f"https://{EVIL}",
    "localhost",
    "127.0.0.1:8000",
    "[2001:db8::7]",
    "[evil]",
    "",
]
_FORWARDED_HOSTS = [EVIL, f"{EVIL}:443", f"{EVIL}, {HOST}", f"{HOST}, {EVIL}", f"https://{EVIL}/", f'"{EVIL}"', "\\"]
_SCHEMES = ["http", "javascript", "http, https", "https, http", f"https://{EVIL}/?", "data"]
_FORWARDED = [
    f"host={EVIL}",
    f"host={EVIL};proto=http",
    f'for=192.0.2.7;host="{EVIL}:443";proto=https',
    f"for=192.0.2.7;proto=javascript;host={HOST}",
    f"host={HOST}, host={EVIL}",
    f"host={EVIL}, host={HOST};proto=http",
    f'host="{EVIL}',
]
_OTHERS = [
    f"X-Host: {EVIL}",
    f"X-Original-Host: {EVIL}",
    f"X-HTTP-Host-Override: {EVIL}",
    f"X-Forwarded-Server: {EVIL}",
    f"X-Original-URL: https://{EVIL}/",
    f"X-Rewrite-URL: https://{EVIL}/",
    f"X-Forwarded-Prefix: //{EVIL}",
    f"X-Script-Name: //{EVIL}",
    "X-Forwarded-Scheme: http",
    "X-Forwarded-Port: 8443",
    "X-Forwarded-Ssl: off",
    f"Base-URL: https://{EVIL}",
]
_BEFORE = [
    f"http://{EVIL}",
    f"https://{EVIL}",
    f"https://{EVIL}:443",
    f"HTTPS://{EVIL.upper()}",
    f"https://{HOST}@{EVIL}",
    f"https://{HOST}.{EVIL}",
    f"//{EVIL}",
]
FORGERIES = [
    *(Forgery([f"Host: {host}"]) for host in _HOSTS),
    *(Forgery([_OURS, f"X-Forwarded-Host: {host}"]) for host in _FORWARDED_HOSTS),
    *(Forgery([_OURS, f"X-Forwarded-Proto: {scheme}"]) for scheme in _SCHEMES),
    *(Forgery([_OURS, f"Forwarded: {element}"]) for element in _FORWARDED),
    *(Forgery([_OURS, line]) for line in _OTHERS),
    *(Forgery([_OURS], before) for before in _BEFORE),
    *(Forgery([f"Host: {EVIL}"], before) for before in _BEFORE[:2]),
    Forgery([_OURS, f"Host: {EVIL}"]),
    Forgery([f"Host: {EVIL}", _OURS]),
    Forgery([f"Host: {EVIL}", f"X-Forwarded-Host: {EVIL}", "X-Forwarded-Proto: http", f"Forwarded: host={EVIL}"]),
    Forgery([_OURS, f"X-Forwarded-Host: {EVIL}", f"X-Forwarded-Host: {HOST}"]),
    Forgery([_OURS], f"http://{HOST}"),
    Forgery([], version="1.0"),
    Forgery([f"Host: {EVIL}"], version="1.0"),
    Forgery([]),
]
"""Some of which no server takes."""


@dataclass(frozen=True)
class Response:
    """What came back: its status, the lines of its head and its body."""

    status: int
    lines: Sequence[str]
    body: bytes

    @property
    def location(self) -> str | None:
        """Where it leads to."""
        found = [line.partition(":")[2].strip() for line in self.lines if line.lower().startswith("location:")]
        assert len(found) <= 1
        return found[0] if found else None


def exchange(port: int, requests: Sequence[bytes], *, at_once: int = 36) -> list[Response]:
    """What each request was told; so many at once, each over a connection of its own."""
    told = list[Response]()
    for first in range(0, len(requests), at_once):
        with ExitStack() as held:
            lines = []
            for request in requests[first : first + at_once]:
                lines.append(held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30)))
                lines[-1].sendall(request)
            told += [_read(line) for line in lines]
    return told


def _read(line: socket.socket) -> Response:
    with line.makefile("rb") as file:
        head, _, body = file.read().partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    return Response(int(status.split()[1]), lines, body)
