"""Migrations: the tables are declared once, in SQL, and are what the projections think they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from api.cli.embedded import EmbeddedPostgres
from domain.store.connections import connection_arguments
from domain.store.migrate import (
    MigrationWaits,
    NewerRelease,
    NotMigrated,
    grants,
    migrate,
    migrations,
    newer_steps,
    require_migrated,
)
from domain.store.rows import PASSWORDS, SUBJECT_KEYS, Table
from domain.store.statement import COMMAND_COLUMNS, EVENT_COLUMNS
from projections import INLINE
from projections.trails import journal
from tests.databases import Database
from tests.people import ADA, BO

TYPES = {"timestamp with time zone": "timestamptz"}


def columns(database: Database, table: str) -> dict[str, str]:
    rows = database.rows(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'daybook' AND table_name = %s ORDER BY ordinal_position",
        table,
    )
    return {name: TYPES.get(kind, kind) for name, kind in rows}


@pytest.mark.parametrize("table", [*(one.table for one in INLINE), PASSWORDS, SUBJECT_KEYS], ids=lambda t: t.name)
def test_a_lists_columns_are_the_tables(database: Database, table: Table) -> None:
    assert columns(database, table.name) == dict(table.types)


def test_the_books_columns_are_the_tables(database: Database) -> None:
    assert columns(database, "events") == EVENT_COLUMNS
    assert columns(database, "commands") == COMMAND_COLUMNS


def test_the_journals_columns_are_the_tables(database: Database) -> None:
    assert columns(database, "journal") == journal.COLUMNS


def test_keys_of_drift_sort_as_bytes_whatever_the_language_of_the_database(database: Database) -> None:
    sql = "SELECT collation_name FROM information_schema.columns WHERE table_name = 'drift' AND column_name = 'key'"
    assert database.value(sql) == "C"


@pytest.mark.parametrize(
    "name",
    [
        "email_taken",
        "slug_taken",
        "personal_organization",
        "already_member",
        "stream_moved_on",
        "session_token",
        "one_delivery_of_a_kind_an_event",
        "command_once",
        "credential_once",
    ],
)
def test_a_rule_that_cannot_be_raced_is_a_named_constraint(database: Database, name: str) -> None:
    found = database.rows("SELECT contype, condeferrable FROM pg_constraint WHERE conname = %s", name)
    assert found in ([("u", False)], [("p", False)])


def test_every_migration_is_applied_once_and_only_once(database: Database) -> None:
    applied = database.rows("SELECT number, step, name FROM migrations ORDER BY number")
    assert applied == [(one.number, one.step, one.name) for one in migrations()]
    with psycopg.connect(database.owner_url, **connection_arguments("tests")) as connection:
        assert migrate(connection, application_role="daybook") == []


@contextmanager
def release_before(cluster: EmbeddedPostgres, number: int) -> Iterator[tuple[Database, Callable[[], None]]]:
    """A database as it was before a migration, and what applies that one."""
    name = f"before_{number}"
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    with Database(cluster, name) as database:

        def apply(those: Callable[[int], bool]) -> None:
            with psycopg.connect(database.owner_url, **connection_arguments("tests")) as connection:
                connection.execute(b"CREATE SCHEMA IF NOT EXISTS daybook")
                for one in migrations():
                    if those(one.number):
                        connection.execute(one.text)

        apply(lambda other: other < number)
        yield database, lambda: apply(lambda other: other == number)


def test_accounts_of_a_release_before_are_known_by_the_address_they_have(cluster: EmbeddedPostgres) -> None:
    with release_before(cluster, 7) as (database, migrated):
        database.rows(
            "INSERT INTO account_list (user_id, version, email_slot, created_at, updated_at)"
            " VALUES (%s, 1, 'the keyed hash of her address', now(), now())",
            ADA,
        )
        migrated()
        assert database.rows("SELECT email_hash, email_slot FROM account_list") == [
            (b"the keyed hash of her address", b"the keyed hash of her address")
        ]


def test_passwords_of_a_release_before_are_passwords_still_and_it_goes_on_keeping_them(
    cluster: EmbeddedPostgres,
) -> None:
    inserted = "INSERT INTO credentials (user_id, password_version, hash) SELECT %s::uuid, %s::integer, %s::text"
    with release_before(cluster, 9) as (database, migrated):
        database.rows(inserted, ADA, 1, "hers")
        migrated()
        database.rows(inserted, BO, 1, "his")
        with pytest.raises(psycopg.errors.UniqueViolation):
            database.rows(inserted, ADA, 1, "a second one")
        changed = "UPDATE credentials SET password_version = %s::integer, hash = %s::text WHERE user_id = %s::uuid"
        database.rows(changed, 2, "her next", ADA)
        assert database.rows("SELECT user_id, kind, id, password_version, hash FROM credentials ORDER BY hash") == [
            (ADA, "password", "", 2, "her next"),
            (BO, "password", "", 1, "his"),
        ]


def test_nodes_that_start_together_wait_for_one_another(cluster: EmbeddedPostgres) -> None:
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty_one")
    with Database(cluster, "empty_one") as database:

        def start(_: int) -> list[str]:
            with psycopg.connect(database.owner_url, **connection_arguments("tests")) as connection:
                return migrate(connection, application_role="daybook")

        with ThreadPoolExecutor(6) as nodes:
            applied = [names for names in nodes.map(start, range(6)) if names]
        assert applied == [[f"{one.number:04} {one.name}" for one in migrations()]]


def test_a_database_without_its_migrations_is_told_apart(cluster: EmbeddedPostgres) -> None:
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty_two")
    with (
        Database(cluster, "empty_two") as database,
        psycopg.connect(database.application_url, **connection_arguments("tests")) as connection,
        pytest.raises(NotMigrated, match="0001 the first book"),
    ):
        require_migrated(connection)


def test_grants_name_the_role_quoted() -> None:
    assert 'TO "o\'brien";' in grants("o'brien")
    assert 'TO "a""b";' in grants('a"b')


def test_a_node_of_the_release_before_goes_on_beside_a_newer_one_until_that_takes_away_what_it_needs(
    cluster: EmbeddedPostgres,
) -> None:
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE a_newer_one")
    with (
        Database(cluster, "a_newer_one") as database,
        psycopg.connect(database.owner_url, **connection_arguments("tests")) as owner,
    ):
        migrate(owner, application_role="daybook")
        assert newer_steps(owner) == []
        owner.execute("INSERT INTO migrations (number, step, name) VALUES (9001, 'pre', 'more than we know')")
        assert newer_steps(owner) == ["9001 more than we know"]
        require_migrated(owner)
        owner.execute("INSERT INTO migrations (number, step, name) VALUES (9002, 'post', 'less than we need')")
        tries: list[Callable[[psycopg.Connection[Any]], object]] = [
            require_migrated, newer_steps, partial(migrate, application_role="daybook")
        ]  # fmt: skip
        for tried in tries:
            with pytest.raises(NewerRelease, match=r"9001 more than we know, 9002 less than we need"):
                tried(owner)


@pytest.mark.parametrize(
    "held", ["SELECT pg_advisory_xact_lock(hashtextextended('daybook migrations', 0))", "SELECT FROM credentials"]
)
def test_who_holds_what_a_migration_changes_is_named_and_nothing_is_changed(
    cluster: EmbeddedPostgres, held: LiteralString
) -> None:
    name = f"held_{len(held)}"
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    with (
        Database(cluster, name) as database,
        psycopg.connect(database.owner_url, **connection_arguments("tests")) as owner,
        psycopg.connect(database.owner_url, **connection_arguments("a dump")) as other,
    ):
        migrate(owner, application_role="daybook")
        owner.execute("DELETE FROM migrations WHERE number = 9")
        owner.execute("SET lock_timeout = '100ms'")
        with other.transaction():
            other.execute(held)
            with pytest.raises(MigrationWaits, match=rf"^pid {other.info.backend_pid} \(a dump\)$"):
                migrate(owner, application_role="daybook")
        assert owner.execute("SELECT count(*) FROM migrations WHERE number = 9").fetchone() == (0,)
