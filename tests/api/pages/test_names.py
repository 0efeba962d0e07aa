"""Names typed on pages: people and organizations are called something that can be seen, and no longer than may be."""

from __future__ import annotations

import pytest

from tests.api.browser import Browser
from tests.api.pages.test_members_page import signed_up
from tests.api.pages.visitor import Page, Visitor
from tests.people import PASSWORD

TOO_LONG = "This is too long: 200 characters at most."
UNSEEN = "Nothing of this can be seen."
CONTROLS = "Line breaks, tabs and other control characters cannot stand here."
REFUSED = {
    "x" * 201: TOO_LONG,
    "\U0001f600" * 201: TOO_LONG,
    "\u200b": UNSEEN,
    "\u200d\u2060\ufeff \u00ad": UNSEEN,
    "\u202e": UNSEEN,
    "\u3164\u2800": UNSEEN,
    "Ada\tLovelace": CONTROLS,
    "Ada\nLovelace": CONTROLS,
    "Ada\x7f": CONTROLS,
    "Ada\u2028Lovelace": CONTROLS,
}
TAKEN = ["\U0001f600" * 200, "x" * 200, "\u06a9\u200c\u0645", "\U0001f469\u200d\U0001f680", "O'Brien-Smith", "7", "?"]


@pytest.fixture
def ada(url: str, email: str) -> Visitor:
    return signed_up(url, "Ada Lovelace", email)


def told(page: Page) -> list[str]:
    """What is said beside the fields, in their order."""
    assert page.status == 400
    [alert] = page.alerts
    return [alert.removeprefix("That did not work ")]


@pytest.mark.parametrize(("name", "said"), REFUSED.items(), ids=lambda given: ascii(given)[:30])
def test_a_name_that_is_refused_is_refused_for_what_it_is(
    ada: Visitor, url: str, email: str, name: str, said: str
) -> None:
    ada.open("/account/settings")
    assert told(ada.press("Save", name=name)) == [said]
    assert ada.browser.session()["activeOrganizationId"]
    ada.open("/organizations")
    assert told(ada.press("Create organization", name=name, slug=f"acme-{email}")) == [said]
    assert told(ada.press("Create organization", name="Acme", slug=name)) == [said]
    ada.open("/organization/settings")
    assert told(ada.press("Save", name=name)) == [said]
    stranger = Visitor(url)
    stranger.open("/sign-up")
    assert told(stranger.press("Sign up", name=name, email=f"bo.{email}", password=PASSWORD)) == [said]
    assert Browser(url).sign_in(f"bo.{email}").status == 401


@pytest.mark.parametrize("name", TAKEN, ids=lambda given: ascii(given)[:30])
def test_a_name_that_the_wire_takes_and_people_see_is_taken(ada: Visitor, name: str) -> None:
    ada.open("/account/settings")
    assert ada.press("Save", name=name).notices == ["Your profile is saved."]
    assert ada.browser.get("/get-session").json()["user"]["name"] == name


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/account/settings", {"name": 200, "image": 2_048}),
        ("/organization/settings", {"name": 200, "slug": 200, "logo": 2_048, "typed_name": 200}),
        ("/organization/members", {"search": 200}),
        ("/organizations", {"name": 200, "slug": 200}),
    ],
)
def test_no_field_cuts_what_is_allowed(ada: Visitor, path: str, fields: dict[str, int]) -> None:
    """A browser counts UTF-16 code units; there are two in an emoji."""
    longest = {given.get("id"): given.get("maxlength") for tag, given in ada.open(path).elements if tag == "input"}
    assert {name: int(longest[name] or 0) for name in fields} == {name: 2 * number for name, number in fields.items()}
