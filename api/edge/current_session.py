"""Whose request is this? Committed state of the primary for every request, one query for all who ask meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor

from domain.store.conflicts import StoreAway
from domain.store.connections import connection_arguments, connection_lost
from projections.lists.session_list import LIVE_SESSIONS, LiveSession

_DEADLINE = 5.0
"""Seconds a question may take: a frozen server keeps no deadline of its own."""

Question = asyncio.Future[LiveSession | None]


class SessionCheck:
    """Answers by token hash. A question is answered only by a query that was sent after it was asked.

    Questions that arrive while a query is in flight share the next one; who hangs up takes only their own away. Bound
    to the event loop it is first used in.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: AsyncConnection[tuple[Any, ...]] | None = None
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
                found = await self._in_time(list(batch))
            except (psycopg.Error, OSError, TimeoutError) as error:
                await self._drop()
                for question in _open_questions(batch):
                    question.set_exception(StoreAway(type(error).__name__))
            else:
                for token_hash, questions in batch.items():
                    for question in questions:
                        if not question.done():
                            question.set_result(found.get(token_hash))

    async def _in_time(self, token_hashes: list[bytes]) -> dict[bytes, LiveSession]:
        """Raises TimeoutError at the deadline, and lets go of the connection.

        To cancel a query makes psycopg wait for the server up to ten seconds more; it does so alone.
        """
        looking = asyncio.create_task(self._look_up(token_hashes))
        done, _ = await asyncio.wait({looking}, timeout=_DEADLINE)
        if done:
            return looking.result()
        frozen, self._connection = self._connection, None
        looking.add_done_callback(lambda late: late.cancelled() or late.exception())
        if frozen is not None:
            looking.add_done_callback(lambda _: frozen.pgconn.finish())
        looking.cancel()
        raise TimeoutError

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
        if self._connection is None:
            self._connection = await self._connect()
        cursor = AsyncRawCursor(self._connection)
        await cursor.execute(LIVE_SESSIONS, (token_hashes,), prepare=True, binary=True)
        return {row[0]: LiveSession._make(row) for row in await cursor.fetchall()}

    async def _connect(self) -> AsyncConnection[tuple[Any, ...]]:
        arguments = connection_arguments("daybook-session-check")
        # without it PostgreSQL plans this query anew at every call, which costs more than running it
        arguments["options"] += " -c plan_cache_mode=force_generic_plan"
        return await AsyncConnection.connect(self._conninfo, **arguments)

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def _open_questions(batch: dict[bytes, list[Question]]) -> list[Question]:
    return [question for questions in batch.values() for question in questions if not question.done()]
