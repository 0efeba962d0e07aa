"""Whose request is this? Committed state of the primary for every request, one query for all who ask meanwhile."""

from __future__ import annotations

from functools import partial

from projections.lists.session_list import LiveSession

from .questions import Questions
from .session_line import SessionLine


class SessionCheck:
    """Answers by token hash. Bound to the event loop it is first used in."""

    def __init__(self, conninfo: str) -> None:
        self._questions = Questions[bytes, LiveSession | None](partial(SessionLine.open, conninfo))

    async def live_session(self, token_hash: bytes) -> LiveSession | None:
        """The session with this secret if it was not ended; whether it has run out is for the caller's clock.

        Raises StoreAway.
        """
        return await self._questions.ask(token_hash)

    async def close(self) -> None:
        """Give the connection back."""
        await self._questions.close()
