"""What nobody needs any more is forgotten: counters, attempts, and when sessions were last used."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from api.app import tidy
from api.edge.daybook import Daybook, open_daybook
from domain.store.attempts import Kind, Tally
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.people import ADA, NOON

LAPTOP, PHONE = UUID(int=1), UUID(int=2)
KINDS = {
    Kind(ADA, "sign-in/email", "INVALID_EMAIL_OR_PASSWORD", None, NOON - age): Tally(1, NOON - age, NOON - age, None)
    for age in (timedelta(days=91), timedelta(days=89))
}


@pytest.fixture
def daybook(database: Database) -> Iterator[Daybook]:
    """A running Daybook, at noon."""
    daybook = open_daybook(settings_for(database), HandClock())
    yield daybook
    daybook.close()


def test_attempts_of_ninety_days_ago_are_forgotten(daybook: Daybook, database: Database) -> None:
    daybook.attempts.record(KINDS)
    tidy(daybook, whole=False)
    assert database.rows("SELECT last_at FROM attempts") == [(NOON - timedelta(days=89),)]


def test_sessions_that_nobody_used_for_as_long_as_one_may_live_are_forgotten_by_the_hour(
    daybook: Daybook, database: Database
) -> None:
    daybook.last_active.record({LAPTOP: NOON - timedelta(days=7, seconds=1), PHONE: NOON - timedelta(days=6)})
    tidy(daybook, whole=False)
    assert database.value("SELECT count(*) FROM last_active") == 2
    tidy(daybook, whole=True)
    assert database.rows("SELECT session_id FROM last_active") == [(PHONE,)]


def test_counters_that_no_window_reaches_are_forgotten(daybook: Daybook, database: Database) -> None:
    for key, age in ((b"\x01old", timedelta(minutes=3)), (b"\x01new", timedelta(minutes=1))):
        database.rows("INSERT INTO rate_limits VALUES (%s, 1, clock_timestamp() - %s)", key, age)
    tidy(daybook, whole=False)
    assert database.rows("SELECT key FROM rate_limits") == [(b"\x01new",)]
