"""Connections to PostgreSQL: deadlines on each, a pool of them, and statements that survive a restart of the server."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg import Connection, RawCursor
from psycopg.types.uuid import UUIDBinaryDumper
from psycopg_pool import ConnectionPool, PoolTimeout

from .conflicts import PATIENCE, StoreAway

Values = tuple[Any, ...]
Pool = ConnectionPool[Connection[Values]]

SCHEMA = "daybook"
CONNECT_TIMEOUT = 3
"""Seconds until a server that does not answer is given up."""
POOL_TIMEOUT = 2.0
"""Seconds a command waits for a connection."""
SESSION_SETTINGS = {
    "search_path": SCHEMA,
    "lock_timeout": "2s",
    "statement_timeout": "5s",
    "idle_in_transaction_session_timeout": "5s",
    "timezone": "UTC",
}
_unavailable = logging.getLogger("daybook.unavailable")
"""Told the SQLSTATE of what makes the database unavailable; whoever runs the process says it in words, once."""
_PREPARED = 1000
"""Every append has a text of its own; to evict one costs a round trip."""


def session_options() -> str:
    """The settings of a session as libpq's `options`: in force from the first statement on, at no round trip."""
    return " ".join(f"-c {name}={value}" for name, value in SESSION_SETTINGS.items())


def connection_arguments(name: str) -> dict[str, Any]:
    """What every connection of ours is opened with; `name` is what the database's own views call it."""
    return {
        "autocommit": True,
        "connect_timeout": CONNECT_TIMEOUT,
        "application_name": name,
        "options": session_options(),
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 8_000,
    }


def open_pool(conninfo: str, *, size: int, name: str = "daybook") -> Pool:
    """A pool that fills itself in the background; a connection that cannot be had within 2 s is a PoolTimeout."""
    return ConnectionPool(
        conninfo,
        min_size=size,
        max_size=size,
        timeout=POOL_TIMEOUT,
        reconnect_timeout=0,
        configure=_configured,
        kwargs=connection_arguments(name) | {"options": f"{session_options()} -c synchronous_commit=on"},
        open=True,
    )


def connection_lost(error: psycopg.Error) -> bool:
    """Whether the server said goodbye (SQLSTATE 57P01 to 57P03), or the socket died (class 08, or no state at all)."""
    return error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))


class Statements:
    """Single statements in autocommit: reads of committed state, and writes that may happen twice.

    A connection lost on the way is followed by the same statement on another one.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def rows(self, sql: str, *values: Any, binary: bool = False) -> list[Values]:
        """All rows of a query with `$1`-style parameters; rows within rows come typed only in `binary`.

        Raises StoreAway.
        """
        for attempt in range(PATIENCE):
            try:
                with self._pool.connection() as connection, RawCursor(connection) as cursor:
                    return cursor.execute(sql, values, prepare=True, binary=binary).fetchall()
            except psycopg.errors.FeatureNotSupported:
                forget_prepared(self._pool)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                await_another(self._pool, error, attempt)
        raise StoreAway

    def row(self, sql: str, *values: Any, binary: bool = False) -> Values | None:
        """The first row of a query, None if there is none. Raises StoreAway."""
        found: Sequence[Values] = self.rows(sql, *values, binary=binary)
        return found[0] if found else None


def await_another(pool: Pool, error: psycopg.Error, attempt: int) -> None:
    """After an error: replace dead connections and return to try again, or raise StoreAway if that cannot help.

    After a restart of the server every idle connection is dead; without the check three tries draw three dead ones.
    """
    _unavailable.warning("%s", error.sqlstate)
    if isinstance(error, PoolTimeout) or not connection_lost(error):
        raise StoreAway from None
    time.sleep(0.05 * attempt)
    pool.check()


def forget_prepared(pool: Pool) -> None:
    """What was prepared before a migration changed the type of its result can never be run again: connect anew."""
    pool.drain()


def _configured(connection: Connection[Values]) -> None:
    # asked of each new one: the server may have been started again with other settings
    row = connection.execute("SELECT current_setting('fsync'), current_setting('full_page_writes')").fetchone()
    if row != ("on", "on"):
        raise psycopg.OperationalError("the server may lose what it acknowledges")
    connection.prepared_max = _PREPARED
    # a third of an append's parameters are ids, and their bytes are at hand
    connection.adapters.register_dumper(UUID, UUIDBinaryDumper)
