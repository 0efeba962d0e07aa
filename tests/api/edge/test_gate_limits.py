"""How often one may ask, and how often one account may be guessed at (wire.md §5, A14)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from domain import chance
from tests.api.browser import BASE, DEVICE_COOKIE, Answer, Browser
from tests.api.conftest import settings_for
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import Server, application

SETTINGS = {
    "RATE_LIMIT": "on",
    "TRUSTED_ORIGINS": "https://app.example.com",
    "TRUSTED_PROXIES": "127.0.0.1,::1",
}
TOO_MANY = {"message": "Too many requests. Please try again later."}
WRONG = (401, "INVALID_EMAIL_OR_PASSWORD")
_numbers = count(1)


class Visitor(Browser):
    """Somebody with an address of their own, which a trusted proxy tells."""

    def __init__(self, url: str, address: str) -> None:
        super().__init__(url)
        self.address = address

    def ask(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str | bytes] | None = None
    ) -> Answer:
        return super().ask(method, target, body, {"X-Forwarded-For": self.address, **(headers or {})})

    def statuses(self, method: str, path: str, times: int) -> list[int]:
        """What so many requests come to."""
        return [self.ask(method, f"{BASE}{path}").status for _ in range(times)]


@pytest.fixture
def browser(server: Server) -> Visitor:
    """Somebody from where nobody else has asked."""
    return Visitor(server.url, f"198.51.100.{next(_numbers)}")


class Counters:
    """The counters behind the limits, moved through time instead of waiting."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def age(self, seconds: float) -> None:
        """As if that much time had passed; what is known of refusals in the workers stays."""
        self._database.rows("UPDATE rate_limits SET last_hit_at = last_hit_at - %s * interval '1 second'", seconds)

    def all(self) -> dict[bytes, int]:
        return {key: hits for key, hits in self._database.rows("SELECT key, hits FROM rate_limits")}

    def forget(self, keys: set[bytes]) -> None:
        self._database.rows("DELETE FROM rate_limits WHERE key = ANY(%s)", list(keys))

    def set_hits(self, key: bytes, hits: int) -> None:
        self._database.rows("UPDATE rate_limits SET hits = %s WHERE key = %s", hits, key)


@pytest.fixture
def counters(module_database: Database) -> Counters:
    return Counters(module_database)


def assert_refused(answer: Answer, *, within: range) -> None:
    """The refusal of wire.md §5, for a number of seconds in this range."""
    assert (answer.status, answer.json(), answer.header("content-type")) == (429, TOO_MANY, "application/json")
    assert answer.header("x-retry-after") == answer.header("retry-after")
    assert int(answer.header("retry-after") or 0) in within


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in/email", "/sign-up/email", "/verify-password", "/change-password", "/change-email",
        "/sign-in/nowhere", "/sign-in", "/sign-up-nowhere", "/change-email/nowhere",
    ],
)  # fmt: skip
def test_what_guesses_or_sends_mail_is_admitted_three_times_in_ten_seconds(browser: Visitor, path: str) -> None:
    assert 429 not in browser.statuses("POST", path, 3)
    assert_refused(browser.ask("POST", f"{BASE}{path}"), within=range(9, 11))


@pytest.mark.parametrize(
    "path", ["/request-password-reset", "/send-verification-email", "/forget-password", "/forget-password/email-otp"]
)
def test_what_only_sends_mail_is_admitted_three_times_a_minute(browser: Visitor, path: str) -> None:
    assert 429 not in browser.statuses("POST", path, 3)
    assert_refused(browser.ask("POST", f"{BASE}{path}"), within=range(55, 61))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/get-session", 200),
        ("GET", "/ok", 200),
        ("GET", "/organization/list", 401),
        ("POST", "/sign-out", 200),
        ("GET", "/nowhere", 404),
        ("DELETE", "/get-session", 404),
    ],
    ids=["the session", "ok", "a list", "a command", "an unknown path", "a wrong method"],
)
def test_everything_else_is_admitted_a_hundred_times_in_ten_seconds(
    browser: Visitor, method: str, path: str, status: int
) -> None:
    assert browser.statuses(method, path, 100) == [status] * 100
    assert_refused(browser.ask(method, f"{BASE}{path}"), within=range(9, 11))


def test_successes_count_too(browser: Visitor, email: str) -> None:
    browser.sign_up(email)
    assert [browser.sign_in(email).status for _ in range(4)] == [200, 200, 200, 429]


def test_the_session_is_not_told_to_who_asks_too_often(browser: Visitor, email: str) -> None:
    browser.sign_up(email)
    assert {browser.get("/get-session").status for _ in range(100)} == {200}
    answer = browser.get("/get-session")
    assert_refused(answer, within=range(9, 11))
    assert answer.set_cookies == []


def test_the_limit_comes_before_the_404(browser: Visitor) -> None:
    assert browser.statuses("GET", "/sign-up/email", 4) == [404, 404, 404, 429]


def test_the_limit_comes_before_the_body_and_the_origin(browser: Visitor) -> None:
    browser.statuses("POST", "/sign-in/email", 3)
    sent = {"Content-Type": "text/plain", "Cookie": "a=b", "Origin": "https://evil.example"}
    assert browser.ask("POST", f"{BASE}/sign-in/email", b"{", sent).status == 429


def test_each_path_has_its_own_bucket_whatever_the_method(browser: Visitor) -> None:
    assert browser.statuses("POST", "/sign-in/email", 2) == [400, 400]
    assert browser.statuses("GET", "/sign-in/email", 2) == [404, 429]
    assert browser.statuses("POST", "/sign-up/email", 1) == [400]


def test_paths_nobody_routes_share_one_bucket_so_that_nobody_can_fill_the_table(
    browser: Visitor, counters: Counters
) -> None:
    before = counters.all()
    found = [browser.ask("GET", f"{BASE}/made-up/{number}").status for number in range(105)]
    assert found == [404] * 100 + [429] * 5
    assert [browser.ask("POST", f"{BASE}/sign-in/{number}").status for number in range(5)] == [404] * 3 + [429] * 2
    assert len(counters.all().keys() - before.keys()) == 2
    assert browser.statuses("GET", "/get-session", 1) == [200]
    assert browser.statuses("POST", "/sign-in/email", 1) == [400]


def test_a_path_written_in_another_way_is_the_same_path(browser: Visitor) -> None:
    ways = ["/sign-in/email", "/sign%2Din/email", "/sign-in/%65mail", "/sign-in/email?x=1"]
    assert [browser.ask("POST", f"{BASE}{way}").status for way in ways] == [400, 400, 400, 429]


def test_each_address_has_its_own_bucket(server: Server) -> None:
    for number in range(1, 4):
        assert Visitor(server.url, f"203.0.113.{number}").statuses("POST", "/sign-in/email", 3) == [400] * 3


def test_a_network_of_64_bits_is_one_address(server: Server) -> None:
    neighbours = [Visitor(server.url, f"2001:db8:0:7::{number}") for number in range(4)]
    assert [one.statuses("POST", "/sign-in/email", 1) for one in neighbours] == [[400], [400], [400], [429]]
    assert Visitor(server.url, "2001:db8:0:8::1").statuses("POST", "/sign-in/email", 1) == [400]


def test_without_a_trusted_proxy_a_forwarded_address_buys_no_new_bucket(module_database: Database) -> None:
    with application(settings_for(module_database, rate_limit="on"), chance.now) as url:
        found = [Visitor(url, f"203.0.113.{number}").statuses("POST", "/sign-in/email", 1) for number in range(10, 14)]
    assert found == [[400], [400], [400], [429]]


def test_a_refused_hit_does_not_extend_the_refusal(browser: Visitor, counters: Counters) -> None:
    browser.statuses("POST", "/sign-in/email", 3)
    counters.age(7)
    answer = browser.ask("POST", f"{BASE}/sign-in/email")
    assert_refused(answer, within=range(2, 4))
    over = time.monotonic() + int(answer.header("retry-after") or 0)
    # the header is rounded up by less than a second, and a hit takes its time
    while time.monotonic() < over - 1.5:
        assert browser.statuses("POST", "/sign-in/email", 1) == [429]
    time.sleep(max(0.0, over - time.monotonic()))
    assert browser.statuses("POST", "/sign-in/email", 1) == [400]


def test_three_hits_seven_seconds_apart_fill_the_bucket(browser: Visitor, counters: Counters) -> None:
    for _ in range(3):
        assert browser.statuses("POST", "/sign-in/email", 1) == [400]
        counters.age(7)
    assert_refused(browser.ask("POST", f"{BASE}/sign-in/email"), within=range(2, 4))


def test_a_pause_of_a_window_empties_the_bucket(browser: Visitor, counters: Counters) -> None:
    for _ in range(3):
        assert browser.statuses("POST", "/sign-in/email", 3) == [400] * 3
        counters.age(10)


def test_a_flood_costs_the_database_nothing(browser: Visitor, counters: Counters) -> None:
    # until both workers know
    browser.statuses("POST", "/sign-in/email", 30)
    before = counters.all()
    assert browser.statuses("POST", "/sign-in/email", 100) == [429] * 100
    assert counters.all() == before


def test_of_twenty_at_once_on_two_workers_exactly_three_are_let_in(browser: Visitor) -> None:
    with ThreadPoolExecutor(20) as threads:
        one_each = [Visitor(browser.url, browser.address) for _ in range(20)]
        answers = list(threads.map(lambda one: one.sign_in("nobody@example.com"), one_each))
    assert sorted(answer.status for answer in answers) == [401] * 3 + [429] * 17


def test_the_preflight_of_a_trusted_page_is_not_counted(browser: Visitor) -> None:
    asks = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}
    assert [browser.ask("OPTIONS", f"{BASE}/sign-in/email", None, asks).status for _ in range(5)] == [204] * 5
    assert browser.statuses("POST", "/sign-in/email", 1) == [400]
    answer = browser.ask("OPTIONS", f"{BASE}/sign-in/email", None, {**asks, "Origin": "https://evil.example"})
    assert answer.status == 404


def test_a_trusted_page_can_read_how_long_to_wait(browser: Visitor) -> None:
    page = {"Origin": "https://app.example.com"}
    answers = [browser.ask("POST", f"{BASE}/sign-in/email", None, page) for _ in range(4)]
    assert_refused(answers[-1], within=range(9, 11))
    assert answers[-1].header("access-control-allow-origin") == "https://app.example.com"
    assert "retry-after" in (answers[-1].header("access-control-expose-headers") or "")


def test_health_and_documentation_are_not_counted(browser: Visitor, counters: Counters) -> None:
    before = counters.all()
    for path in ("/healthz", "/readyz", "/docs", "/openapi.json", "/nowhere", BASE):
        assert 429 not in {browser.ask("GET", path).status for _ in range(110)}
    assert counters.all() == before


def test_nothing_is_counted_if_the_limits_are_off(module_database: Database, counters: Counters) -> None:
    before = counters.all()
    with application(settings_for(module_database), chance.now) as url:
        visitor = Visitor(url, "203.0.113.99")
        assert visitor.statuses("GET", "/get-session", 110) == [200] * 110
        assert visitor.statuses("POST", "/sign-in/email", 10) == [400] * 10
        assert visitor.sign_in("nobody@example.com").status == 401
    assert counters.all() == before


def test_without_a_database_nobody_is_let_in_uncounted(module_database: Database) -> None:
    with application(settings_for(module_database, rate_limit="on"), chance.now) as url:
        visitor = Visitor(url, "203.0.113.98")
        assert visitor.statuses("GET", "/get-session", 1) == [200]
        with module_database.away():
            assert visitor.ask("GET", f"{BASE}/get-session").problem == (503, "SERVICE_UNAVAILABLE")
            assert visitor.ask("GET", f"{BASE}/nowhere").problem == (503, "SERVICE_UNAVAILABLE")
        assert visitor.statuses("GET", "/get-session", 1) == [200]
        assert visitor.statuses("GET", "/nowhere", 1) == [404]


class Guessed:
    """An account somebody guesses at, seen from the counters: one counts the path, the other the account."""

    def __init__(self, browser: Visitor, counters: Counters, email: str) -> None:
        self._browser, self._counters, self._email = browser, counters, email
        browser.sign_in("no address", "x")
        self._path_keys = set(counters.all())
        assert self.try_password("wrong") == WRONG
        [self.key] = counters.all().keys() - self._path_keys

    @property
    def hits(self) -> int:
        """What is counted of the account."""
        return self._counters.all()[self.key]

    def try_password(self, password: str, email: str | None = None) -> tuple[int, str | None]:
        """One try, when the limit on the path does not matter."""
        self._counters.forget(self._path_keys)
        return self._browser.sign_in(email or self._email, password).problem


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
    with application(settings_for(module_database, rate_limit="on", wrong_passwords=2), chance.now) as url:
        browser = Browser(url)
        assert browser.sign_up(email).status == 200
        known = dict(browser.cookies)
        browser.cookies.clear()
        assert [browser.sign_in(email, "wrong").problem for _ in range(3)] == [WRONG, WRONG, (429, None)]
        module_database.rows("DELETE FROM rate_limits WHERE get_byte(key, 0) = 1")
    with application(settings_for(module_database, rate_limit="on", wrong_passwords=2), chance.now) as url:
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
