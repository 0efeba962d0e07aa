"""One's own account in a real browser: name, password, address, and deleting it."""

from __future__ import annotations

from tests.browser.devices import Device
from tests.browser.product import Account, Product
from tests.people import PASSWORD

PAGE = "/account/settings"
NEW_PASSWORD = "battery staple 2 horses"


def test_a_name_is_changed_everywhere_it_is_shown(ada: Account, laptop: Device) -> None:
    laptop.has_cookies_of(ada)
    laptop.open(PAGE)
    laptop.tab.locator("#name").fill("Countess of Lovelace")
    laptop.press("Save")
    assert laptop.notices == ["Your profile is saved."]
    assert laptop.tab.locator(".who bdi").inner_text() == "Countess of Lovelace"


def test_a_name_as_long_as_may_be_is_not_cut_while_it_is_typed(ada: Account, laptop: Device) -> None:
    laptop.has_cookies_of(ada)
    laptop.open(PAGE)
    laptop.field("name").clear()
    laptop.tab.keyboard.insert_text("x" * 201)
    laptop.press("Save")
    assert "This is too long: 200 characters at most." in laptop.text
    laptop.field("name").clear()
    laptop.tab.keyboard.insert_text("😀" * 200)
    laptop.press("Save")
    assert laptop.notices == ["Your profile is saved."]
    assert laptop.field("name").input_value() == "😀" * 200


def test_a_new_password_signs_the_other_devices_out(ada: Account, laptop: Device, phone: Device) -> None:
    laptop.has_cookies_of(ada)
    phone.has_cookies_of(ada.another_device())
    phone.open(PAGE)
    laptop.open(PAGE)
    laptop.press("Change password", current_password="not it at all 1", password=NEW_PASSWORD)
    assert "This is not your password." in laptop.text
    laptop.press("Change password", current_password=PASSWORD, password=NEW_PASSWORD)
    assert laptop.notices == ["Your password is changed, and all your other devices are signed out."]
    assert not phone.is_signed_in
    phone.open("/sign-in")
    phone.signs_in(ada.email, NEW_PASSWORD)
    assert phone.is_signed_in


def test_an_address_changes_once_the_link_that_was_sent_there_is_opened(
    product: Product, ada: Account, laptop: Device
) -> None:
    laptop.has_cookies_of(ada)
    wanted = product.new_email("countess")
    laptop.open(PAGE)
    laptop.press("Change address", new_email=wanted)
    assert laptop.notices == ["We have sent a link to the new address. Open it to make the address yours."]
    laptop.open(product.postman.link_to(wanted).path)
    assert laptop.notices == ["The new address is yours."]
    assert wanted in laptop.text


def test_an_account_that_others_depend_on_is_not_deleted_and_says_why(
    ada: Account, bo: Account, laptop: Device
) -> None:
    ada.founds("Acme")
    ada.takes_in(bo)
    laptop.has_cookies_of(ada)
    laptop.open(PAGE)
    laptop.follow("Delete your account …")
    assert "In the way: you are its only owner" in laptop.beside("Acme").inner_text()
    assert laptop.button("Delete it for good").count() == 0


def test_an_account_is_deleted_with_the_password_and_is_gone(ada: Account, laptop: Device) -> None:
    ada.founds("Acme")
    laptop.has_cookies_of(ada)
    laptop.open("/account/delete")
    assert "Deleted: nobody else belongs to it" in laptop.beside("Acme").inner_text()
    laptop.press("Delete it for good", current_password="not it at all 1")
    assert "This is not your password." in laptop.text
    laptop.press("Delete it for good", current_password=PASSWORD)
    assert laptop.notices == ["Your account is deleted, and what was personal in it is gone."]
    laptop.signs_in(ada.email)
    assert "Address or password are not right." in laptop.text
