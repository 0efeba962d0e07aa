"""member_list: who belongs to which organization, as what."""

from __future__ import annotations

from uuid import UUID

from domain.events.catalogue import MEMBERSHIP
from domain.membership import MemberJoined
from domain.store.connections import Statements
from domain.store.envelope import Recorded
from domain.store.rows import Projection, Row, Table, put

TABLE = Table(
    "member_list",
    "membership_id",
    {
        "organization_id": "uuid",
        "user_id": "uuid",
        "live_user_id": "uuid",
        "role": "text",
        "joined_at": "timestamptz",
        "ended_at": "timestamptz",
    },
)


def project(recorded: Recorded) -> Row | None:
    """What an event means for the member's row."""
    match recorded.event:
        case MemberJoined(organization_id=organization_id, user_id=user_id, role=role):
            return put(
                organization_id=organization_id,
                user_id=user_id,
                live_user_id=user_id,
                role=role,
                joined_at=recorded.at,
            )
        case _:
            return None


PROJECTION = Projection(MEMBERSHIP.name, TABLE, project)


def live_role(read: Statements, organization_id: UUID, user_id: UUID) -> str | None:
    """What a person is in an open organization, perhaps several roles joined by commas; None if no member of it."""
    row = read.row(
        "SELECT m.role FROM member_list m JOIN organization_list o USING (organization_id)"
        " WHERE m.organization_id = $1 AND m.live_user_id = $2 AND o.ended_at IS NULL",
        organization_id,
        user_id,
    )
    return None if row is None else row[0]


def organization_to_start_in(read: Statements, user_id: UUID) -> UUID | None:
    """The organization last chosen if the person still belongs to it, else the one joined first, else None."""
    row = read.row(
        "SELECT m.organization_id"
        "  FROM member_list m JOIN organization_list o USING (organization_id)"
        "  LEFT JOIN (SELECT organization_id FROM session_list"
        "              WHERE user_id = $1 AND organization_id IS NOT NULL"
        "              ORDER BY organization_chosen_at DESC LIMIT 1) last USING (organization_id)"
        " WHERE m.live_user_id = $1 AND o.ended_at IS NULL"
        " ORDER BY last.organization_id IS NULL, m.joined_at, m.membership_id LIMIT 1",
        user_id,
    )
    return None if row is None else row[0]
