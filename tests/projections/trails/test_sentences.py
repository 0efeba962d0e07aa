"""What every event and every refusal is called in plain words, by whom and to whom it is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import pytest

from domain.api_key import KeyEnd
from domain.events.catalogue import EVENT_BY_NAME, Event
from domain.mailed_link import (
    AccountDeletionRequested,
    EmailChangeRequested,
    EmailChangeUndoLapsed,
    EmailChangeUndoOffered,
    EmailVerificationRequested,
    MailedLinkUsed,
    MailedLinkWithdrawn,
    PasswordResetRequested,
    SignUpAttempted,
)
from domain.session import (
    EndReason,
    OrganizationChosen,
    SessionEnded,
    SessionKept,
    SessionMoved,
    SessionReauthenticated,
    SessionRenewed,
    SessionStarted,
    Way,
)
from domain.user import (
    AccountUnlocked,
    ApiKeysRevoked,
    EmailChanged,
    EmailContested,
    EmailRestored,
    EmailVerified,
    ImageChanged,
    LanguageChosen,
    NameChanged,
    PasswordChanged,
    PasswordReset,
    PersonErased,
    Revocation,
    SessionsRevoked,
    SignedUp,
)
from projections.trails.names import Names
from projections.trails.sentences import refusal, sentence
from tests.people import ADA, BO, NOON
from tests.projections.trails.test_key_sentences import TOLD as TOLD_OF_KEYS
from tests.projections.trails.test_organization_sentences import TOLD as TOLD_OF_ORGANIZATIONS

TO_ADA = Names(
    actor="You",
    person="You",
    same=True,
    organization="Ada's Organization",
    device="Chrome 130 on macOS, Germany",
    before="“Ada”",
    address_before="“ada@example.com”",
)
TO_OTHERS = replace(TO_ADA, actor="Ada", person="Ada")


class Sentences(NamedTuple):
    """An event of Ada's, as she is told it and as others are."""

    event: Event
    to_ada: str
    to_others: str


TOLD = {
    "SignedUp": Sentences(
        SignedUp(email="ada@example.com", name="Ada", image=None, email_hash=b"", password_version=1),
        "You opened your account.",
        "Ada opened an account.",
    ),
    "SessionStarted": Sentences(
        SessionStarted(user_id=ADA, token_hash=b"", way=Way.PASSWORD, epoch=0, expires_at=NOON + timedelta(days=7)),
        "You signed in with Chrome 130 on macOS, Germany.",
        "Ada signed in with Chrome 130 on macOS, Germany.",
    ),
    "SessionRenewed": Sentences(
        SessionRenewed(expires_at=NOON + timedelta(days=7)),
        "You kept using Chrome 130 on macOS, Germany: the session was extended.",
        "Ada kept using Chrome 130 on macOS, Germany: the session was extended.",
    ),
    "OrganizationChosen": Sentences(
        OrganizationChosen(organization_id=BO),
        "You turned to Ada's Organization on Chrome 130 on macOS, Germany.",
        "Ada turned to Ada's Organization on Chrome 130 on macOS, Germany.",
    ),
    "SessionReauthenticated": Sentences(
        SessionReauthenticated(way=Way.PASSWORD),
        "You confirmed your password on Chrome 130 on macOS, Germany.",
        "Ada confirmed their password on Chrome 130 on macOS, Germany.",
    ),
    "SessionMoved": Sentences(
        SessionMoved(),
        "Your session was used from another address or browser: Chrome 130 on macOS, Germany.",
        "Ada's session was used from another address or browser: Chrome 130 on macOS, Germany.",
    ),
    "SessionKept": Sentences(
        SessionKept(epoch=1),
        "You stayed signed in on Chrome 130 on macOS, Germany.",
        "Ada stayed signed in on Chrome 130 on macOS, Germany.",
    ),
    "NameChanged": Sentences(
        NameChanged(name="Ada King"),
        "You changed your name from “Ada” to “Ada King”.",
        "Ada changed their name from “Ada” to “Ada King”.",
    ),
    "ImageChanged": Sentences(
        ImageChanged(image="https://x.io/a.png"), "You changed your picture.", "Ada changed their picture."
    ),
    "LanguageChosen": Sentences(
        LanguageChosen(language="de"), "You chose another language.", "Ada chose another language."
    ),
    "PasswordChanged": Sentences(
        PasswordChanged(password_version=2), "You changed your password.", "Ada changed their password."
    ),
    "PasswordReset": Sentences(
        PasswordReset(password_version=2),
        "You set a new password by a link that was sent to your address.",
        "Ada set a new password by a link that was sent to their address.",
    ),
    "EmailVerified": Sentences(EmailVerified(), "You verified your address.", "Ada verified their address."),
    "EmailChanged": Sentences(
        EmailChanged(email="ada@example.org", email_hash=b""),
        "You changed your address from “ada@example.com” to “ada@example.org”.",
        "Ada changed their address from “ada@example.com” to “ada@example.org”.",
    ),
    "EmailContested": Sentences(
        EmailContested(),
        "You tried to open an account with your address, which was not verified. From then on only a new password"
        " verifies it, set by a link that goes there.",
        "Ada tried to open an account with their address, which was not verified. From then on only a new password"
        " verifies it, set by a link that goes there.",
    ),
    "EmailRestored": Sentences(
        EmailRestored(email="ada@example.com", email_hash=b""),
        "You undid a change of your address: it is “ada@example.com” again.",
        "Ada undid a change of their address: it is “ada@example.com” again.",
    ),
    "PasswordResetRequested": Sentences(
        PasswordResetRequested(
            user_id=ADA, email_hash=b"", password_version=1, link_hash=b"", expires_at=NOON, callback_url=""
        ),
        "You asked for a link to set a new password of your account.",
        "Ada asked for a link to set a new password of their account.",
    ),
    "EmailVerificationRequested": Sentences(
        EmailVerificationRequested(user_id=ADA, email_hash=b"", link_hash=b"", expires_at=NOON, callback_url=""),
        "You asked for a link to verify your address.",
        "Ada asked for a link to verify their address.",
    ),
    "EmailChangeRequested": Sentences(
        EmailChangeRequested(
            user_id=ADA,
            email="ada@example.org",
            email_hash=b"",
            session_epoch=0,
            link_hash=b"",
            expires_at=NOON,
            callback_url="",
        ),
        "You asked to change your address to “ada@example.org”.",
        "Ada asked to change their address to “ada@example.org”.",
    ),
    "EmailChangeUndoOffered": Sentences(
        EmailChangeUndoOffered(user_id=ADA, email="ada@example.com", email_hash=b"", link_hash=b"", expires_at=NOON),
        "A link to undo the change was sent to your address of before.",
        "A link to undo the change was sent to their address of before.",
    ),
    "AccountDeletionRequested": Sentences(
        AccountDeletionRequested(
            user_id=ADA, email_hash=b"", session_epoch=0, link_hash=b"", expires_at=NOON, callback_url=""
        ),
        "You asked for a link to delete your account.",
        "Ada asked for a link to delete their account.",
    ),
    "EmailChangeUndoLapsed": Sentences(
        EmailChangeUndoLapsed(),
        "Your address of before was told that the account was deleted.",
        "Their address of before was told that the account was deleted.",
    ),
    "SignUpAttempted": Sentences(
        SignUpAttempted(user_id=ADA, email_hash=b""),
        "You tried to open an account with your address.",
        "Ada tried to open an account with their address.",
    ),
    "MailedLinkUsed": Sentences(
        MailedLinkUsed(), "A link that was sent by mail was used.", "A link that was sent by mail was used."
    ),
    "MailedLinkWithdrawn": Sentences(
        MailedLinkWithdrawn(),
        "A link that was sent by mail was withdrawn.",
        "A link that was sent by mail was withdrawn.",
    ),
    "SessionsRevoked everywhere": Sentences(
        SessionsRevoked(epoch=1, reason=Revocation.EVERYWHERE),
        "You signed out everywhere.",
        "Ada signed out everywhere.",
    ),
    "SessionsRevoked others": Sentences(
        SessionsRevoked(epoch=1, reason=Revocation.OTHERS),
        "You ended all of your other sessions.",
        "Ada ended all of their other sessions.",
    ),
    "SessionsRevoked password_changed": Sentences(
        SessionsRevoked(epoch=1, reason=Revocation.PASSWORD_CHANGED),
        "All sessions that began with the old password were ended.",
        "All sessions that began with the old password were ended.",
    ),
    "SessionsRevoked password_reset": Sentences(
        SessionsRevoked(epoch=1, reason=Revocation.PASSWORD_RESET),
        "All sessions that began with the old password were ended.",
        "All sessions that began with the old password were ended.",
    ),
    "ApiKeysRevoked": Sentences(
        ApiKeysRevoked(epoch=1), "You ended all of your API keys.", "Ada ended all of their API keys."
    ),
    "AccountUnlocked": Sentences(
        AccountUnlocked(),
        "You unlocked your account: the wrong passwords so far count no more.",
        "Ada unlocked their account: the wrong passwords so far count no more.",
    ),
    "PersonErased": Sentences(
        PersonErased(epoch=1),
        "You deleted your account.",
        "Ada deleted their account.",
    ),
    "SessionEnded signed_out": Sentences(
        SessionEnded(reason=EndReason.SIGNED_OUT),
        "You signed out of Chrome 130 on macOS, Germany.",
        "Ada signed out of Chrome 130 on macOS, Germany.",
    ),
    "SessionEnded revoked": Sentences(
        SessionEnded(reason=EndReason.REVOKED),
        "You ended your session on Chrome 130 on macOS, Germany.",
        "Ada ended their session on Chrome 130 on macOS, Germany.",
    ),
    "SessionEnded replaced": Sentences(
        SessionEnded(reason=EndReason.REPLACED),
        "Your session on Chrome 130 on macOS, Germany was replaced by a new one.",
        "Ada's session on Chrome 130 on macOS, Germany was replaced by a new one.",
    ),
    "SessionEnded expired": Sentences(
        SessionEnded(reason=EndReason.EXPIRED),
        "Your session on Chrome 130 on macOS, Germany expired.",
        "Ada's session on Chrome 130 on macOS, Germany expired.",
    ),
    "SessionEnded crowded_out": Sentences(
        SessionEnded(reason=EndReason.CROWDED_OUT),
        "Your session on Chrome 130 on macOS, Germany was ended to make room for a newer one.",
        "Ada's session on Chrome 130 on macOS, Germany was ended to make room for a newer one.",
    ),
}
WITH_REASONS = {"ApiKeyEnded": KeyEnd, "SessionEnded": EndReason, "SessionsRevoked": Revocation}


def test_every_event_there_is_has_its_expected_sentence_for_every_reason() -> None:
    reasons = {name: [f"{name} {reason}" for reason in WITH_REASONS.get(name, [])] or [name] for name in EVENT_BY_NAME}
    assert {*TOLD, *TOLD_OF_ORGANIZATIONS, *TOLD_OF_KEYS} == {one for expected in reasons.values() for one in expected}
    events = {name: type(told.event) for name, told in TOLD.items()}
    for others in (TOLD_OF_ORGANIZATIONS, TOLD_OF_KEYS):
        events |= {name: type(event) for name, (event, *_) in others.items()}
    assert events == {one: EVENT_BY_NAME[name] for name, expected in reasons.items() for one in expected}
    for name, told in TOLD.items():
        assert getattr(told.event, "reason", "") == name.partition(" ")[2]


@pytest.mark.parametrize("name", TOLD)
def test_a_person_is_told_what_they_did(name: str) -> None:
    assert sentence(TOLD[name].event, TO_ADA) == TOLD[name].to_ada


@pytest.mark.parametrize("name", TOLD)
def test_others_are_told_who_did_it(name: str) -> None:
    assert sentence(TOLD[name].event, TO_OTHERS) == TOLD[name].to_others


def test_of_a_deletion_that_who_had_the_account_first_is_asked_about_it_is_said_where_that_went() -> None:
    to_ada = AccountDeletionRequested(
        user_id=ADA, email_hash=b"", session_epoch=0, link_hash=b"", expires_at=NOON, callback_url="", offer_id=BO
    )
    assert sentence(to_ada, TO_ADA) == (
        "You asked for a link to delete your account. It went to your address of before, since the change can still be"
        " undone."
    )


def test_nobodys_organization_is_turned_to() -> None:
    event = OrganizationChosen(organization_id=None)
    assert sentence(event, TO_ADA) == "You turned to no organization on Chrome 130 on macOS, Germany."


@pytest.mark.parametrize("reason", [EndReason.SIGNED_OUT, EndReason.REVOKED])
def test_a_session_somebody_else_ended_was_not_signed_out_of(reason: EndReason) -> None:
    event = SessionEnded(reason=reason)
    by_an_operator = {
        TO_ADA: "An operator ended your session on Chrome 130 on macOS, Germany.",
        TO_OTHERS: "An operator ended Ada's session on Chrome 130 on macOS, Germany.",
    }
    for cast, text in by_an_operator.items():
        assert sentence(event, replace(cast, actor="An operator", same=False)) == text


@pytest.mark.parametrize(
    ("event", "did"),
    [
        (NameChanged(name="Ada King"), "changed {} name from “Ada” to “Ada King”"),
        (ImageChanged(image=None), "changed {} picture"),
        (PasswordChanged(password_version=2), "changed {} password"),
        (SessionsRevoked(epoch=1, reason=Revocation.EVERYWHERE), "ended all of {} sessions"),
        (AccountUnlocked(), "unlocked {} account: the wrong passwords so far count no more"),
    ],
)
def test_what_one_does_to_another_is_not_said_to_be_their_own(event: Event, did: str) -> None:
    for actor, person, whose in (("Bo", "You", "your"), ("You", "Ada", "Ada's"), ("An operator", "Ada", "Ada's")):
        assert (
            sentence(event, replace(TO_ADA, actor=actor, person=person, same=False)) == f"{actor} {did.format(whose)}."
        )


def test_a_name_stays_as_it_is_written_where_a_sentence_begins() -> None:
    for name in ("Ada King", "ada@example.com", "de la Cruz"):
        text = sentence(SessionEnded(reason=EndReason.EXPIRED), replace(TO_OTHERS, person=name, device="Firefox"))
        assert text == f"{name}'s session on Firefox expired."


@pytest.mark.parametrize(
    ("action", "code", "text"),
    [
        (
            "sign_in",
            "INVALID_EMAIL_OR_PASSWORD",
            "Somebody tried to sign in with a wrong password, from Firefox 132 on Linux, France.",
        ),
        (
            "sign_up",
            "TOO_MANY_REQUESTS",
            "Too many requests to open an account were refused, from Firefox 132 on Linux, France.",
        ),
        (
            "sign_out",
            "UNAUTHORIZED",
            "A request to sign out was refused, because its session was over, from Firefox 132 on Linux, France.",
        ),
        (
            "change_password",
            "INVALID_PASSWORD",
            "Somebody tried to change the password, but entered a wrong password, from Firefox 132 on Linux, France.",
        ),
        (
            "reauthenticate",
            "INVALID_PASSWORD",
            "Somebody tried to confirm the password, but entered a wrong password, from Firefox 132 on Linux, France.",
        ),
        (
            "update_user",
            "SESSION_NOT_FRESH",
            "A request to change the name or picture was refused, from Firefox 132 on Linux, France:"
            " the password had to be confirmed first.",
        ),
        (
            "revoke_session",
            "UNAUTHORIZED",
            "A request to sign a device out was refused, because its session was over,"
            " from Firefox 132 on Linux, France.",
        ),
        (
            "revoke_sessions",
            "INVALID_ORIGIN",
            "A request to sign all devices out was refused, from Firefox 132 on Linux, France.",
        ),
        (
            "revoke_other_sessions",
            "TOO_MANY_REQUESTS",
            "Too many requests to sign all other devices out were refused, from Firefox 132 on Linux, France.",
        ),
        (
            "invite",
            "MEMBER_NOT_FOUND",
            "A request to invite somebody was refused, from Firefox 132 on Linux, France.",
        ),
    ],
)
def test_a_refusal_says_what_was_tried_and_why_it_was_refused(action: str, code: str, text: str) -> None:
    assert refusal(action, code, place="Firefox 132 on Linux, France", times=1) == text


def test_refusals_that_are_told_as_one_are_counted_and_may_come_from_anywhere() -> None:
    text = refusal("sign_in", "INVALID_EMAIL_OR_PASSWORD", place="", times=7)
    assert text == "Somebody tried to sign in with a wrong password, 7 times."
    assert refusal("change_password", "SESSION_NOT_FRESH", place="", times=2) == (
        "A request to change the password was refused, 2 times: the password had to be confirmed first."
    )
