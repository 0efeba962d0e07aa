"""The main ways through the product with nothing but a keyboard, and always with a focus that can be seen."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Devices
from tests.browser.devices import Device
from tests.browser.product import Account
from tests.people import PASSWORD

_FAR = 80
"""Presses of Tab after which something counts as out of reach."""
_FOCUSED = """() => {
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
  return {
    said: (one.getAttribute('aria-labelledby') ?? '').split(' ').filter(Boolean)
      .map((id) => document.getElementById(id).innerText).join(' ')
      || one.getAttribute('aria-label') || (one.labels?.[0]?.innerText || one.innerText || '').trim(),
    row: one.closest('li')?.innerText ?? '',
    seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && box.width > 0 && box.height > 0,
  };
}"""


class Keyboard:
    """Goes through the page in the order of the focus."""

    def __init__(self, device: Device) -> None:
        self.device, self.keys = device, device.tab.keyboard

    def go_to(self, said: str, *, beside: str = "") -> None:
        """Tab to what says this, each stop on the way with a focus that is seen."""
        for _ in range(_FAR):
            self.keys.press("Tab")
            found = self.device.tab.evaluate(_FOCUSED)
            if found["said"] or found["row"]:
                assert found["seen"], f"no focus is seen on {found}"
            if found["said"] == said and beside in found["row"]:
                return
        raise AssertionError(f"{said!r} cannot be reached")

    def type(self, field: str, text: str) -> None:
        """Go to a field, and write into it."""
        self.go_to(field)
        self.keys.type(text)

    def press(self, button: str, *, beside: str = "", key: str = "Enter") -> None:
        """Go to a button that leads to another page, and press it."""
        self.go_to(button, beside=beside)
        self.device.comes(lambda: self.keys.press(key))


@pytest.fixture
def keyboard(laptop: Device) -> Keyboard:
    """Of the laptop."""
    return Keyboard(laptop)


def test_somebody_signs_in_and_out(ada: Account, laptop: Device, keyboard: Keyboard) -> None:
    laptop.open("/sign-in")
    expect(laptop.field("email")).to_be_focused()
    keyboard.keys.type(ada.email)
    keyboard.type("Password", PASSWORD)
    keyboard.go_to("Stay signed in on this device")
    keyboard.keys.press("Space")
    laptop.comes(lambda: keyboard.keys.press("Enter"))
    assert laptop.path == "/account/settings"
    keyboard.press("Sign out", key="Space")
    assert laptop.notices == ["You are signed out."]


def test_the_first_stop_leads_to_the_content(ada: Account, laptop: Device, keyboard: Keyboard) -> None:
    laptop.has_cookies_of(ada)
    laptop.open("/account/sessions")
    keyboard.go_to("Skip to the content")
    keyboard.keys.press("Enter")
    keyboard.go_to("Settings")


def test_somebody_is_invited(ada: Account, bo: Account, laptop: Device, keyboard: Keyboard) -> None:
    ada.founds("Acme")
    laptop.has_cookies_of(ada)
    laptop.open("/organization/members")
    keyboard.type("Email address", bo.email)
    keyboard.press("Generate invitation link")
    assert laptop.tab.get_by_label(f"Link for {bo.email}").count() == 1


def test_a_role_is_changed(ada: Account, bo: Account, laptop: Device, keyboard: Keyboard) -> None:
    ada.founds("Acme")
    ada.takes_in(bo)
    laptop.has_cookies_of(ada)
    laptop.open("/organization/members")
    keyboard.go_to("Change Bo Diddley")
    keyboard.keys.press("Enter")
    keyboard.go_to("Admin", beside="Bo Diddley")
    keyboard.keys.press("Space")
    keyboard.press("Save roles", beside="Bo Diddley")
    assert "Admin, Member" in laptop.beside("Bo Diddley").inner_text()


def test_a_device_is_signed_out(ada: Account, laptop: Device, keyboard: Keyboard) -> None:
    ada.another_device("Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0")
    laptop.has_cookies_of(ada)
    laptop.open("/account/sessions")
    keyboard.press("Sign out Firefox 131 on Linux", key="Space")
    assert laptop.notices == ["That device is signed out."]
    assert "Firefox" not in laptop.text


def test_what_is_wrong_is_where_the_focus_is(devices: Devices) -> None:
    laptop = devices()
    laptop.open("/sign-up")
    keyboard = Keyboard(laptop)
    laptop.tab.evaluate("document.querySelector('main form').noValidate = true")
    keyboard.press("Sign up")
    assert laptop.tab.evaluate("document.activeElement.getAttribute('aria-invalid')") == "true"
    assert laptop.tab.evaluate(_FOCUSED)["seen"]
