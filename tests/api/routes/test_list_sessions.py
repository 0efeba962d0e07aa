"""The devices a person is signed in on (wire.md §9, A1, A2, A11)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.commands.session import sign_in
from domain.commands.verified_account import verified_account
from domain.store.envelope import WhereFrom
from tests.api.browser import Browser, Device
from tests.api.conftest import HandClock
from tests.databases import Database
from tests.lived import context_over
from tests.people import NOON, PASSWORD

CHROME = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
LIST = "/list-sessions"


@pytest.fixture
def browser(url: str, clock: HandClock) -> Device:
    return Device(url, CHROME)


@pytest.fixture
def phone(url: str, clock: HandClock) -> Device:
    return Device(url, FIREFOX)


def listed(browser: Browser, query: str = "") -> Any:
    answer = browser.get(f"{LIST}{query}")
    assert (answer.status, answer.header("content-type")) == (200, "application/json")
    return answer.json()


def ids(browser: Browser, query: str = "") -> list[str]:
    return [session["id"] for session in listed(browser, query)]


def signed_in(url: str, email: str, clock: HandClock, *, times: int) -> list[str]:
    """The sessions of so many devices that sign in, a minute after each other."""
    found = []
    for _ in range(times):
        clock.wind(minutes=1)
        device = Browser(url)
        device.sign_in(email)
        found.append(device.session()["id"])
    return found


def test_a_session_is_listed_with_everything_the_contract_says(browser: Device, email: str, clock: HandClock) -> None:
    user = browser.sign_up(email).json()["user"]
    clock.wind(minutes=5)
    [session] = listed(browser)
    assert session == {
        "id": session["id"],
        "token": session["id"],
        "userId": user["id"],
        "expiresAt": "2026-03-21T12:00:00.000Z",
        "createdAt": "2026-03-14T12:00:00.000Z",
        "updatedAt": "2026-03-14T12:00:00.000Z",
        "authenticatedAt": "2026-03-14T12:00:00.000Z",
        "ipAddress": "127.0.0.1",
        "userAgent": CHROME,
        "device": "Chrome 130 on macOS",
        "location": "",
        "current": True,
        "activeOrganizationId": browser.session()["activeOrganizationId"],
        "signInWay": "password",
        "lastActiveAt": "2026-03-14T12:05:00.000Z",
    }


def test_the_current_session_is_told_as_get_session_tells_it(browser: Device, email: str) -> None:
    browser.sign_up(email)
    [session] = listed(browser)
    assert {**browser.session(), "signInWay": "password", "lastActiveAt": session["lastActiveAt"]} == session


def test_the_one_asking_comes_first_and_is_marked(browser: Device, phone: Device, email: str, clock: HandClock) -> None:
    browser.sign_up(email)
    clock.wind(minutes=1)
    phone.sign_in(email)
    assert [(one["device"], one["current"]) for one in listed(browser)] == [
        ("Chrome 130 on macOS", True),
        ("Firefox 132 on Linux", False),
    ]
    assert [(one["device"], one["current"]) for one in listed(phone)] == [
        ("Firefox 132 on Linux", True),
        ("Chrome 130 on macOS", False),
    ]


def test_the_others_come_by_when_they_were_last_used(browser: Device, email: str, clock: HandClock) -> None:
    browser.sign_up(email)
    others = signed_in(browser.url, email, clock, times=3)
    assert ids(browser) == [browser.session()["id"], *reversed(others)]


def test_where_a_session_is_used_from_has_a_place(browser: Device, email: str, module_database: Database) -> None:
    browser.sign_up(email)
    with context_over(module_database) as context:
        account = verified_account(context, email=email, password=PASSWORD, now=NOON)
        sign_in(context, account, remembered=True, now=NOON, where_from=WhereFrom("141.20.1.1", FIREFOX))
    here, berlin = listed(browser)
    assert (here["location"], here["ipAddress"]) == ("", "127.0.0.1")
    assert (berlin["location"], berlin["ipAddress"]) == ("Germany", "141.20.1.1")


def test_nothing_in_it_is_a_credential(browser: Device, phone: Device, email: str) -> None:
    tokens = [browser.sign_up(email).json()["token"], phone.sign_in(email).json()["token"]]
    answer = browser.get(LIST)
    assert not any(token in answer.content.decode() for token in tokens)
    for session in answer.json():
        for handle in (session["id"], session["token"]):
            thief = Browser(browser.url)
            assert thief.get("/get-session", {"Authorization": f"Bearer {handle}"}).json() is None
            assert thief.get("/get-session", {"Cookie": f"better-auth.session_token={handle}"}).json() is None


def test_it_is_kept_by_no_cache(browser: Device, email: str) -> None:
    browser.sign_up(email)
    answer = browser.get(LIST)
    assert (answer.header("cache-control"), answer.header("pragma")) == ("no-store", "no-cache")


def test_only_those_that_live_are_listed(browser: Device, email: str, clock: HandClock) -> None:
    browser.sign_up(email)
    out, brief, revoked, kept = (Browser(browser.url) for _ in range(4))
    for device in (out, revoked, kept):
        device.sign_in(email)
    brief.sign_in(email, rememberMe=False)
    assert len(listed(browser)) == 5
    out.post("/sign-out")
    browser.post("/revoke-session", {"token": revoked.session()["id"]})
    assert set(ids(browser)) == {device.session()["id"] for device in (browser, kept, brief)}
    clock.wind(days=1, milliseconds=-1)
    assert len(listed(browser)) == 3
    clock.wind(milliseconds=1)
    assert set(ids(browser)) == {browser.session()["id"], kept.session()["id"]}


def test_those_of_others_are_nobodys_business(browser: Device, phone: Device, email: str) -> None:
    browser.sign_up(email)
    phone.sign_up(f"bo.{email}", name="Bo")
    assert ids(browser) == [browser.session()["id"]]
    assert ids(phone) == [phone.session()["id"]]


def test_the_list_is_whole_however_long_it_is(browser: Device, email: str, module_database: Database) -> None:
    browser.sign_up(email)
    with context_over(module_database) as context:
        account = verified_account(context, email=email, password=PASSWORD, now=NOON)
        for _ in range(130):
            sign_in(context, account, remembered=True, now=NOON, where_from=WhereFrom("192.0.2.1", ""))
    found = ids(browser)
    assert (len(found), len(set(found)), found[0]) == (131, 131, browser.session()["id"])


def test_pages_follow_each_other(browser: Device, email: str, clock: HandClock) -> None:
    browser.sign_up(email)
    signed_in(browser.url, email, clock, times=6)
    whole = listed(browser)
    assert len(whole) == 7
    for limit in (1, 3, 7, 100, 2**31 - 1):
        pages = [listed(browser, f"?limit={limit}&offset={offset}") for offset in range(0, 7, limit)]
        assert [session for page in pages for session in page] == whole
        assert all(len(page) <= limit for page in pages)
    assert listed(browser, "?offset=5") == whole[5:]
    assert listed(browser, "?offset=7") == listed(browser, f"?offset={2**31 - 1}") == []


@pytest.mark.parametrize("query", ["?limit=&offset=", "?limit=", "?offset=", "?offset=0", "?unknown=1&unknown=2"])
def test_what_is_empty_or_unknown_is_not_given(browser: Device, email: str, clock: HandClock, query: str) -> None:
    browser.sign_up(email)
    signed_in(browser.url, email, clock, times=1)
    assert listed(browser, query) == listed(browser)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=many",
        "limit=1.5",
        "limit=9999999999",
        "limit=1&limit=1",
        "offset=-1",
        "offset=few",
        "offset=99999999999999999999",
        "offset=1&offset=1",
        "limit=1&offset=x",
    ],
)
def test_what_makes_no_sense_is_refused_before_anybody_asks_who_is_there(
    browser: Device, phone: Device, email: str, query: str
) -> None:
    browser.sign_up(email)
    for device in (browser, phone):
        answer = device.get(f"{LIST}?{query}")
        assert answer.problem == (400, "VALIDATION_ERROR")
        assert answer.json()["message"].startswith("[query.")


def test_a_session_turned_to_no_organization_says_so(browser: Device, email: str, module_database: Database) -> None:
    user_id = browser.sign_up(email).json()["user"]["id"]
    module_database.rows("UPDATE session_list SET organization_id = NULL WHERE user_id = %s", UUID(user_id))
    assert listed(browser)[0]["activeOrganizationId"] is None


def test_looking_at_it_is_no_event(browser: Device, email: str, module_database: Database) -> None:
    browser.sign_up(email)
    before = module_database.value("SELECT count(*) FROM events")
    for _ in range(3):
        listed(browser)
    assert module_database.value("SELECT count(*) FROM events") == before
