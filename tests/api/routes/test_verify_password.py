"""Confirming the password; and what comes of wrong ones, here and where it is changed (wire.md §9, A3, A14)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import pytest

from tests.api.browser import BASE, DEVICE_COOKIE, Answer, Browser, Device
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.keeping import caught_up
from tests.people import PASSWORD
from tests.server import application

WRONG = (400, "INVALID_PASSWORD")
GUESS = "wrong horse 1"
EVENTS = "SELECT count(*) FROM events"
ASKING = ("verify-password", "change-password")


def verify(browser: Browser, password: str = PASSWORD) -> Answer:
    return browser.post("/verify-password", {"password": password})


def guess(browser: Browser, call: str, password: str = GUESS, headers: Mapping[str, str] | None = None) -> Answer:
    """Ask for what takes the password, either way, with this one."""
    fields = {"password": password, "currentPassword": password, "newPassword": PASSWORD}
    return browser.post(f"/{call}", fields, headers)


@pytest.fixture
def user_id(browser: Browser, email: str) -> UUID:
    """Ada's, signed in at noon."""
    return UUID(browser.sign_up(email).json()["user"]["id"])


def test_the_right_one_makes_this_session_fresh_and_changes_nothing_else_of_it(
    browser: Browser, user_id: UUID, email: str, clock: HandClock
) -> None:
    phone = Browser(browser.url)
    phone.sign_in(email)
    before, other = browser.session(), phone.session()
    clock.wind(hours=5)
    answer = verify(browser)
    assert (answer.status, answer.json(), answer.set_cookies) == (200, {"status": True}, [])
    moment = "2026-03-14T17:00:00.000Z"
    assert browser.session() == {**before, "authenticatedAt": moment, "updatedAt": moment}
    assert phone.session() == other


def test_each_time_is_one_event_of_the_session(browser: Browser, user_id: UUID, module_database: Database) -> None:
    session_id, before = UUID(browser.session()["id"]), module_database.value(EVENTS)
    for _ in range(2):
        verify(browser)
    of_session = "SELECT name FROM events WHERE stream_id = %s ORDER BY version DESC LIMIT 2"
    assert module_database.rows(of_session, session_id) == [("SessionReauthenticated",)] * 2
    assert module_database.value(EVENTS) == before + 2


@pytest.mark.parametrize(
    ("password", "code", "message"),
    [
        ("wrong horse 1", "INVALID_PASSWORD", "Invalid password"),
        (PASSWORD.upper(), "INVALID_PASSWORD", "Invalid password"),
        ("", "INVALID_PASSWORD", "Invalid password"),
        ("x" * 128, "INVALID_PASSWORD", "Invalid password"),
        ("x" * 129, "PASSWORD_TOO_LONG", "Password too long"),
    ],
)
def test_a_wrong_one_changes_nothing(
    browser: Browser, user_id: UUID, module_database: Database, password: str, code: str, message: str
) -> None:
    session, before = browser.session(), module_database.value(EVENTS)
    answer = verify(browser, password)
    assert (answer.status, answer.json(), answer.set_cookies) == (400, {"message": message, "code": code}, [])
    assert browser.session() == session
    assert module_database.value(EVENTS) == before


def test_the_password_of_another_person_is_wrong(browser: Browser, user_id: UUID, email: str) -> None:
    Browser(browser.url).sign_up(f"bo.{email}", password="battery staple 2")
    assert verify(browser, "battery staple 2").problem == WRONG


def test_after_a_change_on_another_device_only_the_new_one_is_right(
    browser: Browser, user_id: UUID, email: str
) -> None:
    phone = Browser(browser.url)
    phone.sign_in(email)
    phone.post("/change-password", {"currentPassword": PASSWORD, "newPassword": "battery staple 2"})
    assert verify(browser).problem == WRONG
    assert verify(browser, "battery staple 2").status == 200


def test_who_has_none_cannot_confirm_it(browser: Browser, user_id: UUID, module_database: Database) -> None:
    module_database.rows("DELETE FROM credentials WHERE user_id = %s", user_id)
    assert verify(browser).problem == (400, "CREDENTIAL_ACCOUNT_NOT_FOUND")


def test_setting_one_is_not_routed(browser: Browser, user_id: UUID) -> None:
    answer = browser.post("/set-password", {"newPassword": "battery staple 2"})
    assert (answer.status, answer.content) == (404, b"")


@pytest.mark.parametrize(
    ("call", "command", "tried"),
    [
        (ASKING[0], "reauthenticate", "confirm the password"),
        (ASKING[1], "change_password", "change the password"),
    ],
)
def test_wrong_ones_stand_in_the_journal_of_the_person(
    url: str, clock: HandClock, email: str, module_database: Database, call: str, command: str, tried: str
) -> None:
    device = Device(url, "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0")
    user_id = UUID(device.sign_up(email).json()["user"]["id"])
    for _ in range(3):
        clock.wind(minutes=1)
        assert guess(device, call).problem == WRONG
    attempts = "SELECT coalesce(sum(times), 0) FROM attempts WHERE person_id = %s AND command = %s AND code = %s"
    began = time.monotonic()
    while module_database.value(attempts, user_id, command, WRONG[1]) < 3 and time.monotonic() - began < 8:
        time.sleep(0.05)
    caught_up(module_database)
    [entry] = device.get("/activity/list?type=AttemptRefused").json()["entries"]
    assert entry.pop("text").startswith(f"Somebody tried to {tried}")
    assert entry == {
        "at": "2026-03-14T12:03:00.000Z",
        "event": "AttemptRefused",
        "device": "Firefox 132 on Linux",
        "location": "",
        "ipAddress": "127.0.0.1",
        "sessionId": device.session()["id"],
        "current": True,
        "times": 3,
        "since": "2026-03-14T12:01:00.000Z",
        "newDevice": False,
    }


def test_right_ones_stand_there_as_what_they_did(
    browser: Browser, user_id: UUID, clock: HandClock, module_database: Database
) -> None:
    verify(browser)
    clock.wind(minutes=1)
    guess(browser, "change-password", PASSWORD)
    caught_up(module_database)
    newest: list[dict[str, Any]] = browser.get("/activity/list?limit=2").json()["entries"]
    assert [entry["event"] for entry in newest] == ["PasswordChanged", "SessionReauthenticated"]
    assert newest[0]["text"] == "You changed your password."


class Guessed:
    """An account whose password is asked for, where limits are on: how often it was guessed wrong."""

    def __init__(self, url: str, email: str, database: Database) -> None:
        self.database, self.browser = database, Browser(url)
        database.rows("DELETE FROM rate_limits")
        assert self.browser.sign_up(email).status == 200
        # she seems to have signed in with another browser
        self.known_as = self.browser.cookies.pop(DEVICE_COOKIE)
        database.rows("DELETE FROM rate_limits")
        for call in ("/sign-in/email", *(f"/{call}" for call in ASKING)):
            self.browser.ask("POST", f"{BASE}{call}")
        self._of_paths = [key for (key,) in database.rows("SELECT key FROM rate_limits")]

    def ask(self, call: str, password: str = GUESS, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask, when the limit on the path does not matter."""
        self._forget_paths()
        return guess(self.browser, call, password, headers)

    def ask_to_sign_in(self, email: str, *, remembered: bool = True) -> Answer:
        """Sign in with the same browser, when the limit on the path does not matter."""
        self._forget_paths()
        return self.browser.sign_in(email, rememberMe=remembered)

    def _forget_paths(self) -> None:
        self.database.rows("DELETE FROM rate_limits WHERE key = ANY(%s)", self._of_paths)

    @property
    def hits(self) -> list[int]:
        """How many wrong ones are counted, by account."""
        return [
            hits
            for (hits,) in self.database.rows(
                "SELECT hits FROM rate_limits WHERE key <> ALL(%s) AND hits > 0", self._of_paths
            )
        ]

    @hits.setter
    def hits(self, hits: int) -> None:
        self.database.rows("UPDATE rate_limits SET hits = %s WHERE key <> ALL(%s)", hits, self._of_paths)


@pytest.fixture(scope="module")
def limited_url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    with application(settings_for(module_database, rate_limit="on"), module_clock) as url:
        yield url


@pytest.fixture
def guessed(limited_url: str, clock: HandClock, email: str, module_database: Database) -> Guessed:
    return Guessed(limited_url, email, module_database)


@pytest.mark.parametrize("call", ASKING)
def test_wrong_ones_count_for_the_hundred_an_hour_of_the_account(guessed: Guessed, call: str, email: str) -> None:
    assert guessed.ask(call).problem == WRONG
    assert guessed.hits == [1]
    guessed.hits = 99
    assert guessed.ask(call).problem == WRONG
    answer = Browser(guessed.browser.url).sign_in(email)
    assert (answer.status, answer.json()) == (429, {"message": "Too many requests. Please try again later."})
    assert 3590 <= int(answer.header("retry-after") or 0) <= 3600


@pytest.mark.parametrize("call", ASKING)
def test_a_live_session_has_ten_of_its_own_once_strangers_have_used_up_the_hundred(
    guessed: Guessed, call: str, email: str
) -> None:
    guessed.ask(call)
    guessed.hits = 100
    assert guessed.ask(call, PASSWORD).status == 200
    assert [guessed.ask(call).problem for _ in range(9)] == [WRONG] * 9
    assert guessed.ask(call, PASSWORD).status == 200
    assert [guessed.ask(call).problem for _ in range(2)] == [WRONG, (429, None)]
    # one session, one count, however the password is asked for
    answers = [guessed.ask(asking, PASSWORD) for asking in ASKING]
    assert [answer.json() for answer in answers] == [{"message": "Too many requests. Please try again later."}] * 2
    assert 3500 <= int(answers[0].header("retry-after") or 0) <= 3600
    assert sorted(guessed.hits) == [10, 10, 100]
    # its own only: to sign in it is no help
    assert guessed.ask_to_sign_in(email).status == 429


def test_a_bearer_that_is_not_remembered_is_not_locked_out_either(guessed: Guessed, email: str) -> None:
    answer = guessed.ask_to_sign_in(email, remembered=False)
    bearer = {"Authorization": f"Bearer {answer.json()['token']}"}
    guessed.ask("verify-password")
    guessed.hits = 100
    guessed.browser.cookies.clear()
    assert guessed.ask("verify-password", PASSWORD, bearer).status == 200
    assert guessed.ask("change-password", PASSWORD, bearer).status == 200


def test_all_sessions_and_devices_of_an_account_have_twenty_together(guessed: Guessed, email: str) -> None:
    sessions = []
    for _ in range(3):
        answer = guessed.ask_to_sign_in(email, remembered=False)
        sessions.append({"Authorization": f"Bearer {answer.json()['token']}"})
    guessed.ask("verify-password")
    guessed.hits = 100
    guessed.browser.cookies = {DEVICE_COOKIE: guessed.known_as}
    # the device's ten, then those of the session
    assert [guessed.ask("verify-password", GUESS, sessions[0]).problem for _ in range(11)] == [WRONG] * 11
    guessed.browser.cookies.clear()
    assert [guessed.ask("verify-password", GUESS, sessions[1]).problem for _ in range(10)] == [WRONG] * 9 + [
        (429, None)
    ]
    assert guessed.ask("verify-password", PASSWORD, sessions[2]).status == 429


@pytest.mark.parametrize("call", ASKING)
def test_right_ones_do_not_count(guessed: Guessed, call: str) -> None:
    guessed.ask(call)
    guessed.hits = 99
    assert guessed.ask(call, PASSWORD).status == 200
    assert guessed.hits == [99]


@pytest.mark.parametrize("call", ASKING)
def test_a_device_the_account_knows_is_not_locked_out(guessed: Guessed, call: str, email: str) -> None:
    guessed.ask(call)
    guessed.hits = 100
    guessed.browser.cookies[DEVICE_COOKIE] = guessed.known_as
    assert guessed.ask(call, PASSWORD).status == 200
    assert guessed.ask(call).problem == WRONG
    # of the device's ten: those of the session are left to it
    assert guessed.ask_to_sign_in(email).status == 200


@pytest.mark.parametrize("call", ASKING)
def test_without_a_session_nobody_is_counted(guessed: Guessed, call: str) -> None:
    guessed.browser.cookies.clear()
    assert guessed.ask(call).problem == (401, "UNAUTHORIZED")
    assert guessed.hits == []
