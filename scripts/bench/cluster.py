"""The PostgreSQL of a run: the embedded one in a folder that goes afterwards, with migrated databases for who asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from api.cli.embedded import EmbeddedPostgres
from domain.events.keys import Keyring
from domain.store import Store
from domain.store.connections import connection_arguments, open_pool
from domain.store.migrate import migrate
from domain.store.requirements import make_first_key, open_keyring
from projections import INLINE
from tests.databases import Database

SECRET = "a secret of the benchmarks, 32 characters and more"  # noqa: S105  of a database that is thrown away


class Cluster:
    """One server; everything that is compared lives in it."""

    def __init__(self, embedded: EmbeddedPostgres, folder: Path) -> None:
        self.embedded, self.folder = embedded, folder

    @contextmanager
    def database(self, name: str) -> Iterator[Database]:
        """A migrated database, dropped in the end."""
        with psycopg.connect(self.embedded.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
        with Database(self.embedded, name) as database:
            with psycopg.connect(database.owner_url, **connection_arguments("bench")) as connection:
                migrate(connection, application_role="daybook")
                make_first_key(connection, SECRET)
            yield database

    def keyring(self, database: Database) -> Keyring:
        """The keys of one of the databases."""
        with psycopg.connect(database.application_url, **connection_arguments("bench")) as connection:
            return open_keyring(connection, SECRET)


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """A running server with the application's role, its data under `folder`, settings as `daybook serve` has them."""
    embedded = EmbeddedPostgres(folder / "data")
    (folder / "data").mkdir()
    embedded.start()
    try:
        with psycopg.connect(embedded.conninfo("postgres"), autocommit=True) as connection:
            connection.execute("CREATE ROLE daybook LOGIN")
        yield Cluster(embedded, folder)
    finally:
        embedded.stop()


@contextmanager
def store(database: Database, *, connections: int, kind: type[Store] = Store) -> Iterator[Store]:
    """The application's store over a database."""
    with psycopg.connect(database.application_url, **connection_arguments("bench")) as connection:
        keyring = open_keyring(connection, SECRET)
    pool = open_pool(database.application_url, size=connections, name="bench")
    try:
        yield kind(pool, keyring, INLINE)
    finally:
        pool.close()


def level(database: Database) -> None:
    """Make every slice begin alike: an empty queue, and a checkpoint just behind it."""
    with psycopg.connect(database.owner_url, **connection_arguments("bench")) as connection:
        connection.execute("SET statement_timeout = 0")
        connection.execute("TRUNCATE queue")
        connection.execute("CHECKPOINT")
