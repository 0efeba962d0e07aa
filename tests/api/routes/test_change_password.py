"""Changing the password, and what becomes of the sessions begun with the old one (wire.md §9, A22, A25)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from domain.password_strength import Weakness
from tests.api.browser import CLEARED, DONT_REMEMBER_COOKIE, TOKEN_COOKIE, Answer, Browser, kept, kept_until_closed
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import application

NEW = "battery staple 2"
EVENTS = "SELECT count(*) FROM events"


def change(browser: Browser, **fields: object) -> Answer:
    return browser.post("/change-password", {"currentPassword": PASSWORD, "newPassword": NEW, **fields})


def shown(browser: Browser, cookies: dict[str, str], path: str = "/get-session") -> Answer:
    """What a browser with exactly these cookies is told."""
    other = Browser(browser.url)
    other.cookies = dict(cookies)
    return other.get(path)


@pytest.fixture
def user(browser: Browser, email: str) -> Any:
    """Ada, signed in at noon."""
    return browser.sign_up(email).json()["user"]


@pytest.fixture
def phone(browser: Browser, user: Any, email: str) -> Browser:
    """Another device she is signed in on."""
    phone = Browser(browser.url)
    phone.sign_in(email)
    return phone


@pytest.mark.parametrize("fields", [{}, {"revokeOtherSessions": False}, {"theme": "dark"}])
def test_the_password_is_another_one_and_all_sessions_go_on(
    browser: Browser, phone: Browser, user: Any, email: str, fields: dict[str, object]
) -> None:
    before = browser.session(), phone.session()
    answer = change(browser, **fields)
    assert (answer.status, answer.json(), answer.set_cookies) == (200, {"token": None, "user": user}, [])
    assert answer.header("set-auth-token") is None
    assert (browser.session(), phone.session()) == before
    assert Browser(browser.url).sign_in(email).problem == (401, "INVALID_EMAIL_OR_PASSWORD")
    assert Browser(browser.url).sign_in(email, NEW).status == 200


def test_if_asked_it_ends_every_session_and_gives_this_browser_a_new_one(
    browser: Browser, phone: Browser, user: Any, email: str, clock: HandClock
) -> None:
    before = browser.session()
    clock.wind(minutes=5)
    answer = change(browser, revokeOtherSessions=True)
    token = answer.json()["token"]
    assert (answer.status, answer.json(), answer.set_cookies) == (200, {"token": token, "user": user}, kept(token))
    after = browser.session()
    assert after["id"] not in (before["id"], token)
    moments = ("createdAt", "updatedAt", "authenticatedAt", "expiresAt", "activeOrganizationId")
    assert [after[name] for name in moments] == [
        *["2026-03-14T12:05:00.000Z"] * 3,
        "2026-03-21T12:05:00.000Z",
        before["activeOrganizationId"],
    ]
    assert after["activeOrganizationId"] is not None
    assert [session["id"] for session in browser.get("/list-sessions").json()] == [after["id"]]
    other = phone.get("/list-sessions")
    assert (other.problem, other.set_cookies) == ((401, "UNAUTHORIZED"), CLEARED)
    assert Browser(browser.url).sign_in(email).problem == (401, "INVALID_EMAIL_OR_PASSWORD")
    assert Browser(browser.url).sign_in(email, NEW).status == 200


def test_the_cookie_of_the_session_that_was_replaced_is_not_taken_away(
    browser: Browser, phone: Browser, user: Any
) -> None:
    """A late answer to it would take the new one away, which has the same name (wire.md A22)."""
    replaced, ended = dict(browser.cookies), dict(phone.cookies)
    change(browser, revokeOtherSessions=True)
    late = shown(browser, replaced)
    assert (late.status, late.json(), late.set_cookies) == (200, None, [])
    late = shown(browser, replaced, "/list-sessions")
    assert (late.problem, late.set_cookies) == ((401, "UNAUTHORIZED"), [])
    tab = Browser(browser.url)
    tab.cookies = dict(replaced)
    late = tab.post("/update-user", {"name": "Eve"})
    assert (late.problem, late.set_cookies, tab.cookies) == ((401, "UNAUTHORIZED"), [], replaced)
    assert shown(browser, ended).set_cookies == CLEARED


def test_the_new_session_is_signed_out_for_good_when_its_time_comes(browser: Browser, user: Any) -> None:
    replaced = dict(browser.cookies)
    change(browser, revokeOtherSessions=True)
    new = dict(browser.cookies)
    assert browser.post("/sign-out").set_cookies == CLEARED
    assert shown(browser, new).set_cookies == CLEARED
    assert shown(browser, replaced).set_cookies == []


def test_it_is_one_commit_of_as_many_events_however_many_sessions_there_are(
    browser: Browser, phone: Browser, user: Any, email: str, module_database: Database
) -> None:
    for _ in range(3):
        Browser(browser.url).sign_in(email)
    session_id, before = UUID(browser.session()["id"]), module_database.value(EVENTS)
    change(browser, revokeOtherSessions=True)
    added = module_database.value(
        "SELECT array_agg(name ORDER BY name) FROM events WHERE command_id = ("
        "SELECT command_id FROM events WHERE stream_id = %s AND name = 'SessionEnded')",
        session_id,
    )
    names = ["OrganizationChosen", "PasswordChanged", "SessionEnded", "SessionStarted", "SessionsRevoked"]
    assert (added, module_database.value(EVENTS) - before) == (names, len(names))


def test_who_is_not_remembered_gets_cookies_of_the_browser_session_and_a_row_of_seven_days(
    browser: Browser, clock: HandClock, email: str
) -> None:
    browser.sign_up(email, rememberMe=False)
    answer = change(browser, revokeOtherSessions=True)
    assert answer.set_cookies == kept_until_closed(answer.json()["token"])
    assert set(browser.session_cookies) == {TOKEN_COOKIE, DONT_REMEMBER_COOKIE}
    clock.wind(days=7, milliseconds=-1)
    still = browser.get("/get-session")
    assert (still.json()["session"]["expiresAt"], still.set_cookies) == ("2026-03-21T12:00:00.000Z", [])
    clock.wind(milliseconds=1)
    assert browser.session() is None


def test_a_change_on_the_second_day_gives_the_new_cookie_only(browser: Browser, clock: HandClock, user: Any) -> None:
    clock.wind(hours=25)
    answer = change(browser, revokeOtherSessions=True)
    assert answer.set_cookies == kept(answer.json()["token"])
    assert browser.session()["expiresAt"] == "2026-03-22T13:00:00.000Z"


@pytest.mark.parametrize(
    ("current", "new", "code", "message"),
    [
        ("wrong horse 1", NEW, "INVALID_PASSWORD", "Invalid password"),
        ("", NEW, "INVALID_PASSWORD", "Invalid password"),
        (PASSWORD, "sevenco", "PASSWORD_TOO_SHORT", "Password too short"),
        (PASSWORD, "", "PASSWORD_TOO_SHORT", "Password too short"),
        (PASSWORD, "😀😀😀1", "PASSWORD_TOO_SHORT", "Password too short"),
        (PASSWORD, "x" * 129, "PASSWORD_TOO_LONG", "Password too long"),
        (PASSWORD, "😀" * 64 + "1", "PASSWORD_TOO_LONG", "Password too long"),
        ("x" * 129, NEW, "PASSWORD_TOO_LONG", "Password too long"),
        ("wrong horse 1", "password", "INVALID_PASSWORD", "Invalid password"),
        (PASSWORD, "password", "PASSWORD_COMPROMISED", Weakness.COMMON),
        (PASSWORD, "Daybook2024!", "PASSWORD_COMPROMISED", Weakness.FAMILIAR),
    ],
)
def test_a_refusal_changes_nothing(
    browser: Browser, user: Any, email: str, module_database: Database, current: str, new: str, code: str, message: str
) -> None:
    before = module_database.value(EVENTS)
    answer = change(browser, currentPassword=current, newPassword=new, revokeOtherSessions=True)
    assert (answer.status, answer.json(), answer.set_cookies) == (400, {"message": message, "code": code}, [])
    assert module_database.value(EVENTS) == before
    assert Browser(browser.url).sign_in(email).status == 200


@pytest.mark.parametrize(
    "new", ["jx4p9wqk", "correct horse 1" + "x" * 113, "🐎🦊🐙🦉🐝🦋🐞", PASSWORD, "  mill 1 horse "]
)
def test_these_may_be_chosen(browser: Browser, user: Any, email: str, new: str) -> None:
    assert change(browser, newPassword=new).status == 200
    assert Browser(browser.url).sign_in(email, new).status == 200


def test_who_has_no_password_cannot_change_it(browser: Browser, user: Any, module_database: Database) -> None:
    module_database.rows("DELETE FROM credentials WHERE user_id = %s", UUID(user["id"]))
    answer = change(browser)
    assert answer.problem == (400, "CREDENTIAL_ACCOUNT_NOT_FOUND")
    assert answer.json()["message"] == "Credential account not found"


def test_the_same_password_typed_in_another_unicode_form_is_right(browser: Browser, email: str) -> None:
    """NFKC, as NIST SP 800-63B asks: a composed é and ﬁ of one keyboard are e with an accent and fi of another."""
    composed, decomposed = "caf\u00e9 \ufb01ne 12", "cafe\u0301 fine 12"
    browser.sign_up(email, password=composed)
    assert Browser(browser.url).sign_in(email, decomposed).status == 200
    assert browser.post("/verify-password", {"password": decomposed}).status == 200
    assert change(browser, currentPassword=decomposed, newPassword="r\u00e9sum\u00e9 2026").status == 200
    assert Browser(browser.url).sign_in(email, "re\u0301sume\u0301 2026").status == 200


def test_of_two_at_once_with_the_same_password_one_succeeds(browser: Browser, phone: Browser, email: str) -> None:
    both = [(browser, NEW), (phone, "another one 3")]
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda one: change(one[0], newPassword=one[1]), both))
    assert sorted(answer.problem for answer in answers) == [(200, None), (400, "INVALID_PASSWORD")]
    chosen = both[0 if answers[0].status == 200 else 1][1]
    assert Browser(browser.url).sign_in(email, chosen).status == 200


@pytest.fixture(scope="module")
def strict_url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """An application where a new password always ends all other sessions."""
    with application(settings_for(module_database, password_change_revokes="always"), module_clock) as url:
        yield url


@pytest.mark.parametrize("fields", [{}, {"revokeOtherSessions": False}, {"revokeOtherSessions": True}])
def test_by_the_settings_it_ends_all_others_whether_asked_or_not(
    strict_url: str, clock: HandClock, email: str, fields: dict[str, object]
) -> None:
    browser, phone = Browser(strict_url), Browser(strict_url)
    browser.sign_up(email)
    phone.sign_in(email)
    answer = change(browser, **fields)
    assert answer.set_cookies == kept(answer.json()["token"])
    assert browser.session() is not None
    assert phone.session() is None
