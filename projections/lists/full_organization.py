"""An organization with its people and its invitations, in one query: clients ask for it after nearly all they do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from domain.store.connections import Statements

from .invitation_list import INVITATION_ROW, InvitationRow
from .member_list import MEMBER, MemberRow
from .organization_list import ORGANIZATION_ROW, OrganizationRow


class FullOrganization(NamedTuple):
    """An organization with its people, seen by somebody of this role."""

    organization: OrganizationRow
    role: str
    members: list[MemberRow]
    invitations: list[InvitationRow]


_MEMBERS = f"""
SELECT ROW({MEMBER})
  FROM member_list m JOIN account_list a ON a.user_id = m.user_id
 WHERE m.organization_id = o.organization_id AND m.live_user_id IS NOT NULL
 ORDER BY m.joined_at, m.membership_id LIMIT {{most}}
"""
_INVITATIONS = f"""
SELECT ROW({INVITATION_ROW})
  FROM invitation_list i
 WHERE i.organization_id = o.organization_id AND own.role <> 'member' {{only}}
 ORDER BY i.created_at, i.invitation_id LIMIT {{most}}
"""
_FULL = f"""
SELECT {ORGANIZATION_ROW}, own.role, ARRAY({_MEMBERS.format(most="$3")}),
       ARRAY({_INVITATIONS.format(most="NULL", only="")})
  FROM organization_list o
  JOIN member_list own ON own.organization_id = o.organization_id AND own.live_user_id = $2
 WHERE o.organization_id = $1 AND o.ended_at IS NULL
"""
MOST = 100
"""Members, and invitations, up to which an organization is told as one of many."""
FULL_ORGANIZATIONS = f"""
SELECT asked.user_id, asked.invitations, {ORGANIZATION_ROW}, own.role, ARRAY({_MEMBERS.format(most=MOST + 1)}),
       ARRAY({_INVITATIONS.format(most=MOST + 1, only="AND asked.invitations")})
  FROM unnest($1::uuid[], $2::uuid[], $3::boolean[]) AS asked(organization_id, user_id, invitations)
  JOIN organization_list o ON o.organization_id = asked.organization_id AND o.ended_at IS NULL
  JOIN member_list own ON own.organization_id = asked.organization_id AND own.live_user_id = asked.user_id
"""
"""Some organizations, each as a member of it sees it; one more of everything than `MOST` says that it is too large."""


def full_organization(
    read: Statements, organization_id: UUID, user_id: UUID, *, most_members: int | None
) -> FullOrganization | None:
    """An open organization with its first members, and its invitations unless it is a plain member who asks.

    None if the person does not belong to it.
    """
    row = read.row(_FULL, organization_id, user_id, most_members, binary=True)
    return None if row is None else full(row)


def full(columns: Sequence[Any]) -> FullOrganization:
    """What the columns from the organization's own on say."""
    organization, role = OrganizationRow(*columns[:6]), columns[6]
    return FullOrganization(
        organization,
        role,
        [MemberRow(*member) for member in columns[7]],
        [InvitationRow._make((*one, organization.name, organization.slug, True, None)) for one in columns[8]],
    )
