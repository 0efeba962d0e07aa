"""Session: started, renewed, ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.refusals import SessionOver
from domain.session import (
    EndReason,
    Lifetimes,
    OrganizationChosen,
    Session,
    SessionEnded,
    SessionRenewed,
    SessionStarted,
    Way,
    evolve,
)
from tests.domain.stories import given, refuses
from tests.people import ADA, BO, NOON

LIFETIMES = Lifetimes()
ONE_MS = timedelta(milliseconds=1)
A_WEEK_LATER = datetime(2026, 3, 21, 12, 0, 0, tzinfo=UTC)
STARTED = SessionStarted(user_id=ADA, token_hash=b"h" * 32, way=Way.PASSWORD, epoch=0, expires_at=A_WEEK_LATER)
ENDED = SessionEnded(reason=EndReason.SIGNED_OUT)


def test_a_device_that_signs_in_turns_to_an_organization() -> None:
    events = Session.start(
        user_id=ADA,
        token_hash=b"h" * 32,
        way=Way.PASSWORD,
        epoch=0,
        lifetime=LIFETIMES.full,
        organization_id=BO,
        now=NOON,
    )
    assert events == [STARTED, OrganizationChosen(organization_id=BO)]


def test_the_default_lifetimes_are_seven_days_one_day_and_a_refresh_a_day() -> None:
    assert (LIFETIMES.full, LIFETIMES.brief, LIFETIMES.refresh) == (
        timedelta(seconds=604_800),
        timedelta(seconds=86_400),
        timedelta(seconds=86_400),
    )


def test_inside_the_refresh_window_nothing_is_renewed() -> None:
    session = given(evolve, [STARTED])
    assert session.renew(lifetimes=LIFETIMES, now=NOON + timedelta(days=1) - ONE_MS) == []


def test_a_session_used_after_the_refresh_window_lives_seven_days_from_then() -> None:
    session = given(evolve, [STARTED])
    renewed = session.renew(lifetimes=LIFETIMES, now=NOON + timedelta(days=1))
    assert renewed == [SessionRenewed(expires_at=datetime(2026, 3, 22, 12, 0, 0, tzinfo=UTC))]


def test_a_renewal_starts_the_refresh_window_anew() -> None:
    session = given(evolve, [STARTED, SessionRenewed(expires_at=datetime(2026, 3, 22, 12, 0, 0, tzinfo=UTC))])
    assert session.renew(lifetimes=LIFETIMES, now=NOON + timedelta(days=2) - ONE_MS) == []
    assert session.renew(lifetimes=LIFETIMES, now=NOON + timedelta(days=2)) != []


def test_a_session_is_over_at_the_very_instant_it_expires() -> None:
    session = given(evolve, [STARTED])
    assert session.renew(lifetimes=LIFETIMES, now=A_WEEK_LATER - ONE_MS) != []
    with refuses(SessionOver):
        session.renew(lifetimes=LIFETIMES, now=A_WEEK_LATER)


def test_an_ended_session_cannot_be_renewed() -> None:
    session = given(evolve, [STARTED, ENDED])
    with refuses(SessionOver):
        session.renew(lifetimes=LIFETIMES, now=NOON + timedelta(days=1))


def test_signing_out_ends_the_session_once() -> None:
    assert given(evolve, [STARTED]).end(reason=EndReason.SIGNED_OUT) == [ENDED]
    assert given(evolve, [STARTED, ENDED]).end(reason=EndReason.SIGNED_OUT) == []


def test_turning_to_an_organization_changes_nothing_about_a_sessions_life() -> None:
    assert given(evolve, [STARTED, OrganizationChosen(organization_id=None)]) == given(evolve, [STARTED])


@pytest.mark.parametrize("event", [SessionRenewed(expires_at=NOON), OrganizationChosen(organization_id=BO), ENDED])
def test_a_story_that_does_not_begin_with_a_start_is_no_session(event: object) -> None:
    with pytest.raises(AssertionError):
        evolve(None, event)  # type: ignore[arg-type]  # one of the union's members, which object hides
