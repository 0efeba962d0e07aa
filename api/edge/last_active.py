"""The buffer of who was last active when: kept in memory for every request, written every few seconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from domain.store.last_active import LastActive

from .write_behind import WriteBehind

HELD = 20_000
"""Sessions that may wait to be written; as many more may be on their way."""
_AFTER = 5.0
"""Seconds from the use of a session to its being written: a busy one costs the database a row in that time."""


class Held:
    """The latest moments that were held at one moment, or are by now."""

    def __init__(self, *batches: Mapping[UUID, datetime]) -> None:
        self._batches = batches

    def pending(self, session_id: UUID) -> datetime | None:
        """The latest moment of a session, None if none is held."""
        moments = [batch.get(session_id) for batch in self._batches]
        return max((moment for moment in moments if moment is not None), default=None)


class LastActiveBuffer:
    """The latest moment of each session that was used, in this worker, a moment ago. Moments never go back.

    Bound to the event loop it is first used in. While the database is away it keeps what it has, which is bounded, and
    tries again. What a killed process had not written is lost: some seconds of something nobody decides by.
    """

    def __init__(self, last_active: LastActive, *, after: float = _AFTER) -> None:
        self._behind = WriteBehind[dict[UUID, datetime]](dict, last_active.record, after=after)

    def seen(self, session_id: UUID, at: datetime) -> None:
        """The session was used, to be written soon. Neither waits nor fails; one too many is let go of, silently.

        Every request with a session comes by here, in the event loop: no more than an entry and a comparison.
        """
        waiting = self._behind.waiting
        known = waiting.get(session_id)
        if known is None:
            if len(waiting) < HELD:
                waiting[session_id] = at
                self._behind.schedule()
        elif known < at:
            waiting[session_id] = at

    def held(self) -> Held:
        """What may not be in the table yet. From any thread.

        To be asked before the table is: what is written between the two is then known twice, and not never. The later
        of both is the answer.
        """
        # waiting first, as its owner says
        return Held(self._behind.waiting, self._behind.writing or {})

    async def close(self) -> None:
        """Write what waits at once, if the database can do so within a second."""
        await self._behind.close()
