"""Invitation: sent, resent, and then accepted, rejected, canceled, or over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.invitation import (
    Invitation,
    InvitationAccepted,
    InvitationCanceled,
    InvitationEvent,
    InvitationExpired,
    InvitationRejected,
    InvitationResent,
    InvitationSent,
    RecipientErased,
    TakenBack,
    evolve,
)
from domain.refusals import InvitationNotFound, NotTheRecipient
from domain.roles import Role
from tests.domain.stories import given, refuses
from tests.people import ADA, BO, CY, NOON

ACME = UUID("01890000-0000-7000-8000-0000000000d4")
MEMBERSHIP = UUID("01890000-0000-7000-8000-0000000000e5")
ONE_MS = timedelta(milliseconds=1)
A_WEEK_LATER = datetime(2026, 3, 21, 12, 0, 0, tzinfo=UTC)
SENT = InvitationSent(
    organization_id=ACME,
    email="bo@example.com",
    email_hash=b"bo",
    role="admin",
    inviter_id=ADA,
    link_hash=b"link",
    expires_at=A_WEEK_LATER,
    place=None,
)
ACCEPTED = InvitationAccepted(user_id=BO, membership_id=MEMBERSHIP)
ENDED: list[InvitationEvent] = [ACCEPTED, InvitationRejected(user_id=BO), InvitationCanceled(), InvitationExpired()]


def invitation(*events: InvitationEvent) -> Invitation:
    return given(evolve, [SENT, *events])


def accepted(one: Invitation, *, email_hash: bytes = b"bo", now: datetime = NOON) -> list[InvitationEvent]:
    return one.accept(user_id=BO, membership_id=MEMBERSHIP, email_hash=email_hash, now=now)


def test_an_invitation_is_sent_to_an_address_with_a_role() -> None:
    sent = Invitation.send(
        organization_id=ACME,
        email="bo@example.com",
        email_hash=b"bo",
        roles=(Role.ADMIN,),
        inviter_id=ADA,
        link_hash=b"link",
        expires_at=A_WEEK_LATER,
        place=None,
        recipient_id=None,
    )
    assert sent == [SENT]


def test_an_invitation_knows_its_place_and_whose_account_has_the_address() -> None:
    sent = Invitation.send(
        organization_id=ACME,
        email="bo@example.com",
        email_hash=b"bo",
        roles=(Role.ADMIN, Role.MEMBER),
        inviter_id=ADA,
        link_hash=b"link",
        expires_at=A_WEEK_LATER,
        place=3,
        recipient_id=BO,
    )
    assert sent == [replace(SENT, role="admin,member", place=3, recipient_id=BO)]
    assert given(evolve, sent).roles == (Role.ADMIN, Role.MEMBER)


def test_what_became_of_an_invitation_is_stored_and_shown_in_these_words() -> None:
    assert [invitation(*then).status.value for then in ([], *([end] for end in ENDED))] == [
        "pending", "accepted", "rejected", "canceled", "expired",
    ]  # fmt: skip


def test_whoever_has_the_address_accepts_up_to_the_last_moment() -> None:
    assert accepted(invitation()) == [ACCEPTED]
    assert accepted(invitation(), now=A_WEEK_LATER - ONE_MS) == [ACCEPTED]
    with refuses(InvitationNotFound):
        accepted(invitation(), now=A_WEEK_LATER)


def test_nobody_else_accepts_or_rejects() -> None:
    with refuses(NotTheRecipient):
        accepted(invitation(), email_hash=b"cy")
    with refuses(NotTheRecipient):
        invitation().reject(user_id=CY, email_hash=b"cy")


def test_that_it_is_over_is_said_before_that_it_is_somebody_else_s() -> None:
    with refuses(InvitationNotFound):
        accepted(invitation(), email_hash=b"cy", now=A_WEEK_LATER)


@pytest.mark.parametrize("end", ENDED, ids=lambda end: type(end).__name__)
def test_an_ended_invitation_cannot_be_accepted(end: InvitationEvent) -> None:
    with refuses(InvitationNotFound):
        accepted(invitation(end))


def test_resent_it_starts_anew_and_whoever_resent_it_stands_for_it() -> None:
    later = A_WEEK_LATER + timedelta(days=3)
    assert invitation().resend(inviter_id=CY, expires_at=later) == [InvitationResent(inviter_id=CY, expires_at=later)]
    resent = invitation(InvitationResent(inviter_id=CY, expires_at=later))
    assert resent.inviter_id == CY
    assert accepted(resent, now=A_WEEK_LATER) == [ACCEPTED]


def test_it_is_rejected_while_pending_and_once_it_ran_out_but_not_after_another_end() -> None:
    rejected = [InvitationRejected(user_id=BO)]
    assert invitation().reject(user_id=BO, email_hash=b"bo") == rejected
    assert invitation(InvitationExpired()).reject(user_id=BO, email_hash=b"bo") == rejected
    for end in (ACCEPTED, InvitationRejected(user_id=BO), InvitationCanceled()):
        with refuses(InvitationNotFound):
            invitation(end).reject(user_id=BO, email_hash=b"bo")


def test_who_had_the_address_is_erased_and_what_was_still_open_ends_with_them() -> None:
    gone, rejected = RecipientErased(user_id=BO), InvitationRejected(user_id=BO)
    assert invitation().erase_recipient(BO) == [rejected, gone]
    assert invitation(InvitationExpired()).erase_recipient(BO) == [rejected, gone]
    assert invitation(InvitationCanceled()).erase_recipient(BO) == [gone]
    assert invitation(rejected, gone) == invitation(rejected)


def test_it_is_canceled_while_pending_and_once_it_ran_out_and_again_in_vain_but_not_after_another_end() -> None:
    assert invitation().cancel() == [InvitationCanceled()]
    assert invitation().cancel(TakenBack.CHANGE_UNDONE) == [InvitationCanceled(because=TakenBack.CHANGE_UNDONE)]
    assert invitation(InvitationExpired()).cancel() == [InvitationCanceled()]
    assert invitation(InvitationCanceled()).cancel() == []
    for end in (ACCEPTED, InvitationRejected(user_id=BO)):
        with refuses(InvitationNotFound):
            invitation(end).cancel()


def test_that_it_ran_out_is_noted_once() -> None:
    assert invitation().expire(now=A_WEEK_LATER - ONE_MS) == []
    assert invitation().expire(now=A_WEEK_LATER) == [InvitationExpired()]
    for end in ENDED:
        assert invitation(end).expire(now=A_WEEK_LATER) == []


def test_why_it_was_taken_back_is_stored_in_these_words() -> None:
    assert [str(one) for one in TakenBack] == ["change_undone", "address_proved"]
