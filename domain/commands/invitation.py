"""Commands of who invites, and the end of what ran out (wire.md §10, §10.2, A26-A28)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from domain.email_address import canonical
from domain.events.catalogue import INVITATION
from domain.ids import new_id
from domain.invitation import Invitation
from domain.organization import Organization
from domain.refusals import (
    AlreadyInvited,
    AlreadyMember,
    InvitationLimitReached,
    InvitationNotFound,
    InvitationsOff,
    MalformedEmail,
    MayNotCancel,
    MayNotInvite,
    MayNotInviteAs,
    MemberNotFound,
)
from domain.roles import Roles, may_invite_as, roles_in
from domain.store import Addition, Loaded, Store
from domain.store.conflicts import StreamMovedOn, retry_on_conflict

from .acting_member import ActingMember, acting_as, acting_member, member_context
from .context import Context
from .lookups import Lookups
from .ownership import require_proof
from .principal import Person, System, load_principal, record_of
from .queries import invitation_behind, invitation_pending, membership_of, the_organization

Admit = Callable[[str], None]
"""Whether a message may go to this canonical address now, whoever wants it to; raises what refuses it.

The same call asks again when it decides again, and is one message all the same.
"""


def unbraked(_address: str) -> None:
    """Any message may go."""


@retry_on_conflict
def invite(
    context: Context,
    principal: Person,
    *,
    organization_id: UUID,
    email: str,
    role: str | Sequence[str],
    resend: bool,
    admit: Admit = unbraked,
) -> UUID:
    """Offer a place to an address, or `resend` the offer it has: the clock starts anew; the invitation.

    An offer that nobody stands behind any more is taken back first, for it could not be accepted (wire.md A31). Once
    nothing else is in the way and before anything is written, `admit` is asked whether the address may get a message.

    Raises, in this order: InvitationsOff, MalformedEmail, MemberNotFound, MayNotInvite, EmptyRole, UnknownRole,
    MayNotInviteAs, AlreadyMember, AlreadyInvited, InvitationLimitReached, SessionNotFresh,
    and what `admit` raises; SessionOver, Conflict.
    """
    if not context.rules.invitations:
        raise InvitationsOff
    address = canonical(email)
    if address is None:
        raise MalformedEmail
    email_hash = context.keyring.email_hash(address)
    own, [pending] = acting_member(context, principal, organization_id, invitation_pending(organization_id, email_hash))
    if own is None:
        raise MemberNotFound
    if not own.may("invitation", "create"):
        raise MayNotInvite
    roles = roles_in(role)
    if not own.may_grant(roles):
        raise MayNotInviteAs
    if pending is not None and ran_out(context.store, pending, now=principal.at):
        pending = None
    # looked up last: whoever accepts it meanwhile is then found to be a member
    recipient = context.lookups.recipient(organization_id, email_hash)
    if recipient.membership_id is not None:
        raise AlreadyMember
    if pending is None:
        return _send(context, principal, own, address, email_hash, roles, recipient.user_id, admit, resend=resend)
    if resend:
        return _resend(context, principal, own, pending, lambda: admit(address))
    if _stands(context, pending.state):
        raise AlreadyInvited
    require_proof(context, own.principal, before=(), after=roles)
    admit(address)
    _make_way(context, principal, own, pending)
    return _send(context, principal, own, address, email_hash, roles, recipient.user_id, admit, resend=resend)


@retry_on_conflict
def cancel(context: Context, principal: Person, *, link: str) -> UUID:
    """Take an invitation back; which it was.

    Raises InvitationNotFound, MemberNotFound, MayNotCancel, SessionOver, Conflict.
    """
    wanted = invitation_behind(context.keyring.invitation_hash(link))
    organization_id = wanted.column("organization_id")
    beside = the_organization(organization_id), membership_of(principal.user_id, organization_id)
    loaded, [invitation, organization, membership] = load_principal(context, principal, wanted, *beside)
    if invitation is None or organization is None:
        raise InvitationNotFound
    own = acting_as(loaded, require_open(organization), membership)
    if own is None:
        raise MemberNotFound
    if not own.may("invitation", "cancel"):
        raise MayNotCancel
    context.store.append(
        record_of(principal), own.subject, invitation.with_events(invitation.state.cancel()), guards=own.guards
    )
    invitation_id: UUID = invitation.stream_id
    return invitation_id


def ran_out(store: Store, invitation: Loaded[Invitation], *, now: datetime) -> bool:
    """Whether it did, which is noted before anything else is done about it."""
    return invitation.state.expire(now=now) != [] and expire(store, invitation, now=now)


def expire(store: Store, invitation: Loaded[Invitation], *, now: datetime) -> bool:
    """Note that an invitation has run out, before anything else is done about it; whether that was news."""
    return store.append(record_of(System(at=now)), None, invitation.with_events(invitation.state.expire(now=now)))


def expire_run_out(store: Store, lookups: Lookups, *, now: datetime) -> int:
    """Note of all invitations that have run out that they did, a hundred at most; of how many that was news.

    What others do with one at the same moment is for them to note.
    """
    noted = 0
    for invitation_id in lookups.run_out_invitations(now=now):
        with suppress(StreamMovedOn):
            noted += expire(store, store.load(INVITATION, invitation_id), now=now)
    return noted


def require_open(organization: Loaded[Organization]) -> Loaded[Organization]:
    """Where an invitation leads to. Raises InvitationNotFound if that was closed."""
    if organization.state.closed:
        raise InvitationNotFound
    return organization


def _send(
    context: Context,
    principal: Person,
    own: ActingMember,
    address: str,
    email_hash: bytes,
    roles: Roles,
    recipient_id: UUID | None,
    admit: Admit,
    *,
    resend: bool,
) -> UUID:
    invitation_id, organization_id = new_id(), own.organization.stream_id
    recipient = context.store.new_subject(invitation_id)
    sent = Invitation.send(
        organization_id=organization_id,
        email=address,
        email_hash=email_hash,
        roles=roles,
        inviter_id=principal.user_id,
        link_hash=context.keyring.link_hash(context.keyring.invitation_link(invitation_id)),
        expires_at=principal.at + context.rules.invitation_lifetime,
        place=_invitation_seat(context, organization_id, invitation_id, now=principal.at),
        recipient_id=recipient_id,
    )
    require_proof(context, own.principal, before=(), after=roles)
    admit(address)
    try:
        context.store.append(
            record_of(principal), own.subject, Addition(invitation_id, 0, sent, recipient), guards=own.guards
        )
    except AlreadyInvited:
        # by somebody else a moment ago: that one may be resent
        if resend:
            raise StreamMovedOn from None
        raise
    return invitation_id


def _resend(
    context: Context, principal: Person, own: ActingMember, pending: Loaded[Invitation], admitted: Callable[[], None]
) -> UUID:
    """The role stays as it was sent: who resends must hold it too."""
    if not own.may_grant(pending.state.roles):
        raise MayNotInviteAs
    require_proof(context, own.principal, before=(), after=pending.state.roles)
    expires_at = principal.at + context.rules.invitation_lifetime
    admitted()
    resent = pending.state.resend(inviter_id=principal.user_id, expires_at=expires_at)
    context.store.append(record_of(principal), own.subject, pending.with_events(resent), guards=own.guards)
    return pending.stream_id


def _stands(context: Context, pending: Invitation) -> bool:
    """Whether who sent an invitation could still send it."""
    inviter, _ = member_context(context, pending.organization_id, pending.inviter_id)
    return inviter is not None and may_invite_as(inviter.roles, pending.roles)


def _make_way(context: Context, principal: Person, own: ActingMember, pending: Loaded[Invitation]) -> None:
    """Take back what nobody stands behind; an act of its own, since an address is freed before it is taken again."""
    canceled = pending.with_events(pending.state.cancel())
    context.store.append(record_of(principal), own.subject, canceled, guards=own.guards)


def _invitation_seat(context: Context, organization_id: UUID, invitation_id: UUID, *, now: datetime) -> int | None:
    if (limit := context.rules.invitation_limit) is None:
        return None
    for run_out in context.lookups.run_out_invitations(organization_id=organization_id, now=now):
        expire(context.store, context.store.load(INVITATION, run_out), now=now)
    return one_of(
        context.lookups.free_invitation_seats(organization_id, limit=limit), invitation_id, InvitationLimitReached
    )


def one_of(free: list[int], taker: UUID, none_left: type[Exception]) -> int:
    """A free one, another for each taker: of several at once only those who must shall try again."""
    if not free:
        raise none_left
    return free[taker.int % len(free)]
