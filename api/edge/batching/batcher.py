"""Whoever asks while a query is in flight gets their answer from the next one, shared by all who wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import psycopg

from domain.store.conflicts import StoreUnavailable
from domain.store.servers import LOST, SUSPICION, Demoted, connection_lost

from .deadline import Deadline

K = TypeVar("K")
A = TypeVar("A")

Batch = Mapping[K, Sequence[asyncio.Future[A]]]
"""What was asked, and by whom, in the order in which they came. Who hung up is done already."""


class BatchConnection(Protocol[K, A]):
    """A connection that can answer."""

    @property
    def in_doubt(self) -> bool:
        """Whether it must be replaced before it is asked again."""

    async def run(self, batch: Batch[K, A]) -> None:
        """Answer all of them. Raises psycopg.Error; who was answered by then is done."""

    async def close(self) -> None:
        """Hang up."""


class Batcher(Generic[K, A]):
    """What is submitted is answered only by a query that was sent after it.

    A query may take `deadline` seconds, on a new connection too: a frozen server keeps no deadline of its own. Who asks
    may wait for two of them. Who hangs up takes away only what they submitted. A lost connection is followed by the
    same query on another one.
    Bound to the event loop it is first used in.
    """

    def __init__(self, open_connection: Callable[[], Awaitable[BatchConnection[K, A]]], *, deadline: float) -> None:
        self._open_connection = open_connection
        self._connection: BatchConnection[K, A] | None = None
        self._pending: dict[K, list[asyncio.Future[A]]] = {}
        self._running: asyncio.Task[None] | None = None
        self._deadline = Deadline(deadline)

    def submit(self, key: K) -> asyncio.Future[A]:
        """The answer to come; its exception is StoreUnavailable if the database does not answer."""
        pending: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._pending.setdefault(key, []).append(pending)
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run_all())
        return pending

    async def close(self) -> None:
        """Give the connection back; what is still asked is not answered any more."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})
        self._deadline.close()
        await self._drop()

    async def _run_all(self) -> None:
        while self._pending:
            # swapped before the query is sent: who asks from now on gets the next one
            batch, self._pending = self._pending, {}
            try:
                with self._deadline:
                    await self._run(batch)
            except Exception as error:
                away = isinstance(error, psycopg.Error | OSError | TimeoutError)
                await self._drop()
                for pending in [one for waiting in batch.values() for one in waiting]:
                    fail(pending, StoreUnavailable(type(error).__name__) if away else error)

    async def _run(self, batch: Batch[K, A]) -> None:
        try:
            await self._run_once(batch)
        except (*LOST, psycopg.errors.FeatureNotSupported) as error:
            if isinstance(error, Demoted | psycopg.errors.ReadOnlySqlTransaction):
                SUSPICION.arise()
            elif not connection_lost(error) and not isinstance(error, psycopg.errors.FeatureNotSupported):
                raise
            # since the last query the server was restarted, lost its place to another one, or was migrated, after
            # which what was prepared can never be run again: once more, on a new connection
            await self._drop()
            await self._run_once(batch)

    async def _run_once(self, batch: Batch[K, A]) -> None:
        if self._connection is not None and self._connection.in_doubt:
            await self._drop()
        if self._connection is None:
            self._connection = await self._open_connection()
        await self._connection.run(batch)

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def succeed(pending: asyncio.Future[A], answer: A) -> None:
    """Answer who asked, unless they hung up."""
    if not pending.done():
        pending.set_result(answer)


def fail(pending: asyncio.Future[A], error: Exception) -> None:
    """Tell who asked, unless they hung up; nobody minds if they do not listen, having failed for another reason."""
    if not pending.done():
        pending.set_exception(error)
        pending.exception()
