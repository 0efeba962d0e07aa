"""How often a command asks the database, each time its person waits: counted on the wire, from the counting on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from api.cli.embedded import PORT, EmbeddedPostgres
from tests.api.browser import Answer
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.fellows import Person, new_email
from tests.databases import Database
from tests.faults.proxy import Proxy
from tests.server import application

BESIDE = ("pg_notify", "INSERT INTO last_active")
"""In statements for which nobody waits: threads of their own send them."""
_numbers = count(1)


class Wire:
    """A server, and what it says to its database."""

    def __init__(self, url: str, proxy: Proxy) -> None:
        self.url, self._proxy = url, proxy

    def trips(self, act: Callable[[], Answer]) -> list[str]:
        """The statements of one request that succeeds."""
        before = len(self._proxy.executed)
        answer = act()
        assert answer.status == 200, answer.content
        return [one for one in self._proxy.executed[before:] if not any(word in one for word in BESIDE)]


@pytest.fixture(scope="module")
def wire(cluster: EmbeddedPostgres, module_database: Database) -> Iterator[Wire]:
    folder = conninfo_to_dict(cluster.conninfo("daybook"))["host"]
    proxy = Proxy(Path(str(folder)) / f".s.PGSQL.{PORT}")
    through = make_conninfo(
        module_database.application_url, host="127.0.0.1", port=proxy.port, sslmode="disable", gssencmode="disable"
    )
    settings = settings_for(module_database, rate_limit="on", trusted_proxies="127.0.0.1/32", database_url=through)
    with application(settings, HandClock()) as url:
        yield Wire(url, proxy)
    proxy.close()


class Visitor(Person):
    """Somebody at an address of their own, since requests are counted by address."""

    def __init__(self, url: str, name: str) -> None:
        self.address = f"192.0.2.{next(_numbers)}"
        super().__init__(url, name)

    def ask(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str | bytes] | None = None
    ) -> Answer:
        return super().ask(method, target, body, {"X-Forwarded-For": self.address, **(headers or {})})


@pytest.fixture
def ada(wire: Wire) -> Visitor:
    return Visitor(wire.url, "Ada")


@pytest.fixture
def bo(wire: Wire) -> Visitor:
    return Visitor(wire.url, "Bo")


def test_a_session_check_is_counted_and_looked_for(wire: Wire, ada: Visitor) -> None:
    statements = wire.trips(lambda: ada.get("/get-session"))
    assert sorted("rate_limits" in one for one in statements) == [False, True]


def test_signing_in(wire: Wire, ada: Visitor) -> None:
    assert len(wire.trips(lambda: ada.sign_in(ada.email))) == 4


def test_signing_out(wire: Wire, ada: Visitor) -> None:
    assert len(wire.trips(lambda: ada.post("/sign-out"))) == 4


def test_accepting_an_invitation(wire: Wire, ada: Visitor, bo: Visitor) -> None:
    invited = {"invitationId": ada.invites(bo.email)}
    assert len(wire.trips(lambda: bo.post("/organization/accept-invitation", invited))) == 5


def test_changing_a_role(wire: Wire, ada: Visitor, bo: Visitor) -> None:
    member = {"memberId": ada.takes_in(bo), "role": "admin"}
    assert len(wire.trips(lambda: ada.post("/organization/update-member-role", member))) == 5


def test_inviting_and_taking_back(wire: Wire, ada: Visitor) -> None:
    fields = {"email": new_email(), "role": "member"}
    assert len(wire.trips(lambda: ada.post("/organization/invite-member", fields))) == 7
    invited = {"invitationId": ada.invites(new_email())}
    assert len(wire.trips(lambda: ada.post("/organization/cancel-invitation", invited))) == 5


@pytest.mark.parametrize(
    "read", ["/list-sessions", "/organization/list-members", "/organization/get-full-organization"]
)
def test_reading_what_many_read(wire: Wire, ada: Visitor, read: str) -> None:
    assert len(wire.trips(lambda: ada.get(read))) == 3
