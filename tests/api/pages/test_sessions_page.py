"""Account → Sessions: each device as its person recognizes it, and the ways to end them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.api.browser import Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.pages.test_members_page import signed_up
from tests.api.pages.visitor import Page, Visitor
from tests.api.routes.mailbox import postman_of, serving
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import application

SESSIONS = "/account/sessions"
ANDROID = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36"

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0"


@pytest.fixture(scope="module")
def url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """Where what is sensitive needs a confirmation of the last ten minutes."""
    with application(settings_for(module_database, fresh_for=600), module_clock) as url:
        yield url


@pytest.fixture
def ada(url: str, email: str, clock: HandClock) -> Visitor:
    return signed_in(url, email, MAC, new=True)


def signed_in(url: str, email: str, user_agent: str, *, new: bool = False) -> Visitor:
    visitor = Visitor(url)
    visitor.browser_headers["User-Agent"] = user_agent
    visitor.open("/sign-up" if new else "/sign-in")
    if new:
        visitor.press("Sign up", name="Ada Lovelace", email=email, password=PASSWORD)
    else:
        visitor.press("Sign in", email=email, password=PASSWORD)
    return visitor


def devices(page: Page) -> list[str]:
    """What each device of the page is called, with how it is marked."""
    return [re.split(" (?=You were not|Place )", one)[0].strip() for one in page.items]


def test_what_nobody_knew_before_is_new_and_stands_on_top(ada: Visitor, url: str, email: str, clock: HandClock) -> None:
    clock.wind(hours=1)
    signed_in(url, email, WINDOWS)
    clock.wind(hours=1)
    signed_in(url, email, MAC)
    assert devices(ada.open(SESSIONS)) == [
        "Chrome 130 on macOS This device",
        "Firefox 131 on Windows New",
        "Chrome 130 on macOS",
    ]
    clock.wind(days=8)
    later = signed_in(url, email, ANDROID)
    assert "Firefox 131 on Windows New" not in devices(later.open(SESSIONS))


def test_when_it_was_confirmed_last_is_said(ada: Visitor, clock: HandClock) -> None:
    assert "Last confirmed When you signed in" in ada.open(SESSIONS).text
    clock.wind(minutes=30)
    ada.browser.post("/verify-password", {"password": PASSWORD})
    page = ada.open(SESSIONS)
    assert "Last confirmed Mar 14, 2026, 12:30:00 PM UTC" in page.text.replace("\u202f", " ")


def test_this_was_not_me_ends_it_and_goes_on_to_a_new_password_however_long_ago_one_signed_in(
    ada: Visitor, url: str, email: str, clock: HandClock
) -> None:
    thief = signed_in(url, email, WINDOWS)
    clock.wind(hours=20)
    ada.open(SESSIONS)
    page = ada.press("This was not me: Firefox 131 on Windows")
    assert page.notices == ["That device is signed out. Now set a new password, so that it stays out."]
    assert thief.open(SESSIONS).title.startswith("Sign in")
    page = ada.press("Change password", current_password=PASSWORD, password="battery staple 2 horses")
    assert page.notices == ["Your password is changed, and all your other devices are signed out."]
    assert Browser(url).sign_in(email).status == 401


@pytest.mark.parametrize(("button", "left"), [("Sign out all other devices", 1), ("Sign out everywhere", 0)])
def test_devices_are_signed_out_however_long_ago_one_signed_in(
    ada: Visitor, url: str, email: str, clock: HandClock, button: str, left: int
) -> None:
    phone = signed_in(url, email, ANDROID)
    clock.wind(hours=20)
    ada.open(SESSIONS)
    assert ada.press(button).status == 200
    assert [one.open(SESSIONS).title.startswith("Sessions") for one in (ada, phone)].count(True) == left


def test_a_session_of_somebody_else_cannot_be_ended(ada: Visitor, url: str, email: str) -> None:
    bo = signed_up(url, "Bo", f"bo.{email}")
    theirs = bo.browser.get("/get-session").json()["session"]["id"]
    for path in (f"{SESSIONS}/end", f"{SESSIONS}/not-me"):
        ada.send(path, {"session": theirs})
    assert bo.open(SESSIONS).title.startswith("Sessions")


def test_a_new_device_says_since_when_and_why_it_is_new(ada: Visitor, url: str, email: str, clock: HandClock) -> None:
    clock.wind(hours=1)
    signed_in(url, email, WINDOWS)
    clock.wind(hours=1)
    [_, new] = ada.open(SESSIONS).items
    assert "You were not seen before on this browser, system and network." in new
    assert "First seen: Mar 14, 2026, 1:00:00 PM UTC" in new.replace("\u202f", " ")


def test_who_signs_in_twice_on_a_new_device_is_new_both_times(
    ada: Visitor, url: str, email: str, clock: HandClock
) -> None:
    for _ in range(2):
        clock.wind(minutes=1)
        signed_in(url, email, WINDOWS)
    assert devices(ada.open(SESSIONS))[1:] == ["Firefox 131 on Windows New"] * 2


def test_a_session_that_goes_on_on_a_device_nobody_knew_is_new(
    ada: Visitor, url: str, email: str, clock: HandClock
) -> None:
    clock.wind(hours=1)
    stolen = signed_in(url, email, MAC)
    stolen.browser_headers["User-Agent"] = WINDOWS
    clock.wind(days=2)
    stolen.open(SESSIONS)
    assert devices(ada.open(SESSIONS)) == ["Chrome 130 on macOS This device", "Firefox 131 on Windows New"]


def test_of_every_device_stands_all_that_is_known(ada: Visitor, url: str, email: str, clock: HandClock) -> None:
    clock.wind(hours=1)
    signed_in(url, email, WINDOWS)
    clock.wind(hours=1)
    here, there = (one.replace("\u202f", " ") for one in ada.open(SESSIONS).items)
    for told in ("Last used Used now", "Signed in Mar 14, 2026, 12:00:00 PM UTC with the password"):
        assert told in here
    for told in ("Unknown place · 127.0.0.1", "Last used Mar 14, 2026, 1:00:00 PM UTC", "confirmed When you signed in"):
        assert told in there


def test_after_this_was_not_me_a_wrong_password_is_said_beside_its_field_and_all_others_are_signed_out(
    ada: Visitor, url: str, email: str
) -> None:
    signed_in(url, email, WINDOWS)
    ada.open(SESSIONS)
    ada.press("This was not me: Firefox 131 on Windows")
    back = signed_in(url, email, WINDOWS)
    page = ada.press("Change password", current_password="not it at all 1", password="battery staple 2 horses")
    assert (page.status, page.links["This is not your password."]) == (400, "#current_password")
    ada.press("Change password", current_password=PASSWORD, password="battery staple 2 horses")
    assert ada.page.title.startswith("Sessions")
    assert len(ada.page.items) == 1
    assert back.open(SESSIONS).title.startswith("Sign in")


def test_who_does_not_know_the_password_sets_one_by_mail_and_is_back_at_the_devices(
    module_database: Database, module_clock: HandClock, tmp_path_factory: pytest.TempPathFactory, email: str
) -> None:
    postman = postman_of(module_database, module_clock, tmp_path_factory)
    with serving(postman) as url:
        ada = signed_in(url, email, MAC, new=True)
        signed_in(url, email, WINDOWS)
        ada.open(SESSIONS)
        ada.press("This was not me: Firefox 131 on Windows")
        ada.follow("I do not know my present password")
        ada.press("Send the link", email=email)
        ada.open(postman.link_to(email, "password-reset").path)
        ada.press("Set the password", password="battery staple 2 horses")
        page = ada.press("Sign in", email=email, password="battery staple 2 horses")
    assert page.title.startswith("Sessions")


def test_a_device_that_is_gone_already_is_no_trouble(ada: Visitor, url: str, email: str) -> None:
    phone = signed_in(url, email, ANDROID)
    ada.open(SESSIONS)
    phone.press("Sign out")
    page = ada.press("Sign out Chrome 131 on Android")
    assert (page.status, page.notices) == (200, ["That device is signed out."])


def test_alone_nobody_is_offered_to_sign_out_others(ada: Visitor) -> None:
    said = [button[0] for form in ada.open(SESSIONS).forms for button in form.buttons]
    assert "Sign out all other devices" not in said
    assert "Sign out everywhere" in said
