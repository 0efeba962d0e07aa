"""Invitations that an account sent while it was not its person's, or may not have been: taken back once it is.

Who was taken in by one meanwhile stays: a person looks through the members themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.invitation import Status, TakenBack
from domain.mailed_link import EmailChangeUndoOffered, MailedLink, Purpose
from domain.store import Addition, Loaded, Reading, Subject
from domain.store.conflicts import StreamMovedOn
from domain.user import User

from .context import Context, EmailVerification
from .leaving import CLOCKS, invitations_with
from .principal import PersonWithoutSession, record_of

AT_ONCE = 500
"""Invitations taken back by one append: some tenths of a second under its locks. Nobody sends more in five hours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftPending:
    """Of the invitations that a person stands for, which are taken back and why: all, or those sent since a moment."""

    user_id: UUID
    since: datetime | None
    because: TakenBack

    def taken_back(self, context: Context, reading: Reading) -> list[Addition]:
        """What takes all of them back. Raises StreamMovedOn, also if they are more than one append shall take."""
        if len(ids := self._ids(context, reading)) > AT_ONCE:
            raise StreamMovedOn
        return self._canceled(context, ids, reading)

    def take_back_most(self, context: Context, principal: PersonWithoutSession, subject: Subject) -> None:
        """Take them back until one append can take the rest, each time by a command of its own.

        What fails on the way has taken some back, and can be done again. Raises StreamMovedOn, SubjectGone.
        """
        reading = context.store.statements
        while len(ids := self._ids(context, reading)) > AT_ONCE:
            context.store.append(record_of(principal), subject, *self._canceled(context, ids[:AT_ONCE], reading))

    def _ids(self, context: Context, reading: Reading) -> Sequence[UUID]:
        return context.lookups.invitations_pending_from(self.user_id, since=self.since, reading=reading)

    def _canceled(self, context: Context, ids: Sequence[UUID], reading: Reading) -> list[Addition]:
        found = invitations_with(context, ids, reading)
        if any(one.state.status is not Status.PENDING for one in found):
            raise StreamMovedOn
        return [one.with_events(one.state.cancel(self.because)) for one in found]


def left_pending(context: Context, mailed: Loaded[MailedLink], user: Loaded[User]) -> LeftPending | None:
    """What a reset by this link shall take back; None if nothing.

    By a link that undoes a change of address, what was sent since the session began in which that was asked for: who
    has stolen it may have invited first. By the first that proves the address, all: whoever opened the account need not
    have had it. Not where nobody is asked to prove one: there that would end what everybody sent who ever forgets their
    password.
    """
    if mailed.state.purpose is Purpose.EMAIL_CHANGE_UNDO:
        return LeftPending(user_id=user.stream_id, since=_since(context, mailed), because=TakenBack.CHANGE_UNDONE)
    proofs_wanted = context.rules.email_verification is not EmailVerification.OFF
    if proofs_wanted and not user.state.email_verified:
        return LeftPending(user_id=user.stream_id, since=None, because=TakenBack.ADDRESS_PROVED)
    return None


def _since(context: Context, mailed: Loaded[MailedLink]) -> datetime | None:
    """From when on what the account sent may not be its person's; None if nobody can say any more."""
    offered = context.store.recorded([(mailed.stream_id, 1)]).get((mailed.stream_id, 1))
    if offered is None or not isinstance(offered.event, EmailChangeUndoOffered):
        return None
    # a node that is behind must not leave out what was sent a moment later
    return (offered.event.asked_since or offered.at) - CLOCKS
