"""organization_list: what an organization is called, and how it is found and seen."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.ids import new_id
from domain.organization import (
    LogoChanged,
    MetadataChanged,
    OrganizationClosed,
    OrganizationFounded,
    OrganizationRenamed,
    PersonalOrganizationGivenUp,
    SlugChanged,
)
from domain.refusals import SlugTaken
from domain.store import Addition, Store
from domain.store.conflicts import StreamMovedOn
from domain.user import SignedUp
from projections.lists.full_organization import full_organization
from projections.lists.organization_list import (
    OrganizationRow,
    organization,
    organization_by_slug,
    organizations_of,
)
from tests.databases import Database
from tests.domain.store.entries import by_ada, by_the_system, founded, joined
from tests.people import ADA, BO, NOON

FOUNDED = OrganizationFounded(
    name="Acme", slug="acme", slug_hash=b"#acme", logo="/a.png", metadata='{"a":1}', owner_id=ADA
)
WORKS = SlugChanged(before="acme", slug="works", slug_hash=b"#works")


def found(store: Store, event: OrganizationFounded = FOUNDED) -> UUID:
    organization_id = new_id()
    store.append(by_the_system(), None, Addition(organization_id, 0, [event], store.new_subject(organization_id)))
    return organization_id


def tell(store: Store, organization_id: UUID, *events: Any, version: int = 1) -> None:
    subject = store.subject(organization_id)
    store.append(by_the_system(), None, Addition(organization_id, version, list(events), subject))


def test_a_founded_one_is_listed_as_it_was_founded(store: Store) -> None:
    acme = found(store)
    assert organization(store.statements, acme) == OrganizationRow(acme, "Acme", "acme", "/a.png", '{"a":1}', NOON)
    assert organization_by_slug(store.statements, [b"#acme"]) == acme
    assert organization_by_slug(store.statements, [b"#Acme"]) is None
    assert organization(store.statements, new_id()) is None


@pytest.mark.parametrize(
    ("event", "changed"),
    [
        (OrganizationRenamed(name="Works"), {"name": "Works"}),
        (WORKS, {"slug": "works"}),
        (LogoChanged(logo=None), {"logo": None}),
        (LogoChanged(logo="/b.png"), {"logo": "/b.png"}),
        (MetadataChanged(metadata=None), {"metadata": None}),
        (MetadataChanged(metadata="{}"), {"metadata": "{}"}),
    ],
)
def test_what_is_changed_is_changed_and_nothing_else(store: Store, event: Any, changed: dict[str, Any]) -> None:
    acme = found(store)
    before = organization(store.statements, acme)
    assert before is not None
    tell(store, acme, event)
    assert organization(store.statements, acme) == before._replace(**changed)


def test_a_slug_is_one_organizations_until_it_is_changed_or_closed(store: Store) -> None:
    acme = found(store)
    with pytest.raises(SlugTaken):
        found(store)
    tell(store, acme, WORKS)
    assert organization_by_slug(store.statements, [b"#acme"]) is None
    second = found(store)
    assert organization_by_slug(store.statements, [b"#acme"]) == second
    with pytest.raises(SlugTaken):
        tell(store, second, WORKS)
    tell(store, acme, OrganizationClosed(), version=2)
    tell(store, second, WORKS)
    assert organization_by_slug(store.statements, [b"#works"]) == second


def test_a_closed_one_is_not_there(store: Store) -> None:
    acme = found(store)
    store.append(by_the_system(), None, Addition(new_id(), 0, [joined(acme, BO)]))
    assert [row.organization_id for row in organizations_of(store.statements, BO)] == [acme]
    tell(store, acme, OrganizationClosed())
    assert organization(store.statements, acme) is None
    assert organization_by_slug(store.statements, [b"#acme"]) is None
    assert organizations_of(store.statements, BO) == []
    assert full_organization(store.statements, acme, BO, most_members=None) is None


@pytest.mark.parametrize("end", [PersonalOrganizationGivenUp(user_id=ADA), OrganizationClosed()])
def test_a_person_has_one_personal_organization_at_a_time(store: Store, database: Database, end: Any) -> None:
    first, second = new_id(), new_id()
    store.append(by_the_system(), None, Addition(first, 0, [founded("first")], store.new_subject(first)))
    with pytest.raises(StreamMovedOn):
        store.append(by_the_system(), None, Addition(second, 0, [founded("second")], store.new_subject(second)))
    tell(store, first, end)
    store.append(by_the_system(), None, Addition(second, 0, [founded("second")], store.new_subject(second)))
    rows = database.rows("SELECT organization_id FROM organization_list WHERE personal_organization = %s", ADA)
    assert rows == [(second,)]


def test_in_full_it_is_seen_by_those_who_belong_to_it(store: Store) -> None:
    for user_id in (ADA, BO):
        subject = store.new_subject(user_id)
        signed_up = SignedUp(email=None, name=None, image=None, email_hash=user_id.bytes, password_version=1)
        store.append(by_ada(), subject, Addition(user_id, 0, [signed_up], subject))
    acme = found(store)
    assert full_organization(store.statements, acme, ADA, most_members=None) is None
    store.append(by_the_system(), None, Addition(new_id(), 0, [joined(acme, ADA)]))
    full = full_organization(store.statements, acme, ADA, most_members=None)
    assert full is not None
    assert (full.organization, full.role) == (organization(store.statements, acme), "member")
    assert ([row.user_id for row in full.members], full.invitations) == ([ADA], [])
    assert full_organization(store.statements, acme, BO, most_members=None) is None
    store.append(by_the_system(), None, Addition(new_id(), 0, [joined(acme, BO)]))
    some = full_organization(store.statements, acme, BO, most_members=1)
    assert some is not None
    assert [row.user_id for row in some.members] == [ADA]
