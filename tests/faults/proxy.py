"""A proxy between a client and PostgreSQL that cuts connections around the execution of an append."""

from __future__ import annotations

import selectors
import socket
import threading
from contextlib import suppress
from enum import Enum
from pathlib import Path

_READY = b"Z\x00\x00\x00\x05"
"""How ReadyForQuery begins; the byte after it is the state of the transaction."""


class Cut(Enum):
    """When, as the server sees it."""

    BEFORE = "the request never arrives"
    DURING = "the request arrives, and while it runs the client is gone"
    AFTER = "the request is done, its answer gets lost"


class Requests:
    """Recognises, in what one client sends, the message that executes an append, or one that commits a transaction.

    A prepared statement shows its text only once, when it is parsed; from then on its name is bound (PostgreSQL
    documentation, "Message Formats").
    """

    def __init__(self, *, commits: bool = False) -> None:
        self._commits = commits
        self._unread = b""
        self._started = False
        self._texts: dict[bytes, str] = {}
        self.executed: list[str] = []

    def executes_append(self, sent: bytes) -> bool:
        """Whether these next bytes complete such a message."""
        self._unread += sent
        found = False
        while len(self._unread) >= 5:
            # only the very first message has no type byte in front of its length
            tag = self._unread[:1] if self._started else b""
            length = len(tag) + int.from_bytes(self._unread[len(tag) : len(tag) + 4])
            if len(self._unread) < length:
                break
            body, self._unread = self._unread[len(tag) + 4 : length], self._unread[length:]
            self._started = True
            if tag == b"P":
                name, text, _ = body.split(b"\x00", 2)
                self._texts[name] = text.decode()
            if tag == b"B":
                self.executed.append(self._texts[body.split(b"\x00", 2)[1]])
            if self._commits:
                found |= tag == b"Q" and body.startswith(b"COMMIT")
            elif tag == b"B":
                found |= "INSERT INTO queue" in self.executed[-1]
        return found


class Proxy:
    """Listens on a TCP port of loopback and passes everything on, but for the cuts it was told.

    `server` is a Unix socket, or a TCP port of loopback; set to another one, it is where new connections lead to, as a
    name or a balancer in front of two servers would have it. Those there are stay where they are. What clients say
    arrives `delay` seconds later. With `commits` it is not appends that are cut, but the ends of transactions.
    """

    def __init__(self, server: Path | int) -> None:
        self.server = server
        self.delay = 0.0
        self.commits = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._due: list[Cut] = []
        self.executed: list[str] = []
        """The texts of all statements that were executed through it, each with values of its own."""
        self.cuts = 0
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def arm(self, *cuts: Cut) -> None:
        """Cut the next appends, one after the other, like this."""
        self._due += cuts

    def close(self) -> None:
        """End all connections and the proxy."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        self._listener.settimeout(0.1)
        while not self._over.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            self._threads.append(threading.Thread(target=self._serve, args=(client,)))
            self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = self._connected()
        except OSError:
            client.close()
            return
        with client, server, selectors.DefaultSelector() as ready, suppress(ConnectionError):
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            requests, swallowed = Requests(commits=self.commits), None
            requests.executed = self.executed
            while not self._over.is_set():
                for key, _ in ready.select(0.1):
                    source, target = key.fileobj, key.data
                    assert isinstance(source, socket.socket)
                    data = source.recv(65_536)
                    if not data:
                        return
                    if source is server and swallowed is not None:
                        swallowed += data
                        if swallowed[-6:-1] == _READY:
                            return
                        continue
                    if source is client and self.delay:
                        self._over.wait(self.delay)
                    cut = self._cut() if source is client and requests.executes_append(data) else None
                    if cut is Cut.BEFORE:
                        return
                    target.sendall(data)
                    if cut is Cut.DURING:
                        return
                    if cut is Cut.AFTER:
                        swallowed = b""

    def _connected(self) -> socket.socket:
        if isinstance(self.server, int):
            return socket.create_connection(("127.0.0.1", self.server))
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(str(self.server))
        except OSError:
            server.close()
            raise
        return server

    def _cut(self) -> Cut | None:
        with self._lock:
            if not self._due:
                return None
            self.cuts += 1
            return self._due.pop(0)
