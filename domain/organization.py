"""Organization: people who work together; always has an owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never
from uuid import UUID

from .personal import Personal


@dataclass(frozen=True, kw_only=True)
class PersonalOrganizationFounded:
    """A person got the organization that comes with an account; it carries their name and they own it."""

    name: Personal
    slug: str
    owner_id: UUID


OrganizationEvent = PersonalOrganizationFounded


@dataclass(frozen=True, kw_only=True)
class Organization:
    """People who work together. Its owners are known here, for the rule that one must remain."""

    owners: frozenset[UUID]

    @staticmethod
    def found_personal(*, organization_id: UUID, owner_id: UUID, person: str) -> list[OrganizationEvent]:
        """Found the organization that comes with an account, named after the `person` (wire.md §12).

        The slug comes from the id, never from the name: the 62 random bits at the end of a UUIDv7.
        """
        slug = f"org-{organization_id.hex[16:]}"
        return [PersonalOrganizationFounded(name=f"{person}'s Organization", slug=slug, owner_id=owner_id)]


def evolve(state: Organization | None, event: OrganizationEvent) -> Organization:
    """What the organization is after one more event."""
    match event:
        case PersonalOrganizationFounded(owner_id=owner_id):
            return Organization(owners=frozenset({owner_id}))
        case _:
            assert_never(event)
