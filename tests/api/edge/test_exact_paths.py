"""Paths are exact: what a pattern would let through at its end is nobody's, and escapes neither limit nor freshness."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.browser import BASE, Browser
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.server import application

ENDINGS = ("%0A", "%0D", "%00", "%0D%0A", "/", "%20")


@pytest.fixture(scope="module")
def strict_url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """Where names may only be changed by a fresh session, and requests are counted."""
    settings = settings_for(module_database, fresh_for=60, fresh_calls="update-user", rate_limit="on")
    with application(settings, module_clock) as url:
        yield url


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("path", ["/ok", "/get-session", "/list-sessions", "/activity/list"])
def test_a_path_with_anything_behind_it_is_unknown(browser: Browser, email: str, path: str, ending: str) -> None:
    browser.sign_up(email)
    assert browser.get(path).status == 200
    answer = browser.get(f"{path}{ending}")
    assert (answer.status, answer.content) == (404, b"")


def test_health_too(browser: Browser) -> None:
    assert browser.ask("GET", "/healthz").status == 200
    assert browser.ask("GET", "/healthz%0A").status == 404


def test_a_newline_does_not_make_a_session_fresh(strict_url: str, clock: HandClock, email: str) -> None:
    browser = Browser(strict_url)
    browser.sign_up(email)
    clock.wind(seconds=60)
    assert browser.post("/update-user", {"name": "Ada King"}).problem == (403, "SESSION_NOT_FRESH")
    assert browser.post("/update-user%0A", {"name": "Ada King"}).status == 404
    found = browser.get("/get-session").json()["user"]["name"]
    assert found == "Ada"


def test_a_newline_gives_nobody_further_tries(strict_url: str, clock: HandClock) -> None:
    browser = Browser(strict_url)
    paths = ["/sign-in/email", "/sign-in/email%0A"] * 4
    as_json = {"Content-Type": "application/json"}
    statuses = [browser.ask("POST", f"{BASE}{path}", b"{}", as_json).status for path in paths]
    assert statuses[:6] == [400, 404] * 3
    assert statuses[6:] == [429, 429]
