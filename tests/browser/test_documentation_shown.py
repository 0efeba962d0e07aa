"""/docs in a real browser: what its policy forbids would be missing on it, and told by the console."""

from __future__ import annotations

from tests.browser.conftest import Devices


def test_the_documentation_shows_every_route_and_tries_one_out(devices: Devices) -> None:
    laptop = devices()
    laptop.open("/docs")
    route = laptop.tab.locator("[id$=-healthz]")
    route.wait_for()
    assert laptop.tab.locator(".opblock").count() > 50
    route.locator("button").first.click()
    route.get_by_role("button", name="Try it out").click()
    route.get_by_role("button", name="Execute").click()
    assert route.locator(".live-responses-table td.response-col_status:not(.col_header)").inner_text().strip() == "200"
