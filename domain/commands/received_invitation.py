"""Commands of who was invited: accepting, also by signing up, and rejecting (wire.md §10, §10.2, A26-A28)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.ids import new_id
from domain.invitation import Invitation
from domain.membership import Joining, Membership
from domain.refusals import (
    AlreadyMember,
    InvitationNotFound,
    InvitationsOff,
    InviterGone,
    MemberLimitReached,
)
from domain.roles import Role, may_invite_as
from domain.store import Addition, Loaded, StreamQuery
from domain.store.conflicts import retry_on_conflict

from .acting_member import belonging
from .context import Context
from .invitation import one_of, ran_out, require_open
from .principal import PersonBySession, load_by_session, record_of
from .queries import invitation_behind, membership_of, the_organization


@dataclass(frozen=True, kw_only=True, slots=True)
class JoiningByInvitation:
    """What takes a person into an organization by an invitation: all of one append. `guards` must not move."""

    invitation_id: UUID
    organization_id: UUID
    membership_id: UUID
    additions: list[Addition]
    guards: list[Loaded[Any]]


@retry_on_conflict
def accept(context: Context, principal: PersonBySession, *, link: str) -> JoiningByInvitation:
    """Join by an invitation, and turn to the organization; one commit. Who has its link by mail has the address too.

    Raises InvitationsOff, InvitationNotFound, NotTheRecipient, InviterGone, AlreadyMember, MemberLimitReached,
    SessionOver, SubjectGone, Conflict.
    """
    user_id = principal.user_id
    offer = invited_by(context, link)
    invitation, *_ = offer
    own = membership_of(user_id, invitation.column("organization_id"))
    loaded, [*found, membership] = load_by_session(context, principal, *offer, own)
    entered = joining(
        context,
        found,
        user_id=user_id,
        email_hash=loaded.user.state.email_hash,
        belongs=membership is not None,
        now=principal.at,
    )
    verified = loaded.user.state.verify_email() if context.keyring.went_by_mail(link) else []
    context.store.append(
        record_of(principal),
        loaded.subject,
        *entered.additions,
        loaded.user.with_events(verified),
        loaded.session.with_events(loaded.session.state.choose(entered.organization_id)),
        guards=[*entered.guards, *loaded.guards],
    )
    return entered


def invited_by(context: Context, link: str) -> tuple[StreamQuery[Any], StreamQuery[Any], StreamQuery[Any]]:
    """The invitation with this link, the organization it leads to, and the membership of who sent it."""
    invitation = invitation_behind(context.keyring.invitation_hash(link))
    organization_id = invitation.column("organization_id")
    return (
        invitation,
        the_organization(organization_id),
        membership_of(invitation.column("inviter_id"), organization_id),
    )


def joining(
    context: Context,
    found: Sequence[Loaded[Any] | None],
    *,
    user_id: UUID,
    email_hash: bytes,
    belongs: bool,
    now: datetime,
) -> JoiningByInvitation:
    """What takes the person with this address into the organization; also one who signs up this very moment.

    `found` is what `invited_by` looks for; `belongs` says whether they are a member already. Who invited must still
    belong to it, and hold what the invitation grants. Raises as `accept`.
    """
    if not context.rules.invitations:
        raise InvitationsOff
    invitation, organization, membership = found
    if invitation is None or organization is None or ran_out(context.store, invitation, now=now):
        raise InvitationNotFound
    state: Invitation = invitation.state
    inviter = belonging(require_open(organization), membership)
    membership_id = new_id()
    accepted = state.accept(user_id=user_id, membership_id=membership_id, email_hash=email_hash, now=now)
    if inviter is None or not may_invite_as(inviter.roles, state.roles):
        raise InviterGone
    if belongs:
        raise AlreadyMember
    joined = Membership.join(
        organization_id=state.organization_id,
        user_id=user_id,
        roles=state.roles,
        joining=Joining.INVITED,
        seat=_seat(context, state.organization_id, membership_id),
    )
    owners = inviter.organization.state.add_owner(user_id) if Role.OWNER in state.roles else []
    return JoiningByInvitation(
        invitation_id=invitation.stream_id,
        organization_id=state.organization_id,
        membership_id=membership_id,
        additions=[
            invitation.with_events(accepted),
            Addition(membership_id, 0, joined),
            inviter.organization.with_events(owners),
        ],
        guards=inviter.guards,
    )


@retry_on_conflict
def reject(context: Context, principal: PersonBySession, *, link: str) -> UUID:
    """Do not want it; which it was. Raises InvitationNotFound, NotTheRecipient, SessionOver, SubjectGone, Conflict."""
    wanted = invitation_behind(context.keyring.invitation_hash(link))
    beside = the_organization(wanted.column("organization_id"))
    loaded, [invitation, organization] = load_by_session(context, principal, wanted, beside)
    if invitation is None or organization is None:
        raise InvitationNotFound
    guards = [require_open(organization), *loaded.guards]
    rejected = invitation.state.reject(user_id=principal.user_id, email_hash=loaded.user.state.email_hash)
    context.store.append(record_of(principal), loaded.subject, invitation.with_events(rejected), guards=guards)
    invitation_id: UUID = invitation.stream_id
    return invitation_id


def _seat(context: Context, organization_id: UUID, membership_id: UUID) -> int | None:
    if (limit := context.rules.member_limit) is None:
        return None
    return one_of(context.lookups.free_seats(organization_id, limit=limit), membership_id, MemberLimitReached)
