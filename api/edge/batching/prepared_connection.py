"""A connection to the database on which one statement is prepared, below psycopg's cursors.

They would take three times the processor time for it, and it is on the path of every request
(docs/decisions/0008-the-session-check-below-cursors.md).
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult

from domain.store.connections import connection_arguments
from domain.store.servers import LOST, SUSPICION, TIMELINES, WHICH, require_writable
from domain.store.session_settings import SETTLE_READER

_NAME = b"asked"
_ARRAY, _LENGTH = struct.Struct(">iiIii"), struct.Struct(">i")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a connection runs: its text, and the object ids of its parameters' types.

    `name` is what the database's own views call it, `settings` are those of its session beside the usual ones.
    """

    name: str
    text: str
    types: tuple[int, ...]
    settings: tuple[str, ...] = ()


class PreparedConnection:
    """A connection that runs one statement only, values sent and received in binary.

    One query at a time; after an error or a cancellation it must be closed.
    """

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self.psycopg = connection
        self._opened_at = time.monotonic()
        self._server, self._loop = connection.pgconn, asyncio.get_running_loop()
        self._socket = self._server.socket
        self._news: asyncio.Future[None] | None = None
        self._lost: psycopg.OperationalError | None = None
        # once for all queries: to begin and end it each time is as dear as the rest of one
        self._loop.add_reader(self._socket, self._hear)
        self._hearing = True

    @staticmethod
    async def open(conninfo: str, statement: Statement) -> PreparedConnection:
        """Connect and prepare. Raises psycopg.Error."""
        arguments = connection_arguments(statement.name, conninfo)
        # without it PostgreSQL plans the statement anew at every call, which costs more than running it
        for setting in ("plan_cache_mode=force_generic_plan", *statement.settings):
            arguments["options"] += f" -c {setting}"
        connection = await AsyncConnection.connect(conninfo, **arguments)
        try:
            await connection.execute(SETTLE_READER.encode())
            await _require_newest(connection)
        except BaseException:
            await connection.close()
            raise
        prepared = PreparedConnection(connection)
        try:
            prepared._server.send_prepare(_NAME, statement.text.encode(), statement.types)
            await prepared._result(ExecStatus.COMMAND_OK)
        except BaseException:
            await prepared.close()
            raise
        return prepared

    async def run(self, *values: bytes) -> PGresult:
        """The rows that come back, of a server that took writes when it sent them. Raises Demoted, or psycopg.Error."""
        formats = [Format.BINARY] * len(values)
        self._server.send_query_prepared(_NAME, values, formats, result_format=Format.BINARY)
        answer = await self._result(ExecStatus.TUPLES_OK)
        require_writable(self._server)
        return answer

    @property
    def in_doubt(self) -> bool:
        """Whether it must be replaced before it is asked again."""
        return SUSPICION.falls_on(self._opened_at)

    async def _result(self, expected: ExecStatus) -> PGresult:
        while self._server.flush():
            await self._writable()
        answer, more = None, True
        while more:
            # asked for too early, the next result would block the event loop
            while self._server.is_busy():
                await self._heard()
            result = self._server.get_result()
            answer, more = result or answer, result is not None
        if answer is None:
            raise psycopg.OperationalError("the server hung up without an answer")
        if answer.status != expected:
            raise psycopg.errors.error_from_result(answer)
        return answer

    async def _heard(self) -> None:
        if self._lost is None:
            self._news = self._loop.create_future()
            await self._news
        if self._lost is not None:
            raise self._lost

    def _hear(self) -> None:
        """The server says something or hangs up, maybe while nobody asks."""
        try:
            self._server.consume_input()
        except psycopg.OperationalError as error:
            self._lost = error
            self._stop_hearing()
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def _stop_hearing(self) -> None:
        """Once only: the number of a closed socket soon belongs to another one."""
        if self._hearing:
            self._hearing = False
            self._loop.remove_reader(self._socket)

    async def _writable(self) -> None:
        ready = self._loop.create_future()
        self._loop.add_writer(self._socket, lambda: None if ready.done() else ready.set_result(None))
        try:
            await ready
        finally:
            self._loop.remove_writer(self._socket)

    async def close(self) -> None:
        """Hang up, also in the middle of an answer."""
        self._stop_hearing()
        await self.psycopg.close()


async def _require_newest(connection: AsyncConnection[Any]) -> None:
    try:
        which = await (await connection.execute(WHICH)).fetchone()
        if which is not None:
            TIMELINES.require_newest(*which)
    except LOST:
        raise
    except psycopg.Error:
        return


def array(type_id: int, values: Collection[bytes]) -> bytes:
    """An array as PostgreSQL receives it: one dimension from 1, each value with its length before it.

    There is at least one value, and all are as long as the first.
    """
    header = _ARRAY.pack(1, 0, type_id, len(values), 1)
    return header + _LENGTH.pack(len(next(iter(values)))).join((b"", *values))
