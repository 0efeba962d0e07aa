"""Pages that come between a form and what it does: confirming that it is still you, and what is refused meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.api.browser import Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.pages.test_activity_page import until_told
from tests.api.pages.visitor import Page, Visitor
from tests.api.routes.fellows import Person
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import application


@pytest.fixture(scope="module")
def url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """Where a profile is changed only by who has just shown that it is them."""
    settings = settings_for(module_database, fresh_for=600, fresh_calls="update-user,change-password")
    with application(settings, module_clock) as url:
        yield url


def visitor_as(browser: Browser) -> Visitor:
    """At the browser of somebody who is signed in."""
    visitor = Visitor(browser.url)
    visitor.browser.cookies |= browser.cookies
    return visitor


def test_what_was_asked_for_is_done_once_it_is_confirmed(url: str, clock: HandClock) -> None:
    visitor = visitor_as(Person(url, "Ada"))
    visitor.open("/account/settings")
    clock.wind(hours=1)
    assert visitor.press("Save", name="Countess & Co. #1").status == 403
    assert visitor.press("Confirm", confirm_password="not it at all 1").status == 403
    page = visitor.press("Confirm", confirm_password=PASSWORD)
    assert page.notices == ["Your profile is saved."]
    assert page.forms[1].fields["name"] == "Countess & Co. #1"


def test_a_password_is_changed_by_who_gives_the_present_one_with_it_however_long_ago_they_did(
    url: str, clock: HandClock
) -> None:
    ada = Person(url, "Ada")
    visitor = visitor_as(ada)
    visitor.open("/account/settings")
    clock.wind(hours=1)
    wrong = visitor.press("Change password", current_password="not it at all 1", password="battery staple 2 horses")
    assert wrong.alerts == ["That did not work This is not your password."]
    page = visitor.press("Change password", current_password=PASSWORD, password="battery staple 2 horses")
    assert page.notices == ["Your password is changed, and all your other devices are signed out."]
    assert Browser(url).sign_in(ada.email, "battery staple 2 horses").status == 200


def test_who_was_signed_out_enters_passwords_again_and_is_told_so(url: str, clock: HandClock) -> None:
    ada = Person(url, "Ada")
    visitor = visitor_as(ada)
    visitor.open("/account/settings")
    ada.post("/sign-out")
    page = visitor.press("Change password", current_password=PASSWORD, password="battery staple 2 horses")
    assert page.status == 401
    assert page.notices == [
        "Your session ended. Sign in again, and enter once more what you entered: passwords are kept nowhere."
    ]
    assert "battery" not in page.answer.content.decode()
    page = visitor.press("Sign in", email=ada.email, password=PASSWORD)
    assert (page.status, visitor.path) == (200, "/account/settings")
    visitor.press("Change password", current_password=PASSWORD, password="battery staple 2 horses")
    assert Browser(url).sign_in(ada.email, "battery staple 2 horses").status == 200


@pytest.mark.parametrize("referer", ["http://[", "https://evil.example//evil.example/x", "", "javascript:alert(1)"])
def test_whatever_a_form_says_of_its_page_nobody_is_led_elsewhere(url: str, clock: HandClock, referer: str) -> None:
    ada = Person(url, "Ada")
    visitor = Visitor(url)
    answer = visitor.browser.ask(
        "POST",
        "/account/password",
        b"current_password=x&password=y",
        {"Content-Type": "application/x-www-form-urlencoded", "Origin": visitor.browser.origin, "Referer": referer},
    )
    visitor.page = Page(answer)
    page = visitor.press("Sign in", email=ada.email, password=PASSWORD)
    assert (page.status, visitor.path) == (200, "/account/settings")


def test_a_wrong_confirmation_is_told_as_a_guess_is(url: str, clock: HandClock, module_database: Database) -> None:
    visitor = visitor_as(Person(url, "Ada"))
    visitor.open("/account/settings")
    clock.wind(hours=1)
    visitor.press("Save", name="Countess")
    visitor.press("Confirm", confirm_password="not it at all 1")
    until_told(visitor, module_database, "Somebody tried to change the name or picture, but entered a wrong password")


@pytest.fixture
def braked(database: Database, clock: HandClock) -> Iterator[str]:
    """Where an account may be guessed at once an hour, and by its devices and sessions not much oftener."""
    limits = {"rate_limit": "on", "wrong_passwords": 1, "trusted_proxies": "127.0.0.1"}
    with application(settings_for(database, fresh_for=600, fresh_calls="update-user", **limits), clock) as url:
        yield url


def is_told_when_to_try_again(page: Page) -> None:
    seconds = int(page.answer.header("retry-after") or 0)
    assert 3_500 < seconds <= 3_600
    assert page.answer.header("x-retry-after") == str(seconds)
    [alert] = page.alerts
    assert re.search(r"You can try again in (59|60) minutes\.", alert)


def test_who_confirms_wrongly_too_often_is_told_when_to_try_again(braked: str, clock: HandClock) -> None:
    visitor = visitor_as(Person(braked, "Ada"))
    visitor.open("/account/settings")
    clock.wind(hours=1)
    visitor.press("Save", name="Countess")
    pages = [visitor.press("Confirm", confirm_password="not it at all 1") for _ in range(4)]
    assert [page.status for page in pages] == [403, 403, 403, 429]
    # three in ten seconds, with whichever form it comes
    assert 0 < int(pages[-1].answer.header("retry-after") or 0) <= 10
    assert visitor.send("/account/keys/end-all", {"confirm_password": PASSWORD}).status == 429
    visitor.browser_headers["X-Forwarded-For"] = "192.0.2.77"
    pages = [visitor.press("Confirm", confirm_password="not it at all 1") for _ in range(2)]
    is_told_when_to_try_again(pages[-1])
    assert visitor.press("Confirm", confirm_password=PASSWORD).status == 429


def test_so_is_who_signs_in_wrongly_too_often(braked: str) -> None:
    ada = Person(braked, "Ada")
    visitor = Visitor(braked)
    visitor.open("/sign-in")
    pages = [visitor.press("Sign in", email=ada.email, password="not it at all 1") for _ in range(2)]
    assert [page.status for page in pages] == [400, 429]
    is_told_when_to_try_again(pages[-1])
    assert pages[-1].forms[0].fields["email"] == ada.email


def test_no_form_sends_a_field_twice_when_it_is_confirmed(url: str, clock: HandClock) -> None:
    visitor = visitor_as(Person(url, "Ada"))
    visitor.open("/account/settings")
    clock.wind(hours=1)
    visitor.press("Save", name="Countess")
    page = visitor.press("Confirm", confirm_password="not it at all 1")
    elsewhere = {None, "next", "language"}
    names = [given.get("name") for tag, given in page.elements if tag == "input"]
    assert sorted(str(name) for name in names if name not in elsewhere) == ["confirm_password", "made_for", "name"]


def test_what_could_not_be_sent_with_a_password_beside_it_is_too_much_before_anybody_enters_one(
    url: str, clock: HandClock
) -> None:
    visitor = visitor_as(Person(url, "Ada"))
    clock.wind(hours=1)
    assert visitor.send("/account/profile", {"name": "Countess", "more": "x" * 65_000}).status == 413
    assert visitor.send("/account/profile", {"name": "Countess", "more": "x" * 60_000}).status == 403
    page = visitor.press("Confirm", confirm_password="字" * 128)
    assert page.alerts == ["That did not work This is not your password."]
    assert visitor.press("Confirm", confirm_password=PASSWORD).notices == ["Your profile is saved."]


def test_who_was_removed_while_the_page_was_open_is_told_so(url: str, clock: HandClock) -> None:
    ada, bo = Person(url, "Ada"), Person(url, "Bo")
    organization = ada.done("create", name="Acme", slug=f"acme-{ada.user_id[:8]}-{ada.email[:5]}")["id"]
    link = ada.done("invite-member", email=bo.email, role="admin")["id"]
    bo.done("accept-invitation", invitationId=link)
    visitor = visitor_as(bo)
    visitor.open("/organization/members")
    ada.done("remove-member", memberIdOrEmail=bo.email, organizationId=organization)
    page = visitor.press("Generate invitation link", email="dee@example.com")
    assert "You do not belong to this organization any more." in page.text
    assert "could not be understood" not in page.text
