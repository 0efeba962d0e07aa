"""Whose request is this? Committed state of the primary for every request, one query for all who ask meanwhile."""

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

from domain.store.conflicts import StoreAway
from domain.store.connections import connection_arguments, connection_lost
from projections.lists.session_list import LIVE_SESSIONS, LiveSession

_DEADLINE = 3.0
"""Seconds a query may take: a frozen server keeps no deadline of its own. Who asks may wait for two of them."""

_ROWS_KEPT = 10_000
"""Decoded rows that are kept, by their bytes: to decode one takes longer than to fetch it."""

_NAME = b"live_sessions"
_BYTEA = psycopg.adapters.types["bytea"]

Question = asyncio.Future[LiveSession | None]


class SessionCheck:
    """Answers by token hash. A question is answered only by a query that was sent after it was asked.

    Questions that arrive while a query is in flight share the next one; who hangs up takes only their own away. Bound
    to the event loop it is first used in.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._line: _Line | None = None
        self._asked: dict[bytes, list[Question]] = {}
        self._answering: asyncio.Task[None] | None = None

    async def live_session(self, token_hash: bytes) -> LiveSession | None:
        """The session with this secret if it was not ended; whether it has run out is for the caller's clock.

        Raises StoreAway.
        """
        question: Question = asyncio.get_running_loop().create_future()
        self._asked.setdefault(token_hash, []).append(question)
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._answer_all())
        return await question

    async def close(self) -> None:
        """Give the connection back."""
        await self._drop()

    async def _answer_all(self) -> None:
        while self._asked:
            # swapped before the query is sent: who asks from now on gets the next one
            batch, self._asked = self._asked, {}
            try:
                async with asyncio.timeout(_DEADLINE):
                    found = await self._look_up(list(batch))
            except (psycopg.Error, OSError, TimeoutError) as error:
                await self._drop()
                for question in _open_questions(batch):
                    question.set_exception(StoreAway(type(error).__name__))
            else:
                for token_hash, questions in batch.items():
                    for question in questions:
                        if not question.done():
                            question.set_result(found.get(token_hash))

    async def _look_up(self, token_hashes: list[bytes]) -> dict[bytes, LiveSession]:
        try:
            return await self._ask(token_hashes)
        except psycopg.OperationalError as error:
            if not connection_lost(error):
                raise
            # the server was restarted since the last question: once more, on a new connection
            await self._drop()
            return await self._ask(token_hashes)

    async def _ask(self, token_hashes: list[bytes]) -> dict[bytes, LiveSession]:
        if self._line is None:
            self._line = await _Line.open(self._conninfo)
        return await self._line.ask(token_hashes)

    async def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            await line.close()


class _Line:
    """A connection that asks one question only.

    Below psycopg's cursors, which would take three times the processor time for it; this is on the path of every
    request (docs/performance.md). One question at a time; after an error or a cancellation it must be closed.
    """

    def __init__(self, connection: AsyncConnection[tuple[Any, ...]]) -> None:
        self._connection, self._server = connection, connection.pgconn
        self._rows = Transformer(connection)
        self._known: dict[tuple[bytes | None, ...], LiveSession] = {}

    @staticmethod
    async def open(conninfo: str) -> _Line:
        """Connect and prepare the question."""
        arguments = connection_arguments("daybook-session-check")
        # without it PostgreSQL plans this query anew at every call, which costs more than running it
        arguments["options"] += " -c plan_cache_mode=force_generic_plan"
        connection = await AsyncConnection.connect(conninfo, **arguments)
        line = _Line(connection)
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


def _open_questions(batch: dict[bytes, list[Question]]) -> list[Question]:
    return [question for questions in batch.values() for question in questions if not question.done()]
