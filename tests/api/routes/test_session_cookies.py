"""The cookies of a session as the routes hand them out, believe them and take them away (wire.md §7, A1, A21)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.browser import (
    BASE,
    CLEARED,
    DONT_REMEMBER_COOKIE,
    TOKEN_COOKIE,
    Browser,
    kept,
    kept_until_closed,
    signed,
)
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import application

UNAUTHORIZED = {"message": "Unauthorized", "code": "UNAUTHORIZED"}
SECURE = "https://daybook.example"


def with_cookie(browser: Browser, header: str) -> Any:
    """What `/get-session` says to exactly this Cookie header."""
    return browser.ask("GET", f"{BASE}/get-session", None, {"Cookie": header})


def test_a_new_session_is_one_cookie_of_seven_days(browser: Browser, email: str) -> None:
    for answer in (browser.sign_up(email), browser.sign_in(email)):
        token = answer.json()["token"]
        assert re.fullmatch("[A-Za-z0-9]{32}", token)
        assert answer.set_cookies == kept(token)


def test_who_is_not_to_be_remembered_gets_two_cookies_of_the_browser_session(browser: Browser, email: str) -> None:
    for answer in (browser.sign_up(email, rememberMe=False), browser.sign_in(email, rememberMe=False)):
        token = answer.json()["token"]
        assert answer.set_cookies == kept_until_closed(token)


def test_remember_me_true_is_the_same_as_nothing(browser: Browser, email: str) -> None:
    browser.sign_up(email)
    answer = browser.sign_in(email, rememberMe=True)
    assert answer.set_cookies == kept(answer.json()["token"])


def test_a_remembered_sign_in_is_not_held_to_the_word_of_an_earlier_one(browser: Browser, email: str) -> None:
    browser.sign_up(email, rememberMe=False)
    assert DONT_REMEMBER_COOKIE in browser.cookies
    browser.sign_in(email)
    assert DONT_REMEMBER_COOKIE not in browser.cookies
    assert TOKEN_COOKIE in browser.cookies


def test_signing_out_takes_all_three_cookies_away_in_order(browser: Browser, email: str) -> None:
    browser.sign_up(email, rememberMe=False)
    answer = browser.post("/sign-out")
    assert (answer.json(), answer.set_cookies) == ({"success": True}, CLEARED)
    assert browser.session_cookies == {}


def test_a_validly_signed_cookie_of_a_dead_session_is_taken_away(browser: Browser, email: str) -> None:
    browser.sign_up(email)
    left_over = dict(browser.cookies)
    browser.post("/sign-out")
    browser.cookies = dict(left_over)
    answer = browser.get("/get-session")
    assert (answer.status, answer.json(), answer.set_cookies) == (200, None, CLEARED)
    browser.cookies = dict(left_over)
    answer = browser.get("/organization/list")
    assert (answer.status, answer.json(), answer.set_cookies) == (401, UNAUTHORIZED, CLEARED)


def test_no_cookie_a_malformed_or_a_badly_signed_one_clears_nothing(browser: Browser, email: str) -> None:
    token = browser.sign_up(email).json()["token"]
    good = signed(token)
    browser.cookies.clear()
    another = "C" if token.startswith("B") else "B"
    for value in (
        None,
        "",
        token,
        f"{token}.",
        f"{another}{good[1:]}",
        good[:-3],
        f"{good}x",
        good.replace(".", "%2F"),
    ):
        header = {} if value is None else {"Cookie": f"{TOKEN_COOKIE}={value}"}
        answer = browser.ask("GET", f"{BASE}/get-session", None, header)
        assert (answer.json(), answer.set_cookies) == (None, []), value
        answer = browser.ask("GET", f"{BASE}/organization/list", None, header)
        assert (answer.json(), answer.set_cookies) == (UNAUTHORIZED, []), value


def test_the_handle_of_a_session_is_no_credential(browser: Browser, email: str) -> None:
    token = browser.sign_up(email).json()["token"]
    session = browser.session()
    assert session["token"] == session["id"] != token
    for value in (session["token"], signed(session["token"])):
        answer = with_cookie(browser, f"{TOKEN_COOKIE}={value}")
        assert answer.json() is None
        answer = browser.ask("GET", f"{BASE}/organization/list", None, {"Cookie": f"{TOKEN_COOKIE}={value}"})
        assert answer.problem == (401, "UNAUTHORIZED")


def test_the_cookie_is_read_in_every_spelling(browser: Browser, email: str) -> None:
    good = signed(browser.sign_up(email).json()["token"])
    plain = good.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
    for header in (
        f"{TOKEN_COOKIE}={good}",
        f"{TOKEN_COOKIE}={plain}",
        f'{TOKEN_COOKIE}="{good}"',
        f'{TOKEN_COOKIE}="{plain}"',
        f"a=b;{TOKEN_COOKIE}={good};c=d",
        f"a=b;  {TOKEN_COOKIE}={good} ; c",
    ):
        assert with_cookie(browser, header).json() is not None, header


def test_only_the_exact_name_is_read(browser: Browser, email: str) -> None:
    good = signed(browser.sign_up(email).json()["token"])
    for name in ("session_token", "better-auth-session_token", "Better-Auth.session_token", f"__Secure-{TOKEN_COOKIE}"):
        answer = with_cookie(browser, f"{name}={good}")
        assert (answer.json(), answer.set_cookies) == (None, [])


def test_of_twins_the_first_live_one_counts(browser: Browser, email: str) -> None:
    dead = signed(browser.sign_up(email).json()["token"])
    browser.post("/sign-out")
    first = signed(browser.sign_in(email).json()["token"])
    first_id = browser.session()["id"]
    second = signed(browser.sign_in(email).json()["token"])
    for values in ([dead, first], ["junk", dead, first, second], [first, second], [first, dead]):
        answer = with_cookie(browser, "; ".join(f"{TOKEN_COOKIE}={value}" for value in values))
        assert answer.json()["session"]["id"] == first_id
        assert answer.set_cookies == []
    answer = with_cookie(browser, f"{TOKEN_COOKIE}={dead}; {TOKEN_COOKIE}={dead}")
    assert (answer.json(), answer.set_cookies) == (None, CLEARED)


def test_of_twins_a_command_is_done_through_the_first_live_one(browser: Browser, email: str) -> None:
    dead = signed(browser.sign_up(email).json()["token"])
    browser.post("/sign-out")
    ada = signed(browser.sign_in(email).json()["token"])
    bo = signed(Browser(browser.url).sign_up(f"bo.{email}", name="Bo").json()["token"])
    for values, name in (([dead, ada, bo], "Ada King"), ([dead, bo, ada], "Bo King")):
        cookies = "; ".join(f"{TOKEN_COOKIE}={value}" for value in values)
        answer = browser.post("/update-user", {"name": name}, {"Cookie": cookies})
        assert answer.status == 200
        assert with_cookie(browser, cookies).json()["user"]["name"] == name
    answer = with_cookie(browser, f"{TOKEN_COOKIE}={ada}")
    assert answer.json()["user"]["name"] == "Ada King"


def test_a_twin_that_ran_out_locks_nobody_out(browser: Browser, clock: HandClock, email: str) -> None:
    ran_out = signed(browser.sign_up(email, rememberMe=False).json()["token"])
    live = signed(Browser(browser.url).sign_in(email).json()["token"])
    clock.wind(days=1)
    both = f"{TOKEN_COOKIE}={ran_out}; {TOKEN_COOKIE}={live}"
    answer = with_cookie(browser, both)
    assert [line.partition(";")[0] for line in answer.set_cookies] == [f"{TOKEN_COOKIE}={live}"]
    assert answer.json() is not None


def test_of_twins_that_are_dead_one_that_was_replaced_keeps_the_cookies(browser: Browser, email: str) -> None:
    """The new cookie may be on its way under the same name (wire.md A22)."""
    dead = signed(browser.sign_up(email).json()["token"])
    browser.post("/sign-out")
    replaced = signed(browser.sign_in(email).json()["token"])
    fields = {"currentPassword": PASSWORD, "newPassword": PASSWORD, "revokeOtherSessions": True}
    assert browser.post("/change-password", fields).status == 200
    for values in ([replaced], [dead, replaced], [replaced, dead], [replaced, "junk"]):
        cookies = "; ".join(f"{TOKEN_COOKIE}={value}" for value in values)
        answer = with_cookie(browser, cookies)
        assert (answer.json(), answer.set_cookies) == (None, [])
        answer = browser.post("/update-user", {"name": "Eve"}, {"Cookie": cookies})
        assert (answer.json(), answer.set_cookies) == (UNAUTHORIZED, [])
    # who signs out means it
    answer = browser.post("/sign-out", None, {"Cookie": f"{TOKEN_COOKIE}={replaced}"})
    assert answer.set_cookies == CLEARED


@pytest.fixture(scope="module")
def secure_url(module_database: Database) -> Iterator[str]:
    with application(settings_for(module_database, base_url=SECURE), HandClock()) as url:
        yield url


def test_on_https_every_name_says_secure_and_so_does_every_cookie(secure_url: str, email: str) -> None:
    browser = Browser(secure_url, origin=SECURE)
    answer = browser.sign_up(email, rememberMe=False)
    attributes = "; Path=/; HttpOnly; Secure; SameSite=Lax"
    assert answer.set_cookies == [
        f"__Secure-{TOKEN_COOKIE}={signed(answer.json()['token'])}{attributes}",
        f"__Secure-{DONT_REMEMBER_COOKIE}={signed('true')}{attributes}",
    ]
    assert browser.session() is not None
    assert browser.post("/sign-out").set_cookies == [
        f"__Secure-better-auth.{noun}=; Max-Age=0{attributes}"
        for noun in ("session_token", "session_data", "dont_remember")
    ]


def test_on_https_a_remembered_session_has_its_age_first(secure_url: str, email: str) -> None:
    [cookie] = Browser(secure_url, origin=SECURE).sign_up(email).set_cookies
    assert cookie.endswith("; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax")


def test_on_https_the_name_without_secure_is_not_read(secure_url: str, email: str) -> None:
    browser = Browser(secure_url, origin=SECURE)
    token = browser.sign_up(email).json()["token"]
    assert with_cookie(browser, f"{TOKEN_COOKIE}={signed(token)}").json() is None


def test_the_prefix_can_be_chosen(module_database: Database, email: str) -> None:
    with application(settings_for(module_database, cookie_prefix="ours"), HandClock()) as url:
        browser = Browser(url)
        [cookie] = browser.sign_up(email).set_cookies
        assert cookie.startswith("ours.session_token=")
        assert browser.session() is not None
        assert browser.post("/revoke-sessions").set_cookies == [line.replace("better-auth", "ours") for line in CLEARED]
