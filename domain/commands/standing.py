"""Where who acts stands in an organization: what their rights are decided by, and guarded by until it is written."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.events.catalogue import MEMBERSHIP, ORGANIZATION
from domain.membership import Membership
from domain.organization import Organization
from domain.roles import Roles
from domain.store import Loaded, Subject

from .context import Context


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


def standing(context: Context, organization_id: UUID, user_id: UUID) -> Standing | None:
    """Where a person stands in an open organization, None if they do not belong to it."""
    place = context.lookups.place(organization_id, user_id)
    if place.membership_id is None:
        return None
    organization, membership = context.store.load_each(
        (ORGANIZATION, organization_id), (MEMBERSHIP, place.membership_id)
    )
    if organization is None or membership is None or organization.state.closed or membership.state.ended:
        return None
    return Standing(organization=organization, membership=membership, subject=place.subject)
