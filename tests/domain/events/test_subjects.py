"""Whose the keys of streams are, by their events."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.events.catalogue import EVENT_BY_NAME
from domain.events.codec import personal_fields
from domain.events.subjects import key_owner
from domain.invitation import InvitationAccepted, InvitationCanceled, InvitationSent
from domain.organization import OrganizationFounded, PersonalOrganizationFounded, PersonalOrganizationGivenUp
from domain.user import NameChanged, SignedUp
from tests.people import ADA, BO, NOON

ACME = UUID("01890000-0000-7000-8000-0000000000d4")
PERSONAL = PersonalOrganizationFounded(name=None, slug=None, slug_hash=b"", owner_id=ADA)
FOUNDED = OrganizationFounded(name=None, slug=None, slug_hash=b"", logo=None, metadata=None, owner_id=ADA)
SENT = InvitationSent(
    organization_id=ACME,
    email=None,
    email_hash=b"",
    role="member",
    inviter_id=ADA,
    link_hash=b"",
    expires_at=NOON,
    place=None,
)


@pytest.mark.parametrize(
    ("stream_id", "event", "person_id"),
    [
        (ADA, SignedUp(email=None, name=None, image=None, email_hash=b"", password_version=1), ADA),
        (ACME, PERSONAL, ADA),
        (ACME, PersonalOrganizationGivenUp(user_id=ADA), None),
        (ACME, FOUNDED, None),
        (ACME, SENT, None),
        (ACME, InvitationAccepted(user_id=BO, membership_id=ACME), BO),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_key_is_whose_the_events_say(stream_id: UUID, event: Any, person_id: UUID | None) -> None:
    owner = key_owner(stream_id, event)
    assert owner is not None
    assert owner.person_id == person_id


def test_other_events_leave_a_key_with_whom_it_is() -> None:
    assert key_owner(ADA, NameChanged(name="Ada")) is None
    assert key_owner(ACME, InvitationCanceled()) is None


def test_every_stream_that_begins_with_something_personal_has_an_owner_of_its_key() -> None:
    begins = {"SignedUp", "PersonalOrganizationFounded", "OrganizationFounded", "InvitationSent"}
    assert {name for name in begins if personal_fields(EVENT_BY_NAME[name])} == begins
