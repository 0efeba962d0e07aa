"""Members of an organization in a real browser: found, made something else, removed; leaving, and handing over."""

from __future__ import annotations

import pytest

from tests.browser.devices import Device
from tests.browser.product import Account, Product

MEMBERS = "/organization/members"


@pytest.fixture
def acme(product: Product, ada: Account, bo: Account) -> list[Account]:
    """An organization of Ada's with Bo and Cy in it; Cy is an admin."""
    ada.founds("Acme")
    ada.takes_in(bo)
    cy = product.has("Cy", called="Cy Twombly")
    ada.takes_in(cy, "admin")
    return [ada, bo, cy]


def roles_of(device: Device, name: str) -> str:
    """What the list says somebody is."""
    return device.beside(name).locator("p.small").inner_text().partition(" · ")[0]


def names(device: Device) -> list[str]:
    """Who is on the page."""
    return device.tab.locator("section[aria-labelledby=members-title] h3 > bdi").all_inner_texts()


def test_members_are_found_by_name_address_and_role(acme: list[Account], laptop: Device) -> None:
    ada, _, cy = acme
    laptop.has_cookies_of(ada)
    laptop.open(MEMBERS)
    assert names(laptop) == ["Ada Lovelace", "Bo Diddley", "Cy Twombly"]
    laptop.press("Find", search="diddl")
    assert names(laptop) == ["Bo Diddley"]
    laptop.press("Find", search=cy.email)
    assert names(laptop) == ["Cy Twombly"]
    laptop.tab.locator("#role-filter").select_option("owner")
    laptop.press("Find", search="")
    assert names(laptop) == ["Ada Lovelace"]
    laptop.press("Find", search="nobody at all")
    assert "Nobody is found." in laptop.text


def test_a_member_is_given_several_roles(acme: list[Account], laptop: Device) -> None:
    laptop.has_cookies_of(acme[0])
    laptop.open(MEMBERS)
    row = laptop.beside("Bo Diddley")
    row.locator("summary").click()
    row.get_by_label("Admin").check()
    laptop.press("Save roles", beside="Bo Diddley")
    assert laptop.notices == ["The role is changed."]
    assert roles_of(laptop, "Bo Diddley") == "Admin, Member"


def test_a_member_is_removed_and_told_so_by_the_page_they_have_open(
    acme: list[Account], laptop: Device, phone: Device, scripts: bool
) -> None:
    ada, _, cy = acme
    phone.has_cookies_of(cy)
    phone.open(MEMBERS)
    laptop.has_cookies_of(ada)
    laptop.open(MEMBERS)
    laptop.beside("Cy Twombly").locator("summary").click()
    laptop.press("Remove", beside="Cy Twombly")
    assert laptop.asked == (["Remove this person?\nCy Twombly"] if scripts else [])
    assert names(laptop) == ["Ada Lovelace", "Bo Diddley"]
    phone.press("Generate invitation link", email="dee@example.com")
    assert "You do not belong to this organization any more." in phone.text


def test_somebody_leaves_and_the_last_owner_cannot(acme: list[Account], laptop: Device, phone: Device) -> None:
    ada, bo, _ = acme
    phone.has_cookies_of(bo)
    phone.open(MEMBERS)
    phone.press("Leave this organization")
    assert phone.notices == ["You have left the organization."]
    laptop.has_cookies_of(ada)
    laptop.open(MEMBERS)
    laptop.press("Leave this organization")
    assert "You are the only owner." in laptop.text
    assert names(laptop) == ["Ada Lovelace", "Cy Twombly"]


def test_ownership_is_handed_over(acme: list[Account], laptop: Device) -> None:
    laptop.has_cookies_of(acme[0])
    laptop.open(MEMBERS)
    laptop.beside("Cy Twombly").locator("summary").click()
    laptop.press("Make owner in your place", beside="Cy Twombly")
    assert laptop.notices == ["The organization has a new owner."]
    assert roles_of(laptop, "Cy Twombly") == "Owner"
    assert roles_of(laptop, "Ada Lovelace") == "Admin"


def test_an_organization_is_founded_renamed_and_deleted_by_its_name(ada: Account, laptop: Device) -> None:
    laptop.has_cookies_of(ada)
    laptop.open("/organizations")
    laptop.press("Create organization", name="Engines", slug=f"engines-{ada.email.partition('@')[0]}")
    laptop.follow("Settings and roles")
    laptop.tab.locator("#name").fill("Analytical Engines")
    laptop.press("Save")
    assert laptop.tab.locator("h1").inner_text() == "Analytical Engines"
    laptop.tab.locator("#typed_name").fill("Something else")
    laptop.press("Delete it for good")
    assert "This is not the name of the organization." in laptop.text
    laptop.tab.locator("#typed_name").fill("Analytical Engines")
    laptop.press("Delete it for good")
    assert laptop.notices == ["The organization is deleted."]
    assert "Analytical Engines" not in laptop.text
