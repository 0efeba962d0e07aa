"""A user interface of others, on a port of its own, beside our pages: one account, whichever of both is used."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from tests.api.routes.programs import Program
from tests.browser.conftest import Devices
from tests.browser.devices import PHONE, Device
from tests.browser.product import Account, Product
from tests.clients.javascript import HERE, installed
from tests.people import PASSWORD
from tests.server import free_port

PORT = free_port()
SETTINGS = {"trusted_origins": f"http://localhost:{PORT}"}

KEY = re.compile(r"^day_[0-9A-Za-z]{70}$")

_BUNDLE = ["node_modules/.bin/esbuild", "app.jsx", "--bundle", "--format=esm", "--outfile=app.js", "--log-level=error"]
_PAGE = '<!doctype html><title>Another</title><div id="root"></div><script type="module" src="/app.js"></script>'


class _Handler(SimpleHTTPRequestHandler):
    """Every path but that of the script is the one page."""

    def do_GET(self) -> None:
        if self.path != "/app.js":
            self.path = "/index.html"
        super().do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module", autouse=True)
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The kit, served at its port."""
    packages = installed(tmp_path_factory.mktemp("packages"), HERE / "ui")
    folder = tmp_path_factory.mktemp("kit")
    (folder / "node_modules").symlink_to(packages, target_is_directory=True)
    shutil.copy(HERE / "ui" / "app.jsx", folder)
    (folder / "index.html").write_text(_PAGE)
    define = '--define:process.env.NODE_ENV="production"'
    ran = subprocess.run([*_BUNDLE, define], cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    with ThreadingHTTPServer(("127.0.0.1", PORT), partial(_Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield
        server.shutdown()
        thread.join(10)


@pytest.fixture
def laptop(devices: Devices) -> Device:
    return devices()


@pytest.fixture
def phone(devices: Devices) -> Device:
    return devices(user_agent=PHONE)


def shows(device: Device, product: Product, path: str) -> Tab:
    """One of the kit's views."""
    device.tab.goto(f"http://localhost:{PORT}{path}?{urlencode({'at': product.url})}")
    return device.tab


def makes_a_key(tab: Tab, name: str, **chosen: str) -> str:
    """In the card on the page, with what is `chosen` from the lists; the key, as it is shown."""
    tab.get_by_role("button", name="Create API Key").click()
    dialog = tab.get_by_role("dialog", name="Create API Key")
    dialog.locator("[name=name]").fill(name)
    for label, option in chosen.items():
        dialog.get_by_label(label).click()
        tab.get_by_role("option", name=option).click()
    dialog.get_by_role("button", name="Create API Key").click()
    shown = tab.get_by_role("dialog", name="API Key Created")
    key = shown.get_by_text(KEY).inner_text()
    shown.get_by_role("button", name="Done").click()
    expect(shown).to_have_count(0)
    return key


def deletes_a_key(tab: Tab) -> None:
    """The only one in the card on the page."""
    tab.get_by_role("button", name="Delete").click()
    tab.get_by_role("dialog", name="Delete API Key").get_by_role("button", name="Delete").click()
    expect(tab.get_by_role("dialog")).to_have_count(0)


def test_an_account_that_was_opened_there_is_at_home_on_our_pages(product: Product, laptop: Device) -> None:
    email = product.new_email("Ada")
    tab = shows(laptop, product, "/auth/sign-up")
    for name, text in (("name", "Ada Lovelace"), ("email", email), ("password", PASSWORD)):
        tab.locator(f"[name={name}]").fill(text)
    tab.locator("button[type=submit]").click()
    expect(tab.get_by_text("Enter the email address you want to use to log in.")).to_be_visible()
    laptop.open(f"{product.url}/account/settings")
    assert laptop.field("name").input_value() == "Ada Lovelace"
    assert email in laptop.text


def test_a_name_that_is_changed_there_is_changed_here_and_the_other_way_round(
    product: Product, ada: Account, laptop: Device
) -> None:
    laptop.has_cookies_of(ada)
    tab = shows(laptop, product, "/account/settings")
    tab.locator("[name=name]").fill("Ada King")
    with tab.expect_response(f"{product.url}/api/auth/update-user"):
        tab.locator("form").filter(has=tab.locator("[name=name]")).get_by_role("button", name="Save").click()
    laptop.open(f"{product.url}/account/settings")
    assert laptop.field("name").input_value() == "Ada King"
    laptop.press("Save", name="Countess")
    expect(shows(laptop, product, "/account/settings").locator("[name=name]")).to_have_value("Countess")


def test_a_device_that_is_signed_out_there_is_signed_out_here(
    product: Product, ada: Account, laptop: Device, phone: Device
) -> None:
    laptop.has_cookies_of(ada)
    phone.open("/sign-in")
    phone.signs_in(ada.email)
    tab = shows(laptop, product, "/account/security")
    expect(tab.get_by_text("Current Session")).to_be_visible()
    tab.get_by_role("button", name="Revoke").click()
    expect(tab.get_by_role("button", name="Revoke")).to_have_count(0)
    assert not phone.is_signed_in


def test_who_is_invited_there_accepts_here_and_is_a_member_there(
    product: Product, ada: Account, bo: Account, laptop: Device, phone: Device
) -> None:
    ada.founds("Acme")
    laptop.has_cookies_of(ada)
    tab = shows(laptop, product, "/organization/members")
    tab.get_by_role("button", name="Invite Member").click()
    tab.locator("[role=dialog] [name=email]").fill(bo.email)
    tab.locator("[role=dialog] button[type=submit]").click()
    expect(tab.get_by_text(bo.email)).to_be_visible()
    [invitation] = ada.get("/organization/list-invitations").json()
    phone.has_cookies_of(bo)
    phone.open(f"/accept-invitation/{invitation['id']}")
    phone.press("Accept")
    assert phone.notices == ["Welcome! You have joined the organization."]
    tab = shows(laptop, product, "/organization/members")
    expect(tab.get_by_text("Bo Diddley")).to_be_visible()


def test_a_key_that_is_made_there_is_shown_this_once_works_and_is_dead_once_it_is_deleted_there(
    product: Product, ada: Account, laptop: Device
) -> None:
    laptop.has_cookies_of(ada)
    tab = shows(laptop, product, "/account/api-keys")
    key = makes_a_key(tab, "deploy", Expires="in 30 days")
    deploy = Program(product.url, key)
    assert deploy.session()["user"]["email"] == ada.email
    assert [one["name"] for one in deploy.get("/organization/list").json()] == ["Ada Lovelace's Organization"]
    tab = shows(laptop, product, "/account/api-keys")
    expect(tab.get_by_text(f"{key[:10]}******")).to_be_visible()
    expect(tab.get_by_text("deploy", exact=True)).to_be_visible()
    expect(tab.get_by_text("Expires Apr 13, 2026")).to_be_visible()
    assert key not in tab.content()
    deletes_a_key(tab)
    expect(tab.get_by_text("deploy", exact=True)).to_have_count(0)
    assert deploy.get("/get-session").problem == (401, "INVALID_API_KEY")
    assert ada.get("/api-key/list").json() == {"apiKeys": [], "total": 0}


def test_a_key_that_is_made_in_an_organization_there_is_its_maker_s_and_listed_in_that_organization_only(
    product: Product, ada: Account, laptop: Device
) -> None:
    acme = ada.founds("Acme")
    laptop.has_cookies_of(ada)
    key = makes_a_key(shows(laptop, product, "/organization/api-keys"), "of Acme")
    tab = shows(laptop, product, "/organization/api-keys")
    expect(tab.get_by_text("of Acme", exact=True)).to_be_visible()
    expect(tab.get_by_text("Never Expires")).to_be_visible()
    tab = shows(laptop, product, "/account/api-keys")
    expect(tab.get_by_role("button", name="Create API Key")).to_be_visible()
    own = makes_a_key(tab, "Ada's own")
    expect(tab.get_by_text("Ada's own", exact=True)).to_be_visible()
    expect(tab.get_by_text("of Acme", exact=True)).to_have_count(0)
    # what the kit notes of an organization neither grants nor limits anything
    listed = ada.get("/api-key/list").json()["apiKeys"]
    told = {one["name"]: (one["metadata"], one["organizationOnly"], one["referenceId"]) for one in listed}
    user_id = ada.session()["userId"]
    assert told == {"of Acme": ({"organizationId": acme}, None, user_id), "Ada's own": (None, None, user_id)}
    for one in (key, own):
        names = {organization["name"] for organization in Program(product.url, one).get("/organization/list").json()}
        assert names == {"Ada Lovelace's Organization", "Acme"}
    tab = shows(laptop, product, "/organization/api-keys")
    deletes_a_key(tab)
    expect(tab.get_by_text("of Acme", exact=True)).to_have_count(0)
    assert Program(product.url, key).get("/get-session").problem == (401, "INVALID_API_KEY")
    assert Program(product.url, own).session()["user"]["id"] == user_id
