"""invitation_list: the places in organizations that were offered to somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, assert_never
from uuid import UUID

from domain.commands.lookups import AT_ONCE
from domain.events.catalogue import INVITATION
from domain.invitation import (
    Invitation,
    InvitationAccepted,
    InvitationCanceled,
    InvitationEvent,
    InvitationExpired,
    InvitationRejected,
    InvitationResent,
    InvitationSent,
    RecipientErased,
    Status,
    is_open,
)
from domain.roles import may_invite_as, roles_in
from domain.store.connections import Statements
from domain.store.envelope import CommandRecord
from domain.store.rows import Projection, Row, Table, change, put
from domain.store.select_list import SelectList

from .member_list import MEMBER, MemberRow

TABLE = Table(
    "invitation_list",
    "invitation_id",
    {
        "organization_id": "uuid",
        "email": "text",
        "email_hash": "bytea",
        "pending_slot": "bytea",
        "place": "integer",
        "role": "text",
        "status": "text",
        "inviter_id": "uuid",
        "link_hash": "bytea",
        "created_at": "timestamptz",
        "expires_at": "timestamptz",
        "ended_at": "timestamptz",
    },
)


PERSONAL = ("email",)
"""The column that is empty once who it was for is erased."""


def project(event: InvitationEvent, command: CommandRecord) -> Row:
    """What an event means for the invitation's row."""
    match event:
        case InvitationSent() as sent:
            return put(
                organization_id=sent.organization_id,
                email=sent.email,
                email_hash=sent.email_hash,
                pending_slot=sent.email_hash,
                place=sent.place,
                role=sent.role,
                status=Status.PENDING,
                inviter_id=sent.inviter_id,
                link_hash=sent.link_hash,
                created_at=command.at,
                expires_at=sent.expires_at,
            )
        case InvitationResent(inviter_id=inviter_id, expires_at=expires_at):
            return change(inviter_id=inviter_id, expires_at=expires_at)
        case InvitationAccepted():
            return _ended(Status.ACCEPTED, command)
        case InvitationRejected():
            return _ended(Status.REJECTED, command)
        case InvitationCanceled():
            return _ended(Status.CANCELED, command)
        case InvitationExpired():
            return _ended(Status.EXPIRED, command)
        case RecipientErased():
            return change(**dict.fromkeys(PERSONAL))
        case _:
            assert_never(event)


def _ended(status: Status, command: CommandRecord) -> Row:
    return change(status=status, pending_slot=None, place=None, ended_at=command.at)


def restore(row: Mapping[str, Any]) -> Invitation:
    """The invitation's state, which is all in its row."""
    return Invitation(
        organization_id=row["organization_id"],
        email_hash=row["email_hash"],
        roles=roles_in(row["role"]),
        inviter_id=row["inviter_id"],
        expires_at=row["expires_at"],
        status=Status(row["status"]),
    )


PROJECTION = Projection(INVITATION.name, TABLE, project, restore=restore, key_owner=lambda row: None)


class InvitationRow(NamedTuple):
    """An invitation, with its organization and who sent it; `email` is None once erased.

    `inviter_role` is what the sender is there now, None if they belong to it no longer.
    """

    invitation_id: UUID
    organization_id: UUID
    email: str | None
    role: str
    status: str
    inviter_id: UUID
    created_at: datetime
    expires_at: datetime
    inviter_role: str | None
    organization_name: str | None
    organization_slug: str | None
    organization_open: bool
    inviter_email: str | None

    def waits(self, now: datetime) -> bool:
        """Whether it has not ended, as far as itself and its organization are concerned."""
        return is_open(self.status, self.expires_at, now=now) and self.organization_open

    @property
    def stands(self) -> bool:
        """Whether who sent it could still send it (wire.md A27, A31)."""
        return self.inviter_role is not None and may_invite_as(roles_in(self.inviter_role), roles_in(self.role))


class AcceptedInvitation(NamedTuple):
    """An invitation with the membership it led to."""

    invitation: InvitationRow
    member: MemberRow


OWN_COLUMNS = {
    "invitation_id": "i.invitation_id",
    "organization_id": "i.organization_id",
    "email": "i.email",
    "role": "i.role",
    "status": "i.status",
    "inviter_id": "i.inviter_id",
    "created_at": "i.created_at",
    "expires_at": "i.expires_at",
    # asked for each, since the database would rather read all members of an organization than join the few who invite
    "inviter_role": (
        "(SELECT role FROM member_list WHERE organization_id = i.organization_id AND live_user_id = i.inviter_id)"
    ),
}
"""The fields of an `InvitationRow` that are of the invitation `i` alone."""
_INVITATION = SelectList(
    InvitationRow,
    **OWN_COLUMNS,
    organization_name="o.name",
    organization_slug="o.slug",
    organization_open="o.ended_at IS NULL",
    inviter_email="inviter.email",
)
_ACCEPTED = SelectList(AcceptedInvitation, invitation=_INVITATION, member=MEMBER)
_INVITATIONS = """
  FROM invitation_list i
  JOIN organization_list o USING (organization_id)
  LEFT JOIN account_list inviter ON inviter.user_id = i.inviter_id
"""
_ROWS = f"SELECT {_INVITATION.sql} {_INVITATIONS}"


def invitation(read: Statements, link_hash: bytes) -> InvitationRow | None:
    """The invitation with this link."""
    row = read.row(f"{_ROWS} WHERE i.link_hash = $1", link_hash)
    return _INVITATION.find(row)


def invitation_with_id(read: Statements, invitation_id: UUID) -> InvitationRow | None:
    """The invitation of this stream."""
    row = read.row(f"{_ROWS} WHERE i.invitation_id = $1", invitation_id)
    return _INVITATION.find(row)


def accepted(read: Statements, invitation_id: UUID, membership_id: UUID) -> AcceptedInvitation | None:
    """An invitation with the membership it led to."""
    row = read.row(
        f"SELECT {_ACCEPTED.sql} {_INVITATIONS}"
        " CROSS JOIN member_list m JOIN account_list a ON a.user_id = m.user_id"
        " WHERE i.invitation_id = $1 AND m.membership_id = $2",
        invitation_id,
        membership_id,
    )
    return _ACCEPTED.find(row)


def invitations_of(read: Statements, organization_id: UUID, *, limit: int | None, offset: int) -> list[InvitationRow]:
    """The invitations of an organization, whatever became of them, oldest first; all, or a page of them."""
    rows = read.rows(
        f"{_ROWS} WHERE i.organization_id = $1 ORDER BY i.created_at, i.invitation_id LIMIT $2 OFFSET $3",
        organization_id,
        limit,
        offset,
    )
    return _INVITATION.read_all(rows)


class Pending(NamedTuple):
    """Invitations that wait or ran out, and how many there are in all."""

    rows: list[InvitationRow]
    total: int


def pending_of(read: Statements, organization_id: UUID, *, limit: int, offset: int) -> Pending:
    """The invitations of an organization that nobody has ended, also those that ran out; newest first, a page."""
    pending = "i.organization_id = $1 AND i.status IN ('pending', 'expired')"
    rows = read.rows(
        f"{_ROWS} WHERE {pending} ORDER BY i.created_at DESC, i.invitation_id DESC LIMIT $2 OFFSET $3",
        organization_id,
        limit,
        offset,
    )
    [total] = read.row(f"SELECT count(*) FROM invitation_list i WHERE {pending}", organization_id) or (0,)
    return Pending(_INVITATION.read_all(rows), total)


def invitations_to(read: Statements, email_hash: bytes) -> list[InvitationRow]:
    """The invitations to an address into open organizations that nobody ended, also those that ran out."""
    rows = read.rows(
        f"{_ROWS} WHERE i.email_hash = $1 AND i.status IN ('pending', 'expired') AND o.ended_at IS NULL"
        " ORDER BY i.created_at, i.invitation_id",
        email_hash,
    )
    return _INVITATION.read_all(rows)


@dataclass
class InvitationLookups:
    """Of `domain.commands.lookups.Lookups` what this list answers."""

    read: Statements

    def free_invitation_seats(self, organization_id: UUID, *, limit: int) -> list[int]:
        # less those that were sent without one
        rows = self.read.rows(
            "WITH held AS (SELECT place FROM invitation_list WHERE organization_id = $1 AND pending_slot IS NOT NULL)"
            " SELECT place FROM"
            " generate_series(1, $2::integer - (SELECT count(*) FROM held WHERE place IS NULL)::integer) AS place"
            " WHERE place NOT IN (SELECT place FROM held WHERE place IS NOT NULL) ORDER BY place",
            organization_id,
            limit,
        )
        return [row[0] for row in rows]

    def run_out_invitations(
        self, *, organization_id: UUID | None = None, now: datetime, limit: int = AT_ONCE
    ) -> list[UUID]:
        # texts differ, since a filter that may be absent keeps the planner from its index
        where, values = ("", []) if organization_id is None else (" AND organization_id = $3", [organization_id])
        rows = self.read.rows(
            "SELECT invitation_id FROM invitation_list"
            f" WHERE pending_slot IS NOT NULL AND expires_at <= $1{where} ORDER BY expires_at LIMIT $2",
            now,
            limit,
            *values,
        )
        return [row[0] for row in rows]
