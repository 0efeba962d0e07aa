"""Attempts: which refused commands are remembered, noted when their answer is out and written a moment later."""

from __future__ import annotations

from domain.key_refusals import InvalidKey, KeyDisabled, KeyExpired
from domain.refusals import WrongPassword
from domain.store.attempts import Attempt, Attempts, Folded

from .problems import STATUS_OF_CODE
from .request_context import RequestContext
from .write_behind import WriteBehind

_AFTER = 0.25
"""Seconds from a note to its being written: under attack the database sees four statements a second."""
_REFUSED = {401, 403, 429}
_GUESSES = {WrongPassword.code}
"""Refusals that the contract answers with 400, but are attempts all the same."""
_READING = {"GET", "HEAD", "OPTIONS"}
_OF_KEYS = {InvalidKey.code, KeyDisabled.code, KeyExpired.code}
_USING_A_KEY = "use_api_key"


def attempt_of(request: RequestContext, code: str, status: int | None, *, command: str | None) -> Attempt | None:
    """What is remembered of a request that was refused with this code; None if it was no command, or not refused.

    A key of somebody's that lets nobody in any more is remembered whatever it was to do: somebody still has it.
    """
    if code in _OF_KEYS:
        command = None if request.concerns is None else _USING_A_KEY
    elif request.method in _READING:
        command = None
    # a page shows its form again, whatever the wire answers
    refused = not {status, STATUS_OF_CODE.get(code)}.isdisjoint(_REFUSED) or code in _GUESSES
    if not refused or command is None:
        return None
    return Attempt(
        person_id=request.concerns,
        session_id=request.session_id,
        command=command,
        code=code,
        where_from=request.where_from,
        at=request.now,
    )


class AttemptBuffer:
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
