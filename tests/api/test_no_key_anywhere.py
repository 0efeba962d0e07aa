"""No answer but the one that hands it out, no event, log line, table, mail, page or process holds an API key."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import psutil
import pytest

from api.cli.embedded import EmbeddedPostgres
from tests.api.browser import BASE, Browser
from tests.api.dumps import dump, found
from tests.api.key_tour import EMAIL, GUEST, PROGRAM, Evidence, tour
from tests.api.routes.fellows import Person
from tests.api.routes.programs import Program, made
from tests.databases import Database
from tests.keeping import caught_up
from tests.lived import context_over
from tests.server import Server, served


@dataclass(frozen=True)
class Seen:
    """The evidence of the tour, and all that the server and its database wrote and showed meanwhile."""

    evidence: Evidence
    server_log: bytes
    database_log: bytes
    mail: bytes

    @property
    def secrets(self) -> list[str]:
        """What must not be found: of each key what follows its `start`, so also of what was mistyped of it, and in
        letters of the other case.
        """
        hidden = [key[-64:-6] for key in self.evidence.keys]
        return [form for one in hidden for form in (one, one.swapcase())]


@pytest.fixture(scope="module")
def seen(module_database: Database, cluster: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The tour on a server whose database logs every statement with its values."""
    folder, mail = tmp_path_factory.mktemp("tour"), tmp_path_factory.mktemp("mail")
    for setting in ("log_statement = 'all'", "log_error_verbosity = 'default'", "log_parameter_max_length = -1"):
        module_database.rows(f"ALTER DATABASE {module_database.name} SET {setting}")
    before = cluster.log.stat().st_size
    settings = {
        "DATABASE_URL": module_database.application_url,
        "OWNER_DATABASE_URL": module_database.owner_url,
        "MAIL_FOLDER": mail,
        "INVITATION_PAGE": "https://app.example.com/join",
    }
    with served(folder / "log", settings) as server:
        evidence = Evidence(lambda: processes(server, module_database))
        tour(server.url, evidence)
        evidence.beside.update(environments(server))
    caught_up(module_database)
    files = b"\n".join(path.read_bytes() for path in Path(mail).rglob("*") if path.is_file())
    return Seen(evidence, (folder / "log").read_bytes(), cluster.log.read_bytes()[before:], files)


def processes(server: Server, database: Database) -> bytes:
    """What anybody on the machine sees of the server's processes, and what the database says they ask it."""
    shown = [" ".join([one.name(), *one.cmdline()]) for one in server.processes()]
    asked = database.rows("SELECT application_name || query FROM pg_stat_activity WHERE query IS NOT NULL")
    return "\n".join([*shown, *(query for (query,) in asked)]).encode()


def environments(server: Server) -> list[bytes]:
    return [repr(one.environ()).encode() for one in [psutil.Process(), *server.processes()]]


def test_the_tour_went_everywhere(seen: Seen, module_database: Database) -> None:
    assert len(seen.evidence.keys) == 4
    [happened] = module_database.rows(
        "SELECT array_agg(DISTINCT name) @> ARRAY['ApiKeyMade', 'ApiKeyUsed', 'ApiKeyRenamed', 'ApiKeyMetadataChanged',"
        " 'ApiKeyDisabled', 'ApiKeyRotated', 'ApiKeyEnded', 'ApiKeysRevoked'] FROM events"
    )
    assert happened == (True,)
    reasons = module_database.rows("SELECT DISTINCT end_reason FROM api_key_list WHERE end_reason IS NOT NULL")
    assert {reason for (reason,) in reasons} == {"deleted", "reported"}
    assert module_database.value("SELECT count(DISTINCT api_key_id) FROM commands") >= 2
    assert {200, 400, 401, 403, 404, 415} <= {exchange.answer.status for exchange in seen.evidence.exchanges}
    told = {answer.status for answer in seen.evidence.of("/organization/list")}
    assert told == {200, 401}


def test_answers_hold_no_key_but_where_they_hand_it_out(seen: Seen) -> None:
    exchanges = seen.evidence.exchanges
    assert any(found([EMAIL], answer.content) for answer in seen.evidence.of("/get-session"))
    assert {exchange.answer.status for exchange in exchanges if exchange.answer.status >= 500} == set()
    handing = [exchange for exchange in exchanges if exchange.key is not None]
    assert [found(seen.secrets, exchange.answer.content) for exchange in handing] == [
        [key[-64:-6]] for key in seen.evidence.keys
    ]
    starts = [key[:10] for key in seen.evidence.keys if key.startswith("day_")]
    assert any(found([starts[0]], answer.content) for answer in seen.evidence.of("/api-key/list"))
    leaks = [(exchange.target.partition("?")[0], found(seen.secrets, exchange.else_)) for exchange in exchanges]
    assert [(target, leaked) for target, leaked in leaks if leaked] == []


def test_tables_and_the_journal_hold_no_key(seen: Seen, module_database: Database, cluster: EmbeddedPostgres) -> None:
    whole = dump(module_database, cluster)
    [key, *_] = seen.evidence.keys
    assert found([EMAIL, PROGRAM], whole) == [EMAIL, PROGRAM]
    assert sha256(key.encode()).digest() in whole
    assert found(seen.secrets, whole) == []


def test_events_hold_no_key_once_they_are_opened(seen: Seen, module_database: Database) -> None:
    with context_over(module_database) as context:
        streams = module_database.rows("SELECT DISTINCT stream_id FROM events")
        opened = [repr(recorded) for (stream_id,) in streams for recorded in context.store.events.get(stream_id)]
    told = "\n".join(opened).encode()
    [key, *_] = seen.evidence.keys
    assert found([EMAIL, PROGRAM, key[:10]], told) == [EMAIL, PROGRAM, key[:10]]
    assert found(seen.secrets, told) == []


def test_log_lines_hold_no_key(seen: Seen) -> None:
    assert b"daybook" in seen.server_log.lower()
    assert found([*seen.secrets, EMAIL], seen.server_log) == []


def test_no_statement_and_no_value_the_database_is_sent_holds_a_key(seen: Seen) -> None:
    [key, *_] = seen.evidence.keys
    assert found([EMAIL, key[:10]], seen.database_log) == [EMAIL, key[:10]]
    assert sha256(key.encode()).hexdigest().encode() in seen.database_log
    assert found(seen.secrets, seen.database_log) == []


def test_no_mail_holds_a_key(seen: Seen) -> None:
    assert found([GUEST], seen.mail) == [GUEST]
    assert found(seen.secrets, seen.mail) == []


def test_no_process_shows_a_key(seen: Seen) -> None:
    shown = b"\n".join(seen.evidence.beside)
    assert b"api.cli.worker" in shown
    assert b"api_key_list" in shown
    assert found(seen.secrets, shown) == []


@pytest.mark.parametrize("header", ["x-api-key", "authorization", "authorization: bearer"])
def test_nothing_that_is_shown_of_a_key_is_one(url: str, header: str) -> None:
    ada = Person(url, "Ada")
    key = made(ada)
    digest = sha256(key["key"].encode())
    name, _, scheme = header.partition(": ")
    nobody = Browser(ada.url)
    for known in (key["id"], str(UUID(key["id"])), key["start"], key["referenceId"], digest.hexdigest()):
        for shown in (known, known.ljust(74, "0"), f"day_{known}".ljust(74, "0")):
            sent = {name: f"{scheme} {shown}".strip()}
            answer = nobody.ask("GET", f"{BASE}/organization/list", None, sent)
            assert answer.status in (401, 403)
    assert Program(ada.url, key["key"]).session()["user"]["id"] == ada.user_id
