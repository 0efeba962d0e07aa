"""By what commands look for streams: ids, and what no two that live have alike."""

from __future__ import annotations

from uuid import UUID

from domain.api_key import ApiKey
from domain.events.catalogue import API_KEY, INVITATION, MAILED_LINK, MEMBERSHIP, ORGANIZATION, SESSION, USER
from domain.invitation import Invitation
from domain.mailed_link import MailedLink, Purpose
from domain.membership import Membership
from domain.organization import Organization
from domain.session import Session
from domain.store import ColumnOf, StreamQuery
from domain.user import User


def the_account(user_id: UUID | ColumnOf) -> StreamQuery[User]:
    """A person's account."""
    return StreamQuery(USER, {"user_id": user_id})


def the_session(session_id: UUID) -> StreamQuery[Session]:
    """A session."""
    return StreamQuery(SESSION, {"session_id": session_id})


def the_key(api_key_id: UUID) -> StreamQuery[ApiKey]:
    """An API key, also one that has ended."""
    return StreamQuery(API_KEY, {"api_key_id": api_key_id})


def key_with(key_hash: bytes) -> StreamQuery[ApiKey]:
    """The API key whose secret has this hash."""
    return StreamQuery(API_KEY, {"key_hash": key_hash})


def the_organization(organization_id: UUID | ColumnOf) -> StreamQuery[Organization]:
    """An organization, also one that was closed."""
    return StreamQuery(ORGANIZATION, {"organization_id": organization_id})


def the_membership(membership_id: UUID) -> StreamQuery[Membership]:
    """A membership, also one that has ended."""
    return StreamQuery(MEMBERSHIP, {"membership_id": membership_id})


def membership_of(user_id: UUID | ColumnOf, organization_id: UUID | ColumnOf) -> StreamQuery[Membership]:
    """By which a person belongs to an organization."""
    return StreamQuery(MEMBERSHIP, {"organization_id": organization_id, "live_user_id": user_id})


def invitation_behind(link_hash: bytes) -> StreamQuery[Invitation]:
    """The invitation with this link."""
    return StreamQuery(INVITATION, {"link_hash": link_hash})


def invitation_pending(organization_id: UUID, email_hash: bytes) -> StreamQuery[Invitation]:
    """The invitation that holds an address's place in an organization; perhaps one that ran out unnoticed."""
    return StreamQuery(INVITATION, {"organization_id": organization_id, "pending_slot": email_hash})


def link_mailed(link_hash: bytes) -> StreamQuery[MailedLink]:
    """The link of this hash, as long as no newer one took its place."""
    return StreamQuery(MAILED_LINK, {"link_hash": link_hash})


def the_mailed_link(mailed_link_id: UUID) -> StreamQuery[MailedLink]:
    """A link, whatever became of it."""
    return StreamQuery(MAILED_LINK, {"mailed_link_id": mailed_link_id})


def link_for(user_id: UUID, purpose: Purpose) -> StreamQuery[MailedLink]:
    """The newest link of an account for a purpose; not the offers to undo, of which there may be several."""
    return StreamQuery(MAILED_LINK, {"user_id": user_id, "slot": purpose})
