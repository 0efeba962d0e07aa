"""How long a session may live in all, and how many of them a person may have, where the settings say so."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from domain.commands.session import sign_in
from domain.commands.verified_account import verified_account
from domain.store.envelope import WhereFrom
from tests.api.browser import CLEARED, Browser, kept
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.lived import context_over
from tests.people import NOON, PASSWORD
from tests.server import application

REASON = "SELECT end_reason FROM session_list WHERE session_id = %s"
ENDINGS = "SELECT count(*) FROM events WHERE stream_id = %s AND name = 'SessionEnded'"
TEN_DAYS = 10 * 86_400


@pytest.fixture(scope="module")
def capped_url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """An application where a session lives for ten days, however much it is used."""
    with application(settings_for(module_database, session_max_lifetime=TEN_DAYS), module_clock) as url:
        yield url


@pytest.fixture(scope="module")
def three_url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """An application where a person has three sessions at most."""
    with application(settings_for(module_database, sessions_per_user=3), module_clock) as url:
        yield url


def devices(url: str, email: str, clock: HandClock, *, times: int) -> list[Browser]:
    """So many devices of one person who has an account, signed in a minute after each other."""
    found = [Browser(url) for _ in range(times)]
    for device in found:
        clock.wind(minutes=1)
        assert device.sign_in(email).status == 200
    return found


def live(found: list[Browser]) -> list[bool]:
    """Which of them are still signed in."""
    return [device.session("?disableRefresh=1") is not None for device in found]


def test_a_session_is_extended_up_to_its_longest_life_and_not_beyond(
    capped_url: str, clock: HandClock, email: str
) -> None:
    browser = Browser(capped_url)
    token = browser.sign_up(email).json()["token"]
    assert browser.session()["expiresAt"] == "2026-03-21T12:00:00.000Z"
    clock.wind(days=3)
    assert browser.session()["expiresAt"] == "2026-03-24T12:00:00.000Z"
    clock.wind(days=3)
    answer = browser.get("/get-session")
    assert (answer.json()["session"]["expiresAt"], answer.set_cookies) == ("2026-03-24T12:00:00.000Z", [])
    assert browser.get("/list-accounts").set_cookies == []
    four_days_left = kept(token)[0].replace("Max-Age=604800", "Max-Age=345600")
    assert browser.post("/update-user", {"name": "Ada King"}).set_cookies == [four_days_left]


def test_at_the_end_of_its_longest_life_it_is_over(
    capped_url: str, clock: HandClock, email: str, module_database: Database
) -> None:
    browser = Browser(capped_url)
    browser.sign_up(email)
    clock.wind(days=5)
    session_id, cookies = UUID(browser.session()["id"]), dict(browser.cookies)
    clock.wind(days=5, milliseconds=-1)
    assert browser.session() is not None
    for _ in range(2):
        clock.wind(milliseconds=1)
        browser.cookies = dict(cookies)
        answer = browser.get("/get-session")
        assert (answer.json(), answer.set_cookies) == (None, CLEARED)
        browser.cookies = dict(cookies)
        refused = browser.post("/verify-password", {"password": PASSWORD})
        assert (refused.problem, refused.set_cookies) == ((401, "UNAUTHORIZED"), CLEARED)
    assert module_database.value(REASON, session_id) == "expired"
    assert module_database.value(ENDINGS, session_id) == 1


def test_a_confirmed_password_does_not_prolong_it(capped_url: str, clock: HandClock, email: str) -> None:
    browser = Browser(capped_url)
    browser.sign_up(email)
    for _ in range(2):
        clock.wind(days=5, milliseconds=-1)
        assert browser.post("/verify-password", {"password": PASSWORD}).status == 200
    clock.wind(milliseconds=2)
    assert browser.session() is None


def test_a_longest_life_that_is_shorter_than_a_lifetime_ends_it_early(
    module_database: Database, clock: HandClock, email: str
) -> None:
    with application(settings_for(module_database, session_max_lifetime=3_600), clock) as url:
        browser = Browser(url)
        browser.sign_up(email)
        assert browser.session()["expiresAt"] == "2026-03-14T13:00:00.000Z"
        clock.wind(hours=1, milliseconds=-1)
        assert browser.session()["expiresAt"] == "2026-03-14T13:00:00.000Z"
        clock.wind(milliseconds=1)
        assert browser.session() is None


def test_sessions_begun_without_it_are_held_to_it_too(url: str, capped_url: str, clock: HandClock, email: str) -> None:
    free, phone = Browser(url), Browser(capped_url)
    free.sign_up(email)
    clock.wind(days=6)
    assert free.session()["expiresAt"] == "2026-03-27T12:00:00.000Z"
    phone.sign_in(email)
    capped = Browser(capped_url)
    capped.cookies = dict(free.cookies)
    assert capped.session("?disableRefresh=1")["expiresAt"] == "2026-03-24T12:00:00.000Z"
    clock.wind(days=4, milliseconds=-1)
    assert [one["expiresAt"] for one in phone.get("/list-sessions").json()][1:] == ["2026-03-24T12:00:00.000Z"]
    clock.wind(milliseconds=1)
    assert len(phone.get("/list-sessions").json()) == 1
    assert capped.session() is None


def test_one_too_many_ends_the_oldest(three_url: str, clock: HandClock, email: str, module_database: Database) -> None:
    first = Browser(three_url)
    first.sign_up(email)
    session_id = UUID(first.session()["id"])
    second, third = devices(three_url, email, clock, times=2)
    assert live([first, second, third]) == [True] * 3
    [fourth] = devices(three_url, email, clock, times=1)
    answer = first.get("/get-session")
    assert (answer.json(), answer.set_cookies) == (None, CLEARED)
    assert live([second, third, fourth]) == [True] * 3
    assert module_database.value(REASON, session_id) == "crowded_out"
    assert len(fourth.get("/list-sessions").json()) == 3


def test_the_oldest_is_who_signed_in_first_however_much_it_is_used(
    three_url: str, clock: HandClock, email: str
) -> None:
    first = Browser(three_url)
    first.sign_up(email)
    others = devices(three_url, email, clock, times=2)
    clock.wind(days=2)
    assert first.session()["updatedAt"] == clock.now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    devices(three_url, email, clock, times=1)
    assert live([first, *others]) == [False, True, True]


def test_those_that_are_over_take_no_place(three_url: str, clock: HandClock, email: str) -> None:
    first = Browser(three_url)
    first.sign_up(email)
    brief, out = Browser(three_url), Browser(three_url)
    brief.sign_in(email, rememberMe=False)
    out.sign_in(email)
    out.post("/sign-out")
    clock.wind(days=1)
    others = devices(three_url, email, clock, times=2)
    assert live([first, *others]) == [True] * 3


def test_those_of_others_take_no_place(three_url: str, clock: HandClock, email: str) -> None:
    ada, bo = Browser(three_url), Browser(three_url)
    ada.sign_up(email)
    bo.sign_up(f"bo.{email}", name="Bo")
    found = devices(three_url, email, clock, times=2)
    assert live([ada, bo, *found]) == [True] * 4


def test_a_session_that_replaces_another_crowds_nobody_out(three_url: str, clock: HandClock, email: str) -> None:
    ada = Browser(three_url)
    ada.sign_up(email)
    fields = {"currentPassword": PASSWORD, "newPassword": PASSWORD, "revokeOtherSessions": True}
    assert ada.post("/change-password", fields).status == 200
    others = devices(three_url, email, clock, times=2)
    assert live([ada, *others]) == [True] * 3


def test_a_refused_sign_in_crowds_nobody_out(three_url: str, clock: HandClock, email: str) -> None:
    ada = Browser(three_url)
    ada.sign_up(email)
    others = devices(three_url, email, clock, times=2)
    assert Browser(three_url).sign_in(email, "wrong horse 1").status == 401
    assert live([ada, *others]) == [True] * 3


@pytest.mark.parametrize("_", range(2))
def test_however_many_sign_in_at_once_three_are_left(
    three_url: str, clock: HandClock, email: str, module_database: Database, _: int
) -> None:
    Browser(three_url).sign_up(email)
    found = [Browser(three_url) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(lambda device: device.sign_in(email).status, found))
    assert set(statuses) <= {200, 409, 503}
    assert statuses.count(200) >= 3
    assert live(found).count(True) == 3


def test_a_lower_limit_holds_from_the_next_sign_in(
    url: str, three_url: str, clock: HandClock, email: str, module_database: Database
) -> None:
    first = Browser(url)
    user_id = UUID(first.sign_up(email).json()["user"]["id"])
    with context_over(module_database) as context:
        account = verified_account(context, email=email, password=PASSWORD, now=NOON)
        for _ in range(230):
            sign_in(context, account, remembered=True, now=NOON, where_from=WhereFrom("192.0.2.1", ""))
    newest = devices(url, email, clock, times=2)
    [last] = devices(three_url, email, clock, times=1)
    assert live([first, *newest, last]) == [False, True, True, True]
    reasons = "SELECT end_reason, count(*) FROM session_list WHERE user_id = %s GROUP BY end_reason ORDER BY 1"
    assert module_database.rows(reasons, user_id) == [("crowded_out", 231), (None, 3)]
