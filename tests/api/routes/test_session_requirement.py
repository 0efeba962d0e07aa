"""What every route behind a session has in common: which refusal wins, and that use keeps it alive (wire.md §2, §8)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.browser import BASE, CLEARED, Answer, Browser, kept
from tests.api.conftest import HandClock
from tests.databases import Database
from tests.people import PASSWORD

UNAUTHORIZED = {"message": "Unauthorized", "code": "UNAUTHORIZED"}
READS = ("/list-sessions", "/list-accounts", "/activity/list", "/organization/list", "/organization/activity")
COMMANDS: dict[str, object] = {
    "/change-password": {"currentPassword": PASSWORD, "newPassword": "battery staple 2"},
    "/change-email": {"newEmail": "ada@example.org"},
    "/verify-password": {"password": PASSWORD},
    "/update-user": {"name": "Ada King"},
    "/update-session": {"theme": "dark"},
    "/revoke-session": {"token": "of nobody"},
    "/revoke-sessions": {},
    "/revoke-other-sessions": {},
    "/delete-user": {},
}
SAYING_NOTHING = [
    path for path in (*READS, *COMMANDS) if path not in ("/update-user", "/revoke-sessions", "/delete-user")
]
"""To a browser whose session need not be extended."""
MALFORMED = [
    ("/change-password", {"currentPassword": 5, "newPassword": "battery staple 2"}),
    ("/change-password", {"newPassword": "battery staple 2"}),
    ("/change-password", {"currentPassword": PASSWORD}),
    ("/change-password", {"currentPassword": PASSWORD, "newPassword": None}),
    ("/change-password", {"currentPassword": PASSWORD, "newPassword": PASSWORD, "revokeOtherSessions": "false"}),
    ("/change-password", {"currentPassword": PASSWORD, "newPassword": PASSWORD, "revokeOtherSessions": 1}),
    ("/change-password", {"currentPassword": PASSWORD, "newPassword": PASSWORD, "revokeOtherSessions": None}),
    ("/change-password", []),
    ("/change-password", None),
    ("/verify-password", {}),
    ("/verify-password", {"password": [PASSWORD]}),
    ("/update-user", {"name": 5}),
    ("/update-user", "Ada King"),
    ("/update-session", [1]),
    ("/revoke-session", {}),
    ("/revoke-session", {"token": None}),
    ("/revoke-session", {"token": 5}),
    ("/revoke-session", None),
    ("/delete-user", {"password": 5}),
    ("/delete-user", {"token": None}),
    ("/delete-user", None),
]
REFUSED = [
    ("/change-password", {"currentPassword": "wrong horse 1", "newPassword": "battery staple 2"}, "INVALID_PASSWORD"),
    ("/change-password", {"currentPassword": PASSWORD, "newPassword": "short"}, "PASSWORD_TOO_SHORT"),
    ("/verify-password", {"password": "wrong horse 1"}, "INVALID_PASSWORD"),
    ("/delete-user", {"password": "wrong horse 1"}, "INVALID_PASSWORD"),
    ("/update-user", {"email": "other@example.com"}, "EMAIL_CAN_NOT_BE_UPDATED"),
    ("/update-user", {}, None),
    ("/update-session", {}, None),
    ("/update-session", {"activeOrganizationId": "x"}, "FIELD_NOT_ALLOWED"),
]


def call(browser: Browser, path: str) -> Answer:
    """The route, as it is meant to be called."""
    return browser.post(path, COMMANDS[path]) if path in COMMANDS else browser.get(path)


@pytest.fixture
def token(browser: Browser, email: str) -> str:
    """Of a session that began at noon."""
    found: str = browser.sign_up(email).json()["token"]
    return found


def test_these_are_all_the_routes_behind_a_session(browser: Browser) -> None:
    found: dict[str, Any] = browser.ask("GET", "/openapi.json").json()["paths"]
    refusing = {
        (method, path.removeprefix(BASE))
        for path, operations in found.items()
        for method, operation in operations.items()
        if "UNAUTHORIZED" in operation["responses"].get("401", {}).get("description", "")
        # the others of organizations are in test_organization_sessions
        # and those of API keys, which let nobody in without one, in test_api_keys
        and not path.startswith(f"{BASE}/api-key/")
        and (not path.startswith(f"{BASE}/organization/") or path.endswith(("/list", "/activity")))
    }
    assert refusing == {*(("get", path) for path in READS), *(("post", path) for path in COMMANDS)}


@pytest.mark.parametrize("path", [*READS, *COMMANDS])
def test_without_a_session_it_is_401_and_no_cookie_is_touched(browser: Browser, path: str) -> None:
    answer = call(browser, path)
    assert (answer.status, answer.json(), answer.set_cookies) == (401, UNAUTHORIZED, [])


@pytest.mark.parametrize("path", [*READS, *COMMANDS])
def test_with_one_that_was_ended_the_cookies_are_taken_away(browser: Browser, token: str, path: str) -> None:
    left_over = dict(browser.cookies)
    browser.post("/sign-out")
    browser.cookies = left_over
    answer = call(browser, path)
    assert (answer.status, answer.json(), answer.set_cookies) == (401, UNAUTHORIZED, CLEARED)


@pytest.mark.parametrize(("path", "fields"), MALFORMED)
def test_a_malformed_body_is_answered_before_a_missing_session(browser: Browser, path: str, fields: object) -> None:
    answer = browser.post(path, fields)
    assert answer.problem == (400, "VALIDATION_ERROR")
    assert answer.json()["message"].startswith("[body")
    assert PASSWORD not in answer.json()["message"]


@pytest.mark.parametrize(("path", "fields"), MALFORMED)
def test_a_foreign_page_is_answered_before_a_malformed_body(browser: Browser, path: str, fields: object) -> None:
    evil = {"Origin": "https://evil.example", "Cookie": "a=b"}
    assert browser.post(path, fields, evil).problem == (403, "INVALID_ORIGIN")
    assert browser.post(path, fields, {**evil, "Origin": "null"}).problem == (403, "MISSING_OR_NULL_ORIGIN")


@pytest.mark.parametrize("path", COMMANDS)
def test_a_foreign_page_can_do_nothing_with_the_session(
    browser: Browser, token: str, path: str, module_database: Database
) -> None:
    before = module_database.value("SELECT count(*) FROM events")
    answer = browser.post(path, COMMANDS[path], {"Origin": "https://evil.example"})
    assert (answer.problem, answer.set_cookies) == ((403, "INVALID_ORIGIN"), [])
    assert module_database.value("SELECT count(*) FROM events") == before


@pytest.mark.parametrize("path", COMMANDS)
def test_what_cannot_be_read_is_answered_first_of_all(browser: Browser, path: str) -> None:
    evil = {"Origin": "https://evil.example", "Cookie": "a=b"}
    json = {**evil, "Content-Type": "application/json"}
    assert browser.ask("POST", f"{BASE}{path}", b"{", json).problem == (400, "BAD_REQUEST")
    text = {**evil, "Content-Type": "text/plain"}
    assert browser.ask("POST", f"{BASE}{path}", b"{}", text).problem == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("path", [*READS, *COMMANDS])
def test_its_use_extends_the_session(browser: Browser, clock: HandClock, token: str, path: str) -> None:
    clock.wind(days=1)
    answer = call(browser, path)
    if path == "/revoke-sessions":
        assert answer.set_cookies == CLEARED
    else:
        assert answer.set_cookies == kept(token)
        assert browser.session("?disableRefresh=1")["expiresAt"] == "2026-03-22T12:00:00.000Z"


@pytest.mark.parametrize(("path", "fields", "code"), REFUSED)
def test_a_refusal_extends_it_too(
    browser: Browser, clock: HandClock, token: str, path: str, fields: object, code: str | None
) -> None:
    clock.wind(hours=25)
    answer = browser.post(path, fields)
    assert (answer.problem, answer.set_cookies) == ((400, code), kept(token))
    assert browser.session("?disableRefresh=1")["expiresAt"] == "2026-03-22T13:00:00.000Z"


@pytest.mark.parametrize(("path", "fields"), MALFORMED)
def test_a_malformed_body_extends_nothing(
    browser: Browser, clock: HandClock, token: str, path: str, fields: object
) -> None:
    clock.wind(hours=25)
    answer = browser.post(path, fields)
    assert (answer.problem, answer.set_cookies) == ((400, "VALIDATION_ERROR"), [])
    assert browser.session("?disableRefresh=1")["expiresAt"] == "2026-03-21T12:00:00.000Z"


@pytest.mark.parametrize("path", SAYING_NOTHING)
def test_its_use_within_the_window_leaves_the_session_as_it_is(
    browser: Browser, clock: HandClock, token: str, path: str
) -> None:
    before = browser.session()
    clock.wind(days=1, milliseconds=-1)
    answer = call(browser, path)
    assert answer.set_cookies == []
    assert browser.session()["expiresAt"] == before["expiresAt"]
