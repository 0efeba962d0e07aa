"""Each path belongs to one surface at most, and what is on none has no session and no limit."""

from __future__ import annotations

import pytest

from api.edge.surfaces import of_the_contract
from tests.api.browser import BASE, Browser
from tests.api.edge.limited import SETTINGS as LIMITED
from tests.databases import Database
from tests.server import Server

SETTINGS = LIMITED


@pytest.mark.parametrize("path", ["/api/auth/", "/api/auth/get-session", "/api/auth//", "/api/auth"])
def test_what_is_below_the_base_path_is_the_contracts(path: str) -> None:
    assert of_the_contract(path)


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/docs", "/api", "/api/authority", "/API/auth/ok", "//api/auth/ok", ""]
)
def test_all_else_is_not(path: str) -> None:
    assert not of_the_contract(path)


def test_what_is_on_no_surface_is_not_counted(server: Server, module_database: Database) -> None:
    browser = Browser(server.url)
    assert {browser.ask("GET", "/healthz").status for _ in range(120)} == {200}
    # workers that start count something too
    assert module_database.rows("SELECT FROM rate_limits WHERE hits > 10") == []
    assert [browser.ask("GET", f"{BASE}/ok").status for _ in range(11)] == [200] * 11
    assert len(module_database.rows("SELECT FROM rate_limits WHERE hits > 10")) == 1
