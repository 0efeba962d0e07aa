"""By what commands look for streams: ids, and what no two that live have alike."""

from __future__ import annotations

from uuid import UUID

from domain.events.catalogue import INVITATION, MEMBERSHIP, ORGANIZATION, SESSION, USER
from domain.invitation import Invitation
from domain.membership import Membership
from domain.organization import Organization
from domain.session import Session
from domain.store import Sought
from domain.user import User


def the_account(user_id: UUID) -> Sought[User]:
    """A person's account."""
    return Sought(USER, {"user_id": user_id})


def the_session(session_id: UUID) -> Sought[Session]:
    """A session."""
    return Sought(SESSION, {"session_id": session_id})


def the_organization(organization_id: UUID) -> Sought[Organization]:
    """An organization, also one that was closed."""
    return Sought(ORGANIZATION, {"organization_id": organization_id})


def the_membership(membership_id: UUID) -> Sought[Membership]:
    """A membership, also one that has ended."""
    return Sought(MEMBERSHIP, {"membership_id": membership_id})


def membership_of(user_id: UUID, organization_id: UUID) -> Sought[Membership]:
    """By which a person belongs to an organization."""
    return Sought(MEMBERSHIP, {"organization_id": organization_id, "live_user_id": user_id})


def invitation_behind(link_hash: bytes) -> Sought[Invitation]:
    """The invitation with this link."""
    return Sought(INVITATION, {"link_hash": link_hash})


def invitation_pending(organization_id: UUID, email_hash: bytes) -> Sought[Invitation]:
    """The invitation that holds an address's place in an organization; perhaps one that ran out unnoticed."""
    return Sought(INVITATION, {"organization_id": organization_id, "pending_slot": email_hash})
