"""What a worker tells its supervisor through a pipe: one byte each."""

from __future__ import annotations

import logging
import os
from contextlib import suppress

READY = b"r"
ALIVE = b"."
AWAY = b"a"
"""The database does not answer, or hung up."""
FULL = b"f"
"""The database's disk is full."""

_DISK_FULL = "53100"
_CLOSED_BY_US = "discarding closed connection"
"""The pool's warning of a connection that came back closed: one that the store closed as too old or in doubt.

Of one that the database hung up on the store tells in a message of its own, whoever met it.
"""


class Reports:
    """The worker's end. Nothing is ever waited for: a supervisor that reads late hears less."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)

    def tell(self, what: bytes) -> None:
        """Whoever is gone need not hear it."""
        with suppress(OSError):
            os.write(self._descriptor, what)


class OutageHandler(logging.Handler):
    """Of what the driver and the store log while the database is away: that it is, to the supervisor, and no text.

    Every process and connection would say it in words of its own, as often as it tries; the supervisor says it once.
    """

    def __init__(self, reports: Reports | None = None) -> None:
        super().__init__(logging.WARNING)
        self._reports = reports

    def emit(self, record: logging.LogRecord) -> None:
        """Without a supervisor nobody is told."""
        message = record.getMessage()
        if self._reports is not None and not message.startswith(_CLOSED_BY_US):
            self._reports.tell(FULL if message == _DISK_FULL else AWAY)
