"""What a person typed is personal: each field of each event class is, or says here why it may stand in the clear."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from typing import Any, get_args, get_type_hints
from uuid import UUID

import pytest

from domain.events.catalogue import EVENT_BY_NAME
from domain.events.codec import personal_fields
from domain.store.envelope import CommandRecord

WORDS_OF_OURS = {
    "MemberJoined.role": "roles are chosen among three words; any other is refused",
    "MemberRoleChanged.before": "roles are chosen among three words; any other is refused",
    "MemberRoleChanged.role": "roles are chosen among three words; any other is refused",
    "InvitationSent.role": "roles are chosen among three words; any other is refused",
    "ApiKeyMade.scopes": "scopes are chosen among a few words; any other is refused",
}
HASHES = {
    "SignedUp.email_hash": "keyed",
    "InvitationSent.email_hash": "keyed",
    "InvitationSent.link_hash": "keyed",
    "PersonalOrganizationFounded.slug_hash": "keyed",
    "OrganizationFounded.slug_hash": "keyed",
    "SlugChanged.slug_hash": "keyed",
    "EmailChanged.email_hash": "keyed",
    "EmailRestored.email_hash": "keyed",
    "PasswordResetRequested.email_hash": "keyed",
    "PasswordResetRequested.link_hash": "keyed",
    "EmailVerificationRequested.email_hash": "keyed",
    "EmailVerificationRequested.link_hash": "keyed",
    "EmailChangeRequested.email_hash": "keyed",
    "EmailChangeRequested.link_hash": "keyed",
    "EmailChangeUndoOffered.email_hash": "keyed",
    "EmailChangeUndoOffered.link_hash": "keyed",
    "AccountDeletionRequested.email_hash": "keyed",
    "AccountDeletionRequested.link_hash": "keyed",
    "SignUpAttempted.email_hash": "keyed",
    "SessionStarted.token_hash": "of 190 random bits",
    "ApiKeyMade.key_hash": "of 381 random bits",
}
SAYS_NOTHING_TYPED = (UUID, datetime, int, bool)
"""Types no text fits into."""


def unsealed_fields() -> list[tuple[str, Any]]:
    found = []
    for kind in (*EVENT_BY_NAME.values(), CommandRecord):
        hints, sealed = get_type_hints(kind), personal_fields(kind)
        found += [(f"{kind.__name__}.{one.name}", hints[one.name]) for one in fields(kind) if one.name not in sealed]
    return found


def parts(hint: Any) -> list[type]:
    return [one for one in get_args(hint) or (hint,) if one is not type(None)]


@pytest.mark.parametrize(("field", "hint"), unsealed_fields(), ids=lambda one: one if isinstance(one, str) else "")
def test_a_field_in_the_clear_holds_nothing_that_was_typed(field: str, hint: Any) -> None:
    for kind in parts(hint):
        if kind in SAYS_NOTHING_TYPED or issubclass(kind, StrEnum):
            continue
        assert field in (HASHES if kind is bytes else WORDS_OF_OURS), f"{field} is {kind.__name__}, and not sealed"


def test_the_reasons_are_for_fields_there_are() -> None:
    assert {*WORDS_OF_OURS, *HASHES} <= {field for field, _ in unsealed_fields()}


@pytest.mark.parametrize(
    "field",
    [
        "SignedUp.name",
        "OrganizationFounded.name",
        "OrganizationFounded.metadata",
        "SlugChanged.before",
        "LogoChanged.logo",
    ],
)
def test_what_people_type_is_sealed(field: str) -> None:
    kind, _, name = field.partition(".")
    assert name in personal_fields(EVENT_BY_NAME[kind])
