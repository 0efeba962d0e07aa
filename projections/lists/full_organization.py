"""An organization with its people and its invitations, in one query: clients ask for it after nearly all they do."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from domain.store.connections import Statements
from domain.store.select_list import Each, Known, SelectList

from .invitation_list import OWN_COLUMNS, InvitationRow
from .member_list import MEMBER, MemberRow
from .organization_list import ORGANIZATION_ROW, OrganizationRow


class FullOrganization(NamedTuple):
    """An organization with its people, seen by somebody of this role.

    Its invitations name neither it nor who sent them: it stands beside them, and people are among the members.
    """

    organization: OrganizationRow
    role: str
    members: list[MemberRow]
    invitations: list[InvitationRow]


class OrganizationKey(NamedTuple):
    """An organization, who sees it, and whether with its invitations."""

    organization_id: UUID
    user_id: UUID
    invitations: bool


class SeenOrganization(NamedTuple):
    """One of many organizations, and what was asked for."""

    key: OrganizationKey
    full: FullOrganization


_INVITATION = SelectList(
    InvitationRow,
    **OWN_COLUMNS,
    # said by the organization around them
    organization_name=Known(None),
    organization_slug=Known(None),
    organization_open=Known(True),
    inviter_email=Known(None),
)
_MEMBERS = """
  FROM member_list m JOIN account_list a ON a.user_id = m.user_id
 WHERE m.organization_id = o.organization_id AND m.live_user_id IS NOT NULL
 ORDER BY m.joined_at, m.membership_id LIMIT {most}
"""
_INVITATIONS = """
  FROM invitation_list i
 WHERE i.organization_id = o.organization_id AND own.role <> 'member' {only}
 ORDER BY i.created_at, i.invitation_id LIMIT {most}
"""


def _full(members: str, invitations: str) -> SelectList[FullOrganization]:
    """Of an organization `o` and the membership `own`, with these rows of members and invitations."""
    return SelectList(
        FullOrganization,
        organization=ORGANIZATION_ROW,
        role="own.role",
        members=Each(MEMBER, members),
        invitations=Each(_INVITATION, invitations),
    )


_FULL = _full(_MEMBERS.format(most="$3"), _INVITATIONS.format(most="NULL", only=""))
_ONE = f"""
SELECT {_FULL.sql}
  FROM organization_list o
  JOIN member_list own ON own.organization_id = o.organization_id AND own.live_user_id = $2
 WHERE o.organization_id = $1 AND o.ended_at IS NULL
"""
MOST = 100
"""Members, and invitations, up to which an organization is told as one of many."""
KEY = SelectList(
    OrganizationKey,
    organization_id="asked.organization_id",
    user_id="asked.user_id",
    invitations="asked.invitations",
)
SEEN = SelectList(
    SeenOrganization,
    key=KEY,
    full=_full(_MEMBERS.format(most=MOST + 1), _INVITATIONS.format(most=MOST + 1, only="AND asked.invitations")),
)
FULL_ORGANIZATIONS = f"""
SELECT {SEEN.sql}
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
    return _FULL.find(read.row(_ONE, organization_id, user_id, most_members, binary=True))
