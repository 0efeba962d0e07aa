"""Signing in, signing out, and who one is then (wire.md §9)."""

from __future__ import annotations

import httpx
import pytest

from tests.api.browser import BASE, CLEARED, Browser
from tests.api.conftest import HandClock
from tests.databases import Database

WRONG = {"message": "Invalid email or password", "code": "INVALID_EMAIL_OR_PASSWORD"}


def test_the_answer_is_the_secret_and_the_person_and_no_redirect(browser: Browser, email: str) -> None:
    user = browser.sign_up(email).json()["user"]
    answer = browser.sign_in(email)
    token = answer.json()["token"]
    assert (answer.status, answer.json()) == (200, {"redirect": False, "token": token, "user": user})
    assert answer.header("location") is None


@pytest.mark.parametrize("remember", [True, False])
def test_with_a_callback_it_says_where_to_go(browser: Browser, email: str, remember: bool) -> None:
    user = browser.sign_up(email).json()["user"]
    answer = browser.sign_in(email, callbackURL="/dashboard", rememberMe=remember)
    token = answer.json()["token"]
    assert answer.json() == {"redirect": True, "token": token, "url": "/dashboard", "user": user}
    assert (answer.status, answer.header("location")) == (200, "/dashboard")


def test_an_empty_callback_is_none(browser: Browser, email: str) -> None:
    browser.sign_up(email)
    answer = browser.sign_in(email, callbackURL="")
    assert answer.json()["redirect"] is False
    assert "url" not in answer.json()
    assert answer.header("location") is None


@pytest.mark.parametrize(
    ("callback", "location"),
    [("/ü?q=é#日", "/%C3%BC?q=%C3%A9#%E6%97%A5"), ("/a b", "/a%20b"), ("/a%20b?x=%C3%BC", "/a%20b?x=%C3%BC")],
)
def test_a_callback_in_any_script_is_kept_in_the_body_and_encoded_in_the_header(
    browser: Browser, email: str, callback: str, location: str
) -> None:
    browser.sign_up(email)
    answer = browser.sign_in(email, callbackURL=callback)
    assert (answer.json()["url"], answer.header("location")) == (callback, location)


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(browser: Browser, email: str) -> None:
    browser.sign_up(email)
    other = Browser(browser.url)
    wrong, unknown = other.sign_in(email, "correct horse 2"), other.sign_in(f"x{email}", "correct horse 2")
    for answer in (wrong, unknown):
        assert (answer.status, answer.json(), answer.set_cookies) == (401, WRONG, [])
    ignored = {"date"}
    assert [pair for pair in wrong.headers.items() if pair[0].lower() not in ignored] == [
        pair for pair in unknown.headers.items() if pair[0].lower() not in ignored
    ]


def test_the_address_may_be_in_any_case(browser: Browser, email: str) -> None:
    browser.sign_up(email)
    assert browser.sign_in(email.upper()).json()["user"]["email"] == email


def test_a_refused_sign_in_writes_no_event_and_ends_no_session(
    browser: Browser, email: str, module_database: Database
) -> None:
    browser.sign_up(email)
    before = module_database.value("SELECT count(*) FROM events")
    assert browser.sign_in(email, "wrong").status == 401
    assert browser.session() is not None
    assert module_database.value("SELECT count(*) FROM events") == before


def test_signing_in_while_signed_in_adds_a_session(browser: Browser, email: str) -> None:
    browser.sign_up(email)
    first, first_id = dict(browser.cookies), browser.session()["id"]
    browser.sign_in(email)
    assert browser.session()["id"] != first_id
    browser.cookies = first
    assert browser.session()["id"] == first_id


def test_a_session_shows_what_the_contract_says(browser: Browser, clock: HandClock, email: str) -> None:
    user = browser.sign_up(email).json()["user"]
    clock.wind(minutes=5)
    browser.sign_in(email)
    found = browser.get("/get-session").json()
    session = found["session"]
    assert set(found) == {"session", "user"}
    assert found["user"] == user
    assert session == {
        "id": session["id"],
        "token": session["id"],
        "userId": user["id"],
        "expiresAt": "2026-03-21T12:05:00.000Z",
        "createdAt": "2026-03-14T12:05:00.000Z",
        "updatedAt": "2026-03-14T12:05:00.000Z",
        "authenticatedAt": "2026-03-14T12:05:00.000Z",
        "ipAddress": "127.0.0.1",
        "userAgent": "",
        "device": "",
        "location": "",
        "current": True,
        "activeOrganizationId": session["activeOrganizationId"],
    }


def test_signing_out_ends_this_session_for_good_and_no_other(browser: Browser, email: str) -> None:
    browser.sign_up(email)
    left_over = dict(browser.cookies)
    other = Browser(browser.url)
    other.sign_in(email)
    answer = browser.post("/sign-out", {})
    assert (answer.status, answer.json(), answer.set_cookies) == (200, {"success": True}, CLEARED)
    assert browser.session() is None
    browser.cookies = left_over
    assert browser.session() is None
    assert other.session() is not None


@pytest.mark.parametrize("fields", [None, {}, {"anything": 1}, [], 5])
def test_signing_out_always_succeeds(browser: Browser, email: str, fields: object) -> None:
    without = browser.post("/sign-out", fields)
    assert (without.status, without.json(), without.set_cookies) == (200, {"success": True}, CLEARED)
    browser.sign_up(email)
    left_over = dict(browser.cookies)
    browser.post("/sign-out", fields)
    browser.cookies = left_over
    dead = browser.post("/sign-out", fields)
    assert (dead.status, dead.json(), dead.set_cookies) == (200, {"success": True}, CLEARED)


def test_signing_out_twice_is_one_event(browser: Browser, email: str, module_database: Database) -> None:
    browser.sign_up(email)
    left_over = dict(browser.cookies)
    ended = "SELECT count(*) FROM events WHERE name = 'SessionEnded'"
    before = module_database.value(ended)
    for _ in range(2):
        browser.cookies = dict(left_over)
        browser.post("/sign-out")
    assert module_database.value(ended) == before + 1


def test_nobody_is_null_and_has_no_list(browser: Browser) -> None:
    answer = browser.get("/get-session")
    assert (answer.status, answer.json(), answer.set_cookies) == (200, None, [])
    answer = browser.get("/organization/list")
    assert (answer.status, answer.json()) == (401, {"message": "Unauthorized", "code": "UNAUTHORIZED"})


def test_signing_out_ends_every_session_the_browser_shows(browser: Browser, email: str) -> None:
    """A twin of another cookie domain would otherwise be what the browser shows next."""
    browser.sign_up(email)
    twin = Browser(browser.url)
    twin.sign_in(email)
    both = "; ".join(f"{name}={value}" for device in (browser, twin) for name, value in device.cookies.items())
    headers = {"Cookie": both, "Origin": browser.url}
    assert httpx.get(f"{browser.url}{BASE}/get-session", headers=headers).json() is not None
    assert httpx.post(f"{browser.url}{BASE}/sign-out", headers=headers).status_code == 200
    assert httpx.get(f"{browser.url}{BASE}/get-session", headers=headers).json() is None
    assert twin.session() is None
