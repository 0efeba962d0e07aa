"""How a connection ends: not before the client could read its answer, and not long after.

Who closes while something still comes has the kernel answer it with a reset, and a reset throws away what the client
has not read yet: the very answer that tells it why (RFC 9112 §9.6). So what still comes is thrown away for a while, as
nginx's `lingering_close` does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

PATIENCE = 10.0
"""Seconds for the client to read its answer and to close, from when we have closed our side."""
MOST_DISCARDED = 16 * 1024 * 1024
"""Bytes that are thrown away meanwhile: a photograph that is too large still meets its 413."""
STALLED = 60.0
"""Seconds in which a client that has something to read must take some of it, as nginx's `send_timeout` has it."""


class LingeringTransport(asyncio.Transport):
    """The transport of a connection, as uvicorn's protocol uses it.

    `incomplete` says that the head of a request has come and its end has not, `deaf` that what still comes is not read.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.incomplete = self.deaf = False
        self._transport, self._loop = transport, loop
        self._lingering, self._discarded = False, 0
        self._end: asyncio.TimerHandle | None = None
        # called for every answer; a method around it would be one call more
        self.write = transport.write  # type: ignore[method-assign]

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def is_closing(self) -> bool:
        return self._lingering or self._transport.is_closing()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def close(self) -> None:
        """Close once everything is written; after an unfinished request or one that was not understood, linger."""
        if self.is_closing():
            return
        if self.incomplete or self.deaf:
            self._linger()
        else:
            self._transport.close()
            if self._transport.get_write_buffer_size():
                self.written_to()

    def abort(self) -> None:
        self._transport.abort()

    def close_now(self) -> None:
        """Close once everything is written, and wait for nothing."""
        self._transport.close()

    def discard(self, size: int) -> None:
        """So many bytes came that nobody reads."""
        self._discarded += size
        if self._discarded > MOST_DISCARDED:
            self.abort()

    def written_to(self) -> None:
        """More is written than the client has taken so far: from now on it has to go on taking."""
        self._give_up_in(STALLED, self._look_whether_it_took, self._transport.get_write_buffer_size())

    def taken(self) -> None:
        """The client took most of it."""
        if not self.is_closing():
            self.lost()

    def lost(self) -> None:
        """There is nobody to wait for."""
        if self._end is not None:
            self._end.cancel()
            self._end = None

    def _linger(self) -> None:
        self._lingering = self.deaf = True
        self._transport.write_eof()
        self._transport.resume_reading()
        self._give_up_in(PATIENCE, self.abort)

    def _look_whether_it_took(self, before: int) -> None:
        if 0 < self._transport.get_write_buffer_size() < before:
            self.written_to()
        else:
            self.abort()

    def _give_up_in(self, seconds: float, how: Callable[..., None], *arguments: object) -> None:
        self.lost()
        self._end = self._loop.call_later(seconds, how, *arguments)
