"""Membership: one person's place in one organization."""

from __future__ import annotations

from domain.membership import Joining, MemberJoined, Membership, evolve
from domain.roles import Role
from tests.domain.stories import given
from tests.people import ADA, CY

JOINED = MemberJoined(organization_id=CY, user_id=ADA, role=Role.OWNER, joining=Joining.FOUNDED)


def test_a_founder_joins_as_owner() -> None:
    events = Membership.join(organization_id=CY, user_id=ADA, role=Role.OWNER, joining=Joining.FOUNDED)
    assert events == [JOINED]


def test_a_membership_knows_whose_it_is_and_as_what() -> None:
    assert given(evolve, [JOINED]) == Membership(organization_id=CY, user_id=ADA, role=Role.OWNER)
