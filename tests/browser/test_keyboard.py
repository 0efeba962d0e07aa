"""The main ways through the product with nothing but a keyboard, and always with a focus that can be seen."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Devices
from tests.browser.devices import Device
from tests.browser.product import Account, Product
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


def test_somebody_opens_an_account(product: Product, laptop: Device, keyboard: Keyboard) -> None:
    laptop.open("/sign-in")
    keyboard.press("Sign up")
    expect(laptop.field("name")).to_be_focused()
    keyboard.keys.type("Ada Lovelace")
    keyboard.type("Email address", product.new_email("ada"))
    keyboard.type("Password", PASSWORD)
    laptop.comes(lambda: keyboard.keys.press("Enter"))
    assert laptop.path == "/account/settings"


def test_a_forgotten_password_is_set_anew(product: Product, ada: Account, laptop: Device, keyboard: Keyboard) -> None:
    laptop.open("/sign-in")
    keyboard.press("Forgot your password?")
    expect(laptop.field("email")).to_be_focused()
    keyboard.keys.type(ada.email)
    laptop.comes(lambda: keyboard.keys.press("Enter"))
    laptop.open(product.postman.link_to(ada.email, "password-reset").path)
    expect(laptop.field("password")).to_be_focused()
    keyboard.keys.type("battery staple 2 horses")
    laptop.comes(lambda: keyboard.keys.press("Enter"))
    assert laptop.notices == ["Your new password is set. Sign in with it."]


def test_a_name_and_a_password_are_changed(ada: Account, laptop: Device, keyboard: Keyboard) -> None:
    laptop.has_cookies_of(ada)
    laptop.open("/account/settings")
    keyboard.go_to("Name")
    keyboard.keys.press("ControlOrMeta+a")
    keyboard.keys.type("Countess")
    keyboard.press("Save")
    assert laptop.notices == ["Your profile is saved."]
    keyboard.type("Present password", PASSWORD)
    keyboard.type("New password", "battery staple 2 horses")
    keyboard.press("Change password")
    assert laptop.notices == ["Your password is changed, and all your other devices are signed out."]


def test_what_happened_is_found(product: Product, ada: Account, laptop: Device, keyboard: Keyboard) -> None:
    product.is_caught_up()
    laptop.has_cookies_of(ada)
    laptop.open("/account/activity")
    keyboard.go_to("What")
    keyboard.keys.type("Signed in")
    keyboard.press("Show")
    assert "kind=SessionStarted" in laptop.path


def test_an_organization_is_created_chosen_and_deleted(ada: Account, laptop: Device, keyboard: Keyboard) -> None:
    laptop.has_cookies_of(ada)
    laptop.open("/organizations")
    keyboard.type("Name", "Acme")
    keyboard.type("Short name", f"acme-{ada.email.partition('@')[0]}")
    keyboard.press("Create organization")
    assert laptop.notices == ["The organization is founded."]
    laptop.open("/organizations")
    keyboard.press("Choose Ada Lovelace's Organization")
    assert laptop.notices == ["This is your organization now."]
    ada.founds("Royal Society")
    laptop.open("/organization/settings")
    name = laptop.tab.locator("h1").inner_text().strip()
    keyboard.type("Name of the organization", name)
    keyboard.press("Delete it for good")
    assert laptop.notices == ["The organization is deleted."]


def test_an_invitation_is_accepted_and_the_organization_left(
    ada: Account, bo: Account, laptop: Device, keyboard: Keyboard
) -> None:
    ada.founds("Acme")
    link = ada.invites(bo.email)
    laptop.has_cookies_of(bo)
    laptop.open(f"/accept-invitation/{link}")
    keyboard.press("Accept")
    assert laptop.notices == ["Welcome! You have joined the organization."]
    keyboard.press("Leave this organization", key="Space")
    assert laptop.notices == ["You have left the organization."]


def test_an_invitation_is_corrected_and_taken_back(
    product: Product, ada: Account, bo: Account, laptop: Device, keyboard: Keyboard
) -> None:
    ada.founds("Acme")
    wrong = product.new_email("wrong")
    ada.invites(wrong)
    laptop.has_cookies_of(ada)
    laptop.open("/organization/members")
    keyboard.go_to(f"Change {wrong}")
    keyboard.keys.press("Enter")
    keyboard.type("Right address", bo.email)
    keyboard.press("Cancel and invite this address")
    assert wrong not in laptop.text
    keyboard.go_to(f"Change {bo.email}")
    keyboard.keys.press("Enter")
    keyboard.press("Take back")
    assert bo.email not in laptop.text


def test_ownership_is_handed_over(ada: Account, bo: Account, laptop: Device, keyboard: Keyboard) -> None:
    ada.founds("Acme")
    ada.takes_in(bo, "admin")
    laptop.has_cookies_of(ada)
    laptop.open("/organization/members")
    keyboard.go_to("Change Bo Diddley")
    keyboard.keys.press("Enter")
    keyboard.press("Make owner in your place", beside="Bo Diddley")
    assert laptop.notices == ["The organization has a new owner."]


def test_an_account_is_deleted(ada: Account, laptop: Device, keyboard: Keyboard) -> None:
    laptop.has_cookies_of(ada)
    laptop.open("/account/settings")
    keyboard.press("Delete your account …")
    keyboard.type("Password", PASSWORD)
    keyboard.press("Delete it for good")
    assert laptop.notices == ["Your account is deleted, and what was personal in it is gone."]


def test_what_is_wrong_is_where_the_focus_is(devices: Devices) -> None:
    laptop = devices()
    laptop.open("/sign-up")
    keyboard = Keyboard(laptop)
    laptop.tab.evaluate("document.querySelector('main form').noValidate = true")
    keyboard.press("Sign up")
    assert laptop.tab.evaluate("document.activeElement.getAttribute('aria-invalid')") == "true"
    assert laptop.tab.evaluate(_FOCUSED)["seen"]
