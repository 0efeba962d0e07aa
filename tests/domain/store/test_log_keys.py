"""The keys of a log: made once, for an empty one, by its owner; and what they sealed opens with them."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest

from api.cli.embedded import EmbeddedPostgres
from domain.commands.organization import personal_organization
from domain.events.catalogue import ORGANIZATION, USER
from domain.events.keys import KEY_LENGTH, Keyring, WrongSecret, wrap_data_key
from domain.ids import new_id, random_bytes
from domain.organization import OrganizationRenamed
from domain.store import Addition, Store
from domain.store.conflicts import StoreUnavailable
from domain.store.connections import Values, connection_arguments
from domain.store.migrate import GrantsMissing, NoLog, NotMigrated, migrate, printed_grants, require_migrated
from domain.store.requirements import (
    NoKeyYet,
    OtherKeys,
    UnfitDatabase,
    keys_still_fit,
    make_first_key,
    open_keyring,
)
from domain.user import NameChanged, User
from tests.databases import Database
from tests.domain.store.entries import a_session, ada_with_a_session, by_ada, by_the_system, started
from tests.people import ADA, SECRET

Connection = psycopg.Connection[Values]


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    with psycopg.connect(database.owner_url, **connection_arguments("tests")) as connection:
        yield connection


@pytest.fixture
def application(database: Database) -> Iterator[Connection]:
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        yield connection


def wrapped(generation: int, secret: str = SECRET) -> bytes:
    return wrap_data_key(random_bytes(KEY_LENGTH), secret=secret, generation=generation)


def an_account(store: Store) -> UUID:
    """Ada's, and her personal organization, whose id it is; each with a key."""
    subject = store.new_subject(ADA)
    opened = User.sign_up(email="ada@example.com", name="Ada", image=None, email_hash=b"ada")
    organization_id, founding = personal_organization(store.keyring, ADA, name="Ada", email="ada@example.com")
    store.append(by_ada(), subject, Addition(ADA, 0, opened, subject), *founding)
    return organization_id


def test_an_empty_book_gets_its_key_from_the_owner_once(owner: Connection, application: Connection) -> None:
    owner.execute("DELETE FROM data_keys")
    with pytest.raises(NoKeyYet):
        open_keyring(application, SECRET)
    assert make_first_key(owner, SECRET)
    assert not make_first_key(owner, SECRET)
    assert open_keyring(application, SECRET).email_hash("a@b.c") == open_keyring(owner, SECRET).email_hash("a@b.c")


def test_the_application_may_not_write_keys(application: Connection, database: Database) -> None:
    for statement in (
        b"INSERT INTO data_keys VALUES (2, '\\x00')",
        b"UPDATE data_keys SET wrapped = '\\x00'",
        b"DELETE FROM data_keys",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute(statement)
    database.rows("DELETE FROM data_keys")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        make_first_key(application, SECRET)


@pytest.mark.parametrize("table", ["commands", "events", "subject_keys", "credentials"])
def test_a_book_in_which_anything_stands_gets_no_key(owner: Connection, store: Store, table: str) -> None:
    ada_with_a_session(store)
    owner.execute("INSERT INTO credentials VALUES (%s, 1, 'hash')", (new_id(),))
    owner.execute("DELETE FROM data_keys")
    owner.execute("SET session_replication_role = replica")  # past the triggers that keep the log
    for other in ("commands", "events", "subject_keys", "credentials"):
        if other != table:
            owner.execute(f"DELETE FROM {other}".encode())
    for attempt in (make_first_key, open_keyring):
        with pytest.raises(OtherKeys, match="The keys are not those of this log"):
            attempt(owner, SECRET)
    assert owner.execute("SELECT FROM data_keys").fetchall() == []


def test_a_key_that_opens_nothing_in_the_book_is_not_its_key(
    owner: Connection, application: Connection, store: Store
) -> None:
    ada_with_a_session(store)
    owner.execute("UPDATE data_keys SET wrapped = %s", (wrapped(1),))
    with pytest.raises(OtherKeys):
        open_keyring(application, SECRET)


@pytest.mark.parametrize("replaced", ["ORDER BY subject_id LIMIT 6", "ORDER BY subject_id DESC LIMIT 6"])
def test_a_book_of_which_one_end_was_sealed_with_other_keys_is_refused(
    owner: Connection, application: Connection, store: Store, replaced: str
) -> None:
    ours, others = open_keyring(owner, SECRET), Keyring({1: random_bytes(KEY_LENGTH)})
    people = [new_id() for _ in range(20)]
    for person in people:
        owner.execute("INSERT INTO subject_keys VALUES (%s, NULL, %s)", (person, ours.new_subject_key(person)))
    assert keys_still_fit(store.statements, open_keyring(application, SECRET))
    for [person] in owner.execute(f"SELECT subject_id FROM subject_keys {replaced}".encode()).fetchall():
        strange = others.new_subject_key(person)
        owner.execute("UPDATE subject_keys SET wrapped = %s WHERE subject_id = %s", (strange, person))
    with pytest.raises(OtherKeys):
        open_keyring(application, SECRET)


def test_a_generation_that_does_not_open_is_named(owner: Connection, application: Connection, store: Store) -> None:
    ada_with_a_session(store)
    for spoiled in (b"\x00", b"", random_bytes(60), wrapped(2, "another secret, 32 characters and more too")):
        owner.execute("INSERT INTO data_keys VALUES (2, %s)", (spoiled,))
        with pytest.raises(UnfitDatabase, match=r"^Generation 2 in data_keys is no key that this secret opens"):
            open_keyring(application, SECRET)
        owner.execute("DELETE FROM data_keys WHERE generation = 2")
    owner.execute("UPDATE data_keys SET wrapped = '\\x00'")
    with pytest.raises(UnfitDatabase, match=r"^Generation 1 "):
        open_keyring(application, SECRET)


def test_another_secret_is_told_from_other_keys(application: Connection, store: Store) -> None:
    ada_with_a_session(store)
    with pytest.raises(WrongSecret):
        open_keyring(application, "another secret, 32 characters and more too")


def test_a_running_node_notices_that_its_keys_are_gone_or_are_not_the_books(
    owner: Connection, application: Connection, store: Store
) -> None:
    ada_with_a_session(store)
    keyring = open_keyring(application, SECRET)
    assert keys_still_fit(store.statements, keyring)
    assert not keys_still_fit(store.statements, Keyring({1: random_bytes(KEY_LENGTH)}))
    owner.execute("DELETE FROM data_keys")
    assert not keys_still_fit(store.statements, keyring)


def test_a_running_node_notices_that_its_data_key_was_overwritten(owner: Connection, store: Store) -> None:
    ada_with_a_session(store)
    [kept] = owner.execute("SELECT wrapped FROM data_keys").fetchall()
    for other in (wrapped(1), random_bytes(48)):
        owner.execute("UPDATE data_keys SET wrapped = %s", (other,))
        assert not keys_still_fit(store.statements, store.keyring)
        store.pool.drain()
        with pytest.raises(StoreUnavailable):
            a_session(store)
    owner.execute("UPDATE data_keys SET wrapped = %s", kept)
    assert a_session(store)


def test_a_running_node_takes_nothing_that_it_would_seal_with_other_keys(owner: Connection, store: Store) -> None:
    ada_with_a_session(store)
    [kept] = owner.execute("DELETE FROM data_keys RETURNING wrapped").fetchall()
    store.pool.drain()
    before = owner.execute("SELECT count(*) FROM events").fetchall()
    with pytest.raises(StoreUnavailable):
        a_session(store)
    assert owner.execute("SELECT count(*) FROM events").fetchall() == before
    owner.execute("INSERT INTO data_keys VALUES (1, %s)", kept)
    assert a_session(store)


def test_nobody_gets_a_second_key_for_one_that_got_lost(
    owner: Connection, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    organization_id = an_account(store)
    lost = owner.execute("DELETE FROM subject_keys RETURNING *").fetchall()
    stranger = new_id()
    owner.execute("INSERT INTO subject_keys VALUES (%s, NULL, %s)", (stranger, store.keyring.new_subject_key(stranger)))

    def renames() -> bool:
        found = store.load(ORGANIZATION, organization_id)
        renamed = Addition(organization_id, found.version, [OrganizationRenamed(name="Works")], found.subject)
        return store.append(by_the_system(), None, renamed)

    def is_renamed() -> bool:
        found = store.load(USER, ADA)
        return store.append(by_ada(), found.subject, found.with_events([NameChanged(name="Ada Two")]))

    def signs_in() -> bool:
        return store.append(by_ada(), store.subject(ADA), Addition(new_id(), 0, [started()]))

    for writes in (renames, is_renamed, signs_in):
        with pytest.raises(StoreUnavailable):
            writes()
    assert [record.getMessage() for record in caplog.records if record.name == "daybook"] == [
        "Something is sealed with a key that is not in subject_keys, and is not written on:"
        " `daybook verify` names it; put its row back from a backup."
    ]
    for row in lost:
        owner.execute("INSERT INTO subject_keys VALUES (%s, %s, %s)", row)
    assert renames()
    assert is_renamed()
    assert signs_in()


def test_a_book_with_sealed_things_and_no_keys_of_anybody_is_not_served(
    owner: Connection, application: Connection, store: Store
) -> None:
    ada_with_a_session(store)
    keyring = open_keyring(application, SECRET)
    owner.execute("DELETE FROM subject_keys")
    assert not keys_still_fit(store.statements, keyring)
    with pytest.raises(OtherKeys):
        open_keyring(application, SECRET)


def test_one_damaged_key_does_not_stop_the_service(owner: Connection, application: Connection, store: Store) -> None:
    ada_with_a_session(store)
    owner.execute("INSERT INTO subject_keys VALUES (%s, NULL, '\\x00'), (%s, NULL, NULL)", (new_id(), new_id()))
    assert keys_still_fit(store.statements, open_keyring(application, SECRET))


def test_an_older_database_gave_more_and_migrating_takes_it_back(owner: Connection, database: Database) -> None:
    owner.execute("GRANT INSERT, UPDATE ON data_keys TO daybook")
    owner.execute("GRANT UPDATE, DELETE, TRUNCATE ON events, commands, log TO daybook")
    assert migrate(owner, application_role="daybook") == []
    given = database.rows(
        "SELECT table_name::text, privilege_type::text FROM information_schema.role_table_grants"
        " WHERE grantee = 'daybook' AND table_schema = 'daybook'"
        " AND table_name IN ('data_keys', 'events', 'commands', 'log') ORDER BY 1, 2"
    )
    assert given == [
        ("commands", "INSERT"), ("commands", "SELECT"), ("data_keys", "SELECT"), ("events", "INSERT"),
        ("events", "SELECT"), ("log", "INSERT"), ("log", "SELECT"),
    ]  # fmt: skip


def test_an_owner_that_serves_keeps_its_rights(cluster: EmbeddedPostgres) -> None:
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        connection.execute("CREATE ROLE alone LOGIN")
        connection.execute("CREATE DATABASE daybook_of_one OWNER alone")
    with Database(cluster, "daybook_of_one") as database:
        alone = psycopg.conninfo.make_conninfo(database.owner_url, user="alone")
        for _ in range(2):
            with psycopg.connect(alone, **connection_arguments("tests")) as connection:
                migrate(connection, application_role="alone")
        with psycopg.connect(alone, **connection_arguments("tests")) as connection:
            assert make_first_key(connection, SECRET)
            with pytest.raises(psycopg.errors.RaiseException, match="needs no grants"):
                connection.execute(printed_grants("alone").encode())


def test_a_restore_without_privileges_lacks_grants_not_migrations(database: Database) -> None:
    database.rows("REVOKE ALL ON ALL TABLES IN SCHEMA daybook FROM daybook")
    database.rows("REVOKE ALL ON SCHEMA daybook FROM daybook")
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        with pytest.raises(GrantsMissing, match=r"^The role daybook has no rights on the log in this database"):
            require_migrated(connection)
        database.rows("DROP SCHEMA daybook CASCADE")
        with pytest.raises(NoLog):
            require_migrated(connection)
    assert issubclass(NoLog, NotMigrated)


def test_printed_grants_work_on_any_connection_of_the_owner(database: Database) -> None:
    database.rows("REVOKE ALL ON ALL TABLES IN SCHEMA daybook FROM daybook")
    with psycopg.connect(database.owner_url, autocommit=True) as plain:
        plain.execute(printed_grants("daybook").encode())
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        require_migrated(connection)
        open_keyring(connection, SECRET)
