"""Wake-ups: whoever appends tells their node's background process, which need not look fifty times a second.

They only save time. A wake-up that gets lost costs the wait until the next look.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import threading
import time
from contextlib import suppress
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import Connection

from .session_settings import NOT_AWAITED

BACKGROUND_SOCKET = "BACKGROUND_SOCKET"
"""The environment variable of a supervisor's children that names the socket of their background process."""
APPENDED = "daybook_appended"
"""The channel on which a node without a background process says that it appended."""

_NOTIFY = f"SELECT pg_notify('{APPENDED}', ''), {NOT_AWAITED}"
_NOTIFY_EVERY = 0.1
"""Seconds between notifications: each takes a lock at its commit that all notifying commits share."""
_SLICE = 0.25
"""Seconds until somebody who waits notices that they are to stop."""


def _address(name: str) -> str | None:
    """Where a background process listens: no file, so nothing is left behind; without such addresses, nowhere."""
    return f"\0{name}" if sys.platform == "linux" and name else None


class Wakeups:
    """The background process's end. Without a name, or where it cannot be had, nobody wakes."""

    def __init__(self, name: str) -> None:
        self._socket: socket.socket | None = None
        if address := _address(name):
            with suppress(OSError):
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
                self._socket.bind(address)

    @staticmethod
    def of_this_node() -> Wakeups:
        """Those that the supervisor's children send."""
        return Wakeups(os.environ.get(BACKGROUND_SOCKET, ""))

    def wait(self, connection: Connection[Any], seconds: float, stop: threading.Event) -> None:
        """Return when somebody appended or the connection was notified of something, or after so many seconds.

        Raises psycopg.OperationalError if the connection is gone.
        """
        await_news(connection, seconds, stop, self._socket)
        if self._socket is not None:
            with suppress(BlockingIOError):
                while True:
                    self._socket.recv(1)

    def close(self) -> None:
        """Let nobody wake any more."""
        if self._socket is not None:
            self._socket.close()


def await_news(
    connection: Connection[Any], seconds: float, stop: threading.Event, beside: socket.socket | None = None
) -> None:
    """Return when a notification came, or something can be read `beside`, or after so many seconds, or on `stop`.

    Raises psycopg.OperationalError if the connection is gone.
    """
    until = time.monotonic() + seconds
    sources: list[Any] = [connection.pgconn.socket, *([] if beside is None else [beside])]
    # what came along with an answer is here already, and will not make the socket readable again
    while not list(connection.notifies(timeout=0)) and not stop.is_set():
        left = until - time.monotonic()
        if left <= 0:
            return
        readable, _, _ = select.select(sources, [], [], min(left, _SLICE))
        if beside in readable:
            return


class Waker:
    """The end of those who append. Never blocks and never fails."""

    def __init__(self, name: str) -> None:
        self._address = _address(name)
        self._socket = None
        if self._address is not None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def wake(self) -> bool:
        """Whether there is a background process to be woken."""
        if self._socket is None or self._address is None:
            return False
        try:
            self._socket.sendto(b"\0", self._address)
        except BlockingIOError:
            # so many wait for it already that it will look
            return True
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Wake nobody any more."""
        if self._socket is not None:
            self._socket.close()


@lru_cache(None)
def _waker(name: str) -> Waker:
    """One for all who append in this process, for as long as it runs."""
    return Waker(name)


class Announcer:
    """Says that something was appended: to this node's background process, else to other nodes', ten times a second.

    Writers do not notify, since that halves their number; a thread does it for them, and ends when it is idle.
    """

    def __init__(self, pool: Any) -> None:
        self._pool, self._waker = pool, _waker(os.environ.get(BACKGROUND_SOCKET, ""))
        self._due, self._lock = threading.Event(), threading.Lock()
        self._running = False

    def appended(self) -> None:
        """Neither waits nor fails."""
        if self._waker.wake():
            return
        self._due.set()
        with self._lock:
            if not self._running:
                self._running = True
                threading.Thread(target=self._announce, name="announcer", daemon=True).start()

    def _announce(self) -> None:
        while True:
            while self._due.wait(1.0):
                self._due.clear()
                with suppress(psycopg.Error), self._pool.connection() as connection:
                    connection.execute(_NOTIFY, prepare=True)
                time.sleep(_NOTIFY_EVERY)
            with self._lock:
                if not self._due.is_set():
                    self._running = False
                    return
