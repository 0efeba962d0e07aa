"""What happens under one's feet while a page is open: never a stack, a blank page or a lie, and always a way on."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

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
    visitor.press("Create organization", name="Analytical Engines", slug=f"engines-{email.partition('@')[0]}")
    return visitor


UNKNOWN = "0" * 32


def wait_until(happened: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it does not recover"
        time.sleep(0.1)


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


def test_the_database_is_away_and_comes_back(database: Database, clock: HandClock, email: str) -> None:
    with application(settings_for(database), clock) as url:
        ada = signed_up(url, "Ada Lovelace", email)
        ada.open("/account/settings")
        with database.away():
            for page in (ada.press("Save", name="Countess"), ada.open("/account/sessions")):
                assert page.status == 503
                assert "We are away for a moment" in page.text
                assert re.search("name this number: [0-9a-f]{32}", page.text)
                assert page.answer.header("retry-after")
                is_helpful(page)
            # what asks nobody is there all the same
            assert Visitor(url).open("/sign-in").status == 200
        wait_until(lambda: ada.open("/account/settings").status == 200)
        assert ada.press("Save", name="Countess").notices == ["Your profile is saved."]


def test_what_nobody_thought_of_says_that_it_is_not_your_fault_and_by_which_number_to_ask(
    database: Database, clock: HandClock, email: str, caplog: pytest.LogCaptureFixture
) -> None:
    with application(settings_for(database), clock) as url:
        ada = signed_up(url, "Ada Lovelace", email)
        database.rows("ALTER TABLE organization_list RENAME COLUMN logo TO logo_of_another_release")
        page = ada.open("/organizations")
        assert page.status == 500
        assert "It is not your fault." in page.text
        assert "logo" not in page.text
        [number] = re.findall("name this number: ([0-9a-f]{32})", page.text)
        assert number in caplog.text
        is_helpful(page)


def test_a_form_of_another_site_is_told_which_and_what_to_set(url: str, email: str) -> None:
    ada = signed_up(url, "Ada Lovelace", email)
    ada.open("/account/settings")
    ada.browser.origin = "https://shop.example"
    page = ada.press("Save", name="Eve")
    assert page.status == 403
    assert "a page at https://shop.example, which this service does not know" in page.text
    assert "DAYBOOK_TRUSTED_ORIGINS" in page.text
    is_helpful(page)


def test_whose_service_has_another_address_now_is_led_there(database: Database, clock: HandClock) -> None:
    with application(settings_for(database, base_url="https://accounts.example.com"), clock) as url:
        visitor = Visitor(url)
        page = visitor.send("/sign-in", {"email": "ada@example.com", "password": PASSWORD})
        assert page.status == 403
        assert f"a page at {url}, which this service does not know" in page.text
        assert page.links["Go on at https://accounts.example.com"] == "https://accounts.example.com/"
        assert "To the front page" not in page.links


def test_who_is_signed_in_has_name_and_navigation_on_a_page_of_trouble_too(ada: Visitor) -> None:
    for page in (
        ada.send("/organization/settings", {"organization": UNKNOWN, "name": "Acme"}),
        ada.send("/account/verify", {}),
    ):
        assert page.status in (400, 404)
        assert "Ada Lovelace" in page.text
        assert page.links["Account"] == "/account/settings"
        assert page.links["Organization"] == "/organization/members"
        assert [said for form in page.forms for said, *_ in form.buttons] == ["Sign out", "Deutsch"]


def test_trouble_of_nobody_knows_shows_nobody(ada: Visitor) -> None:
    page = Visitor(ada.browser.url).open(f"/sign-in?{'a' * 5_000}")
    assert page.status == 413
    assert "Account" not in page.links


def test_trouble_is_told_in_the_language_of_the_account(url: str, email: str) -> None:
    ada = signed_up(url, "Ada Lovelace", email)
    ada.open("/account/settings")
    ada.press("Deutsch")
    elsewhere = Visitor(url, language="en")
    elsewhere.open("/sign-in")
    elsewhere.press("Sign in", email=email, password=PASSWORD)
    elsewhere.open("/account/settings")
    page = elsewhere.send("/organization/members/role", {"organization": UNKNOWN, "member": "x", "owner": "on"})
    assert page.status == 400
    assert "Diese Organisation gibt es nicht mehr." in page.text


def test_every_mistake_of_a_sign_up_is_told_at_once_beside_its_field(url: str) -> None:
    visitor = Visitor(url)
    visitor.open("/sign-up")
    page = visitor.press("Sign up", name=" ", email="ada", password="short")
    assert page.status == 400
    inputs = {given["name"]: given for tag, given in page.elements if tag == "input" and given.get("name")}
    for field in ("name", "email", "password"):
        assert inputs[field]["aria-invalid"] == "true"
        assert f"{field}-error" in (inputs[field]["aria-describedby"] or "").split()
    assert "Tell us what to call you." in page.text
    assert "This is no address we could write to." in page.text
    assert "This password is too short." in page.text


@pytest.mark.parametrize(
    ("path", "times"),
    [("/forgot-password", 3), ("/account/password", 3), ("/account/delete", 3), ("/account/address", 3),
     ("/account/verify", 3), ("/sign-up", 3), ("/account/sessions/new-password", 3)],
)  # fmt: skip
def test_pages_are_tried_no_oftener_than_the_api(limited: str, path: str, times: int) -> None:
    visitor = Visitor(limited)
    statuses = [visitor.send(path, {"email": "nobody@example"}).status for _ in range(times + 1)]
    assert statuses[-1] == 429
    assert 429 not in statuses[:-1]


@pytest.mark.parametrize("organization", ["zz", "%00", "0" * 31])
def test_a_form_of_an_organization_that_there_cannot_be_does_nothing_to_another(
    ada: Visitor, organization: str, email: str
) -> None:
    page = ada.send(
        "/organization/invitations", {"organization": organization, "email": f"bo.{email}", "role": "admin"}
    )
    assert page.status == 400
    assert f"bo.{email}" not in ada.open("/organization/members").text


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
