"""organization_list: the organizations there are."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.events.catalogue import ORGANIZATION
from domain.organization import PersonalOrganizationFounded
from domain.store.connections import Statements
from domain.store.envelope import Recorded
from domain.store.rows import Projection, Row, Table, put

TABLE = Table(
    "organization_list",
    "organization_id",
    {
        "name": "text",
        "slug": "text",
        "slug_slot": "text",
        "personal_organization": "uuid",
        "logo": "text",
        "metadata": "text",
        "created_at": "timestamptz",
        "ended_at": "timestamptz",
    },
)


def project(recorded: Recorded) -> Row | None:
    """What an event means for the organization's row."""
    match recorded.event:
        case PersonalOrganizationFounded(name=name, slug=slug, owner_id=owner_id):
            return put(name=name, slug=slug, slug_slot=slug, personal_organization=owner_id, created_at=recorded.at)
        case _:
            return None


PROJECTION = Projection(ORGANIZATION.name, TABLE, project)


class OrganizationRow(NamedTuple):
    """An organization as it is listed. `metadata` is JSON text."""

    organization_id: UUID
    name: str | None
    slug: str
    logo: str | None
    metadata: str | None
    created_at: datetime


def organizations_of(read: Statements, user_id: UUID) -> list[OrganizationRow]:
    """The open organizations a person belongs to, in the order in which they joined."""
    rows = read.rows(
        "SELECT o.organization_id, o.name, o.slug, o.logo, o.metadata, o.created_at"
        "  FROM member_list m JOIN organization_list o USING (organization_id)"
        " WHERE m.live_user_id = $1 AND o.ended_at IS NULL"
        " ORDER BY m.joined_at, m.membership_id",
        user_id,
    )
    return [OrganizationRow(*row) for row in rows]
