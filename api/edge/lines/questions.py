"""Questions to the database that share queries: whoever asks while one is in flight gets their answer from the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import psycopg

from domain.store.conflicts import StoreAway
from domain.store.servers import LOST, SUSPICION, Demoted, connection_lost

from .watch import Watch

K = TypeVar("K")
A = TypeVar("A")

Batch = Mapping[K, Sequence[asyncio.Future[A]]]
"""What was asked, and by whom, in the order in which they came. Who hung up is done already."""


class Line(Protocol[K, A]):
    """A connection that can answer."""

    @property
    def in_doubt(self) -> bool:
        """Whether it must be replaced before it is asked again."""

    async def answer(self, batch: Batch[K, A]) -> None:
        """Answer all of them. Raises psycopg.Error; who was answered by then is done."""

    async def close(self) -> None:
        """Hang up."""


class Questions(Generic[K, A]):
    """A question is answered only by a query that was sent after it was asked.

    A query may take `deadline` seconds, on a new connection too: a frozen server keeps no deadline of its own. Who asks
    may wait for two of them. Who hangs up takes only their own question away. A lost connection is followed by the
    same query on another one.
    Bound to the event loop it is first used in.
    """

    def __init__(self, open_line: Callable[[], Awaitable[Line[K, A]]], *, deadline: float) -> None:
        self._open_line = open_line
        self._line: Line[K, A] | None = None
        self._asked: dict[K, list[asyncio.Future[A]]] = {}
        self._answering: asyncio.Task[None] | None = None
        self._watch = Watch(deadline)

    def ask(self, key: K) -> asyncio.Future[A]:
        """The answer to come; its exception is StoreAway if the database does not answer."""
        question: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(key, []).append(question)
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._answer_all())
        return question

    async def close(self) -> None:
        """Give the connection back; what is still asked is not answered any more."""
        if self._answering is not None:
            self._answering.cancel()
            await asyncio.wait({self._answering})
        self._watch.close()
        await self._drop()

    async def _answer_all(self) -> None:
        while self._asked:
            # swapped before the query is sent: who asks from now on gets the next one
            batch, self._asked = self._asked, {}
            try:
                with self._watch:
                    await self._answer(batch)
            except Exception as error:
                away = isinstance(error, psycopg.Error | OSError | TimeoutError)
                await self._drop()
                for question in [one for questions in batch.values() for one in questions]:
                    fail(question, StoreAway(type(error).__name__) if away else error)

    async def _answer(self, batch: Batch[K, A]) -> None:
        try:
            await self._ask(batch)
        except (*LOST, psycopg.errors.FeatureNotSupported) as error:
            if isinstance(error, Demoted | psycopg.errors.ReadOnlySqlTransaction):
                SUSPICION.arise()
            elif not connection_lost(error) and not isinstance(error, psycopg.errors.FeatureNotSupported):
                raise
            # since the last question the server was restarted, lost its place to another one, or was migrated, after
            # which what was prepared can never be run again: once more, on a new connection
            await self._drop()
            await self._ask(batch)

    async def _ask(self, batch: Batch[K, A]) -> None:
        if self._line is not None and self._line.in_doubt:
            await self._drop()
        if self._line is None:
            self._line = await self._open_line()
        await self._line.answer(batch)

    async def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            await line.close()


def succeed(question: asyncio.Future[A], answer: A) -> None:
    """Answer who asked, unless they hung up."""
    if not question.done():
        question.set_result(answer)


def fail(question: asyncio.Future[A], error: Exception) -> None:
    """Tell who asked, unless they hung up; nobody minds if they do not listen, having failed for another reason."""
    if not question.done():
        question.set_exception(error)
        question.exception()
