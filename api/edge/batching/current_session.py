"""Whose request is this? Committed state of the primary for every request, one query for all who ask meanwhile."""

from __future__ import annotations

from functools import partial

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq.abc import PGresult

from domain.store.connections import opened_within
from projections.lists.session_list import LIVE_SESSION, LIVE_SESSIONS, LiveSession

from .batcher import Batch, Batcher, succeed
from .prepared_connection import PreparedConnection, Statement, array

_ROWS_KEPT = 10_000
"""Decoded rows that are kept, by their bytes: to decode one takes longer than to fetch it."""

_BYTEA = psycopg.adapters.types["bytea"]
_STATEMENT = Statement(name="daybook-session-check", text=LIVE_SESSIONS, types=(_BYTEA.array_oid,))


class SessionCheck:
    """Answers by token hash. Bound to the event loop it is first used in."""

    def __init__(self, conninfo: str) -> None:
        self._batcher = Batcher[bytes, LiveSession | None](
            partial(SessionConnection.open, conninfo), deadline=opened_within(conninfo)
        )

    async def live_session(self, token_hash: bytes) -> LiveSession | None:
        """The session with this secret if it was not ended; whether it has run out is for the caller's clock.

        Raises StoreUnavailable.
        """
        return await self._batcher.submit(token_hash)

    async def close(self) -> None:
        """Give the connection back."""
        await self._batcher.close()


class SessionConnection:
    """Answers by token hash, with None if no such session lives."""

    def __init__(self, connection: PreparedConnection) -> None:
        self._connection, self._rows = connection, Transformer(connection.psycopg)
        self._known: dict[tuple[bytes | None, ...], LiveSession] = {}

    @staticmethod
    async def open(conninfo: str) -> SessionConnection:
        """Connect. Raises psycopg.Error."""
        return SessionConnection(await PreparedConnection.open(conninfo, _STATEMENT))

    async def run(self, batch: Batch[bytes, LiveSession | None]) -> None:
        """Answer all who wait. Raises psycopg.Error."""
        answer = await self._connection.run(array(_BYTEA.oid, batch))
        self._rows.set_pgresult(answer)
        rows = [self._row(answer, number) for number in range(answer.ntuples)]
        found = {row.token_hash: row for row in rows}
        for token_hash, waiting in batch.items():
            row = found.get(token_hash)
            for pending in waiting:
                succeed(pending, row)

    def _row(self, answer: PGresult, number: int) -> LiveSession:
        """A row of the answer; the same object for the same bytes, which are compared column by column."""
        columns = tuple(answer.get_value(number, column) for column in range(answer.nfields))
        row = self._known.get(columns)
        if row is None:
            if len(self._known) == _ROWS_KEPT:
                self._known.clear()
            [row] = self._rows.load_rows(number, number + 1, LIVE_SESSION.read)
            self._known[columns] = row
        return row

    @property
    def in_doubt(self) -> bool:
        """Whether it must be replaced before it is asked again."""
        return self._connection.in_doubt

    async def close(self) -> None:
        """Hang up, also in the middle of an answer."""
        await self._connection.close()
