"""How long a session lives and when use extends it, by a clock that is wound by hand (wire.md §8, A17)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from tests.api.browser import CLEARED, DONT_REMEMBER_COOKIE, Browser, kept, signed
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.server import application

RENEWALS = "SELECT count(*) FROM events WHERE stream_id = %s AND name = 'SessionRenewed'"
LAST_EVENT = "SELECT name, version FROM events WHERE stream_id = %s ORDER BY version DESC LIMIT 1"
REASON = "SELECT end_reason FROM session_list WHERE session_id = %s"


@pytest.fixture
def token(browser: Browser, email: str) -> str:
    """Of a session that began at noon."""
    found: str = browser.sign_up(email).json()["token"]
    return found


def test_a_session_begins_with_seven_days(browser: Browser, token: str) -> None:
    session = browser.session()
    assert session["createdAt"] == session["updatedAt"] == "2026-03-14T12:00:00.000Z"
    assert session["expiresAt"] == "2026-03-21T12:00:00.000Z"


def test_at_23_hours_nothing_happens(browser: Browser, clock: HandClock, token: str) -> None:
    before = browser.session()
    clock.wind(hours=23)
    answer = browser.get("/get-session")
    assert (answer.json()["session"], answer.set_cookies) == (before, [])


def test_at_25_hours_it_is_extended_and_the_cookie_sent_again(browser: Browser, clock: HandClock, token: str) -> None:
    before = browser.session()
    clock.wind(hours=25)
    answer = browser.get("/get-session")
    assert answer.set_cookies == kept(token)
    assert answer.json()["session"] == {
        **before,
        "expiresAt": "2026-03-22T13:00:00.000Z",
        "updatedAt": "2026-03-15T13:00:00.000Z",
    }
    again = browser.get("/get-session")
    assert (again.json(), again.set_cookies) == (answer.json(), [])


def test_the_window_ends_after_exactly_one_day(browser: Browser, clock: HandClock, token: str) -> None:
    clock.wind(days=1, milliseconds=-1)
    assert browser.get("/get-session").set_cookies == []
    clock.wind(milliseconds=1)
    answer = browser.get("/get-session")
    assert answer.set_cookies == kept(token)
    assert answer.json()["session"]["expiresAt"] == "2026-03-22T12:00:00.000Z"


def test_the_window_counts_from_the_last_extension(browser: Browser, clock: HandClock, token: str) -> None:
    clock.wind(hours=30)
    assert browser.get("/get-session").set_cookies == kept(token)
    clock.wind(hours=23, minutes=59)
    assert browser.get("/get-session").set_cookies == []
    clock.wind(minutes=1)
    assert browser.get("/get-session").set_cookies == kept(token)


def test_who_comes_back_every_six_days_stays_signed_in(browser: Browser, clock: HandClock, token: str) -> None:
    for _ in range(5):
        clock.wind(days=6)
        assert browser.session()["createdAt"] == "2026-03-14T12:00:00.000Z"


@pytest.mark.parametrize("value", ["true", "1", "yes", "TRUE", "False"])
def test_refreshing_can_be_disabled(browser: Browser, clock: HandClock, token: str, value: str) -> None:
    before = browser.session()
    clock.wind(hours=25)
    answer = browser.get(f"/get-session?disableRefresh={value}")
    assert (answer.json()["session"], answer.set_cookies) == (before, [])
    assert browser.get("/get-session").set_cookies == kept(token)


@pytest.mark.parametrize("query", ["?disableRefresh=false", "?disableRefresh=0", "?disableRefresh=", "?other=true"])
def test_false_and_nought_do_not_disable_it(browser: Browser, clock: HandClock, token: str, query: str) -> None:
    clock.wind(hours=25)
    assert browser.get(f"/get-session{query}").set_cookies == kept(token)


def test_any_route_with_a_session_refreshes(browser: Browser, clock: HandClock, token: str) -> None:
    clock.wind(hours=25)
    answer = browser.get("/organization/list")
    assert (answer.status, answer.set_cookies) == (200, kept(token))
    assert browser.session()["expiresAt"] == "2026-03-22T13:00:00.000Z"
    assert browser.get("/organization/list").set_cookies == []


def test_it_lives_to_the_last_millisecond(browser: Browser, clock: HandClock, token: str) -> None:
    kept = dict(browser.cookies)
    clock.wind(days=7, milliseconds=-1)
    assert browser.session("?disableRefresh=1") is not None
    clock.wind(milliseconds=1)
    answer = browser.get("/get-session")
    assert (answer.status, answer.json(), answer.set_cookies) == (200, None, CLEARED)
    browser.cookies = kept
    answer = browser.get("/organization/list")
    assert (answer.problem, answer.set_cookies) == ((401, "UNAUTHORIZED"), CLEARED)


@pytest.mark.parametrize("path", ["/get-session", "/organization/list"])
@pytest.mark.parametrize("late", [0, 1, 86_400_000])
def test_that_it_ran_out_is_recorded_by_whoever_comes_first_and_never_again(
    browser: Browser, clock: HandClock, token: str, module_database: Database, path: str, late: int
) -> None:
    session_id, kept_cookies = UUID(browser.session()["id"]), dict(browser.cookies)
    [(_, version)] = module_database.rows(LAST_EVENT, session_id)
    clock.wind(days=7, milliseconds=late)
    for asked in (path, "/get-session", "/organization/list", path):
        browser.cookies = dict(kept_cookies)
        assert browser.get(asked).set_cookies == CLEARED
    assert module_database.rows(LAST_EVENT, session_id) == [("SessionEnded", version + 1)]
    assert module_database.value(REASON, session_id) == "expired"


def test_of_ten_who_find_it_at_once_one_records_it(
    browser: Browser, clock: HandClock, token: str, module_database: Database
) -> None:
    session_id = UUID(browser.session()["id"])
    [(_, version)] = module_database.rows(LAST_EVENT, session_id)
    clock.wind(days=7)
    tabs = [Browser(browser.url) for _ in range(10)]
    for tab in tabs:
        tab.cookies = dict(browser.cookies)
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda tab: tab.get("/get-session"), tabs))
    assert [(answer.json(), answer.set_cookies) for answer in answers] == [(None, CLEARED)] * 10
    assert module_database.rows(LAST_EVENT, session_id) == [("SessionEnded", version + 1)]


def test_in_its_last_millisecond_it_can_still_be_extended(browser: Browser, clock: HandClock, token: str) -> None:
    clock.wind(days=7, milliseconds=-1)
    assert browser.session()["expiresAt"] == "2026-03-28T11:59:59.999Z"


def test_an_expired_one_is_not_extended_by_any_other_route(browser: Browser, clock: HandClock, token: str) -> None:
    clock.wind(days=7)
    answer = browser.post("/sign-out")
    assert (answer.json(), answer.set_cookies) == ({"success": True}, CLEARED)


def test_who_is_not_to_be_remembered_has_one_day_and_no_more(browser: Browser, clock: HandClock, email: str) -> None:
    browser.sign_up(email, rememberMe=False)
    before = browser.session()
    assert before["expiresAt"] == "2026-03-15T12:00:00.000Z"
    clock.wind(days=1, milliseconds=-1)
    for path in ("/get-session", "/organization/list"):
        answer = browser.get(path)
        assert (answer.status, answer.set_cookies) == (200, [])
    assert browser.session() == before
    clock.wind(milliseconds=1)
    answer = browser.get("/get-session")
    assert (answer.json(), answer.set_cookies) == (None, CLEARED)


def test_a_short_session_shown_without_the_word_is_extended_to_seven_days(
    browser: Browser, clock: HandClock, email: str
) -> None:
    token = browser.sign_up(email, rememberMe=False).json()["token"]
    del browser.cookies[DONT_REMEMBER_COOKIE]
    clock.wind(hours=1)
    answer = browser.get("/get-session")
    assert answer.set_cookies == kept(token)
    assert answer.json()["session"]["expiresAt"] == "2026-03-21T13:00:00.000Z"


def test_a_word_we_did_not_sign_keeps_nothing_short(browser: Browser, clock: HandClock, token: str) -> None:
    for word in ("true", signed("false"), signed("true")[:-4] + "A%3D"):
        browser.cookies[DONT_REMEMBER_COOKIE] = word
        clock.wind(hours=25)
        assert browser.get("/get-session").set_cookies == kept(token), word


def test_with_no_window_every_use_extends_it(module_database: Database, clock: HandClock, email: str) -> None:
    with application(settings_for(module_database, session_refresh_after=0), clock) as url:
        browser = Browser(url)
        token = browser.sign_up(email).json()["token"]
        for _ in range(3):
            clock.wind(milliseconds=1)
            assert browser.get("/organization/list").set_cookies == kept(token)
        assert browser.session()["expiresAt"] == "2026-03-21T12:00:00.003Z"


def test_fifty_at_once_past_the_window_extend_it_once_and_inside_never(
    clock: HandClock, module_database: Database, email: str
) -> None:
    settings = settings_for(module_database)
    with application(settings, clock) as here, application(settings, clock) as there, ThreadPoolExecutor(50) as threads:
        signed_in = Browser(here)
        signed_in.sign_up(email)
        session_id = UUID(signed_in.session()["id"])

        def devices() -> list[str]:
            """What fifty tabs at two nodes are told of the end of the session."""
            tabs = [Browser(url) for url in (here, there) * 25]
            for tab in tabs:
                tab.cookies = dict(signed_in.cookies)
            found = threads.map(lambda tab: tab.session()["expiresAt"], tabs)
            return list(found)

        clock.wind(hours=23)
        assert set(devices()) == {"2026-03-21T12:00:00.000Z"}
        assert module_database.value(RENEWALS, session_id) == 0
        clock.wind(hours=2)
        assert set(devices()) == {"2026-03-22T13:00:00.000Z"}
        assert module_database.value(RENEWALS, session_id) == 1
        assert set(devices()) == {"2026-03-22T13:00:00.000Z"}
        assert module_database.value(RENEWALS, session_id) == 1


def test_the_lifetimes_are_settings(module_database: Database, clock: HandClock, email: str) -> None:
    with application(settings_for(module_database, session_lifetime=3_600, session_refresh_after=60), clock) as url:
        browser = Browser(url)
        [cookie] = browser.sign_up(email).set_cookies
        assert "; Max-Age=3600;" in cookie
        assert browser.session()["expiresAt"] == "2026-03-14T13:00:00.000Z"
        clock.wind(seconds=59)
        assert browser.get("/get-session").set_cookies == []
        clock.wind(seconds=1)
        assert browser.session()["expiresAt"] == "2026-03-14T13:01:00.000Z"
