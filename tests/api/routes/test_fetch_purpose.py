"""Links that act when they are opened do nothing for a browser that fetches them ahead, or beside a page (A42)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.browser import BASE, Answer, Browser
from tests.api.conftest import HandClock
from tests.api.routes.mailbox import Postman, postman_of, serving
from tests.databases import Database

UNOPENED = [
    {"Sec-Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch;prerender"},
    {"Sec-Purpose": "Prerender"},
    {"Purpose": "prefetch"},
    {"X-Moz": "prefetch"},
    {"Sec-Fetch-Dest": "image"},
    {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Mode": "navigate"},
    {"Sec-Fetch-Dest": ""},
]
OPENED = [
    {},
    {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-site"},
]
BY_A_SCRIPT_OF_ANOTHER_SITE = {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "cross-site"}
NOTHING: tuple[int, bytes, list[str]] = (400, b"", [])
ATTEMPTS = "SELECT count(*) FROM attempts"


@pytest.fixture(scope="module")
def postman(module_database: Database, module_clock: HandClock, tmp_path_factory: pytest.TempPathFactory) -> Postman:
    settings = {"deletion_by_mail": "on", "email_verification": "asked"}
    return postman_of(module_database, module_clock, tmp_path_factory, **settings)


@pytest.fixture(scope="module")
def url(postman: Postman) -> Iterator[str]:
    with serving(postman) as url:
        yield url


@pytest.fixture
def verifying(browser: Browser, email: str, postman: Postman) -> str:
    """The link that verifies the address of who has just signed up."""
    assert browser.sign_up(email).status == 200
    return postman.link_to(email).route.removeprefix(BASE)


@pytest.fixture
def deleting(browser: Browser, email: str, verifying: str, postman: Postman) -> str:
    """The one that deletes their account."""
    assert browser.post("/delete-user", {}).status == 200
    return postman.link_to(email).route.removeprefix(BASE)


def answered(answer: Answer) -> tuple[int, bytes, list[str]]:
    return answer.status, answer.content, answer.set_cookies


def is_verified(browser: Browser) -> object:
    return browser.get("/get-session").json()["user"]["emailVerified"]


@pytest.mark.parametrize("headers", UNOPENED)
def test_what_nobody_opens_does_nothing_and_is_no_attempt(
    browser: Browser, verifying: str, deleting: str, headers: dict[str, str], module_database: Database
) -> None:
    events, attempts = "SELECT count(*) FROM events", module_database.value(ATTEMPTS)
    before = module_database.value(events)
    for link in (verifying, deleting):
        assert answered(browser.get(link, headers)) == NOTHING
    assert (module_database.value(events), module_database.value(ATTEMPTS)) == (before, attempts)
    assert is_verified(browser) is False
    # and the link is as good as before
    assert browser.get(verifying).status in (200, 302)
    assert is_verified(browser) is True
    assert browser.get(deleting).status in (200, 302)
    assert browser.session() is None


@pytest.mark.parametrize("headers", OPENED)
def test_what_a_person_opens_does_what_it_is_for(
    browser: Browser, verifying: str, deleting: str, headers: dict[str, str]
) -> None:
    assert browser.get(verifying, headers).status in (200, 302)
    assert is_verified(browser) is True
    assert browser.get(deleting, headers).status in (200, 302)
    assert browser.session() is None


def test_a_script_of_another_site_verifies_an_address_and_deletes_nobody(
    browser: Browser, verifying: str, deleting: str
) -> None:
    assert answered(browser.get(deleting, BY_A_SCRIPT_OF_ANOTHER_SITE)) == NOTHING
    assert browser.get(verifying, BY_A_SCRIPT_OF_ANOTHER_SITE).status in (200, 302)
    assert is_verified(browser) is True
