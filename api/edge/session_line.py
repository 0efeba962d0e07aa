"""The line to the database that asks one question only, below psycopg's cursors.

They would take three times the processor time for it, and it is on the path of every request
(docs/decisions/0008-the-session-check-below-cursors.md).
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult

from domain.store.connections import connection_arguments
from projections.lists.session_list import LIVE_SESSIONS, LiveSession

_ROWS_KEPT = 10_000
"""Decoded rows that are kept, by their bytes: to decode one takes longer than to fetch it."""

_NAME = b"live_sessions"
_BYTEA = psycopg.adapters.types["bytea"]


class SessionLine:
    """A connection that asks one question only.

    One question at a time; after an error or a cancellation it must be closed.
    """

    def __init__(self, connection: AsyncConnection[tuple[Any, ...]]) -> None:
        self._connection, self._server = connection, connection.pgconn
        self._rows = Transformer(connection)
        self._known: dict[tuple[bytes | None, ...], LiveSession] = {}

    @staticmethod
    async def open(conninfo: str) -> SessionLine:
        """Connect and prepare the question."""
        arguments = connection_arguments("daybook-session-check")
        # without it PostgreSQL plans this query anew at every call, which costs more than running it
        arguments["options"] += " -c plan_cache_mode=force_generic_plan"
        connection = await AsyncConnection.connect(conninfo, **arguments)
        line = SessionLine(connection)
        try:
            line._server.send_prepare(_NAME, LIVE_SESSIONS.encode(), [_BYTEA.array_oid])
            await line._result(ExecStatus.COMMAND_OK)
        except BaseException:
            await line.close()
            raise
        return line

    async def ask(self, token_hashes: list[bytes]) -> dict[bytes, LiveSession]:
        """Those of them that live. Raises psycopg.Error."""
        hashes = [_array(token_hashes)]
        self._server.send_query_prepared(_NAME, hashes, [Format.BINARY], result_format=Format.BINARY)
        answer = await self._result(ExecStatus.TUPLES_OK)
        self._rows.set_pgresult(answer)
        rows = [self._row(answer, number) for number in range(answer.ntuples)]
        return {row.token_hash: row for row in rows}

    def _row(self, answer: PGresult, number: int) -> LiveSession:
        """A row of the answer; the same object for the same bytes, which are compared column by column."""
        columns = tuple(answer.get_value(number, column) for column in range(answer.nfields))
        row = self._known.get(columns)
        if row is None:
            if len(self._known) == _ROWS_KEPT:
                self._known.clear()
            [row] = self._rows.load_rows(number, number + 1, _live_session)
            self._known[columns] = row
        return row

    async def _result(self, expected: ExecStatus) -> PGresult:
        loop, socket = asyncio.get_running_loop(), self._server.socket
        while self._server.flush():
            await _when(lambda ready: loop.add_writer(socket, ready), lambda: loop.remove_writer(socket))
        answer, more = None, True
        while more:
            # asked for too early, the next result would block the event loop
            while self._server.is_busy():
                await _when(lambda ready: loop.add_reader(socket, ready), lambda: loop.remove_reader(socket))
                self._server.consume_input()
            result = self._server.get_result()
            answer, more = result or answer, result is not None
        if answer is None:
            raise psycopg.OperationalError("the server hung up without an answer")
        if answer.status != expected:
            raise psycopg.errors.error_from_result(answer)
        return answer

    async def close(self) -> None:
        """Hang up, also in the middle of an answer."""
        await self._connection.close()


async def _when(register: Callable[[Callable[[], None]], None], unregister: Callable[[], Any]) -> None:
    """Wait until a socket is ready for what is registered."""
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    register(lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        unregister()


def _live_session(columns: Sequence[Any]) -> LiveSession:
    return LiveSession(*columns)


def _array(hashes: list[bytes]) -> bytes:
    """A `bytea[]` as PostgreSQL sends and receives it: one dimension from 1, each value with its length before it."""
    header = struct.pack(">iiIii", 1, 0, _BYTEA.oid, len(hashes), 1)
    return header + b"".join(struct.pack(">i", len(one)) + one for one in hashes)
