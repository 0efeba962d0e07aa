"""Inviting by link and coming by one in a real browser: as somebody new, as somebody known, as somebody else."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Devices
from tests.browser.devices import Device
from tests.browser.product import Account, Product
from tests.people import PASSWORD


@pytest.fixture
def acme(ada: Account) -> str:
    """An organization of Ada's, who is turned to it."""
    return ada.founds("Acme")


def link_made_for(device: Device, email: str, role: str = "member") -> str:
    """What Ada copies out of the page after inviting somebody."""
    device.open("/organization/members")
    device.tab.locator("#role").select_option(role)
    device.press("Generate invitation link", email=email)
    link = device.tab.get_by_label(f"Link for {email}")
    return link.input_value()


def members_seen_by(device: Device) -> list[str]:
    """Who is in the list of members."""
    device.open("/organization/members")
    return device.tab.locator("section[aria-labelledby=members-title] h3 > bdi").all_inner_texts()


def test_somebody_new_signs_up_by_the_link_and_is_a_member(
    product: Product, ada: Account, acme: str, laptop: Device, phone: Device
) -> None:
    laptop.has_cookies_of(ada)
    email = product.new_email("Bo")
    phone.open(link_made_for(laptop, email, "admin"))
    for told in ("Acme", "Admin", ada.email, email):
        assert told in phone.text
    phone.follow("Sign up")
    address = phone.field("email")
    assert (address.input_value(), address.get_attribute("readonly")) == (email, "")
    phone.press("Sign up", name="Bo Diddley", password=PASSWORD)
    assert phone.path.startswith("/organization/members")
    assert phone.notices == ["Welcome! You have joined the organization."]
    assert members_seen_by(laptop) == ["Ada Lovelace", "Bo Diddley"]


@pytest.mark.parametrize("answer", ["Accept", "Decline"])
def test_somebody_known_signs_in_and_answers(
    ada: Account, bo: Account, acme: str, laptop: Device, phone: Device, answer: str
) -> None:
    laptop.has_cookies_of(ada)
    phone.open(link_made_for(laptop, bo.email))
    phone.follow("Sign in")
    phone.signs_in(bo.email)
    assert "Join Acme" in phone.text
    phone.press(answer)
    joined = answer == "Accept"
    assert phone.notices == [
        "Welcome! You have joined the organization." if joined else "You have declined the invitation."
    ]
    assert members_seen_by(laptop) == ["Ada Lovelace", *(["Bo Diddley"] if joined else [])]


def test_in_somebody_elses_browser_both_addresses_are_named_and_one_button_leads_on(
    product: Product, ada: Account, bo: Account, acme: str, phone: Device
) -> None:
    cy = product.has("Cy")
    phone.has_cookies_of(cy)
    phone.open(f"/accept-invitation/{ada.invites(bo.email)}")
    assert f"You are signed in as {cy.email}, and this invitation is for {bo.email}." in phone.text
    phone.press("Sign out and continue")
    phone.follow("Sign in")
    phone.signs_in(bo.email)
    phone.press("Accept")
    assert phone.notices == ["Welcome! You have joined the organization."]


def test_looking_at_an_invitation_uses_nothing_up(ada: Account, bo: Account, acme: str, phone: Device) -> None:
    link = ada.invites(bo.email)
    phone.has_cookies_of(bo)
    for _ in range(3):
        phone.open(f"/accept-invitation/{link}")
    phone.press("Accept")
    phone.open(f"/accept-invitation/{link}")
    assert "It was accepted already." in phone.text


def test_an_invitation_that_is_taken_back_while_it_is_read_says_so(
    ada: Account, bo: Account, acme: str, laptop: Device, phone: Device
) -> None:
    link = ada.invites(bo.email)
    phone.has_cookies_of(bo)
    phone.open(f"/accept-invitation/{link}")
    laptop.has_cookies_of(ada)
    laptop.open("/organization/members")
    row = laptop.beside(bo.email)
    row.locator("summary").click()
    laptop.press("Take back", beside=bo.email)
    phone.press("Accept")
    assert "It was taken back." in phone.text


def test_a_wrong_address_is_corrected_in_one_step(ada: Account, bo: Account, acme: str, laptop: Device) -> None:
    wrong = f"wrong-{bo.email}"
    ada.invites(wrong)
    laptop.has_cookies_of(ada)
    laptop.open("/organization/members")
    row = laptop.beside(wrong)
    row.locator("summary").click()
    row.get_by_label("Right address").fill(bo.email)
    laptop.press("Cancel and invite this address", beside=wrong)
    shown = laptop.tab.locator("#invitations-card h3").all_inner_texts()
    assert [text.strip() for text in shown] == [bo.email]


def test_an_invitation_that_ran_out_says_so_and_is_renewed(
    product: Product, ada: Account, bo: Account, acme: str, laptop: Device, phone: Device
) -> None:
    link = ada.invites(bo.email)
    product.clock.wind(days=8)
    phone.open(f"/accept-invitation/{link}")
    assert "It was good for a while only" in phone.text
    laptop.has_cookies_of(ada.another_device())
    laptop.open("/organization/members")
    laptop.beside(bo.email).locator("summary").click()
    laptop.press("Renew", beside=bo.email)
    phone.open(laptop.tab.get_by_label(f"Link for {bo.email}").first.input_value())
    assert "Join Acme" in phone.text


def test_a_link_is_copied_by_a_button(ada: Account, bo: Account, acme: str, devices: Devices) -> None:
    laptop = devices(signed_in=ada, permissions=["clipboard-read", "clipboard-write"])
    link = link_made_for(laptop, bo.email)
    laptop.button("Copy link").click()
    laptop.button("Copied").wait_for()
    assert laptop.tab.evaluate("navigator.clipboard.readText()") == link
