"""What a dump and a log of the database give away: no secret at all, and nothing personal in the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.cli.embedded import EmbeddedPostgres
from tests.api.dumps import dump, found
from tests.crowd import sign_up_together
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import served

PEOPLE = 50
BOOK = ("commands", "events")
IP_ADDRESS = "127.0.0.1"


def email(number: int) -> str:
    return f"person{number}.lovelace@mailbox.example.com"


def name(number: int) -> str:
    return f"Augusta{number} Byron"


def user_agent(number: int) -> str:
    return f"Browser-of-person/{number}.0"


def password(number: int) -> str:
    return f"{PASSWORD} of {number}"


@pytest.fixture(scope="module")
def tokens(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Fifty people sign up and in, and ten addresses are refused to others; every session's secret."""
    handed_out = []
    log = tmp_path_factory.mktemp("server") / "log"
    with served(log, {"DATABASE_URL": module_database.application_url}) as server:
        for number in range(PEOPLE):
            form = {"email": email(number), "name": name(number), "password": password(number)}
            with server.client() as client:
                client.headers["User-Agent"] = user_agent(number)
                for path in ("sign-up", "sign-in"):
                    answer = client.post(f"/api/auth/{path}/email", json=form)
                    assert answer.status_code == 200
                    handed_out.append(answer.json()["token"])
                    client.cookies.clear()
    return handed_out


@pytest.fixture
def the_search_would_find_it(module_database: Database, cluster: EmbeddedPostgres, tokens: list[str]) -> bytes:
    """The dump of all tables, in which the lists do show people: so a search that finds nothing means something."""
    whole = dump(module_database, cluster)
    assert email(0).encode() in whole
    assert user_agent(PEOPLE - 1).encode() in whole
    return whole


def test_a_dump_holds_no_password_and_no_session_token(the_search_would_find_it: bytes, tokens: list[str]) -> None:
    assert len(tokens) == 2 * PEOPLE
    secrets = [*tokens, *(password(number) for number in range(PEOPLE)), PASSWORD]
    assert found(secrets, the_search_would_find_it) == []


def test_the_book_holds_nothing_personal(
    module_database: Database, cluster: EmbeddedPostgres, the_search_would_find_it: bytes
) -> None:
    book = dump(module_database, cluster, *BOOK)
    assert b"SignedUp" in book
    assert module_database.value("SELECT count(*) FROM commands") == 2 * PEOPLE
    personal = [IP_ADDRESS, "Augusta", "lovelace@mailbox", "mailbox.example.com", "Browser-of-person"]
    personal += [show(number) for number in range(PEOPLE) for show in (email, name, user_agent)]
    assert found(personal, book) == []


def test_the_databases_log_of_refused_sign_ups_holds_no_address(
    database: Database, cluster: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Four at a time, so that it is the constraint that refuses: the look-up before it sees nobody yet."""
    before = cluster.log.stat().st_size
    with served(tmp_path / "log", {"DATABASE_URL": database.application_url}) as server:
        form = [{"email": email(number), "name": name(number), "password": PASSWORD} for number in range(PEOPLE)]
        rounds = sign_up_together(server.url, [[form[number]] * 4 for number in range(PEOPLE)])
    assert [answer.status_code for answers in rounds for answer in answers].count(422) == 3 * PEOPLE
    logged = cluster.log.read_bytes()[before:]
    assert logged.count(b'unique constraint "email_taken"') >= PEOPLE
    people = [show(number) for number in range(PEOPLE) for show in (email, name)]
    assert found([*people, "mailbox.example"], logged) == []
    assert email(0) not in (tmp_path / "log").read_text()
