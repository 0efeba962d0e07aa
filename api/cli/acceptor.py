"""Accepting from the port that all workers share, so that each gets its part of those who come."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from functools import partial

from .connection_counts import ConnectionCounts
from .listener import BACKLOG

_AHEAD = 1
"""So many more connections than another worker has one may have, and still accept at once."""
_LET_GO_FIRST = 0.002
"""Seconds that a worker who has more lets the others accept first."""
_ALONE = 1.0
"""Seconds in which it accepts at once, when nobody else did meanwhile: they may be frozen, or starve."""
_CLOSED = 0.1
"""Seconds until the next try where none can be accepted: descriptors are used up, or nobody listens for a while."""
_NOBODY = (errno.EAGAIN, errno.EINTR, errno.ECONNABORTED)
"""Another worker had it, or who came has gone."""


class Acceptor:
    """Takes one connection for each turn of the event loop, none before those who have fewer; uvicorn's for a server.

    The event loop's own server takes all that wait. Of sixteen connections that came at once one worker had every one
    in one of five trials, and a proxy keeps those it has made: the other workers' cores had nothing to do
    (docs/decisions/0028-a-supervisor-of-our-own.md).
    """

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        *,
        connections: Callable[[], int],
        counts: ConnectionCounts,
        place: int,
    ) -> None:
        """`connections` says how many this worker has, in its place among all `counts`.

        Raises OSError if the port cannot be opened.
        """
        self._listener, self._protocol = listener, protocol
        self._connections, self._counts, self._place = connections, counts, place
        self._loop = asyncio.get_running_loop()
        self._begun = set[asyncio.Task[object]]()
        self._later: asyncio.TimerHandle | None = None
        self._alone_until = 0.0
        listener.setblocking(False)
        listener.listen(BACKLOG)
        self.count()
        self._watch()

    def count(self) -> None:
        """Let the others know how many there are now."""
        self._counts.set(self._place, self._own)

    def close(self) -> None:
        """Accept nobody any more, and give the port back."""
        if self._later is not None:
            self._later.cancel()
        self._loop.remove_reader(self._listener)
        self._listener.close()
        self._counts.clear(self._place)

    async def wait_closed(self) -> None:
        """Who was accepted last is looked after by then."""
        await asyncio.gather(*self._begun, return_exceptions=True)

    @property
    def _own(self) -> int:
        return self._connections() + len(self._begun)

    def _watch(self) -> None:
        self._loop.add_reader(self._listener, self._somebody_came)

    def _pause(self, seconds: float, then: Callable[[], None]) -> None:
        self._loop.remove_reader(self._listener)
        self._later = self._loop.call_later(seconds, then)

    def _somebody_came(self) -> None:
        self.count()
        fewest = self._counts.fewest_elsewhere(self._place)
        ahead = fewest is not None and self._own > fewest + _AHEAD
        if ahead and self._loop.time() >= self._alone_until:
            self._pause(_LET_GO_FIRST, partial(self._after_the_others, fewest))
        else:
            self._accept()

    def _after_the_others(self, fewest: int | None) -> None:
        if self._counts.fewest_elsewhere(self._place) == fewest:
            self._alone_until = self._loop.time() + _ALONE
        self._watch()

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError as error:
            if error.errno not in _NOBODY:
                self._pause(_CLOSED, self._watch)
            return
        connection.setblocking(False)
        begun = self._loop.create_task(self._loop.connect_accepted_socket(self._protocol, connection))
        self._begun.add(begun)
        begun.add_done_callback(self._begun.discard)
        self.count()
