"""HTTP as it comes off the socket, with the bounds that uvicorn does not set: on a head's size and its slowness.

Bodies have theirs in `api/edge/body.py`. A head that is too large is answered with 431 (RFC 6585 §5), one that does not
arrive is dropped, and so is a connection on which nothing is ever asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.edge.cross_origin import OF_NOBODY
from api.edge.response_writer import NO_SNIFFING
from api.stopping import STOPPING

LARGEST_HEAD = 32 * 1024
"""Bytes of request target and headers together; browsers send a few thousand at the most."""
PATIENCE = 10.0
"""Seconds for a head to arrive."""

_LARGEST_READ = 256 * 1024
"""What one read of the event loop may bring, head or not."""
_ABOUT_NOBODY = b"".join(b"%s: %s\r\n" % header for header in (NO_SNIFFING, *OF_NOBODY))
"""What the gate says with every answer: whose address is not known below its base path is answered alike."""
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n%s\r\n" % _ABOUT_NOBODY
)
_MALFORMED = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n"
    b"connection: close\r\n%s\r\n%s"
)


class HeadTooLarge(Exception):
    """Stops the parser; the client is told with 431."""


class BoundedProtocol(HttpToolsProtocol):
    """Uvicorn's protocol on httptools, bounded."""

    _size = 0
    _unparsed = 0
    _complete = False
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._deadline = self.loop.call_later(PATIENCE, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unparsed += len(data)
        if self._unparsed > LARGEST_HEAD + _LARGEST_READ:
            # one endless header, of which the parser tells nothing before its end
            self.send_400_response("")
            return
        super().data_received(data)
        if self._complete:
            self._unparsed = 0
        elif self._deadline is None and self._unparsed:
            self._deadline = self.loop.call_later(PATIENCE, self.transport.abort)

    def on_message_begin(self) -> None:
        self._size, self._complete = 0, False
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._grow(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._complete:
            # a trailer: it must not pass for a header (RFC 9110 §6.5.1)
            return
        self._grow(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._complete = True
        self._arrived()
        super().on_headers_complete()
        if STOPPING.is_set() and self.cycle is not None:
            # the next request goes over another connection, perhaps to another node
            self.cycle.keep_alive = False

    def cut(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        """Answer what is not answered yet, and close: nobody waits for the answer that is being made."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if not cycle.response_started:
                lines = [b"HTTP/1.1 %d \r\n" % status, *(b"%s: %s\r\n" % header for header in headers), _ABOUT_NOBODY]
                self.transport.write(b"".join(lines) + b"\r\n" + body)
            # what it would still send goes nowhere
            cycle.response_started = cycle.response_complete = cycle.disconnected = True
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        if self._size <= LARGEST_HEAD and self._unparsed <= LARGEST_HEAD + _LARGEST_READ:
            text = msg.encode("ascii", "replace")
            self.transport.write(_MALFORMED % (len(text), _ABOUT_NOBODY, text))
        else:
            self.transport.write(_TOO_LARGE)
        self.transport.close()

    def _grow(self, by: int) -> None:
        self._size += by
        if self._size > LARGEST_HEAD:
            raise HeadTooLarge

    def _arrived(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
