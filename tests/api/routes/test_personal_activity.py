"""A person's own journal (wire.md part A, "Ours")."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.commands.session import sign_in
from domain.commands.verified_account import verified_account
from domain.events.catalogue import EVENT_BY_NAME
from domain.store.envelope import WhereFrom
from tests.api.browser import BASE, CLEARED, Browser, Device
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.faults.test_refusing_to_start import refusal
from tests.keeping import caught_up
from tests.lived import context_over
from tests.people import NOON, PASSWORD
from tests.projections.test_places import city_database
from tests.server import application

CHROME = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
BERLIN = WhereFrom("141.20.1.1", CHROME)
LIST = "/activity/list"


@pytest.fixture
def browser(url: str, clock: HandClock) -> Device:
    return Device(url, CHROME)


@pytest.fixture
def phone(url: str, clock: HandClock) -> Device:
    return Device(url, FIREFOX)


def page(browser: Browser, database: Database, query: str = "") -> Any:
    """A page of the person's journal, once it has caught up."""
    caught_up(database)
    answer = browser.get(f"{LIST}{query}")
    assert (answer.status, answer.header("content-type")) == (200, "application/json")
    assert set(answer.json()) == {"entries", "nextCursor"}
    return answer.json()


def entries(browser: Browser, database: Database, query: str = "") -> Any:
    return page(browser, database, query)["entries"]


def test_a_new_account_has_its_beginnings(browser: Device, email: str, module_database: Database) -> None:
    browser.sign_up(email)
    found = page(browser, module_database)
    assert found["nextCursor"] is None
    assert found["entries"][0] == {
        "at": "2026-03-14T12:00:00.000Z",
        "event": "SignedUp",
        "text": "You opened your account. You signed in with Chrome 130 on macOS.",
        "device": "Chrome 130 on macOS",
        "location": "",
        "ipAddress": "127.0.0.1",
        "sessionId": browser.session()["id"],
        "current": True,
        "times": 1,
        "since": "2026-03-14T12:00:00.000Z",
        "newDevice": False,
    }
    assert found["entries"][1:] == []


def test_what_happened_on_another_device_is_there_and_not_current(
    browser: Device, phone: Device, email: str, module_database: Database, clock: HandClock
) -> None:
    browser.sign_up(email)
    clock.wind(minutes=1)
    phone.sign_in(email)
    session_id = phone.session()["id"]
    clock.wind(minutes=1)
    phone.post("/sign-out")
    signed_out, signed_in, first, *_ = entries(browser, module_database)
    assert signed_out["text"] == "You signed out of Firefox 132 on Linux."
    assert signed_in["text"] == "You signed in with Firefox 132 on Linux."
    assert signed_out["sessionId"] == signed_in["sessionId"] == session_id
    assert [entry["current"] for entry in (signed_out, signed_in, first)] == [False, False, True]
    assert [entry["newDevice"] for entry in (signed_out, signed_in, first)] == [False, True, False]
    assert signed_out["at"] == "2026-03-14T12:02:00.000Z"


def test_failed_sign_ins_are_told_as_one(
    browser: Device, phone: Device, email: str, module_database: Database, clock: HandClock
) -> None:
    user_id = browser.sign_up(email).json()["user"]["id"]
    caught_up(module_database)
    for _ in range(3):
        clock.wind(minutes=1)
        assert phone.sign_in(email, "wrong horse 1").status == 401
    began, times = time.monotonic(), 0
    while times < 3 and time.monotonic() - began < 8:
        time.sleep(0.05)
        [[times]] = module_database.rows(
            "SELECT coalesce(sum(times), 0) FROM attempts WHERE person_id = %s", UUID(user_id)
        )
    refused, signed_in, *_ = entries(browser, module_database)
    assert signed_in["event"] == "SignedUp"
    assert refused == {
        "at": "2026-03-14T12:03:00.000Z",
        "event": "AttemptRefused",
        "text": "Somebody tried to sign in with a wrong password, 3 times, from Firefox 132 on Linux.",
        "device": "Firefox 132 on Linux",
        "location": "",
        "ipAddress": "127.0.0.1",
        "sessionId": None,
        "current": False,
        "times": 3,
        "since": "2026-03-14T12:01:00.000Z",
        "newDevice": False,
    }
    assert entries(browser, module_database, "?type=AttemptRefused") == [refused]
    assert refused not in entries(browser, module_database, "?type=SessionStarted")


def test_renewals_are_no_entries_but_asking_renews(
    browser: Device, email: str, module_database: Database, clock: HandClock
) -> None:
    browser.sign_up(email)
    for _ in range(3):
        clock.wind(hours=25)
        caught_up(module_database)
        answer = browser.get(LIST)
        assert len(answer.set_cookies) == 1
    assert [entry["event"] for entry in entries(browser, module_database)] == ["SignedUp"]


def test_pages_follow_each_other(browser: Device, email: str, module_database: Database) -> None:
    browser.sign_up(email)
    for _ in range(56):
        browser.sign_in(email)
    whole = page(browser, module_database, "?limit=100")
    assert (len(whole["entries"]), whole["nextCursor"]) == (57, None)
    first = page(browser, module_database)
    assert first["entries"] == whole["entries"][:50]
    found, cursor = [], first["nextCursor"][:0]
    for _ in range(9):
        part = page(browser, module_database, f"?limit=7&cursor={cursor}")
        found += part["entries"]
        cursor = part["nextCursor"]
    assert (found, cursor) == (whole["entries"], None)


def test_nobody_sees_the_journal_of_another(
    browser: Device, phone: Device, email: str, module_database: Database
) -> None:
    browser.sign_up(email)
    browser.sign_in(email)
    cursor = page(browser, module_database, "?limit=1")["nextCursor"]
    phone.sign_up(f"bo.{email}", name="Bo")
    assert len(entries(browser, module_database)) == 2
    own = {entry["sessionId"] for entry in entries(phone, module_database)}
    assert own == {phone.session()["id"]}
    assert entries(phone, module_database, f"?cursor={cursor}") == []


@pytest.mark.parametrize("query", ["?limit=&cursor=&type=", "?limit=50", "?unknown=1&unknown=2"])
def test_what_is_empty_or_unknown_is_not_given(
    browser: Device, email: str, module_database: Database, query: str
) -> None:
    browser.sign_up(email)
    assert page(browser, module_database, query) == page(browser, module_database)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("cursor=nonsense", "[query.cursor] Invalid input"),
        ("cursor=1.x", "[query.cursor] Invalid input"),
        ("limit=0", "[query.limit] "),
        ("limit=101", "[query.limit] "),
        ("limit=-1", "[query.limit] "),
        ("limit=many", "[query.limit] "),
        ("type=SignedDown", "[query.type] "),
        ("type=signedup", "[query.type] "),
        ("type=SignedUp&type=SignedUp", "[query.type] Invalid input: expected string, received array"),
        ("limit=1&limit=1", "[query.limit] Invalid input: expected string, received array"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anybody_asks_who_is_there(
    browser: Device, phone: Device, email: str, query: str, message: str
) -> None:
    browser.sign_up(email)
    for device in (browser, phone):
        answer = device.get(f"{LIST}?{query}")
        assert answer.problem == (400, "VALIDATION_ERROR")
        assert answer.json()["message"].startswith(message)
        assert query.partition("=")[2] not in answer.json()["message"].replace("Invalid input", "")


def test_without_a_session_there_is_none(browser: Device, email: str) -> None:
    assert browser.get(LIST).problem == (401, "UNAUTHORIZED")
    browser.sign_up(email)
    kept = dict(browser.cookies)
    browser.post("/sign-out")
    browser.cookies.update(kept)
    answer = browser.get(LIST)
    assert (answer.problem, answer.set_cookies) == ((401, "UNAUTHORIZED"), CLEARED)


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT"])
def test_it_can_only_be_got(browser: Device, method: str) -> None:
    assert browser.ask(method, f"{BASE}{LIST}").status == 404


@pytest.fixture(scope="module")
def city_url(module_database: Database, module_clock: HandClock, tmp_path_factory: Any) -> Iterator[str]:
    """An application whose operator has a city database."""
    file = city_database(tmp_path_factory.mktemp("places") / "city.mmdb")
    with application(settings_for(module_database, geoip_database=file), module_clock) as url:
        yield url


def test_places_are_countries_and_with_a_city_database_cities(
    browser: Device, email: str, module_database: Database, city_url: str
) -> None:
    browser.sign_up(email)
    with context_over(module_database) as context:
        account = verified_account(context, email=email, password=PASSWORD, now=NOON)
        sign_in(context, account, remembered=True, now=NOON, where_from=BERLIN)
    elsewhere = Device(city_url, CHROME)
    elsewhere.cookies.update(browser.cookies)
    for device, place in ((browser, "Germany"), (elsewhere, "Berlin, Germany")):
        signed_in = entries(device, module_database)[0]
        assert signed_in["location"] == place
        assert signed_in["text"] == f"You signed in with Chrome 130 on macOS, {place}."
        assert signed_in["ipAddress"] == "141.20.1.1"


@pytest.mark.parametrize("content", [None, b"", b"no database at all" * 100])
def test_nothing_starts_with_a_city_database_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "city.mmdb"
    if content is not None:
        file.write_bytes(content)
    assert str(file) in refusal(tmp_path, GEOIP_DATABASE=file, DATA_DIR=tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_its_parameters_are_documented(browser: Device) -> None:
    operation = browser.ask("GET", "/openapi.json").json()["paths"][f"{BASE}{LIST}"]["get"]
    found = {one["name"]: one for one in operation["parameters"]}
    assert set(found) == {"limit", "cursor", "type"}
    for one in found.values():
        assert one["in"] == "query"
        assert one["required"] is False
        assert one["description"]
    limits = {name: found["limit"]["schema"][name] for name in ("minimum", "maximum", "default")}
    assert limits == {"minimum": 1, "maximum": 100, "default": 50}
    assert set(found["type"]["schema"]["enum"]) == {"", "AttemptRefused", *EVENT_BY_NAME} - {"SessionRenewed"}
    assert {"200", "400", "401", "503"} <= set(operation["responses"])
    assert "415" not in operation["responses"]
