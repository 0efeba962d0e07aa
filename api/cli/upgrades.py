"""Offers to speak another protocol are declined, and what was asked is read on as HTTP/1.1 (RFC 9110 §7.8).

The parser stops behind the head of such a request: it takes the body for the other protocol. So the body of whoever
offers HTTP/2 with every first request, as Java's client does, was lost, or taken for the next request.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httptools

_FRAMING = (b"content-length", b"transfer-encoding")


def framing_of(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers that say where the body of a request ends; none if it has no body (RFC 9112 §6.3)."""
    return [header for header in headers if header[0] in _FRAMING and header[1].strip(b" \t0")]


def parser_within(protocol: Any, framing: Iterable[tuple[bytes, bytes]]) -> httptools.HttpRequestParser:
    """A parser for `protocol` that stands behind a head with this framing, of which the protocol is told nothing."""
    callbacks = _Callbacks(protocol)
    parser = httptools.HttpRequestParser(callbacks)
    # as uvicorn has it
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    parser.feed_data(b"POST / HTTP/1.1\r\n%s\r\n" % b"".join(b"%s: %s\r\n" % header for header in framing))
    callbacks.behind_the_head = True
    return parser


class _Callbacks:
    """Passes on what the parser tells once the head is behind it."""

    def __init__(self, protocol: Any) -> None:
        self._protocol, self.behind_the_head = protocol, False

    def on_message_begin(self) -> None:
        if self.behind_the_head:
            self._protocol.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if self.behind_the_head:
            self._protocol.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.behind_the_head:
            self._protocol.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.behind_the_head:
            self._protocol.on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._protocol.on_body(body)

    def on_message_complete(self) -> None:
        self._protocol.on_message_complete()
