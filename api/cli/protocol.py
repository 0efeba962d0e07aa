"""HTTP as it comes off the socket, with the bounds that uvicorn does not set: on all that comes beside a body.

Bodies have theirs in `api/edge/body.py`. A head that is too large is answered with 431 (RFC 6585 §5), with its trailers
and whatever else comes between the pieces of a body; one that does not arrive is dropped, and so is a connection on
which nothing is ever asked. Who is answered before the request has come whole is told that the connection ends, and it
does (`api/cli/lingering.py`): no timer of uvicorn's runs then.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from api.edge.cross_origin import OF_NOBODY
from api.edge.response_writer import NO_SNIFFING
from api.stopping import STOPPING

from .lingering import LingeringTransport
from .upgrades import framing_of, parser_within

LARGEST_HEAD = 32 * 1024
"""Bytes of request target, headers and trailers together; browsers send a few thousand at the most."""
FIELD = 32
"""Bytes that a header counts beside its name and value, so that many small ones count too (RFC 9113 §6.5.2)."""
PATIENCE = 10.0
"""Seconds for a head to arrive."""
MOST_PIPELINED = 100
"""Requests that may wait on one connection for those before them to be answered."""

_LARGEST_READ = 256 * 1024
"""What one read of the event loop may bring, head or not."""
_FRAMING = 16
"""So many bytes may frame each byte of a chunked body; a chunk of one byte takes five."""
_on_header = HttpToolsProtocol.on_header
"""Called for every header of every request: by `super()` a request of twelve took a microsecond more."""
_ABOUT_NOBODY = b"".join(b"%s: %s\r\n" % header for header in (NO_SNIFFING, *OF_NOBODY))
"""What the gate says with every answer: whose address is not known below its base path is answered alike."""
_INVALID = "Invalid HTTP request received."
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n%s\r\n" % _ABOUT_NOBODY
)
_MALFORMED = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n"
    b"connection: close\r\n%s\r\n%s"
)


class HeadTooLarge(Exception):
    """Stops the parser; the client is told with 431."""


class TooManyPipelined(Exception):
    """Stops the parser; those that wait are answered, and the client may ask the rest again (RFC 9112 §9.3.2)."""


class BoundedProtocol(HttpToolsProtocol):
    """Uvicorn's protocol on httptools, bounded."""

    transport: LingeringTransport
    _size = 0
    _unparsed = 0
    _begun = False
    _turned = False
    _keeps_alive = False
    _deadline: asyncio.TimerHandle | None = None
    _before: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        lingering = LingeringTransport(transport, self.loop)
        super().connection_made(lingering)
        self.flow = _BoundedFlow(lingering, self.pipeline)
        self._deadline = self.loop.call_later(PATIENCE, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        super().connection_lost(exc)
        self.transport.lost()

    def eof_received(self) -> bool | None:  # type: ignore[override]  # uvicorn's answers nothing
        """Nothing comes any more. Who has asked whole requests still reads, as far as we can know (RFC 9112 §9.6);
        who broke off in the middle of one is gone, and it is not done.
        """
        if self._begun or self.transport.incomplete or not self._answering():
            return None
        self._arrived()
        self.cycle.keep_alive = False
        return True

    def data_received(self, data: bytes) -> None:
        if self.transport.deaf:
            self.transport.discard(len(data))
            return
        self._unparsed += len(data)
        if self._unparsed > LARGEST_HEAD + _LARGEST_READ:
            # one endless header, trailer or chunk extension, of which the parser tells nothing before its end
            self.send_400_response("")
            return
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._decline(data, offer)
        except httptools.HttpParserError:
            self._refuse_malformed()
        if self._turned:
            self._turned, self._unparsed = False, 0
            waiting = self._begun
        else:
            # empty lines before a head wait for it, too
            waiting = not self.transport.incomplete
        if waiting and self._deadline is None and not self.transport.deaf:
            self._deadline = self.loop.call_later(PATIENCE, self._late)

    def on_message_begin(self) -> None:
        self._size, self._begun = 0, True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._grow(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._size += len(name) + len(value) + FIELD
        if self._size > LARGEST_HEAD:
            raise HeadTooLarge
        if not self.transport.incomplete:
            # what comes later is a trailer: it must not pass for a header (RFC 9110 §6.5.1)
            _on_header(self, name, value)

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= MOST_PIPELINED:
            raise TooManyPipelined
        before = self.cycle
        super().on_headers_complete()
        cycle = self.cycle
        self._before = before if self.pipeline else None
        self._begun, self._turned, self.transport.incomplete = False, True, True
        self._arrived()
        # while stopping, the next request goes over another connection, perhaps to another node
        self._keeps_alive = cycle.keep_alive and not STOPPING.is_set()
        # answered now, its body would be taken for the next request, or be waited for: it ends the connection
        cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        framing = self._unparsed - len(body) * _FRAMING
        self._unparsed = framing if framing > 0 else 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._turned, self.transport.incomplete = True, False
        if not self.cycle.response_started:
            self.cycle.keep_alive = self._keeps_alive
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.transport.written_to()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.transport.taken()

    def shutdown(self) -> None:
        self._keeps_alive = False
        if self.transport.is_closing():
            self.transport.close_now()
        super().shutdown()

    def cut(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        """Answer what is not answered yet, and close: nobody waits for the answer that is being made."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if not cycle.response_started:
                lines = [
                    b"HTTP/1.1 %d %s\r\n" % (status, HTTPStatus(status).phrase.encode()),
                    *(b"%s: %s\r\n" % header for header in headers),
                    _ABOUT_NOBODY,
                ]
                self.transport.write(b"".join(lines) + b"\r\n" + body)
            _abandon(cycle)
        self.transport.close_now()

    def send_400_response(self, msg: str) -> None:
        """Refuse what comes: it is malformed or too much. Earlier requests on the connection are answered first."""
        cycle = self.cycle
        if self._before is not None and self.pipeline and self.pipeline[0][0] is cycle and self.transport.incomplete:
            # it still waits for its turn, which does not come
            self.pipeline.popleft()
            self.cycle = self._before
            return self._answer_no_more()
        if self._answering():
            if cycle.response_started or not self.transport.incomplete:
                return self._answer_no_more()
            _abandon(cycle)
        self._arrived()
        self.transport.deaf = True
        if self._size <= LARGEST_HEAD and self._unparsed <= LARGEST_HEAD + _LARGEST_READ:
            text = msg.encode("ascii", "replace")
            self.transport.write(_MALFORMED % (len(text), _ABOUT_NOBODY, text))
        else:
            self.transport.write(_TOO_LARGE)
        self.transport.close()

    def _decline(self, data: bytes, offer: httptools.HttpParserUpgrade) -> None:
        """Read on behind the head of a request that offers another protocol; so may the next."""
        try:
            while True:
                if framing := framing_of(self.headers):
                    # it was told to be complete, but nothing has run since
                    self.cycle.more_body, self.cycle.keep_alive = True, False
                    self.cycle.message_event.clear()
                    self.transport.incomplete = True
                    self.parser = parser_within(self, framing)
                data = data[offer.args[0] :]
                try:
                    self.parser.feed_data(data)
                except httptools.HttpParserUpgrade as another:
                    offer = another
                else:
                    return
        except httptools.HttpParserError:
            self._refuse_malformed()

    def _refuse_malformed(self) -> None:
        self.logger.warning(_INVALID)
        self.send_400_response(_INVALID)

    def _answer_no_more(self) -> None:
        """What was asked is answered; then the connection ends."""
        self._arrived()
        self.transport.deaf = True
        self.flow.pause_reading()
        self.cycle.keep_alive = False

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _late(self) -> None:
        self._deadline = None
        if self._answering():
            self._answer_no_more()
        else:
            self.transport.abort()

    def _grow(self, by: int) -> None:
        self._size += by
        if self._size > LARGEST_HEAD:
            raise HeadTooLarge

    def _arrived(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _BoundedFlow(FlowControl):
    """Reads no more while requests wait that were read already; uvicorn's reads on with every answer."""

    def __init__(self, transport: LingeringTransport, pipeline: deque[Any]) -> None:
        super().__init__(transport)
        self._lingering, self._pipeline = transport, pipeline

    def resume_reading(self) -> None:
        # the one that waits last is about to begin
        if len(self._pipeline) <= 1 and not self._lingering.deaf:
            super().resume_reading()


def _abandon(cycle: RequestResponseCycle) -> None:
    """What it would still send goes nowhere, and what it still waits for does not come."""
    cycle.response_started = cycle.response_complete = cycle.disconnected = True
    cycle.message_event.set()
