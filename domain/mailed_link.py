"""MailedLink: a link that went to an address by mail, and proves that whoever brings it reads what is sent there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from .personal import Personal
from .refusals import LinkExpired, LinkNotFound

VERIFICATION_LIFETIME = timedelta(hours=1)
"""Of a link that verifies an address, or changes it (wire.md §9)."""
DELETION_LIFETIME = timedelta(hours=24)
"""Of a link that deletes an account (wire.md §9)."""
UNDO_LIFETIME = timedelta(hours=72)
"""For how long who had an address before can have it back."""


class Purpose(StrEnum):
    """What a link is for. It opens nothing else."""

    PASSWORD_RESET = "password_reset"  # noqa: S105  the word that is stored, no secret
    EMAIL_VERIFICATION = "email_verification"
    EMAIL_CHANGE = "email_change"
    EMAIL_CHANGE_UNDO = "email_change_undo"
    ACCOUNT_DELETION = "account_deletion"
    SIGN_UP_NOTICE = "sign_up_notice"


@dataclass(frozen=True, kw_only=True)
class PasswordResetRequested:
    """Somebody who need not have been the person asked for a link to set another password.

    Not for longer than the password is the same: `password_version` is the one to be replaced. `callback_url` is the
    page that the link shall lead to.
    """

    user_id: UUID
    email_hash: bytes
    password_version: int
    link_hash: bytes
    expires_at: datetime
    callback_url: Personal


@dataclass(frozen=True, kw_only=True)
class EmailVerificationRequested:
    """A link was to prove that the account's address is the person's."""

    user_id: UUID
    email_hash: bytes
    link_hash: bytes
    expires_at: datetime
    callback_url: Personal


@dataclass(frozen=True, kw_only=True)
class EmailChangeRequested:
    """A person wants to have another address, which a link that goes there shall prove to be theirs.

    Not for longer than the session lives in which they asked: `session_epoch` is the account's.
    """

    user_id: UUID
    email: Personal
    email_hash: bytes
    session_epoch: int
    link_hash: bytes
    expires_at: datetime
    callback_url: Personal


@dataclass(frozen=True, kw_only=True)
class EmailChangeUndoOffered:
    """Who reads the address that an account had before can have it back, with a new password, for a while.

    `account_version` is that of the account with its new address: the order of changes, whatever the clocks of several
    nodes say. `asked_since` is when the session began in which the change was asked for. Old offers say neither.
    """

    user_id: UUID
    email: Personal
    email_hash: bytes
    link_hash: bytes
    expires_at: datetime
    account_version: int | None = None
    asked_since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class AccountDeletionRequested:
    """A person wants to delete their account, which a link that goes to its address shall confirm.

    While a change of address can be undone, it goes to who had the address first: `offer_id` is the offer made to them.
    Not for longer than the session they asked in could live on: `session_epoch` is the account's.
    """

    user_id: UUID
    email_hash: bytes
    session_epoch: int
    link_hash: bytes
    expires_at: datetime
    callback_url: Personal
    offer_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class SignUpAttempted:
    """Somebody wanted to open an account with the address of this one, and was not told that there is one."""

    user_id: UUID
    email_hash: bytes


@dataclass(frozen=True, kw_only=True)
class MailedLinkUsed:
    """What the link was for was done by it."""


@dataclass(frozen=True, kw_only=True)
class MailedLinkWithdrawn:
    """The link opens nothing any more: it went to somebody who had the address by a change that was undone, would have
    verified an address that another account was to be opened with, or was asked for before another password was set or
    an operator gave the account another address.
    """


@dataclass(frozen=True, kw_only=True)
class EmailChangeUndoLapsed:
    """The account was deleted while who had its address before could have it back; they are told."""


MailedLinkEvent = (
    PasswordResetRequested
    | EmailVerificationRequested
    | EmailChangeRequested
    | EmailChangeUndoOffered
    | AccountDeletionRequested
    | SignUpAttempted
    | MailedLinkUsed
    | MailedLinkWithdrawn
    | EmailChangeUndoLapsed
)


@dataclass(frozen=True, kw_only=True)
class MailedLink:
    """The newest link of one purpose of one account; an older one opens nothing any more.

    Only offers to undo do not take each other's place: who changes an address twice shall not get rid of the first.
    `password_version` and `session_epoch` are the account's for as long as the link is good, None where that does not
    matter.
    """

    user_id: UUID
    purpose: Purpose
    email_hash: bytes
    expires_at: datetime | None
    password_version: int | None = None
    session_epoch: int | None = None
    ended: bool = False

    def use(self, *, now: datetime) -> list[MailedLinkEvent]:
        """Do by it what it is for, once. Raises LinkNotFound, LinkExpired."""
        if self.ended or self.expires_at is None:
            raise LinkNotFound
        if now >= self.expires_at:
            raise LinkExpired
        return [MailedLinkUsed()]

    def withdraw(self) -> list[MailedLinkEvent]:
        """Let it open nothing any more; nothing if it does not."""
        return [] if self.ended else [MailedLinkWithdrawn()]

    def lapse(self) -> list[MailedLinkEvent]:
        """Let an offer to undo end with its account."""
        return [EmailChangeUndoLapsed()]


def evolve(state: MailedLink | None, event: MailedLinkEvent) -> MailedLink:
    """What the link is after one more event."""
    match event:
        case PasswordResetRequested() as requested:
            return MailedLink(
                user_id=requested.user_id,
                purpose=Purpose.PASSWORD_RESET,
                email_hash=requested.email_hash,
                expires_at=requested.expires_at,
                password_version=requested.password_version,
            )
        case EmailVerificationRequested() as requested:
            return MailedLink(
                user_id=requested.user_id,
                purpose=Purpose.EMAIL_VERIFICATION,
                email_hash=requested.email_hash,
                expires_at=requested.expires_at,
            )
        case EmailChangeRequested() as requested:
            return MailedLink(
                user_id=requested.user_id,
                purpose=Purpose.EMAIL_CHANGE,
                email_hash=requested.email_hash,
                expires_at=requested.expires_at,
                session_epoch=requested.session_epoch,
            )
        case EmailChangeUndoOffered() as offered:
            return MailedLink(
                user_id=offered.user_id,
                purpose=Purpose.EMAIL_CHANGE_UNDO,
                email_hash=offered.email_hash,
                expires_at=offered.expires_at,
            )
        case AccountDeletionRequested() as requested:
            return MailedLink(
                user_id=requested.user_id,
                purpose=Purpose.ACCOUNT_DELETION,
                email_hash=requested.email_hash,
                expires_at=requested.expires_at,
                session_epoch=requested.session_epoch,
            )
        case SignUpAttempted(user_id=user_id, email_hash=email_hash):
            return MailedLink(user_id=user_id, purpose=Purpose.SIGN_UP_NOTICE, email_hash=email_hash, expires_at=None)
    assert state is not None, "a link begins by being asked for"
    match event:
        case MailedLinkUsed() | MailedLinkWithdrawn() | EmailChangeUndoLapsed():
            return replace(state, ended=True)
        case _:
            assert_never(event)
