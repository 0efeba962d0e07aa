"""Commands about members: what they may be, how they go, who owns an organization (wire.md §10.3)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain.membership import Membership
from domain.organization import Organization
from domain.refusals import LastOwner, LastOwnerDemoted, MayNotChangeRole, MayNotRemove, MemberNotFound
from domain.roles import Role, Roles
from domain.store import Loaded
from domain.store.conflicts import retry_on_conflict

from .acting_member import ActingMember, acting_member
from .context import Context
from .ownership import require_proof
from .principal import Person, record_of
from .queries import the_membership


@retry_on_conflict
def change_role(
    context: Context, principal: Person, *, organization_id: UUID, membership_id: UUID, roles: Roles
) -> bool:
    """Make a member something else; whether they were not. Who does it must hold what both the old and the new allow.

    Raises MemberNotFound, MayNotChangeRole, LastOwnerDemoted, SessionNotFresh, SessionOver, Conflict.
    """
    own, target = _both(context, principal, organization_id, membership_id)
    if not own.may_grant(target.state.roles) or not own.may_grant(roles):
        raise MayNotChangeRole
    if not own.may("member", "update"):
        raise MayNotChangeRole
    try:
        owners = _owners(own.organization, target.state, owns=Role.OWNER in roles)
    except LastOwner:
        raise LastOwnerDemoted from None
    require_proof(context, own.principal, before=target.state.roles, after=roles)
    return context.store.append(
        record_of(principal),
        own.subject,
        target.with_events(target.state.change_role(roles)),
        own.organization.with_events(owners),
        guards=own.guards,
    )


@retry_on_conflict
def remove_member(context: Context, principal: Person, *, organization_id: UUID, membership_id: UUID) -> None:
    """Remove a member. Raises MemberNotFound, LastOwner (also for an owner whom a mere admin would remove),
    MayNotRemove, SessionNotFresh, SessionOver, Conflict.
    """
    own, target = _both(context, principal, organization_id, membership_id)
    if target.state.owns and not own.owns:
        raise LastOwner
    owners = _owners(own.organization, target.state, owns=False)
    if not own.may("member", "delete"):
        raise MayNotRemove
    require_proof(context, own.principal, before=target.state.roles, after=())
    context.store.append(
        record_of(principal),
        own.subject,
        target.with_events(target.state.remove()),
        own.organization.with_events(owners),
        guards=own.guards,
    )


@retry_on_conflict
def leave(context: Context, principal: Person, *, organization_id: UUID) -> UUID:
    """Leave an organization; which membership that was.

    Raises MemberNotFound, LastOwner, ScopeMissing, SessionNotFresh, SessionOver, Conflict.
    """
    own, _ = acting_member(context, principal, organization_id)
    if own is None:
        raise MemberNotFound
    own.principal.require_whole()
    owners = _owners(own.organization, own.membership.state, owns=False)
    require_proof(context, own.principal, before=own.roles, after=())
    context.store.append(
        record_of(principal),
        own.subject,
        own.membership.with_events(own.membership.state.leave()),
        own.organization.with_events(owners),
        guards=own.guards,
    )
    return own.membership.stream_id


@retry_on_conflict
def transfer_ownership(context: Context, principal: Person, *, organization_id: UUID, membership_id: UUID) -> None:
    """Make another member the owner and oneself an admin, in one commit.

    Raises MemberNotFound, MayNotChangeRole, SessionNotFresh, SessionOver, Conflict.
    """
    own, target = _both(context, principal, organization_id, membership_id)
    if not own.owns:
        raise MayNotChangeRole
    if target.stream_id == own.membership.stream_id:
        raise MayNotChangeRole
    require_proof(context, own.principal, before=own.roles, after=(Role.ADMIN,))
    added = _owners(own.organization, target.state, owns=True)
    removed = own.organization.state_after(added).remove_owner(own.membership.state.user_id)
    context.store.append(
        record_of(principal),
        own.subject,
        target.with_events(target.state.change_role((Role.OWNER,))),
        own.membership.with_events(own.membership.state.change_role((Role.ADMIN,))),
        own.organization.with_events([*added, *removed]),
        guards=own.guards,
    )


def _both(
    context: Context, principal: Person, organization_id: UUID, membership_id: UUID
) -> tuple[ActingMember, Loaded[Membership]]:
    """Who acts, and the living membership they act upon. Raises MemberNotFound, also for one of elsewhere: of other
    organizations nothing is told (wire.md A30).
    """
    own, [target] = acting_member(context, principal, organization_id, the_membership(membership_id))
    if own is None or target is None or target.state.ended or target.state.organization_id != organization_id:
        raise MemberNotFound
    return own, target


def _owners(organization: Loaded[Organization], member: Membership, *, owns: bool) -> list[Any]:
    """What becomes of the organization's owners with what becomes of a member. Raises LastOwner."""
    if owns:
        return organization.state.add_owner(member.user_id)
    return organization.state.remove_owner(member.user_id)
