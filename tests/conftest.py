"""What tests are given: one real PostgreSQL for the whole run, and a fresh, migrated database for each that asks."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from api.background.orphans import end_with
from api.cli.embedded import EmbeddedPostgres
from domain.store import Store
from domain.store.connections import connection_arguments, open_pool
from domain.store.requirements import open_keyring
from projections import INLINE
from tests.databases import Database, begin_log
from tests.people import SECRET

_LONG = pytest.mark.skip(reason="long: run with scripts/test --long")
_TEMPLATE = "daybook_template"
_SLOW = {"faults", "clients", "maintenance"}
"""Folders whose files take longest."""
_numbers = count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also the drills that take minutes each")


def pytest_configure(config: pytest.Config) -> None:
    """A run that is told to end tears down what it set up: else its database servers stay behind."""
    signal.signal(signal.SIGTERM, _ended)
    if hasattr(config, "workerinput"):
        # a process of xdist's, which nobody tells when the run is killed
        end_with(os.getppid())
        # by which xdist ends it too, but a shell's background has it ignored
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is marked `long` is for those who ask for it. What takes minutes begins first: else one process ends with it
    while the other has nothing to do any more.
    """
    items.sort(key=lambda item: not any(folder in item.path.parts for folder in _SLOW))
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(_LONG)


def _ended(_number: int, _frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pytest.exit("ended by SIGTERM", returncode=128 + signal.SIGTERM)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server with the application's role and a migrated template."""
    embedded = EmbeddedPostgres(tmp_path_factory.mktemp("cluster"))
    embedded.start()
    with psycopg.connect(embedded.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {_TEMPLATE}")
    begin_log(Database(embedded, _TEMPLATE).owner_url)
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
