"""Session: started, used, moved, confirmed, kept, ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.refusals import SessionNotFresh, SessionOver
from domain.session import (
    EndReason,
    Lifetimes,
    OrganizationChosen,
    Seen,
    Session,
    SessionEnded,
    SessionEvent,
    SessionKept,
    SessionMoved,
    SessionReauthenticated,
    SessionRenewed,
    SessionStarted,
    Way,
    evolve,
)
from tests.domain.stories import given, refuses
from tests.people import ADA, NOON

ACME = UUID("01890000-0000-7000-8000-0000000000d4")
WORKS = UUID("01890000-0000-7000-8000-0000000000d5")
LIFETIMES = Lifetimes()
CAPPED = Lifetimes(longest=timedelta(days=30))
ONE_MS = timedelta(milliseconds=1)
ONE_DAY = timedelta(days=1)
A_WEEK_LATER = datetime(2026, 3, 21, 12, 0, 0, tzinfo=UTC)
STARTED = SessionStarted(user_id=ADA, token_hash=b"h" * 32, way=Way.PASSWORD, epoch=0, expires_at=A_WEEK_LATER)
ENDED = SessionEnded(reason=EndReason.SIGNED_OUT)
HOME = Seen(ip_address="192.0.2.1", user_agent="Browser/1", at=NOON, started_at=NOON)


def used(session: Session, now: datetime, lifetimes: Lifetimes = LIFETIMES) -> list[SessionEvent]:
    """Used at home, by a browser that keeps it."""
    return session.use(seen=HOME, moved=False, extending=True, lifetimes=lifetimes, now=now)


def test_a_device_that_signs_in_turns_to_an_organization() -> None:
    events = Session.start(
        user_id=ADA,
        token_hash=b"h" * 32,
        way=Way.PASSWORD,
        epoch=0,
        expires_at=A_WEEK_LATER,
        organization_id=ACME,
    )
    assert events == [STARTED, OrganizationChosen(organization_id=ACME)]


def test_a_device_of_somebody_who_belongs_to_no_organization_turns_to_none() -> None:
    events = Session.start(
        user_id=ADA,
        token_hash=b"h" * 32,
        way=Way.PASSWORD,
        epoch=0,
        expires_at=A_WEEK_LATER,
        organization_id=None,
    )
    assert events == [STARTED]
    assert given(evolve, events) == Session(user_id=ADA, epoch=0, expires_at=A_WEEK_LATER, organization_id=None)


def test_a_session_turns_to_an_organization_to_another_and_to_none_and_each_time_only_once() -> None:
    session = given(evolve, [STARTED])
    assert session.choose(ACME) == [OrganizationChosen(organization_id=ACME)]
    assert session.choose(None) == []
    at_acme = given(evolve, [STARTED, OrganizationChosen(organization_id=ACME)])
    assert at_acme.choose(ACME) == []
    assert at_acme.choose(WORKS) == [OrganizationChosen(organization_id=WORKS)]
    assert at_acme.choose(None) == [OrganizationChosen(organization_id=None)]
    at_works = given(evolve, [STARTED, *[OrganizationChosen(organization_id=one) for one in (ACME, None, WORKS)]])
    assert at_works.choose(WORKS) == []
    assert at_works.choose(ACME) == [OrganizationChosen(organization_id=ACME)]


@pytest.mark.parametrize("organization_id", [ACME, None])
def test_an_ended_session_turns_to_no_organization(organization_id: UUID | None) -> None:
    with refuses(SessionOver):
        given(evolve, [STARTED, ENDED]).choose(organization_id)


def test_what_is_only_told_about_a_session_changes_nothing_of_what_it_may_do() -> None:
    told = [SessionReauthenticated(way=Way.PASSWORD), SessionMoved()]
    assert given(evolve, [STARTED, *told]) == given(evolve, [STARTED])


def test_the_default_times_are_seven_days_and_a_day_each_and_no_longest_life() -> None:
    assert (LIFETIMES.full, LIFETIMES.brief, LIFETIMES.refresh, LIFETIMES.fresh, LIFETIMES.longest) == (
        timedelta(seconds=604_800),
        timedelta(seconds=86_400),
        timedelta(seconds=86_400),
        timedelta(seconds=86_400),
        timedelta(0),
    )


def test_inside_the_refresh_window_nothing_is_renewed() -> None:
    assert used(given(evolve, [STARTED]), NOON + ONE_DAY - ONE_MS) == []


def test_a_session_used_after_the_refresh_window_lives_seven_days_from_then() -> None:
    renewed = used(given(evolve, [STARTED]), NOON + ONE_DAY)
    assert renewed == [SessionRenewed(expires_at=datetime(2026, 3, 22, 12, 0, 0, tzinfo=UTC))]


def test_a_renewal_starts_the_refresh_window_anew() -> None:
    session = given(evolve, [STARTED, SessionRenewed(expires_at=datetime(2026, 3, 22, 12, 0, 0, tzinfo=UTC))])
    assert used(session, NOON + timedelta(days=2) - ONE_MS) == []
    assert used(session, NOON + timedelta(days=2)) != []


def test_a_session_is_over_at_the_very_instant_it_expires() -> None:
    session = given(evolve, [STARTED])
    assert used(session, A_WEEK_LATER - ONE_MS) != []
    with refuses(SessionOver):
        used(session, A_WEEK_LATER)


def test_an_ended_session_cannot_be_used() -> None:
    with refuses(SessionOver):
        used(given(evolve, [STARTED, ENDED]), NOON + ONE_DAY)


def test_a_browser_that_does_not_keep_the_session_does_not_extend_it() -> None:
    session = given(evolve, [STARTED])
    assert session.use(seen=HOME, moved=False, extending=False, lifetimes=LIFETIMES, now=NOON + ONE_DAY) == []


def test_a_session_used_elsewhere_has_moved_and_may_be_extended_at_the_same_time() -> None:
    session = given(evolve, [STARTED])
    moved = session.use(seen=HOME, moved=True, extending=True, lifetimes=LIFETIMES, now=NOON + ONE_DAY)
    assert moved == [SessionRenewed(expires_at=datetime(2026, 3, 22, 12, 0, 0, tzinfo=UTC)), SessionMoved()]


@pytest.mark.parametrize(
    ("ip_address", "user_agent", "moved"),
    [
        ("192.0.2.1", "Browser/1", False),
        ("192.0.2.9", "Browser/1", True),
        ("192.0.2.1", "Browser/2", True),
        ("", "Browser/1", False),
        ("192.0.2.1", "", False),
        ("", "Browser/2", True),
    ],
)
def test_a_command_from_another_address_or_browser_moves_the_session_but_an_unknown_one_does_not(
    ip_address: str, user_agent: str, moved: bool
) -> None:
    assert HOME.moved(ip_address=ip_address, user_agent=user_agent, reading=False, now=NOON) is moved


def test_a_look_from_elsewhere_moves_the_session_once_an_hour_at_most() -> None:
    an_hour_later = NOON + timedelta(hours=1)
    before = HOME.moved(ip_address="192.0.2.9", user_agent="Browser/1", reading=True, now=an_hour_later - ONE_MS)
    after = HOME.moved(ip_address="192.0.2.9", user_agent="Browser/1", reading=True, now=an_hour_later)
    assert (before, after) == (False, True)


def test_a_session_with_a_longest_life_is_extended_up_to_it_and_never_beyond() -> None:
    day_25 = NOON + timedelta(days=25)
    session = given(evolve, [STARTED, SessionRenewed(expires_at=day_25)])
    renewed = used(session, day_25 - ONE_MS, CAPPED)
    assert renewed == [SessionRenewed(expires_at=day_25 - ONE_MS + timedelta(days=7))]
    capped = given(evolve, [STARTED, *renewed])
    assert CAPPED.end(started_at=NOON, expires_at=capped.expires_at) == NOON + timedelta(days=30)
    assert used(capped, NOON + timedelta(days=30) - ONE_MS, CAPPED) == []
    with refuses(SessionOver):
        used(capped, NOON + timedelta(days=30), CAPPED)


def test_a_longest_life_that_is_shortened_later_holds_for_the_sessions_there_are() -> None:
    session = given(evolve, [STARTED, SessionRenewed(expires_at=NOON + timedelta(days=40))])
    with refuses(SessionOver):
        used(session, NOON + timedelta(days=30), CAPPED)


def test_with_a_longest_life_those_live_that_started_less_than_it_ago() -> None:
    started_after = CAPPED.started_after(datetime(2026, 4, 13, 12, 0, 0, tzinfo=UTC))
    assert started_after == datetime(2026, 3, 14, 12, 0, 0, tzinfo=UTC)


def test_without_a_longest_life_it_does_not_matter_when_a_session_started() -> None:
    assert LIFETIMES.started_after(NOON) is None


def test_what_has_run_out_ends_once() -> None:
    session = given(evolve, [STARTED])
    assert session.expire(started_at=NOON, lifetimes=LIFETIMES, now=A_WEEK_LATER - ONE_MS) == []
    expired = session.expire(started_at=NOON, lifetimes=LIFETIMES, now=A_WEEK_LATER)
    assert expired == [SessionEnded(reason=EndReason.EXPIRED)]
    session = given(evolve, [STARTED, *expired])
    assert session.expire(started_at=NOON, lifetimes=LIFETIMES, now=A_WEEK_LATER) == []


def test_an_ended_session_ends_no_second_time() -> None:
    assert given(evolve, [STARTED]).end(reason=EndReason.SIGNED_OUT) == [ENDED]
    assert given(evolve, [STARTED, ENDED]).end(reason=EndReason.REVOKED) == []


def test_an_authentication_is_fresh_for_less_than_a_day() -> None:
    LIFETIMES.require_fresh(authenticated_at=NOON, now=NOON + ONE_DAY - ONE_MS)
    for later in (ONE_DAY, ONE_DAY + ONE_MS):
        with refuses(SessionNotFresh):
            LIFETIMES.require_fresh(authenticated_at=NOON, now=NOON + later)


def test_with_freshness_switched_off_everything_is_fresh() -> None:
    Lifetimes(fresh=timedelta(0)).require_fresh(authenticated_at=NOON, now=NOON + timedelta(days=365))


def test_a_confirmed_password_is_an_authentication() -> None:
    assert given(evolve, [STARTED]).reauthenticate(way=Way.PASSWORD) == [SessionReauthenticated(way=Way.PASSWORD)]


def test_a_session_that_is_kept_lives_in_the_new_epoch_and_no_longer_in_the_old_one() -> None:
    session = given(evolve, [STARTED, *given(evolve, [STARTED]).keep(epoch=1)])
    assert session == given(evolve, [STARTED, SessionKept(epoch=1)])
    session.require_life(epoch=1, started_at=NOON, lifetimes=LIFETIMES, now=NOON)
    with refuses(SessionOver):
        session.require_life(epoch=0, started_at=NOON, lifetimes=LIFETIMES, now=NOON)


def test_a_session_left_behind_by_its_account_can_do_nothing() -> None:
    with refuses(SessionOver):
        given(evolve, [STARTED]).require_life(epoch=1, started_at=NOON, lifetimes=LIFETIMES, now=NOON)


def test_neither_an_ended_nor_a_run_out_session_can_do_anything() -> None:
    with refuses(SessionOver):
        given(evolve, [STARTED, ENDED]).require_life(epoch=0, started_at=NOON, lifetimes=LIFETIMES, now=NOON)
    with refuses(SessionOver):
        given(evolve, [STARTED]).require_life(epoch=0, started_at=NOON, lifetimes=LIFETIMES, now=A_WEEK_LATER)


def test_how_a_person_proved_who_they_are_and_why_a_session_ended_is_stored_in_these_words() -> None:
    assert [way.value for way in Way] == ["password"]
    assert [reason.value for reason in EndReason] == ["signed_out", "revoked", "replaced", "expired", "crowded_out"]
