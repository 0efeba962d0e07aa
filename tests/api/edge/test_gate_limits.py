"""How often one may ask, and how often one account may be guessed at (wire.md §5, A14)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.browser import BASE, Browser
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import Server

SETTINGS = {"RATE_LIMIT": "on", "TRUSTED_ORIGINS": "https://app.example.com"}
TOO_MANY = {"message": "Too many requests. Please try again later."}
WRONG = (401, "INVALID_EMAIL_OR_PASSWORD")


@pytest.fixture
def browser(server: Server, counters: Counters) -> Browser:
    return Browser(server.url)


class Counters:
    """The counters behind the limits, moved through time instead of waiting."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.reset()

    def reset(self) -> None:
        self._database.rows("DELETE FROM rate_limits")

    def age(self, seconds: float) -> None:
        """As if that much time had passed."""
        self._database.rows("UPDATE rate_limits SET last_hit_at = last_hit_at - %s * interval '1 second'", seconds)

    def keys(self) -> set[bytes]:
        return {key for (key,) in self._database.rows("SELECT key FROM rate_limits")}

    def forget(self, keys: set[bytes]) -> None:
        self._database.rows("DELETE FROM rate_limits WHERE key = ANY(%s)", list(keys))

    def hits(self, key: bytes) -> int:
        return int(self._database.value("SELECT hits FROM rate_limits WHERE key = %s", key))

    def set_hits(self, key: bytes, hits: int) -> None:
        self._database.rows("UPDATE rate_limits SET hits = %s WHERE key = %s", hits, key)


@pytest.fixture
def counters(module_database: Database) -> Counters:
    return Counters(module_database)


def statuses(browser: Browser, method: str, path: str, times: int) -> list[int]:
    return [browser.ask(method, f"{BASE}{path}").status for _ in range(times)]


@pytest.mark.parametrize("path", ["/sign-in/email", "/sign-up/email"])
def test_the_fourth_within_ten_seconds_is_refused(browser: Browser, path: str) -> None:
    assert statuses(browser, "POST", path, 3) == [400, 400, 400]
    answer = browser.ask("POST", f"{BASE}{path}")
    assert (answer.status, answer.json(), answer.header("content-type")) == (429, TOO_MANY, "application/json")
    assert answer.header("x-retry-after") == answer.header("retry-after")
    assert 1 <= int(answer.header("x-retry-after") or 0) <= 10


def test_successes_count_too(browser: Browser, counters: Counters, email: str) -> None:
    browser.sign_up(email)
    assert [browser.sign_in(email).status for _ in range(4)] == [200, 200, 200, 429]


def test_the_limit_comes_before_the_404(browser: Browser) -> None:
    assert statuses(browser, "GET", "/sign-in/nowhere", 4) == [404, 404, 404, 429]
    assert statuses(browser, "GET", "/sign-up/email", 4) == [404, 404, 404, 429]


def test_the_limit_comes_before_the_body_and_the_origin(browser: Browser) -> None:
    statuses(browser, "POST", "/sign-in/email", 3)
    sent = {"Content-Type": "text/plain", "Cookie": "a=b", "Origin": "https://evil.example"}
    assert browser.ask("POST", f"{BASE}/sign-in/email", b"{", sent).status == 429


def test_each_path_has_its_own_bucket_and_other_paths_none_so_small(browser: Browser) -> None:
    assert statuses(browser, "POST", "/sign-in/email", 4)[-1] == 429
    assert statuses(browser, "POST", "/sign-up/email", 1) == [400]
    assert statuses(browser, "GET", "/get-session", 20) == [200] * 20
    assert statuses(browser, "POST", "/sign-out", 20) == [200] * 20


def test_a_forwarded_address_buys_no_new_bucket(browser: Browser) -> None:
    answers = [
        browser.ask("POST", f"{BASE}/sign-in/email", None, {"X-Forwarded-For": f"203.0.113.{n}"}) for n in range(4)
    ]
    assert answers[-1].status == 429


def test_a_refused_hit_does_not_extend_the_refusal(browser: Browser, counters: Counters) -> None:
    statuses(browser, "POST", "/sign-in/email", 3)
    counters.age(8)
    assert statuses(browser, "POST", "/sign-in/email", 1) == [429]
    counters.age(2)
    assert statuses(browser, "POST", "/sign-in/email", 1) == [400]


def test_the_wait_is_told_in_seconds_rounded_up(browser: Browser, counters: Counters) -> None:
    statuses(browser, "POST", "/sign-in/email", 3)
    counters.age(7)
    assert browser.ask("POST", f"{BASE}/sign-in/email").header("x-retry-after") in ("2", "3")


def test_three_hits_seven_seconds_apart_fill_the_bucket(browser: Browser, counters: Counters) -> None:
    for _ in range(3):
        assert statuses(browser, "POST", "/sign-in/email", 1) == [400]
        counters.age(7)
    assert statuses(browser, "POST", "/sign-in/email", 1) == [429]
    counters.age(3)
    assert statuses(browser, "POST", "/sign-in/email", 3) == [400, 400, 400]


def test_of_twenty_at_once_on_two_workers_exactly_three_are_let_in(browser: Browser) -> None:
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: Browser(browser.url).sign_in("nobody@example.com"), range(20)))
    assert sorted(answer.status for answer in answers) == [401] * 3 + [429] * 17


def test_the_preflight_of_a_trusted_page_is_not_counted(browser: Browser) -> None:
    asks = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}
    assert [browser.ask("OPTIONS", f"{BASE}/sign-in/email", None, asks).status for _ in range(5)] == [204] * 5
    assert statuses(browser, "POST", "/sign-in/email", 1) == [400]
    answer = browser.ask("OPTIONS", f"{BASE}/sign-in/email", None, {**asks, "Origin": "https://evil.example"})
    assert answer.status == 404


class Guessed:
    """An account somebody guesses at, seen from the counters: one counts the path, the other the account."""

    def __init__(self, browser: Browser, counters: Counters, email: str) -> None:
        self._browser, self._counters, self._email = browser, counters, email
        browser.sign_in("no address", "x")
        self._path_keys = counters.keys()
        assert self.try_password("wrong") == WRONG
        [self.key] = counters.keys() - self._path_keys

    def try_password(self, password: str, email: str | None = None) -> tuple[int, str | None]:
        """One try, when the limit on the path does not matter."""
        self._counters.forget(self._path_keys)
        return self._browser.sign_in(email or self._email, password).problem


@pytest.fixture
def account(browser: Browser, counters: Counters, module_database: Database, email: str) -> str:
    """Ada's address; she has only ever signed in from somewhere else."""
    user_id = browser.sign_up(email).json()["user"]["id"]
    module_database.rows("UPDATE session_list SET ip_address = '192.0.2.1' WHERE user_id = %s", user_id)
    browser.cookies.clear()
    counters.reset()
    return email


def test_at_most_a_hundred_wrong_passwords_an_hour(browser: Browser, counters: Counters, account: str) -> None:
    guessed = Guessed(browser, counters, account)
    assert counters.hits(guessed.key) == 1
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


def test_a_device_the_account_has_signed_in_from_is_not_locked_out(
    browser: Browser, counters: Counters, account: str, module_database: Database
) -> None:
    guessed = Guessed(browser, counters, account)
    counters.set_hits(guessed.key, 100)
    assert guessed.try_password(PASSWORD) == (429, None)
    module_database.rows("UPDATE session_list SET ip_address = '127.0.0.1' WHERE ip_address = '192.0.2.1'")
    assert guessed.try_password(PASSWORD) == (200, None)
    assert guessed.try_password("wrong") == WRONG


def test_a_right_password_is_not_counted(browser: Browser, counters: Counters, account: str) -> None:
    guessed = Guessed(browser, counters, account)
    counters.set_hits(guessed.key, 99)
    assert guessed.try_password(PASSWORD) == (200, None)
    assert counters.hits(guessed.key) == 99


def test_an_address_without_an_account_is_counted_alike(browser: Browser, counters: Counters, email: str) -> None:
    guessed = Guessed(browser, counters, email)
    counters.set_hits(guessed.key, 99)
    assert guessed.try_password("wrong") == WRONG
    assert guessed.try_password("wrong") == (429, None)


def test_no_address_stands_in_the_counters(browser: Browser, counters: Counters, email: str) -> None:
    Guessed(browser, counters, email)
    found = counters.keys()
    assert found
    assert all(len(key) == 32 and email.encode() not in key and b"127.0.0.1" not in key for key in found)
