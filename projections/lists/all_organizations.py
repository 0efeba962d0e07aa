"""All organizations, as an operator looks through them: the newest first, a page at a time."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.store.connections import Statements
from domain.store.select_list import SelectList


class ListedOrganization(NamedTuple):
    """An organization, and how many belong to it. What was typed is None once erased, `ended_at` while open."""

    organization_id: UUID
    name: str | None
    slug: str | None
    personal: bool
    created_at: datetime
    ended_at: datetime | None
    members: int
    pending_invitations: int


class ListedMember(NamedTuple):
    """Who belongs to an organization, as what, since when. Name and address are None once erased."""

    user_id: UUID
    email: str | None
    name: str | None
    role: str
    joined_at: datetime


_ORGANIZATION = SelectList(
    ListedOrganization,
    organization_id="o.organization_id",
    name="o.name",
    slug="o.slug",
    personal="o.personal_organization IS NOT NULL",
    created_at="o.created_at",
    ended_at="o.ended_at",
    members=(
        "(SELECT count(*) FROM member_list m"
        " WHERE m.organization_id = o.organization_id AND m.live_user_id IS NOT NULL AND o.ended_at IS NULL)"
    ),
    pending_invitations=(
        "(SELECT count(*) FROM invitation_list i"
        " WHERE i.organization_id = o.organization_id AND i.pending_slot IS NOT NULL AND i.expires_at > $1"
        " AND o.ended_at IS NULL)"
    ),
)
_MEMBER = SelectList(
    ListedMember, user_id="m.user_id", email="a.email", name="a.name", role="m.role", joined_at="m.joined_at"
)


def organizations(read: Statements, *, limit: int, after: UUID | None, now: datetime) -> list[ListedOrganization]:
    """So many organizations behind this one: ids begin with the time of founding, so the newest come first."""
    rows = read.rows(
        f"SELECT {_ORGANIZATION.sql} FROM organization_list o WHERE $2::uuid IS NULL OR o.organization_id < $2"
        " ORDER BY o.organization_id DESC LIMIT $3",
        now,
        after,
        limit,
    )
    return _ORGANIZATION.read_all(rows)


def organization(read: Statements, organization_id: UUID, *, now: datetime) -> ListedOrganization | None:
    """One of them, also one that was closed."""
    row = read.row(
        f"SELECT {_ORGANIZATION.sql} FROM organization_list o WHERE o.organization_id = $2", now, organization_id
    )
    return _ORGANIZATION.find(row)


def members(read: Statements, organization_id: UUID, *, limit: int) -> list[ListedMember]:
    """So many of those who belong to it, in the order of joining."""
    rows = read.rows(
        f"SELECT {_MEMBER.sql} FROM member_list m JOIN account_list a ON a.user_id = m.user_id"
        " WHERE m.organization_id = $1 AND m.live_user_id IS NOT NULL ORDER BY m.joined_at, m.membership_id LIMIT $2",
        organization_id,
        limit,
    )
    return _MEMBER.read_all(rows)
