"""Where who acts stands in an organization: what their rights are decided by, and guarded by until it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.membership import Membership
from domain.organization import Organization
from domain.roles import Roles
from domain.store import Loaded, Sought, Subject
from domain.store.envelope import Command

from .acting import Acting, actor, author
from .context import Context
from .seeking import membership_of, the_organization


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A member of an open organization, as both stand in the book."""

    organization: Loaded[Organization]
    membership: Loaded[Membership]

    @property
    def roles(self) -> Roles:
        """What the member is."""
        return self.membership.state.roles

    @property
    def guards(self) -> list[Loaded[Any]]:
        """What must still stand as it was read."""
        return [self.organization, self.membership]


@dataclass(frozen=True, kw_only=True, slots=True)
class ActingMember(Standing):
    """A member of an open organization who gives a command in it, through a session that lives."""

    acting: Acting

    @property
    def subject(self) -> Subject:
        """The member's key."""
        return self.acting.subject

    @property
    def guards(self) -> list[Loaded[Any]]:
        """What must still stand as it was read, the session too."""
        return [self.organization, self.membership, *self.acting.guards]


def standing(
    context: Context, organization_id: UUID, user_id: UUID, *beside: Sought[Any]
) -> tuple[Standing | None, list[Loaded[Any] | None]]:
    """Where a person stands in an open organization, None if they do not belong to it; and other streams, read with it.

    One query for all, so that a command decides on one moment.
    """
    organization, membership, *others = context.store.find(*_sought(organization_id, user_id), *beside)
    if organization is None or membership is None or organization.state.closed:
        return None, others
    return Standing(organization=organization, membership=membership), others


def acting_member(
    context: Context, command: Command, organization_id: UUID, *beside: Sought[Any]
) -> tuple[ActingMember | None, list[Loaded[Any] | None]]:
    """As `standing`, of who gives a command. Raises SessionOver."""
    acting, [organization, membership, *others] = author(
        context, command, *_sought(organization_id, actor(command)), *beside
    )
    if organization is None or membership is None or organization.state.closed:
        return None, others
    return ActingMember(organization=organization, membership=membership, acting=acting), others


def _sought(organization_id: UUID, user_id: UUID) -> tuple[Sought[Organization], Sought[Membership]]:
    return the_organization(organization_id), membership_of(user_id, organization_id)
