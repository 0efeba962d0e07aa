"""member_list and organization_list: where a person starts, and what they belong to."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain.ids import new_id
from domain.membership import Joining, MemberJoined
from domain.organization import PersonalOrganizationFounded
from domain.roles import Role
from domain.session import OrganizationChosen
from domain.store import Addition, Store
from projections.lists.member_list import MemberLookups
from projections.lists.organization_list import organizations_of
from tests.databases import Database
from tests.domain.store.entries import by_ada, started
from tests.people import ADA, BO, CY, NOON


@pytest.fixture
def joined(store: Store) -> list[UUID]:
    """Three organizations Ada belongs to, one after the other; each was founded by somebody else."""
    organizations = []
    owner = store.new_subject(ADA)
    for number, founder in enumerate((ADA, BO, CY)):
        organization_id, later = new_id(), NOON + timedelta(hours=number)
        slug = f"number-{number}"
        founded = PersonalOrganizationFounded(
            name=f"Number {number}", slug=slug, slug_hash=slug.encode(), owner_id=founder
        )
        member = MemberJoined(organization_id=organization_id, user_id=ADA, role=Role.MEMBER, joining=Joining.FOUNDED)
        store.append(
            by_ada(at=later),
            owner,
            Addition(organization_id, 0, [founded], store.new_subject(organization_id)),
            Addition(new_id(), 0, [member]),
        )
        organizations.append(organization_id)
        owner = store.subject(ADA)
    return organizations


def choose(store: Store, organization_id: UUID, *, hours: int) -> None:
    events = [started(), OrganizationChosen(organization_id=organization_id)]
    store.append(by_ada(at=NOON + timedelta(hours=hours)), store.subject(ADA), Addition(new_id(), 0, events))


def test_who_chose_nothing_starts_in_the_one_joined_first(store: Store, joined: list[UUID]) -> None:
    assert MemberLookups(store.statements).organization_to_start_in(ADA) == joined[0]


def test_who_chose_starts_in_the_one_chosen_last(store: Store, joined: list[UUID]) -> None:
    choose(store, joined[2], hours=5)
    choose(store, joined[1], hours=6)
    assert MemberLookups(store.statements).organization_to_start_in(ADA) == joined[1]


def test_a_choice_one_no_longer_belongs_to_does_not_count(store: Store, database: Database, joined: list[UUID]) -> None:
    choose(store, joined[2], hours=5)
    database.rows("UPDATE member_list SET live_user_id = NULL WHERE organization_id = %s", joined[2])
    assert MemberLookups(store.statements).organization_to_start_in(ADA) == joined[0]


def test_a_closed_organization_is_none_to_start_in(store: Store, database: Database, joined: list[UUID]) -> None:
    database.rows("UPDATE organization_list SET ended_at = now() WHERE organization_id <> %s", joined[1])
    choose(store, joined[2], hours=5)
    assert MemberLookups(store.statements).organization_to_start_in(ADA) == joined[1]


def test_who_belongs_to_none_starts_nowhere(store: Store, joined: list[UUID]) -> None:
    assert MemberLookups(store.statements).organization_to_start_in(BO) is None


def test_organizations_are_listed_in_the_order_in_which_one_joined(
    store: Store, database: Database, joined: list[UUID]
) -> None:
    assert [row.name for row in organizations_of(store.statements, ADA)] == ["Number 0", "Number 1", "Number 2"]
    database.rows("UPDATE organization_list SET ended_at = now() WHERE organization_id = %s", joined[1])
    database.rows("UPDATE member_list SET live_user_id = NULL WHERE organization_id = %s", joined[0])
    assert [row.organization_id for row in organizations_of(store.statements, ADA)] == [joined[2]]
    assert organizations_of(store.statements, BO) == []
