"""member_list: who belongs to which organization, as what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, assert_never
from uuid import UUID

from domain.commands.lookups import Recipient
from domain.events.catalogue import MEMBERSHIP
from domain.membership import (
    MemberJoined,
    MemberLeft,
    MemberRemoved,
    MemberRoleChanged,
    Membership,
    MembershipEvent,
    SeatTaken,
)
from domain.roles import roles_in
from domain.store.connections import Statements
from domain.store.envelope import CommandRecord
from domain.store.rows import Projection, Row, Table, change, put
from domain.store.select_list import SelectList

TABLE = Table(
    "member_list",
    "membership_id",
    {
        "organization_id": "uuid",
        "user_id": "uuid",
        "live_user_id": "uuid",
        "role": "text",
        "seat": "integer",
        "joined_at": "timestamptz",
        "ended_at": "timestamptz",
    },
)


def project(event: MembershipEvent, command: CommandRecord) -> Row:
    """What an event means for the member's row."""
    match event:
        case MemberJoined(organization_id=organization_id, user_id=user_id, role=role):
            return put(
                organization_id=organization_id,
                user_id=user_id,
                live_user_id=user_id,
                role=role,
                joined_at=command.at,
            )
        case SeatTaken(seat=seat):
            return change(seat=seat)
        case MemberRoleChanged(role=role):
            return change(role=role)
        case MemberLeft() | MemberRemoved():
            return change(live_user_id=None, seat=None, ended_at=command.at)
        case _:
            assert_never(event)


def restore(row: Mapping[str, Any]) -> Membership:
    """The membership's state, which is all in its row."""
    return Membership(
        organization_id=row["organization_id"],
        user_id=row["user_id"],
        roles=roles_in(row["role"]),
        ended=row["ended_at"] is not None,
    )


PROJECTION = Projection(MEMBERSHIP.name, TABLE, project, restore=restore)

OWNING = "m.live_user_id IS NOT NULL AND 'owner' = ANY (string_to_array(m.role, ','))"
"""The owners among members `m`; as the index member_list_owners has it."""


class MemberRow(NamedTuple):
    """A member with who they are; personal fields are None once erased."""

    membership_id: UUID
    organization_id: UUID
    user_id: UUID
    role: str
    joined_at: datetime
    name: str | None
    email: str | None
    image: str | None


MEMBER = SelectList(
    MemberRow,
    membership_id="m.membership_id",
    organization_id="m.organization_id",
    user_id="m.user_id",
    role="m.role",
    joined_at="m.joined_at",
    name="a.name",
    email="a.email",
    image="a.image",
)
_RECIPIENT = SelectList(Recipient, user_id="a.user_id", membership_id="m.membership_id")
_PEOPLE = """
  FROM member_list m
  JOIN account_list a ON a.user_id = m.user_id
"""


def member(read: Statements, membership_id: UUID) -> MemberRow | None:
    """A member, also one who has gone."""
    row = read.row(f"SELECT {MEMBER.sql} {_PEOPLE} WHERE m.membership_id = $1", membership_id)
    return MEMBER.find(row)


def live_role(read: Statements, organization_id: UUID, user_id: UUID) -> str | None:
    """What a person is in an open organization, perhaps several roles joined by commas; None if no member of it."""
    row = read.row(
        "SELECT m.role FROM member_list m JOIN organization_list o USING (organization_id)"
        " WHERE m.organization_id = $1 AND m.live_user_id = $2 AND o.ended_at IS NULL",
        organization_id,
        user_id,
    )
    return None if row is None else row[0]


def role_when_closed(read: Statements, organization_id: UUID, user_id: UUID) -> str | None:
    """What a person was in an organization when it was closed; None if it is open, or they had gone before."""
    row = read.row(
        "SELECT m.role FROM member_list m JOIN organization_list o USING (organization_id)"
        " WHERE m.organization_id = $1 AND m.live_user_id = $2 AND o.ended_at IS NOT NULL",
        organization_id,
        user_id,
    )
    return None if row is None else row[0]


def start_in(user: str) -> str:
    """The query for the organization that a person's next session starts in; `user` is SQL for their id."""
    return f"""
        SELECT m.organization_id
          FROM member_list m JOIN organization_list o USING (organization_id)
          LEFT JOIN (SELECT organization_id FROM session_list
                      WHERE user_id = {user} AND organization_id IS NOT NULL
                      ORDER BY organization_chosen_at DESC LIMIT 1) last USING (organization_id)
         WHERE m.live_user_id = {user} AND o.ended_at IS NULL
         ORDER BY last.organization_id IS NULL, m.joined_at, m.membership_id LIMIT 1
    """


@dataclass
class MemberLookups:
    """Of `domain.commands.lookups.Lookups` what this list answers."""

    read: Statements

    def organization_to_start_in(self, user_id: UUID) -> UUID | None:
        row = self.read.row(start_in("$1"), user_id)
        return None if row is None else row[0]

    def recipient(self, organization_id: UUID, email_hash: bytes) -> Recipient:
        row = self.read.row(
            f"SELECT {_RECIPIENT.sql} FROM account_list a"
            "  LEFT JOIN member_list m ON m.live_user_id = a.user_id AND m.organization_id = $1"
            " WHERE a.email_slot = $2",
            organization_id,
            email_hash,
        )
        return _RECIPIENT.find(row) or Recipient(user_id=None, membership_id=None)

    def member_with_email(self, organization_id: UUID, email_hash: bytes) -> UUID | None:
        row = self.read.row(
            "SELECT m.membership_id FROM account_list a JOIN member_list m ON m.live_user_id = a.user_id"
            " WHERE a.email_slot = $2 AND m.organization_id = $1",
            organization_id,
            email_hash,
        )
        return None if row is None else row[0]

    def free_seats(self, organization_id: UUID, *, limit: int) -> list[int]:
        # less the members who joined without one
        rows = self.read.rows(
            "WITH held AS (SELECT seat FROM member_list WHERE organization_id = $1 AND live_user_id IS NOT NULL)"
            " SELECT seat FROM"
            " generate_series(1, $2::integer - (SELECT count(*) FROM held WHERE seat IS NULL)::integer) AS seat"
            " WHERE seat NOT IN (SELECT seat FROM held WHERE seat IS NOT NULL) ORDER BY seat",
            organization_id,
            limit,
        )
        return [row[0] for row in rows]
