"""Signing up, in and out on pages, and setting another password: each way ends where somebody wanted to go."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.api.browser import Browser
from tests.api.pages.visitor import Visitor
from tests.people import PASSWORD

TARGETS = [
    "/account/sessions",
    "/account/sessions?a=1&b=2",
    "/account/sessions?plus=%2B&amp=%26",
    "/account/sessions?x=%23y",
]


@pytest.fixture
def visitor(url: str) -> Visitor:
    return Visitor(url)


def test_who_signs_up_is_signed_in_and_sees_their_account(visitor: Visitor, email: str) -> None:
    visitor.open("/")
    assert visitor.path == "/sign-in"
    visitor.follow("Sign up")
    page = visitor.press("Sign up", name="Ada Lovelace", email=email, password=PASSWORD)
    assert (page.status, visitor.path) == (200, "/account/settings")
    assert "Ada Lovelace" in page.text
    assert visitor.browser.session()


def test_what_is_wrong_with_a_sign_up_stands_beside_its_field_and_nothing_but_the_password_is_lost(
    visitor: Visitor, email: str
) -> None:
    visitor.open("/sign-up")
    page = visitor.press("Sign up", name="Ada", email=email, password="short")
    assert page.status == 400
    assert page.links["This password is too short."] == "#password"
    wrong = next(given for tag, given in page.elements if given.get("id") == "password")
    assert (wrong["aria-invalid"], "value" in wrong) == ("true", False)
    assert page.forms[0].fields["email"] == email
    assert page.forms[0].fields["name"] == "Ada"
    assert visitor.browser.session() is None


def test_a_wrong_password_says_the_same_of_an_account_and_of_none(visitor: Visitor, email: str, url: str) -> None:
    Browser(url).sign_up(email)
    told = []
    for address in (email, f"nobody-{email}"):
        visitor.open("/sign-in")
        page = visitor.press("Sign in", email=address, password="not the password 1")
        told.append((page.status, page.alerts))
    assert told[0] == told[1]
    assert told[0][0] == 400


@pytest.mark.parametrize("target", TARGETS)
def test_who_was_on_the_way_somewhere_gets_there_after_signing_in(url: str, email: str, target: str) -> None:
    Browser(url).sign_up(email)
    visitor = Visitor(url)
    visitor.open(target)
    assert visitor.path.startswith("/sign-in?next=")
    page = visitor.press("Sign in", email=email, password=PASSWORD)
    assert (page.status, visitor.path) == (200, target)


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_led_to_a_place_that_is_not_trusted(url: str, email: str, target: str) -> None:
    Browser(url).sign_up(email)
    visitor = Visitor(url)
    visitor.open(f"/sign-in?{urlencode({'next': target})}")
    page = visitor.press("Sign in", email=email, password=PASSWORD)
    assert (page.status, visitor.path) == (200, "/account/settings")


def test_who_signs_out_is_told_so_and_nobody_is_signed_in(url: str, email: str) -> None:
    visitor = signed_in(url, email)
    page = visitor.press("Sign out")
    assert page.notices == ["You are signed out."]
    assert visitor.browser.session() is None


def test_a_form_of_another_site_is_refused_and_names_the_site_and_the_setting(url: str, email: str) -> None:
    visitor = signed_in(url, email)
    visitor.browser.origin = "https://evil.example"
    page = visitor.press("Sign out")
    assert page.status == 403
    assert "https://evil.example" in page.text
    assert "DAYBOOK_TRUSTED_ORIGINS" in page.text
    assert visitor.browser.session()


def test_a_page_gives_no_script_the_secret_of_the_session(url: str, email: str) -> None:
    visitor = Visitor(url)
    visitor.open("/sign-up")
    answer = visitor._ask("POST", "/sign-up", f"name=Ada&email={email}&password={PASSWORD}".encode())
    assert answer.status == 303
    assert answer.header("set-auth-token") is None
    assert all("HttpOnly" in cookie for cookie in answer.all_cookies)


def signed_in(url: str, email: str) -> Visitor:
    """Ada at a browser, on the page of her account."""
    visitor = Visitor(url)
    visitor.open("/sign-up")
    visitor.press("Sign up", name="Ada", email=email, password=PASSWORD)
    return visitor
