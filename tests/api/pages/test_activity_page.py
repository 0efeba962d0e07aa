"""Account → Activity and Organization → Activity: what is told, and what of it by kind, day and device."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from tests.api.conftest import HandClock
from tests.api.pages.test_members_page import joined, signed_up
from tests.api.pages.visitor import Visitor
from tests.databases import Database
from tests.keeping import caught_up
from tests.people import PASSWORD
from tests.projections.trails.test_narrator import rewriting

ACTIVITY = "/account/activity"
ANDROID = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36"


@pytest.fixture
def ada(url: str, email: str, clock: HandClock) -> Visitor:
    return signed_up(url, "Ada Lovelace", email)


@pytest.fixture
def phone(ada: Visitor, url: str, email: str, clock: HandClock) -> Visitor:
    """Ada's too, signed in a minute later."""
    clock.wind(minutes=1)
    visitor = Visitor(url)
    visitor.browser_headers["User-Agent"] = ANDROID
    visitor.open("/sign-in")
    visitor.press("Sign in", email=email, password=PASSWORD)
    return visitor


def renamed(visitor: Visitor, name: str) -> None:
    visitor.open("/account/settings")
    visitor.press("Save", name=name)


def test_what_was_done_on_one_device(ada: Visitor, phone: Visitor, module_database: Database) -> None:
    renamed(ada, "Ada King")
    renamed(phone, "Countess")
    caught_up(module_database)
    ada.open("/account/sessions")
    page = ada.follow("What was done there: Chrome 131 on Android")
    assert page.status == 200
    assert [one for one in page.items if "Countess" in one]
    assert [one for one in page.items if "You signed in" in one]
    assert not [one for one in page.items if "to “Ada King”" in one]
    everything = ada.open(ACTIVITY)
    assert len([one for one in everything.items if "Countess" in one or "Ada King" in one]) == 2


def test_a_device_that_is_signed_out_can_still_be_asked_for(
    ada: Visitor, phone: Visitor, module_database: Database
) -> None:
    ada.open("/account/sessions")
    there = ada.page.links["What was done there: Chrome 131 on Android"]
    ada.press("Sign out Chrome 131 on Android")
    caught_up(module_database)
    page = ada.open(there)
    assert "A device that is signed out" in page.answer.content.decode()
    # by another device, and yet it is what became of this one
    assert [one for one in page.items if "You signed Chrome 131 on Android out" in one or "signed" in one]
    assert len(page.items) == 2


def recorded_now(database: Database, clock: HandClock) -> None:
    """As if the clock that moments are recorded by were wound with the other one."""
    with rewriting(database, "log") as owner:
        owner.execute("UPDATE log SET recorded_at = %s WHERE recorded_at > %s", (clock(), clock()))


def test_what_happened_on_a_day(ada: Visitor, module_database: Database, clock: HandClock) -> None:
    renamed(ada, "Ada King")
    caught_up(module_database)
    recorded_now(module_database, clock)
    clock.wind(days=3)
    renamed(ada, "Countess")
    caught_up(module_database)
    recorded_now(module_database, clock)
    first, last = clock() - timedelta(days=3), clock()
    page = ada.open(f"{ACTIVITY}?since={last:%Y-%m-%d}&until={last:%Y-%m-%d}")
    assert ["Countess" in one for one in page.items] == [True]
    page = ada.open(f"{ACTIVITY}?until={first:%Y-%m-%d}")
    assert [one for one in page.items if "Ada King" in one]
    assert not [one for one in page.items if "Countess" in one]


def test_days_begin_where_the_reader_is(ada: Visitor, module_database: Database, clock: HandClock) -> None:
    late = clock().replace(hour=23, minute=30) + timedelta(days=1)
    clock.wind(seconds=(late - clock()).total_seconds())
    renamed(ada, "Countess")
    caught_up(module_database)
    tomorrow = f"{late + timedelta(days=1):%Y-%m-%d}"
    assert ada.open(f"{ACTIVITY}?since={tomorrow}").items == []
    # in Berlin it is half past midnight
    assert len(ada.open(f"{ACTIVITY}?since={tomorrow}&offset=-60").items) == 1


@pytest.mark.parametrize(
    "asked", ["since=2026-02-30", "until=9999-12-31", "offset=99999999999&since=2026-03-14", "kind='--",
              "since=0001-01-01&offset=-900", "session=zz&offset=a"]
)  # fmt: skip
def test_what_cannot_be_asked_for_is_a_page_all_the_same(ada: Visitor, asked: str) -> None:
    assert ada.open(f"{ACTIVITY}?{asked}").status == 200


def test_refused_attempts_are_one_entry(ada: Visitor, url: str, email: str, module_database: Database) -> None:
    guesser = Visitor(url)
    for _ in range(3):
        guesser.open("/sign-in")
        guesser.press("Sign in", email=email, password="not it at all 1")
    until_told(ada, module_database, "wrong password")
    page = ada.open(f"{ACTIVITY}?kind=AttemptRefused")
    [entry] = page.items
    assert "3 times" in entry


def until_told(ada: Visitor, database: Database, said: str) -> None:
    """Attempts are written a moment after their answer."""
    for _ in range(100):
        caught_up(database)
        if said in ada.open(ACTIVITY).text:
            return
        time.sleep(0.1)
    raise AssertionError(f"{said!r} is never told, only {ada.page.text}")


def test_older_pages_are_of_the_same_kind(ada: Visitor, module_database: Database) -> None:
    for number in range(32):
        renamed(ada, f"Ada {number}")
    caught_up(module_database)
    page = ada.open(f"{ACTIVITY}?kind=NameChanged")
    assert len(page.items) == 30
    page = ada.follow("Older")
    assert len(page.items) == 2
    assert all("name" in one.lower() for one in page.items)


def test_who_is_no_owner_or_admin_is_told_who_may_read_it(ada: Visitor, url: str, email: str) -> None:
    ada.open("/organizations")
    ada.press("Create organization", name="Acme", slug=f"acme-{email.partition('@')[0]}")
    bo = joined(ada, url, f"bo.{email}", "member")
    page = bo.open("/organization/activity")
    assert page.status == 403
    assert "An owner or admin of the organization may." in page.text
    assert page.links
