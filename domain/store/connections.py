"""Connections to PostgreSQL: deadlines on each, a pool of them, and statements that survive a restart of the server."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg import Connection, RawCursor
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.uuid import UUIDBinaryDumper
from psycopg_pool import ConnectionPool, PoolTimeout

from .conflicts import PATIENCE, StoreUnavailable
from .deadlines import BoundedConnection, DeadlinePassed, OutOfTime, Values, left, left_for_waiting
from .durability import Writers, prove_durable
from .servers import LIFETIME, LOST, SUSPICION, TIMELINES, WHICH, Demoted, connection_lost, require_writable
from .session_settings import SCHEMA, SETTLE_READER, SETTLE_WRITER, session_options

_CONNECT_TIMEOUT, _CONNECT_TIMEOUT_OF_SEVERAL = 3, 2
"""Seconds until a server that does not answer is given up, for the next one if the address names several."""
_CONNECT_AGAIN = 0.25
"""Seconds until a pool that lacks connections is asked to make some once more, while somebody waits."""
_READERS_SHARE = 4
"""Of so many connections one is kept for those who only read."""
_unavailable = logging.getLogger("daybook.unavailable")
"""Told the SQLSTATE of what makes the database unavailable; whoever runs the process says it in words, once."""
_PREPARED = 1000
"""Every append has a text of its own; to evict one costs a round trip."""


def connection_arguments(name: str, conninfo: str = "") -> dict[str, Any]:
    """What every connection of ours is opened with; `name` is what the database's own views call it.

    Only a server that takes writes is asked, whatever `conninfo` says; its `options` are kept beside ours.
    """
    return {
        "autocommit": True,
        "connect_timeout": _CONNECT_TIMEOUT if servers_named(conninfo) == 1 else _CONNECT_TIMEOUT_OF_SEVERAL,
        "target_session_attrs": "read-write",
        "application_name": name,
        "client_encoding": "UTF8",
        "options": session_options(conninfo),
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 8_000,
    }


def servers_named(conninfo: str) -> int:
    """How many servers an address names: they are tried one after the other."""
    named = conninfo_to_dict(conninfo)
    return max(str(named.get(part) or "").count(",") for part in ("host", "hostaddr")) + 1


def opened_within(conninfo: str) -> float:
    """Seconds in which a connection is opened if any server named takes it; of several, however many are silent."""
    return float(servers_named(conninfo) * _CONNECT_TIMEOUT_OF_SEVERAL + 1)


def connect(conninfo: str, name: str) -> Connection[Values]:
    """A connection of one's own, for what runs beside requests. Raises psycopg.OperationalError."""
    connection = psycopg.connect(conninfo, **connection_arguments(name, conninfo))
    _require_fit(connection, SETTLE_READER)
    return connection


class Pool(ConnectionPool[BoundedConnection]):
    """Connections that commands share; `opened` is how many there have been.

    Those in doubt are replaced when they are asked for (`servers.SUSPICION`).
    """

    def __init__(self, conninfo: str, *, size: int, name: str) -> None:
        self.writers = Writers(max(1, size - max(1, size // _READERS_SHARE)))
        self.opened = 0
        super().__init__(
            conninfo,
            connection_class=BoundedConnection,
            min_size=size,
            max_size=size,
            reconnect_timeout=0,
            max_lifetime=LIFETIME,
            configure=self._configured,
            kwargs=connection_arguments(name, conninfo),
            open=True,
        )

    def getconn(self, timeout: float | None = None) -> BoundedConnection:
        """The library's hook: a connection that nothing is held against. Raises PoolTimeout."""
        until = time.monotonic() + (left_for_waiting() if timeout is None else timeout)
        while True:
            remaining = max(0.01, until - time.monotonic())
            # what could not be opened is tried again only when somebody asks
            lacking = self._nconns < self._max_size
            try:
                connection = super().getconn(min(remaining, _CONNECT_AGAIN) if lacking else remaining)
            except PoolTimeout:
                if time.monotonic() >= until:
                    raise
                continue
            if not SUSPICION.falls_on(connection.opened_at):
                return connection
            connection.close()
            self.putconn(connection)

    def writing(self) -> Writing:
        """A connection to write a statement on, as a context."""
        return Writing(self)

    def _configured(self, connection: BoundedConnection) -> None:
        # asked of each new one: the server may have been started again with other settings
        _require_fit(connection, SETTLE_WRITER)
        self.opened += 1
        connection.watch()
        connection.prepared_max = _PREPARED
        # a third of an append's parameters are ids, and their bytes are at hand
        connection.adapters.register_dumper(UUID, UUIDBinaryDumper)


class Writing:
    """A pool's connection to write one statement on, its warnings unset, and one of the writers' places.

    Raises StoreUnavailable while no commit comes back, or PoolTimeout. Written out, and without the library's own
    context, whose ends of transactions an autocommit does not need: every append passes here.
    """

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def __enter__(self) -> BoundedConnection:
        writers = self._pool.writers
        writers.enter()
        try:
            self._connection = connection = self._pool.getconn()
        except BaseException as error:
            writers.leave(error)
            raise
        try:
            writers.require_commits(connection)
        except BaseException as error:
            self.__exit__(None, error, None)
            raise
        connection.warned = False
        return connection

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self._pool.writers.leave(error)
        self._pool.putconn(self._connection)


def open_pool(conninfo: str, *, size: int, name: str = "daybook") -> Pool:
    """A pool that fills itself in the background; a connection that cannot be had within 2 s is a PoolTimeout."""
    return Pool(conninfo, size=size, name=name)


class Statements:
    """Single statements in autocommit: reads of committed state, and writes that may happen twice.

    A connection lost on the way is followed by the same statement on another one.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def rows(self, sql: str, *values: Any, binary: bool = False) -> list[Values]:
        """All rows of a query with `$1`-style parameters; rows within rows come typed only in `binary`.

        Raises StoreUnavailable.
        """
        return self._rows(sql, values, binary=binary, durable=False)

    def durable_rows(self, sql: str, *values: Any) -> list[Values]:
        """The same, and if there are any, what they show is as durable as any commit. Raises StoreUnavailable."""
        return self._rows(sql, values, binary=False, durable=True)

    def row(self, sql: str, *values: Any, binary: bool = False) -> Values | None:
        """The first row of a query, None if there is none. Raises StoreUnavailable."""
        found: Sequence[Values] = self.rows(sql, *values, binary=binary)
        return found[0] if found else None

    def _rows(self, sql: str, values: Values, *, binary: bool, durable: bool) -> list[Values]:
        for attempt in range(PATIENCE):
            try:
                with self._pool.connection() as connection, RawCursor(connection) as cursor:
                    found = cursor.execute(sql, values, prepare=True, binary=binary).fetchall()
                    require_writable(connection.pgconn)
                    if found and durable:
                        prove_durable(connection)
                    return found
            except psycopg.errors.FeatureNotSupported:
                forget_prepared(self._pool)
            except LOST as error:
                await_another(self._pool, error, attempt)
        raise StoreUnavailable


def await_another(pool: Pool, error: psycopg.Error, attempt: int) -> None:
    """After an error: replace dead connections and return to try again, or raise StoreUnavailable if that cannot help.

    After a restart of the server, or of another in its place, every connection that was open is dead or wrong.
    """
    if not isinstance(error, OutOfTime):
        _unavailable.warning("%s", error.sqlstate)
    if isinstance(error, PoolTimeout | DeadlinePassed) or not connection_lost(error) or left() <= 0:
        raise StoreUnavailable from None
    if isinstance(error, Demoted | psycopg.errors.ReadOnlySqlTransaction):
        SUSPICION.arise()
    time.sleep(0.05 * attempt)
    pool.drain()


def forget_prepared(pool: Pool) -> None:
    """What was prepared before a migration changed the type of its result can never be run again: connect anew."""
    pool.drain()


def _require_fit(connection: Connection[Any], settle: str) -> None:
    row = connection.execute(settle.encode()).fetchone()
    if row is None or not row[0]:
        connection.close()
        raise psycopg.OperationalError("the server may lose what it acknowledges")
    try:
        which = connection.execute(WHICH).fetchone()
        if which is not None:
            TIMELINES.require_newest(*which)
    except LOST:
        connection.close()
        raise
    except psycopg.Error:
        return


__all__ = [
    "SCHEMA",
    "Pool",
    "Statements",
    "Values",
    "await_another",
    "connect",
    "connection_arguments",
    "connection_lost",
    "forget_prepared",
    "open_pool",
    "opened_within",
    "servers_named",
    "session_options",
]
