"""The attempt book: refused commands, noted when their answer is out and written a moment later."""

from __future__ import annotations

from domain.store.attempts import Attempt, Attempts, Folded

from .write_behind import WriteBehind

_AFTER = 0.25
"""Seconds from a note to its being written: under attack the database sees four statements a second."""


class AttemptBook:
    """Bound to the event loop it is first used in, idle while nobody is refused.

    While the database is away it keeps what it has, which is bounded, and tries again. What a killed process had not
    written is lost.
    """

    def __init__(self, attempts: Attempts) -> None:
        self._behind = WriteBehind(Folded, lambda noted: attempts.record(noted.tallies), after=_AFTER)

    def note(self, attempt: Attempt) -> None:
        """Remember one, to be written soon. Neither waits nor fails."""
        self._behind.waiting.add(attempt)
        self._behind.schedule()

    async def close(self) -> None:
        """Let what was noted be written, if the database can do so within a second."""
        await self._behind.close()
