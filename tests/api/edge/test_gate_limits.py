"""How often one may ask (wire.md §5)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from domain import clock as system_clock
from tests.api.browser import BASE
from tests.api.conftest import settings_for
from tests.api.edge.limited import SETTINGS, Counters, Visitor, a_visitor, assert_refused
from tests.databases import Database
from tests.server import Server, application

__all__ = ["SETTINGS"]  # what the server of a module is started with


@pytest.fixture
def browser(server: Server) -> Visitor:
    """Somebody from where nobody else has asked."""
    return a_visitor(server.url)


@pytest.fixture
def counters(module_database: Database) -> Counters:
    return Counters(module_database)


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in/email", "/sign-up/email", "/verify-password", "/change-password", "/change-email",
        "/delete-user", "/sign-in/nowhere", "/sign-in", "/sign-up-nowhere", "/change-email/nowhere",
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


def test_a_backend_that_checks_many_sessions_is_counted_by_session(server: Server, email: str) -> None:
    backend = a_visitor(server.url)
    cookies, tokens = list[str](), list[str]()
    for number in range(3):
        person = a_visitor(server.url)
        tokens.append(person.sign_up(f"{number}.{email}").headers["set-auth-token"])
        cookies.append(person.cookie_header)

    def checked(headers: dict[str, str], times: int) -> list[int]:
        return [backend.ask("GET", f"{BASE}/get-session", None, headers).status for _ in range(times)]

    assert checked({"Cookie": cookies[0]}, 101) == [200] * 100 + [429]
    assert checked({"Cookie": cookies[1]}, 100) == [200] * 100
    assert checked({"Authorization": f"Bearer {tokens[2]}"}, 100) == [200] * 100
    # the same session, shown in the other way
    assert checked({"Authorization": f"Bearer {tokens[1]}"}, 1) == checked({"Cookie": cookies[2]}, 1) == [429]


def test_a_session_is_known_by_its_cookie_whatever_else_is_authorized(server: Server, email: str) -> None:
    site, people = a_visitor(server.url), [a_visitor(server.url) for _ in range(2)]
    for number, person in enumerate(people):
        person.sign_up(f"{number}.{email}")
        # the site is behind a password of its own, and the backend hands on what it was given
        sent = {"Cookie": person.cookie_header, "Authorization": "Basic c3RhZ2luZzp4"}
        assert {site.ask("GET", f"{BASE}/get-session", None, sent).status for _ in range(100)} == {200}


@pytest.mark.parametrize("path", ["/get-session", "/organization/list", "/organization/list-members"])
def test_sessions_that_are_over_bring_no_limits_of_their_own(server: Server, email: str, path: str) -> None:
    somewhere, over = a_visitor(server.url), list[str]()
    for number in range(3):
        person = a_visitor(server.url)
        person.sign_up(f"{number}.{email}")
        over.append(person.cookie_header)
        person.post("/sign-out", {})
    found = [somewhere.ask("GET", f"{BASE}{path}", None, {"Cookie": over[number % 3]}).status for number in range(101)]
    assert (set(found[:100]), found[100]) == ({200 if path == "/get-session" else 401}, 429)


def test_one_that_is_over_in_front_of_one_that_lives_brings_none_either(server: Server, email: str) -> None:
    somewhere, device = a_visitor(server.url), a_visitor(server.url)
    device.sign_up(email)
    alive, statuses = device.cookie_header, list[int]()
    for _ in range(2):
        other = a_visitor(server.url)
        other.sign_in(email)
        token = next(f"{name}={value}" for name, value in other.cookies.items() if name.endswith("session_token"))
        other.post("/sign-out", {})
        sent = {"Cookie": f"{token}; {alive}"}
        statuses += [somewhere.ask("GET", f"{BASE}/list-sessions", None, sent).status for _ in range(60)]
    assert statuses == [200] * 100 + [429] * 20


def test_what_asks_nobody_who_they_are_is_counted_by_address_whoever_asks(server: Server, email: str) -> None:
    somewhere, sent = a_visitor(server.url), list[str]()
    for number in range(2):
        person = a_visitor(server.url)
        person.sign_up(f"{number}.{email}")
        sent.append(person.cookie_header)
    target = f"{BASE}/invitation/check?id=zz"
    found = [somewhere.ask("GET", target, None, {"Cookie": sent[number % 2]}).status for number in range(101)]
    assert (429 in found[:100], found[100]) == (False, 429)


def test_pictures_share_a_bucket_of_a_thousand_by_address_whoever_looks_at_them(
    server: Server, counters: Counters, email: str
) -> None:
    before, person, path = counters.all(), a_visitor(server.url), "/picture/" + "f" * 32
    sent = {"Authorization": f"Bearer {person.sign_up(email).headers['set-auth-token']}"}
    assert person.statuses("GET", path, 150) == [404] * 150
    other = {person.ask("GET", f"{BASE}/picture/{number:032x}", None, sent).status for number in range(50)}
    assert other == {404}
    counted = [key for key, hits in counters.all().items() if key not in before and hits == 200]
    assert len(counted) == 1
    counters.set_hits(counted[0], 999)
    assert person.ask("GET", f"{BASE}{path}", None, sent).status == 404
    assert_refused(person.ask("GET", f"{BASE}{path}", None, sent), within=range(1, 11))
    assert person.ask("GET", f"{BASE}/get-session", None, sent).status == 200
    assert a_visitor(server.url).statuses("GET", path, 1) == [404]


@pytest.mark.parametrize("guess", ["Cookie", "bare", "signed"])
def test_who_guesses_sessions_is_counted_by_address(server: Server, email: str, guess: str) -> None:
    guesser, person = a_visitor(server.url), a_visitor(server.url)
    secret = person.sign_up(email).json()["token"]

    def headers(number: int) -> dict[str, str]:
        wrong = f"{number:032}.{'A' * 43}="
        if guess == "Cookie":
            return {"Cookie": f"better-auth.session_token={wrong}"}
        return {"Authorization": f"Bearer {wrong if guess == 'signed' else secret[:28] + f'{number:04}'}"}

    found = [guesser.ask("GET", f"{BASE}/get-session", None, headers(number)).status for number in range(101)]
    assert found == [200] * 100 + [429]


def test_a_command_is_counted_by_address_whoever_gives_it(server: Server, email: str) -> None:
    ada = a_visitor(server.url)
    ada.sign_up(email)
    statuses = [ada.post("/verify-password", {"password": "wrong horse 1"}).status for _ in range(4)]
    assert statuses == [400, 400, 400, 429]


def test_a_network_of_64_bits_is_one_address(server: Server) -> None:
    neighbours = [Visitor(server.url, f"2001:db8:0:7::{number}") for number in range(4)]
    assert [one.statuses("POST", "/sign-in/email", 1) for one in neighbours] == [[400], [400], [400], [429]]
    assert Visitor(server.url, "2001:db8:0:8::1").statuses("POST", "/sign-in/email", 1) == [400]


def test_without_a_trusted_proxy_a_forwarded_address_buys_no_new_bucket(module_database: Database) -> None:
    with application(settings_for(module_database, rate_limit="on"), system_clock.now) as url:
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
    for path in ("/healthz", "/readyz", "/docs", "/openapi.json", BASE):
        assert 429 not in {browser.ask("GET", path).status for _ in range(110)}
    assert counters.all() == before


def test_nothing_is_counted_if_the_limits_are_off(module_database: Database, counters: Counters) -> None:
    before = counters.all()
    with application(settings_for(module_database), system_clock.now) as url:
        visitor = Visitor(url, "203.0.113.99")
        assert visitor.statuses("GET", "/get-session", 110) == [200] * 110
        assert visitor.statuses("POST", "/sign-in/email", 10) == [400] * 10
        assert visitor.sign_in("nobody@example.com").status == 401
    assert counters.all() == before


def test_without_a_database_nobody_is_let_in_uncounted(module_database: Database) -> None:
    with application(settings_for(module_database, rate_limit="on"), system_clock.now) as url:
        visitor = Visitor(url, "203.0.113.98")
        assert visitor.statuses("GET", "/get-session", 1) == [200]
        with module_database.away():
            assert visitor.ask("GET", f"{BASE}/get-session").problem == (503, "SERVICE_UNAVAILABLE")
            assert visitor.ask("GET", f"{BASE}/nowhere").problem == (503, "SERVICE_UNAVAILABLE")
        assert visitor.statuses("GET", "/get-session", 1) == [200]
        assert visitor.statuses("GET", "/nowhere", 1) == [404]
