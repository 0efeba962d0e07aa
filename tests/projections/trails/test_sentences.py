"""What every event and every refusal is called in plain words, by whom and to whom it is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import pytest

from domain.events.catalogue import EVENT_BY_NAME, Event
from domain.membership import Joining, MemberJoined
from domain.organization import PersonalOrganizationFounded
from domain.roles import Role
from domain.session import EndReason, OrganizationChosen, SessionEnded, SessionRenewed, SessionStarted, Way
from domain.user import SignedUp
from projections.trails.sentences import Cast, refusal, sentence
from tests.people import ADA, BO, NOON

TO_ADA = Cast(actor="You", person="You", organization="Ada's Organization", device="Chrome 130 on macOS, Germany")
TO_OTHERS = replace(TO_ADA, actor="Ada", person="Ada")


class Told(NamedTuple):
    """An event of Ada's, as she is told it and as others are."""

    event: Event
    to_ada: str
    to_others: str


TOLD = {
    "SignedUp": Told(
        SignedUp(email="ada@example.com", name="Ada", image=None, email_hash=b"", password_version=1),
        "You opened your account.",
        "Ada opened an account.",
    ),
    "PersonalOrganizationFounded": Told(
        PersonalOrganizationFounded(name="Ada's Organization", slug="org-1", owner_id=ADA),
        "You founded Ada's Organization.",
        "Ada founded Ada's Organization.",
    ),
    "MemberJoined": Told(
        MemberJoined(organization_id=BO, user_id=ADA, role=Role.OWNER, joining=Joining.FOUNDED),
        "You became owner of Ada's Organization.",
        "Ada became owner of Ada's Organization.",
    ),
    "SessionStarted": Told(
        SessionStarted(user_id=ADA, token_hash=b"", way=Way.PASSWORD, epoch=0, expires_at=NOON + timedelta(days=7)),
        "You signed in with Chrome 130 on macOS, Germany.",
        "Ada signed in with Chrome 130 on macOS, Germany.",
    ),
    "SessionRenewed": Told(
        SessionRenewed(expires_at=NOON + timedelta(days=7)),
        "You kept using Chrome 130 on macOS, Germany: the session was extended.",
        "Ada kept using Chrome 130 on macOS, Germany: the session was extended.",
    ),
    "OrganizationChosen": Told(
        OrganizationChosen(organization_id=BO),
        "You turned to Ada's Organization on Chrome 130 on macOS, Germany.",
        "Ada turned to Ada's Organization on Chrome 130 on macOS, Germany.",
    ),
    "SessionEnded": Told(
        SessionEnded(reason=EndReason.SIGNED_OUT),
        "You signed out of Chrome 130 on macOS, Germany.",
        "Ada signed out of Chrome 130 on macOS, Germany.",
    ),
}


def test_every_event_there_is_has_its_expected_sentence() -> None:
    assert set(TOLD) == set(EVENT_BY_NAME)
    assert {name: type(told.event) for name, told in TOLD.items()} == dict(EVENT_BY_NAME)


@pytest.mark.parametrize("name", TOLD)
def test_a_person_is_told_what_they_did(name: str) -> None:
    assert sentence(TOLD[name].event, TO_ADA) == TOLD[name].to_ada


@pytest.mark.parametrize("name", TOLD)
def test_others_are_told_who_did_it(name: str) -> None:
    assert sentence(TOLD[name].event, TO_OTHERS) == TOLD[name].to_others


def test_nobodys_organization_is_turned_to() -> None:
    event = OrganizationChosen(organization_id=None)
    assert sentence(event, TO_ADA) == "You turned to no organization on Chrome 130 on macOS, Germany."


def test_a_session_somebody_else_ended_was_not_signed_out_of() -> None:
    event = SessionEnded(reason=EndReason.SIGNED_OUT)
    by_an_operator = {
        TO_ADA: "An operator ended your session on Chrome 130 on macOS, Germany.",
        TO_OTHERS: "An operator ended Ada's session on Chrome 130 on macOS, Germany.",
    }
    for cast, text in by_an_operator.items():
        assert sentence(event, replace(cast, actor="An operator")) == text


def test_renewals_that_are_told_as_one_are_counted() -> None:
    text = sentence(TOLD["SessionRenewed"].event, replace(TO_ADA, times=12))
    assert text == "You kept using Chrome 130 on macOS, Germany: the session was extended, 12 times."


@pytest.mark.parametrize(
    ("action", "code", "text"),
    [
        (
            "sign-in/email",
            "INVALID_EMAIL_OR_PASSWORD",
            "Somebody tried to sign in with a wrong password, from Firefox 132 on Linux, France.",
        ),
        (
            "sign-up/email",
            "TOO_MANY_REQUESTS",
            "Too many requests to open an account were refused, from Firefox 132 on Linux, France.",
        ),
        (
            "sign-out",
            "UNAUTHORIZED",
            "A request to sign out was refused, because its session was over, from Firefox 132 on Linux, France.",
        ),
        (
            "organization/invite-member",
            "MEMBER_NOT_FOUND",
            "A request to organization/invite-member was refused, from Firefox 132 on Linux, France.",
        ),
    ],
)
def test_a_refusal_says_what_was_tried_and_why_it_was_refused(action: str, code: str, text: str) -> None:
    assert refusal(action, code, place="Firefox 132 on Linux, France", times=1) == text


def test_refusals_that_are_told_as_one_are_counted_and_may_come_from_anywhere() -> None:
    text = refusal("sign-in/email", "INVALID_EMAIL_OR_PASSWORD", place="", times=7)
    assert text == "Somebody tried to sign in with a wrong password, 7 times."
