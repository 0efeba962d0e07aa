"""A link in a mail that a browser opens which is not signed in to the account: it asks, and only pressing does it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.browser import Browser
from tests.api.conftest import HandClock
from tests.api.pages.visitor import Page, Visitor
from tests.api.routes.mailbox import Link, Postman, postman_of, serving
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import application

BROWSERS = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="module")
def postman(module_database: Database, module_clock: HandClock, tmp_path_factory: pytest.TempPathFactory) -> Postman:
    return postman_of(module_database, module_clock, tmp_path_factory, email_verification="required")


@pytest.fixture(scope="module")
def url(postman: Postman) -> Iterator[str]:
    with serving(postman) as url:
        yield url


@pytest.fixture
def link(url: str, email: str, postman: Postman, clock: HandClock) -> Link:
    """That verifies the address of somebody who has just signed up on a page."""
    visitor = Visitor(url)
    visitor.open("/sign-up?next=/account/sessions")
    visitor.press("Sign up", name="Ada", email=email, password=PASSWORD)
    return postman.link_to(email, "email-verification")


def looked_through(url: str, link: str, headers: dict[str, str]) -> Page:
    """What a program is shown that opens each link of a mail, and whatever that leads to."""
    visitor = Visitor(url)
    visitor.browser_headers = headers
    return visitor.open(link)


@pytest.mark.parametrize("headers", [BROWSERS, {"Accept": "*/*"}, {"User-Agent": "Safe Links"}])
def test_who_looks_through_mail_verifies_nothing(url: str, email: str, link: Link, headers: dict[str, str]) -> None:
    for _ in range(2):
        page = looked_through(url, link.path, headers)
        assert page.status == 200
        assert email in page.text
    assert Browser(url).sign_in(email).problem == (403, "EMAIL_NOT_VERIFIED")


def test_who_presses_verifies_and_goes_on_where_they_wanted_to(url: str, email: str, link: Link) -> None:
    visitor = Visitor(url)
    visitor.browser_headers = BROWSERS
    visitor.open(link.path)
    visitor.press("Yes, that was me")
    assert visitor.path.startswith("/sign-in")
    assert visitor.page.notices == ["Your address is confirmed."]
    page = visitor.press("Sign in", email=email, password=PASSWORD)
    assert (page.status, visitor.path) == (200, "/account/sessions")


def test_who_is_signed_in_as_somebody_else_is_told_too_and_goes_on(
    url: str, email: str, link: Link, postman: Postman
) -> None:
    bo, bos = Visitor(url), f"bo.{email}"
    bo.open("/sign-up")
    bo.press("Sign up", name="Bo", email=bos, password=PASSWORD)
    bo.browser.ask("GET", postman.link_to(bos, "email-verification").route)
    bo.open("/sign-in")
    assert bo.press("Sign in", email=bos, password=PASSWORD).status == 200
    bo.open(link.path)
    page = bo.press("Yes, that was me")
    assert "Your address is confirmed." in page.text
    assert bo.follow("Continue").status == 200
    assert bo.path == "/account/sessions"


def test_what_was_done_is_said_on_the_way_to_an_application_of_its_own(
    postman: Postman, clock: HandClock, email: str
) -> None:
    settings = postman.settings.model_copy(update={"trusted_origins": "https://app.example.com"})
    target = "https://app.example.com/welcome"
    with application(settings, clock) as url:
        assert Browser(url).sign_up(email, callbackURL=target).status == 200
        visitor = Visitor(url)
        visitor.open(postman.link_to(email, "email-verification").path)
        page = visitor.press("Yes, that was me")
        assert page.title == "Your address is confirmed. · Daybook"
        assert page.links["Continue"] == target
        assert "signed in" not in page.text
        # choosing a language leads there too, and nobody is signed in by that either
        page = visitor.send("/language", {"language": "en", "next": target})
        assert page.links["Continue"] == target
        assert "signed in" not in page.text


def test_a_program_verifies_by_the_token_alone(url: str, email: str, link: Link) -> None:
    assert Browser(url).ask("GET", link.route).status == 302
    assert Browser(url).sign_in(email).status == 200


def test_a_browser_that_calls_the_route_itself_is_asked_too(url: str, email: str, link: Link) -> None:
    answer = Browser(url).ask("GET", link.route, None, BROWSERS)
    assert (answer.status, answer.header("location")) == (302, f"{url}{link.path}")
    assert Browser(url).sign_in(email).problem == (403, "EMAIL_NOT_VERIFIED")


def test_an_application_of_its_own_is_told_of_a_link_that_opens_nothing(postman: Postman, clock: HandClock) -> None:
    settings = postman.settings.model_copy(update={"trusted_origins": "https://app.example.com"})
    with application(settings, clock) as url:
        visitor = Visitor(url)
        visitor.open(f"/confirm-address?token={'0' * 32}&callbackURL=https%3A%2F%2Fapp.example.com%2Fverified")
        assert visitor.path == "https://app.example.com/verified?error=INVALID_TOKEN"


def test_a_link_that_opens_nothing_says_so_on_its_page_too(url: str) -> None:
    page = Visitor(url).open(f"/confirm-address?token={'0' * 32}")
    assert page.status == 400
    assert "This link opens nothing any more." in page.text


def test_the_link_of_a_change_names_both_addresses_and_asks_first(
    url: str, email: str, link: Link, postman: Postman
) -> None:
    Browser(url).ask("GET", link.route)
    ada, another = Browser(url), f"another.{email}"
    ada.sign_in(email)
    assert ada.post("/change-email", {"newEmail": another}).status == 200
    change = postman.link_to(another, "email-change-confirmation").path
    page = looked_through(url, change, BROWSERS)
    assert f"The account of {email} shall have the address {another} from now on." in page.text
    assert Browser(url).sign_in(email).status == 200
    # signed in to the account it is done by opening it
    visitor = Visitor(url)
    visitor.browser.cookies |= ada.cookies
    visitor.open(change)
    assert Browser(url).sign_in(another).status == 200


def test_who_changed_the_address_from_a_page_is_told_so_before_signing_in(
    url: str, email: str, link: Link, postman: Postman
) -> None:
    ada, another = Visitor(url), f"another.{email}"
    Browser(url).ask("GET", link.route)
    ada.open("/sign-in")
    ada.press("Sign in", email=email, password=PASSWORD)
    ada.press("Change address", new_email=another)
    elsewhere = Visitor(url)
    elsewhere.open(postman.link_to(another, "email-change-confirmation").path)
    page = elsewhere.press("Yes, that was me")
    assert page.title.startswith("Sign in")
    assert page.notices == ["The new address is yours."]
    page = elsewhere.press("Sign in", email=another, password=PASSWORD)
    assert (page.status, elsewhere.path, page.notices) == (200, "/account/settings", [])
