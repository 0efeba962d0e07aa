"""Where somebody is signed in, in two real browsers: one ends the other, all others, or both; and "this was not me"."""

from __future__ import annotations

import pytest

from tests.browser.devices import Device
from tests.browser.product import Account, Product
from tests.people import PASSWORD

SESSIONS = "/account/sessions"


@pytest.fixture
def both(product: Product, ada: Account, laptop: Device, phone: Device) -> tuple[Device, Device]:
    """Ada is signed in on a laptop and on a phone, which has the page of sessions open."""
    laptop.has_cookies_of(ada)
    product.clock.wind(minutes=1)
    phone.open(SESSIONS)
    phone.signs_in(ada.email)
    assert phone.path == SESSIONS
    laptop.open(SESSIONS)
    return laptop, phone


def test_both_devices_are_listed_and_the_present_one_is_marked(both: tuple[Device, Device]) -> None:
    laptop, phone = both
    assert "This device" in laptop.beside("Mac").first.inner_text()
    assert "This device" in phone.beside("Android").first.inner_text()
    assert "New" in laptop.beside("Android").first.inner_text()


def test_a_device_that_is_signed_out_elsewhere_is_told_so_at_its_next_step(both: tuple[Device, Device]) -> None:
    laptop, phone = both
    row = laptop.beside("Android")
    laptop.comes(lambda: row.get_by_role("button", name="Sign out").click())
    assert laptop.notices == ["That device is signed out."]
    phone.tab.reload()
    assert phone.path.startswith("/sign-in")
    assert "Your session ended. Sign in again; nothing was lost." in phone.text


@pytest.mark.parametrize(("button", "stays"), [("Sign out all other devices", True), ("Sign out everywhere", False)])
def test_several_are_signed_out_at_once(both: tuple[Device, Device], button: str, stays: bool) -> None:
    laptop, phone = both
    laptop.press(button)
    assert laptop.is_signed_in is stays
    assert not phone.is_signed_in


def test_a_device_that_was_not_theirs_is_ended_and_another_password_set_in_one_story(
    both: tuple[Device, Device], ada: Account
) -> None:
    laptop, phone = both
    row = laptop.beside("Android")
    laptop.comes(lambda: row.get_by_role("button", name="was not me").click())
    assert laptop.notices == ["That device is signed out. Now set a new password, so that it stays out."]
    assert not phone.is_signed_in
    laptop.press("Change password", current_password=PASSWORD, password="battery staple 2 horses")
    assert laptop.notices == ["Your password is changed, and all your other devices are signed out."]
    assert laptop.path.startswith(SESSIONS)
    phone.open("/sign-in")
    phone.signs_in(ada.email)
    assert "Address or password are not right." in phone.text


def test_a_new_device_stands_above_a_known_one_and_says_why(
    both: tuple[Device, Device], ada: Account, product: Product
) -> None:
    laptop, _ = both
    product.clock.wind(minutes=1)
    ada.another_device()
    laptop.tab.reload()
    rows = laptop.tab.locator(".list > li").all_inner_texts()
    assert ["This device" in rows[0], "Android" in rows[1], "macOS" in rows[2]] == [True, True, True]
    assert "You were not seen before on this browser, system and network." in rows[1]
