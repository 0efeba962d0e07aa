"""The objects of the contract as they go over the wire (wire.md §1, "Objects")."""

from __future__ import annotations

from uuid import UUID

from typing_extensions import TypedDict

from api.edge.wire_time import to_wire
from domain.commands.lookups import Person
from projections.lists.organization_list import OrganizationRow
from projections.lists.session_list import LiveSession


class User(TypedDict):
    """A person with an account. Dates are ISO 8601 in UTC with three fractional digits."""

    id: str
    name: str
    email: str
    emailVerified: bool
    image: str | None
    createdAt: str
    updatedAt: str


class Session(TypedDict):
    """A signed-in device. `token` is its handle, no credential."""

    id: str
    token: str
    userId: str
    expiresAt: str
    createdAt: str
    updatedAt: str
    authenticatedAt: str
    ipAddress: str
    userAgent: str
    activeOrganizationId: str | None


class Organization(TypedDict):
    """An organization; `metadata` is JSON text here."""

    id: str
    name: str
    slug: str
    logo: str | None
    metadata: str | None
    createdAt: str


def wire_id(stream_id: UUID) -> str:
    """An id on the wire: 32 hex digits."""
    return stream_id.hex


def user(person: Person) -> User:
    """The person as the contract shows them."""
    return {
        "id": wire_id(person.user_id),
        "name": person.name or "",
        "email": person.email or "",
        "emailVerified": person.email_verified,
        "image": person.image,
        "createdAt": to_wire(person.created_at),
        "updatedAt": to_wire(person.updated_at),
    }


def session(row: LiveSession) -> Session:
    """The session as the contract shows it."""
    return {
        "id": wire_id(row.session_id),
        "token": wire_id(row.session_id),
        "userId": wire_id(row.user_id),
        "expiresAt": to_wire(row.expires_at),
        "createdAt": to_wire(row.created_at),
        "updatedAt": to_wire(row.updated_at),
        "authenticatedAt": to_wire(row.authenticated_at),
        "ipAddress": row.ip_address or "",
        "userAgent": row.user_agent or "",
        "activeOrganizationId": None if row.active_organization_id is None else wire_id(row.active_organization_id),
    }


def organization(row: OrganizationRow) -> Organization:
    """The organization as the contract lists it."""
    return {
        "id": wire_id(row.organization_id),
        "name": row.name or "",
        "slug": row.slug,
        "logo": row.logo,
        "metadata": row.metadata,
        "createdAt": to_wire(row.created_at),
    }
