"""Which server answers: an open connection is not the right one for ever (docs/decisions/0019-the-right-server.md).

A server that may be written to says so: it reports `in_hot_standby` and `default_transaction_read_only` when a session
begins, and again with the answer in which they changed (PostgreSQL documentation, "Asynchronous Operations"). So every
answer carries the proof of where it came from, at no question more.
"""

from __future__ import annotations

import time

import psycopg
from psycopg.pq.abc import PGconn

LIFETIME = 300.0
"""Seconds after which a connection is replaced, whatever it is used for."""


class Demoted(psycopg.OperationalError):
    """What this connection answered came from a server that takes no writes: it may be old."""

    sqlstate = "25006"


LOST = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)
"""Errors that may mean that a connection is of no use any more; `connection_lost` tells."""


def connection_lost(error: psycopg.Error) -> bool:
    """Whether a connection is of no use any more.

    The server said goodbye (SQLSTATE 57P01 to 57P03), the socket died (class 08, or no state at all), or the server is
    not the one that takes writes (25006, and 55000 where recovery is in progress).
    """
    return error.sqlstate is None or error.sqlstate.startswith(("08", "57P", "25006", "55000"))


def takes_writes(server: PGconn) -> bool:
    """Whether the server took writes when it gave its last answer. What does not say so is taken for a standby."""
    return (
        server.parameter_status(b"in_hot_standby") == b"off"
        and server.parameter_status(b"default_transaction_read_only") == b"off"
    )


def require_writable(server: PGconn) -> None:
    """Of a server that has just answered. Raises Demoted."""
    if not takes_writes(server):
        raise Demoted("the server takes no writes")


class Suspicion:
    """Since when the connections of this process are in doubt: those opened before are not to be asked any more."""

    def __init__(self) -> None:
        self._since = float("-inf")

    def arise(self) -> None:
        """A server was found to take no writes: whatever is open by now may lead to the same one."""
        self._since = time.monotonic()

    def falls_on(self, opened_at: float) -> bool:
        """Whether a connection opened at this moment of the monotonic clock must be replaced before it is asked."""
        return opened_at <= self._since or time.monotonic() - opened_at > LIFETIME


SUSPICION = Suspicion()
"""Of this process, whose connections are to lead to one database."""


WHICH = "SELECT system_identifier, pg_walfile_name(pg_current_wal_lsn()) FROM pg_control_system()"
"""Which cluster a server belongs to, and the file it writes. Not every host lets a role ask: then nothing is known."""


class Timelines:
    """The newest timeline met of each cluster: each promotion begins one (PostgreSQL documentation, "Timelines").

    A server that was not told that another was promoted goes on taking writes, which nobody will keep.
    """

    def __init__(self, suspicion: Suspicion) -> None:
        self._suspicion = suspicion
        self._newest: dict[int, int] = {}

    def require_newest(self, system_identifier: int, wal_file: str) -> None:
        """Of a server just connected to, by the name of the file it writes, which begins with its timeline.

        What is open already is in doubt if this one is newer. Raises Demoted if it is older.
        """
        timeline = int(wal_file[:8], 16)
        known = self._newest.setdefault(system_identifier, timeline)
        if timeline < known:
            raise Demoted("another server was promoted in place of this one")
        if timeline > known:
            self._newest[system_identifier] = timeline
            self._suspicion.arise()


TIMELINES = Timelines(SUSPICION)
"""Of this process."""


def read_only(conninfo: str) -> bool:
    """Whether a server answers there, but none that takes writes. Raises psycopg.OperationalError if none answers."""
    with psycopg.connect(conninfo, autocommit=True, connect_timeout=2, target_session_attrs="any") as connection:
        connection.execute("SET statement_timeout = '1s'")
        return not takes_writes(connection.pgconn)
