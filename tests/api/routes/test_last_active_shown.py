"""When sessions were last used: every use counts, and none is an event (wire.md part A, "Extra fields")."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.browser import Browser
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.server import application


def last_active(browser: Browser) -> dict[str, str]:
    """Of each session of the person, in the order of the list."""
    listed: list[dict[str, Any]] = browser.get("/list-sessions").json()
    return {session["id"]: session["lastActiveAt"] for session in listed}


@pytest.fixture
def phone(browser: Browser, email: str) -> Browser:
    """Another device of who signed up on this one, both at noon."""
    browser.sign_up(email)
    phone = Browser(browser.url)
    phone.sign_in(email)
    return phone


def test_a_session_nobody_used_was_active_when_it_began(browser: Browser, phone: Browser, clock: HandClock) -> None:
    sessions = phone.session()["id"], browser.session()["id"]
    clock.wind(minutes=7)
    assert [last_active(browser)[one] for one in sessions] == ["2026-03-14T12:00:00.000Z", "2026-03-14T12:07:00.000Z"]


@pytest.mark.parametrize("path", ["/get-session", "/list-accounts", "/get-session?disableRefresh=1"])
def test_any_use_counts_at_once(browser: Browser, phone: Browser, clock: HandClock, path: str) -> None:
    session_id = phone.session()["id"]
    clock.wind(minutes=7)
    assert phone.get(path).status == 200
    clock.wind(minutes=1)
    assert last_active(browser)[session_id] == "2026-03-14T12:07:00.000Z"


def test_a_command_that_is_refused_is_a_use_too(browser: Browser, phone: Browser, clock: HandClock) -> None:
    session_id = phone.session()["id"]
    clock.wind(minutes=7)
    assert phone.post("/update-user", {}).status == 400
    assert last_active(browser)[session_id] == "2026-03-14T12:07:00.000Z"


def test_a_foreign_page_that_is_refused_uses_nothing(browser: Browser, phone: Browser, clock: HandClock) -> None:
    session_id = phone.session()["id"]
    clock.wind(minutes=7)
    assert phone.post("/update-user", {}, {"Origin": "https://evil.example"}).status == 403
    assert last_active(browser)[session_id] == "2026-03-14T12:00:00.000Z"


def test_use_is_no_event_and_touches_no_session(
    browser: Browser, phone: Browser, clock: HandClock, module_database: Database
) -> None:
    before = module_database.value("SELECT count(*) FROM events"), phone.session()
    for _ in range(3):
        clock.wind(minutes=7)
        phone.session()
    assert (module_database.value("SELECT count(*) FROM events"), phone.session()) == before


def test_others_come_by_it_and_it_outlives_the_process(database: Database, clock: HandClock, email: str) -> None:
    with application(settings_for(database), clock) as url:
        devices = [Browser(url) for _ in range(4)]
        devices[0].sign_up(email)
        for device in devices[1:]:
            device.sign_in(email)
        used = [device.session()["id"] for device in devices]
        # not in the order in which they began
        for number in (2, 1, 3):
            clock.wind(minutes=1)
            devices[number].session()
    with application(settings_for(database), clock) as url:
        browser = Browser(url)
        browser.cookies = devices[0].cookies
        clock.wind(minutes=1)
        assert last_active(browser) == {
            used[0]: "2026-03-14T12:04:00.000Z",
            used[3]: "2026-03-14T12:03:00.000Z",
            used[1]: "2026-03-14T12:02:00.000Z",
            used[2]: "2026-03-14T12:01:00.000Z",
        }
        assert list(last_active(browser)) == [used[0], used[3], used[1], used[2]]
