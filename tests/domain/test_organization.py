"""Organization: founded with an account."""

from __future__ import annotations

from uuid import UUID

from domain.organization import Organization, PersonalOrganizationFounded, evolve
from tests.domain.stories import given
from tests.people import ADA

ORGANIZATION = UUID("01890000-0000-7000-8abc-00000000cafe")


def test_a_personal_organization_carries_the_persons_name_and_a_slug_from_its_id() -> None:
    events = Organization.found_personal(organization_id=ORGANIZATION, owner_id=ADA, person="Ada")
    assert events == [PersonalOrganizationFounded(name="Ada's Organization", slug="org-8abc00000000cafe", owner_id=ADA)]


def test_its_founder_owns_it() -> None:
    founded = PersonalOrganizationFounded(name="Ada's Organization", slug="org-8abc00000000cafe", owner_id=ADA)
    assert given(evolve, [founded]) == Organization(owners=frozenset({ADA}))
