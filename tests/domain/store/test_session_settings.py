"""Sessions of ours mean the same whatever role, server and environment say, and are not weaker than they want them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from domain.store import Store
from domain.store.connections import connect, open_pool
from domain.store.requirements import open_keyring
from domain.store.session_settings import parameters_are_logged
from projections import INLINE
from tests.databases import Database
from tests.domain.store.entries import a_session
from tests.own_server import OwnServer, own_server
from tests.people import SECRET

OTHERWISE = {
    "datestyle": "German, DMY",
    "intervalstyle": "sql_standard",
    "bytea_output": "escape",
    "timezone": "Asia/Kolkata",
    "client_encoding": "LATIN1",
    "default_transaction_isolation": "serializable",
    "client_min_messages": "error",
    "array_nulls": "off",
    "extra_float_digits": "-5",
}
MOMENT = datetime(2026, 3, 14, 12, 30, 15, 123_000, tzinfo=UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with own_server(tmp_path_factory.mktemp("own")) as server:
        yield server


def one(url: str, sql: str, *values: object) -> object:
    """What a connection of the pool answers."""
    with open_pool(url, size=2, name="tests") as pool, pool.connection() as connection:
        row = connection.execute(sql.encode(), values or None).fetchone()
        assert row is not None
        return row[0]


def test_whatever_the_role_is_set_to_answers_mean_the_same(server: OwnServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in OTHERWISE.items():
        server.rows(f"ALTER ROLE daybook SET {name} = '{value}'")
    monkeypatch.setenv("PGDATESTYLE", "SQL, DMY")
    monkeypatch.setenv("PGTZ", "America/New_York")
    monkeypatch.setenv("PGCLIENTENCODING", "SQL_ASCII")
    try:
        url = server.application_url
        assert one(url, "SELECT %s::timestamptz", MOMENT) == MOMENT
        assert one(url, "SELECT %s::timestamptz::text", MOMENT) == "2026-03-14 12:30:15.123+00"
        assert one(url, "SELECT 'Zoë'::text") == "Zoë"
        assert one(url, "SHOW client_min_messages") == "warning"
        assert one(url, "SHOW transaction_isolation") == "read committed"
        with connect(url, "tests") as connection, open_pool(url, size=2, name="tests") as pool:
            assert a_session(Store(pool, open_keyring(connection, SECRET), INLINE))
    finally:
        server.rows("ALTER ROLE daybook RESET ALL")


@pytest.mark.parametrize(
    ("wanted", "given"),
    [("off", "on"), ("local", "on"), ("remote_write", "on"), ("on", "on"), ("remote_apply", "remote_apply")],
)
def test_commits_wait_for_no_less_than_the_operator_says(server: OwnServer, wanted: str, given: str) -> None:
    server.rows(f"ALTER ROLE daybook SET synchronous_commit = '{wanted}'")
    try:
        assert one(server.application_url, "SHOW synchronous_commit") == given
    finally:
        server.rows("ALTER ROLE daybook RESET ALL")


def test_the_operators_own_options_stay(database: Database) -> None:
    url = f"{database.application_url} options='-c work_mem=7MB'"
    assert one(url, "SHOW work_mem") == "7MB"
    assert one(url, "SHOW search_path") == "daybook"


def test_what_statements_are_given_is_kept_out_of_the_servers_log_where_that_is_allowed(server: OwnServer) -> None:
    server.set(log_min_duration_statement="0")
    # as a server of the operator's own is set up; parameters stand in an entry's details
    server.rows("ALTER ROLE daybook SET log_parameter_max_length = -1")
    server.rows("ALTER ROLE daybook SET log_error_verbosity = 'default'")
    try:
        with connect(server.application_url, "tests") as connection:
            assert parameters_are_logged(connection)
        server.rows("GRANT SET ON PARAMETER log_parameter_max_length TO daybook")
        with connect(server.application_url, "tests") as connection:
            assert not parameters_are_logged(connection)
        assert one(server.application_url, "SELECT %s::text", "ada@example.com") == "ada@example.com"
        assert "ada@example.com" not in server.log.read_text()
        server.rows("REVOKE SET ON PARAMETER log_parameter_max_length FROM daybook")
        one(server.application_url, "SELECT %s::text", "bo@example.com")
        assert "bo@example.com" in server.log.read_text(), "else this test would prove nothing"
    finally:
        server.rows("ALTER ROLE daybook RESET ALL")
        server.reset("log_min_duration_statement")
