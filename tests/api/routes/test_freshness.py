"""What needs an authentication of a short while ago, and what never does (wire.md A2, A3)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.api.browser import Answer, Browser, Device, kept
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.faults.test_refusing_to_start import refusal
from tests.people import PASSWORD
from tests.server import application

NOT_FRESH = (403, "SESSION_NOT_FRESH")
NEW = "battery staple 2"
SENSITIVE: list[tuple[str, dict[str, str]]] = [
    ("/change-password", {"currentPassword": PASSWORD, "newPassword": NEW}),
    ("/update-user", {"name": "Ada King"}),
]
# the page people need most must not be the one that is refused
NEVER: list[tuple[str, object]] = [
    ("/list-sessions", None),
    ("/list-accounts", None),
    ("/activity/list", None),
    ("/revoke-session", {"token": "of nobody"}),
    ("/revoke-other-sessions", {}),
    ("/revoke-sessions", {}),
]


@pytest.fixture(scope="module")
def url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """An application where both calls that can need it do."""
    settings = settings_for(module_database, fresh_calls=" change-password , update-user ")
    with application(settings, module_clock) as url:
        yield url


@pytest.fixture
def token(browser: Browser, email: str) -> str:
    """Of a session that began at noon."""
    found: str = browser.sign_up(email).json()["token"]
    return found


@pytest.mark.parametrize(("path", "fields"), SENSITIVE)
def test_what_the_settings_name_needs_an_authentication_of_less_than_a_day_ago(
    browser: Browser, clock: HandClock, token: str, path: str, fields: dict[str, str]
) -> None:
    clock.wind(days=1)
    assert browser.post(path, fields).problem == NOT_FRESH
    clock.wind(milliseconds=1)
    assert browser.post(path, fields).problem == NOT_FRESH
    clock.wind(milliseconds=-2)
    assert browser.post(path, fields).status == 200


def test_the_refusal_changes_nothing_and_says_so(browser: Browser, clock: HandClock, token: str, email: str) -> None:
    clock.wind(days=1)
    for path, fields in SENSITIVE:
        answer = browser.post(path, fields)
        assert answer.json()["message"].startswith("Session is not fresh")
        assert set(answer.json()) == {"message", "code"}
    assert browser.get("/get-session").json()["user"]["name"] == "Ada"
    assert Browser(browser.url).sign_in(email).status == 200


@pytest.mark.parametrize(("path", "fields"), SENSITIVE)
def test_a_refusal_that_extended_the_session_carries_its_cookie(
    browser: Browser, clock: HandClock, token: str, path: str, fields: dict[str, str]
) -> None:
    clock.wind(days=1)
    answer = browser.post(path, fields)
    assert (answer.problem, answer.set_cookies) == (NOT_FRESH, kept(token))
    again = browser.post(path, fields)
    assert (again.problem, again.set_cookies) == (NOT_FRESH, [])


def test_to_be_extended_makes_nothing_fresh(browser: Browser, clock: HandClock, token: str) -> None:
    clock.wind(hours=25)
    assert browser.session()["updatedAt"] == "2026-03-15T13:00:00.000Z"
    assert browser.post("/update-user", {"name": "Ada King"}).problem == NOT_FRESH


def test_the_right_password_opens_it_for_another_day(browser: Browser, clock: HandClock, token: str) -> None:
    clock.wind(days=3)
    assert browser.post("/update-user", {"name": "Ada King"}).problem == NOT_FRESH
    assert browser.post("/verify-password", {"password": "wrong horse 1"}).status == 400
    assert browser.post("/update-user", {"name": "Ada King"}).problem == NOT_FRESH
    assert browser.post("/verify-password", {"password": PASSWORD}).status == 200
    clock.wind(days=1, milliseconds=-1)
    assert browser.post("/update-user", {"name": "Ada King"}).status == 200
    clock.wind(milliseconds=1)
    assert browser.post("/update-user", {"name": "Ada"}).problem == NOT_FRESH


def test_the_right_password_opens_it_for_this_session_only(
    browser: Browser, clock: HandClock, token: str, email: str
) -> None:
    phone = Browser(browser.url)
    phone.sign_in(email)
    clock.wind(days=1)
    assert browser.post("/verify-password", {"password": PASSWORD}).status == 200
    assert browser.post("/update-user", {"name": "Ada King"}).status == 200
    assert phone.post("/update-user", {"name": "Ada"}).problem == NOT_FRESH


def test_signing_in_again_is_an_authentication(browser: Browser, clock: HandClock, token: str, email: str) -> None:
    clock.wind(days=2)
    browser.sign_in(email)
    assert browser.post("/update-user", {"name": "Ada King"}).status == 200


def test_so_is_a_changed_password_for_the_session_it_starts(browser: Browser, clock: HandClock, token: str) -> None:
    clock.wind(hours=23)
    fields = {"currentPassword": PASSWORD, "newPassword": NEW, "revokeOtherSessions": True}
    assert browser.post("/change-password", fields).status == 200
    clock.wind(hours=23)
    assert browser.post("/update-user", {"name": "Ada King"}).status == 200


@pytest.mark.parametrize(("path", "fields"), NEVER)
def test_seeing_and_ending_sessions_never_needs_it(
    browser: Browser, clock: HandClock, token: str, path: str, fields: object
) -> None:
    clock.wind(days=6)
    answer: Answer = browser.get(path) if fields is None else browser.post(path, fields)
    assert answer.status == 200


@pytest.mark.parametrize(("path", "fields"), SENSITIVE)
def test_without_being_named_nothing_that_exists_needs_it(
    module_database: Database, clock: HandClock, email: str, path: str, fields: dict[str, str]
) -> None:
    with application(settings_for(module_database), clock) as url:
        browser = Browser(url)
        browser.sign_up(email)
        clock.wind(days=6)
        assert browser.post(path, fields).status == 200


def test_a_malformed_body_and_a_missing_session_are_answered_before_it(
    browser: Browser, clock: HandClock, token: str
) -> None:
    clock.wind(days=1)
    assert browser.post("/update-user", {"name": 5}).problem == (400, "VALIDATION_ERROR")
    assert browser.post("/update-user", {}).problem == NOT_FRESH
    assert browser.post("/change-password", {"currentPassword": "wrong", "newPassword": "x"}).problem == NOT_FRESH
    browser.cookies.clear()
    assert browser.post("/update-user", {"name": "Ada King"}).problem == (401, "UNAUTHORIZED")


def test_what_was_refused_is_an_attempt_of_the_person(
    url: str, clock: HandClock, email: str, module_database: Database
) -> None:
    device = Device(url, "a session that was not fresh")
    user_id = device.sign_up(email).json()["user"]["id"]
    clock.wind(days=1)
    assert device.post("/update-user", {"name": "Ada King"}).problem == NOT_FRESH
    found: list[tuple[Any, ...]] = []
    began = time.monotonic()
    while not found and time.monotonic() - began < 8:
        time.sleep(0.05)
        found = module_database.rows("SELECT command, code, times FROM attempts WHERE person_id = %s::uuid", user_id)
    assert found == [("update_user", "SESSION_NOT_FRESH", 1)]


def test_for_how_long_is_a_setting(module_database: Database, clock: HandClock, email: str) -> None:
    settings = settings_for(module_database, fresh_calls="update-user", fresh_for=60)
    with application(settings, clock) as url:
        browser = Browser(url)
        browser.sign_up(email)
        clock.wind(minutes=1, milliseconds=-1)
        assert browser.post("/update-user", {"name": "Ada King"}).status == 200
        clock.wind(milliseconds=1)
        assert browser.post("/update-user", {"name": "Ada"}).problem == NOT_FRESH
        # only what is named
        assert browser.post(*SENSITIVE[0]).status == 200


def test_nought_means_for_ever(module_database: Database, clock: HandClock, email: str) -> None:
    settings = settings_for(module_database, fresh_calls="change-password,update-user", fresh_for=0)
    with application(settings, clock) as url:
        browser = Browser(url)
        browser.sign_up(email)
        clock.wind(days=6)
        assert [browser.post(path, fields).status for path, fields in SENSITIVE] == [200, 200]


@pytest.mark.parametrize(
    "calls", ["list-sessions", "change-password update-user", "/update-user", "update-user,x", "Update-User", "*"]
)
def test_other_calls_cannot_be_named(database: Database, calls: str) -> None:
    with pytest.raises(ValidationError, match="fresh_calls"):
        settings_for(database, fresh_calls=calls)


def test_a_service_that_is_to_guard_what_it_does_not_know_does_not_start(tmp_path: Path) -> None:
    assert "DAYBOOK_FRESH_CALLS" in refusal(tmp_path, FRESH_CALLS="delete-everything", DATA_DIR=tmp_path / "data")
    assert not (tmp_path / "data").exists()
