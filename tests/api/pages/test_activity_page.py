"""Account → Activity and Organization → Activity: what is told, and what of it by kind, day and device."""

from __future__ import annotations

import csv
import time
from datetime import UTC, datetime, timedelta

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
    assert len(ada.open(f"{ACTIVITY}?since={tomorrow}&zone=Europe/Berlin").items) == 1


def test_days_of_summer_begin_where_the_reader_is_then(
    ada: Visitor, email: str, module_database: Database, clock: HandClock
) -> None:
    # half past midnight in Berlin, where clocks were put forward in between (2026-03-29)
    clock.now = datetime(2026, 4, 5, 22, 30, tzinfo=UTC)
    ada.open("/sign-in")
    ada.press("Sign in", email=email, password=PASSWORD)
    renamed(ada, "Countess")
    caught_up(module_database)
    recorded_now(module_database, clock)
    asked = f"{ACTIVITY}?kind=NameChanged&since=2026-03-01&until=2026-04-{{}}&zone=Europe/Berlin"
    assert [len(ada.open(asked.format(last)).items) for last in ("05", "06")] == [0, 1]


@pytest.mark.parametrize(("zone", "told"), [("", "UTC"), ("Europe/Berlin", "Europe/Berlin"), ("Mars/Base", "UTC")])
def test_the_page_says_where_its_days_begin(ada: Visitor, zone: str, told: str) -> None:
    page = ada.open(f"{ACTIVITY}?zone={zone}&since=2026-03-14")
    assert f"Days begin and end at midnight in this time zone: {told} " in page.text


@pytest.mark.parametrize("page", [ACTIVITY, "/organization/activity"])
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2026-02-30", "yesterday"])
@pytest.mark.parametrize("end", ["since", "until"])
def test_any_day_that_can_be_typed_is_answered(ada: Visitor, page: str, day: str, end: str) -> None:
    assert ada.open(f"{page}?{end}={day}").status == 200


@pytest.mark.parametrize(
    "asked", ["since=2026-02-30", "until=9999-12-31", "zone=Mars/Base&since=2026-03-14", "kind='--",
              "since=0001-01-01&zone=Asia/Tokyo", "session=zz&zone=..", "until=2026-03-14&zone=Europe"]
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
    assert "Newest" not in page.links
    page = ada.follow("Older")
    assert len(page.items) == 2
    assert "Older" not in page.links
    assert all("name" in one.lower() for one in page.items)


def test_who_is_no_owner_or_admin_is_told_who_may_read_it(ada: Visitor, url: str, email: str) -> None:
    ada.open("/organizations")
    ada.press("Create organization", name="Acme", slug=f"acme-{email.partition('@')[0]}")
    bo = joined(ada, url, f"bo.{email}", "member")
    page = bo.open("/organization/activity")
    assert page.status == 403
    assert "An owner or admin of the organization may." in page.text
    assert page.links


def test_what_one_member_did_is_found_beside_the_other_filters(
    ada: Visitor, url: str, email: str, module_database: Database
) -> None:
    ada.open("/organizations")
    ada.press("Create organization", name="Acme", slug=f"acme-{email.partition('@')[0]}")
    joined(ada, url, f"bo.{email}", "admin")
    caught_up(module_database)
    everything = ada.open("/organization/activity").items
    ada.open("/organization/members?role=admin")
    page = ada.follow("What this person did here")
    assert 0 < len(page.items) < len(everything)
    assert all("Bo" in one for one in page.items)
    assert f"Bo (bo.{email})" in page.answer.content.decode()
    page = ada.press("Show", kind="MemberJoined")
    assert len(page.items) == 1
    page = ada.press("Show", kind="LogoChanged")
    assert page.items == []
    assert "Somebody who did nothing of the kind" in page.answer.content.decode()
    assert len(ada.follow("Show everything").items) == len(everything)


def test_a_download_is_of_what_is_shown_and_no_formula(
    ada: Visitor, url: str, email: str, module_database: Database
) -> None:
    ada.open("/organizations")
    ada.press("Create organization", name="=1+1", slug=f"acme-{email.partition('@')[0]}")
    bo = joined(ada, url, f"bo.{email}", "admin")
    renamed(bo, '=HYPERLINK("http://x")')
    bo.open("/organization/members")
    bo.press("Generate invitation link", email=f"cy.{email}")
    caught_up(module_database)
    page = ada.open("/organization/activity?kind=InvitationSent&since=2026-03-01&zone=Europe/Berlin")
    table = ada.browser.ask("GET", page.links["CSV"], None, ada.browser._cookie_header()).content.decode()
    head, *rows = csv.reader(table.splitlines())
    assert {row[head.index("event")] for row in rows} == {"InvitationSent"}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert "'=HYPERLINK" in table
    lines = ada.browser.ask("GET", page.links["NDJSON"], None, ada.browser._cookie_header()).content.decode()
    assert len(lines.splitlines()) == len(rows)
