"""Every page and state of the product: the people and organizations it takes, and how a browser gets there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from playwright.sync_api import Browser as Chromium

from domain.events.catalogue import NAME_BY_EVENT
from domain.user import PasswordReset
from tests.api.browser import BASE
from tests.api.conftest import settings_for
from tests.browser.devices import PHONE, Device
from tests.browser.product import Account, Product, product
from tests.databases import Database
from tests.people import NOON
from tests.server import application

TABLET = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0"
SETTINGS = {
    "fresh_for": 3_600,
    "fresh_calls": "update-user",
    "mails_per_hour": 1_000,
    "trusted_proxies": "127.0.0.1,::1",
}
AT_HOME, ON_THE_WAY, ABROAD = "81.2.69.142", "91.64.1.1", "24.48.0.1"
_MEMBERS = 26
"""One more than a page of them."""


@dataclass(frozen=True)
class Names:
    """What everybody and everything is called."""

    ada: str
    organization: str
    guest: str
    members: Sequence[str]

    def member(self, number: int) -> str:
        """The name of the member with this number."""
        return self.members[number % len(self.members)].strip()

    def mailbox(self, number: int) -> str:
        """What stands in front of their address."""
        first = self.member(number).partition(" ")[0]
        return first if first.isascii() and first.isalpha() else "member"


PLAIN = Names(
    "Ada Lovelace",
    "Analytical Engines",
    "grace.hopper",
    """Bo Diddley, Cy Twombly, Dee Dee Bridgewater, Edith Piaf, Fela Kuti, Grace Jones, Hedy Lamarr, Ida Rhodes,
    Joan Clarke, Karen Spärck Jones, Lise Meitner, Mary Somerville, Nina Simone, Olga Ladyzhenskaya, Pina Bausch,
    Quincy Jones, Rosa Parks, Sofia Kovalevskaya, Tove Jansson, Umm Kulthum, Vera Rubin, Wangari Maathai,
    Xiomara Alfaro, Yayoi Kusama, Zaha Hadid, Åsa Larsson""".replace("\n", "").split(","),
)
ROUGH = Names(
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk",
    "W" * 200,
    "w" * 60,
    [
        "x" * 40,
        "Bo " * 66,
        "Z̷̢̛͎̗̲̈́̊̿a̸͔͗l̵̰̇g̶̳̈́o̷͓͑" * 4,
        "\u202eevil\u202c عبد الرحمن محمد",
        "שלום עולם " * 8,
        "👩‍👩‍👧‍👦" * 8,
        "﷽" * 20,
    ],
)


@dataclass
class Showcase:
    """The people there are: Ada, who owns; Bo, who is known and has nothing yet; Cy, a member without rights."""

    product: Product
    ada: Account
    bo: Account
    cy: Account
    invitation: str
    canceled: str
    expired: str
    closed_url: str = ""
    limited_url: str = ""

    def reset_link(self) -> str:
        """A link that sets another password for Bo."""
        self.bo.post("/request-password-reset", {"email": self.bo.email, "redirectTo": "/reset-password"})
        return self.product.postman.link_to(self.bo.email, "password-reset").path


class Scene(NamedTuple):
    """A page in a state: who is signed in, if anybody, and how it is reached."""

    name: str
    who: str
    reach: Callable[[Device, Showcase], object]


def at(path: str) -> Callable[[Device, Showcase], object]:
    """Reached by its address."""
    return lambda device, _: device.open(path)


def sent(path: str, button: str, *, by: str = "", **fields: str) -> Callable[[Device, Showcase], object]:
    """Reached by sending a form on a page as it is, whatever the browser thinks of what stands in it; `by` is who signs
    in while the page is open, if somebody does.
    """

    def reach(device: Device, showcase: Showcase) -> None:
        device.open(path)
        if by:
            device.has_cookies_of(getattr(showcase, by))
        device.tab.evaluate("for (const form of document.forms) form.noValidate = true")
        for field, text in fields.items():
            device.tab.locator(f"#{field}").fill(text)
        device.press(button)

    return reach


def _opened(device: Device, _: Showcase) -> None:
    device.open("/organization/members")
    device.tab.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")


def _ended(device: Device, showcase: Showcase) -> None:
    lent = showcase.bo.another_device()
    device.has_cookies_of(lent)
    device.open("/account/settings")
    lent.post("/sign-out")
    device.press("Save")


def _kept(device: Device, showcase: Showcase) -> None:
    _ended(device, showcase)
    device.signs_in(showcase.bo.email)


def _not_verified(device: Device, showcase: Showcase) -> None:
    device.open(f"{showcase.closed_url}/sign-in")
    device.signs_in(showcase.bo.email)


def _tried_too_often(device: Device, showcase: Showcase) -> None:
    for _ in range(4):
        device.open(f"{showcase.limited_url}/sign-in")
        device.press("Sign in", email="nobody@example.com", password="not it at all 1")


def _too_much(device: Device, _: Showcase) -> None:
    device.open("/account/settings")
    device.tab.evaluate("document.getElementById('name').removeAttribute('maxlength')")
    device.press("Save", name="x" * 70_000)


SCENES: Sequence[Scene] = [
    Scene("sign-in", "", at("/sign-in")),
    Scene("sign-in-wrong", "", sent("/sign-in", "Sign in", email="nobody@example.com", password="not it at all 1")),
    Scene("sign-in-session-ended", "", _ended),
    Scene("sign-in-and-send", "", _kept),
    Scene("send-as-another", "bo", sent("/account/settings", "Save", by="ada")),
    Scene("send-as-another-password", "bo", sent("/account/delete", "Delete it for good", by="ada")),
    Scene("signed-out", "", at("/sign-in?done=signed-out")),
    Scene("sign-up", "", at("/sign-up")),
    Scene("sign-up-wrong", "", sent("/sign-up", "Sign up", email="ada@example", password="short")),
    Scene("sign-up-closed", "", lambda device, all_: device.open(f"{all_.closed_url}/sign-up")),
    Scene("forgot-password", "", at("/forgot-password")),
    Scene("forgot-password-wrong", "", sent("/forgot-password", "Send the link", email="ada")),
    Scene("forgot-password-sent", "", sent("/forgot-password", "Send the link", email="nobody@example.com")),
    Scene("reset-password", "", lambda device, all_: device.open(all_.reset_link())),
    Scene("link-over", "", at("/reset-password?token=unknown")),
    Scene("verify-first", "", _not_verified),
    Scene("too-many-tries", "", _tried_too_often),
    Scene("too-much", "bo", _too_much),
    Scene("no-such-page", "", at("/no/such/page")),
    Scene("invitation", "", lambda device, all_: device.open(f"/accept-invitation/{all_.invitation}")),
    Scene("invitation-sign-up", "", lambda device, all_: device.open(f"/sign-up?invitation={all_.invitation}")),
    Scene("invitation-canceled", "", lambda device, all_: device.open(f"/accept-invitation/{all_.canceled}")),
    Scene("invitation-expired", "", lambda device, all_: device.open(f"/accept-invitation/{all_.expired}")),
    Scene("invitation-unknown", "", at("/accept-invitation/unknown")),
    Scene("invitation-to-me", "bo", lambda device, all_: device.open(f"/accept-invitation/{all_.invitation}")),
    Scene("invitation-to-another", "cy", lambda device, all_: device.open(f"/accept-invitation/{all_.invitation}")),
    Scene("settings", "ada", at("/account/settings?done=profile")),
    Scene("settings-wrong", "ada", sent("/account/settings", "Change password", password="short")),
    Scene("sessions", "ada", at("/account/sessions")),
    Scene("sessions-alone", "bo", at("/account/sessions")),
    Scene("new-password", "ada", at("/account/sessions/new-password?done=not-me")),
    Scene("new-password-wrong", "ada", sent("/account/sessions/new-password", "Change password", password="short")),
    Scene("keys", "ada", at("/account/keys")),
    Scene("keys-none", "bo", at("/account/keys")),
    Scene("keys-wrong", "ada", sent("/account/keys", "Make the key")),
    Scene("key-made", "cy", sent("/account/keys", "Make the key", name="nightly build")),
    Scene("activity", "ada", at("/account/activity")),
    Scene("activity-of-days", "ada", at("/account/activity?since=2026-03-14&zone=Europe/Berlin")),
    Scene("activity-nothing", "ada", at(f"/account/activity?kind={quote(NAME_BY_EVENT[PasswordReset])}")),
    Scene("delete-account", "bo", at("/account/delete")),
    Scene("delete-account-blocked", "ada", at("/account/delete")),
    Scene("confirm", "bo", sent("/account/settings", "Save", name="Bo")),
    Scene("organizations", "ada", at("/organizations")),
    Scene("organizations-wrong", "ada", sent("/organizations", "Create organization")),
    Scene("members", "ada", at("/organization/members")),
    Scene("members-last-page", "ada", at("/organization/members?page=2")),
    Scene("members-nobody", "ada", at("/organization/members?search=nobody+at+all&role=admin")),
    Scene("members-opened", "ada", _opened),
    Scene("members-wrong", "ada", sent("/organization/members", "Generate invitation link", email="ada")),
    Scene("members-alone", "bo", at("/organization/members")),
    Scene("members-as-member", "cy", at("/organization/members")),
    Scene("organization-activity", "ada", at("/organization/activity")),
    Scene("organization-activity-nothing", "ada", at("/organization/activity?until=2001-01-01")),
    Scene("organization-settings", "ada", at("/organization/settings")),
    Scene("organization-settings-wrong", "ada", sent("/organization/settings", "Save", name=" ", logo="no address")),
    Scene("organization-settings-as-member", "cy", at("/organization/settings")),
]


@contextmanager
def showcase(database: Database, mail_folder: Path, names: Names) -> Iterator[Showcase]:
    """All of it, running. It is noon there; it began nine days before."""
    with product(database, mail_folder, **SETTINGS) as running:
        built = _built(running, names)
        also = partial(settings_for, database, mail_folder=mail_folder, **SETTINGS)
        closed, limited = also(sign_up="invited", email_verification="required"), also(rate_limit="on")
        with (
            application(closed, running.clock) as built.closed_url,
            application(limited, running.clock) as built.limited_url,
        ):
            yield built


def _built(running: Product, names: Names) -> Showcase:
    clock = running.clock
    clock.now = NOON - timedelta(days=9)
    running.address = AT_HOME
    ada = running.has("Ada", called=names.ada)
    shown = ada.founds(names.organization)
    members = [running.has(names.mailbox(number), called=names.member(number)) for number in range(_MEMBERS)]
    for number, member in enumerate(members):
        ada.takes_in(member, "admin" if number % 4 == 0 else "member")
        clock.wind(minutes=7)
    cy = members[1]
    expired = ada.invites(running.new_email("late"))
    clock.now = NOON - timedelta(hours=3)
    bo = running.has("Bo", called=names.member(0))
    ada = ada.another_device()
    ada.turns_to(shown)
    canceled = ada.invites(running.new_email("canceled"))
    ada.post("/organization/cancel-invitation", {"invitationId": canceled})
    ada.invites(running.new_email(names.guest), "admin")
    invitation = ada.invites(bo.email)
    _have_keys(ada, shown)
    ada.sign_in(ada.email, "not it at all 1")
    _is_noted(running)
    running.is_caught_up()
    for device, address in ((PHONE, ON_THE_WAY), (TABLET, ABROAD)):
        clock.wind(minutes=40)
        ada.another_device(device, address=address)
    cy = cy.another_device()
    cy.turns_to(shown)
    clock.now = NOON - timedelta(minutes=2)
    ada = ada.another_device()
    ada.founds("Royal Society")
    ada.turns_to(shown)
    clock.now = NOON
    running.is_caught_up()
    return Showcase(running, ada, bo, cy, invitation, canceled, expired)


def _have_keys(ada: Account, shown: str) -> None:
    """Programs that act for Ada: one by a key that was used, one by a key that ends soon, one by none any more."""
    made = [
        ada.post("/api-key/create", {"name": name, **fields}).json()
        for name, fields in (
            ("deploy", {"organizationOnly": shown, "scopes": ["read", "member:update"], "expiresIn": 90 * 86_400}),
            ("nightly backup of everything x", {}),
            ("old laptop", {"scopes": ["read"]}),
        )
    ]
    ada.ask("GET", f"{BASE}/get-session", None, {"x-api-key": made[0]["key"], "User-Agent": "curl/8.5.0"})
    ada.post("/api-key/update", {"keyId": made[2]["id"], "enabled": False})


def _is_noted(running: Product) -> None:
    """The refused attempt stands in the journal where it happened."""
    while not running.postman.database.value("SELECT count(*) FROM attempts"):
        time.sleep(0.05)


@contextmanager
def reached(
    browser: Chromium, shown: Showcase, scene: Scene, *, width: int = 1280, height: int = 800, **options: Any
) -> Iterator[Device]:
    """A device on which a scene is seen, at noon."""
    viewport = {"width": width, "height": height}
    behind = {"X-Forwarded-For": AT_HOME}
    device = Device(
        browser, shown.product.url, viewport=viewport, reduced_motion="reduce", extra_http_headers=behind, **options
    )
    try:
        device.context.clock.set_fixed_time(NOON)
        if scene.who:
            device.has_cookies_of(getattr(shown, scene.who))
        scene.reach(device, shown)
        yield device
    finally:
        device.close()
