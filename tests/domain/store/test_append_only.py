"""The log is append-only: by the rights of the application's role, and by a trigger for everybody."""

from __future__ import annotations

from typing import LiteralString

import psycopg
import pytest

from domain.store import Store
from domain.store.connections import connection_arguments
from tests.databases import Database
from tests.domain.store.entries import a_session

REWRITES: list[LiteralString] = [
    "UPDATE events SET body = '{}'",
    "DELETE FROM events",
    "TRUNCATE events",
    "UPDATE commands SET body = '{}'",
    "DELETE FROM commands",
    "TRUNCATE commands",
    "UPDATE log SET position = 7",
    "DELETE FROM log",
    "TRUNCATE log",
]


@pytest.mark.parametrize("rewrite", REWRITES)
def test_the_application_may_not_rewrite_the_log(store: Store, database: Database, rewrite: LiteralString) -> None:
    a_session(store)
    with (
        psycopg.connect(database.application_url, **connection_arguments("tests")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(rewrite)


@pytest.mark.parametrize("rewrite", REWRITES)
def test_nor_may_the_owner_without_taking_the_trigger_away(
    store: Store, database: Database, rewrite: LiteralString
) -> None:
    a_session(store)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
        database.rows(rewrite)


@pytest.mark.parametrize(
    "attempt",
    [
        "DELETE FROM account_list",
        "DELETE FROM subject_keys",
        "UPDATE data_keys SET generation = 2",
        "DELETE FROM data_keys",
        "DROP TABLE events",
        "CREATE TABLE mine (x int)",
        "ALTER TABLE events DISABLE TRIGGER append_only",
    ],
)
def test_the_application_has_no_right_it_does_not_need(
    store: Store, database: Database, attempt: LiteralString
) -> None:
    a_session(store)
    with (
        psycopg.connect(database.application_url, **connection_arguments("tests")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(attempt)
