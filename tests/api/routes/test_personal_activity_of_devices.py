"""A person's own journal about their devices: moved, confirmed, signed out, run out (wire.md part A, "Ours")."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.browser import Device
from tests.api.conftest import HandClock
from tests.databases import Database
from tests.keeping import caught_up
from tests.people import PASSWORD

CHROME = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
ON_CHROME, ON_FIREFOX = "Chrome 130 on macOS", "Firefox 132 on Linux"


@pytest.fixture
def browser(url: str, clock: HandClock) -> Device:
    return Device(url, CHROME)


@pytest.fixture
def phone(url: str, clock: HandClock) -> Device:
    return Device(url, FIREFOX)


def newest(browser: Device, database: Database, many: int, kind: str = "") -> list[Any]:
    """So many of the newest entries of the person, once the journal has caught up."""
    caught_up(database)
    # looked at as the browser that it is, else that would be a move
    answer = browser.get(f"/activity/list?limit={many}&type={kind}", {"User-Agent": browser.name})
    assert answer.status == 200
    entries: list[Any] = answer.json()["entries"]
    return entries


def test_a_changed_password_is_told_with_what_it_ended(
    browser: Device, phone: Device, email: str, module_database: Database, clock: HandClock
) -> None:
    browser.sign_up(email)
    phone.sign_in(email)
    before = browser.session()["id"]
    clock.wind(minutes=1)
    form = {"currentPassword": PASSWORD, "newPassword": "battery staple 2", "revokeOtherSessions": True}
    assert browser.post("/change-password", form).status == 200
    [changed] = newest(browser, module_database, 1)
    assert changed["text"] == "You changed your password. All sessions that began with the old password were ended."
    assert (changed["sessionId"], changed["current"], changed["newDevice"]) == (before, False, False)
    assert (changed["at"], changed["device"]) == ("2026-03-14T12:01:00.000Z", ON_CHROME)


def test_a_move_is_told_and_marked_if_the_browser_is_new(
    browser: Device, email: str, module_database: Database, clock: HandClock
) -> None:
    browser.sign_up(email)
    for name in (FIREFOX, CHROME, FIREFOX):
        clock.wind(minutes=1)
        browser.name = name
        assert browser.post("/verify-password", {"password": PASSWORD}).status == 200
    again, back, first = newest(browser, module_database, 3, "SessionMoved")
    assert [entry["newDevice"] for entry in (again, back, first)] == [False, False, True]
    assert again | {"at": "", "since": ""} == first | {"at": "", "since": "", "newDevice": False}
    assert first == {
        "at": "2026-03-14T12:01:00.000Z",
        "event": "SessionMoved",
        "text": f"Your session was used from another address or browser: {ON_FIREFOX}.",
        "device": ON_FIREFOX,
        "location": "",
        "ipAddress": "127.0.0.1",
        "sessionId": browser.session()["id"],
        "current": True,
        "times": 1,
        "since": "2026-03-14T12:01:00.000Z",
        "newDevice": True,
    }
    assert [entry["text"] for entry in newest(browser, module_database, 2)] == [
        f"You confirmed your password on {ON_FIREFOX}.",
        again["text"],
    ]


def test_devices_that_were_signed_out_from_here_are_told_by_where_they_were(
    browser: Device, phone: Device, email: str, module_database: Database, clock: HandClock
) -> None:
    browser.sign_up(email)
    phone.sign_in(email)
    handle = phone.session()["token"]
    assert browser.post("/revoke-session", {"token": handle}).status == 200
    assert browser.post("/revoke-other-sessions").status == 200
    others, one = newest(browser, module_database, 2)
    assert [entry["text"] for entry in (others, one)] == [
        "You ended all of your other sessions.",
        f"You ended your session on {ON_FIREFOX}.",
    ]
    assert [entry["current"] for entry in (others, one)] == [True, False]
    assert (one["sessionId"], one["device"]) == (handle, ON_CHROME)


def test_everywhere_is_told_at_the_next_sign_in(
    browser: Device, phone: Device, email: str, module_database: Database
) -> None:
    browser.sign_up(email)
    assert browser.post("/revoke-sessions").status == 200
    phone.sign_in(email)
    signed_in, everywhere = newest(phone, module_database, 2)
    assert (everywhere["text"], everywhere["event"]) == ("You signed out everywhere.", "SessionsRevoked")
    assert (everywhere["device"], everywhere["current"], signed_in["current"]) == (ON_CHROME, False, True)


def test_what_ran_out_was_ended_by_nobody(
    browser: Device, email: str, module_database: Database, clock: HandClock
) -> None:
    browser.sign_up(email)
    session_id = browser.session()["id"]
    clock.wind(days=7)
    assert browser.session() is None
    browser.sign_in(email)
    _, expired = newest(browser, module_database, 2)
    assert expired == {
        "at": "2026-03-21T12:00:00.000Z",
        "event": "SessionEnded",
        "text": f"Your session on {ON_CHROME} expired.",
        "device": "",
        "location": "",
        "ipAddress": "",
        "sessionId": session_id,
        "current": False,
        "times": 1,
        "since": "2026-03-21T12:00:00.000Z",
        "newDevice": False,
    }


def test_another_name_is_told_with_the_one_before_and_a_picture_without(
    browser: Device, email: str, module_database: Database
) -> None:
    browser.sign_up(email)
    assert browser.post("/update-user", {"name": "Ada King", "image": "https://x.io/a.png"}).status == 200
    told = newest(browser, module_database, 1)
    assert [entry["text"] for entry in told] == [
        "You changed your name from “Ada” to “Ada King”. You changed your picture."
    ]
    assert {entry["device"] for entry in told} == {ON_CHROME}
