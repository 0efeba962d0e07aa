"""The port: had from the first moment of a start, open only while somebody is ready to answer."""

from __future__ import annotations

import ctypes
import socket
import struct
import sys
from contextlib import suppress

from .refusal import WontStart

BACKLOG = 2048
_SO_ATTACH_FILTER = 26
# classic BPF on the TCP header: drop what has SYN set (RFC 9293 §3.1), keep the rest
_DROP_SYN = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))


class Listener:
    """The socket all workers accept from. Bound and not listening, it refuses connections, so nobody waits in vain."""

    def __init__(self, host: str, port: int) -> None:
        """Raises WontStart if the address cannot be had."""
        self._guard: socket.socket | None = None
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            self._claim(host, port)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind((host, port))
        except OSError as error:
            self.close()
            raise WontStart(f"Port {port} on {host} cannot be had: {error.strerror}.") from error
        self.socket.set_inheritable(True)

    def open(self) -> None:
        """Take connections; harmless if it does. Raises OSError if somebody else took the port meanwhile."""
        self.socket.listen(BACKLOG)

    def refuse(self) -> None:
        """Refuse connections again, and those that nobody accepted yet, until it is opened."""
        # shut down a second time, it could be opened again and would never hand a connection out
        if self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)

    def turn_away(self) -> None:
        """Begin no further connection, while those half begun come about: closing a port resets these.

        Whoever is turned away tries again after a second and is refused by then. Linux only.
        """
        code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in _DROP_SYN))
        with suppress(OSError):
            program = struct.pack("HL", len(_DROP_SYN), ctypes.addressof(code))
            self.socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)

    def close(self) -> None:
        """Give the port back."""
        self.socket.close()
        if self._guard is not None:
            self._guard.close()

    def _claim(self, host: str, port: int) -> None:
        """Two may bind one port as long as neither listens: a name that only one can have tells a second Daybook."""
        if sys.platform == "linux":
            self._guard = socket.socket(socket.AF_UNIX)
            self._guard.bind(f"\0daybook {host} {port}")
