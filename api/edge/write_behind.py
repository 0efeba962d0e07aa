"""Write-behind: what need not be written at once waits in memory, and follows in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from typing import Generic, TypeVar

from anyio import to_thread

from . import problems

_LAST_WORD = 1.0
"""Seconds the stop waits for what is not written yet."""
_BETWEEN_LAST_TRIES = 0.1

B = TypeVar("B")


class WriteBehind(Generic[B]):
    """A batch that is `waiting`, and the one before it while that is `writing`.

    Whoever puts something into `waiting`, and bounds it, calls `schedule`; `write` gets the batch `after` seconds
    later, in a thread. While the database is away the same batch is tried again as often. What a killed process had
    not written is lost. Bound to the event loop it is first used in, idle while nothing waits; both batches may be
    read from any thread, `waiting` first: what is not in it any more is in `writing`, or written.
    """

    def __init__(self, new: Callable[[], B], write: Callable[[B], object], *, after: float) -> None:
        self._new, self._write, self._after = new, write, after
        self.waiting = new()
        self.writing: B | None = None
        self._scheduled = False
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def schedule(self) -> None:
        """Something waits: it will be written soon. Neither waits nor fails."""
        self._scheduled = True
        if self._task is None or self._task.done():
            # in no request's context: it outlives the one that happened to come first, and its deadline
            self._task = asyncio.create_task(self._write_all(), context=Context())

    async def close(self) -> None:
        """Write what waits at once, if the database can do so within a second."""
        if self._task is not None:
            self._after = min(self._after, _BETWEEN_LAST_TRIES)
            self._hurry.set()
            await asyncio.wait({self._task}, timeout=_LAST_WORD)
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _write_all(self) -> None:
        while self._scheduled:
            await self._pause()
            self._scheduled = False
            # one after the other: there is no moment in which a reader finds the batch in neither
            self.writing = batch = self.waiting
            self.waiting = self._new()
            while not await self._written(batch):
                await self._pause()
            self.writing = None

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._after):
                await self._hurry.wait()
        self._hurry.clear()

    async def _written(self, batch: B) -> bool:
        """Whether there is nothing left to do about these."""
        try:
            # given up on at the stop: a thread that waits for a frozen database cannot be ended
            await to_thread.run_sync(self._write, batch, abandon_on_cancel=True)
        except problems.UNAVAILABLE:
            return False
        except Exception as error:
            # whatever is wrong with these, those after them must get through
            problems.log_unexpected(error)
        return True
