"""Whose the keys of streams are, by their events."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.events.catalogue import EVENT_BY_NAME, Event
from domain.events.codec import Encoded, decode, personal_fields
from domain.events.subjects import key_owner
from domain.invitation import InvitationAccepted, InvitationSent, RecipientErased
from domain.organization import (
    OrganizationErased,
    OrganizationFounded,
    PersonalOrganizationFounded,
    PersonalOrganizationGivenUp,
)
from domain.user import SignedUp
from tests.people import ADA, BO, NOON

SAMPLES = Path(__file__).parents[2] / "history" / "samples"

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


SAYING: list[tuple[UUID, Event, UUID | None]] = [
    (ADA, SignedUp(email=None, name=None, image=None, email_hash=b"", password_version=1), ADA),
    (ACME, PERSONAL, ADA),
    (ACME, PersonalOrganizationGivenUp(user_id=ADA), None),
    (ACME, FOUNDED, None),
    (ACME, SENT, None),
    (ACME, InvitationAccepted(user_id=BO, membership_id=ACME), BO),
    (ACME, RecipientErased(user_id=BO), BO),
    (ACME, OrganizationErased(user_id=ADA), ADA),
]


@pytest.mark.parametrize(("stream_id", "event", "person_id"), SAYING, ids=lambda one: type(one).__name__)
def test_a_key_is_whose_the_events_say(stream_id: UUID, event: Event, person_id: UUID | None) -> None:
    owner = key_owner(stream_id, event)
    assert owner is not None
    assert owner.person_id == person_id


def test_all_other_events_there_are_leave_a_key_with_whom_it_is() -> None:
    quiet = set(EVENT_BY_NAME) - {type(event).__name__ for _, event, _ in SAYING}
    stored = {event for file in SAMPLES.glob("*.json") if (event := _stored(file)) is not None}
    assert {type(event).__name__ for event in stored} >= quiet
    for event in stored:
        if type(event).__name__ in quiet:
            assert key_owner(ACME, event) is None


def _stored(file: Path) -> Any | None:
    """A sample as a reader without keys sees it; None of a command."""
    sample = json.loads(file.read_text())
    if sample["name"] not in EVENT_BY_NAME:
        return None
    sealed = b64decode(sample["sealed"]) if sample["sealed"] else None
    return decode(sample["name"], Encoded(sample["body"].encode(), sealed), key=None, associated_data=b"")


def test_every_stream_that_begins_with_something_personal_has_an_owner_of_its_key() -> None:
    begins = {"SignedUp", "PersonalOrganizationFounded", "OrganizationFounded", "InvitationSent"}
    assert {name for name in begins if personal_fields(EVENT_BY_NAME[name])} == begins
