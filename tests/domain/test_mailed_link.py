"""A link that went out by mail: used once, in time, and newest only."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.mailed_link import (
    DELETION_LIFETIME,
    UNDO_LIFETIME,
    VERIFICATION_LIFETIME,
    AccountDeletionRequested,
    EmailChangeRequested,
    EmailChangeUndoLapsed,
    EmailChangeUndoOffered,
    EmailVerificationRequested,
    MailedLink,
    MailedLinkEvent,
    MailedLinkUsed,
    MailedLinkWithdrawn,
    PasswordResetRequested,
    Purpose,
    SignUpAttempted,
    evolve,
)
from domain.refusals import LinkExpired, LinkNotFound
from tests.people import ADA, NOON

AN_HOUR = timedelta(hours=1)
RESET = PasswordResetRequested(
    user_id=ADA, email_hash=b"#a", password_version=3, link_hash=b"#l", expires_at=NOON + AN_HOUR, callback_url="/new"
)
VERIFICATION = EmailVerificationRequested(
    user_id=ADA, email_hash=b"#a", link_hash=b"#l", expires_at=NOON + AN_HOUR, callback_url="/in"
)
CHANGE = EmailChangeRequested(
    user_id=ADA,
    email="ada@example.org",
    email_hash=b"#b",
    session_epoch=5,
    link_hash=b"#l",
    expires_at=NOON + AN_HOUR,
    callback_url="",
)
UNDO = EmailChangeUndoOffered(
    user_id=ADA, email="ada@example.com", email_hash=b"#a", link_hash=b"#l", expires_at=NOON + AN_HOUR
)
DELETION = AccountDeletionRequested(
    user_id=ADA, email_hash=b"#a", session_epoch=5, link_hash=b"#l", expires_at=NOON + AN_HOUR, callback_url="/bye"
)
ATTEMPT = SignUpAttempted(user_id=ADA, email_hash=b"#a")
LINK = MailedLink(user_id=ADA, purpose=Purpose.PASSWORD_RESET, email_hash=b"#a", expires_at=NOON + AN_HOUR)


@pytest.mark.parametrize(
    ("event", "link"),
    [
        (RESET, replace(LINK, password_version=3)),
        (VERIFICATION, replace(LINK, purpose=Purpose.EMAIL_VERIFICATION)),
        (CHANGE, replace(LINK, purpose=Purpose.EMAIL_CHANGE, email_hash=b"#b", session_epoch=5)),
        (UNDO, replace(LINK, purpose=Purpose.EMAIL_CHANGE_UNDO)),
        (DELETION, replace(LINK, purpose=Purpose.ACCOUNT_DELETION, session_epoch=5)),
        (ATTEMPT, replace(LINK, purpose=Purpose.SIGN_UP_NOTICE, expires_at=None)),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_link_is_for_what_was_asked_whatever_was_there_before(event: MailedLinkEvent, link: MailedLink) -> None:
    assert evolve(None, event) == link
    assert evolve(replace(LINK, ended=True, password_version=9, session_epoch=9), event) == link


@pytest.mark.parametrize("event", [MailedLinkUsed(), MailedLinkWithdrawn(), EmailChangeUndoLapsed()])
def test_a_link_that_was_used_or_withdrawn_or_lapsed_is_over(event: MailedLinkEvent) -> None:
    assert evolve(LINK, event) == replace(LINK, ended=True)


def test_a_link_is_used_until_the_instant_it_runs_out() -> None:
    assert LINK.use(now=NOON + AN_HOUR - timedelta(milliseconds=1)) == [MailedLinkUsed()]
    with pytest.raises(LinkExpired):
        LINK.use(now=NOON + AN_HOUR)


def test_a_link_is_used_once() -> None:
    with pytest.raises(LinkNotFound):
        replace(LINK, ended=True).use(now=NOON)


def test_of_one_that_was_used_nobody_hears_that_it_ran_out() -> None:
    with pytest.raises(LinkNotFound):
        replace(LINK, ended=True).use(now=NOON + AN_HOUR)


def test_a_notice_has_no_link() -> None:
    with pytest.raises(LinkNotFound):
        replace(LINK, expires_at=None).use(now=NOON)


def test_a_link_is_withdrawn_once() -> None:
    assert LINK.withdraw() == [MailedLinkWithdrawn()]
    assert replace(LINK, ended=True).withdraw() == []


def test_an_offer_to_undo_lapses_with_its_account() -> None:
    assert replace(LINK, purpose=Purpose.EMAIL_CHANGE_UNDO).lapse() == [EmailChangeUndoLapsed()]


def test_what_links_are_for_is_stored_in_these_words() -> None:
    assert [purpose.value for purpose in Purpose] == [
        "password_reset",
        "email_verification",
        "email_change",
        "email_change_undo",
        "account_deletion",
        "sign_up_notice",
    ]


def test_a_link_to_verify_is_good_for_an_hour_to_delete_for_a_day_and_to_undo_for_three() -> None:
    hours = [timedelta(hours=one) for one in (1, 24, 72)]
    assert hours == [VERIFICATION_LIFETIME, DELETION_LIFETIME, UNDO_LIFETIME]
