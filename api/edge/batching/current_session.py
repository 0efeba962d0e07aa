"""Whose request is this? Committed state of the primary for every request, one query for all who ask meanwhile: one of
sessions, and its twin of API keys.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, TypeVar

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq.abc import PGresult

from domain.store.connections import opened_within
from domain.store.select_list import SelectList
from projections.lists.api_key_list import LIVE_KEY, LIVE_KEYS, LiveKey
from projections.lists.session_list import LIVE_SESSION, LIVE_SESSIONS, LiveSession

from .batcher import Batch, Batcher, succeed
from .prepared_connection import PreparedConnection, Statement, array

_ROWS_KEPT = 10_000
"""Decoded rows that are kept, by their bytes: to decode one takes longer than to fetch it."""

_BYTEA = psycopg.adapters.types["bytea"]
# where a secret's row is among few when this is planned, a plan that looks at all of them is kept while they grow
_BY_INDEX = ("enable_seqscan=off", "enable_bitmapscan=off")
_SESSIONS = Statement(name="daybook-session-check", text=LIVE_SESSIONS, types=(_BYTEA.array_oid,))
_KEYS = Statement(name="daybook-key-check", text=LIVE_KEYS, types=(_BYTEA.array_oid,), settings=_BY_INDEX)

R = TypeVar("R")


class SessionCheck:
    """Answers by token hash. Bound to the event loop it is first used in."""

    def __init__(self, conninfo: str) -> None:
        self._batcher = Batcher[bytes, LiveSession | None](
            _opening(conninfo, _SESSIONS, LIVE_SESSION, lambda row: row.token_hash), deadline=opened_within(conninfo)
        )

    async def live_session(self, token_hash: bytes) -> LiveSession | None:
        """The session with this secret if it was not ended; whether it has run out is for the caller's clock.

        Raises StoreUnavailable.
        """
        return await self._batcher.submit(token_hash)

    async def close(self) -> None:
        """Give the connection back."""
        await self._batcher.close()


class KeyCheck:
    """Answers by the hash of an API key. Bound to the event loop it is first used in."""

    def __init__(self, conninfo: str) -> None:
        self._batcher = Batcher[bytes, LiveKey | None](
            _opening(conninfo, _KEYS, LIVE_KEY, lambda row: row.key_hash), deadline=opened_within(conninfo)
        )

    async def live_key(self, key_hash: bytes) -> LiveKey | None:
        """The key with this secret, if its account is open; whether it lets in is for the caller to say.

        Raises StoreUnavailable.
        """
        return await self._batcher.submit(key_hash)

    async def close(self) -> None:
        """Give the connection back."""
        await self._batcher.close()


def _opening(
    conninfo: str, statement: Statement, columns: SelectList[R], hash_of: Callable[[R], bytes]
) -> Callable[[], Awaitable[SecretConnection[R]]]:
    return partial(SecretConnection[R].open, conninfo, statement, columns, hash_of)


class SecretConnection(Generic[R]):
    """Answers by the hashes of secrets, with None where there is no row of one."""

    def __init__(self, connection: PreparedConnection, columns: SelectList[R], hash_of: Callable[[R], bytes]) -> None:
        self._connection, self._rows = connection, Transformer(connection.psycopg)
        self._read, self._hash_of = columns.read, hash_of
        self._known: dict[tuple[bytes | None, ...], R] = {}

    @classmethod
    async def open(
        cls, conninfo: str, statement: Statement, columns: SelectList[R], hash_of: Callable[[R], bytes]
    ) -> SecretConnection[R]:
        """Connect. Raises psycopg.Error."""
        return cls(await PreparedConnection.open(conninfo, statement), columns, hash_of)

    async def run(self, batch: Batch[bytes, R | None]) -> None:
        """Answer all who wait. Raises psycopg.Error."""
        answer = await self._connection.run(array(_BYTEA.oid, batch))
        self._rows.set_pgresult(answer)
        rows = [self._row(answer, number) for number in range(answer.ntuples)]
        found = {self._hash_of(row): row for row in rows}
        for secret_hash, waiting in batch.items():
            row = found.get(secret_hash)
            for pending in waiting:
                succeed(pending, row)

    def _row(self, answer: PGresult, number: int) -> R:
        """A row of the answer; the same object for the same bytes, which are compared column by column."""
        columns = tuple(answer.get_value(number, column) for column in range(answer.nfields))
        row = self._known.get(columns)
        if row is None:
            if len(self._known) == _ROWS_KEPT:
                self._known.clear()
            [row] = self._rows.load_rows(number, number + 1, self._read)
            self._known[columns] = row
        return row

    @property
    def in_doubt(self) -> bool:
        """Whether it must be replaced before it is asked again."""
        return self._connection.in_doubt

    async def close(self) -> None:
        """Hang up, also in the middle of an answer."""
        await self._connection.close()
