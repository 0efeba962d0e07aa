"""How often one account may be guessed at, and what is kept for its owner meanwhile (wire.md A14)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from domain import clock as system_clock
from tests.api.browser import DEVICE_COOKIE, Browser
from tests.api.conftest import settings_for
from tests.api.edge.limited import SETTINGS, TOO_MANY, Counters, Visitor, a_visitor
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import Server, application

__all__ = ["SETTINGS"]  # what the server of a module is started with
WRONG = (401, "INVALID_EMAIL_OR_PASSWORD")


@pytest.fixture
def browser(server: Server) -> Visitor:
    """Somebody from where nobody else has asked."""
    return a_visitor(server.url)


@pytest.fixture
def counters(module_database: Database) -> Counters:
    return Counters(module_database)


class Guessed:
    """An account somebody guesses at, seen from the counters: some count paths, for a minute, and one the account."""

    def __init__(self, browser: Visitor, counters: Counters, email: str) -> None:
        self._browser, self._counters, self._email = browser, counters, email
        before = counters.all().keys()
        assert self.try_password("wrong") == WRONG
        [self.key] = [key for key in counters.all().keys() - before if not _of_a_path(key)]

    @property
    def hits(self) -> int:
        """What is counted of the account."""
        return self._counters.all()[self.key]

    def try_password(self, password: str, email: str | None = None) -> tuple[int, str | None]:
        """One try, when the limit on the path does not matter."""
        self._counters.forget(set(filter(_of_a_path, self._counters.all())))
        return self._browser.sign_in(email or self._email, password).problem


def _of_a_path(key: bytes) -> bool:
    """A counter's key begins with the minutes that it matters for: an hour, of what is counted for an account."""
    return key[0] != 60


@pytest.fixture
def account(browser: Visitor, email: str) -> str:
    """Ada's address; she has only ever signed in with another browser."""
    assert browser.sign_up(email).status == 200
    browser.cookies.clear()
    return email


def test_at_most_a_hundred_wrong_passwords_an_hour(browser: Visitor, counters: Counters, account: str) -> None:
    guessed = Guessed(browser, counters, account)
    assert guessed.hits == 1
    counters.set_hits(guessed.key, 99)
    assert guessed.try_password("wrong") == WRONG
    assert guessed.try_password(PASSWORD) == (429, None)
    assert guessed.try_password(PASSWORD, account.upper()) == (429, None)
    answer = browser.sign_in(account)
    assert (answer.json(), answer.set_cookies) == (TOO_MANY, [])
    assert answer.header("retry-after") == answer.header("x-retry-after")
    assert 3590 <= int(answer.header("retry-after") or 0) <= 3600
    counters.age(3600)
    assert guessed.try_password(PASSWORD) == (200, None)


def test_an_address_the_account_has_signed_in_from_is_no_device_of_its(
    browser: Visitor, counters: Counters, account: str
) -> None:
    guessed = Guessed(browser, counters, account)
    counters.set_hits(guessed.key, 100)
    # whoever shares the address with its owner, behind one router
    assert guessed.try_password("wrong") == (429, None)
    assert guessed.try_password(PASSWORD) == (429, None)


def test_a_device_that_shows_its_cookie_has_ten_of_its_own(browser: Visitor, counters: Counters, account: str) -> None:
    guessed = Guessed(browser, counters, account)
    assert guessed.try_password(PASSWORD) == (200, None)
    known = browser.cookies[DEVICE_COOKIE]
    counters.set_hits(guessed.key, 100)
    browser.post("/sign-out")
    assert browser.cookies == {DEVICE_COOKIE: known}
    assert [guessed.try_password("wrong") for _ in range(9)] == [WRONG] * 9
    assert guessed.try_password(PASSWORD) == (200, None)
    assert [guessed.try_password("wrong") for _ in range(2)] == [WRONG, (429, None)]
    assert guessed.try_password(PASSWORD) == (429, None)
    assert 3500 <= int(browser.sign_in(account).header("retry-after") or 0) <= 3600
    assert guessed.hits == 100
    # without it, there is nothing left from here either
    browser.cookies.clear()
    assert guessed.try_password(PASSWORD) == (429, None)
    counters.age(3600)
    assert guessed.try_password(PASSWORD) == (200, None)


def test_a_forged_device_in_front_does_not_lock_the_real_one_out(
    browser: Visitor, counters: Counters, account: str
) -> None:
    guessed = Guessed(browser, counters, account)
    assert guessed.try_password(PASSWORD) == (200, None)
    counters.set_hits(guessed.key, 100)
    browser.cookies[DEVICE_COOKIE] = f"{'A' * 22}.20526{'A' * 22}; {DEVICE_COOKIE}={browser.cookies[DEVICE_COOKIE]}"
    assert guessed.try_password(PASSWORD) == (200, None)


def test_all_devices_of_an_account_have_twenty_together(browser: Visitor, counters: Counters, account: str) -> None:
    guessed = Guessed(browser, counters, account)
    before, known = set(counters.all()), []
    for _ in range(6):
        browser.cookies.clear()
        assert guessed.try_password(PASSWORD) == (200, None)
        known.append(browser.cookies[DEVICE_COOKIE])
    counters.set_hits(guessed.key, 100)
    answers = []
    for device in known:
        browser.cookies = {DEVICE_COOKIE: device}
        answers += [guessed.try_password("wrong") for _ in range(7)]
    assert answers == [WRONG] * 20 + [(429, None)] * 22
    assert guessed.try_password(PASSWORD) == (429, None)
    # what three of them took of their own was given back
    assert sorted(hits for key, hits in counters.all().items() if key[0] == 60 and key not in before) == [
        0,
        0,
        0,
        6,
        7,
        7,
        20,
    ]
    counters.age(3600)
    assert guessed.try_password(PASSWORD) == (200, None)


def test_a_device_is_known_to_those_who_signed_in_with_it_only(
    browser: Visitor, counters: Counters, account: str
) -> None:
    guessed = Guessed(browser, counters, account)
    counters.set_hits(guessed.key, 100)
    mallory = Browser(browser.url)
    assert mallory.sign_up(f"mallory.{account}").status == 200
    browser.cookies[DEVICE_COOKIE] = mallory.cookies[DEVICE_COOKIE]
    assert guessed.try_password(PASSWORD) == (429, None)


def test_of_forty_at_once_with_a_known_device_ten_are_let_guess(
    browser: Visitor, counters: Counters, account: str, module_database: Database
) -> None:
    guessed = Guessed(browser, counters, account)
    assert guessed.try_password(PASSWORD) == (200, None)
    counters.set_hits(guessed.key, 100)
    known = {DEVICE_COOKIE: browser.cookies[DEVICE_COOKIE]}

    def guess(number: int) -> int:
        visitor = Visitor(browser.url, f"203.0.113.{number}")
        visitor.cookies = dict(known)
        status = 503
        while status == 503:
            status = visitor.sign_in(account, "wrong").status
        return status

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(guess, range(100, 140)))
    assert sorted(found) == [401] * 10 + [429] * 30


def test_of_thirty_at_once_through_one_session_ten_are_let_guess(
    browser: Visitor, counters: Counters, account: str
) -> None:
    guessed = Guessed(browser, counters, account)
    bearer = {"Authorization": f"Bearer {browser.sign_in(account, rememberMe=False).json()['token']}"}
    counters.set_hits(guessed.key, 100)

    def guess(number: int) -> int:
        visitor = Visitor(browser.url, f"203.0.113.{number}")
        status = 503
        while status == 503:
            status = visitor.post("/verify-password", {"password": "wrong"}, bearer).status
        return status

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(guess, range(150, 180)))
    assert sorted(found) == [400] * 10 + [429] * 20


def test_how_many_wrong_passwords_there_may_be_is_a_setting(module_database: Database, email: str) -> None:
    with application(settings_for(module_database, rate_limit="on", wrong_passwords=2), system_clock.now) as url:
        browser = Browser(url)
        assert browser.sign_up(email).status == 200
        known = dict(browser.cookies)
        browser.cookies.clear()
        assert [browser.sign_in(email, "wrong").problem for _ in range(3)] == [WRONG, WRONG, (429, None)]
        module_database.rows("DELETE FROM rate_limits WHERE get_byte(key, 0) = 1")
    with application(settings_for(module_database, rate_limit="on", wrong_passwords=2), system_clock.now) as url:
        browser = Browser(url)
        browser.cookies = known
        # of the two it has of its own, no more than all others together
        assert [browser.sign_in(email, "wrong").problem for _ in range(3)] == [WRONG, WRONG, (429, None)]


def test_a_right_password_is_not_counted(browser: Visitor, counters: Counters, account: str) -> None:
    guessed = Guessed(browser, counters, account)
    counters.set_hits(guessed.key, 99)
    assert guessed.try_password(PASSWORD) == (200, None)
    assert guessed.hits == 99


def test_an_address_without_an_account_is_counted_alike(browser: Visitor, counters: Counters, email: str) -> None:
    guessed = Guessed(browser, counters, email)
    counters.set_hits(guessed.key, 99)
    assert guessed.try_password("wrong") == WRONG
    assert guessed.try_password("wrong") == (429, None)


def test_no_address_stands_in_the_counters(browser: Visitor, counters: Counters, email: str) -> None:
    Guessed(browser, counters, email)
    found = counters.all()
    assert found
    told = (email.encode(), browser.address.encode(), bytes(map(int, browser.address.split("."))))
    assert not any(one in key for key in found for one in told)
    # the window, in minutes, and a keyed hash
    assert {(key[0], len(key) - 1) for key in found} == {(1, 32), (60, 32)}
