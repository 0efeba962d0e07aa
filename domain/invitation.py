"""Invitation: a place in an organization offered to an e-mail address, for a while."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from .personal import Personal
from .refusals import InvitationNotFound, NotTheRecipient
from .roles import Roles, roles_in, text_of


class Status(StrEnum):
    """What became of an invitation. One that ran out shows as pending on the wire (wire.md §10.2)."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CANCELED = "canceled"
    EXPIRED = "expired"


class TakenBack(StrEnum):
    """Why an invitation was taken back with others, by who has their account (again)."""

    CHANGE_UNDONE = "change_undone"
    ADDRESS_PROVED = "address_proved"


@dataclass(frozen=True, kw_only=True)
class InvitationSent:
    """Somebody who may was ready to take the owner of an address into an organization.

    `link_hash` is the keyed hash of the id that stands in the link; `place` one of those an organization has where the
    number of pending invitations is limited; `recipient_id` whose account has the address, if there is one.
    """

    organization_id: UUID
    email: Personal
    email_hash: bytes
    role: str
    inviter_id: UUID
    link_hash: bytes
    expires_at: datetime
    place: int | None
    recipient_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class InvitationResent:
    """The clock of the invitation starts anew; who resent it stands for it from now on."""

    inviter_id: UUID
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class InvitationAccepted:
    """The person who has the address joined by it."""

    user_id: UUID
    membership_id: UUID


@dataclass(frozen=True, kw_only=True)
class InvitationRejected:
    """The person who has the address does not want to join."""

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class InvitationCanceled:
    """The organization takes the invitation back; `because`, if that was not what somebody did to this one."""

    because: TakenBack | None = None


@dataclass(frozen=True, kw_only=True)
class InvitationExpired:
    """It was noticed that the invitation had run out."""


@dataclass(frozen=True, kw_only=True)
class RecipientErased:
    """The address is gone for good, with the person who had it and did not join by this invitation."""

    user_id: UUID


InvitationEvent = (
    InvitationSent
    | InvitationResent
    | InvitationAccepted
    | InvitationRejected
    | InvitationCanceled
    | InvitationExpired
    | RecipientErased
)


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """A place offered. It can be accepted while it is pending and has not run out, by who has the address."""

    organization_id: UUID
    email_hash: bytes
    roles: Roles
    inviter_id: UUID
    expires_at: datetime
    status: Status = Status.PENDING

    @staticmethod
    def send(
        *,
        organization_id: UUID,
        email: str,
        email_hash: bytes,
        roles: Roles,
        inviter_id: UUID,
        link_hash: bytes,
        expires_at: datetime,
        place: int | None,
        recipient_id: UUID | None,
    ) -> list[InvitationEvent]:
        """Offer a place. `email` is canonical, `email_hash` its keyed hash, `recipient_id` whose account has it."""
        return [
            InvitationSent(
                organization_id=organization_id,
                email=email,
                email_hash=email_hash,
                role=text_of(roles),
                inviter_id=inviter_id,
                link_hash=link_hash,
                expires_at=expires_at,
                place=place,
                recipient_id=recipient_id,
            )
        ]

    def resend(self, *, inviter_id: UUID, expires_at: datetime) -> list[InvitationEvent]:
        """Start the clock anew. Asked of one that can be accepted."""
        return [InvitationResent(inviter_id=inviter_id, expires_at=expires_at)]

    def accept(self, *, user_id: UUID, membership_id: UUID, email_hash: bytes, now: datetime) -> list[InvitationEvent]:
        """Join by it. Raises InvitationNotFound, NotTheRecipient."""
        self.require_open(now=now)
        self.require_recipient(email_hash)
        return [InvitationAccepted(user_id=user_id, membership_id=membership_id)]

    def reject(self, *, user_id: UUID, email_hash: bytes) -> list[InvitationEvent]:
        """Do not want it, also once it has run out (wire.md A28). Raises InvitationNotFound, NotTheRecipient."""
        if self.status not in (Status.PENDING, Status.EXPIRED):
            raise InvitationNotFound
        self.require_recipient(email_hash)
        return [InvitationRejected(user_id=user_id)]

    def cancel(self, because: TakenBack | None = None) -> list[InvitationEvent]:
        """Take it back, also once it has run out; nothing if it was. Raises InvitationNotFound (wire.md A28)."""
        match self.status:
            case Status.CANCELED:
                return []
            case Status.PENDING | Status.EXPIRED:
                return [InvitationCanceled(because=because)]
            case _:
                raise InvitationNotFound

    def erase_recipient(self, user_id: UUID) -> list[InvitationEvent]:
        """Let go of the address, which was this person's: who is gone does not want it, also once it has run out."""
        open_still = self.status in (Status.PENDING, Status.EXPIRED)
        return [*([InvitationRejected(user_id=user_id)] if open_still else []), RecipientErased(user_id=user_id)]

    def expire(self, *, now: datetime) -> list[InvitationEvent]:
        """Note that it has run out; nothing if it has not, or ended before."""
        return [InvitationExpired()] if self.status is Status.PENDING and now >= self.expires_at else []

    def require_open(self, *, now: datetime) -> None:
        """It is pending and has not run out. Raises InvitationNotFound."""
        if not is_open(self.status, self.expires_at, now=now):
            raise InvitationNotFound

    def require_recipient(self, email_hash: bytes) -> None:
        """It was sent to this address. Raises NotTheRecipient."""
        if email_hash != self.email_hash:
            raise NotTheRecipient


def is_open(status: str, expires_at: datetime, *, now: datetime) -> bool:
    """Whether an invitation is pending and has not run out."""
    return status == Status.PENDING and now < expires_at


def evolve(state: Invitation | None, event: InvitationEvent) -> Invitation:
    """What the invitation is after one more event."""
    match event:
        case InvitationSent() as sent:
            return Invitation(
                organization_id=sent.organization_id,
                email_hash=sent.email_hash,
                roles=roles_in(sent.role),
                inviter_id=sent.inviter_id,
                expires_at=sent.expires_at,
            )
    assert state is not None, "an invitation begins with InvitationSent"
    match event:
        case InvitationResent(inviter_id=inviter_id, expires_at=expires_at):
            return replace(state, inviter_id=inviter_id, expires_at=expires_at)
        case InvitationAccepted():
            return replace(state, status=Status.ACCEPTED)
        case InvitationRejected():
            return replace(state, status=Status.REJECTED)
        case InvitationCanceled():
            return replace(state, status=Status.CANCELED)
        case InvitationExpired():
            return replace(state, status=Status.EXPIRED)
        case RecipientErased():
            return state
        case _:
            assert_never(event)
