"""Deadlines that the client keeps: a server that waits for its standby, or is frozen, enforces none of its own."""

from __future__ import annotations

import time
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Self

import psycopg
from psycopg import Connection
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout

Values = tuple[Any, ...]

STATEMENT = 5.5
"""Seconds until a statement is given up: longer than a living server's own deadline."""
REQUEST = 8.0
"""Seconds that a request may ask the database, in all."""
QUEUE = 2.0
"""Seconds from its beginning on that a request may wait until a connection is free."""

_CANCEL_WITHIN = 0.5
_FAIR = 1.5
"""Seconds that a server has at least to answer before it counts as one that does not."""

_began: ContextVar[float | None] = ContextVar("began", default=None)


class DeadlinePassed(psycopg.OperationalError):
    """The server did not answer in time; the connection is gone. Whether the statement took effect is unknown."""


def begin() -> None:
    """A request begins: what runs on its behalf, here or in a thread, shares its time."""
    _began.set(time.monotonic())


def left() -> float:
    """Seconds that are left for whoever asks; without a request there is no end."""
    began = _began.get()
    return float("inf") if began is None else began + REQUEST - time.monotonic()


def left_for_waiting() -> float:
    """Seconds that whoever asks may wait in a queue: who has waited long enough is refused rather than late."""
    began = _began.get()
    return QUEUE if began is None else min(QUEUE, max(0.01, began + QUEUE - time.monotonic()))


class OutOfTime(DeadlinePassed):
    """So little was left of the request's own time that it says nothing of the server."""


class BoundedConnection(Connection[Values]):
    """A connection on which nothing outlasts its deadline. `warned` says that the server warned since it was unset.

    `harmless` is set while what runs may be cancelled, so that the server need not wait on when nobody else does.
    """

    patience = STATEMENT
    opened_at = 0.0
    warned = False
    harmless = False

    def watch(self) -> Self:
        """Begin to hear warnings, now that it is open."""
        self.opened_at = time.monotonic()
        self.add_notice_handler(self._hear)
        return self

    def _hear(self, notice: psycopg.errors.Diagnostic) -> None:
        self.warned |= notice.severity_nonlocalized == "WARNING"

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        """The library's hook, for every step that takes the server. Raises DeadlinePassed."""
        patience = max(0.01, min(self.patience, left()))
        if timeout is not None and timeout <= patience:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, patience)
        except _WaitTimeout:
            if self.harmless:
                with suppress(psycopg.Error):
                    self.cancel_safe(timeout=_CANCEL_WITHIN)
            # the answer may still come, and would be taken for the next one's
            self.pgconn.finish()
            passed = OutOfTime if patience < _FAIR else DeadlinePassed
            raise passed("the server did not answer in time") from None
