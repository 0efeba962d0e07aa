"""What happens under one's feet while a page is open: never a stack, a blank page or a lie, and always a way on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.browser import Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.pages.test_members_page import invited, joined, signed_up
from tests.api.pages.visitor import Page, Visitor
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import application


@pytest.fixture
def ada(url: str, email: str) -> Visitor:
    visitor = signed_up(url, "Ada Lovelace", email)
    visitor.open("/organizations")
    visitor.press("Found it", name="Analytical Engines", slug=f"engines-{email.partition('@')[0]}")
    return visitor


def is_helpful(page: Page) -> None:
    """It says something in words, and leads on."""
    assert page.title.endswith(" · Daybook")
    assert page.links or page.forms
    assert "Traceback" not in page.text


def test_who_lost_the_role_while_the_page_was_open_is_told_who_may(ada: Visitor, url: str, email: str) -> None:
    bo = joined(ada, url, f"bo.{email}", "admin")
    bo.open("/organization/members?role=member")
    bo.open("/organization/members")
    ada.open("/organization/members?role=admin")
    ada.press("Save roles", admin="", member_role="on")
    page = bo.press("Generate invitation link", email=f"cy.{email}", role="member")
    assert page.status == 400
    assert "Only owners and admins may invite people." in page.text
    is_helpful(page)
    assert "Generate invitation link" not in page.text


def test_who_was_removed_while_the_page_was_open_is_led_on(ada: Visitor, url: str, email: str) -> None:
    bo = joined(ada, url, f"bo.{email}", "admin")
    bo.open("/organization/members")
    ada.open("/organization/members?role=admin")
    ada.press("Remove")
    page = bo.press("Generate invitation link", email=f"cy.{email}", role="member")
    assert page.status in (400, 403, 404)
    is_helpful(page)


def test_an_organization_that_was_deleted_under_ones_feet_says_so(ada: Visitor, url: str, email: str) -> None:
    bo = joined(ada, url, f"bo.{email}", "admin")
    bo.open("/organization/members")
    ada.open("/organization/settings")
    ada.press("Delete it for good", name="Analytical Engines")
    page = bo.press("Generate invitation link", email=f"cy.{email}", role="member")
    assert page.status in (400, 404)
    assert "There is no such organization any more." in page.text
    is_helpful(page)


def test_an_invitation_that_was_taken_back_between_showing_and_accepting_says_so(
    ada: Visitor, url: str, email: str
) -> None:
    bos = f"bo.{email}"
    bo = signed_up(url, "Bo", bos)
    bo.open(invited(ada, bos))
    ada.press("Take back")
    page = bo.press("Accept")
    assert page.status == 404
    assert "It was taken back. Ask who invited you for a new one." in page.text
    is_helpful(page)


def test_an_invitation_that_was_taken_back_while_somebody_signed_up_by_it_opens_no_account(
    ada: Visitor, url: str, email: str
) -> None:
    bos = f"bo.{email}"
    bo = Visitor(url)
    bo.open(invited(ada, bos))
    bo.follow("Sign up")
    ada.press("Take back")
    page = bo.press("Sign up", name="Bo", password=PASSWORD)
    assert page.status == 404
    assert "It was taken back." in page.text
    assert Browser(url).sign_in(bos).status == 401


def test_a_form_that_is_too_long_says_so(ada: Visitor) -> None:
    ada.open("/account/settings")
    page = ada.press("Save", name="x" * 70_000)
    assert page.status == 413
    assert "larger than we accept" in page.text
    is_helpful(page)


@pytest.fixture
def limited(database: Database, clock: HandClock) -> Iterator[str]:
    with application(settings_for(database, rate_limit="on"), clock) as url:
        yield url


def test_who_tries_too_often_is_told_when_to_try_again(limited: str, email: str) -> None:
    visitor = Visitor(limited)
    pages = []
    for _ in range(5):
        visitor.open("/sign-in")
        pages.append(visitor.press("Sign in", email=email, password="not the password 1"))
    assert [page.status for page in pages] == [400, 400, 400, 429, 429]
    assert "You can try again in " in pages[-1].text
    assert pages[-1].answer.header("retry-after")
    is_helpful(pages[-1])


def test_looking_at_a_page_is_no_try(limited: str) -> None:
    assert {Visitor(limited).open("/sign-in").status for _ in range(20)} == {200}


@pytest.mark.parametrize(
    "path",
    ["/account/settings", "/account/sessions", "/account/activity", "/account/delete", "/organizations",
     "/organization/members", "/organization/settings", "/organization/activity"],
)  # fmt: skip
def test_every_page_of_an_account_leads_to_the_sign_in_and_back(url: str, email: str, path: str) -> None:
    Browser(url).sign_up(email)
    visitor = Visitor(url)
    visitor.open(path)
    assert visitor.path.startswith("/sign-in?next=")
    page = visitor.press("Sign in", email=email, password=PASSWORD)
    assert (page.status, visitor.path) == (200, path)
    assert [tag for tag, _ in page.elements].count("h1") == 1
