"""The client's address behind a proxy, as limits and sessions have it in the running application (wire.md A14, A15)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import count

import httpx
import pytest

from tests.api.browser import BASE, Answer, Browser
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import application

HERE = "127.0.0.1"
"""Whom the application sees at the other end of the socket."""
INNER = "10.0.0.2"
"""A proxy in front of the one that asks."""
WRONG = (401, "INVALID_EMAIL_OR_PASSWORD")
TOO_MANY = (429, None)

_numbers = count(1)


@pytest.fixture(scope="module")
def url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """Where the application answers behind proxies it trusts."""
    settings = settings_for(module_database, trusted_proxies=f"{HERE}, {INNER}", rate_limit="on")
    with application(settings, module_clock) as url:
        yield url


@pytest.fixture
def exposed(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """Where it answers when the only proxy it trusts is another."""
    settings = settings_for(module_database, trusted_proxies=INNER, rate_limit="on")
    module_database.rows("DELETE FROM rate_limits")
    with application(settings, module_clock) as url:
        yield url


@pytest.fixture
def client() -> str:
    """An address nobody has asked from."""
    return f"203.0.113.{next(_numbers)}"


def signed_up_from(browser: Browser, email: str, *lines: tuple[str, str]) -> object:
    """The address of the session that a sign-up with these header lines makes."""
    with httpx.Client(base_url=browser.url, headers={"Origin": browser.url}) as asking:
        fields = {"name": "Ada", "email": email, "password": PASSWORD}
        answer = asking.post(f"{BASE}/sign-up/email", json=fields, headers=list(lines))
        assert answer.status_code == 200
        return asking.get(f"{BASE}/get-session", headers=list(lines)).json()["session"]["ipAddress"]


def guess(browser: Browser, forwarded_for: str) -> tuple[int, str | None]:
    """A wrong sign-in, forwarded."""
    fields = {"email": "nobody@example.com", "password": "wrong"}
    answer: Answer = browser.post("/sign-in/email", fields, {"X-Forwarded-For": forwarded_for})
    return answer.problem


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        pytest.param([("X-Forwarded-For", "198.51.100.1")], "198.51.100.1", id="one address"),
        pytest.param([("X-Forwarded-For", "192.0.2.1, 198.51.100.2:443")], "198.51.100.2", id="a list"),
        pytest.param([("x-forwarded-for", "198.51.100.3, 10.0.0.2")], "198.51.100.3", id="two proxies"),
        pytest.param(
            [("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-For", "198.51.100.4")],
            "198.51.100.4",
            id="its own line",
        ),
        pytest.param(
            [("Forwarded", 'for="[2001:DB8::1]:443";proto=https')],
            "2001:0db8:0000:0000:0000:0000:0000:0000",
            id="an element",
        ),
        pytest.param(
            [("Forwarded", 'for="192.0.2.1'), ("Forwarded", "for=198.51.100.5;host=example.com")],
            "198.51.100.5",
            id="an element on its own line",
        ),
        pytest.param([("X-Real-IP", "198.51.100.6")], "198.51.100.6", id="X-Real-IP"),
        pytest.param([("X-Forwarded-For", "198.51.100.7"), ("Forwarded", "for=192.0.2.1")], "", id="two opinions"),
        pytest.param([("X-Forwarded-For", "unknown")], "", id="garbage"),
        pytest.param([], HERE, id="nothing"),
    ],
)
def test_a_session_shows_the_address_the_proxy_forwards(
    browser: Browser, email: str, lines: list[tuple[str, str]], address: str
) -> None:
    assert signed_up_from(browser, email, *lines) == address


def test_each_forwarded_address_has_its_own_limit(browser: Browser, client: str) -> None:
    assert [guess(browser, client) for _ in range(4)] == [WRONG, WRONG, WRONG, TOO_MANY]
    assert guess(browser, f"198.51.100.77, {client}, {INNER}") == TOO_MANY
    assert guess(browser, "198.51.100.77") == WRONG


def test_what_a_client_writes_in_front_buys_no_new_limit(browser: Browser, client: str) -> None:
    guesses = [guess(browser, f"192.0.2.{number}, {client}") for number in range(4)]
    assert guesses == [WRONG, WRONG, WRONG, TOO_MANY]


def test_a_forwarded_ipv6_network_has_one_limit(browser: Browser) -> None:
    guesses = [guess(browser, f"2001:db8:77:1::{number}") for number in range(1, 5)]
    assert guesses == [WRONG, WRONG, WRONG, TOO_MANY]
    assert guess(browser, "2001:db8:77:2::1") == WRONG


def test_who_hides_behind_garbage_shares_one_limit(browser: Browser) -> None:
    guesses = [guess(browser, hidden) for hidden in ("unknown", "_hidden", "fe80::1%eth0", "1.2.3")]
    assert guesses == [WRONG, WRONG, WRONG, TOO_MANY]


def test_a_peer_that_is_no_trusted_proxy_cannot_name_its_address(exposed: str, email: str) -> None:
    lines = [("X-Forwarded-For", "198.51.100.1"), ("Forwarded", "for=198.51.100.1"), ("X-Real-IP", "198.51.100.1")]
    assert signed_up_from(Browser(exposed), email, *lines) == HERE


def test_a_peer_that_is_no_trusted_proxy_has_one_limit_whatever_it_says(
    exposed: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="daybook"):
        guesses = [guess(Browser(exposed), f"198.51.100.{number}, {INNER}") for number in range(4)]
    assert guesses == [WRONG, WRONG, WRONG, TOO_MANY]
    [told] = [record.getMessage() for record in caplog.records if record.name == "daybook"]
    assert "DAYBOOK_TRUSTED_PROXIES" in told
