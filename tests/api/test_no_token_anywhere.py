"""No answer, event, log line or table holds a session's secret or a password: a whole tour, then a search for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import unquote
from uuid import UUID

import pytest

from api.cli.embedded import EmbeddedPostgres
from tests.api.browser import BASE, TOKEN_COOKIE, Browser, signed
from tests.api.dumps import dump, found
from tests.api.tour import EMAIL, PASSWORDS, RENEWED_AFTER, Evidence, runs_out, tour
from tests.databases import Database
from tests.keeping import caught_up
from tests.lived import context_over
from tests.server import served


@dataclass(frozen=True)
class Seen:
    """The evidence of the tour, and all that two servers and their database wrote meanwhile."""

    evidence: Evidence
    server_log: bytes
    database_log: bytes

    @property
    def secrets(self) -> list[str]:
        """What must not be found."""
        return [*sorted(self.evidence.tokens), *PASSWORDS]


@pytest.fixture(scope="module")
def seen(module_database: Database, cluster: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The tour on a server whose database logs every statement with its values; then what runs out, on another."""
    folder, evidence = tmp_path_factory.mktemp("tour"), Evidence()
    for setting in ("log_statement = 'all'", "log_error_verbosity = 'default'", "log_parameter_max_length = -1"):
        module_database.rows(f"ALTER DATABASE {module_database.name} SET {setting}")
    before = cluster.log.stat().st_size
    database = {"DATABASE_URL": module_database.application_url, "OWNER_DATABASE_URL": module_database.owner_url}
    with served(folder / "log", {**database, "SESSION_REFRESH_AFTER": RENEWED_AFTER}) as server:
        tour(server.url, evidence)
    with served(folder / "log", {**database, "SESSION_LIFETIME": 1}) as server:
        runs_out(server.url, evidence, after=1)
    caught_up(module_database)
    return Seen(evidence, (folder / "log").read_bytes(), cluster.log.read_bytes()[before:])


def test_the_tour_went_everywhere(seen: Seen, module_database: Database) -> None:
    reasons = module_database.rows("SELECT DISTINCT end_reason FROM session_list WHERE end_reason IS NOT NULL")
    assert {reason for (reason,) in reasons} == {"revoked", "replaced", "expired", "signed_out"}
    [happened] = module_database.rows(
        "SELECT array_agg(DISTINCT name) @> ARRAY['SessionRenewed', 'SessionMoved', 'SessionReauthenticated',"
        " 'SessionKept', 'SessionsRevoked', 'PasswordChanged', 'NameChanged', 'ImageChanged'] FROM events"
    )
    assert happened == (True,)


def test_answers_hold_no_secret_but_where_they_hand_it_out(seen: Seen) -> None:
    exchanges = seen.evidence.exchanges
    assert {exchange.answer.status for exchange in exchanges} == {200, 400, 401, 404, 415, 422}
    for path, known in (("/get-session", EMAIL), ("/activity/list", "PasswordChanged"), ("/list-sessions", "Phone")):
        assert any(found([known], answer.content) for answer in seen.evidence.of(path))
    leaks = [(exchange.target, found(seen.secrets, exchange.else_)) for exchange in exchanges]
    assert [(target, leaked) for target, leaked in leaks if leaked] == []


def test_nobody_is_handed_the_secret_of_another_session(seen: Seen) -> None:
    handed = [exchange for exchange in seen.evidence.exchanges if exchange.cookies_and_headers]
    begun = [exchange for exchange in handed if exchange.token is not None]
    assert len(begun) >= 12
    assert len(handed) - len(begun) >= 6
    for exchange in handed:
        [token] = exchange.cookies_and_headers
        assert token == exchange.token or token in exchange.shown


def test_tables_hold_no_secret(seen: Seen, module_database: Database, cluster: EmbeddedPostgres) -> None:
    whole = dump(module_database, cluster)
    [token, *_] = seen.evidence.tokens
    assert found([EMAIL, "PhoneAfterAnUpdate"], whole) == [EMAIL, "PhoneAfterAnUpdate"]
    assert sha256(token.encode()).digest() in whole
    assert found(seen.secrets, whole) == []


def test_events_hold_no_secret_once_they_are_opened(seen: Seen, module_database: Database) -> None:
    with context_over(module_database) as context:
        streams = module_database.rows("SELECT DISTINCT stream_id FROM events")
        opened = [repr(recorded) for (stream_id,) in streams for recorded in context.store.events.get(stream_id)]
    assert len(opened) == module_database.value("SELECT count(*) FROM events")
    told = "\n".join(opened).encode()
    assert found([EMAIL, "PhoneAfterAnUpdate"], told) == [EMAIL, "PhoneAfterAnUpdate"]
    assert found(seen.secrets, told) == []


def test_log_lines_hold_no_secret(seen: Seen) -> None:
    assert b"daybook" in seen.server_log.lower()
    assert found([*seen.secrets, EMAIL], seen.server_log) == []


def test_no_statement_and_no_value_the_database_is_sent_holds_a_secret(seen: Seen) -> None:
    assert found([EMAIL], seen.database_log) == [EMAIL]
    assert found(seen.secrets, seen.database_log) == []


def as_cookie(value: str) -> dict[str, str]:
    return {"Cookie": f"{TOKEN_COOKIE}={value}"}


def as_bearer(value: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {value}"}


SHOWN: dict[str, Callable[[str], dict[str, str]]] = {
    "as a cookie": as_cookie,
    "as a signed cookie": lambda handle: as_cookie(signed(handle)),
    "as a bearer token": as_bearer,
    "as a signed bearer token": lambda handle: as_bearer(unquote(signed(handle))),
    "as an encoded bearer token": lambda handle: as_bearer(signed(handle)),
}


@pytest.mark.parametrize("how", SHOWN)
def test_nothing_that_is_shown_of_a_session_is_a_credential(browser: Browser, email: str, how: str) -> None:
    """Not even to somebody who has the server's secret and can sign it."""
    token = browser.sign_up(email).json()["token"]
    session = browser.session()
    digest = sha256(token.encode())
    nobody = Browser(browser.url)
    for known in (session["id"], session["token"], session["userId"], digest.hexdigest(), UUID(session["id"])):
        shown = SHOWN[how](str(known))
        assert nobody.ask("GET", f"{BASE}/get-session", None, shown).json() is None
        for path in ("/list-sessions", "/list-accounts", "/organization/list", "/activity/list"):
            assert nobody.ask("GET", f"{BASE}{path}", None, shown).problem == (401, "UNAUTHORIZED")
        for path in ("/revoke-sessions", "/revoke-other-sessions"):
            sent = {**shown, "Origin": browser.origin}
            assert nobody.ask("POST", f"{BASE}{path}", None, sent).problem == (401, "UNAUTHORIZED")
    assert browser.session() == session
