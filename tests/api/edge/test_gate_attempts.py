"""Refused commands are recorded for the person they concern, once the answer is out, without slowing anybody down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from api.edge.authentication import find_session
from api.edge.caller import Caller
from api.edge.client_address import ClientAddresses
from api.edge.request_context import RequestContext
from api.edge.services import open_services
from tests.api.browser import BASE, TOKEN_COOKIE, Browser, Device
from tests.api.conftest import HandClock, settings_for
from tests.attempts_opened import attempts_in
from tests.databases import Database
from tests.people import NOON, PASSWORD
from tests.server import application

EVIL = {"Origin": "https://evil.example", "Cookie": "a=b"}
WRONG = (401, "INVALID_EMAIL_OR_PASSWORD")


@pytest.fixture
def browser(url: str, clock: HandClock, request: pytest.FixtureRequest) -> Device:
    return Device(url, request.node.name)


@pytest.fixture
def ada(browser: Device, email: str) -> UUID:
    """Her account; nobody is signed in."""
    user_id = browser.sign_up(email).json()["user"]["id"]
    browser.cookies.clear()
    return UUID(user_id)


@pytest.fixture
def limited_url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """An application with limits, that has refused nobody yet: it remembers whom it refused."""
    with application(settings_for(module_database, rate_limit="on"), module_clock) as url:
        yield url


@pytest.fixture(autouse=True)
def nothing_recorded(module_database: Database) -> None:
    # what the test before had refused is written a quarter of a second later
    time.sleep(0.3)
    module_database.rows("DELETE FROM attempts")


def recorded_of(database: Database, name: str) -> list[tuple[Any, ...]]:
    """Rows of a device, and those of nobody, of which no device is kept."""
    rows = [row for row in attempts_in(database) if row.person_id is None or row.user_agent == name]
    found = [(row.person_id, row.command, row.code, row.ip_address, row.times) for row in rows]
    return sorted(found, key=lambda row: (row[1], row[2]))


def recorded(database: Database, name: str, *, attempts: int) -> list[tuple[Any, ...]]:
    """Rows of a device, once there are so many attempts in them."""
    began = time.monotonic()
    while sum(row[-1] for row in recorded_of(database, name)) < attempts and time.monotonic() - began < 8:
        time.sleep(0.02)
    return recorded_of(database, name)


def test_wrong_passwords_are_recorded_for_the_person_whose_they_are_not(
    browser: Device, ada: UUID, email: str, module_database: Database, clock: HandClock
) -> None:
    for _ in range(7):
        assert browser.sign_in(email, "wrong horse 1").problem == WRONG
        clock.wind(minutes=1)
    assert recorded(module_database, browser.name, attempts=7) == [
        (ada, "sign_in", "INVALID_EMAIL_OR_PASSWORD", "127.0.0.1", 7)
    ]
    [[first_at, last_at, minutes]] = module_database.rows(
        "SELECT first_at, last_at, EXTRACT(minute FROM last_at)::int FROM attempts WHERE person_id = %s", ada
    )
    assert (first_at, minutes) == (NOON, 6)
    assert last_at > first_at


def test_an_unknown_address_is_nobodys_and_stands_nowhere(browser: Device, module_database: Database) -> None:
    assert browser.sign_in("who.is.this@example.com", "wrong horse 1").problem == WRONG
    assert recorded(module_database, browser.name, attempts=1) == [
        (None, "sign_in", "INVALID_EMAIL_OR_PASSWORD", None, 1)
    ]
    everything = " ".join(row for (row,) in module_database.rows("SELECT attempts::text FROM attempts"))
    assert "sign_in" in everything
    for written in ("who.is.this", "@example", b"who.is.this".hex(), "wrong horse", browser.name, "127.0.0.1"):
        assert written not in everything


def test_both_are_answered_with_the_same_bytes(browser: Device, ada: UUID, email: str) -> None:
    known, unknown = browser.sign_in(email, "wrong horse 1"), browser.sign_in("nobody@example.com", "wrong horse 1")
    assert known.content == unknown.content
    assert {*known.headers} == {*unknown.headers}
    assert ada.hex.encode() not in known.content


def test_a_page_of_a_stranger_is_recorded(browser: Device, module_database: Database) -> None:
    assert browser.post("/sign-out", {}, EVIL).problem == (403, "INVALID_ORIGIN")
    assert browser.post("/sign-in/email", {}, {**EVIL, "Origin": "null"}).problem == (403, "MISSING_OR_NULL_ORIGIN")
    assert recorded(module_database, browser.name, attempts=2) == [
        (None, "sign_in", "MISSING_OR_NULL_ORIGIN", None, 1),
        (None, "sign_out", "INVALID_ORIGIN", None, 1),
    ]


def test_a_refusal_of_the_route_itself_is_recorded_too(browser: Device, module_database: Database, email: str) -> None:
    form = {"email": email, "password": PASSWORD}
    navigating = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    code = "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED"
    assert browser.post("/sign-in/email", form, navigating).problem == (403, code)
    assert recorded(module_database, browser.name, attempts=1) == [(None, "sign_in", code, None, 1)]


def test_too_many_requests_are_recorded_under_a_code_the_wire_does_not_show(
    limited_url: str, module_database: Database, clock: HandClock
) -> None:
    module_database.rows("DELETE FROM rate_limits")
    device = Device(limited_url, "too many requests")
    answers = [device.post("/sign-in/email", {}).problem for _ in range(5)]
    assert answers == [(400, "VALIDATION_ERROR")] * 3 + [(429, None)] * 2
    assert recorded(module_database, device.name, attempts=2) == [(None, "sign_in", "TOO_MANY_REQUESTS", None, 2)]


def test_too_many_guesses_are_recorded_for_the_person_they_were_about(
    browser: Device, ada: UUID, email: str, limited_url: str, module_database: Database
) -> None:
    # she has only ever signed in from somewhere else
    module_database.rows("UPDATE session_list SET ip_address = '192.0.2.1' WHERE user_id = %s", ada)
    module_database.rows("DELETE FROM rate_limits")
    device = Device(limited_url, "too many guesses")
    device.sign_in("no address")
    counts_the_path = [key for (key,) in module_database.rows("SELECT key FROM rate_limits")]
    guessed = []
    for address in (email, "nobody.at.all@example.com"):
        assert device.sign_in(address, "wrong horse 1").problem == WRONG
        module_database.rows("DELETE FROM rate_limits WHERE key = ANY(%s)", counts_the_path)
        module_database.rows("UPDATE rate_limits SET hits = 100")
        guessed.append(device.sign_in(address, "wrong horse 1"))
    assert [answer.problem for answer in guessed] == [(429, None)] * 2
    assert guessed[0].content == guessed[1].content
    found = recorded(module_database, device.name, attempts=4)
    assert {(person_id, code, times) for person_id, _, code, _, times in found} == {
        (ada, "INVALID_EMAIL_OR_PASSWORD", 1), (ada, "TOO_MANY_REQUESTS", 1),
        (None, "INVALID_EMAIL_OR_PASSWORD", 1), (None, "TOO_MANY_REQUESTS", 1),
    }  # fmt: skip


def test_only_refused_commands_are_recorded(browser: Device, ada: UUID, email: str, module_database: Database) -> None:
    named = {"User-Agent": browser.name}
    assert browser.get("/organization/list", named).problem == (401, "UNAUTHORIZED")
    assert browser.ask("HEAD", f"{BASE}/organization/list", None, named).status == 404
    assert browser.post("/organization/list", {}, EVIL).status == 404
    assert browser.post("/nowhere", {}, EVIL).status == 404
    assert browser.ask("OPTIONS", f"{BASE}/sign-in/email", None, {**named, **EVIL}).status == 404
    assert browser.post("/sign-in/email", {"email": email}).problem == (400, "VALIDATION_ERROR")
    assert browser.sign_in("no address").problem == (400, "INVALID_EMAIL")
    assert browser.post("/get-session").problem == (405, "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED")
    assert browser.sign_up(email).problem == (422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL")
    assert browser.sign_in(email).status == 200
    assert browser.post("/sign-out").status == 200
    # written in the order in which they came: once this is there, anything before it would be
    assert browser.sign_in(email, "wrong horse 1").problem == WRONG
    assert recorded(module_database, browser.name, attempts=1) == [
        (ada, "sign_in", "INVALID_EMAIL_OR_PASSWORD", "127.0.0.1", 1)
    ]


def test_a_path_nobody_routes_is_not_recorded_where_it_is_limited(limited_url: str, module_database: Database) -> None:
    module_database.rows("DELETE FROM rate_limits")
    device = Device(limited_url, "on unknown paths")
    assert [device.post("/sign-in/nowhere").status for _ in range(4)] == [404, 404, 404, 429]
    assert device.post("/sign-in/email", {}, EVIL).problem == (403, "INVALID_ORIGIN")
    assert [row[1:3] for row in recorded(module_database, device.name, attempts=1)] == [("sign_in", "INVALID_ORIGIN")]


def test_no_command_has_a_parameter_in_its_path_which_would_be_recorded(browser: Device) -> None:
    paths = browser.ask("GET", "/openapi.json").json()["paths"]
    commands = [path for path, methods in paths.items() if {*methods} - {"get", "head", "options"}]
    assert f"{BASE}/sign-in/email" in commands
    assert [path for path in commands if "{" in path] == []


def test_what_a_signed_in_person_is_refused_concerns_them_and_their_session(
    database: Database, clock: HandClock, email: str
) -> None:
    settings = settings_for(database)
    with application(settings, clock) as url:
        browser = Browser(url)
        browser.sign_up(email)
        session = browser.session()
    cookie = f"{TOKEN_COOKIE}={browser.cookies[TOKEN_COOKIE]}".encode()
    scope = {"method": "POST", "path": f"{BASE}/update-user", "headers": [(b"cookie", cookie)]}
    request = RequestContext.of(scope, NOON, ClientAddresses())

    async def ask() -> None:
        services = open_services(settings, clock)
        try:
            Caller.of(services, request, await find_session(services, request))
        finally:
            await services.last_active_buffer.close()
            await services.sessions.close()
            services.close()

    asyncio.run(ask())
    assert request.concerns == UUID(session["userId"])
    assert request.session_id == UUID(session["id"])


def test_what_was_noted_is_written_before_the_application_ends(database: Database, clock: HandClock) -> None:
    with application(settings_for(database), clock) as url:
        assert Device(url, "at the end").post("/sign-up/email", {}, EVIL).status == 403
    assert [row[1:3] for row in recorded_of(database, "at the end")] == [("sign_up", "INVALID_ORIGIN")]


def test_while_the_database_is_away_they_are_kept(database: Database, clock: HandClock) -> None:
    with application(settings_for(database), clock) as url:
        device = Device(url, "while away")
        with database.away():
            for _ in range(4):
                assert device.post("/sign-in/email", {}, EVIL).problem == (403, "INVALID_ORIGIN")
                time.sleep(0.3)
            assert database.value("SELECT count(*) FROM attempts") == 0
        found = recorded(database, device.name, attempts=4)
    assert found == [(None, "sign_in", "INVALID_ORIGIN", None, 4)]
