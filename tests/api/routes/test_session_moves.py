"""A session used from another address or browser: a command says so at once, looking once an hour (wire.md §6, A15)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.api.browser import BASE, Answer, Browser, kept
from tests.api.conftest import HandClock, settings_for
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import application

CHROME = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
HOME, CAFE, BERLIN = "192.0.2.7", "198.51.100.7", "141.20.1.1"
SEEN = ("ipAddress", "userAgent")


@pytest.fixture(scope="module")
def url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """An application behind a proxy on this machine, so that devices can have addresses."""
    with application(settings_for(module_database, trusted_proxies="127.0.0.1"), module_clock) as url:
        yield url


class Laptop(Browser):
    """A browser somewhere, which can go elsewhere or become another one, and takes its cookies along."""

    def __init__(self, url: str, address: str = HOME, name: str = CHROME) -> None:
        super().__init__(url)
        self.address, self.name = address, name

    @property
    def _shown(self) -> dict[str, str]:
        shown = {"X-Forwarded-For": self.address, "User-Agent": self.name}
        return {name: value for name, value in shown.items() if value}

    def get(self, path: str, headers: Any = None) -> Answer:
        return super().get(path, {**self._shown, **(headers or {})})

    def post(self, path: str, fields: object = None, headers: Any = None) -> Answer:
        return super().post(path, fields, {**self._shown, **(headers or {})})


@pytest.fixture
def laptop(url: str, clock: HandClock, email: str) -> Laptop:
    """Signed in at home, at noon."""
    laptop = Laptop(url)
    laptop.sign_up(email)
    return laptop


class Moves:
    """The moves of a session that were recorded since they were last asked for."""

    def __init__(self, database: Database, laptop: Laptop) -> None:
        self._database, self._session_id, self._told = database, UUID(laptop.session()["id"]), 0

    def __call__(self) -> int:
        count = "SELECT count(*) FROM events WHERE stream_id = %s AND name = 'SessionMoved'"
        before, self._told = self._told, self._database.value(count, self._session_id)
        return self._told - before


@pytest.fixture
def moves(laptop: Laptop, module_database: Database) -> Moves:
    return Moves(module_database, laptop)


def seen(laptop: Laptop) -> tuple[str, str]:
    """From where `/list-sessions` says that this session was last seen."""
    [session] = laptop.get("/list-sessions").json()
    return session["ipAddress"], session["userAgent"]


def test_where_it_stays_nothing_moves(laptop: Laptop, clock: HandClock, moves: Moves) -> None:
    for _ in range(3):
        clock.wind(hours=5)
        laptop.session("?disableRefresh=1")
        laptop.post("/update-user", {"name": "Ada King"})
    assert moves() == 0


@pytest.mark.parametrize(("address", "name"), [(CAFE, CHROME), (HOME, FIREFOX), (CAFE, FIREFOX)])
def test_a_command_from_elsewhere_or_another_browser_says_so_at_once(
    laptop: Laptop, clock: HandClock, moves: Moves, address: str, name: str
) -> None:
    before = laptop.session()
    clock.wind(milliseconds=1)
    laptop.address, laptop.name = address, name
    assert laptop.post("/verify-password", {"password": "wrong horse 1"}).status == 400
    assert moves() == 1
    after = laptop.session()
    assert (after["ipAddress"], after["userAgent"]) == (address, name)
    assert after["device"] == ("Firefox 132 on Linux" if name == FIREFOX else before["device"])
    assert (after["id"], after["expiresAt"]) == (before["id"], before["expiresAt"])
    assert after["updatedAt"] == "2026-03-14T12:00:00.001Z"


def test_every_command_from_yet_elsewhere_says_so(laptop: Laptop, moves: Moves) -> None:
    for address in (CAFE, HOME, CAFE, CAFE):
        laptop.address = address
        laptop.post("/revoke-other-sessions")
    assert moves() == 3


@pytest.mark.parametrize("path", ["/get-session", "/list-sessions", "/organization/list"])
def test_looking_says_so_when_the_hour_since_it_began_is_over(
    laptop: Laptop, clock: HandClock, moves: Moves, path: str
) -> None:
    laptop.address = CAFE
    clock.wind(hours=1, milliseconds=-1)
    assert laptop.get(path).status == 200
    assert moves() == 0
    clock.wind(milliseconds=1)
    assert laptop.get(path).status == 200
    assert moves() == 1
    assert seen(laptop) == (CAFE, CHROME)


def test_looking_says_so_once_an_hour_however_often_it_moves(laptop: Laptop, clock: HandClock, moves: Moves) -> None:
    clock.wind(hours=1)
    for minute in range(60):
        laptop.address = (CAFE, HOME)[minute % 2]
        laptop.get("/get-session")
        clock.wind(minutes=1)
    assert moves() == 1
    laptop.address = HOME
    laptop.get("/get-session")
    assert moves() == 1


def test_the_hour_counts_from_where_a_command_said_it_was(laptop: Laptop, clock: HandClock, moves: Moves) -> None:
    clock.wind(minutes=30)
    laptop.address = CAFE
    laptop.post("/revoke-other-sessions")
    assert moves() == 1
    laptop.address = HOME
    clock.wind(hours=1, milliseconds=-1)
    laptop.get("/get-session")
    assert moves() == 0
    clock.wind(milliseconds=1)
    laptop.get("/get-session")
    assert moves() == 1


def test_the_answer_that_saw_it_move_says_where_to(laptop: Laptop, clock: HandClock) -> None:
    clock.wind(hours=1)
    laptop.address, laptop.name = BERLIN, FIREFOX
    session = laptop.session()
    assert [session[name] for name in ("ipAddress", "userAgent", "device", "location", "updatedAt")] == [
        BERLIN,
        FIREFOX,
        "Firefox 132 on Linux",
        "Germany",
        "2026-03-14T13:00:00.000Z",
    ]


@pytest.mark.parametrize(("address", "name"), [("", CHROME), ("unknown", CHROME), (HOME, ""), ("unknown", "")])
def test_what_is_unknown_is_not_elsewhere(
    laptop: Laptop, clock: HandClock, moves: Moves, address: str, name: str
) -> None:
    clock.wind(hours=2)
    # without a forwarded address it would be the proxy's own
    laptop.address, laptop.name = address or "unknown", name
    laptop.get("/get-session")
    laptop.post("/verify-password", {"password": "wrong horse 1"})
    assert moves() == 0
    laptop.address, laptop.name = HOME, CHROME
    assert seen(laptop) == (HOME, CHROME)


def test_a_browser_that_is_known_moves_one_that_was_not(url: str, clock: HandClock, email: str) -> None:
    laptop = Laptop(url, name="")
    laptop.sign_up(email)
    laptop.name = FIREFOX
    laptop.post("/revoke-other-sessions")
    assert seen(laptop) == (HOME, FIREFOX)


def test_it_moves_and_is_extended_in_one_commit(
    laptop: Laptop, clock: HandClock, moves: Moves, module_database: Database, email: str
) -> None:
    token = laptop.sign_in(email).json()["token"]
    session_id = UUID(laptop.session()["id"])
    clock.wind(hours=25)
    laptop.address = CAFE
    assert laptop.get("/list-accounts").set_cookies == kept(token)
    both = "SELECT count(*), count(DISTINCT command_id) FROM events WHERE stream_id = %s AND name = ANY(%s)"
    assert module_database.rows(both, session_id, ["SessionMoved", "SessionRenewed"]) == [(2, 1)]


def test_a_refreshing_that_is_disabled_still_sees_it_move(laptop: Laptop, clock: HandClock, moves: Moves) -> None:
    clock.wind(hours=25)
    laptop.address = CAFE
    answer = laptop.get("/get-session?disableRefresh=1")
    assert (answer.json()["session"]["ipAddress"], answer.set_cookies) == (CAFE, [])
    assert moves() == 1


def test_a_move_leaves_the_address_where_it_was_signed_in(laptop: Laptop, module_database: Database) -> None:
    laptop.address = CAFE
    laptop.post("/verify-password", {"password": PASSWORD})
    of_session = "SELECT ip_address, moved_ip_address FROM session_list WHERE session_id = %s"
    assert module_database.rows(of_session, UUID(laptop.session()["id"])) == [(HOME, CAFE)]


@pytest.mark.parametrize("name", ["curl/8.10.1", "x" * 1024, "Näme/1 (é)"])
def test_a_browser_is_kept_as_it_calls_itself(url: str, clock: HandClock, email: str, name: str) -> None:
    laptop = Laptop(url, name=name)
    laptop.sign_up(email)
    assert laptop.session()["userAgent"] == name


def test_a_name_of_a_browser_ends_after_1024_characters(url: str, clock: HandClock, email: str) -> None:
    laptop = Laptop(url, name="x" * 1025)
    laptop.sign_up(email)
    assert laptop.session()["userAgent"] == "x" * 1024
    laptop.post("/revoke-other-sessions")
    assert laptop.session()["updatedAt"] == "2026-03-14T12:00:00.000Z"


def test_without_a_proxy_that_is_trusted_the_address_is_the_peers(
    module_database: Database, clock: HandClock, email: str
) -> None:
    with application(settings_for(module_database), clock) as direct:
        laptop = Laptop(direct)
        laptop.sign_up(email)
        assert laptop.session()["ipAddress"] == "127.0.0.1"
        laptop.address = CAFE
        laptop.post("/revoke-other-sessions")
        assert seen(laptop) == ("127.0.0.1", CHROME)


def test_an_ipv6_network_is_one_address(url: str, clock: HandClock, email: str, module_database: Database) -> None:
    laptop = Laptop(url, address="2001:DB8::1")
    laptop.sign_up(email)
    moves = Moves(module_database, laptop)
    laptop.address = "2001:db8::ffff:1"
    laptop.post("/revoke-other-sessions")
    assert (seen(laptop)[0], moves()) == ("2001:0db8:0000:0000:0000:0000:0000:0000", 0)
    laptop.address = "2001:db8:0:1::1"
    laptop.post("/revoke-other-sessions")
    assert (seen(laptop)[0], moves()) == ("2001:0db8:0000:0001:0000:0000:0000:0000", 1)


def test_a_stranger_with_no_session_moves_none(laptop: Laptop, moves: Moves) -> None:
    thief = Laptop(laptop.url, CAFE, FIREFOX)
    assert thief.post("/revoke-other-sessions").problem == (401, "UNAUTHORIZED")
    assert thief.ask("GET", f"{BASE}/get-session").json() is None
    assert moves() == 0
