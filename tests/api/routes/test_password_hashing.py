"""Passwords over the wire: lengths, the cost of their hashes, and what a full queue answers (wire.md §1, §9, §16)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from tests.api.browser import Browser
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import application

TOO_SHORT = {"message": "Password too short", "code": "PASSWORD_TOO_SHORT"}
TOO_LONG = {"message": "Password too long", "code": "PASSWORD_TOO_LONG"}
OWASP = "$argon2id$v=19$m=19456,t=2,p=1$"
COSTLIER = "$argon2id$v=19$m=19456,t=3,p=1$"
ANIMALS = [chr(0x1F400 + 7 * number % 64) for number in range(64)]
"""Each of two UTF-16 units."""
SLOW = 8
"""Passes that make one hash last long enough for a queue to form."""


def stored(database: Database, user_id: str) -> tuple[int, str]:
    """Version and hash of the person's password."""
    rows = database.rows("SELECT password_version, hash FROM credentials WHERE user_id = %s", UUID(user_id))
    [(version, encoded)] = rows
    return version, encoded


@pytest.mark.parametrize("password", ["jx4p9wqk", "🐎🦊🐙🦉🐝🦋🐞", "çéàèùâêî", "".join(ANIMALS), " horse 1 mill "])
def test_a_password_has_8_to_128_utf_16_units(browser: Browser, email: str, password: str) -> None:
    assert browser.sign_up(email, password=password).status == 200
    assert browser.sign_in(email, password).status == 200
    assert browser.sign_in(email, password[:-1]).status == 401


@pytest.mark.parametrize("password", ["1234567", "🐎🐎🐎", "1"])
def test_fewer_are_too_short(browser: Browser, email: str, password: str) -> None:
    answer = browser.sign_up(email, password=password)
    assert (answer.status, answer.json(), answer.set_cookies) == (400, TOO_SHORT, [])
    assert browser.sign_in(email, password).status == 401


@pytest.mark.parametrize("password", ["x" * 129, "🐎" * 64 + "x", "x" * 40_000])
def test_more_are_too_long_for_either(browser: Browser, email: str, password: str) -> None:
    answer = browser.sign_up(email, password=password)
    assert (answer.status, answer.json()) == (400, TOO_LONG)
    browser.sign_up(email)
    for address in (email, f"x{email}"):
        answer = browser.sign_in(address, password)
        assert (answer.status, answer.json()) == (400, TOO_LONG)


def test_a_taken_address_with_a_bad_password_is_told_of_the_password(browser: Browser, email: str) -> None:
    browser.sign_up(email)
    assert browser.sign_up(email, password="short").problem == (400, "PASSWORD_TOO_SHORT")


def test_every_character_counts_also_the_last_and_its_case(browser: Browser, email: str) -> None:
    long = "correct horse 1" + "x" * 112 + "y"
    browser.sign_up(email, password=long)
    for wrong in (long[:-1], long[:-1] + "z", long.upper(), f" {long[:-1]}"):
        assert browser.sign_in(email, wrong).status == 401


def test_the_same_characters_from_another_keyboard_are_the_same_password(browser: Browser, email: str) -> None:
    browser.sign_up(email, password="caf\u00e9 cr\u00e8me")
    assert browser.sign_in(email, "cafe\u0301 cre\u0300me").status == 200


def test_a_hash_costs_what_owasp_asks_for(browser: Browser, email: str, module_database: Database) -> None:
    user_id = browser.sign_up(email).json()["user"]["id"]
    version, encoded = stored(module_database, user_id)
    assert (version, encoded[: len(OWASP)]) == (1, OWASP)


def test_a_sign_in_renews_a_hash_of_another_cost(
    browser: Browser, clock: HandClock, email: str, module_database: Database
) -> None:
    user_id = browser.sign_up(email).json()["user"]["id"]
    _, before = stored(module_database, user_id)
    events = module_database.value("SELECT count(*) FROM events WHERE stream_id = %s", UUID(user_id))
    with application(settings_for(module_database, argon2_time=3), clock) as url:
        costlier = Browser(url)
        assert costlier.sign_in(email, "wrong password").status == 401
        assert stored(module_database, user_id) == (1, before)
        assert costlier.sign_in(email).status == 200
        version, renewed = stored(module_database, user_id)
        assert (version, renewed[: len(COSTLIER)]) == (1, COSTLIER)
        assert costlier.sign_in(email).status == 200
        assert stored(module_database, user_id) == (1, renewed)
    assert browser.session() is not None
    assert browser.sign_in(email).status == 200
    assert module_database.value("SELECT count(*) FROM events WHERE stream_id = %s", UUID(user_id)) == events


@pytest.fixture(scope="module")
def slow_url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """Where hashes take long."""
    with application(settings_for(module_database, argon2_time=SLOW), module_clock) as url:
        yield url


def test_an_unknown_address_costs_a_hash_too(slow_url: str, clock: HandClock, email: str) -> None:
    browser = Browser(slow_url)
    browser.sign_up(email)

    def fastest(address: str) -> float:
        def once() -> float:
            began = time.monotonic()
            assert browser.sign_in(address, "wrong password").status == 401
            return time.monotonic() - began

        return min(once() for _ in range(3))

    assert fastest(f"x{email}") > 0.5 * fastest(email)


def test_a_full_queue_says_come_again_while_others_are_served(slow_url: str, clock: HandClock, email: str) -> None:
    signed_in = Browser(slow_url)
    signed_in.sign_up(email)
    with ThreadPoolExecutor(60) as threads:
        waiting = [threads.submit(lambda: Browser(slow_url).sign_in(email, "wrong password")) for _ in range(60)]
        looks, slowest = 0, 0.0
        while not all(future.done() for future in waiting):
            began = time.monotonic()
            assert signed_in.session() is not None
            assert signed_in.get("/organization/list").status == 200
            looks, slowest = looks + 1, max(slowest, time.monotonic() - began)
        answers = [future.result() for future in waiting]
    turned_away = [answer for answer in answers if answer.status == 503]
    assert {answer.status for answer in answers} == {401, 503}
    assert {answer.json()["code"] for answer in turned_away} == {"SERVICE_UNAVAILABLE"}
    assert {answer.header("retry-after") for answer in turned_away} == {"1"}
    assert looks > 3
    assert slowest < 2.0
    assert Browser(slow_url).sign_in(email, PASSWORD).status == 200
