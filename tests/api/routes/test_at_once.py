"""What one person does several times at once is done, every time: nobody is told to try again for that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.api.browser import Answer, Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.fellows import Person, new_slug
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import application

TIMES = 10


@pytest.fixture(scope="module")
def url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """An application behind a proxy that says from where somebody asks."""
    with application(settings_for(module_database, trusted_proxies="127.0.0.1,::1"), module_clock) as url:
        yield url


def at_once(times: int, act: Callable[[int], Answer]) -> list[int]:
    """The statuses of so many that start together."""
    start = Barrier(times)

    def one(number: int) -> int:
        start.wait(30)
        return act(number).status

    with ThreadPoolExecutor(times) as threads:
        return sorted(threads.map(one, range(times)))


def tab(browser: Browser) -> Browser:
    """Another tab of the same browser."""
    other = Browser(browser.url)
    other.cookies = dict(browser.cookies)
    return other


def test_ten_changes_of_one_person(browser: Browser, email: str) -> None:
    browser.sign_up(email)
    for _ in range(3):
        found = at_once(TIMES, lambda number: tab(browser).post("/update-user", {"name": f"Ada {number}"}))
        assert found == [200] * TIMES


def test_ten_sign_ins_from_one_device(browser: Browser, email: str) -> None:
    browser.sign_up(email)
    assert at_once(TIMES, lambda _: tab(browser).sign_in(email)) == [200] * TIMES


def test_six_confirmations_of_a_password(browser: Browser, email: str) -> None:
    browser.sign_up(email)
    found = at_once(6, lambda _: tab(browser).post("/verify-password", {"password": PASSWORD}))
    assert found == [200] * 6


def test_eight_commands_of_one_session_from_another_browser(browser: Browser, email: str) -> None:
    browser.sign_up(email)
    for number in range(3):
        elsewhere = {"X-Forwarded-For": f"192.0.2.{number}", "User-Agent": f"Another {number}"}
        found = at_once(8, lambda turn: tab(browser).post("/update-user", {"name": f"Ada {turn}"}, elsewhere))  # noqa: B023
        assert found == [200] * 8


def test_eight_commands_of_one_session_that_is_renewed(browser: Browser, email: str, clock: HandClock) -> None:
    browser.sign_up(email)
    clock.wind(days=2)
    found = at_once(8, lambda turn: tab(browser).post("/update-user", {"name": f"Ada {turn}"}))
    assert found == [200] * 8


def test_ten_members_of_one_organization_are_made_something_else(url: str, clock: HandClock) -> None:
    ada, bo = Person(url, "Ada"), Person(url, "Bo")
    ada.founds(new_slug())
    member_id = ada.takes_in(bo)
    roles = ("admin", "member")

    def change(number: int) -> Answer:
        fields = {"memberId": member_id, "role": roles[number % 2]}
        return tab(ada).post("/organization/update-member-role", fields)

    assert at_once(TIMES, change) == [200] * TIMES


def test_of_six_changes_of_a_password_with_the_same_old_one_one_happens(browser: Browser, email: str) -> None:
    """The others are told that it is wrong by now."""
    browser.sign_up(email)

    def change(number: int) -> Answer:
        fields = {"currentPassword": PASSWORD, "newPassword": f"battery staple {number}"}
        return tab(browser).post("/change-password", fields)

    assert at_once(6, change) == [200] + [400] * 5
