"""Where who acts stands in an organization: what their rights are decided by, and guarded by until it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.membership import Membership
from domain.organization import Organization
from domain.roles import Roles
from domain.store import Loaded, Sought, Subject

from .context import Context
from .seeking import membership_of, the_organization


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A member of an open organization, as both stand in the book, and the member's key."""

    organization: Loaded[Organization]
    membership: Loaded[Membership]
    subject: Subject

    @property
    def roles(self) -> Roles:
        """What the member is."""
        return self.membership.state.roles

    @property
    def guards(self) -> list[Loaded[Organization] | Loaded[Membership]]:
        """What must still stand as it was read."""
        return [self.organization, self.membership]


def standing(
    context: Context, organization_id: UUID, user_id: UUID, *beside: Sought[Any]
) -> tuple[Standing | None, list[Loaded[Any] | None]]:
    """Where a person stands in an open organization, None if they do not belong to it; and other streams, read with it.

    One query for all, so that a command decides on one moment.
    """
    subject, [organization, membership, *others] = context.store.find(
        user_id, the_organization(organization_id), membership_of(user_id, organization_id), *beside
    )
    if organization is None or organization.state.closed or membership is None:
        return None, others
    return Standing(organization=organization, membership=membership, subject=subject), others
