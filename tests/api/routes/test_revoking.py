"""Signing devices out: one, all, all others (wire.md §9, A1, A2)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from domain.commands.session import sign_in
from domain.commands.verified_account import verified_account
from domain.store.envelope import WhereFrom
from tests.api.browser import BASE, CLEARED, Answer, Browser, kept
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.lived import context_over
from tests.people import NOON, PASSWORD
from tests.server import application

DONE = (200, {"status": True})
EVENTS = "SELECT count(*) FROM events"
ALL_AT_ONCE = ("/revoke-sessions", "/revoke-other-sessions")


def said(answer: Answer) -> tuple[int, Any]:
    return answer.status, answer.json()


def newest(database: Database, count: int) -> set[tuple[str, str]]:
    """The names and streams of the events added last, so many."""
    rows = database.rows("SELECT name, stream_id FROM events ORDER BY command_id DESC, name LIMIT %s", count)
    return {(name, stream_id.hex) for name, stream_id in rows}


@pytest.fixture
def token(browser: Browser, email: str) -> str:
    """Of Ada's session on this device."""
    found: str = browser.sign_up(email).json()["token"]
    return found


@pytest.fixture
def phone(browser: Browser, token: str, email: str) -> Browser:
    """Another device of hers."""
    phone = Browser(browser.url)
    phone.sign_in(email)
    return phone


@pytest.fixture
def stranger(browser: Browser, email: str) -> Browser:
    """A device of Bo's."""
    stranger = Browser(browser.url)
    stranger.sign_up(f"bo.{email}", name="Bo")
    return stranger


def test_a_device_is_signed_out_by_its_handle(browser: Browser, phone: Browser, module_database: Database) -> None:
    handle = phone.session()["token"]
    before, count = browser.session(), module_database.value(EVENTS)
    answer = browser.post("/revoke-session", {"token": handle})
    assert (said(answer), answer.set_cookies) == (DONE, [])
    assert browser.session() == before
    assert module_database.value(EVENTS) == count + 1
    assert newest(module_database, 1) == {("SessionEnded", handle)}
    of_session = "SELECT end_reason FROM session_list WHERE session_id = %s"
    assert module_database.value(of_session, UUID(handle)) == "revoked"
    refused = phone.post("/update-user", {"name": "Eve"})
    assert (refused.problem, refused.set_cookies) == ((401, "UNAUTHORIZED"), CLEARED)


def test_a_device_that_was_signed_out_is_told_on_its_next_look(browser: Browser, phone: Browser) -> None:
    browser.post("/revoke-session", {"token": phone.session()["id"]})
    answer = phone.get("/get-session")
    assert (answer.status, answer.json(), answer.set_cookies) == (200, None, CLEARED)


def test_a_device_is_signed_out_by_its_secret_too(browser: Browser, token: str, email: str) -> None:
    phone = Browser(browser.url)
    secret = phone.sign_in(email).json()["token"]
    answer = browser.post("/revoke-session", {"token": secret})
    assert (said(answer), answer.set_cookies) == (DONE, [])
    assert phone.session() is None
    assert browser.session() is not None


@pytest.mark.parametrize("by", ["handle", "secret"])
def test_this_device_signs_itself_out_and_loses_its_cookies(
    browser: Browser, phone: Browser, token: str, by: str
) -> None:
    left_over = dict(browser.cookies)
    answer = browser.post("/revoke-session", {"token": token if by == "secret" else browser.session()["token"]})
    assert (said(answer), answer.set_cookies, browser.session_cookies) == (DONE, CLEARED, {})
    browser.cookies = left_over
    assert browser.session() is None
    assert phone.session() is not None


def test_the_devices_of_others_are_left_alone_and_nothing_says_so(
    browser: Browser, token: str, stranger: Browser, email: str, module_database: Database
) -> None:
    secret = stranger.sign_in(f"bo.{email}").json()["token"]
    handle, count = stranger.session()["token"], module_database.value(EVENTS)
    for named in (
        handle,
        secret,
        handle.upper(),
        "0" * 32,
        "of nobody",
        "",
        "x" * 5000,
        "é",
        handle[:-1],
        f"{handle}0",
    ):
        answer = browser.post("/revoke-session", {"token": named})
        assert (said(answer), answer.set_cookies) == (DONE, []), named
    assert stranger.session() is not None
    assert module_database.value(EVENTS) == count


def test_a_device_is_signed_out_at_every_node_at_once(
    browser: Browser, phone: Browser, module_database: Database, clock: HandClock
) -> None:
    with application(settings_for(module_database), clock) as elsewhere:
        there = Browser(elsewhere)
        there.cookies = dict(phone.cookies)
        assert there.session() is not None
        browser.post("/revoke-session", {"token": phone.session()["id"]})
        assert there.session() is None


def test_to_sign_out_what_is_signed_out_changes_nothing(
    browser: Browser, phone: Browser, module_database: Database
) -> None:
    handle = phone.session()["id"]
    phone.post("/sign-out")
    count = module_database.value(EVENTS)
    for _ in range(2):
        assert said(browser.post("/revoke-session", {"token": handle})) == DONE
    assert module_database.value(EVENTS) == count


def test_one_end_of_two_at_once_is_recorded(browser: Browser, phone: Browser, module_database: Database) -> None:
    handle, count = phone.session()["id"], module_database.value(EVENTS)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: browser.post("/revoke-session", {"token": handle}), range(4)))
    assert [answer.status for answer in answers] == [200] * 4
    assert module_database.value(EVENTS) == count + 1


@pytest.mark.parametrize("fields", [None, {}, {"anything": 1}, [], 5])
def test_everywhere_means_here_too(
    browser: Browser, phone: Browser, stranger: Browser, module_database: Database, fields: object
) -> None:
    left_over, count = dict(browser.cookies), module_database.value(EVENTS)
    user_id = browser.session()["userId"]
    answer = browser.post("/revoke-sessions", fields)
    assert (said(answer), answer.set_cookies, browser.session_cookies) == (DONE, CLEARED, {})
    assert module_database.value(EVENTS) == count + 1
    assert newest(module_database, 1) == {("SessionsRevoked", user_id)}
    browser.cookies = left_over
    for device in (browser, phone):
        answer = device.get("/get-session")
        assert (answer.json(), answer.set_cookies) == (None, CLEARED)
    assert stranger.session() is not None


def test_after_everywhere_one_can_sign_in_again(browser: Browser, phone: Browser, email: str) -> None:
    browser.post("/revoke-sessions")
    browser.sign_in(email)
    listed = browser.get("/list-sessions").json()
    assert [session["id"] for session in listed] == [browser.session()["id"]]
    assert phone.session() is None


@pytest.mark.parametrize("fields", [None, {}, {"anything": 1}, [], 5])
def test_this_one_stays_when_all_others_go(
    browser: Browser, phone: Browser, stranger: Browser, module_database: Database, fields: object
) -> None:
    before, count = browser.session(), module_database.value(EVENTS)
    answer = browser.post("/revoke-other-sessions", fields)
    assert (said(answer), answer.set_cookies) == (DONE, [])
    assert module_database.value(EVENTS) == count + 2
    assert newest(module_database, 2) == {("SessionsRevoked", before["userId"]), ("SessionKept", before["id"])}
    assert browser.session() == before
    lost = phone.get("/list-sessions")
    assert (lost.problem, lost.set_cookies) == ((401, "UNAUTHORIZED"), CLEARED)
    assert stranger.session() is not None


@pytest.mark.parametrize("path", ALL_AT_ONCE)
def test_of_a_hundred_and_thirty_others_none_is_left(
    browser: Browser, token: str, email: str, module_database: Database, path: str
) -> None:
    with context_over(module_database) as context:
        account = verified_account(context, email=email, password=PASSWORD, now=NOON)
        somewhere = WhereFrom("192.0.2.1", "")
        secrets = [sign_in(context, account, remembered=True, now=NOON, where_from=somewhere).token for _ in range(130)]
    assert len(browser.get("/list-sessions").json()) == 131
    count = module_database.value(EVENTS)
    assert said(browser.post(path)) == DONE
    assert module_database.value(EVENTS) == count + (1 if path == "/revoke-sessions" else 2)
    bearer = Browser(browser.url)
    assert {bearer.get("/get-session", {"Authorization": f"Bearer {one}"}).content for one in secrets} == {b"null"}
    browser.sign_in(email)
    assert len(browser.get("/list-sessions").json()) == (1 if path == "/revoke-sessions" else 2)


def test_all_others_can_go_again_and_again(browser: Browser, token: str, email: str) -> None:
    for _ in range(3):
        phone = Browser(browser.url)
        phone.sign_in(email)
        assert said(browser.post("/revoke-other-sessions")) == DONE
        assert phone.session() is None
    assert browser.session() is not None


@pytest.mark.parametrize("_", range(3))
def test_of_two_who_send_each_other_away_one_stays(browser: Browser, phone: Browser, _: int) -> None:
    devices = (browser, phone)
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda device: device.post("/revoke-other-sessions"), devices))
    assert sorted(answer.status for answer in answers) == [200, 401]
    assert [device.session() is not None for device in devices] == [answer.status == 200 for answer in answers]


def test_a_device_that_was_sent_away_sends_nobody_away(browser: Browser, phone: Browser) -> None:
    handle = browser.session()["id"]
    kept_cookies = dict(phone.cookies)
    browser.post("/revoke-other-sessions")
    for path, fields in (("/revoke-session", {"token": handle}), *((path, {}) for path in ALL_AT_ONCE)):
        phone.cookies = dict(kept_cookies)
        assert phone.post(path, fields).problem == (401, "UNAUTHORIZED")
    assert browser.session() is not None


ENDING_ITSELF: list[tuple[str, Callable[[Browser], object]]] = [
    ("/revoke-sessions", lambda browser: {}),
    ("/revoke-session", lambda browser: {"token": browser.session("?disableRefresh=1")["id"]}),
]


@pytest.mark.parametrize(("path", "fields"), ENDING_ITSELF, ids=[path for path, _ in ENDING_ITSELF])
def test_who_signs_out_when_an_extension_is_due_is_given_nothing_more(
    browser: Browser, token: str, clock: HandClock, path: str, fields: Callable[[Browser], object]
) -> None:
    clock.wind(hours=25)
    answer = browser.post(path, fields(browser))
    assert (said(answer), answer.set_cookies) == (DONE, CLEARED)
    assert answer.header("set-auth-token") is None


def test_who_sends_others_away_is_extended_if_due(
    browser: Browser, phone: Browser, token: str, clock: HandClock
) -> None:
    clock.wind(hours=25)
    answer = browser.post("/revoke-other-sessions")
    assert (said(answer), answer.set_cookies) == (DONE, kept(token))
    assert browser.session()["expiresAt"] == "2026-03-22T13:00:00.000Z"


@pytest.mark.parametrize("path", ["/revoke-session", *ALL_AT_ONCE])
def test_to_get_it_is_not_routed(browser: Browser, token: str, path: str) -> None:
    assert browser.ask("GET", f"{BASE}{path}").status == 404
    assert browser.session() is not None
