"""Whose request is this? Committed state of the primary for every request, one query for all who ask meanwhile."""

from __future__ import annotations

import asyncio

import psycopg

from domain.store.conflicts import StoreAway
from domain.store.connections import connection_lost
from projections.lists.session_list import LiveSession

from .session_line import SessionLine

_DEADLINE = 3.0
"""Seconds a query may take: a frozen server keeps no deadline of its own. Who asks may wait for two of them."""

Question = asyncio.Future[LiveSession | None]


class SessionCheck:
    """Answers by token hash. A question is answered only by a query that was sent after it was asked.

    Questions that arrive while a query is in flight share the next one; who hangs up takes only their own away. Bound
    to the event loop it is first used in.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._line: SessionLine | None = None
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
                for _, question in _open_questions(batch):
                    question.set_exception(StoreAway(type(error).__name__))
            else:
                for token_hash, question in _open_questions(batch):
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
            self._line = await SessionLine.open(self._conninfo)
        return await self._line.ask(token_hashes)

    async def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            await line.close()


def _open_questions(batch: dict[bytes, list[Question]]) -> list[tuple[bytes, Question]]:
    """Those nobody has hung up on."""
    return [(token_hash, one) for token_hash, questions in batch.items() for one in questions if not one.done()]
