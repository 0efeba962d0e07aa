"""The attempt book: refused commands, noted when their answer is out and written a moment later."""

from __future__ import annotations

import asyncio

from anyio import to_thread

from domain.store.attempts import Attempt, Attempts, Folded

from . import problems

_AFTER = 0.25
"""Seconds from a note to its being written: under attack the database sees four statements a second."""
_LAST_WORD = 1.0
"""Seconds the stop waits for what is not written yet."""


class AttemptBook:
    """Bound to the event loop it is first used in, idle while nobody is refused.

    While the database is away it keeps what it has, which is bounded, and tries again. What a killed process had not
    written is lost.
    """

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts
        self._noted = Folded()
        self._writing: asyncio.Task[None] | None = None

    def note(self, attempt: Attempt) -> None:
        """Remember one, to be written soon. Neither waits nor fails."""
        self._noted.add(attempt)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())

    async def close(self) -> None:
        """Let what was noted be written, if the database can do so within a second."""
        if self._writing is not None:
            await asyncio.wait({self._writing}, timeout=_LAST_WORD)
            self._writing.cancel()
            await asyncio.wait({self._writing})

    async def _write_all(self) -> None:
        while self._noted.tallies:
            await asyncio.sleep(_AFTER)
            batch, self._noted = self._noted, Folded()
            while not await self._write(batch):
                await asyncio.sleep(_AFTER)

    async def _write(self, batch: Folded) -> bool:
        """Whether there is nothing left to do about these."""
        try:
            # given up on at the stop: a thread that waits for a frozen database cannot be ended
            await to_thread.run_sync(self._attempts.record, batch.tallies, abandon_on_cancel=True)
        except problems.UNAVAILABLE:
            return False
        except Exception as error:
            # whatever is wrong with these, those after them must get through
            problems.log_unexpected(error)
        return True
