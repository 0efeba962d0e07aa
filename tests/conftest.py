"""What tests are given: one real PostgreSQL for the whole run, and a fresh, migrated database for each that asks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from api.cli.embedded import EmbeddedPostgres
from domain.store import Store
from domain.store.connections import connection_arguments, open_pool
from domain.store.requirements import open_keyring
from projections import INLINE
from tests.databases import Database, begin_book
from tests.people import SECRET

_TEMPLATE = "daybook_template"
_numbers = count(1)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server with the application's role and a migrated template."""
    embedded = EmbeddedPostgres(tmp_path_factory.mktemp("cluster"))
    embedded.start()
    with psycopg.connect(embedded.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {_TEMPLATE}")
    begin_book(Database(embedded, _TEMPLATE).owner_url)
    yield embedded
    embedded.stop()


@pytest.fixture
def database(cluster: EmbeddedPostgres) -> Iterator[Database]:
    """A fresh database, migrated, with nothing in it."""
    with _fresh(cluster) as database:
        yield database


@pytest.fixture(scope="module")
def module_database(cluster: EmbeddedPostgres) -> Iterator[Database]:
    """A database shared by the tests of a module, for those that start a server once."""
    with _fresh(cluster) as database:
        yield database


@pytest.fixture
def store(database: Database) -> Iterator[Store]:
    """The store over a fresh database, with the projections that run inline, as the application's role."""
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        keyring = open_keyring(connection, SECRET)
    pool = open_pool(database.application_url, size=4, name="tests")
    yield Store(pool, keyring, INLINE)
    pool.close()


def _fresh(cluster: EmbeddedPostgres) -> Database:
    database = Database(cluster, f"daybook_{next(_numbers)}")
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database.name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
    return database


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return Path(__file__).parent.parent
