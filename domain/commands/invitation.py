"""Commands about invitations: sending, resending, taking back, accepting, rejecting (wire.md §10, §10.2, A26-A28)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.chance import new_id
from domain.email_address import canonical
from domain.events.catalogue import INVITATION, ORGANIZATION, SESSION
from domain.invitation import Invitation
from domain.membership import Joining, Membership
from domain.organization import Organization
from domain.refusals import (
    AlreadyInvited,
    AlreadyMember,
    InvitationLimitReached,
    InvitationNotFound,
    InvitationsOff,
    InviterGone,
    MalformedEmail,
    MayNotCancel,
    MayNotInvite,
    MayNotInviteAs,
    MemberLimitReached,
    MemberNotFound,
    SubjectGone,
)
from domain.roles import Role, Roles, allow, cover, roles_in
from domain.store import Addition, Loaded, Subject
from domain.store.conflicts import decided_again
from domain.store.envelope import Command

from .acting import actor, through
from .context import Context
from .standing import Standing, standing


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What takes a person into an organization by an invitation: all of one append.

    `guards` must not move, and the `invitation`'s personal data is the person's from then on.
    """

    organization_id: UUID
    membership_id: UUID
    invitation: Subject
    additions: list[Addition]
    guards: list[Loaded[Any]]


@decided_again
def invite(
    context: Context, command: Command, *, organization_id: UUID, email: str, role: str | Sequence[str], resend: bool
) -> UUID:
    """Offer a place to an address, or `resend` the offer it has: the clock starts anew; the invitation.

    Raises, in this order: InvitationsOff, MalformedEmail, MemberNotFound, MayNotInvite, EmptyRole, UnknownRole,
    MayNotInviteAs, AlreadyMember, AlreadyInvited, InvitationLimitReached; Conflict.
    """
    if not context.rules.invitations:
        raise InvitationsOff
    address = canonical(email)
    if address is None:
        raise MalformedEmail
    own = standing(context, organization_id, actor(command))
    if own is None:
        raise MemberNotFound
    if not allow(own.roles, "invitation", "create"):
        raise MayNotInvite
    roles = roles_in(role)
    if not cover(own.roles, roles):
        raise MayNotInviteAs
    email_hash = context.keyring.email_hash(address)
    # looked up first: whoever accepts it meanwhile is then found to be a member
    pending = _pending(context, organization_id, email_hash, now=command.at)
    if context.lookups.member_with_email(organization_id, email_hash) is not None:
        raise AlreadyMember
    if pending is not None and not resend:
        raise AlreadyInvited
    if pending is not None:
        return _resend(context, command, own, pending)
    return _send(context, command, own, address, email_hash, roles)


@decided_again
def cancel(context: Context, command: Command, *, link: str) -> UUID:
    """Take an invitation back; which it was. Raises InvitationNotFound, MemberNotFound, MayNotCancel, Conflict."""
    invitation = _by_link(context, link)
    own = standing(context, invitation.state.organization_id, actor(command))
    if own is None:
        _open_organization(context, invitation.state)
        raise MemberNotFound
    if not allow(own.roles, "invitation", "cancel"):
        raise MayNotCancel
    context.store.append(command, own.subject, invitation.then(invitation.state.cancel()), guards=own.guards)
    return invitation.stream_id


@decided_again
def reject(context: Context, command: Command, *, link: str) -> UUID:
    """Do not want it; which it was. Raises InvitationNotFound, NotTheRecipient, SubjectGone, Conflict."""
    invitation, user_id = _by_link(context, link), actor(command)
    subject, email_hash = _recipient(context, user_id)
    context.store.append(
        command,
        subject,
        invitation.then(invitation.state.reject(user_id=user_id, email_hash=email_hash)),
        guards=[_open_organization(context, invitation.state)],
    )
    return invitation.stream_id


@decided_again
def accept(context: Context, command: Command, *, link: str) -> Entry:
    """Join by an invitation, and turn to the organization; one commit.

    Raises InvitationsOff, InvitationNotFound, NotTheRecipient, InviterGone, AlreadyMember, MemberLimitReached,
    SessionOver, SubjectGone, Conflict.
    """
    user_id = actor(command)
    subject, email_hash = _recipient(context, user_id)
    entered = entry(context, link=link, user_id=user_id, email_hash=email_hash, now=command.at)
    session = context.store.load(SESSION, through(command))
    context.store.append(
        command,
        subject,
        *entered.additions,
        session.then(session.state.choose(entered.organization_id)),
        guards=entered.guards,
        adopts=entered.invitation,
        adopter=user_id,
    )
    return entered


def entry(context: Context, *, link: str, user_id: UUID, email_hash: bytes, now: datetime) -> Entry:
    """What takes the person with this address into the organization; also one who signs up this very moment.

    Who invited must still belong to it, and hold what the invitation grants. Raises as `accept`.
    """
    if not context.rules.invitations:
        raise InvitationsOff
    invitation = _by_link(context, link)
    state = invitation.state
    if expire(context, invitation, now=now):
        raise InvitationNotFound
    membership_id = new_id()
    accepted = state.accept(user_id=user_id, membership_id=membership_id, email_hash=email_hash, now=now)
    inviter = _inviter(context, state)
    if context.lookups.place(state.organization_id, user_id).membership_id is not None:
        raise AlreadyMember
    joined = Membership.join(
        organization_id=state.organization_id,
        user_id=user_id,
        roles=state.roles,
        joining=Joining.INVITED,
        seat=_seat(context, state.organization_id, membership_id),
    )
    owners = inviter.organization.state.add_owner(user_id) if Role.OWNER in state.roles else []
    return Entry(
        organization_id=state.organization_id,
        membership_id=membership_id,
        invitation=context.store.subject(invitation.stream_id),
        additions=[
            invitation.then(accepted),
            Addition(membership_id, 0, joined),
            inviter.organization.then(owners),
        ],
        guards=inviter.guards,
    )


def expire(context: Context, invitation: Loaded[Invitation], *, now: datetime) -> bool:
    """Note that an invitation has run out, before anything else is done about it; whether that was news."""
    return context.store.append(Command.by_system(at=now), None, invitation.then(invitation.state.expire(now=now)))


def _inviter(context: Context, invitation: Invitation) -> Standing:
    """Who stands for an invitation. Raises InviterGone, or InvitationNotFound if the organization was closed."""
    inviter = standing(context, invitation.organization_id, invitation.inviter_id)
    if inviter is None:
        _open_organization(context, invitation)
        raise InviterGone
    if not allow(inviter.roles, "invitation", "create") or not cover(inviter.roles, invitation.roles):
        raise InviterGone
    return inviter


def _open_organization(context: Context, invitation: Invitation) -> Loaded[Organization]:
    """Where the invitation leads to. Raises InvitationNotFound if that was closed."""
    organization = context.store.load(ORGANIZATION, invitation.organization_id)
    if organization.state.closed:
        raise InvitationNotFound
    return organization


def _send(context: Context, command: Command, own: Standing, address: str, email_hash: bytes, roles: Roles) -> UUID:
    invitation_id, organization_id = new_id(), own.organization.stream_id
    recipient = context.store.new_subject(invitation_id, is_person=False)
    sent = Invitation.send(
        organization_id=organization_id,
        email=address,
        email_hash=email_hash,
        roles=roles,
        inviter_id=actor(command),
        link_hash=context.keyring.link_hash(context.keyring.invitation_link(invitation_id)),
        expires_at=command.at + context.rules.invitation_lifetime,
        place=_place(context, organization_id, invitation_id, now=command.at),
    )
    context.store.append(command, own.subject, Addition(invitation_id, 0, sent, recipient), guards=own.guards)
    return invitation_id


def _resend(context: Context, command: Command, own: Standing, pending: Loaded[Invitation]) -> UUID:
    """The role stays as it was sent: who resends must hold it too."""
    if not cover(own.roles, pending.state.roles):
        raise MayNotInviteAs
    expires_at = command.at + context.rules.invitation_lifetime
    resent = pending.state.resend(inviter_id=actor(command), expires_at=expires_at)
    context.store.append(command, own.subject, pending.then(resent), guards=own.guards)
    return pending.stream_id


def _pending(context: Context, organization_id: UUID, email_hash: bytes, *, now: datetime) -> Loaded[Invitation] | None:
    """The invitation of an address that can still be accepted; that one ran out is noted first."""
    invitation_id = context.lookups.pending_invitation(organization_id, email_hash)
    if invitation_id is None:
        return None
    invitation = context.store.load(INVITATION, invitation_id)
    return None if expire(context, invitation, now=now) else invitation


def _by_link(context: Context, link: str) -> Loaded[Invitation]:
    invitation_id = context.lookups.invitation_by_link(context.keyring.link_hash(link))
    if invitation_id is None:
        raise InvitationNotFound
    return context.store.load(INVITATION, invitation_id)


def _recipient(context: Context, user_id: UUID) -> tuple[Subject, bytes]:
    """A person's key, and the hash of their address."""
    account = context.lookups.account(user_id)
    if account is None or account.person.email is None:
        raise SubjectGone
    return account.subject, context.keyring.email_hash(account.person.email)


def _seat(context: Context, organization_id: UUID, membership_id: UUID) -> int | None:
    if (limit := context.rules.member_limit) is None:
        return None
    return _one_of(context.lookups.free_seats(organization_id, limit=limit), membership_id, MemberLimitReached)


def _place(context: Context, organization_id: UUID, invitation_id: UUID, *, now: datetime) -> int | None:
    if (limit := context.rules.invitation_limit) is None:
        return None
    for run_out in context.lookups.run_out_invitations(organization_id, now=now):
        expire(context, context.store.load(INVITATION, run_out), now=now)
    return _one_of(context.lookups.free_places(organization_id, limit=limit), invitation_id, InvitationLimitReached)


def _one_of(free: list[int], taker: UUID, none_left: type[Exception]) -> int:
    """A free one, another for each taker: of several at once only those who must shall try again."""
    if not free:
        raise none_left
    return free[taker.int % len(free)]
