"""Signing up, in and out in a real browser, and the way back to where somebody wanted to go."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Devices
from tests.browser.devices import Device
from tests.browser.product import Account, Product
from tests.people import PASSWORD

NEW_PASSWORD = "battery staple 2 horses"
TARGETS = [
    "/account/sessions?a=1+2&b=%2B&c=%26&d=%23x",
    "/account/sessions?x=%2526",
    "/organization/members?search=Bo%20%26%20Co&role=owner",
]


def test_who_signs_up_is_signed_in_and_stays_so(product: Product, laptop: Device) -> None:
    laptop.open("/")
    laptop.follow("Sign up")
    laptop.press("Sign up", name="Ada Lovelace", email=product.new_email("ada"), password=PASSWORD)
    assert laptop.path == "/account/settings"
    laptop.restart()
    assert laptop.is_signed_in


@pytest.mark.parametrize("stay", [True, False])
def test_whether_somebody_stays_signed_in_is_what_they_chose(ada: Account, laptop: Device, stay: bool) -> None:
    laptop.open("/sign-in")
    laptop.signs_in(ada.email, stay=stay)
    assert laptop.is_signed_in
    laptop.restart()
    assert laptop.is_signed_in is stay


def test_who_signs_out_is_told_so_and_back_shows_nothing_of_theirs(ada: Account, laptop: Device) -> None:
    laptop.has_cookies_of(ada)
    laptop.open("/account/settings")
    laptop.press("Sign out")
    assert laptop.notices == ["You are signed out."]
    laptop.tab.go_back()
    assert laptop.path.startswith("/sign-in")
    assert ada.email not in laptop.text


@pytest.mark.parametrize("target", TARGETS)
def test_the_way_by_a_forgotten_password_ends_where_it_began(
    product: Product, ada: Account, laptop: Device, target: str
) -> None:
    laptop.open(target)
    laptop.follow("Forgot your password?")
    laptop.press("Send the link", email=ada.email)
    assert ada.email in laptop.text
    laptop.open(product.postman.link_to(ada.email, "password-reset").path)
    laptop.press("Set the password", password=NEW_PASSWORD)
    laptop.signs_in(ada.email, NEW_PASSWORD)
    assert laptop.path == target


def test_a_link_for_a_new_password_opens_nothing_twice(product: Product, ada: Account, laptop: Device) -> None:
    laptop.open("/forgot-password")
    laptop.press("Send the link", email=ada.email)
    link = product.postman.link_to(ada.email, "password-reset").path
    laptop.open(link)
    laptop.press("Set the password", password=NEW_PASSWORD)
    laptop.open(link)
    assert "This link is over" in laptop.text
    laptop.follow("Ask for a new one")
    assert laptop.path == "/forgot-password"


def test_what_is_wrong_stands_beside_its_field_and_has_the_focus(devices: Devices, product: Product) -> None:
    laptop = devices()
    laptop.open("/sign-up")
    # the browser's own checks are for who has them
    laptop.tab.evaluate("document.querySelector('form[action=\"/sign-up\"]').noValidate = true")
    laptop.press("Sign up", name="Ada", email=product.new_email("ada"), password="short")
    field = laptop.field("password")
    assert laptop.tab.evaluate("document.activeElement.id") == "password"
    described = (field.get_attribute("aria-describedby") or "").split()
    told = [laptop.tab.locator(f"#{one}").inner_text() for one in described]
    assert "This password is too short." in told
    assert field.get_attribute("aria-invalid") == "true"
    assert laptop.field("name").input_value() == "Ada"


def test_how_strong_a_password_is_shows_while_it_is_typed(devices: Devices) -> None:
    laptop = devices()
    laptop.open("/sign-up")
    advice = laptop.tab.locator("#password-strength")
    laptop.field("password").fill("password")
    advice.wait_for()
    weak = advice.inner_text()
    assert weak
    laptop.field("password").fill("correct horse battery staple, purple")
    laptop.tab.wait_for_function("(weak) => document.getElementById('password-strength').innerText !== weak", arg=weak)
