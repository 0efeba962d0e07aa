"""Sessions of a few seconds on a running server: they run out, go on while they are used, and are fresh for a while."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.clock import now
from tests.api.browser import CLEARED, Browser
from tests.databases import Database
from tests.faults.at_once import Request, Sent, at_once, lines_to, taking_turns
from tests.people import PASSWORD
from tests.server import Server

LIFETIME, REFRESH_AFTER, FRESH_FOR = 3, 1, 2
SETTINGS = {
    "SESSION_LIFETIME": LIFETIME,
    "SESSION_REFRESH_AFTER": REFRESH_AFTER,
    "FRESH_FOR": FRESH_FOR,
    "FRESH_CALLS": "update-user",
}
USED_EVERY = 0.2
"""Seconds. The machine may stand still for nearly ten times as long before a session that is used runs out."""
TRIES = 3
TABS = 50

RENEWALS = "SELECT count(*) FROM events WHERE stream_id = %s AND name = 'SessionRenewed'"
ENDS = "SELECT end_reason FROM session_list WHERE session_id = %s"


@pytest.fixture
def browser(server: Server, request: pytest.FixtureRequest) -> Browser:
    """A person's device, signed up a moment ago."""
    browser = Browser(server.url)
    assert browser.sign_up(f"{request.node.name}@example.com").status == 200
    return browser


def test_one_that_is_not_used_runs_out(browser: Browser, module_database: Database) -> None:
    session = browser.session("?disableRefresh=true")
    began, ends = (datetime.fromisoformat(session[name]) for name in ("createdAt", "expiresAt"))
    assert ends - began == timedelta(seconds=LIFETIME)
    cookies = dict(browser.cookies)
    wait_until(ends)
    assert browser.get("/list-sessions").problem == (401, "UNAUTHORIZED")
    browser.cookies = cookies
    answer = browser.get("/get-session")
    assert (answer.status, answer.json(), answer.set_cookies) == (200, None, CLEARED)
    assert module_database.value(ENDS, UUID(session["id"])) == "expired"


def test_one_that_is_used_outlives_its_lifetime_twice(browser: Browser, module_database: Database) -> None:
    session = browser.session("?disableRefresh=true")
    ends = {session["expiresAt"], *used_until(browser, now() + timedelta(seconds=2 * LIFETIME))}
    renewals = module_database.value(RENEWALS, UUID(session["id"]))
    assert renewals == len(ends) - 1
    assert 2 <= renewals <= 2 * LIFETIME / REFRESH_AFTER
    wait_until(datetime.fromisoformat(max(ends)))
    assert browser.session() is None


def test_the_password_makes_it_fresh_again(browser: Browser) -> None:
    session = browser.session()
    assert browser.post("/update-user", {"name": "Ada King"}).status == 200
    used_until(browser, now() + timedelta(seconds=FRESH_FOR))
    assert browser.post("/update-user", {"name": "Ada Byron"}).problem == (403, "SESSION_NOT_FRESH")
    assert browser.get("/list-sessions").status == 200
    assert browser.post("/verify-password", {"password": PASSWORD}).status == 200
    assert browser.post("/update-user", {"name": "Ada Byron"}).status == 200
    again = browser.session()
    assert again["id"] == session["id"]
    first, second = (datetime.fromisoformat(one["authenticatedAt"]) for one in (session, again))
    assert second - first >= timedelta(seconds=FRESH_FOR)


def test_fifty_at_once_past_the_window_extend_it_once(server: Server, module_database: Database) -> None:
    # of three on a busy machine one at least is over within the next window
    assert any(renewed_within_the_window(server, module_database, number) for number in range(TRIES))


def renewed_within_the_window(server: Server, database: Database, number: int) -> bool:
    """Whether fifty requests past the window were answered before the next one began; if so, one of them renewed it."""
    browser = Browser(server.url)
    with lines_to(server, TABS // 2) as by_worker:
        token = browser.sign_up(f"fifty{number}@example.com").json()["token"]
        began_at = datetime.fromisoformat(browser.session("?disableRefresh=true")["createdAt"])
        wait_until(began_at + timedelta(seconds=REFRESH_AFTER))
        sent_at, look = now(), Request(path="/get-session", token=token)
        answers = at_once([Sent(line, look) for line in taking_turns(by_worker)])
        in_time = now() - sent_at < timedelta(seconds=REFRESH_AFTER)
    if in_time:
        [session_id] = {answer.json()["session"]["id"] for answer in answers}
        assert database.value(RENEWALS, UUID(session_id)) == 1
    return in_time


def used_until(browser: Browser, moment: datetime) -> list[str]:
    """When its session ends by each of its uses."""
    ends = []
    while now() < moment:
        ends.append(browser.session()["expiresAt"])
        time.sleep(USED_EVERY)
    return ends


def wait_until(moment: datetime) -> None:
    """Until it is over."""
    while now() <= moment:
        time.sleep(0.01)
