"""200 names that want to be more than names, of people, organizations and slugs, on every page that shows one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.browser.conftest import Devices
from tests.browser.devices import Device, width_of
from tests.browser.product import Account, Product

_RUNS = "window.harmed=1"
_SCRIPTS = [
    f"<script>{_RUNS}</script>",
    f"</title><script>{_RUNS}</script>",
    f"</textarea></select></details><script>{_RUNS}</script>",
    f"<img src=x onerror={_RUNS}>",
    f"<svg/onload={_RUNS}>",
    f'"><img src=x onerror={_RUNS}>',
    f"' autofocus onfocus={_RUNS} x='",
    f'" autofocus onfocus="{_RUNS}" x="',
    f"javascript:{_RUNS}",
    f'<a href="javascript:{_RUNS}">Click</a>',
    f"<iframe srcdoc='<script>parent.{_RUNS}</script>'></iframe>",
    f"<!--><script>{_RUNS}</script>-->",
    "<style>@import'//evil.example';</style>",
    "<form action=https://evil.example><button>Sign out</button>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content=0;url=https://evil.example>",
    "{{ 7*7 }}{% print(7*7) %}",
    f"${{{_RUNS}}}`${{{_RUNS}}}`",
    "%(num)s %s {0} %(name)s",
    f"&lt;script&gt;&#x3C;script>{_RUNS}",
]
_SHAPES = [
    "W" * 200,
    "x" * 40 + " " + "y" * 40,
    "\u202egnp.eman\u202c",
    "\u2066\u202eאבג\u2069",
    "Z\u0337\u0322\u031b\u0321\u034e\u0317\u0332\u0308" * 12,
    "👩‍👩‍👧‍👦" * 6,
    "\u200b\u200d\u2060",
    "a\u0001b\u0007c\u001bd\u007f",
    "line\nbreak\r\ntab\t",
    "\u0000".replace("\u0000", "\ufeff") + "﷽" * 10,
]


def hostile() -> Sequence[str]:
    """All of them, each another one."""
    plain = [*_SCRIPTS, *_SHAPES]
    mixed = [f"{shape[:60]}{script}"[:180] for script in _SCRIPTS for shape in _SHAPES]
    return [*plain, *mixed][:200]


NAMES = hostile()
PEOPLE = 50
"""How many of the names are people's, since each of those costs a password; all are organizations'."""


class House:
    """Ada, with as many organizations as there are names, and one that is full of people."""

    def __init__(self, product: Product) -> None:
        self.ada = product.has("Ada", called=NAMES[1])
        self.accepted = list[str]()
        for number, name in enumerate(NAMES):
            made = self.ada.post("/organization/create", {"name": name, "slug": f"{name}-{number}"[:200]})
            assert made.status in (200, 400), made.content
            if made.status == 200:
                self.accepted.append(name)
        self.full = self.ada.founds(NAMES[0])
        self.bo: Account | None = None
        for name in NAMES[:PEOPLE]:
            member = Account(product.url, name, product.new_email("m"), device=name.encode("ascii", "ignore").decode())
            member.device = "".join(letter for letter in member.device if letter.isprintable())
            if member.sign_up(member.email, name=name).status == 200:
                self.ada.takes_in(member)
                self.bo = self.bo or member
        self.link = self.ada.invites(f"{'w' * 60}@example.com")
        product.is_caught_up()


@pytest.fixture(scope="module")
def house(module_product: Product) -> House:
    """All of them."""
    return House(module_product)


@pytest.fixture
def phone(devices: Devices, house: House) -> Device:
    """Ada's, as small as they come."""
    return devices(signed_in=house.ada, viewport={"width": 320, "height": 700})


PAGES = [
    *(f"/organization/members?page={number}" for number in (1, 2, 3)),
    "/organization/members?search=%3Cscript",
    f"/organization/members?search=%22%3E%3Cimg%20src%3Dx%20onerror%3D{_RUNS}%3E&role=%22%3E%3Cscript%3E",
    "/organization/activity",
    "/organization/settings",
    "/organizations",
    "/account/settings",
    "/account/sessions",
    "/account/activity",
    "/account/delete",
    f"/sign-in?over=1&next=%22%3E%3Cimg%20src%3Dx%20onerror%3D{_RUNS}%3E&done=%3Cscript%3E",
    f"/sign-up?next=javascript:{_RUNS}&invitation=%3Cscript%3E{_RUNS}%3C/script%3E",
    f"/%3Cscript%3E{_RUNS}%3C/script%3E",
]


@pytest.fixture(autouse=True)
def nothing_was_asked(phone: Device) -> Iterator[None]:
    """No page opens a dialog of its own."""
    yield
    assert phone.asked == []


def is_harmless(device: Device) -> None:
    """Nothing of what is shown ran, nor is anything wider than the screen."""
    assert device.tab.evaluate("window.harmed") is None
    assert width_of(device.tab)["page"] <= 320
    assert device.tab.locator("main iframe, main script, main style, main base, main meta").count() == 0


def test_most_of_them_are_names_that_somebody_can_have(house: House) -> None:
    assert len(house.accepted) >= 180


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_names_and_does_nothing_else(phone: Device, page: str) -> None:
    phone.open(page)
    phone.tab.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    is_harmless(phone)


def test_all_organizations_are_shown_by_their_whole_names(phone: Device, house: House) -> None:
    phone.open("/organizations")
    shown = set(phone.tab.locator("h2 > bdi").all_text_contents())
    # HTML knows one kind of line break, and no null
    wanted = {name.replace("\r\n", "\n").replace("\r", "\n") for name in house.accepted}
    assert wanted - shown == set()


def test_an_invitation_shows_names_and_does_nothing_else(phone: Device, house: House) -> None:
    phone.context.clear_cookies()
    phone.open(f"/accept-invitation/{house.link}")
    is_harmless(phone)
    phone.open(f"/sign-up?invitation={house.link}")
    is_harmless(phone)


def test_what_is_asked_before_something_is_done_names_them_as_they_are(phone: Device, house: House) -> None:
    phone.open("/organization/members")
    row = phone.tab.get_by_role("listitem").nth(1)
    row.locator("summary").click()
    phone.comes(lambda: row.get_by_role("button", name="Remove").click())
    assert len(phone.asked) == 1
    assert phone.asked.pop().startswith("Remove this person?\n")
    is_harmless(phone)
