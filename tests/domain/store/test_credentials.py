"""Credentials by kind: passwords are read and written as such, whatever else a person can sign in with."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest

from domain.events.catalogue import USER
from domain.ids import new_id
from domain.store import Addition, Store
from domain.store.conflicts import StreamMovedOn
from domain.store.credentials import changed_credentials, first_credentials, rehash
from domain.store.rows import Write
from domain.user import PasswordChanged, SignedUp
from projections.lists.account_list import AccountLookups, password_dates
from tests.databases import Database
from tests.domain.store.entries import by_ada
from tests.people import ADA

OTHERS = [("passkey", "one"), ("passkey", "two"), ("provider", "")]


def opened(store: Store, user_id: UUID, *passwords: Write) -> None:
    """An account, with these rows beside it."""
    subject = store.new_subject(user_id)
    signed_up = SignedUp(email="", name="", image=None, email_hash=user_id.bytes, password_version=1)
    store.append(by_ada(), subject, Addition(user_id, 0, [signed_up], subject), writes=passwords)


def given_others(database: Database, user_id: UUID) -> None:
    """Somebody gets credentials of other kinds; that their hash is a password's must not make them one."""
    for kind, name in OTHERS:
        database.rows(
            "INSERT INTO credentials (user_id, kind, id, password_version, hash) VALUES (%s, %s, %s, 9, 'a hash')",
            *(user_id, kind, name),
        )


def kept(database: Database, user_id: UUID) -> list[tuple[str, str, int, str]]:
    return database.rows(
        "SELECT kind, id, password_version, hash FROM credentials WHERE user_id = %s ORDER BY kind, id", user_id
    )


@pytest.fixture
def ada(store: Store, database: Database) -> UUID:
    given_others(database, ADA)
    opened(store, ADA, first_credentials(ADA, password_version=1, password_hash="a hash"))
    return ADA


BESIDE = [("passkey", "one", 9, "a hash"), ("passkey", "two", 9, "a hash"), ("provider", "", 9, "a hash")]


def test_a_password_is_one_credential_among_others(ada: UUID, database: Database) -> None:
    assert kept(database, ada) == [BESIDE[0], BESIDE[1], ("password", "", 1, "a hash"), BESIDE[2]]


def test_what_is_changed_is_the_password_alone(ada: UUID, store: Store, database: Database) -> None:
    changed = store.load(USER, ada).with_events([PasswordChanged(password_version=2)])
    new = changed_credentials(ada, password_version=2, password_hash="another")
    store.append(by_ada(), store.subject(ada), changed, writes=[new])
    assert kept(database, ada) == [BESIDE[0], BESIDE[1], ("password", "", 2, "another"), BESIDE[2]]


@pytest.mark.parametrize("people", [2, 20])
def test_of_many_at_once_too(store: Store, database: Database, people: int) -> None:
    """Up to eight rows stand in the statement one by one, more come as arrays."""
    ids = [new_id() for _ in range(people)]
    for user_id in ids:
        opened(store, user_id, first_credentials(user_id, password_version=1, password_hash="a hash"))
        given_others(database, user_id)
    changed = [store.load(USER, user_id).with_events([PasswordChanged(password_version=2)]) for user_id in ids]
    new = [changed_credentials(user_id, password_version=2, password_hash="another") for user_id in ids]
    store.append(by_ada(), store.subject(ids[0]), *changed, writes=new)
    assert all(
        kept(database, user_id) == [BESIDE[0], BESIDE[1], ("password", "", 2, "another"), BESIDE[2]] for user_id in ids
    )


def test_what_is_hashed_anew_is_the_password_alone(ada: UUID, store: Store, database: Database) -> None:
    rehash(store.statements, ada, old="a hash", new="costlier")
    assert kept(database, ada) == [BESIDE[0], BESIDE[1], ("password", "", 1, "costlier"), BESIDE[2]]


def test_an_account_is_read_with_its_password_and_with_nothing_else(
    ada: UUID, store: Store, database: Database
) -> None:
    database.rows("UPDATE credentials SET hash = 'no password' WHERE kind <> 'password'")
    found = AccountLookups(store.statements).account(ada)
    assert found is not None
    assert (found.password_version, found.password_hash) == (1, "a hash")


def test_who_has_only_other_credentials_has_no_password(ada: UUID, store: Store, database: Database) -> None:
    database.rows("DELETE FROM credentials WHERE kind = 'password'")
    found = AccountLookups(store.statements).account(ada)
    assert found is not None
    assert (found.password_version, found.password_hash) == (None, None)
    assert password_dates(store.statements, ada) is None


def test_a_person_has_one_password(ada: UUID, store: Store, database: Database) -> None:
    for name in ("", "second"):
        with pytest.raises(psycopg.errors.IntegrityError, match=r"credential_once|one_password_a_person"):
            database.rows(
                "INSERT INTO credentials (kind, user_id, id, password_version, hash)"
                " VALUES ('password', %s, %s, 1, '')",
                *(ada, name),
            )
    with pytest.raises(StreamMovedOn):
        store.append(
            by_ada(),
            store.subject(ada),
            store.load(USER, ada).with_events([PasswordChanged(password_version=2)]),
            writes=[first_credentials(ada, password_version=2, password_hash="second")],
        )
