"""What stories in a real browser are given: it and the product, once a module; people, and devices of theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser as Chromium

from tests.browser.devices import PHONE, Device, chromium
from tests.browser.product import Account, Product, product
from tests.databases import Database
from tests.people import NOON

Devices = Callable[..., Device]


@pytest.fixture(scope="module")
def browser_program() -> Iterator[Chromium]:
    """Chromium, with nobody's cookies."""
    with chromium() as program:
        yield program


@pytest.fixture(scope="module")
def module_product(
    browser_program: Chromium,
    module_database: Database,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Product]:
    """The service of the module, with the module's own SETTINGS if it has any."""
    settings = getattr(request.module, "SETTINGS", {})
    with product(module_database, tmp_path_factory.mktemp("mail"), **settings) as running:
        yield running


@pytest.fixture(name="product")
def product_at_noon(module_product: Product) -> Product:
    """The service of the module, at noon."""
    module_product.clock.now = NOON
    return module_product


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def scripts(request: pytest.FixtureRequest) -> bool:
    """Whether browsers run JavaScript."""
    return bool(request.param)


@pytest.fixture
def devices(browser_program: Chromium, product: Product) -> Iterator[Devices]:
    """Opens a browser. In the end nothing went wrong in any of them that only its console would have told."""
    opened: list[Device] = []

    def opens(*, signed_in: Account | None = None, **options: Any) -> Device:
        opened.append(Device(browser_program, product.url, **options))
        if signed_in is not None:
            opened[-1].has_cookies_of(signed_in)
        return opened[-1]

    yield opens
    faults = [fault for device in opened for fault in device.faults]
    for device in opened:
        device.close()
    assert faults == []


@pytest.fixture
def laptop(devices: Devices, scripts: bool) -> Device:
    """A device nobody is signed in on, with JavaScript or without."""
    return devices(java_script_enabled=scripts)


@pytest.fixture
def phone(devices: Devices, scripts: bool) -> Device:
    """Another one."""
    return devices(java_script_enabled=scripts, user_agent=PHONE, viewport={"width": 390, "height": 800})


@pytest.fixture
def ada(product: Product) -> Account:
    """Ada, who has just opened an account."""
    return product.has("Ada", called="Ada Lovelace")


@pytest.fixture
def bo(product: Product) -> Account:
    """Bo, who has as well."""
    return product.has("Bo", called="Bo Diddley")
