"""What waits while somebody signs in again is sent afterwards as it was, whole; or it is said that it is lost."""

from __future__ import annotations

import pytest

from tests.api.pages.test_members_page import signed_up
from tests.api.pages.visitor import Page, Visitor
from tests.people import PASSWORD

TOO_MUCH = (
    "Your session ended. Sign in again, and enter once more what you entered: there was too much of it to be kept."
)
LARGEST = 64 * 1024
"""Bytes of a form (wire.md §1)."""
FIELDS = {
    "umlauts": {"name": "Äpfel & Öl für Ümit, größer"},
    "more than a line of the longest name in Chinese": {
        "name": "漢字" * 100,
        "image": "https://p.example/" + "字" * 500,
    },
    "emoji": {"name": "👩‍👩‍👧‍👦" * 28},
    "signs": {"name": "a&b=c;d %26 %2 + 100% ~*._- \"'<b>"},
    "lines": {"name": "one\r\ntwo\nthree\n"},
    "many": {f"field-{number}": f"Wert {number} & mehr" for number in range(60)},
    "as long as a legal logo": {"name": "x" * 200, "image": f"https://p.example/{'a' * 2_000}?{'ä' * 400}&end=1"},
}


@pytest.fixture
def ada(url: str, email: str) -> Visitor:
    """Whose session is over, with the page of her account still open."""
    visitor = signed_up(url, "Ada Lovelace", email)
    tab = Visitor(url)
    tab.browser = visitor.browser
    tab.send("/sign-out", {"next": ""})
    return visitor


def is_kept(page: Page) -> bool:
    """Whether the sign-in says that nothing was lost."""
    assert page.status == 401
    assert page.notices in (["Your session ended. Sign in again; nothing was lost."], [TOO_MUCH])
    return page.notices != [TOO_MUCH]


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_what_was_typed_is_sent_as_it_was(ada: Visitor, email: str, fields: dict[str, str]) -> None:
    assert is_kept(ada.send("/account/profile", fields))
    page = ada.press("Sign in", email=email, password=PASSWORD)
    [form] = [one for one in page.forms if one.action == "/account/profile"]
    assert {name: text for name, text in form.fields.items() if name != "made_for"} == fields


def test_a_name_in_every_script_is_saved_as_it_was_typed(ada: Visitor, email: str) -> None:
    name, image = "字👩🏽‍🚀ä&%26+" * 18, f"https://p.example/{'%C3%A4' * 330}?end=1"
    ada.press("Save", name=name, image=image)
    ada.press("Sign in", email=email, password=PASSWORD)
    assert ada.press("Send it now").notices == ["Your profile is saved."]
    saved = ada.browser.get("/get-session").json()["user"]
    assert (saved["name"], saved["image"]) == (name, image)


@pytest.mark.parametrize("sign", ["x", "ä", "字", "👩", "&", "~", "*", "\n"])
def test_however_long_it_is_it_is_sent_whole_or_said_to_be_lost(url: str, ada: Visitor, email: str, sign: str) -> None:
    """With the longest password and address beside it nobody is told that this is too much."""
    longest = (LARGEST - 100) // len(Visitor.encoded({"": sign})[1:])
    page_left = ada.path
    kept = lost = 0
    for part in (0.05, 0.3, 0.55, 0.9, 1):
        visitor = Visitor(url)
        visitor.path = page_left
        fields = {"name": "Ada", "more": sign * int(longest * part)}
        if is_kept(visitor.send("/account/profile", fields)):
            kept += 1
            refused = visitor.press("Sign in", email="字" * 254, password="字" * 128)
            assert refused.status == 400
            page = visitor.press("Sign in", email=email, password=PASSWORD)
            assert page.status == 200
            [form] = [one for one in page.forms if one.action == "/account/profile"]
            assert form.fields["more"] == fields["more"]
            assert visitor.press("Send it now").notices == ["Your profile is saved."]
        else:
            lost += 1
            visitor.press("Sign in", email=email, password=PASSWORD)
            assert (visitor.page.status, visitor.path) == (200, "/account/settings")
    assert kept
    assert lost or sign in "x*"


def test_what_was_too_long_to_be_kept_is_sent_by_nobody_else_either(ada: Visitor, url: str, email: str) -> None:
    other = signed_up(url, "Bo", f"bo.{email}")
    page = other.send("/account/profile", {"name": "Countess", "more": "ä" * 9_000, "made_for": "0" * 32})
    assert page.status == 409
    assert "It cannot be sent from here: there was too much of it to be kept." in page.text
    other.follow("Back to the page")
    assert other.path == "/account/settings"
